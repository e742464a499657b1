/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_priv.h - what the files of the option parser share
 */
#ifndef ZB_BENCH_OPTIONS_PRIV_H
#define ZB_BENCH_OPTIONS_PRIV_H

#include <stdio.h>
#include "bench/options.h"

/* Checks text and stores it at the option's place in conf. 0, or -EINVAL, said. */
int zb_opt_store(const struct zb_opt *o, const char *text, void *conf);

/* Writes help to f, which zb_opt_help() sets to stdout. */
void zb_opt_help_print(const struct zb_command *c, FILE *f);

/*
 * Prints text and a newline, from column at on, broken between words so that no line passes 80
 * columns; further lines begin at column indent.
 */
void zb_opt_print_wrapped(FILE *f, const char *text, int at, int indent);

#endif
