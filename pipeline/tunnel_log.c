/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel_log.c - tunnel.log: fields */
#include "pipeline/logs.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
};
const struct zb_row_def zb_tunnel_log_def = {
	.path = "tunnel",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};
