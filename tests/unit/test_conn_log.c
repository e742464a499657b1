/* SPDX-License-Identifier: Apache-2.0 */
/* test_conn_log.c - rows of conn.log, byte by byte */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "log_read.h"
#include "pipeline/conn_log.h"
#include "pipeline/uid.h"
#include "tcp_script.h"

#define SECRET 99

/* A web session of 1.234567 s, 4 and 3 packets. */
static void web_conn(struct zb_conn *c)
{
	struct tcp_script t;

	ts_begin(&t, 40000, 80);
	ts_play(&t, "> S 100; < SA 500,101; > A 101,501; > PA 101,501 +10; < PA 501,111 +2000; > "
		    "FA 111,2501; < FA 2501,112");
	*c = t.c;
	c->last_ns = c->first_ns + 1234567891;
	c->end[ZB_ORIG].pkts = 4;
	c->end[ZB_ORIG].ip_bytes = 170;
	c->end[ZB_RESP].pkts = 3;
	c->end[ZB_RESP].ip_bytes = 2120;
}

/* One datagram over IPv6, from a routable address to a local one. */
static void dns_conn(struct zb_conn *c)
{
	*c = (struct zb_conn){
		.key = {.a = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
			.b = {0x2a, [15] = 0x53},
			.port_a = 53,
			.port_b = 40001,
			.proto = 17,
			.ip_version = 6},
		.uid_seq = 7,
		.first_ns = TS_START_NS + 123456789,
		.last_ns = TS_START_NS + 123456789,
		.history = {'D'},
		.history_len = 1,
	};
	c->end[ZB_ORIG].hist = ZB_HIST_ACTIVE;
	c->end[ZB_ORIG].pkts = 1;
	c->end[ZB_ORIG].ip_bytes = 80;
	c->end[ZB_ORIG].bytes = 32;
}

/* Echo and reply: no history, OTH, sizes because time has passed. */
static void ping_conn(struct zb_conn *c)
{
	*c = (struct zb_conn){
		.key = {.a = {10, 1, 2, 3},
			.b = {8, 8, 8, 8},
			.port_a = 8,
			.proto = 1,
			.ip_version = 4},
		.flags = ZB_CONN_ORIG_IS_A,
		.uid_seq = 8,
		.first_ns = TS_START_NS,
		.last_ns = TS_START_NS + 250000000,
	};
	for (unsigned i = 0; i < 2; i++) {
		c->end[i].hist = ZB_HIST_ACTIVE;
		c->end[i].pkts = 1;
		c->end[i].ip_bytes = 84;
		c->end[i].bytes = 56;
	}
}

/* A protocol of which only packets are counted. */
static void ospf_conn(struct zb_conn *c)
{
	ping_conn(c);
	c->key.proto = 89;
	c->key.port_a = 0;
	c->uid_seq = 9;
	c->last_ns = c->first_ns;
	c->end[ZB_RESP] = (struct zb_endpoint){0};
}

static const char *uid_of(uint64_t seq)
{
	static char uid[4][ZB_UID_MAX + 1];
	static unsigned next;
	char *u = uid[next++ % 4];

	u[zb_uid_format(u, 'C', seq, SECRET)] = '\0';
	return u;
}

static char *write_rows(struct logs *l, enum zb_row_format format)
{
	void (*const make[])(struct zb_conn *) = {web_conn, dns_conn, ping_conn, ospf_conn};

	logs_open(l, format, ZB_SINK_FILES);
	for (size_t i = 0; i < sizeof(make) / sizeof(make[0]); i++) {
		struct zb_conn c;

		make[i](&c);
		zb_conn_log_row(zb_log_port(l->set, ZB_LOG_CONN, 0), &c, SECRET);
	}
	return logs_read(l, "conn");
}

