/* SPDX-License-Identifier: Apache-2.0 */
/* test_shard.c - what later packets tell of earlier ones decides the shard: fragments, tunnels, FTP
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

/* Where packet i of the capture is: its shard; *inner: that of its shadow, or -1. */
static void find(struct zb_trace *t, uint32_t shard_nr, uint32_t i, int *outer, int *inner)
{
	uint64_t ts_ns = (uint64_t)i * STEP_MS * 1000000;

	*outer = *inner = -1;
	for (uint32_t q = 0; q < shard_nr; q++) {
		const struct zb_trace_shard *s = zb_trace_shard(t, q);

		for (uint64_t k = 0; k < s->pkt_nr; k++) {
			int *to = s->pkts[k].part == ZB_PART_INNER ? inner : outer;

			if (s->pkts[k].ts_ns != ts_ns)
				continue;
			assert_int_equal(*to, -1);
			*to = (int)q;
		}
	}
	assert_int_not_equal(*outer, -1);
}

static uint32_t queue_of(const struct tb_ip *ip)
{
	struct tb_buf b = {0};
	uint32_t q;

	tb_packet(&b, TB_RAW, ip);
	q = zb_rss_queue(zb_rss_hash(ZB_LINK_RAW_IP, b.p, (uint32_t)b.nr), SHARD_NR);
	tb_free(&b);
	return q;
}

/* The queue of the packet's addresses without its ports. */
static uint32_t addr_queue_of(const struct tb_ip *ip)
{
	struct tb_ip portless = *ip;

	portless.proto = 89;
	return queue_of(&portless);
}

/* A port at which flow and addresses of ip differ in their queue. */
static struct tb_ip telling(struct tb_ip ip)
{
	while (queue_of(&ip) == addr_queue_of(&ip))
		ip.sport++;
	return ip;
}

static void expect(struct zb_trace *t, uint32_t i, uint32_t q)
{
	int outer, inner;

	find(t, SHARD_NR, i, &outer, &inner);
	assert_int_equal(outer, q);
	assert_int_equal(inner, -1);
}

static void add_fragment(struct capture *c, const struct tb_ip *ip, uint16_t id, uint32_t from8,
			 uint32_t len)
{
	struct tb_buf whole = {0}, b = {0};

	tb_packet(&whole, TB_RAW, ip);
	(ip->version == 4 ? (void)tb_fragment_v4(&b, &whole, id, from8, len)
			  : (void)tb_fragment_v6(&b, &whole, id, from8, len));
	add(c, &b);
	tb_free(&whole);
}

/* Fragments in any order must be where the rest of their flow is. */
static void shard_fragments_follow_the_first_one_in_any_order(void **state)
{
	static const uint8_t orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}};
	static const uint32_t from8[] = {0, 20, 40};

	(void)state;
	for (unsigned o = 0; o < 6; o++) {
		struct tb_ip ip = udp4;
		struct capture c = {0};
		struct zb_trace *t;

		if (o & 1) {
			ip = tcp6;
			ip.proto = 17;
			ip.payload_len = 400;
		}
		ip = telling(ip);
		add_ip(&c, &ip);
		for (unsigned k = 0; k < 3; k++) {
			uint32_t from = from8[orders[o / 2][k]];

			add_fragment(&c, &ip, 7, from, from == 40 ? 88 : 160);
		}
		t = load_capture(&c, SHARD_NR, false);
		for (uint32_t i = 0; i < 4; i++)
			expect(t, i, queue_of(&ip));
		assert_int_equal(zb_trace_info(t)->shadows, 0);
		zb_trace_free(t);
		tb_free(&c.file);
	}
}

/* A datagram without its first fragment must go by its addresses. */
static void shard_fragments_without_first_go_by_addresses(void **state)
{
	struct tb_ip ip = telling(udp4);
	struct capture c = {0};
	struct zb_trace *t;

	(void)state;
	add_fragment(&c, &ip, 7, 20, 160);
	add_fragment(&c, &ip, 7, 40, 88);
	add_fragment(&c, &ip, 8, 0, 160); /* another one's */
	t = load_capture(&c, SHARD_NR, false);
	expect(t, 0, addr_queue_of(&ip));
	expect(t, 1, addr_queue_of(&ip));
	expect(t, 2, queue_of(&ip));
	assert_int_equal(zb_trace_info(t)->division.datagrams, 2);
	assert_int_equal(zb_trace_info(t)->division.orphans, 1);
	assert_int_equal(zb_trace_info(t)->division.shed, 0);
	zb_trace_free(t);
	tb_free(&c.file);
}

