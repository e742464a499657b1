/* SPDX-License-Identifier: Apache-2.0 */
/* test_prof_log.c - prof.log line by line, from snapshots made up here */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/prof_log.h"

#define SEC_NS 1000000000ull

static char path[64];
static char text[1 << 20]; /* of the log */

static int set_up(void **state)
{
	(void)state;
	strcpy(path, "/tmp/zb-prof-XXXXXX");
	int fd = mkstemp(path);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static struct zb_prof_log *open_log(unsigned lcore_nr, bool strict)
{
	struct zb_prof_log_conf conf = {
		.path = path, .lcore_nr = lcore_nr, .stats_interval_s = 1, .strict = strict};
	struct zb_prof_log *p;

	assert_int_equal(zb_prof_log_create(&conf, &p), 0);
	return p;
}

static void close_log(struct zb_prof_log *p)
{
	FILE *f;

	zb_prof_log_destroy(p);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
}

/* A snapshot of interval k at packet time 1000 + k in which n TCP connections are established. */
static struct zb_snapshot at(uint64_t k, uint64_t n)
{
	struct zb_snapshot s = {.interval = k};

	s.stat.net_time_ns = (1000 + k) * SEC_NS + 250000000;
	s.stat.c[ZB_C_pkts_proc] = 1;
	s.stat.c[ZB_C_tcp_conns] = n + 5;
	s.stat.c[ZB_C_conns_expired] = 5;
	s.stat.g[ZB_G_active_tcp_conns] = n;
	s.stat.g[ZB_G_active_timers] = 2 * n;
	s.stat.timer[ZB_TIMER_inactivity] = n;
	s.stat.timer[ZB_TIMER_tcp_expire] = n;
	s.stat.tcp_states[4 * ZB_TCP_STATES + 4] = n;
	s.stat.timer_lag_ns = 125000000;
	return s;
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

/* Each line of a block, in Zeek's order and to the blank; the first block has the command. */
static void prof_block_has_each_line(void **state)
{
	static const char *const lines[] = {
		"1000.250000 ------------------------\n1000.250000 Command line: ",
		" \n1000.250000 ------------------------\n1000.250000 Memory: total=",
		"K total_adj=0K malloced: ",
		"K\n1000.250000 Run-time: user+sys=0.0 user=0.0 sys=0.0 real=0.0\n",
		"1000.250000 Conns: total=8 current=3/3\n"
		"1000.250000 Conns: tcp=3/3 udp=0/0 icmp=0/0\n"
		"1000.250000 TCP-States:        Inact.  Syn.    SA      Part.   Est.    Fin.    "
		"Rst.\n"
		"1000.250000 TCP-States:Inact.                                                    "
		"      \n",
		"1000.250000 TCP-States:Est.                                    3                 "
		"      \n",
		"1000.250000 Connections expired due to inactivity: 5\n"
		"1000.250000 Timers: current=6 max=6 lag=0.12s\n"
		"1000.250000 DNS_Mgr: requests=0 successful=0 failed=0 pending=0 cached_hosts=0 "
		"cached_addrs=0\n"
		"1000.250000 Triggers: total=0 pending=0\n"
		"1000.250000         ConnectionInactivityTimer = 3\n"
		"1000.250000         TCPConnectionExpireTimer = 3\n"
		"1000.250000 Threads: current=1\n"
		"1000.250000   logs/Log::WRITER_ASCII    in=0 out=0 pending=0/0 (#queue r/w: "
		"in=0/0 out=0/0)\n"
		"1000.250000 Comm: peers=0 stores=0 pending_queries=0 events_in=0 events_out=0 "
		"logs_in=0 logs_out=0 ids_in=0 ids_out=0 \n"};
	struct zb_prof_log *p = open_log(1, false);
	struct zb_snapshot s = at(0, 3);
	const char *from = text;

	(void)state;
	zb_prof_log_take(p, 0, &s);
	close_log(p);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *found = strstr(from, lines[i]);

		if (found == NULL)
			fail_msg("not there, or not in order: %s in %s", lines[i], text);
		from = found + strlen(lines[i]);
	}
	assert_int_equal(*from, '\0');
}

/* As Zeek writes it, the next block goes on where the line Comm was left. */
static void prof_strict_block_ends_without_newline(void **state)
{
	struct zb_prof_log *p = open_log(1, true);

	(void)state;
	for (uint64_t k = 0; k <= 15; k += 15) {
		struct zb_snapshot s = at(k, 3);

		zb_prof_log_take(p, 0, &s);
	}
	close_log(p);
	assert_int_equal(count(" ids_out=0 1015.250000 ------------------------\n"), 1);
	assert_int_equal(count("malloced: 0K\n"), 2);
	assert_int_equal(count("Command line: "), 1);
	/* The first block's timer was due at 1, which is that late; later ones are as they are. */
	assert_int_equal(count("1000.250000 Timers: current=6 max=6 lag=999.25s\n"), 1);
	assert_int_equal(count("1015.250000 Timers: current=6 max=6 lag=0.12s\n"), 1);
}

/* A block each 15 seconds that have packets, and one of the end; snapshots in between add to it. */
static void prof_blocks_come_every_15_seconds(void **state)
{
	struct zb_prof_log *p = open_log(1, false);
	struct zb_snapshot s;

	(void)state;
	for (uint64_t k = 0; k <= 40; k++) {
		s = at(k, k);
		zb_prof_log_take(p, 0, &s);
	}
	s = at(100, 1);
	zb_prof_log_take(p, 0, &s);
	zb_prof_log_end(p, 0, &s.stat);
	s = at(101, 0);
	s.last = true;
	zb_prof_log_take(p, 0, &s);
	close_log(p);
	/* 0, 15, 30, 40 (of the block of 45), 100 (of that of 105), and the end */
	assert_int_equal(count(" Conns: tcp="), 6);
	assert_int_equal(count("1015.250000 Conns: tcp=15/15 "), 1);
	assert_int_equal(count("1030.250000 Conns: tcp=30/30 "), 1);
	assert_int_equal(count("1040.250000 Conns: tcp=40/40 "), 1);
	assert_int_equal(count("1100.250000 Conns: tcp=1/40 "), 2);
}

/* Blocks are sums over lcores as of the same packet time, whichever runs ahead. */
static void prof_blocks_sum_lcores_of_the_same_time(void **state)
{
	struct zb_prof_log *p = open_log(2, false);
	struct zb_snapshot s;

	(void)state;
	for (uint64_t k = 0; k <= 45; k += 15) {
		s = at(k, 100 + k);
		zb_prof_log_take(p, 0, &s);
	}
	for (uint64_t k = 0; k <= 45; k += 15) {
		s = at(k, 1000);
		zb_prof_log_take(p, 1, &s);
	}
	close_log(p);
	assert_int_equal(count("1000.250000 Conns: tcp=1100/1100 "), 1);
	assert_int_equal(count("1030.250000 Conns: tcp=1130/1130 "), 1);
	assert_int_equal(count("1045.250000 Conns: tcp=1145/1145 "), 1);
	assert_int_equal(count("Conns: tcp="), 4);
}

/* Every 20th block has the tables, by name or, as Zeek has them, without. */
static void prof_every_20th_block_has_the_tables(void **state)
{
	(void)state;
	for (unsigned strict = 0; strict < 2; strict++) {
		struct zb_prof_log *p = open_log(1, strict);

		for (uint64_t k = 0; k < 40; k++) {
			struct zb_snapshot s = at(15 * k, 200);

			s.stat.g[ZB_G_active_files] = 99;
			zb_prof_log_take(p, 0, &s);
		}
		close_log(p);
		assert_int_equal(count(strict ? ".250000                200/200 entries\n"
					      : ".250000                200/200 entries "
						"connections\n"),
				 2);
		assert_int_equal(count(" Total number of table entries: 299/299\n"), 2);
		assert_int_equal(count("99/99 entries"), 0);
		assert_int_equal(count("1285.250000 Total"), 1);
	}
}

/* A file that cannot be made costs the log and nothing else; an lcore without packets no block. */
static void prof_without_file_or_packets_goes_on(void **state)
{
	struct zb_prof_log_conf conf = {.path = "/nowhere/at/all/prof.log",
					.lcore_nr = 1,
					.stats_interval_s = 300};
	struct zb_snapshot s = at(0, 1);
	struct zb_prof_log *p;

	(void)state;
	assert_int_equal(zb_prof_log_create(&conf, &p), 0);
	for (uint64_t k = 0; k < 100; k++) {
		s.interval = k;
		zb_prof_log_take(p, 0, &s);
	}
	zb_prof_log_destroy(p);
	p = open_log(1, false);
	s.stat.c[ZB_C_pkts_proc] = 0;
	s.last = true;
	zb_prof_log_take(p, 0, &s);
	zb_prof_log_end(p, 0, &s.stat);
	close_log(p);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(prof_block_has_each_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(prof_strict_block_ends_without_newline, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(prof_blocks_come_every_15_seconds, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(prof_blocks_sum_lcores_of_the_same_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(prof_every_20th_block_has_the_tables, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(prof_without_file_or_packets_goes_on, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
