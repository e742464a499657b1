/* SPDX-License-Identifier: Apache-2.0 */
/* test_branch.c - content detection, what late analyzers get, removal, roles, nesting */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_fake.h"

static void told(enum zb_analyzer_id id, const char *expected)
{
	assert_string_equal(fake_told[id].text, expected);
}

static void finish(struct analyzer_bed *b)
{
	ab_end(b);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++)
		if (kind != ZB_MEM_stream && kind != ZB_MEM_known && kind != ZB_MEM_file)
			assert_int_equal(b->an.mem.bytes[kind], 0);
	ab_close(b);
}

/* Who is attached by port gets everything, from the first byte, in order and once. */
static void branch_analyzer_of_port_gets_all_from_first_byte(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&b, ZB_ORIG, "a");
	ab_text(&b, ZB_RESP, "bc");
	zb_branch_gap(&b.s->root, ZB_RESP, 7);
	ab_text(&b, ZB_ORIG, "d");
	zb_branch_fin(&b.s->root, ZB_ORIG);
	finish(&b);
	told(FAKE_PORT, "+ o:a r:bc rg7 o:d of .");
}

/* What was seen before a protocol is found is told again in its order, gaps included. */
static void branch_found_late_gets_everything_in_order(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, 9);
	ab_text(&b, ZB_RESP, "hello");
	ab_text(&b, ZB_ORIG, "o");
	zb_branch_gap(&b.s->root, ZB_RESP, 7);
	ab_text(&b, ZB_ORIG, "n");
	told(FAKE_ONE, "");
	ab_text(&b, ZB_ORIG, "e!");
	told(FAKE_ONE, "+ r:hello o:o rg7 o:n o:e!");
	ab_text(&b, ZB_RESP, "next");
	finish(&b);
	told(FAKE_ONE, "+ r:hello o:o rg7 o:n o:e! r:next .");
}

/* One that needs both sides is attached when the second has matched, not before. */
static void branch_match_of_both_sides_waits_for_both(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, 9);
	ab_text(&b, ZB_ORIG, "both");
	told(FAKE_BOTH, "");
	ab_text(&b, ZB_RESP, "ba");
	told(FAKE_BOTH, "");
	ab_text(&b, ZB_RESP, "ck");
	finish(&b);
	told(FAKE_BOTH, "+ o:both r:ba r:ck .");
}

static unsigned late_asked;

static enum zb_match late_match(const uint8_t *d, size_t n)
{
	late_asked++;
	return fake_is_both(d, n);
}

/* A session with a match of the originator's side that is asked late. */
static void open_late(struct analyzer_bed *b, struct zb_analyzer_def *def)
{
	fake_open(b, IPPROTO_TCP, 9);
	*def = fake_def[FAKE_BOTH];
	def->match[ZB_ORIG] = late_match;
	b->an.registry->def[FAKE_BOTH] = def;
	b->an.registry->match_late[ZB_ORIG] = 1ull << FAKE_BOTH;
	late_asked = 0;
}

/* A dear match is asked when the other side has matched, then of all that was kept. */
static void branch_late_match_is_asked_behind_the_other(void **state)
{
	struct zb_analyzer_def def;
	struct analyzer_bed b;

	(void)state;
	open_late(&b, &def);
	ab_text(&b, ZB_ORIG, "bo");
	ab_text(&b, ZB_RESP, "ba");
	ab_text(&b, ZB_ORIG, "th");
	assert_int_equal(late_asked, 0);
	told(FAKE_BOTH, "");
	ab_text(&b, ZB_RESP, "ck");
	assert_true(late_asked > 0);
	finish(&b);
	told(FAKE_BOTH, "+ o:bo r:ba o:th r:ck .");
}

/* One that comes only afterwards is asked as it comes. */
static void branch_late_match_may_come_second(void **state)
{
	struct zb_analyzer_def def;
	struct analyzer_bed b;

	(void)state;
	open_late(&b, &def);
	ab_text(&b, ZB_RESP, "back");
	ab_text(&b, ZB_ORIG, "bo");
	told(FAKE_BOTH, "");
	ab_text(&b, ZB_ORIG, "th");
	finish(&b);
	told(FAKE_BOTH, "+ r:back o:bo o:th .");
}

