/* SPDX-License-Identifier: Apache-2.0 */
/* smtp_log.c - smtp.log: fields (Zeek 8: scripts/base/protocols/smtp) */
#include "pipeline/logs.h"
#include "pipeline/row_id.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"trans_depth", ZB_T_COUNT},
	{"helo", ZB_T_STRING},
	{"mailfrom", ZB_T_STRING},
	{"rcptto", ZB_T_SET_STRING},
	{"date", ZB_T_STRING},
	{"from", ZB_T_STRING},
	{"to", ZB_T_SET_STRING},
	{"cc", ZB_T_SET_STRING},
	{"reply_to", ZB_T_STRING},
	{"msg_id", ZB_T_STRING},
	{"in_reply_to", ZB_T_STRING},
	{"subject", ZB_T_STRING},
	{"x_originating_ip", ZB_T_ADDR},
	{"first_received", ZB_T_STRING},
	{"second_received", ZB_T_STRING},
	{"last_reply", ZB_T_STRING},
	{"path", ZB_T_VECTOR_ADDR},
	{"user_agent", ZB_T_STRING},
	{"tls", ZB_T_BOOL},
	{"fuids", ZB_T_VECTOR_STRING},
};
const struct zb_row_def zb_smtp_log_def = {
	.path = "smtp",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};
