/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analysis.h - what everything that analyses traffic on one lcore shares: logs, weirds, memory,
 * counters, time
 *
 * Threading: one lcore.
 * Ownership: the engine's; it points to things that outlive it.
 */
#ifndef ZB_PIPELINE_ANALYSIS_H
#define ZB_PIPELINE_ANALYSIS_H

#include "pipeline/mem.h"
#include "pipeline/weird.h"

struct zb_dhcp;
struct zb_expects;
struct zb_fault;
struct zb_file_set;
struct zb_known;
struct zb_meter;
struct zb_once_port;
struct zb_registry;
struct zb_rxq;
struct zb_tunnels;

struct zb_analysis {
	struct zb_weird *weird;
	struct zb_lcore_stat *stat;
	struct zb_log_port *port[ZB_LOG_ENGINE_NR]; /* NULL: that log is switched off */
	struct zb_mem mem;
	struct zb_registry *registry; /* the analyzers, by port and by content */
	struct zb_file_set *files;    /* files under way; see file.h */
	struct zb_once_port *once;    /* rows that all lcores log once; NULL: alone */
	struct zb_known *known;	      /* hosts and services; see known.h */
	struct zb_tunnels *tunnels;   /* tunnels seen; see tunnel.h */
	struct zb_expects *expects;   /* connections announced; see expect.h. NULL: none yet */
	uint32_t expect_nr;	      /* of them */
	struct zb_tls_memo
		*tls_memo;	  /* fingerprints made lately; see tls_print.c. NULL: none yet */
	struct zb_dhcp *dhcp;	  /* transactions; see dhcp_join.h. NULL: none yet */
	struct zb_meter *meter;	  /* cycles by analyzer; see meter.h. NULL: never */
	bool metering;		  /* this burst is metered */
	struct zb_fault *fault;	  /* faults that are switched on; NULL: none; see fault.h */
	const struct zb_rxq *rxq; /* where packets come from; NULL: not known */
	uint64_t secret;	  /* of the run: keys hashes, uids and fuids */
	uint64_t events;	  /* see zb_analysis_event() */
	uint64_t now_ns;	  /* time of the packet being analysed, Unix epoch */
	uint64_t over_ns;	  /* no packet will come: time of any worker's last; else 0 */
};

struct zb_analysis_conf {
	struct zb_log_set *logs; /* NULL: no rows are written */
	struct zb_lcore_stat *stat;
	struct zb_weird *weird;
	const uint64_t *mem_limit; /* by enum zb_mem_kind, 0: the default; NULL: all defaults */
	uint64_t memcap_bytes;	   /* of all state; 0: none */
	uint64_t secret;	   /* of the run */
	unsigned file_hashes;	   /* enum zb_file_hash bits: of every file */
	uint16_t index;		   /* the lcore's producer number in logs */
};

/* -ENOMEM. */
int zb_analysis_init(struct zb_analysis *an, const struct zb_analysis_conf *conf);

/* Ends files that nobody adds to, and transactions of DHCP. */
void zb_analysis_expire(struct zb_analysis *an, uint64_t now_ns);

/* Traffic is over: writes what has been waiting for more of it and is of no connection. */
void zb_analysis_end(struct zb_analysis *an);

/* Ends files that are open; logs must still be there. */
void zb_analysis_fini(struct zb_analysis *an);

/* When Zeek, whose clock goes by packets, would see that a connection is over. */
struct zb_conn_end {
	uint64_t ns;
	bool is_last; /* nothing came after it: it was the traffic that ended */
};

/*
 * Of c, which has ended; now_ns: time of this worker's newest packet. Searches the trace, unless
 * the traffic was over before.
 */
struct zb_conn_end zb_analysis_conn_end(const struct zb_analysis *an, const struct zb_conn *c,
					uint64_t now_ns);

/*
 * Counts an event as Zeek would queue and process it: one that an analyzer would raise. Those of
 * connections, files and weirds are counted in total (zb_timer_count()).
 */
static inline void zb_analysis_event(struct zb_analysis *an)
{
	an->events++;
}

#endif
