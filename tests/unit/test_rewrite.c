/* SPDX-License-Identifier: Apache-2.0 */
/* test_rewrite.c - passes bring new flows, keep checksums as right or wrong as they were, and go
 * back */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include "capture/rewrite_priv.h"
#include "tunnel_build.h"

/* Addresses whose hosts may change, one per class of IPv4 address and of IPv6. */
static const struct tb_ip flows[] = {
	{4, 6, {198, 51, 100, 7}, {203, 0, 113, 9}, 43210, 443, 0, 33},
	{4, 17, {10, 1, 2, 3}, {8, 8, 4, 4}, 5000, 53, 0, 20},
	{4, 6, {172, 16, 3, 4}, {192, 168, 5, 6}, 1, 2, 0, 0},
	{4, 17, {169, 254, 9, 9}, {127, 0, 0, 1}, 7, 7, 0, 1},
	{4, 1, {100, 64, 1, 1}, {198, 18, 0, 1}, 0x0800, 0, 0, 8},
	{6, 6, {0x20, 1, 0xd, 0xb8, [15] = 1}, {0x20, 1, 0xd, 0xb8, [14] = 9}, 999, 80, 0, 11},
	{6, 17, {0xfe, 0x80, [15] = 1}, {0xfe, 0x80, [15] = 2}, 546, 547, 0, 12},
	{6, 58, {0xfe, 0x80, [15] = 1}, {0xff, 2, [15] = 1}, 0x8700, 0, 0, 24},
};
#define FLOW_NR (sizeof(flows) / sizeof(flows[0]))

struct packet {
	struct tb_buf b;
	struct zb_trace_pkt t;
	const struct tb_ip *ip;
	size_t at; /* of the IP header */
};

static void make(struct packet *k, enum tb_link link, const struct tb_ip *ip)
{
	*k = (struct packet){.ip = ip};
	k->at = tb_packet(&k->b, link, ip);
	k->t.data = k->b.p;
	k->t.cap_len = (uint32_t)k->b.nr;
	k->t.wire_len = k->t.cap_len;
	k->t.link = link == TB_RAW   ? ZB_LINK_RAW_IP
		    : link == TB_SLL ? ZB_LINK_SLL
				     : ZB_LINK_ETHERNET;
}

static bool ip_sum_right(const struct packet *k)
{
	return k->ip->version == 6 || tb_sum(0, k->b.p + k->at, 20) == 0xffff;
}

static bool l4_sum_right(const struct packet *k)
{
	uint32_t hdr = k->ip->version == 4 ? 20 : 40;

	return tb_l4_sum(k->ip, k->b.p + k->at, hdr, (uint32_t)(k->b.nr - k->at - hdr)) == 0xffff;
}

static const uint64_t passes[] = {1, 2, 3, 77, 65535, 65536, 1000003};
#define PASS_NR (sizeof(passes) / sizeof(passes[0]))

/* In every pass a right checksum stays right, and pass 0 comes back byte for byte, on any link
 * layer. */
static void rewrite_right_checksums_stay_right_and_restore_is_exact(void **state)
{
	static const enum tb_link links[] = {TB_RAW, TB_ETHERNET, TB_VLAN, TB_QINQ, TB_SLL};

	(void)state;
	for (size_t f = 0; f < FLOW_NR * 5; f++) {
		struct packet k;
		uint64_t from = 0;
		uint8_t first[256];

		make(&k, links[f % 5], &flows[f / 5]);
		memcpy(first, k.b.p, k.b.nr);
		assert_true(ip_sum_right(&k) && l4_sum_right(&k));
		for (size_t i = 0; i < PASS_NR; i++) {
			zb_rewrite(&k.t, from, passes[i]);
			from = passes[i];
			assert_true(ip_sum_right(&k));
			assert_true(l4_sum_right(&k));
			assert_memory_not_equal(first, k.b.p, k.b.nr);
		}
		zb_rewrite(&k.t, from, 0);
		assert_memory_equal(first, k.b.p, k.b.nr);
		tb_free(&k.b);
	}
}

