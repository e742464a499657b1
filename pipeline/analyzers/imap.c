/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imap.c - IMAP: recognised by the server's greeting or what a client asks first; follows STARTTLS
 * (RFC 3501, 2.2, 6.2.1; Zeek: src/analyzer/protocol/imap)
 */
#include <string.h>

#include "pipeline/analyzers/text_line.h"

#define LINE_BYTES_MAX 8192
#define TAG_BYTES_MAX  64

struct imap {
	struct zb_analyzer base;
	struct zb_text_line line[2];
	uint8_t tls_tag[TAG_BYTES_MAX]; /* of the client's STARTTLS */
	uint8_t tls_tag_bytes;
	bool is_over_to_tls;
};

/* Characters that tags and commands are made of, at the front of t. */
static struct zb_text take_word(struct zb_text *t)
{
	struct zb_text word = zb_text(t->d, 0);

	while (word.n < t->n && t->d[word.n] > ' ' && t->d[word.n] < 0x7f)
		word.n++;
	*t = zb_text(t->d + word.n, t->n - word.n);
	return word;
}

/* In small letters, as Zeek compares them: after that STARTTLS cannot come any more. */
static bool ends_setup(struct zb_text command)
{
	static const char *const names[] = {"authenticate", "login", "examine",
					    "create",	    "list",  "fetch"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (command.n == strlen(names[i]) && memcmp(command.d, names[i], command.n) == 0)
			return true;
	return false;
}

static void client_command(struct zb_analyzer *a, struct zb_text tag, struct zb_text command)
{
	struct imap *s = (struct imap *)a;
	bool is_starttls = zb_text_is(command, "STARTTLS");

	if (is_starttls || (command.n == 10 && memcmp(command.d, "capability", 10) == 0))
		zb_analyzer_confirm(a);
	if (is_starttls && tag.n <= TAG_BYTES_MAX) {
		memcpy(s->tls_tag, tag.d, tag.n);
		s->tls_tag_bytes = (uint8_t)tag.n;
	}
}

static void server_reply(struct zb_analyzer *a, struct zb_text tag, struct zb_text command)
{
	struct imap *s = (struct imap *)a;
	bool is_ok = zb_text_is(command, "OK");

	if (is_ok && tag.n == 1 && *tag.d == '*')
		zb_analyzer_confirm(a);
	if (is_ok && s->tls_tag_bytes != 0 && tag.n == s->tls_tag_bytes &&
	    memcmp(tag.d, s->tls_tag, tag.n) == 0)
		s->is_over_to_tls = true;
}

static bool line(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct zb_text t = zb_text(d, n), tag = take_word(&t), command;
	bool ok = tag.n != 0 && t.n != 0 && *t.d == ' ';

	/* Empty lines belong to the end of the one before. */
	if (n == 0)
		return true;
	while (t.n != 0 && *t.d == ' ')
		t = zb_text(t.d + 1, t.n - 1);
	command = take_word(&t);
	if (!ok || command.n == 0) {
		if (!zb_analyzer_violate(a))
			zb_analyzer_done(a);
		return false;
	}
	if (ends_setup(command)) {
		zb_analyzer_confirm(a);
		zb_analyzer_done(a);
		return false;
	}
	if (side == ZB_ORIG)
		client_command(a, tag, command);
	else
		server_reply(a, tag, command);
	return !((struct imap *)a)->is_over_to_tls;
}

static void imap_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	static const struct zb_text_line_kind lines = {line, LINE_BYTES_MAX, true};
	struct imap *s = (struct imap *)a;
	struct zb_analyzer *tls;
	size_t used;

	if (zb_analyzer_is_partial(a))
		return;
	used = zb_text_line_data(&s->line[side], &lines, a, side, d, n);
	if (!s->is_over_to_tls)
		return;
	tls = zb_analyzer_attach(a, ZB_A_tls);
	zb_analyzer_done(a);
	if (tls != NULL)
		zb_analyzer_feed(tls, side, d + used, n - used);
}

static void imap_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	zb_analyzer_done(a);
}

static void imap_flip(struct zb_analyzer *a)
{
	zb_text_line_swap(((struct imap *)a)->line);
}

static void imap_end(struct zb_analyzer *a)
{
	struct imap *s = (struct imap *)a;

	zb_text_line_free(&s->line[0], a);
	zb_text_line_free(&s->line[1], a);
}

static const uint16_t imap_ports[] = {143, 0};

const struct zb_analyzer_def zb_analyzer_imap = {
	.name = "imap",
	.state_bytes = sizeof(struct imap),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = imap_ports,
	.data = imap_data,
	.gap = imap_gap,
	.flip = imap_flip,
	.end = imap_end,
};
