/* SPDX-License-Identifier: Apache-2.0 */
/* pass_priv.h - a pass while it runs: what pass.c and pass_watch.c share */
#ifndef ZB_BENCH_PASS_PRIV_H
#define ZB_BENCH_PASS_PRIV_H

#include "bench/pass.h"
#include "pipeline/once.h"
#include "profiler/metrics_http.h"
#include "profiler/prof_log.h"
#include "profiler/stats_log.h"
#include "profiler/telemetry_log.h"

struct zb_pass;

struct zb_pass_worker {
	struct zb_pass *pass;
	struct zb_engine_conf engine;
	unsigned index, cpu;
	char peer[24];
	unsigned arena;
	bool has_arena, unsampled;
	bool ready;		      /* it has all it needs, and polls its queue */
	bool at_end;		      /* no packet is left; all state still stands */
	bool finished;		      /* the worker will touch nothing any more */
	const uint64_t *allocated;    /* bytes the thread has ever allocated; NULL: not known */
	uint64_t gauge[ZB_G_NR];      /* as of its newest snapshot */
	uint64_t overdue, heap_bytes; /* likewise */
	uint32_t analyzers[ZB_ANALYZERS_MAX]; /* likewise */
	struct zb_arena_sum arena_sum;	      /* when it was looked at last */
	struct zb_prof_log *prof;	      /* its own; NULL: off */
	pid_t tid;
};

struct zb_pass {
	const struct zb_pass_conf *conf;
	struct zb_pass_result *result;
	struct zb_pass_worker *worker;
	unsigned worker_nr;
	struct zb_log_set *logs;
	struct zb_stats_log *stats;
	struct zb_prof_log *prof;	    /* of all; NULL: off */
	struct zb_telemetry_log *telemetry; /* NULL: off */
	struct zb_metrics *metrics;
	struct zb_metrics_http *http; /* NULL: off */
	struct zb_once *once;	      /* rows that the workers log once */
	struct zb_source *source;
	struct zb_sampler *sampler;
	struct zb_engine_switch on;
	struct zb_noise_lcore *noise; /* worker_nr of them, and the log writer's */
	struct zb_threads *threads;   /* of the machine, when the run began; NULL: not known */
	struct zb_track track;	      /* of all state; see pass_state.c */
	double point[ZB_G_NR + 16];   /* its newest point */
	double newest_s, point_s, looked_s; /* packet time; of the newest point; wall clock */
	double noise_s;			    /* when the machine was looked at last */
	uint64_t start_ns;		    /* packet time at which statistics begin */
	double begin_s, flushed_s,
		shown_s; /* start; last flush of statistics; last drawing of the progress line */
	uint64_t shown_pkts, shown_bytes;
	struct zb_heap_due heap_due;
	double memory_looked_s;
	double heap_looked_s;	    /* when the live heap was looked at last */
	unsigned heap_kind_nr[256]; /* dumps written, by kind */
	int dumps_seen;		    /* of those that were asked for */
	bool started;		    /* the source was told that the workers are ready */
	bool stop;		    /* workers: end at your next burst */
	bool release;		    /* workers: the heap has been looked at, tear down */
};

/* Creates the sampler, and the series beside it, unless they are off; what keeps worst seconds. */
int zb_pass_sample(struct zb_pass *p);
/* How worker i did until now, for the series and the worst seconds. */
void zb_pass_note_series(struct zb_pass *p, unsigned i, const struct zb_snapshot *snap);

/* A worker's thread, which gets its struct zb_pass_worker; what its engine calls at its end. */
int zb_pass_worker_main(void *arg);
void zb_pass_worker_at_end(void *arg);

/* Writes a dump named as jemalloc names them: zbench.PID.SEQ.KINDSEQ.heap; the last ...SEQ.f.heap.
 */
void zb_pass_heap_dump(struct zb_pass *p, char kind);

/* Writes a dump when one is due, or was asked for. */
void zb_pass_heap_poll(struct zb_pass *p, double now_s);

/*
 * What state the workers hold: from every snapshot, and, for lcore i, when all of it still stands;
 * last: nothing stands any more.
 */
int zb_pass_state_make(struct zb_pass *p);
void zb_pass_state_take(struct zb_pass *p, unsigned i, const struct zb_lcore_stat *s, bool last);
void zb_pass_state_judge(struct zb_pass *p);

/* Memory over time: arenas of the workers and of all, looked at four times a second. */
void zb_pass_memory_poll(struct zb_pass *p, double now_s);
/* All state still stands: the last point. */
void zb_pass_memory_end(struct zb_pass *p);
/* Peaks of analyzers at work, by what worker i has now. */
void zb_pass_note_analyzers(struct zb_pass *p, unsigned i, const struct zb_lcore_stat *stat);

/* What disturbs the workers: from their start on, now and then, and when they are at their end. */
int zb_pass_noise_make(struct zb_pass *p);
void zb_pass_noise_begin(struct zb_pass *p);
void zb_pass_noise_poll(struct zb_pass *p, double now_s);
void zb_pass_noise_end(struct zb_pass *p);
void zb_pass_noise_free(struct zb_pass *p);

/* prof.log of all and of each worker. */
int zb_pass_prof_make(struct zb_pass *p);
void zb_pass_prof_take(struct zb_pass *p, unsigned i, const struct zb_snapshot *snap);
void zb_pass_prof_end(struct zb_pass *p, unsigned i);
void zb_pass_prof_close(struct zb_pass *p);

/* The endpoint answers from now on, and telemetry.log is begun. */
int zb_pass_metrics_open(struct zb_pass *p);

/* The next snapshot of worker i. */
void zb_pass_metrics_take(struct zb_pass *p, unsigned i, const struct zb_snapshot *snap);

/* What the reporter knows besides snapshots, so often as its rows reach their files. */
void zb_pass_metrics_poll(struct zb_pass *p);

/* The last figures, once the logs are closed: into metrics.prom too. Then the endpoint closes. */
void zb_pass_metrics_close(struct zb_pass *p);

/* Ends a slice when its time is over, and begins the next; true when there are enough. */
bool zb_pass_slice(struct zb_pass *p);

/* Draws the progress line a few times a second. */
void zb_pass_progress(struct zb_pass *p, double now_s);

#endif
