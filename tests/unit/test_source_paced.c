/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_paced.c - open loop: what fits arrives once and in order, the rest is counted */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <unistd.h>
#include "capture/source_paced.h"
#include "profiler/lcore_stat.h"
#include "packet_build.h"

#define MAGIC_NS 0xa1b23c4d
#define T0_S	 1000u
#define PKT_NR	 300u
#define STEP_NS	 1000u
/* A clock a hundred times as slow as it says: who loses his CPU for seconds is not too late yet. */
#define SLOW_HZ 2e11
#define SHORT	64u /* the shortest queue there may be */

static struct zb_trace *make_trace(uint32_t shard_nr)
{
	struct tb_buf b = {0};
	char path[64];
	const char *paths[] = {path};
	struct zb_trace_conf conf = {
		.paths = paths, .path_nr = 1, .shard_nr = shard_nr, .numa_id = -1, .digest = true};
	struct zb_trace *t;

	tb_pcap_header(&b, MAGIC_NS, 1);
	for (uint32_t i = 0; i < PKT_NR; i++) {
		struct tb_ip ip = {4, 17, {10, 0, 0, 1}, {203, 0, 113, 9}, 0, 80, 0, 4};
		struct tb_buf p = {0};
		struct tb_rec r = {.sec = T0_S, .frac = i * STEP_NS};

		ip.sport = (uint16_t)(1000 + i % 50);
		tb_packet(&p, TB_ETHERNET, &ip);
		r.cap_len = r.wire_len = (uint32_t)p.nr;
		tb_pcap_record(&b, r, p.p);
		tb_free(&p);
	}
	tb_save(&b, path);
	assert_int_equal(zb_trace_load(&conf, &t), 0);
	unlink(path);
	tb_free(&b);
	return t;
}

static struct zb_paced_conf make_conf(struct zb_trace *t, uint32_t queue_nr)
{
	static cpu_set_t cpus;

	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	return (struct zb_paced_conf){
		.trace = t,
		.queue_nr = queue_nr,
		.rx_desc = 1024,
		.rate = {ZB_PACE_PPS, 100e6}, /* 1 Mpps on the wall */
		.tsc_hz = SLOW_HZ,
		.loops = 1,
		.feeder_cpus = &cpus,
	};
}

static struct zb_source *start(const struct zb_paced_conf *conf)
{
	struct zb_source *s;

	assert_int_equal(zb_paced_open(conf, &s), 0);
	assert_int_equal(zb_source_start(s), 0);
	return s;
}

static struct zb_rxq_ledger ledger_of(struct zb_source *s, uint32_t i)
{
	struct zb_rxq_ledger l;

	zb_source_queue(s, i)->ops->ledger(zb_source_queue(s, i), &l);
	return l;
}

static void wait_for_offer(struct zb_source *s, uint64_t pkts)
{
	while (ledger_of(s, 0).offered_pkts < pkts)
		usleep(100);
}

/* Polls until the queue is done; packets must be in order of time. Returns how many. */
static uint64_t drain(struct zb_rxq *q, uint64_t *bytes)
{
	struct zb_pkt pkts[ZB_BURST_MAX];
	uint64_t nr = 0, last = 0;

	*bytes = 0;
	while (!q->done) {
		uint16_t n = zb_rxq_burst(q, pkts, ZB_BURST_MAX, UINT64_MAX);

		for (uint16_t i = 0; i < n; i++) {
			assert_true(pkts[i].ts_ns >= last);
			last = pkts[i].ts_ns;
			*bytes += pkts[i].wire_len;
		}
		nr += n;
	}
	return nr;
}

/* With room enough and a worker that polls everything arrives, on every queue, and is counted. */
static void paced_all_arrives_where_there_is_room(void **state)
{
	struct zb_trace *t = make_trace(3);
	struct zb_paced_conf conf = make_conf(t, 3);
	struct zb_source *s = start(&conf);
	uint64_t all = 0, bytes;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct zb_lag lag = {.max_ns = 0};
		struct zb_rxq *q = zb_source_queue(s, i);
		struct zb_rxq_ledger l;
		uint64_t nr;

		q->lag = &lag;
		nr = drain(q, &bytes);
		l = ledger_of(s, i);
		assert_int_equal(nr, zb_trace_shard(t, i)->pkt_nr);
		assert_int_equal(l.offered_pkts, nr);
		assert_int_equal(l.link_pkts, nr);
		assert_int_equal(l.link_bytes, bytes);
		assert_int_equal(l.dropped_pkts + l.unsent_pkts + l.filtered_pkts, 0);
		assert_int_equal(zb_lag_count(&lag), nr);
		all += nr;
	}
	assert_int_equal(all, PKT_NR);
	assert_int_equal(zb_lag_count(zb_paced_feeder_lag(s)), PKT_NR);
	zb_source_close(s);
	zb_trace_free(t);
}

/* Nobody polls: the queue takes what it holds, the rest is dropped; the first drop is told. */
static void paced_full_queue_drops_and_counts(void **state)
{
	struct zb_trace *t = make_trace(1);
	struct zb_paced_conf conf = make_conf(t, 1);
	struct zb_lcore_stat stat = {.stage_now = ZB_STAGE_stream};
	const struct zb_lcore_stat *stats[] = {&stat};
	struct zb_source_drop drop;
	struct zb_rxq_ledger l;
	struct zb_source *s;
	uint64_t bytes;

	(void)state;
	conf.rx_desc = SHORT;
	conf.stat = stats;
	stat.c[ZB_C_pkts_proc] = 17;
	s = start(&conf);
	wait_for_offer(s, PKT_NR);
	assert_int_equal(drain(zb_source_queue(s, 0), &bytes), SHORT);
	l = ledger_of(s, 0);
	assert_int_equal(l.link_pkts, PKT_NR);
	assert_int_equal(l.dropped_pkts, PKT_NR - SHORT);
	assert_int_equal(l.link_bytes, l.dropped_bytes + bytes);
	zb_source_first_drop(s, 0, &drop);
	assert_true(drop.happened);
	assert_int_equal(drop.pkt_ns, T0_S * 1000000000ull + SHORT * STEP_NS);
	assert_int_equal(drop.stage, ZB_STAGE_stream);
	assert_int_equal(drop.worker_pkts, 17);
	zb_source_close(s);
	zb_trace_free(t);
}

