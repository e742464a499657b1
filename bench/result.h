/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result.h - result.json: all that a gate or a script needs of a run, in one file with a version
 *
 * The run fills in a struct zb_result; everything derived (rates, ratios, residuals, sums over
 * lcores) is computed here. Names in the file are a contract: more may be added, none renamed; a
 * change that breaks readers raises ZB_RESULT_SCHEMA. What is not known is left out rather than
 * written as zero.
 *
 * Threading: main only.
 * Ownership: the caller owns everything pointed at; it is only read, during the call.
 * Units:     _s seconds, _bytes bytes; bps is bits per second of wire bytes.
 * Errors:    0 or -errno, said.
 */
#ifndef ZB_BENCH_RESULT_H
#define ZB_BENCH_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include "capture/source.h"
#include "capture/trace.h"
#include "bench/worst.h"
#include "profiler/growth.h"
#include "profiler/heap.h"
#include "profiler/mem_track.h"
#include "profiler/lcore_stat.h"
#include "profiler/log_set.h"
#include "profiler/topology.h"

#define ZB_RESULT_SCHEMA 1

struct json_t; /* jansson's */
struct zb_cost;
struct zb_largest;
struct zb_verdict;

/*
 * What was fed in, and the options that change the work; the gate compares only results where these
 * agree.
 */
struct zb_result_input {
	const char *kind;	    /* "pcap", "synth", "iface", "port" */
	const char *profile;	    /* of synth; else NULL */
	const char *const *attacks; /* as they were asked for */
	unsigned attack_nr;
	const char *tap; /* faults before the engine; NULL: none */
	uint64_t seed;	 /* of profile, attacks and tap */
	const char *const *files;
	uint32_t file_nr;
	uint64_t pkts, bytes; /* of one pass; wire bytes */
	bool has_digest;
	uint64_t digest;		 /* struct zb_trace_info's */
	uint64_t loops;			 /* passes asked for; 0: until the duration was over */
	uint64_t count;			 /* --count; 0: all */
	double duration_s;		 /* --duration; 0: none */
	const char *rate;		 /* as asked for; "max": closed loop */
	uint64_t rx_desc;		 /* open loop: packets that a queue holds */
	const struct zb_lag *feeder_lag; /* how late the feeder was; NULL: not known */
	const char *engine;		 /* "full", "touch" */
	bool same_flows, ignore_checksums;
	const char *filter;			/* NULL: all packets */
	const char *faults;			/* --fault; NULL: none */
	const struct zb_source_device *devices; /* live */
	uint32_t device_nr;
	bool cut; /* a file ends inside a record */
	struct zb_trace_division division;
};

struct zb_result_lcore {
	unsigned lcore, cpu;
	int numa_node;
	struct zb_lcore_stat stat; /* at the end */
	uint64_t queued_pkts,
		queued_bytes;	    /* taken from the link, never analysed: 0 unless broken off */
	const uint64_t *gauge_peak; /* ZB_G_NR largest values of the snapshots; NULL: not known */
	struct zb_source_drop first_drop;
	bool has_arena;
	struct zb_heap_stat arena;
	struct zb_noise_lcore noise;
	uint64_t preempted; /* times that another thread was put in the worker's place */
};

struct zb_result_profile {
	uint32_t hz;	    /* 0: off */
	const char *method; /* zb_sampler_method_name() */
	uint64_t samples, lost, resolved;
	bool kernel_frames;
};

struct zb_result_memory {
	uint64_t peak_rss_bytes, rss_bytes; /* of the process */
	uint64_t trace_image_bytes, trace_index_bytes;
	bool has_heap;
	struct zb_heap_stat heap; /* all of jemalloc */
	const struct zb_heap_holder *heap_top;
	unsigned heap_top_nr;
	const struct zb_growth *growth; /* NULL: not judged */
	/* Functions below which live memory grew, most first: between dumps, or since the start. */
	const struct zb_heap_holder *grower;
	unsigned grower_nr;
	const uint32_t *analyzers, *analyzers_peak; /* by enum zb_analyzer_id; NULL: not known */
	const struct zb_mem_track *over_time;	    /* NULL: not known */
	const struct zb_largest *largest;	    /* NULL: not known */
};

enum zb_result_status {
	ZB_RESULT_COMPLETE,    /* did all that was asked for */
	ZB_RESULT_INTERRUPTED, /* stopped by a signal; figures are of what was done */
	ZB_RESULT_BROKEN,      /* broke off by itself */
};

struct zb_result_cost {
	const char *name; /* "snapshots_s" */
	double value;
};

struct zb_result {
	int argc;
	char **argv;
	uint64_t start_unix_ns;
	double wall_s, startup_s,
		load_s; /* whole process; start-up without loading; loading the input */
	double tsc_hz;
	struct zb_host host;
	struct zb_result_input input;
	const struct zb_result_lcore *lcores;
	unsigned lcore_nr;
	const uint64_t *gauge_peak;	 /* of the sum over lcores; NULL: not known */
	const char *const *stream_names; /* by log stream; NULL entry: switched off */
	const struct zb_log_total
		*logs; /* by log stream, after zb_log_set_close(); NULL: no log was written */
	unsigned stream_nr;
	uint64_t rows_early; /* zb_once_early() */
	struct zb_result_profile profile;
	struct zb_noise_sum writer_noise; /* of the log writer */
	struct zb_result_memory memory;
	enum zb_result_status status;
	const char *const
		*notes; /* sentences for a person: what disturbed the run, what was lost */
	unsigned note_nr;
	int exit_status;
	const struct zb_verdict *verdict; /* NULL: not judged */
	const struct zb_cost *cost;	  /* what cycles went to; NULL: not known */
	const struct zb_worst *worst;	  /* its seconds; NULL: not looked for */
	struct zb_worst_words worst_words;
	const struct zb_result_cost *self_cost; /* what measuring itself cost; may be NULL */
	unsigned self_cost_nr;
};

/* Packets that a device says it took and that were neither dropped by it nor read from it. */
int64_t zb_device_residual(const struct zb_source_device *d);

/* The devices as a new reference; NULL: out of memory. */
struct json_t *zb_result_devices(const struct zb_source_device *devices, uint32_t nr);

/* Parts of memory as new references; NULL: out of memory. */
struct json_t *zb_result_analyzers(const struct zb_result_memory *m);
struct json_t *zb_result_over_time(const struct zb_mem_track *t);

/* host_noise as a new reference; NULL: out of memory. */
struct json_t *zb_result_noise(const struct zb_result *r);

/* memory.growth as a new reference; NULL: out of memory. */
struct json_t *zb_result_growth(const struct zb_result_memory *m);

/* True when the accounting law holds on every lcore and for every device. */
bool zb_result_law_holds(const struct zb_result *r);

/* The document as a new reference; NULL: out of memory. */
struct json_t *zb_result_json(const struct zb_result *r);

/* Writes path so that a reader finds either the whole new file or what was there before. */
int zb_result_write(const struct zb_result *r, const char *path);

/*
 * Loads path (a result.json, or a run's folder) as a new reference. -EINVAL: not JSON, not a
 * result, or another schema.
 */
int zb_result_read(const char *path, struct json_t **out);

/* The checks of zb_result_read() on a loaded document; name stands in the message. */
int zb_result_check(const char *name, const struct json_t *root);

#endif
