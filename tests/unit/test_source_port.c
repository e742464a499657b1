/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_source_port.c - packets have the time at which a NIC stamped them, where it does; else that
 * at which they were read
 *
 * No virtual device stamps packets. So net_null is made to look like a NIC: what DPDK says of the
 * second device, and its clock, are answered here, and a callback writes stamps into its packets.
 */
#include <dlfcn.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <rte_ethdev.h>
#include <rte_mbuf_dyn.h>
#include <cmocka.h>
#include "capture/eal.h"
#include "capture/source_port.h"

#define STAMPS	  "net_null1" /* this one does */
#define SECOND	  1000000000u
#define BEFORE_NS (SECOND / 2) /* stamped so long before it is read */
#define OFFSET	  123456789u
#define NS_A_TICK 8 /* 125 MHz */

static bool nonsense; /* what is stamped */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static bool stamps(uint16_t port)
{
	uint16_t id;

	return rte_eth_dev_get_port_by_name(STAMPS, &id) == 0 && id == port;
}

int rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info)
{
	int (*next)(uint16_t, struct rte_eth_dev_info *);
	int ret;

	*(void **)&next = dlsym(RTLD_NEXT, "rte_eth_dev_info_get");
	ret = next(port, info);
	if (stamps(port))
		info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	return ret;
}

/* DPDK would refuse what its device cannot do. */
int rte_eth_dev_configure(uint16_t port, uint16_t rx_nr, uint16_t tx_nr,
			  const struct rte_eth_conf *conf)
{
	int (*next)(uint16_t, uint16_t, uint16_t, const struct rte_eth_conf *);
	struct rte_eth_conf without = *conf;

	*(void **)&next = dlsym(RTLD_NEXT, "rte_eth_dev_configure");
	assert_int_equal((conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP) != 0, stamps(port));
	without.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	return next(port, rx_nr, tx_nr, &without);
}

int rte_eth_read_clock(uint16_t port, uint64_t *ticks)
{
	assert_true(stamps(port));
	*ticks = now() / NS_A_TICK - OFFSET;
	return 0;
}

static uint16_t stamp(uint16_t port, uint16_t queue, struct rte_mbuf *m[], uint16_t nr,
		      uint16_t max, void *arg)
{
	static int off = -1;
	static uint64_t flag;

	(void)port, (void)queue, (void)max, (void)arg;
	if (off < 0)
		assert_int_equal(rte_mbuf_dyn_rx_timestamp_register(&off, &flag), 0);
	for (uint16_t i = 0; i < nr; i++) {
		*RTE_MBUF_DYNFIELD(m[i], off, rte_mbuf_timestamp_t *) =
			nonsense ? 77 : (now() - BEFORE_NS) / NS_A_TICK - OFFSET;
		m[i]->ol_flags |= flag;
	}
	return nr;
}

static cpu_set_t cpus;
static bool stop;

static struct zb_source *open_port(const char *name)
{
	static const char *names[1];
	static unsigned worker;
	struct zb_port_conf conf = {
		.names = names,
		.name_nr = 1,
		.queue_nr = 1,
		.rx_desc = 256,
		.worker_cpus = &worker,
		.spreader_cpus = &cpus,
		.stop = &stop,
	};
	struct zb_source *s;

	names[0] = name;
	assert_int_equal(zb_port_open(&conf, &s), 0);
	return s;
}

/* The times of a burst, less when it was read. */
static void take(struct zb_source *s, struct zb_pkt *pkts, uint16_t n, uint64_t *begin,
		 uint64_t *end)
{
	struct zb_rxq *q = zb_source_queue(s, 0);

	*begin = now();
	assert_int_equal(zb_rxq_burst(q, pkts, n, UINT64_MAX), n);
	*end = now();
}

static void burst_stamped_packets_have_the_nics_time(void **state)
{
	struct zb_source *s = open_port(STAMPS);
	struct zb_source_device d;
	struct zb_pkt pkts[32];
	uint64_t begin, end, said, slack = SECOND / 10;
	uint16_t id;

	(void)state;
	assert_int_equal(rte_eth_dev_get_port_by_name(STAMPS, &id), 0);
	assert_non_null(rte_eth_add_rx_callback(id, 0, stamp, NULL));
	/* The first one makes the wall clock known. */
	take(s, pkts, 32, &begin, &end);
	for (unsigned i = 0; i < 32; i++) {
		assert_true(pkts[i].ts_ns + BEFORE_NS + slack >= begin);
		assert_true(pkts[i].ts_ns + BEFORE_NS <= end + slack);
		assert_int_equal(pkts[i].late, 0);
	}
	/* Once time was said to have gone on, they are late. */
	said = now();
	(void)zb_source_queue(s, 0)->ops->next_ns(zb_source_queue(s, 0));
	take(s, pkts, 1, &begin, &end);
	assert_true(zb_late_ns(pkts[0].late) + (end - said) + slack >= BEFORE_NS);
	/* A stamp that cannot be is not believed. */
	nonsense = true;
	take(s, pkts, 1, &begin, &end);
	assert_true(pkts[0].ts_ns + slack >= begin && pkts[0].ts_ns <= end + slack);
	assert_true(s->ops->device(s, 0, &d));
	assert_true(d.hw_timestamps);
	assert_non_null(strstr(d.note, "not believed"));
	free(d.counters);
	zb_source_close(s);
}

static void burst_unstamped_packets_have_the_time_of_reading(void **state)
{
	struct zb_source *s = open_port("net_null0");
	struct zb_source_device d;
	struct zb_pkt pkts[32];
	uint64_t begin, end, slack = SECOND / 10;

	(void)state;
	take(s, pkts, 32, &begin, &end);
	for (unsigned i = 0; i < 32; i++)
		assert_true(pkts[i].ts_ns + slack >= begin && pkts[i].ts_ns <= end + slack);
	assert_true(s->ops->device(s, 0, &d));
	assert_false(d.hw_timestamps);
	free(d.counters);
	zb_source_close(s);
}

static int start(void **state)
{
	static const char *const vdevs[] = {"net_null0", STAMPS};
	static unsigned worker;
	struct zb_eal_conf conf = {
		.worker_cpus = &worker,
		.worker_nr = 1,
		.helper_cpus = &cpus,
		.devices = true,
		.vdevs = vdevs,
		.vdev_nr = 2,
	};
	struct zb_eal_info info;

	(void)state;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return -1;
	while (!CPU_ISSET(worker, &cpus))
		worker++;
	return zb_eal_start(&conf, &info);
}

static int end(void **state)
{
	(void)state;
	zb_eal_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_stamped_packets_have_the_nics_time),
		cmocka_unit_test(burst_unstamped_packets_have_the_time_of_reading),
	};

	return cmocka_run_group_tests_name("source_port", tests, start, end);
}
