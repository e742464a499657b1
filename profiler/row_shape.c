/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_shape.c - what is the same in every row of a stream, and the header and footer of its file
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "profiler/row_priv.h"

#define PATH_MAX_BYTES 255

static_assert(sizeof(struct zb_row_prefix) == 64, "one cache line");

static const char *const type_word[ZB_T_NR] = {
	[ZB_T_TIME] = "time",
	[ZB_T_INTERVAL] = "interval",
	[ZB_T_COUNT] = "count",
	[ZB_T_INT] = "int",
	[ZB_T_DOUBLE] = "double",
	[ZB_T_BOOL] = "bool",
	[ZB_T_STRING] = "string",
	[ZB_T_ENUM] = "enum",
	[ZB_T_ADDR] = "addr",
	[ZB_T_PORT] = "port",
	[ZB_T_SET_STRING] = "set[string]",
	[ZB_T_SET_ENUM] = "set[enum]",
	[ZB_T_VECTOR_STRING] = "vector[string]",
	[ZB_T_VECTOR_ADDR] = "vector[addr]",
	[ZB_T_VECTOR_INTERVAL] = "vector[interval]",
};

/* Most bytes a value takes, with its closing quote; of a string, what is not its content. */
static const uint16_t type_bytes_max[ZB_T_NR] = {
	[ZB_T_TIME] = 18,     /* 11 digits of seconds, point, 6 digits */
	[ZB_T_INTERVAL] = 18, /* sign, 10 digits of seconds, point, 6 digits */
	[ZB_T_COUNT] = 20,	  [ZB_T_INT] = 20,	  [ZB_T_DOUBLE] = ZB_ROW_DOUBLE_MAX,
	[ZB_T_BOOL] = 5,	  [ZB_T_STRING] = 8, /* "(empty)" or a quote */
	[ZB_T_ENUM] = 8,	  [ZB_T_ADDR] = 46,  /* the longest IPv6 address and a quote */
	[ZB_T_PORT] = 5,	  [ZB_T_SET_STRING] = 8,  [ZB_T_SET_ENUM] = 8,
	[ZB_T_VECTOR_STRING] = 8, [ZB_T_VECTOR_ADDR] = 8, [ZB_T_VECTOR_INTERVAL] = 8,
};

/* What stands between a JSON member's colon and its value. */
static const char *json_opening(enum zb_row_type type)
{
	switch (type) {
	case ZB_T_STRING:
	case ZB_T_ENUM:
	case ZB_T_ADDR: return "\"";
	case ZB_T_SET_STRING:
	case ZB_T_SET_ENUM:
	case ZB_T_VECTOR_STRING:
	case ZB_T_VECTOR_ADDR:
	case ZB_T_VECTOR_INTERVAL: return "[";
	default: return "";
	}
}

static void prefix_init(struct zb_row_prefix *p, const struct zb_row_field *f, bool tsv, bool first)
{
	char *at = p->text;

	if (tsv) {
		if (!first)
			*at++ = '\t';
	} else {
		at = stpcpy(at, ",\"");
		at = stpcpy(at, f->name);
		at = stpcpy(at, "\":");
		at = stpcpy(at, json_opening(f->type));
	}
	p->len = (uint8_t)(at - p->text);
	p->type = (uint8_t)f->type;
}

static int def_check(const struct zb_row_def *def)
{
	if (def->field_nr == 0 || def->field_nr > ZB_ROW_FIELDS_MAX)
		return -EINVAL;
	if (strlen(def->path) > PATH_MAX_BYTES)
		return -ENAMETOOLONG;
	for (uint16_t i = 0; i < def->field_nr; i++) {
		if ((unsigned)def->fields[i].type >= ZB_T_NR)
			return -EINVAL;
		if (strlen(def->fields[i].name) > ZB_ROW_NAME_MAX)
			return -ENAMETOOLONG;
	}
	return 0;
}

int zb_row_shape_create(const struct zb_row_def *def, enum zb_row_format fmt,
			struct zb_row_shape **out)
{
	struct zb_row_shape *s;
	size_t bytes;
	int ret = def_check(def);

	if (ret < 0)
		return ret;
	bytes = sizeof(*s) + def->field_nr * sizeof(s->prefix[0]);
	bytes = (bytes + 63) & ~(size_t)63;
	s = aligned_alloc(64, bytes);
	if (s == NULL)
		return -ENOMEM;
	memset(s, 0, bytes);
	s->def = def;
	s->format = fmt;
	s->fixed_bytes = ZB_ROW_SLACK;
	for (uint16_t i = 0; i < def->field_nr; i++) {
		prefix_init(&s->prefix[i], &def->fields[i], fmt == ZB_ROW_TSV, i == 0);
		s->fixed_bytes += s->prefix[i].len + type_bytes_max[def->fields[i].type];
	}
	if (s->fixed_bytes > ZB_ROW_FIXED_MAX) {
		free(s);
		return -EINVAL;
	}
	*out = s;
	return 0;
}

void zb_row_shape_destroy(struct zb_row_shape *s)
{
	free(s);
}

size_t zb_row_shape_fixed_bytes(const struct zb_row_shape *s)
{
	return s->fixed_bytes;
}

/* `#key<tab>2024-01-31-23-59-59`, in local time as Zeek has it. */
static char *put_stamp(char *at, const char *key, uint64_t unix_ns)
{
	time_t t = (time_t)(unix_ns / 1000000000);
	struct tm tm;

	at = stpcpy(at, key);
	if (localtime_r(&t, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	at += strftime(at, 64, "\t%Y-%m-%d-%H-%M-%S\n", &tm);
	return at;
}

size_t zb_row_header(const struct zb_row_shape *s, uint64_t open_unix_ns, char *buf)
{
	const struct zb_row_def *def = s->def;
	char *at = buf;

	if (s->format != ZB_ROW_TSV)
		return 0;
	at = stpcpy(
		at,
		"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n");
	at = stpcpy(at, "#path\t");
	at = stpcpy(at, def->path);
	*at++ = '\n';
	at = put_stamp(at, "#open", open_unix_ns);
	at = stpcpy(at, "#fields");
	for (uint16_t i = 0; i < def->field_nr; i++) {
		*at++ = '\t';
		at = stpcpy(at, def->fields[i].name);
	}
	at = stpcpy(at, "\n#types");
	for (uint16_t i = 0; i < def->field_nr; i++) {
		*at++ = '\t';
		at = stpcpy(at, type_word[def->fields[i].type]);
	}
	*at++ = '\n';
	return (size_t)(at - buf);
}

size_t zb_row_footer(const struct zb_row_shape *s, uint64_t close_unix_ns, char *buf)
{
	if (s->format != ZB_ROW_TSV)
		return 0;
	return (size_t)(put_stamp(buf, "#close", close_unix_ns) - buf);
}
