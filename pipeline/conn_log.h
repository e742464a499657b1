/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_log.h - the row of a finished connection
 *
 * Threading: the lcore of the connection and the port.
 */
#ifndef ZB_PIPELINE_CONN_LOG_H
#define ZB_PIPELINE_CONN_LOG_H

#include "pipeline/conn.h"
#include "pipeline/logs.h"

/* Writes the row of c, or counts it as dropped (in the port). secret makes the uid. */
void zb_conn_log_row(struct zb_log_port *port, const struct zb_conn *c, uint64_t secret);

#endif
