/* SPDX-License-Identifier: Apache-2.0 */
/* heap_when.c - see heap_when.h */
#include "bench/heap_when.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/options.h"
#include "profiler/diag.h"

#define FACTOR_MAX 1000.0
#define WORD_BYTES 64

static int bad(const char *word, const char *what)
{
	zb_err("--heap %s: not %s; give off, final, or bytes between dumps, as 256M; growth=64M, "
	       "growth=1.5x; every=60s",
	       word, what);
	return -EINVAL;
}

static int parse_bytes(const char *text, uint64_t *out)
{
	return text[0] >= '0' && text[0] <= '9' && zb_opt_parse_bytes(text, out) == 0 && *out != 0
		       ? 0
		       : -EINVAL;
}

/* "64M" or "1.5x" */
static int parse_growth(const char *text, struct zb_heap_when *w)
{
	size_t len = strlen(text);
	char *end;

	if (len < 2 || text[len - 1] != 'x')
		return parse_bytes(text, &w->grown);
	w->grown_factor = strtod(text, &end);
	return end == text + len - 1 && text[0] >= '0' && text[0] <= '9' && w->grown_factor > 1 &&
			       w->grown_factor <= FACTOR_MAX
		       ? 0
		       : -EINVAL;
}

static int parse_word(const char *word, struct zb_heap_when *w)
{
	if (strcmp(word, "final") == 0)
		return 0;
	if (strncmp(word, "growth=", 7) == 0)
		return parse_growth(word + 7, w) == 0 ? 0 : bad(word, "a growth");
	if (strncmp(word, "every=", 6) == 0)
		return zb_opt_parse_seconds(word + 6, &w->every_s) == 0 && w->every_s > 0
			       ? 0
			       : bad(word, "a time");
	return parse_bytes(word, &w->allocated) == 0 ? 0 : bad(word, "a size");
}

int zb_heap_when_parse(const char *text, struct zb_heap_when *out)
{
	struct zb_heap_when w = {.on = true};
	char word[WORD_BYTES];

	if (strcmp(text, "off") == 0) {
		*out = (struct zb_heap_when){0};
		return 0;
	}
	for (const char *p = text;; p++) {
		size_t len = strcspn(p, ",");
		int ret;

		if (len >= sizeof(word))
			return bad(text, "a size");
		memcpy(word, p, len);
		word[len] = '\0';
		ret = parse_word(word, &w);
		if (ret < 0)
			return ret;
		p += len;
		if (*p == '\0')
			break;
	}
	*out = w;
	return 0;
}

static void begin(const struct zb_heap_when *w, struct zb_heap_due *due,
		  const struct zb_heap_now *now)
{
	due->begun = true;
	due->allocated = w->allocated;
	due->live_mark = now->live;
	due->s = w->every_s;
}

static bool has_grown(const struct zb_heap_when *w, uint64_t mark, uint64_t live)
{
	return (w->grown != 0 && live > mark && live - mark >= w->grown) ||
	       (w->grown_factor > 0 && mark > 0 && (double)live >= (double)mark * w->grown_factor);
}

char zb_heap_when_due(const struct zb_heap_when *w, struct zb_heap_due *due,
		      const struct zb_heap_now *now)
{
	char kind = 0;

	if (!due->begun)
		begin(w, due, now);
	if (now->live != 0 && has_grown(w, due->live_mark, now->live))
		kind = 'u';
	/* What is late is made up for once. */
	if (w->every_s > 0 && now->s >= due->s) {
		due->s = (floor(now->s / w->every_s) + 1) * w->every_s;
		kind = 'i';
	}
	if (w->allocated != 0 && now->allocated >= due->allocated) {
		due->allocated = now->allocated - now->allocated % w->allocated + w->allocated;
		kind = 'i';
	}
	if (kind != 0 && now->live != 0)
		due->live_mark = now->live;
	return kind;
}
