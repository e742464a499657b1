/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_noise.c - when a pass looks at what the machine does to its workers; see host_noise.h
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "bench/pass_priv.h"

#define POLL_EVERY_S 0.1

int zb_pass_noise_make(struct zb_pass *p)
{
	/* The last is the log writer's: its CPU is of no interest, its waiting is. */
	p->noise = calloc(p->worker_nr + 1, sizeof(*p->noise));
	return p->noise != NULL ? 0 : -ENOMEM;
}

void zb_pass_noise_begin(struct zb_pass *p)
{
	for (unsigned i = 0; i < p->worker_nr; i++) {
		p->noise[i].cpu = p->worker[i].cpu;
		p->noise[i].tid = p->worker[i].tid;
	}
	p->noise[p->worker_nr].cpu = UINT_MAX;
	p->noise[p->worker_nr].tid = zb_log_set_writer_tid(p->logs);
	p->threads = zb_threads_look("");
	zb_noise_begin(p->noise, p->worker_nr + 1, "");
}

void zb_pass_noise_poll(struct zb_pass *p, double now_s)
{
	if (!p->started || now_s - p->noise_s < POLL_EVERY_S)
		return;
	p->noise_s = now_s;
	zb_noise_poll(p->noise, p->worker_nr + 1, "");
}

void zb_pass_noise_end(struct zb_pass *p)
{
	struct zb_threads *now;

	if (!p->started)
		return;
	zb_noise_poll(p->noise, p->worker_nr + 1, "");
	p->result->writer = p->noise[p->worker_nr];
	now = p->threads != NULL ? zb_threads_look("") : NULL;
	for (unsigned i = 0; i < p->worker_nr; i++) {
		struct zb_noise_lcore *l = &p->noise[i];

		if (now != NULL)
			l->neighbour_nr =
				zb_neighbours(p->threads, now, l->cpu, l->tid, l->neighbour);
		p->result->lcore[i].noise = *l;
	}
	zb_threads_free(now);
}

void zb_pass_noise_free(struct zb_pass *p)
{
	zb_threads_free(p->threads);
	free(p->noise);
}
