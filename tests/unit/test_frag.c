/* SPDX-License-Identifier: Apache-2.0 */
/* test_frag.c - datagrams from fragments: any order, overlaps, bounds of time and memory */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "pipeline/frag.h"

#define T0   (1700000000 * ZB_SEC_NS)
#define HEAD 20

static struct zb_mem mem;
static struct zb_weird w;
static struct zb_frag *f;
static uint8_t data[65536];
static const uint8_t src[16] = {10, 0, 0, 1}, dst[16] = {192, 0, 2, 1};
static uint8_t head[HEAD] = {0x45};

static int set_up(void **state)
{
	uint64_t limit[ZB_MEM_NR] = {[ZB_MEM_frag] = 4 << 20};

	(void)state;
	memset(&w, 0, sizeof(w));
	zb_mem_init(&mem, limit);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + (i >> 8));
	return zb_frag_create(&mem, &w, 5, &f);
}

static int tear_down(void **state)
{
	(void)state;
	zb_frag_destroy(f);
	assert_int_equal(mem.total, 0);
	return 0;
}

static struct zb_fragment fragment(uint32_t id, uint32_t offset, uint32_t len, bool more)
{
	return (struct zb_fragment){
		.src = src,
		.dst = dst,
		.head = head,
		.data = data + offset,
		.now_ns = T0,
		.id = id,
		.offset = offset,
		.len = len,
		.ip_len = HEAD + len,
		.head_len = HEAD,
		.addr_len = 4,
		.proto = 17,
		.more = more,
	};
}

/* The bytes of the datagram that a fragment completes, or 0. */
static uint32_t add(const struct zb_fragment *x)
{
	/* In a block of its own size, so that a sanitizer sees a read too far. */
	uint8_t *block = malloc(x->len);
	struct zb_fragment y = *x;
	const uint8_t *whole;
	uint32_t len = 0;

	memcpy(block, x->data, x->len);
	y.data = block;
	whole = zb_frag_add(f, &y, &len);
	free(block);
	if (whole == NULL)
		return 0;
	assert_int_equal(whole[2] << 8 | whole[3], len);
	assert_memory_equal(whole + HEAD, data, len - HEAD);
	zb_frag_release(f);
	return len;
}

/* In whatever order the fragments of a datagram come, the last to come completes it. */
static void frag_in_any_order_completes_with_the_last(void **state)
{
	enum { NR = 9, BYTES = 1480, LAST = 77 };

	(void)state;
	for (uint32_t round = 0; round < 500; round++) {
		uint32_t order[NR];

		for (uint32_t i = 0; i < NR; i++)
			order[i] = i;
		for (uint32_t i = NR - 1; i > 0; i--) {
			uint32_t k = (uint32_t)rand() % (i + 1), t = order[i];

			order[i] = order[k];
			order[k] = t;
		}
		for (uint32_t i = 0; i < NR; i++) {
			bool last = order[i] == NR - 1;
			struct zb_fragment x =
				fragment(round, order[i] * BYTES, last ? LAST : BYTES, !last);

			assert_int_equal(add(&x), i == NR - 1 ? HEAD + (NR - 1) * BYTES + LAST : 0);
		}
	}
	assert_int_equal(w.total, 0);
	assert_int_equal(zb_frag_count(f), 0);
}

/* What came first stays, what a later one says of it is only named. */
static void frag_overlap_keeps_the_first_copy(void **state)
{
	struct zb_fragment a = fragment(1, 0, 64, true), b = fragment(1, 32, 64, true),
			   c = fragment(1, 96, 8, false);
	uint8_t other[64];
	const uint8_t *whole;
	uint32_t len;

	(void)state;
	a.ip_len = b.ip_len = 100;
	memset(other, 0xee, sizeof(other));
	b.data = other;
	assert_int_equal(add(&a), 0);
	assert_null(zb_frag_add(f, &b, &len));
	assert_int_equal(w.count[ZB_WEIRD_fragment_inconsistency], 1);
	assert_null(zb_frag_add(f, &b, &len));
	assert_int_equal(w.count[ZB_WEIRD_fragment_inconsistency], 2);
	assert_int_equal(add(&a), 0);
	assert_int_equal(w.count[ZB_WEIRD_fragment_overlap], 1);
	whole = zb_frag_add(f, &c, &len);
	assert_non_null(whole);
	assert_int_equal(len, HEAD + 104);
	assert_memory_equal(whole + HEAD, data, 64);
	assert_memory_equal(whole + HEAD + 64, other + 32, 32);
	assert_memory_equal(whole + HEAD + 96, data + 96, 8);
	zb_frag_release(f);
}