/* Passes bring new addresses also where packets of them were dropped; at the end all is undone. */
static void paced_passes_are_rewritten_by_who_takes_them(void **state)
{
	struct zb_trace *t = make_trace(1);
	struct zb_paced_conf conf = make_conf(t, 1);
	struct zb_trace_pkt *p = zb_trace_shard(t, 0)->pkts;
	uint8_t before[64], first[64];
	struct zb_pkt pkts[ZB_BURST_MAX];
	struct zb_source *s;
	struct zb_rxq *q;
	uint64_t bytes;

	(void)state;
	conf.loops = 3;
	conf.rx_desc = SHORT;
	conf.rate.value = 10e9; /* as fast as it goes */
	memcpy(before, p[0].data, sizeof(before) < p[0].cap_len ? sizeof(before) : p[0].cap_len);
	s = start(&conf);
	q = zb_source_queue(s, 0);
	wait_for_offer(s, 3 * PKT_NR);
	/* Of the first pass the first packets are there; the queue was full for all that followed.
	 */
	assert_int_equal(zb_rxq_burst(q, pkts, 1, UINT64_MAX), 1);
	memcpy(first, pkts[0].data, 34);
	assert_memory_equal(first, before, 34);
	assert_int_equal(drain(q, &bytes), SHORT - 1);
	zb_source_close(s);

	/* A worker that keeps up sees each pass with addresses of its own. */
	conf.rx_desc = 1024;
	s = start(&conf);
	q = zb_source_queue(s, 0);
	wait_for_offer(s, 3 * PKT_NR);
	for (unsigned pass = 0; pass < 3; pass++) {
		for (uint32_t i = 0; i < PKT_NR; i++) {
			assert_int_equal(zb_rxq_burst(q, pkts, 1, UINT64_MAX), 1);
			if (i == 0)
				assert_int_equal(memcmp(pkts[0].data, before, 34) != 0, pass != 0);
		}
	}
	zb_source_close(s);
	assert_memory_equal(p[0].data, before, 34);
	zb_trace_free(t);
}

/* Told to stop, the feeder ends at once; what it has put can still be taken. */
static void paced_stop_ends_the_feeder_not_the_queue(void **state)
{
	struct zb_trace *t = make_trace(1);
	struct zb_paced_conf conf = make_conf(t, 1);
	struct zb_rxq_ledger l;
	struct zb_source *s;
	bool stop = false;
	uint64_t nr, bytes;

	(void)state;
	conf.rate.value = 100e3; /* 1000 pps on the wall: 0.3 s */
	conf.stop = &stop;
	s = start(&conf);
	wait_for_offer(s, 10);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	nr = drain(zb_source_queue(s, 0), &bytes);
	l = ledger_of(s, 0);
	assert_true(nr >= 10 && nr < PKT_NR);
	assert_int_equal(l.offered_pkts, nr);
	assert_int_equal(l.link_pkts, nr);
	zb_source_close(s);
	zb_trace_free(t);
}

/* What is due at the end of the duration or later is not offered. */
static void paced_duration_ends_on_the_packet(void **state)
{
	struct zb_trace *t = make_trace(1);
	struct zb_paced_conf conf = make_conf(t, 1);
	struct zb_source *s;
	uint64_t bytes;

	(void)state;
	conf.loops = 0;
	conf.same_flows = true;
	conf.duration_s = 0.001;
	conf.rate.value = 777e3; /* 777 packets */
	s = start(&conf);
	assert_int_equal(drain(zb_source_queue(s, 0), &bytes), 777);
	assert_int_equal(ledger_of(s, 0).offered_pkts, 777);
	zb_source_close(s);
	zb_trace_free(t);
}

/* A feeder that comes too late does not send: the schedule never stretches. */
static void paced_too_late_is_unsent(void **state)
{
	struct zb_trace *t = make_trace(1);
	struct zb_paced_conf conf = make_conf(t, 1);
	struct zb_rxq_ledger l;
	struct zb_source *s;
	uint64_t bytes;

	(void)state;
	conf.tsc_hz = 1000; /* so that every packet is due within one cycle, and 100 are too late */
	s = start(&conf);
	wait_for_offer(s, PKT_NR);
	drain(zb_source_queue(s, 0), &bytes);
	l = ledger_of(s, 0);
	assert_true(l.unsent_pkts > PKT_NR / 2);
	assert_int_equal(l.offered_pkts, PKT_NR);
	assert_int_equal(l.link_pkts, PKT_NR - l.unsent_pkts);
	assert_int_equal(l.link_bytes, bytes);
	zb_source_close(s);
	zb_trace_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paced_all_arrives_where_there_is_room),
		cmocka_unit_test(paced_full_queue_drops_and_counts),
		cmocka_unit_test(paced_passes_are_rewritten_by_who_takes_them),
		cmocka_unit_test(paced_stop_ends_the_feeder_not_the_queue),
		cmocka_unit_test(paced_duration_ends_on_the_packet),
		cmocka_unit_test(paced_too_late_is_unsent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
