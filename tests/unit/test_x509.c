/* SPDX-License-Identifier: Apache-2.0 */
/* test_x509.c - the extent of certificates and the hosts they are made out to */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pipeline/analyzers/x509.h"
#include "tls_build.h"

/* In a block of its own, so that reading past the end is found. */
static bool is_for(const struct bytes *cert, size_t n, const char *host)
{
	uint8_t *copy = malloc(n + !n);
	bool ret;

	assert_non_null(copy);
	memcpy(copy, cert->d, n);
	ret = zb_x509_is_for_host(copy, n, host, strlen(host));
	free(copy);
	return ret;
}

/* The size must be the certificate's own, whatever follows it. */
static void x509_size_with_trailing_bytes_leaves_them_out(void **state)
{
	struct bytes b = {.n = 0};
	size_t n;

	(void)state;
	put_certificate(&b, "example.com", NULL);
	n = b.n;
	put_fill(&b, 0, 7);
	assert_int_equal(zb_x509_size(b.d, b.n), n);
	assert_int_equal(zb_x509_size(b.d, n), n);
}

/* A certificate cut anywhere must be none, and no byte after the cut be read. */
static void x509_cut_anywhere_is_no_certificate(void **state)
{
	static const char *const dns[3] = {"a.example.com", "*.example.org", NULL};
	struct bytes b = {.n = 0};

	(void)state;
	put_certificate(&b, "example.com", dns);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *copy = malloc(n + !n);

		assert_non_null(copy);
		memcpy(copy, b.d, n);
		assert_int_equal(zb_x509_size(copy, n), 0);
		free(copy);
		assert_false(is_for(&b, n, "example.com"));
	}
	assert_true(is_for(&b, b.n, "example.com"));
}

/* No byte of a certificate, whatever it is changed to, may lead the reader out of it. */
static void x509_with_any_byte_changed_stays_inside(void **state)
{
	static const char *const dns[3] = {"a.example.com", "*.example.org", NULL};
	static const uint8_t values[] = {0x00, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x85, 0xff, 0x1f};
	struct bytes b = {.n = 0};

	(void)state;
	put_certificate(&b, "example.com", dns);
	for (size_t i = 0; i < b.n; i++) {
		uint8_t was = b.d[i];

		for (unsigned v = 0; v < sizeof(values); v++) {
			b.d[i] = values[v];
			is_for(&b, b.n, "www.example.org");
			assert_true(zb_x509_size(b.d, b.n) <= b.n);
		}
		b.d[i] = was;
	}
}

/* Both the common name and the alternative names must count, letter for letter. */
static void x509_host_equal_to_any_name_matches(void **state)
{
	static const char *const dns[3] = {"a.example.com", "B.example.com", NULL};
	struct bytes b = {.n = 0}, no_names = {.n = 0}, no_extension = {.n = 0};

	(void)state;
	put_certificate(&b, "example.com", dns);
	assert_true(is_for(&b, b.n, "example.com"));
	assert_true(is_for(&b, b.n, "a.example.com"));
	assert_true(is_for(&b, b.n, "B.example.com"));
	assert_false(is_for(&b, b.n, "b.example.com"));
	assert_false(is_for(&b, b.n, "c.example.com"));
	assert_false(is_for(&b, b.n, ""));
	put_certificate(&no_names, NULL, NULL);
	assert_int_equal(zb_x509_size(no_names.d, no_names.n), no_names.n);
	assert_false(is_for(&no_names, no_names.n, "example.com"));
	put_certificate(&no_extension, "example.com", NULL);
	assert_true(is_for(&no_extension, no_extension.n, "example.com"));
}

/* A wildcard must stand for exactly the first label. */
static void x509_wildcard_stands_for_one_label(void **state)
{
	static const char *const dns[3] = {"*.example.com", "f*.example.org", NULL};
	struct bytes b = {.n = 0};

	(void)state;
	put_certificate(&b, NULL, dns);
	assert_true(is_for(&b, b.n, "www.example.com"));
	assert_false(is_for(&b, b.n, "example.com"));
	assert_false(is_for(&b, b.n, ".example.com"));
	assert_false(is_for(&b, b.n, "a.b.example.com"));
	assert_false(is_for(&b, b.n, "foo.example.org"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x509_size_with_trailing_bytes_leaves_them_out),
		cmocka_unit_test(x509_cut_anywhere_is_no_certificate),
		cmocka_unit_test(x509_with_any_byte_changed_stays_inside),
		cmocka_unit_test(x509_host_equal_to_any_name_matches),
		cmocka_unit_test(x509_wildcard_stands_for_one_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
