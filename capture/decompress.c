/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decompress.c - the serial feed: plain, gzip or zstd from a file or a pipe into the image, as it
 * is needed
 *
 * Unpacked bytes go straight to their place; the image grows 64 MiB at a time when its room ends,
 * since how long a packed file becomes is known only at its end. Data that is damaged or ends early
 * ends the feed: what came before is good.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include "profiler/diag.h"
#include "capture/trace_priv.h"

#define GROW_BYTES ((uint64_t)64 << 20)
#define STEP_BYTES (1u << 20) /* unpacked at a time: stays in the cache for the indexer */
#define IN_BYTES   (256u << 10)

struct stream {
	/*
	 * Unpacks some bytes to dst (room for n > 0); adds them to f->avail, sets f->eof at the
	 * end.
	 */
	int (*step)(struct zb_feed *f, struct stream *s, uint8_t *dst, size_t n);
	uint64_t checked;     /* memory was asked for up to this byte */
	size_t in_pos, in_nr; /* of in[] */
	bool in_eof;
	bool between; /* at a gzip member's or zstd frame's end: the file may end here */
	bool z_ready;
	z_stream z;
	ZSTD_DStream *zd;
	uint8_t in[]; /* IN_BYTES */
};

static ssize_t read_some(struct zb_feed *f, void *dst, size_t n)
{
	ssize_t got;

	do
		got = read(f->in->fd, dst, n);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		got = -errno;
		zb_err("%s: read: %s", f->in->path, strerror((int)-got));
		return got;
	}
	if (!f->in->regular)
		f->in->size += (uint64_t)got;
	return got;
}

/* Makes in[] not empty, or sets in_eof. */
static int refill(struct zb_feed *f, struct stream *s)
{
	ssize_t got;

	if (s->in_pos < s->in_nr || s->in_eof)
		return 0;
	got = read_some(f, s->in, IN_BYTES);
	if (got < 0)
		return (int)got;
	s->in_pos = 0;
	s->in_nr = (size_t)got;
	s->in_eof = got == 0;
	return 0;
}

static int plain_step(struct zb_feed *f, struct stream *s, uint8_t *dst, size_t n)
{
	ssize_t got;

	if (s->in_pos < s->in_nr) {
		/* The bytes that told the format. */
		got = (ssize_t)(s->in_nr - s->in_pos < n ? s->in_nr - s->in_pos : n);
		memcpy(dst, s->in + s->in_pos, (size_t)got);
		s->in_pos += (size_t)got;
	} else {
		got = read_some(f, dst, n);
		if (got < 0)
			return (int)got;
	}
	f->avail += (uint64_t)got;
	f->eof = got == 0;
	return 0;
}

static void stream_broken(struct zb_feed *f, const char *why)
{
	f->broken = why;
	f->eof = true;
}

static int gzip_step(struct zb_feed *f, struct stream *s, uint8_t *dst, size_t n)
{
	int z;

	/* What follows a member and is not another one is padding. */
	if (s->between && (s->in_eof || s->in[s->in_pos] != 0x1f)) {
		f->eof = true;
		return 0;
	}
	if (s->between && inflateReset(&s->z) != Z_OK)
		return -EINVAL;
	s->between = false;
	s->z.next_in = s->in + s->in_pos;
	s->z.avail_in = (uInt)(s->in_nr - s->in_pos);
	s->z.next_out = dst;
	s->z.avail_out = (uInt)n;
	z = inflate(&s->z, Z_NO_FLUSH);
	s->in_pos = s->in_nr - s->z.avail_in;
	f->avail += n - s->z.avail_out;
	if (z == Z_STREAM_END)
		s->between = true;
	else if (z == Z_MEM_ERROR)
		stream_broken(f, "no memory to unpack gzip data");
	else if (z != Z_OK && z != Z_BUF_ERROR)
		stream_broken(f, "gzip data is damaged");
	else if (s->in_eof && s->z.avail_out == n)
		stream_broken(f, "gzip data ends early");
	return 0;
}

