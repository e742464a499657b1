/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lcore_stat.h - what one worker counts: packets and their fates, cycles per stage, state held
 *
 * One struct zb_lcore_stat per worker. All values are absolute since the run began (counters) or as
 * of now (gauges); writers of logs compute deltas. The order of the enums is the order of columns
 * and JSON members.
 *
 * Threading: only the owning worker writes; it copies the whole struct into its snapshot ring
 * between bursts, so a snapshot is consistent. Other threads may peek at single values with
 * zb_stat_peek(). Units:     pkts_ are packets, bytes_ are wire bytes (pcap "len") unless the help
 * says otherwise, cycles are TSC cycles.
 */
#ifndef ZB_PROFILER_LCORE_STAT_H
#define ZB_PROFILER_LCORE_STAT_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "gap.h"
#include "host_noise.h"
#include "lag.h"
#include "sketch.h"
#include "stat_list.h"

#define ZB_ENUM_C(name, help) ZB_C_##name,
#define ZB_ENUM_G(name, help) ZB_G_##name,
#define ZB_ENUM_F(name, help) ZB_FATE_##name,
#define ZB_ENUM_S(name, help) ZB_STAGE_##name,
#define ZB_ENUM_T(name, zeek) ZB_TIMER_##name,
enum zb_counter { ZB_COUNTER_LIST(ZB_ENUM_C) ZB_C_NR };
enum zb_gauge { ZB_GAUGE_LIST(ZB_ENUM_G) ZB_G_NR };
enum zb_fate { ZB_FATE_LIST(ZB_ENUM_F) ZB_FATE_NR };
enum zb_stage { ZB_STAGE_LIST(ZB_ENUM_S) ZB_STAGE_NR };
enum zb_timer { ZB_TIMER_LIST(ZB_ENUM_T) ZB_TIMER_NR };

#define ZB_LOG_STREAMS_MAX 24 /* log streams a run can have; see pipeline/logs.h */
#define ZB_METERED_MAX	   96 /* places that cycles are metered by; see pipeline/meter.h */
#define ZB_ANALYZERS_MAX   64 /* kinds of analyzers */
#define ZB_BURST_MAX	   64 /* packets in a burst, at most */
#define ZB_TCP_STATES	   7  /* of one side of a TCP connection */
#define ZB_FILL_BUCKETS	   8  /* burst fill histogram: 1, 2, 3-4, 5-8, ..., 33-64 and one spare */

/* The connection that cost most in the bursts metered since the snapshot before. */
struct zb_stat_hot {
	uint64_t cycles, of; /* its own, and those of all connections; 0: none was metered */
	uint8_t key[ZB_SKETCH_KEY];
};

struct zb_lcore_stat {
	alignas(64) uint64_t c[ZB_C_NR];
	uint64_t g[ZB_G_NR];
	uint64_t fate[ZB_FATE_NR];
	uint64_t stage_cycles[ZB_STAGE_NR];
	uint64_t busy_cycles;		       /* polls that returned packets, all stages */
	uint64_t idle_cycles;		       /* polls that returned none */
	uint64_t burst_fill[ZB_FILL_BUCKETS];  /* bursts by size, log2 buckets */
	uint64_t log_rows[ZB_LOG_STREAMS_MAX]; /* rows put into buffers, by stream */
	uint64_t metered[ZB_METERED_MAX];      /* cycles by place, of metered bursts only */
	uint64_t timer[ZB_TIMER_NR];	       /* pending; their sum is active_timers */
	uint64_t timer_ever[ZB_TIMER_NR];      /* scheduled; their sum is timers */
	/* TCP connections in memory by originator's state (rows) and responder's. */
	uint64_t tcp_states[ZB_TCP_STATES * ZB_TCP_STATES];
	uint64_t first_tsc, last_tsc; /* first packet taken, last packet done; 0: none */
	uint64_t net_time_ns;	      /* engine time: largest packet time so far, Unix epoch */
	uint64_t timer_lag_ns;	      /* how late the newest time-out of a connection was */
	uint64_t lag_ns;	      /* of the newest packet, see lag; 0 in a closed loop */
	struct zb_lag lag;	      /* of every packet, open loop */
	struct zb_gap gap;	      /* when the poll loop stood still, see gap.h */
	/* Gaps and waiting for the reporter, by the stage that they most likely fell into. */
	uint64_t gap_cycles[ZB_STAGE_NR];
	struct zb_gap_time time; /* of the loop, since the first packet */
	uint64_t heap_bytes;	 /* allocated by the worker and not freed; 0: not known */
	uint64_t overdue_conns;	 /* connections beyond their time-out, estimated */
	uint32_t analyzers[ZB_ANALYZERS_MAX]; /* at work on a connection; see pipeline/registry.h */
	uint64_t stage_now;		      /* enum zb_stage at which the worker is; peeked at */
	struct zb_stat_hot hot;
};

