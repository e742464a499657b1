/* SPDX-License-Identifier: Apache-2.0 */
/* test_ftp.c - FTP: commands and replies, what confirms it, data connections, rows */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "pipeline/analyzers/ftp_priv.h"
#include "pipeline/expect.h"

static struct zb_text text(const char *s)
{
	return zb_text((const uint8_t *)s, strlen(s));
}

static void client(struct analyzer_bed *b, const char *s)
{
	ab_text(b, ZB_ORIG, s);
}

static void server(struct analyzer_bed *b, const char *s)
{
	ab_text(b, ZB_RESP, s);
}

/* A data connection as far as its analyzer sees it. */
struct data_conn {
	struct zb_conn c;
	struct zb_delivery_list none;
};

/* From one address to the other's port; whether it was announced. */
static bool data_open(struct analyzer_bed *b, struct data_conn *d, const uint8_t *from,
		      const uint8_t *to, uint16_t port)
{
	memset(d, 0, sizeof(*d));
	d->c.flags = ZB_CONN_FRESH;
	if (zb_flow_key_make(&d->c.key, from, to, 4, 50000, port, IPPROTO_TCP, false))
		d->c.flags |= ZB_CONN_ORIG_IS_A;
	if (zb_expect_concerns(&b->an, &d->none, &d->c))
		assert_true(zb_expect_apply(&b->an, &d->none, &d->c));
	return d->c.streams != NULL;
}

static void data_say(struct data_conn *d, unsigned side, const char *s)
{
	zb_branch_data(&zb_session_of(&d->c)->root, side, (const uint8_t *)s, strlen(s));
}

static void data_close(struct data_conn *d)
{
	zb_branch_fin(&zb_session_of(&d->c)->root, ZB_ORIG);
	zb_branch_fin(&zb_session_of(&d->c)->root, ZB_RESP);
	zb_session_end(&d->c);
}

static const uint8_t CLIENT[4] = {10, 0, 0, 1}, SERVER[4] = {192, 0, 2, 1};

static const char *value(const char *rows, const char *what)
{
	const char *at = strstr(rows, what);

	return at != NULL ? at : "";
}

static unsigned count(const char *text_, const char *what)
{
	unsigned n = 0;

	for (const char *p = text_; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* On its port a command is enough; on others it takes USER and its answer. */
static void ftp_is_confirmed_by_a_command(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 21);
	server(&b, "220 ready\r\n");
	assert_false(ab_has_service(&b, "ftp"));
	client(&b, "NOOP\r\n");
	assert_true(ab_has_service(&b, "ftp"));
	ab_end(&b);
	ab_close(&b);

	ab_open(&b, IPPROTO_TCP, 2121);
	server(&b, "220-one\r\n220 ready\r\n");
	client(&b, "user jane\r\n");
	assert_false(ab_has_service(&b, "ftp"));
	assert_true(b.s->flags & ZB_SESSION_ANNOUNCES);
	server(&b, "331 password, please\r\n");
	assert_true(ab_has_service(&b, "ftp"));
	ab_end(&b);
	ab_close(&b);
}

/* A greeting of SMTP begins alike, but nobody says USER. */
static void ftp_is_not_smtp(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 2121);
	server(&b, "220 mail ESMTP\r\n");
	client(&b, "EHLO there\r\n");
	server(&b, "250 hello\r\n");
	assert_false(ab_has_service(&b, "ftp"));
	ab_end(&b);
	ab_close(&b);
}

/* What is no reply code removes it, as long as little has been said. */
static void ftp_reply_without_code_is_a_violation(void **state)
{
	static const char *const bad[] = {"hello\r\n", "099 low\r\n", "2200 much\r\n", "22\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 21);
		client(&b, "NOOP\r\n");
		assert_true(ab_has_service(&b, "ftp"));
		server(&b, bad[i]);
		assert_false(ab_has_service(&b, "ftp"));
		ab_end(&b);
		ab_close(&b);
	}
}