/* An identification used again must begin another datagram: once whole, or half a minute later. */
static void shard_reused_identification_is_another_datagram(void **state)
{
	struct tb_ip a = telling(udp4), b = a;
	struct capture c = {0};
	struct zb_trace *t;

	(void)state;
	while (queue_of(&b) == queue_of(&a) || queue_of(&b) == addr_queue_of(&b))
		b.sport++;
	add_fragment(&c, &a, 7, 0, 160); /* 0-1: whole */
	add_fragment(&c, &a, 7, 20, 248);
	add_fragment(&c, &b, 7, 20, 248); /* 2-3: the last one first */
	add_fragment(&c, &b, 7, 0, 160);
	add_fragment(&c, &b, 7, 20, 248); /* 4: again */
	c.at_ms = 32000;
	add_fragment(&c, &a, 7, 20, 160); /* 5-7: after a pause; a middle, no first */
	add_fragment(&c, &b, 9, 0, 160);
	add_fragment(&c, &a, 7, 40, 88);
	t = load_capture(&c, SHARD_NR, false);
	for (uint32_t i = 0; i < 5; i++)
		expect(t, i, queue_of(i < 2 ? &a : &b));
	expect(t, 32000, addr_queue_of(&a));
	expect(t, 32002, addr_queue_of(&a));
	zb_trace_free(t);
	tb_free(&c.file);
}

/* IP-in-IP and GRE: both directions and fragments inside must be where the inner flow is alone. */
static void shard_ip_tunnels_go_by_the_inner_flow(void **state)
{
	(void)state;
	for (enum tb_tunnel kind = TB_IPIP; kind <= TB_PPTP; kind++) {
		struct tb_ip in = telling(udp4), back = back_of(in);
		struct capture c = {0};
		struct zb_trace *t;

		add_ip(&c, &in);
		for (unsigned i = 0; i < 2; i++) {
			struct tb_buf b = {0};

			tb_packet(&b, TB_RAW, i ? &back : &in);
			tb_wrap(&b, kind, i ? back_of(outer4) : outer4);
			add(&c, &b);
		}
		for (unsigned i = 2; i-- > 0;) {
			struct tb_buf b = {0}, whole = {0};

			tb_packet(&whole, TB_RAW, &in);
			tb_fragment_v4(&b, &whole, 3, i * 20, i ? 248 : 160);
			tb_wrap(&b, kind, outer4);
			tb_wrap(&b, TB_IPIP, outer4);
			add(&c, &b);
			tb_free(&whole);
		}
		t = load_capture(&c, SHARD_NR, false);
		for (uint32_t i = 0; i < 5; i++)
			expect(t, i, queue_of(&in));
		zb_trace_free(t);
		tb_free(&c.file);
	}
}

/* A fragmented outer packet must go by what its first fragment holds. */
static void shard_fragmented_tunnel_goes_by_its_first_fragment(void **state)
{
	struct tb_buf whole = {0};
	struct capture c = {0};
	struct zb_trace *t;

	(void)state;
	tb_packet(&whole, TB_RAW, &tcp6);
	tb_wrap(&whole, TB_GRE, outer4);
	for (unsigned i = 2; i-- > 0;) {
		struct tb_buf b = {0};

		tb_fragment_v4(&b, &whole, 5, i * 10, i ? (uint32_t)whole.nr - 100 : 80);
		add(&c, &b);
	}
	t = load_capture(&c, SHARD_NR, false);
	for (uint32_t i = 0; i < 2; i++)
		expect(t, i, queue_of(&tcp6));
	zb_trace_free(t);
	tb_free(&c.file);
	tb_free(&whole);
}

/* Both directions of flow f in VXLAN or Geneve, each with a source port of its own. */
static void add_overlay(struct capture *c, enum tb_tunnel kind, uint32_t f)
{
	struct tb_ip in = tcp4, out = outer4;
	struct tb_buf b = {0};

	in.sport = (uint16_t)(in.sport + f);
	out.sport = (uint16_t)(50000 + 7 * f);
	tb_packet(&b, TB_RAW, &in);
	tb_wrap(&b, kind, out);
	add(c, &b);
	in = back_of(in);
	out = back_of(out);
	out.sport = (uint16_t)(51000 + 11 * f);
	tb_packet(&b, TB_RAW, &in);
	tb_wrap(&b, kind, out);
	add(c, &b);
}

static struct tb_ip inner_of(uint32_t f)
{
	struct tb_ip in = tcp4;

