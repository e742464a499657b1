/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ftp.c - FTP's control connection: lines, what makes them commands and replies, AUTH; see
 * ftp_priv.h
 *
 * Recognised by its ports, or by USER on one side and a greeting and what answers USER on the other
 * (RFC 959; Zeek: base/protocols/ftp/dpd.sig).
 */
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/ftp_priv.h"

#define COMMAND_MIN 3

#define IAC	255 /* telnet's: what follows is an option (RFC 854) */
#define IAC_SB	250
#define IAC_MAX 254 /* from IAC_SB + 1 on: options of three bytes */

static struct zb_text skip_blanks(struct zb_text t)
{
	while (t.n != 0 && zb_text_is_blank(*t.d))
		t = zb_text(t.d + 1, t.n - 1);
	return t;
}

static struct zb_text after(struct zb_text t, size_t n)
{
	return skip_blanks(zb_text(t.d + n, t.n - n));
}

/* Length of the telnet option at d, IAC included; of an unfinished one: all. */
static size_t option_bytes(const uint8_t *d, size_t n)
{
	if (n >= 2 && d[1] == IAC_SB) {
		size_t at = 2;

		while (at + 1 < n && !(d[at] == IAC && d[at + 1] != IAC))
			at += d[at] == IAC ? 2 : 1;
		return at + 1 < n ? at + 2 : n;
	}
	if (n >= 2 && d[1] > IAC_SB && d[1] <= IAC_MAX)
		return n < 3 ? n : 3;
	return n < 2 ? n : 2;
}

/* The line without telnet options and without its side's first NUL; returns its length. */
static size_t clean(struct ftp *f, unsigned side, const uint8_t *d, size_t n, uint8_t *out)
{
	size_t at = 0, len = 0;

	while (at < n) {
		if (d[at] == IAC && !(at + 1 < n && d[at + 1] == IAC)) {
			at += option_bytes(d + at, n - at);
			continue;
		}
		if (d[at] == '\0' && at != 0 && d[at - 1] == '\r') {
			at++;
			continue;
		}
		if (d[at] == '\0' && !f->nul_seen[side]) {
			if (!f->nul_seen[!side])
				zb_analyzer_weird(&f->base, ZB_WEIRD_NUL_in_line, NULL);
			f->nul_seen[side] = true;
			at++;
			continue;
		}
		out[len++] = d[at];
		at += d[at] == IAC ? 2 : 1;
	}
	return len;
}

static bool is_command_text(struct zb_text t)
{
	if (t.n < COMMAND_MIN)
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (t.d[i] <= ' ' || t.d[i] >= 0x7f)
			return false;
	return true;
}

/* Letters up to white space or a NUL. */
static struct zb_text first_word(struct zb_text t)
{
	size_t n = 0;

	while (n < t.n && !zb_text_is_space(t.d[n]) && t.d[n] != '\0')
		n++;
	return zb_text(t.d, n);
}

static bool is_confirmed(const struct ftp *f)
{
	return f->base.flags & ZB_ANALYZER_CONFIRMED;
}

static void note_auth(struct ftp *f, struct zb_text command, struct zb_text arg)
{
	/* As Zeek compares: a command that AUTH begins with. */
	if (command.n > 4 || memcmp(command.d, "AUTH", command.n) != 0)
		return;
	f->auth_tls = arg.n == 3 && memcmp(arg.d, "TLS", 3) == 0;
	f->auth_gss = arg.n == 6 && memcmp(arg.d, "GSSAPI", 6) == 0;
}

/* A line of the client; false: it is none that means anything. */
static bool command_line(struct ftp *f, struct zb_text t)
{
	uint8_t upper[FTP_COMMAND_MAX];
	struct zb_text word, arg;
	char addl[24];

	t = skip_blanks(t);
	word = first_word(t);
	arg = after(t, word.n);
	if (!is_command_text(word)) {
		if (is_confirmed(f))
			zb_analyzer_weird(&f->base, ZB_WEIRD_FTP_invalid_command, NULL);
		return false;
	}
	if (word.n > FTP_COMMAND_MAX) {
		snprintf(addl, sizeof(addl), "%zu", word.n);
		if (is_confirmed(f))
			zb_analyzer_weird(&f->base, ZB_WEIRD_FTP_max_command_length_exceeded, addl);
		return false;
	}
	for (size_t i = 0; i < word.n; i++)
		upper[i] = zb_text_upper(word.d[i]);
	word.d = upper;
	zb_analyzer_confirm(&f->base);
	note_auth(f, word, arg);
	ftp_request(f, word, arg);
	return true;
}

/* What a line of the server says; code 0 where a reply goes on. False: it is no reply. */
static bool read_reply(struct ftp *f, struct zb_text *t, uint32_t *code, bool *goes_on)
{
	int digits = zb_text_code(*t);

	*goes_on = false;
	*code = digits > 0 ? (uint32_t)digits : 0;
	if (f->pending_reply != 0) {
		if (*code == f->pending_reply && t->n > 3 && t->d[3] == ' ') {
			f->pending_reply = 0;
			*t = after(*t, 3);
		} else {
			*goes_on = true;
			*code = 0;
		}
		return true;
	}
	if (*code < 100)
		return false;
	if (t->n > 3 && t->d[3] == '-') {
		f->pending_reply = (uint16_t)*code;
		*goes_on = true;
		*t = after(*t, 4);
		return true;
	}
	if (t->n > 3 && t->d[3] != ' ')
		return false;
	*t = after(*t, 3);
	return true;
}

