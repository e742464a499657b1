/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_part.c - messages in messages: multipart and message bodies (RFC 2046, 5)
 *
 * They are read line by line. In a part of a multipart body only CR LF ends a line, and the one in
 * front of a boundary belongs to it. Parts lie in one another HTTP_DEPTH_MAX deep; what is deeper
 * is not taken apart.
 */
#include <string.h>

#include "pipeline/analyzers/http_priv.h"

enum boundary { NO_BOUNDARY, BOUNDARY, LAST_BOUNDARY };

static enum boundary find(const struct http_entity *e, const char *d, size_t n)
{
	size_t len = e->boundary.len;

	if (n < len + 2 || d[0] != '-' || d[1] != '-' || memcmp(d + 2, e->boundary.p, len) != 0)
		return NO_BOUNDARY;
	return n >= len + 4 && d[len + 2] == '-' && d[len + 3] == '-' ? LAST_BOUNDARY : BOUNDARY;
}

void http_part_begin(struct http *h, unsigned side, struct http_entity *e)
{
	struct http_entity *c;

	if (e->depth == HTTP_DEPTH_MAX)
		return;
	c = zb_mem_get(http_mem(h), ZB_MEM_http, sizeof(*c));
	if (c == NULL) {
		zb_mem_shed(http_mem(h), ZB_MEM_http);
		return;
	}
	http_entity_init(c, HTTP_BODY_YES);
	c->parent = e;
	c->depth = (uint8_t)(e->depth + 1);
	e->child = h->side[side].current = c;
	http_info_entity(h, side, true);
}

void http_part_end(struct http *h, unsigned side, struct http_entity *e)
{
	struct http_entity *c = e->child;

	if (c == NULL)
		return;
	http_entity_end(h, side, c);
	e->child = NULL;
	h->side[side].current = e;
	http_entity_free(h, c);
	zb_mem_put(http_mem(h), ZB_MEM_http, c, sizeof(*c));
}

void http_part_take(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n,
		    bool is_line)
{
	enum boundary b = e->kind == HTTP_MULTIPART ? find(e, d, n) : NO_BOUNDARY;

	if (b == NO_BOUNDARY) {
		/* What is in front of the first part, or behind the last, is nobody's. */
		if (e->child != NULL)
			http_entity_take(h, side, e->child, d, n, is_line);
		return;
	}
	http_part_end(h, side, e);
	if (b == BOUNDARY)
		http_part_begin(h, side, e);
	else
		http_entity_end(h, side, e);
}