/* Any of the 65,536 values of a checksum field: wrong stays wrong, and all come back exactly. */
static void rewrite_every_checksum_value_is_restored(void **state)
{
	static const struct {
		size_t flow;
		uint32_t field; /* from the IP header */
	} fields[] = {{0, 10}, {0, 36}, {1, 26}, {5, 56}, {6, 46}, {7, 42}};

	(void)state;
	for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
		struct packet k;
		uint8_t *field;
		uint32_t right_nr = 0;

		make(&k, TB_ETHERNET, &flows[fields[f].flow]);
		field = k.b.p + k.at + fields[f].field;
		for (uint32_t v = 0; v <= 0xffff; v++) {
			bool right;

			tb_put16(field, v);
			right = ip_sum_right(&k) && l4_sum_right(&k);
			right_nr += right;
			zb_rewrite(&k.t, 0, 1);
			/* UDP's 0 is no checksum: it stays, whatever the sum would be. */
			if (v == 0 && k.ip->proto == 17 && fields[f].field != 10)
				assert_int_equal(field[0] | field[1], 0);
			else
				assert_int_equal(ip_sum_right(&k) && l4_sum_right(&k), right);
			zb_rewrite(&k.t, 1, 2);
			zb_rewrite(&k.t, 2, 0);
			assert_int_equal(field[0] << 8 | field[1], v);
		}
		assert_in_range(right_nr, 1, 2);
		tb_free(&k.b);
	}
}

/* A right UDP checksum must never become 0, which would mean that there is none. */
static void rewrite_udp_checksum_never_becomes_zero(void **state)
{
	struct packet k;
	const uint8_t *field;

	(void)state;
	make(&k, TB_RAW, &flows[1]);
	field = k.b.p + 26;
	for (uint64_t pass = 0; pass < 200000; pass++) {
		zb_rewrite(&k.t, pass, pass + 1);
		assert_int_not_equal(field[0] | field[1], 0);
	}
	assert_true(l4_sum_right(&k));
	tb_free(&k.b);
}

/* 65,536 passes in a row must give every flow that many addresses, even where only 16 bits may
 * change. */
static void rewrite_passes_are_distinct(void **state)
{
	uint8_t *seen = calloc(65536, 1);
	struct packet k;

	(void)state;
	assert_non_null(seen);
	make(&k, TB_RAW, &flows[2]);
	for (uint64_t pass = 0; pass < 65536; pass++) {
		uint32_t host = (uint32_t)k.b.p[18] << 8 | k.b.p[19];

		assert_int_equal(seen[host], 0);
		seen[host] = 1;
		zb_rewrite(&k.t, pass, pass + 1);
	}
	free(seen);
	tb_free(&k.b);
}

/* The answer of a rewritten packet must have exactly its addresses, the other way round. */
static void rewrite_directions_still_match(void **state)
{
	(void)state;
	for (size_t f = 0; f < FLOW_NR; f++) {
		struct tb_ip back = flows[f];
		size_t len = back.version == 4 ? 4 : 16, src = back.version == 4 ? 12 : 8;
		struct packet a, b;

		memcpy(back.src, flows[f].dst, 16);
		memcpy(back.dst, flows[f].src, 16);
		make(&a, TB_ETHERNET, &flows[f]);
		make(&b, TB_VLAN, &back);
		for (size_t i = 0; i < PASS_NR; i++) {
			zb_rewrite(&a.t, i != 0 ? passes[i - 1] : 0, passes[i]);
			zb_rewrite(&b.t, i != 0 ? passes[i - 1] : 0, passes[i]);
			assert_memory_equal(a.b.p + a.at + src, b.b.p + b.at + src + len, len);
			assert_memory_equal(a.b.p + a.at + src + len, b.b.p + b.at + src, len);
		}
		tb_free(&a.b);
		tb_free(&b.b);
	}
}

/* Addresses must keep their class: prefix bits below keep, nothing changes where keep is all. */
static void rewrite_address_classes_are_kept(void **state)
{
	static const struct {
		uint8_t a[4];
		uint32_t keep;
	} cases[] = {
		{{10, 200, 3, 4}, 0xff000000},	  {{127, 0, 0, 1}, 0xff000000},
		{{172, 31, 255, 9}, 0xfff00000},  {{192, 168, 77, 8}, 0xffff0000},
		{{169, 254, 1, 2}, 0xffff0000},	  {{100, 127, 1, 2}, 0xffc00000},
		{{172, 15, 1, 2}, 0xfff00000},	  {{192, 167, 1, 2}, 0xffff0000},
		{{93, 184, 216, 34}, 0xff000000}, {{224, 0, 0, 251}, 0xffffffff},
		{{239, 255, 1, 1}, 0xffffffff},	  {{255, 255, 255, 255}, 0xffffffff},
		{{0, 0, 0, 0}, 0xffffffff},	  {{240, 0, 0, 1}, 0xffffffff},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct tb_ip ip = flows[0];
		struct packet k;
		uint32_t before = 0, after = 0, changed = 0;

		memcpy(ip.dst, cases[c].a, 4);
		make(&k, TB_RAW, &ip);
		for (unsigned i = 0; i < 4; i++)
			before = before << 8 | cases[c].a[i];
		for (uint64_t pass = 0; pass < 5000; pass++) {
			zb_rewrite(&k.t, pass, pass + 1);
			after = 0;
			for (unsigned i = 0; i < 4; i++)
				after = after << 8 | k.b.p[16 + i];
			assert_int_equal(after & cases[c].keep, before & cases[c].keep);
			changed |= after ^ before;
		}
		/* And all other bits do change at some time. */
		assert_int_equal(changed, ~cases[c].keep);
		tb_free(&k.b);
	}
}