	in.sport = (uint16_t)(in.sport + f);
	return in;
}

static void check_overlay(struct zb_trace *t, enum tb_tunnel kind, uint32_t i)
{
	struct tb_ip in = inner_of(i / 2), out = outer4;
	int outer, inner;

	if (i % 2)
		out = back_of(out);
	out.sport = (uint16_t)(i % 2 ? 51000 + 11 * (i / 2) : 50000 + 7 * (i / 2));
	tb_tunnel_ports(&out, kind, 4);
	find(t, SHARD_NR, i, &outer, &inner);
	assert_int_equal(outer, queue_of(&out));
	if (inner == -1)
		inner = outer;
	assert_int_equal(inner, queue_of(&in));
}

/*
 * VXLAN and Geneve: the outer flow's shard has the packet, the inner flow's has it too, as a
 * shadow; counts and sums know of the packet only.
 */
static void shard_overlays_are_split_between_outer_and_inner(void **state)
{
	(void)state;
	for (enum tb_tunnel kind = TB_VXLAN; kind <= TB_GENEVE; kind++) {
		struct capture c = {0};
		uint64_t pkts = 0, bytes = 0, shadows = 0, digest;
		struct zb_trace *t;

		for (uint32_t f = 0; f < 40; f++)
			add_overlay(&c, kind, f);
		t = load_capture(&c, 1, false);
		digest = zb_trace_info(t)->digest;
		assert_int_equal(zb_trace_info(t)->shadows, 0);
		for (uint32_t i = 0; i < c.nr; i++)
			assert_int_equal(zb_trace_shard(t, 0)->pkts[i].part, ZB_PART_WHOLE);
		zb_trace_free(t);
		t = load_capture(&c, SHARD_NR, false);
		for (uint32_t i = 0; i < c.nr; i++)
			check_overlay(t, kind, i);
		for (uint32_t q = 0; q < SHARD_NR; q++) {
			const struct zb_trace_shard *s = zb_trace_shard(t, q);

			pkts += s->pkt_nr - s->shadow_nr;
			bytes += s->byte_nr;
			shadows += s->shadow_nr;
			for (uint64_t k = 1; k < s->pkt_nr; k++)
				assert_true(s->pkts[k].ts_ns >= s->pkts[k - 1].ts_ns);
		}
		assert_int_equal(pkts, c.nr);
		assert_int_equal(bytes, zb_trace_info(t)->wire_bytes);
		assert_int_equal(shadows, zb_trace_info(t)->shadows);
		assert_true(shadows > c.nr / 2 && shadows < c.nr);
		assert_true(zb_trace_info(t)->digest == digest);
		assert_int_equal(zb_trace_info(t)->pkt_nr, c.nr);
		zb_trace_free(t);
		tb_free(&c.file);
	}
}

/* Fragments of an overlay's packet, and overlays that hold fragments: both flows, both shards. */
static void shard_fragments_and_overlays_combine(void **state)
{
	struct tb_ip in = telling(udp4);
	struct capture c = {0};
	struct zb_trace *t;
	int outer[4], inner[4];

	(void)state;
	for (unsigned i = 2; i-- > 0;) { /* the packet's outer one is fragmented */
		struct tb_buf whole = {0}, b = {0};

		tb_packet(&whole, TB_RAW, &in);
		tb_wrap(&whole, TB_VXLAN, outer4);
		tb_fragment_v4(&b, &whole, 5, i * 30, i ? (uint32_t)whole.nr - 260 : 240);
		add(&c, &b);
		tb_free(&whole);
	}
	for (unsigned i = 2; i-- > 0;) { /* the inner one is */
		struct tb_buf whole = {0}, b = {0};

		tb_packet(&whole, TB_RAW, &in);
		tb_fragment_v4(&b, &whole, 6, i * 20, i ? 248 : 160);
		tb_wrap(&b, TB_VXLAN, outer4);
		add(&c, &b);
		tb_free(&whole);
	}
	t = load_capture(&c, SHARD_NR, true);
	for (uint32_t i = 0; i < 4; i++) {
		find(t, SHARD_NR, i, &outer[i], &inner[i]);
		assert_int_equal(outer[i], outer[0]);
		assert_int_equal(inner[i] == -1 ? outer[i] : inner[i], queue_of(&in));
	}
	zb_trace_free(t);
	tb_free(&c.file);
}