/* What jemalloc says of the lcore's arena, in bytes. */
struct zb_arena_sum {
	bool known;
	uint64_t allocated, active, resident, retained;
};

/* One consistent copy, taken by the worker at the boundary of a statistics interval. */
struct zb_snapshot {
	struct zb_lcore_stat stat;
	uint64_t wall_ns;  /* CLOCK_REALTIME when it was taken */
	uint64_t interval; /* boundary k at start + k * interval; 0: after the first packet */
	bool last;	   /* the worker has finished; nothing follows */
	struct zb_noise_sum noise; /* by the reporter, when it took the snapshot */
	struct zb_arena_sum arena; /* the same; at most so old as it looks at arenas */
};

/* Names and helps, indexed by the enums. */
extern const char *const zb_counter_name[ZB_C_NR], *const zb_counter_help[ZB_C_NR];
extern const char *const zb_gauge_name[ZB_G_NR], *const zb_gauge_help[ZB_G_NR];
extern const char *const zb_fate_name[ZB_FATE_NR], *const zb_fate_help[ZB_FATE_NR];
extern const char *const zb_timer_name[ZB_TIMER_NR]; /* Zeek's */
extern const char *const zb_stage_name[ZB_STAGE_NR], *const zb_stage_help[ZB_STAGE_NR];

/* Relaxed: a single value may be peeked at from another thread, without any order to the others. */
static inline uint64_t zb_stat_peek(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_RELAXED);
}

/* Connections and flows in memory, by gauges. */
static inline uint64_t zb_stat_conns(const uint64_t gauge[static ZB_G_NR])
{
	return gauge[ZB_G_active_tcp_conns] + gauge[ZB_G_active_udp_conns] +
	       gauge[ZB_G_active_icmp_conns] + gauge[ZB_G_active_other_conns];
}

/* Cycles of a stage in which the worker had its CPU and did not wait, as far as that is known. */
static inline uint64_t zb_stat_own_cycles(const struct zb_lcore_stat *s, unsigned stage)
{
	uint64_t all = s->stage_cycles[stage], gap = s->gap_cycles[stage];

	return all > gap ? all - gap : 0;
}

/*
 * Adds src to dst, member by member; times take the earliest, latest or largest that makes sense.
 */
void zb_stat_add(struct zb_lcore_stat *dst, const struct zb_lcore_stat *src);

/*
 * The residuals of the accounting law for one lcore or a sum; all 0 when it holds. queued_* are
 * packets and bytes taken from the link and not yet handed to the engine.
 */
struct zb_residual {
	int64_t offered_pkts, offered_bytes; /* offered - link - unsent */
	int64_t link_pkts, link_bytes;	     /* link - proc - dropped - filtered - queued */
	int64_t fate_pkts;		     /* proc - sum of fates */
};
struct zb_residual zb_stat_residual(const struct zb_lcore_stat *s, uint64_t queued_pkts,
				    uint64_t queued_bytes);
bool zb_residual_is_zero(const struct zb_residual *r);

#endif
