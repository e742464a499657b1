/* SPDX-License-Identifier: Apache-2.0 */
/* test_tcp_conn.c - conversations and what they leave behind: history, conn_state, sizes, oddities,
 * roles, reuse */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tcp_script.h"

#define SHA	 "> S 100; < SA 500,101; > A 101,501; "
#define NO_WEIRD ZB_WEIRD_NR

struct talk {
	const char *name, *script;
	const char *history, *state;
	uint64_t orig_bytes, resp_bytes;
	enum zb_weird_name weird; /* one that must have been raised; NO_WEIRD: none at all */
	uint16_t sport, dport;	  /* 0: 40000 and 50000, of which neither looks like a server's */
};

static void play_all(const struct talk *talks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct talk *k = &talks[i];
		struct tcp_script t;

		ts_begin(&t, k->sport ? k->sport : 40000, k->dport ? k->dport : 50000);
		ts_play(&t, k->script);
		print_message("  %s\n", k->name);
		assert_int_equal(t.c.history_len, strlen(k->history));
		assert_memory_equal(zb_conn_history(&t.c), k->history, t.c.history_len);
		assert_string_equal(zb_tcp_conn_state(&t.c), k->state);
		assert_int_equal(zb_tcp_size(&t.c, ZB_ORIG), k->orig_bytes);
		assert_int_equal(zb_tcp_size(&t.c, ZB_RESP), k->resp_bytes);
		if (k->weird == NO_WEIRD)
			assert_int_equal(t.w.total, 0);
		else
			assert_true(t.w.count[k->weird] > 0);
		ts_end(&t);
	}
}
#define PLAY(talks) play_all(talks, sizeof(talks) / sizeof(talks[0]))

/* Every conn_state that Zeek knows must come from the conversation it stands for. */
static void tcp_conversation_gives_its_conn_state(void **state)
{
	static const struct talk talks[] = {
		{"unanswered SYN", "> S 100; > S 100", "S", "S0", 0, 0, NO_WEIRD, 0, 80},
		{"established", SHA "> PA 101,501 +10; < A 501,111; < PA 501,111 +20; > A 111,521",
		 "ShADad", "S1", 10, 20, NO_WEIRD, 0, 80},
		{"closed by both",
		 SHA "> PA 101,501 +10; < A 501,111; < PA 501,111 +20; > FA 111,521; < FA 521,112; "
		     "> A 112,522",
		 "ShADadFf", "SF", 10, 20, NO_WEIRD, 0, 80},
		{"rejected", "> S 100; < RA 0,101", "Sr", "REJ", 0, 0, NO_WEIRD, 0, 80},
		{"rejected by both, nothing sent", "> S 100; < SA 500,101; > R 101; < R 501",
		 "ShRr", "REJ", 0, 0, NO_WEIRD, 0, 80},
		{"half closed by originator", SHA "> FA 101,501", "ShAF", "S2", 0, 0, NO_WEIRD, 0,
		 80},
		{"half closed by responder", SHA "< FA 501,101", "ShAf", "S3", 0, 0, NO_WEIRD, 0,
		 80},
		{"aborted by originator", SHA "> R 101", "ShAR", "RSTO", 0, 0, NO_WEIRD, 0, 80},
		{"aborted by responder", SHA "< R 501", "ShAr", "RSTR", 0, 0, NO_WEIRD, 0, 80},
		{"both aborted after data", SHA "> PA 101,501 +10; < R 501; > R 111", "ShADrR",
		 "RSTR", 10, 0, NO_WEIRD, 0, 80},
		{"SYN and RST", "> S 100; > R 101", "SR", "RSTOS0", 0, 0, NO_WEIRD, 0, 80},
		{"SYN, RST and an ACK", "> S 100; > R 101; > A 101,1", "SRA", "RSTOS0", 0, 0,
		 NO_WEIRD, 0, 80},
		{"SYN, ACK and RST", "> S 100; > A 101,1; > R 101", "SAR", "OTH", 0, 0,
		 ZB_WEIRD_possible_split_routing, 0, 80},
		{"half-open found out", "> S 100; < A 999,5000; > R 5000", "SaR", "RSTOS0", 0, 0,
		 NO_WEIRD, 0, 80},
		{"RST alone", "> R 100", "R", "OTH", 0, 0, ZB_WEIRD_spontaneous_RST, 0, 80},
		{"SYN-ACK and RST of a server", "> SA 500,101; > R 501", "^hr", "RSTRH", 0, 0,
		 ZB_WEIRD_unsolicited_SYN_response, 80, 0},
		{"SYN and FIN", "> S 100; > F 101", "SF", "SH", 0, 0, ZB_WEIRD_inappropriate_FIN, 0,
		 80},
		{"SYN-ACK and FIN of a server", "> SA 500,101; > F 501", "^hf", "SHR", 0, 0,
		 ZB_WEIRD_unsolicited_SYN_response, 80, 0},
		{"midstream", "> PA 100,900 +10; < PA 900,110 +20", "Dd", "OTH", 10, 20, NO_WEIRD,
		 0, 80},
		{"SYN-ACK alone", "> SA 500,101", "H", "OTH", 0, 0,
		 ZB_WEIRD_connection_originator_SYN_ack, 0, 0},
	};

	(void)state;
	PLAY(talks);
}

