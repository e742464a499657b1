/* SPDX-License-Identifier: Apache-2.0 */
/* test_conn_set.c - pool, table and wheel in step: birth, end, limits, and memory that runs out */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "flow_bed.h"

/* Linked with --wrap: allocations still granted; negative: any number. */
static long memalign_left = -1;
int __real_posix_memalign(void **p, size_t align, size_t size);
int __wrap_posix_memalign(void **p, size_t align, size_t size);

int __wrap_posix_memalign(void **p, size_t align, size_t size)
{
	if (memalign_left == 0)
		return ENOMEM;
	if (memalign_left > 0)
		memalign_left--;
	return __real_posix_memalign(p, align, size);
}

static struct bed bed;

static struct zb_flow_key key_of(uint32_t i)
{
	struct zb_flow_key k = {
		.b = {192, 0, 2, 1}, .port_a = 40000, .port_b = 53, .proto = 17, .ip_version = 4};

	fb_put32(k.a, 0x0a000000u + i);
	return k;
}

static uint32_t hash_of(const struct zb_flow_key *k)
{
	return (uint32_t)zb_flow_key_hash(k, BED_SECRET);
}

/* A connection that would end at deadline; NULL when it could not be made. */
static struct zb_conn *create(uint32_t i, uint64_t deadline_ns)
{
	struct zb_flow_key k = key_of(i);
	struct zb_conn *c = zb_conn_set_create(&bed.set, &k, hash_of(&k), BED_START_NS);

	if (c != NULL)
		zb_conn_set_deadline(&bed.set, c, deadline_ns);
	return c;
}

static struct zb_conn *find(uint32_t i)
{
	struct zb_flow_key k = key_of(i);

	return zb_conn_set_find(&bed.set, &k, hash_of(&k));
}

/* What is made is found until it is finished, and stays readable until it is released. */
static void set_connection_is_found_until_finished(void **state)
{
	struct zb_conn *c;

	(void)state;
	bed_open(&bed, 256);
	c = create(1, BED_START_NS + ZB_SEC_NS);
	assert_ptr_equal(find(1), c);
	assert_null(find(2));
	assert_int_equal(bed.set.wheel.count, 1);
	zb_conn_set_finish(&bed.set, c);
	assert_null(find(1));
	assert_int_equal(bed.set.wheel.count, 0);
	assert_int_equal(bed.set.finished_nr, 1);
	assert_int_equal(c->key.port_b, 53);
	assert_int_equal(bed.set.pool.used, 1);
	zb_conn_set_release(&bed.set);
	assert_int_equal(bed.set.pool.used, 0);
	assert_int_equal(bed.stat.c[ZB_C_udp_conns], 1);
	assert_int_equal(bed.stat.g[ZB_G_active_udp_conns], 0);
	bed_close(&bed);
}

/* Keys of one 32-bit hash must each find their own connection, and one's end must leave the other.
 */
static void set_keys_of_one_hash_are_told_apart(void **state)
{
	enum { NR = 200000 };
	uint64_t *by_hash =
		calloc(1u << 24,
		       sizeof(*by_hash)); /* of the last key with these 24 bits, and its number */
	unsigned pairs = 0;

	(void)state;
	assert_non_null(by_hash);
	bed_open(&bed, 4096);
	for (uint32_t i = 1; i < NR; i++) {
		struct zb_flow_key k = key_of(i);
		uint32_t hash = hash_of(&k), other = (uint32_t)by_hash[hash >> 8];

		if (other != 0 && by_hash[hash >> 8] >> 32 == hash) {
			struct zb_conn *c = create(i, BED_START_NS + ZB_SEC_NS),
				       *d = create(other, BED_START_NS + ZB_SEC_NS);

			assert_ptr_equal(find(i), c);
			assert_ptr_equal(find(other), d);
			zb_conn_set_finish(&bed.set, c);
			assert_null(find(i));
			assert_ptr_equal(find(other), d);
			pairs++;
		}
		by_hash[hash >> 8] = (uint64_t)hash << 32 | i;
	}
	assert_true(pairs > 0);
	free(by_hash);
	bed_close(&bed);
}