/* A last fragment inside the first (teardrop) must lead nowhere, and be named. */
static void frag_teardrop_is_named_and_harmless(void **state)
{
	struct zb_fragment a = fragment(2, 0, 36, true), b = fragment(2, 24, 4, false);

	(void)state;
	assert_int_equal(add(&a), 0);
	assert_int_equal(w.count[ZB_WEIRD_excessively_small_fragment], 1);
	/* As Zeek: what is contiguous reaches beyond the stated end, and is the datagram. */
	assert_int_equal(add(&b), HEAD + 36);
	assert_int_equal(w.count[ZB_WEIRD_fragment_size_inconsistency], 1);
	assert_int_equal(w.count[ZB_WEIRD_fragment_overlap], 1);
}

/* Each oddity of headers has its name. */
static void frag_odd_headers_are_named(void **state)
{
	struct zb_fragment x = fragment(3, 0, 64, true);

	(void)state;
	x.dont = true;
	add(&x);
	assert_int_equal(w.count[ZB_WEIRD_fragment_with_DF], 1);
	x = fragment(3, 64, 64, true);
	x.proto = 6;
	add(&x);
	assert_int_equal(w.count[ZB_WEIRD_fragment_protocol_inconsistency], 1);
	x = fragment(3, 64000, 64, true);
	add(&x);
	assert_int_equal(w.count[ZB_WEIRD_excessively_large_fragment], 1);
	x = fragment(3, 65528, 64, false); /* beyond any datagram: the ping of death */
	x.data = data;
	add(&x);
	assert_int_equal(w.count[ZB_WEIRD_excessively_large_fragment], 2);
	assert_int_equal(zb_frag_count(f), 1);
}

/* After five minutes what comes belongs to a new datagram, and the old one is gone. */
static void frag_after_timeout_begins_anew(void **state)
{
	struct zb_fragment a = fragment(4, 0, 64, true), b = fragment(4, 64, 8, false);

	(void)state;
	add(&a);
	b.now_ns = T0 + ZB_FRAG_TIMEOUT_NS;
	assert_int_equal(add(&b), 0);
	assert_int_equal(zb_frag_count(f), 1);
	a.now_ns = b.now_ns + ZB_FRAG_TIMEOUT_NS - 1;
	assert_int_equal(add(&a), HEAD + 72);
	/* Others that time out go too. */
	a.id = 5;
	add(&a);
	b = fragment(6, 0, 64, true);
	b.now_ns = a.now_ns + ZB_FRAG_TIMEOUT_NS;
	add(&b);
	assert_int_equal(zb_frag_count(f), 1);
}

/* What has timed out goes without another fragment, some at a time. */
static void frag_that_timed_out_goes_without_another(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < 1000; id++) {
		struct zb_fragment a = fragment(id, 0, 64, true);

		add(&a);
	}
	assert_int_equal(zb_frag_count(f), 1000);
	zb_frag_expire(f, T0 + ZB_FRAG_TIMEOUT_NS - 1);
	assert_int_equal(zb_frag_count(f), 1000);
	zb_frag_expire(f, T0 + ZB_FRAG_TIMEOUT_NS);
	assert_in_range(zb_frag_count(f), 1, 999);
	for (unsigned i = 0; i < 9; i++)
		zb_frag_expire(f, T0 + ZB_FRAG_TIMEOUT_NS);
	assert_int_equal(zb_frag_count(f), 0);
}

