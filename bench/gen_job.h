/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_job.h - what `zbench gen` was asked for, as one stream: a profile or a trace, behind a tap
 *
 * Threading: main only.
 * Errors:    -EINVAL and others, said once.
 */
#ifndef ZB_BENCH_GEN_JOB_H
#define ZB_BENCH_GEN_JOB_H

#include "bench/gen_sessions.h"
#include "bench/gen_tap.h"

struct zb_gen_job_conf {
	const char *profile;	  /* a name, or a file of YAML */
	const char *pcap;	  /* instead of a profile; NULL: none */
	const char *tap;	  /* faults; NULL: none */
	struct zb_gen_conf limit; /* all but profile */
	bool duration_given, profile_given;
	bool endless;		    /* where neither sessions nor packets are limited, they go on */
	const char *const *attacks; /* specs, see attack.h */
	unsigned attack_nr;
};

struct zb_gen_job {
	struct zb_gen_stream *stream;
	enum zb_link link;
	bool tapped;
	struct zb_tap_count tap; /* kept up to date by the stream */
};

int zb_gen_job_open(const struct zb_gen_job_conf *conf, struct zb_gen_job *job);
void zb_gen_job_close(struct zb_gen_job *job);

/* What the tap did, as lines on stdout. */
void zb_gen_job_print_tap(const struct zb_gen_job *job);

#endif