/* Deadlines are kept exactly to the packet that set them last, earlier or later. */
static void set_expire_follows_the_last_deadline(void **state)
{
	struct zb_conn *later, *sooner;

	(void)state;
	bed_open(&bed, 256);
	later = create(1, BED_START_NS + 10 * ZB_SEC_NS);
	sooner = create(2, BED_START_NS + 3600 * ZB_SEC_NS);
	zb_conn_set_deadline(&bed.set, later, BED_START_NS + 100 * ZB_SEC_NS);
	zb_conn_set_deadline(&bed.set, sooner, BED_START_NS + 5 * ZB_SEC_NS);
	zb_conn_set_expire(&bed.set, BED_START_NS + 5 * ZB_SEC_NS - 1);
	assert_int_equal(bed.set.finished_nr, 0);
	zb_conn_set_expire(&bed.set, BED_START_NS + 50 * ZB_SEC_NS);
	assert_int_equal(bed.set.finished_nr, 1);
	assert_true(sooner->flags & ZB_CONN_FINISHED);
	zb_conn_set_expire(&bed.set, BED_START_NS + 101 * ZB_SEC_NS);
	assert_int_equal(bed.set.finished_nr, 2);
	assert_int_equal(bed.stat.c[ZB_C_conns_expired], 2);
	bed_close(&bed);
}

/* However many are due, a burst ends a bounded number of them, and the next ones the rest. */
static void set_expire_is_bounded(void **state)
{
	unsigned bursts = 0, ended = 0;

	(void)state;
	bed_open(&bed, 8192);
	for (uint32_t i = 0; i < 5000; i++)
		assert_non_null(create(i, BED_START_NS + ZB_SEC_NS));
	while (ended < 5000) {
		zb_conn_set_expire(&bed.set, BED_START_NS + 9 * ZB_SEC_NS);
		assert_in_range(bed.set.finished_nr, 1, ZB_EXPIRE_MAX);
		ended += bed.set.finished_nr;
		zb_conn_set_release(&bed.set);
		bursts++;
	}
	assert_int_equal(bursts, (5000 + ZB_EXPIRE_MAX - 1) / ZB_EXPIRE_MAX);
	assert_int_equal(bed.stat.c[ZB_C_conns_evicted], 0);
	bed_close(&bed);
}

/* At the limit the connections that would end first must make room for a whole burst, counted. */
static void set_at_its_limit_sheds_what_ends_first(void **state)
{
	(void)state;
	bed_open(&bed, 256);
	for (uint32_t i = 0; i < 256; i++)
		assert_non_null(create(i, BED_START_NS + (i < 64 ? 5 : 300) * ZB_SEC_NS));
	assert_null(create(256, BED_START_NS + ZB_SEC_NS));
	zb_conn_set_expire(&bed.set, BED_START_NS);
	assert_int_equal(bed.stat.c[ZB_C_conns_evicted], 64);
	assert_int_equal(bed.set.finished_nr, 64);
	zb_conn_set_release(&bed.set);
	for (uint32_t i = 0; i < 256; i++)
		assert_int_equal(find(i) == NULL, i < 64);
	for (uint32_t i = 1000; i < 1000 + ZB_BURST_MAX; i++)
		assert_non_null(create(i, BED_START_NS + ZB_SEC_NS));
	bed_close(&bed);
}

/* A full burst of ends and as many time-outs and evictions as there can be must fit the list. */
static void set_finished_list_holds_the_worst_burst(void **state)
{
	(void)state;
	bed_open(&bed, 600);
	for (uint32_t i = 0; i < 600; i++)
		assert_non_null(create(i, BED_START_NS + (i < 300 ? 1 : 900) * ZB_SEC_NS));
	for (uint32_t i = 600 - ZB_BURST_MAX; i < 600; i++)
		zb_conn_set_finish(&bed.set, find(i));
	zb_conn_set_expire(&bed.set, BED_START_NS + 10 * ZB_SEC_NS);
	assert_true(bed.set.finished_nr >= ZB_BURST_MAX + ZB_EXPIRE_MAX);
	assert_true(bed.set.finished_nr <= ZB_FINISHED_MAX);
	zb_conn_set_release(&bed.set);
	bed_close(&bed);
}

