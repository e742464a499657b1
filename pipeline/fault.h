/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.h - known faults, switched on to see whether the profiler finds them
 *
 * Each is a function of its own, so that flame graphs and heap tables can name it. Those that are
 * off cost a branch per burst, finished connection or piece of a body: the engine looks at one
 * pointer, which is NULL.
 *
 * Threading: the conf is read-only; a struct zb_fault is its lcore's.
 * Ownership: what a fault has leaked stays for the life of the process, on purpose.
 */
#ifndef ZB_PIPELINE_FAULT_H
#define ZB_PIPELINE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/analyzer.h"

/* X(id, name on the command line, what it does, what a report has to find) */
#define ZB_FAULT_LIST(X)                                                                      \
	X(http_retain, "http-retain", "every HTTP body is copied, and kept for ever",         \
	  "a leak, held by fault_http_retain()")                                              \
	X(conn_noexpire, "conn-noexpire", "connections are not ended when their time is up",  \
	  "state growth: connections beyond their time-out")                                  \
	X(timer_leak, "timer-leak", "a timer for each packet, which never fires",             \
	  "state growth: timers, held by fault_timer_leak()")                                 \
	X(log_stall, "log-stall[:MS]", "the log writer stands still before each buffer (20)", \
	  "the log writer is behind")                                                         \
	X(spin, "spin:NAME[=CYCLES]", "an analyzer burns cycles at each call: 20000",         \
	  "pathological cost in stage stream, in fault_spin()")                               \
	X(slow_hash, "slow-hash[:BITS]", "flows have hashes of so few bits: 4",               \
	  "pathological cost in stage flow: long chains")                                     \
	X(one_core_hot, "one-core-hot", "all flows of a trace go to the first worker",        \
	  "uneven load")

#define ZB_ENUM_FAULT(id, name, what, find) ZB_FAULT_##id,
enum zb_fault_id { ZB_FAULT_LIST(ZB_ENUM_FAULT) ZB_FAULT_NR };

struct zb_fault_conf {
	uint32_t on;		       /* bit per enum zb_fault_id */
	uint32_t stall_ms, hash_bits;  /* log_stall, slow_hash */
	uint64_t spin_cycles[ZB_A_NR]; /* 0: that analyzer is left alone */
};

static inline bool zb_fault_is_on(const struct zb_fault_conf *c, enum zb_fault_id id)
{
	return c != NULL && c->on >> id & 1;
}

/* Name, what it does and what a report has to find, by enum zb_fault_id. */
extern const char *const zb_fault_name[ZB_FAULT_NR], *const zb_fault_what[ZB_FAULT_NR],
							     *const zb_fault_find[ZB_FAULT_NR];

struct zb_burst;
struct zb_conn_set;
struct zb_fault; /* of one lcore; opaque */

/*
 * *out is NULL when nothing is on that concerns an lcore. Analyzers that spin are put into the
 * registry, slow hashes into the set. -ENOMEM.
 */
int zb_fault_create(const struct zb_fault_conf *conf, struct zb_registry *registry,
		    struct zb_conn_set *set, struct zb_fault **out);
void zb_fault_destroy(struct zb_fault *f);

/* Behind the decode stage. */
void zb_fault_decoded(struct zb_fault *f, struct zb_burst *b, const struct zb_conn_set *set);

/* Before the expire stage; true: connections are not to be ended. */
bool zb_fault_expire(struct zb_fault *f, const struct zb_burst *b, struct zb_conn_set *set);

/* A piece of an HTTP body. */
void zb_fault_body(struct zb_fault *f, const void *d, size_t n);

/* Timers that leaked are timers: adds them to gauges and counters that are otherwise up to date. */
void zb_fault_gauges(const struct zb_fault *f, struct zb_lcore_stat *stat);

#endif
