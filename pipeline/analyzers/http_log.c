/* SPDX-License-Identifier: Apache-2.0 */
/* http_log.c - http.log: fields */
#include "pipeline/logs.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
};
const struct zb_row_def zb_http_log_def = {
	.path = "http",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};
