/* SPDX-License-Identifier: Apache-2.0 */
/* test_smtp.c - SMTP: recognition, mails by DATA and BDAT, STARTTLS, what is lost or out of order
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/analyzers/smtp_priv.h"

#define MD5_BODY   "89dd3590116a70b579661a2d8593bb2f" /* body CR LF */
#define MD5_LF	   "3dd846febe9ffd58d333cc550d854d5a" /* one CR LF lf LF two CR LF */
#define MD5_DOT	   "2716beeba096aba964ebed635826d6f3" /* a CR LF .b CR LF */
#define GREETING   "220 mail.example ESMTP\r\n"
#define OK	   "250 OK\r\n"
#define TO_DATA	   "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"
#define TO_BDAT	   "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"
#define TLS_HELLO  "\x16\3\1\0\x2f\1\0\0\x2b\3\3"
#define TLS_RANDOM "0123456789abcdef0123456789abcdef"

static void say(struct analyzer_bed *b, unsigned side, const char *text, bool drip)
{
	if (drip)
		ab_drip(b, side, text, strlen(text));
	else
		ab_text(b, side, text);
}

static bool is_there(const struct analyzer_bed *b)
{
	return b->s->root.first != NULL;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

/* A mail is a file, whether each side waits for the other or not, in whatever pieces it comes. */
static void smtp_mail_is_a_file(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;
		const char *log;

		ab_open(&b, IPPROTO_TCP, 25);
		say(&b, ZB_RESP, GREETING, drip);
		assert_false(ab_has_service(&b, "smtp"));
		say(&b, ZB_ORIG, TO_DATA, drip);
		assert_true(ab_has_service(&b, "smtp"));
		say(&b, ZB_RESP, "250-mail.example\r\n250 PIPELINING\r\n" OK OK "354 go\r\n", drip);
		say(&b, ZB_ORIG, "Subject: s\r\n\r\nbody\r\n.\r\nQUIT\r\n", drip);
		say(&b, ZB_RESP, OK "221 bye\r\n", drip);
		ab_end(&b);
		log = logs_read(&b.logs, "files");
		assert_int_equal(count(log, "\n"), 1);
		assert_non_null(strstr(log, MD5_BODY));
		assert_non_null(strstr(log, "\"source\":\"SMTP\",\"depth\":1"));
		assert_non_null(strstr(log, "\"is_orig\":true"));
		assert_string_equal(logs_read(&b.logs, "weird"), "");
		ab_close(&b);
	}
}

/* A dot in front of a line is taken off; a line that is a dot ends the mail only with its end. */
static void smtp_dots_are_taken_off(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 587);
	ab_text(&b, ZB_ORIG, TO_DATA "\r\na\r\n..b\r\n");
	ab_text(&b, ZB_ORIG, ".");
	ab_text(&b, ZB_ORIG, "\r\nRSET\r\n");
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "files"), MD5_DOT));
	ab_close(&b);
}

/* Only one side was seen: every command counts as accepted. Depths go on from mail to mail. */
static void smtp_one_side_is_enough(void **state)
{
	struct analyzer_bed b;
	const char *log;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	for (unsigned i = 0; i < 3; i++)
		ab_text(&b, ZB_ORIG, TO_DATA "\r\nbody\r\n.\r\n");
	ab_end(&b);
	log = logs_read(&b.logs, "files");
	assert_int_equal(count(log, MD5_BODY), 3);
	assert_non_null(strstr(log, "\"depth\":3"));
	ab_close(&b);
}

/* DATA that the server refuses is no mail: what follows are commands. */
static void smtp_refused_data_is_no_mail(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, TO_DATA);
	ab_text(&b, ZB_RESP, OK OK OK "554 no\r\n");
	ab_text(&b, ZB_ORIG, "QUIT\r\n\r\nbody\r\n.\r\n");
	ab_end(&b);
	assert_string_equal(logs_read(&b.logs, "files"), "");
	ab_close(&b);
}

