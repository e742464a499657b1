/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_row.c - what formatting one log row costs, in nanoseconds and TSC cycles
 *
 * bench_row [ROUNDS]: each case formats ROWS different rows of conn.log's 22 fields (or a single
 * kind of value) ROUNDS times and prints the quickest round, which is the one least disturbed.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>
#include "pipeline/logs.h"
#include "profiler/clock.h"

#define ROWS	       1024
#define ROUNDS_DEFAULT 2000

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNFIT "sanitizer"
#elif !defined(__OPTIMIZE__)
#define UNFIT "unoptimised"
#elif !defined(NDEBUG)
#define UNFIT "assert"
#endif

/* What a conn.log row is made from, so that rows differ as they do in a run. */
struct flow {
	uint64_t ts_ns;
	int64_t duration_ns;
	char uid[24];
	size_t uid_len;
	uint8_t orig[16], resp[16];
	uint16_t orig_port, resp_port;
	uint64_t bytes[2], pkts[2], ip_bytes[2];
	const char *uri;
	size_t uri_len;
};

static struct flow flows[ROWS];
static volatile size_t sink; /* keeps the rows alive */

static const struct zb_row_field string_field[] = {{"uri", ZB_T_STRING}};
static const struct zb_row_def string_def = {"string", string_field, 1};
static const struct zb_row_field double_field[] = {{"loss", ZB_T_DOUBLE}};
static const struct zb_row_def double_def = {"double", double_field, 1};

static void flows_init(void)
{
	static const char uri[] =
		"/assets/fonts/inter-v12-latin-regular.woff2?version=20240131&lang=en";
	static const char dirty[] = "/caf\xc3\xa9/menu?q=\"pain au chocolat\"&t=\x01";

	for (unsigned i = 0; i < ROWS; i++) {
		struct flow *f = &flows[i];

		f->ts_ns = 1795357482000000000u + (uint64_t)random() * 1000;
		f->duration_ns = (random() & 0xfffffff) * 1000;
		f->uid_len = 17 + i % 2;
		memset(f->uid, 'C', sizeof(f->uid));
		for (unsigned b = 0; b < 16; b++) {
			f->orig[b] = (uint8_t)random();
			f->resp[b] = b < 8 && i % 2 ? 0 : (uint8_t)random();
		}
		f->orig_port = (uint16_t)random();
		f->resp_port = 443;
		for (unsigned d = 0; d < 2; d++) {
			f->pkts[d] = (uint64_t)random() % (i % 8 ? 20 : 100000);
			f->bytes[d] = f->pkts[d] * 700;
			f->ip_bytes[d] = f->pkts[d] * 740;
		}
		f->uri = i % 2 ? uri : dirty;
		f->uri_len = i % 2 ? sizeof(uri) - 1 : sizeof(dirty) - 1;
	}
}

static void conn_row(struct zb_row *r, const struct flow *f, bool is_v6)
{
	zb_row_time(r, f->ts_ns);
	zb_row_word(r, f->uid, f->uid_len);
	is_v6 ? zb_row_addr6(r, f->orig) : zb_row_addr4(r, f->orig);
	zb_row_port(r, f->orig_port);
	is_v6 ? zb_row_addr6(r, f->resp) : zb_row_addr4(r, f->resp);
	zb_row_port(r, f->resp_port);
	zb_row_word(r, "tcp", 3);
	zb_row_word(r, "ssl", 3);
	zb_row_interval(r, f->duration_ns);
	zb_row_count(r, f->bytes[0]);
	zb_row_count(r, f->bytes[1]);
	zb_row_word(r, "SF", 2);
	zb_row_bool(r, true);
	zb_row_bool(r, false);
	zb_row_count(r, 0);
	zb_row_word(r, "ShADadfF", 8);
	zb_row_count(r, f->pkts[0]);
	zb_row_count(r, f->ip_bytes[0]);
	zb_row_count(r, f->pkts[1]);
	zb_row_count(r, f->ip_bytes[1]);
	zb_row_unset(r);
	zb_row_count(r, 6);
}

static void conn4_row(struct zb_row *r, const struct flow *f)
{
	conn_row(r, f, false);
}

static void conn6_row(struct zb_row *r, const struct flow *f)
{
	conn_row(r, f, true);
}

static void clean_row(struct zb_row *r, const struct flow *f)
{
	(void)f;
	zb_row_string(r, flows[1].uri, flows[1].uri_len);
}

static void dirty_row(struct zb_row *r, const struct flow *f)
{
	(void)f;
	zb_row_string(r, flows[0].uri, flows[0].uri_len);
}

static void double_row(struct zb_row *r, const struct flow *f)
{
	zb_row_double(r, (double)f->bytes[0] / 7);
}

struct bench_case {
	const char *name;
	const struct zb_row_def *def;
	void (*row)(struct zb_row *r, const struct flow *f);
};

static size_t round_run(const struct bench_case *c, const struct zb_row_shape *shape, char *buf)
{
	struct zb_row r;
	size_t bytes = 0;

	for (unsigned i = 0; i < ROWS; i++) {
		/* Rows follow each other through a buffer, as in a run. */
		zb_row_begin(&r, shape, buf + (bytes & 0x1ffff));
		c->row(&r, &flows[i]);
		bytes += zb_row_end(&r);
	}
	return bytes;
}

static int case_run(const struct bench_case *c, enum zb_row_format fmt, unsigned rounds)
{
	static char buf[0x20000 + ZB_ROW_FIXED_MAX];
	uint64_t best_ns = UINT64_MAX, best_tsc = UINT64_MAX;
	struct zb_row_shape *shape;
	size_t bytes = 0;
	int ret = zb_row_shape_create(c->def, fmt, &shape);

	if (ret < 0) {
		fprintf(stderr, "bench_row: %s: %s\n", c->name, strerror(-ret));
		return ret;
	}
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t ns = zb_clock_ns(), tsc = rte_rdtsc();

		bytes = round_run(c, shape, buf);
		tsc = rte_rdtsc() - tsc;
		ns = zb_clock_ns() - ns;
		best_tsc = tsc < best_tsc ? tsc : best_tsc;
		best_ns = ns < best_ns ? ns : best_ns;
		sink += bytes + (unsigned char)buf[i % 256];
	}
	printf("%-20s %-4s (per row) %8.1f ns %8.1f cycles %6.1f bytes\n", c->name,
	       fmt == ZB_ROW_JSON ? "json" : "tsv", (double)best_ns / ROWS, (double)best_tsc / ROWS,
	       (double)bytes / ROWS);
	zb_row_shape_destroy(shape);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct bench_case cases[] = {
		{"row_conn_ipv4", &zb_conn_log_def, conn4_row},
		{"row_conn_ipv6", &zb_conn_log_def, conn6_row},
		{"row_string_68_clean", &string_def, clean_row},
		{"row_string_37_dirty", &string_def, dirty_row},
		{"row_double", &double_def, double_row},
	};
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS_DEFAULT;

	if (rounds == 0) {
		fprintf(stderr, "bench_row: ROUNDS %s: not a number above 0\n", argv[1]);
		return 2;
	}
#ifdef UNFIT
	printf("unfit to publish: %s build\n", UNFIT);
#endif
	flows_init();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int fmt = ZB_ROW_JSON; fmt <= ZB_ROW_TSV; fmt++) {
			if (case_run(&cases[i], fmt, rounds) < 0)
				return 1;
		}
	}
	return 0;
}
