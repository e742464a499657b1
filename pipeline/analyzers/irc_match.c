/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irc_match.c - what IRC's first lines look like (Zeek: base/protocols/irc/dpd.sig)
 *
 * Zeek looks for a client's lines anywhere; here a stream must at least begin with text.
 */
#include <string.h>

#include "pipeline/analyzers/irc_match.h"

/* Takes the next line off *t that is not empty, blanks before it left out; false: none is whole. */
static bool take_line(struct zb_text *t, struct zb_text_ends *ends, struct zb_text *line)
{
	const uint8_t *end;
	size_t at = 0;

	while (at < t->n && (t->d[at] == ' ' || t->d[at] == '\r' || t->d[at] == '\n'))
		at++;
	end = zb_text_next_end(ends, t->d + at);
	if (end == ends->end)
		return false;
	*line = zb_text(t->d + at, (size_t)(end - t->d) - at);
	*t = zb_text(end, (size_t)(ends->end - end));
	return true;
}

/* A word with a blank and something else behind it. */
static bool is_command(struct zb_text line, const char *word)
{
	size_t len = strlen(word);

	return line.n > len + 1 && line.d[len] == ' ' && zb_text_begins(line, word);
}

/* SERVER name hops :text */
static bool is_server(struct zb_text line)
{
	struct zb_text word;

	if (!is_command(line, "SERVER"))
		return false;
	zb_text_word(&line);
	word = zb_text_word(&line);
	word = zb_text_word(&line);
	for (size_t i = 0; i < word.n; i++)
		if (!zb_text_is_digit(word.d[i]))
			return false;
	return word.n != 0 && line.n > 1 && *line.d == ':';
}

static bool is_text(uint8_t c)
{
	return (c >= ' ' && c < 0x7f) || c == '\r' || c == '\n' || c == '\t';
}

enum zb_match zb_irc_match_client(const uint8_t *d, size_t n)
{
	struct zb_text rest = zb_text(d, n), line;
	struct zb_text_ends ends;
	bool after_user = false, after_nick = false;

	if (!is_text(d[0]))
		return ZB_MATCH_NO;
	ends = zb_text_ends(d, n);
	while (take_line(&rest, &ends, &line)) {
		bool user = is_command(line, "USER"), nick = is_command(line, "NICK");

		if ((after_user && nick) || (after_nick && user) || is_server(line))
			return ZB_MATCH_YES;
		after_user = user;
		after_nick = nick;
	}
	return ZB_MATCH_MORE;
}

/* An answer's number, perhaps behind the server's name. */
static bool is_reply(const uint8_t *d, size_t n)
{
	struct zb_text t = zb_text(d, n);

	if (n != 0 && *d == ':') {
		while (t.n != 0 && *t.d != ' ' && *t.d != '\r' && *t.d != '\n')
			t = zb_text(t.d + 1, t.n - 1);
		if (t.n < 2 || *t.d != ' ' || t.n == n - 1)
			return false;
		t = zb_text(t.d + 1, t.n - 1);
	}
	return t.n > 3 && t.d[3] == ' ' && zb_text_code(t) >= 0;
}

enum zb_match zb_irc_match_server(const uint8_t *d, size_t n)
{
	struct zb_text rest = zb_text(d, n), line;
	struct zb_text_ends ends;
	size_t at = 0;
	bool in_reach = true; /* an answer stands in the first line or in the second */

	if (!is_text(d[0]))
		return ZB_MATCH_NO;
	if (is_reply(d, n))
		return ZB_MATCH_YES;
	for (; at < n && in_reach; at++) {
		in_reach = d[at] != '\n';
		if ((d[at] == '\n' || d[at] == '\r') && is_reply(d + at + 1, n - at - 1))
			return ZB_MATCH_YES;
	}
	ends = zb_text_ends(d, n);
	while (take_line(&rest, &ends, &line))
		if (is_server(line))
			return ZB_MATCH_YES;
	return ZB_MATCH_MORE;
}
