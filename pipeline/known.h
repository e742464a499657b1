/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known.h - known_hosts.log and known_services.log: local hosts and services, each once a day
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_KNOWN_H
#define ZB_PIPELINE_KNOWN_H

#include "pipeline/session.h"

struct zb_known; /* opaque */

/* -ENOMEM. */
int zb_known_create(struct zb_analysis *an, struct zb_known **out);
void zb_known_destroy(struct zb_known *k);

/* A TCP connection has been established. */
void zb_known_host(struct zb_known *k, const struct zb_conn *c);

/* An analyzer of a connection has confirmed. */
void zb_known_service(struct zb_known *k, const struct zb_session *s);

/* A connection is over, after its analyzers have ended; now_ns: when that was noticed. */
void zb_known_conn_end(struct zb_known *k, struct zb_conn *c, uint64_t now_ns);

#endif