/* Each letter must come when and as often as Zeek writes it. */
static void tcp_history_letters_follow_their_rules(void **state)
{
	static const struct talk talks[] = {
		{"retransmitted SYN and SYN-ACK", "> S 100; > S 100; < SA 500,101; < SA 500,101",
		 "Sh", "S1", 0, 0, NO_WEIRD, 0, 80},
		{"A once a side", SHA "> A 101,501 x3; < A 501,101 x3", "ShAa", "S1", 0, 0,
		 NO_WEIRD, 0, 80},
		{"D once a side",
		 SHA "> A 101,501 +5; > A 106,501 +5; < A 501,111 +7; < A 508,111 +7", "ShADd",
		 "S1", 10, 14, NO_WEIRD, 0, 80},
		{"FIN with data is F", SHA "> FA 101,501 +5; < FA 501,107 +7", "ShAFf", "SF", 5, 7,
		 NO_WEIRD, 0, 80},
		{"RST with data is R and no progress", SHA "> RA 101,501 +5", "ShART", "RSTO", 0, 0,
		 NO_WEIRD, 0, 80},
		{"SYN with data is S and no progress", "> S 100 +5", "ST", "S0", 5, 0,
		 ZB_WEIRD_SYN_with_data, 0, 80},
		{"FIN sent again", SHA "> FA 101,501 +5; > FA 106,501 x2", "ShAF", "S2", 5, 0,
		 NO_WEIRD, 0, 80},
		{"FIN further on", SHA "> FA 101,501; > FA 111,501", "ShAFF", "S2", 10, 0,
		 ZB_WEIRD_FIN_advanced_last_seq, 0, 80},
		{"RST sent again", SHA "> R 101 x3", "ShAR", "RSTO", 0, 0, NO_WEIRD, 0, 80},
		{"RST elsewhere", SHA "> R 101; > R 105; > R 105", "ShARR", "RSTO", 0, 0, NO_WEIRD,
		 0, 80},
		{"FIN and RST", SHA "> FR 101 x2", "ShAI", "RSTO", 0, 0, ZB_WEIRD_FIN_after_reset,
		 0, 80},
		{"SYN and FIN at once", "> SF 100 x2", "Q", "SH", 0, 0,
		 ZB_WEIRD_premature_connection_reuse, 0, 80},
		{"SYN-ACK after a FIN", SHA "< FA 501,101; < SA 500,101", "ShAf", "S3", 0, 0,
		 ZB_WEIRD_SYN_after_close, 0, 80},
		{"SYN and RST at once", "> SR 100", "Q", "OTH", 0, 0, ZB_WEIRD_TCP_christmas, 0,
		 80},
		{"SYN, FIN and RST at once", "> SFR 100", "I", "OTH", 0, 0, ZB_WEIRD_TCP_christmas,
		 0, 80},
		{"urgent SYN", "> SU 100", "S", "S0", 0, 0, ZB_WEIRD_baroque_SYN, 0, 80},
	};

	(void)state;
	PLAY(talks);
}

