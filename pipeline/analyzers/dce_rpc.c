/* SPDX-License-Identifier: Apache-2.0 */
/* dce_rpc.c - placeholder */
#include "pipeline/analyzer.h"

const struct zb_analyzer_def zb_analyzer_dce_rpc = {
	.name = "dce_rpc",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
};
