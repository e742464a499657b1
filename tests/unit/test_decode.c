/* SPDX-License-Identifier: Apache-2.0 */
/* test_decode.c - IP and transport headers: fields, keys, fates and oddities of right, wrong and
 * cut packets */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode_cut.h"

/* Hop-by-hop, routing, destination options (16 bytes), an atomic fragment and authentication in
 * front of TCP. */
static const uint8_t chain[] = {
	43, 0, 1, 4, 0, 0, 0, 0, 60, 0, 2,  0, 0, 0, 0, 0, 44, 1, 1, 12, 0, 0,
	0,  0, 0, 0, 0, 0, 0, 0, 0,  0, 51, 0, 0, 0, 0, 0, 0,  1, 6, 4,	 0, 0,
	0,  0, 0, 1, 0, 0, 0, 2, 0,  0, 0,  0, 0, 0, 0, 0, 0,  0, 0, 0,
};
static const uint8_t tcp_opt[] = {2, 4, 5, 0xb4, 1, 3, 3, 7};

static const struct fb_spec specs[] = {
	{.proto = IPPROTO_TCP,
	 .src = A,
	 .dst = B,
	 .sport = 40000,
	 .dport = 80,
	 .seq = 7,
	 .flags = FB_SYN,
	 .opt = tcp_opt,
	 .opt_len = 8},
	{.proto = IPPROTO_TCP,
	 .src = A,
	 .dst = B,
	 .sport = 40000,
	 .dport = 80,
	 .flags = FB_ACK | FB_PSH,
	 .payload_len = 333},
	{.proto = IPPROTO_UDP,
	 .src = A,
	 .dst = B,
	 .sport = 40000,
	 .dport = 53,
	 .ip_opt_len = 40,
	 .payload_len = 31},
	{.proto = IPPROTO_ICMP, .src = A, .dst = B, .sport = 8, .payload_len = 56},
	{.proto = 132, .src = A, .dst = B, .payload_len = 24},
	{.v6 = true,
	 .proto = IPPROTO_TCP,
	 .src = 1,
	 .dst = 2,
	 .sport = 40000,
	 .dport = 443,
	 .flags = FB_ACK,
	 .payload_len = 5},
	{.v6 = true,
	 .proto = IPPROTO_UDP,
	 .src = 1,
	 .dst = 2,
	 .sport = 40000,
	 .dport = 53,
	 .payload_len = 64},
	{.v6 = true, .proto = IPPROTO_ICMPV6, .src = 1, .dst = 2, .sport = 128, .payload_len = 8},
	{.v6 = true,
	 .proto = IPPROTO_TCP,
	 .src = 1,
	 .dst = 2,
	 .sport = 40000,
	 .dport = 22,
	 .flags = FB_ACK,
	 .payload_len = 9,
	 .ext_first = 0,
	 .ext = chain,
	 .ext_len = sizeof(chain)},
	{.v6 = true, .proto = 89, .src = 1, .dst = 2, .payload_len = 36},
};
#define SPECS (sizeof(specs) / sizeof(specs[0]))

static uint32_t ip_hdr_len(const struct fb_spec *s)
{
	return s->v6 ? 40 + s->ext_len : 20 + s->ip_opt_len;
}

/* Every field that later stages read must say what was built. */
static void decode_of_right_packets_fills_every_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPECS; i++) {
		const struct fb_spec *s = &specs[i];
		struct decoded r = decode_spec(s);
		uint32_t l4_len = fb_l4_len(s), l4_off = 14 + ip_hdr_len(s);

		assert_int_equal(r.fate, ZB_FATE_conn);
		assert_int_equal(w.total, 0);
		assert_int_equal(r.p.ip_version, s->v6 ? 6 : 4);
		assert_int_equal(r.p.proto, s->proto);
		assert_int_equal(r.p.l3_off, 14);
		assert_int_equal(r.p.l4_off, l4_off);
		assert_int_equal(r.p.ip_len, ip_hdr_len(s) + l4_len);
		assert_int_equal(r.p.payload_len, s->payload_len);
		assert_int_equal(r.p.payload_cap, s->payload_len);
		assert_int_equal(r.p.payload_off, l4_off + l4_len - s->payload_len);
		assert_int_equal(r.p.src_port, s->sport);
		assert_int_equal(r.p.dst_port, s->proto == IPPROTO_ICMP	    ? 0
					       : s->proto == IPPROTO_ICMPV6 ? 129
									    : s->dport);
		if (s->proto == IPPROTO_TCP)
			assert_int_equal(r.p.tcp_flags, s->flags);
		assert_int_equal(r.p.hash, zb_flow_key_hash(&r.key, 77));
		assert_int_equal(r.key.proto, s->proto);
	}
}

