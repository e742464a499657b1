/* SPDX-License-Identifier: Apache-2.0 */
/* test_smtp_log.c - rows of smtp.log, and the addresses in them */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/analyzers/mail_addr.h"

#define GREETING "220 mail.example ESMTP\r\n"
#define OK	 "250 OK\r\n"
#define TO_DATA	 "EHLO c\r\nMAIL FROM:<a@x> SIZE=1\r\nRCPT TO:<b@y>\r\nDATA\r\n"

static struct zb_text text(const char *s)
{
	return zb_text((const uint8_t *)s, strlen(s));
}

static unsigned row_nr(const char *log)
{
	unsigned n = 0;

	for (; (log = strchr(log, '\n')) != NULL; log++)
		n++;
	return n;
}

/* Envelope, headers and the last reply are one row; headers of parts are none of the mail's. */
static void smtp_log_mail_is_a_row(void **state)
{
	static const char headers[] =
		"Received: from r (r [192.0.2.7])\r\n\tby s (s [198.51.100.9]) id 1\r\n"
		"Received: from q ([2001:db8::0:1])\r\nDate: d\r\nFrom: \"A\" <a@x>\r\n"
		"To: \"B, the\" <b@y>, c@z ,\r\nCC:d@z\r\nMessage-ID: <m>\r\nSubject: \r\n"
		"X-Originating-IP: [192.0.2.8]\r\nX-Mailer: u\r\nReply-To: r\r\n"
		"In-Reply-To: i\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\nSubject: inner\r\n\r\nbody\r\n--b--\r\n.\r\n";
	struct analyzer_bed b;
	const char *log;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_RESP, GREETING);
	ab_text(&b, ZB_ORIG, TO_DATA);
	ab_text(&b, ZB_RESP, OK OK OK "354 go\r\n");
	ab_text(&b, ZB_ORIG, headers);
	ab_text(&b, ZB_RESP, "250 2.0.0 taken\r\n");
	ab_text(&b, ZB_ORIG, "QUIT\r\n");
	ab_end(&b);
	log = logs_read(&b.logs, "smtp");
	assert_int_equal(row_nr(log), 1);
	assert_non_null(strstr(log, "\"ts\":1700000000.001,"));
	assert_non_null(strstr(log, "\"trans_depth\":1,\"helo\":\"c\",\"mailfrom\":\"a@x\","
				    "\"rcptto\":[\"b@y\"],\"date\":\"d\","
				    "\"from\":\"\\\"A\\\" <a@x>\",\"to\":[\"\\\"B, the\\\" <b@y>\","
				    "\"c@z\"],\"cc\":[\"d@z\"],\"reply_to\":\"r\","
				    "\"msg_id\":\"<m>\",\"in_reply_to\":\"i\","));
	assert_non_null(strstr(log, "\"x_originating_ip\":\"192.0.2.8\","
				    "\"first_received\":\"from q ([2001:db8::0:1])\","
				    "\"second_received\":\"from r (r [192.0.2.7])"));
	assert_non_null(strstr(log, "\"last_reply\":\"250 2.0.0 taken\",\"path\":[\"192.0.2.1\","
				    "\"10.0.0.1\",\"198.51.100.9\",\"2001:db8::1\"],"
				    "\"user_agent\":\"u\",\"tls\":false,\"fuids\":[\"F"));
	assert_null(strstr(log, "inner"));
	ab_close(&b);
}

/* Without replies a mail ends when the next begins; TLS is worth a row; mere talk is not. */
static void smtp_log_rows_without_replies(void **state)
{
	struct analyzer_bed b;
	const char *log;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_ORIG, TO_DATA "\r\n.\r\n" TO_DATA "\r\n.\r\n");
	ab_end(&b);
	log = logs_read(&b.logs, "smtp");
	assert_int_equal(row_nr(log), 2);
	assert_null(strstr(log, "last_reply"));
	assert_non_null(strstr(log, "\"fuids\":[]"));
	ab_close(&b);

	for (unsigned tls = 0; tls < 2; tls++) {
		ab_open(&b, IPPROTO_TCP, 25);
		ab_text(&b, ZB_RESP, GREETING);
		ab_text(&b, ZB_ORIG, tls ? "STARTTLS\r\n" : "NOOP\r\n");
		ab_text(&b, ZB_RESP, "220 go\r\n");
		ab_end(&b);
		log = logs_read(&b.logs, "smtp");
		assert_int_equal(row_nr(log), tls);
		assert_true(!tls || strstr(log, "\"last_reply\":\"220 go\"") != NULL);
		ab_close(&b);
	}
}