/* JSON rows must have Zeek's members in its order, without what is unset. */
static void conn_log_json_rows_are_exact(void **state)
{
	struct logs l;
	char want[4096], *got = write_rows(&l, ZB_ROW_JSON);

	(void)state;
	snprintf(want, sizeof(want),
		 "{\"ts\":1700000000.0,\"uid\":\"%s\",\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":"
		 "40000,"
		 "\"id.resp_h\":\"192.0.2.1\",\"id.resp_p\":80,\"proto\":\"tcp\",\"duration\":1."
		 "234567,"
		 "\"orig_bytes\":10,\"resp_bytes\":2000,\"conn_state\":\"SF\",\"local_orig\":true,"
		 "\"local_resp\":true,"
		 "\"missed_bytes\":0,\"history\":\"ShADdFf\",\"orig_pkts\":4,\"orig_ip_bytes\":170,"
		 "\"resp_pkts\":3,"
		 "\"resp_ip_bytes\":2120,\"ip_proto\":6}\n"
		 "{\"ts\":1700000000.123456,\"uid\":\"%s\",\"id.orig_h\":\"2a00::53\",\"id.orig_"
		 "p\":40001,"
		 "\"id.resp_h\":\"2001:db8::1\",\"id.resp_p\":53,\"proto\":\"udp\",\"conn_state\":"
		 "\"S0\","
		 "\"local_orig\":false,\"local_resp\":true,\"missed_bytes\":0,\"history\":\"D\","
		 "\"orig_pkts\":1,"
		 "\"orig_ip_bytes\":80,\"resp_pkts\":0,\"resp_ip_bytes\":0,\"ip_proto\":17}\n"
		 "{\"ts\":1700000000.0,\"uid\":\"%s\",\"id.orig_h\":\"10.1.2.3\",\"id.orig_p\":8,"
		 "\"id.resp_h\":\"8.8.8.8\",\"id.resp_p\":0,\"proto\":\"icmp\",\"duration\":0.25,"
		 "\"orig_bytes\":56,"
		 "\"resp_bytes\":56,\"conn_state\":\"OTH\",\"local_orig\":true,\"local_resp\":"
		 "false,\"missed_bytes\":0,"
		 "\"orig_pkts\":1,\"orig_ip_bytes\":84,\"resp_pkts\":1,\"resp_ip_bytes\":84,\"ip_"
		 "proto\":1}\n"
		 "{\"ts\":1700000000.0,\"uid\":\"%s\",\"id.orig_h\":\"10.1.2.3\",\"id.orig_p\":0,"
		 "\"id.resp_h\":\"8.8.8.8\",\"id.resp_p\":0,\"proto\":\"unknown_transport\",\"conn_"
		 "state\":\"OTH\","
		 "\"local_orig\":true,\"local_resp\":false,\"missed_bytes\":0,\"orig_pkts\":1,"
		 "\"orig_ip_bytes\":84,"
		 "\"resp_pkts\":0,\"resp_ip_bytes\":0,\"ip_proto\":89}\n",
		 uid_of(0), uid_of(7), uid_of(8), uid_of(9));
	assert_string_equal(got, want);
	logs_free(&l);
}

/* TSV must name and type 22 columns, and print a dash for what is unset. */
static void conn_log_tsv_rows_are_exact(void **state)
{
	struct logs l;
	char want[4096], *got = strstr(write_rows(&l, ZB_ROW_TSV), "#fields"), *end;

	(void)state;
	assert_non_null(got);
	end = strstr(got, "#close");
	assert_non_null(end);
	*end = '\0';
	snprintf(want, sizeof(want),
		 "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_"
		 "p\tproto\tservice\tduration\torig_bytes\t"
		 "resp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_"
		 "pkts\torig_ip_bytes\t"
		 "resp_pkts\tresp_ip_bytes\ttunnel_parents\tip_proto\n"
		 "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcoun"
		 "t\tstring\tbool\tbool\t"
		 "count\tstring\tcount\tcount\tcount\tcount\tset[string]\tcount\n"
		 "1700000000.000000\t%s\t10.0.0.1\t40000\t192.0.2.1\t80\ttcp\t-\t1."
		 "234567\t10\t2000\tSF\tT\tT\t0\tShADdFf\t"
		 "4\t170\t3\t2120\t-\t6\n"
		 "1700000000.123456\t%s\t2a00::53\t40001\t2001:db8::1\t53\tudp\t-\t-\t-\t-"
		 "\tS0\tF\tT\t0\tD\t1\t80\t0\t0\t-\t17\n"
		 "1700000000.000000\t%s\t10.1.2.3\t8\t8.8.8.8\t0\ticmp\t-\t0."
		 "250000\t56\t56\tOTH\tT\tF\t0\t-\t1\t84\t1\t84\t-\t1\n"
		 "1700000000.000000\t%s\t10.1.2.3\t0\t8.8.8.8\t0\tunknown_transport\t-\t-\t-\t-"
		 "\tOTH\tT\tF\t0\t-\t1\t84\t0\t0\t-"
		 "\t89\n",
		 uid_of(0), uid_of(7), uid_of(8), uid_of(9));
	assert_string_equal(got, want);
	logs_free(&l);
}

/* A flow whose packets fall into one microsecond has no duration, and so no sizes. */
static void conn_log_duration_below_a_microsecond_is_unset(void **state)
{
	struct logs l;
	struct zb_conn c;
	char *got;

	(void)state;
	logs_open(&l, ZB_ROW_JSON, ZB_SINK_FILES);
	ping_conn(&c);
	c.last_ns = c.first_ns + 999;
	zb_conn_log_row(zb_log_port(l.set, ZB_LOG_CONN, 0), &c, SECRET);
	/* A microsecond as the clock of the log sees it, though fewer nanoseconds passed. */
	c.first_ns += 999;
	c.last_ns = c.first_ns + 1;
	zb_conn_log_row(zb_log_port(l.set, ZB_LOG_CONN, 0), &c, SECRET);
	got = logs_read(&l, "conn");
	char *second = strchr(got, '\n') + 1;

	assert_non_null(strstr(second, "\"duration\":0.000001,"));
	second[-1] = '\0';
	assert_null(strstr(got, "duration"));
	assert_null(strstr(got, "orig_bytes"));
	logs_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conn_log_json_rows_are_exact),
		cmocka_unit_test(conn_log_tsv_rows_are_exact),
		cmocka_unit_test(conn_log_duration_below_a_microsecond_is_unset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
