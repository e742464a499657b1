/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_port_dev.c - the key that NICs are given hashes both directions alike, and as the software
 * does; packets in several buffers become one
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <rte_thash.h>
#include <string.h>
#include "capture/port_dev.h"
#include "capture/port_pkt.h"
#include "capture/rss.h"
#include "tunnel_build.h"

/* As a NIC does: addresses and ports in network order through the key. */
static uint32_t nic_hash(const struct tb_ip *ip, const uint8_t *key, bool reply)
{
	const uint8_t *src = reply ? ip->dst : ip->src, *dst = reply ? ip->src : ip->dst;
	uint32_t ports = reply ? (uint32_t)ip->dport << 16 | ip->sport
			       : (uint32_t)ip->sport << 16 | ip->dport;
	uint32_t words[9], n = ip->version == 4 ? 1 : 4;

	for (uint32_t i = 0; i < n; i++) {
		memcpy(&words[i], src + 4 * i, 4);
		memcpy(&words[n + i], dst + 4 * i, 4);
		words[i] = rte_be_to_cpu_32(words[i]);
		words[n + i] = rte_be_to_cpu_32(words[n + i]);
	}
	words[2 * n] = ports;
	return rte_softrss(words, 2 * n + 1, key);
}

/* Whatever length of key a device asks for. */
static void rss_key_is_symmetric_and_softwares_own(void **state)
{
	static const uint32_t lens[] = {40, 52};
	uint8_t key[52];

	(void)state;
	for (unsigned l = 0; l < 2; l++) {
		zb_port_rss_key(key, lens[l]);
		for (uint16_t i = 0; i < 100; i++) {
			struct tb_ip ip = {.version = i & 1 ? 4 : 6,
					   .proto = i & 2 ? 6 : 17,
					   .src = {10, 1, (uint8_t)i, 7, 5, 6, 7, 8, 9},
					   .dst = {10, 9, 8, (uint8_t)(3 * i), 1, 1, 1, 1, 2},
					   .sport = (uint16_t)(1024 + 13 * i),
					   .dport = 443,
					   .payload_len = 4};
			uint32_t hash = nic_hash(&ip, key, false);
			struct tb_buf b = {.nr = 0};

			tb_packet(&b, TB_RAW, &ip);
			assert_int_equal(hash, nic_hash(&ip, key, true));
			assert_int_equal(hash, zb_rss_hash(ZB_LINK_RAW_IP, b.p, (uint32_t)b.nr));
			assert_int_equal(zb_rss_queue(hash, 4),
					 zb_rss_queue(nic_hash(&ip, key, true), 4));
			tb_free(&b);
		}
	}
}

static void chain(struct rte_mbuf *m, uint8_t (*data)[1000], unsigned nr)
{
	memset(m, 0, nr * sizeof(*m));
	for (unsigned i = 0; i < nr; i++) {
		memset(data[i], (int)(i + 1), 1000);
		m[i].buf_addr = data[i];
		m[i].buf_len = 1000; /* no room for another one's */
		m[i].data_len = 1000;
		m[i].next = i + 1 < nr ? &m[i + 1] : NULL;
	}
	m[0].pkt_len = 1000 * nr;
	m[0].nb_segs = (uint16_t)nr;
}

/* All of a packet can be read from one place; the next one does not disturb it. */
static void fill_several_buffers_are_made_one(void **state)
{
	static uint8_t data[2][3][1000];
	struct rte_mbuf m[2][3];
	struct zb_port_pkts p;
	struct zb_pkt out[2];

	(void)state;
	assert_int_equal(zb_port_pkts_init(&p), 0);
	for (unsigned k = 0; k < 2; k++) {
		chain(m[k], data[k], 3);
		zb_port_fill(&p, &m[k][0], 5, &out[k]);
	}
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(out[k].cap_len, 3000);
		assert_int_equal(out[k].wire_len, 3000);
		assert_int_equal(out[k].flags, 0);
		for (unsigned i = 0; i < 3000; i++)
			assert_int_equal(out[k].data[i], i / 1000 + 1);
	}
	assert_int_equal(p.segmented, 2);
	zb_port_pkts_fini(&p);
}

/* A length that no memory is there for leaves the first buffer, and says so. */
static void fill_too_long_a_packet_is_cut(void **state)
{
	static uint8_t data[3][1000];
	struct rte_mbuf m[3];
	struct zb_port_pkts p;
	struct zb_pkt out;

	(void)state;
	assert_int_equal(zb_port_pkts_init(&p), 0);
	chain(m, data, 3);
	m[0].pkt_len = 100000000;
	zb_port_fill(&p, &m[0], 5, &out);
	assert_int_equal(out.cap_len, 1000);
	assert_true(out.flags & ZB_PKT_SNAPPED);
	zb_port_pkts_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rss_key_is_symmetric_and_softwares_own),
		cmocka_unit_test(fill_several_buffers_are_made_one),
		cmocka_unit_test(fill_too_long_a_packet_is_cut),
	};

	return cmocka_run_group_tests_name("port_dev", tests, NULL, NULL);
}