/* Letters that are counted must come at 1, 10, 100 and 1000. */
static void tcp_counted_letters_are_logarithmic(void **state)
{
	static const struct talk talks[] = {
		{"no retransmission", SHA "> A 101,501 +10", "ShAD", "S1", 10, 0, NO_WEIRD, 0, 80},
		{"1 retransmission", SHA "> A 101,501 +10; > A 101,501 +10", "ShADT", "S1", 10, 0,
		 NO_WEIRD, 0, 80},
		{"9 retransmissions", SHA "> A 101,501 +10; > A 101,501 +10 x9", "ShADT", "S1", 10,
		 0, NO_WEIRD, 0, 80},
		{"10 retransmissions", SHA "> A 101,501 +10; > A 101,501 +10 x10", "ShADTT", "S1",
		 10, 0, NO_WEIRD, 0, 80},
		{"1000 retransmissions", SHA "< A 501,101 +10; < A 501,101 +10 x1000", "ShAdtttt",
		 "S1", 0, 10, NO_WEIRD, 0, 80},
		{"keep-alive with a byte sent before", SHA "> A 101,501 +10; > A 110,501 +1",
		 "ShADT", "S1", 10, 0, NO_WEIRD, 0, 80},
		{"1 zero window", SHA "< A 501,101 w0", "ShAaw", "S1", 0, 0, NO_WEIRD, 0, 80},
		{"99 zero windows", SHA "< A 501,101 w0 x99", "ShAaww", "S1", 0, 0, NO_WEIRD, 0,
		 80},
		{"100 zero windows", SHA "< A 501,101 w0 x100", "ShAawww", "S1", 0, 0, NO_WEIRD, 0,
		 80},
		{"zero window of a RST", SHA "< RA 501,101 w0", "ShAr", "RSTR", 0, 0, NO_WEIRD, 0,
		 80},
		{"zero window after the peer's FIN", SHA "> FA 101,501; < A 501,102 w0", "ShAFa",
		 "S2", 0, 0, NO_WEIRD, 0, 80},
		{"zero window after own RST", SHA "> R 101; > A 101,501 w0", "ShAR", "RSTO", 0, 0,
		 NO_WEIRD, 0, 80},
		{"flag, window and retransmission at once",
		 SHA "> A 101,501 +10; > FA 101,501 +5 w0", "ShADFWT", "S2", 9, 0, NO_WEIRD, 0, 80},
	};

	(void)state;
	PLAY(talks);
}

/* Sizes must come from sequence numbers: holes count, repetition does not, nonsense is left out. */
static void tcp_sizes_come_from_sequence_numbers(void **state)
{
	static const struct talk talks[] = {
		{"a hole", SHA "> A 101,501 +10; > A 1101,501 +10", "ShAD", "S1", 1010, 0, NO_WEIRD,
		 0, 80},
		{"data acked but not seen", SHA "< A 501,2101", "ShAa", "S1", 2000, 0, NO_WEIRD, 0,
		 80},
		{"only SYN and FIN, 3 GB between", "> S 100; < SA 500,101; > FA 3000000101,501",
		 "ShF", "S2", 3000000000, 0, ZB_WEIRD_TCP_seq_underflow_or_misorder, 0, 80},
		{"RST far off", SHA "> A 101,501 +10; > R 50000000", "ShADR", "RSTO", 10, 0,
		 NO_WEIRD, 0, 80},
		{"5 GB sent in strides",
		 SHA "> A 101,501 +1000; > A 1000000101,501 +1000; > A 2000000101,501 +1000; > A "
		     "3000000101,501 +1000;"
		     "> A 4000000101,501 +1000; > A 705032805,501 +1000; > FA 705033805,501",
		 "ShADF", "S2", 5000001000, 0, ZB_WEIRD_TCP_seq_underflow_or_misorder, 0, 80},
		{"numbers that begin just below the wrap",
		 "> S 4294967290; < SA 4294967294,4294967291; > A 4294967291,4294967295; > A "
		 "4294967291,4294967295 +100;"
		 "< A 4294967295,95 +50; > FA 95,49; < FA 49,96",
		 "ShADdFf", "SF", 100, 50, NO_WEIRD, 0, 80},
		{"midstream sizes begin at the first byte seen",
		 "> A 1000,9000 +10; < A 9000,1010; > A 1010,9000 +10", "Da", "OTH", 20, 0,
		 NO_WEIRD, 0, 80},
	};

	(void)state;
	PLAY(talks);
}

