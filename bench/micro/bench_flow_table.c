/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_flow_table.c - what finding and inserting a flow costs, from a table in cache to one of
 * five million flows
 *
 * bench_flow_table [ROUNDS]: look-ups go in bursts of 64, once with the bucket prefetched for the
 * whole burst as the flow stage does, once without, and the quickest of ROUNDS rounds is printed.
 * Insertion is timed one by one while the table grows to five million flows: mean, worst, and how
 * many took longer than 10 and 100 us. The worst of the best round is printed, since a round may be
 * disturbed by others; it shows that growing stops nobody.
 */
#include "micro.h"
#include "pipeline/flow_table.h"

#define BURST	       64u
#define FLOWS_MAX      5000000u
#define LOOKUPS	       (1u << 20)
#define ROUNDS_DEFAULT 5

static volatile uint64_t sink;

static uint32_t hash_of(uint32_t id)
{
	return (uint32_t)micro_mix(id);
}

static void must(int ret)
{
	if (ret < 0) {
		fprintf(stderr, "bench_flow_table: table: out of memory\n");
		exit(1);
	}
}

/* Cycles of LOOKUPS look-ups of flows that are there, in no order. */
static uint64_t lookup_round(const struct zb_flow_table *t, uint32_t flows, bool prefetch)
{
	struct zb_flow_pos pos;
	uint32_t hash[BURST];
	uint64_t cycles = 0;

	for (uint32_t at = 0; at < LOOKUPS; at += BURST) {
		uint64_t sum = 0, begin;

		for (uint32_t i = 0; i < BURST; i++)
			hash[i] = hash_of((uint32_t)(micro_mix(at + i + sink) % flows));
		begin = rte_rdtsc();
		if (prefetch)
			for (uint32_t i = 0; i < BURST; i++)
				zb_flow_prefetch(t, hash[i]);
		for (uint32_t i = 0; i < BURST; i++)
			sum += zb_flow_first(t, hash[i], &pos);
		cycles += rte_rdtsc() - begin;
		sink += sum & 1;
	}
	return cycles;
}

static void lookup_run(uint32_t flows, const char *size, unsigned rounds)
{
	struct zb_flow_table t;

	must(zb_flow_table_init(&t));
	for (uint32_t id = 0; id < flows; id++)
		must(zb_flow_insert(&t, hash_of(id), id));
	for (int prefetch = 1; prefetch >= 0; prefetch--) {
		uint64_t best = UINT64_MAX;
		char name[64];

		for (unsigned i = 0; i < rounds; i++) {
			uint64_t cycles = lookup_round(&t, flows, prefetch);

			best = cycles < best ? cycles : best;
		}
		snprintf(name, sizeof(name), "flow_hit_%s_%s", size,
			 prefetch ? "prefetch" : "plain");
		micro_print(name, "look-up", (double)best / LOOKUPS);
	}
	zb_flow_table_fini(&t);
}

struct insert_times {
	uint64_t sum, worst;
	uint32_t over_10_us, over_100_us;
};

static struct insert_times insert_round(uint64_t cycles_of_10_us)
{
	struct insert_times r = {0};
	struct zb_flow_table t;
	uint64_t begin, end;

	must(zb_flow_table_init(&t));
	begin = rte_rdtsc();
	for (uint32_t id = 0; id < FLOWS_MAX; id++, begin = end) {
		must(zb_flow_insert(&t, hash_of(id), id));
		end = rte_rdtsc();
		uint64_t took = end - begin;

		r.sum += took;
		r.worst = took > r.worst ? took : r.worst;
		r.over_10_us += took > cycles_of_10_us;
		r.over_100_us += took > 10 * cycles_of_10_us;
	}
	zb_flow_table_fini(&t);
	return r;
}

static void insert_run(unsigned rounds)
{
	double per_ns = micro_cycles_per_ns();
	struct insert_times best = {.worst = UINT64_MAX};
	uint64_t sum = UINT64_MAX;

	for (unsigned i = 0; i < rounds; i++) {
		struct insert_times r = insert_round((uint64_t)(10000 * per_ns));

		sum = r.sum < sum ? r.sum : sum;
		if (r.worst < best.worst)
			best = r;
	}
	micro_print("flow_insert_to_5m_mean", "insertion", (double)sum / FLOWS_MAX);
	micro_print("flow_insert_to_5m_worst", "insertion", (double)best.worst);
	printf("%-32s %u above 10 us, %u above 100 us, of %u\n", "flow_insert_to_5m_slow",
	       best.over_10_us, best.over_100_us, FLOWS_MAX);
}

int main(int argc, char **argv)
{
	unsigned rounds = micro_rounds(argc, argv, ROUNDS_DEFAULT);

	if (rounds == 0)
		return 2;
	lookup_run(1000, "1k", rounds);
	lookup_run(100000, "100k", rounds);
	lookup_run(FLOWS_MAX, "5m", rounds);
	insert_run(rounds);
	return 0;
}
