/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_info.c - transactions: requests matched with replies, rows of http.log
 *
 * Requests and replies are numbered; a reply belongs to the request of its number, and where one of
 * them was never seen the transaction has only the other (Zeek: base/protocols/http/main.zeek).
 */
#include <string.h>

#include "pipeline/analyzers/http_priv.h"

#define TEXT_ROOM 512 /* for a transaction's texts, to begin with */

static struct http_info *find(struct http *h, uint64_t number)
{
	struct http_info *i = h->pending;

	while (i != NULL && i->number != number)
		i = i->next;
	return i;
}

static struct http_info *get(struct http *h, uint64_t number)
{
	struct http_info **link = &h->pending, *i = find(h, number);

	if (i != NULL)
		return i;
	i = zb_mem_get(http_mem(h), ZB_MEM_http, sizeof(*i));
	if (i != NULL)
		i->text = zb_mem_get_raw(http_mem(h), ZB_MEM_http, TEXT_ROOM);
	if (i == NULL || i->text == NULL) {
		zb_mem_put(http_mem(h), ZB_MEM_http, i, sizeof(*i));
		zb_mem_shed(http_mem(h), ZB_MEM_http);
		return NULL;
	}
	i->text_room = TEXT_ROOM;
	i->number = number;
	i->ts_ns = zb_analyzer_now_ns(&h->base);
	i->depth = ++h->trans_depth;
	while (*link != NULL && (*link)->number < number)
		link = &(*link)->next;
	i->next = *link;
	*link = i;
	h->pending_nr++;
	return i;
}

static void drop(struct http *h, struct http_info *i)
{
	struct http_info **link = &h->pending;

	while (*link != i)
		link = &(*link)->next;
	*link = i->next;
	h->pending_nr--;
	zb_mem_put(http_mem(h), ZB_MEM_http, i->text, i->text_room);
	zb_mem_put(http_mem(h), ZB_MEM_http, i, sizeof(*i));
}

static void put_str(struct zb_row *r, const struct http_info *i, const struct http_str *s)
{
	if (s->is_set)
		zb_row_string(r, i->text + s->at, s->len);
	else
		zb_row_unset(r);
}

static void put_strs(struct zb_row *r, const struct http_info *i, const struct http_str *s,
		     unsigned n)
{
	const char *p[HTTP_FILES_MAX];
	size_t len[HTTP_FILES_MAX], got = 0;

	for (unsigned k = 0; k < n; k++) {
		if (!s[k].is_set) /* there was no room for it */
			continue;
		p[got] = i->text + s[k].at;
		len[got++] = s[k].len;
	}
	if (got != 0)
		zb_row_strings(r, p, len, got);
	else
		zb_row_unset(r);
}

static void put_mimes(struct zb_row *r, const char *const *mime, unsigned n)
{
	size_t len[HTTP_FILES_MAX];

	for (unsigned k = 0; k < n; k++)
		len[k] = strlen(mime[k]);
	if (n != 0)
		zb_row_strings(r, mime, len, n);
	else
		zb_row_unset(r);
}

static void write_row(struct http *h, const struct http_info *i)
{
	size_t bytes = i->text_len + 64 + 2u * HTTP_FILES_MAX * 80;
	struct zb_row r;

	if (!zb_analyzer_row(&h->base, ZB_LOG_HTTP, i->ts_ns, bytes, &r))
		return;
	zb_row_count(&r, i->depth);
	put_str(&r, i, &i->method);
	put_str(&r, i, &i->host);
	put_str(&r, i, &i->uri);
	put_str(&r, i, &i->referrer);
	put_str(&r, i, &i->version);
	put_str(&r, i, &i->user_agent);
	put_str(&r, i, &i->origin);
	zb_row_count(&r, i->body_len[ZB_ORIG]);
	zb_row_count(&r, i->body_len[ZB_RESP]);
	if (i->has_status)
		zb_row_count(&r, i->status);
	else
		zb_row_unset(&r);
	put_str(&r, i, &i->status_msg);
	if (i->has_info)
		zb_row_count(&r, i->info_code);
	else
		zb_row_unset(&r);
	put_str(&r, i, &i->info_msg);
	zb_row_strings(&r, NULL, NULL, 0); /* tags */
	put_str(&r, i, &i->username);
	zb_row_unset(&r); /* password */
	put_strs(&r, i, i->proxied, i->proxied_nr);
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		put_strs(&r, i, i->fuid[side], i->fuid_nr[side]);
		put_strs(&r, i, i->filename[side], i->filename_nr[side]);
		put_mimes(&r, i->mime[side], i->mime_nr[side]);
	}
	zb_analyzer_row_end(&h->base, ZB_LOG_HTTP, &r);
}

/* Too many requests wait: their rows are written as they are. */
static void flush_waiting(struct http *h)
{
	struct http_info *i;

	zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_excessive_pipelining, NULL);
	if (h->current_response == 0)
		h->current_response++;
	for (; h->current_response < h->current_request; h->current_response++) {
		i = find(h, h->current_response);
		if (i != NULL) {
			write_row(h, i);
			drop(h, i);
		}
	}
}

