/* SPDX-License-Identifier: Apache-2.0 */
/* http_log.c - http.log: fields (Zeek 8: scripts/base/protocols/http) */
#include "pipeline/logs.h"
#include "pipeline/row_id.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"trans_depth", ZB_T_COUNT},
	{"method", ZB_T_STRING},
	{"host", ZB_T_STRING},
	{"uri", ZB_T_STRING},
	{"referrer", ZB_T_STRING},
	{"version", ZB_T_STRING},
	{"user_agent", ZB_T_STRING},
	{"origin", ZB_T_STRING},
	{"request_body_len", ZB_T_COUNT},
	{"response_body_len", ZB_T_COUNT},
	{"status_code", ZB_T_COUNT},
	{"status_msg", ZB_T_STRING},
	{"info_code", ZB_T_COUNT},
	{"info_msg", ZB_T_STRING},
	{"tags", ZB_T_SET_ENUM},
	{"username", ZB_T_STRING},
	{"password", ZB_T_STRING},
	{"proxied", ZB_T_SET_STRING},
	{"orig_fuids", ZB_T_VECTOR_STRING},
	{"orig_filenames", ZB_T_VECTOR_STRING},
	{"orig_mime_types", ZB_T_VECTOR_STRING},
	{"resp_fuids", ZB_T_VECTOR_STRING},
	{"resp_filenames", ZB_T_VECTOR_STRING},
	{"resp_mime_types", ZB_T_VECTOR_STRING},
};
const struct zb_row_def zb_http_log_def = {
	.path = "http",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};
