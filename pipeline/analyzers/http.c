/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - placeholder */
#include "pipeline/analyzer.h"

const struct zb_analyzer_def zb_analyzer_http = {
	.name = "http",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_http,
};
