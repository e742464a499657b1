/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest.c - guesses which name a person meant by one that does not exist
 *
 * Edit distance with swaps of neighbours (optimal string alignment), three rows at a time. One
 * typing error in four letters is still taken for the name.
 */
#include "bench/nearest.h"

#include <string.h>

#define NAME_MAX_LEN 96

static unsigned min_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][NAME_MAX_LEN + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	memcpy(before, last, sizeof(rows[0]));
	for (size_t i = 1; i <= a_len; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

			best = min_of(best, last[j] + 1);
			best = min_of(best, now[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = min_of(best, before[j - 2] + 1);
			now[j] = best;
		}
		unsigned *spare = before;

		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

unsigned zb_nearest_rank(const char *given, const char *name)
{
	size_t given_len = strlen(given), name_len = strlen(name);
	unsigned d;

	if (given_len == 0 || given_len > NAME_MAX_LEN || name_len > NAME_MAX_LEN)
		return ZB_NOT_NEAR;
	if (given_len >= 2 && given_len < name_len && strncmp(given, name, given_len) == 0)
		return 1;
	d = edit_distance(given, given_len, name, name_len);
	return d <= 1 + min_of((unsigned)given_len, (unsigned)name_len) / 4 ? d : ZB_NOT_NEAR;
}