/* Lines of a long reply are no replies, whatever they look like, until its code comes back. */
static void ftp_long_reply_ends_with_its_code(void **state)
{
	struct analyzer_bed b;
	const char *rows;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 21);
	server(&b, "220-welcome\r\nanything\r\n 220 not yet\r\n221 neither\r\n220 done\r\n");
	client(&b, "DELE x\r\n");
	server(&b, "250-first\r\n  second\r\n250 gone\r\n");
	client(&b, "NOOP\r\n");
	ab_end(&b);
	rows = logs_read(&b.logs, "ftp");
	assert_string_equal(
		value(rows, "\"user\""),
		"\"user\":\"<unknown>\",\"command\":\"DELE\",\"arg\":\"ftp://192.0.2.1/./"
		"x\",\"reply_code\":250,\"reply_msg\":\"gone\"}\n");
	ab_close(&b);
}

static void log_in(struct analyzer_bed *b, const char *user)
{
	ab_open(b, IPPROTO_TCP, 21);
	server(b, "220 ready\r\n");
	client(b, "USER ");
	client(b, user);
	client(b, "\r\n");
	server(b, "331 password\r\n");
	client(b, "PASS secret\r\n");
	server(b, "230 in\r\n");
}

/* Guests' passwords are shown, others' hidden; the directory is followed. */
static void ftp_rows_tell_who_and_where(void **state)
{
	struct analyzer_bed b;
	const char *rows;

	(void)state;
	log_in(&b, "jane");
	client(&b, "CWD /pub/./a\r\n");
	server(&b, "250 ok\r\n");
	client(&b, "CWD ../b\r\n");
	server(&b, "250 ok\r\n");
	client(&b, "CWD nowhere\r\n");
	server(&b, "550 no\r\n");
	client(&b, "STOR file\r\n");
	server(&b, "150 go\r\n226 done\r\n");
	client(&b, "PWD\r\n");
	server(&b, "257 \"/pub/jane doe\" is current\r\n");
	client(&b, "RETR x\r\n");
	server(&b, "150 Opening (77 bytes).\r\n226 done\r\n");
	ab_end(&b);
	rows = logs_read(&b.logs, "ftp");
	assert_int_equal(count(rows, "\n"), 2);
	assert_int_equal(count(rows, "\"user\":\"jane\",\"password\":\"<hidden>\""), 2);
	assert_int_equal(count(rows, "\"arg\":\"ftp://192.0.2.1/pub/b/file\""), 1);
	assert_int_equal(count(rows, "\"arg\":\"ftp://192.0.2.1/pub/jane doe/x\",\"file_size\":77,"
				     "\"reply_code\":226"),
			 1);
	ab_close(&b);

	log_in(&b, "Anonymous");
	client(&b, "ACCT x\r\n");
	ab_end(&b);
	assert_int_equal(count(logs_read(&b.logs, "ftp"), "\"password\":\"secret\""), 1);
	ab_close(&b);
}

/* The same comes out when every byte arrives by itself. */
static void ftp_drip_is_the_same(void **state)
{
	static const char said[] = "USER ftp\r\nPORT 10,0,0,1,4,1\r\n";
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 21);
	ab_drip(&b, ZB_ORIG, said, sizeof(said) - 1);
	assert_true(ab_has_service(&b, "ftp"));
	assert_int_equal(b.an.expect_nr, 1);
	ab_end(&b);
	ab_close(&b);
}

/* The server connects to what PORT says: a data connection, whose content is a file. */
static void ftp_port_announces_a_data_connection(void **state)
{
	struct analyzer_bed b;
	struct data_conn d;
	const char *rows;

	(void)state;
	log_in(&b, "ftp");
	client(&b, "PORT 10,0,0,1,4,1\r\n");
	server(&b, "200 ok\r\n");
	assert_false(data_open(&b, &d, SERVER, CLIENT, 1026));
	assert_false(data_open(&b, &d, CLIENT, SERVER, 1025));
	assert_true(data_open(&b, &d, SERVER, CLIENT, 1025));
	assert_string_equal(zb_session_of(&d.c)->service[0], "ftp-data");
	client(&b, "RETR x\r\n");
	server(&b, "150 go\r\n");
	data_say(&d, ZB_ORIG, "some text\n");
	data_close(&d);
	server(&b, "226 done\r\n");
	b.an.now_ns += 6 * ZB_SEC_NS;
	client(&b, "NOOP\r\n");
	/* Another one would have to be announced. */
	assert_true(data_open(&b, &d, SERVER, CLIENT, 1025));
	assert_int_equal(zb_session_of(&d.c)->service_nr, 0);
	data_say(&d, ZB_ORIG, "more");
	data_close(&d);
	ab_end(&b);
	rows = logs_read(&b.logs, "files");
	assert_int_equal(count(rows, "\n"), 1);
	assert_int_equal(count(rows, "\"source\":\"FTP_DATA\",\"depth\":0"), 1);
	assert_int_equal(count(rows, "\"mime_type\":\"text/plain\""), 1);
	assert_int_equal(count(rows, "\"is_orig\":true,\"seen_bytes\":10"), 1);
	rows = logs_read(&b.logs, "ftp");
	assert_int_equal(count(rows,
			       "\"data_channel.passive\":false,\"data_channel.orig_h\":\"192.0.2."
			       "1\",\"data_channel.resp_h\":\"10.0.0.1\",\"data_channel.resp_p\":"
			       "1025}"),
			 1);
	assert_int_equal(count(rows, "\"mime_type\":\"text/plain\""), 1);
	assert_int_equal(count(rows, "\"fuid\":\"F"), 1);
	ab_close(&b);
}

