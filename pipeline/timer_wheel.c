/* SPDX-License-Identifier: Apache-2.0 */
/* timer_wheel.c - see timer_wheel.h */
#include <errno.h>
#include <stdlib.h>

#include "pipeline/timer_wheel.h"

#define SLOT_BITS      8
#define SLOT_MASK      (ZB_WHEEL_SLOTS - 1)
#define BLOCK_CHUNKS   256u /* 64 KiB */
#define PREFETCH_AHEAD 8
#define KEPT	       0x8000u	  /* a mark in wheel_slot during a sweep */
#define STALE_MIN      (1u << 16) /* ids that are not worth a sweep: 256 KiB */

void zb_wheel_init(struct zb_timer_wheel *w, struct zb_conn_pool *pool, uint64_t now_ns)
{
	memset(w, 0, sizeof(*w));
	w->pool = pool;
	w->tick = now_ns >> ZB_WHEEL_TICK_SHIFT;
}

void zb_wheel_fini(struct zb_timer_wheel *w)
{
	for (uint32_t i = 0; i < w->block_nr; i++)
		free(w->block[i]);
	free(w->block);
	memset(w, 0, sizeof(*w));
}

uint64_t zb_wheel_bytes(const struct zb_timer_wheel *w)
{
	return sizeof(*w) + (uint64_t)w->block_nr *
				    (BLOCK_CHUNKS * sizeof(struct zb_wheel_chunk) + sizeof(void *));
}

/* A function of its own, so that heap profiles show what grew. */
static __attribute__((noinline)) bool zb_wheel_grow(struct zb_timer_wheel *w)
{
	struct zb_wheel_chunk **block = realloc(w->block, (w->block_nr + 1) * sizeof(*block)), *c;

	if (block == NULL)
		return false;
	w->block = block;
	c = aligned_alloc(64, BLOCK_CHUNKS * sizeof(*c));
	if (c == NULL)
		return false;
	w->block[w->block_nr++] = c;
	for (uint32_t i = 0; i < BLOCK_CHUNKS; i++) {
		c[i].next = w->free;
		w->free = &c[i];
	}
	return true;
}

static void chunk_put(struct zb_timer_wheel *w, struct zb_wheel_chunk *c)
{
	c->next = w->free;
	w->free = c;
}

/*
 * The slot of a tick as seen from the wheel's own tick: the lowest level on which they share all
 * above.
 */
static uint32_t slot_of(const struct zb_timer_wheel *w, uint64_t tick)
{
	uint64_t differ = tick ^ w->tick;

	for (uint32_t level = 0; level < ZB_WHEEL_LEVELS; level++) {
		uint32_t shift = (level + 1) * SLOT_BITS;

		if (differ >> shift == 0)
			return level * ZB_WHEEL_SLOTS +
			       (uint32_t)((tick >> (shift - SLOT_BITS)) & SLOT_MASK);
	}
	assert(!"the top level spans all of time");
	return (ZB_WHEEL_LEVELS - 1) * ZB_WHEEL_SLOTS + SLOT_MASK;
}

/* The slot of a deadline, rounded up: by the time the slot comes up the deadline has passed. */
static uint32_t slot_of_deadline(const struct zb_timer_wheel *w, uint64_t deadline_ns)
{
	uint64_t tick = (deadline_ns >> ZB_WHEEL_TICK_SHIFT) + 1;

	return slot_of(w, tick < w->tick ? w->tick : tick);
}

static struct zb_wheel_chunk *slot_take(struct zb_timer_wheel *w, uint32_t slot)
{
	struct zb_wheel_chunk *c = w->head[slot];

	w->head[slot] = NULL;
	w->map[slot / ZB_WHEEL_SLOTS][(slot & SLOT_MASK) / 64] &= ~(1ull << (slot & 63));
	return c;
}

/* Keeps of a chunk the live ids, each once: marks their connections as kept. */
static void sweep_chunk(struct zb_timer_wheel *w, struct zb_wheel_chunk *c, uint32_t slot)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		struct zb_conn *conn = zb_conn_at(w->pool, c->id[i]);

		if (i + PREFETCH_AHEAD < c->n)
			__builtin_prefetch(zb_conn_at(w->pool, c->id[i + PREFETCH_AHEAD]));
		if (conn->wheel_slot != slot)
			continue;
		conn->wheel_slot = (uint16_t)(slot | KEPT);
		c->id[kept++] = c->id[i];
	}
	w->id_nr -= c->n - kept;
	c->n = kept;
}

