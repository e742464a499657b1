/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_send_loop.c - every frame that was scheduled is sent or counted as unsent, whatever the
 * device does; frames are what their source says
 *
 * No case depends on how fast the machine is: either there is all the time in the world, or the
 * device takes nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <jansson.h>
#include "bench/certificate.h"
#include "bench/options.h"
#include "packet_build.h"

#define HZ	 2e9 /* as far as the loop is concerned */
#define AGES	 (UINT64_MAX / 4)
#define SEEN_MAX 20000u
#define MAGIC_NS 0xa1b23c4d

/* A device that takes so many frames of each burst, and so many at all. */
struct fake {
	struct zb_txq q;
	uint16_t burst_max;
	uint64_t room;
	uint64_t seen;
	uint32_t reserved;
	uint8_t bufs[ZB_TX_BURST_MAX][64];
	uint8_t data[SEEN_MAX][64]; /* the beginning of each */
	bool *stop_at_end;
};

static uint16_t may_take(struct fake *f, uint16_t n)
{
	n = n < f->burst_max ? n : f->burst_max;
	return f->room < n ? (uint16_t)f->room : n;
}

static void took(struct fake *f, const uint8_t *data, uint32_t len)
{
	if (f->seen < SEEN_MAX)
		memcpy(f->data[f->seen], data, len < 64 ? len : 64);
	f->seen++;
	f->room--;
	if (f->room == 0 && f->stop_at_end != NULL)
		*f->stop_at_end = true;
}

static uint16_t fake_burst(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n)
{
	struct fake *f = (struct fake *)q;

	n = may_take(f, n);
	for (uint16_t i = 0; i < n; i++)
		took(f, frames[i].data, frames[i].len);
	return n;
}

static uint16_t fake_reserve(struct zb_txq *q, uint8_t **bufs, uint16_t n)
{
	struct fake *f = (struct fake *)q;

	f->reserved = n;
	for (uint16_t i = 0; bufs != NULL && i < n; i++)
		bufs[i] = f->bufs[i];
	return n;
}

static uint16_t fake_commit(struct zb_txq *q, uint16_t n)
{
	struct fake *f = (struct fake *)q;

	assert_true(n <= f->reserved);
	n = may_take(f, n);
	for (uint16_t i = 0; i < n; i++)
		took(f, f->bufs[i], 64);
	return n;
}

static const struct zb_txq_ops fake_ops = {
	.burst = fake_burst,
	.reserve = fake_reserve,
	.commit = fake_commit,
};

struct bed {
	struct fake dev;
	struct zb_send_source source;
	struct zb_send_loop loop;
};

static struct bed *make_bed(const char *rate, uint64_t count)
{
	struct bed *b = aligned_alloc(64, sizeof(*b));

	assert_non_null(b);
	memset(b, 0, sizeof(*b));
	b->dev.q.ops = &fake_ops;
	b->dev.q.len_max = b->loop.len_max = 1518;
	b->dev.burst_max = 13; /* never a whole burst */
	b->dev.room = UINT64_MAX;
	b->loop.q = &b->dev.q;
	b->loop.source = &b->source;
	b->loop.tsc_hz = HZ;
	b->loop.count_max = count;
	b->loop.lag_max_ticks = AGES;
	b->loop.burst_max = 64;
	assert_int_equal(zb_pace_parse(rate, &b->loop.rate), 0);
	return b;
}

static struct bed *template_bed(const char *rate, uint64_t count, uint64_t flows)
{
	struct bed *b = make_bed(rate, count);

	zb_send_template(&b->source, 64, flows);
	for (uint32_t i = 0; i < ZB_TX_BURST_MAX; i++)
		memcpy(b->dev.bufs[i], b->source.template, 64);
	return b;
}

/* pkt_nr packets of one flow, 1 us apart; every tenth is 2000 bytes long when some are. */
static struct bed *trace_bed(const char *rate, uint64_t count, uint32_t pkt_nr, bool long_ones)
{
	struct bed *b = make_bed(rate, count);
	struct tb_buf file = {0};
	char path[64];
	const char *paths[] = {path};
	struct zb_trace_conf conf = {.paths = paths, .path_nr = 1, .shard_nr = 1, .numa_id = -1};

