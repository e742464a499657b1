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
	t->pkts += took->pkts;
	if (++t->drawn_nr % ZB_TURNS_RECENT == 0) {
		t->first /= 2;
		t->pkts /= 2;
	}
	t->wait = t->drawn_nr < ZB_TURNS_FIRST ? 0 : draw(t);
}

/* By its packets; what was taken away, from both alike. */
static void estimate(const struct zb_turns *t, struct zb_turns_took *took)
{
	uint64_t own = took->both - took->both_taken;
	double first = t->pkts != 0 ? (double)t->first / (double)t->pkts * took->pkts : 0;
	double share = first < (double)own ? first / (double)own : own != 0;

	took->first_taken = (uint64_t)(share * (double)took->both_taken);
	took->first = (uint64_t)(share * (double)own) + took->first_taken;
}

void zb_turns_end(struct zb_turns *t, bool timed, struct zb_turns_took *took)
{
	if (!timed)
		estimate(t, took);
	if (t->wait == 0)
		learn(t, took);
	else
		t->wait--;
	t->was_dear = took->both - took->both_taken >=
		      (uint64_t)took->turns * ZB_TURNS_READ * ZB_TURNS_DEAR;
}