/* Throws the stale ids of a slot out, and merges chunks that fit into one. */
static void sweep_slot(struct zb_timer_wheel *w, uint32_t slot)
{
	struct zb_wheel_chunk **link = &w->head[slot], *c, *next;

	for (c = *link; c != NULL; c = c->next)
		sweep_chunk(w, c, slot);
	while ((c = *link) != NULL) {
		next = c->next;
		if (next != NULL && c->n + next->n <= ZB_WHEEL_CHUNK_IDS) {
			memcpy(next->id + next->n, c->id, c->n * sizeof(c->id[0]));
			next->n += c->n;
		} else if (c->n != 0) {
			for (uint32_t i = 0; i < c->n; i++)
				zb_conn_at(w->pool, c->id[i])->wheel_slot = (uint16_t)slot;
			link = &c->next;
			continue;
		}
		*link = next;
		chunk_put(w, c);
	}
	if (w->head[slot] == NULL)
		slot_take(w, slot);
}

/* Sweeps slots until half of the stale ids are gone. Not while a slot is being emptied. */
static __attribute__((noinline)) void zb_wheel_sweep(struct zb_timer_wheel *w)
{
	uint64_t enough = w->id_nr - (w->id_nr - w->count) / 2;

	for (uint32_t i = 0; i < ZB_WHEEL_LEVELS * ZB_WHEEL_SLOTS && w->id_nr > enough; i++) {
		uint32_t slot = w->sweep++ % (ZB_WHEEL_LEVELS * ZB_WHEEL_SLOTS);

		if (w->head[slot] != NULL)
			sweep_slot(w, slot);
	}
}

static int slot_push(struct zb_timer_wheel *w, uint32_t slot, uint32_t id)
{
	struct zb_wheel_chunk *c = w->head[slot];

	if (c == NULL || c->n == ZB_WHEEL_CHUNK_IDS) {
		if (w->free == NULL && !zb_wheel_grow(w))
			return -ENOMEM;
		c = w->free;
		w->free = c->next;
		c->next = w->head[slot];
		c->n = 0;
		w->head[slot] = c;
		w->map[slot / ZB_WHEEL_SLOTS][(slot & SLOT_MASK) / 64] |= 1ull << (slot & 63);
	}
	c->id[c->n++] = id;
	w->id_nr++;
	zb_conn_at(w->pool, id)->wheel_slot = (uint16_t)slot;
	return 0;
}

/*
 * Before memory is taken when most ids are stale. What a sweep costs has been paid by the pushes of
 * as many ids as it throws out. (An id in two slots, or twice in one, is stale in all places but
 * one.)
 */
static void mind_stale(struct zb_timer_wheel *w)
{
	if (w->free == NULL && w->id_nr > 2ull * w->count + STALE_MIN)
		zb_wheel_sweep(w);
}

int zb_wheel_add(struct zb_timer_wheel *w, uint32_t id, uint64_t deadline_ns)
{
	mind_stale(w);
	int ret = slot_push(w, slot_of_deadline(w, deadline_ns), id);

	if (ret == 0)
		w->count++;
	return ret;
}

void zb_wheel_remove(struct zb_timer_wheel *w, uint32_t id)
{
	zb_conn_at(w->pool, id)->wheel_slot = ZB_WHEEL_NONE;
	w->count--;
}

void zb_wheel_hasten(struct zb_timer_wheel *w, uint32_t id, uint64_t deadline_ns)
{
	uint32_t slot = slot_of_deadline(w, deadline_ns);

	/* Slots ahead of the wheel's tick are ordered by time, level by level. */
	if (slot < zb_conn_at(w->pool, id)->wheel_slot) {
		mind_stale(w);
		slot_push(w, slot, id);
	}
}