static int zstd_step(struct zb_feed *f, struct stream *s, uint8_t *dst, size_t n)
{
	ZSTD_inBuffer in = {s->in, s->in_nr, s->in_pos};
	ZSTD_outBuffer out = {dst, n, 0};
	size_t ret;

	if (s->between && s->in_eof) {
		f->eof = true;
		return 0;
	}
	/* Also without input: the decoder may hold bytes that had no room before. */
	ret = ZSTD_decompressStream(s->zd, &out, &in);
	s->in_pos = in.pos;
	f->avail += out.pos;
	s->between = ret == 0;
	if (ZSTD_isError(ret))
		stream_broken(f, ZSTD_getErrorName(ret));
	else if (s->in_eof && out.pos == 0 && !s->between)
		stream_broken(f, "zstd data ends early");
	return 0;
}

/* Room in the image for at least one byte, *n of them; asks for memory before it is touched. */
static int make_room(struct zb_feed *f, struct stream *s, size_t *n)
{
	uint64_t at = f->image_off + f->avail, room;
	int ret;

	if (f->check_memory && f->avail + STEP_BYTES > s->checked) {
		ret = zb_memory_check(f->in->path, GROW_BYTES);
		if (ret < 0)
			return ret;
		s->checked += GROW_BYTES;
	}
	if (at >= f->image->size) {
		ret = zb_region_grow(f->image, at + GROW_BYTES);
		if (ret < 0) {
			zb_err("%s: no address space for %" PRIu64
			       " MiB more; raise the limit (ulimit "
			       "-v)",
			       f->in->path, GROW_BYTES >> 20);
			return ret;
		}
	}
	room = f->image->size - at;
	*n = room < STEP_BYTES ? (size_t)room : STEP_BYTES;
	return 0;
}

static int stream_more(struct zb_feed *f, uint64_t end)
{
	struct stream *s = f->priv;
	int ret;

	while (f->avail < end && !f->eof) {
		size_t n;

		if (f->in->packing == ZB_PACK_NONE && f->in->regular && f->avail >= f->in->size) {
			f->eof = true;
			break;
		}
		ret = make_room(f, s, &n);
		if (ret == 0 && f->in->packing != ZB_PACK_NONE)
			ret = refill(f, s);
		if (ret == 0)
			ret = s->step(f, s, (uint8_t *)(uintptr_t)zb_feed_at(f, f->avail), n);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void stream_close(struct zb_feed *f)
{
	struct stream *s = f->priv;

	if (s->z_ready)
		inflateEnd(&s->z);
	ZSTD_freeDStream(s->zd);
	free(s);
	f->priv = NULL;
}

static int unpacker_init(struct stream *s, enum zb_packing packing)
{
	switch (packing) {
	case ZB_PACK_NONE: s->step = plain_step; return 0;
	case ZB_PACK_GZIP:
		s->step = gzip_step;
		s->z_ready = inflateInit2(&s->z, 15 + 16) == Z_OK; /* 32 KiB window, gzip header */
		return s->z_ready ? 0 : -ENOMEM;
	case ZB_PACK_ZSTD:
		s->step = zstd_step;
		s->zd = ZSTD_createDStream();
		return s->zd != NULL ? 0 : -ENOMEM;
	}
	return -EINVAL;
}

int zb_feed_open_stream(struct zb_feed *f)
{
	struct stream *s = calloc(1, sizeof(*s) + IN_BYTES);

	if (s == NULL || unpacker_init(s, f->in->packing) < 0) {
		free(s);
		zb_err("%s: out of memory", f->in->path);
		return -ENOMEM;
	}
	memcpy(s->in, f->in->head, f->in->head_nr);
	s->in_nr = f->in->head_nr;
	f->priv = s;
	f->more = stream_more;
	f->close = stream_close;
	return 0;
}