/* Whoever sends, and however addresses and ports are ordered, both directions must make one key. */
static void decode_of_both_directions_makes_one_key(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, 47 + 50};

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct fb_spec there = {.v6 = i % 2, .proto = protos[i % 3], .payload_len = 8};
		struct decoded x, y;

		there.src = (uint32_t)random() % (i % 5 == 0 ? 1 : 500);
		there.dst = (uint32_t)random() % (i % 5 == 0 ? 1 : 500);
		there.sport = (uint16_t)(there.proto == 97 ? 0 : random() % 4);
		there.dport = (uint16_t)(there.proto == 97 ? 0 : random() % 4);
		struct fb_spec back = there;

		back.src = there.dst;
		back.dst = there.src;
		back.sport = there.dport;
		back.dport = there.sport;
		x = decode_spec(&there);
		y = decode_spec(&back);
		assert_int_equal(x.fate, ZB_FATE_conn);
		assert_true(zb_flow_key_equal(&x.key, &y.key));
		assert_int_equal(x.p.hash, y.p.hash);
		if (there.src != there.dst || there.sport != there.dport)
			assert_int_equal((x.p.flags ^ y.p.flags) & ZB_PKT_SRC_IS_A,
					 ZB_PKT_SRC_IS_A);
		assert_int_equal(x.key.one_way, 0);
	}
}

/* Keys must differ when any part of the 5-tuple does, the version too. */
static void decode_of_other_tuples_makes_other_keys(void **state)
{
	struct fb_spec all[] = {
		{.proto = IPPROTO_TCP, .src = 1, .dst = 2, .sport = 3, .dport = 4},
		{.proto = IPPROTO_UDP, .src = 1, .dst = 2, .sport = 3, .dport = 4},
		{.proto = IPPROTO_TCP, .src = 9, .dst = 2, .sport = 3, .dport = 4},
		{.proto = IPPROTO_TCP, .src = 1, .dst = 9, .sport = 3, .dport = 4},
		{.proto = IPPROTO_TCP, .src = 1, .dst = 2, .sport = 9, .dport = 4},
		{.proto = IPPROTO_TCP, .src = 1, .dst = 2, .sport = 3, .dport = 9},
		{.proto = IPPROTO_TCP, .src = 1, .dst = 2, .sport = 4, .dport = 3},
		{.v6 = true, .proto = IPPROTO_TCP, .src = 1, .dst = 2, .sport = 3, .dport = 4},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (unsigned k = 0; k < i; k++) {
			struct decoded x = decode_spec(&all[i]), y = decode_spec(&all[k]);

			assert_false(zb_flow_key_equal(&x.key, &y.key));
			assert_true(x.p.hash != y.p.hash);
		}
	}
}

/* Types that answer each other share a key; all others are one-way, with their code for a port. */
static void decode_of_icmp_pairs_types_as_zeek_does(void **state)
{
	static const uint8_t pair4[][2] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}};
	static const uint8_t pair6[][2] = {{128, 129}, {133, 134}, {135, 136},
					   {130, 131}, {139, 140}, {144, 145}};

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		for (unsigned type = 0; type < 256; type++) {
			struct fb_spec there = {.v6 = v6,
						.proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
						.src = B,
						.dst = A,
						.sport = (uint16_t)type,
						.dport = 3,
						.payload_len = 8};
			struct fb_spec back = there;
			struct decoded x = decode_spec(&there), y;
			int other = -1;

			for (unsigned i = 0; i < (v6 ? 12 : 10); i++) {
				const uint8_t *p = v6 ? pair6[i / 2] : pair4[i / 2];

				other = p[i % 2] == type ? p[1 - i % 2] : other;
			}
			back.src = A;
			back.dst = B;
			back.sport = (uint16_t)(other < 0 ? (int)type : other);
			y = decode_spec(&back);
			assert_int_equal(x.key.one_way, other < 0);
			assert_int_equal(zb_flow_key_equal(&x.key, &y.key), other >= 0);
			assert_int_equal(x.p.src_port, type);
			assert_int_equal(x.p.dst_port, other < 0 ? 3 : other);
			if (other < 0) {
				assert_true(x.p.flags & ZB_PKT_SRC_IS_A);
				assert_int_equal(x.key.port_a, type);
				assert_int_equal(x.key.port_b, 3);
			}
		}
	}
}

