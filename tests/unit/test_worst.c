/* SPDX-License-Identifier: Apache-2.0 */
/* test_worst.c - which seconds are told, with what was measured in them and the function at fault
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "bench/cost.h"
#include "bench/worst.h"

#define S 1000000000ull

static struct zb_worst w;
static struct zb_lcore_stat st, sum;

static int start(void **state)
{
	(void)state;
	memset(&st, 0, sizeof(st));
	memset(&sum, 0, sizeof(sum));
	return zb_worst_init(&w, 2);
}

static int end(void **state)
{
	(void)state;
	zb_worst_fini(&w);
	return 0;
}

/* So many packets are analysed, at so many cycles each, in a stage; none is late. */
static void work(uint64_t pkts, uint64_t cycles, enum zb_stage stage)
{
	st.c[ZB_C_pkts_link] += pkts;
	st.c[ZB_C_pkts_proc] += pkts;
	st.stage_cycles[stage] += pkts * cycles;
	st.busy_cycles += pkts * cycles;
	for (uint64_t i = 0; i < pkts; i++)
		zb_lag_note(&st.lag, 1000);
}

static void second(uint64_t nr, bool last)
{
	zb_worst_add(&w, 0, nr * S, &st, last);
}

static void choose(void)
{
	zb_stat_add(&sum, &st);
	zb_worst_choose(&w, &sum);
}

/* Every second is like every other: nothing is told. */
static void worst_is_nothing_in_an_even_run(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		second(i, false);
		work(5000, 400, ZB_STAGE_conn);
	}
	second(20, true);
	choose();
	assert_int_equal(w.told_nr, 0);
}

/* Losses come first, most first; then lateness; then cost. Each second is told once. */
static void worst_is_lost_then_late_then_dear(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		second(i, false);
		work(5000, i == 11 ? 4000 : 400, i == 11 ? ZB_STAGE_stream : ZB_STAGE_conn);
		if (i == 3 || i == 7) {
			st.c[ZB_C_pkts_link] += 10 * i;
			st.c[ZB_C_pkts_dropped] += 10 * i;
		}
		if (i == 7 || i == 20)
			zb_lag_note(&st.lag, 50000000 + i);
	}
	second(30, true);
	choose();
	assert_int_equal(w.told_nr, 4);
	assert_int_equal(w.told[0].why, ZB_WORST_LOST);
	assert_int_equal(w.told[0].from_ns, 7 * S);
	assert_int_equal(w.told[0].to_ns, 8 * S);
	assert_int_equal(w.told[0].dropped, 70);
	assert_int_equal(w.told[0].link, 5070);
	assert_int_equal(w.told[1].dropped, 30);
	assert_int_equal(w.told[2].why, ZB_WORST_LATE);
	assert_int_equal(w.told[2].from_ns, 20 * S);
	assert_in_range(w.told[2].lag_ns, 50000020, 58000000);
	assert_int_equal(w.told[3].why, ZB_WORST_DEAR);
	assert_int_equal(w.told[3].from_ns, 11 * S);
	assert_int_equal(w.told[3].stage, ZB_STAGE_stream);
	assert_true(w.told[3].cycles_per_pkt > 3999 && w.told[3].cycles_per_pkt < 4001);
	assert_true(w.told[3].stage_share > 0.99);
}

/* What the machine took is no packet's cost. */
static void worst_leaves_gaps_out(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		second(i, false);
		work(5000, i == 5 ? 4000 : 400, ZB_STAGE_conn);
		st.gap_cycles[ZB_STAGE_conn] += i == 5 ? 5000 * 3600 : 0;
	}
	second(10, true);
	choose();
	assert_int_equal(w.told_nr, 0);
}

/* Of a thousand bad seconds the worst are told, whenever they were. */
static void worst_of_many_are_the_worst(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		second(i, false);
		work(1, 400, ZB_STAGE_conn);
		st.c[ZB_C_pkts_dropped] += (i * 7919) % 1000;
	}
	second(1000, true);
	choose();
	assert_int_equal(w.told_nr, ZB_WORST_MAX);
	for (unsigned i = 0; i < ZB_WORST_MAX; i++)
		assert_int_equal(w.told[i].dropped, 999 - i);
}

static uint32_t frame(struct zb_samples *s, const char *name, uint32_t module)
{
	struct zb_samples_frame f = {.addr = 16 * (uint64_t)strlen(name), .module = module};
	uint32_t nr;

	assert_int_equal(zb_samples_string(s, name, &f.name), 0);
	assert_int_equal(zb_samples_frame(s, &f, &nr), 0);
	return nr;
}

