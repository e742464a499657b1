/* SPDX-License-Identifier: Apache-2.0 */
/* text_line.c - see text_line.h */
#include <string.h>

#include "pipeline/analyzers/text_line.h"

#define ROOM_KEPT 4096 /* more is given back when the line has been read */

/* Appends n bytes, of which there is room for at most bytes_max in all; false: memory is out. */
static bool keep(struct zb_text_line *l, struct zb_analyzer *a, const uint8_t *d, size_t n)
{
	struct zb_mem *mem = &zb_analyzer_analysis(a)->mem;

	if (n == 0)
		return true;
	if (l->have + n > l->room) {
		uint32_t room = l->room == 0 ? 128 : l->room;
		uint8_t *buf;

		while (room < l->have + n)
			room *= 2;
		buf = zb_mem_resize(mem, a->def->mem, l->buf, l->room, room);
		if (buf == NULL) {
			zb_mem_shed(mem, a->def->mem);
			return false;
		}
		l->buf = buf;
		l->room = room;
	}
	memcpy(l->buf + l->have, d, n);
	l->have += (uint32_t)n;
	return true;
}

/* A line ends n bytes into d. Without memory its beginning is lost. */
static bool emit(struct zb_text_line *l, const struct zb_text_line_kind *kind,
		 struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	bool goes_on;

	zb_analysis_event(zb_analyzer_analysis(a));
	if (l->have != 0 && keep(l, a, d, n)) {
		d = l->buf;
		n = l->have;
	}
	l->have = 0;
	if (!kind->cr_ends && n != 0 && d[n - 1] == '\r')
		n--;
	goes_on = kind->line(a, side, d, n);
	if (l->room > ROOM_KEPT && l->have == 0) {
		zb_mem_put(&zb_analyzer_analysis(a)->mem, a->def->mem, l->buf, l->room);
		l->buf = NULL;
		l->room = 0;
	}
	return goes_on;
}

/* Offset of byte c in d, or n. */
static size_t find(const uint8_t *d, size_t n, uint8_t c)
{
	const uint8_t *at = memchr(d, c, n);

	return at == NULL ? n : (size_t)(at - d);
}

size_t zb_text_line_data(struct zb_text_line *l, const struct zb_text_line_kind *kind,
			 struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	size_t used = 0, lf = find(d, n, '\n');

	while (used < n) {
		if (lf < used)
			lf = used + find(d + used, n - used, '\n');
		if (l->after_cr) {
			l->after_cr = false;
			if (lf == used) {
				used++;
				continue;
			}
		}

		size_t room = kind->bytes_max - l->have;
		size_t end = lf - used < room ? lf : used + room;
		size_t cr = kind->cr_ends ? used + find(d + used, end - used, '\r') : end;
		size_t begin = used;

		if (cr == n) {
			if (!keep(l, a, d + begin, n - begin))
				l->have = 0;
			return n;
		}
		l->after_cr = cr < end;
		/* The byte beyond a line that is too long goes with it. */
		if (cr == end && end != lf)
			zb_analyzer_weird(a, ZB_WEIRD_contentline_size_exceeded, NULL);
		used = cr + 1;
		if (!emit(l, kind, a, side, d + begin, cr - begin)) {
			if (l->after_cr && used < n) {
				l->after_cr = false;
				used += d[used] == '\n';
			}
			break;
		}
	}
	return used;
}

void zb_text_line_fin(struct zb_text_line *l, const struct zb_text_line_kind *kind,
		      struct zb_analyzer *a, unsigned side)
{
	if (l->have != 0)
		emit(l, kind, a, side, NULL, 0);
}

void zb_text_line_free(struct zb_text_line *l, struct zb_analyzer *a)
{
	zb_mem_put(&zb_analyzer_analysis(a)->mem, a->def->mem, l->buf, l->room);
	*l = (struct zb_text_line){0};
}

void zb_text_line_swap(struct zb_text_line l[2])
{
	struct zb_text_line first = l[0];

	l[0] = l[1];
	l[1] = first;
}

static void skip_blanks(struct zb_text *t)
{
	while (t->n != 0 && zb_text_is_blank(*t->d)) {
		t->d++;
		t->n--;
	}
}

struct zb_text zb_text_word(struct zb_text *rest)
{
	struct zb_text word;

	skip_blanks(rest);
	word = zb_text(rest->d, 0);
	while (word.n < rest->n && rest->d[word.n] != ' ' && rest->d[word.n] != '\t')
		word.n++;
	*rest = zb_text(rest->d + word.n, rest->n - word.n);
	skip_blanks(rest);
	return word;
}

bool zb_text_begins(struct zb_text t, const char *word)
{
	for (size_t i = 0; word[i] != '\0'; i++)
		if (i >= t.n || zb_text_upper(t.d[i]) != (uint8_t)word[i])
			return false;
	return true;
}

bool zb_text_is(struct zb_text t, const char *word)
{
	return t.n == strlen(word) && zb_text_begins(t, word);
}

int zb_text_code(struct zb_text t)
{
	if (t.n < 3 || !zb_text_is_digit(t.d[0]) || !zb_text_is_digit(t.d[1]) ||
	    !zb_text_is_digit(t.d[2]))
		return -1;
	return (t.d[0] - '0') * 100 + (t.d[1] - '0') * 10 + t.d[2] - '0';
}

enum zb_match zb_text_match_lines(const uint8_t *d, size_t n, bool all_space,
				  bool (*test)(struct zb_text t))
{
	struct zb_text_ends ends = zb_text_ends(d, n);

	for (size_t at = 0; at < n;) {
		while (at < n && (d[at] == ' ' || (all_space && zb_text_is_space(d[at]))))
			at++;
		if (at == n)
			break;
		if (test(zb_text(d + at, n - at)))
			return ZB_MATCH_YES;
		at = (size_t)(zb_text_next_end(&ends, d + at) - d) + 1;
	}
	return ZB_MATCH_MORE;
}

enum zb_match zb_text_match_front(const uint8_t *d, size_t n, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < len; i++) {
		if (i == n)
			return ZB_MATCH_MORE;
		if (zb_text_upper(d[i]) != (uint8_t)word[i])
			return ZB_MATCH_NO;
	}
	return ZB_MATCH_YES;
}