static bool reply_line(struct ftp *f, struct zb_text t)
{
	uint32_t code;
	bool goes_on;

	if (!read_reply(f, &t, &code, &goes_on)) {
		zb_analyzer_violate(&f->base);
		return false;
	}
	if (code == 234 && f->auth_tls)
		f->is_over_to_tls = true;
	if (code == 334 && f->auth_gss && f->adat == NULL) {
		f->adat = zb_branch_open(&f->base, true);
		f->adat_begun = false;
		if (f->adat != NULL)
			zb_branch_attach(f->adat, ZB_A_tls);
	}
	ftp_reply(f, code, t, goes_on);
	return true;
}

static bool clean_line(struct ftp *f, unsigned side, struct zb_text t)
{
	bool ok = side == ZB_ORIG ? command_line(f, t) : reply_line(f, t);

	if (ok && f->adat != NULL && !f->is_over_to_tls)
		ftp_adat_line(f, side, t);
	return !f->is_over_to_tls && !(f->base.flags & ZB_ANALYZER_REMOVED);
}

static bool line(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct ftp *f = (struct ftp *)a;
	uint8_t *copy;
	bool more;

	if (n == 0)
		return true;
	if (memchr(d, '\0', n) == NULL && memchr(d, IAC, n) == NULL)
		return clean_line(f, side, zb_text(d, n));
	copy = zb_mem_get_raw(ftp_mem(f), ZB_MEM_analyzer, n);
	if (copy == NULL) {
		zb_mem_shed(ftp_mem(f), ZB_MEM_analyzer);
		return true;
	}
	size_t len = clean(f, side, d, n, copy);

	more = len == 0 || clean_line(f, side, zb_text(copy, len));
	zb_mem_put(ftp_mem(f), ZB_MEM_analyzer, copy, n);
	return more;
}

static const struct zb_text_line_kind lines = {line, FTP_LINE_MAX, false};

static void ftp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct ftp *f = (struct ftp *)a;
	struct zb_analyzer *tls;
	size_t used = 0;

	/* The reply may have been the end of a side, without the end of a line. */
	if (!f->is_over_to_tls)
		used = zb_text_line_data(&f->line[side], &lines, a, side, d, n);
	if (!f->is_over_to_tls)
		return;
	tls = zb_analyzer_attach(a, ZB_A_tls);
	zb_analyzer_done(a);
	if (tls != NULL)
		zb_analyzer_feed(tls, side, d + used, n - used);
}

static void ftp_fin(struct zb_analyzer *a, unsigned side)
{
	zb_text_line_fin(&((struct ftp *)a)->line[side], &lines, a, side);
}

static void ftp_flip(struct zb_analyzer *a)
{
	struct ftp *f = (struct ftp *)a;

	zb_text_line_swap(f->line);
	if (f->adat != NULL)
		zb_branch_flip(f->adat);
}

static void ftp_end(struct zb_analyzer *a)
{
	struct ftp *f = (struct ftp *)a;

	ftp_session_end(f);
	zb_branch_close(f->adat);
	f->adat = NULL;
	zb_text_line_free(&f->line[0], a);
	zb_text_line_free(&f->line[1], a);
}

static bool is_user(struct zb_text t)
{
	return zb_text_begins(t, "USER ");
}

/* One of two codes, and nothing else with digits. */
static bool is_code(struct zb_text t, int one, int other)
{
	int code = zb_text_code(t);

	return t.n >= 4 && !zb_text_is_digit(t.d[3]) && (code == one || code == other);
}

static bool is_asked_for_more(struct zb_text t)
{
	return is_code(t, 230, 331);
}

static enum zb_match client_match(const uint8_t *d, size_t n)
{
	return zb_text_match_lines(d, n, false, is_user);
}

static enum zb_match server_match(const uint8_t *d, size_t n)
{
	static const char one[] = "120", two[] = "220";
	size_t at = 0;
	struct zb_text t;

	while (at < n && (d[at] == ' ' || d[at] == '\r' || d[at] == '\n'))
		at++;
	t = zb_text(d + at, n - at);
	if (t.n < 4) {
		for (size_t i = 0; i < t.n && i < 3; i++)
			if (t.d[i] != one[i] && t.d[i] != two[i])
				return ZB_MATCH_NO;
		return ZB_MATCH_MORE;
	}
	if (!is_code(t, 120, 220))
		return ZB_MATCH_NO;
	return zb_text_match_lines(t.d + 3, t.n - 3, false, is_asked_for_more);
}

static const uint16_t ftp_ports[] = {21, 2811, 0};

const struct zb_analyzer_def zb_analyzer_ftp = {
	.name = "ftp",
	.state_bytes = sizeof(struct ftp),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = ftp_ports,
	.match_over = ZB_OVER_TCP,
	.match_both = true,
	.match_late = {true},
	.announces = true,
	.match = {client_match, server_match},
	.data = ftp_data,
	.fin = ftp_fin,
	.flip = ftp_flip,
	.end = ftp_end,
};
