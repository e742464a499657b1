/* SPDX-License-Identifier: Apache-2.0 */
/* test_mem.c - memory by kind: limits, sizes given back, what is shown */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "pipeline/mem.h"

/* A kind gives exactly its limit and no byte more; the other kinds are not touched by that. */
static void mem_kind_at_its_limit_gives_nothing_more(void **state)
{
	uint64_t limit[ZB_MEM_NR] = {[ZB_MEM_dns] = 100};
	struct zb_mem m;
	void *a, *b, *other;

	(void)state;
	zb_mem_init(&m, limit);
	a = zb_mem_get(&m, ZB_MEM_dns, 60);
	assert_non_null(a);
	assert_null(zb_mem_get(&m, ZB_MEM_dns, 41));
	assert_null(zb_mem_get_raw(&m, ZB_MEM_dns, SIZE_MAX));
	b = zb_mem_get_raw(&m, ZB_MEM_dns, 40);
	assert_non_null(b);
	other = zb_mem_get(&m, ZB_MEM_http, 1000);
	assert_non_null(other);
	assert_int_equal(m.bytes[ZB_MEM_dns], 100);
	assert_int_equal(m.total, 1100);
	zb_mem_put(&m, ZB_MEM_dns, a, 60);
	a = zb_mem_get(&m, ZB_MEM_dns, 60);
	assert_non_null(a);
	zb_mem_put(&m, ZB_MEM_dns, a, 60);
	zb_mem_put(&m, ZB_MEM_dns, b, 40);
	zb_mem_put(&m, ZB_MEM_http, other, 1000);
	assert_int_equal(m.total, 0);
}

/* The total has a limit as well, whatever the kinds still have; what is held stays. */
static void mem_total_at_its_limit_gives_nothing_more(void **state)
{
	struct zb_mem m;
	void *p;

	(void)state;
	zb_mem_init(&m, NULL);
	p = zb_mem_get(&m, ZB_MEM_dns, 100);
	m.total_max = 110;
	assert_null(zb_mem_get(&m, ZB_MEM_http, 11));
	assert_null(zb_mem_resize(&m, ZB_MEM_dns, p, 100, 111));
	p = zb_mem_resize(&m, ZB_MEM_dns, p, 100, 110);
	assert_non_null(p);
	m.total_max = 50;
	assert_null(zb_mem_get(&m, ZB_MEM_http, 1));
	assert_null(zb_mem_resize(&m, ZB_MEM_dns, p, 110, 111));
	zb_mem_put(&m, ZB_MEM_dns, p, 110);
	p = zb_mem_get(&m, ZB_MEM_http, 50);
	assert_non_null(p);
	zb_mem_put(&m, ZB_MEM_http, p, 50);
}

/* Kinds without a limit of their own have the default. */
static void mem_no_limit_given_default_holds(void **state)
{
	uint64_t limit[ZB_MEM_NR] = {[ZB_MEM_dns] = 100};
	struct zb_mem m, all;

	(void)state;
	zb_mem_init(&m, limit);
	zb_mem_init(&all, NULL);
	assert_int_equal(m.limit[ZB_MEM_frag], 64 << 20);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++) {
		assert_true(all.limit[kind] >= 1 << 20);
		assert_int_equal(m.limit[kind], kind == ZB_MEM_dns ? 100 : all.limit[kind]);
	}
}

/* What is asked for cleared is cleared. */
static void mem_get_is_zeroed(void **state)
{
	struct zb_mem m;

	(void)state;
	zb_mem_init(&m, NULL);
	for (unsigned i = 0; i < 100; i++) {
		uint8_t *p = zb_mem_get(&m, ZB_MEM_tls, 512);

		assert_non_null(p);
		for (unsigned at = 0; at < 512; at++)
			assert_int_equal(p[at], 0);
		memset(p, 0xa5, 512);
		zb_mem_put(&m, ZB_MEM_tls, p, 512);
	}
}

