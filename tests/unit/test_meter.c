/* SPDX-License-Identifier: Apache-2.0 */
/* test_meter.c - cycles go to who was at work, and to its connection; disturbed bursts to nobody */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <rte_cycles.h>

#include "analyzer_fake.h"
#include "pipeline/meter.h"

#define HTTP	(ZB_METER_A_http - ZB_METER_ANALYZERS)
#define WORK_NS 50000u /* of CPU time, whoever takes the CPU away */
#define WORK	(tsc_hz() / 1000000 * (WORK_NS / 1000) / 10 * 9) /* cycles */

static struct zb_meter meter;
static uint64_t sum[ZB_METERED_MAX];

/* As the clock says; there is no EAL here that would have looked. */
static uint64_t tsc_hz(void)
{
	static uint64_t hz;
	const struct timespec nap = {.tv_nsec = 20000000};
	struct timespec from, to;

	if (hz != 0)
		return hz;
	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	uint64_t tsc = rte_rdtsc();

	nanosleep(&nap, NULL);
	clock_gettime(CLOCK_MONOTONIC_RAW, &to);
	tsc = rte_rdtsc() - tsc;
	hz = (uint64_t)((double)tsc / ((double)(to.tv_sec - from.tv_sec) +
				       1e-9 * (double)(to.tv_nsec - from.tv_nsec)));
	return hz;
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void work(void)
{
	for (uint64_t from = cpu_ns(); cpu_ns() - from < WORK_NS;)
		;
}

static void begin(struct analyzer_bed *b)
{
	memset(&meter, 0, sizeof(meter));
	memset(sum, 0, sizeof(sum));
	meter.sum = sum;
	meter.tsc_hz = tsc_hz();
	b->an.meter = &meter;
	zb_meter_begin(&b->an);
}

/* Nothing is counted twice, and nothing is lost. */
static uint64_t total(void)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < ZB_METER_NR; i++)
		all += sum[i];
	return all;
}

/* What calls another pays for itself only. */
static void meter_places_pay_for_themselves(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	uint64_t from = rte_rdtsc();

	begin(&b);
	uint8_t was = zb_meter_enter(&b.an, ZB_METER_A_http);

	work();
	uint8_t http = zb_meter_enter(&b.an, ZB_METER_FILES);

	work();
	work();
	zb_meter_leave(&b.an, http);
	work();
	zb_meter_leave(&b.an, was);
	zb_meter_end(&b.an);
	assert_in_range(total(), 1, rte_rdtsc() - from);
	assert_in_range(sum[ZB_METER_A_http], 2 * WORK, total() - 2 * WORK);
	assert_in_range(sum[ZB_METER_FILES], 2 * WORK, total() - 2 * WORK);
	assert_in_range(meter.longest[ZB_METER_A_http - ZB_METER_ANALYZERS], WORK,
			sum[ZB_METER_A_http] - WORK);
	assert_int_equal(meter.flows.total, 0);
	ab_end(&b);
	ab_close(&b);
}

/* Data that reaches an analyzer is charged to it by the frame, without its doing. */
static void meter_analyzers_are_charged(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	begin(&b);
	zb_meter_conn(&b.an, &b.conn);
	ab_text(&b, ZB_ORIG, "a");
	zb_meter_end(&b.an);
	assert_true(sum[ZB_METER_ANALYZERS + FAKE_PORT] > 0);
	assert_int_equal(sum[ZB_METER_ANALYZERS + FAKE_ONE], 0);
	assert_int_equal(meter.flows.nr, 1);
	ab_end(&b);
	ab_close(&b);
}

/* Each connection pays for its turns; hosts for those of all their connections. */
static void meter_connections_pay_for_their_turns(void **state)
{
	struct analyzer_bed b;
	struct zb_conn other;
	struct zb_sketch_entry top[3];
	struct zb_meter_flow dearest;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	other = b.conn;
	ab_conn_to(&other, IPPROTO_TCP, 4711);
	other.uid_seq = b.conn.uid_seq + 1;
	begin(&b);
	for (unsigned i = 0; i < 3; i++) {
		zb_meter_conn(&b.an, &b.conn);
		work();
		zb_meter_conn(&b.an, &other);
		work();
		work();
	}
	zb_meter_stage(&b.an, ZB_METER_EXPIRE);
	work();
	zb_meter_end(&b.an);
	assert_int_equal(zb_sketch_top(&meter.flows, top, 3), 2);
	memcpy(&dearest, top[0].key, sizeof(dearest));
	assert_int_equal(dearest.uid_seq_orig >> 1, other.uid_seq);
	assert_memory_equal(&dearest.key, &other.key, sizeof(other.key));
	assert_true(top[0].weight >= 6 * WORK && top[1].weight >= 3 * WORK);
	assert_in_range(meter.flows.total, 9 * WORK, total() - WORK);
	assert_int_equal(zb_sketch_top(&meter.originators, top, 3), 1);
	assert_int_equal(top[0].weight, meter.flows.total);
	ab_end(&b);
	ab_close(&b);
}

