/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_memory.c - memory while a run lasts: what jemalloc has for each worker and in all, state,
 * and analyzers at work
 */
#include "bench/pass_priv.h"
#include "profiler/clock.h"

static void look_at_arenas(struct zb_pass *p)
{
	struct zb_heap_stat stat[ZB_CPUS_MAX];
	unsigned index[ZB_CPUS_MAX];

	for (unsigned i = 0; i < p->worker_nr; i++) {
		if (!__atomic_load_n(&p->worker[i].ready, __ATOMIC_ACQUIRE) ||
		    !p->worker[i].has_arena)
			return;
		index[i] = p->worker[i].arena;
	}
	if (zb_heap_arena_stats(index, p->worker_nr, stat) < 0)
		return;
	for (unsigned i = 0; i < p->worker_nr; i++)
		p->worker[i].arena_sum = (struct zb_arena_sum){
			.known = true,
			.allocated = stat[i].allocated,
			.active = stat[i].active,
			.resident = stat[i].resident,
			.retained = stat[i].retained,
		};
}

static void add_point(struct zb_pass *p, double now_s, const struct zb_heap_stat *heap)
{
	struct zb_mem_point point = {.s = now_s - p->begin_s, .heap = *heap};

	for (unsigned i = 0; i < p->worker_nr; i++) {
		const uint64_t *g = p->worker[i].gauge;

		for (unsigned k = ZB_G_reassem_tcp_bytes; k < ZB_G_NR; k++)
			point.state_bytes += k != ZB_G_conn_reserved_bytes ? g[k] : 0;
		point.conns += zb_stat_conns(g);
	}
	zb_mem_track_add(&p->result->memory, &point);
}

void zb_pass_memory_poll(struct zb_pass *p, double now_s)
{
	struct zb_heap_stat heap = {0};

	if (!p->started || now_s - p->memory_looked_s < ZB_MEM_TRACK_EVERY_S)
		return;
	p->memory_looked_s = now_s;
	if (zb_heap_total_stat(&heap) == 0)
		look_at_arenas(p);
	add_point(p, now_s, &heap);
}

void zb_pass_memory_end(struct zb_pass *p)
{
	p->result->memory.next_s = 0; /* whether or not one is due */
	add_point(p, zb_clock_s(), &p->result->heap);
	for (unsigned i = 0; i < p->worker_nr; i++) {
		const struct zb_heap_stat *h = &p->result->lcore[i].arena;

		if (p->result->lcore[i].has_arena)
			p->worker[i].arena_sum =
				(struct zb_arena_sum){true, h->allocated, h->active, h->resident,
						      h->retained};
		for (unsigned k = 0; k < ZB_ANALYZERS_MAX; k++)
			p->result->analyzers[k] += p->result->lcore[i].stat.analyzers[k];
	}
}

void zb_pass_note_analyzers(struct zb_pass *p, unsigned i, const struct zb_lcore_stat *stat)
{
	for (unsigned k = 0; k < ZB_ANALYZERS_MAX; k++) {
		uint32_t *peak = &p->result->analyzers_peak[k], sum = 0;

		p->worker[i].analyzers[k] = stat->analyzers[k];
		for (unsigned j = 0; j < p->worker_nr; j++)
			sum += p->worker[j].analyzers[k];
		*peak = sum > *peak ? sum : *peak;
	}
}
