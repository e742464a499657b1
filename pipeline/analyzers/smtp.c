/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp.c - SMTP: lines of both sides, commands and replies in pairs, the state they lead to
 * (RFC 5321, 2920, 3207, 4954; Zeek: src/analyzer/protocol/smtp, base/protocols/smtp/main.zeek)
 *
 * Commands may be sent without waiting for replies, and one of the sides may not have been seen at
 * all. So a command changes the state as if it will succeed, and its reply corrects that.
 */
#include <string.h>

#include "pipeline/analyzers/smtp_priv.h"

#define LINE_BYTES_MAX 262144

static struct zb_mem *mem_of(struct smtp *s)
{
	return &zb_analyzer_analysis(&s->base)->mem;
}

static bool is_sender(const struct smtp *s, unsigned side)
{
	return (side == ZB_ORIG) != s->is_turned;
}

/* Remembers a command until its reply comes. */
static void push_command(struct smtp *s, enum smtp_command c)
{
	if (s->first == SMTP_UNKNOWN) {
		s->first = (uint8_t)c;
		return;
	}
	if (s->pending_nr == SMTP_PENDING_MAX) {
		zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_excessive_pending_cmds, NULL);
		s->pending_nr = 0;
	}
	if (s->pending == NULL)
		s->pending = zb_mem_get_raw(mem_of(s), s->base.def->mem, SMTP_PENDING_MAX);
	if (s->pending == NULL) {
		zb_mem_shed(mem_of(s), s->base.def->mem);
		return;
	}
	s->pending[(s->pending_at + s->pending_nr++) % SMTP_PENDING_MAX] = (uint8_t)c;
}

/* The command that a reply is to. */
static enum smtp_command pop_command(struct smtp *s)
{
	s->replied = s->first;
	s->first = SMTP_UNKNOWN;
	if (s->pending_nr != 0) {
		s->first = s->pending[s->pending_at];
		s->pending_at = (uint16_t)((s->pending_at + 1) % SMTP_PENDING_MAX);
		s->pending_nr--;
	}
	return s->replied;
}

static void begin_data(struct smtp *s, unsigned side)
{
	s->state = SMTP_IN_DATA;
	smtp_mail_begin(s, side);
}

/* DATA was refused. */
static void refuse_data(struct smtp *s)
{
	if (s->state == SMTP_IN_DATA)
		smtp_mail_end(s);
	s->state = SMTP_AT_COMMAND;
}

/* A command was sent by side. */
static void sent(struct smtp *s, enum smtp_command c, unsigned side)
{
	switch (c) {
	case SMTP_EHLO:
	case SMTP_HELO:
	case SMTP_MAIL:
	case SMTP_SEND:
	case SMTP_SOML:
	case SMTP_SAML:
	case SMTP_RCPT:
	case SMTP_BDAT:
	case SMTP_RSET:
	case SMTP_QUIT: s->state = SMTP_AT_COMMAND; break;
	case SMTP_DATA: begin_data(s, side); break;
	case SMTP_END_OF_DATA:
		smtp_mail_end(s);
		s->state = SMTP_AT_COMMAND;
		break;
	default: break;
	}
}

static bool is_one_of(unsigned code, const uint16_t *codes)
{
	while (*codes != 0 && *codes != code)
		codes++;
	return *codes != 0;
}

