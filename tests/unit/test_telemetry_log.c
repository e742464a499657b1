/* SPDX-License-Identifier: Apache-2.0 */
/* test_telemetry_log.c - telemetry.log from snapshots made up here, read back */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/telemetry_log.h"

#define SEC_NS	 1000000000ull
#define ROWS_MAX 4096

static char dir[64], path[128];
static struct zb_log_set *set;
static struct zb_telemetry_log *telemetry;
static json_t *row[ROWS_MAX];
static size_t row_nr;

/* What the reporter itself has written. */
static void own(void *arg, struct zb_metrics_own *out)
{
	(void)arg;
	memset(out, 0, sizeof(*out));
	out->log_rows[1] = 4;
	out->buffers_handed = 11;
}

static void open_log(enum zb_row_format format, unsigned lcore_nr)
{
	static const struct zb_row_def *const defs[] = {&zb_telemetry_log_def};
	struct zb_log_conf conf = {
		.dir = dir, .defs = defs, .stream_nr = 1, .producer_nr = 1, .format = format};
	struct zb_telemetry_conf telemetry_conf = {
		.lcore_nr = lcore_nr,
		.stats_interval_s = 1,
		.logs = {{"conn", "Conn", "Conn::LOG"},
			 {"stats", "Stats", "Stats::LOG"},
			 {"lcore", NULL, NULL}},
		.own = own,
	};

	strcpy(dir, "/tmp/zb-telemetry-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/telemetry.log", dir);
	assert_int_equal(zb_log_set_create(&conf, &set), 0);
	telemetry_conf.port = zb_log_port(set, 0, 0);
	assert_int_equal(zb_telemetry_create(&telemetry_conf, &telemetry), 0);
}

static void close_log(void)
{
	zb_telemetry_destroy(telemetry);
	assert_int_equal(zb_log_set_close(set), 0);
	zb_log_set_destroy(set);
}

static void read_rows(void)
{
	FILE *f = fopen(path, "r");
	json_error_t err;

	assert_non_null(f);
	for (row_nr = 0; row_nr < ROWS_MAX; row_nr++) {
		row[row_nr] = json_loadf(f, JSON_DISABLE_EOF_CHECK, &err);
		if (row[row_nr] == NULL)
			break;
	}
	fclose(f);
}

