/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_conf.h - the options of `zbench run` as parsed; the files that carry a run out share it
 *
 * Threading: read-only after parsing.
 */
#ifndef ZB_BENCH_RUN_CONF_H
#define ZB_BENCH_RUN_CONF_H

#include "bench/options.h"

struct zb_run_conf {
	struct zb_opt_list pcap, iface, port, limit, attack;
	const char *synth, *tap, *cores, *gen_cores, *rate, *heap, *logs, *out, *hashes, *filter,
		*user, *fault, *metrics;
	uint64_t count, loop, sample_hz, flows_max, burst, memcap, prealloc, rx_desc, seed,
		ring_size, capture_worst, cost_pairs;
	double duration_s, stats_interval_s;
	int engine, log_format, prof_format, fanout;
	bool same_flows, ignore_checksums, logs_drop, logs_block, self_cost;
};

#endif
