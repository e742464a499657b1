/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_report.h - what a run says on the terminal when it is over: table, ledger, memory
 *
 * Threading: main only.
 */
#ifndef ZB_BENCH_RUN_REPORT_H
#define ZB_BENCH_RUN_REPORT_H

#include <stdio.h>

#include "bench/pass.h"

/* The table: a line per lcore and one for the whole. */
void zb_report_table(const struct zb_pass_result *r, double tsc_hz, FILE *f);

/* Where every packet went, and what is left over by the accounting law. */
void zb_report_ledger(const struct zb_pass_result *r, FILE *f);
/* Open loop: how late packets were analysed, and put into their queues. */
void zb_report_lag(const struct zb_pass_result *r, bool fed, FILE *f);

/* Live: the devices, and what they counted. */
void zb_report_devices(const struct zb_pass_result *r, FILE *f);

/* Largest holders of memory by function. */
void zb_report_holders(const struct zb_heap_holder *h, unsigned n, uint64_t total, FILE *f);

/* "361.0 MB", "1.2 GB": powers of ten, as capture tools count. */
char *zb_report_bytes(uint64_t bytes, char *buf, size_t size);

/* Sum of all lcores' statistics. */
void zb_report_sum(const struct zb_pass_result *r, struct zb_lcore_stat *sum);

#endif
