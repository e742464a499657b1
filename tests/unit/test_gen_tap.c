/* SPDX-License-Identifier: Apache-2.0 */
/* test_gen_tap.c - faults at the tap: each at its rate, each counted, and nothing else changed */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/gen_number.h"
#include "bench/gen_tap.h"

#define FRAMES 200000u
#define FLOWS  8u
#define GAP_NS 1000u
#define NUMBER 42u /* offset of the frame's number */
#define LEN    100u

/* Frame i belongs to flow i % FLOWS, of which every other one comes from outside. */
struct numbered {
	struct zb_gen_stream stream;
	uint32_t at, nr;
};

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct numbered *n = (struct numbered *)self;
	uint8_t flow = (uint8_t)(n->at % FLOWS);
	static const uint8_t eth_ip[] = {2, 0,	  0, 0, 0,  2, 2, 0,	0, 0,  0,  1, 8,
					 0, 0x45, 0, 0, 86, 0, 0, 0x40, 0, 64, 17, 0, 0};
	static const uint8_t inside[] = {10, 0, 0, 1}, outside[] = {198, 51, 100, 1};

	if (n->at == n->nr)
		return 0;
	memset(f->data, 0, LEN);
	memcpy(f->data, eth_ip, sizeof(eth_ip));
	memcpy(f->data + 26, flow % 2 ? outside : inside, 4);
	memcpy(f->data + 30, flow % 2 ? inside : outside, 4);
	f->data[35] = f->data[37] = (uint8_t)(flow / 2);
	memcpy(f->data + NUMBER, &n->at, 4);
	f->len = LEN;
	*ts_ns = 1000000000ull + (uint64_t)n->at++ * GAP_NS;
	return 1;
}

static void release(struct zb_gen_stream *self)
{
	free(self);
}

static struct zb_gen_stream *numbered(uint32_t nr)
{
	struct numbered *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	n->stream = (struct zb_gen_stream){.next = next, .free = release};
	n->nr = nr;
	return &n->stream;
}

/* What came of the frames behind a tap. */
struct seen {
	uint32_t nr, number[2 * FRAMES];
	uint64_t ts_ns[2 * FRAMES];
	uint32_t len, cut_len; /* of the last one */
	struct zb_tap_count count;
};
static struct seen seen;

static void run(const char *spec, uint64_t seed)
{
	struct zb_tap_conf conf;
	struct zb_gen_stream *tap;
	static struct zb_gen_frame f;

	assert_int_equal(zb_tap_parse("--tap", spec, &conf), 0);
	conf.seed = seed;
	conf.link = ZB_LINK_ETHERNET;
	assert_int_equal(zb_tap_open(numbered(FRAMES), &conf, &seen.count, &tap), 0);
	for (seen.nr = 0; zb_gen_stream_next(tap, &f, &seen.ts_ns[seen.nr]) == 1; seen.nr++) {
		memcpy(&seen.number[seen.nr], f.data + NUMBER, 4);
		assert_true(seen.nr == 0 || seen.ts_ns[seen.nr] >= seen.ts_ns[seen.nr - 1]);
		seen.len = f.len;
		seen.cut_len = f.cut_len;
	}
	zb_gen_stream_free(tap);
	assert_int_equal(seen.count.offered, FRAMES);
	assert_int_equal(seen.count.given, seen.nr);
	assert_int_equal(seen.count.given,
			 FRAMES - seen.count.other_way - seen.count.lost + seen.count.duplicated);
}

/* Within five standard deviations of a coin thrown FRAMES times. */
static void assert_rate(uint64_t seen_nr, double rate)
{
	double want = rate * FRAMES, off = (double)seen_nr - want;

	if (off * off > 25 * want * (1 - rate))
		fail_msg("%llu of %u instead of %.0f", (unsigned long long)seen_nr, FRAMES, want);
}