/* IPv6 multicast, unspecified and loopback addresses must stay. */
static void rewrite_ipv6_special_addresses_stay(void **state)
{
	static const uint8_t special[][16] = {{0xff, 2, [15] = 0xfb}, {0}, {[15] = 1}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct tb_ip ip = flows[5];
		struct packet k;

		memcpy(ip.dst, special[i], 16);
		make(&k, TB_RAW, &ip);
		zb_rewrite(&k.t, 0, 5);
		assert_memory_equal(k.b.p + 24, special[i], 16);
		assert_true(l4_sum_right(&k));
		tb_free(&k.b);
	}
}

/* Of a fragmented datagram the first fragment's checksum changes by as much as the whole one's
 * would. */
static void rewrite_only_the_first_fragment_has_a_transport_checksum(void **state)
{
	struct tb_ip ip = flows[1];
	struct packet whole, first, later;

	(void)state;
	make(&whole, TB_RAW, &flows[1]);
	ip.frag = 0x2000;
	make(&first, TB_RAW, &ip);
	ip.frag = 0x0010;
	make(&later, TB_RAW, &ip);
	zb_rewrite(&whole.t, 0, 9);
	zb_rewrite(&first.t, 0, 9);
	assert_memory_equal(whole.b.p + 12, first.b.p + 12, whole.b.nr - 12);
	assert_true(ip_sum_right(&first));
	zb_rewrite(&later.t, 0, 9);
	assert_true(ip_sum_right(&later));
	zb_rewrite(&whole.t, 9, 0);
	assert_memory_equal(whole.b.p + 20, later.b.p + 20, whole.b.nr - 20);
	tb_free(&whole.b);
	tb_free(&first.b);
	tb_free(&later.b);
}

/* Cut or random bytes must neither be overread nor fail to come back. */
static void rewrite_damaged_packets_are_restored(void **state)
{
	(void)state;
	srand(4);
	for (int i = 0; i < 20000; i++) {
		struct packet k;
		uint8_t *copy, *data;
		size_t n;

		make(&k, i % 3 == 0 ? TB_QINQ : TB_RAW, &flows[(size_t)i % FLOW_NR]);
		n = (size_t)rand() % (k.b.nr + 1);
		data = malloc(n + 1);
		copy = malloc(n + 1);
		assert_true(data != NULL && copy != NULL);
		memcpy(data, k.b.p, n);
		for (int j = 0; n > 0 && j < i % 4; j++)
			data[(size_t)rand() % n] = (uint8_t)rand();
		memcpy(copy, data, n);
		k.t.data = realloc(data, n != 0 ? n : 1); /* exact, so that the sanitizer sees */
		k.t.cap_len = (uint32_t)n;
		zb_rewrite(&k.t, 0, 1);
		zb_rewrite(&k.t, 1, 2);
		zb_rewrite(&k.t, 2, 0);
		assert_memory_equal(k.t.data, copy, n);
		free(k.t.data);
		free(copy);
		tb_free(&k.b);
	}
}

static const struct tb_ip outers[] = {
	{4, 0, {203, 0, 113, 1}, {11, 0, 2, 2}, 50000, 0, 0, 0},
	{6,
	 0,
	 {0x20, 1, 0xd, 0xb8, 1, [15] = 1},
	 {0x20, 1, 0xd, 0xb8, 2, [15] = 2},
	 50000,
	 0,
	 0,
	 0},
};

/* Without a checksum of its own that would make up for its addresses in the sums around it. */
static const struct tb_ip bare = {
	6, 89, {0x20, 1, 0xd, 0xb8, [15] = 5}, {0x20, 1, 0xd, 0xb8, [15] = 6}, 0, 0, 0, 44};
static const struct tb_ip *const inners[] = {&flows[0], &flows[1], &flows[2], &flows[3], &flows[4],
					     &flows[5], &flows[6], &flows[7], &bare};
#define INNER_NR (sizeof(inners) / sizeof(inners[0]))

