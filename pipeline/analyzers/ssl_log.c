/* SPDX-License-Identifier: Apache-2.0 */
/* ssl_log.c - ssl.log: fields */
#include "pipeline/logs.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
};
const struct zb_row_def zb_ssl_log_def = {
	.path = "ssl",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};
