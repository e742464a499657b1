/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcapng_format.c - the blocks of a pcapng file
 *
 *   every block:  | type | length | body, padded to 4 bytes ... | length again |
 *
 * A section header block (SHB) starts a section with its own byte order and interfaces; interface
 * description blocks (IDB) give link type and time unit; packets come in enhanced (EPB), simple
 * (SPB) and obsolete (PB) packet blocks. Blocks of other types are skipped.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "profiler/diag.h"
#include "capture/trace_priv.h"

enum {
	BLOCK_SHB = 0x0a0d0d0a, /* reads the same in both byte orders */
	BLOCK_IDB = 1,
	BLOCK_PB = 2,
	BLOCK_SPB = 3,
	BLOCK_EPB = 6,
};

enum { OPT_END = 0, OPT_IF_TSRESOL = 9, OPT_IF_TSOFFSET = 14 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define BLOCK_MIN	 12u /* type and both lengths */
#define SHB_MIN		 28u
#define IDB_MIN		 20u
#define NS_PER_S	 1000000000u

struct iface {
	uint32_t link_type;
	int link;	  /* enum zb_link; -1: unsupported */
	uint32_t snaplen; /* 0: none */
	uint32_t tick_ns; /* length of a time unit; 0: not whole nanoseconds, see tsresol */
	uint8_t tsresol; /* as in the file: units per second, 10^-n, or 2^-n with the top bit set */
	int64_t offset_s;
};

struct pcapng {
	struct zb_load *l;
	struct zb_feed *f;
	bool swap;
	struct iface *ifaces; /* of this section */
	uint32_t iface_nr, iface_max;
	uint64_t prev_ns; /* for simple packet blocks, which have no time */
};

/* The block being read. */
struct block {
	uint64_t pos;	  /* in the file */
	const uint8_t *p; /* its type field */
	uint32_t type, len;
};

bool zb_pcapng_is(uint32_t magic)
{
	return magic == BLOCK_SHB;
}

static uint64_t get64(const uint8_t *p, bool swap)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap64(v) : v;
}

static uint64_t clamp_u64(__int128 v)
{
	if (v < 0)
		return 0;
	return v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
}