/* Who the originator is must be found out from flags and ports, at the first packet or right after.
 */
static void tcp_roles_are_guessed_from_flags_and_ports(void **state)
{
	static const struct talk talks[] = {
		{"SYN from a server's port", "> S 100", "S", "S0", 0, 0, NO_WEIRD, 80, 0},
		{"midstream from a server's port", "> A 100,900 +10; < A 900,110 +20", "^dD", "OTH",
		 20, 10, NO_WEIRD, 80, 0},
		{"midstream, both likely, lower port speaks", "> A 100,900 +10", "^d", "OTH", 0, 10,
		 NO_WEIRD, 22, 80},
		{"midstream, both likely, higher port speaks", "> A 100,900 +10", "D", "OTH", 10, 0,
		 NO_WEIRD, 80, 22},
		{"SYN-ACK of a server, then its client",
		 "> SA 500,101; < A 101,501; < A 101,501 +10; > A 501,111", "^hADa", "S1", 10, 0,
		 ZB_WEIRD_unsolicited_SYN_response, 80, 0},
		{"SYN-ACK, both likely", "> SA 500,101", "H", "OTH", 0, 0,
		 ZB_WEIRD_connection_originator_SYN_ack, 22, 80},
		{"SYN-ACK, neither likely, then its ACK",
		 "> SA 500,101; < A 101,501; < A 101,501 +10", "^hAD", "OTH", 10, 0,
		 ZB_WEIRD_connection_originator_SYN_ack, 0, 0},
		{"SYN-ACK before its SYN",
		 "> SA 500,101; < S 100; < A 101,501 +10; > A 501,111 +20", "Hs^Dd", "S1", 10, 20,
		 ZB_WEIRD_connection_originator_SYN_ack, 0, 0},
		{"SYN-ACK of a server before its SYN", "> SA 500,101; < S 100", "^hS", "OTH", 0, 0,
		 ZB_WEIRD_unsolicited_SYN_response, 80, 0},
		{"simultaneous open", "> S 100; < S 100; > SA 100,101; < SA 100,101", "Ss", "S1", 0,
		 0, ZB_WEIRD_simultaneous_open, 0, 0},
	};

	(void)state;
	PLAY(talks);
}

/* What breaks the rules of TCP must be named. */
static void tcp_oddities_are_named(void **state)
{
	static const struct talk talks[] = {
		{"data before the handshake is done", "> S 100; > A 101,1 +10", "SD", "S0", 10, 0,
		 ZB_WEIRD_data_before_established, 0, 80},
		{"SYN after a stray packet", "> A 101,900; > S 100", "AS", "S0", 0, 0,
		 ZB_WEIRD_SYN_after_partial, 0, 80},
		{"data after RST", SHA "> R 101; > A 101,501 +10", "ShARD", "RSTO", 0, 0,
		 ZB_WEIRD_data_after_reset, 0, 80},
		{"FIN after RST", SHA "> R 101; > FA 101,501", "ShARF", "RSTO", 0, 0,
		 ZB_WEIRD_FIN_after_reset, 0, 80},
		{"FIN alone", "> FA 100,900", "F", "SH", 0, 0, ZB_WEIRD_spontaneous_FIN, 0, 80},
		{"SYN-ACK for another SYN", "> S 100; < SA 500,5000", "Sh", "S1", 4899, 0,
		 ZB_WEIRD_bad_SYN_ack, 0, 80},
		{"window pulled back", SHA "> A 101,501 +10; > A 111,501 w1000; > A 111,501 w10",
		 "ShAD", "S1", 10, 0, ZB_WEIRD_window_recision, 0, 80},
		{"ack of nothing sent", "> A 5000,900; < A 900,4000", "Aa", "OTH", 0, 0,
		 ZB_WEIRD_TCP_ack_underflow_or_misorder, 0, 80},
		{"segment before the first", "> A 5000,900 +10; > A 4000,900 +10", "DT", "OTH", 10,
		 0, ZB_WEIRD_TCP_seq_underflow_or_misorder, 0, 80},
		{"a thousand FINs", SHA "> FA 101,501 x1002", "ShAF", "S2", 0, 0,
		 ZB_WEIRD_FIN_storm, 0, 80},
		{"a thousand RSTs", SHA "> R 101 x1002", "ShAR", "RSTO", 0, 0, ZB_WEIRD_RST_storm,
		 0, 80},
	};

	(void)state;
	PLAY(talks);
}

