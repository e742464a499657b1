/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_build.h - builds capture files byte by byte, for tests
 *
 * Memory that runs out aborts the test; nothing here is fast.
 */
#ifndef ZB_TESTS_TRACE_BUILD_H
#define ZB_TESTS_TRACE_BUILD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tb_buf {
	uint8_t *p;
	size_t nr, max;
	bool big; /* tb_file*() write big-endian */
};

static inline uint8_t *tb_room(struct tb_buf *b, size_t n)
{
	if (b->max - b->nr < n) {
		b->max = (b->max + n) * 2;
		b->p = realloc(b->p, b->max);
		if (b->p == NULL)
			abort();
	}
	b->nr += n;
	return b->p + b->nr - n;
}

static inline void tb_bytes(struct tb_buf *b, const void *p, size_t n)
{
	if (n != 0)
		memcpy(tb_room(b, n), p, n);
}

static inline void tb_zeros(struct tb_buf *b, size_t n)
{
	memset(tb_room(b, n), 0, n);
}

/* An integer of n bytes, most significant first when big. */
static inline void tb_int(struct tb_buf *b, uint64_t v, unsigned n, bool big)
{
	uint8_t *p = tb_room(b, n);

	for (unsigned i = 0; i < n; i++)
		p[big ? n - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

/* In the order of the capture file. */
static inline void tb_u16(struct tb_buf *b, uint32_t v)
{
	tb_int(b, v, 2, b->big);
}

static inline void tb_u32(struct tb_buf *b, uint64_t v)
{
	tb_int(b, v, 4, b->big);
}

/* In network order. */
static inline void tb_be16(struct tb_buf *b, uint32_t v)
{
	tb_int(b, v, 2, true);
}

static inline void tb_be32(struct tb_buf *b, uint32_t v)
{
	tb_int(b, v, 4, true);
}

static inline void tb_free(struct tb_buf *b)
{
	free(b->p);
	*b = (struct tb_buf){0};
}

static inline void tb_pcap_header(struct tb_buf *b, uint32_t magic, uint32_t link_type)
{
	tb_u32(b, magic);
	tb_u16(b, 2);
	tb_u16(b, 4);
	tb_u32(b, 0);
	tb_u32(b, 0);
	tb_u32(b, 262144);
	tb_u32(b, link_type);
}

struct tb_rec {
	uint32_t sec, frac, cap_len, wire_len;
};

static inline void tb_pcap_record(struct tb_buf *b, struct tb_rec r, const void *data)
{
	tb_u32(b, r.sec);
	tb_u32(b, r.frac);
	tb_u32(b, r.cap_len);
	tb_u32(b, r.wire_len);
	tb_bytes(b, data, r.cap_len);
}

/* A pcapng block of any type around body. */
static inline void tb_block(struct tb_buf *b, uint32_t type, const struct tb_buf *body)
{
	uint32_t pad = (uint32_t)(-body->nr & 3), len = (uint32_t)body->nr + pad + 12;

	tb_u32(b, type);
	tb_u32(b, len);
	tb_bytes(b, body->p, body->nr);
	tb_zeros(b, pad);
	tb_u32(b, len);
}

static inline void tb_shb(struct tb_buf *b)
{
	struct tb_buf body = {.big = b->big};

	tb_u32(&body, 0x1a2b3c4d);
	tb_u16(&body, 1);
	tb_u16(&body, 0);
	tb_int(&body, UINT64_MAX, 8, true);
	tb_block(b, 0x0a0d0d0a, &body);
	tb_free(&body);
}

/* tsresol and offset_s are left out when -1 and 0. */
static inline void tb_idb(struct tb_buf *b, uint32_t link_type, int tsresol, int64_t offset_s)
{
	struct tb_buf body = {.big = b->big};

	tb_u16(&body, link_type);
	tb_u16(&body, 0);
	tb_u32(&body, 0);
	if (tsresol >= 0) {
		tb_u16(&body, 9);
		tb_u16(&body, 1);
		tb_int(&body, (uint64_t)tsresol, 1, false);
		tb_zeros(&body, 3);
	}
	if (offset_s != 0) {
		tb_u16(&body, 14);
		tb_u16(&body, 8);
		tb_int(&body, (uint64_t)offset_s, 8, b->big);
	}
	tb_zeros(&body, 4);
	tb_block(b, 1, &body);
	tb_free(&body);
}

static inline void tb_epb(struct tb_buf *b, uint32_t iface, uint64_t ticks, const void *data,
			  uint32_t len)
{
	struct tb_buf body = {.big = b->big};

	tb_u32(&body, iface);
	tb_u32(&body, ticks >> 32);
	tb_u32(&body, ticks & 0xffffffff);
	tb_u32(&body, len);
	tb_u32(&body, len);
	tb_bytes(&body, data, len);
	tb_block(b, 6, &body);
	tb_free(&body);
}

/* Writes b to a new temporary file whose name goes to path. */
static inline void tb_save(const struct tb_buf *b, char path[64])
{
	FILE *f;
	int fd;

	strcpy(path, "/tmp/zb-test-XXXXXX");
	fd = mkstemp(path);
	f = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (f == NULL || (b->nr != 0 && fwrite(b->p, 1, b->nr, f) != b->nr) || fclose(f) != 0)
		abort();
}

#endif