/* Captured only in part, a packet's headers count when they are all there, and nothing beyond is
 * read. */
static void decode_of_snapped_packet_needs_its_headers_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPECS; i++) {
		uint8_t frame[FB_MAX];
		uint32_t len = fb_ether(frame, &specs[i]), l4_off = 14 + ip_hdr_len(&specs[i]);
		uint32_t payload_off = l4_off + fb_l4_len(&specs[i]) - specs[i].payload_len;

		for (uint32_t cap = 0; cap < len; cap++) {
			struct decoded r = decode(ZB_LINK_ETHERNET, frame,
						  (struct cut){cap, len, ZB_PKT_SNAPPED});
			bool tcp_opt_cut = specs[i].proto == IPPROTO_TCP && cap >= l4_off + 20;
			enum zb_fate want = cap <= 16		 ? ZB_FATE_truncated_link
					    : cap < l4_off	 ? ZB_FATE_truncated_ip
					    : cap >= payload_off ? ZB_FATE_conn
					    : tcp_opt_cut	 ? ZB_FATE_bad_transport_header
								 : ZB_FATE_truncated_transport;

			if (r.fate != want)
				fail_msg("packet %zu cut to %u: fate %d, not %d", i, cap,
					 (int)r.fate, (int)want);
			if (want != ZB_FATE_conn)
				continue;
			assert_int_equal(r.p.payload_len, specs[i].payload_len);
			assert_int_equal(r.p.payload_cap, cap - payload_off);
			assert_int_equal(w.total, 0);
		}
	}
}

/* A frame that ends before its IP length says is truncated, whatever is in it. */
static void decode_of_frame_shorter_than_its_ip_length_is_truncated(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPECS; i++) {
		uint8_t frame[FB_MAX];
		uint32_t len = fb_ether(frame, &specs[i]);

		for (uint32_t cap = 17; cap < len; cap++) {
			struct decoded r =
				decode(ZB_LINK_ETHERNET, frame, (struct cut){cap, cap, 0});

			assert_int_equal(r.fate, ZB_FATE_truncated_ip);
			assert_int_equal(w.count[cap < 34 || (specs[i].v6 && cap < 54)
							 ? ZB_WEIRD_truncated_IP
							 : ZB_WEIRD_truncated_IP_len],
					 1);
			assert_int_equal(w.total, 1);
		}
	}
}

/* Ethernet's padding is no part of the packet: not of its checksum, not of its payload. */
static void decode_ignores_padding(void **state)
{
	(void)state;
	for (size_t i = 0; i < SPECS; i++) {
		uint8_t frame[FB_MAX];
		uint32_t len = fb_ether(frame, &specs[i]);
		struct decoded r;

		memset(frame + len, 0xee, 40);
		r = decode(ZB_LINK_ETHERNET, frame, (struct cut){len + 40, len + 40, 0});
		assert_int_equal(r.fate, ZB_FATE_conn);
		assert_int_equal(r.p.payload_len, specs[i].payload_len);
		assert_int_equal(r.p.payload_cap, specs[i].payload_len);
	}
}