/* The reply to a command has come from side. */
static void replied(struct smtp *s, enum smtp_command c, unsigned code, unsigned side)
{
	static const uint16_t greeting[] = {421, 554, 0}, hello[] = {421, 500, 501, 504, 550, 0},
			      mail[] = {421, 451, 452, 500, 501, 503, 550, 552, 553, 0};

	switch (c) {
	case SMTP_CONNECT:
		if (is_one_of(code, greeting))
			s->state = SMTP_AT_COMMAND;
		break;
	case SMTP_EHLO:
	case SMTP_HELO:
		if (is_one_of(code, hello))
			s->state = SMTP_AT_COMMAND;
		break;
	case SMTP_MAIL:
	case SMTP_SEND:
	case SMTP_SOML:
	case SMTP_SAML:
		if (is_one_of(code, mail) && s->state != SMTP_IN_DATA)
			s->state = SMTP_AT_COMMAND;
		break;
	case SMTP_DATA:
		if (code != 354)
			refuse_data(s);
		break;
	case SMTP_END_OF_DATA: s->state = SMTP_AT_COMMAND; break;
	case SMTP_AUTH:
	case SMTP_AUTH_ANSWER: s->state = code == 334 ? SMTP_IN_AUTH : SMTP_AT_COMMAND; break;
	case SMTP_TURN:
		if (code == 250) {
			s->is_turned = !s->is_turned;
			s->state = SMTP_AT_COMMAND;
		}
		break;
	case SMTP_STARTTLS:
	case SMTP_X_ANONYMOUSTLS:
		if (code == 220) {
			s->state = SMTP_IN_TLS;
			smtp_info_tls(s);
		}
		break;
	case SMTP_RCPT:
	case SMTP_BDAT:
	case SMTP_RSET:
	case SMTP_QUIT: break;
	default:
		if (s->state == SMTP_GAP_RECOVERY && code == 354)
			begin_data(s, side);
		break;
	}
}

/* Of a transaction whose commands are not in order; after too many nothing more is read. */
static void out_of_order(struct smtp *s, const char *addl)
{
	zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_mail_transaction_invalid, addl);
	if (++s->invalid_nr <= SMTP_INVALID_MAX)
		return;
	zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_excessive_invalid_mail_transactions, NULL);
	zb_analyzer_done(&s->base);
}

/* A command, as base/protocols/smtp/main.zeek looks at it. */
static void request(struct smtp *s, enum smtp_command c, struct zb_text arg)
{
	zb_analyzer_confirm(&s->base);
	smtp_info_command(s, c, arg);
	switch (c) {
	case SMTP_MAIL:
		if (!zb_text_begins(arg, "FROM:"))
			break;
		s->mail_seen = true;
		s->rcpt_seen = false;
		break;
	case SMTP_RCPT:
		if (!zb_text_begins(arg, "TO:"))
			break;
		s->rcpt_seen = true;
		if (!s->mail_seen)
			out_of_order(s, "rcpt to missing mail from");
		break;
	case SMTP_DATA:
	case SMTP_BDAT:
		if (!s->rcpt_seen)
			out_of_order(s, "data missing rcpt to");
		if (c == SMTP_BDAT && arg.n >= 5 && memcmp(arg.d + arg.n - 5, " LAST", 5) == 0)
			s->mail_seen = s->rcpt_seen = false;
		break;
	case SMTP_END_OF_DATA: s->mail_seen = s->rcpt_seen = false; break;
	default: break;
	}
}

#define SMTP_WORD(command) #command,
static enum smtp_command read_command(struct zb_text word)
{
	static const char *const words[SMTP_WORDS_NR] = {SMTP_COMMAND_LIST(SMTP_WORD)};

	for (unsigned i = 0; i < SMTP_WORDS_NR; i++)
		if (zb_text_is(word, words[i]))
			return i;
	return zb_text_is(word, "X-ANONYMOUSTLS") ? SMTP_X_ANONYMOUSTLS : SMTP_UNKNOWN;
}

static void command(struct smtp *s, unsigned side, enum smtp_command c, struct zb_text arg)
{
	push_command(s, c);
	if (c == SMTP_END_OF_DATA)
		sent(s, c, side);
	request(s, c, arg);
	if (c == SMTP_BDAT) {
		if (!smtp_bdat_begin(s, side, arg))
			return;
	} else if (s->in_bdat) {
		zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_missing_bdat_last_chunk, NULL);
		smtp_mail_end(s);
	}
	if (c != SMTP_END_OF_DATA)
		sent(s, c, side);
}

static void data_line(struct smtp *s, unsigned side, struct zb_text t)
{
	if (t.n != 0 && *t.d == '.')
		t = zb_text(t.d + 1, t.n - 1);
	if (!s->in_mail)
		begin_data(s, side);
	zb_mime_line(s->mail, t.d, t.n, true);
}

