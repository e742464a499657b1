/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frag.c - see frag.h
 *
 * Fragments begin at multiples of eight bytes, so what is there of a unit of eight is always its
 * first bytes: one count for each unit says all, and neither order nor number of fragments matters.
 *
 *     page     |<------------------ 1 KiB ------------------>|
 *     units    | 8 | 8 | 8 | 3 |   |   | 8 | ...
 *                           ^ a fragment ended here; the rest of its unit is missing
 */
#include <errno.h>
#include <string.h>

#include "pipeline/frag.h"

#define UNIT		 8u
#define PAGE_BYTES	 1024u
#define PAGE_UNITS	 (PAGE_BYTES / UNIT)
#define DATAGRAM_MAX	 65535u
#define PAGES		 ((DATAGRAM_MAX + PAGE_BYTES) / PAGE_BYTES)
#define BUCKETS		 4096u	/* or as many as the limit allows */
#define SMALL_BYTES	 64u	/* Zeek: MIN_ACCEPTABLE_FRAG_SIZE */
#define LARGE_BYTES	 64000u /* Zeek: MAX_ACCEPTABLE_FRAG_SIZE */
#define EXPIRE_PER_ADD	 4u
#define EXPIRE_PER_BURST 256u

struct page {
	uint8_t fill[PAGE_UNITS]; /* bytes there of each unit */
	uint8_t data[PAGE_BYTES];
};

struct key {
	uint8_t src[16], dst[16];
	uint32_t id;
	uint32_t addr_len;
};
static_assert(sizeof(struct key) == 40, "hashed and compared whole");

struct datagram {
	struct key key;
	struct datagram *next;		  /* in its bucket */
	struct datagram *older, *younger; /* by when they began */
	uint64_t begin_ns;
	uint32_t bucket;
	uint32_t size;	 /* where the data end, as far as known; 0: not yet */
	uint32_t contig; /* all bytes in front of it are there */
	uint32_t top;	 /* where the data that are there end */
	uint16_t head_len, next_at;
	uint8_t proto;
	struct page *page[PAGES];
	uint8_t head[]; /* head_len */
};

/* A datagram put together, until the end of the burst. */
struct done {
	struct done *next;
	size_t bytes; /* of the block */
	uint8_t data[];
};

struct zb_frag {
	struct zb_mem *mem;
	struct zb_weird *weird;
	struct datagram *oldest, *youngest;
	struct done *done;
	uint64_t secret, begun;
	uint32_t count, bucket_nr;
	struct datagram *bucket[]; /* bucket_nr */
};

int zb_frag_create(struct zb_mem *mem, struct zb_weird *weird, uint64_t secret,
		   struct zb_frag **out)
{
	uint32_t nr = zb_mem_buckets(mem, ZB_MEM_frag, BUCKETS);
	struct zb_frag *f = zb_mem_get(mem, ZB_MEM_frag, sizeof(*f) + nr * sizeof(f->bucket[0]));

	if (f == NULL)
		return -ENOMEM;
	f->bucket_nr = nr;
	f->mem = mem;
	f->weird = weird;
	f->secret = secret;
	*out = f;
	return 0;
}

static void drop(struct zb_frag *f, struct datagram *d)
{
	struct datagram **at = &f->bucket[d->bucket];

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	*(d->older != NULL ? &d->older->younger : &f->oldest) = d->younger;
	*(d->younger != NULL ? &d->younger->older : &f->youngest) = d->older;
	for (uint32_t i = 0; i < PAGES; i++)
		zb_mem_put(f->mem, ZB_MEM_frag, d->page[i], sizeof(struct page));
	zb_mem_put(f->mem, ZB_MEM_frag, d, sizeof(*d) + d->head_len);
	f->count--;
}

void zb_frag_release(struct zb_frag *f)
{
	while (f->done != NULL) {
		struct done *next = f->done->next;

		zb_mem_put(f->mem, ZB_MEM_frag, f->done, f->done->bytes);
		f->done = next;
	}
}

void zb_frag_destroy(struct zb_frag *f)
{
	if (f == NULL)
		return;
	zb_frag_release(f);
	while (f->oldest != NULL)
		drop(f, f->oldest);
	zb_mem_put(f->mem, ZB_MEM_frag, f, sizeof(*f) + f->bucket_nr * sizeof(f->bucket[0]));
}

uint32_t zb_frag_count(const struct zb_frag *f)
{
	return f->count;
}

uint64_t zb_frag_begun(const struct zb_frag *f)
{
	return f->begun;
}

static void expire(struct zb_frag *f, uint64_t now_ns, unsigned max)
{
	for (unsigned i = 0; i < max && f->oldest != NULL; i++) {
		if (now_ns < f->oldest->begin_ns + ZB_FRAG_TIMEOUT_NS)
			return;
		drop(f, f->oldest);
	}
}