	tb_pcap_header(&file, MAGIC_NS, 1);
	for (uint32_t i = 0; i < pkt_nr; i++) {
		struct tb_ip ip = {4, 17, {10, 0, 0, 1}, {203, 0, 113, 9}, 5000, 80, 0, 4};
		struct tb_buf p = {0};
		struct tb_rec r = {.sec = 1000, .frac = i * 1000};

		tb_packet(&p, TB_ETHERNET, &ip);
		if (long_ones && i % 10 == 9)
			tb_zeros(&p, 2000 - p.nr);
		r.cap_len = r.wire_len = (uint32_t)p.nr;
		tb_pcap_record(&file, r, p.p);
		tb_free(&p);
	}
	tb_save(&file, path);
	assert_int_equal(zb_trace_load(&conf, &b->source.trace), 0);
	unlink(path);
	tb_free(&file);
	b->source.kind = ZB_SEND_TRACE;
	assert_int_equal(zb_tx_trace_open(b->source.trace, false, &b->source.frames), 0);
	return b;
}

static void free_bed(struct bed *b)
{
	zb_tx_trace_close(b->source.frames);
	zb_trace_free(b->source.trace);
	free(b);
}

static struct zb_certificate certificate(struct bed *b)
{
	return (struct zb_certificate){.traffic = "a test",
				       .loop = &b->loop,
				       .q = &b->dev.q,
				       .tsc_hz = HZ,
				       .elapsed_s = 1};
}

static void assert_law(struct bed *b)
{
	struct zb_certificate c = certificate(b);

	assert_int_equal(zb_certificate_residual(&c), 0);
	assert_int_equal(b->loop.sent.pkts, b->dev.seen);
}

/* A device that takes only parts of bursts must get every frame once, at any rate. */
static void send_in_parts_sends_all(void **state)
{
	static const char *const rates[] = {"max", "100Mpps", "10Mpps", "100Gbps"};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct bed *t = template_bed(rates[i], 10001, 1);
		struct bed *p = trace_bed(rates[i], 10001, 300, false);

		zb_send_loop_run(&t->loop);
		zb_send_loop_run(&p->loop);
		assert_int_equal(t->loop.sent.pkts, 10001);
		assert_int_equal(t->loop.sent.bytes, 10001 * 64);
		assert_int_equal(p->loop.sent.pkts, 10001);
		assert_law(t);
		assert_law(p);
		if (i > 0) /* without a schedule there is no lag */
			assert_int_equal(t->loop.lag.pkts + p->loop.lag.pkts, 20002);
		free_bed(t);
		free_bed(p);
	}
}

static uint32_t sum16(const uint8_t *p, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Flows must differ from each other, come round in order, and have right checksums. */
static void send_flows_are_distinct_and_right(void **state)
{
	struct bed *b = template_bed("max", 5000, 2000);
	uint8_t pseudo[64];

	(void)state;
	zb_send_loop_run(&b->loop);
	for (uint32_t i = 0; i < 5000; i++) {
		const uint8_t *d = b->dev.data[i];

		assert_int_equal((uint32_t)d[28] << 8 | d[29], i % 2000);
		assert_int_equal(sum16(d + 14, 20), 0xffff);
		memset(pseudo, 0, sizeof(pseudo));
		memcpy(pseudo, d + 26, 8);
		pseudo[9] = 17;
		pseudo[11] = 30;
		memcpy(pseudo + 12, d + 34, 30);
		assert_int_equal(sum16(pseudo, 42), 0xffff);
	}
	/* Beyond 65536 the port goes on. */
	zb_send_set_flow(&b->source, pseudo, 65536 * 5 + 7);
	assert_int_equal((uint32_t)pseudo[34] << 8 | pseudo[35], 1024 + 5);
	assert_law(b);
	free_bed(b);
}

/* When the device takes nothing, the run must end and everything must be unsent. */
static void send_into_a_full_device_ends_and_counts(void **state)
{
	static const char *const rates[] = {"200Mpps", "1Tbps", "1Mpps"};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct bed *t = template_bed(rates[i], 0, 1),
			   *p = trace_bed(rates[i], 0, 300, false);
		struct bed *beds[] = {t, p};

		for (unsigned k = 0; k < 2; k++) {
			struct zb_send_loop *l = &beds[k]->loop;
			struct zb_certificate c = certificate(beds[k]);

			beds[k]->dev.room = 100;
			l->duration_ticks = 4000000; /* 2 ms */
			l->lag_max_ticks = 1000000;
			zb_send_loop_run(l);
			assert_law(beds[k]);
			assert_true(l->sent.pkts <= 100);
			assert_int_equal(zb_certificate_status(&c), ZB_EXIT_FAILED);
		}
		if (i == 0) /* 2 ms at 200 Mpps, counted whole although nothing of it went */
			assert_int_equal(t->loop.scheduled.pkts, 400000);
		if (i == 0)
			assert_int_equal(p->loop.scheduled.pkts, 400000);
		free_bed(t);
		free_bed(p);
	}
}

