/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_job.h - one `zbench run` from checked options to result.json
 *
 * Threading: main only.
 * Ownership: the job owns what its functions put into it; zb_job_fini() frees it.
 * Errors:    0 or -errno, said.
 */
#ifndef ZB_BENCH_RUN_JOB_H
#define ZB_BENCH_RUN_JOB_H

#include <time.h>

#include "bench/cost.h"
#include "bench/largest.h"
#include "bench/pass.h"
#include "bench/out_dir.h"
#include "bench/result.h"
#include "bench/run_conf.h"
#include "bench/verdict.h"
#include "capture/eal.h"
#include "pipeline/fault.h"

#define ZB_HOLDERS_MAX 8
#define ZB_NOTES_MAX   24
#define ZB_COSTS_MAX   16

struct zb_run_job {
	const struct zb_run_conf *conf;
	struct zb_topo *topo;
	struct zb_placement place;
	struct zb_host host;
	struct zb_out_dir out;
	struct zb_eal_info eal;
	struct zb_trace *trace;	  /* NULL: live */
	struct zb_source *source; /* live: open, until the pass has it */
	struct zb_filter *filter;
	bool live_stop;
	int metrics_fd; /* listens; -1: no endpoint */
	struct zb_pass_conf pass_conf;
	struct zb_pass_result pass;
	struct zb_symbols *syms;
	struct zb_stack_totals samples;
	struct zb_heap_holder holder[ZB_HOLDERS_MAX];
	struct zb_heap_holder grower[ZB_HOLDERS_MAX]; /* see struct zb_result_memory */
	uint64_t holder_total;
	unsigned grower_nr;
	struct zb_verdict_in verdict_in; /* holds texts that the verdict points to */
	struct zb_verdict verdict;
	struct zb_heap_when heap_when;
	char heap_dir[PATH_MAX];
	unsigned holder_nr;
	const char *note[ZB_NOTES_MAX];
	char note_text[ZB_NOTES_MAX][224];
	unsigned note_nr;
	struct zb_cost costs;			  /* what cycles went to */
	struct zb_largest largest;		  /* connections, by memory */
	struct zb_result_cost cost[ZB_COSTS_MAX]; /* what measuring itself cost */
	unsigned cost_nr;
	double begin_s, startup_s, tsc_hz;
	time_t start_unix_s;
	bool stream_on[ZB_LOG_NAME_NR];
	uint64_t mem_limit[ZB_MEM_NR]; /* 0: the default */
	unsigned file_hashes;
	struct zb_fault_conf fault; /* 0: none */
	uint64_t prealloc_bytes;    /* per worker */
	struct zb_pace_rate rate;
	cpu_set_t feeder_cpus;
	bool out_made, eal_up, pass_done;
};

/* Checks options against each other and the machine; places threads. -EINVAL, said. */
int zb_job_check(struct zb_run_job *j);

/* From now on the first SIGINT or SIGTERM ends a pass in good order, and the second the process. */
void zb_job_catch_signals(void);

/* Fills the pass's conf from the options and runs it. */
int zb_job_pass(struct zb_run_job *j);

/* Reads --limit and --hashes. -EINVAL, said. */
int zb_job_check_limits(struct zb_run_job *j);

/* Reads --fault, once the workers are placed. -EINVAL, said. */
int zb_job_check_fault(struct zb_run_job *j);

/* The list of --fault help. */
void zb_fault_print(FILE *f);

/* Checks --synth, --tap and --seed. -EINVAL, said. */
int zb_job_check_synth(const struct zb_run_job *j);

/* The profile that is made for the run; NULL: none. */
const char *zb_job_profile(const struct zb_run_job *j);

/* Whether the trace is made for the run: --synth, or --tap before a file. */
bool zb_job_is_made(const struct zb_run_job *j);
/* Makes it, and loads it as load says. */
int zb_job_load_made(struct zb_run_job *j, struct zb_trace_conf *load);

/* Reads --rate and places the feeder, once the workers are placed. -EINVAL, said. */
int zb_job_check_rate(struct zb_run_job *j);

/* Whether workers wait for a slow log writer. */
bool zb_job_log_block(const struct zb_run_job *j);

/* Notes what became of the open loop. */
void zb_job_note_rate(struct zb_run_job *j);

/* Settles --prealloc, once the trace has taken its memory. -EINVAL, said. */
int zb_job_check_prealloc(struct zb_run_job *j);

/* Passes over the trace; 0: as many as the duration takes. */
uint64_t zb_job_loops(const struct zb_run_job *j);

/* Fills a pass's conf from the options: also the base of the passes of --self-cost. */
void zb_job_pass_conf(const struct zb_run_job *j, struct zb_pass_conf *c);

/* Flame graphs and top holders; what cannot be written is said and noted. */
void zb_job_artifacts(struct zb_run_job *j);

/* Judges what the run shows. */
void zb_job_judge(struct zb_run_job *j);

/* Judges whether all was done, writes result.json; returns the exit status. */
int zb_job_finish(struct zb_run_job *j, double wall_s, int argc, char **argv);

/* Whether packets come from devices. */
bool zb_job_is_live(const struct zb_run_job *j);

/* Checks that there is one kind of traffic and that the options fit it. -EINVAL, said. */
int zb_job_check_traffic(struct zb_run_job *j);

/* What names the traffic: the first file, interface or port. */
const char *zb_job_traffic_name(const struct zb_run_job *j);

/* Opens the devices, once DPDK is up, and gives up the rights that this took. Said. */
int zb_job_open_live(struct zb_run_job *j);

/* Takes the address of --metrics, before anything is started. -errno, said. */
int zb_job_listen(struct zb_run_job *j);

/* Notes what devices lost. */
void zb_job_note_live(struct zb_run_job *j);

/* Of the trace; all 0 when there is none. */
const struct zb_trace_info *zb_job_trace_info(const struct zb_run_job *j);

/* Adds a sentence for the person and for result.json. */
void zb_job_note(struct zb_run_job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void zb_job_fini(struct zb_run_job *j);

/* How the worst seconds are told. */
struct zb_worst_words zb_job_worst_words(const struct zb_run_job *j);

#endif
