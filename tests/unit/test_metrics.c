/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics.c - metrics as text, from figures made up here; and what Accept headers ask for */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/metrics.h"

static char *text;
static size_t len;

static struct zb_metrics *two_lcores(void)
{
	static const unsigned ids[] = {2, 17};
	struct zb_metrics_conf conf = {
		.lcore_ids = ids,
		.lcore_nr = 2,
		.tsc_hz = 2.5e9,
		.logs = {{"conn", "Conn", "Conn::LOG"}, {NULL, NULL, NULL}, {"lcore", NULL, NULL}},
	};
	static struct zb_lcore_stat st;
	struct zb_metrics_own own = {.log_rows = {[2] = 9}, .buffers_handed = 7};
	struct zb_heap_stat arena = {.allocated = 4096};
	struct zb_metrics *m;

	assert_int_equal(zb_metrics_create(&conf, &m), 0);
	memset(&st, 0, sizeof(st));
	st.c[ZB_C_pkts_proc] = 18446744073709551615u;
	st.c[ZB_C_tcp_conns] = 5;
	st.g[ZB_G_active_tcp_conns] = 3;
	st.g[ZB_G_conn_bytes] = 640;
	st.g[ZB_G_conn_reserved_bytes] = 1024;
	st.log_rows[0] = 2;
	st.lag_ns = 1500000;
	st.net_time_ns = 1700000000123456000u;
	st.burst_fill[0] = 2;
	st.burst_fill[6] = 1;
	zb_lag_note(&st.lag, 1023);
	zb_lag_note(&st.lag, 1024);
	zb_lag_note(&st.lag, UINT64_MAX);
	st.fate[ZB_FATE_arp] = 4;
	st.stage_cycles[ZB_STAGE_rx] = 6;
	zb_metrics_take(m, 1, &st, 1700000001000000000u);
	zb_metrics_arena(m, 1, &arena);
	zb_metrics_own(m, &own);
	return m;
}

static void make(struct zb_metrics *m, enum zb_metrics_format format)
{
	free(text);
	assert_int_equal(zb_metrics_text(m, format, &text, &len), 0);
	assert_int_equal(strlen(text), len);
}

/* The line must stand in the text, whole. */
static void assert_line(const char *line)
{
	size_t n = strlen(line);

	for (const char *p = text; (p = strstr(p, line)) != NULL; p += n)
		if ((p == text || p[-1] == '\n') && p[n] == '\n')
			return;
	fail_msg("not there: %s", line);
}

static void metrics_text_has_each_lcore(void **state)
{
	static const char *const lines[] = {
		"# HELP zeek_net_received_packets_total Total number of packets received",
		"# TYPE zeek_net_received_packets_total counter",
		"zeek_net_received_packets_total{node=\"lcore-2\"} 0",
		"zeek_net_received_packets_total{node=\"lcore-17\"} 18446744073709551615",
		"zeek_net_packet_lag_seconds{node=\"lcore-17\"} 0.0015",
		"zeek_active_sessions{protocol=\"tcp\",node=\"lcore-17\"} 3",
		"zeek_total_sessions_total{protocol=\"tcp\",node=\"lcore-17\"} 5",
		"zeek_log_stream_writes_total{module=\"Conn\",stream=\"Conn::LOG\","
		"node=\"lcore-17\"} 2",
		"zeek_log_writer_writes_total{filter_name=\"default\",module=\"Conn\","
		"path=\"conn\",stream=\"Conn::LOG\",writer=\"Log::WRITER_ASCII\","
		"node=\"lcore-17\"} 2",
		"zeek_event_handler_invocations_total{name=\"connection_state_remove\","
		"node=\"lcore-17\"} 2",
		"zeek_msgthread_in_messages_total 7",
		"# TYPE process_cpu_seconds_total counter",
		"# TYPE zbench_build_info gauge",
		"zbench_build_info{version=\"" ZB_VERSION "\"} 1",
		"zbench_tsc_hertz 2500000000",
		"zbench_pkts_proc_total{lcore=\"17\"} 18446744073709551615",
		"zbench_active_tcp_conns{lcore=\"17\"} 3",
		"zbench_state_bytes{lcore=\"17\",kind=\"conn\"} 640",
		"zbench_conn_reserved_bytes{lcore=\"17\"} 1024",
		"zbench_arena_allocated_bytes{lcore=\"17\"} 4096",
		"zbench_fate_pkts_total{lcore=\"17\",fate=\"arp\"} 4",
		"zbench_stage_cycles_total{lcore=\"17\",stage=\"rx\"} 6",
		"zbench_log_rows_total{lcore=\"17\",log=\"conn\"} 2",
		"zbench_log_rows_total{log=\"lcore\"} 9",
		"zbench_snapshot_timestamp_seconds{lcore=\"2\"} 0",
		"zbench_snapshot_timestamp_seconds{lcore=\"17\"} 1700000001",
	};
	struct zb_metrics *m = two_lcores();

	(void)state;
	make(m, ZB_METRICS_TEXT);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_line(lines[i]);
	assert_null(strstr(text, "# EOF"));
	assert_null(strstr(text, "# UNIT"));
	assert_null(strstr(text, "arena_allocated_bytes{lcore=\"2\"}"));
	assert_null(strstr(text, "kind=\"conn_reserved\""));
	zb_metrics_destroy(m);
}

