/* SPDX-License-Identifier: Apache-2.0 */
/* pop3.c - placeholder */
#include "pipeline/analyzer.h"

const struct zb_analyzer_def zb_analyzer_pop3 = {
	.name = "pop3",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
};
