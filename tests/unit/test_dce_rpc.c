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

/* Text on its port, an unknown type, a length that has no room for header or token: refused. */
static void dce_rpc_other_protocols_are_refused(void **state)
{
	static const struct {
		uint8_t at, value;
	} wrong[] = {{0, 4}, {1, 2}, {2, 20}, {8, 15}, {10, 1}, {11, 255}};
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dce_rpc_whole_fragment_is_confirmed),
		cmocka_unit_test(dce_rpc_byte_by_byte_is_confirmed_at_the_end),
		cmocka_unit_test(dce_rpc_other_protocols_are_refused),
		cmocka_unit_test(dce_rpc_token_fits_behind_its_header),
		cmocka_unit_test(dce_rpc_gap_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
