/* SPDX-License-Identifier: Apache-2.0 */
/* test_gen_quic_seal.c - the example of RFC 9001 A.3, sealed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/gen_hello.h"
#include "bench/gen_quic_seal.h"

static const char clear[] = "c1000000010008f067a5502a4262b50040750001"
			    "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf739"
			    "88cfc79825df566dc5430b9a045a1200130100002e00330024001d00209d3c94"
			    "0d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00"
			    "020304";
static const char sealed[] = "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a"
			     "5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3"
			     "dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84"
			     "022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4"
			     "2158407dd074ee";

static uint32_t from_hex(const char *hex, uint8_t *out)
{
	uint32_t n = 0;

	for (; hex[0] != '\0'; hex += 2)
		out[n++] = (uint8_t)strtoul((const char[]){hex[0], hex[1], '\0'}, NULL, 16);
	return n;
}

static void seal_is_the_standards_example(void **state)
{
	static const uint8_t id[ZB_GEN_QUIC_ID_BYTES] = {0x83, 0x94, 0xc8, 0xf0,
							 0x3e, 0x51, 0x57, 0x08};
	uint8_t packet[256], want[256];
	struct zb_gen_quic_packet p = {
		.at = packet, .number_at = 18, .id = id, .from_server = true};
	struct zb_gen_quic_seal *q;

	(void)state;
	p.len = from_hex(clear, packet) + ZB_GEN_QUIC_TAG_BYTES;
	assert_int_equal(from_hex(sealed, want), p.len);
	assert_int_equal(zb_gen_quic_seal_create(&q), 0);
	assert_int_equal(zb_gen_quic_seal(q, &p), 0);
	assert_memory_equal(packet, want, p.len);
	/* Nothing of one packet goes into the next. */
	p.len = from_hex(clear, packet) + ZB_GEN_QUIC_TAG_BYTES;
	assert_int_equal(zb_gen_quic_seal(q, &p), 0);
	assert_memory_equal(packet, want, p.len);
	/* The client's keys are others. */
	p.from_server = false;
	p.len = from_hex(clear, packet) + ZB_GEN_QUIC_TAG_BYTES;
	assert_int_equal(zb_gen_quic_seal(q, &p), 0);
	assert_memory_not_equal(packet + 20, want + 20, p.len - 20);
	zb_gen_quic_seal_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seal_is_the_standards_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
