/* SPDX-License-Identifier: Apache-2.0 */
/* test_engine.c - whole runs of a worker: rows that do not depend on bursts, the accounting law,
 * limits */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "frame_source.h"
#include "log_read.h"
#include "pipeline/conn_pool.h"
#include "pipeline/engine.h"

#define START_NS (1700000000 * ZB_SEC_NS)
#define NR	 20000u

/* Linked with --wrap: allocations still granted; negative: any number. */
static long memalign_left = -1;
int __real_posix_memalign(void **p, size_t align, size_t size);
int __wrap_posix_memalign(void **p, size_t align, size_t size);

int __wrap_posix_memalign(void **p, size_t align, size_t size)
{
	if (memalign_left == 0)
		return ENOMEM;
	if (memalign_left > 0)
		memalign_left--;
	return __real_posix_memalign(p, align, size);
}

static bool stop;

/* A number that depends on i only. */
static uint64_t mix(uint64_t i)
{
	i = (i ^ i >> 31) * 0x7fb5d329728ea185u;
	i = (i ^ i >> 27) * 0x81dadef4bc2dd44du;
	return i ^ i >> 33;
}

/*
 * Few 4-tuples and clocks that leap: time-outs, new SYNs on old tuples and packets of both
 * directions fall into one burst.
 */
static void make_busy(uint64_t i, struct fs_frame *f)
{
	static const uint8_t flags[] = {FB_SYN,		 FB_SYN | FB_ACK, FB_ACK,
					FB_ACK | FB_PSH, FB_FIN | FB_ACK, FB_RST};
	uint64_t r = mix(i);
	struct fb_spec s = {.proto = IPPROTO_TCP,
			    .src = 0x0a000001,
			    .dst = 0xc0000200 + (uint32_t)(r % 6)};

	s.sport = 40000;
	s.dport = r >> 8 & 1 ? 80 : 22;
	s.seq = (uint32_t)(r >> 16 & 3);
	s.ack = (uint32_t)(r >> 20 & 3);
	s.flags = flags[(r >> 24) % sizeof(flags)];
	if ((r >> 32) % 3 == 0) {
		s.proto = (r >> 34) % 4 == 0 ? IPPROTO_ICMP : IPPROTO_UDP;
		s.sport = s.proto == IPPROTO_ICMP ? 8 : 40000;
		s.dport = s.proto == IPPROTO_ICMP ? 0 : 53;
		s.v6 = r >> 36 & 1;
	}
	s.payload_len = (uint32_t)(r >> 40 & 31);
	if (r >> 48 & 1 && s.proto != IPPROTO_ICMP) {
		struct fb_spec back = s;

		s.src = back.dst;
		s.dst = back.src;
		s.sport = back.dport;
		s.dport = back.sport;
	}
	f->len = fb_ether(f->data, &s);
	if ((r >> 50) % 50 == 0)
		f->data[f->len - 1] ^= 1; /* a wrong checksum */
	if ((r >> 56) % 40 == 0)
		fb_put16(f->data + 12, 0x0806);
	/* A second on average, with pauses that end what is idle. */
	f->ts_ns = START_NS + i * 800000000 + i / 64 * 20 * ZB_SEC_NS + i / 1000 * 400 * ZB_SEC_NS;
}

/* The same packets closer together, many of them late: mostly by a little, some by seconds. */
static void make_jumbled(uint64_t i, struct fs_frame *f)
{
	uint64_t r = mix(i + 12345), late = (r >> 8) % 200000000;

	make_busy(i, f);
	f->ts_ns = START_NS + 10 * ZB_SEC_NS + i * 7000000 + i / 1000 * 4 * ZB_SEC_NS;
	if (r % 3 == 0)
		f->ts_ns -= r >> 40 & 15 ? late : late * 40;
}

/* One datagram each of a million flows. */
static void make_flows(uint64_t i, struct fs_frame *f)
{
	struct fb_spec s = {.proto = IPPROTO_UDP,
			    .src = 0x0a000000 + (uint32_t)i,
			    .dst = 0xc0000201,
			    .sport = 40000,
			    .dport = 53};

	f->len = fb_ether(f->data, &s);
	f->ts_ns = START_NS + i * 1000;
}

