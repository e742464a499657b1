/* SPDX-License-Identifier: Apache-2.0 */
/* known_hosts_log.c - known_hosts.log: fields */
#include "pipeline/logs.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
};
const struct zb_row_def zb_known_hosts_log_def = {
	.path = "known_hosts",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};
