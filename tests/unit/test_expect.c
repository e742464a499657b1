/* SPDX-License-Identifier: Apache-2.0 */
/* test_expect.c - announced connections: who gets what, for how long, and how many there can be */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_fake.h"
#include "pipeline/expect.h"

static const uint8_t CLIENT[16] = {10, 0, 0, 1}, SERVER[16] = {192, 0, 2, 1};

struct expect_bed {
	struct analyzer_bed b;
	struct zb_analyzer_def def;
	struct zb_analyzer *teller;
	struct zb_delivery_list deliveries;
};

/* A connection with an analyzer that may announce others. */
static void open_bed(struct expect_bed *e)
{
	fake_open(&e->b, IPPROTO_TCP, 9);
	e->deliveries.an = &e->b.an;
	e->deliveries.nr = 0;
	e->deliveries.flags = 0;
	e->def = fake_def[FAKE_BOTH];
	e->def.announces = true;
	e->b.an.registry->def[FAKE_BOTH] = &e->def;
	e->teller = zb_branch_attach(&e->b.s->root, FAKE_BOTH);
	assert_non_null(e->teller);
}

static void close_bed(struct expect_bed *e)
{
	ab_end(&e->b);
	ab_close(&e->b);
}

static void tell(struct expect_bed *e, const uint8_t *orig, uint16_t port,
		 struct zb_expect_note *note)
{
	zb_expect(e->teller, &(struct zb_expect_conf){.orig = orig,
						      .resp = SERVER,
						      .ip_version = 4,
						      .analyzer = FAKE_PLAIN,
						      .port = port,
						      .note = note});
}

/* CLIENT begins a connection to port of SERVER; returns the analyzer that was expected, or NULL. */
static struct zb_analyzer *connect_to(struct expect_bed *e, struct zb_conn *c, uint16_t port)
{
	memset(c, 0, sizeof(*c));
	ab_conn_to(c, IPPROTO_TCP, port);
	c->flags |= ZB_CONN_FRESH;
	if (zb_expect_concerns(&e->b.an, &e->deliveries, c))
		assert_true(zb_expect_apply(&e->b.an, &e->deliveries, c));
	return c->streams != NULL ? zb_session_of(c)->root.first : NULL;
}

static bool is_expected(struct expect_bed *e, uint16_t port)
{
	struct zb_conn c;
	bool yes = connect_to(e, &c, port) != NULL;

	zb_session_end(&c);
	return yes;
}

/* What was announced gets its analyzer, instead of that of its port; nothing else does. */
static void expect_announced_connection_gets_its_analyzer(void **state)
{
	static const uint8_t other[16] = {10, 0, 0, 2};
	struct zb_expect_note *note;
	struct zb_analyzer *a;
	struct expect_bed e;
	struct zb_conn c;

	(void)state;
	open_bed(&e);
	assert_false(is_expected(&e, FAKE_ON_PORT));
	tell(&e, CLIENT, FAKE_ON_PORT, NULL);
	tell(&e, other, 79, NULL);
	tell(&e, NULL, 80, NULL);
	a = connect_to(&e, &c, FAKE_ON_PORT);
	assert_non_null(a);
	assert_int_equal(a->id, FAKE_PLAIN);
	assert_null(a->next);
	assert_ptr_equal(zb_session_get(&e.b.an, &c), c.streams);
	assert_null(a->next);
	assert_true(zb_expect_is(a, &note));
	assert_null(note);
	zb_session_end(&c);
	assert_false(is_expected(&e, 78));
	assert_false(is_expected(&e, 79));
	assert_true(is_expected(&e, 80));
	close_bed(&e);
}

/* Five minutes, counted anew when it is announced once more. */
static void expect_is_forgotten_after_its_time(void **state)
{
	struct expect_bed e;

	(void)state;
	open_bed(&e);
	tell(&e, CLIENT, 80, NULL);
	tell(&e, CLIENT, 81, NULL);
	e.b.an.now_ns += ZB_EXPECT_NS - 1;
	tell(&e, CLIENT, 80, NULL);
	assert_int_equal(e.b.an.expect_nr, 2);
	assert_true(is_expected(&e, 81));
	e.b.an.now_ns += 1;
	assert_false(is_expected(&e, 81));
	assert_true(is_expected(&e, 80));
	assert_int_equal(e.b.an.expect_nr, 1);
	e.b.an.now_ns += ZB_EXPECT_NS;
	assert_false(is_expected(&e, 80));
	assert_int_equal(e.b.an.expect_nr, 0);
	close_bed(&e);
}

/* After the one that was expected, others like it have the analyzer, and are told that. */
static void expect_spent_is_expected_no_more(void **state)
{
	struct zb_expect_note *note;
	struct zb_analyzer *a;
	struct expect_bed e;
	struct zb_conn c;

	(void)state;
	open_bed(&e);
	tell(&e, NULL, 80, NULL);
	a = connect_to(&e, &c, 80);
	assert_true(zb_expect_is(a, &note));
	zb_expect_spend(a);
	assert_false(zb_expect_is(a, &note));
	zb_session_end(&c);
	a = connect_to(&e, &c, 80);
	assert_non_null(a);
	assert_false(zb_expect_is(a, &note));
	tell(&e, NULL, 80, NULL);
	assert_true(zb_expect_is(a, &note));
	zb_session_end(&c);
	close_bed(&e);
}