/* The type of a file is not known before its connection has been closed for a while. */
static void ftp_type_is_known_when_the_connection_has_gone(void **state)
{
	struct analyzer_bed b;
	struct data_conn d;
	const char *rows;

	(void)state;
	log_in(&b, "ftp");
	client(&b, "PASV\r\n");
	server(&b, "227 Entering (192,0,2,1,4,2)\r\n");
	client(&b, "RETR x\r\n");
	assert_true(data_open(&b, &d, CLIENT, SERVER, 1026));
	data_say(&d, ZB_RESP, "some text\n");
	data_close(&d);
	server(&b, "226 done\r\n");
	client(&b, "NOOP\r\n");
	ab_end(&b);
	rows = logs_read(&b.logs, "ftp");
	assert_int_equal(count(rows, "\"fuid\":\"F"), 1);
	assert_int_equal(count(rows, "mime_type"), 0);
	ab_close(&b);
}

/* The reply counts only if it answers PASV or EPSV; an address may be left out. */
static void ftp_passive_replies_announce(void **state)
{
	struct analyzer_bed b;
	struct data_conn d;

	(void)state;
	log_in(&b, "ftp");
	client(&b, "NOOP\r\n");
	server(&b, "227 Entering (192,0,2,1,4,1)\r\n");
	assert_false(data_open(&b, &d, CLIENT, SERVER, 1025));
	client(&b, "EPSV\r\n");
	server(&b, "229 Entering (|||1027|)\r\n");
	assert_true(data_open(&b, &d, CLIENT, SERVER, 1027));
	data_close(&d);
	ab_end(&b);
	ab_close(&b);
}

static bool reads(bool (*read)(struct zb_text, struct ftp_address *), const char *s,
		  const char *addr, uint16_t port)
{
	struct ftp_address a;
	char shown[64];

	if (!read(text(s), &a))
		return false;
	snprintf(shown, sizeof(shown), "%u.%u.%u.%u", a.addr[0], a.addr[1], a.addr[2], a.addr[3]);
	if (a.ip_version == 0)
		shown[0] = '\0';
	return strcmp(shown, addr) == 0 && a.port == port;
}

/* What names an address, and what does not. */
static void ftp_addresses_are_read(void **state)
{
	(void)state;
	assert_true(reads(ftp_port, "10,0,0,1,4,31", "10.0.0.1", 1055));
	assert_true(reads(ftp_port, "10, 0, 0, 1, 4, 31)", "10.0.0.1", 1055));
	assert_false(reads(ftp_port, "1,2,3,4,5,", "1.2.3.4", 1280));
	assert_false(reads(ftp_port, "1,2,3,4,5,256", "1.2.3.4", 1536));
	assert_false(reads(ftp_port, "1,2,3,4,5,99999999999999999999", "1.2.3.4", 1536));
	assert_true(reads(ftp_pasv, "Entering Passive Mode (10,0,0,1,4,31).", "10.0.0.1", 1055));
	assert_true(reads(ftp_pasv, "PORT 10,0,0,1,4,31", "10.0.0.1", 1055));
	assert_true(reads(ftp_pasv, "at 10,0,0,1,4,31", "10.0.0.1", 1055));
	assert_false(reads(ftp_pasv, "PORT", "", 0));
	assert_false(reads(ftp_pasv, "", "", 0));
	assert_true(reads(ftp_eprt, "|1|10.0.0.1|1055|", "10.0.0.1", 1055));
	assert_true(reads(ftp_eprt, "!2!::ffff:10.0.0.1!1055!", "10.0.0.1", 1055));
	assert_false(reads(ftp_eprt, "|1|10.0.0|1055|", "10.0.0.0", 1055));
	assert_false(reads(ftp_eprt, "|1|10.0.0.1|65536|", "10.0.0.1", 0));
	assert_false(reads(ftp_eprt, "|1|10.0.0.1|1055", "10.0.0.1", 1055));
	assert_false(reads(ftp_eprt, "|", "", 0));
	assert_true(reads(ftp_epsv, "ok (|||1055|)", "", 1055));
	assert_false(reads(ftp_epsv, "ok |||1055|", "", 1055));
}

