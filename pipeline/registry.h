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

#define ZB_PORT_SETS_MAX 256

struct zb_registry {
	const struct zb_analyzer_def *def[ZB_A_NR];
	/* Analyzers that match at all, by side; of those, which may begin with a byte. */
	uint64_t match_any[ZB_VIA_NR][2];
	uint64_t first_byte[ZB_VIA_NR][2][256];
	uint64_t match_both;
	uint64_t match_late[2]; /* by side; of those in match_both */
	uint64_t announcers;
	/* Sets of analyzers that are tried on a port; 0: none. By port: which of the sets. */
	uint64_t port_set[ZB_PORT_SETS_MAX];
	uint8_t set_of_port[ZB_VIA_NR][65536];
};

/* The tables of all analyzers; NULL: memory is out. Freed by free(). */
struct zb_registry *zb_registry_create(void);

/* An analyzer by its id. */
const struct zb_analyzer_def *zb_registry_def(unsigned id);

/* Analyzers tried on a port, as a set of ids. */
static inline uint64_t zb_registry_by_port(const struct zb_registry *r, bool is_tcp, uint16_t port)
{
	return r->port_set[r->set_of_port[is_tcp ? ZB_VIA_TCP : ZB_VIA_UDP][port]];
}

#endif