/* Chunks of BDAT are put together, lines over their borders too; a lone LF stays what it is. */
static void smtp_chunks_are_put_together(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;
		const char *log;

		ab_open(&b, IPPROTO_TCP, 25);
		say(&b, ZB_RESP, GREETING, drip);
		say(&b, ZB_ORIG,
		    TO_BDAT "BDAT 9\r\nA: b\r\n\r\noBDAT 14 LAST\r\nne\r\nlf\ntwo\r\n.\nQUIT\r\n",
		    drip);
		ab_end(&b);
		log = logs_read(&b.logs, "files");
		assert_int_equal(count(log, "\n"), 1);
		assert_non_null(strstr(log, "\"seen_bytes\":15,"));
		log = logs_read(&b.logs, "weird");
		assert_int_equal(count(log, "\n"), 1);
		assert_non_null(strstr(log, "smtp_bdat_line_lf_only"));
		ab_close(&b);
	}
}

/* A lone LF in a chunk is part of the content. */
static void smtp_chunk_keeps_lone_line_feeds(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_ORIG, TO_BDAT "BDAT 15 LAST\r\n\r\none\r\nlf\ntwo\r\n");
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "files"), MD5_LF));
	ab_close(&b);
}

/* A long line in a chunk is cut, wherever the segments end; nothing of it is lost. */
static void smtp_long_line_in_a_chunk_is_cut(void **state)
{
	static char text[3 * SMTP_BDAT_LINE_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	text[sizeof(text) - 2] = '\r';
	for (size_t piece = 1; piece <= sizeof(text); piece = piece * 8 - 1) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 25);
		ab_text(&b, ZB_ORIG, TO_BDAT "BDAT 12290 LAST\r\n\r\n");
		for (size_t at = 0; at < sizeof(text); at += piece)
			ab_say(&b, ZB_ORIG, text + at,
			       sizeof(text) - at < piece ? sizeof(text) - at : piece);
		ab_text(&b, ZB_ORIG, "QUIT\r\n");
		ab_end(&b);
		assert_non_null(strstr(logs_read(&b.logs, "files"), "\"seen_bytes\":12288,"));
		assert_non_null(strstr(logs_read(&b.logs, "weird"), "smtp_bdat_line_too_long"));
		ab_close(&b);
	}
}

static void check_bdat(const char *argument, const char *weird)
{
	struct analyzer_bed b;

	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_ORIG, TO_BDAT "BDAT ");
	ab_text(&b, ZB_ORIG, argument);
	ab_text(&b, ZB_ORIG, "\r\nNOOP\r\n");
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "weird"), weird));
	ab_close(&b);
}

/* Arguments of BDAT that cannot be: nothing is taken for a chunk. */
static void smtp_bdat_arguments_are_checked(void **state)
{
	(void)state;
	check_bdat("x", "BDAT not followed by a valid chunk-size");
	check_bdat("", "BDAT argument bad length");
	check_bdat("18446744073709551615 LAST ", "BDAT argument bad length");
	check_bdat("184467440737095516150", "BDAT chunk-size too large");
	check_bdat("18446744073709551615",
		   "\"smtp_huge_bdat_chunk\",\"addl\":\"18446744073709551615\"");
	check_bdat("9LAST", "BDAT chunk-size not valid");
	check_bdat("9 LASTLY", "BDAT chunk-size followed by junk");
	check_bdat("0", "smtp_missing_bdat_last_chunk");
}

/* A last chunk of nothing ends the mail. */
static void smtp_empty_last_chunk_ends_the_mail(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_ORIG, TO_BDAT "BDAT 6\r\n\r\nbodyBDAT 0 last\r\nNOOP\r\n");
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "files"), "\"seen_bytes\":4,"));
	assert_string_equal(logs_read(&b.logs, "weird"), "");
	ab_close(&b);
}

/* After STARTTLS and its reply the rest, even of the same segment, is TLS. */
static void smtp_starttls_hands_over_to_tls(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, "EHLO c\r\nSTARTTLS\r\n");
	ab_text(&b, ZB_RESP, OK "220 go\r\n");
	ab_say(&b, ZB_ORIG, TLS_HELLO TLS_RANDOM "\0\0\2\xc0\x2f\1\0",
	       sizeof(TLS_HELLO TLS_RANDOM "\0\0\2\xc0\x2f\1\0") - 1);
	assert_true(ab_has_service(&b, "smtp"));
	assert_true(b.s->root.first->id == ZB_A_tls);
	ab_end(&b);
	ab_close(&b);
}

