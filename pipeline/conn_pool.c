/* SPDX-License-Identifier: Apache-2.0 */
/* conn_pool.c - chunks, a free list and a high-water mark */
#include <errno.h>
#include <stdlib.h>

#include "pipeline/conn_pool.h"

#define CHUNK_CONNS (1u << ZB_CONN_CHUNK_SHIFT)

int zb_conn_pool_init(struct zb_conn_pool *p, uint32_t conns_max)
{
	memset(p, 0, sizeof(*p));
	p->max = conns_max;
	p->free = UINT32_MAX;
	p->chunk = calloc(ZB_CONN_CHUNKS_MAX, sizeof(*p->chunk));
	return p->chunk == NULL ? -ENOMEM : 0;
}

void zb_conn_pool_fini(struct zb_conn_pool *p)
{
	for (uint32_t i = 0; i < p->fresh; i++)
		free(zb_conn_at(p, i)->rare);
	for (uint32_t i = 0; i < p->chunk_nr; i++)
		free(p->chunk[i]);
	free(p->chunk);
	memset(p, 0, sizeof(*p));
}

/* A function of its own, so that heap profiles show what grew. */
static __attribute__((noinline)) bool zb_conn_pool_grow(struct zb_conn_pool *p)
{
	size_t bytes = CHUNK_CONNS * sizeof(struct zb_conn);
	void *m;

	if (p->chunk_nr == ZB_CONN_CHUNKS_MAX || posix_memalign(&m, bytes, bytes) != 0)
		return false;
	p->chunk[p->chunk_nr++] = m;
	return true;
}

struct zb_conn *zb_conn_pool_get(struct zb_conn_pool *p, uint32_t *id)
{
	struct zb_conn *c;

	if (p->used == p->max)
		return NULL;
	if (p->free != UINT32_MAX) {
		*id = p->free;
		c = zb_conn_at(p, *id);
		p->free = c->pool_next;
	} else {
		if (p->fresh == p->chunk_nr * CHUNK_CONNS && !zb_conn_pool_grow(p))
			return NULL;
		*id = p->fresh++;
		c = zb_conn_at(p, *id);
	}
	memset(c, 0, sizeof(*c));
	c->wheel_slot = ZB_WHEEL_NONE; /* the wheel may still hold the id from an earlier life */
	p->used++;
	return c;
}

void zb_conn_pool_put(struct zb_conn_pool *p, uint32_t id)
{
	struct zb_conn *c = zb_conn_at(p, id);

	zb_conn_rare_free(c);
	c->pool_next = p->free;
	p->free = id;
	p->used--;
}
