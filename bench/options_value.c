/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_value.c - turns the text of one option's value into its type, and says what is wrong with
 * it
 */
#include "bench/options_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/diag.h"

#define SECONDS_MAX 1e9 /* some 31 years: still fits 64 bits of nanoseconds */
#define SECONDS_MIN 1e-6

/* Digits, then a suffix. 0, -EINVAL: no number, -ERANGE: does not fit 64 bits. */
static int parse_whole(const char *text, uint64_t *v, const char **suffix)
{
	uint64_t n = 0;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return -ERANGE;
	}
	*v = n;
	*suffix = text;
	return 0;
}

/* What a suffix multiplies by: k, M, G by thousands, or K, M, G, T by 1024s. 0: no such suffix. */
static uint64_t suffix_scale(enum zb_opt_type type, const char *suffix)
{
	static const char letters[] = "kmgt";
	uint64_t scale = 1, step = type == ZB_OPT_BYTES ? 1024 : 1000;
	size_t letter_nr = type == ZB_OPT_BYTES ? 4 : 3;
	char c = *suffix;

	if (c == '\0')
		return 1;
	if (suffix[1] != '\0')
		return 0;
	if (c == 'm' && type != ZB_OPT_BYTES)
		return 0; /* milli, to many */
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	for (size_t i = 0; i < letter_nr; i++) {
		scale *= step;
		if (letters[i] == c)
			return scale;
	}
	return 0;
}

int zb_opt_parse_bytes(const char *text, uint64_t *bytes)
{
	const char *suffix = "";
	uint64_t v, scale;
	int ret = parse_whole(text, &v, &suffix);

	if (ret < 0)
		return ret;
	scale = suffix_scale(ZB_OPT_BYTES, suffix);
	if (scale == 0)
		return -EINVAL;
	return __builtin_mul_overflow(v, scale, bytes) ? -ERANGE : 0;
}

/* "a whole number from 1 to 10" */
static const char *wanted_range(const struct zb_opt *o, char *buf, size_t buf_size)
{
	const char *what =
		o->type == ZB_OPT_BYTES ? "a size in bytes, as 4096, 64K or 2G," : "a whole number";

	if (o->max != 0)
		snprintf(buf, buf_size, "%s from %" PRIu64 " to %" PRIu64, what, o->min, o->max);
	else
		snprintf(buf, buf_size, "%s from %" PRIu64, what, o->min);
	return buf;
}

static int store_u64(const struct zb_opt *o, const char *text, void *place)
{
	char range[96];
	const char *suffix = "", *why = NULL;
	uint64_t v = 0, scale = 1;
	int ret = parse_whole(text, &v, &suffix);

	if (ret == 0)
		scale = suffix_scale(o->type, suffix);
	if (ret == -EINVAL || scale == 0)
		why = o->type == ZB_OPT_BYTES ? "not a size" : "not a number";
	else if (ret == -ERANGE || __builtin_mul_overflow(v, scale, &v) || v < o->min ||
		 (o->max != 0 && v > o->max))
		why = "out of range";
	if (why != NULL) {
		zb_err("--%s %s: %s; give %s", o->name, text, why,
		       wanted_range(o, range, sizeof(range)));
		return -EINVAL;
	}
	memcpy(place, &v, sizeof(v));
	return 0;
}

static double seconds_scale(const char *suffix)
{
	static const struct {
		const char *suffix;
		double scale;
	} scales[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"h", 3600}};

	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
		if (strcmp(suffix, scales[i].suffix) == 0)
			return scales[i].scale;
	}
	return 0;
}

int zb_opt_parse_seconds(const char *text, double *seconds)
{
	size_t number_len = strspn(text, "0123456789.");
	double v = 0, scale = 0;
	char *end = NULL;

	/* strtod() alone would take "inf", "nan" and hexadecimal. */
	if (number_len > 0) {
		v = strtod(text, &end);
		if (end == text + number_len)
			scale = seconds_scale(end);
	}
	if (scale == 0)
		return -EINVAL;
	v *= scale;
	if (v != 0 && !(v >= SECONDS_MIN && v <= SECONDS_MAX))
		return -ERANGE;
	*seconds = v;
	return 0;
}

static int store_seconds(const struct zb_opt *o, const char *text, void *place)
{
	bool zero = o->def != NULL && strcmp(o->def, "0") == 0;
	double v = 0;
	int ret = zb_opt_parse_seconds(text, &v);

	if (ret == -EINVAL) {
		zb_err("--%s %s: not a time; give seconds, or a number with ms, s, m or h", o->name,
		       text);
		return -EINVAL;
	}
	if (ret < 0 || (v == 0 && !zero)) {
		zb_err("--%s %s: out of range; give a time %s 0, at most %.0f s", o->name, text,
		       zero ? "from" : "above", SECONDS_MAX);
		return -EINVAL;
	}
	memcpy(place, &v, sizeof(v));
	return 0;
}

/* "json or zeek", "a, b or c" */
static void join_choices(const char *const *choices, char *buf, size_t buf_size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned i = 0; choices[i] != NULL && at < buf_size; i++) {
		const char *sep = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
		int n = snprintf(buf + at, buf_size - at, "%s%s", sep, choices[i]);

		at += n > 0 ? (size_t)n : 0;
	}
}

static int store_choice(const struct zb_opt *o, const char *text, void *place)
{
	char all[256];

	for (int i = 0; o->choices[i] != NULL; i++) {
		if (strcmp(o->choices[i], text) == 0) {
			memcpy(place, &i, sizeof(i));
			return 0;
		}
	}
	join_choices(o->choices, all, sizeof(all));
	zb_err("--%s %s: not a choice; give %s", o->name, text, all);
	return -EINVAL;
}

static int append(const struct zb_opt *o, const char *text, struct zb_opt_list *list)
{
	if (list->nr == ZB_OPT_LIST_MAX) {
		zb_err("--%s %s: too many values; at most %d are taken", o->name, text,
		       ZB_OPT_LIST_MAX);
		return -EINVAL;
	}
	list->v[list->nr++] = text;
	return 0;
}

int zb_opt_store(const struct zb_opt *o, const char *text, void *conf)
{
	char *place = (char *)conf + o->offset;
	bool yes = true;

	/* An empty value is, as a rule, a shell variable that was not set. */
	if (text[0] == '\0' && o->type != ZB_OPT_FLAG) {
		zb_err("--%s: the value is empty; give %s", o->name,
		       o->arg != NULL ? o->arg : "one");
		return -EINVAL;
	}
	switch (o->type) {
	case ZB_OPT_FLAG: memcpy(place, &yes, sizeof(yes)); return 0;
	case ZB_OPT_STRING: memcpy(place, &text, sizeof(text)); return 0;
	case ZB_OPT_STRINGS:
	case ZB_OPT_EACH: return append(o, text, (struct zb_opt_list *)(void *)place);
	case ZB_OPT_U64:
	case ZB_OPT_BYTES: return store_u64(o, text, place);
	case ZB_OPT_SECONDS: return store_seconds(o, text, place);
	case ZB_OPT_CHOICE: return store_choice(o, text, place);
	}
	zb_err("--%s: unknown type of option", o->name);
	return -EINVAL;
}
