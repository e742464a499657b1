/* SPDX-License-Identifier: Apache-2.0 */
/* test_large.c - what a connection holds is counted exactly; those that held most are found */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "analyzer_bed.h"
#include "pipeline/file_priv.h"

#define CONNS 12

struct many {
	struct analyzer_bed b; /* its own connection holds next to nothing */
	struct zb_conn conn[CONNS];
	struct zb_session *s[CONNS];
};

static void open_many(struct many *m)
{
	ab_open(&m->b, IPPROTO_TCP, 9);
	m->b.conn.uid_seq = 1000;
	m->b.an.mem.large = (struct zb_large){.nr = 0};
	memset(m->conn, 0, sizeof(m->conn));
	for (unsigned i = 0; i < CONNS; i++) {
		ab_conn_to(&m->conn[i], IPPROTO_TCP, (uint16_t)(50000 + i));
		m->conn[i].uid_seq = i;
		m->s[i] = zb_session_get(&m->b.an, &m->conn[i]);
		assert_int_equal(m->s[i]->mem.held, sizeof(struct zb_session));
	}
}

static void close_many(struct many *m)
{
	for (unsigned i = 0; i < CONNS; i++)
		zb_session_end(&m->conn[i]);
	assert_null(m->b.an.mem.owner);
	ab_end(&m->b);
	ab_close(&m->b);
}

/* Connection i comes to hold n bytes more, and then no longer. */
static void peak(struct many *m, unsigned i, size_t n)
{
	struct zb_mem *mem = &m->b.an.mem;
	uint32_t held = m->s[i]->mem.held;
	void *p;

	zb_mem_for(mem, &m->s[i]->mem);
	m->b.an.now_ns++;
	p = zb_mem_get(mem, ZB_MEM_http, n / 2);
	p = zb_mem_resize(mem, ZB_MEM_http, p, n / 2, n);
	assert_non_null(p);
	assert_int_equal(m->s[i]->mem.held, held + n);
	p = zb_mem_resize(mem, ZB_MEM_http, p, n, n / 4);
	assert_int_equal(m->s[i]->mem.held, held + n / 4);
	zb_mem_put(mem, ZB_MEM_http, p, n / 4);
	assert_int_equal(m->s[i]->mem.held, held);
}

static const struct zb_large_conn *find(const struct many *m, uint64_t uid_seq)
{
	const struct zb_large *l = &m->b.an.mem.large;
	const struct zb_large_conn *found = NULL;

	for (unsigned i = 0; i < l->nr; i++) {
		if (l->conn[i].uid_seq != uid_seq)
			continue;
		assert_null(found);
		found = &l->conn[i];
	}
	return found;
}

/* Of twelve, in any order, the eight largest stay, each once and with its own peak. */
static void large_eight_of_twelve_stay(void **state)
{
	static const unsigned order[CONNS] = {3, 11, 0, 7, 5, 1, 9, 2, 10, 4, 8, 6};
	struct many m;

	(void)state;
	open_many(&m);
	for (unsigned i = 0; i < CONNS; i++) {
		peak(&m, order[i], 500);
		peak(&m, order[i], 1000 + 100 * order[i]);
		peak(&m, order[i], 900);
	}
	assert_int_equal(m.b.an.mem.large.nr, ZB_LARGE_MAX);
	for (unsigned i = 0; i < CONNS; i++) {
		const struct zb_large_conn *e = find(&m, i);

		assert_int_equal(e != NULL, i >= CONNS - ZB_LARGE_MAX);
		if (e != NULL)
			assert_int_equal(e->bytes, sizeof(struct zb_session) + 1000 + 100 * i);
	}
	assert_int_equal(m.b.an.mem.large.least, sizeof(struct zb_session) + 1400);
	/* One that had to go comes back when it holds more. */
	peak(&m, 0, 5000);
	assert_int_equal(find(&m, 0)->bytes, sizeof(struct zb_session) + 5000);
	assert_null(find(&m, 4));
	close_many(&m);
}

/* The time is that of the peak, and to hold as much again is no new one. */
static void large_time_is_when_it_first_held_so_much(void **state)
{
	struct many m;
	uint64_t at;

	(void)state;
	open_many(&m);
	peak(&m, 2, 4000);
	at = m.b.an.now_ns;
	peak(&m, 2, 4000);
	peak(&m, 2, 3000);
	assert_int_equal(find(&m, 2)->ts_ns, at);
	peak(&m, 2, 4001);
	assert_int_equal(find(&m, 2)->ts_ns, at + 3);
	close_many(&m);
}

/* What is said of one is what conn.log says: the roles and services of its end. */
static void large_roles_and_services_are_those_of_the_end(void **state)
{
	struct many m;
	bool was;

	(void)state;
	open_many(&m);
	peak(&m, 5, 4000);
	was = find(&m, 5)->orig_is_a;
	assert_string_equal(find(&m, 5)->service, "");
	zb_conn_flip(&m.conn[5]);
	zb_session_flip(m.s[5]);
	zb_session_add_service(m.s[5], "http");
	zb_session_add_service(m.s[5], "ssl");
	for (unsigned i = 0; i < 6; i++)
		zb_session_add_service(m.s[5], (const char *[]){"a-long-word-for-a-service-1",
								"a-long-word-for-a-service-2",
								"a-long-word-for-a-service-3", "d",
								"e", "f"}[i]);
	zb_session_end(&m.conn[5]);
	assert_int_equal(find(&m, 5)->orig_is_a, !was);
	assert_string_equal(find(&m, 5)->service, "http,ssl,a-long-word-for-a-service-1");
	close_many(&m);
}

