/* SPDX-License-Identifier: Apache-2.0 */
/* test_rss.c - the hash is the one NICs compute, is symmetric, and reads nothing that was not
 * captured */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <rte_thash.h>
#include "capture/rss.h"
#include "tunnel_build.h"

static const struct tb_ip tcp4 = {
	.version = 4,
	.proto = 6,
	.src = {192, 0, 2, 17},
	.dst = {203, 0, 113, 9},
	.sport = 43210,
	.dport = 443,
	.payload_len = 5,
};
static const struct tb_ip udp6 = {
	.version = 6,
	.proto = 17,
	.src = {0x20, 1, 0x0d, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	.dst = {0x20, 1, 0x0d, 0xb8, 0xff, 0xfe, 0, 4, 5, 0x60, 7, 8, 9, 0xa0, 11, 0xc2},
	.sport = 5353,
	.dport = 53,
	.payload_len = 3,
};

/* DPDK's own software Toeplitz over addresses and, when ports is set, ports. */
static uint32_t reference(const struct tb_ip *ip, bool ports)
{
	uint32_t words[9], addr_words = ip->version == 4 ? 1 : 4;
	uint8_t key[40];

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = i % 2 == 0 ? 0x6d : 0x5a;
	for (uint32_t i = 0; i < addr_words; i++) {
		memcpy(&words[i], ip->src + 4 * i, 4);
		memcpy(&words[addr_words + i], ip->dst + 4 * i, 4);
	}
	for (uint32_t i = 0; i < 2 * addr_words; i++)
		words[i] = rte_be_to_cpu_32(words[i]);
	words[2 * addr_words] = (uint32_t)ip->sport << 16 | ip->dport;
	return rte_softrss(words, 2 * addr_words + ports, key);
}

static uint32_t hash(enum zb_link link, enum tb_link how, const struct tb_ip *ip)
{
	struct tb_buf b = {0};
	uint32_t h;

	tb_packet(&b, how, ip);
	h = zb_rss_hash(link, b.p, (uint32_t)b.nr);
	tb_free(&b);
	return h;
}

static void random_tuple(struct tb_ip *ip)
{
	for (unsigned i = 0; i < 16; i++) {
		ip->src[i] = (uint8_t)rand();
		ip->dst[i] = (uint8_t)rand();
	}
	ip->sport = (uint16_t)rand();
	ip->dport = (uint16_t)rand();
}

/* For any tuple the hash must be what DPDK's rte_softrss computes with the key 6d5a repeated. */
static void rss_random_tuples_match_softrss(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 2000; i++) {
		struct tb_ip ip = i % 2 == 0 ? tcp4 : udp6;

		random_tuple(&ip);
		assert_int_equal(hash(ZB_LINK_RAW_IP, TB_RAW, &ip), reference(&ip, true));
	}
}

/* Both directions of a flow must get the same hash, and different flows different ones. */
static void rss_directions_agree_and_flows_differ(void **state)
{
	(void)state;
	srand(2);
	for (int i = 0; i < 500; i++) {
		struct tb_ip ip = i % 2 == 0 ? tcp4 : udp6, back;
		uint32_t h;

		random_tuple(&ip);
		back = ip;
		memcpy(back.src, ip.dst, 16);
		memcpy(back.dst, ip.src, 16);
		back.sport = ip.dport;
		back.dport = ip.sport;
		h = hash(ZB_LINK_ETHERNET, TB_ETHERNET, &ip);
		assert_int_equal(h, hash(ZB_LINK_ETHERNET, TB_ETHERNET, &back));
		ip.sport ^= 1;
		assert_int_not_equal(h, hash(ZB_LINK_ETHERNET, TB_ETHERNET, &ip));
	}
}