/* Draining must end each connection once, those that have seen no packet yet too. */
static void set_drain_ends_each_connection_once(void **state)
{
	struct zb_flow_key k = key_of(9999);
	uint32_t cursor = 0, ended = 0;

	(void)state;
	bed_open(&bed, 2048);
	for (uint32_t i = 0; i < 1000; i++)
		assert_non_null(create(i, BED_START_NS + ZB_SEC_NS));
	assert_non_null(zb_conn_set_create(&bed.set, &k, hash_of(&k), BED_START_NS));
	for (uint32_t i = 0; i < 1000; i += 3)
		zb_conn_set_finish(&bed.set, find(i)), zb_conn_set_release(&bed.set);
	while (zb_conn_set_drain(&bed.set, &cursor)) {
		ended += bed.set.finished_nr;
		zb_conn_set_release(&bed.set);
	}
	assert_int_equal(ended, 1001 - 334);
	bed_close(&bed);
}

/* Gauges must say what is held. */
static void set_gauges_are_what_is_held(void **state)
{
	(void)state;
	bed_open(&bed, 100000);
	for (uint32_t i = 0; i < 10000; i++)
		assert_non_null(create(i, BED_START_NS + ZB_SEC_NS));
	zb_conn_set_gauges(&bed.set);
	assert_int_equal(bed.stat.g[ZB_G_conn_bytes], 10000 * sizeof(struct zb_conn));
	assert_int_equal(bed.stat.g[ZB_G_conn_reserved_bytes], 2 * (2 << 20));
	assert_int_equal(bed.stat.g[ZB_G_flow_table_bytes], zb_flow_table_bytes(&bed.set.table));
	assert_int_equal(bed.stat.g[ZB_G_timer_bytes], zb_wheel_bytes(&bed.set.wheel));
	assert_int_equal(bed.stat.g[ZB_G_active_udp_conns], 10000);
	bed_close(&bed);
}

/* Without memory for a set, or for a connection, nothing must be half made, and all go on when
 * there is some. */
static void set_without_memory_makes_nothing(void **state)
{
	static struct zb_conn_set set;
	uint32_t made = 0;

	(void)state;
	memalign_left = 0;
	assert_int_equal(zb_conn_set_init(&set, 256, 0, 1, 0, &bed.stat), -ENOMEM);
	memalign_left = -1;
	bed_open(&bed, 100000);
	memalign_left = 2; /* a chunk of connections and one of overflow buckets */
	while (made < 50000 && create(made, BED_START_NS + ZB_SEC_NS) != NULL)
		made++;
	assert_int_equal(made, 1u << ZB_CONN_CHUNK_SHIFT);
	assert_int_equal(bed.set.pool.used, made);
	assert_int_equal(bed.set.table.entry_nr, made);
	assert_int_equal(bed.stat.c[ZB_C_udp_conns], made);
	zb_flow_table_check(&bed.set.table);
	memalign_left = -1;
	assert_non_null(create(made, BED_START_NS + ZB_SEC_NS));
	bed_close(&bed);
}

/* A connection that finds no room in the table must go back to the pool without a trace in the
 * wheel. */
