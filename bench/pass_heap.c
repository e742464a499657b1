/* SPDX-License-Identifier: Apache-2.0 */
/* pass_heap.c - heap dumps while a run lasts, and at its end */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/pass_priv.h"
#include "profiler/diag.h"

/*
 * To know how large the live heap is, jemalloc adds up its arenas, which takes their locks for
 * moments: four times a second is no burden.
 */
#define LOOK_EVERY_S 0.25

void zb_pass_heap_dump(struct zb_pass *p, char kind)
{
	struct zb_pass_result *r = p->result;
	unsigned *kind_nr = &p->heap_kind_nr[(unsigned char)kind];
	char path[sizeof(r->heap_last)], which[16];
	int n, ret;

	if (kind == 'f')
		snprintf(which, sizeof(which), "f"); /* there is but one */
	else
		snprintf(which, sizeof(which), "%c%u", kind, *kind_nr);
	n = snprintf(path, sizeof(path), "%s/zbench.%d.%u.%s.heap", p->conf->heap_dir,
		     (int)getpid(), r->heap_dumps, which);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		zb_warn("heap dump: %s: name too long", p->conf->heap_dir);
		return;
	}
	ret = zb_heap_dump(path);
	if (ret < 0) {
		zb_warn("heap dump: %s: %s", path, strerror(-ret));
		return;
	}
	if (r->heap_dumps++ == 0)
		memcpy(r->heap_first, path, (size_t)n + 1);
	(*kind_nr)++;
	memcpy(r->heap_last, path, (size_t)n + 1);
}

static uint64_t allocated(const struct zb_pass *p)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < p->worker_nr; i++) {
		const uint64_t *a = __atomic_load_n(&p->worker[i].allocated, __ATOMIC_RELAXED);

		if (a != NULL && !__atomic_load_n(&p->worker[i].finished, __ATOMIC_ACQUIRE))
			sum += zb_stat_peek(a);
	}
	return sum;
}

/* True once for each time that a dump was asked for, or once for several in a moment. */
static bool is_asked(struct zb_pass *p)
{
	int asked = p->conf->dumps_asked != NULL ? *p->conf->dumps_asked : 0;
	bool is_new = asked != p->dumps_seen;

	p->dumps_seen = asked;
	if (is_new && p->conf->heap_dir == NULL)
		zb_warn("SIGUSR2: the run has no heap profile to dump; give --heap final");
	return is_new && p->conf->heap_dir != NULL;
}

void zb_pass_heap_poll(struct zb_pass *p, double now_s)
{
	const struct zb_heap_when *w = &p->conf->heap_when;
	struct zb_heap_now now = {.s = now_s - p->begin_s};
	struct zb_heap_stat stat;
	char kind;

	if (is_asked(p))
		zb_pass_heap_dump(p, 'm');
	if (p->conf->heap_dir == NULL || !p->started)
		return;
	now.allocated = allocated(p);
	if (zb_heap_when_grown(w) && now_s - p->heap_looked_s >= LOOK_EVERY_S) {
		p->heap_looked_s = now_s;
		if (zb_heap_total_stat(&stat) == 0)
			now.live = stat.allocated;
	}
	kind = zb_heap_when_due(w, &p->heap_due, &now);
	if (kind != 0)
		zb_pass_heap_dump(p, kind);
}
