/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_line.h - cuts a stream into lines
 *
 * A line that lies whole in one chunk is handed over where it is; only what is split is copied, up
 * to a bound. A line beyond the bound is handed over in pieces of that size (Zeek:
 * src/analyzer/protocol/tcp/ContentLine.cc).
 *
 * Also small helpers to look at lines: words, numbers, and what content detection needs; those for
 * single characters stand in text_char.h.
 *
 * Threading: one lcore.
 * Ownership: the analyzer's, which calls zb_text_line_free() in its end().
 */
#ifndef ZB_PIPELINE_ANALYZERS_TEXT_LINE_H
#define ZB_PIPELINE_ANALYZERS_TEXT_LINE_H

#include "pipeline/analyzer.h"
#include "pipeline/text_char.h"

struct zb_text_line {
	uint8_t *buf; /* the beginning of a line that is not whole */
	uint32_t have, room;
	bool after_cr; /* a CR has ended the last line: an LF right behind it belongs to it */
};

/* A line without its end; false: take no more of this chunk. */
typedef bool zb_text_line_fn(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n);

struct zb_text_line_kind {
	zb_text_line_fn *line;
	uint32_t bytes_max; /* a longer line comes in pieces */
	bool cr_ends;	    /* a CR alone ends a line; else only an LF, a CR before it is cut off */
};

/* Takes bytes of a side; returns how many: fewer than n when line() said stop. */
size_t zb_text_line_data(struct zb_text_line *l, const struct zb_text_line_kind *kind,
			 struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n);

/* The side is done: what is left is a line. */
void zb_text_line_fin(struct zb_text_line *l, const struct zb_text_line_kind *kind,
		      struct zb_analyzer *a, unsigned side);

void zb_text_line_free(struct zb_text_line *l, struct zb_analyzer *a);

/* Exchanges what the two sides' splitters hold: for flip(). */
void zb_text_line_swap(struct zb_text_line l[2]);

/* A piece of a line. */
struct zb_text {
	const uint8_t *d;
	size_t n;
};

static inline struct zb_text zb_text(const uint8_t *d, size_t n)
{
	return (struct zb_text){.d = d, .n = n};
}

/* Takes the first word off *rest, and the blanks (and tabs) around it. */
struct zb_text zb_text_word(struct zb_text *rest);

/* Whether t is word, whatever the case; word in capitals. */
bool zb_text_is(struct zb_text t, const char *word);

/* Whether t begins with word, whatever the case; word in capitals. */
bool zb_text_begins(struct zb_text t, const char *word);

/* The three digits at the front, or -1. */
int zb_text_code(struct zb_text t);

/*
 * Finds the ends of lines, CR or LF, one after the other. Streams that are no text at all are
 * looked through too, by each analyzer that reads lines: so in steps of memchr(), and each byte
 * once.
 */
struct zb_text_ends {
	const uint8_t *end;
	const uint8_t *lf, *cr; /* the next ones; end: none */
};

static inline const uint8_t *zb_text_find(const uint8_t *from, const uint8_t *end, uint8_t c)
{
	const uint8_t *p = memchr(from, c, (size_t)(end - from));

	return p != NULL ? p : end;
}

static inline struct zb_text_ends zb_text_ends(const uint8_t *d, size_t n)
{
	const uint8_t *end = d + n;

	return (struct zb_text_ends){end, zb_text_find(d, end, '\n'), zb_text_find(d, end, '\r')};
}

/* The first CR or LF at or after from, which never goes back; l->end: none. */
static inline const uint8_t *zb_text_next_end(struct zb_text_ends *l, const uint8_t *from)
{
	if (l->lf < from)
		l->lf = zb_text_find(from, l->end, '\n');
	if (l->cr < from)
		l->cr = zb_text_find(from, l->end, '\r');
	return l->lf < l->cr ? l->lf : l->cr;
}

/*
 * For content detection: calls test() on what follows the beginning of d and each CR and LF in it,
 * blanks skipped (and, with all_space, other white space too).
 */
enum zb_match zb_text_match_lines(const uint8_t *d, size_t n, bool all_space,
				  bool (*test)(struct zb_text t));

/* Matches a word at the front, whatever the case; word in capitals. */
enum zb_match zb_text_match_front(const uint8_t *d, size_t n, const char *word);

#endif