struct run {
	struct frame_source src;
	struct zb_lcore_stat stat, at_end;
	struct zb_snap_ring *snaps;
	struct logs logs;
	uint32_t conns_max;
	uint16_t burst_max;
	enum zb_engine_mode mode;
	struct zb_engine_switch on;
};

static void keep_stat(void *arg)
{
	struct run *r = arg;

	r->at_end = r->stat;
}

static struct run *run_new(void (*make)(uint64_t, struct fs_frame *), uint64_t nr)
{
	struct run *r = aligned_alloc(64, (sizeof(*r) + 63) / 64 * 64);

	assert_non_null(r);
	memset(r, 0, sizeof(*r));
	fs_open(&r->src, make, nr);
	r->src.stop = &stop;
	r->conns_max = 1u << 21;
	r->burst_max = ZB_BURST_MAX;
	r->on = (struct zb_engine_switch){.marks = true, .snapshots = true};
	stop = false;
	return r;
}

static void assert_law(const struct zb_lcore_stat *s)
{
	struct zb_residual res = zb_stat_residual(s, 0, 0);

	assert_true(zb_residual_is_zero(&res));
}

static void run_it(struct run *r, enum zb_log_sink sink)
{
	struct zb_engine_conf conf = {
		.rxq = &r->src.rxq,
		.stat = &r->stat,
		.peer = "lcore-2",
		.start_ns = START_NS,
		.interval_ns = 300 * ZB_SEC_NS,
		.secret = 31,
		.conns_max = r->conns_max,
		.burst_max = r->burst_max,
		.mode = r->mode,
		.on = &r->on,
		.stop = &stop,
		.at_end = keep_stat,
		.at_end_arg = r,
	};
	struct zb_engine *e;

	logs_open(&r->logs, ZB_ROW_JSON, sink);
	assert_int_equal(zb_snap_ring_create(1024, &r->snaps), 0);
	conf.snaps = r->snaps;
	conf.logs = r->logs.set;
	assert_int_equal(zb_engine_create(&conf, &e), 0);
	zb_engine_run(e);
	zb_engine_destroy(e);
	assert_law(&r->stat);
	assert_law(&r->at_end);
	assert_int_equal(r->stat.c[ZB_C_pkts_proc], r->src.at);
	assert_int_equal(r->stat.c[ZB_C_bytes_recv], r->src.bytes);
	assert_int_equal(r->stat.c[ZB_C_log_rows_lost], 0);
}

