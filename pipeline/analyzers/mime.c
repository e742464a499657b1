/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mime.c - entities, lines, boundaries, files; see mime.h and mime_priv.h
 *
 * The entities being read are a chain from the message down to the part in which the reader is. A
 * line goes down the chain until one takes it: a boundary is looked for from the top, so that an
 * outer one ends all that lies inside.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/mime_priv.h"

static void count_event(const struct zb_mime *m)
{
	zb_analysis_event(zb_analyzer_analysis(m->a));
}

static void file_begin(struct zb_mime *m)
{
	struct zb_file_conf conf = {
		.source = m->ops->source,
		.total_bytes = ZB_FILE_SIZE_UNSET,
		.depth = m->entity_nr != NULL ? *m->entity_nr : 0,
		.is_orig = m->side == ZB_ORIG,
	};

	if (m->file_failed)
		return;
	if (m->ops->names_files && m->name_bytes != 0) {
		conf.filename = (const char *)m->name;
		conf.filename_len = m->name_bytes;
	}
	m->file = zb_file_begin(m->a, &conf);
	m->file_failed = m->file == NULL;
	if (m->file != NULL && m->ops->file != NULL)
		m->ops->file(m->a, m->side, m->file, zb_text(m->name, m->name_bytes));
}

static void file_end(struct zb_mime *m)
{
	zb_file_end(m->file);
	m->file = NULL;
	m->file_failed = false;
}

static void file_data(struct zb_mime *m, const uint8_t *d, size_t n)
{
	if (m->file == NULL)
		file_begin(m);
	zb_file_data(m->file, d, n);
}

static void flush(struct zb_mime *m)
{
	size_t n = m->out_bytes;

	m->out_bytes = 0;
	if (n != 0)
		file_data(m, m->out, n);
}

void zb_mime_put(struct zb_mime *m, const uint8_t *d, size_t n)
{
	if (n > sizeof(m->out) - m->out_bytes) {
		flush(m);
		if (n >= sizeof(m->out)) {
			file_data(m, d, n);
			return;
		}
	}
	memcpy(m->out + m->out_bytes, d, n);
	m->out_bytes = (uint16_t)(m->out_bytes + n);
}

static struct zb_mime_entity *entity_begin(struct zb_mime *m, struct zb_mime_entity *parent)
{
	struct zb_mime_entity *e = zb_mem_get(zb_mime_mem(m), m->a->def->mem, sizeof(*e));

	if (e == NULL) {
		zb_mem_shed(zb_mime_mem(m), m->a->def->mem);
		return NULL;
	}
	e->parent = parent;
	e->in_header = true;
	if (parent != NULL) {
		e->depth = (uint8_t)(parent->depth + 1);
		e->encoding = parent->encoding;
	}
	m->name_bytes = 0;
	if (m->entity_nr != NULL)
		++*m->entity_nr;
	count_event(m);
	if (m->ops->entity != NULL)
		m->ops->entity(m->a, m->side);
	return e;
}

static void child_begin(struct zb_mime *m, struct zb_mime_entity *e)
{
	char addl[8];

	if (e->depth < ZB_MIME_DEPTH_MAX) {
		e->child = entity_begin(m, e);
		return;
	}
	snprintf(addl, sizeof(addl), "%u", e->depth);
	zb_analyzer_weird(m->a, ZB_WEIRD_exceeded_mime_max_depth, addl);
}

/* The header that was kept is whole. */
static void header_end(struct zb_mime *m, struct zb_mime_entity *e)
{
	if (m->head_bytes != 0)
		zb_mime_header(m, e, zb_text(m->head, m->head_bytes));
	m->has_head = false;
	m->head_bytes = 0;
}

static void entity_end(struct zb_mime *m, struct zb_mime_entity *e)
{
	if (e->has_ended)
		return;
	e->has_ended = true;
	if (e->in_header) {
		header_end(m, e);
		e->in_header = false;
	} else if (e->encoding == ZB_MIME_BASE64 && e->type == ZB_MIME_LEAF) {
		zb_mime_base64_end(m, &e->base64);
	}
	flush(m);
	file_end(m);
	m->name_bytes = 0;
	count_event(m);
}

static void entity_free(struct zb_mime *m, struct zb_mime_entity *e)
{
	zb_mem_put(zb_mime_mem(m), m->a->def->mem, e->boundary, ZB_MIME_BOUNDARY_MAX);
	zb_mem_put(zb_mime_mem(m), m->a->def->mem, e, sizeof(*e));
}

/* Ends all that lies inside e, from the innermost out. */
static void children_end(struct zb_mime *m, struct zb_mime_entity *e)
{
	struct zb_mime_entity *in = e;

	while (in->child != NULL)
		in = in->child;
	while (in != e) {
		struct zb_mime_entity *parent = in->parent;

		entity_end(m, in);
		entity_free(m, in);
		parent->child = NULL;
		in = parent;
	}
}

/* Adds to the header being kept, up to the bound. */
static void head_add(struct zb_mime *m, const uint8_t *d, size_t n)
{
	uint32_t room = m->head_room == 0 ? 256 : m->head_room;
	uint8_t *p = m->head;

	if (n > ZB_MIME_HEADER_MAX - m->head_bytes)
		n = ZB_MIME_HEADER_MAX - m->head_bytes;
	while (room < m->head_bytes + n)
		room *= 2;
	if (room != m->head_room)
		p = zb_mem_resize(zb_mime_mem(m), m->a->def->mem, p, m->head_room, room);
	if (p == NULL) {
		zb_mem_shed(zb_mime_mem(m), m->a->def->mem);
		return;
	}
	m->head = p;
	m->head_room = room;
	memcpy(p + m->head_bytes, d, n);
	m->head_bytes += (uint32_t)n;
}

