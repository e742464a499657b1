/* SPDX-License-Identifier: Apache-2.0 */
/* test_smb.c - SMB is recognised, and what it carries: how it authenticates, DCE/RPC in pipes */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

static struct analyzer_bed b;
static uint8_t msg[4 + 400];

/* A frame and header of SMB 2 or 1, of n bytes in all. */
static void make(size_t n, const char *magic, uint8_t command)
{
	memset(msg, 0, sizeof(msg));
	msg[2] = (uint8_t)((n - 4) >> 8);
	msg[3] = (uint8_t)(n - 4);
	memcpy(msg + 4, magic, 4);
	msg[magic[0] == '\xfe' ? 4 + 12 : 4 + 4] = command;
}

#define SMB2 "\xfeSMB"
#define SMB1 "\xffSMB"

static bool closed_with(const char *name)
{
	bool has = ab_has_service(&b, name);

	ab_end(&b);
	ab_close(&b);
	return has;
}

/* Three messages make it certain, on its ports and on others. */
static void smb_third_message_is_confirmed(void **state)
{
	static const uint16_t ports[] = {445, 139, 4444};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		make(100, SMB2, 13);
		ab_open(&b, IPPROTO_TCP, ports[i]);
		ab_say(&b, ZB_ORIG, msg, 100);
		ab_say(&b, ZB_RESP, msg, 100);
		assert_false(ab_has_service(&b, "smb"));
		ab_say(&b, ZB_ORIG, msg, 100);
		assert_true(closed_with("smb"));
	}
}

/* Other protocols on the port, and lengths beyond any message, are none. */
static void smb_other_protocols_are_not_recognised(void **state)
{
	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	for (unsigned i = 0; i < 5; i++)
		ab_text(&b, ZB_ORIG, "GET / HTTP/1.0\r\n\r\n");
	assert_false(closed_with("smb"));
	make(100, SMB2, 13);
	msg[1] = 0xff;
	ab_open(&b, IPPROTO_TCP, 445);
	for (unsigned i = 0; i < 5; i++)
		ab_say(&b, ZB_ORIG, msg, 100);
	assert_false(closed_with("smb"));
}

/* Messages may come in any pieces, and a gap throws it out of step. */
static void smb_pieces_are_put_together(void **state)
{
	(void)state;
	make(4 + 64 + 36, SMB2, 1);
	msg[4 + 64 + 12] = 64 + 20;
	msg[4 + 64 + 14] = 12;
	memcpy(msg + 4 + 64 + 20, "NTLMSSP\0\1\0\0\0", 12);
	ab_open(&b, IPPROTO_TCP, 445);
	ab_drip(&b, ZB_ORIG, msg, 4 + 64 + 36 - 1);
	assert_false(ab_has_service(&b, "ntlm"));
	ab_drip(&b, ZB_ORIG, msg + 4 + 64 + 35, 1);
	assert_true(ab_has_service(&b, "ntlm"));
	assert_false(ab_has_service(&b, "gssapi"));
	assert_true(closed_with("smb"));
	ab_open(&b, IPPROTO_TCP, 445);
	ab_say(&b, ZB_ORIG, msg, 8);
	zb_branch_gap(&b.s->root, ZB_ORIG, 10);
	ab_drip(&b, ZB_ORIG, msg + 18, 4 + 64 + 36 - 18);
	assert_false(ab_has_service(&b, "ntlm"));
	assert_false(closed_with("smb"));
	/* Where frames begin is not known. */
	ab_open(&b, IPPROTO_TCP, 445);
	zb_branch_gap(&b.s->root, ZB_ORIG, 10);
	ab_drip(&b, ZB_ORIG, msg, 4 + 64 + 36);
	assert_false(closed_with("ntlm"));
}

