/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_gen.c - what a frame of synthetic traffic costs: profiles, a merge, a tap
 *
 * bench_gen [ROUNDS]: each round pulls 100,000 frames of each stream; the quickest round is
 * printed.
 */
#include <stdio.h>
#include <string.h>

#include "bench/gen_sessions.h"
#include "bench/gen_tap.h"
#include "bench/profile.h"
#include "micro.h"

#define FRAMES	       100000u
#define ROUNDS_DEFAULT 20

static const struct {
	const char *name, *yaml, *tap;
} cases[] = {
	{"gen_packets_64", "streams: [{kind: packets, sizes: 64, rate: 1Mpps}]", NULL},
	{"gen_packets_1m_flows",
	 "streams: [{kind: packets, sizes: 64, rate: 1Mpps, flows: 1048576}]", NULL},
	{"gen_packets_imix_poisson_zipf",
	 "streams: [{kind: packets, sizes: {64: 7, 570: 4, 1518: 1}, rate: 1Mpps, gaps: poisson, "
	 "flows: 10k, popularity: 1}]",
	 NULL},
	{"gen_sessions_syn_only", "streams: [{kind: sessions, rate: 1M, mix: [{kind: rejected}]}]",
	 NULL},
	{"gen_sessions_http_1k_at_once",
	 "streams: [{kind: sessions, at_once: 1k, mix: [{kind: http, size: 10k}]}]", NULL},
	{"gen_sessions_mix_100k_at_once",
	 "streams: [{kind: sessions, at_once: 100k, mix: [{kind: dns}, {kind: tls}, {kind: "
	 "http}]}]",
	 NULL},
	{"gen_merge_of_4",
	 "streams:\n"
	 " - {kind: packets, sizes: 64, rate: 1Mpps}\n"
	 " - {kind: packets, sizes: 64, rate: 1Mpps}\n"
	 " - {kind: packets, sizes: 64, rate: 1Mpps}\n"
	 " - {kind: packets, sizes: 64, rate: 1Mpps}\n",
	 NULL},
	{"gen_tap_loss", "streams: [{kind: packets, sizes: 64, rate: 1Mpps}]", "loss=1%,burst=4"},
	{"gen_tap_reorder_skew", "streams: [{kind: packets, sizes: 64, rate: 1Mpps, flows: 99}]",
	 "reorder=1%,skew=1"},
};

static struct zb_gen_stream *open_case(unsigned i, struct zb_tap_count *count)
{
	struct zb_gen_conf limit = {.duration_ns = 86400000000000ull, .seed = 1};
	struct zb_gen_stream *s;
	struct zb_tap_conf tap;
	struct zb_profile *p;

	if (zb_profile_read(cases[i].name, cases[i].yaml, strlen(cases[i].yaml), &p) < 0)
		return NULL;
	if (zb_profile_open(p, &limit, &s) < 0) {
		zb_profile_free(p);
		return NULL;
	}
	if (cases[i].tap != NULL &&
	    (zb_tap_parse("tap", cases[i].tap, &tap) < 0 || zb_tap_open(s, &tap, count, &s) < 0)) {
		zb_gen_stream_free(s);
		return NULL;
	}
	return s;
}

int main(int argc, char **argv)
{
	unsigned rounds = micro_rounds(argc, argv, ROUNDS_DEFAULT);
	static struct zb_gen_frame f;

	if (rounds == 0)
		return 2;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zb_tap_count count;
		struct zb_gen_stream *s = open_case(i, &count);
		uint64_t best = UINT64_MAX, ts_ns;

		if (s == NULL)
			return 2;
		/* The first round takes memory and fills what is at once; it is not the quickest.
		 */
		for (unsigned r = 0; r <= rounds; r++) {
			uint64_t t = rte_rdtsc();

			for (uint32_t n = 0; n < FRAMES; n++)
				if (zb_gen_stream_next(s, &f, &ts_ns) != 1)
					return 2;
			t = rte_rdtsc() - t;
			best = t < best ? t : best;
		}
		zb_gen_stream_free(s);
		micro_print(cases[i].name, "frame", (double)best / FRAMES);
	}
	return 0;
}