/* First occupied slot of a level at or after from, or ZB_WHEEL_SLOTS. */
static uint32_t next_occupied(const struct zb_timer_wheel *w, uint32_t level, uint32_t from)
{
	for (uint32_t word = from / 64; word < ZB_WHEEL_SLOTS / 64; word++) {
		uint64_t bits = w->map[level][word];

		if (word == from / 64)
			bits &= ~0ull << (from & 63);
		if (bits != 0)
			return word * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return ZB_WHEEL_SLOTS;
}

/* Takes the last id off a chunk, its successors being fetched already; NULL when it is stale. */
static struct zb_conn *chunk_pop(struct zb_timer_wheel *w, struct zb_wheel_chunk *c, uint32_t slot)
{
	struct zb_conn *conn;

	if (c->n > PREFETCH_AHEAD)
		__builtin_prefetch(zb_conn_at(w->pool, c->id[c->n - 1 - PREFETCH_AHEAD]));
	conn = zb_conn_at(w->pool, c->id[--c->n]);
	w->id_nr--;
	return conn->wheel_slot == slot ? conn : NULL;
}

/*
 * Puts every timer of a slot where it belongs as seen from the wheel's new tick. A slot that has
 * come up holds ticks of lower levels only, and the first chunk given back serves the next; should
 * memory run out all the same, the timer goes to the slot that comes up now and is returned early.
 */
static void cascade(struct zb_timer_wheel *w, uint32_t level)
{
	uint32_t slot =
		level * ZB_WHEEL_SLOTS + (uint32_t)((w->tick >> (level * SLOT_BITS)) & SLOT_MASK);
	struct zb_wheel_chunk *c = slot_take(w, slot), *next;

	for (; c != NULL; c = next) {
		next = c->next;
		while (c->n != 0) {
			struct zb_conn *conn = chunk_pop(w, c, slot);

			if (conn == NULL ||
			    slot_push(w, slot_of_deadline(w, conn->deadline_ns), conn->id) == 0)
				continue;
			w->id_nr++;
			c->id[c->n++] = conn->id; /* it stays; the chunk comes up once more, at the
						     current tick */
			break;
		}
		if (c->n != 0) {
			uint32_t now = (uint32_t)(w->tick & SLOT_MASK);

			for (uint32_t i = 0; i < c->n; i++)
				if (zb_conn_at(w->pool, c->id[i])->wheel_slot == slot)
					zb_conn_at(w->pool, c->id[i])->wheel_slot = (uint16_t)now;
			c->next = w->head[now];
			w->head[now] = c;
			w->map[0][now / 64] |= 1ull << (now & 63);
		} else {
			chunk_put(w, c);
		}
	}
}

/* Moves the tick to the next one with something to do, at most to limit, cascading on the way. */
static void step(struct zb_timer_wheel *w, uint64_t limit)
{
	uint64_t next = limit;

	for (uint32_t level = 0; level < ZB_WHEEL_LEVELS; level++) {
		uint32_t shift = level * SLOT_BITS;
		uint32_t from = (uint32_t)((w->tick >> shift) & SLOT_MASK) + 1;
		uint32_t slot =
			from < ZB_WHEEL_SLOTS ? next_occupied(w, level, from) : ZB_WHEEL_SLOTS;

		if (slot < ZB_WHEEL_SLOTS) {
			uint64_t above = w->tick >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
			uint64_t at = above + ((uint64_t)slot << shift);

			/* A lower level always comes up before a higher one. */
			next = at < limit ? at : limit;
			break;
		}
	}
	uint64_t changed = w->tick ^ next;

	w->tick = next;
	for (uint32_t level = ZB_WHEEL_LEVELS - 1; level > 0; level--)
		if (changed >> (level * SLOT_BITS) != 0)
			cascade(w, level);
}

/* Empties the current slot; false when ids is full before that. */
static bool empty_slot(struct zb_timer_wheel *w, uint64_t now_ns, uint32_t *ids, uint32_t *n,
		       uint32_t max)
{
	uint32_t slot = (uint32_t)(w->tick & SLOT_MASK);
	struct zb_wheel_chunk *c;

	while ((c = w->head[slot]) != NULL) {
		while (c->n != 0) {
			struct zb_conn *conn;

			if (*n == max)
				return false;
			conn = chunk_pop(w, c, slot);
			if (conn == NULL)
				continue;
			if (conn->deadline_ns > now_ns &&
			    slot_push(w, slot_of_deadline(w, conn->deadline_ns), conn->id) == 0)
				continue;
			zb_wheel_remove(w, conn->id);
			ids[(*n)++] = conn->id;
		}
		w->head[slot] = c->next;
		chunk_put(w, c);
	}
	slot_take(w, slot);
	return true;
}

uint32_t zb_wheel_advance(struct zb_timer_wheel *w, uint64_t now_ns, uint32_t *ids, uint32_t max)
{
	uint64_t now = now_ns >> ZB_WHEEL_TICK_SHIFT;
	uint32_t n = 0;

	while (w->tick <= now) {
		if (!empty_slot(w, now_ns, ids, &n, max) || w->tick == now)
			break;
		step(w, now);
	}
	return n;
}

/* The newest live id of a slot; stale ones on top of it are dropped. */
static uint32_t slot_top(struct zb_timer_wheel *w, uint32_t slot)
{
	struct zb_wheel_chunk *c;

	while ((c = w->head[slot]) != NULL) {
		for (; c->n != 0; c->n--, w->id_nr--)
			if (zb_conn_at(w->pool, c->id[c->n - 1])->wheel_slot == slot)
				return c->id[c->n - 1];
		w->head[slot] = c->next;
		chunk_put(w, c);
	}
	slot_take(w, slot);
	return UINT32_MAX;
}

uint32_t zb_wheel_first(struct zb_timer_wheel *w)
{
	for (uint32_t level = 0; level < ZB_WHEEL_LEVELS; level++) {
		uint32_t slot = (uint32_t)((w->tick >> (level * SLOT_BITS)) & SLOT_MASK);

		for (; (slot = next_occupied(w, level, slot)) < ZB_WHEEL_SLOTS; slot++) {
			uint32_t id = slot_top(w, level * ZB_WHEEL_SLOTS + slot);

			if (id != UINT32_MAX)
				return id;
		}
	}
	return UINT32_MAX;
}
