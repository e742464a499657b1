/* SPDX-License-Identifier: Apache-2.0 */
/*
 * radius.c - RADIUS: recognised by a whole message of either side (RFC 2865, 3)
 */
#include "pipeline/analyzer.h"

#define HEADER_BYTES 20

static bool message_holds(const uint8_t *d, size_t n)
{
	if (n < HEADER_BYTES)
		return false;
	for (size_t at = HEADER_BYTES; at < n; at += d[at + 1])
		if (n - at < 2 || d[at + 1] < 2 || d[at + 1] > n - at)
			return false;
	return true;
}

static void radius_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	(void)side;
	if (!message_holds(d, n)) {
		zb_analyzer_violate(a);
		return;
	}
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
}

static const uint16_t radius_ports[] = {1812, 0};

const struct zb_analyzer_def zb_analyzer_radius = {
	.name = "radius",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
	.udp_ports = radius_ports,
	.data = radius_data,
};