/* Are the sums of the raw packet at p right, by its own header? */
static bool sums_right(const uint8_t *p, size_t n)
{
	struct tb_ip ip = {.version = p[0] >> 4, .proto = p[0] >> 4 == 4 ? p[9] : p[6]};
	uint32_t hdr = ip.version == 4 ? 20 : 40, sum_off;

	if (ip.version == 4 && tb_sum(0, p, 20) != 0xffff)
		return false;
	if (tb_l4_header(ip.proto, &sum_off) == 0)
		return true;
	return tb_l4_sum(&ip, p, hdr, (uint32_t)n - hdr) == 0xffff;
}

/* Like sums_right(), of a packet in a tunnel in another one, inner_len bytes at the end. */
static bool all_sums_right(const struct tb_buf *b, size_t mid_len, size_t inner_len,
			   enum tb_tunnel kind)
{
	const uint8_t *mid = b->p + b->nr - mid_len;
	uint32_t hdr = mid[0] >> 4 == 4 ? 20 : 40;

	if (kind == TB_GRE_SUM && tb_sum(0, mid + hdr, mid_len - hdr) != 0xffff)
		return false;
	return sums_right(b->p, b->nr) && sums_right(mid, mid_len) &&
	       sums_right(b->p + b->nr - inner_len, inner_len);
}

/*
 * In a tunnel of any kind, in another one, all three packets get new addresses, all sums stay
 * right, and all bytes come back.
 */
static void rewrite_follows_tunnels(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TB_TUNNEL_NR * INNER_NR * 4; i++) {
		enum tb_tunnel kind = (enum tb_tunnel)(i % TB_TUNNEL_NR);
		const struct tb_ip *inner = inners[i / TB_TUNNEL_NR % INNER_NR];
		const struct tb_ip *outer = &outers[i / TB_TUNNEL_NR / INNER_NR % 2];
		struct zb_trace_pkt t = {.link = ZB_LINK_RAW_IP};
		struct tb_buf b = {0}, first = {0};
		size_t mid_len, inner_len, addr;
		uint64_t from = 0;

		if (kind == TB_TEREDO && inner->version == 4)
			continue;
		tb_packet(&b, TB_RAW, inner);
		inner_len = b.nr;
		tb_wrap(&b, kind, *outer);
		mid_len = b.nr;
		tb_wrap(&b, i & 1 ? TB_VXLAN : TB_GTP, outers[i / TB_TUNNEL_NR / INNER_NR / 2]);
		tb_bytes(&first, b.p, b.nr);
		t.data = b.p;
		t.cap_len = t.wire_len = (uint32_t)b.nr;
		assert_true(all_sums_right(&b, mid_len, inner_len, kind));
		addr = b.nr - inner_len + (inner->version == 4 ? 12 : 8);
		for (size_t k = 0; k < PASS_NR; k++) {
			zb_rewrite(&t, from, passes[k]);
			from = passes[k];
			assert_true(all_sums_right(&b, mid_len, inner_len, kind));
			assert_memory_not_equal(b.p + addr, first.p + addr,
						inner->version == 4 ? 8 : 32);
			assert_memory_not_equal(b.p + 12, first.p + 12, 28);
		}
		zb_rewrite(&t, from, 0);
		assert_memory_equal(b.p, first.p, b.nr);
		tb_free(&b);
		tb_free(&first);
	}
}

/* A datagram whole and its fragments put together again must be the same after rewriting. */
static void rewrite_fragments_of_a_tunnel_match_the_whole(void **state)
{
	/* The first one ends before the inner packet, inside it, behind its checksum. */
	static const uint32_t lens[] = {16, 56, 88};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct tb_buf whole = {0}, frag[2] = {{0}}, joined = {0};
		struct zb_trace_pkt t = {.link = ZB_LINK_RAW_IP};

		tb_packet(&whole, TB_RAW, &flows[0]);
		tb_wrap(&whole, TB_VXLAN, outers[0]);
		tb_fragment_v4(&frag[0], &whole, 9, 0, lens[i]);
		tb_fragment_v4(&frag[1], &whole, 9, lens[i] / 8, (uint32_t)whole.nr - 20 - lens[i]);
		for (unsigned k = 0; k < 2; k++) {
			t.data = frag[k].p;
			t.cap_len = t.wire_len = (uint32_t)frag[k].nr;
			zb_rewrite(&t, 0, 9);
			assert_int_equal(tb_sum(0, frag[k].p, 20), 0xffff);
			if (k == 0)
				tb_bytes(&joined, whole.p, 12);
			if (k == 0)
				tb_bytes(&joined, frag[k].p + 12, 8);
			tb_bytes(&joined, frag[k].p + 20, frag[k].nr - 20);
		}
		t.data = whole.p;
		t.cap_len = t.wire_len = (uint32_t)whole.nr;
		zb_rewrite(&t, 0, 9);
		memcpy(joined.p, whole.p, 12);
		assert_true(sums_right(joined.p, joined.nr));
		assert_true(sums_right(joined.p + 50, joined.nr - 50));
		/* The inside changes only where all of it can. */
		assert_int_equal(memcmp(joined.p, whole.p, whole.nr) == 0, i == 2);
		for (unsigned k = 0; k < 2; k++)
			tb_free(&frag[k]);
		tb_free(&whole);
		tb_free(&joined);
	}
}

