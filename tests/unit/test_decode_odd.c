/* SPDX-License-Identifier: Apache-2.0 */
/* test_decode_odd.c - checksums, fragments, tunnels, long header chains, bursts, and packets
 * changed at random */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode_cut.h"

static const struct fb_spec summed[] = {
	{.proto = IPPROTO_TCP, .src = A, .dst = B, .sport = 1, .dport = 2, .flags = FB_ACK},
	{.proto = IPPROTO_UDP, .src = A, .dst = B, .sport = 1, .dport = 2},
	{.proto = IPPROTO_ICMP, .src = A, .dst = B, .sport = 8},
	{.v6 = true,
	 .proto = IPPROTO_TCP,
	 .src = 1,
	 .dst = 2,
	 .sport = 1,
	 .dport = 2,
	 .flags = FB_ACK},
	{.v6 = true, .proto = IPPROTO_UDP, .src = 1, .dst = 2, .sport = 1, .dport = 2},
	{.v6 = true, .proto = IPPROTO_ICMPV6, .src = 1, .dst = 2, .sport = 128},
};
#define SUMMED (sizeof(summed) / sizeof(summed[0]))

/* Right checksums of every protocol and length must pass, and any byte changed must be noticed. */
static void decode_notices_each_wrong_transport_checksum(void **state)
{
	(void)state;
	for (size_t i = 0; i < SUMMED; i++) {
		for (uint32_t n = 0; n < 70; n++) {
			struct fb_spec s = summed[i];
			uint8_t ip[FB_MAX];
			uint32_t len, hdr = s.v6 ? 40 : 20;

			s.payload_len = n;
			s.seq = n;
			len = fb_ip(ip, &s);
			assert_int_equal(decode_ip(ip, len).fate, ZB_FATE_conn);
			ip[hdr + (uint32_t)random() % (len - hdr)] ^= 0x04;
			/* Except where the change is a header length, or a UDP checksum that is no
			 * longer there. */
			enum zb_fate fate = decode_ip(ip, len).fate;

			if (fate != ZB_FATE_bad_transport_checksum)
				assert_int_equal(fate, ZB_FATE_bad_transport_header);
			assert_int_equal(w.total, 0); /* the connection names it */
		}
	}
}

/* Nobody checks what the source vouches for, what was told to be ignored, or what is not all there.
 */
static void decode_checks_no_checksum_it_must_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < SUMMED; i++) {
		struct fb_spec s = summed[i];
		uint8_t ip[FB_MAX];
		uint32_t len;

		s.payload_len = 40;
		len = fb_ip(ip, &s);
		ip[len - 1] ^= 1;
		assert_int_equal(decode_ip(ip, len).fate, ZB_FATE_bad_transport_checksum);
		assert_int_equal(
			decode(ZB_LINK_RAW_IP, ip, (struct cut){len, len, ZB_PKT_L4_CHECKED}).fate,
			ZB_FATE_conn);
		assert_int_equal(
			decode(ZB_LINK_RAW_IP, ip, (struct cut){len - 1, len, ZB_PKT_SNAPPED}).fate,
			ZB_FATE_conn);
		d.ignore_checksums = true;
		assert_int_equal(decode_ip(ip, len).fate, ZB_FATE_conn);
		d.ignore_checksums = false;
	}
}

/* A UDP datagram may do without over IPv4 only. */
static void decode_of_udp_without_checksum_depends_on_version(void **state)
{
	(void)state;
	for (size_t i = 1; i < SUMMED; i += 3) {
		uint8_t ip[FB_MAX];
		uint32_t len = fb_ip(ip, &summed[i]), hdr = summed[i].v6 ? 40 : 20;

		fb_put16(ip + hdr + 6, 0);
		assert_int_equal(decode_ip(ip, len).fate,
				 summed[i].v6 ? ZB_FATE_bad_transport_checksum : ZB_FATE_conn);
	}
}

/* A wrong IPv4 header checksum is the end of a packet, unless checksums are vouched for or ignored.
 */