static uint32_t pow10_u32(unsigned n)
{
	uint32_t v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

/* Units finer than a nanosecond, or of a power of two. */
static __int128 odd_ticks_ns(uint64_t ticks, uint8_t tsresol)
{
	unsigned n = tsresol & 0x7fu;

	if ((tsresol & 0x80u) == 0) {
		/* Beyond 10^-28 s no 64 bits reach a nanosecond. */
		for (; n > 9 && ticks != 0; n--)
			ticks /= 10;
		return ticks;
	}
	if (n >= 64) {
		/* Less than a second in all; shift first what would not fit. */
		unsigned drop = n - 64 < 64 ? n - 64 : 63;

		return (__int128)(((unsigned __int128)(ticks >> drop) * NS_PER_S) >> 64);
	}
	return (__int128)(ticks >> n) * NS_PER_S +
	       (__int128)(((unsigned __int128)(ticks & ((1ull << n) - 1)) * NS_PER_S) >> n);
}

static uint64_t time_ns(const struct iface *i, uint64_t ticks)
{
	__int128 ns =
		i->tick_ns != 0 ? (__int128)ticks * i->tick_ns : odd_ticks_ns(ticks, i->tsresol);

	return clamp_u64(ns + (__int128)i->offset_s * NS_PER_S);
}

static int section_header(struct pcapng *g, const struct block *b)
{
	uint16_t major = zb_get16(b->p + 12, g->swap);

	if (major != 1) {
		zb_err("%s: pcapng version %u is not supported; convert it to version 1",
		       g->f->in->path, major);
		return -EINVAL;
	}
	g->iface_nr = 0;
	return 0;
}

static void iface_option(struct pcapng *g, struct iface *i, uint16_t code, const uint8_t *v,
			 uint16_t len)
{
	if (code == OPT_IF_TSRESOL && len == 1) {
		i->tsresol = v[0];
		i->tick_ns = v[0] <= 9 ? pow10_u32(9u - v[0]) : 0;
	} else if (code == OPT_IF_TSOFFSET && len == 8) {
		i->offset_s = (int64_t)get64(v, g->swap);
	}
}

static void iface_options(struct pcapng *g, struct iface *i, const uint8_t *p, uint32_t left)
{
	while (left >= 4) {
		uint16_t code = zb_get16(p, g->swap), len = zb_get16(p + 2, g->swap);
		uint32_t step = 4u + ((len + 3u) & ~3u);

		/* An option longer than its block: the rest cannot be trusted, the packets can. */
		if (code == OPT_END || step > left)
			return;
		iface_option(g, i, code, p + 4, len);
		p += step;
		left -= step;
	}
}

static int iface_description(struct pcapng *g, const struct block *b)
{
	struct iface *i;

	if (b->len < IDB_MIN)
		return zb_load_damaged(g->l, b->pos,
				       "follows a damaged interface block: %" PRIu32 " bytes",
				       b->len);
	if (g->iface_nr == g->iface_max) {
		uint32_t max = g->iface_max != 0 ? g->iface_max * 2 : 8;
		struct iface *grown = reallocarray(g->ifaces, max, sizeof(*grown));

		if (grown == NULL) {
			zb_err("%s: out of memory for interfaces", g->f->in->path);
			return -ENOMEM;
		}
		g->ifaces = grown;
		g->iface_max = max;
	}
	i = &g->ifaces[g->iface_nr++];
	*i = (struct iface){
		.link_type = zb_get16(b->p + 8, g->swap),
		.snaplen = zb_get32(b->p + 12, g->swap),
		.tsresol = 6,
		.tick_ns = 1000,
	};
	i->link = zb_link_of(i->link_type);
	iface_options(g, i, b->p + 16, b->len - IDB_MIN);
	return 1;
}

/* Body bytes of a packet block: cap_len at data_off must fit before the trailing length. */
static int add_packet(struct pcapng *g, const struct block *b, uint32_t iface_id, struct zb_rec *r)
{
	uint32_t data_off = (uint32_t)(r->off - b->pos);
	const struct iface *i = &g->ifaces[iface_id];
	int ret;

	if (r->cap_len > ZB_RECORD_MAX)
		return zb_load_damaged(g->l, b->pos,
				       "is damaged: %" PRIu32 " bytes, at most %u make sense",
				       r->cap_len, ZB_RECORD_MAX);
	if (r->cap_len > b->len - data_off - 4)
		return zb_load_damaged(g->l, b->pos,
				       "is damaged: %" PRIu32 " bytes in a block of %" PRIu32,
				       r->cap_len, b->len);
	if (i->link < 0) {
		zb_err("%s: packet %" PRIu64 ": interface %" PRIu32 " has link type %" PRIu32
		       " (%s), which is not supported; supported are " ZB_LINK_SUPPORTED,
		       g->f->in->path, zb_load_file_pkts(g->l) + 1, iface_id, i->link_type,
		       zb_link_type_name(i->link_type));
		return -EINVAL;
	}
	r->link = (enum zb_link)i->link;
	g->prev_ns = r->ts_ns;
	ret = zb_load_add(g->l, r);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	return 1;
}

/* The interface a packet names; NULL, with *ret what to return, when there is none. */
static const struct iface *packet_iface(struct pcapng *g, const struct block *b, uint32_t id,
					int *ret)
{
	if (id < g->iface_nr)
		return &g->ifaces[id];
	*ret = zb_load_damaged(g->l, b->pos,
			       "is damaged: it names interface %" PRIu32
			       ", the section has %" PRIu32,
			       id, g->iface_nr);
	return NULL;
}

/* Enhanced and obsolete packet blocks have the same layout, except for the interface's number. */
static int packet_block(struct pcapng *g, const struct block *b)
{
	const uint32_t data_off = 28;
	const struct iface *i;
	struct zb_rec r;
	uint32_t id;
	int ret;

	if (b->len < data_off + 4)
		return zb_load_damaged(g->l, b->pos, "is damaged: block of %" PRIu32 " bytes",
				       b->len);
	id = b->type == BLOCK_PB ? zb_get16(b->p + 8, g->swap) : zb_get32(b->p + 8, g->swap);
	i = packet_iface(g, b, id, &ret);
	if (i == NULL)
		return ret;
	r.ts_ns = time_ns(i, (uint64_t)zb_get32(b->p + 12, g->swap) << 32 |
				     zb_get32(b->p + 16, g->swap));
	r.cap_len = zb_get32(b->p + 20, g->swap);
	r.wire_len = zb_get32(b->p + 24, g->swap);
	r.off = b->pos + data_off;
	return add_packet(g, b, id, &r);
}

static int simple_packet_block(struct pcapng *g, const struct block *b)
{
	const uint32_t data_off = 12;
	const struct iface *i;
	struct zb_rec r;
	int ret;

	if (b->len < data_off + 4)
		return zb_load_damaged(g->l, b->pos, "is damaged: block of %" PRIu32 " bytes",
				       b->len);
	i = packet_iface(g, b, 0, &ret);
	if (i == NULL)
		return ret;
	r.ts_ns = g->prev_ns;
	r.wire_len = zb_get32(b->p + 8, g->swap);
	/* Its captured length is not written down: what fits of the snap length. */
	r.cap_len = b->len - data_off - 4;
	if (r.cap_len > r.wire_len)
		r.cap_len = r.wire_len;
	if (i->snaplen != 0 && r.cap_len > i->snaplen)
		r.cap_len = i->snaplen;
	r.off = b->pos + data_off;
	return add_packet(g, b, 0, &r);
}

/* Type and length of the block at pos, in the byte order of the section it starts or is in. */
static int block_head(struct pcapng *g, struct block *b)
{
	uint32_t bom;
	int ret;

	b->p = zb_feed_at(g->f, b->pos);
	b->type = zb_get32(b->p, g->swap);
	if (b->type == BLOCK_SHB) {
		ret = zb_feed_need(g->f, b->pos + SHB_MIN);
		if (ret < 0)
			return ret;
		if (ret == 0)
			return zb_load_cut(g->l, b->pos, b->pos + SHB_MIN);
		b->p = zb_feed_at(g->f, b->pos);
		bom = zb_get32(b->p + 8, false);
		g->swap = bom == __builtin_bswap32(BYTE_ORDER_MAGIC);
		if (!g->swap && bom != BYTE_ORDER_MAGIC)
			return zb_load_damaged(g->l, b->pos,
					       "follows a damaged section header: byte order");
	}
	b->len = zb_get32(b->p + 4, g->swap);
	if (b->len % 4 != 0 || b->len < (b->type == BLOCK_SHB ? SHB_MIN : BLOCK_MIN))
		return zb_load_damaged(g->l, b->pos,
				       "is damaged, or a block before it: length %" PRIu32, b->len);
	return 1;
}

/*
 * Packet blocks longer than any packet with its options are damage; refusing them before their end
 * is there keeps a wild length from reading, and unpacking, the rest of the file.
 */
static bool too_long(const struct block *b)
{
	return (b->type == BLOCK_EPB || b->type == BLOCK_SPB || b->type == BLOCK_PB) &&
	       b->len > 4 * ZB_RECORD_MAX;
}

/* 1: go on after the block; 0: the end of what can be read; or -errno. */
static int read_block(struct pcapng *g, struct block *b)
{
	int ret = zb_feed_need(g->f, b->pos + BLOCK_MIN);

	if (ret < 0)
		return ret;
	if (ret == 0)
		return b->pos == g->f->avail ? 0 : zb_load_cut(g->l, b->pos, b->pos + BLOCK_MIN);
	ret = block_head(g, b);
	if (ret <= 0)
		return ret;
	if (too_long(b))
		return zb_load_damaged(g->l, b->pos, "is damaged: block of %" PRIu32 " bytes",
				       b->len);
	ret = zb_feed_need(g->f, b->pos + b->len);
	if (ret < 0)
		return ret;
	if (ret == 0)
		return zb_load_cut(g->l, b->pos, b->pos + b->len);
	b->p = zb_feed_at(g->f, b->pos);
	if (zb_get32(b->p + b->len - 4, g->swap) != b->len)
		return zb_load_damaged(g->l, b->pos,
				       "is damaged, or a block before it: its two "
				       "lengths differ");
	switch (b->type) {
	case BLOCK_SHB: ret = section_header(g, b); return ret < 0 ? ret : 1;
	case BLOCK_IDB: return iface_description(g, b);
	case BLOCK_EPB:
	case BLOCK_PB: return packet_block(g, b);
	case BLOCK_SPB: return simple_packet_block(g, b);
	default: return 1;
	}
}

int zb_pcapng_parse(struct zb_load *l)
{
	struct pcapng g = {.l = l, .f = zb_load_feed(l)};
	struct block b = {.pos = 0};
	int ret;

	while ((ret = read_block(&g, &b)) > 0)
		b.pos += b.len;
	free(g.ifaces);
	return ret;
}
