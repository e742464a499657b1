/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs.h - the log streams of a run, in the order of their port numbers
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_LOGS_H
#define ZB_PIPELINE_LOGS_H

#include "profiler/log_set.h"

enum zb_log_stream {
	ZB_LOG_CONN,
	ZB_LOG_WEIRD,
	ZB_LOG_ENGINE_NR, /* streams that workers write; the rest is the reporter's */
	ZB_LOG_STATS = ZB_LOG_ENGINE_NR,
	ZB_LOG_LCORE,
	ZB_LOG_NR
};

extern const struct zb_row_def zb_conn_log_def, zb_weird_log_def;

#endif
