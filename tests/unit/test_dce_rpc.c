/* SPDX-License-Identifier: Apache-2.0 */
/* test_dce_rpc.c - DCE/RPC is recognised by a whole fragment, and how it authenticates by its token
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/analyzers/dce_rpc.h"

/* A bind without a body, little-endian; with a token of NTLMSSP of eight bytes behind it. */
static const uint8_t plain[] = {5, 0, 11, 3, 0x10, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0};
static const uint8_t bind_ntlm[] = {5, 0, 11,  3,   0x10, 0,   0,   0,	 32,  0, 8,
				    0, 1, 0,   0,   0,	  10,  2,   0,	 0,   0, 0,
				    0, 0, 'N', 'T', 'L',  'M', 'S', 'S', 'P', 0};

static bool recognised(struct analyzer_bed *b, const char *name)
{
	bool has = ab_has_service(b, name);

	ab_end(b);
	ab_close(b);
	return has;
}

/* One fragment on any port, in either byte order. */
static void dce_rpc_whole_fragment_is_confirmed(void **state)
{
	static const uint16_t ports[] = {135, 49152};
	uint8_t big[sizeof(plain)];
	struct analyzer_bed b;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ab_open(&b, IPPROTO_TCP, ports[i]);
		ab_say(&b, ZB_ORIG, plain, sizeof(plain));
		assert_true(recognised(&b, "dce_rpc"));
	}
	memcpy(big, plain, sizeof(big));
	big[4] = 0;
	big[8] = 0;
	big[9] = 16;
	ab_open(&b, IPPROTO_TCP, 135);
	ab_say(&b, ZB_ORIG, big, sizeof(big));
	assert_true(recognised(&b, "dce_rpc"));
}

/* One byte at a time, it is recognised with the last. */
static void dce_rpc_byte_by_byte_is_confirmed_at_the_end(void **state)
{
	static const uint16_t ports[] = {135, 49152};
	struct analyzer_bed b;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ab_open(&b, IPPROTO_TCP, ports[i]);
		ab_drip(&b, ZB_ORIG, bind_ntlm, sizeof(bind_ntlm) - 1);
		assert_false(ab_has_service(&b, "dce_rpc"));
		ab_drip(&b, ZB_ORIG, bind_ntlm + sizeof(bind_ntlm) - 1, 1);
		assert_true(ab_has_service(&b, "ntlm"));
		assert_false(ab_has_service(&b, "gssapi"));
		assert_true(recognised(&b, "dce_rpc"));
	}
}

/* Text on its port, another version, a length that has no room for header or token: refused. */
static void dce_rpc_other_protocols_are_refused(void **state)
{
	static const struct {
		uint8_t at, value;
	} wrong[] = {{0, 4}, {8, 15}, {10, 1}, {11, 255}};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 135);
	ab_text(&b, ZB_ORIG, "GET / HTTP/1.0\r\n\r\n");
	assert_false(recognised(&b, "dce_rpc"));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t d[sizeof(plain)];

		memcpy(d, plain, sizeof(d));
		d[wrong[i].at] = wrong[i].value;
		ab_open(&b, IPPROTO_TCP, 135);
		ab_say(&b, ZB_ORIG, d, sizeof(d));
		ab_say(&b, ZB_ORIG, plain, sizeof(plain));
		assert_false(recognised(&b, "dce_rpc"));
	}
}

/* A token as long as there is room for, and not a byte longer. */
static void dce_rpc_token_fits_behind_its_header(void **state)
{
	uint8_t d[sizeof(bind_ntlm)];
	struct zb_dce_header h;

	(void)state;
	assert_true(zb_dce_header_read(bind_ntlm, &h));
	assert_int_equal(h.frag_bytes, 32);
	assert_int_equal(h.auth_bytes, 8);
	memcpy(d, bind_ntlm, sizeof(d));
	d[10] = 9;
	assert_false(zb_dce_header_read(d, &h));
	d[10] = 0xff;
	d[11] = 0xff;
	assert_false(zb_dce_header_read(d, &h));
}

/* What is missing cannot be made up: nothing more is looked at. */
static void dce_rpc_gap_ends_it(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 135);
	zb_branch_gap(&b.s->root, ZB_ORIG, 3);
	ab_say(&b, ZB_ORIG, plain, sizeof(plain));
	assert_false(recognised(&b, "dce_rpc"));
}

