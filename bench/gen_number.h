/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_number.h - decimal numbers as text, read without floating point: the same on every machine
 *
 * Threading: pure functions. Errors: -EINVAL: no such number; -ERANGE: too large. Nothing is said.
 */
#ifndef ZB_BENCH_GEN_NUMBER_H
#define ZB_BENCH_GEN_NUMBER_H

#include <stdint.h>

/*
 * Reads digits with an optional point at the start of text as millionths (further digits are cut
 * off); *rest is what follows.
 */
int zb_gen_millionths(const char *text, uint64_t *out, const char **rest);

/* "0.5%" as a fraction of 2^64; at most 100%, which is UINT64_MAX. */
int zb_gen_percent(const char *text, uint64_t *out);

/* "5", "0.5ms", "30us", "2s", "1m", "100ns"; without a unit it is unit_ns. */
int zb_gen_time(const char *text, uint64_t unit_ns, uint64_t *ns);

/* "1500", "64k", "1.5M", "2G": powers of ten. */
int zb_gen_amount(const char *text, uint64_t *out);

#endif