/* While a thread sleeps it is not at work, whatever the clock says. */
static void meter_takes_off_what_did_not_run(void **state)
{
	const struct timespec nap = {.tv_nsec = 50000000};
	struct zb_own_time own;
	struct analyzer_bed b;

	(void)state;
	zb_own_time_begin(&own);
	nanosleep(&nap, NULL);
	if (zb_own_time_undisturbed())
		skip(); /* the kernel does not tell */
	assert_true(zb_own_time_lost(&own, tsc_hz()) > tsc_hz() / 40);
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	uint64_t from = rte_rdtsc();

	begin(&b);
	zb_meter_conn(&b.an, &b.conn);
	work();
	nanosleep(&nap, NULL);
	work();
	zb_meter_end(&b.an);
	assert_true(meter.disturbed > 0);
	assert_in_range(total(), 2 * WORK, rte_rdtsc() - from - tsc_hz() / 40);
	assert_int_equal(meter.flows.nr, 1);
	assert_false(b.an.metering);
	ab_end(&b);
	ab_close(&b);
}

/* A burst with a call of an analyzer for the connection. */
static void burst_with_call(struct analyzer_bed *b)
{
	zb_meter_begin(&b->an);
	zb_meter_conn(&b->an, &b->conn);
	uint8_t was = zb_meter_enter(&b->an, ZB_METER_A_http);

	zb_meter_data(&b->an, HTTP, 10);
	work();
	zb_meter_leave(&b->an, was);
	zb_meter_end(&b->an);
}

/* Those that come later are fewer, and count for as many as were left out, in all that is told. */
static void meter_later_bursts_count_for_more(void **state)
{
	const uint64_t first = ZB_METER_FIRST, later = ZB_METER_LATER;
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	begin(&b);
	zb_meter_end(&b.an);
	assert_int_equal(meter.next - meter.since, ZB_METER_EVERY);
	for (unsigned i = 1; i < ZB_METER_FIRST; i++) {
		zb_meter_begin(&b.an);
		zb_meter_end(&b.an);
	}
	assert_int_equal(meter.next - meter.since, later * ZB_METER_EVERY);
	assert_int_equal(total(), meter.cycles);
	uint64_t cycles = meter.cycles, sums = total(), flows = meter.flows.total;

	burst_with_call(&b);
	assert_int_equal(meter.bursts, first + 1);
	assert_int_equal(meter.calls[HTTP], later);
	assert_int_equal(meter.bytes[HTTP], 10 * later);
	assert_int_equal(total() - sums, later * (meter.cycles - cycles));
	assert_in_range(meter.flows.total - flows, later * WORK, total() - sums);
	assert_int_equal(later * meter.longest[HTTP], sum[ZB_METER_A_http]);
	ab_end(&b);
	ab_close(&b);
}

/* More connections in a burst than there is room for: the rest is of nobody. */
static void meter_turns_are_bounded(void **state)
{
	struct analyzer_bed b;
	struct zb_conn c;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	c = b.conn;
	begin(&b);
	for (unsigned i = 0; i < 2 * ZB_METER_TURNS; i++) {
		c.uid_seq++;
		zb_meter_conn(&b.an, &c);
	}
	assert_int_equal(meter.turn_nr, ZB_METER_TURNS);
	zb_meter_end(&b.an);
	ab_end(&b);
	ab_close(&b);
}

static void meter_every_place_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ZB_METER_NR; i++)
		assert_non_null(zb_meter_place_name(i));
	assert_null(zb_meter_place_name(ZB_METER_NR));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meter_places_pay_for_themselves),
		cmocka_unit_test(meter_analyzers_are_charged),
		cmocka_unit_test(meter_connections_pay_for_their_turns),
		cmocka_unit_test(meter_takes_off_what_did_not_run),
		cmocka_unit_test(meter_later_bursts_count_for_more),
		cmocka_unit_test(meter_turns_are_bounded),
		cmocka_unit_test(meter_every_place_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