/* Says a fragment of a call: FIRST, LAST, or both, of n bytes in all. */
enum { FIRST = 1, LAST = 2 };
static void fragment(struct analyzer_bed *b, uint8_t flags, uint8_t call, uint16_t n)
{
	static uint8_t d[UINT16_MAX];

	memcpy(d, plain, sizeof(plain));
	d[3] = flags;
	d[8] = (uint8_t)n;
	d[9] = (uint8_t)(n >> 8);
	d[12] = call;
	ab_say(b, ZB_ORIG, d, n);
}

static void assert_weird(struct analyzer_bed *b, const char *name)
{
	const char *text;

	assert_true(ab_has_service(b, "dce_rpc"));
	ab_end(b);
	text = logs_read(&b->logs, "weird");
	if (name == NULL)
		assert_string_equal(text, "");
	else
		assert_non_null(strstr(text, name));
	ab_close(b);
}

/* Calls in fragments, one after the other, each with no more than is allowed: nothing is odd. */
static void dce_rpc_calls_in_fragments_are_followed(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 135);
	for (unsigned i = 0; i < 100; i++) {
		fragment(&b, FIRST, (uint8_t)i, 16 + 10000);
		fragment(&b, FIRST | LAST, 200, 16);
		fragment(&b, 0, (uint8_t)i, 16 + 10000);
		fragment(&b, LAST, (uint8_t)i, 16 + 10000);
	}
	assert_weird(&b, NULL);
}

/* Too many calls under way, the same one begun twice, one with too much: odd, and the end. */
static void dce_rpc_calls_are_bounded(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 135);
	for (uint8_t i = 0; i <= ZB_DCE_CALLS_MAX; i++) {
		assert_non_null(b.s->root.first);
		fragment(&b, FIRST, i, 16);
	}
	assert_null(b.s->root.first);
	assert_weird(&b, "\"too_many_dce_rpc_msgs_in_reassembly\"");
	ab_open(&b, IPPROTO_TCP, 135);
	fragment(&b, FIRST, 7, 16);
	fragment(&b, FIRST, 7, 16);
	assert_weird(&b, "\"multiple_first_fragments_in_dce_rpc_reassembly\"");
	ab_open(&b, IPPROTO_TCP, 135);
	fragment(&b, FIRST, 7, 16 + ZB_DCE_CALL_BYTES_MAX);
	assert_non_null(b.s->root.first);
	fragment(&b, 0, 7, 17);
	assert_weird(&b, "\"too_much_dce_rpc_fragment_data\"");
}

/* Ways to authenticate that nobody looks into are named. */
static void dce_rpc_other_authentication_is_odd(void **state)
{
	static const struct {
		uint8_t type;
		const char *name;
	} way[] = {{0x0e, "\"tls_dce_rpc_auth_type\",\"addl\":\"14\""},
		   {0x44, "\"netlogon_dce_rpc_auth_type\",\"addl\":\"68\""},
		   {0x99, "\"unknown_dce_rpc_auth_type\",\"addl\":\"153\""},
		   {0x10, NULL}};
	uint8_t d[sizeof(bind_ntlm)];
	struct analyzer_bed b;

	(void)state;
	for (unsigned i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		memcpy(d, bind_ntlm, sizeof(d));
		d[16] = way[i].type;
		ab_open(&b, IPPROTO_TCP, 135);
		ab_say(&b, ZB_ORIG, d, sizeof(d));
		assert_weird(&b, way[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dce_rpc_whole_fragment_is_confirmed),
		cmocka_unit_test(dce_rpc_byte_by_byte_is_confirmed_at_the_end),
		cmocka_unit_test(dce_rpc_other_protocols_are_refused),
		cmocka_unit_test(dce_rpc_token_fits_behind_its_header),
		cmocka_unit_test(dce_rpc_gap_ends_it),
		cmocka_unit_test(dce_rpc_calls_in_fragments_are_followed),
		cmocka_unit_test(dce_rpc_calls_are_bounded),
		cmocka_unit_test(dce_rpc_other_authentication_is_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