static void set_without_memory_for_the_table_gives_the_connection_back(void **state)
{
	struct zb_flow_key k = key_of(1);
	uint32_t made = 0;

	(void)state;
	bed_open(&bed, 1024);
	memalign_left = 1; /* connections; none for overflow buckets */
	/* The same hash for all, so that one bucket overflows. */
	while (made < 100 && zb_conn_set_create(&bed.set, &k, 5, BED_START_NS) != NULL)
		made++;
	assert_int_equal(made, ZB_FLOW_SLOTS);
	assert_int_equal(bed.set.pool.used, made);
	assert_int_equal(zb_conn_at(&bed.set.pool, made)->wheel_slot, ZB_WHEEL_NONE);
	memalign_left = -1;
	for (uint32_t id = 0; id < made; id++) { /* undone by hand, for their hash is made up */
		assert_true(zb_flow_remove(&bed.set.table, 5, id));
		zb_conn_at(&bed.set.pool, id)->key.ip_version = 0;
		zb_conn_pool_put(&bed.set.pool, id);
	}
	bed_close(&bed);
}

/* Beyond the limit of long histories, connections go on with short ones; what is lost is counted.
 */
static void set_histories_beyond_the_limit_are_cut(void **state)
{
	uint64_t limit[ZB_MEM_NR] = {[ZB_MEM_history] = 3 * sizeof(struct zb_conn_rare)};
	struct zb_conn c[4] = {0};
	struct zb_mem mem;

	(void)state;
	zb_mem_init(&mem, limit);
	zb_conn_rare_count_in(&mem);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < ZB_HISTORY_INLINE + 2; k++)
			zb_conn_history_add(&c[i], ZB_ORIG, 'A');
	assert_int_equal(mem.bytes[ZB_MEM_history], limit[ZB_MEM_history]);
	assert_int_equal(mem.shed[ZB_MEM_history], 2);
	assert_int_equal(c[3].history_lost, 2);
	assert_int_equal(c[2].history_lost, 0);
	for (unsigned i = 0; i < 4; i++)
		zb_conn_rare_free(&c[i]);
	assert_int_equal(mem.total, 0);
	zb_conn_rare_count_in(NULL);
}

/* Connections that stay beyond their time are noticed, few or many; those in time are not. */
static void set_overdue_connections_are_estimated(void **state)
{
	uint64_t overdue = 0;

	(void)state;
	bed_open(&bed, 4096);
	assert_int_equal(zb_conn_set_overdue(&bed.set, BED_START_NS), 0);
	for (uint32_t i = 0; i < 40; i++)
		assert_non_null(create(i, BED_START_NS + (i % 4 == 0 ? 1 : 1000) * ZB_SEC_NS));
	assert_int_equal(zb_conn_set_overdue(&bed.set, BED_START_NS + 2 * ZB_SEC_NS), 0);
	assert_int_equal(zb_conn_set_overdue(&bed.set, BED_START_NS + 4 * ZB_SEC_NS), 10);
	zb_conn_set_finish(&bed.set, find(4)); /* not released: no connection any more */
	assert_true(zb_conn_set_overdue(&bed.set, BED_START_NS + 4 * ZB_SEC_NS) < 10);
	for (uint32_t i = 40; i < 4000; i++)
		assert_non_null(create(i, BED_START_NS + (i % 2 == 0 ? 1 : 1000) * ZB_SEC_NS));
	for (unsigned i = 0; i < 100; i++)
		overdue += zb_conn_set_overdue(&bed.set, BED_START_NS + 4 * ZB_SEC_NS);
	assert_true(overdue / 100 > 1600 && overdue / 100 < 2400);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_connection_is_found_until_finished),
		cmocka_unit_test(set_overdue_connections_are_estimated),
		cmocka_unit_test(set_keys_of_one_hash_are_told_apart),
		cmocka_unit_test(set_expire_follows_the_last_deadline),
		cmocka_unit_test(set_expire_is_bounded),
		cmocka_unit_test(set_at_its_limit_sheds_what_ends_first),
		cmocka_unit_test(set_histories_beyond_the_limit_are_cut),
		cmocka_unit_test(set_finished_list_holds_the_worst_burst),
		cmocka_unit_test(set_drain_ends_each_connection_once),
		cmocka_unit_test(set_gauges_are_what_is_held),
		cmocka_unit_test(set_without_memory_makes_nothing),
		cmocka_unit_test(set_without_memory_for_the_table_gives_the_connection_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
