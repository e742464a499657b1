/* SPDX-License-Identifier: Apache-2.0 */
/* dnp3_udp.c - DNP3 over UDP: recognised by a link header with the right checksum (IEEE 1815) */
#include "pipeline/analyzer.h"
#include "pipeline/analyzers/dnp3.h"

static void dnp3_udp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	(void)side;
	if (n < ZB_DNP3_HEADER_BYTES)
		return;
	if (!zb_dnp3_header_holds(d)) {
		zb_analyzer_violate(a);
		return;
	}
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
}

static const uint16_t dnp3_ports[] = {20000, 0};

const struct zb_analyzer_def zb_analyzer_dnp3_udp = {
	.name = "dnp3_udp",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
	.udp_ports = dnp3_ports,
	.data = dnp3_udp_data,
};
