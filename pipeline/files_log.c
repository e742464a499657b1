/* SPDX-License-Identifier: Apache-2.0 */
/* files_log.c - files.log: fields */
#include "pipeline/logs.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
};
const struct zb_row_def zb_files_log_def = {
	.path = "files",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};
