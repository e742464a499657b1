/* SPDX-License-Identifier: Apache-2.0 */
/* ftp_log.c - ftp.log: fields, and the row of a command (Zeek 8: base/protocols/ftp/info.zeek) */
#include <string.h>

#include "pipeline/analyzers/ftp_priv.h"
#include "pipeline/logs.h"
#include "pipeline/row_id.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"user", ZB_T_STRING},
	{"password", ZB_T_STRING},
	{"command", ZB_T_STRING},
	{"arg", ZB_T_STRING},
	{"mime_type", ZB_T_STRING},
	{"file_size", ZB_T_COUNT},
	{"reply_code", ZB_T_COUNT},
	{"reply_msg", ZB_T_STRING},
	{"data_channel.passive", ZB_T_BOOL},
	{"data_channel.orig_h", ZB_T_ADDR},
	{"data_channel.resp_h", ZB_T_ADDR},
	{"data_channel.resp_p", ZB_T_PORT},
	{"fuid", ZB_T_STRING},
};
const struct zb_row_def zb_ftp_log_def = {
	.path = "ftp",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};

#define MIME_BYTES 128

static const char *const logged[] = {"APPE", "DELE", "RETR", "STOR", "STOU",
				     "ACCT", "PORT", "PASV", "EPRT", "EPSV"};

static bool has_row(const struct ftp_pending *p)
{
	for (size_t i = 0; i < sizeof(logged) / sizeof(logged[0]); i++)
		if (p->command_n == 4 && memcmp(p->text, logged[i], 4) == 0)
			return true;
	return false;
}

static void write_text(struct zb_row *r, bool is_set, const void *d, size_t n)
{
	if (is_set)
		zb_row_string(r, n != 0 ? d : "", n);
	else
		zb_row_unset(r);
}

static void write_user(const struct ftp *f, struct zb_row *r)
{
	static const char unknown[] = "<unknown>", hidden[] = "<hidden>";

	if (f->has_user)
		write_text(r, true, f->user, f->user_n);
	else
		write_text(r, true, unknown, sizeof(unknown) - 1);
	if (f->hidden)
		write_text(r, true, hidden, sizeof(hidden) - 1);
	else
		write_text(r, f->has_password, f->password, f->password_n);
}

static void write_reply(const struct ftp *f, struct zb_row *r)
{
	if (f->has_reply)
		zb_row_count(r, f->reply_code);
	else
		zb_row_unset(r);
	write_text(r, f->has_reply, f->reply.d, f->reply.n);
}

static void write_channel(const struct ftp_channel *c, struct zb_row *r)
{
	if (!c->is_set) {
		for (unsigned i = 0; i < 4; i++)
			zb_row_unset(r);
		return;
	}
	zb_row_bool(r, c->passive);
	zb_row_addr(r, c->orig, c->orig_version);
	zb_row_addr(r, c->resp.addr, c->resp.ip_version);
	zb_row_port(r, c->resp.port);
}

void ftp_log(struct ftp *f, const struct ftp_pending *p, struct zb_text arg)
{
	size_t bytes =
		FTP_NAME_MAX * 2 + p->command_n + arg.n + MIME_BYTES + f->reply.n + ZB_FUID_MAX;
	const char *mime = NULL;
	struct zb_row r;

	if (!has_row(p) || !zb_analyzer_row(&f->base, ZB_LOG_FTP, p->ts_ns, bytes, &r))
		return;
	if (f->note != NULL)
		mime = ftp_note_mime(f->note, zb_analyzer_now_ns(&f->base));
	write_user(f, &r);
	zb_row_word(&r, (const char *)p->text, p->command_n);
	write_text(&r, arg.n != 0, arg.d, arg.n);
	write_text(&r, mime != NULL, mime, mime != NULL ? strlen(mime) : 0);
	if (f->has_size)
		zb_row_count(&r, f->size);
	else
		zb_row_unset(&r);
	write_reply(f, &r);
	write_channel(&f->channel, &r);
	write_text(&r, f->note != NULL && f->note->fuid_n != 0,
		   f->note != NULL ? f->note->fuid : NULL, f->note != NULL ? f->note->fuid_n : 0);
	zb_analyzer_row_end(&f->base, ZB_LOG_FTP, &r);
}
