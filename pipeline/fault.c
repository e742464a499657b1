/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - see fault.h */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "pipeline/burst.h"
#include "pipeline/conn_set.h"
#include "pipeline/fault.h"
#include "pipeline/registry.h"

#define NAME(id, name, what, find) [ZB_FAULT_##id] = name,
#define WHAT(id, name, what, find) [ZB_FAULT_##id] = what,
#define FIND(id, name, what, find) [ZB_FAULT_##id] = find,
const char *const zb_fault_name[ZB_FAULT_NR] = {ZB_FAULT_LIST(NAME)};
const char *const zb_fault_what[ZB_FAULT_NR] = {ZB_FAULT_LIST(WHAT)};
const char *const zb_fault_find[ZB_FAULT_NR] = {ZB_FAULT_LIST(FIND)};

#define TIMER_BYTES 96 /* of a timer that leaks */

/* What a leak keeps: never freed, but reachable from here, as a forgotten vector is. */
struct kept {
	struct kept *next;
	uint8_t data[];
};
static _Atomic(struct kept *) kept_for_ever;

/* An analyzer's definition with another data(). */
struct spin {
	struct zb_analyzer_def def; /* what the registry has */
	const struct zb_analyzer_def *real;
	uint64_t cycles;
};

struct zb_fault {
	uint32_t on;
	uint64_t timer_nr;
	struct spin spin[ZB_A_NR];
};

static bool has(const struct zb_fault *f, enum zb_fault_id id)
{
	return f->on >> id & 1;
}

/* Relaxed but for the last store: nobody reads the list. */
static void keep(struct kept *k)
{
	k->next = atomic_load_explicit(&kept_for_ever, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&kept_for_ever, &k->next, k,
						      memory_order_release, memory_order_relaxed))
		;
}

static __attribute__((noinline)) void fault_http_retain(const void *d, size_t n)
{
	struct kept *k = malloc(sizeof(*k) + n);

	if (k == NULL)
		return;
	memcpy(k->data, d, n);
	keep(k);
}

static __attribute__((noinline)) void fault_timer_leak(struct zb_fault *f, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct kept *k = malloc(TIMER_BYTES);

		if (k == NULL)
			return;
		keep(k);
		f->timer_nr++;
	}
}

/* Room for new ones is still made, or nothing at all would be analysed at the limit. */
static __attribute__((noinline)) void fault_conn_noexpire(struct zb_conn_set *s)
{
	zb_conn_set_make_room(s);
}

static __attribute__((noinline)) void fault_slow_hash(struct zb_burst *b, uint32_t keep_mask)
{
	for (uint16_t i = 0; i < b->live_nr; i++)
		b->pkts[b->live[i]].hash &= keep_mask;
}

static __attribute__((noinline)) void fault_spin(uint64_t cycles)
{
	uint64_t from = rte_rdtsc();

	while (rte_rdtsc() - from < cycles)
		rte_pause();
}

static void spin_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	const struct spin *s = (const struct spin *)(const void *)a->def;

	fault_spin(s->cycles);
	s->real->data(a, side, d, n);
}
static_assert(offsetof(struct spin, def) == 0, "a definition leads to its spin");

int zb_fault_create(const struct zb_fault_conf *conf, struct zb_registry *registry,
		    struct zb_conn_set *set, struct zb_fault **out)
{
	const uint32_t elsewhere = 1u << ZB_FAULT_log_stall | 1u << ZB_FAULT_one_core_hot;
	struct zb_fault *f;

	*out = NULL;
	if (conf == NULL || (conf->on & ~elsewhere) == 0)
		return 0;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -ENOMEM;
	f->on = conf->on;
	for (unsigned id = 0; id < ZB_A_NR; id++) {
		struct spin *s = &f->spin[id];

		if (conf->spin_cycles[id] == 0 || registry->def[id]->data == NULL)
			continue;
		s->real = registry->def[id];
		s->def = *s->real;
		s->def.data = spin_data;
		s->cycles = conf->spin_cycles[id];
		registry->def[id] = &s->def;
	}
	if (has(f, ZB_FAULT_slow_hash))
		set->hash_mask = (1u << conf->hash_bits) - 1;
	*out = f;
	return 0;
}

void zb_fault_destroy(struct zb_fault *f)
{
	free(f);
}

void zb_fault_decoded(struct zb_fault *f, struct zb_burst *b, const struct zb_conn_set *set)
{
	if (has(f, ZB_FAULT_slow_hash))
		fault_slow_hash(b, set->hash_mask);
}

bool zb_fault_expire(struct zb_fault *f, const struct zb_burst *b, struct zb_conn_set *set)
{
	if (has(f, ZB_FAULT_timer_leak))
		fault_timer_leak(f, b->pkt_nr);
	if (!has(f, ZB_FAULT_conn_noexpire))
		return false;
	fault_conn_noexpire(set);
	return true;
}

void zb_fault_body(struct zb_fault *f, const void *d, size_t n)
{
	if (has(f, ZB_FAULT_http_retain))
		fault_http_retain(d, n);
}

void zb_fault_gauges(const struct zb_fault *f, struct zb_lcore_stat *stat)
{
	stat->timer[ZB_TIMER_inactivity] += f->timer_nr;
	stat->timer_ever[ZB_TIMER_inactivity] += f->timer_nr;
	stat->g[ZB_G_active_timers] += f->timer_nr;
	stat->c[ZB_C_timers] += f->timer_nr;
	stat->g[ZB_G_timer_bytes] += f->timer_nr * TIMER_BYTES;
}
