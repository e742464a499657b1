/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate.h - what a sender was asked for and what became of it, for people and for scripts
 *
 * Threading: main only.
 * Errors:    0 or -errno, said, naming the file.
 */
#ifndef ZB_BENCH_CERTIFICATE_H
#define ZB_BENCH_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/send_loop.h"
#include "profiler/topology.h"

struct zb_certificate {
	int argc;
	char **argv;
	uint64_t start_unix_ns;
	struct zb_host host;

	const char *traffic; /* "template of 64 bytes", "office, 100000 packets" */
	const struct zb_send_loop *loop;
	const struct zb_txq *q;
	unsigned cpu;
	double duration_s; /* asked for; 0: not given */
	double lag_max_s;
	uint64_t count;	   /* asked for; 0: not given */
	uint64_t sessions; /* of a stream: begun */

	double tsc_hz;	  /* over the run, by CLOCK_MONOTONIC; the schedule used loop->tsc_hz */
	double elapsed_s; /* of the schedule or to the last departure, the later of the two */
	struct zb_tx_left left;
	struct zb_tx_stat device;
	bool interrupted, broke;
};

/* Packets or bytes scheduled of which nobody knows what became; 0 unless something is wrong. */
int64_t zb_certificate_residual(const struct zb_certificate *c);
/* All kinds together. */
struct zb_send_count zb_certificate_unsent(const struct zb_certificate *c);
/* Those that are gone: taken, and not left in the device. */
struct zb_send_count zb_certificate_sent(const struct zb_certificate *c);
/* Exit status: 0; 1 when frames are unsent or unaccounted for; 3 when it broke off. */
int zb_certificate_status(const struct zb_certificate *c);

void zb_certificate_print(const struct zb_certificate *c, FILE *f);
int zb_certificate_write(const struct zb_certificate *c, const char *path);

#endif