/* Each odd packet must meet the fate and the name that Zeek has for it. */
static void decode_of_bad_lengths_names_each(void **state)
{
	static const struct {
		const char *name;
		unsigned spec, off, value; /* the byte to change, from the IP header */
		enum zb_fate fate;
		enum zb_weird_name weird;
	} cases[] = {
		{"version 5", 1, 0, 0x55, ZB_FATE_bad_ip_header, ZB_WEIRD_unknown_ip_version},
		{"version 0", 1, 0, 0x05, ZB_FATE_bad_ip_header, ZB_WEIRD_unknown_ip_version},
		{"header of 16 bytes", 1, 0, 0x44, ZB_FATE_bad_ip_header,
		 ZB_WEIRD_IPv4_min_header_size},
		{"header of 0 bytes", 1, 0, 0x40, ZB_FATE_bad_ip_header,
		 ZB_WEIRD_IPv4_min_header_size},
		{"header beyond total length", 0, 0, 0x4f, ZB_FATE_bad_ip_header,
		 ZB_WEIRD_invalid_IP_header_size},
		{"total length below the header", 0, 3, 19, ZB_FATE_bad_ip_header,
		 ZB_WEIRD_invalid_IP_header_size},
		{"total length 0", 0, 3, 0, ZB_FATE_bad_ip_header, ZB_WEIRD_ip_hdr_len_zero},
		{"total length beyond the frame", 0, 3, 49, ZB_FATE_truncated_ip,
		 ZB_WEIRD_truncated_IP_len},
		{"no room for TCP", 0, 3, 39, ZB_FATE_truncated_transport,
		 ZB_WEIRD_truncated_header},
		{"no room for UDP", 2, 3, 67, ZB_FATE_truncated_transport,
		 ZB_WEIRD_truncated_header},
		{"no room for ICMP", 3, 3, 21, ZB_FATE_truncated_transport,
		 ZB_WEIRD_truncated_header},
		{"TCP header of 16 bytes", 0, 32, 0x40, ZB_FATE_bad_transport_header, ZB_WEIRD_NR},
		{"TCP header of 60 bytes", 0, 32, 0xf0, ZB_FATE_bad_transport_header, ZB_WEIRD_NR},
		{"payload length beyond the frame", 5, 5, 26, ZB_FATE_truncated_ip,
		 ZB_WEIRD_truncated_IP_len},
		{"no room for TCP in IPv6", 5, 5, 19, ZB_FATE_truncated_transport,
		 ZB_WEIRD_truncated_header},
		{"extension headers beyond the payload length", 8, 5, 63, ZB_FATE_bad_ip_header,
		 ZB_WEIRD_invalid_IP_header_size},
		{"extension header beyond the packet", 8, 41, 255, ZB_FATE_truncated_ip,
		 ZB_WEIRD_internally_truncated_header},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t ip[FB_MAX];
		uint32_t len = fb_ip(ip, &specs[cases[i].spec]);
		struct decoded r;

		ip[cases[i].off] = (uint8_t)cases[i].value;
		if (cases[i].off == 3)
			ip[2] = 0;
		if (ip[0] >> 4 == 4 && (ip[0] & 15) >= 5)
			fb_seal_ip4(ip);
		r = decode_ip(ip, len);
		print_message("  %s\n", cases[i].name);
		assert_int_equal(r.fate, cases[i].fate);
		if (cases[i].weird != ZB_WEIRD_NR)
			assert_int_equal(w.count[cases[i].weird], 1);
		assert_int_equal(w.total, cases[i].weird != ZB_WEIRD_NR);
	}
}

/* What segmentation offload leaves at zero is taken from the capture, where checksums do not
 * matter. */
static void decode_of_zero_length_takes_what_was_captured(void **state)
{
	uint8_t ip[FB_MAX];
	uint32_t len = fb_ip(ip, &specs[1]);
	struct decoded r;

	(void)state;
	ip[2] = ip[3] = 0;
	d.ignore_checksums = true;
	r = decode_ip(ip, len);
	d.ignore_checksums = false;
	assert_int_equal(r.fate, ZB_FATE_conn);
	assert_int_equal(r.p.payload_len, 333);
	assert_int_equal(w.count[ZB_WEIRD_ip_hdr_len_zero], 1);
	len = fb_ip(ip, &specs[5]);
	ip[4] = ip[5] = 0;
	fb_seal_l4(ip, ip + 40, len - 40, IPPROTO_TCP);
	r = decode_ip(ip, len);
	assert_int_equal(r.fate, ZB_FATE_conn);
	assert_int_equal(r.p.payload_len, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode_of_right_packets_fills_every_field),
		cmocka_unit_test(decode_of_both_directions_makes_one_key),
		cmocka_unit_test(decode_of_other_tuples_makes_other_keys),
		cmocka_unit_test(decode_of_icmp_pairs_types_as_zeek_does),
		cmocka_unit_test(decode_of_snapped_packet_needs_its_headers_only),
		cmocka_unit_test(decode_of_frame_shorter_than_its_ip_length_is_truncated),
		cmocka_unit_test(decode_ignores_padding),
		cmocka_unit_test(decode_of_bad_lengths_names_each),
		cmocka_unit_test(decode_of_zero_length_takes_what_was_captured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