/* What is not one connection's counts for none, whoever is worked for. */
static void large_shared_kinds_count_for_nobody(void **state)
{
	static const bool is_shared[ZB_MEM_NR] = {
		[ZB_MEM_frag] = true,	[ZB_MEM_file] = true,	 [ZB_MEM_file_data] = true,
		[ZB_MEM_tunnel] = true, [ZB_MEM_known] = true,	 [ZB_MEM_expect] = true,
		[ZB_MEM_dhcp] = true,	[ZB_MEM_history] = true,
	};
	struct many m;

	(void)state;
	open_many(&m);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++) {
		uint32_t owned = is_shared[kind] ? 0 : 100;
		void *p;

		zb_mem_for(&m.b.an.mem, &m.s[1]->mem);
		p = zb_mem_get_raw(&m.b.an.mem, kind, 100);
		assert_non_null(p);
		assert_int_equal(m.s[1]->mem.held, sizeof(struct zb_session) + owned);
		zb_mem_put(&m.b.an.mem, kind, p, 100);
		assert_int_equal(m.s[1]->mem.held, sizeof(struct zb_session));
	}
	close_many(&m);
}

/* A list that is full is run amid a push of another connection, which stays the one that pays. */
static void large_full_list_does_not_change_who_pays(void **state)
{
	static struct zb_delivery_list list;
	struct zb_mem *mem;
	struct many m;

	(void)state;
	open_many(&m);
	mem = &m.b.an.mem;
	list = (struct zb_delivery_list){.an = &m.b.an};
	for (unsigned i = 0; i <= ZB_DELIVERIES_MAX; i++) {
		struct zb_session *s = m.s[i == ZB_DELIVERIES_MAX];
		void *own;

		zb_mem_for(mem, &s->mem);
		own = zb_mem_get(mem, ZB_MEM_tcp_data, 10);
		zb_session_push(&list, &(struct zb_delivery){.session = s,
							     .data = own,
							     .owned = own,
							     .owned_bytes = 10,
							     .n = 1,
							     .kind = ZB_DELIVER_DATA});
		assert_ptr_equal(mem->owner, &s->mem);
	}
	/* The first one's blocks have been given back: those that detection kept are others. */
	assert_int_equal(mem->bytes[ZB_MEM_tcp_data], 10);
	zb_session_run(&list);
	for (unsigned i = 0; i < 2; i++)
		zb_session_finish(m.s[i]);
	assert_int_equal(m.s[0]->mem.held, sizeof(struct zb_session));
	assert_int_equal(m.s[1]->mem.held, sizeof(struct zb_session));
	close_many(&m);
}

/* A request in pieces fills buffers of analyzer and files, and all is given back at the end. */
static void large_http_session_gives_all_back(void **state)
{
	struct analyzer_bed b;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 80);
	ab_text(&b, ZB_ORIG, "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHos");
	ab_text(&b, ZB_RESP, "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nabcdefgh");
	assert_true(b.s->mem.held > sizeof(struct zb_session) + 4096);
	assert_int_equal(b.an.mem.large.nr, 1);
	assert_true(b.an.mem.large.conn[0].bytes >= b.s->mem.held);
	ab_end(&b);
	assert_int_equal(b.s->mem.held, sizeof(struct zb_session));
	ab_close(&b);
}

/* The memory of a file counts for the first connection that holds it, for as long as it does. */
static void large_file_counts_for_its_first_holder(void **state)
{
	const struct zb_file_conf conf = {.source = "SMB",
					  .total_bytes = ZB_FILE_SIZE_UNSET,
					  .handle = "one",
					  .handle_len = 3};
	struct zb_analyzer a[2];
	struct zb_file *f[3];
	struct many m;

	(void)state;
	open_many(&m);
	for (unsigned i = 0; i < 2; i++)
		a[i] = (struct zb_analyzer){.branch = &m.s[i]->root};
	for (unsigned i = 0; i < 3; i++)
		f[i] = zb_file_begin(&a[i == 1], &conf);
	assert_ptr_equal(f[0], f[1]);
	zb_file_data_at(f[1], 100, (const uint8_t *)"early", 5);
	assert_int_equal(m.s[0]->mem.held, sizeof(struct zb_session) + f[0]->bytes);
	assert_int_equal(m.b.an.mem.bytes[ZB_MEM_file_data], sizeof(struct zb_file_block) + 5);
	assert_int_equal(m.s[1]->mem.held, sizeof(struct zb_session));
	zb_mem_for(&m.b.an.mem, &m.s[0]->mem);
	zb_file_release(f[0]);
	assert_int_equal(m.s[0]->mem.held, sizeof(struct zb_session) + f[0]->bytes);
	zb_file_release(f[2]);
	assert_int_equal(m.s[0]->mem.held, sizeof(struct zb_session));
	/* It goes on with the other one, and outlives both. */
	zb_mem_for(&m.b.an.mem, &m.s[1]->mem);
	zb_file_data_at(f[1], 200, (const uint8_t *)"later", 5);
	zb_file_release(f[1]);
	assert_int_equal(m.s[1]->mem.held, sizeof(struct zb_session));
	assert_true(m.b.an.mem.bytes[ZB_MEM_file_data] > 0);
	close_many(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_eight_of_twelve_stay),
		cmocka_unit_test(large_time_is_when_it_first_held_so_much),
		cmocka_unit_test(large_roles_and_services_are_those_of_the_end),
		cmocka_unit_test(large_shared_kinds_count_for_nobody),
		cmocka_unit_test(large_full_list_does_not_change_who_pays),
		cmocka_unit_test(large_http_session_gives_all_back),
		cmocka_unit_test(large_file_counts_for_its_first_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
