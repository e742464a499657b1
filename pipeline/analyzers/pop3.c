/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pop3.c - POP3: commands and replies, mails as files, STLS (RFC 1939, 2449, 2595, 5034; Zeek:
 * src/analyzer/protocol/pop3)
 *
 * Commands may be sent without waiting for replies: each is looked at when its turn comes. What a
 * session may do is not enforced, it is guessed from what the server says yes to.
 */
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/mime.h"

#define LINE_BYTES_MAX 262144
#define PENDING_MAX    10 /* commands that wait (Zeek: POP3::max_pending_commands) */
#define UNKNOWN_MAX    10 /* then they are violations (Zeek: POP3::max_unknown_client_commands) */

/* X(command), in the order in which words are compared */
#define COMMAND_LIST(X) \
	X(OK)           \
	X(ERR)          \
	X(USER)         \
	X(PASS)         \
	X(APOP)         \
	X(AUTH)         \
	X(STAT)         \
	X(LIST)         \
	X(RETR)         \
	X(DELE)         \
	X(RSET)         \
	X(NOOP)         \
	X(LAST)         \
	X(QUIT)         \
	X(TOP)          \
	X(CAPA)         \
	X(UIDL)         \
	X(STLS)         \
	X(XSENDER)

#define ENUM(command) CMD_##command,
enum command_code { COMMAND_LIST(ENUM) CMD_NR, CMD_UNKNOWN = CMD_NR };

enum phase { AT_START, AUTHORIZATION, TRANSACTION, OVER };

/* A command that waits: its code, and whether it has an argument and which. */
enum { HAS_ARGUMENT = 0x80, IS_PLAIN = 0x40, CODE = 0x3f };

struct pop3 {
	struct zb_analyzer base;
	struct zb_text_line line[2];
	struct zb_mime *mail;
	uint8_t pending[PENDING_MAX + 1]; /* the first is the one that the next reply is to */
	uint8_t pending_nr;
	uint8_t phase;	    /* enum phase */
	uint8_t state;	    /* enum command_code that counts as sent; CMD_UNKNOWN: none */
	uint8_t guess;	    /* what it is if the server says yes */
	uint8_t unknown_nr; /* client's commands that are none */
	bool is_guessing;   /* a command was sent that the phase does not allow */
	bool in_auth;	    /* lines of the client are answers, not commands */
	bool is_plain;	    /* AUTH PLAIN */
	bool wants_lines;   /* the reply has several, if it is yes */
	bool in_lines;	    /* they are coming */
	bool is_over_to_tls;
};

static const struct zb_mime_ops mime_ops = {.source = "POP3"};

/* What a C string would hold of it, without white space in front. */
static struct zb_text trimmed(struct zb_text t)
{
	const uint8_t *nul = memchr(t.d, 0, t.n);

	if (nul != NULL)
		t.n = (size_t)(nul - t.d);
	while (t.n != 0 && zb_text_is_space(*t.d))
		t = zb_text(t.d + 1, t.n - 1);
	return t;
}

/* The word in front of the first blank; *rest: what follows, without blanks around it. */
static struct zb_text take_word(struct zb_text *rest)
{
	struct zb_text word = zb_text(rest->d, 0);

	while (word.n < rest->n && rest->d[word.n] != ' ')
		word.n++;
	*rest = zb_text(rest->d + word.n, rest->n - word.n);
	while (rest->n != 0 && *rest->d == ' ')
		*rest = zb_text(rest->d + 1, rest->n - 1);
	while (rest->n != 0 && rest->d[rest->n - 1] == ' ')
		rest->n--;
	return word;
}

#define WORD(command) #command,
/* A sign in front is taken off before each comparison, as Zeek does. */
static enum command_code read_word(struct zb_text word)
{
	static const char *const words[CMD_NR] = {COMMAND_LIST(WORD)};

	if (word.n == 0)
		return CMD_UNKNOWN;
	for (unsigned i = 0; i < CMD_NR; i++) {
		if (word.n != 0 && (*word.d == '+' || *word.d == '-'))
			word = zb_text(word.d + 1, word.n - 1);
		if (zb_text_is(word, words[i]))
			return i;
	}
	return CMD_UNKNOWN;
}