/* GTP, Teredo and AYIYA must stay whole, by the outer flow. */
static void shard_confirmed_tunnels_go_by_the_outer_flow(void **state)
{
	(void)state;
	for (enum tb_tunnel kind = TB_GTP; kind < TB_TUNNEL_NR; kind++) {
		struct tb_ip out = outer4;
		struct capture c = {0};
		struct zb_trace *t;

		tb_tunnel_ports(&out, kind, 6);
		for (uint32_t i = 0; i < 20; i++) {
			struct tb_ip in = tcp6;
			struct tb_buf b = {0};

			in.sport = (uint16_t)(in.sport + i);
			tb_packet(&b, TB_RAW, &in);
			tb_wrap(&b, kind, outer4);
			add(&c, &b);
		}
		t = load_capture(&c, SHARD_NR, false);
		for (uint32_t i = 0; i < c.nr; i++)
			expect(t, i, queue_of(&out));
		zb_trace_free(t);
		tb_free(&c.file);
	}
}

/* The same flow through several such tunnels, and through none, must be in one place with all of
 * them. */
static void shard_flow_through_several_tunnels_ties_them(void **state)
{
	(void)state;
	for (enum tb_tunnel kind = TB_GTP; kind < TB_TUNNEL_NR; kind++) {
		struct tb_ip other = telling(udp4);
		struct capture c = {0};
		int outer, inner, first = -1;
		bool differ = false;
		struct zb_trace *t;

		add_ip(&c, &tcp6);
		for (uint32_t i = 0; i < 20; i++) {
			struct tb_ip out = outer4;
			struct tb_buf b = {0};

			out.src[3] = (uint8_t)(out.src[3] + i);
			tb_packet(&b, TB_RAW, &tcp6);
			tb_wrap(&b, kind, out);
			add(&c, &b);
			tb_tunnel_ports(&out, kind, 6);
			add_ip(&c, &out); /* of the tunnel's connection, though not a tunnel's */
			differ = differ || queue_of(&out) != queue_of(&tcp6);
		}
		assert_true(differ);
		add_ip(&c, &other);
		t = load_capture(&c, SHARD_NR, false);
		for (uint32_t i = 0; i < c.nr - 1; i++) {
			find(t, SHARD_NR, i, &outer, &inner);
			first = first == -1 ? outer : first;
			assert_int_equal(outer, first);
			assert_int_equal(inner, -1);
		}
		expect(t, c.nr - 1, queue_of(&other));
		zb_trace_free(t);
		tb_free(&c.file);
	}
}

/* Two ends that speak FTP, at last, must have all their TCP together, also what came before. */
static void shard_ftp_pairs_go_by_addresses(void **state)
{
	struct tb_ip web = telling(tcp4), ftp = web, data = web, dns = web, other = web;
	struct capture c = {0};
	struct zb_trace *t;

	(void)state;
	ftp.dport = 21;
	data = back_of(data);
	data.sport = 20;
	data.dport = 34567;
	dns.proto = 17;
	dns = telling(dns);
	other.dst[3] ^= 1;
	other = telling(other);
	add_ip(&c, &web);
	add_ip(&c, &ftp);
	add_ip(&c, &data);
	add_ip(&c, &dns);
	add_ip(&c, &other);
	t = load_capture(&c, SHARD_NR, false);
	for (uint32_t i = 0; i < 3; i++)
		expect(t, i, addr_queue_of(&web));
	expect(t, 3, queue_of(&dns));
	expect(t, 4, queue_of(&other));
	zb_trace_free(t);
	tb_free(&c.file);
}

/* All of DHCP must be together, whoever speaks; other UDP of the same two is not part of it. */
static void shard_dhcp_is_together(void **state)
{
	struct tb_ip udp = telling(udp4), ask, all, relay;
	struct capture c = {0};
	int at, first = -1, inner;
	struct zb_trace *t;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		udp.src[3] = (uint8_t)(10 + i);
		ask = all = relay = udp;
		ask.sport = 68;
		ask.dport = 67;
		all.sport = 67;
		all.dport = 68;
		memset(all.dst, 255, 4);
		relay.sport = relay.dport = 67;
		c = (struct capture){0};
		add_ip(&c, &ask);
		add_ip(&c, &all);
		add_ip(&c, &relay);
		add_ip(&c, &udp);
		t = load_capture(&c, SHARD_NR, false);
		for (uint32_t k = 0; k < 3; k++) {
			find(t, SHARD_NR, k, &at, &inner);
			first = first < 0 ? at : first;
			assert_int_equal(at, first);
		}
		expect(t, 3, queue_of(&udp));
		zb_trace_free(t);
		tb_free(&c.file);
	}
}

