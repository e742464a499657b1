/* SPDX-License-Identifier: Apache-2.0 */
/* attack_http.c - kind E, HTTP: messages that cost more per byte the longer they are */
#include "bench/attack_priv.h"

#define P_PIECES(n)                                          \
	{                                                    \
		"pieces", n, 1, 100000000, "of a connection" \
	}
#define REQUEST "GET / HTTP/1.1\r\nHost: h.example\r\n"
#define OK	"HTTP/1.1 200 OK\r\n"

static int header_bomb(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0)
		return zb_at_say_text(g, 0, REQUEST);
	zb_at_msg(g);
	for (uint64_t i = 0; i < g->param[1]; i++)
		zb_at_add_text(g, "X-%08u: y\r\n", (unsigned)(nr * g->param[1] + i) % 100000000);
	return zb_at_say(g, 0);
}

static int folded(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	return zb_at_say_text(g, 0, nr == 0 ? REQUEST "X: y\r\n" : " yyyyyy\r\n");
}

static int long_line(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0)
		return zb_at_say_text(g, 0, "GET /");
	zb_at_msg(g);
	zb_at_add_fill(g, 'y', g->param[1]);
	return zb_at_say(g, 0);
}

/* Chunks of one byte each; with an extension where asked for. */
static int chunks(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0)
		return zb_at_say_text(g, 0, REQUEST "\r\n");
	if (nr == 1)
		return zb_at_say_text(g, 1, OK "Transfer-Encoding: chunked\r\n\r\n");
	zb_at_msg(g);
	for (unsigned i = 0; i < 100; i++) {
		zb_at_add(g, "1", 1);
		if (g->param[1] > 0) {
			zb_at_add(g, ";", 1);
			zb_at_add_fill(g, 'e', g->param[1]);
		}
		zb_at_add(g, "\r\ny\r\n", 5);
	}
	return zb_at_say(g, 1);
}

/* Parts in parts, then lines that begin as a boundary does. */
static int multipart(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0)
		return zb_at_say_text(g, 0,
				      "POST / HTTP/1.1\r\nHost: h.example\r\n"
				      "Content-Length: 2000000000\r\n"
				      "Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
	zb_at_msg(g);
	if (nr <= g->param[1])
		zb_at_add_text(g, "--b%u\r\nContent-Type: multipart/mixed; boundary=b%u\r\n\r\n",
			       (unsigned)nr - 1, (unsigned)nr);
	else
		for (unsigned i = 0; i < 20; i++)
			zb_at_add_text(g, "--b%u%06u--\r\n\r\n--b\r\n", i,
				       (unsigned)(nr % 1000000));
	return zb_at_say(g, 0);
}

static int pipeline(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	zb_at_msg(g);
	zb_at_add_text(g, "GET /%08u HTTP/1.1\r\nHost: h.example\r\n\r\n",
		       (unsigned)(nr % 100000000));
	return zb_at_say(g, 0);
}

/*
 * A gzip body whose one deflate block has a code of one bit for "258 bytes again" and one of one
 * bit for "from one byte back", both of them 0: every byte of zeros is 1,032 bytes of zeros.
 *
 * The block's header, bits in order: final 0, type 10; 29, 0, 14 (286 literal and length codes, 1
 * distance code, 18 code lengths); lengths of the code lengths: 18 has 1 bit, 1 and 2 have 2. Then
 * literal 0: 2 bits; 255 unused; end of block: 2 bits; 28 unused; 285: 1 bit; distance 0: 1 bit;
 * and the literal 0 itself, filled up with whole matches.
 */
struct bits {
	uint8_t byte[64];
	unsigned nr;
};

/* Least significant first. */
static void put_bits(struct bits *b, unsigned v, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++, b->nr++)
		b->byte[b->nr / 8] |= (uint8_t)((v >> i & 1) << (b->nr % 8));
}

