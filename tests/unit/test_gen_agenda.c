/* SPDX-License-Identifier: Apache-2.0 */
/* test_gen_agenda.c - sessions come by time, then by number, whatever they do in between */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bench/gen_agenda.h"

#define BEGIN_NS ZB_GEN_S

static struct zb_gen_session *make_sessions(size_t nr)
{
	struct zb_gen_session *s = aligned_alloc(64, nr * sizeof(*s));

	assert_non_null(s);
	for (size_t i = 0; i < nr; i++)
		s[i] = (struct zb_gen_session){.id = i};
	return s;
}

/* The agenda that costs most and is easiest to believe: look at all of them. */
struct plain {
	struct zb_gen_session *sessions;
	bool *waits;
	size_t nr;
};

static const struct zb_gen_session *plain_first(const struct plain *p)
{
	const struct zb_gen_session *first = NULL;

	for (size_t i = 0; i < p->nr; i++)
		if (p->waits[i] && (first == NULL || p->sessions[i].next_ns < first->next_ns))
			first = &p->sessions[i];
	return first;
}

/* Times between steps of all sizes, often none at all. */
static uint64_t draw_gap(struct zb_gen_rand *r, unsigned bits_max)
{
	unsigned bits = zb_gen_rand_below(r, bits_max + 1);

	return bits == 0 ? 0 : zb_gen_rand_u64(r) >> (64 - bits);
}

static void walk(size_t nr, unsigned bits_max, uint64_t seed)
{
	struct plain p = {make_sessions(nr), calloc(nr, sizeof(bool)), nr};
	struct zb_gen_agenda *a = calloc(1, sizeof(*a));
	struct zb_gen_rand r = zb_gen_rand_seed(seed, nr);
	uint64_t now_ns = BEGIN_NS;

	assert_true(a != NULL && p.waits != NULL);
	zb_gen_agenda_init(a, BEGIN_NS);
	assert_int_equal(zb_gen_agenda_reserve(a, nr), 0);
	for (unsigned step = 0; step < 4000; step++) {
		size_t i = zb_gen_rand_below(&r, (uint32_t)nr);
		const struct zb_gen_session *first;
		struct zb_gen_session *s;

		if (!p.waits[i]) {
			p.sessions[i].next_ns = now_ns + draw_gap(&r, bits_max);
			p.waits[i] = true;
			zb_gen_agenda_add(a, p.sessions[i].next_ns, &p.sessions[i]);
		}
		first = plain_first(&p);
		s = zb_gen_agenda_first(a).session;
		assert_ptr_equal(s, first);
		assert_true(zb_gen_agenda_first(a).ns == s->next_ns);
		now_ns = s->next_ns;
		if (zb_gen_rand_one_in(&r, 8)) {
			p.waits[s->id] = false;
			zb_gen_agenda_drop_first(a);
		} else {
			s->next_ns += draw_gap(&r, bits_max);
			zb_gen_agenda_move_first(a, s->next_ns);
		}
	}
	zb_gen_agenda_fini(a);
	free(a);
	free(p.waits);
	free(p.sessions);
}

/* At every step the first one is the first of all, of few and of many, near together and far. */
static void agenda_first_is_the_first_of_all(void **state)
{
	(void)state;
	/* 4000 steps of more would be more than 64 bits hold. */
	for (unsigned bits = 0; bits <= 48; bits += 6) {
		walk(1, bits, 1);
		walk(3, bits, 2);
		walk(40, bits, 3);
		walk(700, bits, 4);
	}
}

/* Thousands that begin after a silence, all before the one that was next, are still in order. */
static void agenda_many_before_the_next_are_in_order(void **state)
{
	const size_t nr = 20000;
	struct zb_gen_session *s = make_sessions(nr);
	struct zb_gen_agenda *a = calloc(1, sizeof(*a));
	struct zb_gen_rand r = zb_gen_rand_seed(5, 5);
	uint64_t before_ns = 0;

	(void)state;
	assert_non_null(a);
	zb_gen_agenda_init(a, BEGIN_NS);
	assert_int_equal(zb_gen_agenda_reserve(a, nr), 0);
	s[0].next_ns = BEGIN_NS + 3600 * ZB_GEN_S;
	zb_gen_agenda_add(a, s[0].next_ns, &s[0]);
	for (size_t i = 1; i < nr; i++) {
		s[i].next_ns = BEGIN_NS + zb_gen_rand_below(&r, 1000000);
		zb_gen_agenda_add(a, s[i].next_ns, &s[i]);
	}
	assert_int_equal(zb_gen_agenda_nr(a), nr);
	for (size_t i = 0; i < nr; i++) {
		assert_true(zb_gen_agenda_first(a).ns >= before_ns);
		before_ns = zb_gen_agenda_first(a).ns;
		zb_gen_agenda_drop_first(a);
	}
	assert_int_equal(zb_gen_agenda_nr(a), 0);
	assert_true(before_ns == s[0].next_ns);
	zb_gen_agenda_fini(a);
	free(a);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agenda_first_is_the_first_of_all),
		cmocka_unit_test(agenda_many_before_the_next_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
