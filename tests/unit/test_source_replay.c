/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_replay.c - every packet once a pass, in order, time never back, bytes restored at the
 * end */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "capture/source_replay.h"
#include "profiler/lcore_stat.h"
#include "packet_build.h"

#define MAGIC_NS 0xa1b23c4d
#define T0_S	 1000u
#define T0_NS	 (T0_S * 1000000000ull)
#define PKT_NR	 300u
#define STEP_NS	 1000u
#define SPAN_NS	 ((PKT_NR - 1) * (uint64_t)STEP_NS)

/* PKT_NR packets of 50 flows, 1 us apart; the third from last is snapped. */
static struct zb_trace *make_trace(uint32_t shard_nr, uint32_t pkt_nr)
{
	struct tb_buf b = {0};
	char path[64];
	const char *paths[] = {path};
	struct zb_trace_conf conf = {
		.paths = paths, .path_nr = 1, .shard_nr = shard_nr, .numa_id = -1, .digest = true};
	struct zb_trace *t;

	tb_pcap_header(&b, MAGIC_NS, 1);
	for (uint32_t i = 0; i < pkt_nr; i++) {
		struct tb_ip ip = {4, i % 2 ? 6 : 17, {10, 0, 0, 1}, {203, 0, 113, 9}, 0, 80, 0, 4};
		struct tb_buf p = {0};
		struct tb_rec r = {.sec = T0_S, .frac = i * STEP_NS};

		ip.sport = (uint16_t)(1000 + i % 50);
		tb_packet(&p, TB_ETHERNET, &ip);
		r.cap_len = (uint32_t)p.nr;
		r.wire_len = r.cap_len + (i + 3 == pkt_nr ? 100 : 0);
		tb_pcap_record(&b, r, p.p);
		tb_free(&p);
	}
	tb_save(&b, path);
	assert_int_equal(zb_trace_load(&conf, &t), 0);
	unlink(path);
	tb_free(&b);
	return t;
}

static struct zb_replay *make_replay(struct zb_trace *t, uint64_t loops, bool same_flows)
{
	struct zb_replay_conf conf = {
		.trace = t,
		.queue_nr = 1,
		.loops = loops,
		.same_flows = same_flows,
	};
	struct zb_replay *r;

	assert_int_equal(zb_replay_open(&conf, &r), 0);
	return r;
}

/* One pass must give every packet once, as the index has it, with done only after the last. */
static void replay_one_pass_gives_every_packet_once(void **state)
{
	struct zb_trace *t = make_trace(1, PKT_NR);
	struct zb_replay *r = make_replay(t, 1, false);
	const struct zb_trace_shard *s = zb_trace_shard(t, 0);
	struct zb_rxq *q = zb_replay_queue(r, 0);
	struct zb_pkt pkts[ZB_BURST_MAX];
	struct zb_rxq_ledger ledger;
	uint64_t nr = 0, bytes = 0;
	uint16_t n;

	(void)state;
	memset(pkts, 0xff, sizeof(pkts));
	while ((n = zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX)) > 0) {
		assert_false(q->done);
		for (uint16_t i = 0; i < n; i++, nr++) {
			assert_ptr_equal(pkts[i].data, s->pkts[nr].data);
			assert_int_equal(pkts[i].ts_ns, T0_NS + nr * STEP_NS);
			assert_int_equal(pkts[i].cap_len, s->pkts[nr].cap_len);
			assert_int_equal(pkts[i].wire_len, s->pkts[nr].wire_len);
			assert_int_equal(pkts[i].late, s->pkts[nr].late);
			assert_int_equal(pkts[i].link, ZB_LINK_ETHERNET);
			assert_int_equal(pkts[i].flags, nr + 3 == PKT_NR ? ZB_PKT_SNAPPED : 0);
			assert_int_equal(pkts[i].l3_off, 0);
			bytes += pkts[i].wire_len;
		}
	}
	assert_true(q->done);
	assert_int_equal(nr, PKT_NR);
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX), 0);
	assert_int_equal(q->ops->next_ns(q), 0);
	q->ops->ledger(q, &ledger);
	assert_int_equal(ledger.offered_pkts, PKT_NR);
	assert_int_equal(ledger.link_pkts, PKT_NR);
	assert_int_equal(ledger.link_bytes, bytes);
	assert_int_equal(bytes, zb_trace_info(t)->wire_bytes);
	zb_replay_close(r);
	zb_trace_free(t);
}

