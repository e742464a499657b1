/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irc.c - IRC: recognised by a client's line; follows STARTTLS (RFC 2812, 2.3; Zeek:
 * src/analyzer/protocol/irc)
 */
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/irc_data.h"
#include "pipeline/analyzers/irc_match.h"
#include "pipeline/analyzers/text_line.h"

#define LINE_BYTES_MAX	  1000 /* longer ones come in pieces */
#define MESSAGE_BYTES_MAX 512  /* longer ones are not looked at */
#define COMMAND_BYTES_MAX 20
#define INVALID_MAX	  20
#define WORDS_MAX	  16 /* that are looked at; more are counted */

/* What a server says when it asks another one to compress. */
enum { ZIP_NO, ZIP_WANTED, ZIP_REGISTERED };

struct irc {
	struct zb_analyzer base;
	struct zb_text_line line[2];
	uint8_t invalid_nr;
	uint8_t zip[2]; /* enum above */
	bool is_over_to_tls;
};

struct words {
	size_t nr;
	struct zb_text w[WORDS_MAX];
};

static struct zb_text from(struct zb_text t, size_t at)
{
	return at < t.n ? zb_text(t.d + at, t.n - at) : zb_text(t.d, 0);
}

static struct zb_text skip_blanks(struct zb_text t)
{
	while (t.n != 0 && *t.d == ' ')
		t = from(t, 1);
	return t;
}

/* Takes what stands before the first c off *t, and c; without c: all. */
static struct zb_text take_to(struct zb_text *t, uint8_t c)
{
	const uint8_t *at = t->n != 0 ? memchr(t->d, c, t->n) : NULL;
	struct zb_text front = zb_text(t->d, at != NULL ? (size_t)(at - t->d) : t->n);

	*t = from(*t, front.n + 1);
	return front;
}

static void split(struct zb_text t, struct words *w)
{
	w->nr = 0;
	while (t.n != 0) {
		struct zb_text word = take_to(&t, ' ');

		if (word.n == 0)
			continue;
		if (w->nr < WORDS_MAX)
			w->w[w->nr] = word;
		w->nr++;
	}
}

static void weird(struct zb_analyzer *a, enum zb_weird_name name)
{
	zb_analyzer_weird(a, name, NULL);
}

/* A decimal number of at most 32 bits and nothing else. */
static bool read_host(struct zb_text t, uint32_t *host)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (!zb_text_is_digit(t.d[i]))
			return false;
		n = n * 10 + (uint64_t)(t.d[i] - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*host = (uint32_t)n;
	return true;
}

/* The number in front, 0 if there is none. */
static unsigned read_port(struct zb_text t)
{
	unsigned n = 0;

	for (size_t i = 0; i < t.n && zb_text_is_digit(t.d[i]) && n < 1000000; i++)
		n = n * 10 + (unsigned)(t.d[i] - '0');
	return n;
}

/* A connection to host and port will bring a file. */
static void offer(struct zb_analyzer *a, struct zb_text name, uint32_t host, uint16_t port)
{
	struct zb_analysis *an = zb_analyzer_analysis(a);
	struct zb_expect_note *note =
		zb_expect_note_get(an, (uint32_t)(sizeof(struct zb_irc_offer) + name.n));
	struct zb_irc_offer *o = (struct zb_irc_offer *)note;
	const uint8_t resp[16] = {(uint8_t)(host >> 24), (uint8_t)(host >> 16),
				  (uint8_t)(host >> 8), (uint8_t)host};

	if (note == NULL)
		return;
	o->name_bytes = (uint32_t)name.n;
	memcpy(o->name, name.d, name.n);
	zb_expect(a, &(struct zb_expect_conf){.resp = resp,
					      .ip_version = 4,
					      .analyzer = ZB_A_irc_data,
					      .port = port,
					      .note = note});
	zb_expect_note_put(an, note);
}

/* Somebody offers a connection: DCC, kind, argument, host, port and perhaps size and "T". */
static void dcc(struct zb_analyzer *a, struct zb_text message)
{
	struct words w;
	uint32_t host;
	unsigned port;
	char addl[16];

	if (message.d[message.n - 1] == 1)
		message.n--;
	split(message, &w);
	if (w.nr < 5 || w.nr > 7 || (w.nr == 7 && (w.w[6].n != 1 || *w.w[6].d != 'T'))) {
		weird(a, ZB_WEIRD_irc_invalid_dcc_message_format);
		return;
	}
	if (!read_host(w.w[3], &host)) {
		weird(a, ZB_WEIRD_irc_invalid_dcc_host);
		return;
	}
	port = read_port(w.w[4]);
	if (port == 0 || port > UINT16_MAX) {
		snprintf(addl, sizeof(addl), "%u", port);
		zb_analyzer_weird(a, ZB_WEIRD_irc_invalid_dcc_port, addl);
		return;
	}
	if (w.w[1].n == 4 && memcmp(w.w[1].d, "SEND", 4) == 0)
		offer(a, w.w[2], host, (uint16_t)port);
}

static void privmsg(struct zb_analyzer *a, struct zb_text params)
{
	struct zb_text message = params;

	if (params.n == 0 || memchr(params.d, ' ', params.n) == NULL) {
		weird(a, ZB_WEIRD_irc_invalid_privmsg_message_format);
		return;
	}
	take_to(&message, ' ');
	message = skip_blanks(message);
	if (message.n != 0 && *message.d == ':')
		message = from(message, 1);
	if (message.n != 0 && *message.d == 1)
		message = from(message, 1);
	if (message.n > 3 && memcmp(message.d, "DCC", 3) == 0)
		dcc(a, message);
}