static void unknown_command(struct pop3 *s)
{
	if (s->in_auth)
		return;
	zb_analyzer_weird(&s->base, ZB_WEIRD_pop3_client_command_unknown, NULL);
	if (s->unknown_nr < UNKNOWN_MAX)
		s->unknown_nr++;
	else
		zb_analyzer_violate(&s->base);
}

/* A command of the transaction phase; outside of it, perhaps no login is needed. */
static void in_transaction(struct pop3 *s, enum command_code state)
{
	if (s->phase == TRANSACTION) {
		s->state = (uint8_t)state;
		return;
	}
	s->is_guessing = true;
	s->guess = (uint8_t)state;
}

static void auth_command(struct pop3 *s, uint8_t c)
{
	if (s->phase != AUTHORIZATION)
		return;
	s->state = CMD_AUTH;
	if (c & HAS_ARGUMENT)
		s->in_auth = true;
	else
		s->wants_lines = true;
	s->is_plain = c & IS_PLAIN;
}

/* The command whose turn it is. */
static void client_command(struct pop3 *s)
{
	uint8_t c = s->pending[0];
	enum command_code code = c & CODE;

	switch (code) {
	case CMD_OK:
	case CMD_ERR:
		zb_analyzer_weird(&s->base, ZB_WEIRD_pop3_client_sending_server_commands, NULL);
		break;
	case CMD_USER:
	case CMD_APOP:
		if (s->phase == AUTHORIZATION)
			s->state = (uint8_t)code;
		break;
	case CMD_PASS:
		if (s->phase == AUTHORIZATION && s->state == CMD_USER)
			s->state = CMD_PASS;
		break;
	case CMD_AUTH: auth_command(s, c); break;
	case CMD_STAT:
		if (s->phase == TRANSACTION)
			s->state = CMD_STAT;
		break;
	case CMD_LIST:
	case CMD_UIDL:
		s->wants_lines |= !(c & HAS_ARGUMENT);
		in_transaction(s, code);
		break;
	case CMD_RETR:
	case CMD_TOP:
		s->wants_lines = true;
		in_transaction(s, code);
		break;
	case CMD_QUIT:
		if (s->phase != OVER)
			s->state = CMD_QUIT;
		else
			in_transaction(s, CMD_LAST);
		break;
	case CMD_CAPA:
		s->wants_lines = true;
		s->state = CMD_CAPA;
		break;
	case CMD_STLS: s->state = CMD_STLS; break;
	case CMD_UNKNOWN: unknown_command(s); break;
	default: in_transaction(s, code); break;
	}
}

/* The reply is whole: the next command has its turn. */
static void command_done(struct pop3 *s)
{
	if (s->pending_nr == 0)
		return;
	s->pending_nr--;
	memmove(s->pending, s->pending + 1, s->pending_nr);
	if (s->pending_nr != 0)
		client_command(s);
}

/* Of "\0name\0password" both zeros must be there, and something behind them. */
static void check_plain(struct pop3 *s, struct zb_text t)
{
	size_t last_zero = 0, bytes = 0;
	unsigned zeros = 0, bit_nr = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < t.n && t.d[i] != '='; i++) {
		bits = bits << 6 | (uint32_t)zb_text_base64_digit(t.d[i]);
		bit_nr += 6;
		if (bit_nr < 8)
			continue;
		bit_nr -= 8;
		bytes++;
		if ((bits >> bit_nr & 0xff) == 0 && zeros < 2) {
			zeros++;
			last_zero = bytes;
		}
	}
	if (zeros < 2 || last_zero == bytes)
		zb_analyzer_weird(&s->base, ZB_WEIRD_pop3_malformed_auth_plain, NULL);
}

