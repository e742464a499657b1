/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp_mail.c - mails: DATA and BDAT, their contents (RFC 5321, 4.1.1.4; RFC 3030; Zeek:
 * src/analyzer/protocol/smtp/{SMTP,BDAT}.cc)
 */
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/smtp_priv.h"

#define BDAT_ARGUMENT_MAX 25 /* the largest number and " LAST" */

static const struct zb_mime_ops mime_ops = {
	.source = "SMTP",
	.names_files = true,
	.entity = smtp_info_entity,
	.header = smtp_info_header,
	.file = smtp_info_file,
};

static struct zb_mem *mem_of(struct smtp *s)
{
	return &zb_analyzer_analysis(&s->base)->mem;
}

void smtp_mail_begin(struct smtp *s, unsigned side)
{
	if (s->in_mail) {
		zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_nested_mail_transaction, NULL);
		zb_mime_end(s->mail);
	}
	s->in_mail = true;
	s->mail = zb_mime_begin(&s->base, &mime_ops, side, &s->entity_nr);
}

void smtp_mail_end(struct smtp *s)
{
	if (!s->in_mail) {
		zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_unmatched_end_of_data, NULL);
		return;
	}
	if (s->bdat_bytes != 0) {
		zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_bdat_undelivered_at_done, NULL);
		zb_mime_line(s->mail, s->bdat, s->bdat_bytes, false);
	}
	zb_mem_put(mem_of(s), s->base.def->mem, s->bdat, SMTP_BDAT_ROOM);
	s->bdat = NULL;
	s->bdat_bytes = 0;
	s->in_bdat = false;
	zb_mime_end(s->mail);
	s->mail = NULL;
	s->in_mail = false;
}

struct chunk {
	uint64_t bytes;
	bool is_last;
};

/* "1000" or "1000 LAST"; returns what is wrong with it, or NULL. */
static const char *read_argument(struct zb_text arg, struct chunk *c)
{
	size_t at = 0;

	if (arg.n == 0 || arg.n > BDAT_ARGUMENT_MAX)
		return "BDAT argument bad length";
	if (!zb_text_is_digit(*arg.d))
		return "BDAT not followed by a valid chunk-size";
	*c = (struct chunk){0, false};
	for (bool is_over = false; at < arg.n && zb_text_is_digit(arg.d[at]); at++) {
		is_over |= __builtin_mul_overflow(c->bytes, 10, &c->bytes) ||
			   __builtin_add_overflow(c->bytes, arg.d[at] - '0', &c->bytes);
		if (is_over && (at + 1 == arg.n || !zb_text_is_digit(arg.d[at + 1])))
			return "BDAT chunk-size too large";
	}
	if (at == arg.n)
		return NULL;
	if (arg.d[at] != ' ')
		return "BDAT chunk-size not valid";
	c->is_last = zb_text_is(zb_text(arg.d + at, arg.n - at), " LAST");
	return c->is_last ? NULL : "BDAT chunk-size followed by junk";
}

/* The last chunk is whole. */
static void last_chunk_end(struct smtp *s)
{
	if (s->bdat_bytes != 0)
		zb_mime_line(s->mail, s->bdat, s->bdat_bytes, false);
	s->bdat_bytes = 0;
	smtp_mail_end(s);
}

bool smtp_bdat_begin(struct smtp *s, unsigned side, struct zb_text arg)
{
	struct chunk c;
	const char *wrong = read_argument(arg, &c);
	char addl[24];

	if (wrong != NULL) {
		zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_invalid_bdat_command, wrong);
		return false;
	}
	if (c.bytes > INT64_MAX) {
		snprintf(addl, sizeof(addl), "%llu", (unsigned long long)c.bytes);
		zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_huge_bdat_chunk, addl);
		return false;
	}
	if (!s->in_bdat)
		smtp_mail_begin(s, side);
	s->in_bdat = true;
	s->chunk_left = c.bytes;
	s->is_last_chunk = c.is_last;
	if (c.bytes == 0 && c.is_last)
		last_chunk_end(s);
	return true;
}

/* Keeps the beginning of a line, for which there is room. */
static void keep(struct smtp *s, const uint8_t *d, size_t n)
{
	if (n == 0)
		return;
	if (s->bdat == NULL)
		s->bdat = zb_mem_get_raw(mem_of(s), s->base.def->mem, SMTP_BDAT_ROOM);
	if (s->bdat == NULL) {
		zb_mem_shed(mem_of(s), s->base.def->mem);
		return;
	}
	memcpy(s->bdat + s->bdat_bytes, d, n);
	s->bdat_bytes = (uint16_t)(s->bdat_bytes + n);
}

/* n bytes, the last of them an LF, are a line's end. */
static void line_end(struct smtp *s, const uint8_t *d, size_t n)
{
	if (s->bdat_bytes != 0) {
		keep(s, d, n);
		d = s->bdat;
		n = s->bdat_bytes;
	}
	s->bdat_bytes = 0;
	if (n >= 2 && d[n - 2] == '\r') {
		zb_mime_line(s->mail, d, n - 2, true);
		return;
	}
	zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_bdat_line_lf_only, NULL);
	zb_mime_line(s->mail, d, n, false);
}

/* A line that is too long is cut: n bytes of it are there. */
static void line_cut(struct smtp *s, const uint8_t *d, size_t n)
{
	char addl[12];

	snprintf(addl, sizeof(addl), "%u", SMTP_BDAT_LINE_MAX);
	zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_bdat_line_too_long, addl);
	if (s->bdat_bytes != 0) {
		keep(s, d, n);
		d = s->bdat;
		n = s->bdat_bytes;
	}
	s->bdat_bytes = 0;
	zb_mime_line(s->mail, d, n, false);
}

/* Bytes until a line may have SMTP_BDAT_LINE_MAX and its end. */
static size_t line_room(const struct smtp *s)
{
	return SMTP_BDAT_LINE_MAX - s->bdat_bytes;
}

static void lines(struct smtp *s, const uint8_t *d, size_t n)
{
	/* A CR at the end of what came last and no LF: Zeek takes it for the end of the line. */
	if (n != 0 && s->bdat_bytes != 0 && s->bdat[s->bdat_bytes - 1] == '\r' && *d != '\n') {
		zb_analyzer_weird(&s->base, ZB_WEIRD_smtp_bdat_line_cr_only, NULL);
		zb_mime_line(s->mail, s->bdat, s->bdat_bytes, false);
		s->bdat_bytes = 0;
	}
	while (n != 0) {
		size_t room = line_room(s), look = n < room + 2 ? n : room + 2;
		const uint8_t *lf = memchr(d, '\n', look);
		size_t part = lf != NULL ? (size_t)(lf - d) + 1 : 0;

		/* A longer line may still end in CR and LF, but not in LF alone. */
		if (part == room + 2 && d[room] != '\r')
			part = 0;
		if (part != 0) {
			line_end(s, d, part);
		} else if (n > room) {
			part = room;
			line_cut(s, d, part);
		} else {
			part = n;
			keep(s, d, part);
		}
		d += part;
		n -= part;
	}
}

void smtp_bdat_data(struct smtp *s, const uint8_t *d, size_t n)
{
	lines(s, d, n);
	s->chunk_left -= n;
	if (s->chunk_left == 0 && s->is_last_chunk)
		last_chunk_end(s);
}
