/* SPDX-License-Identifier: Apache-2.0 */
/* row_catch.c - see row_catch.h */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/row_priv.h"
#include "tests/fuzz/row_catch.h"

#define BYTES_PER_STRING_BYTE 8
#define ID_MIN		      15 /* letters of a uid or fuid */
#define ID_MAX		      19
#define ROW_BYTES_MAX	      (256u << 10) /* as a buffer of log_set.h */

struct zb_log_port {
	struct zb_row_shape *shape[2]; /* by enum zb_row_format */
	char *room;		       /* of the row under way, exactly as large as announced */
	uint64_t rows, dropped;
};

struct zb_log_set {
	struct zb_log_port port[ZB_LOG_ENGINE_NR];
};

static struct zb_log_set set;
static enum zb_row_format format_now;
static struct rc_rows caught;

struct zb_log_set *rc_logs(void)
{
	if (set.port[0].shape[0] != NULL)
		return &set;
	for (unsigned i = 0; i < ZB_LOG_ENGINE_NR; i++)
		for (unsigned f = ZB_ROW_JSON; f <= ZB_ROW_TSV; f++)
			must(zb_row_shape_create(zb_engine_log_defs[i], (enum zb_row_format)f,
						 &set.port[i].shape[f]) == 0);
	return &set;
}

void rc_free(struct rc_rows *r)
{
	for (size_t i = 0; i < r->nr; i++)
		free(r->row[i]);
	free(r->row);
	*r = (struct rc_rows){0};
}

void rc_begin(enum zb_row_format format)
{
	rc_free(&caught);
	format_now = format;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void rc_take(struct rc_rows *out)
{
	*out = caught;
	caught = (struct rc_rows){0};
	if (out->nr != 0)
		qsort(out->row, out->nr, sizeof(out->row[0]), compare);
}

static size_t id_len(const char *at)
{
	size_t n = 0;

	if (*at != 'C' && *at != 'F')
		return 0;
	while (isalnum((unsigned char)at[n]))
		n++;
	return n >= ID_MIN && n <= ID_MAX && strchr("\",\t\n", at[n]) != NULL ? n : 0;
}

void rc_hide_ids(struct rc_rows *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		char before = '\t';

		for (char *at = r->row[i]; *at != '\0'; before = *at++) {
			size_t n = strchr("\",\t", before) != NULL ? id_len(at) : 0;

			if (n != 0)
				memmove(at + 1, at + n, strlen(at + n) + 1);
		}
	}
	if (r->nr != 0)
		qsort(r->row, r->nr, sizeof(r->row[0]), compare);
}

void rc_must_equal(const struct rc_rows *a, const struct rc_rows *b)
{
	const char *wanted = getenv("ZB_FUZZ_SAME");
	size_t i = 0, k = 0;
	bool same = a->nr == b->nr;

	if (wanted != NULL && strcmp(wanted, "0") == 0)
		return;
	while (i < a->nr || k < b->nr) {
		int c = i == a->nr ? 1 : k == b->nr ? -1 : strcmp(a->row[i], b->row[k]);

		if (c < 0)
			fprintf(stderr, "only in the first run:  %s", a->row[i]);
		if (c > 0)
			fprintf(stderr, "only in the second run: %s", b->row[k]);
		same = same && c == 0;
		i += c <= 0;
		k += c >= 0;
	}
	must(same);
}

/* A JSON string without control characters, from behind its opening quote; NULL: it is none. */
static const char *string_end(const char *at)
{
	for (; *at != '"'; at++) {
		if ((uint8_t)*at < 0x20)
			return NULL;
		if (*at == '\\' && (*++at == '\0' || strchr("\"\\/bfnrtu", *at) == NULL))
			return NULL;
	}
	return at + 1;
}

/* Brackets pair, strings end, and nothing is left out between commas. */
static bool is_json(const char *at)
{
	unsigned depth = 0;
	bool in_vector = false;

	for (char before = ','; *at != '\n'; before = *at++) {
		if (strchr(",]}", *at) != NULL && strchr(",:", before) != NULL)
			return false;
		switch (*at) {
		case '{': depth++; break;
		case '}': depth--; break;
		case '[':
		case ']':
			if (in_vector != (*at == ']'))
				return false;
			in_vector = *at == '[';
			break;
		case '"':
			at = string_end(at + 1);
			if (at == NULL)
				return false;
			at--;
			break;
		default:
			if (strchr(",:-.0123456789truefalsn", *at) == NULL)
				return false;
		}
	}
	return depth == 0 && !in_vector && at[1] == '\0';
}

static bool is_tsv(const char *at, unsigned field_nr)
{
	unsigned tabs = 0;

	for (; *at != '\n'; at++) {
		if ((uint8_t)*at < 0x20 && *at != '\t')
			return false;
		tabs += *at == '\t';
	}
	return at[1] == '\0' && tabs + 1 == field_nr;
}

static bool is_utf8(const char *s)
{
	const uint8_t *at = (const uint8_t *)s;

	while (*at != 0) {
		unsigned more = *at < 0x80   ? 0
				: *at < 0xc2 ? 9
				: *at < 0xe0 ? 1
				: *at < 0xf0 ? 2
					     : 3;

		if (more == 9 || *at > 0xf4)
			return false;
		for (at++; more != 0; more--, at++)
			if ((*at & 0xc0) != 0x80)
				return false;
	}
	return true;
}

struct zb_log_port *zb_log_port(struct zb_log_set *s, uint16_t stream, uint16_t producer)
{
	must(producer == 0);
	return &s->port[stream];
}

bool zb_log_row(struct zb_log_port *p, size_t string_bytes, struct zb_row *r)
{
	const struct zb_row_shape *shape = p->shape[format_now];
	size_t need = shape->fixed_bytes + BYTES_PER_STRING_BYTE * string_bytes;

	if (string_bytes > (ROW_BYTES_MAX - shape->fixed_bytes) / BYTES_PER_STRING_BYTE) {
		p->dropped++;
		return false;
	}
	must(p->room == NULL); /* a row that was begun is committed first */
	p->room = malloc(need);
	must(p->room != NULL);
	zb_row_begin(r, shape, p->room);
	r->limit = p->room + need;
	return true;
}

void zb_log_commit(struct zb_log_port *p, struct zb_row *r)
{
	size_t n = zb_row_end(r);
	char *row;

	must(r->at <= r->limit);
	must(memchr(p->room, 0, n) == NULL);
	row = malloc(n + 1);
	must(row != NULL);
	memcpy(row, p->room, n);
	row[n] = '\0';
	free(p->room);
	p->room = NULL;
	must(is_utf8(row));
	must(format_now == ZB_ROW_JSON ? is_json(row)
				       : is_tsv(row, p->shape[format_now]->def->field_nr));
	p->rows++;
	if ((caught.nr & (caught.nr + 1)) == 0) {
		caught.row = realloc(caught.row, (2 * caught.nr + 2) * sizeof(row));
		must(caught.row != NULL);
	}
	caught.row[caught.nr++] = row;
}

void zb_log_flush(struct zb_log_port *p)
{
	(void)p;
}

void zb_log_port_stat(const struct zb_log_port *p, struct zb_log_port_stat *out)
{
	*out = (struct zb_log_port_stat){.rows = p->rows, .rows_dropped = p->dropped};
}