static void sender_line(struct smtp *s, unsigned side, struct zb_text t)
{
	struct zb_text word = zb_text(t.d, 0);
	enum smtp_command c;

	switch (s->state) {
	case SMTP_AFTER_GAP: return;
	case SMTP_IN_DATA:
		if (t.n == 1 && *t.d == '.')
			command(s, side, SMTP_END_OF_DATA, zb_text(t.d + 1, 0));
		else
			data_line(s, side, t);
		return;
	case SMTP_IN_AUTH: command(s, side, SMTP_AUTH_ANSWER, t); return;
	default: break;
	}
	while (word.n < t.n && t.d[word.n] != '\0' && !zb_text_is_space(t.d[word.n]))
		word.n++;
	t = zb_text(t.d + word.n, t.n - word.n);
	while (t.n != 0 && zb_text_is_space(*t.d))
		t = zb_text(t.d + 1, t.n - 1);
	c = read_command(word);
	if (c != SMTP_UNKNOWN)
		command(s, side, c, t);
}

/* False: it cannot be a reply, and the analyzer is gone. */
static bool reply_line(struct smtp *s, unsigned side, struct zb_text t)
{
	int code = zb_text_code(t);
	bool goes_on;

	if (code < 100 || code > 599)
		return !zb_analyzer_violate(&s->base);
	if (code != s->reply_code) {
		if (s->state == SMTP_AFTER_GAP) {
			s->state = SMTP_GAP_RECOVERY;
			request(s, SMTP_UNKNOWN, zb_text(t.d, 0));
		}
		replied(s, pop_command(s), (unsigned)code, side);
	}
	goes_on = t.n > 3 && t.d[3] == '-';
	s->reply_code = goes_on ? (uint16_t)code : 0;
	t = zb_text(t.d + 3 + goes_on, t.n - 3 - goes_on);
	while (t.n != 0 && zb_text_is_space(*t.d))
		t = zb_text(t.d + 1, t.n - 1);
	smtp_info_reply(s, (unsigned)code, t, goes_on);
	return true;
}

/* The first NUL of a side is an oddity and left out, the others are text (Zeek). */
static bool without_nul(struct smtp *s, unsigned side, struct zb_text t, uint8_t **copy)
{
	const uint8_t *nul = s->nul_seen >> side & 1 ? NULL : memchr(t.d, 0, t.n);
	size_t at;

	if (nul == NULL)
		return false;
	if (s->nul_seen == 0)
		zb_analyzer_weird(&s->base, ZB_WEIRD_NUL_in_line, NULL);
	s->nul_seen |= (uint8_t)(1u << side);
	*copy = zb_mem_get_raw(mem_of(s), s->base.def->mem, t.n);
	if (*copy == NULL) {
		zb_mem_shed(mem_of(s), s->base.def->mem);
		return false;
	}
	at = (size_t)(nul - t.d);
	memcpy(*copy, t.d, at);
	memcpy(*copy + at, nul + 1, t.n - at - 1);
	return true;
}

static bool line(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct smtp *s = (struct smtp *)a;
	struct zb_text t = zb_text(d, n);
	uint8_t *copy = NULL;
	bool goes_on = true;

	if (without_nul(s, side, t, &copy))
		t = zb_text(copy, n - 1);
	if (is_sender(s, side))
		sender_line(s, side, t);
	else
		goes_on = reply_line(s, side, t);
	zb_mem_put(mem_of(s), a->def->mem, copy, n);
	return goes_on && s->state != SMTP_IN_TLS && s->chunk_left == 0 &&
	       !(a->flags & ZB_ANALYZER_REMOVED);
}

static const struct zb_text_line_kind lines = {line, LINE_BYTES_MAX, true};

static void smtp_begin(struct zb_analyzer *a)
{
	struct smtp *s = (struct smtp *)a;

	s->first = SMTP_CONNECT;
	s->replied = SMTP_UNKNOWN;
}

/* Both sides go over to TLS; n bytes of what side has said belong to it. */
static void start_tls(struct smtp *s, unsigned side, const uint8_t *d, size_t n)
{
	struct zb_analyzer *tls = zb_analyzer_attach(&s->base, ZB_A_tls);

	zb_analyzer_done(&s->base);
	if (tls != NULL)
		zb_analyzer_feed(tls, side, d, n);
}