static void run_free(struct run *r)
{
	zb_snap_ring_destroy(r->snaps);
	logs_free(&r->logs);
	free(r);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The rows of a log in order of their text, each without its uid; *nr is how many. */
static char **sorted_rows(struct run *r, const char *name, size_t *nr)
{
	char **rows = calloc(400000, sizeof(*rows)), *p = logs_read(&r->logs, name);
	const char *const all = p + strlen(p);

	assert_non_null(rows);
	for (*nr = 0; p != all; ++*nr) {
		/* Not strchr(), which a strict sanitizer makes look at all the rest. */
		char *end = memchr(p, '\n', (size_t)(all - p)), *uid;

		assert_non_null(end);
		*end = '\0';
		uid = strstr(p, "\"uid\":");
		if (uid != NULL) {
			char *after = strchr(uid, ',');

			memmove(uid, after, strlen(after) + 1);
		}
		rows[*nr] = p;
		p = end + 1;
	}
	qsort(rows, *nr, sizeof(*rows), by_text);
	return rows;
}

static void assert_same_log(struct run *a, struct run *b, const char *name, size_t at_least)
{
	size_t n, m;
	char **x = sorted_rows(a, name, &n), **y = sorted_rows(b, name, &m);

	for (size_t i = 0; i < n && i < m; i++)
		assert_string_equal(x[i], y[i]);
	assert_int_equal(n, m);
	assert_true(n >= at_least);
	free(x);
	free(y);
}

static void assert_bursts_do_not_matter(void (*make)(uint64_t, struct fs_frame *))
{
	static const uint16_t bursts[] = {64, 63, 7};
	struct run *one = run_new(make, NR);

	one->burst_max = 1;
	one->on.marks = false;
	run_it(one, ZB_SINK_FILES);
	for (unsigned i = 0; i < 3; i++) {
		struct run *many = run_new(make, NR);

		many->burst_max = bursts[i];
		run_it(many, ZB_SINK_FILES);
		assert_same_log(one, many, "conn", 1000);
		assert_same_log(one, many, "weird", 10);
		assert_memory_equal(one->stat.fate, many->stat.fate, sizeof(one->stat.fate));
		assert_int_equal(one->stat.c[ZB_C_weirds], many->stat.c[ZB_C_weirds]);
		assert_int_equal(one->stat.c[ZB_C_tcp_conns], many->stat.c[ZB_C_tcp_conns]);
		run_free(many);
	}
	run_free(one);
}

/* What a run logs must not depend on how packets fall into bursts, though connections end and begin
 * within one. */
static void engine_rows_do_not_depend_on_bursts(void **state)
{
	(void)state;
	assert_bursts_do_not_matter(make_busy);
}

/* The same when packets are out of order. */
static void engine_rows_of_unordered_packets_do_not_depend_on_bursts(void **state)
{
	(void)state;
	assert_bursts_do_not_matter(make_jumbled);
}

/* A connection that is reset, its 4-tuple used again at once, and a packet much later. */
static void make_replaced(uint64_t i, struct fs_frame *f)
{
	static const struct {
		bool back;
		uint8_t flags;
		uint32_t seq, ack;
	} pkt[] = {{false, FB_SYN, 100, 0},  {true, FB_SYN | FB_ACK, 50, 101},
		   {false, FB_ACK, 101, 51}, {false, FB_RST, 101, 0},
		   {false, FB_SYN, 5000, 0}, {false, FB_ACK, 5001, 1},
		   {false, FB_ACK, 5001, 1}};
	uint32_t host[2] = {0x0a000001, 0xc0000201};
	uint16_t port[2] = {40000, 9};
	bool back = pkt[i].back;
	struct fb_spec s = {.proto = IPPROTO_TCP,
			    .src = host[back],
			    .dst = host[!back],
			    .sport = port[back],
			    .dport = port[!back],
			    .seq = pkt[i].seq,
			    .ack = pkt[i].ack,
			    .flags = pkt[i].flags};

	f->len = fb_ether(f->data, &s);
	f->ts_ns = START_NS + i * 1000000 + (i == 6 ? 20 * ZB_SEC_NS : 0);
}

static uint64_t replaced_time_from(const struct zb_rxq *q, uint64_t ns)
{
	struct fs_frame f;

	(void)q;
	for (uint64_t i = 0; i < 7; i++) {
		make_replaced(i, &f);
		if (f.ts_ns >= ns)
			return f.ts_ns;
	}
	return 0;
}

/* What is logged at the end of a connection is dated by the packet that replaced it, not by the
 * last one of its burst. */
static void engine_end_of_a_replaced_connection_does_not_depend_on_bursts(void **state)
{
	static const uint16_t bursts[] = {1, ZB_BURST_MAX};
	struct zb_rxq_ops ops;
	struct run *r[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		r[i] = run_new(make_replaced, 7);
		r[i]->burst_max = bursts[i];
		ops = *r[i]->src.rxq.ops;
		ops.time_from = replaced_time_from;
		r[i]->src.rxq.ops = &ops;
		run_it(r[i], ZB_SINK_FILES);
	}
	assert_same_log(r[0], r[1], "known_services", 1);
	assert_same_log(r[0], r[1], "conn", 2);
	run_free(r[0]);
	run_free(r[1]);
}

/* Every connection that was counted has its row, and every packet its fate. */
static void engine_logs_each_connection_once(void **state)
{
	struct run *r = run_new(make_busy, NR);
	uint64_t conns = 0;
	size_t rows;

	(void)state;
	run_it(r, ZB_SINK_FILES);
	for (unsigned i = ZB_C_tcp_conns; i <= ZB_C_other_conns; i++)
		conns += r->stat.c[i];
	free(sorted_rows(r, "conn", &rows));
	assert_int_equal(rows, conns);
	assert_int_equal(r->stat.log_rows[ZB_LOG_CONN], conns);
	assert_true(r->stat.fate[ZB_FATE_arp] > 0 &&
		    r->stat.fate[ZB_FATE_bad_transport_checksum] > 0);
	for (unsigned i = ZB_G_active_tcp_conns; i <= ZB_G_active_timers; i++)
		assert_int_equal(r->stat.g[i], 0);
	run_free(r);
}

/*
 * Snapshots must be taken exactly at their boundaries (the first after one packet), each in keeping
 * with the law, and the last must hold the totals.
 */
static void engine_snapshots_stand_at_their_boundaries(void **state)
{
	struct run *r = run_new(make_busy, NR);
	struct zb_snapshot s;
	uint64_t nr = 0, last_interval = 0;

	(void)state;
	r->src.empty_polls = 2;
	run_it(r, ZB_SINK_NULL);
	for (; zb_snap_get(r->snaps, &s); nr++) {
		uint64_t before = 0;
		struct fs_frame f;

		assert_law(&s.stat);
		for (; before < NR; before++) {
			make_busy(before, &f);
			if (f.ts_ns >= START_NS + s.interval * 300 * ZB_SEC_NS)
				break;
		}
		assert_int_equal(s.stat.c[ZB_C_pkts_proc], nr == 0 ? 1 : s.last ? NR : before);
		assert_true(nr == 0 || s.interval > last_interval);
		last_interval = s.interval;
		if (s.last)
			assert_memory_equal(&s.stat, &r->stat, sizeof(s.stat));
	}
	assert_true(nr > 50);
	assert_int_equal(r->stat.c[ZB_C_snapshots_skipped], 0);
	run_free(r);
}

/* A stop in the middle must end the run at once, with all that is open logged and accounted for. */
static void engine_stopped_logs_what_is_open(void **state)
{
	struct run *r = run_new(make_flows, 1000000);

	(void)state;
	r->src.stop_at = 5000;
	run_it(r, ZB_SINK_FILES);
	assert_in_range(r->stat.c[ZB_C_pkts_proc], 5000, 5000 + ZB_BURST_MAX);
	assert_int_equal(r->stat.log_rows[ZB_LOG_CONN], r->stat.c[ZB_C_pkts_proc]);
	run_free(r);
}

/* With more flows than it may hold, the engine must shed the oldest, count them, and lose no
 * packet. */
static void engine_at_its_limit_sheds_and_goes_on(void **state)
{
	struct run *r = run_new(make_flows, 50000);
	struct zb_snapshot s;

	(void)state;
	r->conns_max = 4 * ZB_BURST_MAX;
	run_it(r, ZB_SINK_FILES);
	assert_true(r->at_end.g[ZB_G_active_udp_conns] <= 4 * ZB_BURST_MAX);
	assert_true(r->at_end.g[ZB_G_conn_bytes] <= 4 * ZB_BURST_MAX * sizeof(struct zb_conn));
	assert_true(r->stat.c[ZB_C_conns_evicted] > 50000 - 4 * ZB_BURST_MAX);
	assert_int_equal(r->stat.fate[ZB_FATE_no_state], 0);
	assert_int_equal(r->stat.log_rows[ZB_LOG_CONN], 50000);
	while (zb_snap_get(r->snaps, &s))
		assert_law(&s.stat);
	run_free(r);
}

/* When memory runs out, packets of new flows must be counted as without state, and all others go on
 * as before. */
static void engine_without_memory_counts_what_has_no_state(void **state)
{
	const uint64_t room = 1u << ZB_CONN_CHUNK_SHIFT;
	struct run *r = run_new(make_flows, 3 * room);

	(void)state;
	memalign_left = 2; /* the table's first segment and one chunk of connections */
	run_it(r, ZB_SINK_FILES);
	memalign_left = -1;
	assert_int_equal(r->stat.fate[ZB_FATE_conn], room);
	assert_int_equal(r->stat.fate[ZB_FATE_no_state], 2 * room);
	assert_int_equal(r->stat.log_rows[ZB_LOG_CONN], room);
	assert_int_equal(r->stat.c[ZB_C_udp_conns], room);
	run_free(r);
}

/* A million open flows must cost no more than 300 bytes each, table and timers included. */
static void engine_flow_costs_at_most_300_bytes(void **state)
{
	const uint64_t nr = 1000000;
	struct run *r = run_new(make_flows, nr);
	uint64_t bytes;

	(void)state;
	run_it(r, ZB_SINK_NULL);
	assert_int_equal(r->at_end.g[ZB_G_active_udp_conns], nr);
	bytes = r->at_end.g[ZB_G_conn_bytes] + r->at_end.g[ZB_G_flow_table_bytes] +
		r->at_end.g[ZB_G_timer_bytes];
	print_message("%.1f bytes a flow\n", (double)bytes / (double)nr);
	assert_true(bytes <= 300 * nr);
	bytes += r->at_end.g[ZB_G_conn_reserved_bytes] - r->at_end.g[ZB_G_conn_bytes];
	assert_true(bytes <= 300 * nr);
	run_free(r);
}

/* Told to touch packets only, the engine must make no connection and write no row, and still keep
 * the law. */
static void engine_in_touch_mode_keeps_no_state(void **state)
{
	struct run *r = run_new(make_busy, NR);

	(void)state;
	r->mode = ZB_ENGINE_TOUCH;
	run_it(r, ZB_SINK_NULL);
	assert_int_equal(r->stat.c[ZB_C_tcp_conns] + r->stat.c[ZB_C_udp_conns], 0);
	assert_int_equal(r->stat.fate[ZB_FATE_conn], 0);
	assert_int_equal(r->stat.fate[ZB_FATE_touched] + r->stat.fate[ZB_FATE_arp], NR);
	assert_int_equal(r->stat.log_rows[ZB_LOG_CONN], 0);
	run_free(r);
}

/* A queue that never brings anything must end the run all the same, with a last snapshot. */
static void engine_without_packets_ends(void **state)
{
	struct run *r = run_new(make_busy, 0);
	struct zb_snapshot s;

	(void)state;
	r->src.empty_polls = 5;
	run_it(r, ZB_SINK_NULL);
	assert_true(zb_snap_get(r->snaps, &s));
	assert_true(s.last);
	assert_int_equal(s.stat.c[ZB_C_pkts_proc], 0);
	run_free(r);
}

/* What cannot work is refused before anything is made. */
static void engine_create_refuses_impossible_bounds(void **state)
{
	struct zb_engine_conf conf = {.burst_max = 0, .conns_max = 1024};
	struct zb_engine *e = NULL;

	(void)state;
	assert_int_equal(zb_engine_create(&conf, &e), -EINVAL);
	conf.burst_max = ZB_BURST_MAX + 1;
	assert_int_equal(zb_engine_create(&conf, &e), -EINVAL);
	conf.burst_max = 1;
	conf.conns_max = 4 * ZB_BURST_MAX - 1;
	assert_int_equal(zb_engine_create(&conf, &e), -EINVAL);
	assert_null(e);
	zb_engine_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_rows_do_not_depend_on_bursts),
		cmocka_unit_test(engine_rows_of_unordered_packets_do_not_depend_on_bursts),
		cmocka_unit_test(engine_end_of_a_replaced_connection_does_not_depend_on_bursts),
		cmocka_unit_test(engine_logs_each_connection_once),
		cmocka_unit_test(engine_snapshots_stand_at_their_boundaries),
		cmocka_unit_test(engine_stopped_logs_what_is_open),
		cmocka_unit_test(engine_at_its_limit_sheds_and_goes_on),
		cmocka_unit_test(engine_without_memory_counts_what_has_no_state),
		cmocka_unit_test(engine_flow_costs_at_most_300_bytes),
		cmocka_unit_test(engine_in_touch_mode_keeps_no_state),
		cmocka_unit_test(engine_without_packets_ends),
		cmocka_unit_test(engine_create_refuses_impossible_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