/* The link layer in front must not change the hash. */
static void rss_every_link_layer_gives_the_same_hash(void **state)
{
	static const struct {
		enum zb_link link;
		enum tb_link how;
	} links[] = {
		{ZB_LINK_RAW_IP, TB_RAW},    {ZB_LINK_ETHERNET, TB_ETHERNET},
		{ZB_LINK_ETHERNET, TB_VLAN}, {ZB_LINK_ETHERNET, TB_QINQ},
		{ZB_LINK_ETHERNET, TB_MPLS}, {ZB_LINK_ETHERNET, TB_PPPOE},
		{ZB_LINK_SLL, TB_SLL},	     {ZB_LINK_SLL2, TB_SLL2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		assert_int_equal(hash(links[i].link, links[i].how, &tcp4), reference(&tcp4, true));
		assert_int_equal(hash(links[i].link, links[i].how, &udp6), reference(&udp6, true));
	}
}

static uint32_t hash_behind(enum zb_link link, const char *head, size_t head_len,
			    const struct tb_ip *ip)
{
	struct tb_buf b = {0};
	uint32_t h;

	tb_bytes(&b, head, head_len);
	tb_packet(&b, TB_RAW, ip);
	h = zb_rss_hash(link, b.p, (uint32_t)b.nr);
	tb_free(&b);
	return h;
}

/* Loopback, PPP and SNAP headers, short and long, must be found through. */
static void rss_small_link_headers_are_followed(void **state)
{
	static const struct {
		enum zb_link link;
		const char *head;
		size_t len;
		bool ip;
	} heads[] = {
		{ZB_LINK_NULL, "\2\0\0\0", 4, true},
		{ZB_LINK_NULL, "\0\0\0\2", 4, true},
		{ZB_LINK_NULL, "\x1e\0\0\0", 4, true},
		{ZB_LINK_NULL, "\7\0\0\0", 4, false},
		{ZB_LINK_PPP, "\xff\x03\x00\x21", 4, true},
		{ZB_LINK_PPP, "\x00\x21", 2, true},
		{ZB_LINK_PPP, "\x21", 1, true},
		{ZB_LINK_PPP, "\xff\x03\x02\x81\0\1\1\x40", 8, true},
		{ZB_LINK_PPP, "\xff\x03\xc0\x21", 4, false},
		{ZB_LINK_ETHERNET, "aaaaaabbbbbb\0\x40\xaa\xaa\3\0\0\0\x08\0", 22, true},
		{ZB_LINK_ETHERNET, "aaaaaabbbbbb\0\x40\x42\x42\3\0\0\0\x08\0", 22, false},
		{ZB_LINK_ETHERNET, "aaaaaabbbbbb\0\x40\xaa\xaa\1\1\0\0\0\x08\0", 23, true},
		{ZB_LINK_ETHERNET, "aaaaaabbbbbb\x08\x06", 14, false},
		{ZB_LINK_ETHERNET, "aaaaaabbbbbb\x89\x26\1\2\3\4\x08\0", 20, true},
		{ZB_LINK_ETHERNET, "aaaaaabbbbbb\x88\xe7\0\0\0\1ccccccdddddd\x08\0", 32, true},
		{ZB_LINK_ETHERNET, "aaaaaabbbbbb\x89\x03\1\2ccccccdddddd\x08\0", 30, true},
		{ZB_LINK_NFLOG, "\2\0\0\0\5\0\1\0a\0\0\0\4\0\x09\0", 16, true},
		{ZB_LINK_NFLOG, "\2\0\0\0\0\5\0\1a\0\0\0\0\4\0\x09", 16, true},
		{ZB_LINK_NFLOG, "\7\0\0\0\4\0\x09\0", 8, false},
		{ZB_LINK_NFLOG, "\2\0\0\0\0\0\1\0", 8, false},
		{ZB_LINK_NFLOG, "\2\0\0\0\xff\xff\1\0", 8, false},
		{ZB_LINK_WIFI, "\x08\1..aaaaaabbbbbbcccccc..\xaa\xaa\3\0\0\0\x08\0", 32, true},
		{ZB_LINK_WIFI, "\x08\3..aaaaaabbbbbbcccccc..dddddd\xaa\xaa\3\0\0\0\x08\0", 38,
		 true},
		{ZB_LINK_WIFI, "\x88\1..aaaaaabbbbbbcccccc..\0\0\xaa\xaa\3\0\0\0\x08\0", 34, true},
		{ZB_LINK_WIFI, "\x88\x41..aaaaaabbbbbbcccccc..\0\0\xaa\xaa\3\0\0\0\x08\0", 34,
		 false},
		{ZB_LINK_WIFI, "\x80\1..aaaaaabbbbbbcccccc..\xaa\xaa\3\0\0\0\x08\0", 32, false},
		{ZB_LINK_WIFI,
		 "\x88\1..aaaaaabbbbbbcccccc..\x80\0aaaaaabbbbbb\0\x09\xaa\xaa\3\0\0\0\x08\6.."
		 "aaaaaabbbbbb\0\x20\xaa\xaa\3\0\0\0\x08\0",
		 72, true},
		{ZB_LINK_RADIOTAP,
		 "\0\0\x09\0.....\x08\1..aaaaaabbbbbbcccccc..\xaa\xaa\3\0\0\0\x08\0", 41, true},
		{ZB_LINK_RADIOTAP,
		 "\0\0\xff\xff.....\x08\1..aaaaaabbbbbbcccccc..\xaa\xaa\3\0\0\0\x08\0", 41, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		assert_int_equal(hash_behind(heads[i].link, heads[i].head, heads[i].len, &tcp4),
				 heads[i].ip ? reference(&tcp4, true) : 0);
}

/* All fragments of a datagram must hash alike: addresses only; so must protocols without ports. */
static void rss_fragments_and_other_protocols_hash_addresses_only(void **state)
{
	static const uint16_t frags[] = {0x2000, 0x2010, 0x0020};
	struct tb_ip ip = tcp4;

	(void)state;
	for (size_t i = 0; i < sizeof(frags) / sizeof(frags[0]); i++) {
		ip.frag = frags[i];
		assert_int_equal(hash(ZB_LINK_RAW_IP, TB_RAW, &ip), reference(&ip, false));
	}
	ip.frag = 0x4000; /* don't fragment: whole */
	assert_int_equal(hash(ZB_LINK_RAW_IP, TB_RAW, &ip), reference(&ip, true));
	ip.frag = 0;
	ip.proto = 1;
	assert_int_equal(hash(ZB_LINK_RAW_IP, TB_RAW, &ip), reference(&ip, false));
	ip.proto = 132;
	ip.payload_len = 12;
	assert_int_equal(hash(ZB_LINK_RAW_IP, TB_RAW, &ip), reference(&ip, false));
}

/* udp6 with extension headers chain in front of UDP; first names the first one. */
static uint32_t hash_extended(uint8_t first, const void *chain, size_t chain_len)
{
	struct tb_buf b = {0}, out = {0};
	uint32_t h;

	tb_packet(&b, TB_RAW, &udp6);
	b.p[6] = first;
	tb_bytes(&out, b.p, 40);
	tb_bytes(&out, chain, chain_len);
	tb_bytes(&out, b.p + 40, b.nr - 40);
	h = zb_rss_hash(ZB_LINK_RAW_IP, out.p, (uint32_t)out.nr);
	tb_free(&b);
	tb_free(&out);
	return h;
}

/* Ports must be found behind IPv6 extension headers; a fragment header hides them unless atomic. */
static void rss_ipv6_extension_headers_are_followed(void **state)
{
	uint8_t chain[18 * 8] = {0};

	(void)state;
	assert_int_equal(hash_extended(0, "\x3c\0\0\0\0\0\0\0\x11\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
				       24),
			 reference(&udp6, true));
	assert_int_equal(hash_extended(51, "\x11\1\0\0\0\0\0\0\0\0\0\0", 12),
			 reference(&udp6, true));
	assert_int_equal(hash_extended(44, "\x11\0\0\1\0\0\0\7", 8), reference(&udp6, false));
	assert_int_equal(hash_extended(44, "\x11\0\1\0\0\0\0\7", 8), reference(&udp6, false));
	assert_int_equal(hash_extended(44, "\x11\0\0\0\0\0\0\7", 8), reference(&udp6, true));
	/* 17 destination options headers are more than are followed. */
	for (unsigned i = 0; i < 17; i++)
		chain[8 * i] = i == 16 ? 17 : 60;
	assert_int_equal(hash_extended(60, chain, 17 * 8), reference(&udp6, false));
	assert_int_equal(hash_extended(60, chain + 8, 16 * 8), reference(&udp6, true));
}

/* inner in depth tunnels, all of outer. */
static uint32_t hash_nested(enum tb_tunnel kind, const struct tb_ip *inner,
			    const struct tb_ip *outer, unsigned depth)
{
	struct tb_buf b = {0};
	uint32_t h;

	tb_packet(&b, TB_RAW, inner);
	for (unsigned i = 0; i < depth; i++)
		tb_wrap(&b, kind, *outer);
	h = zb_rss_hash(ZB_LINK_RAW_IP, b.p, (uint32_t)b.nr);
	tb_free(&b);
	return h;
}

/*
 * IP-in-IP and GRE hash as the innermost packet, four of them and no more; UDP tunnels as the outer
 * one.
 */
static void rss_ip_tunnels_hash_the_innermost_packet(void **state)
{
	static const struct tb_ip outers[] = {
		{4, 0, {192, 0, 2, 1}, {192, 0, 9, 2}, 50000, 0, 0, 0},
		{6, 0, {0x20, 1, [15] = 1}, {0x20, 1, 7, [15] = 9}, 50000, 0, 0, 0},
	};

	(void)state;
	for (enum tb_tunnel kind = TB_IPIP; kind < TB_TUNNEL_NR; kind++) {
		for (unsigned i = 0; i < 4; i++) {
			const struct tb_ip *inner = i % 2 ? &udp6 : &tcp4;
			struct tb_ip outer = outers[i / 2];
			uint32_t want = reference(inner, true);

			if (kind >= TB_VXLAN) {
				tb_tunnel_ports(&outer, kind, inner->version);
				want = reference(&outer, true);
				assert_int_equal(hash_nested(kind, inner, &outer, 1), want);
				continue;
			}
			for (unsigned depth = 1; depth <= 4; depth++)
				assert_int_equal(hash_nested(kind, inner, &outer, depth), want);
			assert_int_equal(hash_nested(kind, inner, &outer, 5),
					 reference(&outer, false));
		}
	}
}

/* What claims to be a tunnel and is none must hash as what it is: addresses. */
static void rss_false_ip_tunnels_hash_their_own_addresses(void **state)
{
	static const uint8_t protos[] = {4, 41, 47};
	struct tb_ip ip = tcp4;

	(void)state;
	ip.payload_len = 60;
	for (unsigned i = 0; i < 3; i++) {
		ip.proto = protos[i];
		for (ip.sport = 0; ip.sport < 256; ip.sport++) {
			/* The first payload byte: a version that does not belong there. */
			if (ip.sport >> 4 == (protos[i] == 4 ? 4 : 6) || protos[i] == 47)
				continue;
			assert_int_equal(hash(ZB_LINK_RAW_IP, TB_RAW, &ip), reference(&ip, false));
		}
	}
	ip.proto = 47;
	ip.sport = 0xc0; /* GRE with routing */
	assert_int_equal(hash(ZB_LINK_RAW_IP, TB_RAW, &ip), reference(&ip, false));
}

/* Cut anywhere, a packet must be read only as far as it was captured (the sanitizer watches). */
static void rss_truncated_packets_are_never_overread(void **state)
{
	(void)state;
	for (int how = TB_RAW; how <= TB_SLL2; how++) {
		enum zb_link link = how == TB_RAW    ? ZB_LINK_RAW_IP
				    : how == TB_SLL  ? ZB_LINK_SLL
				    : how == TB_SLL2 ? ZB_LINK_SLL2
						     : ZB_LINK_ETHERNET;
		struct tb_buf b = {0};
		size_t at = tb_packet(&b, (enum tb_link)how, &tcp4);

		for (size_t n = 0; n <= b.nr; n++) {
			uint8_t *cut = malloc(n != 0 ? n : 1);
			uint32_t want = n < at + 20   ? 0
					: n < at + 24 ? reference(&tcp4, false)
						      : reference(&tcp4, true);

			assert_non_null(cut);
			memcpy(cut, b.p, n);
			assert_int_equal(zb_rss_hash(link, cut, (uint32_t)n), want);
			free(cut);
		}
		tb_free(&b);
	}
}

/* Queues must be in range, all be used, and be one for a single queue. */
static void rss_queue_covers_all_queues(void **state)
{
	uint32_t seen[7] = {0};

	(void)state;
	srand(3);
	for (int i = 0; i < 2000; i++) {
		struct tb_ip ip = tcp4;
		uint32_t h, q;

		random_tuple(&ip);
		h = hash(ZB_LINK_RAW_IP, TB_RAW, &ip);
		q = zb_rss_queue(h, 7);
		assert_true(q < 7);
		assert_int_equal(zb_rss_queue(h, 1), 0);
		seen[q]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 200, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rss_random_tuples_match_softrss),
		cmocka_unit_test(rss_directions_agree_and_flows_differ),
		cmocka_unit_test(rss_every_link_layer_gives_the_same_hash),
		cmocka_unit_test(rss_small_link_headers_are_followed),
		cmocka_unit_test(rss_fragments_and_other_protocols_hash_addresses_only),
		cmocka_unit_test(rss_ipv6_extension_headers_are_followed),
		cmocka_unit_test(rss_ip_tunnels_hash_the_innermost_packet),
		cmocka_unit_test(rss_false_ip_tunnels_hash_their_own_addresses),
		cmocka_unit_test(rss_truncated_packets_are_never_overread),
		cmocka_unit_test(rss_queue_covers_all_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
