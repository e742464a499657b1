/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter.h - cycles by analyzer and log stream, and the flows and hosts that cost most, by sampling
 *
 * The time-stamp counter is read between stages of every burst, but to read it around every call of
 * an analyzer would cost more than what it tells. So the first burst after each ZB_METER_EVERY
 * cycles is metered: in it every place that work goes on in notes when it begins and ends, and the
 * cycles between go to the place, and to the connection, that was at work. Whatever packets cost,
 * metering costs the same share. What calls another pays for itself only. What the thread did not
 * run is no cost. When the first ZB_METER_FIRST bursts have told enough for a short run, one of
 * ZB_METER_LATER is left, and counts for as many.
 *
 * Threading: one lcore; others read it when the lcore has finished, and places[] in snapshots.
 * Ownership: the caller of zb_engine_create(); zeroed to begin with, but for tsc_hz.
 * Units:     TSC cycles.
 */
#ifndef ZB_PIPELINE_METER_H
#define ZB_PIPELINE_METER_H

#include "pipeline/analysis.h"
#include "pipeline/analyzers/list.h"
#include "pipeline/flow_key.h"
#include "profiler/gap.h"
#include "profiler/sketch.h"

struct zb_conn;

#define ZB_METER_EVERY 16000000u /* cycles: 6 ms or so */
#define ZB_METER_FIRST 1024u	 /* bursts */
#define ZB_METER_LATER 4u

#define ZB_METER_ANALYZER(name) ZB_METER_A_##name,
enum zb_meter_place {
	ZB_METER_CONN,	 /* conn stage: counters, TCP state, reassembly */
	ZB_METER_STREAM, /* stream stage without analyzers: handing out, protocol detection */
	ZB_METER_FILES,	 /* files: their bytes, types and hashes */
	ZB_METER_EXPIRE, /* expire stage */
	ZB_METER_LOG,	 /* log stage without rows: ends of connections */
	ZB_METER_ROWS,	 /* from here on, by enum zb_log_stream */
	ZB_METER_ANALYZERS = ZB_METER_ROWS + ZB_LOG_ENGINE_NR, /* by enum zb_analyzer_id */
	ZB_METER_BEFORE_A = ZB_METER_ANALYZERS - 1,
	ZB_ANALYZER_LIST(ZB_METER_ANALYZER) ZB_METER_NR
};
#define ZB_METER_A_NR (ZB_METER_NR - ZB_METER_ANALYZERS)
static_assert((int)ZB_METER_NR <= ZB_METERED_MAX, "raise ZB_METERED_MAX");

/* A connection as sketches know it: the key of one, of ZB_SKETCH_KEY bytes. */
struct zb_meter_flow {
	struct zb_flow_key key;
	uint64_t uid_seq_orig; /* uid_seq * 2, + 1 when end a of the key is the originator */
};
static_assert(sizeof(struct zb_meter_flow) == ZB_SKETCH_KEY, "no padding");

/* Connections at work in one burst; those beyond go uncounted. */
#define ZB_METER_TURNS 512

struct zb_meter {
	uint64_t since, next;	 /* TSC: charged so far; when the next burst is to be metered */
	uint64_t bursts, cycles; /* metered, each counted once; all else is what they count for */
	uint32_t weight;	 /* how many bursts this one counts for */
	uint64_t *sum;		 /* cycles by place: the lcore's stat.metered */
	uint64_t tsc_hz;
	uint64_t calls[ZB_METER_A_NR],
		bytes[ZB_METER_A_NR]; /* data given to analyzers in metered bursts */
	/* The longest stretch of each at work, in itself: a hypervisor's doing, perhaps. */
	uint64_t longest[ZB_METER_A_NR];
	uint64_t disturbed; /* times that the CPU was taken away meanwhile */
	/*
	 * Knows the thread's CPU time as of when it was last disturbed, as it looks after each
	 * stage; told when the meter has seen a disturbance first. NULL: the clock is asked.
	 */
	struct zb_gap_watch *watch;
	struct zb_own_time own;
	uint16_t turn_nr, turn_now;
	uint16_t slot[256]; /* by hash of the connection: its turn, if it is that one's */
	bool has_flow;	    /* turn_now is of the connection at work */
	uint8_t at;	    /* the place at work */
	uint8_t row_was;    /* the place that a row was begun from */
	struct {
		struct zb_meter_flow flow;
		uint64_t cycles;
	} turn[ZB_METER_TURNS];
	struct zb_sketch flows, originators, responders; /* hosts: 16 bytes of address, version */
	struct zb_sketch recent; /* flows, since the last zb_meter_recent() */
};

/* The flow that cost most since the last call, which begins anew. */
void zb_meter_recent(struct zb_meter *m, struct zb_stat_hot *out);

/* Name of a place: "conn", "log", ..., "http.log", "http". */
const char *zb_meter_place_name(unsigned place);

/* Begins to meter a burst; ends it. */
void zb_meter_begin(struct zb_analysis *an);
void zb_meter_end(struct zb_analysis *an);

/* For the functions below; the place that was at work so far. */
uint8_t zb_meter_switch(struct zb_meter *m, uint8_t place);
void zb_meter_set_flow(struct zb_meter *m, const struct zb_conn *c);
void zb_meter_set_stage(struct zb_meter *m, uint8_t place);

/* A place begins to work; what it returns goes to zb_meter_leave() when it is done. */
static inline uint8_t zb_meter_enter(const struct zb_analysis *an, unsigned place)
{
	return __builtin_expect(an->metering, 0) ? zb_meter_switch(an->meter, (uint8_t)place) : 0;
}

static inline void zb_meter_leave(const struct zb_analysis *an, uint8_t was)
{
	if (__builtin_expect(an->metering, 0))
		zb_meter_switch(an->meter, was);
}

/* Analyzer id is given n bytes. */
static inline void zb_meter_data(const struct zb_analysis *an, unsigned id, uint64_t n)
{
	if (__builtin_expect(an->metering, 0)) {
		an->meter->calls[id] += an->meter->weight;
		an->meter->bytes[id] += n * an->meter->weight;
	}
}

/* A stage begins, which works for no connection so far. */
static inline void zb_meter_stage(const struct zb_analysis *an, unsigned place)
{
	if (__builtin_expect(an->metering, 0))
		zb_meter_set_stage(an->meter, (uint8_t)place);
}

/* What follows is done for connection c. */
static inline void zb_meter_conn(const struct zb_analysis *an, const struct zb_conn *c)
{
	if (__builtin_expect(an->metering, 0))
		zb_meter_set_flow(an->meter, c);
}

#endif