static void add_bomb_head(struct zb_attack_gen *g)
{
	/* Codes as they are read, first bit first: 18 is 0, 1 is 1 0, 2 is 1 1. */
	static const uint8_t lengths[18] = {[2] = 1, [15] = 2, [17] = 2};
	struct bits b = {{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}, 80};

	put_bits(&b, 0, 1);
	put_bits(&b, 2, 2);
	put_bits(&b, 29, 5);
	put_bits(&b, 0, 5);
	put_bits(&b, 14, 4);
	for (unsigned i = 0; i < 18; i++)
		put_bits(&b, lengths[i], 3);
	put_bits(&b, 3, 2); /* literal 0 */
	put_bits(&b, 0, 1);
	put_bits(&b, 138 - 11, 7);
	put_bits(&b, 0, 1);
	put_bits(&b, 117 - 11, 7);
	put_bits(&b, 3, 2); /* end of block */
	put_bits(&b, 0, 1);
	put_bits(&b, 28 - 11, 7);
	put_bits(&b, 1, 2); /* 285 */
	put_bits(&b, 1, 2); /* distance 0 */
	put_bits(&b, 1, 2); /* the literal: 1 0 */
	while (b.nr % 8 != 0)
		put_bits(&b, 0, 2 - b.nr % 2);
	zb_at_add(g, b.byte, b.nr / 8);
}

static int gzip_bomb(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0)
		return zb_at_say_text(g, 0, REQUEST "\r\n");
	zb_at_msg(g);
	if (nr == 1) {
		zb_at_add_text(g,
			       OK "Content-Encoding: gzip\r\nContent-Length: 1000000000\r\n\r\n");
		add_bomb_head(g);
	}
	zb_at_add_fill(g, 0, g->param[1]);
	return zb_at_say(g, 1);
}

#define HTTP .port = 80, .frame = zb_at_talk

const struct zb_attack zb_attack_http[] = {
	{.name = "http-header-bomb",
	 .id = "E1",
	 .sends = "a request with headers without end",
	 .exhausts = "cycles per byte, if headers are compared; memory of a message",
	 .guard = "headers are not kept; 24 KiB of text of a transaction; --limit http",
	 .moves = "stage_stream_cycles http_bytes",
	 .params = {P_PIECES(1000), {"headers", 10, 1, 100, "in a piece"}},
	 .ack_every = 64,
	 HTTP,
	 .say = header_bomb},
	{.name = "http-folded",
	 .id = "E1",
	 .sends = "one header folded over lines without end",
	 .exhausts = "cycles per byte, if what is folded is copied again and again",
	 .guard = "64 KiB of a header; then the rest is not looked at",
	 .moves = "stage_stream_cycles http_bytes",
	 .params = {P_PIECES(1000)},
	 .ack_every = 64,
	 HTTP,
	 .say = folded},
	{.name = "http-long-line",
	 .id = "E1",
	 .sends = "a request line without end",
	 .exhausts = "buffer of a line",
	 .guard = "64 KiB of a line",
	 .moves = "http_bytes",
	 .params = {P_PIECES(100), {"bytes", 1400, 1, 1448, "of a piece"}},
	 .ack_every = 16,
	 HTTP,
	 .say = long_line},
	{.name = "http-chunks",
	 .id = "E2",
	 .sends = "a chunked body of one byte a chunk",
	 .exhausts = "cycles per byte",
	 .guard = "the reader of chunks keeps no list; work is linear",
	 .moves = "stage_stream_cycles active_files",
	 .params = {P_PIECES(1000), {"extension", 0, 0, 500, "bytes behind each size"}},
	 .ack_every = 16,
	 HTTP,
	 .say = chunks},
	{.name = "http-multipart",
	 .id = "E3",
	 .sends = "parts in parts, and lines that look like boundaries",
	 .exhausts = "cycles per line, if every boundary is compared with every level",
	 .guard = "8 levels; a boundary of 1 KiB at most",
	 .moves = "stage_stream_cycles http_bytes",
	 .params = {P_PIECES(1000), {"levels", 100, 1, 1000, "of parts"}},
	 .ack_every = 16,
	 HTTP,
	 .say = multipart},
	{.name = "http-pipeline",
	 .id = "E4",
	 .sends = "requests without waiting for a reply, on one connection",
	 .exhausts = "memory of requests that wait",
	 .guard = "100 requests wait, then the connection's HTTP is given up",
	 .moves = "http_bytes rows:http",
	 .params = {P_PIECES(1000)},
	 .ack_every = 64,
	 HTTP,
	 .say = pipeline},
	{.name = "http-gzip-bomb",
	 .id = "E5",
	 .sends = "a compressed body that grows to 1,032 times its size",
	 .exhausts = "cycles: inflating and hashing what never was on the wire",
	 .guard = "64 MiB of a body, then HTTP_inflated_body_too_large",
	 .moves = "stage_stream_cycles weird:HTTP_inflated_body_too_large",
	 .params = {P_PIECES(100), {"bytes", 1400, 1, 1448, "of a piece"}},
	 .ack_every = 16,
	 HTTP,
	 .say = gzip_bomb},
};
ZB_ATTACK_COUNT(http)