/* What a client says when it is asked who it is. */
static void auth_answer(struct pop3 *s, struct zb_text t)
{
	const uint8_t *nul = memchr(t.d, 0, t.n);
	char addl[48];

	if (nul != NULL)
		t.n = (size_t)(nul - t.d);
	for (size_t i = 0; i < t.n; i++) {
		if (t.d[i] == '=' || zb_text_base64_digit(t.d[i]) >= 0)
			continue;
		snprintf(addl, sizeof(addl), "character %d ignored by Base64 decoding",
			 (int8_t)t.d[i]);
		zb_analyzer_weird(&s->base, ZB_WEIRD_base64_illegal_encoding, addl);
		zb_analyzer_weird(&s->base, ZB_WEIRD_pop3_bad_base64_encoding, NULL);
		return;
	}
	if (s->is_plain)
		check_plain(s, t);
}

static bool contains(struct zb_text t, const char *word)
{
	return memmem(t.d, t.n, word, strlen(word)) != NULL;
}

static void client_line(struct pop3 *s, struct zb_text t)
{
	struct zb_text rest = trimmed(t);
	uint8_t c;

	if (t.n == 0)
		return;
	if (s->in_auth) {
		auth_answer(s, t);
		return;
	}
	c = (uint8_t)read_word(take_word(&rest));
	if (rest.n != 0)
		c |= HAS_ARGUMENT;
	if (!contains(rest, "LOGIN") && contains(rest, "PLAIN"))
		c |= IS_PLAIN;
	s->pending[s->pending_nr++] = c;
	if (s->pending_nr == 1)
		client_command(s);
	if (s->pending_nr <= PENDING_MAX)
		return;
	zb_analyzer_weird(&s->base, ZB_WEIRD_pop3_client_too_many_pending_commands, NULL);
	s->pending_nr--;
	memmove(s->pending, s->pending + 1, s->pending_nr);
}

static void mail_end(struct pop3 *s)
{
	zb_mime_end(s->mail);
	s->mail = NULL;
}

/* A line of a reply that has several. */
static void reply_goes_on(struct pop3 *s, struct zb_text t)
{
	if (t.n == 1 && *t.d == '.') {
		s->wants_lines = s->in_lines = false;
		mail_end(s);
		command_done(s);
	} else if (s->state == CMD_RETR || s->state == CMD_TOP) {
		zb_mime_line(s->mail, t.d, t.n, true);
	}
}

/* The server says yes; t is its line, which Zeek takes for the first one of a mail. */
static void said_yes(struct pop3 *s, struct zb_text t)
{
	if (s->is_guessing) {
		s->phase = TRANSACTION;
		s->is_guessing = false;
		s->state = s->guess;
	}
	switch (s->state) {
	case CMD_UNKNOWN: s->phase = AUTHORIZATION; break;
	case CMD_USER:
		s->phase = AUTHORIZATION;
		zb_analyzer_confirm(&s->base);
		break;
	case CMD_AUTH:
		s->in_lines |= s->wants_lines;
		if (s->in_auth)
			s->phase = TRANSACTION;
		s->in_auth = false;
		break;
	case CMD_TOP:
	case CMD_RETR:
		if (s->mail == NULL)
			s->mail = zb_mime_begin(&s->base, &mime_ops, ZB_RESP, NULL);
		zb_mime_line(s->mail, t.d, t.n, true);
		s->in_lines |= s->wants_lines;
		break;
	case CMD_CAPA: zb_analyzer_confirm(&s->base); /* fall through */
	case CMD_UIDL:
	case CMD_LIST: s->in_lines |= s->wants_lines; break;
	case CMD_STLS:
		zb_analyzer_confirm(&s->base);
		s->is_over_to_tls = true;
		return;
	case CMD_QUIT: s->phase = OVER; break;
	default: s->phase = TRANSACTION; break;
	}
	if (!s->in_lines)
		command_done(s);
}

static void said_no(struct pop3 *s)
{
	s->in_lines = s->wants_lines = s->is_guessing = s->in_auth = false;
	switch (s->state) {
	case CMD_UNKNOWN:
	case CMD_CAPA:
	case CMD_STLS: break;
	case CMD_USER:
	case CMD_PASS:
	case CMD_APOP:
	case CMD_AUTH:
		s->phase = AUTHORIZATION;
		s->state = CMD_UNKNOWN;
		break;
	case CMD_QUIT: s->phase = OVER; break;
	default: s->phase = TRANSACTION; break;
	}
	command_done(s);
}