/* What a segment in the middle begins is found late too, as long as nobody reads the stream. */
static void branch_late_match_of_a_later_segment(void **state)
{
	struct zb_analyzer_def def;
	struct analyzer_bed b;

	(void)state;
	open_late(&b, &def);
	ab_text(&b, ZB_ORIG, "xx");
	ab_text(&b, ZB_ORIG, "both");
	ab_text(&b, ZB_RESP, "back");
	finish(&b);
	told(FAKE_BOTH, "+ o:xx o:both r:back .");
}

/* When the other side cannot match any more, it is not attached. */
static void branch_match_of_one_side_of_two_is_not_enough(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&b, ZB_ORIG, "both");
	ab_text(&b, ZB_RESP, "other");
	assert_false(b.s->root.probing);
	ab_text(&b, ZB_RESP, "back");
	finish(&b);
	told(FAKE_BOTH, "");
}

/* A confirmation ends detection and frees what was kept; others stay. */
static void branch_confirmation_ends_detection(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&b, ZB_ORIG, "on");
	assert_true(b.an.mem.bytes[ZB_MEM_probe] != 0);
	ab_text(&b, ZB_RESP, "C");
	assert_int_equal(b.an.mem.bytes[ZB_MEM_probe], 0);
	assert_true(ab_has_service(&b, "port"));
	ab_text(&b, ZB_ORIG, "e");
	finish(&b);
	told(FAKE_PORT, "+ o:on r:C o:e .");
	told(FAKE_ONE, "");
}

/* One that confirms while it is told what was kept is still told all of it. */
static void branch_confirmation_in_replay_loses_nothing(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, 9);
	ab_text(&b, ZB_RESP, "C");
	ab_text(&b, ZB_RESP, "kept");
	ab_text(&b, ZB_ORIG, "one");
	assert_true(ab_has_service(&b, "one"));
	assert_int_equal(b.an.mem.bytes[ZB_MEM_probe], 0);
	finish(&b);
	told(FAKE_ONE, "+ r:C r:kept o:one .");
}

/* Who removes itself is told nothing more and ends once; its service goes with a violation only. */
static void branch_removed_while_called_is_told_nothing_more(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&b, ZB_ORIG, "C");
	ab_text(&b, ZB_ORIG, "V");
	assert_false(ab_has_service(&b, "port"));
	assert_null(b.s->root.first);
	assert_false(zb_session_listens(b.s));
	finish(&b);
	told(FAKE_PORT, "+ o:C o:V .");
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&b, ZB_ORIG, "CD");
	assert_true(ab_has_service(&b, "port"));
	assert_null(b.s->root.first);
	finish(&b);
	told(FAKE_PORT, "+ o:CD .");
}

/* After 10 KiB a violation is overlooked. */
static void branch_late_violation_is_overlooked(void **state)
{
	struct analyzer_bed b;
	char text[10241];

	(void)state;
	memset(text, '-', sizeof(text));
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	b.conn.end[ZB_ORIG].last_seq += sizeof(text);
	ab_text(&b, ZB_ORIG, "CV");
	ab_text(&b, ZB_ORIG, "x");
	assert_true(ab_has_service(&b, "port"));
	finish(&b);
	told(FAKE_PORT, "+ o:CV o:x .");
}

/* One that another attaches begins with what follows. */
static void branch_attached_by_another_begins_with_what_follows(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&b, ZB_ORIG, "TD");
	told(FAKE_PLAIN, "+");
	ab_text(&b, ZB_RESP, "x");
	finish(&b);
	told(FAKE_PORT, "+ o:TD .");
	told(FAKE_PLAIN, "+ r:x .");
}

/* Nobody is attached twice, even after it was removed. */
static void branch_second_attachment_is_refused(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, 9);
	assert_non_null(zb_branch_attach(&b.s->root, FAKE_PLAIN));
	assert_null(zb_branch_attach(&b.s->root, FAKE_PLAIN));
	ab_text(&b, ZB_ORIG, "V");
	assert_null(zb_branch_attach(&b.s->root, FAKE_PLAIN));
	finish(&b);
}