/* Frames too long for the device must be counted, and not keep others from going. */
static void send_frames_too_long_are_counted(void **state)
{
	struct bed *b = trace_bed("50Mpps", 1000, 100, true);
	struct zb_certificate c = certificate(b);

	(void)state;
	zb_send_loop_run(&b->loop);
	assert_int_equal(b->loop.unsent_size.pkts, 100);
	assert_int_equal(b->loop.sent.pkts, 900);
	assert_law(b);
	assert_int_equal(zb_certificate_status(&c), ZB_EXIT_FAILED);
	free_bed(b);
}

/* Each pass over a trace must have addresses of its own; closing must restore the first ones. */
static void send_passes_have_their_own_addresses(void **state)
{
	struct bed *b = trace_bed("1000x", 250, 100, false);
	const struct zb_trace_shard *s = zb_trace_shard(b->source.trace, 0);
	uint8_t first[64];

	(void)state;
	memcpy(first, s->pkts[0].data, s->pkts[0].cap_len);
	zb_send_loop_run(&b->loop);
	assert_int_equal(b->loop.sent.pkts, 250);
	assert_memory_equal(b->dev.data[0], first, s->pkts[0].cap_len);
	assert_memory_not_equal(b->dev.data[100] + 26, first + 26, 8);
	assert_memory_not_equal(b->dev.data[200] + 26, b->dev.data[100] + 26, 8);
	assert_memory_equal(b->dev.data[199] + 26, b->dev.data[100] + 26, 8);
	assert_int_equal(sum16(b->dev.data[100] + 14, 20), 0xffff);
	zb_tx_trace_close(b->source.frames);
	b->source.frames = NULL;
	assert_memory_equal(s->pkts[0].data, first, s->pkts[0].cap_len);
	free_bed(b);
}

/* Broken off, a run must account for what had been due until then, and for no more. */
static void send_broken_off_keeps_the_law(void **state)
{
	static const char *const rates[] = {"max", "1kpps", "100Mpps"};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct bed *t = template_bed(rates[i], 0, 5),
			   *p = trace_bed(rates[i], 0, 300, false);

		t->dev.room = p->dev.room = i == 1 ? 1 : 1000;
		t->dev.stop_at_end = &t->loop.stop;
		p->dev.stop_at_end = &p->loop.stop;
		zb_send_loop_run(&t->loop);
		zb_send_loop_run(&p->loop);
		assert_int_equal(t->loop.sent.pkts, i == 1 ? 1 : 1000);
		assert_int_equal(p->loop.sent.pkts, i == 1 ? 1 : 1000);
		assert_law(t);
		assert_law(p);
		free_bed(t);
		free_bed(p);
	}
}

/* The file must say what was counted, and be JSON. */
static void certificate_says_what_was_counted(void **state)
{
	struct bed *b = template_bed("10Mpps", 1000, 1);
	struct zb_certificate c = certificate(b);
	char path[] = "/tmp/zb-certificate-XXXXXX";
	json_t *doc, *sent;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	zb_send_loop_run(&b->loop);
	c.left = (struct zb_tx_left){10, 640};
	assert_int_equal(zb_certificate_write(&c, path), 0);
	doc = json_load_file(path, 0, NULL);
	unlink(path);
	assert_non_null(doc);
	sent = json_object_get(doc, "sent");
	assert_int_equal(json_integer_value(json_object_get(sent, "pkts")), 990);
	assert_int_equal(json_integer_value(json_object_get(sent, "bytes")), 990 * 64);
	sent = json_object_get(doc, "unsent");
	assert_int_equal(json_integer_value(json_object_get(sent, "left_pkts")), 10);
	assert_int_equal(json_integer_value(json_object_get(doc, "residual")), 0);
	assert_int_equal(json_integer_value(json_object_get(doc, "exit_status")), 1);
	assert_string_equal(json_string_value(
				    json_object_get(json_object_get(doc, "asked"), "rate")),
			    "10Mpps");
	json_decref(doc);
	assert_true(zb_certificate_write(&c, "/nonexistent/c.json") == -ENOENT);
	free_bed(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send_in_parts_sends_all),
		cmocka_unit_test(send_flows_are_distinct_and_right),
		cmocka_unit_test(send_into_a_full_device_ends_and_counts),
		cmocka_unit_test(send_frames_too_long_are_counted),
		cmocka_unit_test(send_passes_have_their_own_addresses),
		cmocka_unit_test(send_broken_off_keeps_the_law),
		cmocka_unit_test(certificate_says_what_was_counted),
	};

	return cmocka_run_group_tests_name("send_loop", tests, NULL, NULL);
}