/* IPv6: the fragment header is left out, its successor takes its place. */
static void frag_of_ipv6_leaves_the_fragment_header_out(void **state)
{
	uint8_t v6[48] = {0x60};
	struct zb_fragment a = fragment(7, 0, 64, true), b = fragment(7, 64, 10, false);
	const uint8_t *whole;
	uint32_t len;

	(void)state;
	v6[6] = 0;   /* hop-by-hop, ... */
	v6[40] = 44; /* ... which names the fragment header */
	a.head = b.head = v6;
	a.head_len = b.head_len = 48;
	a.next_at = b.next_at = 40;
	a.addr_len = b.addr_len = 16;
	assert_null(zb_frag_add(f, &b, &len));
	whole = zb_frag_add(f, &a, &len);
	assert_non_null(whole);
	assert_int_equal(len, 48 + 74);
	assert_int_equal(whole[4] << 8 | whole[5], 8 + 74);
	assert_int_equal(whole[40], 17);
	assert_memory_equal(whole + 48, data, 74);
	zb_frag_release(f);
	assert_int_equal(w.total, 0);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Eight bytes each, from both ends to the middle or backwards: no more work than in order. */
static void frag_of_8191_pieces_in_adverse_order_is_linear(void **state)
{
	enum { NR = 8187 };
	double begin = seconds();

	(void)state;
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < NR; i++) {
			uint32_t at = round % 2 != 0 ? NR - 1 - i
				      : i % 2 != 0   ? NR - 1 - i / 2
						     : i / 2;
			struct zb_fragment x = fragment(100 + round, at * 8, 8, at != NR - 1);

			assert_int_equal(add(&x), i == NR - 1 ? HEAD + NR * 8 : 0);
		}
	}
	assert_true(seconds() - begin < 5); /* quadratic work takes minutes under a sanitizer */
}

/* Datagrams that never end must push out the oldest, be counted, and stay within the limit. */
static void frag_never_completed_stays_within_its_memory(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < 100000; id++) {
		struct zb_fragment x = fragment(id, 8000, 64, true);

		assert_int_equal(add(&x), 0);
		assert_true(mem.bytes[ZB_MEM_frag] <= 4 << 20);
	}
	assert_in_range(zb_frag_count(f), 1000, 4000);
	assert_int_equal(mem.shed[ZB_MEM_frag], 100000 - zb_frag_count(f));
	/* The youngest is still there. */
	struct zb_fragment a = fragment(99999, 0, 8000, true), b = fragment(99999, 8064, 8, false);

	assert_int_equal(add(&a), 0);
	assert_int_equal(add(&b), HEAD + 8072);
}

/* Any fragments at all: what is completed must be what was sent first, byte by byte. */
static void frag_at_random_keeps_the_first_of_each_byte(void **state)
{
	static uint8_t want[4096], there[4096];

	(void)state;
	srand(7);
	for (uint32_t round = 0; round < 20000; round++) {
		uint32_t len = 0;

		memset(there, 0, sizeof(there));
		for (uint32_t i = 0; i < 12; i++) {
			struct zb_fragment x =
				fragment(round, (uint32_t)rand() % 32 * 8,
					 1 + (uint32_t)rand() % 100, rand() % 4 != 0);
			const uint8_t *whole;

			x.data = data + rand() % 1000;
			for (uint32_t k = 0; k < x.len; k++) {
				if (!there[x.offset + k])
					want[x.offset + k] = x.data[k];
				there[x.offset + k] = 1;
			}
			whole = zb_frag_add(f, &x, &len);
			if (whole == NULL)
				continue;
			assert_memory_equal(whole + HEAD, want, len - HEAD);
			assert_null(memchr(there, 0, len - HEAD));
			zb_frag_release(f);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frag_in_any_order_completes_with_the_last, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(frag_overlap_keeps_the_first_copy, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(frag_teardrop_is_named_and_harmless, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(frag_odd_headers_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frag_after_timeout_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frag_that_timed_out_goes_without_another, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(frag_of_ipv6_leaves_the_fragment_header_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(frag_of_8191_pieces_in_adverse_order_is_linear,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(frag_never_completed_stays_within_its_memory,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(frag_at_random_keeps_the_first_of_each_byte, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