static void decode_of_wrong_ip_checksum_is_refused(void **state)
{
	uint8_t ip[FB_MAX];
	uint32_t len = fb_ip(ip, &summed[1]);

	(void)state;
	for (unsigned at = 8; at < 20; at++) {
		ip[at] ^= 0x10;
		assert_int_equal(decode_ip(ip, len).fate, ZB_FATE_bad_ip_checksum);
		assert_int_equal(w.count[ZB_WEIRD_bad_IP_checksum], 1);
		ip[at] ^= 0x10;
	}
	ip[8] ^= 0x10;
	assert_int_equal(decode(ZB_LINK_RAW_IP, ip, (struct cut){len, len, ZB_PKT_L4_CHECKED}).fate,
			 ZB_FATE_conn);
	d.ignore_checksums = true;
	assert_int_equal(decode_ip(ip, len).fate, ZB_FATE_conn);
	d.ignore_checksums = false;
}

/* First, middle and last fragments are told; "don't fragment" and the reserved bit make none. */
static void decode_tells_ipv4_fragments(void **state)
{
	static const struct {
		uint16_t frag;
		bool is;
	} cases[] = {{0x2000, true}, {0x2001, true},  {0x0001, true},
		     {0x1fff, true}, {0x4000, false}, {0x8000, false}};
	uint8_t ip[FB_MAX];
	uint32_t len = fb_ip(ip, &summed[1]);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct decoded r;

		fb_put16(ip + 6, cases[i].frag);
		fb_seal_ip4(ip);
		r = decode_ip(ip, len);
		assert_int_equal(r.fate, cases[i].is ? ZB_FATE_fragment : ZB_FATE_conn);
		assert_int_equal(!!(r.p.flags & ZB_PKT_FRAGMENT), cases[i].is);
	}
}

