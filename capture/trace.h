/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h - loads capture files into memory once, sharded over the workers
 *
 * Reads pcap (both byte orders, microseconds and nanoseconds, modified variants refused by name)
 * and pcapng (any byte order, several sections and interfaces, if_tsresol, EPB, SPB and the old
 * packet block), plain, gzip or zstd compressed (told by content). Packets stay as they are in the
 * file image; an index entry of 32 bytes per packet points at them. Several files are merged by
 * packet time. Which shard a packet belongs to is told in rss.h; one whose inner flow belongs to
 * another shard is in both, with bytes of its own in the second one if passes may rewrite them.
 *
 * Threading: load and free from main; a shard is read by its worker, see source_replay.h.
 * Ownership: the trace owns image and index.
 * Errors:    -errno, said once on stderr, naming file, offset or packet number, and what to do.
 */
#ifndef ZB_CAPTURE_TRACE_H
#define ZB_CAPTURE_TRACE_H

#include <assert.h>
#include <stddef.h>
#include "capture/packet.h"

#define ZB_RECORD_MAX (256u * 1024) /* bytes of one packet; a longer record is an error */
/* The latest packet time: the last one that a burst until UINT64_MAX still includes. */
#define ZB_TIME_NS_MAX (UINT64_MAX - 1)

/* What a shard is to make of an entry; see ZB_PKT_OUTER_ONLY and ZB_PKT_INNER_ONLY. */
enum zb_trace_part {
	ZB_PART_WHOLE,
	ZB_PART_OUTER,	  /* another shard has its shadow */
	ZB_PART_INNER,	  /* a shadow: counts nowhere */
	ZB_PART_UNDECIDED /* while loading only */
};

struct zb_trace_pkt {
	uint8_t *data;	/* in the image; rewritten between passes by the shard's worker */
	uint64_t ts_ns; /* Unix epoch; before 1970 or beyond 2554 is clamped */
	uint32_t cap_len;
	uint32_t wire_len;
	uint32_t late;	      /* behind the newest packet before it in its file: zb_late_code() */
	uint16_t rss;	      /* half of the hash that it was sharded by: zb_rss_from_half() */
	uint8_t link : 4;     /* enum zb_link */
	uint8_t part : 4;     /* enum zb_trace_part */
	uint8_t sum_was_ones; /* rewriting: which checksums were 0xffff, not 0x0000 */
};
static_assert(sizeof(struct zb_trace_pkt) == 32, "two to a cache line");

struct zb_trace_shard {
	struct zb_trace_pkt *pkts;
	uint64_t pkt_nr;    /* shadows included */
	uint64_t shadow_nr; /* of these */
	uint64_t byte_nr;   /* wire bytes, of shadows none */
};

enum zb_trace_memory {
	ZB_MEM_PLAIN,
	ZB_MEM_THP,
	ZB_MEM_HUGETLB,
	ZB_MEM_FILE /* the page cache's own pages, locked: read-only */
};

/* What the division among shards could not read from one packet alone. */
struct zb_trace_division {
	uint64_t datagrams; /* in fragments: they go where the first fragment's flow goes */
	uint64_t orphans;   /* of these, without first fragment: by addresses */
	uint64_t shed;	    /* forgotten early, or not remembered, because of a bound */
};

struct zb_trace_info {
	uint64_t pkt_nr, wire_bytes, cap_bytes;
	uint64_t first_ns, last_ns; /* smallest and largest packet time */
	uint64_t file_bytes;	    /* as on disk */
	uint64_t image_bytes, index_bytes;
	uint64_t backwards; /* packets older than their predecessor in their file */
	uint64_t snapped;   /* packets cut by the snap length */
	uint64_t shadows;   /* entries beyond pkt_nr, see ZB_PKT_INNER_ONLY */
	struct zb_trace_division division;
	uint64_t digest; /* XXH3 of every packet's time, lengths and bytes, in file order */
	double load_s;
	enum zb_trace_memory memory;
	bool locked; /* mlock()ed */
	bool cut;    /* a file ends inside a record, or is damaged there; said as a warning */
	uint32_t file_nr;
	uint32_t links; /* bit per enum zb_link that occurs */
};

struct zb_trace_conf {
	const char *const *paths;
	uint32_t path_nr;
	uint32_t shard_nr;
	int numa_id;	    /* where the image goes; -1: anywhere */
	uint64_t count_max; /* load at most this many packets; 0: all */
	bool digest;	    /* compute info.digest (costs a pass over the bytes) */
	bool one_shard;	    /* a fault: all packets go to the first shard */
	bool read_only; /* packets will not be rewritten: a large file may be mapped, not read */
};

struct zb_trace; /* opaque */
/*
 * -ENOENT, -EACCES: no such file, may not read; -ENODATA: empty file or no packet in any; -EINVAL:
 * not a trace, a record longer than the file or than ZB_RECORD_MAX before anything could be read,
 * or an unsupported link type (named); -ENOMEM: the trace needs more memory than is available (said
 * with both figures, before loading). A damaged record after good ones ends the file there, with a
 * warning, and sets cut.
 */
int zb_trace_load(const struct zb_trace_conf *conf, struct zb_trace **out);
void zb_trace_free(struct zb_trace *t);
const struct zb_trace_info *zb_trace_info(const struct zb_trace *t);
struct zb_trace_shard *zb_trace_shard(struct zb_trace *t, uint32_t i);

/*
 * Bytes that can still be touched: MemAvailable, or less where a memory cgroup leaves less;
 * UINT64_MAX when nobody says. root is put before /proc and /sys ("" but for tests).
 */
uint64_t zb_memory_left(const char *root);

#endif