/* A burst must end exactly before until_ns, without ending the queue, and go on from there. */
static void replay_until_ns_ends_the_burst_exactly_there(void **state)
{
	struct zb_trace *t = make_trace(1, PKT_NR);
	struct zb_replay *r = make_replay(t, 1, false);
	struct zb_rxq *q = zb_replay_queue(r, 0);
	struct zb_pkt pkts[ZB_BURST_MAX];

	(void)state;
	assert_int_equal(q->ops->next_ns(q), T0_NS);
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, T0_NS), 0);
	assert_false(q->done);
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, T0_NS + 10 * STEP_NS), 10);
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, T0_NS + 10 * STEP_NS), 0);
	assert_false(q->done);
	assert_int_equal(q->ops->next_ns(q), T0_NS + 10 * STEP_NS);
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, T0_NS + 10 * STEP_NS + 1), 1);
	assert_int_equal(pkts[0].ts_ns, T0_NS + 10 * STEP_NS);
	assert_int_equal(zb_rxq_burst(q, pkts, 5, UINT64_MAX), 5);
	assert_int_equal(q->ops->next_ns(q), T0_NS + 16 * STEP_NS);
	zb_replay_close(r);
	zb_trace_free(t);
}

/* Runs passes of the whole trace; checks times; returns how many different source addresses came.
 */
static unsigned run_passes(struct zb_rxq *q, uint32_t passes, uint64_t gap_ns)
{
	struct zb_pkt pkts[ZB_BURST_MAX];
	uint32_t seen[16] = {0}, addr;
	unsigned seen_nr = 0;
	uint64_t nr = 0;
	uint16_t n;

	while ((n = zb_rxq_burst(q, pkts, 37, UINT64_MAX)) > 0) {
		for (uint16_t i = 0; i < n; i++, nr++) {
			uint64_t pass = nr / PKT_NR, at = nr % PKT_NR;
			unsigned k;

			assert_int_equal(pkts[i].ts_ns,
					 T0_NS + pass * (SPAN_NS + gap_ns) + at * STEP_NS);
			memcpy(&addr, pkts[i].data + 26, 4);
			for (k = 0; k < seen_nr && seen[k] != addr; k++)
				;
			assert_true(k < 16);
			seen[k] = addr;
			if (k == seen_nr)
				seen_nr++;
		}
	}
	assert_int_equal(nr, (uint64_t)passes * PKT_NR);
	return seen_nr;
}

/* Each pass must come one trace length plus the gap later, with addresses of its own. */
static void replay_passes_shift_time_and_bring_new_flows(void **state)
{
	struct zb_trace *t = make_trace(1, PKT_NR);
	struct zb_replay *r = make_replay(t, 5, false);

	(void)state;
	/* Without a gap given it is the mean one between packets. */
	assert_int_equal(run_passes(zb_replay_queue(r, 0), 5, STEP_NS), 5);
	zb_replay_close(r);
	r = make_replay(t, 5, true);
	assert_int_equal(run_passes(zb_replay_queue(r, 0), 5, STEP_NS), 1);
	zb_replay_close(r);
	zb_trace_free(t);
}