/* Single losses: so many at that rate, and the frames that are missing are those counted. */
static void gen_tap_loses_at_the_rate(void **state)
{
	static const struct {
		const char *spec;
		double rate;
	} cases[] = {{"loss=0.1%", 0.001}, {"loss=1%", 0.01}, {"loss=25%", 0.25}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint32_t missing = 0;

		run(cases[i].spec, 3);
		assert_rate(seen.count.lost, cases[i].rate);
		for (uint32_t k = 1; k < seen.nr; k++)
			missing += seen.number[k] - seen.number[k - 1] - 1;
		missing += seen.number[0] + FRAMES - 1 - seen.number[seen.nr - 1];
		assert_int_equal(missing, seen.count.lost);
		assert_int_equal(seen.count.lost_bytes, seen.count.lost * LEN);
	}
}

/* Losses in bursts: the same share in fewer rows, as long as asked for on average. */
static void gen_tap_loses_in_bursts_of_the_length(void **state)
{
	uint32_t rows = 0;
	double lost, length;

	(void)state;
	run("loss=2%,burst=8", 3);
	lost = (double)seen.count.lost / FRAMES;
	length = (double)seen.count.lost / (double)seen.count.bursts;
	for (uint32_t k = 1; k < seen.nr; k++)
		rows += seen.number[k] - seen.number[k - 1] > 1;
	assert_in_range(seen.count.bursts - rows, 0, 2); /* at both ends */
	/* about 500 rows: a mean of 8 has a standard deviation of 0.34 */
	assert_true(length > 6.5 && length < 9.5);
	assert_true(lost > 0.016 && lost < 0.024);
}

/* Duplicates follow at once, at the same time. */
static void gen_tap_duplicates_at_the_rate(void **state)
{
	uint32_t twins = 0;

	(void)state;
	run("duplicate=0.5%", 9);
	assert_rate(seen.count.duplicated, 0.005);
	for (uint32_t k = 1; k < seen.nr; k++) {
		if (seen.number[k] == seen.number[k - 1]) {
			twins++;
			assert_int_equal(seen.ts_ns[k], seen.ts_ns[k - 1]);
		}
	}
	assert_int_equal(twins, seen.count.duplicated);
}

/* Reordering: so many frames are passed by as many of their flow as asked for; none is lost. */
static void gen_tap_reorders_within_flows_at_the_rate(void **state)
{
	static const unsigned depths[] = {1, 3};
	static uint8_t here[FRAMES];

	(void)state;
	for (size_t d = 0; d < 2; d++) {
		uint32_t newest[FLOWS] = {0}, late = 0;
		char spec[64];

		snprintf(spec, sizeof(spec), "reorder=0.5%%,depth=%u", depths[d]);
		run(spec, 9);
		assert_rate(seen.count.reordered, 0.005);
		assert_in_range(seen.count.not_reordered, 0, 2);
		memset(here, 0, sizeof(here));
		for (uint32_t k = 0; k < seen.nr; k++) {
			uint32_t n = seen.number[k], *top = &newest[n % FLOWS];

			assert_int_equal(here[n]++, 0);
			if (n < *top) {
				late++;
				assert_in_range(*top - n, depths[d] * FLOWS, 8 * FLOWS);
			} else {
				*top = n;
			}
		}
		assert_int_equal(seen.nr, FRAMES);
		assert_int_equal(late, seen.count.reordered);
	}
}

/* One way: exactly the frames of the other direction are missing. */
static void gen_tap_one_way_keeps_one_direction(void **state)
{
	(void)state;
	run("oneway", 1);
	assert_int_equal(seen.count.other_way, FRAMES / 2);
	for (uint32_t k = 0; k < seen.nr; k++)
		assert_int_equal(seen.number[k] % 2, 0);
	run("oneway=in", 1);
	for (uint32_t k = 0; k < seen.nr; k++)
		assert_int_equal(seen.number[k] % 2, 1);
}

