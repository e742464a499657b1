/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample_times.c - when each stack was sampled: bounded, and coarser the longer a run lasts
 *
 * New entries wait unsorted behind the settled ones. They are young: only the last few columns of
 * what is settled have to be sorted again with them. Joined columns need sorting one by one.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/sample_times.h"

#define UNSETTLED_MAX 16384u
#define ROOM_FIRST    1024u

void zb_sample_times_init(struct zb_sample_times *t, uint32_t max)
{
	assert(max >= 2);
	*t = (struct zb_sample_times){.max = max, .column_ns = ZB_COLUMN_NS};
}

void zb_sample_times_fini(struct zb_sample_times *t)
{
	free(t->at);
	*t = (struct zb_sample_times){.max = t->max, .column_ns = ZB_COLUMN_NS};
}

static int compare(const void *a, const void *b)
{
	const struct zb_sample_at *x = a, *y = b;

	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	return (x->stack > y->stack) - (x->stack < y->stack);
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Sorts [from, nr) and makes equal ones one; returns the new end. */
static uint32_t sort_and_join(struct zb_sample_at *at, uint32_t from, uint32_t nr)
{
	uint32_t end = from;

	if (nr - from < 2)
		return nr;
	qsort(at + from, nr - from, sizeof(*at), compare);
	for (uint32_t i = from + 1; i < nr; i++) {
		if (compare(&at[end], &at[i]) == 0)
			at[end].weight = add_capped(at[end].weight, at[i].weight);
		else
			at[++end] = at[i];
	}
	return end + 1;
}

void zb_sample_times_settle(struct zb_sample_times *t)
{
	uint32_t first = UINT32_MAX, from = t->settled;

	for (uint32_t i = t->settled; i < t->nr; i++)
		first = t->at[i].column < first ? t->at[i].column : first;
	while (from > 0 && t->at[from - 1].column >= first)
		from--;
	if (t->nr > t->settled)
		t->nr = sort_and_join(t->at, from, t->nr);
	t->settled = t->nr;
}

/* Joins pairs of columns; all entries are settled. */
static void join_columns(struct zb_sample_times *t)
{
	uint32_t end = 0, next;

	for (uint32_t i = 0; i < t->nr; i = next) {
		uint32_t from = end, column = t->at[i].column / 2;

		for (next = i; next < t->nr && t->at[next].column / 2 == column; next++) {
			t->at[end] = t->at[next];
			t->at[end++].column = column;
		}
		end = sort_and_join(t->at, from, end);
	}
	t->nr = t->settled = end;
	t->column_ns *= 2;
}

void zb_sample_times_widen(struct zb_sample_times *t, uint64_t column_ns)
{
	zb_sample_times_settle(t);
	while (t->column_ns < column_ns)
		join_columns(t);
}

/*
 * Leaves room for an eighth of all at least, so that the work is worth it. False: one column alone
 * holds more.
 */
static bool make_room(struct zb_sample_times *t)
{
	zb_sample_times_settle(t);
	while (t->nr > t->max / 2 && t->nr > 0 && t->at[t->nr - 1].column > 0)
		join_columns(t);
	return t->nr <= t->max - t->max / 8 - 1;
}

static int grow(struct zb_sample_times *t)
{
	uint32_t room = t->room == 0 ? ROOM_FIRST : t->room * 2;
	struct zb_sample_at *at;

	room = room < t->max ? room : t->max;
	at = reallocarray(t->at, room, sizeof(*at));
	if (at == NULL)
		return -ENOMEM;
	t->at = at;
	t->room = room;
	return 0;
}

int zb_sample_times_add(struct zb_sample_times *t, uint64_t time_ns, struct zb_sample_at s)
{
	int ret;

	if (t->nr - t->settled == UNSETTLED_MAX)
		zb_sample_times_settle(t);
	if (t->nr == t->max && !make_room(t))
		return -ENOSPC;
	if (t->nr == t->room) {
		ret = grow(t);
		if (ret < 0)
			return ret;
	}
	while (time_ns / t->column_ns > UINT32_MAX)
		zb_sample_times_widen(t, t->column_ns * 2);
	s.column = (uint32_t)(time_ns / t->column_ns);
	t->at[t->nr++] = s;
	return 0;
}