static void path_is(const char *dir, const char *name, const char *expected)
{
	size_t room = ftp_path_room(strlen(dir), strlen(name));
	uint8_t *out = malloc(room); /* exactly, so that one byte too many is found */
	size_t n = ftp_path(text(dir), text(name), out);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(out, expected, n);
	free(out);
}

/* Paths are shortened without losing where they begin. */
static void ftp_paths_are_shortened(void **state)
{
	(void)state;
	path_is(".", "x", "./x");
	path_is("/a/b", "../c", "/a/c");
	path_is("/a/", "b", "/a/b");
	path_is("/a", "/b//c/", "/b/c");
	path_is("/a", "c:\\x", "c:\\x");
	path_is("", "x/", "x");
	path_is("/", "..", "/..");
	path_is("~", "..", "~/..");
	path_is(".", "..", "..");
	path_is("./a", "../..", "..");
	path_is("a", "../../..", "../..");
	path_is("a", "..", "");
	path_is("/a/./b", "./c", "/a/b/c");
	path_is("..", "..", "../..");
}

static bool found(const char *in, const char *path)
{
	struct zb_text t = ftp_path_in(text(in));

	return t.n == strlen(path) && memcmp(t.d, path, t.n) == 0;
}

static void ftp_paths_and_numbers_are_found(void **state)
{
	(void)state;
	assert_true(found("\"/a b\" is current", "/a b"));
	assert_true(found("in /a/b now", "/a/b"));
	assert_true(found("/a\\ b c", "/a\\ b"));
	assert_true(found("in C:\\dir", "C:\\dir"));
	assert_true(found("nowhere", ""));
	assert_true(found("", ""));
	assert_int_equal(ftp_number_in(text("x (12 of 345 bytes)")), 345);
	assert_int_equal(ftp_number_in(text("none")), 0);
	assert_int_equal(ftp_number_in(text("99999999999999999999999")), UINT64_MAX);
}

/* A client that never waits: no more than twenty commands are kept. */
static void ftp_too_many_commands_are_not_kept(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 21);
	for (unsigned i = 0; i < 100; i++)
		client(&b, "PASV\r\n");
	ab_end(&b);
	assert_int_equal(count(logs_read(&b.logs, "ftp"), "PASV"), FTP_PENDING_MAX - 1);
	assert_int_equal(count(logs_read(&b.logs, "weird"), "FTP_too_many_pending_commands"), 1);
	ab_close(&b);
}

/* Lines without end, commands that are too long or no commands. */
static void ftp_long_and_odd_lines_are_bounded(void **state)
{
	static char many[100000];
	struct analyzer_bed b;
	const char *rows;

	(void)state;
	memset(many, 'A', sizeof(many));
	ab_open(&b, IPPROTO_TCP, 21);
	client(&b, "NOOP\r\n");
	client(&b, "\x01\x02\x03 x\r\n");
	client(&b, "ab\r\n");
	ab_say(&b, ZB_ORIG, many, 101);
	client(&b, "\r\nDELE ");
	ab_say(&b, ZB_ORIG, many, 5000);
	client(&b, "\r\n");
	ab_say(&b, ZB_ORIG, many, sizeof(many));
	server(&b, "220 x\r\n");
	assert_true(b.an.mem.bytes[ZB_MEM_analyzer] < 4 * FTP_LINE_MAX);
	ab_end(&b);
	assert_int_equal(count(logs_read(&b.logs, "ftp"), "DELE"), 1);
	rows = logs_read(&b.logs, "weird");
	assert_int_equal(count(rows, "FTP_invalid_command"), 1);
	assert_int_equal(count(rows, "\"FTP_max_command_length_exceeded\",\"addl\":\"101\""), 1);
	assert_int_equal(count(rows, "\"FTP_arg_too_long\",\"addl\":\"5018\""), 1);
	ab_close(&b);
}

