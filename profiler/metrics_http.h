/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_http.h - serves the metrics of a run at /metrics, by libmicrohttpd on a thread of its own
 *
 * Whoever may connect may be hostile: at most 16 connections at a time, each for one request of at
 * most 16 KiB and for ten seconds in all; nothing but GET and HEAD of /metrics and / is answered
 * with more than a status. Text is made ten times a second at most, however often it is asked for.
 *
 * Threading: the calls come from one thread. The server's thread runs where its creator may.
 * Errors:    0 or -errno, unsaid.
 */
#ifndef ZB_PROFILER_METRICS_HTTP_H
#define ZB_PROFILER_METRICS_HTTP_H

#include "profiler/metrics.h"

#define ZB_METRICS_CONNS_MAX	 16
#define ZB_METRICS_REQUEST_BYTES (16u * 1024)
#define ZB_METRICS_DEADLINE_S	 10.0
#define ZB_METRICS_FRESH_S	 0.1

/*
 * Takes an address: ADDR:PORT or [ADDR]:PORT, numeric, the port from 1. *fd listens; a client that
 * connects waits until the server is started. -EINVAL: no address. -EADDRINUSE and others as
 * bind(2) has them.
 */
int zb_metrics_listen(const char *address, int *fd);

struct zb_metrics_http; /* opaque */

/* Answers on fd, which stays the caller's and open. m must outlive the server. */
int zb_metrics_http_start(int fd, struct zb_metrics *m, struct zb_metrics_http **out);

/* The next answer is made afresh: after the last figures. */
void zb_metrics_http_fresh(struct zb_metrics_http *h);

/* Ends connections and the thread; h may be NULL. */
void zb_metrics_http_stop(struct zb_metrics_http *h);

#endif
