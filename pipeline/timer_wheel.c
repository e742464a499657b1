/* SPDX-License-Identifier: Apache-2.0 */
/* timer_wheel.c - see timer_wheel.h */
#include "pipeline/timer_wheel.h"

#define NONE	  UINT32_MAX
#define SLOT_BITS 8
#define SLOT_MASK (ZB_WHEEL_SLOTS - 1)

void zb_wheel_init(struct zb_timer_wheel *w, struct zb_conn_pool *pool, uint64_t now_ns)
{
	memset(w, 0, sizeof(*w));
	memset(w->head, 0xff, sizeof(w->head));
	w->pool = pool;
	w->tick = now_ns >> ZB_WHEEL_TICK_SHIFT;
}

/* The slot of a tick as seen from the wheel's own tick: the lowest level on which they share all above. */
static uint32_t slot_of(const struct zb_timer_wheel *w, uint64_t tick)
{
	uint64_t differ = tick ^ w->tick;

	for (uint32_t level = 0; level < ZB_WHEEL_LEVELS; level++) {
		uint32_t shift = (level + 1) * SLOT_BITS;

		if (differ >> shift == 0)
			return level * ZB_WHEEL_SLOTS + (uint32_t)((tick >> (shift - SLOT_BITS)) & SLOT_MASK);
	}
	/* Beyond the top level: its last slot in wheel order; looked at again when it comes up. */
	return (ZB_WHEEL_LEVELS - 1) * ZB_WHEEL_SLOTS + SLOT_MASK;
}

static void link_slot(struct zb_timer_wheel *w, uint32_t id, uint32_t slot)
{
	struct zb_conn *c = zb_conn_at(w->pool, id);
	uint32_t next = w->head[slot];

	c->wheel_slot = (uint16_t)slot;
	c->wheel_prev = NONE;
	c->wheel_next = next;
	if (next != NONE)
		zb_conn_at(w->pool, next)->wheel_prev = id;
	w->head[slot] = id;
	w->map[slot / ZB_WHEEL_SLOTS][(slot & SLOT_MASK) / 64] |= 1ull << (slot & 63);
}

void zb_wheel_add(struct zb_timer_wheel *w, uint32_t id, uint64_t deadline_ns)
{
	/* Rounded up: by the time the slot comes up the deadline has passed. */
	uint64_t tick = (deadline_ns >> ZB_WHEEL_TICK_SHIFT) + 1;

	link_slot(w, id, slot_of(w, tick < w->tick ? w->tick : tick));
	w->count++;
}

void zb_wheel_remove(struct zb_timer_wheel *w, uint32_t id)
{
	struct zb_conn *c = zb_conn_at(w->pool, id);
	uint32_t slot = c->wheel_slot;

	if (c->wheel_prev != NONE)
		zb_conn_at(w->pool, c->wheel_prev)->wheel_next = c->wheel_next;
	else
		w->head[slot] = c->wheel_next;
	if (c->wheel_next != NONE)
		zb_conn_at(w->pool, c->wheel_next)->wheel_prev = c->wheel_prev;
	if (w->head[slot] == NONE)
		w->map[slot / ZB_WHEEL_SLOTS][(slot & SLOT_MASK) / 64] &= ~(1ull << (slot & 63));
	w->count--;
}

void zb_wheel_hasten(struct zb_timer_wheel *w, uint32_t id, uint64_t deadline_ns)
{
	uint64_t tick = (deadline_ns >> ZB_WHEEL_TICK_SHIFT) + 1;
	uint32_t slot = slot_of(w, tick < w->tick ? w->tick : tick);

	if (slot >= zb_conn_at(w->pool, id)->wheel_slot)
		return; /* slots ahead of the wheel's tick are ordered by time, level by level */
	zb_wheel_remove(w, id);
	zb_wheel_add(w, id, deadline_ns);
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

/* Puts every timer of a slot where it belongs as seen from the wheel's new tick. */
static void cascade(struct zb_timer_wheel *w, uint32_t level)
{
	uint32_t slot = level * ZB_WHEEL_SLOTS + (uint32_t)((w->tick >> (level * SLOT_BITS)) & SLOT_MASK);
	uint32_t id = w->head[slot];

	w->head[slot] = NONE;
	w->map[level][(slot & SLOT_MASK) / 64] &= ~(1ull << (slot & 63));
	while (id != NONE) {
		struct zb_conn *c = zb_conn_at(w->pool, id);
		uint32_t next = c->wheel_next;

		w->count--;
		zb_wheel_add(w, id, c->deadline_ns);
		id = next;
	}
}

/* Moves the tick to the next one with something to do, at most to limit, cascading on the way. */
static void step(struct zb_timer_wheel *w, uint64_t limit)
{
	uint64_t next = limit;

	for (uint32_t level = 0; level < ZB_WHEEL_LEVELS; level++) {
		uint32_t shift = level * SLOT_BITS;
		uint32_t from = (uint32_t)((w->tick >> shift) & SLOT_MASK) + 1;
		uint32_t slot = from < ZB_WHEEL_SLOTS ? next_occupied(w, level, from) : ZB_WHEEL_SLOTS;

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

uint32_t zb_wheel_advance(struct zb_timer_wheel *w, uint64_t now_ns, uint32_t *ids, uint32_t max)
{
	uint64_t now = now_ns >> ZB_WHEEL_TICK_SHIFT;
	uint32_t n = 0;

	while (w->tick <= now) {
		uint32_t slot = (uint32_t)(w->tick & SLOT_MASK), id;

		while ((id = w->head[slot]) != NONE) {
			uint64_t deadline = zb_conn_at(w->pool, id)->deadline_ns;

			if (deadline <= now_ns && n == max)
				return n;
			zb_wheel_remove(w, id);
			if (deadline <= now_ns)
				ids[n++] = id;
			else
				zb_wheel_add(w, id, deadline);
		}
		if (w->tick == now)
			break;
		step(w, now);
	}
	return n;
}

uint32_t zb_wheel_first(const struct zb_timer_wheel *w)
{
	for (uint32_t level = 0; level < ZB_WHEEL_LEVELS; level++) {
		uint32_t from = (uint32_t)((w->tick >> (level * SLOT_BITS)) & SLOT_MASK);
		uint32_t slot = next_occupied(w, level, from);

		if (slot < ZB_WHEEL_SLOTS)
			return w->head[level * ZB_WHEEL_SLOTS + slot];
	}
	return NONE;
}
