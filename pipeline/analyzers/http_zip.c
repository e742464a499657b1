/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_zip.c - gzip and deflate of bodies undone, piece by piece (RFC 1950 to 1952)
 *
 * Which of gzip, zlib and bare deflate it is, the bytes tell, not the header. What a body may
 * become is bounded: a bomb is cut off at HTTP_INFLATED_MAX, and said to be one by a weird.
 */
#include <string.h>

#include "pipeline/analyzers/http_priv.h"

#define INFLATE_BYTES	  4096 /* as Zeek: what a failing call has made is lost */
#define HTTP_INFLATED_MAX (64ull << 20)

/* zlib does not say how much it gives back: the size stands in front. */
static voidpf zip_alloc(voidpf opaque, uInt items, uInt size)
{
	size_t n = (size_t)items * size;
	uint8_t *p = zb_mem_get_raw(opaque, ZB_MEM_http, n + 16);

	if (p == NULL) { /* zlib gives up then, now or in the middle of a body */
		zb_mem_shed(opaque, ZB_MEM_http);
		return NULL;
	}
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

static bool zip_begin(struct http *h, struct http_entity *e)
{
	e->zip = zb_mem_get(http_mem(h), ZB_MEM_http, sizeof(*e->zip));
	if (e->zip == NULL) {
		zb_mem_shed(http_mem(h), ZB_MEM_http);
		return false;
	}
	*e->zip = (z_stream){.zalloc = zip_alloc, .zfree = zip_give, .opaque = http_mem(h)};
	if (inflateInit2(e->zip, MAX_WBITS + 32) == Z_OK) /* gzip or zlib */
		return true;
	zb_mem_put(http_mem(h), ZB_MEM_http, e->zip, sizeof(*e->zip));
	e->zip = NULL;
	return false;
}

void http_zip_end(struct http *h, struct http_entity *e)
{
	if (e->zip == NULL)
		return;
	inflateEnd(e->zip);
	zb_mem_put(http_mem(h), ZB_MEM_http, e->zip, sizeof(*e->zip));
	e->zip = NULL;
}

static void zip_over(struct http *h, struct http_entity *e, bool is_odd, enum zb_weird_name name)
{
	if (is_odd)
		zb_analyzer_weird(&h->base, name, NULL);
	e->zip_over = true;
	http_zip_end(h, e);
}

void http_zip_data(struct http *h, unsigned side, struct http_entity *e, const uint8_t *d, size_t n)
{
	uint8_t out[INFLATE_BYTES];
	bool may_be_bare = true;

	if (e->zip_over || n == 0)
		return;
	if (e->zip == NULL && !zip_begin(h, e)) {
		e->zip_over = true;
		return;
	}
	e->zip->next_in = (Bytef *)(uintptr_t)d;
	e->zip->avail_in = (uInt)n;
	do {
		size_t got;
		int ret;

		e->zip->next_out = out;
		e->zip->avail_out = sizeof(out);
		ret = inflate(e->zip, Z_SYNC_FLUSH);
		got = sizeof(out) - e->zip->avail_out;
		if (ret == Z_DATA_ERROR && may_be_bare && inflateReset2(e->zip, -15) == Z_OK) {
			may_be_bare = false; /* some servers leave the header out */
			e->zip->next_in = (Bytef *)(uintptr_t)d;
			e->zip->avail_in = (uInt)n;
			continue;
		}
		if (ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR) {
			zip_over(h, e, true, ZB_WEIRD_inflate_failed);
			return;
		}
		may_be_bare = false;
		e->inflated += got;
		if (got != 0)
			http_entity_clear(h, side, e, (const char *)out, got, false);
		if (e->zip == NULL) /* that was all, says what was in it */
			return;
		if (ret == Z_STREAM_END || e->inflated > HTTP_INFLATED_MAX) {
			zip_over(h, e, ret != Z_STREAM_END, ZB_WEIRD_HTTP_inflated_body_too_large);
			return;
		}
	} while (e->zip->avail_in != 0 || e->zip->avail_out == 0);
}