/* A refused STARTTLS changes nothing. */
static void smtp_refused_starttls_changes_nothing(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, "STARTTLS\r\n");
	ab_text(&b, ZB_RESP, "454 no\r\n");
	ab_text(&b, ZB_ORIG, TO_DATA "\r\nbody\r\n.\r\n");
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "files"), MD5_BODY));
	ab_close(&b);
}

/* The answers of AUTH are no commands. */
static void smtp_answers_of_auth_are_no_commands(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, "AUTH LOGIN\r\n");
	ab_text(&b, ZB_RESP, "334 VXNlcm5hbWU6\r\n");
	ab_text(&b, ZB_ORIG, "DATA\r\n");
	ab_text(&b, ZB_RESP, "235 ok\r\n");
	ab_text(&b, ZB_ORIG, "\r\nbody\r\n.\r\n");
	ab_end(&b);
	assert_string_equal(logs_read(&b.logs, "files"), "");
	ab_close(&b);
}

/* A gap ends the mail; after it nothing is a command until the server has replied. */
static void smtp_gap_ends_the_mail(void **state)
{
	struct analyzer_bed b;
	const char *log;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, TO_DATA "\r\nbody\r\n");
	zb_branch_gap(&b.s->root, ZB_ORIG, 1000);
	ab_text(&b, ZB_ORIG, "more\r\n.\r\n" TO_DATA);
	ab_text(&b, ZB_RESP, "354 go\r\n");
	ab_text(&b, ZB_ORIG, "\r\nbody\r\n.\r\n");
	ab_end(&b);
	log = logs_read(&b.logs, "files");
	assert_int_equal(count(log, "\n"), 2);
	assert_non_null(strstr(log, "\"seen_bytes\":6,\"missing_bytes\":1000"));
	assert_non_null(strstr(log, MD5_BODY));
	ab_close(&b);
}

/* A server's line that is no reply is not SMTP. */
static void smtp_other_protocol_on_its_port_is_refused(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_ORIG, "NOOP\r\n");
	assert_true(ab_has_service(&b, "smtp"));
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\n");
	assert_false(ab_has_service(&b, "smtp"));
	assert_false(is_there(&b));
	ab_end(&b);
	ab_close(&b);
}

/* On any port both sides must look like it. */
static void smtp_is_found_by_what_both_sides_say(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 2525);
	ab_text(&b, ZB_RESP, "220-mail\r\n220 mail\r\n");
	assert_false(ab_has_service(&b, "smtp"));
	ab_text(&b, ZB_ORIG, "ehlo c\r\n");
	assert_true(ab_has_service(&b, "smtp"));
	ab_end(&b);
	ab_close(&b);

	ab_open(&b, IPPROTO_TCP, 2525);
	ab_text(&b, ZB_RESP, "2200\r\n");
	ab_text(&b, ZB_ORIG, "EHLO c\r\n");
	assert_false(ab_has_service(&b, "smtp"));
	ab_end(&b);
	ab_close(&b);
}

/* Recipients without a sender are an oddity; after too many of them nothing more is read. */
static void smtp_transactions_out_of_order_are_oddities(void **state)
{
	struct analyzer_bed b;
	const char *log;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	for (unsigned i = 0; i < SMTP_INVALID_MAX; i++)
		ab_text(&b, ZB_ORIG, "RCPT TO:<b@y>\r\n");
	assert_true(is_there(&b));
	ab_text(&b, ZB_ORIG, "RCPT TO:<b@y>\r\n");
	assert_false(is_there(&b));
	assert_true(ab_has_service(&b, "smtp"));
	ab_end(&b);
	log = logs_read(&b.logs, "weird");
	assert_int_equal(count(log, "rcpt to missing mail from"), 1);
	assert_int_equal(count(log, "smtp_excessive_invalid_mail_transactions"), 1);
	ab_close(&b);
}