void zb_frag_expire(struct zb_frag *f, uint64_t now_ns)
{
	expire(f, now_ns, EXPIRE_PER_BURST);
}

/* n bytes, not cleared; at the limit the oldest datagrams but keep go until there is room. */
static void *get(struct zb_frag *f, size_t n, const struct datagram *keep)
{
	for (;;) {
		void *p = zb_mem_get_raw(f->mem, ZB_MEM_frag, n);
		struct datagram *old = f->oldest;

		if (old != NULL && old == keep)
			old = old->younger;
		if (p != NULL || old == NULL)
			return p;
		drop(f, old);
		zb_mem_shed(f->mem, ZB_MEM_frag);
	}
}

static struct datagram *find(struct zb_frag *f, const struct key *k, uint64_t now_ns,
			     uint32_t *bucket)
{
	struct datagram *d;

	*bucket = (uint32_t)XXH3_64bits_withSeed(k, sizeof(*k), f->secret) & (f->bucket_nr - 1);
	for (d = f->bucket[*bucket]; d != NULL; d = d->next)
		if (memcmp(&d->key, k, sizeof(*k)) == 0)
			break;
	if (d != NULL && now_ns >= d->begin_ns + ZB_FRAG_TIMEOUT_NS) {
		drop(f, d);
		d = NULL;
	}
	return d;
}

static struct datagram *begin(struct zb_frag *f, const struct key *k, uint32_t bucket,
			      const struct zb_fragment *x)
{
	struct datagram *d = get(f, sizeof(*d) + x->head_len, NULL);

	if (d == NULL) {
		zb_mem_shed(f->mem, ZB_MEM_frag);
		return NULL;
	}
	memset(d, 0, sizeof(*d));
	d->key = *k;
	d->begin_ns = x->now_ns;
	d->bucket = bucket;
	d->head_len = x->head_len;
	d->next_at = x->next_at;
	d->proto = x->proto;
	memcpy(d->head, x->head, x->head_len);
	d->next = f->bucket[bucket];
	f->bucket[bucket] = d;
	d->older = f->youngest;
	*(f->youngest != NULL ? &f->youngest->younger : &f->oldest) = d;
	f->youngest = d;
	f->count++;
	f->begun++;
	return d;
}

static void weird(struct zb_frag *f, const struct datagram *d, enum zb_weird_name name)
{
	zb_weird_flow(f->weird, name, d->key.src, d->key.dst, d->key.addr_len);
}

/* What the headers say against what they said before; learns the size. */
static void check_headers(struct zb_frag *f, struct datagram *d, const struct zb_fragment *x)
{
	uint32_t end = x->offset + x->len;

	if (x->proto != d->proto || x->head_len != d->head_len)
		weird(f, d, ZB_WEIRD_fragment_protocol_inconsistency);
	if (x->dont)
		weird(f, d, ZB_WEIRD_fragment_with_DF);
	if (x->offset == 0 && x->addr_len == 16)
		d->proto = x->proto; /* the first one knows best what is in it */
	if (!x->more && d->size == 0) {
		d->size = end;
	} else if (!x->more && end != d->size) {
		weird(f, d, ZB_WEIRD_fragment_size_inconsistency);
		d->size = end > d->size ? end : d->size;
	} else if (x->more && x->ip_len < SMALL_BYTES) {
		weird(f, d, ZB_WEIRD_excessively_small_fragment);
	}
	if (end > LARGE_BYTES)
		weird(f, d, ZB_WEIRD_excessively_large_fragment);
	if (d->size != 0 && end > d->size) {
		weird(f, d, ZB_WEIRD_fragment_size_inconsistency);
		d->size = end;
	}
}

/* What a fragment overlapped. */
struct overlap {
	bool same, other;
};

static void fill_unit(struct page *p, uint32_t unit, const uint8_t *from, uint32_t n,
		      struct overlap *o)
{
	uint8_t *to = p->data + unit * UNIT;
	uint32_t have = p->fill[unit], both = have < n ? have : n;

	if (both != 0) {
		if (memcmp(to, from, both) != 0)
			o->other = true;
		else
			o->same = true;
	}
	if (n > have) {
		memcpy(to + have, from + have, n - have);
		p->fill[unit] = (uint8_t)n;
	}
}

/* n bytes into a page; where nothing was yet, as is usual, without looking at each unit. */
static void fill_page(struct page *p, uint32_t at, const uint8_t *from, uint32_t n,
		      struct overlap *o)
{
	uint32_t unit = at / UNIT, units = (n + UNIT - 1) / UNIT;
	uint8_t any = 0;

	for (uint32_t i = 0; i < units; i++)
		any |= p->fill[unit + i];
	if (any == 0) {
		memcpy(p->data + at, from, n);
		memset(p->fill + unit, UNIT, units);
		if (n % UNIT != 0)
			p->fill[unit + units - 1] = n % UNIT;
		return;
	}
	for (uint32_t i = 0; i < units; i++) {
		uint32_t rest = n - i * UNIT;

		fill_unit(p, unit + i, from + i * UNIT, rest < UNIT ? rest : UNIT, o);
	}
}

