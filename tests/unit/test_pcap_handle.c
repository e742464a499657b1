/* SPDX-License-Identifier: Apache-2.0 */
/* test_pcap_handle.c - what libpcap counted is read right, also when its counters begin anew */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "capture/pcap_handle.h"

/* On Linux a packet that was dropped was received first. */
static void count_received_includes_dropped(void **state)
{
	struct zb_pcap_handle h = {.recv_drops = true};

	(void)state;
	zb_pcap_count(&h, &(struct pcap_stat){.ps_recv = 10, .ps_drop = 3, .ps_ifdrop = 1});
	zb_pcap_count(&h, &(struct pcap_stat){.ps_recv = 15, .ps_drop = 4, .ps_ifdrop = 1});
	assert_int_equal(h.link_pkts, 15);
	assert_int_equal(h.dropped_pkts, 4);
	assert_int_equal(h.refused, 1);
}

/* Elsewhere they are two kinds. */
static void count_received_beside_dropped_is_added(void **state)
{
	struct zb_pcap_handle h = {.recv_drops = false};

	(void)state;
	zb_pcap_count(&h, &(struct pcap_stat){.ps_recv = 10, .ps_drop = 3});
	assert_int_equal(h.link_pkts, 13);
	assert_int_equal(h.dropped_pkts, 3);
}

/* 32 bits are over after minutes. */
static void count_counters_that_wrap_go_on(void **state)
{
	struct zb_pcap_handle h = {
		.recv_drops = true,
		.link_pkts = UINT32_MAX,
		.last = {.ps_recv = UINT32_MAX, .ps_drop = UINT32_MAX - 1},
	};

	(void)state;
	zb_pcap_count(&h, &(struct pcap_stat){.ps_recv = 4, .ps_drop = 1});
	assert_true(h.link_pkts == (uint64_t)UINT32_MAX + 5);
	assert_int_equal(h.dropped_pkts, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(count_received_includes_dropped),
		cmocka_unit_test(count_received_beside_dropped_is_added),
		cmocka_unit_test(count_counters_that_wrap_go_on),
	};

	return cmocka_run_group_tests_name("pcap_handle", tests, NULL, NULL);
}
