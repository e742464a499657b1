/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls_print.c - fingerprints of hellos against published values; names of numbers */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>

#include "analyzer_bed.h"
#include "pipeline/analyzers/tls_memo.h"
#include "pipeline/analyzers/tls_priv.h"
#include "tls_build.h"

/* The hello that FoxIO's description of JA4 takes as its example. */
static void put_example(struct bytes *b)
{
	static const uint16_t ciphers[] = {0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
					   0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
					   0x009c, 0x009d, 0x002f, 0x0035};
	static const uint16_t others[] = {0xff01, 0x0017, 0x0012, 0x0005, 0x0023,
					  0x002d, 0x0033, 0x001b, 0x4469, 0x0015};
	struct hello h = {.version = 0x0303, .cipher_nr = 16};

	memcpy(h.ciphers, ciphers, sizeof(ciphers));
	put_extension(&h.extensions, 0x1a1a, NULL, 0);
	put_server_name(&h.extensions, "example.com");
	put_protocol(&h.extensions, "h2");
	put_extension(&h.extensions, 43, "\x06\x3a\x3a\x03\x04\x03\x03", 7);
	put_extension(&h.extensions, 10, "\0\x06\x2a\x2a\0\x1d\0\x17", 8);
	put_extension(&h.extensions, 11, "\x01\0", 2);
	put_extension(&h.extensions, 13,
		      "\0\x10\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01", 18);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		put_extension(&h.extensions, others[i], NULL, 0);
	put_client_hello(b, &h);
}

