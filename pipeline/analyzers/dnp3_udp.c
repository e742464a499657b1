/* SPDX-License-Identifier: Apache-2.0 */
/* dnp3_udp.c - placeholder */
#include "pipeline/analyzer.h"

const struct zb_analyzer_def zb_analyzer_dnp3_udp = {
	.name = "dnp3_udp",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
};