/* A mail with endless recipients and headers keeps the first of them, within its bounds. */
static void smtp_log_rows_are_bounded(void **state)
{
	static char header[5000];
	struct analyzer_bed b;
	char rcpt[64];

	(void)state;
	ab_open(&b, IPPROTO_TCP, 25);
	ab_text(&b, ZB_ORIG, "MAIL FROM:<a@x>\r\n");
	for (unsigned i = 0; i < 500; i++) {
		snprintf(rcpt, sizeof(rcpt), "RCPT TO:<r%u@y>\r\nRCPT TO:<r%u@y>\r\n", i, i);
		ab_text(&b, ZB_ORIG, rcpt);
	}
	ab_text(&b, ZB_ORIG, "DATA\r\n");
	memset(header, 'x', sizeof(header) - 1);
	for (unsigned i = 0; i < 200; i++) {
		memcpy(header, "Received: ", 10);
		memcpy(header + sizeof(header) - 3, "\r\n", 2);
		header[10] = (char)('a' + i % 20);
		ab_text(&b, ZB_ORIG, header);
	}
	assert_true(b.an.mem.bytes[ZB_MEM_analyzer] < 256 * 1024);
	ab_end(&b);
	assert_non_null(strstr(logs_read(&b.logs, "smtp"), "\"r99@y\"],"));
	assert_non_null(strstr(logs_read(&b.logs, "weird"),
			       "\"log_container_field_truncated\",\"addl\":\"SMTP::LOG\""));
	ab_close(&b);
}

static void check_command(const char *arg, const char *expected)
{
	struct zb_text rest = text(arg), found;
	char out[256] = "", bare[64];

	while (zb_mail_command_addr(&rest, &found)) {
		size_t n = zb_mail_bare_addr(found, bare, sizeof(bare));

		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s|", (int)n, bare);
	}
	assert_string_equal(out, expected);
}

/* Addresses in commands, whatever stands around them. */
static void mail_addr_in_commands(void **state)
{
	(void)state;
	check_command("TO:<b@y>", "b@y|");
	check_command("TO: b@y", "b@y|");
	check_command("TO:<b@y> ORCPT=rfc822;b@y", "b@y|ORCPT=rfc822b@y|");
	check_command("FROM:<>", "");
	check_command("@", "");
	check_command("a@", "");
	check_command("@b c@d", "c@d|");
	check_command("", "");
}

static void check_header(const char *value, const char *expected)
{
	struct zb_mail_header h = {.text = text(value)};
	struct zb_text found;
	char out[256] = "";

	while (zb_mail_header_addr(&h, &found))
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s|", (int)found.n,
			 (const char *)found.d);
	assert_string_equal(out, expected);
}

/* Addresses in headers: commas inside of quotes do not part them. */
static void mail_addr_in_headers(void **state)
{
	(void)state;
	check_header("a@b", "a@b|");
	check_header("\"x, y\" <a@b>, c@d", "\"x, y\" <a@b>|c@d|");
	check_header("g: a@b;, undisclosed, c@d ", "g: a@b;|c@d|");
	check_header("no one", "");
	check_header("\"\"\"\"\"\"\",\"\"", "");
	check_header("\"open, a@b", "a@b|");
	check_header("@,a@,@b", "");
	check_header("", "");
}

static void check_host(const char *value, bool is_wrapped, const char *expected)
{
	char host[INET6_ADDRSTRLEN], out[256] = "";
	size_t at = 0;

	while (zb_mail_host(text(value), &at, is_wrapped, host))
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s|", host);
	assert_string_equal(out, expected);
}

/* Hosts in headers: IPv4 and IPv6, in brackets or blanks if need be. */
static void mail_addr_hosts(void **state)
{
	(void)state;
	check_host("from x ([192.0.2.1]) by 192.0.2.2 (192.0.2.3) x192.0.2.4", true,
		   "192.0.2.1|192.0.2.2|192.0.2.3|");
	check_host("192.0.2.4x 256.1.1.1 1.2.3", false, "192.0.2.4|56.1.1.1|");
	check_host("192.0.2.1", true, "192.0.2.1|");
	check_host("[2001:db8::7] [1:2:3:4:5:6:7:8] [::1] [1::] 12:34:56 +0000", true,
		   "2001:db8::7|1:2:3:4:5:6:7:8|::1|1::|");
	check_host("", true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smtp_log_mail_is_a_row),
		cmocka_unit_test(smtp_log_rows_without_replies),
		cmocka_unit_test(smtp_log_rows_are_bounded),
		cmocka_unit_test(mail_addr_in_commands),
		cmocka_unit_test(mail_addr_in_headers),
		cmocka_unit_test(mail_addr_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