/* The room that a long line took is given back when it has been read. */
static void smtp_long_line_holds_no_memory(void **state)
{
	static char text[100000];
	struct analyzer_bed b;
	uint64_t before;

	(void)state;
	memset(text, 'x', sizeof(text));
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_RESP, GREETING);
	before = b.an.mem.bytes[ZB_MEM_analyzer];
	ab_text(&b, ZB_ORIG, "NOOP ");
	ab_say(&b, ZB_ORIG, text, sizeof(text));
	assert_true(b.an.mem.bytes[ZB_MEM_analyzer] > before + sizeof(text));
	ab_text(&b, ZB_ORIG, "\r\n");
	assert_true(b.an.mem.bytes[ZB_MEM_analyzer] <= before);
	ab_end(&b);
	ab_close(&b);
}

/* Commands without replies are remembered up to a bound. */
static void smtp_commands_without_replies_are_bounded(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	for (unsigned i = 0; i < 2 * SMTP_PENDING_MAX; i++)
		ab_text(&b, ZB_ORIG, "NOOP\r\n");
	assert_true(b.an.mem.bytes[ZB_MEM_analyzer] < sizeof(struct smtp) + 2 * SMTP_PENDING_MAX);
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "weird"), "smtp_excessive_pending_cmds"));
	ab_close(&b);
}

/* After TURN the responder sends mail. */
static void smtp_turn_swaps_sender_and_receiver(void **state)
{
	struct analyzer_bed b;
	const char *log;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, "TURN\r\n");
	ab_text(&b, ZB_RESP, OK);
	ab_text(&b, ZB_ORIG, GREETING);
	ab_text(&b, ZB_RESP, TO_DATA "\r\nbody\r\n.\r\n");
	ab_end(&b);
	log = logs_read(&b.logs, "files");
	assert_non_null(strstr(log, MD5_BODY));
	assert_non_null(strstr(log, "\"is_orig\":false"));
	ab_close(&b);
}

/* The first NUL of a side is an oddity and left out. */
static void smtp_nul_is_left_out(void **state)
{
	static const char text[] = TO_DATA "\r\nbo\0dy\r\n.\r\n";
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_say(&b, ZB_ORIG, text, sizeof(text) - 1);
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "files"), MD5_BODY));
	assert_non_null(strstr(logs_read(&b.logs, "weird"), "NUL_in_line"));
	ab_close(&b);
}

/* The end of both sides ends a mail that has no end; the last line needs none. */
static void smtp_mail_ends_with_the_connection(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_ORIG, TO_DATA "\r\nbody");
	zb_branch_fin(&b.s->root, ZB_ORIG);
	assert_int_equal(b.stat.g[ZB_G_active_files], 0);
	zb_branch_fin(&b.s->root, ZB_RESP);
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "files"), MD5_BODY));
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smtp_mail_is_a_file),
		cmocka_unit_test(smtp_dots_are_taken_off),
		cmocka_unit_test(smtp_one_side_is_enough),
		cmocka_unit_test(smtp_refused_data_is_no_mail),
		cmocka_unit_test(smtp_chunks_are_put_together),
		cmocka_unit_test(smtp_chunk_keeps_lone_line_feeds),
		cmocka_unit_test(smtp_long_line_in_a_chunk_is_cut),
		cmocka_unit_test(smtp_bdat_arguments_are_checked),
		cmocka_unit_test(smtp_empty_last_chunk_ends_the_mail),
		cmocka_unit_test(smtp_starttls_hands_over_to_tls),
		cmocka_unit_test(smtp_refused_starttls_changes_nothing),
		cmocka_unit_test(smtp_answers_of_auth_are_no_commands),
		cmocka_unit_test(smtp_gap_ends_the_mail),
		cmocka_unit_test(smtp_other_protocol_on_its_port_is_refused),
		cmocka_unit_test(smtp_is_found_by_what_both_sides_say),
		cmocka_unit_test(smtp_transactions_out_of_order_are_oddities),
		cmocka_unit_test(smtp_long_line_holds_no_memory),
		cmocka_unit_test(smtp_commands_without_replies_are_bounded),
		cmocka_unit_test(smtp_turn_swaps_sender_and_receiver),
		cmocka_unit_test(smtp_nul_is_left_out),
		cmocka_unit_test(smtp_mail_ends_with_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
