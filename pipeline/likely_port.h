/* SPDX-License-Identifier: Apache-2.0 */
/*
 * likely_port.h - ports that servers are likely to listen on, as Zeek's analyzers register them
 *
 * They decide who the originator is when a connection's first packet does not say.
 *
 * Threading: pure function over a constant table.
 */
#ifndef ZB_PIPELINE_LIKELY_PORT_H
#define ZB_PIPELINE_LIKELY_PORT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

extern const uint64_t zb_likely_tcp[1024], zb_likely_udp[1024];

static inline bool zb_likely_port(uint8_t proto, uint16_t port)
{
	const uint64_t *map = proto == IPPROTO_TCP ? zb_likely_tcp : zb_likely_udp;

	return map[port / 64] >> (port % 64) & 1;
}

#endif
