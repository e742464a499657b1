/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files_log.c - files.log: fields and rows, one per file and connection
 *
 * Source: Zeek, base/frameworks/files/main.zeek, base/files/{hash,extract}/main.zeek.
 */
#include <string.h>

#include "pipeline/file_priv.h"
#include "pipeline/local_net.h"
#include "pipeline/logs.h"
#include "pipeline/row_id.h"
#include "pipeline/meter.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	{"fuid", ZB_T_STRING},
	ZB_ROW_ID_FIELDS,
	{"source", ZB_T_STRING},
	{"depth", ZB_T_COUNT},
	{"analyzers", ZB_T_SET_STRING},
	{"mime_type", ZB_T_STRING},
	{"filename", ZB_T_STRING},
	{"duration", ZB_T_INTERVAL},
	{"local_orig", ZB_T_BOOL},
	{"is_orig", ZB_T_BOOL},
	{"seen_bytes", ZB_T_COUNT},
	{"total_bytes", ZB_T_COUNT},
	{"missing_bytes", ZB_T_COUNT},
	{"overflow_bytes", ZB_T_COUNT},
	{"timedout", ZB_T_BOOL},
	{"parent_fuid", ZB_T_STRING},
	{"md5", ZB_T_STRING},
	{"sha1", ZB_T_STRING},
	{"sha256", ZB_T_STRING},
	{"extracted", ZB_T_STRING},
	{"extracted_cutoff", ZB_T_BOOL},
	{"extracted_size", ZB_T_COUNT},
};
const struct zb_row_def zb_files_log_def = {
	.path = "files",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};

/* fuid, the names of the analyzers, three hashes, a MIME type. */
#define STRING_BYTES (ZB_FUID_MAX + ZB_ROW_ID_BYTES + 64 + 32 + 40 + 64 + 128)

/* What Zeek would run over the file: the hashes, and what its type is registered for. */
static void write_analyzers(const struct zb_file *f, struct zb_row *r)
{
	static const struct {
		const char *mime, *name;
	} by_type[] = {
		{"application/x-dosexec", "PE"},
		{"application/ocsp-response", "OCSP_REPLY"},
	};
	static const char *const sum[ZB_SUM_NR] = {"MD5", "SHA1", "SHA256"};
	const char *s[ZB_SUM_NR + 1];
	size_t len[ZB_SUM_NR + 1], n = 0;

	for (unsigned i = 0; i < ZB_SUM_NR; i++)
		if (f->set->hashes & 1u << i)
			s[n++] = sum[i];
	for (unsigned i = 0; f->mime != NULL && i < sizeof(by_type) / sizeof(by_type[0]); i++)
		if (strcmp(f->mime, by_type[i].mime) == 0)
			s[n++] = by_type[i].name;
	for (size_t i = 0; i < n; i++)
		len[i] = strlen(s[i]);
	zb_row_strings(r, s, len, n);
}

static void write_text(struct zb_row *r, const char *s, size_t n)
{
	if (s != NULL)
		zb_row_string(r, s, n);
	else
		zb_row_unset(r);
}

static void write_conn(const struct zb_file *f, const struct zb_file_conn *c, struct zb_row *r)
{
	char uid[ZB_UID_MAX];

	zb_row_word(r, uid, zb_uid_format(uid, 'C', c->uid_seq, f->set->an->secret));
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		zb_row_addr(r, c->addr[side], c->ip_version);
		zb_row_port(r, c->port[side]);
	}
}

static void write_sums(const struct zb_file *f, struct zb_row *r)
{
	char text[64];

	for (unsigned i = 0; i < ZB_SUM_NR; i++) {
		if (f->hashed & 1u << i)
			zb_row_word(r, text, zb_file_hash_text(f->h, i, text));
		else
			zb_row_unset(r);
	}
}

static void write_row(const struct zb_file *f, const struct zb_file_conn *c, struct zb_row *r)
{
	const uint8_t *sender = c->addr[f->is_orig ? ZB_ORIG : ZB_RESP];
	char fuid[ZB_FUID_MAX];

	zb_row_time(r, f->begin_ns);
	zb_row_word(r, fuid, zb_file_fuid(f, fuid));
	write_conn(f, c, r);
	zb_row_word(r, f->source, strlen(f->source));
	zb_row_count(r, f->depth);
	write_analyzers(f, r);
	write_text(r, f->mime, f->mime != NULL ? strlen(f->mime) : 0);
	write_text(r, f->name, f->name_n);
	zb_row_interval(r, (int64_t)(f->last_ns - f->begin_ns));
	zb_row_bool(r, zb_local_net(sender, c->ip_version));
	zb_row_bool(r, f->is_orig);
	zb_row_count(r, f->seen);
	if (f->total != ZB_FILE_SIZE_UNSET)
		zb_row_count(r, f->total);
	else
		zb_row_unset(r);
	zb_row_count(r, f->missing);
	zb_row_count(r, f->overflow);
	zb_row_bool(r, f->timedout);
	zb_row_unset(r);
	write_sums(f, r);
	for (unsigned i = 0; i < 3; i++)
		zb_row_unset(r);
}

void zb_file_log(struct zb_file *f)
{
	struct zb_log_port *port = f->set->an->port[ZB_LOG_FILES];
	struct zb_row r;

	if (port == NULL || f->no_log)
		return;
	uint8_t was = zb_meter_enter(f->set->an, ZB_METER_ROWS + ZB_LOG_FILES);

	for (const struct zb_file_conn *c = &f->conn; c != NULL; c = c->next) {
		if (!zb_log_row(port, STRING_BYTES + f->name_n, &r))
			continue;
		write_row(f, c, &r);
		zb_log_commit(port, &r);
	}
	zb_meter_leave(f->set->an, was);
}
