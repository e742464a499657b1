/* SPDX-License-Identifier: Apache-2.0 */
/* mysql.c - placeholder */
#include "pipeline/analyzer.h"

const struct zb_analyzer_def zb_analyzer_mysql = {
	.name = "mysql",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
};
