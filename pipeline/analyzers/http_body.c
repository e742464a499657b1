/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_body.c - bodies: by length, in chunks, to the end; compressed; as files (RFC 9112, 6)
 *
 * A body passes through without a copy. What is compressed is inflated in pieces, into a buffer on
 * the stack.
 */
#include <netinet/in.h>
#include <string.h>

#include "pipeline/analyzers/http_priv.h"

#define INFLATE_BYTES 16384
/* Of one body; a bomb is cut off here. */
#define INFLATED_MAX (256ull << 20)

static void zip_free(struct http *h, z_stream *z)
{
	inflateEnd(z);
	zb_mem_put(http_mem(h), ZB_MEM_http, z, sizeof(*z));
}

/* zlib does not say how much it gives back: the size stands in front. */
static voidpf zip_alloc(voidpf opaque, uInt items, uInt size)
{
	size_t n = (size_t)items * size;
	uint8_t *p = zb_mem_get_raw(opaque, ZB_MEM_http, n + 16);

	if (p == NULL)
		return NULL;
	memcpy(p, &n, sizeof(n));
	return p + 16;
}

static void zip_give(voidpf opaque, voidpf p)
{
	uint8_t *block = (uint8_t *)p - 16;
	size_t n;

	memcpy(&n, block, sizeof(n));
	zb_mem_put(opaque, ZB_MEM_http, block, n + 16);
}

/* Ranges of one resource in several replies are one file. */
static size_t range_handle(struct http *h, char *buf, size_t room)
{
	const struct zb_conn *c = zb_analyzer_conn(&h->base);
	const struct http_info *i = http_info_of(h, ZB_RESP);
	size_t at = 16, n;

	memcpy(buf, zb_conn_addr(c, ZB_ORIG), 16);
	if (i == NULL)
		return at;
	n = i->host.len < room - at ? i->host.len : room - at;
	memcpy(buf + at, i->text + i->host.at, n);
	at += n;
	n = i->uri.len < room - at ? i->uri.len : room - at;
	memcpy(buf + at, i->text + i->uri.at, n);
	return at + n;
}

static uint64_t announced(const struct http_side *s)
{
	if (s->gzip || s->deflate)
		return ZB_FILE_SIZE_UNSET;
	if (s->partial)
		return s->instance_length != 0 ? s->instance_length : ZB_FILE_SIZE_UNSET;
	return s->content_length > 0 ? (uint64_t)s->content_length : ZB_FILE_SIZE_UNSET;
}

static void file_begin(struct http *h, unsigned side)
{
	struct http_side *s = &h->side[side];
	char handle[1024];
	struct zb_file_conf conf = {
		.source = "HTTP",
		.filename = s->filename.len != 0 ? s->filename.p : NULL,
		.filename_len = s->filename.len,
		.total_bytes = announced(s),
		.is_orig = side == ZB_ORIG,
	};

	if (s->partial) {
		conf.handle = handle;
		conf.handle_len = range_handle(h, handle, sizeof(handle));
	}
	s->file = zb_file_begin(&h->base, &conf);
	http_info_file(h, side, s->file);
}

/* Bytes of the body as they were before they were compressed. */
static void clear_data(struct http *h, unsigned side, const uint8_t *d, size_t n)
{
	struct http_side *s = &h->side[side];

	if (n == 0)
		return;
	if (s->body_len == 0 && !s->multipart)
		file_begin(h, side);
	s->body_len += n;
	if (s->partial) {
		zb_file_data_at(s->file, s->offset, d, n);
		s->offset += n;
	} else {
		zb_file_data(s->file, d, n);
	}
}

static bool zip_begin(struct http *h, struct http_side *s)
{
	s->zip = zb_mem_get(http_mem(h), ZB_MEM_http, sizeof(*s->zip));
	if (s->zip == NULL) {
		zb_mem_shed(http_mem(h), ZB_MEM_http);
		return false;
	}
	*s->zip = (z_stream){.zalloc = zip_alloc, .zfree = zip_give, .opaque = http_mem(h)};
	/* gzip or zlib, told by the first bytes; bare deflate is tried when that fails. */
	if (inflateInit2(s->zip, s->deflate ? 15 : 15 + 32) == Z_OK)
		return true;
	zb_mem_put(http_mem(h), ZB_MEM_http, s->zip, sizeof(*s->zip));
	s->zip = NULL;
	return false;
}

static void inflate_data(struct http *h, unsigned side, const uint8_t *d, size_t n)
{
	struct http_side *s = &h->side[side];
	uint8_t out[INFLATE_BYTES];

	if (s->zip_failed)
		return;
	if (s->zip == NULL && !zip_begin(h, s)) {
		s->zip_failed = true;
		return;
	}
	if (s->deflate && s->zip->total_in == 0 && (d[0] & 0x0f) != 8)
		inflateReset2(s->zip, -15);
	s->zip->next_in = (Bytef *)(uintptr_t)d;
	s->zip->avail_in = (uInt)n;
	do {
		int ret;

		s->zip->next_out = out;
		s->zip->avail_out = sizeof(out);
		ret = inflate(s->zip, Z_SYNC_FLUSH);
		clear_data(h, side, out, sizeof(out) - s->zip->avail_out);
		if (ret == Z_STREAM_END || s->body_len > INFLATED_MAX) {
			s->zip_failed = true; /* nothing more to inflate */
			return;
		}
		if (ret != Z_OK && ret != Z_BUF_ERROR) {
			zb_analyzer_weird(&h->base, ZB_WEIRD_inflate_failed, NULL);
			s->zip_failed = true;
			return;
		}
	} while (s->zip->avail_out == 0 || s->zip->avail_in != 0);
}

void http_body_data(struct http *h, unsigned side, const uint8_t *d, size_t n)
{
	if (h->side[side].gzip || h->side[side].deflate)
		inflate_data(h, side, d, n);
	else
		clear_data(h, side, d, n);
}

void http_body_gap(struct http *h, unsigned side, uint64_t n)
{
	struct http_side *s = &h->side[side];

	if (s->body_len == 0)
		return;
	zb_file_gap(s->file, n);
	s->body_len += n;
	s->offset += n;
	s->zip_failed |= s->gzip || s->deflate; /* what follows cannot be inflated */
}

void http_body_end(struct http *h, unsigned side)
{
	struct http_side *s = &h->side[side];

	if (s->zip != NULL)
		zip_free(h, s->zip);
	s->zip = NULL;
	if (s->file == NULL)
		return;
	if (s->partial) {
		http_info_mime(h, side, zb_file_mime(s->file));
		zb_file_release(s->file);
	} else {
		zb_file_finish(s->file);
		http_info_mime(h, side, zb_file_mime(s->file));
		zb_file_end(s->file);
	}
	s->file = NULL;
}

void http_body_begin(struct http *h, unsigned side)
{
	struct http_side *s = &h->side[side];

	if (s->no_body) {
		http_message_end(h, side, false);
	} else if (s->chunked) {
		s->expect = HTTP_CHUNK_SIZE;
	} else if (s->content_length >= 0) {
		s->left = s->content_length;
		s->expect = HTTP_BODY;
		if (s->left == 0)
			http_message_end(h, side, false);
	} else if (side == ZB_RESP) {
		s->expect = HTTP_TO_END;
	} else {
		http_message_end(h, side, false); /* a request without a length has no body */
	}
}
