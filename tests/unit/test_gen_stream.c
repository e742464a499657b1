/* SPDX-License-Identifier: Apache-2.0 */
/* test_gen_stream.c - streams of frames: merged by time, errors after the frames before them */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/gen_sessions.h"
#include "bench/gen_stream.h"

/* Frames at given times, each with its stream's name as its only byte. */
struct listed {
	struct zb_gen_stream stream;
	const uint64_t *times;
	unsigned nr, at;
	int last; /* what comes behind them */
	uint8_t name;
	bool outside; /* bytes are not in the frame */
	unsigned *freed;
};

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct listed *l = (struct listed *)self;

	if (l->at == l->nr)
		return l->last;
	f->len = 1;
	f->data[0] = l->name;
	if (l->outside)
		f->ext = &l->name;
	*ts_ns = l->times[l->at++];
	self->sessions++;
	return 1;
}

static void release(struct zb_gen_stream *self)
{
	++*((struct listed *)self)->freed;
}

static struct listed listed(char name, const uint64_t *times, unsigned nr, unsigned *freed)
{
	return (struct listed){
		.stream = {.next = next, .free = release},
		.times = times,
		.nr = nr,
		.name = (uint8_t)name,
		.freed = freed,
	};
}

/* Frames come by time, and at the same time in the order the streams were named. */
static void gen_merge_gives_frames_by_time(void **state)
{
	static const uint64_t a[] = {1, 5, 5, 9}, b[] = {5, 6}, c[] = {0, 9, 10};
	static const char want[] = "caaabbacc";
	unsigned freed = 0, n = 0;
	struct listed la = listed('a', a, 4, &freed), lb = listed('b', b, 2, &freed);
	struct listed lc = listed('c', c, 3, &freed), ld = listed('d', NULL, 0, &freed);
	struct zb_gen_stream *in[] = {&la.stream, &lb.stream, &lc.stream, &ld.stream}, *m;
	static struct zb_gen_frame f;
	uint64_t ts_ns, last_ns = 0;

	(void)state;
	lb.outside = true;
	assert_int_equal(zb_gen_merge(in, 4, &m), 0);
	while (zb_gen_stream_next(m, &f, &ts_ns) == 1) {
		assert_true(ts_ns >= last_ns);
		last_ns = ts_ns;
		assert_int_equal(zb_gen_frame_bytes(&f)[0], want[n++]);
		assert_true((f.ext != NULL) == (want[n - 1] == 'b'));
	}
	assert_int_equal(n, 9);
	assert_int_equal(m->sessions, 9);
	zb_gen_stream_free(m);
	assert_int_equal(freed, 4);
	assert_int_equal(zb_gen_merge(in, 0, &m), -EINVAL);
}

/* A stream's error comes when its turn does: not before the frames that are already due. */
static void gen_merge_error_comes_after_the_frames_before_it(void **state)
{
	static const uint64_t a[] = {1, 2}, b[] = {3};
	unsigned freed = 0;
	struct listed la = listed('a', a, 2, &freed), lb = listed('b', b, 1, &freed);
	struct zb_gen_stream *in[] = {&la.stream, &lb.stream}, *m;
	static struct zb_gen_frame f;
	uint64_t ts_ns;

	(void)state;
	la.last = -EIO;
	assert_int_equal(zb_gen_merge(in, 2, &m), 0);
	assert_int_equal(zb_gen_stream_next(m, &f, &ts_ns), 1);
	assert_int_equal(zb_gen_stream_next(m, &f, &ts_ns), 1);
	assert_int_equal(ts_ns, 2);
	assert_int_equal(zb_gen_stream_next(m, &f, &ts_ns), -EIO);
	zb_gen_stream_free(m);
}

/* Two halves of a mix, merged, are as many frames as each gives alone, in order of time. */
static void gen_merge_of_sessions_loses_nothing(void **state)
{
	struct zb_gen_conf conf = {.profile = 1, .sessions = 300, .duration_ns = 5000000000ull};
	struct zb_gen_stream *in[2], *m;
	static struct zb_gen_frame f;
	uint64_t ts_ns, last_ns = 0, alone = 0, together = 0;

	(void)state;
	for (conf.seed = 1; conf.seed <= 2; conf.seed++) {
		assert_int_equal(zb_gen_sessions_open(&conf, &m), 0);
		for (; zb_gen_stream_next(m, &f, &ts_ns) == 1; alone++)
			;
		zb_gen_stream_free(m);
		assert_int_equal(zb_gen_sessions_open(&conf, &in[conf.seed - 1]), 0);
	}
	assert_int_equal(zb_gen_merge(in, 2, &m), 0);
	for (; zb_gen_stream_next(m, &f, &ts_ns) == 1; together++) {
		assert_true(ts_ns >= last_ns);
		last_ns = ts_ns;
	}
	assert_int_equal(together, alone);
	assert_int_equal(m->sessions, 600);
	zb_gen_stream_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gen_merge_gives_frames_by_time),
		cmocka_unit_test(gen_merge_error_comes_after_the_frames_before_it),
		cmocka_unit_test(gen_merge_of_sessions_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