static void remove_all(void)
{
	while (row_nr > 0)
		json_decref(row[--row_nr]);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

/* Interval k, n packets so far. */
static void take(unsigned lcore, uint64_t k, uint64_t n, bool last)
{
	static struct zb_snapshot s;

	memset(&s, 0, sizeof(s));
	s.interval = k;
	s.last = last;
	s.stat.net_time_ns = (1000 + k) * SEC_NS + 250000000;
	s.stat.c[ZB_C_pkts_proc] = n;
	s.stat.c[ZB_C_tcp_conns] = n;
	s.stat.g[ZB_G_active_tcp_conns] = last ? 0 : n;
	s.stat.log_rows[0] = last ? n : 0;
	s.stat.log_rows[2] = n;
	zb_telemetry_take(telemetry, lcore, &s);
}

static double value_of(const json_t *r)
{
	assert_true(json_is_real(json_object_get(r, "value")));
	return json_real_value(json_object_get(r, "value"));
}

static const char *name_of(const json_t *r)
{
	return json_string_value(json_object_get(r, "name"));
}

/* The value of the row of a metric at a time; labels as "protocol=tcp", or "". */
static double find(double ts, const char *name, const char *labels)
{
	for (size_t i = 0; i < row_nr; i++) {
		json_t *l = json_object_get(row[i], "labels"),
		       *v = json_object_get(row[i], "label_values");
		char text[256] = "";

		for (size_t k = 0; k < json_array_size(l); k++) {
			strcat(text, k == 0 ? "" : ",");
			strcat(text, json_string_value(json_array_get(l, k)));
			strcat(text, "=");
			strcat(text, json_string_value(json_array_get(v, k)));
		}
		if (json_real_value(json_object_get(row[i], "ts")) == ts &&
		    strcmp(name_of(row[i]), name) == 0 && strcmp(text, labels) == 0)
			return value_of(row[i]);
	}
	fail_msg("no row %s{%s} at %f", name, labels, ts);
	return 0;
}

/* Every minute of packet time, and at the end, the sums of all lcores as of the same time. */
static void telemetry_rows_sum_lcores(void **state)
{
	static const char conn[] = "module=Conn,stream=Conn::LOG";
	static const char writer[] = "filter_name=default,module=Conn,path=conn,"
				     "stream=Conn::LOG,writer=Log::WRITER_ASCII";

	(void)state;
	open_log(ZB_ROW_JSON, 2);
	for (uint64_t k = 0; k <= 130; k++)
		take(0, k, k + 1, false);
	take(0, 131, 200, true);
	for (uint64_t k = 0; k <= 130; k++)
		take(1, k, 1000, false);
	take(1, 131, 1000, true);
	close_log();
	read_rows();
	assert_true(find(1000.25, "zeek_net_received_packets_total", "") == 1001);
	assert_true(find(1060.25, "zeek_net_received_packets_total", "") == 1061);
	assert_true(find(1120.25, "zeek_total_sessions_total", "protocol=tcp") == 1121);
	assert_true(find(1120.25, "zeek_active_sessions", "protocol=tcp") == 1121);
	assert_true(find(1130.25, "zeek_net_received_packets_total", "") == 1131);
	assert_true(find(1131.25, "zeek_net_received_packets_total", "") == 1200);
	assert_true(find(1131.25, "zeek_active_sessions", "protocol=tcp") == 0);
	assert_true(find(1131.25, "zeek_log_stream_writes_total", conn) == 1200);
	assert_true(find(1131.25, "zeek_log_writer_writes_total", writer) == 1200);
	assert_true(find(1131.25, "zeek_log_stream_writes_total",
			 "module=Stats,stream=Stats::LOG") == 4);
	assert_true(find(1131.25, "zeek_msgthread_in_messages_total", "") == 11);
	assert_true(find(1131.25, "process_resident_memory_bytes", "") > 0);
	remove_all();
}

/* Zeek's fields in Zeek's order; counters end in _total, and nothing but zeek_ and process_. */
static void telemetry_rows_are_zeeks(void **state)
{
	static const char *const fields[] = {"ts",     "peer",	       "metric_type", "name",
					     "labels", "label_values", "value"};

	(void)state;
	open_log(ZB_ROW_JSON, 1);
	take(0, 0, 1, false);
	take(0, 1, 2, true);
	close_log();
	read_rows();
	assert_true(row_nr > 100);
	for (size_t i = 0; i < row_nr; i++) {
		const char *name = name_of(row[i]), *key;
		bool counter = strcmp(json_string_value(json_object_get(row[i], "metric_type")),
				      "counter") == 0;
		size_t n = 0, len = strlen(name);
		json_t *v;

		json_object_foreach(row[i], key, v)
		{
			assert_true(n < 7);
			assert_string_equal(key, fields[n++]);
		}
		assert_int_equal(n, 7);
		assert_string_equal(json_string_value(json_object_get(row[i], "peer")), "zbench");
		assert_true(strncmp(name, "zeek_", 5) == 0 || strncmp(name, "process_", 8) == 0);
		assert_int_equal(counter, strcmp(name + len - 6, "_total") == 0);
		assert_int_equal(json_array_size(json_object_get(row[i], "labels")),
				 json_array_size(json_object_get(row[i], "label_values")));
	}
	remove_all();
}

static void telemetry_tsv_has_zeeks_header(void **state)
{
	char text[4096] = "";
	FILE *f;

	(void)state;
	open_log(ZB_ROW_TSV, 1);
	take(0, 0, 1, false);
	take(0, 1, 2, true);
	close_log();
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(
		text, "#types\ttime\tstring\tstring\tstring\tvector[string]\tvector[string]\t"
		      "double\n"));
	assert_non_null(strstr(text, "1000.250000\tzbench\tcounter\tzeek_net_received_packets_total"
				     "\t(empty)\t(empty)\t1.0\n"));
	assert_non_null(strstr(text, "\tzeek_total_sessions_total\tprotocol\ttcp\t1.0\n"));
	remove_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(telemetry_rows_sum_lcores),
		cmocka_unit_test(telemetry_rows_are_zeeks),
		cmocka_unit_test(telemetry_tsv_has_zeeks_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
