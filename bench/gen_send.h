/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_send.h - the part of zbench gen that transmits: its options, and the run
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_GEN_SEND_H
#define ZB_BENCH_GEN_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/gen_job.h"
#include "bench/options.h"
#include "bench/send_source.h"
#include "capture/tx.h"

struct zb_send_conf {
	const char *port, *iface, *rate, *core, *json;
	const char *pcap; /* a trace that is sent as it is; NULL: what the job makes */
	uint64_t size, count, burst, desc;
	double lag_max_s, linger_s;
	bool same_flows, on_the_fly;
};

/* Entries of a table of options; base: offset of the struct zb_send_conf in the command's conf. */
#define ZB_SEND_OPT(base, member) ((base) + offsetof(struct zb_send_conf, member))
#define ZB_SEND_OPTS(base)                                                                         \
	{NULL, 0, ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, "Sending", 0},                              \
		{"port",                                                                           \
		 0,                                                                                \
		 ZB_OPT_STRING,                                                                    \
		 "DEV",                                                                            \
		 NULL,                                                                             \
		 0,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "send through a DPDK device: 03:00.0, net_tap0",                                  \
		 ZB_SEND_OPT(base, port)},                                                         \
		{"iface",                                                                          \
		 'i',                                                                              \
		 ZB_OPT_STRING,                                                                    \
		 "IF",                                                                             \
		 NULL,                                                                             \
		 0,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "send through the kernel's interface IF",                                         \
		 ZB_SEND_OPT(base, iface)},                                                        \
		{"size",                                                                           \
		 0,                                                                                \
		 ZB_OPT_U64,                                                                       \
		 "BYTES",                                                                          \
		 NULL,                                                                             \
		 ZB_TEMPLATE_MIN,                                                                  \
		 ZB_TEMPLATE_MAX,                                                                  \
		 NULL,                                                                             \
		 "send UDP packets of this size, in --flows flows",                                \
		 ZB_SEND_OPT(base, size)},                                                         \
		{"rate",                                                                           \
		 0,                                                                                \
		 ZB_OPT_STRING,                                                                    \
		 "R",                                                                              \
		 "max",                                                                            \
		 0,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "max, 10kpps, 2.5Gbps, 4x (times their own timing)",                              \
		 ZB_SEND_OPT(base, rate)},                                                         \
		{"count",                                                                          \
		 0,                                                                                \
		 ZB_OPT_U64,                                                                       \
		 "N",                                                                              \
		 NULL,                                                                             \
		 1,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "end after N packets",                                                            \
		 ZB_SEND_OPT(base, count)},                                                        \
		{"burst",                                                                          \
		 0,                                                                                \
		 ZB_OPT_U64,                                                                       \
		 "N",                                                                              \
		 "64",                                                                             \
		 1,                                                                                \
		 ZB_TX_BURST_MAX,                                                                  \
		 NULL,                                                                             \
		 "packets handed over at once, at most",                                           \
		 ZB_SEND_OPT(base, burst)},                                                        \
		{"tx-desc",                                                                        \
		 0,                                                                                \
		 ZB_OPT_U64,                                                                       \
		 "N",                                                                              \
		 "1024",                                                                           \
		 64,                                                                               \
		 32768,                                                                            \
		 NULL,                                                                             \
		 "depth of the device's queue",                                                    \
		 ZB_SEND_OPT(base, desc)},                                                         \
		{"lag-max",                                                                        \
		 0,                                                                                \
		 ZB_OPT_SECONDS,                                                                   \
		 "S",                                                                              \
		 "10ms",                                                                           \
		 0,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "give up what is later than this",                                                \
		 ZB_SEND_OPT(base, lag_max_s)},                                                    \
		{"linger",                                                                         \
		 0,                                                                                \
		 ZB_OPT_SECONDS,                                                                   \
		 "S",                                                                              \
		 "1",                                                                              \
		 0,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "wait so long for another process to read all",                                   \
		 ZB_SEND_OPT(base, linger_s)},                                                     \
		{"same-flows",                                                                     \
		 0,                                                                                \
		 ZB_OPT_FLAG,                                                                      \
		 NULL,                                                                             \
		 NULL,                                                                             \
		 0,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "further passes keep their addresses",                                            \
		 ZB_SEND_OPT(base, same_flows)},                                                   \
		{"on-the-fly",                                                                     \
		 0,                                                                                \
		 ZB_OPT_FLAG,                                                                      \
		 NULL,                                                                             \
		 NULL,                                                                             \
		 0,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "make packets while they are sent: no passes",                                    \
		 ZB_SEND_OPT(base, on_the_fly)},                                                   \
		{"core",                                                                           \
		 0,                                                                                \
		 ZB_OPT_STRING,                                                                    \
		 "CPU",                                                                            \
		 NULL,                                                                             \
		 0,                                                                                \
		 0,                                                                                \
		 NULL,                                                                             \
		 "where to send from",                                                             \
		 ZB_SEND_OPT(base, core)},                                                         \
	{                                                                                          \
		"json", 0, ZB_OPT_STRING, "FILE", NULL, 0, 0, NULL, "write the certificate there", \
			ZB_SEND_OPT(base, json)                                                    \
	}

/* What the rest of the command knows. */
struct zb_send_job {
	const struct zb_send_conf *conf;
	const char *out;     /* folder for certificate.json; NULL: none */
	double duration_s;   /* 0: not given */
	uint64_t flows;	     /* of --size; 0: not given */
	const char *profile; /* its name */
	bool from_pcap;
	const struct zb_gen_job_conf *made; /* what is sent when there is no size and no pcap */
	int argc;
	char **argv;
};

/* True when --port or --iface was given. */
bool zb_send_wanted(const struct zb_send_conf *conf);
/* Sends; returns the exit status. */
int zb_send_run(const struct zb_send_job *job);

#endif
