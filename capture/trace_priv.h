/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_priv.h - what the files that load a trace share: regions, inputs, feeds, indexes
 *
 * A load goes input -> feed -> format -> index:
 *
 *   zb_input   an opened file: how it is packed, how long it is
 *   zb_feed    brings the file's (unpacked) bytes into the image, in order, ahead of its reader
 *   format     pcap or pcapng: walks the records as they arrive, calls zb_load_add() for each
 *   zb_index   32 bytes a packet, per shard; all in order first when a shard is not told at once
 *
 * The image may move while it grows, so packets are indexed as if it had stayed at its anchor, the
 * place where it began; zb_trace_load() corrects them once at the end when it did move.
 *
 * Threading: main only; a feed may have reader threads of its own.
 * Errors:    0 or -errno, said once by the function that finds out.
 */
#ifndef ZB_CAPTURE_TRACE_PRIV_H
#define ZB_CAPTURE_TRACE_PRIV_H

#include <string.h>
#include "capture/trace.h"

/* Anonymous memory, 2 MiB aligned from 2 MiB on. */
struct zb_region {
	uint8_t *base;
	uint64_t size; /* mapped; untouched pages cost nothing */
	int numa_id;   /* -1: anywhere */
	bool hugetlb;
	bool file; /* pages of the page cache, locked as they come; read-only */
};

/* -ENOMEM only, not said. huge: from the huge page pool when it has enough to spare. */
int zb_region_map(struct zb_region *r, uint64_t size, bool huge);
/*
 * Maps the first size bytes of a file, to be locked as they are touched; false when that is not
 * possible or not allowed. Should the file be truncated later, the process says so and ends.
 */
bool zb_region_map_file(struct zb_region *r, int fd, uint64_t size);
/* Brings pages of a mapped file in; 0 or -errno. */
int zb_region_populate(const struct zb_region *r, uint64_t from, uint64_t bytes);
/* May move the region. A hugetlb region cannot grow. */
int zb_region_grow(struct zb_region *r, uint64_t size);
void zb_region_trim(struct zb_region *r, uint64_t used);
bool zb_region_lock(struct zb_region *r);
void zb_region_unmap(struct zb_region *r);
/* Which pages it really got; asks the kernel, so once and late. */
enum zb_trace_memory zb_region_memory(const struct zb_region *r);

/* -ENOMEM, said as "WHAT: needs ..., ... is available", when more than is left is wanted. */
int zb_memory_check(const char *what, uint64_t need_bytes);
/* Huge pages of the default size that nobody has reserved, and that size. */
uint64_t zb_memory_huge_free(const char *root, uint64_t *page_bytes);

enum zb_packing { ZB_PACK_NONE, ZB_PACK_GZIP, ZB_PACK_ZSTD };

struct zb_input {
	const char *path;
	int fd;
	bool regular;  /* else a pipe or device of unknown length */
	uint64_t size; /* on disk; what was read so far when not regular */
	enum zb_packing packing;
	uint8_t head[8]; /* first bytes, read from fd already */
	uint32_t head_nr;
};

int zb_input_open(const char *path, struct zb_input *in);
void zb_input_close(struct zb_input *in);

struct zb_feed {
	struct zb_input *in;
	struct zb_region *image;
	uint64_t image_off; /* of the file's first byte */
	uint64_t avail;	    /* bytes in the image, in order from the file's first */
	bool eof;	    /* no byte after avail will come */
	bool check_memory;  /* ask before every further 64 MiB */
	const char *broken; /* packed data ended early or is damaged: why */
	int (*more)(struct zb_feed *f, uint64_t end); /* raises avail to end or more, or sets eof */
	void (*close)(struct zb_feed *f);
	void *priv;
};