/* A long message without interest is passed over, the next is in step. */
static void smb_long_message_is_passed_over(void **state)
{
	static uint8_t rest[5000];

	(void)state;
	make(4 + 400, SMB2, 0);
	ab_open(&b, IPPROTO_TCP, 445);
	msg[2] = (400 + 5000) >> 8;
	msg[3] = (400 + 5000) & 255;
	ab_say(&b, ZB_ORIG, msg, 4 + 400);
	ab_say(&b, ZB_ORIG, rest, 5000);
	make(4 + 64 + 36, SMB2, 1);
	msg[4 + 64 + 12] = 64 + 20;
	msg[4 + 64 + 14] = 12;
	memcpy(msg + 4 + 64 + 20, "\x60\x0aNTLMSSP\0\1", 11);
	ab_say(&b, ZB_ORIG, msg, 4 + 64 + 36);
	assert_true(ab_has_service(&b, "gssapi"));
	assert_true(ab_has_service(&b, "ntlm"));
	assert_true(closed_with("smb"));
}

/* A token of Kerberos inside SPNEGO. */
static void smb_kerberos_token_is_seen(void **state)
{
	(void)state;
	make(4 + 64 + 60, SMB2, 1);
	msg[4 + 64 + 12] = 64 + 20;
	msg[4 + 64 + 14] = 40;
	memcpy(msg + 4 + 64 + 20,
	       "\x60\x20"
	       "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
	       "\x01\x00\x6e",
	       16);
	ab_open(&b, IPPROTO_TCP, 445);
	ab_say(&b, ZB_ORIG, msg, 4 + 64 + 60);
	assert_true(ab_has_service(&b, "krb"));
	assert_true(closed_with("gssapi"));
}

static const uint8_t rpc[] = {5, 0, 0, 3, 0x10, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0};

/* DCE/RPC that is written to a pipe, which the message itself says: in one go, or by name. */
static void smb_rpc_in_a_pipe_is_seen(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		make(4 + 200, SMB2, 11);
		memcpy(msg + 4 + 64 + 4, i == 0 ? "\x17\xc0\x11" : "\x18\0\x11", 4);
		msg[4 + 64 + 24] = 64 + 56;
		msg[4 + 64 + 28] = 16;
		memcpy(msg + 4 + 64 + 56, rpc, 16);
		ab_open(&b, IPPROTO_TCP, 445);
		ab_say(&b, ZB_ORIG, msg, 4 + 200);
		assert_int_equal(closed_with("dce_rpc"), i == 0);
	}
	make(4 + 200, SMB1, 0x25);
	msg[4 + 32] = 14;
	msg[4 + 33 + 22] = 16;
	msg[4 + 33 + 24] = 100;
	memcpy(msg + 4 + 63, "\\PIPE\\", 6);
	memcpy(msg + 4 + 100, rpc, 16);
	ab_open(&b, IPPROTO_TCP, 445);
	ab_say(&b, ZB_ORIG, msg, 4 + 200);
	assert_true(closed_with("dce_rpc"));
}

/* Offsets and lengths behind the end, and messages cut short anywhere, are passed over. */
static void smb_hostile_offsets_are_passed_over(void **state)
{
	static const uint8_t smb2[] = {0, 1, 8, 9, 11}, smb1[] = {0x25, 0x2e, 0x2f, 0x73};

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		for (size_t n = 8; n < 4 + 150; n++) {
			make(n, i < 5 ? SMB2 : SMB1, i < 5 ? smb2[i] : smb1[i - 5]);
			if (i < 5)
				memset(msg + 4 + 64, 0xff, 150 - 64);
			else
				memset(msg + 4 + 33, 0xff, 150 - 33);
			msg[4 + 32] = i < 5 ? 0 : 14;
			ab_open(&b, IPPROTO_TCP, 445);
			ab_say(&b, ZB_ORIG, msg, n);
			ab_say(&b, ZB_RESP, msg, n);
			assert_false(closed_with("dce_rpc"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smb_third_message_is_confirmed),
		cmocka_unit_test(smb_other_protocols_are_not_recognised),
		cmocka_unit_test(smb_pieces_are_put_together),
		cmocka_unit_test(smb_long_message_is_passed_over),
		cmocka_unit_test(smb_kerberos_token_is_seen),
		cmocka_unit_test(smb_rpc_in_a_pipe_is_seen),
		cmocka_unit_test(smb_hostile_offsets_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
