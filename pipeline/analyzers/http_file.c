/* SPDX-License-Identifier: Apache-2.0 */
/* http_file.c - bodies as files; ranges of one resource are one file */
#include <string.h>

#include "pipeline/analyzers/http_priv.h"

/* Ranges of one resource in several replies, perhaps of several connections, are one file. */
static size_t range_handle(struct http *h, const struct http_info *i, char *buf, size_t room)
{
	const struct zb_conn *c = zb_analyzer_conn(&h->base);
	const struct http_str *part[2] = {&i->host, &i->uri};
	uint16_t port = zb_conn_port(c, ZB_RESP);
	size_t at = 16;

	memcpy(buf, zb_conn_addr(c, ZB_ORIG), 16);
	memcpy(buf + at, &port, 2);
	at += 2;
	if (!i->host.is_set) {
		memcpy(buf + at, zb_conn_addr(c, ZB_RESP), 16);
		at += 16;
	}
	for (unsigned k = 0; k < 2; k++) {
		size_t n = part[k]->len < room - at ? part[k]->len : room - at;

		if (part[k]->is_set && n != 0)
			memcpy(buf + at, i->text + part[k]->at, n);
		at += part[k]->is_set ? n : 0;
	}
	return at;
}

static uint64_t announced(const struct http_entity *e)
{
	if (e->zipped)
		return ZB_FILE_SIZE_UNSET;
	if (e->is_partial)
		return e->instance_length != 0 ? e->instance_length : ZB_FILE_SIZE_UNSET;
	return e->content_length > 0 ? (uint64_t)e->content_length : ZB_FILE_SIZE_UNSET;
}

static void file_begin(struct http *h, unsigned side, struct http_entity *e)
{
	const struct http_info *i = http_info_current(h);
	char handle[2048];
	struct zb_file_conf conf = {
		.source = "HTTP",
		.filename = e->filename.len != 0 ? e->filename.p : NULL,
		.filename_len = e->filename.len,
		.total_bytes = ZB_FILE_SIZE_UNSET,
		.is_orig = side == ZB_ORIG,
	};

	if (i != NULL && i->is_range_request && side == ZB_RESP) {
		conf.handle = handle;
		conf.handle_len = range_handle(h, i, handle, sizeof(handle));
	}
	e->has_file = true;
	e->file = zb_file_begin(&h->base, &conf);
	http_info_file(h, side, e->file, &e->filename);
	if (announced(e) != ZB_FILE_SIZE_UNSET)
		zb_file_set_total(e->file, announced(e));
}

void http_file_data(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n)
{
	if (n == 0)
		return;
	if (!e->has_file)
		file_begin(h, side, e);
	if (e->is_partial) {
		zb_file_data_at(e->file, e->offset, (const uint8_t *)d, n);
		e->offset += n;
	} else {
		zb_file_data(e->file, (const uint8_t *)d, n);
	}
	http_info_mime(h, side, e->file);
}

void http_file_gap(struct http *h, unsigned side, struct http_entity *e, uint64_t n)
{
	zb_file_gap_at(e->file, e->body_len, n);
	http_info_mime(h, side, e->file);
	if (e->is_partial)
		e->offset += n;
}

void http_file_end(struct http *h, unsigned side, struct http_entity *e)
{
	/* A range may be continued elsewhere. */
	if (side == ZB_ORIG || h->reply_code != 206)
		zb_file_finish(e->file);
	http_info_mime(h, side, e->file);
}

void http_file_release(struct http_entity *e)
{
	zb_file_release(e->file);
	e->file = NULL;
}
