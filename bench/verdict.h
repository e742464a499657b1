/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict.h - what a run shows, in one word with its evidence: numbers, thresholds, where to look
 *
 * Each rule looks at numbers that the run measured, and finds something only beyond a threshold. In
 * a closed loop a busy worker is no overload; where nothing is found and nothing speaks for
 * "keeping up" either, the verdict is undecided. Cycles are those in which a worker had its CPU.
 *
 * Threading: pure functions.
 * Ownership: texts of the input outlive the verdict, which points to them.
 */
#ifndef ZB_BENCH_VERDICT_H
#define ZB_BENCH_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "profiler/growth.h"
#include "profiler/lcore_stat.h"

enum zb_verdict_name {
	ZB_VERDICT_KEEPING_UP,
	ZB_VERDICT_OVERLOADED,
	ZB_VERDICT_PATHOLOGICAL,
	ZB_VERDICT_UNEVEN,
	ZB_VERDICT_STATE_GROWTH,
	ZB_VERDICT_LEAK,
	ZB_VERDICT_LOG_BEHIND,
	ZB_VERDICT_NOISY_HOST,
	ZB_VERDICT_UNDECIDED,
	ZB_VERDICT_NR
};
extern const char *const zb_verdict_name_of[ZB_VERDICT_NR]; /* "keeping-up" ... */

/* The function that most samples of a kind are in; name "": not known, or none stands out. */
struct zb_verdict_function {
	char name[128];
	double share;
	uint64_t samples;
};

/* The oddity that was found most often; name NULL: none. */
struct zb_verdict_weird {
	const char *name;
	double share;		      /* of all oddities */
	const char *stage, *analyzer; /* where it is found; NULL: here and there */
	const char *most_in;	      /* the stage in which most oddities are found, and ... */
	double stage_share;	      /* ... how many of all */
};

/* An analyzer in metered bursts. */
struct zb_verdict_analyzer {
	const char *name; /* NULL: none */
	double share, cycles_per_call, bytes_per_call;
	uint64_t calls;
};

struct zb_verdict_in {
	bool broken;	/* interrupted, broken off, or not the full engine */
	bool open_loop; /* packets came at their time: paced, or live */
	bool is_slow;	/* built without optimisation, or with sanitizers: cost says nothing */
	double tsc_hz;
	const struct zb_lcore_stat *sum; /* of all workers */
	unsigned lcore_nr;
	double seconds;	      /* that the loop ran, of the worker that took longest */
	double busy_share;    /* of the time that workers had a CPU: not polling in vain */
	double own_share_max; /* of all own busy cycles, the busiest worker's; 0..1 */
	unsigned busiest_cpu;
	double lost_ratio; /* of the worker that the machine took most from */
	unsigned noisy_cpu;
	double gap_max_ms;
	const char *neighbour; /* who took most; NULL: not known */
	/* Share of the time that the log writer was ready without a CPU; < 0: not known. */
	double writer_starved;
	double state_bytes;   /* most that connections and what hangs on them held */
	double conns_peak;    /* connections and flows in memory, most at a time */
	uint64_t dropped;     /* by queues and devices */
	uint64_t rows_failed; /* could not be written: disk full, ... */
	const struct zb_growth *growth;
	const struct zb_growth_kind *kinds;	     /* of growth */
	struct zb_verdict_function hot[ZB_STAGE_NR]; /* by stage that it is called from */
	struct zb_verdict_function hot_analyzer;     /* of stage stream, without files */
	/* The one whose calls cost most beyond what they may; else the largest. */
	struct zb_verdict_analyzer dearest;
	struct zb_verdict_analyzer largest; /* the one with the largest share */
	double files_share; /* of all own busy cycles: bytes of files and their hashes; < 0: not
			       known */
	struct zb_verdict_weird weird;
	const char *flow;   /* uid of the dearest connection; NULL: none stands out */
	const char *grower; /* function whose memory grew most; NULL: not known */
	double grower_bytes;
};

#define ZB_VERDICT_REASONS 6
struct zb_verdict_reason {
	char what[128]; /* what was measured, in words */
	double value, threshold;
	const char *unit, *see; /* see: where it stands */
};

struct zb_verdict_finding {
	enum zb_verdict_name name;
	double confidence; /* 0..1 */
	struct zb_verdict_reason because[ZB_VERDICT_REASONS];
	unsigned because_nr;
	const char *function, *analyzer, *stage, *kind,
		*flow; /* NULL: not known, or not the point */
};

/* The first is the verdict; the others are found too. */
struct zb_verdict {
	bool cost_judged; /* false: it says nothing in this build */
	struct zb_verdict_finding found[ZB_VERDICT_NR];
	unsigned nr;
};

void zb_verdict_judge(const struct zb_verdict_in *in, struct zb_verdict *out);

/* What a call with so many bytes may cost an analyzer, in cycles; more is found too dear. */
double zb_verdict_call_max(double bytes_per_call);

/* A few lines for a person. */
void zb_verdict_print(const struct zb_verdict *v, FILE *f);

struct json_t;
/* Adds name, confidence, cost_judged, because, also and culprit to o. 0 or -ENOMEM. */
int zb_verdict_json(const struct zb_verdict *v, struct json_t *o);

#endif