/* Bytes of the chunk; the LF of the command's line may still be in front of them. */
static size_t chunk_data(struct smtp *s, unsigned side, const uint8_t *d, size_t n)
{
	size_t at = s->line[side].after_cr && *d == '\n', part = n - at;

	s->line[side].after_cr = false;
	if (part > s->chunk_left)
		part = (size_t)s->chunk_left;
	if (s->in_bdat)
		smtp_bdat_data(s, d + at, part);
	else
		s->chunk_left -= part; /* after a gap */
	return at + part;
}

static void smtp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct smtp *s = (struct smtp *)a;

	if (zb_analyzer_is_partial(a))
		return;
	while (n != 0 && s->state != SMTP_IN_TLS && !(a->flags & ZB_ANALYZER_REMOVED)) {
		size_t part;

		if (s->chunk_left != 0 && is_sender(s, side))
			part = chunk_data(s, side, d, n);
		else
			part = zb_text_line_data(&s->line[side], &lines, a, side, d, n);
		d += part;
		n -= part;
	}
	zb_mime_flush(s->mail);
	if (s->state == SMTP_IN_TLS)
		start_tls(s, side, d, n);
}

/* What was lost may have been any command, or the reply to any; a mail ends with it. */
static void smtp_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct smtp *s = (struct smtp *)a;

	if (zb_analyzer_is_partial(a))
		return;
	if (s->state == SMTP_IN_DATA || s->in_bdat) {
		zb_mime_gap(s->mail, n);
		smtp_mail_end(s);
	}
	if (is_sender(s, side))
		s->chunk_left -= n < s->chunk_left ? n : s->chunk_left;
	s->pending_nr = 0;
	s->first = s->replied = SMTP_UNKNOWN;
	s->state = SMTP_AFTER_GAP;
}

static void smtp_fin(struct zb_analyzer *a, unsigned side)
{
	struct smtp *s = (struct smtp *)a;

	zb_text_line_fin(&s->line[side], &lines, a, side);
	s->fins |= (uint8_t)(1u << side);
	if (s->fins == 3 && s->in_mail)
		smtp_mail_end(s);
}

static void smtp_flip(struct zb_analyzer *a)
{
	zb_text_line_swap(((struct smtp *)a)->line);
}

static void smtp_end(struct zb_analyzer *a)
{
	struct smtp *s = (struct smtp *)a;

	if (s->in_mail)
		smtp_mail_end(s);
	smtp_info_end(s);
	zb_mem_put(mem_of(s), a->def->mem, s->pending, SMTP_PENDING_MAX);
	zb_text_line_free(&s->line[0], a);
	zb_text_line_free(&s->line[1], a);
}

static bool is_hello(struct zb_text t)
{
	return zb_text_begins(t, "HELO") || zb_text_begins(t, "EHLO");
}

static enum zb_match client_match(const uint8_t *d, size_t n)
{
	return zb_text_match_lines(d, n, true, is_hello);
}

static enum zb_match server_match(const uint8_t *d, size_t n)
{
	size_t at = 0;

	while (at < n && zb_text_is_space(d[at]))
		at++;
	for (unsigned i = 0; i < 3; i++, at++) {
		if (at == n)
			return ZB_MATCH_MORE;
		if (d[at] != "220"[i])
			return ZB_MATCH_NO;
	}
	if (at == n)
		return ZB_MATCH_MORE;
	return zb_text_is_space(d[at]) || d[at] == '-' ? ZB_MATCH_YES : ZB_MATCH_NO;
}

static const uint16_t smtp_ports[] = {25, 587, 0};

const struct zb_analyzer_def zb_analyzer_smtp = {
	.name = "smtp",
	.state_bytes = sizeof(struct smtp),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = smtp_ports,
	.match_over = ZB_OVER_TCP,
	.match_both = true,
	.match_late = {true},
	.match = {client_match, server_match},
	.begin = smtp_begin,
	.data = smtp_data,
	.gap = smtp_gap,
	.fin = smtp_fin,
	.flip = smtp_flip,
	.end = smtp_end,
};