struct http_info *http_info_request(struct http *h)
{
	if (h->current_request < h->current_response) {
		zb_analyzer_weird(&h->base, ZB_WEIRD_HTTP_response_before_request, NULL);
		h->current_request = h->current_response;
	}
	if (h->pending_nr > HTTP_PENDING_MAX)
		flush_waiting(h);
	h->current_request++;
	return http_info_of(h, ZB_ORIG);
}

static bool is_final(const struct http_info *i)
{
	return i->has_status && (i->status < 100 || i->status > 199);
}

struct http_info *http_info_reply(struct http *h)
{
	struct http_info *i = find(h, h->current_response);

	if (i == NULL || is_final(i))
		h->current_response++;
	return http_info_of(h, ZB_RESP);
}

struct http_info *http_info_of(struct http *h, unsigned side)
{
	struct http_info *i = get(h, side == ZB_ORIG ? h->current_request : h->current_response);

	h->current = i != NULL ? i->depth : 0;
	return i;
}

static struct http_info *find_depth(struct http *h, uint32_t depth)
{
	struct http_info *i = h->pending;

	while (i != NULL && i->depth != depth)
		i = i->next;
	return i;
}

struct http_info *http_info_current(struct http *h)
{
	return find_depth(h, h->current);
}

void http_info_entity(struct http *h, unsigned side, bool begins)
{
	struct http_info *i = begins ? http_info_of(h, side) : http_info_current(h);

	if (i != NULL)
		i->has_entity = begins;
}

void http_info_set(struct http *h, struct http_info *i, struct http_str *s, const char *d, size_t n)
{
	if (n > HTTP_FIELD_MAX)
		n = HTTP_FIELD_MAX;
	if (n > HTTP_TEXT_MAX - i->text_len)
		n = HTTP_TEXT_MAX - i->text_len;
	if (n > i->text_room - i->text_len) {
		uint32_t room = i->text_room;
		char *text;

		while (room - i->text_len < n)
			room *= 2;
		text = zb_mem_resize(http_mem(h), ZB_MEM_http, i->text, i->text_room, room);
		if (text == NULL) {
			zb_mem_shed(http_mem(h), ZB_MEM_http);
			return;
		}
		i->text = text;
		i->text_room = room;
	}
	memcpy(i->text + i->text_len, d, n);
	*s = (struct http_str){.at = i->text_len, .len = (uint32_t)n, .is_set = true};
	i->text_len += (uint32_t)n;
}

void http_info_proxied(struct http *h, struct http_info *i, const char *name, size_t name_n,
		       const char *value, size_t n)
{
	struct http_str *s = &i->proxied[i->proxied_nr], part;

	if (i->proxied_nr == HTTP_PROXIED_MAX)
		return;
	http_info_set(h, i, s, name, name_n);
	if (!s->is_set)
		return;
	for (uint32_t k = s->at; k < i->text_len; k++)
		i->text[k] = (char)zb_text_upper((uint8_t)i->text[k]);
	http_info_set(h, i, &part, " -> ", 4);
	http_info_set(h, i, &part, value, n);
	s->len = i->text_len - s->at;
	for (unsigned k = 0; k < i->proxied_nr; k++)
		if (i->proxied[k].len == s->len &&
		    memcmp(i->text + i->proxied[k].at, i->text + s->at, s->len) == 0)
			return; /* it is a set */
	i->proxied_nr++;
}

void http_info_file(struct http *h, unsigned side, struct zb_file *f, const struct http_buf *name)
{
	struct http_info *i = http_info_current(h);
	char fuid[ZB_FUID_MAX];

	if (i == NULL || f == NULL || !zb_file_is_new_here(f))
		return;
	zb_file_claim(f, &h->base, i->depth);
	if (i->fuid_nr[side] == HTTP_FILES_MAX)
		return;
	http_info_set(h, i, &i->fuid[side][i->fuid_nr[side]++], fuid, zb_file_fuid(f, fuid));
	if (name->len != 0)
		http_info_set(h, i, &i->filename[side][i->filename_nr[side]++], name->p, name->len);
}

void http_info_mime(struct http *h, unsigned side, struct zb_file *f)
{
	struct http_info *i;
	uint32_t depth;

	if (!zb_file_typed(f, &h->base, &depth) || zb_file_mime(f) == NULL)
		return;
	i = find_depth(h, depth);
	if (i != NULL && i->mime_nr[side] < HTTP_FILES_MAX)
		i->mime[side][i->mime_nr[side]++] = zb_file_mime(f);
}

void http_info_done(struct http *h, unsigned side, uint64_t body_len)
{
	struct http_info *i = http_info_of(h, side);

	zb_analysis_event(zb_analyzer_analysis(&h->base));
	if (i == NULL)
		return;
	i->body_len[side] = body_len;
	if (side == ZB_ORIG || (i->has_status && !is_final(i)))
		return;
	write_row(h, i);
	drop(h, i);
}

void http_info_flush(struct http *h)
{
	while (h->pending != NULL) {
		if (h->pending->number != 0) /* what came without any request or reply */
			write_row(h, h->pending);
		drop(h, h->pending);
	}
}
