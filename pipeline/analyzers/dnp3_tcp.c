/* SPDX-License-Identifier: Apache-2.0 */
/* dnp3_tcp.c - placeholder */
#include "pipeline/analyzer.h"

const struct zb_analyzer_def zb_analyzer_dnp3_tcp = {
	.name = "dnp3_tcp",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
};