/* decompress.c: serial, unpacks on the way, grows the image. */
int zb_feed_open_stream(struct zb_feed *f);
/* trace_feed.c: a large plain file whose room is mapped, read by several threads. */
int zb_feed_open_threads(struct zb_feed *f);
bool zb_feed_threads_worth(const struct zb_input *in);
/* Says what the file is instead; -ENODATA: empty, or -EINVAL. */
int zb_feed_not_a_trace(const struct zb_feed *f);

/* 1: bytes up to end are there; 0: the file ends before; or -errno. */
static inline int zb_feed_need(struct zb_feed *f, uint64_t end)
{
	int ret;

	if (__builtin_expect(end <= f->avail, 1))
		return 1;
	if (f->eof)
		return 0;
	ret = f->more(f, end);
	if (ret < 0)
		return ret;
	return end <= f->avail;
}

static inline const uint8_t *zb_feed_at(const struct zb_feed *f, uint64_t pos)
{
	return f->image->base + f->image_off + pos;
}

struct zb_index {
	struct zb_region region;
	struct zb_trace_pkt *pkts;
	uint64_t nr, max;
};

/* -ENOMEM, said. */
int zb_index_grow(struct zb_index *x, int numa_id);
void zb_index_free(struct zb_index *x);

static inline int zb_index_add(struct zb_index *x, const struct zb_trace_pkt *p, int numa_id)
{
	if (__builtin_expect(x->nr == x->max, 0)) {
		int ret = zb_index_grow(x, numa_id);

		if (ret < 0)
			return ret;
	}
	x->pkts[x->nr++] = *p;
	return 0;
}

/*
 * Calls take(arg, packet) for all packets of runs, merged by time; of equals the earlier run's
 * first, and the order inside a run is kept. Run i is pkts[i ? end[i - 1] : 0 .. end[i]). Ends
 * early, returning it, when take returns other than 0. -ENOMEM, said.
 */
int zb_index_merge(const struct zb_trace_pkt *pkts, const uint64_t *end, uint32_t run_nr,
		   int (*take)(void *arg, const struct zb_trace_pkt *p), void *arg);

/* One packet as a format found it. */
struct zb_rec {
	uint64_t off; /* of its first byte in the (unpacked) file */
	uint64_t ts_ns;
	uint32_t cap_len;
	uint32_t wire_len;
	enum zb_link link;
};

struct zb_load; /* the load under way, see trace.c */
struct zb_feed *zb_load_feed(struct zb_load *l);
uint64_t zb_load_file_pkts(const struct zb_load *l); /* of this file, so far */
/* 0; 1: enough, stop reading; or -errno. */
int zb_load_add(struct zb_load *l, const struct zb_rec *r);
/*
 * The file is unusable from byte pos on: "PATH: packet N at byte POS WHY". 0, a warning: what came
 * before is used; -EINVAL, an error: nothing came before.
 */
int zb_load_damaged(struct zb_load *l, uint64_t pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a file that ends before byte end, inside what starts at pos. */
int zb_load_cut(struct zb_load *l, uint64_t pos, uint64_t end);

/*
 * Each: 0 at the end of the file, or -errno. The first four bytes are there and say it is this
 * format.
 */
bool zb_pcap_is(uint32_t magic);
int zb_pcap_parse(struct zb_load *l);
bool zb_pcapng_is(uint32_t magic);
int zb_pcapng_parse(struct zb_load *l);

/* link_type.c: a LINKTYPE_ number of a file as enum zb_link, or -1. */
int zb_link_of(uint32_t link_type);
const char *zb_link_type_name(uint32_t link_type); /* "?" when it is not a common one */
#define ZB_LINK_SUPPORTED \
	"Ethernet, raw IP, SLL, SLL2, loopback, PPP, Cisco HDLC, FDDI, 802.11, radiotap, NFLOG"

static inline uint32_t zb_get32(const uint8_t *p, bool swap)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap32(v) : v;
}

static inline uint16_t zb_get16(const uint8_t *p, bool swap)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap16(v) : v;
}

#endif