/* Skew: one direction is later by exactly so much, the other is as it was, and order is by time. */
static void gen_tap_skew_delays_one_direction(void **state)
{
	static const int64_t skews[] = {50500, -50500};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		run(i == 0 ? "skew=0.0505" : "skew=-50.5us", 1);
		assert_int_equal(seen.nr, FRAMES);
		assert_int_equal(seen.count.skewed, FRAMES / 2);
		for (uint32_t k = 0; k < seen.nr; k++) {
			uint32_t n = seen.number[k];
			bool late = n % 2 == (skews[i] > 0 ? 1 : 0);

			assert_int_equal(seen.ts_ns[k],
					 1000000000ull + (uint64_t)n * GAP_NS + (late ? 50500 : 0));
		}
	}
}

/* The snap length cuts frames and remembers what they were. */
static void gen_tap_snap_length_cuts(void **state)
{
	(void)state;
	run("snaplen=64", 1);
	assert_int_equal(seen.count.cut, FRAMES);
	assert_int_equal(seen.len, 64);
	assert_int_equal(seen.cut_len, LEN - 64);
	run("snaplen=100", 1);
	assert_int_equal(seen.count.cut, 0);
	assert_int_equal(seen.cut_len, 0);
}

/* All at once, the counts still say what was done, the same for the same seed. */
static void gen_tap_all_faults_together_add_up(void **state)
{
	static const char spec[] =
		"loss=3%,burst=4,duplicate=1%,reorder=1%,snaplen=60,skew=2,oneway=out";
	struct zb_tap_count first;

	(void)state;
	run(spec, 5);
	first = seen.count;
	assert_true(first.lost > 0 && first.duplicated > 0 && first.reordered > 0);
	assert_int_equal(first.cut, first.given);
	run(spec, 5);
	assert_memory_equal(&first, &seen.count, sizeof(first));
	run(spec, 6);
	assert_memory_not_equal(&first, &seen.count, sizeof(first));
}

/* What cannot be read is refused. */
static void gen_tap_bad_spec_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"lost=1%",
		"loss",
		"loss=1",
		"loss=101%",
		"loss=-1%",
		"loss=x%",
		"burst=4",
		"loss=90%,burst=1",
		"loss=1%,burst=0",
		"depth=2",
		"reorder=1%,depth=65",
		"snaplen=13",
		"snaplen=1.5",
		"oneway=left",
		"skew=0",
		"skew=61000",
		"skew=5x",
		"duplicate=1e2%",
	};
	struct zb_tap_conf conf = {.seed = 77};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (zb_tap_parse("--tap", bad[i], &conf) != -EINVAL)
			fail_msg("%s is taken", bad[i]);
	assert_int_equal(conf.seed, 77);
}

/* Numbers are read exactly, without floating point. */
static void gen_numbers_are_read_exactly(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(zb_gen_percent("50%", &v), 0);
	assert_true(v == 1ull << 63);
	assert_int_equal(zb_gen_percent("100%", &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(zb_gen_percent("100.000001%", &v), -ERANGE);
	assert_int_equal(zb_gen_time("1.5ms", 1, &v), 0);
	assert_int_equal(v, 1500000);
	assert_int_equal(zb_gen_time("7", 1000, &v), 0);
	assert_int_equal(v, 7000);
	assert_int_equal(zb_gen_time("7 s", 1000, &v), -EINVAL);
	assert_int_equal(zb_gen_amount("1.5k", &v), 0);
	assert_int_equal(v, 1500);
	assert_int_equal(zb_gen_amount("1234567890123", &v), -ERANGE);
	assert_int_equal(zb_gen_amount(".5", &v), -EINVAL);
	assert_int_equal(zb_gen_amount("1.", &v), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gen_tap_loses_at_the_rate),
		cmocka_unit_test(gen_tap_loses_in_bursts_of_the_length),
		cmocka_unit_test(gen_tap_duplicates_at_the_rate),
		cmocka_unit_test(gen_tap_reorders_within_flows_at_the_rate),
		cmocka_unit_test(gen_tap_one_way_keeps_one_direction),
		cmocka_unit_test(gen_tap_skew_delays_one_direction),
		cmocka_unit_test(gen_tap_snap_length_cuts),
		cmocka_unit_test(gen_tap_all_faults_together_add_up),
		cmocka_unit_test(gen_tap_bad_spec_is_refused),
		cmocka_unit_test(gen_numbers_are_read_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