/* Buckets add up; an edge itself is below it. */
static void metrics_histograms_are_cumulative(void **state)
{
	static const char *const lines[] = {
		"# TYPE zbench_burst_pkts histogram",
		"zbench_burst_pkts_bucket{lcore=\"17\",le=\"1.0\"} 2",
		"zbench_burst_pkts_bucket{lcore=\"17\",le=\"32.0\"} 2",
		"zbench_burst_pkts_bucket{lcore=\"17\",le=\"64.0\"} 3",
		"zbench_burst_pkts_bucket{lcore=\"17\",le=\"+Inf\"} 3",
		"zbench_burst_pkts_sum{lcore=\"17\"} 18446744073709551615",
		"zbench_burst_pkts_count{lcore=\"17\"} 3",
		"zbench_pkt_lag_seconds_bucket{lcore=\"17\",le=\"0.000001023\"} 1",
		"zbench_pkt_lag_seconds_bucket{lcore=\"17\",le=\"0.000004095\"} 2",
		"zbench_pkt_lag_seconds_bucket{lcore=\"17\",le=\"68.719476735\"} 2",
		"zbench_pkt_lag_seconds_bucket{lcore=\"17\",le=\"+Inf\"} 3",
	};
	struct zb_metrics *m = two_lcores();

	(void)state;
	make(m, ZB_METRICS_TEXT);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_line(lines[i]);
	zb_metrics_destroy(m);
}

static void metrics_open_text_has_units_and_an_end(void **state)
{
	static const char *const lines[] = {
		"# TYPE zeek_net_received_packets counter",
		"# HELP zeek_net_received_bytes Total number of bytes received",
		"# UNIT zeek_net_received_bytes bytes",
		"zeek_net_received_bytes_total{node=\"lcore-2\"} 0",
		"# UNIT process_cpu_user_seconds seconds",
		"# TYPE zbench_build info",
		"zbench_build_info{version=\"" ZB_VERSION "\"} 1",
	};
	struct zb_metrics *m = two_lcores();

	(void)state;
	make(m, ZB_METRICS_OPEN);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_line(lines[i]);
	assert_string_equal(text + len - 6, "# EOF\n");
	zb_metrics_destroy(m);
}

/* Each family once, each sample below its own. */
static void metrics_samples_stand_below_their_family(void **state)
{
	struct zb_metrics *m = two_lcores();
	char family[128] = "", seen[1 << 16] = "", name[160];
	unsigned families = 0;

	(void)state;
	make(m, ZB_METRICS_OPEN);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (sscanf(line, "# HELP %127s", family) == 1) {
			snprintf(name, sizeof(name), " %s ", family);
			assert_null(strstr(seen, name));
			assert_true(strlen(seen) + strlen(name) < sizeof(seen));
			strcat(seen, name);
			families++;
		} else if (line[0] != '#') {
			assert_memory_equal(line, family, strlen(family));
			assert_non_null(strchr("_{ ", line[strlen(family)]));
		}
	}
	assert_true(families > 100);
	zb_metrics_destroy(m);
}

static void metrics_accept_takes_what_is_liked_best(void **state)
{
	static const struct {
		const char *header;
		enum zb_metrics_format format;
	} c[] = {
		{NULL, ZB_METRICS_TEXT},
		{"", ZB_METRICS_TEXT},
		{"*/*", ZB_METRICS_TEXT},
		{"text/plain;version=0.0.4", ZB_METRICS_TEXT},
		{"application/openmetrics-text", ZB_METRICS_OPEN},
		{"application/openmetrics-text; version=1.0.0", ZB_METRICS_OPEN},
		{"Application/OpenMetrics-Text ;Version=\"1.0.0\"", ZB_METRICS_OPEN},
		{"application/openmetrics-text;version=2.0.0", ZB_METRICS_TEXT},
		{"application/openmetrics-text;version=2.0.0,application/openmetrics-text",
		 ZB_METRICS_OPEN},
		{"application/openmetrics-text;q=0", ZB_METRICS_TEXT},
		{"application/openmetrics-text;q=0.2,text/plain;q=0.3", ZB_METRICS_TEXT},
		{"application/openmetrics-text;q=0.5,text/plain;q=0.5", ZB_METRICS_OPEN},
		{"application/openmetrics-text;q=0.999,*/*;q=0.1", ZB_METRICS_OPEN},
		/* Prometheus 2.42 and 3. */
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		 "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 ZB_METRICS_OPEN},
		{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		 "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
		 "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		 ZB_METRICS_OPEN},
		{";;;,,,;q=,q==1;version", ZB_METRICS_TEXT},
		{"application/openmetrics-text;q=x", ZB_METRICS_TEXT},
		{"application/openmetrics-textx", ZB_METRICS_TEXT},
		{"application/openmetrics-text;version=\"", ZB_METRICS_TEXT},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		if (zb_metrics_accept(c[i].header) != c[i].format)
			fail_msg("%s", c[i].header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_text_has_each_lcore),
		cmocka_unit_test(metrics_histograms_are_cumulative),
		cmocka_unit_test(metrics_open_text_has_units_and_an_end),
		cmocka_unit_test(metrics_samples_stand_below_their_family),
		cmocka_unit_test(metrics_accept_takes_what_is_liked_best),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(text);
	return failed;
}