static void server_line(struct pop3 *s, struct zb_text t)
{
	struct zb_text rest = trimmed(t);

	if (s->in_lines) {
		reply_goes_on(s, t);
		return;
	}
	switch (read_word(take_word(&rest))) {
	case CMD_OK: said_yes(s, t); break;
	case CMD_ERR: said_no(s); break;
	case CMD_UNKNOWN:
		if (s->in_auth)
			break;
		zb_analyzer_violate(&s->base);
		zb_analyzer_weird(&s->base, ZB_WEIRD_pop3_server_command_unknown, NULL);
		break;
	default:
		zb_analyzer_weird(&s->base, ZB_WEIRD_pop3_server_sending_client_commands, NULL);
		break;
	}
}

static bool line(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct pop3 *s = (struct pop3 *)a;

	if (side == ZB_ORIG)
		client_line(s, zb_text(d, n));
	else
		server_line(s, zb_text(d, n));
	return !s->is_over_to_tls && !(a->flags & ZB_ANALYZER_REMOVED);
}

static const struct zb_text_line_kind lines = {line, LINE_BYTES_MAX, true};

static void pop3_begin(struct zb_analyzer *a)
{
	((struct pop3 *)a)->state = CMD_UNKNOWN;
}

static void pop3_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct pop3 *s = (struct pop3 *)a;
	struct zb_analyzer *tls;
	size_t used = 0;

	if (zb_analyzer_is_partial(a))
		return;
	/* The reply may have been the end of a side, without the end of a line. */
	if (!s->is_over_to_tls)
		used = zb_text_line_data(&s->line[side], &lines, a, side, d, n);
	zb_mime_flush(s->mail);
	if (!s->is_over_to_tls)
		return;
	tls = zb_analyzer_attach(a, ZB_A_tls);
	zb_analyzer_done(a);
	if (tls != NULL)
		zb_analyzer_feed(tls, side, d + used, n - used);
}

static void pop3_fin(struct zb_analyzer *a, unsigned side)
{
	struct pop3 *s = (struct pop3 *)a;

	zb_text_line_fin(&s->line[side], &lines, a, side);
	zb_mime_flush(s->mail);
}

static void pop3_flip(struct zb_analyzer *a)
{
	zb_text_line_swap(((struct pop3 *)a)->line);
}

static void pop3_end(struct zb_analyzer *a)
{
	struct pop3 *s = (struct pop3 *)a;

	mail_end(s);
	zb_text_line_free(&s->line[0], a);
	zb_text_line_free(&s->line[1], a);
}

static bool is_first_command(struct zb_text t)
{
	if (zb_text_begins(t, "USER") || zb_text_begins(t, "APOP"))
		return t.n > 4 && zb_text_is_space(t.d[4]);
	return zb_text_begins(t, "CAPA") || zb_text_begins(t, "AUTH") || zb_text_begins(t, "STLS");
}

static enum zb_match client_match(const uint8_t *d, size_t n)
{
	return zb_text_match_lines(d, n, true, is_first_command);
}

static enum zb_match server_match(const uint8_t *d, size_t n)
{
	if (memcmp(d, "+OK", n < 3 ? n : 3) != 0)
		return ZB_MATCH_NO;
	return n < 3 ? ZB_MATCH_MORE : ZB_MATCH_YES;
}

const struct zb_analyzer_def zb_analyzer_pop3 = {
	.name = "pop3",
	.state_bytes = sizeof(struct pop3),
	.mem = ZB_MEM_analyzer,
	.match_over = ZB_OVER_TCP,
	.match_both = true,
	.match_late = {true},
	.match = {client_match, server_match},
	.begin = pop3_begin,
	.data = pop3_data,
	.fin = pop3_fin,
	.flip = pop3_flip,
	.end = pop3_end,
};