/* Every value of an outer UDP and of a GRE checksum: right stays right, and all come back. */
static void rewrite_every_tunnel_checksum_value_is_restored(void **state)
{
	(void)state;
	for (int gre = 0; gre < 2; gre++) {
		enum tb_tunnel kind = gre ? TB_GRE_SUM : TB_VXLAN;
		struct zb_trace_pkt t = {.link = ZB_LINK_RAW_IP};
		struct tb_buf b = {0};
		uint8_t *field;
		size_t inner;

		tb_packet(&b, TB_RAW, &flows[0]);
		inner = b.nr;
		tb_wrap(&b, kind, outers[0]);
		t.data = b.p;
		t.cap_len = t.wire_len = (uint32_t)b.nr;
		field = b.p + (gre ? 24 : 26);
		for (uint32_t v = 0; v <= 0xffff; v++) {
			bool right;

			tb_put16(field, v);
			right = all_sums_right(&b, b.nr, inner, kind);
			zb_rewrite(&t, 0, 1);
			if (v != 0 || gre)
				assert_int_equal(all_sums_right(&b, b.nr, inner, kind), right);
			else
				assert_int_equal(field[0] | field[1], 0);
			zb_rewrite(&t, 1, 2);
			zb_rewrite(&t, 2, 0);
			assert_int_equal(field[0] << 8 | field[1], v);
		}
		tb_free(&b);
	}
}

/* Tunnels in tunnels, damaged and cut, must neither be overread nor fail to come back. */
static void rewrite_damaged_tunnels_are_restored(void **state)
{
	(void)state;
	srand(5);
	for (unsigned i = 0; i < 20000; i++) {
		struct zb_trace_pkt t = {.link = ZB_LINK_RAW_IP};
		struct tb_buf b = {0};
		uint8_t *data, *copy;
		size_t n;

		tb_packet(&b, TB_RAW, &flows[i % FLOW_NR]);
		for (unsigned k = 0; k <= i % 6; k++)
			tb_wrap(&b, (enum tb_tunnel)(rand() % TB_TUNNEL_NR), outers[rand() % 2]);
		n = i % 2 ? b.nr : 1 + (size_t)rand() % b.nr;
		for (unsigned k = 0; k < i % 4; k++)
			b.p[(size_t)rand() % n] = (uint8_t)rand();
		data = malloc(n);
		copy = malloc(n);
		assert_true(data != NULL && copy != NULL);
		memcpy(data, b.p, n);
		memcpy(copy, b.p, n);
		t.data = data;
		t.cap_len = t.wire_len = (uint32_t)n;
		zb_rewrite(&t, 0, 1);
		zb_rewrite(&t, 1, 2);
		zb_rewrite(&t, 2, 0);
		assert_memory_equal(data, copy, n);
		assert_int_equal(t.sum_was_ones, 0);
		free(data);
		free(copy);
		tb_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rewrite_right_checksums_stay_right_and_restore_is_exact),
		cmocka_unit_test(rewrite_every_checksum_value_is_restored),
		cmocka_unit_test(rewrite_udp_checksum_never_becomes_zero),
		cmocka_unit_test(rewrite_passes_are_distinct),
		cmocka_unit_test(rewrite_directions_still_match),
		cmocka_unit_test(rewrite_address_classes_are_kept),
		cmocka_unit_test(rewrite_ipv6_special_addresses_stay),
		cmocka_unit_test(rewrite_only_the_first_fragment_has_a_transport_checksum),
		cmocka_unit_test(rewrite_damaged_packets_are_restored),
		cmocka_unit_test(rewrite_follows_tunnels),
		cmocka_unit_test(rewrite_fragments_of_a_tunnel_match_the_whole),
		cmocka_unit_test(rewrite_every_tunnel_checksum_value_is_restored),
		cmocka_unit_test(rewrite_damaged_tunnels_are_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
