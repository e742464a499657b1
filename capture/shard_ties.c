/* SPDX-License-Identifier: Apache-2.0 */
/* shard_ties.c - see shard_ties_priv.h */
#include <errno.h>
#include <stdlib.h>
#include "capture/shard_ties_priv.h"

#define FLOWS_MIN 1024u
#define FLOWS_MAX (1u << 22)
#define NONE	  UINT32_MAX

void zb_ties_fini(struct zb_ties *t)
{
	free(t->flow);
	free(t->slot);
	*t = (struct zb_ties){0};
}

/* Where key is, or the free slot where it belongs. */
static uint32_t *slot_of(const struct zb_ties *t, uint64_t key)
{
	uint32_t mask = t->max * 2 - 1, i = (uint32_t)key & mask;

	while (t->slot[i] != 0 && t->flow[t->slot[i] - 1].key != key)
		i = (i + 1) & mask;
	return &t->slot[i];
}

static int grow(struct zb_ties *t)
{
	uint32_t max = t->max == 0 ? FLOWS_MIN : t->max * 2;
	struct zb_tied_flow *flow = realloc(t->flow, max * sizeof(*flow));
	uint32_t *slot;

	if (flow == NULL)
		return -ENOMEM;
	t->flow = flow;
	slot = calloc(max * 2ull, sizeof(*slot));
	if (slot == NULL)
		return -ENOMEM;
	free(t->slot);
	t->slot = slot;
	t->max = max;
	for (uint32_t i = 0; i < t->nr; i++)
		*slot_of(t, t->flow[i].key) = i + 1;
	return 0;
}

static uint32_t find(const struct zb_ties *t, uint64_t key)
{
	return t->nr == 0 ? NONE : *slot_of(t, key) - 1;
}

/* The one that speaks for i's group. */
static uint32_t speaker(struct zb_ties *t, uint32_t i)
{
	while (t->flow[i].to != i)
		i = t->flow[i].to = t->flow[t->flow[i].to].to;
	return i;
}

/* There is room for it. */
static uint32_t find_or_add(struct zb_ties *t, const struct zb_tied_flow *f)
{
	uint32_t *slot = slot_of(t, f->key);

	if (*slot == 0) {
		t->flow[t->nr] = (struct zb_tied_flow){f->key, f->hash, t->nr};
		*slot = ++t->nr;
	}
	return *slot - 1;
}

int zb_ties_add(struct zb_ties *t, const struct zb_tied_flow *a, const struct zb_tied_flow *b)
{
	uint32_t i, k;

	if (a->key == b->key)
		return 0;
	if (t->nr + 2 > t->max) {
		int ret;

		if (t->max == FLOWS_MAX && (find(t, a->key) == NONE || find(t, b->key) == NONE)) {
			t->shed++;
			return 0;
		}
		ret = t->max < FLOWS_MAX ? grow(t) : 0;
		if (ret < 0)
			return ret;
	}
	i = speaker(t, find_or_add(t, a));
	k = speaker(t, find_or_add(t, b));
	/* The one that was there first, so that what is found does not depend on the order. */
	if (i < k)
		t->flow[k].to = i;
	else
		t->flow[i].to = k;
	return 0;
}

uint32_t zb_ties_hash(struct zb_ties *t, uint64_t key, uint32_t hash)
{
	uint32_t i = find(t, key);

	return i == NONE ? hash : t->flow[speaker(t, i)].hash;
}