/* A gap that is given must be kept to the nanosecond. */
static void replay_given_gap_is_used(void **state)
{
	struct zb_trace *t = make_trace(1, PKT_NR);
	struct zb_replay_conf conf = {.trace = t, .queue_nr = 1, .loops = 3, .pass_gap_ns = 54321};
	struct zb_replay *r;

	(void)state;
	assert_int_equal(zb_replay_open(&conf, &r), 0);
	assert_int_equal(run_passes(zb_replay_queue(r, 0), 3, 54321), 3);
	zb_replay_close(r);
	zb_trace_free(t);
}

/* Stopped anywhere, in any pass, closing must bring back the first pass's bytes. */
static void replay_close_restores_every_byte(void **state)
{
	struct zb_trace *t = make_trace(1, PKT_NR);
	const struct zb_trace_shard *s = zb_trace_shard(t, 0);
	const uint8_t *from = s->pkts[0].data;
	size_t len = (size_t)(s->pkts[PKT_NR - 1].data + s->pkts[PKT_NR - 1].cap_len - from);
	uint8_t *first = malloc(len);

	(void)state;
	assert_non_null(first);
	memcpy(first, from, len);
	for (uint32_t stop_at = 0; stop_at < 4 * PKT_NR; stop_at += 61) {
		struct zb_replay *r = make_replay(t, 0, false);
		struct zb_rxq *q = zb_replay_queue(r, 0);
		struct zb_pkt pkts[ZB_BURST_MAX];
		uint32_t nr = 0;

		while (nr < stop_at)
			nr += zb_rxq_burst(q, pkts, 61, UINT64_MAX);
		if (nr > PKT_NR)
			assert_memory_not_equal(first, from, len);
		zb_replay_close(r);
		assert_memory_equal(first, from, len);
	}
	free(first);
	zb_trace_free(t);
}

/* The stop flag must end every queue at its next burst. */
static void replay_stop_ends_the_queue_at_the_next_burst(void **state)
{
	struct zb_trace *t = make_trace(1, PKT_NR);
	bool stop = false;
	struct zb_replay_conf conf = {.trace = t, .queue_nr = 1, .loops = 0, .stop = &stop};
	struct zb_pkt pkts[ZB_BURST_MAX];
	struct zb_replay *r;
	struct zb_rxq *q;

	(void)state;
	assert_int_equal(zb_replay_open(&conf, &r), 0);
	q = zb_replay_queue(r, 0);
	for (int i = 0; i < 1000; i++)
		assert_true(zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX) > 0);
	assert_false(q->done);
	stop = true;
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX), 0);
	assert_true(q->done);
	stop = false;
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX), 0);
	zb_replay_close(r);
	zb_trace_free(t);
}

/* Between two passes next_ns must already be the next pass's first packet. */
static void replay_next_ns_looks_into_the_next_pass(void **state)
{
	struct zb_trace *t = make_trace(1, 10);
	struct zb_replay *r = make_replay(t, 2, false);
	struct zb_rxq *q = zb_replay_queue(r, 0);
	struct zb_pkt pkts[ZB_BURST_MAX];

	(void)state;
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX), 10);
	assert_int_equal(q->ops->next_ns(q), T0_NS + 10 * STEP_NS);
	/* A pass that has not begun for lack of time has not ended anything either. */
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, T0_NS + 10 * STEP_NS), 0);
	assert_false(q->done);
	assert_int_equal(q->ops->next_ns(q), T0_NS + 10 * STEP_NS);
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX), 10);
	assert_int_equal(q->ops->next_ns(q), 0);
	assert_int_equal(zb_rxq_burst(q, pkts, ZB_BURST_MAX, 0), 0);
	assert_true(q->done);
	zb_replay_close(r);
	zb_trace_free(t);
}

/* A trace of one packet must loop too, at least a microsecond apart; shards without packets end at
 * once. */