/* Growing keeps what is there and counts the difference; what does not fit leaves the block. */
static void mem_resize_keeps_content_and_count(void **state)
{
	uint64_t limit[ZB_MEM_NR] = {[ZB_MEM_http] = 100};
	struct zb_mem m;
	char *p, *q;

	(void)state;
	zb_mem_init(&m, limit);
	p = zb_mem_resize(&m, ZB_MEM_http, NULL, 0, 10);
	assert_non_null(p);
	memcpy(p, "0123456789", 10);
	p = zb_mem_resize(&m, ZB_MEM_http, p, 10, 100);
	assert_non_null(p);
	assert_memory_equal(p, "0123456789", 10);
	assert_int_equal(m.bytes[ZB_MEM_http], 100);
	assert_null(zb_mem_resize(&m, ZB_MEM_http, p, 100, 101));
	assert_int_equal(m.bytes[ZB_MEM_http], 100);
	assert_memory_equal(p, "0123456789", 10);
	q = zb_mem_resize(&m, ZB_MEM_http, p, 100, 4);
	assert_non_null(q);
	assert_memory_equal(q, "0123", 4);
	assert_int_equal(m.total, 4);
	zb_mem_put(&m, ZB_MEM_http, q, 4);
	assert_int_equal(m.total, 0);
}

/* A block may shrink to nothing and is still a block. */
static void mem_resize_to_nothing_is_no_failure(void **state)
{
	struct zb_mem m;
	void *p;

	(void)state;
	zb_mem_init(&m, NULL);
	p = zb_mem_get(&m, ZB_MEM_file, 8);
	p = zb_mem_resize(&m, ZB_MEM_file, p, 8, 0);
	assert_non_null(p);
	assert_int_equal(m.total, 0);
	p = zb_mem_resize(&m, ZB_MEM_file, p, 0, 8);
	assert_non_null(p);
	zb_mem_put(&m, ZB_MEM_file, p, 8);
	zb_mem_put(&m, ZB_MEM_file, NULL, 8);
	assert_int_equal(m.total, 0);
}

/* Statistics show each kind's bytes and what it shed in places of their own. */
static void mem_gauges_show_bytes_and_shed(void **state)
{
	static struct zb_lcore_stat st;
	struct zb_mem m;
	void *p[ZB_MEM_NR];

	(void)state;
	zb_mem_init(&m, NULL);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++) {
		p[kind] = zb_mem_get(&m, kind, 100 + kind);
		for (unsigned i = 0; i <= kind; i++)
			zb_mem_shed(&m, kind);
	}
	zb_mem_gauges(&m, &st);
	assert_int_equal(st.g[ZB_G_stream_bytes], 100 + ZB_MEM_stream);
	assert_int_equal(st.g[ZB_G_reassem_file_bytes], 100 + ZB_MEM_file_data);
	assert_int_equal(st.g[ZB_G_known_bytes], 100 + ZB_MEM_known);
	assert_int_equal(st.c[ZB_C_stream_shed], ZB_MEM_stream + 1);
	assert_int_equal(st.c[ZB_C_tunnel_shed], ZB_MEM_tunnel + 1);
	assert_int_equal(st.c[ZB_C_known_shed], ZB_MEM_known + 1);
	assert_int_equal(st.g[ZB_G_expect_bytes], 100 + ZB_MEM_expect);
	assert_int_equal(st.c[ZB_C_expect_shed], ZB_MEM_expect + 1);
	assert_int_equal(st.g[ZB_G_dhcp_bytes], 100 + ZB_MEM_dhcp);
	assert_int_equal(st.c[ZB_C_dhcp_shed], ZB_MEM_dhcp + 1);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++)
		zb_mem_put(&m, kind, p[kind], 100 + kind);
	assert_int_equal(m.total, 0);
}

/* A table's buckets fit into a small part of the limit, and there is always one. */
static void mem_buckets_follow_the_limit(void **state)
{
	uint64_t limit[ZB_MEM_NR] = {[ZB_MEM_frag] = 65536, [ZB_MEM_file] = 1};
	struct zb_mem m;

	(void)state;
	zb_mem_init(&m, limit);
	assert_int_equal(zb_mem_buckets(&m, ZB_MEM_frag, 4096), 1024);
	assert_int_equal(zb_mem_buckets(&m, ZB_MEM_frag, 512), 512);
	assert_int_equal(zb_mem_buckets(&m, ZB_MEM_file, 4096), 1);
	assert_int_equal(zb_mem_buckets(&m, ZB_MEM_tunnel, 4096), 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mem_kind_at_its_limit_gives_nothing_more),
		cmocka_unit_test(mem_total_at_its_limit_gives_nothing_more),
		cmocka_unit_test(mem_no_limit_given_default_holds),
		cmocka_unit_test(mem_get_is_zeroed),
		cmocka_unit_test(mem_resize_keeps_content_and_count),
		cmocka_unit_test(mem_resize_to_nothing_is_no_failure),
		cmocka_unit_test(mem_buckets_follow_the_limit),
		cmocka_unit_test(mem_gauges_show_bytes_and_shed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
