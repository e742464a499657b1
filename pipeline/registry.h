/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - finds analyzers by the responder's port and by the first bytes of a stream
 *
 * Threading: made once by the engine, read by its lcore.
 */
#ifndef ZB_PIPELINE_REGISTRY_H
#define ZB_PIPELINE_REGISTRY_H

#include "pipeline/analyzer.h"

enum { ZB_VIA_TCP, ZB_VIA_UDP, ZB_VIA_NR };

struct zb_registry {
	const struct zb_analyzer_def *def[ZB_A_NR];
	/* Analyzers that match at all, by side; of those, which may begin with a byte. */
	uint64_t match_any[ZB_VIA_NR][2];
	uint64_t first_byte[ZB_VIA_NR][2][256];
	uint64_t match_both;
	uint64_t announcers;
	uint64_t ports[ZB_VIA_NR][65536 / 64]; /* bitmap: some analyzer is tried on the port */
};

/* The tables of all analyzers; NULL: memory is out. Freed by free(). */
struct zb_registry *zb_registry_create(void);

/* Analyzers tried on a port, as a set of ids. */
uint64_t zb_registry_by_port(const struct zb_registry *r, bool is_tcp, uint16_t port);

#endif