/* A note lives as long as anybody holds it: the teller, the table, the connection. */
static void expect_note_belongs_to_all_who_hold_it(void **state)
{
	struct zb_expect_note *note, *seen;
	struct zb_analyzer *a;
	struct expect_bed e;
	struct zb_conn c;

	(void)state;
	open_bed(&e);
	note = zb_expect_note_get(&e.b.an, sizeof(*note) + 8);
	tell(&e, CLIENT, 80, note);
	assert_int_equal(note->held, 2);
	zb_expect_note_put(&e.b.an, note);
	a = connect_to(&e, &c, 80);
	assert_true(zb_expect_is(a, &seen));
	assert_ptr_equal(seen, note);
	zb_expect_note_hold(seen);
	tell(&e, CLIENT, 80, NULL);
	assert_int_equal(note->held, 1);
	zb_expect_note_put(&e.b.an, note);
	tell(&e, CLIENT, 80, zb_expect_note_get(&e.b.an, sizeof(*note)));
	assert_true(zb_expect_is(a, &seen));
	zb_expect_note_put(&e.b.an, seen); /* the table's is freed with it */
	zb_session_end(&c);
	close_bed(&e);
}

/* At the limit the oldest makes room, and is counted. */
static void expect_at_its_limit_forgets_the_oldest(void **state)
{
	struct expect_bed e;
	uint64_t *bytes;

	(void)state;
	open_bed(&e);
	bytes = &e.b.an.mem.bytes[ZB_MEM_expect];
	for (uint16_t i = 0; i < 100; i++)
		tell(&e, CLIENT, 1000 + i, NULL);
	e.b.an.mem.limit[ZB_MEM_expect] = *bytes;
	for (uint16_t i = 100; i < 200; i++)
		tell(&e, CLIENT, 1000 + i, NULL);
	assert_int_equal(*bytes, e.b.an.mem.limit[ZB_MEM_expect]);
	assert_int_equal(e.b.an.expect_nr, 100);
	assert_int_equal(e.b.an.mem.shed[ZB_MEM_expect], 100);
	assert_false(is_expected(&e, 1099));
	assert_true(is_expected(&e, 1100));
	close_bed(&e);
}

/* Without room for anything, nothing is expected. */
static void expect_without_room_does_without(void **state)
{
	struct expect_bed e;

	(void)state;
	open_bed(&e);
	e.b.an.mem.limit[ZB_MEM_expect] = 100;
	tell(&e, CLIENT, 80, NULL);
	assert_false(is_expected(&e, 80));
	assert_true(e.b.an.mem.shed[ZB_MEM_expect] > 0);
	close_bed(&e);
}

/* What is still to be read may announce a connection: it comes first. */
static void expect_connection_waits_for_what_may_announce_it(void **state)
{
	struct expect_bed e;
	struct zb_conn c = {.flags = ZB_CONN_FRESH, .key.proto = IPPROTO_TCP};

	(void)state;
	open_bed(&e);
	assert_false(zb_expect_concerns(&e.b.an, &e.deliveries, &c));
	zb_session_push(&e.deliveries, &(struct zb_delivery){.session = e.b.s,
							     .data = (const uint8_t *)"x",
							     .n = 1,
							     .now_ns = AB_START_NS});
	assert_true(zb_expect_concerns(&e.b.an, &e.deliveries, &c));
	assert_false(zb_expect_apply(&e.b.an, &e.deliveries, &c));
	zb_session_run(&e.deliveries);
	assert_false(zb_expect_concerns(&e.b.an, &e.deliveries, &c));
	close_bed(&e);
}

/* What has an analyzer that announces, or half of what it takes to be one, is marked. */
static void expect_sessions_that_may_announce_are_marked(void **state)
{
	struct analyzer_bed b;
	struct zb_analyzer_def def = fake_def[FAKE_BOTH];

	(void)state;
	def.announces = true;
	fake_open(&b, IPPROTO_TCP, 9);
	b.an.registry->def[FAKE_BOTH] = &def;
	b.an.registry->announcers = 1ull << FAKE_BOTH;
	ab_text(&b, ZB_ORIG, "bo");
	assert_false(b.s->flags & ZB_SESSION_ANNOUNCES);
	ab_text(&b, ZB_ORIG, "th");
	assert_true(b.s->flags & ZB_SESSION_ANNOUNCES);
	ab_end(&b);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expect_announced_connection_gets_its_analyzer),
		cmocka_unit_test(expect_is_forgotten_after_its_time),
		cmocka_unit_test(expect_spent_is_expected_no_more),
		cmocka_unit_test(expect_note_belongs_to_all_who_hold_it),
		cmocka_unit_test(expect_at_its_limit_forgets_the_oldest),
		cmocka_unit_test(expect_without_room_does_without),
		cmocka_unit_test(expect_connection_waits_for_what_may_announce_it),
		cmocka_unit_test(expect_sessions_that_may_announce_are_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