/* Two servers that both ask for it compress what follows: nothing more can be read then. */
static void server_word(struct zb_analyzer *a, unsigned side, struct zb_text command,
			struct zb_text params, bool has_prefix)
{
	struct irc *s = (struct irc *)a;
	struct words w;

	if (zb_text_is(command, "PASS") && s->zip[side] != ZIP_REGISTERED) {
		split(params, &w);
		s->zip[side] = w.nr > 3 && (memchr(w.w[3].d, 'Z', w.w[3].n) != NULL ||
					    memchr(w.w[3].d, 'z', w.w[3].n) != NULL);
	} else if (zb_text_is(command, "SERVER") && !has_prefix && s->zip[side] == ZIP_WANTED) {
		s->zip[side] = ZIP_REGISTERED;
		if (s->zip[!side] == ZIP_REGISTERED)
			zb_analyzer_done(a);
	}
}

static void command_line(struct zb_analyzer *a, unsigned side, struct zb_text t, bool has_prefix)
{
	struct irc *s = (struct irc *)a;
	struct zb_text command = take_to(&t, ' '), params = skip_blanks(t);
	struct words w;

	if (command.n > COMMAND_BYTES_MAX) {
		weird(a, ZB_WEIRD_irc_invalid_command);
		if (s->invalid_nr++ < INVALID_MAX)
			return;
		s->invalid_nr = INVALID_MAX;
		weird(a, ZB_WEIRD_irc_too_many_invalid);
		zb_analyzer_violate(a);
		return;
	}
	server_word(a, side, command, params, has_prefix);
	if (zb_text_is(command, "PRIVMSG")) {
		privmsg(a, params);
	} else if (zb_text_is(command, "JOIN")) {
		split(params.n != 0 && *params.d == ':' ? from(params, 1) : params, &w);
		if (w.nr == 0)
			weird(a, ZB_WEIRD_irc_invalid_join_line);
	} else if (zb_text_is(command, "NJOIN")) {
		split(params, &w);
		if (w.nr != 2)
			weird(a, ZB_WEIRD_irc_invalid_njoin_line);
	}
}

static void reply(struct zb_analyzer *a, struct zb_text t)
{
	int code = t.n > 3 && t.d[3] == ' ' ? zb_text_code(t) : -1;

	if (code < 0) {
		weird(a, ZB_WEIRD_irc_invalid_reply_number);
		zb_analyzer_violate(a);
	} else if (code == 670) {
		((struct irc *)a)->is_over_to_tls = true;
	}
}

static bool line(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct zb_text t = skip_blanks(zb_text(d, n));
	bool has_prefix = false;

	if (n > MESSAGE_BYTES_MAX) {
		weird(a, ZB_WEIRD_irc_line_size_exceeded);
		return true;
	}
	if (t.n < 3) {
		weird(a, ZB_WEIRD_irc_line_too_short);
		return true;
	}
	if (*t.d == ':') {
		if (memchr(t.d, ' ', t.n) == NULL) {
			weird(a, ZB_WEIRD_irc_invalid_line);
			return true;
		}
		has_prefix = take_to(&t, ' ').n > 1;
		t = skip_blanks(t);
	}
	if (side == ZB_ORIG)
		zb_analyzer_confirm(a);
	if (t.n < 3) {
		weird(a, ZB_WEIRD_irc_invalid_line);
		zb_analyzer_violate(a);
	} else if (zb_text_is_digit(*t.d)) {
		reply(a, t);
	} else {
		command_line(a, side, t, has_prefix);
	}
	return !(a->flags & ZB_ANALYZER_REMOVED) && !((struct irc *)a)->is_over_to_tls;
}

static const struct zb_text_line_kind lines = {line, LINE_BYTES_MAX, true};

static void irc_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct irc *s = (struct irc *)a;
	size_t used = 0;
	struct zb_analyzer *tls;

	/* The reply may have been the end of a side, without the end of a line. */
	if (!s->is_over_to_tls)
		used = zb_text_line_data(&s->line[side], &lines, a, side, d, n);
	if (!s->is_over_to_tls)
		return;
	tls = zb_analyzer_attach(a, ZB_A_tls);
	zb_analyzer_done(a);
	if (tls != NULL)
		zb_analyzer_feed(tls, side, d + used, n - used);
}

static void irc_fin(struct zb_analyzer *a, unsigned side)
{
	zb_text_line_fin(&((struct irc *)a)->line[side], &lines, a, side);
}

static void irc_flip(struct zb_analyzer *a)
{
	struct irc *s = (struct irc *)a;
	uint8_t zip = s->zip[0];

	zb_text_line_swap(s->line);
	s->zip[0] = s->zip[1];
	s->zip[1] = zip;
}

static void irc_end(struct zb_analyzer *a)
{
	struct irc *s = (struct irc *)a;

	zb_text_line_free(&s->line[0], a);
	zb_text_line_free(&s->line[1], a);
}

static const uint16_t irc_ports[] = {6666, 6667, 6668, 6669, 0};

const struct zb_analyzer_def zb_analyzer_irc = {
	.name = "irc",
	.state_bytes = sizeof(struct irc),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = irc_ports,
	.match_over = ZB_OVER_TCP,
	.match_both = true,
	.match_late = {false, true},
	.match = {zb_irc_match_client, zb_irc_match_server},
	.announces = true,
	.data = irc_data,
	.fin = irc_fin,
	.flip = irc_flip,
	.end = irc_end,
};