static bool fill(struct zb_frag *f, struct datagram *d, const struct zb_fragment *x,
		 struct overlap *o)
{
	for (uint32_t done = 0; done < x->len;) {
		uint32_t at = x->offset + done, n = PAGE_BYTES - at % PAGE_BYTES;
		struct page **p = &d->page[at / PAGE_BYTES];

		if (*p == NULL) {
			*p = get(f, sizeof(**p), d);
			if (*p == NULL)
				return false;
			memset((*p)->fill, 0, sizeof((*p)->fill));
		}
		n = n < x->len - done ? n : x->len - done;
		fill_page(*p, at % PAGE_BYTES, x->data + done, n, o);
		done += n;
	}
	return true;
}

/* Moves contig on to the first byte that is missing; never back, so that all calls together are
 * linear. */
static void advance(struct datagram *d)
{
	while (d->contig < d->top) {
		const struct page *p = d->page[d->contig / PAGE_BYTES];
		uint32_t unit = d->contig / UNIT * UNIT;
		uint32_t n = p != NULL ? p->fill[unit % PAGE_BYTES / UNIT] : 0;

		d->contig = unit + n > d->contig ? unit + n : d->contig;
		if (n < UNIT)
			return;
	}
}

static bool is_complete(struct zb_frag *f, struct datagram *d)
{
	if (d->contig == 0 || d->size == 0)
		return false;
	/* A hole, but all that was promised is in front of it: parts of two datagrams. */
	if (d->contig < d->top && d->contig < d->size)
		return false;
	if (d->contig == d->top && d->top < d->size)
		return false;
	if (d->contig < d->top || d->top > d->size)
		weird(f, d, ZB_WEIRD_fragment_size_inconsistency);
	d->size = d->contig;
	return true;
}

/* The header as if nothing had been cut. */
static void write_head(const struct datagram *d, uint8_t *to)
{
	uint32_t len = d->head_len + d->size - (d->key.addr_len == 4 ? 0 : 40);
	uint8_t *at = to + (d->key.addr_len == 4 ? 2 : 4);

	memcpy(to, d->head, d->head_len);
	at[0] = (uint8_t)(len >> 8);
	at[1] = (uint8_t)len;
	if (d->key.addr_len == 4)
		memset(to + 6, 0, 2);
	else
		to[d->next_at] = d->proto;
}

static const uint8_t *assemble(struct zb_frag *f, struct datagram *d, uint32_t *len)
{
	uint32_t n = d->head_len + d->size;
	struct done *done = NULL;

	if (n <= DATAGRAM_MAX)
		done = get(f, sizeof(*done) + n, d);
	if (done == NULL) {
		zb_mem_shed(f->mem, ZB_MEM_frag);
		drop(f, d);
		return NULL;
	}
	done->bytes = sizeof(*done) + n;
	write_head(d, done->data);
	for (uint32_t at = 0; at < d->size; at += PAGE_BYTES) {
		uint32_t rest = d->size - at;

		memcpy(done->data + d->head_len + at, d->page[at / PAGE_BYTES]->data,
		       rest < PAGE_BYTES ? rest : PAGE_BYTES);
	}
	done->next = f->done;
	f->done = done;
	drop(f, d);
	*len = n;
	return done->data;
}

const uint8_t *zb_frag_add(struct zb_frag *f, const struct zb_fragment *x, uint32_t *len)
{
	struct overlap o = {false, false};
	struct key k = {.id = x->id, .addr_len = x->addr_len};
	struct datagram *d;
	uint32_t bucket;

	memcpy(k.src, x->src, x->addr_len);
	memcpy(k.dst, x->dst, x->addr_len);
	d = find(f, &k, x->now_ns, &bucket);
	expire(f, x->now_ns, EXPIRE_PER_ADD);
	d = d != NULL ? d : begin(f, &k, bucket, x);
	if (d == NULL)
		return NULL;
	check_headers(f, d, x);
	/* What ends beyond any datagram is named, and not kept. */
	if (x->len == 0 || x->offset + x->len > DATAGRAM_MAX)
		return NULL;
	if (!fill(f, d, x, &o)) {
		zb_mem_shed(f->mem, ZB_MEM_frag);
		drop(f, d);
		return NULL;
	}
	if (o.other)
		weird(f, d, ZB_WEIRD_fragment_inconsistency);
	else if (o.same)
		weird(f, d, ZB_WEIRD_fragment_overlap);
	d->top = x->offset + x->len > d->top ? x->offset + x->len : d->top;
	advance(d);
	return is_complete(f, d) ? assemble(f, d, len) : NULL;
}
