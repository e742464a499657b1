/* SPDX-License-Identifier: Apache-2.0 */
/* test_ssh.c - ssh.log: versions, algorithms, host key, and who got in */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"

#define CLIENT_LINE "SSH-2.0-client\r\n"
#define SERVER_LINE "SSH-2.0-server\r\n"

static uint8_t out[4096];
static size_t out_n;

static void put(const void *d, size_t n)
{
	memcpy(out + out_n, d, n);
	out_n += n;
}

static void put_string(const char *text)
{
	const uint8_t head[4] = {0, 0, (uint8_t)(strlen(text) >> 8), (uint8_t)strlen(text)};

	put(head, 4);
	put(text, strlen(text));
}

/* Length, padding, type; what follows is put behind it, and end() makes it whole. */
static void packet(uint8_t type)
{
	const uint8_t head[6] = {0, 0, 0, 0, 4, type};

	out_n = 0;
	put(head, sizeof(head));
}

static void end_packet(void)
{
	put("\0\0\0\0", 4);
	out[2] = (uint8_t)((out_n - 4) >> 8);
	out[3] = (uint8_t)(out_n - 4);
}

/* An offer of algorithms. */
static void offer(const char *kex, const char *compression)
{
	packet(20);
	put("0123456789abcdef", 16);
	put_string(kex);
	put_string("ssh-rsa,ssh-ed25519");
	put_string("aes,chacha");
	put_string("aes");
	put_string("hmac");
	put_string("hmac");
	put_string(compression);
	put_string(compression);
	put_string("");
	put_string("");
	put("\0\0\0\0\0", 5);
	end_packet();
}

static void say(struct analyzer_bed *b, unsigned side, bool drip)
{
	if (drip)
		ab_drip(b, side, out, out_n);
	else
		ab_say(b, side, out, out_n);
}

/* Up to the new keys of both sides. */
static void shake_hands(struct analyzer_bed *b, const char *compression, bool drip)
{
	ab_open(b, IPPROTO_TCP, 22);
	ab_text(b, ZB_ORIG, CLIENT_LINE);
	ab_text(b, ZB_RESP, SERVER_LINE);
	offer("unknown,curve25519-sha256", compression);
	say(b, ZB_ORIG, drip);
	offer("curve25519-sha256", compression);
	say(b, ZB_RESP, drip);
	packet(31);
	put_string("the server's key");
	put_string("q");
	put_string("signature");
	end_packet();
	say(b, ZB_RESP, drip);
	packet(21);
	end_packet();
	say(b, ZB_ORIG, drip);
	say(b, ZB_RESP, drip);
}

static void encrypted(struct analyzer_bed *b, unsigned side, size_t n)
{
	static const uint8_t any[1024];

	ab_say(b, side, any, n);
}

static const char *row(struct analyzer_bed *b)
{
	static char text[4096];

	ab_end(b);
	snprintf(text, sizeof(text), "%s", logs_read(&b->logs, "ssh"));
	ab_close(b);
	return text;
}

/* What both sides have in common, and the hash of the key, whole or byte by byte. */
static void ssh_row_has_what_was_agreed(void **state)
{
	(void)state;
	for (unsigned drip = 0; drip < 2; drip++) {
		struct analyzer_bed b;
		const char *text;

		shake_hands(&b, "none", drip);
		assert_true(ab_has_service(&b, "ssh"));
		text = row(&b);
		assert_non_null(strstr(text, "\"version\":2,\"auth_attempts\":0,"));
		assert_non_null(strstr(text, "\"client\":\"SSH-2.0-client\","
					     "\"server\":\"SSH-2.0-server\","));
		assert_non_null(strstr(text, "\"cipher_alg\":\"aes\",\"mac_alg\":\"hmac\","
					     "\"compression_alg\":\"none\","
					     "\"kex_alg\":\"curve25519-sha256\","
					     "\"host_key_alg\":\"ssh-rsa\","));
		/* printf "the server's key" | openssl sha256 -binary | base64 | cut -c1-32 */
		assert_non_null(strstr(
			text,
			"\"host_key_fingerprint\":\"SHA256:2S6hTU7wYvPolKVHbqipwyIHvbwfv9rm\""));
	}
}

/* Two failures of one size, then an answer that is 16 bytes shorter than the first. */
static void ssh_sizes_tell_who_got_in(void **state)
{
	struct analyzer_bed b;

	(void)state;
	shake_hands(&b, "none", false);
	encrypted(&b, ZB_RESP, 100); /* before the client has said anything: not looked at */
	encrypted(&b, ZB_ORIG, 52);
	encrypted(&b, ZB_RESP, 52);  /* the service is there */
	encrypted(&b, ZB_RESP, 500); /* a greeting */
	encrypted(&b, ZB_RESP, 84);  /* "none" has failed */
	encrypted(&b, ZB_RESP, 84);
	assert_non_null(b.s->root.first);
	encrypted(&b, ZB_RESP, 36);
	assert_null(b.s->root.first);
	assert_non_null(strstr(row(&b), "\"auth_success\":true,\"auth_attempts\":2,"));
}

/* A failure that nothing follows. */
static void ssh_failure_is_logged_at_the_end(void **state)
{
	struct analyzer_bed b;

	(void)state;
	shake_hands(&b, "none", false);
	encrypted(&b, ZB_ORIG, 52);
	encrypted(&b, ZB_RESP, 52);
	encrypted(&b, ZB_RESP, 84);
	encrypted(&b, ZB_RESP, 84);
	assert_non_null(strstr(row(&b), "\"auth_success\":false,\"auth_attempts\":1,"));
}

/* Of compressed streams the sizes say nothing. */
static void ssh_compressed_stream_is_not_judged(void **state)
{
	struct analyzer_bed b;

	(void)state;
	shake_hands(&b, "zlib@openssh.com", false);
	encrypted(&b, ZB_ORIG, 52);
	assert_null(b.s->root.first);
	assert_null(strstr(row(&b), "auth_success"));
}

/* One side alone: a row without a version. */
static void ssh_one_banner_has_no_version(void **state)
{
	struct analyzer_bed b;
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 22);
	ab_text(&b, ZB_RESP, SERVER_LINE);
	text = row(&b);
	assert_non_null(strstr(text, "\"server\":\"SSH-2.0-server\""));
	assert_null(strstr(text, "version\":"));
	assert_null(strstr(text, "\"client\""));
}

/* What is no identification is not in the row. */
static void ssh_other_line_has_no_row(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 22);
	ab_text(&b, ZB_ORIG, "GET / HTTP/1.1\r\n");
	assert_string_equal(row(&b), "");
}

/* Lists that reach beyond their message agree on nothing. */
static void ssh_broken_offer_is_left_out(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 22);
	ab_text(&b, ZB_ORIG, CLIENT_LINE);
	ab_text(&b, ZB_RESP, SERVER_LINE);
	offer("curve25519-sha256", "none");
	ab_say(&b, ZB_ORIG, out, out_n);
	out[6 + 16] = 0xff;
	ab_say(&b, ZB_RESP, out, out_n);
	assert_null(strstr(row(&b), "kex_alg"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssh_row_has_what_was_agreed),
		cmocka_unit_test(ssh_sizes_tell_who_got_in),
		cmocka_unit_test(ssh_failure_is_logged_at_the_end),
		cmocka_unit_test(ssh_compressed_stream_is_not_judged),
		cmocka_unit_test(ssh_one_banner_has_no_version),
		cmocka_unit_test(ssh_other_line_has_no_row),
		cmocka_unit_test(ssh_broken_offer_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