static void new_header(struct zb_mime *m, struct zb_mime_entity *e, const uint8_t *d, size_t n)
{
	header_end(m, e);
	m->has_head = n != 0;
	head_add(m, d, n);
}

static void header_line(struct zb_mime *m, struct zb_mime_entity *e, const uint8_t *d, size_t n)
{
	char addl[12];

	if (n == 0 || *d == '\0') {
		header_end(m, e);
		e->in_header = false;
		if (e->type == ZB_MIME_MESSAGE)
			child_begin(m, e);
	} else if (!zb_text_is_blank(*d)) {
		new_header(m, e, d, n);
	} else if (!m->has_head) {
		while (n != 0 && zb_text_is_blank(*d)) {
			d++;
			n--;
		}
		new_header(m, e, d, n);
	} else if (m->head_bytes == 0) {
		/* There was no memory for what this belongs to. */
	} else if (m->head_bytes >= ZB_MIME_FOLDED_MAX) {
		snprintf(addl, sizeof(addl), "%u", m->head_bytes);
		zb_analyzer_weird(m->a, ZB_WEIRD_exceeded_mime_max_header_bytes, addl);
	} else {
		head_add(m, d, n);
	}
}

/* A line end that no boundary has claimed belongs to the content. */
static void plain_line(struct zb_mime *m, struct zb_mime_entity *e, const uint8_t *d, size_t n,
		       bool has_end)
{
	static const uint8_t line_end[2] = "\r\n";

	if (e->line_end_waits)
		zb_mime_put(m, line_end, 2);
	e->line_end_waits = false;
	zb_mime_put(m, d, n);
	if (has_end && e->parent != NULL && e->parent->type == ZB_MIME_MULTIPART)
		e->line_end_waits = true;
	else if (has_end)
		zb_mime_put(m, line_end, 2);
}

static void content_line(struct zb_mime *m, struct zb_mime_entity *e, const uint8_t *d, size_t n,
			 bool has_end)
{
	if (e->has_ended)
		return;
	switch (e->encoding) {
	case ZB_MIME_QUOTED: zb_mime_quoted(m, d, n); break;
	case ZB_MIME_BASE64: zb_mime_base64(m, &e->base64, d, n); break;
	default: plain_line(m, e, d, n, has_end); break;
	}
}

enum boundary { NO_BOUNDARY, BOUNDARY, LAST_BOUNDARY };

static enum boundary boundary_of(const struct zb_mime_entity *e, const uint8_t *d, size_t n)
{
	size_t len = e->boundary_bytes;

	if (n < 2 + len || d[0] != '-' || d[1] != '-' || memcmp(d + 2, e->boundary, len) != 0)
		return NO_BOUNDARY;
	return n >= len + 4 && d[len + 2] == '-' && d[len + 3] == '-' ? LAST_BOUNDARY : BOUNDARY;
}

/* Whether the line is a boundary of e. */
static bool is_boundary(struct zb_mime *m, struct zb_mime_entity *e, const uint8_t *d, size_t n)
{
	enum boundary kind = boundary_of(e, d, n);

	if (kind == NO_BOUNDARY)
		return false;
	children_end(m, e);
	if (kind == LAST_BOUNDARY)
		entity_end(m, e);
	else if (!e->has_ended)
		child_begin(m, e);
	return true;
}

struct zb_mime *zb_mime_begin(struct zb_analyzer *a, const struct zb_mime_ops *ops, unsigned side,
			      uint32_t *entity_nr)
{
	struct zb_mem *mem = &zb_analyzer_analysis(a)->mem;
	struct zb_mime *m = zb_mem_get_raw(mem, a->def->mem, sizeof(*m));

	if (m == NULL) {
		zb_mem_shed(mem, a->def->mem);
		return NULL;
	}
	memset(m, 0, offsetof(struct zb_mime, name));
	m->a = a;
	m->ops = ops;
	m->side = (uint8_t)side;
	m->entity_nr = entity_nr;
	m->top = entity_begin(m, NULL);
	return m;
}

void zb_mime_line(struct zb_mime *m, const uint8_t *d, size_t n, bool has_end)
{
	if (m == NULL)
		return;
	for (struct zb_mime_entity *e = m->top; e != NULL; e = e->child) {
		if (e->in_header) {
			header_line(m, e, d, n);
			return;
		}
		if (e->type == ZB_MIME_LEAF) {
			content_line(m, e, d, n, has_end);
			return;
		}
		if (e->type == ZB_MIME_MULTIPART && is_boundary(m, e, d, n))
			return;
	}
}

void zb_mime_flush(struct zb_mime *m)
{
	if (m != NULL)
		flush(m);
}

void zb_mime_gap(struct zb_mime *m, uint64_t n)
{
	if (m == NULL)
		return;
	flush(m);
	if (m->file == NULL)
		file_begin(m);
	zb_file_gap(m->file, n);
}

void zb_mime_end(struct zb_mime *m)
{
	struct zb_mem *mem;

	if (m == NULL)
		return;
	mem = zb_mime_mem(m);
	if (m->top != NULL) {
		children_end(m, m->top);
		entity_end(m, m->top);
		entity_free(m, m->top);
	}
	assert(m->file == NULL);
	zb_mem_put(mem, m->a->def->mem, m->head, m->head_room);
	zb_mem_put(mem, m->a->def->mem, m, sizeof(*m));
}
