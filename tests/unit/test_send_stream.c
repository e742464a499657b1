/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_send_stream.c - frames that are made while they are sent: each that was made is sent as it
 * was made, or counted
 *
 * As in test_send_loop.c, no case depends on how fast the machine is.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/certificate.h"
#include "bench/gen_stream.h"

#define HZ	 2e9 /* as far as the loop is concerned */
#define AGES	 (UINT64_MAX / 4)
#define BUFS	 1024u
#define LEN_MIN	 60u
#define LEN_SPAN 1400u

/* Frames that say their number and are filled with it, a microsecond apart. */
struct numbered {
	struct zb_gen_stream stream;
	uint32_t nr, end;
	int ret; /* what comes behind the last one */
	bool long_ones;
	uint8_t outside[BUFS][LEN_MIN]; /* every seventh is not in the frame */
};

static uint32_t len_of(uint32_t nr)
{
	return LEN_MIN + nr * 131 % LEN_SPAN;
}

static void fill(uint8_t *data, uint32_t nr, uint32_t len)
{
	memset(data, (int)(nr * 7), len);
	memcpy(data, &nr, sizeof(nr));
}

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct numbered *n = (struct numbered *)self;

	if (n->nr == n->end)
		return n->ret;
	*ts_ns = 1000ull * n->nr;
	f->len = len_of(n->nr);
	if (n->nr % 7 == 6) {
		f->len = LEN_MIN;
		fill(n->outside[n->nr % BUFS], n->nr, LEN_MIN);
		f->ext = n->outside[n->nr % BUFS];
	} else if (n->long_ones && n->nr % 10 == 9) {
		f->len = 1600;
	} else {
		fill(f->data, n->nr, f->len);
	}
	n->nr++;
	return 1;
}

/* A device that takes so many frames of each burst, and so many at all. */
struct fake {
	struct zb_txq q;
	uint16_t burst_max;
	uint64_t room;
	uint32_t first, held; /* of the ring of buffers */
	struct {
		uint8_t front[ZB_TX_FRONT];
		uint8_t data[2048];
	} * bufs[2 * BUFS];
	uint64_t seen, wrong;
	uint32_t next_nr; /* no frame with a lower number may come */
};

static void look(struct fake *f, const uint8_t *data, uint32_t len)
{
	uint8_t want[2048];
	uint32_t nr;

	memcpy(&nr, data, sizeof(nr));
	fill(want, nr, len);
	if (nr < f->next_nr || len != (nr % 7 == 6 ? LEN_MIN : len_of(nr)) ||
	    memcmp(data, want, len) != 0)
		f->wrong++;
	f->next_nr = nr + 1;
	f->seen++;
	f->room--;
}

static uint16_t may_take(const struct fake *f, uint16_t n)
{
	n = n < f->burst_max ? n : f->burst_max;
	return f->room < n ? (uint16_t)f->room : n;
}

static uint16_t fake_burst(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n)
{
	struct fake *f = (struct fake *)q;

	n = may_take(f, n);
	for (uint16_t i = 0; i < n; i++)
		look(f, frames[i].data, frames[i].len);
	return n;
}

static uint16_t fake_reserve(struct zb_txq *q, uint8_t **bufs, uint16_t n)
{
	struct fake *f = (struct fake *)q;

	f->held = f->held < n ? n : f->held;
	for (uint16_t i = 0; i < n; i++)
		bufs[i] = f->bufs[(f->first + i) % BUFS]->data;
	return n;
}

static uint16_t fake_commit_frames(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n)
{
	struct fake *f = (struct fake *)q;

	assert_true(n <= f->held);
	n = may_take(f, n);
	for (uint16_t i = 0; i < n; i++) {
		look(f, f->bufs[f->first]->data, frames[i].len);
		f->first = (f->first + 1) % BUFS;
		f->held--;
	}
	return n;
}

static void fake_put_back(struct zb_txq *q, uint16_t n)
{
	struct fake *f = (struct fake *)q;

	for (uint16_t i = 0; i < n; i++) {
		uint32_t behind = (f->first + f->held) % BUFS;
		void *b = f->bufs[f->first];

		f->bufs[f->first] = f->bufs[behind];
		f->bufs[behind] = b;
		f->first = (f->first + 1) % BUFS;
	}
}

static const struct zb_txq_ops in_place_ops = {
	.burst = fake_burst,
	.reserve = fake_reserve,
	.commit_frames = fake_commit_frames,
	.put_back = fake_put_back,
};

struct bed {
	struct fake dev;
	struct zb_send_source source;
	struct zb_send_loop loop;
	struct numbered stream;
};

static struct bed *make_bed(const char *rate, uint32_t frames, bool in_place)
{
	struct bed *b = aligned_alloc(64, sizeof(*b));