/* The same for IPv6; a fragment header that says "the whole" is none. */
static void decode_tells_ipv6_fragments(void **state)
{
	static const struct {
		uint16_t frag;
		bool is;
	} cases[] = {
		{0x0001, true}, {0x0008, true}, {0xfff8, true}, {0x0000, false}, {0x0006, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t ext[8] = {IPPROTO_UDP, 0, [7] = 9};
		struct fb_spec s = summed[4];

		fb_put16(ext + 2, cases[i].frag);
		s.ext_first = IPPROTO_FRAGMENT;
		s.ext = ext;
		s.ext_len = 8;
		assert_int_equal(decode_spec(&s).fate,
				 cases[i].is ? ZB_FATE_fragment : ZB_FATE_conn);
	}
}

/* What is not followed has a fate of its own; what has no ports is a flow. */
static void decode_of_other_protocols_gives_their_fates(void **state)
{
	static const struct {
		uint8_t proto;
		enum zb_fate fate4, fate6;
	} cases[] = {
		{IPPROTO_IPIP, ZB_FATE_tunnel, ZB_FATE_tunnel},
		{IPPROTO_IPV6, ZB_FATE_tunnel, ZB_FATE_tunnel},
		{IPPROTO_GRE, ZB_FATE_tunnel, ZB_FATE_tunnel},
		{IPPROTO_ESP, ZB_FATE_non_ip, ZB_FATE_non_ip},
		{IPPROTO_SCTP, ZB_FATE_conn, ZB_FATE_conn},
		{89, ZB_FATE_conn, ZB_FATE_conn},
		{255, ZB_FATE_conn, ZB_FATE_conn},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fb_spec s = {.proto = cases[i].proto, .src = A, .dst = B, .payload_len = 48};

		assert_int_equal(decode_spec(&s).fate, cases[i].fate4);
		s.v6 = true;
		assert_int_equal(decode_spec(&s).fate, cases[i].fate6);
	}
	struct fb_spec none = {.v6 = true, .proto = IPPROTO_NONE, .src = A, .dst = B};

	assert_int_equal(decode_spec(&none).fate, ZB_FATE_non_ip);
	assert_int_equal(w.count[ZB_WEIRD_ipv6_no_next], 1);
}

/* Sixteen extension headers are followed, more are an attack. */
static void decode_of_long_extension_chain_is_bounded(void **state)
{
	uint8_t ext[17 * 8] = {0};

	(void)state;
	for (uint32_t nr = 15; nr <= 17; nr++) {
		struct fb_spec s = summed[4];

		for (uint32_t i = 0; i < nr; i++)
			ext[i * 8] = i + 1 < nr ? IPPROTO_DSTOPTS : IPPROTO_UDP;
		s.ext_first = IPPROTO_DSTOPTS;
		s.ext = ext;
		s.ext_len = nr * 8;
		assert_int_equal(decode_spec(&s).fate,
				 nr <= 16 ? ZB_FATE_conn : ZB_FATE_bad_ip_header);
		assert_int_equal(w.count[ZB_WEIRD_ipv6_chain_too_long], nr > 16);
	}
}

/* Of a burst, the live packets are listed in order and the others counted, each exactly once. */
static void decode_burst_lists_the_live_in_order(void **state)
{
	static uint8_t frames[ZB_BURST_MAX][FB_MAX];
	static struct zb_burst b;
	uint16_t n, want[ZB_BURST_MAX], want_nr = 0;
	uint64_t counted = 0;

	(void)state;
	memset(fates, 0, sizeof(fates));
	for (uint8_t i = 0; i < ZB_BURST_MAX; i++) {
		struct fb_spec s = summed[i % SUMMED];
		uint32_t len;

		s.sport = i % SUMMED % 3 == 2 ? s.sport : (uint16_t)(i + 100);
		len = fb_ether(frames[i], &s);
		if (i % 5 == 1)
			frames[i][12] = 0x77; /* no IP */
		if (i % 5 == 2)
			len = 20;
		if (i % 5 == 3)
			frames[i][len - 1] ^= 1; /* still live: noted in its connection */
		b.pkts[i] = (struct zb_pkt){.data = frames[i], .cap_len = len, .wire_len = len};
		if (i % 5 != 1 && i % 5 != 2)
			want[want_nr++] = i;
	}
	b.pkt_nr = ZB_BURST_MAX;
	zb_decode_burst(&d, &b);
	n = b.live_nr;
	assert_int_equal(n, want_nr);
	assert_memory_equal(b.live, want, n * sizeof(want[0]));
	for (unsigned i = 0; i < ZB_FATE_NR; i++)
		counted += fates[i];
	assert_int_equal(counted, ZB_BURST_MAX - n);
	for (uint16_t i = 0; i < n; i++)
		assert_int_equal(b.pkts[b.live[i]].hash, zb_flow_key_hash(&b.keys[b.live[i]], 77));
	b.pkt_nr = 0;
	zb_decode_burst(&d, &b);
	assert_int_equal(b.live_nr, 0);
}

/* However a packet is changed and cut, nothing must be read beyond it or be said to lie there. */
static void decode_of_packets_changed_at_random_stays_inside(void **state)
{
	uint32_t live = 0;

	(void)state;
	d.ignore_checksums = true; /* or nearly all would end there */
	for (unsigned round = 0; round < 300000; round++) {
		uint8_t frame[FB_MAX];
		struct fb_spec s = summed[round % SUMMED];
		uint32_t len, cap;
		struct decoded r;

		s.payload_len = (uint32_t)random() % 60;
		len = fb_ether(frame, &s);
		for (long n = random() % 4; n > 0; n--)
			frame[12 + (uint32_t)random() % 60 % (len - 12)] = (uint8_t)random();
		cap = random() % 3 == 0 ? (uint32_t)random() % (len + 1) : len;
		r = decode((enum zb_link)(random() % 8 == 0 ? random() % ZB_LINK_NR
							    : ZB_LINK_ETHERNET),
			   frame, (struct cut){cap, random() % 2 ? cap : len, 0});
		if (r.fate != ZB_FATE_conn)
			continue;
		live++;
		assert_true(r.p.l4_off <= cap && r.p.payload_off >= r.p.l4_off);
		assert_true(r.p.payload_off + r.p.payload_cap <= cap);
		assert_true(r.p.payload_cap <= r.p.payload_len);
	}
	d.ignore_checksums = false;
	assert_true(live > 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode_notices_each_wrong_transport_checksum),
		cmocka_unit_test(decode_checks_no_checksum_it_must_not),
		cmocka_unit_test(decode_of_udp_without_checksum_depends_on_version),
		cmocka_unit_test(decode_of_wrong_ip_checksum_is_refused),
		cmocka_unit_test(decode_tells_ipv4_fragments),
		cmocka_unit_test(decode_tells_ipv6_fragments),
		cmocka_unit_test(decode_of_other_protocols_gives_their_fates),
		cmocka_unit_test(decode_of_long_extension_chain_is_bounded),
		cmocka_unit_test(decode_burst_lists_the_live_in_order),
		cmocka_unit_test(decode_of_packets_changed_at_random_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
