/* SPDX-License-Identifier: Apache-2.0 */
/* mime_head.c - headers: name and value, Content-Type, Content-Transfer-Encoding */
#include <string.h>

#include "pipeline/analyzers/mime_priv.h"

static void advance(struct zb_text *t, size_t n)
{
	*t = zb_text(t->d + n, t->n - n);
}

/* Bytes of a comment, with those inside it, at the front of t; all of it if it has no end. */
static size_t comment_bytes(struct zb_text t)
{
	unsigned open = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (t.d[i] == '(')
			open++;
		else if (t.d[i] == '\\')
			i++;
		else if (t.d[i] == ')' && --open == 0)
			return i + 1;
	}
	return t.n;
}

/* Blanks and comments; returns whether there were any. */
static bool skip(struct zb_text *t)
{
	const uint8_t *from = t->d;

	while (t->n != 0) {
		if (zb_text_is_blank(*t->d))
			advance(t, 1);
		else if (*t->d == '(')
			advance(t, comment_bytes(*t));
		else
			break;
	}
	return t->d != from;
}

static bool is_name_char(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != ':';
}

static bool is_token_char(uint8_t c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* A boundary need not be quoted to contain other characters. */
static bool is_boundary_char(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '"';
}

/* The first run of such characters, whatever stands before it; n 0: there is none. */
static struct zb_text take(struct zb_text *t, bool (*is_char)(uint8_t c))
{
	struct zb_text run;

	while (t->n != 0 && !is_char(*t->d))
		if (!skip(t))
			advance(t, 1);
	run = zb_text(t->d, 0);
	while (run.n < t->n && is_char(t->d[run.n]))
		run.n++;
	advance(t, run.n);
	return run;
}

static struct zb_text take_token(struct zb_text *t)
{
	skip(t);
	return take(t, is_token_char);
}

/* A quoted string with its backslashes, without its quotes; false: it has no end. */
static bool take_quoted(struct zb_text *t, struct zb_text *quoted)
{
	for (size_t i = 1; i < t->n; i++) {
		if (t->d[i] == '"') {
			*quoted = zb_text(t->d + 1, i - 1);
			advance(t, i + 1);
			return true;
		}
		i += t->d[i] == '\\';
	}
	return false;
}

static void set_boundary(struct zb_mime *m, struct zb_mime_entity *e, struct zb_text v,
			 bool is_quoted)
{
	zb_mem_put(zb_mime_mem(m), m->a->def->mem, e->boundary, ZB_MIME_BOUNDARY_MAX);
	e->boundary = NULL;
	e->boundary_bytes = 0;
	if (v.n > ZB_MIME_BOUNDARY_MAX)
		return;
	e->boundary = zb_mem_get_raw(zb_mime_mem(m), m->a->def->mem, ZB_MIME_BOUNDARY_MAX);
	if (e->boundary == NULL) {
		zb_mem_shed(zb_mime_mem(m), m->a->def->mem);
		return;
	}
	for (size_t i = 0; i < v.n; i++) {
		if (is_quoted && v.d[i] == '\\' && ++i == v.n)
			break;
		e->boundary[e->boundary_bytes++] = v.d[i];
	}
}

/* The value behind '='; false: there is none, nothing was taken. */
static bool take_value(struct zb_mime *m, struct zb_mime_entity *e, struct zb_text *t,
		       bool is_boundary)
{
	struct zb_text rest = *t, v;
	bool is_quoted;

	if (!is_boundary)
		skip(&rest);
	is_quoted = rest.n != 0 && *rest.d == '"';
	if (is_quoted) {
		if (!take_quoted(&rest, &v))
			return false;
	} else {
		v = take(&rest, is_boundary ? is_boundary_char : is_token_char);
		if (v.n == 0)
			return false;
	}
	if (is_boundary)
		set_boundary(m, e, v, is_quoted);
	*t = rest;
	return true;
}

/* "; charset=utf-8; boundary=b" */
static void parameters(struct zb_mime *m, struct zb_mime_entity *e, struct zb_text t)
{
	for (;;) {
		struct zb_text attribute;

		skip(&t);
		if (t.n == 0 || *t.d != ';')
			return;
		advance(&t, 1);
		attribute = take_token(&t);
		if (attribute.n == 0)
			return;
		skip(&t);
		if (t.n == 0 || *t.d != '=')
			continue;
		advance(&t, 1);
		take_value(m, e, &t,
			   e->type == ZB_MIME_MULTIPART && zb_text_is(attribute, "BOUNDARY"));
	}
}

static void content_type(struct zb_mime *m, struct zb_mime_entity *e, struct zb_text v)
{
	struct zb_text type = take_token(&v), subtype;

	if (type.n == 0)
		return;
	skip(&v);
	if (v.n == 0 || *v.d != '/')
		return;
	advance(&v, 1);
	subtype = take_token(&v);
	if (subtype.n == 0)
		return;
	e->type = zb_text_is(type, "MULTIPART") ? ZB_MIME_MULTIPART
		  : zb_text_is(type, "MESSAGE") ? ZB_MIME_MESSAGE
						: ZB_MIME_LEAF;
	if (e->type != ZB_MIME_LEAF)
		parameters(m, e, v);
	if (e->type == ZB_MIME_MULTIPART && e->boundary == NULL)
		e->type = ZB_MIME_LEAF;
}

static void transfer_encoding(struct zb_mime_entity *e, struct zb_text v)
{
	struct zb_text word = take_token(&v);

	if (word.n == 0)
		return;
	e->encoding = zb_text_is(word, "BASE64")	     ? ZB_MIME_BASE64
		      : zb_text_is(word, "QUOTED-PRINTABLE") ? ZB_MIME_QUOTED
							     : ZB_MIME_PLAIN;
}

static void name_file(struct zb_mime *m, struct zb_text v, bool is_disposition)
{
	int n = zb_mime_file_name(v, is_disposition, m->name, sizeof(m->name));

	if (n >= 0)
		m->name_bytes = (uint16_t)n;
}

void zb_mime_header(struct zb_mime *m, struct zb_mime_entity *e, struct zb_text whole)
{
	struct zb_text name, v;

	skip(&whole);
	name = take(&whole, is_name_char);
	skip(&whole);
	if (name.n == 0 || whole.n == 0 || *whole.d != ':')
		return;
	v = zb_text(whole.d + 1, whole.n - 1);
	while (v.n != 0 && zb_text_is_space(*v.d))
		advance(&v, 1);
	zb_analysis_event(zb_analyzer_analysis(m->a));
	if (zb_text_is(name, "CONTENT-TYPE")) {
		content_type(m, e, v);
		name_file(m, v, false);
	} else if (zb_text_is(name, "CONTENT-TRANSFER-ENCODING")) {
		transfer_encoding(e, v);
	} else if (zb_text_is(name, "CONTENT-DISPOSITION")) {
		name_file(m, v, true);
	}
	if (m->ops->header != NULL)
		m->ops->header(m->a, m->side, name, v);
}
