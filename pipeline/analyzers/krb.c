/* SPDX-License-Identifier: Apache-2.0 */
/* krb.c - placeholder */
#include "pipeline/analyzer.h"

const struct zb_analyzer_def zb_analyzer_krb = {
	.name = "krb",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
};