/* JA4 must be what its inventor published for the example. */
static void print_ja4_of_published_example_is_published_value(void **state)
{
	struct zb_tls t = {.flags = 0};
	struct bytes b = {.n = 0};

	(void)state;
	put_example(&b);
	zb_tls_print_client(&t, NULL, b.d, b.n);
	assert_true(t.flags & ZB_TLS_HAS_JA3);
	assert_memory_equal(t.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1", ZB_TLS_JA4_BYTES);
}

static void check_md5(const char *text, const uint8_t got[16])
{
	uint8_t want[16];
	unsigned n;

	assert_int_equal(EVP_Digest(text, strlen(text), want, &n, EVP_md5(), NULL), 1);
	assert_memory_equal(got, want, 16);
}

/* JA3 must be the hash of the numbers in their order, GREASE left out. */
static void print_ja3_is_hash_of_numbers(void **state)
{
	struct zb_tls t = {.flags = 0};
	struct bytes b = {.n = 0};

	(void)state;
	put_example(&b);
	zb_tls_print_client(&t, NULL, b.d, b.n);
	check_md5(
		"771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
		"0-16-43-10-11-13-65281-23-18-5-35-45-51-27-17513-21,29-23,0",
		t.ja3);
}

/* What is remembered must be what would be made, for every hello that differs in anything. */
static void print_from_memory_is_the_same(void **state)
{
	struct zb_analysis an = {.secret = 99};
	struct bytes b = {.n = 0};

	(void)state;
	zb_mem_init(&an.mem, NULL);
	put_example(&b);
	for (unsigned round = 0; round < 2; round++) {
		/* Each byte changed in turn: versions, ciphers, groups, points, names, lengths. */
		for (size_t i = 0; i <= b.n; i++) {
			for (unsigned dtls = 0; dtls < 2; dtls++) {
				struct zb_tls made = {.flags = dtls ? ZB_TLS_IS_DTLS : 0},
					      kept = made;

				b.d[i % b.n] ^= i < b.n ? 1 : 0;
				zb_tls_print_client(&made, NULL, b.d, b.n);
				zb_tls_print_client(&kept, zb_tls_memo(&an), b.d, b.n);
				b.d[i % b.n] ^= i < b.n ? 1 : 0;
				assert_int_equal(kept.flags, made.flags);
				assert_memory_equal(kept.ja3, made.ja3, sizeof(made.ja3));
				assert_memory_equal(kept.ja4, made.ja4, sizeof(made.ja4));
			}
		}
	}
	zb_tls_memo_free(&an);
	assert_int_equal(an.mem.total, 0);
}

/* JA3S must be the hash of version, cipher and extensions. */
static void print_ja3s_is_hash_of_choice(void **state)
{
	struct hello h = {.version = 0x0303, .ciphers = {0xc02f}};
	struct zb_tls t = {.flags = 0};
	struct bytes b = {.n = 0};

	(void)state;
	put_extension(&h.extensions, 0xff01, "\0", 1);
	put_extension(&h.extensions, 11, "\x01\0", 2);
	put_server_hello(&b, &h);
	zb_tls_print_server(&t, b.d, b.n);
	assert_true(t.flags & ZB_TLS_HAS_JA3S);
	check_md5("771,49199,65281-11", t.ja3s);
}

/* A hello of nothing must still have a fingerprint, of zeros. */
static void print_of_bare_hello_has_zeros(void **state)
{
	static const uint8_t bare[] = {3, 1, [34] = 0, [35] = 0, [36] = 0, [37] = 1, [38] = 0};
	struct zb_tls t = {.flags = ZB_TLS_IS_DTLS};

	(void)state;
	zb_tls_print_client(&t, NULL, bare, sizeof(bare));
	assert_memory_equal(t.ja4, "d10i000000_000000000000_000000000000", ZB_TLS_JA4_BYTES);
	check_md5("769,,,,", t.ja3);
}

/* Lists too long to be sorted here must give no fingerprint, and nothing else. */
static void print_of_endless_lists_is_left_out(void **state)
{
	struct zb_tls t = {.flags = 0};
	struct bytes b = {.n = 0};

	(void)state;
	put_int(&b, 2, 0x0303);
	put_fill(&b, 0, 32);
	put_int(&b, 1, 0);
	put_int(&b, 2, 2000);
	for (unsigned i = 0; i < 1000; i++)
		put_int(&b, 2, i);
	put_int(&b, 2, 0x0100);
	zb_tls_print_client(&t, NULL, b.d, b.n);
	assert_false(t.flags & ZB_TLS_HAS_JA3);
}

/* Numbers with names must be found at both ends and within, others be told as such. */
static void names_of_known_and_unknown_numbers_are_told(void **state)
{
	char room[ZB_TLS_NAME_MAX + 1];

	(void)state;
	assert_string_equal(zb_tls_cipher_name(0, room), "TLS_NULL_WITH_NULL_NULL");
	assert_string_equal(zb_tls_cipher_name(0xc02f, room),
			    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
	assert_string_equal(zb_tls_cipher_name(0x0700c0, room),
			    "SSLv20_CK_DES_192_EDE3_CBC_WITH_MD5");
	assert_string_equal(zb_tls_cipher_name(0x1a1a, room), "grease_0x1A1A");
	assert_string_equal(zb_tls_cipher_name(0xffffff, room), "unknown-16777215");
	assert_string_equal(zb_tls_curve_name(29, room), "x25519");
	assert_string_equal(zb_tls_curve_name(4588, room), "X25519MLKEM768");
	assert_string_equal(zb_tls_alert_name(255, room), "unknown-255");
	assert_string_equal(zb_tls_version_name(0x7f1c, room), "TLSv13-draft28");
	assert_string_equal(zb_tls_version_name(0xfefd, room), "DTLSv12");
	assert_string_equal(zb_tls_version_name(0x0500, room), "unknown-1280");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(print_ja4_of_published_example_is_published_value),
		cmocka_unit_test(print_ja3_is_hash_of_numbers),
		cmocka_unit_test(print_from_memory_is_the_same),
		cmocka_unit_test(print_ja3s_is_hash_of_choice),
		cmocka_unit_test(print_of_bare_hello_has_zeros),
		cmocka_unit_test(print_of_endless_lists_is_left_out),
		cmocka_unit_test(names_of_known_and_unknown_numbers_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