/* A history that outgrows its room must go on in the rare part, and what outgrows that be counted.
 */
static void tcp_long_history_is_kept_to_its_bound(void **state)
{
	struct tcp_script t;

	(void)state;
	ts_begin(&t, 40000, 80);
	ts_play(&t, SHA);
	for (uint32_t i = 0; i < 300; i++) {
		char step[64];

		snprintf(step, sizeof(step), "> R %u", 101 + i);
		ts_play(&t, step);
	}
	assert_int_equal(t.c.history_len, ZB_RARE_HISTORY_MAX);
	assert_int_equal(t.c.history_lost, 3 + 300 - ZB_RARE_HISTORY_MAX);
	assert_memory_equal(zb_conn_history(&t.c), "ShARRRRRRRRRRRRRR", 17);
	assert_int_equal(zb_conn_history(&t.c)[ZB_RARE_HISTORY_MAX - 1], 'R');
	ts_end(&t);
}

/* Only a SYN that cannot belong to the connection may begin a new one on its 4-tuple. */
static void tcp_syn_on_known_4_tuple_is_reuse_or_not(void **state)
{
	static const struct {
		const char *name, *before, *syn;
		bool reuse;
		enum zb_weird_name weird;
	} cases[] = {
		{"SYN sent again", "> S 100", "> S 100", false, NO_WEIRD},
		{"another SYN", "> S 100", "> S 200", true, ZB_WEIRD_SYN_seq_jump},
		{"the SYN of a live connection, late", SHA, "> S 100", false, NO_WEIRD},
		{"a new SYN on a live connection", SHA, "> S 9000", true,
		 ZB_WEIRD_active_connection_reuse},
		{"the SYN-ACK sent again", SHA, "< SA 500,101", false, NO_WEIRD},
		{"another SYN-ACK", SHA, "< SA 700,101", false, ZB_WEIRD_SYN_seq_jump},
		{"a SYN within 5 s of the close", SHA "> FA 101,501; < FA 501,102", "@4 > S 100",
		 true, ZB_WEIRD_premature_connection_reuse},
		{"a SYN 5 s after the close", SHA "> FA 101,501; < FA 501,102", "@5.1 > S 100",
		 true, NO_WEIRD},
		{"a SYN after both reset", SHA "> R 101; < R 501", "@1 > S 100", true, NO_WEIRD},
		{"an ACK after the close", SHA "> FA 101,501; < FA 501,102", "> A 102,502", false,
		 NO_WEIRD},
		{"the SYN behind its SYN-ACK", "> SA 500,101", "< S 100", false, NO_WEIRD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tcp_script t;

		ts_begin(&t, 40000, 50000);
		ts_play(&t, cases[i].before);
		memset(&t.w, 0, sizeof(t.w));
		ts_play(&t, cases[i].syn);
		print_message("  %s\n", cases[i].name);
		assert_int_equal(t.reuse, cases[i].reuse);
		if (cases[i].weird != NO_WEIRD)
			assert_int_equal(t.w.count[cases[i].weird], 1);
		else
			assert_int_equal(t.w.count[ZB_WEIRD_active_connection_reuse] +
						 t.w.count[ZB_WEIRD_premature_connection_reuse] +
						 t.w.count[ZB_WEIRD_SYN_seq_jump],
					 0);
		ts_end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_conversation_gives_its_conn_state),
		cmocka_unit_test(tcp_history_letters_follow_their_rules),
		cmocka_unit_test(tcp_counted_letters_are_logarithmic),
		cmocka_unit_test(tcp_sizes_come_from_sequence_numbers),
		cmocka_unit_test(tcp_roles_are_guessed_from_flags_and_ports),
		cmocka_unit_test(tcp_oddities_are_named),
		cmocka_unit_test(tcp_long_history_is_kept_to_its_bound),
		cmocka_unit_test(tcp_syn_on_known_4_tuple_is_reuse_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