/* Samples of that time, lane and stage only; what a library does is its caller's. */
static void worst_function_is_of_its_second(void **state)
{
	struct zb_samples *s;
	uint32_t own, lib, stage, mine, other, copy, right, wrong;

	(void)state;
	assert_int_equal(zb_samples_create(&s), 0);
	assert_int_equal(zb_samples_string(s, "/bin/zbench", &own), 0);
	assert_int_equal(zb_samples_string(s, "/lib/libc", &lib), 0);
	stage = frame(s, "zb_stage_stream", own);
	mine = frame(s, "mine", own);
	other = frame(s, "others_function", own);
	copy = frame(s, "memcpy_of_libc_so", lib);
	assert_int_equal(zb_samples_stack(s, (const uint32_t[]){copy, mine, stage}, 3, &right), 0);
	assert_int_equal(zb_samples_stack(s, (const uint32_t[]){other, stage}, 2, &wrong), 0);
	for (unsigned i = 0; i < 100; i++) {
		struct zb_sample_at a = {.weight = 1, .stack = i % 4 == 0 ? wrong : right};

		assert_int_equal(zb_sample_times_add(&s->times, 5 * S + i * (S / 100), a), 0);
		a.stack = wrong; /* another second, another lane, off the CPU */
		a.weight = 10;
		assert_int_equal(zb_sample_times_add(&s->times, 7 * S, a), 0);
		a.lane = 1;
		assert_int_equal(zb_sample_times_add(&s->times, 5 * S, a), 0);
		a.lane = 0;
		a.state = ZB_CPU_PREEMPTED;
		assert_int_equal(zb_sample_times_add(&s->times, 5 * S, a), 0);
	}
	zb_sample_times_settle(&s->times);
	w.told_nr = 1;
	w.told[0] = (struct zb_worst_second){.from_ns = 5 * S,
					     .to_ns = 6 * S,
					     .stage = ZB_STAGE_stream};
	zb_worst_functions(&w, s);
	assert_string_equal(w.told[0].function, "mine");
	assert_true(w.told[0].function_share > 0.74 && w.told[0].function_share < 0.76);
	w.told[0].stage = ZB_STAGE_flow;
	w.told[0].function[0] = '\0';
	zb_worst_functions(&w, s);
	assert_string_equal(w.told[0].function, "");
	zb_samples_destroy(s);
}

/* Text and JSON say the same; a connection is named by its key. */
static void worst_is_told_in_words(void **state)
{
	const struct zb_worst_words words = {.flow = zb_cost_flow_text,
					     .folder = "out",
					     .sampled = true};
	struct zb_meter_flow flow = {.uid_seq_orig = 3};
	char text[2048];
	json_t *a;
	FILE *f;

	(void)state;
	flow.key.ip_version = 4;
	flow.key.proto = 6;
	memcpy(flow.key.a, (const uint8_t[]){10, 0, 0, 1}, 4);
	memcpy(flow.key.b, (const uint8_t[]){10, 0, 0, 2}, 4);
	flow.key.port_a = 1234;
	flow.key.port_b = 80;
	w.told_nr = 1;
	w.told[0] = (struct zb_worst_second){.why = ZB_WORST_LOST,
					     .from_ns = 2 * S,
					     .to_ns = 3 * S,
					     .cpu = 4,
					     .link = 200,
					     .dropped = 50,
					     .stage = ZB_STAGE_flow,
					     .stage_share = 0.5};
	w.told[0].hot.cycles = 9;
	w.told[0].hot.of = 10;
	memcpy(w.told[0].hot.key, &flow, sizeof(flow));
	f = fmemopen(text, sizeof(text), "w");
	assert_non_null(f);
	zb_worst_print(&w, &words, f);
	fclose(f);
	assert_non_null(strstr(text, "2.0 s to 3.0 s, CPU 4: 50 of 200 packets were lost (25 %)"));
	assert_non_null(strstr(text, "10.0.0.1:1234 > 10.0.0.2:80/tcp: 90 %"));
	assert_non_null(strstr(text, "zbench flame out@2.0-3.0 --lcore 4"));
	a = zb_worst_json(&w, &words);
	assert_int_equal(json_array_size(a), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(a, 0), "why")),
			    "lost");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(a, 0), "pkts_dropped")),
			 50);
	json_decref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(worst_is_nothing_in_an_even_run, start, end),
		cmocka_unit_test_setup_teardown(worst_is_lost_then_late_then_dear, start, end),
		cmocka_unit_test_setup_teardown(worst_leaves_gaps_out, start, end),
		cmocka_unit_test_setup_teardown(worst_of_many_are_the_worst, start, end),
		cmocka_unit_test_setup_teardown(worst_function_is_of_its_second, start, end),
		cmocka_unit_test_setup_teardown(worst_is_told_in_words, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
