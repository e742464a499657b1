/* SPDX-License-Identifier: Apache-2.0 */
/* test_shard_hostile.c - captures made to hurt are sharded in time, and no packet is lost */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "capture/rss.h"
#include "capture/source_replay.h"
#include "profiler/lcore_stat.h"
#include "shard_capture.h"

#define SHARD_NR 8u

static const struct tb_ip udp4 = {4, 17, {10, 1, 2, 3}, {203, 0, 113, 9}, 5000, 6000, 0, 400};
static const struct tb_ip tcp4 = {4, 6, {10, 9, 9, 3}, {198, 51, 100, 9}, 5000, 80, 0, 40};
static const struct tb_ip tcp6 = {
	6, 6, {0x20, 1, 0xd, 0xb8, [15] = 7}, {0x20, 1, 0xd, 0xb8, [15] = 8}, 40000, 443, 0, 40};
static const struct tb_ip outer4 = {4, 17, {192, 0, 2, 1}, {192, 0, 2, 2}, 60000, 0, 0, 0};

/* Nothing but fragments, of one key or of all keys, must load in time and keep every packet. */
static void shard_hostile_fragments_are_bounded(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		struct tb_ip ip = udp4;
		struct capture c = {0};
		struct zb_trace *t;
		uint64_t nr = 0;

		for (uint32_t i = 0; i < 60000; i++) {
			struct tb_buf b = {0};

			ip.payload_len = 8;
			ip.frag = kind == 0 ? 1 : (uint16_t)((i & 1) << 13);
			ip.sport = (uint16_t)i;
			if (kind == 2)
				tb_put16(ip.src + 2, i * 7919);
			tb_packet(&b, TB_RAW, &ip);
			tb_put16(b.p + 4, kind == 0 ? 1 : i);
			add(&c, &b);
		}
		t = load_capture(&c, SHARD_NR, false);
		for (uint32_t q = 0; q < SHARD_NR; q++)
			nr += zb_trace_shard(t, q)->pkt_nr;
		assert_int_equal(nr, c.nr);
		zb_trace_free(t);
		tb_free(&c.file);
	}
}

/* Damaged packets of every kind must be placed without a byte read beyond them, each once. */
static void shard_damaged_packets_are_placed_once(void **state)
{
	struct capture c = {0};
	struct zb_trace *t;
	uint64_t real = 0;

	(void)state;
	srand(6);
	for (uint32_t i = 0; i < 20000; i++) {
		struct tb_buf b = {0}, f = {0};

		tb_packet(&b, TB_RAW, i & 1 ? &tcp4 : &tcp6);
		for (unsigned k = 0; k <= i % 5; k++)
			tb_wrap(&b, (enum tb_tunnel)(rand() % TB_TUNNEL_NR), outer4);
		if (i % 3 == 0) {
			tb_fragment_v4(&f, &b, (uint16_t)(i % 7), (uint32_t)rand() % 3, 40);
			tb_wrap(&f, TB_IPIP, outer4);
			tb_free(&b);
			b = f;
		}
		b.nr = 1 + (size_t)rand() % b.nr;
		for (unsigned k = 0; k < i % 4; k++)
			b.p[(size_t)rand() % b.nr] = (uint8_t)rand();
		add(&c, &b);
	}
	t = load_capture(&c, SHARD_NR, false);
	for (uint32_t q = 0; q < SHARD_NR; q++)
		real += zb_trace_shard(t, q)->pkt_nr - zb_trace_shard(t, q)->shadow_nr;
	assert_int_equal(real, c.nr);
	assert_true(zb_trace_info(t)->shadows > 100);
	zb_trace_free(t);
	tb_free(&c.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shard_hostile_fragments_are_bounded),
		cmocka_unit_test(shard_damaged_packets_are_placed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