/* Telnet's options are no part of a line, nor is a stray NUL. */
static void ftp_telnet_options_are_cut_out(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 21);
	client(&b, "\xff\xf4\xff\xf2"
		   "DE\xff\xfb\x01LE \xff\xff\xff\xfa\x01\x02\xff\xf0x\r\n");
	ab_say(&b, ZB_ORIG, "ST\0OR y\r\n", 9);
	ab_end(&b);
	assert_int_equal(count(logs_read(&b.logs, "ftp"), "\"command\":\"DELE\""), 1);
	assert_int_equal(count(logs_read(&b.logs, "ftp"), "\"command\":\"STOR\""), 1);
	assert_int_equal(count(logs_read(&b.logs, "weird"), "NUL_in_line"), 1);
	ab_close(&b);
}

/* AUTH TLS, once agreed upon, hands over to TLS. */
static void ftp_auth_tls_hands_over(void **state)
{
	static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 40};
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 21);
	client(&b, "AUTH TLS\r\n");
	server(&b, "234 go\r\n");
	assert_int_equal(b.s->root.first->id, ZB_A_tls);
	assert_null(b.s->root.first->next);
	ab_say(&b, ZB_ORIG, alert, sizeof(alert));
	assert_true(ab_has_service(&b, "ftp"));
	ab_end(&b);
	ab_close(&b);
}

/* An agreement that is all of the server's last line counts before what the client says next. */
static void ftp_auth_tls_at_the_end_of_a_side(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 21);
	client(&b, "AUTH TLS\r\n");
	server(&b, "234 go");
	zb_branch_fin(&b.s->root, ZB_RESP);
	client(&b, "DELE x\r\n");
	assert_null(b.s->root.first); /* that is no TLS */
	ab_end(&b);
	assert_int_equal(count(logs_read(&b.logs, "ftp"), "DELE"), 0);
	ab_close(&b);
}

/* Tokens that are no TLS are not followed; what follows is still read. */
static void ftp_auth_gssapi_without_tls_is_left(void **state)
{
	static const char *const tokens[] = {"ADAT YIIB\r\n", "ADAT !!\r\n", "ADAT\r\n",
					     "ADAT FgMBAAAx\r\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		struct analyzer_bed b;

		ab_open(&b, IPPROTO_TCP, 21);
		client(&b, "AUTH GSSAPI\r\n");
		server(&b, "334 go\r\n");
		client(&b, tokens[i]);
		server(&b, "235 ADAT=YII=\r\n");
		client(&b, "DELE x\r\n");
		assert_false(ab_has_service(&b, "gridftp"));
		assert_false(ab_has_service(&b, "ssl"));
		ab_end(&b);
		assert_int_equal(count(logs_read(&b.logs, "ftp"), "DELE"), 1);
		assert_int_equal(count(logs_read(&b.logs, "weird"), "ftp_adat"), i == 1);
		ab_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ftp_is_confirmed_by_a_command),
		cmocka_unit_test(ftp_is_not_smtp),
		cmocka_unit_test(ftp_reply_without_code_is_a_violation),
		cmocka_unit_test(ftp_long_reply_ends_with_its_code),
		cmocka_unit_test(ftp_rows_tell_who_and_where),
		cmocka_unit_test(ftp_drip_is_the_same),
		cmocka_unit_test(ftp_port_announces_a_data_connection),
		cmocka_unit_test(ftp_type_is_known_when_the_connection_has_gone),
		cmocka_unit_test(ftp_passive_replies_announce),
		cmocka_unit_test(ftp_addresses_are_read),
		cmocka_unit_test(ftp_paths_are_shortened),
		cmocka_unit_test(ftp_paths_and_numbers_are_found),
		cmocka_unit_test(ftp_too_many_commands_are_not_kept),
		cmocka_unit_test(ftp_long_and_odd_lines_are_bounded),
		cmocka_unit_test(ftp_telnet_options_are_cut_out),
		cmocka_unit_test(ftp_auth_tls_hands_over),
		cmocka_unit_test(ftp_auth_tls_at_the_end_of_a_side),
		cmocka_unit_test(ftp_auth_gssapi_without_tls_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
