/* SPDX-License-Identifier: Apache-2.0 */
/* turns.c - see turns.h */
#include "pipeline/turns.h"

/* A burst between one wait and the next: 0 to twice the average, each as likely. */
static uint32_t draw(struct zb_turns *t)
{
	t->random = t->random * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)t->random * (2 * ZB_TURNS_EVERY - 1) >> 32);
}

/* One that was drawn stands for others; one that was timed because it was dear, for itself. */
static void learn(struct zb_turns *t, const struct zb_turns_took *took)
{
	t->first += took->first - took->first_taken;
	t->second += (took->both - took->first) - (took->both_taken - took->first_taken);
	if (++t->drawn_nr % ZB_TURNS_RECENT == 0) {
		t->first /= 2;
		t->second /= 2;
	}
	t->wait = t->drawn_nr < ZB_TURNS_FIRST ? 0 : draw(t);
}

void zb_turns_end(struct zb_turns *t, bool timed, struct zb_turns_took *took)
{
	if (!timed) {
		double both = (double)t->first + (double)t->second;
		double share = both > 0 ? (double)t->first / both : 0;

		took->first = (uint64_t)(share * (double)took->both);
		took->first_taken = (uint64_t)(share * (double)took->both_taken);
	}
	if (t->wait == 0)
		learn(t, took);
	else
		t->wait--;
	t->was_dear = took->both - took->both_taken >=
		      (uint64_t)took->turns * ZB_TURNS_READ * ZB_TURNS_DEAR;
}
