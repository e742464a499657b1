/* SPDX-License-Identifier: Apache-2.0 */
/* test_tcp_state.c - when a TCP connection ends, how long it lasted, and roles by ports */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tcp_script.h"

#define SHA "@0 > S 100; @1 < SA 500,101; @2 > A 101,501; "

/* Times are in milliseconds after the first packet. */
struct life {
	const char *name, *script;
	uint64_t deadline_ms, last_ms;
	uint16_t dport; /* 0: 80 */
};

static void live_all(const struct life *lives, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct tcp_script t;

		ts_begin(&t, 40000, lives[i].dport ? lives[i].dport : 80);
		ts_play(&t, lives[i].script);
		print_message("  %s\n", lives[i].name);
		assert_int_equal((zb_tcp_deadline(&t.c) - TS_START_NS) / 1000000,
				 lives[i].deadline_ms);
		assert_int_equal((t.c.last_ns - TS_START_NS) / 1000000, lives[i].last_ms);
		ts_end(&t);
	}
}
#define LIVE(lives) live_all(lives, sizeof(lives) / sizeof(lives[0]))

/* Each way to fall silent must have the time-out that Zeek gives it. */
static void tcp_deadline_follows_the_state(void **state)
{
	static const struct life lives[] = {
		{"SYN", "> S 100", 5000, 0, 0},
		{"SYN sent again", "> S 100; @3 > S 100", 5000, 3000, 0},
		{"SYN and a bare ACK", "> S 100; @1 < A 0,101", 5000, 1000, 0},
		{"SYN answered", "> S 100; @1 < SA 500,101", 301000, 1000, 0},
		{"established", SHA, 302000, 2000, 0},
		{"established, SSH", SHA, 3602000, 2000, 22},
		{"established, FTP", SHA, 3602000, 2000, 21},
		{"established, telnet", SHA, 3602000, 2000, 23},
		{"established, rlogin", SHA, 3602000, 2000, 513},
		{"established, port next to SSH", SHA, 302000, 2000, 24},
		{"data moves it on", SHA "@200 > A 101,501 +5", 500000, 200000, 0},
		{"one stray packet", "> A 100,900", 300000, 0, 0},
		{"midstream on the SSH port", "> A 100,900 +5; @1 < A 900,105 +5", 301000, 1000,
		 22},
		{"one FIN", SHA "@3 > FA 101,501", 303000, 3000, 0},
		{"both FINs", SHA "@3 > FA 101,501; @4 < FA 501,102", 9000, 4000, 0},
		{"what follows both FINs changes nothing",
		 SHA "@3 > FA 101,501; @4 < FA 501,102; @7 > A 102,502", 9000, 4000, 0},
		{"both FINs, SSH", SHA "@3 > FA 101,501; @4 < FA 501,102", 9000, 4000, 22},
		{"RST", SHA "@3 > R 101", 8000, 3000, 0},
		{"RST of the responder", SHA "@3 < R 501", 8000, 3000, 0},
		{"rejected", "> S 100; @1 < RA 0,101", 6000, 1000, 0},
		{"SYN and RST", "> S 100; @1 > R 101", 6000, 1000, 0},
		{"SYN and FIN", "> S 100; @1 > F 101", 6000, 1000, 0},
		{"FIN, then RST of the other side", SHA "@3 > FA 101,501; @4 < R 501", 9000, 4000,
		 0},
	};

	(void)state;
	LIVE(lives);
}

/* A connection on which nothing valid has come must not live for ever. */
static void tcp_deadline_without_any_valid_packet_is_near(void **state)
{
	struct tcp_script t;

	(void)state;
	ts_begin(&t, 40000, 80);
	t.c.first_ns = t.c.last_ns = TS_START_NS;
	assert_in_range(zb_tcp_deadline(&t.c), TS_START_NS + 5 * ZB_SEC_NS,
			TS_START_NS + 60 * ZB_SEC_NS);
}

/* The deadline must never come to lie before the last packet that moved it, whatever is sent. */
static void tcp_deadline_of_random_segments_is_ahead(void **state)
{
	static const uint8_t flags[] = {0,    0x02, 0x12, 0x10, 0x10, 0x18, 0x11,
					0x04, 0x14, 0x01, 0x03, 0x06, 0x05, 0x3f};
	uint64_t r = 1;

	(void)state;
	for (unsigned conn = 0; conn < 20000; conn++) {
		struct tcp_script t;

		ts_begin(&t, 40000, 22);
		for (unsigned i = 0; i < 12; i++) {
			struct zb_tcp_seg s = {.window = 100, .wscale = -1};

			r = r * 6364136223846793005u + 1442695040888963407u;
			s.flags = flags[(r >> 33) % sizeof(flags)];
			s.seq = 100 + (uint32_t)(r >> 40) % 3;
			s.ack = 100 + (uint32_t)(r >> 44) % 3;
			s.len = (uint32_t)(r >> 48) % 2 * 10;
			t.now_ns += (r >> 50) % 4 * ZB_SEC_NS;
			if (t.begun && t.now_ns >= zb_tcp_deadline(&t.c))
				break;
			ts_segment(&t, r >> 63, &s);
			assert_true(zb_tcp_deadline(&t.c) > t.c.last_ns);
			assert_true(zb_tcp_deadline(&t.c) <= t.c.last_ns + ZB_LONG_INACTIVITY_NS);
			assert_non_null(zb_tcp_conn_state(&t.c));
		}
		ts_end(&t);
	}
}

/* Only a server's port on the sender's side, with flags that do not speak against it, may turn
 * roles round. */
static void tcp_flip_at_birth_needs_a_likely_source_port(void **state)
{
	static const struct {
		uint8_t flags;
		uint16_t sport, dport;
		bool flip;
	} cases[] = {
		{0x02, 80, 40000, false}, {0x02, 80, 443, false},      {0x12, 80, 40000, true},
		{0x12, 40000, 80, false}, {0x12, 22, 80, false},       {0x12, 80, 22, false},
		{0x10, 80, 40000, true},  {0x10, 40000, 80, false},    {0x10, 22, 80, true},
		{0x10, 80, 22, false},	  {0x10, 80, 80, false},       {0x11, 443, 50000, true},
		{0x04, 443, 50000, true}, {0x10, 50000, 40000, false}, {0x00, 25, 50000, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(zb_tcp_flip_at_birth(cases[i].flags, cases[i].sport,
						      cases[i].dport),
				 cases[i].flip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_deadline_follows_the_state),
		cmocka_unit_test(tcp_deadline_without_any_valid_packet_is_near),
		cmocka_unit_test(tcp_deadline_of_random_segments_is_ahead),
		cmocka_unit_test(tcp_flip_at_birth_needs_a_likely_source_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
