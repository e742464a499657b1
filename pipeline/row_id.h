/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_id.h - the fields that most rows begin with: uid, id.orig_h, id.orig_p, id.resp_h, id.resp_p
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_ROW_ID_H
#define ZB_PIPELINE_ROW_ID_H

#include "pipeline/conn.h"
#include "pipeline/uid.h"
#include "profiler/row.h"

#define ZB_ROW_ID_BYTES ZB_UID_MAX /* of strings, for zb_log_row() */

/* The fields that zb_row_id() gives values to. */
/* clang-format off */
#define ZB_ROW_ID_FIELDS                                                  \
	{"uid", ZB_T_STRING},                                             \
	{"id.orig_h", ZB_T_ADDR}, {"id.orig_p", ZB_T_PORT},               \
	{"id.resp_h", ZB_T_ADDR}, {"id.resp_p", ZB_T_PORT}
/* clang-format on */

static inline void zb_row_addr(struct zb_row *r, const uint8_t *a, unsigned ip_version)
{
	if (ip_version == 4)
		zb_row_addr4(r, a);
	else
		zb_row_addr6(r, a);
}

/* secret: of the run, as in zb_uid_format(). */
static inline void zb_row_id(struct zb_row *r, const struct zb_conn *c, uint64_t secret)
{
	char uid[ZB_UID_MAX];

	zb_row_word(r, uid, zb_uid_format(uid, 'C', c->uid_seq, secret));
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		zb_row_addr(r, zb_conn_addr(c, side), c->key.ip_version);
		zb_row_port(r, zb_conn_port(c, side));
	}
}

#endif
