/* SPDX-License-Identifier: Apache-2.0 */
/* ssh_log.c - ssh.log: fields and rows (Zeek 8: scripts/base/protocols/ssh) */
#include <string.h>

#include "pipeline/analyzers/ssh_info.h"
#include "pipeline/local_net.h"
#include "pipeline/row_id.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"version", ZB_T_COUNT},
	{"auth_success", ZB_T_BOOL},
	{"auth_attempts", ZB_T_COUNT},
	{"direction", ZB_T_ENUM},
	{"client", ZB_T_STRING},
	{"server", ZB_T_STRING},
	{"cipher_alg", ZB_T_STRING},
	{"mac_alg", ZB_T_STRING},
	{"compression_alg", ZB_T_STRING},
	{"kex_alg", ZB_T_STRING},
	{"host_key_alg", ZB_T_STRING},
	{"host_key_fingerprint", ZB_T_STRING},
};
const struct zb_row_def zb_ssh_log_def = {
	.path = "ssh",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};

enum { KIND_1, KIND_2, KIND_199, KIND_NONE };

static unsigned kind_of(const struct zb_ssh_text *t)
{
	if (t->n < 5)
		return KIND_NONE;
	if (t->d[4] == '2')
		return KIND_2;
	if (t->d[4] != '1')
		return KIND_NONE;
	return t->n > 7 && t->d[6] == '9' && t->d[7] == '9' ? KIND_199 : KIND_1;
}

/* Both sides' identifications settle the version; 0: on none. */
static void put_version(struct zb_row *r, const struct zb_ssh_info *s)
{
	unsigned a = kind_of(&s->banner[0]), b = kind_of(&s->banner[1]);

	if (a == KIND_NONE || b == KIND_NONE)
		zb_row_unset(r);
	else if (a == KIND_199 && b == KIND_199)
		zb_row_count(r, 2);
	else if (a == KIND_199 || b == KIND_199)
		zb_row_count(r, (a == KIND_199 ? b : a) == KIND_2 ? 2 : 1);
	else
		zb_row_count(r, a != b ? 0 : a == KIND_2 ? 2 : 1);
}

static void put_direction(struct zb_row *r, const struct zb_conn *c)
{
	bool orig = zb_local_net(zb_conn_addr(c, ZB_ORIG), c->key.ip_version);
	bool resp = zb_local_net(zb_conn_addr(c, ZB_RESP), c->key.ip_version);

	if (orig == resp)
		zb_row_unset(r);
	else if (orig)
		zb_row_word(r, "OUTBOUND", 8);
	else
		zb_row_word(r, "INBOUND", 7);
}

static void put_text(struct zb_row *r, const struct zb_ssh_text *t, bool is_set)
{
	if (is_set)
		zb_row_string(r, t->d, t->n);
	else
		zb_row_unset(r);
}

void zb_ssh_row(struct zb_analyzer *a, const struct zb_ssh_info *s)
{
	size_t strings = s->banner[0].n + s->banner[1].n + sizeof(s->fingerprint) + 16;
	struct zb_row r;

	for (unsigned i = 0; i < ZB_SSH_ALG_NR; i++)
		strings += s->alg[i].n;
	if (!zb_analyzer_row(a, ZB_LOG_SSH, s->ts_ns, strings, &r))
		return;
	put_version(&r, s);
	if (s->has_result)
		zb_row_bool(&r, s->success);
	else
		zb_row_unset(&r);
	zb_row_count(&r, s->attempts);
	put_direction(&r, zb_analyzer_conn(a));
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++)
		put_text(&r, &s->banner[side], s->has_banner[side]);
	for (unsigned i = 0; i < ZB_SSH_ALG_NR; i++)
		put_text(&r, &s->alg[i], s->agreed);
	if (s->fingerprint[0] != '\0')
		zb_row_string(&r, s->fingerprint, strlen(s->fingerprint));
	else
		zb_row_unset(&r);
	zb_analyzer_row_end(a, ZB_LOG_SSH, &r);
}
