/* SPDX-License-Identifier: Apache-2.0 */
/* test_rdp.c - RDP is recognised by the client's settings, and hands over to TLS when agreed */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static const uint8_t request[] = {3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0};
static const uint8_t plain[] = {3, 0, 0, 11, 6, 0xd0, 0, 0, 0, 0, 0};
static const uint8_t agreed[] = {3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 2, 0, 8, 0, 1, 0, 0, 0};
static const uint8_t settings[] = {3, 0, 0, 15, 2, 0xf0, 0x80, 'D', 'u', 'c', 'a', 8, 1, 0xc0, 0};

static bool recognised(struct analyzer_bed *b)
{
	bool has = ab_has_service(b, "rdp");

	ab_end(b);
	ab_close(b);
	return has;
}

/* Request, confirmation, settings: certain with the last, on any port, in any pieces. */
static void rdp_settings_behind_request_are_confirmed(void **state)
{
	static const uint16_t ports[] = {3389, 4444};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, ports[i & 1]);
		if (i < 2) {
			ab_say(&b, ZB_ORIG, request, sizeof(request));
			ab_say(&b, ZB_RESP, plain, sizeof(plain));
			ab_say(&b, ZB_ORIG, settings, sizeof(settings));
		} else {
			ab_drip(&b, ZB_ORIG, request, sizeof(request));
			ab_drip(&b, ZB_RESP, plain, sizeof(plain));
			ab_drip(&b, ZB_ORIG, settings, sizeof(settings) - 1);
			assert_false(ab_has_service(&b, "rdp"));
			ab_drip(&b, ZB_ORIG, settings + sizeof(settings) - 1, 1);
		}
		assert_true(recognised(&b));
	}
}

/* A server that agrees on TLS: that is what follows, beginning behind its answer. */
static void rdp_tls_agreed_hands_over(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 3389);
	ab_say(&b, ZB_ORIG, request, sizeof(request));
	ab_say(&b, ZB_RESP, agreed, sizeof(agreed));
	assert_non_null(b.s->root.first);
	assert_int_equal(b.s->root.first->id, ZB_A_tls);
	assert_null(b.s->root.first->next);
	assert_false(recognised(&b));
}

/* Other text on the port, a server that speaks first, lengths too short: refused. */
static void rdp_what_is_none_is_refused(void **state)
{
	static const struct {
		unsigned side;
		const char *d;
		size_t n;
	} first[] = {
		{ZB_ORIG, "GET / HTTP/1.0\r\n\r\n", 18},
		{ZB_RESP, (const char *)plain, 11},
		{ZB_ORIG, "\3\0\0\6\2\360", 6},
		{ZB_ORIG, "\3\0\0\0\2\360", 6},
		{ZB_ORIG, "\3\1", 2},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 3389);
		ab_say(&b, first[i].side, first[i].d, first[i].n);
		assert_int_equal(b.an.mem.bytes[ZB_MEM_analyzer], 0);
		ab_say(&b, ZB_ORIG, request, sizeof(request));
		ab_say(&b, ZB_ORIG, settings, sizeof(settings));
		assert_false(recognised(&b));
	}
}

/* Settings that end in the middle of the block that tells, or say something else. */
static void rdp_settings_cut_short_are_not_enough(void **state)
{
	(void)state;
	for (size_t n = 7; n < sizeof(settings); n++) {
		uint8_t d[sizeof(settings)];
		struct analyzer_bed b;

		memcpy(d, settings, sizeof(d));
		d[3] = (uint8_t)n;
		ab_open(&b, IPPROTO_TCP, 3389);
		ab_say(&b, ZB_ORIG, request, sizeof(request));
		ab_say(&b, ZB_ORIG, d, n);
		assert_int_equal(recognised(&b), n == sizeof(settings) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rdp_settings_behind_request_are_confirmed),
		cmocka_unit_test(rdp_tls_agreed_hands_over),
		cmocka_unit_test(rdp_what_is_none_is_refused),
		cmocka_unit_test(rdp_settings_cut_short_are_not_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
