/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass.h - one run of the engine over a loaded trace or devices: workers, logs, statistics,
 * sampler, from start to end
 *
 * `zbench run` makes one; --self-cost makes many over the same trace.
 *
 * Threading: main only; it becomes the reporter while the workers run.
 * Ownership: the caller owns what the conf points at; zb_pass_fini() frees what zb_pass_run() put
 * in the result. Errors:    0 or -errno, said.
 */
#ifndef ZB_BENCH_PASS_H
#define ZB_BENCH_PASS_H

#include <signal.h>

#include "bench/heap_when.h"
#include "capture/filter.h"
#include "capture/pace.h"
#include "capture/source.h"
#include "capture/trace.h"
#include "pipeline/engine.h"
#include "pipeline/fault.h"
#include "pipeline/mem.h"
#include "pipeline/weird.h"
#include "bench/worst.h"
#include "profiler/growth.h"
#include "profiler/heap.h"
#include "profiler/mem_track.h"
#include "profiler/sampler.h"
#include "profiler/series.h"
#include "profiler/topology.h"

/*
 * Compares instrumentation off and on within one run: slices of wall time, off on on off ..., each
 * with its packets per TSC cycle. The run ends when all pairs are there.
 */
struct zb_pass_slices {
	/* What is on in every other slice; the rest is always off. */
	bool sampling, marks, snapshots, heap;
	double slice_s;
	unsigned pair_nr;  /* wanted */
	unsigned slice_nr; /* done; two a pair */
	double *rate;	   /* 2 * pair_nr: packets per cycle, off and on of each pair */
	uint64_t from_pkts, from_tsc;
};

struct zb_pass_conf {
	const struct zb_topo *topo;
	const struct zb_placement *place;
	struct zb_trace *trace; /* NULL: live */
	/* Live: the devices, already open; the pass closes them. */
	struct zb_source *live;
	bool *live_stop;		/* what the source looks at; the pass sets it */
	const struct zb_filter *filter; /* what is analysed of the traffic; NULL: all */
	uint64_t live_count;		/* packets after which a live run ends; 0: no limit */
	struct zb_pace_rate rate;	/* ZB_PACE_MAX: closed loop */
	uint32_t rx_desc;		/* open loop: packets that a receive queue holds */
	cpu_set_t feeder_cpus;		/* open loop: where the feeder runs */
	uint64_t loops;			/* passes over the trace; 0: until duration_s is over */
	double duration_s;		/* 0: no limit */
	double stats_interval_s;	/* of packet time */
	double tsc_hz;
	const char *dir;	       /* of the logs; NULL: rows are made and discarded */
	int metrics_fd;		       /* listens, for /metrics; -1: none */
	const char *heap_dir;	       /* of heap dumps; NULL: none */
	struct zb_heap_when heap_when; /* besides at the end */
	const volatile sig_atomic_t *dumps_asked; /* counts up for each dump that is asked for */
	uint64_t secret;
	uint32_t sample_hz; /* 0: off */
	uint32_t conns_max;
	uint16_t burst_max;
	uint64_t memcap_bytes;	       /* of all workers' state; 0: none */
	uint64_t prealloc_bytes;       /* per worker: touched before the clock starts */
	uint64_t mem_limit[ZB_MEM_NR]; /* per worker; 0: the default */
	unsigned file_hashes;	       /* enum zb_file_hash bits */
	enum zb_engine_mode mode;
	enum zb_row_format format;
	bool stream_on[ZB_LOG_NAME_NR];
	bool prof_strict; /* prof.log byte for byte as Zeek writes it */
	bool log_block;	  /* wait for the log writer instead of dropping rows */
	bool same_flows, ignore_checksums, progress;
	struct zb_pass_slices *slices; /* switch instrumentation off and on in turn; NULL: all on */
	const struct zb_fault_conf *faults;	/* NULL: none */
	const volatile sig_atomic_t *signalled; /* non-zero: stop */
};

struct zb_pass_lcore {
	unsigned cpu;
	struct zb_lcore_stat stat;
	uint64_t peak[ZB_G_NR];	   /* of each gauge, over the snapshots */
	struct zb_heap_stat arena; /* before the state was torn down */
	bool has_arena;
	struct zb_noise_lcore noise;
	uint64_t preempted; /* times that another thread was put in the worker's place */
	struct zb_source_drop first_drop;
	struct zb_meter *meter; /* what its cycles went to; NULL: not metered */
	uint64_t weird[ZB_WEIRD_NR];
	struct zb_large large; /* connections that held most memory */
};

struct zb_pass_result {
	struct zb_pass_lcore *lcore; /* lcore_nr of them */
	unsigned lcore_nr;
	uint64_t peak[ZB_G_NR]; /* of the sums */
	struct zb_log_total logs[ZB_LOG_NR];
	uint64_t rows_early;	  /* zb_once_early() */
	struct zb_heap_stat heap; /* all arenas, before the state was torn down */
	bool has_heap;
	struct zb_noise_lcore writer; /* of the log writer: waiting only */
	struct zb_growth growth;      /* kinds as in zb_pass_kinds */
	struct zb_mem_track memory;   /* over time */
	/* At the end of the traffic, and most at a time. */
	uint32_t analyzers[ZB_ANALYZERS_MAX], analyzers_peak[ZB_ANALYZERS_MAX];
	unsigned heap_dumps;
	struct zb_sampler *sampler;	      /* NULL: off */
	struct zb_series *series;	      /* how the workers did meanwhile; NULL: off */
	struct zb_worst worst;		      /* seconds, from when sampling began */
	uint64_t sampled_unix_ns;	      /* when sampling began, or would have */
	uint64_t sampled_ns;		      /* for so long */
	struct zb_lag feeder_lag;	      /* open loop: how late packets went to their queues */
	char heap_first[512], heap_last[512]; /* paths of the first and last dump, or "" */
	struct zb_source_device *devices;
	unsigned device_nr;
	double wall_s;
	bool interrupted; /* by a signal */
	bool broke;	  /* a worker could not start or go on */
};

#define ZB_PASS_KINDS 21
extern const struct zb_growth_kind zb_pass_kinds[ZB_PASS_KINDS];
extern const char *const zb_log_stream_name[ZB_LOG_NAME_NR];

int zb_pass_run(const struct zb_pass_conf *conf, struct zb_pass_result *out);
void zb_pass_fini(struct zb_pass_result *r);

#endif
