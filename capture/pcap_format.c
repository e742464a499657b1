/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcap_format.c - the records of a pcap file
 *
 *   file header, 24 bytes:    magic, version (2 x 16 bits), zone, accuracy, snap length, link type
 *   each record, 16 bytes:    seconds, fraction, captured length, length on the wire; then the data
 *
 * All in the writer's byte order, which the magic tells, as it tells the unit of the fraction.
 */
#include <errno.h>
#include <inttypes.h>
#include "profiler/diag.h"
#include "capture/trace_priv.h"

#define FILE_HEADER_BYTES   24u
#define RECORD_HEADER_BYTES 16u
/* The link type's upper bits say whether and how long a frame check sequence is. */
#define LINK_TYPE_MASK 0x03ffffffu

static const struct {
	uint32_t magic;
	uint32_t frac_ns;    /* unit of the fraction; 0: refused */
	const char *variant; /* why refused */
} magics[] = {
	{0xa1b2c3d4, 1000, NULL},
	{0xa1b23c4d, 1, NULL},
	{0xa1b2cd34, 0, "\"modified\" pcap (Kuznetzov's patched libpcap)"},
	{0xa1e2cb12, 0, "Navtel pcap"},
	{0x1c0001ac, 0, "IXIA pcap with a hardware header"},
	{0x1c0001ab, 0, "IXIA pcap with a software header"},
};
#define MAGIC_NR (sizeof(magics) / sizeof(magics[0]))

struct pcap {
	bool swap;
	uint32_t frac_ns;
	uint16_t minor;
	enum zb_link link;
};

static size_t find_magic(uint32_t magic, bool *swap)
{
	for (size_t i = 0; i < MAGIC_NR; i++) {
		*swap = __builtin_bswap32(magic) == magics[i].magic;
		if (*swap || magic == magics[i].magic)
			return i;
	}
	return MAGIC_NR;
}

bool zb_pcap_is(uint32_t magic)
{
	bool swap;

	return find_magic(magic, &swap) < MAGIC_NR;
}

static int read_header(struct zb_feed *f, struct pcap *p)
{
	const char *path = f->in->path;
	const uint8_t *h = zb_feed_at(f, 0);
	size_t m = find_magic(zb_get32(h, false), &p->swap);
	uint32_t link_type;
	uint16_t major;
	int link;

	if (magics[m].frac_ns == 0) {
		zb_err("%s: %s is not supported; convert it with: editcap -F pcap %s NEW.pcap",
		       path, magics[m].variant, path);
		return -EINVAL;
	}
	p->frac_ns = magics[m].frac_ns;
	if (f->avail < FILE_HEADER_BYTES) {
		zb_err("%s: not a trace: %s after %" PRIu64 " of %u bytes of the pcap file header",
		       path, f->broken != NULL ? f->broken : "ends", f->avail, FILE_HEADER_BYTES);
		return -EINVAL;
	}
	major = zb_get16(h + 4, p->swap);
	p->minor = zb_get16(h + 6, p->swap);
	if (major != 2 || p->minor > 4) {
		zb_err("%s: pcap version %u.%u is not supported; convert it to version 2.4", path,
		       major, p->minor);
		return -EINVAL;
	}
	link_type = zb_get32(h + 20, p->swap) & LINK_TYPE_MASK;
	link = zb_link_of(link_type);
	if (link < 0) {
		zb_err("%s: link type %" PRIu32
		       " (%s) is not supported; supported are " ZB_LINK_SUPPORTED,
		       path, link_type, zb_link_type_name(link_type));
		return -EINVAL;
	}
	p->link = (enum zb_link)link;
	return 0;
}

/* Before version 2.3 the two lengths stood the other way round; 2.3 was written both ways. */
static void old_lengths(uint16_t minor, struct zb_rec *r)
{
	uint32_t first = r->cap_len;

	if (minor == 3 && r->cap_len <= r->wire_len)
		return;
	r->cap_len = r->wire_len;
	r->wire_len = first;
}

/* One record at pos; returns its length, 0 at the end of what can be read, or -errno. */
static int64_t read_record(struct zb_load *l, struct zb_feed *f, const struct pcap *p, uint64_t pos)
{
	struct zb_rec r = {.link = p->link, .off = pos + RECORD_HEADER_BYTES};
	const uint8_t *h;
	int ret = zb_feed_need(f, r.off);

	if (ret < 0)
		return ret;
	if (ret == 0)
		return pos == f->avail ? 0 : zb_load_cut(l, pos, r.off);
	h = zb_feed_at(f, pos);
	r.ts_ns = (uint64_t)zb_get32(h, p->swap) * 1000000000u +
		  (uint64_t)zb_get32(h + 4, p->swap) * p->frac_ns;
	r.cap_len = zb_get32(h + 8, p->swap);
	r.wire_len = zb_get32(h + 12, p->swap);
	if (p->minor < 4)
		old_lengths(p->minor, &r);
	if (r.cap_len > ZB_RECORD_MAX)
		return zb_load_damaged(l, pos,
				       "is damaged: %" PRIu32 " bytes, at most %u make sense",
				       r.cap_len, ZB_RECORD_MAX);
	ret = zb_feed_need(f, r.off + r.cap_len);
	if (ret < 0)
		return ret;
	if (ret == 0)
		return zb_load_cut(l, pos, r.off + r.cap_len);
	ret = zb_load_add(l, &r);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	return (int64_t)RECORD_HEADER_BYTES + r.cap_len;
}

int zb_pcap_parse(struct zb_load *l)
{
	struct zb_feed *f = zb_load_feed(l);
	uint64_t pos = FILE_HEADER_BYTES;
	struct pcap p;
	int64_t n;
	int ret = zb_feed_need(f, FILE_HEADER_BYTES);

	if (ret < 0)
		return ret;
	ret = read_header(f, &p);
	if (ret < 0)
		return ret;
	while ((n = read_record(l, f, &p, pos)) > 0)
		pos += (uint64_t)n;
	return (int)n;
}
