/* SPDX-License-Identifier: Apache-2.0 */
/* dns_log.c - dns.log: fields */
#include "pipeline/logs.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
};
const struct zb_row_def zb_dns_log_def = {
	.path = "dns",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};