/* Detection looks at 1024 bytes, and then at nothing any more. */
static void branch_detection_ends_after_1024_bytes(void **state)
{
	static const size_t first[] = {1019, 1024};
	struct analyzer_bed b;
	char text[1024];

	(void)state;
	memset(text, '-', sizeof(text));
	for (unsigned i = 0; i < 2; i++) {
		fake_open(&b, IPPROTO_TCP, 9);
		ab_say(&b, ZB_RESP, text, first[i]);
		assert_int_equal(b.s->root.probing, i == 0);
		assert_true(b.an.mem.bytes[ZB_MEM_probe] < 1024 + 64);
		ab_text(&b, ZB_ORIG, "one");
		assert_int_equal(fake_told[FAKE_ONE].n != 0, i == 0);
		finish(&b);
	}
}

/* A hundred pieces of one byte end it as well. */
static void branch_detection_ends_after_100_chunks(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, 9);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(b.s->root.probing);
		if (i & 1)
			zb_branch_gap(&b.s->root, ZB_RESP, 1);
		else
			ab_text(&b, ZB_RESP, "-");
	}
	assert_false(b.s->root.probing);
	assert_int_equal(b.an.mem.bytes[ZB_MEM_probe], 0);
	finish(&b);
}

/* Each datagram is looked at on its own. */
static void branch_every_datagram_may_match(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_UDP, 9);
	ab_text(&b, ZB_ORIG, "on");
	ab_text(&b, ZB_ORIG, "e");
	told(FAKE_ONE, "");
	ab_text(&b, ZB_ORIG, "one");
	finish(&b);
	told(FAKE_ONE, "+ o:on o:e o:one .");
}

/* No room to keep what was seen: detection ends, and that is counted. */
static void branch_no_room_for_probe_ends_detection(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	b.an.mem.limit[ZB_MEM_probe] = 100;
	ab_text(&b, ZB_ORIG, "o");
	assert_true(b.s->root.probing);
	ab_text(&b, ZB_RESP, "a reply that is longer than what there is room for: there is none");
	assert_false(b.s->root.probing);
	assert_int_equal(b.an.mem.bytes[ZB_MEM_probe], 0);
	assert_int_equal(b.an.mem.shed[ZB_MEM_probe], 1);
	ab_text(&b, ZB_ORIG, "C");
	assert_true(ab_has_service(&b, "port"));
	finish(&b);
}

/* No room for an analyzer that was found: counted, and the others go on. */
static void branch_no_room_for_analyzer_goes_on_without(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	b.an.mem.limit[ZB_MEM_analyzer] = b.an.mem.bytes[ZB_MEM_analyzer];
	ab_text(&b, ZB_ORIG, "one");
	assert_int_equal(b.an.mem.shed[ZB_MEM_analyzer], 1);
	ab_text(&b, ZB_ORIG, "C");
	finish(&b);
	told(FAKE_PORT, "+ o:one o:C .");
	told(FAKE_ONE, "");
}

/* When the first of two swaps the roles, the second is told, and gets the chunk as it now is. */
static void branch_flip_while_called_reaches_the_others(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	zb_branch_attach(&b.s->root, FAKE_PLAIN);
	ab_text(&b, ZB_RESP, "first");
	ab_text(&b, ZB_ORIG, "oF");
	told(FAKE_PORT, "+ r:first o:oF ~ ~");
	/* It flips as well, as the bytes tell it to: twice is back. */
	told(FAKE_PLAIN, "+ r:first ~ r:oF ~");
	finish(&b);

	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&b, ZB_RESP, "first");
	ab_text(&b, ZB_ORIG, "oF");
	assert_int_equal(zb_conn_port(&b.conn, ZB_ORIG), FAKE_ON_PORT);
	zb_branch_gap(&b.s->root, ZB_ORIG, 3);
	finish(&b);
	told(FAKE_PORT, "+ r:first o:oF ~ og3 .");
}