/* Shadows must be handed out marked, uncounted and, in passes, rewritten with bytes of their own.
 */
static void shard_shadows_are_replayed_uncounted(void **state)
{
	struct zb_replay_conf conf = {.queue_nr = SHARD_NR, .loops = 3};
	struct capture c = {0};
	uint64_t pkts = 0, bytes = 0, outer = 0, inner = 0;
	struct zb_pkt burst[ZB_BURST_MAX];
	struct zb_replay *r;

	(void)state;
	for (uint32_t f = 0; f < 30; f++)
		add_overlay(&c, TB_VXLAN, f);
	conf.trace = load_capture(&c, SHARD_NR, false);
	assert_int_equal(zb_replay_open(&conf, &r), 0);
	for (uint32_t q = 0; q < SHARD_NR; q++) {
		struct zb_rxq *rxq = zb_replay_queue(r, q);
		struct zb_rxq_ledger l;
		uint64_t real = 0, prev_ns = 0;
		uint16_t n;

		while ((n = zb_rxq_burst(rxq, burst, 7, UINT64_MAX)) > 0) {
			for (uint16_t i = 0; i < n; i++) {
				assert_true(burst[i].ts_ns >= prev_ns);
				prev_ns = burst[i].ts_ns;
				outer += (burst[i].flags & ZB_PKT_OUTER_ONLY) != 0;
				inner += (burst[i].flags & ZB_PKT_INNER_ONLY) != 0;
				real += (burst[i].flags & ZB_PKT_INNER_ONLY) == 0;
			}
			rxq->ops->ledger(rxq, &l);
			assert_int_equal(l.offered_pkts, real);
			assert_int_equal(l.link_pkts, real);
		}
		assert_int_equal(l.offered_bytes, 3 * zb_trace_shard(conf.trace, q)->byte_nr);
		pkts += l.offered_pkts;
		bytes += l.link_bytes;
	}
	assert_int_equal(pkts, 3 * c.nr);
	assert_int_equal(bytes, 3 * zb_trace_info(conf.trace)->wire_bytes);
	assert_int_equal(outer, inner);
	assert_int_equal(inner, 3 * zb_trace_info(conf.trace)->shadows);
	zb_replay_close(r);
	zb_trace_free(conf.trace);
	tb_free(&c.file);
}

/* A shadow must have bytes of its own when passes write into them, and share them when not. */
static void shard_shadows_own_their_bytes_only_if_rewritten(void **state)
{
	struct capture c = {0};

	(void)state;
	for (uint32_t f = 0; f < 30; f++)
		add_overlay(&c, TB_GENEVE, f);
	for (int read_only = 0; read_only < 2; read_only++) {
		struct zb_trace *t = load_capture(&c, SHARD_NR, read_only);
		const uint8_t *data[2][100] = {{0}};

		for (uint32_t q = 0; q < SHARD_NR; q++) {
			const struct zb_trace_shard *s = zb_trace_shard(t, q);

			for (uint64_t k = 0; k < s->pkt_nr; k++)
				data[s->pkts[k].part == ZB_PART_INNER][s->pkts[k].ts_ns / 1000000] =
					s->pkts[k].data;
		}
		for (uint32_t i = 0; i < c.nr; i++) {
			if (data[1][i] == NULL)
				continue;
			assert_int_equal(data[0][i] == data[1][i], read_only);
			assert_memory_equal(data[0][i], data[1][i], 90);
		}
		zb_trace_free(t);
	}
	tb_free(&c.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shard_fragments_follow_the_first_one_in_any_order),
		cmocka_unit_test(shard_fragments_without_first_go_by_addresses),
		cmocka_unit_test(shard_reused_identification_is_another_datagram),
		cmocka_unit_test(shard_ip_tunnels_go_by_the_inner_flow),
		cmocka_unit_test(shard_fragmented_tunnel_goes_by_its_first_fragment),
		cmocka_unit_test(shard_overlays_are_split_between_outer_and_inner),
		cmocka_unit_test(shard_fragments_and_overlays_combine),
		cmocka_unit_test(shard_confirmed_tunnels_go_by_the_outer_flow),
		cmocka_unit_test(shard_flow_through_several_tunnels_ties_them),
		cmocka_unit_test(shard_ftp_pairs_go_by_addresses),
		cmocka_unit_test(shard_dhcp_is_together),
		cmocka_unit_test(shard_shadows_are_replayed_uncounted),
		cmocka_unit_test(shard_shadows_own_their_bytes_only_if_rewritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
