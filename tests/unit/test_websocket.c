/* SPDX-License-Identifier: Apache-2.0 */
/* test_websocket.c - WebSocket: frames, masks, what runs inside, and what is refused */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

#define ASK                                                                              \
	"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* The example of RFC 6455, 1.3. */
#define ACCEPT                                                                    \
	"HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
#define RFB "RFB 003.008\n"

static void open_bed(struct analyzer_bed *b, const char *reply)
{
	ab_open(b, IPPROTO_TCP, 80);
	ab_text(b, ZB_ORIG, ASK);
	ab_text(b, ZB_RESP, reply);
	assert_false(ab_has_service(b, "websocket"));
}

static void close_bed(struct analyzer_bed *b)
{
	ab_end(b);
	ab_close(b);
}

/* A frame of up to 125 bytes; the client's are masked. */
static size_t frame(uint8_t *out, unsigned side, uint8_t first, const char *text)
{
	static const uint8_t mask[4] = {0x11, 0x80, 0x33, 0xfe};
	size_t n = strlen(text), at = 2;

	out[0] = first;
	out[1] = (uint8_t)(n | (side == ZB_ORIG ? 0x80 : 0));
	if (side == ZB_ORIG) {
		memcpy(out + at, mask, 4);
		at += 4;
	}
	for (size_t i = 0; i < n; i++)
		out[at++] = (uint8_t)text[i] ^ (side == ZB_ORIG ? mask[i & 3] : 0);
	return at;
}

static void say(struct analyzer_bed *b, unsigned side, uint8_t first, const char *text, bool drip)
{
	uint8_t buf[256];
	size_t n = frame(buf, side, first, text);

	if (drip)
		ab_drip(b, side, buf, n);
	else
		ab_say(b, side, buf, n);
}

/* A protocol in binary messages is recognised, however they are cut. */
static void websocket_carries_a_stream(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;

		open_bed(&b, ACCEPT);
		say(&b, ZB_RESP, 0x82, RFB, drip);
		assert_true(ab_has_service(&b, "websocket"));
		assert_false(ab_has_service(&b, "rfb"));
		say(&b, ZB_ORIG, 0x02, "RFB 003.", drip);
		say(&b, ZB_ORIG, 0x80, "008\n", drip);
		assert_true(ab_has_service(&b, "rfb"));
		ab_end(&b);
		assert_null(strstr(logs_read(&b.logs, "weird"), "websocket"));
		ab_close(&b);
	}
}

/* Pings are no part of the stream. */
static void websocket_control_frames_are_not_the_stream(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, ACCEPT);
	say(&b, ZB_RESP, 0x89, RFB, false);
	say(&b, ZB_ORIG, 0x8a, RFB, false);
	assert_true(ab_has_service(&b, "websocket"));
	assert_false(ab_has_service(&b, "rfb"));
	close_bed(&b);
}

/* A message cannot begin with a continuation, nor go on with anything else. */
static void websocket_wrong_opcode_is_refused(void **state)
{
	struct analyzer_bed b;

	(void)state;
	open_bed(&b, ACCEPT);
	say(&b, ZB_RESP, 0x80, "x", false);
	say(&b, ZB_RESP, 0x81, "x", false);
	assert_false(ab_has_service(&b, "websocket"));
	close_bed(&b);
	open_bed(&b, ACCEPT);
	say(&b, ZB_RESP, 0x81, "x", false);
	say(&b, ZB_RESP, 0x01, "x", false);
	say(&b, ZB_RESP, 0x81, "x", false);
	assert_false(ab_has_service(&b, "websocket"));
	close_bed(&b);
}

/* Frames of any length are taken piece by piece: no more than a piece is kept. */
static void websocket_long_frames_are_bounded(void **state)
{
	static uint8_t data[100000];
	uint8_t head[10] = {0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct analyzer_bed b;
	uint64_t before;

	(void)state;
	open_bed(&b, ACCEPT);
	before = b.an.mem.bytes[ZB_MEM_analyzer];
	ab_say(&b, ZB_ORIG, head, sizeof(head));
	for (unsigned i = 0; i < 20; i++)
		ab_say(&b, ZB_ORIG, data, sizeof(data));
	assert_true(b.an.mem.bytes[ZB_MEM_analyzer] <= before + 8192);
	zb_branch_gap(&b.s->root, ZB_ORIG, 100);
	ab_say(&b, ZB_ORIG, data, 100);
	close_bed(&b);
}

/* The handshake is held against the key; what follows the reply at once is odd, but read. */
static void websocket_handshake_is_checked(void **state)
{
	static const char wrong[] =
		"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
		"Sec-WebSocket-Accept: nonsense\r\n\r\n\x81\x01x";
	struct analyzer_bed b;
	char *weird;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, ASK);
	ab_text(&b, ZB_RESP, wrong);
	assert_true(ab_has_service(&b, "websocket"));
	ab_end(&b);
	weird = logs_read(&b.logs, "weird");
	assert_non_null(strstr(weird, "expected=s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, found=nonsense"));
	assert_non_null(strstr(weird, "protocol_data_with_HTTP_upgrade_reply"));
	assert_non_null(strstr(weird, "\"addl\":\"3\""));
	ab_close(&b);
}

/* In an old connection a refused frame is stepped over, wherever segments end. */
static void websocket_refused_frame_is_stepped_over(void **state)
{
	static const char refused[][6] = {"\x80\x04\x82\x03xy", "\x88\x01\x82"};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const char *first = refused[i / 2];
		struct analyzer_bed b;
		uint8_t buf[64];
		size_t n = 2 + (size_t)first[1];

		open_bed(&b, ACCEPT);
		b.conn.end[ZB_ORIG].last_seq = 20000;
		memcpy(buf, first, n);
		n += frame(buf + n, ZB_RESP, 0x82, RFB);
		if (i % 2 == 0)
			ab_say(&b, ZB_RESP, buf, n);
		else
			ab_drip(&b, ZB_RESP, buf, n);
		assert_true(ab_has_service(&b, "websocket"));
		say(&b, ZB_ORIG, 0x82, RFB, false);
		assert_true(ab_has_service(&b, "rfb"));
		close_bed(&b);
	}
}

/* However often the key comes, it has come. */
static void websocket_many_keys_are_not_none(void **state)
{
	struct analyzer_bed b;
	char *weird;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < 256; i++)
		ab_text(&b, ZB_ORIG, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
	ab_text(&b, ZB_ORIG, "\r\n");
	ab_text(&b, ZB_RESP, ACCEPT);
	ab_end(&b);
	weird = logs_read(&b.logs, "weird");
	assert_non_null(strstr(weird, "websocket_multiple_key_headers"));
	assert_null(strstr(weird, "websocket_missing_key_header"));
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(websocket_carries_a_stream),
		cmocka_unit_test(websocket_control_frames_are_not_the_stream),
		cmocka_unit_test(websocket_wrong_opcode_is_refused),
		cmocka_unit_test(websocket_long_frames_are_bounded),
		cmocka_unit_test(websocket_handshake_is_checked),
		cmocka_unit_test(websocket_refused_frame_is_stepped_over),
		cmocka_unit_test(websocket_many_keys_are_not_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
