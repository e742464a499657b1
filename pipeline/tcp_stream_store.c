/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_stream_store.c - see tcp_stream_store.h; the tree is a treap by position and rank */
#include <assert.h>
#include <string.h>

#include "pipeline/tcp_stream_store.h"

struct zb_tcp_store *zb_tcp_store_create(struct zb_mem *mem, uint64_t seed)
{
	struct zb_tcp_store *s = zb_mem_get(mem, ZB_MEM_tcp_data, sizeof(*s));

	if (s != NULL)
		s->random = seed | 1;
	return s;
}

void zb_tcp_store_destroy(struct zb_mem *mem, struct zb_tcp_store *s)
{
	if (s == NULL)
		return;
	for (struct zb_tcp_piece *p = s->first, *next; p != NULL; p = next) {
		next = p->next;
		zb_mem_put(mem, ZB_MEM_tcp_data, p, zb_tcp_piece_bytes(p));
	}
	zb_mem_put(mem, ZB_MEM_tcp_data, s, sizeof(*s));
}

static uint32_t draw_rank(struct zb_tcp_store *s)
{
	/* xorshift64* */
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (uint32_t)(s->random * 0x2545f4914f6cdd1dull >> 32);
}

/* The last piece that begins at or before seq, or NULL. */
static struct zb_tcp_piece *find_before(const struct zb_tcp_store *s, uint64_t seq)
{
	struct zb_tcp_piece *best = NULL, *t = s->root;

	if (s->last != NULL && s->last->seq <= seq)
		return s->last; /* data after a loss come in order, mostly */
	while (t != NULL) {
		if (t->seq <= seq) {
			best = t;
			t = t->right;
		} else {
			t = t->left;
		}
	}
	return best;
}

static void tree_insert(struct zb_tcp_store *s, struct zb_tcp_piece *p)
{
	struct zb_tcp_piece **link = &s->root, *t, **low = &p->left, **high = &p->right;

	while (*link != NULL && (*link)->rank >= p->rank)
		link = p->seq < (*link)->seq ? &(*link)->left : &(*link)->right;
	/* What stood there is split into what comes before p and what comes after it. */
	for (t = *link; t != NULL;) {
		if (t->seq < p->seq) {
			*low = t;
			low = &t->right;
			t = *low;
		} else {
			*high = t;
			high = &t->left;
			t = *high;
		}
	}
	*low = *high = NULL;
	*link = p;
}

/* Adds n bytes that overlap nothing, right after prev (NULL: as the first); NULL: no room. */
static struct zb_tcp_piece *insert(struct zb_mem *mem, struct zb_tcp_store *s,
				   struct zb_tcp_piece *prev, uint64_t seq, const uint8_t *d,
				   uint32_t n)
{
	uint32_t bytes = (uint32_t)sizeof(struct zb_tcp_piece) + (d != NULL ? n : 0);
	struct zb_tcp_piece *p;

	if (bytes > ZB_TCP_STORE_BYTES_MAX - s->bytes)
		return NULL;
	p = zb_mem_get_raw(mem, ZB_MEM_tcp_data, bytes);
	if (p == NULL)
		return NULL;
	p->seq = seq;
	p->n = n & INT32_MAX;
	p->has_data = d != NULL;
	p->rank = draw_rank(s);
	if (d != NULL)
		memcpy(p->data, d, n);
	tree_insert(s, p);
	p->next = prev != NULL ? prev->next : s->first;
	if (prev != NULL)
		prev->next = p;
	else
		s->first = p;
	if (p->next == NULL)
		s->last = p;
	s->payload += n;
	s->bytes += bytes;
	return p;
}

bool zb_tcp_store_add(struct zb_mem *mem, struct zb_tcp_store *s, uint64_t seq, const uint8_t *d,
		      uint32_t n)
{
	struct zb_tcp_piece *p = find_before(s, seq), *next;
	uint64_t end = seq + n;

	while (seq < end) {
		/* Here p begins at or before seq. */
		if (p != NULL && zb_tcp_piece_end(p) > seq) {
			uint64_t skip = zb_tcp_piece_end(p) - seq;

			seq += skip;
			d = d != NULL && seq < end ? d + skip : NULL;
			continue;
		}
		next = p != NULL ? p->next : s->first;
		uint64_t stop = next != NULL && next->seq < end ? next->seq : end;
		uint32_t part = (uint32_t)(stop - seq);

		if (part != 0) {
			p = insert(mem, s, p, seq, d, part);
			if (p == NULL)
				return false;
			d = d != NULL ? d + part : NULL;
			seq = stop;
		} else {
			p = next;
		}
	}
	return true;
}

struct zb_tcp_piece *zb_tcp_store_take(struct zb_tcp_store *s)
{
	struct zb_tcp_piece **link = &s->root, *p;

	assert(s->first != NULL);
	while ((*link)->left != NULL)
		link = &(*link)->left;
	p = *link;
	*link = p->right;
	assert(p == s->first);
	s->first = p->next;
	if (s->first == NULL)
		s->last = NULL;
	s->payload -= p->n;
	s->bytes -= zb_tcp_piece_bytes(p);
	return p;
}