/* What was kept is told with the sides that the roles have now. */
static void branch_flip_turns_what_was_kept(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&b, ZB_RESP, "x");
	ab_text(&b, ZB_ORIG, "yF");
	ab_text(&b, ZB_ORIG, "one");
	finish(&b);
	told(FAKE_PORT, "+ r:x o:yF ~ o:one .");
	/* x is the new originator's, so that "one" is no beginning any more. */
	told(FAKE_ONE, "");
	fake_open(&b, IPPROTO_UDP, FAKE_ON_PORT);
	ab_text(&b, ZB_RESP, "x");
	ab_text(&b, ZB_ORIG, "yF");
	ab_text(&b, ZB_ORIG, "one");
	finish(&b);
	/* It acts on what it is told as the first did. */
	told(FAKE_ONE, "+ o:x r:yF ~ r:one .");
}

/* Detection begins anew inside, down to the depth there is, and all of it is freed. */
static void branch_nesting_is_bounded(void **state)
{
	struct zb_branch *b[ZB_BRANCH_DEPTH + 1];
	struct analyzer_bed bed;
	struct zb_analyzer *a;

	(void)state;
	fake_open(&bed, IPPROTO_TCP, FAKE_ON_PORT);
	a = bed.s->root.first;
	for (unsigned i = 0; i < ZB_BRANCH_DEPTH; i++) {
		b[i] = zb_branch_open(a, true);
		assert_non_null(b[i]);
		a = zb_branch_attach(b[i], FAKE_PLAIN);
		assert_non_null(a);
	}
	assert_null(zb_branch_open(a, true));
	for (unsigned i = ZB_BRANCH_DEPTH; i > 0; i--)
		zb_branch_close(b[i - 1]);
	finish(&bed);
	fake_open(&bed, IPPROTO_TCP, FAKE_ON_PORT);
	ab_text(&bed, ZB_ORIG, "Noneone");
	finish(&bed);
	told(FAKE_ONE, "+ o:oneone .");
	told(FAKE_PORT, "+ o:Noneone .");
}

/* No room for a stream inside a stream: counted, and the outer one goes on. */
static void branch_no_room_for_inner_is_counted(void **state)
{
	struct analyzer_bed b;

	(void)state;
	fake_open(&b, IPPROTO_TCP, FAKE_ON_PORT);
	b.an.mem.limit[ZB_MEM_stream] = b.an.mem.bytes[ZB_MEM_stream];
	ab_text(&b, ZB_ORIG, "None");
	assert_int_equal(b.an.mem.shed[ZB_MEM_stream], 1);
	finish(&b);
	told(FAKE_ONE, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branch_analyzer_of_port_gets_all_from_first_byte),
		cmocka_unit_test(branch_found_late_gets_everything_in_order),
		cmocka_unit_test(branch_match_of_both_sides_waits_for_both),
		cmocka_unit_test(branch_late_match_is_asked_behind_the_other),
		cmocka_unit_test(branch_late_match_may_come_second),
		cmocka_unit_test(branch_late_match_of_a_later_segment),
		cmocka_unit_test(branch_match_of_one_side_of_two_is_not_enough),
		cmocka_unit_test(branch_confirmation_ends_detection),
		cmocka_unit_test(branch_confirmation_in_replay_loses_nothing),
		cmocka_unit_test(branch_removed_while_called_is_told_nothing_more),
		cmocka_unit_test(branch_late_violation_is_overlooked),
		cmocka_unit_test(branch_attached_by_another_begins_with_what_follows),
		cmocka_unit_test(branch_second_attachment_is_refused),
		cmocka_unit_test(branch_detection_ends_after_1024_bytes),
		cmocka_unit_test(branch_detection_ends_after_100_chunks),
		cmocka_unit_test(branch_every_datagram_may_match),
		cmocka_unit_test(branch_no_room_for_probe_ends_detection),
		cmocka_unit_test(branch_no_room_for_analyzer_goes_on_without),
		cmocka_unit_test(branch_flip_while_called_reaches_the_others),
		cmocka_unit_test(branch_flip_turns_what_was_kept),
		cmocka_unit_test(branch_nesting_is_bounded),
		cmocka_unit_test(branch_no_room_for_inner_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
