/* SPDX-License-Identifier: Apache-2.0 */
/* test_gen_msg.c - a message that is written in pieces is the message, and sums are of its bytes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/gen_world.h"

static struct zb_gen_world *world;

static int make_world(void **state)
{
	(void)state;
	world = malloc(sizeof(*world));
	assert_non_null(world);
	zb_gen_world_init(world, 9);
	return 0;
}

static int free_world(void **state)
{
	(void)state;
	free(world);
	return 0;
}

/* What stands in a frame for any part of a pool has the sum that the pool says, from any place. */
static void pool_sum_is_the_sum_of_the_bytes(void **state)
{
	struct zb_gen_rand r = zb_gen_rand_seed(1, 1);

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		const struct zb_gen_pool *p = i % 2 ? &world->text : &world->noise;
		uint32_t at = i < 2000 ? ZB_GEN_POOL_BYTES - 1 - i
				       : zb_gen_rand_below(&r, ZB_GEN_POOL_BYTES);
		uint32_t len = zb_gen_rand_between(&r, 1, 1460);

		assert_int_equal(zb_checksum_fold(zb_gen_pool_sum(p, at, len)),
				 zb_checksum_fold(zb_checksum_add(0, p->bytes + at, len)));
	}
}

/* A head of `nr` bytes and a body of TLS records of nearly 40,000 bytes. */
static bool next_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m, struct zb_head *h)
{
	m->body = ZB_GEN_BODY_TLS;
	m->body_at = (uint32_t)zb_gen_rand_u64(&s->rand);
	m->body_len = zb_gen_tls_body_len(39000 + nr);
	zb_head_put_noise(h, &s->rand, nr);
	s->next_ns += 5;
	return nr < 100;
}

/* In segments of any size it is the same bytes, and every segment's sum is right. */
static void msg_in_segments_is_the_same(void **state)
{
	static uint8_t whole[40000], part[40000];
	struct zb_gen_session s = {.world = world, .rand = {77}};

	(void)state;
	for (uint32_t nr = 0; nr < 40; nr++) {
		struct zb_gen_msg m;
		uint64_t after_ns, after_rand;
		uint32_t total;

		assert_true(zb_gen_msg_plan(&s, next_msg, nr, &m));
		after_ns = s.next_ns;
		after_rand = s.rand.state;
		total = m.head_len + m.body_len;
		assert_int_equal(m.head_len, nr);
		for (uint32_t mss = 1460, from = 0; mss > 200; mss -= 113, from = 0) {
			for (uint32_t n; from < total; from += n) {
				struct zb_gen_part p = {next_msg, &m, nr, from, 0};
				uint8_t *to = (mss == 1460 ? whole : part) + from;
				uint64_t sum;

				n = p.len = total - from < mss ? total - from : mss;
				sum = zb_gen_msg_write(&s, &p, to);
				assert_int_equal(zb_checksum_fold(sum),
						 zb_checksum_fold(zb_checksum_add(0, to, n)));
			}
			if (mss != 1460)
				assert_memory_equal(whole, part, total);
		}
		assert_memory_equal(whole + nr, "\x17\x03\x03\x40\x00", 5);
		assert_memory_equal(whole + nr + 16389, "\x17\x03\x03\x40\x00", 5);
		assert_true(s.next_ns == after_ns && s.rand.state == after_rand);
	}
	assert_false(zb_gen_msg_plan(&s, next_msg, 100, &(struct zb_gen_msg){0}));
}

/* Dates are those of their seconds, also when they come out of turn. */
static void date_is_of_its_second(void **state)
{
	static const struct {
		uint32_t second;
		const char *text;
	} dates[] = {
		{1700000000, "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"},
		{1700000008, "Date: Tue, 14 Nov 2023 22:13:28 GMT\r\n"},
		{1700000000, "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"},
		{1709251199, "Date: Thu, 29 Feb 2024 23:59:59 GMT\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		uint8_t text[64] = {0};
		struct zb_head h = {text, 0}, counted = {NULL, 0};

		zb_head_put_date(&h, world, dates[i].second);
		zb_head_put_date(&counted, NULL, dates[i].second);
		assert_string_equal((char *)text, dates[i].text);
		assert_int_equal(h.len, counted.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pool_sum_is_the_sum_of_the_bytes),
		cmocka_unit_test(msg_in_segments_is_the_same),
		cmocka_unit_test(date_is_of_its_second),
	};

	return cmocka_run_group_tests(tests, make_world, free_world);
}