static void replay_single_packet_and_empty_shards_work(void **state)
{
	struct zb_trace *t = make_trace(8, 1);
	struct zb_replay_conf conf = {.trace = t, .queue_nr = 8, .loops = 3};
	struct zb_pkt pkts[ZB_BURST_MAX];
	struct zb_replay *r;
	uint64_t nr = 0;

	(void)state;
	assert_int_equal(zb_replay_open(&conf, &r), 0);
	for (uint32_t i = 0; i < 8; i++) {
		struct zb_rxq *q = zb_replay_queue(r, i);
		uint16_t n;

		while ((n = zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX)) > 0) {
			assert_int_equal(n, 1);
			assert_int_equal(pkts[0].ts_ns, T0_NS + nr * 1000);
			nr += n;
		}
		assert_true(q->done);
	}
	assert_int_equal(nr, 3);
	zb_replay_close(r);
	zb_trace_free(t);
}

/* All queues together must bring every packet once a pass, each flow on one queue. */
static void replay_queues_share_out_the_trace(void **state)
{
	struct zb_trace *t = make_trace(4, PKT_NR);
	struct zb_replay_conf conf = {.trace = t, .queue_nr = 4, .loops = 2};
	struct zb_pkt pkts[ZB_BURST_MAX];
	uint8_t port_queue[50] = {0};
	struct zb_replay *r;
	struct zb_rxq_ledger ledger;
	uint64_t nr = 0, offered = 0;

	(void)state;
	assert_int_equal(zb_replay_open(&conf, &r), 0);
	for (uint32_t i = 0; i < 4; i++) {
		struct zb_rxq *q = zb_replay_queue(r, i);
		uint16_t n;

		while ((n = zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX)) > 0) {
			nr += n;
			for (uint16_t k = 0; k < n; k++) {
				size_t flow =
					(size_t)(pkts[k].data[34] << 8 | pkts[k].data[35]) - 1000;

				assert_true(flow < 50);
				assert_true(port_queue[flow] == 0 || port_queue[flow] == i + 1);
				port_queue[flow] = (uint8_t)(i + 1);
			}
		}
		q->ops->ledger(q, &ledger);
		assert_int_equal(ledger.offered_pkts, ledger.link_pkts);
		offered += ledger.link_pkts;
	}
	assert_int_equal(nr, 2 * PKT_NR);
	assert_int_equal(offered, nr);
	zb_replay_close(r);
	zb_trace_free(t);
}

/* Where the shifted time would pass the end of its 64 bits it must stand still, not wrap. */
static void replay_time_never_wraps(void **state)
{
	struct zb_trace *t = make_trace(1, 10);
	struct zb_replay_conf conf = {.trace = t, .queue_nr = 1, .loops = 9};
	struct zb_pkt pkts[ZB_BURST_MAX];
	uint64_t last_ns = 0, nr = 0;
	struct zb_replay *r;
	struct zb_rxq *q;
	uint16_t n;

	(void)state;
	conf.pass_gap_ns = UINT64_MAX / 3;
	assert_int_equal(zb_replay_open(&conf, &r), 0);
	q = zb_replay_queue(r, 0);
	while ((n = zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX)) > 0) {
		for (uint16_t i = 0; i < n; i++) {
			assert_true(pkts[i].ts_ns >= last_ns);
			last_ns = pkts[i].ts_ns;
		}
		nr += n;
	}
	/* All passes came, none was held back by until_ns. */
	assert_true(q->done);
	assert_int_equal(nr, 90);
	zb_replay_close(r);
	zb_trace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replay_one_pass_gives_every_packet_once),
		cmocka_unit_test(replay_until_ns_ends_the_burst_exactly_there),
		cmocka_unit_test(replay_passes_shift_time_and_bring_new_flows),
		cmocka_unit_test(replay_given_gap_is_used),
		cmocka_unit_test(replay_close_restores_every_byte),
		cmocka_unit_test(replay_stop_ends_the_queue_at_the_next_burst),
		cmocka_unit_test(replay_next_ns_looks_into_the_next_pass),
		cmocka_unit_test(replay_single_packet_and_empty_shards_work),
		cmocka_unit_test(replay_queues_share_out_the_trace),
		cmocka_unit_test(replay_time_never_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