	assert_non_null(b);
	memset(b, 0, sizeof(*b));
	b->dev = (struct fake){.q = {.ops = &in_place_ops, .len_max = 1518},
			       .burst_max = 13,
			       .room = UINT64_MAX};
	for (uint32_t i = 0; i < BUFS; i++)
		assert_non_null(b->dev.bufs[i] = malloc(sizeof(*b->dev.bufs[i])));
	b->stream = (struct numbered){.stream = {.next = next}, .end = frames};
	b->source = (struct zb_send_source){.kind = ZB_SEND_STREAM,
					    .stream = &b->stream.stream,
					    .stream_ret = 1};
	b->loop.made = calloc(ZB_TX_BURST_MAX + 1, sizeof(b->loop.made[0]));
	assert_non_null(b->loop.made);
	b->loop.q = &b->dev.q;
	b->loop.source = &b->source;
	b->loop.in_place = in_place;
	b->loop.tsc_hz = HZ;
	b->loop.len_max = 1518;
	b->loop.lag_max_ticks = AGES;
	b->loop.burst_max = 64;
	assert_int_equal(zb_pace_parse(rate, &b->loop.rate), 0);
	return b;
}

static void free_bed(struct bed *b)
{
	for (uint32_t i = 0; i < BUFS; i++)
		free(b->dev.bufs[i]);
	free(b->loop.made);
	free(b);
}

static void assert_law(const struct bed *b)
{
	struct zb_certificate c = {.loop = &b->loop, .q = &b->dev.q, .tsc_hz = HZ, .elapsed_s = 1};

	assert_int_equal(zb_certificate_residual(&c), 0);
	assert_int_equal(b->loop.sent.pkts, b->dev.seen);
	assert_int_equal(b->dev.wrong, 0);
}

static const char *const rates[] = {"max", "100Mpps", "100Gbps", "100x"};

/* All frames of the stream go, as they were made and in order, and the run ends with them. */
static void send_stream_goes_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		for (unsigned in_place = 0; in_place < 2; in_place++) {
			struct bed *b = make_bed(rates[i], 10001, in_place);

			zb_send_loop_run(&b->loop);
			assert_int_equal(b->loop.sent.pkts, 10001);
			assert_int_equal(b->source.stream_ret, 0);
			assert_law(b);
			free_bed(b);
		}
	}
}

/* A count ends it before the stream does. */
static void send_stream_ends_after_a_count(void **state)
{
	(void)state;
	for (unsigned in_place = 0; in_place < 2; in_place++) {
		struct bed *b = make_bed("max", 10001, in_place);

		b->loop.count_max = 777;
		zb_send_loop_run(&b->loop);
		assert_int_equal(b->loop.sent.pkts, 777);
		assert_law(b);
		free_bed(b);
	}
}

/* Frames that are too long are counted, and those behind them are what they should be. */
static void send_stream_too_long_is_counted(void **state)
{
	(void)state;
	for (unsigned in_place = 0; in_place < 2; in_place++) {
		struct bed *b = make_bed("50Mpps", 1000, in_place);

		b->stream.long_ones = true;
		zb_send_loop_run(&b->loop);
		assert_int_equal(b->loop.unsent_size.pkts, 86); /* 14 of 100 are outside */
		assert_int_equal(b->loop.sent.pkts, 914);
		assert_law(b);
		free_bed(b);
	}
}

/* What is given up is counted, and what goes after it is not mixed up with it. */
static void send_stream_given_up_is_counted(void **state)
{
	(void)state;
	for (size_t i = 1; i < sizeof(rates) / sizeof(rates[0]); i++) {
		for (unsigned in_place = 0; in_place < 2; in_place++) {
			struct bed *b = make_bed(rates[i], UINT32_MAX, in_place);

			/* So short that most frames are late, for a machine that does anything
			 * else. */
			b->loop.lag_max_ticks = 2000;
			b->loop.duration_ticks = 20000000;
			b->dev.room = 20000;
			zb_send_loop_run(&b->loop);
			assert_law(b);
			assert_true(b->loop.unsent_late.pkts > 0);
			free_bed(b);
		}
	}
}

/* A stream that breaks off ends the run after what it had given. */
static void send_stream_breaks_off_run_ends(void **state)
{
	(void)state;
	for (unsigned in_place = 0; in_place < 2; in_place++) {
		struct bed *b = make_bed("max", 100, in_place);

		b->stream.ret = -ENOMEM;
		zb_send_loop_run(&b->loop);
		assert_int_equal(b->loop.sent.pkts, 100);
		assert_int_equal(b->source.stream_ret, -ENOMEM);
		assert_law(b);
		free_bed(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send_stream_goes_whole),
		cmocka_unit_test(send_stream_ends_after_a_count),
		cmocka_unit_test(send_stream_too_long_is_counted),
		cmocka_unit_test(send_stream_given_up_is_counted),
		cmocka_unit_test(send_stream_breaks_off_run_ends),
	};

	return cmocka_run_group_tests_name("send_stream", tests, NULL, NULL);
}
