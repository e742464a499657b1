/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest.h - guesses which name a person meant by one that does not exist
 *
 * Threading: any.
 */
#ifndef ZB_BENCH_NEAREST_H
#define ZB_BENCH_NEAREST_H

#include <limits.h>

#define ZB_NOT_NEAR UINT_MAX

/*
 * How far name is from given: typing errors (a letter too many, missing, wrong, or two swapped), or
 * 1 when given is the beginning of name. ZB_NOT_NEAR: too far to be worth showing.
 */
unsigned zb_nearest_rank(const char *given, const char *name);

#endif
