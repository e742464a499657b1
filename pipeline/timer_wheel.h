/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer_wheel.h - hierarchical timer wheel for connection deadlines
 *
 * Four levels of 256 slots; a slot of the lowest level is 2^28 ns (0.27 s), so the levels reach 69 s, 5 h, 52
 * days and 36 years. A slot is a doubly linked list of connections through their wheel_* fields. The wheel
 * may run late, never early: deadlines that move later are found out when the old slot comes up and the
 * connection is put where it belongs now. Empty stretches are skipped by bitmaps, so that a jump of
 * years in packet time costs a few hundred steps.
 * (Varghese, Lauck: Hashed and Hierarchical Timing Wheels, 1987)
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_TIMER_WHEEL_H
#define ZB_PIPELINE_TIMER_WHEEL_H

#include "pipeline/conn_pool.h"

#define ZB_WHEEL_TICK_SHIFT 28
#define ZB_WHEEL_SLOTS	    256
#define ZB_WHEEL_LEVELS	    4

struct zb_timer_wheel {
	struct zb_conn_pool *pool;
	uint64_t tick;	/* every slot before this tick has been emptied */
	uint32_t count; /* timers pending */
	uint32_t head[ZB_WHEEL_LEVELS * ZB_WHEEL_SLOTS];
	uint64_t map[ZB_WHEEL_LEVELS][ZB_WHEEL_SLOTS / 64];
};

void zb_wheel_init(struct zb_timer_wheel *w, struct zb_conn_pool *pool, uint64_t now_ns);
void zb_wheel_add(struct zb_timer_wheel *w, uint32_t id, uint64_t deadline_ns);
void zb_wheel_remove(struct zb_timer_wheel *w, uint32_t id);

/* Moves a pending timer to an earlier deadline; does nothing when its slot comes up soon enough. */
void zb_wheel_hasten(struct zb_timer_wheel *w, uint32_t id, uint64_t deadline_ns);

/*
 * Takes up to max connections whose deadline is at or before now_ns off the wheel, into ids; returns how many.
 * max of them: call again. Connections whose deadline has moved are put back.
 */
uint32_t zb_wheel_advance(struct zb_timer_wheel *w, uint64_t now_ns, uint32_t *ids, uint32_t max);

/* The pending connection whose slot comes up first, or UINT32_MAX: what to shed at the limit. */
uint32_t zb_wheel_first(const struct zb_timer_wheel *w);

#endif
