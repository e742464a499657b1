/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack_table.c - counts call stacks: bounded, and turned into names once at the end
 *
 * Entries and their addresses stand in two growing arrays; slots is an open-addressing index over
 * the entries (entry number + 1; 0 is empty) that is never more than half full. Nothing is ever
 * removed, so a probe ends at the first empty slot.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/folded.h"
#include "profiler/stack_table.h"
#include "profiler/symbols.h"

#define SLOTS_FIRST 1024u
#define STACKS_CAP  (1u << 28) /* keeps slot numbers far from overflow */

struct stack {
	uint64_t hash;
	uint64_t samples, weight;
	size_t ip_at; /* first address, in ips */
	uint32_t lane;
	uint32_t depth;
};

struct lane_sum {
	uint64_t samples, weight;
	uint64_t over_samples, over_weight; /* of those, beyond the limit */
};

struct zb_stack_table {
	struct stack *stacks;
	uint32_t stack_nr, stack_cap, stacks_max;
	uint32_t *slots;
	uint32_t slot_nr; /* a power of two */
	uint64_t *ips;
	size_t ip_nr, ip_cap;
	struct lane_sum *lanes;
	uint32_t lane_nr;
	const char *root; /* frames that called it are not shown; NULL: all are */
};

int zb_stack_table_create(uint32_t lane_nr, uint32_t stacks_max, struct zb_stack_table **out)
{
	struct zb_stack_table *t;

	if (lane_nr == 0 || stacks_max == 0 || stacks_max > STACKS_CAP)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->lane_nr = lane_nr;
	t->stacks_max = stacks_max;
	t->slot_nr = SLOTS_FIRST;
	t->slots = calloc(t->slot_nr, sizeof(*t->slots));
	t->lanes = calloc(lane_nr, sizeof(*t->lanes));
	if (t->slots == NULL || t->lanes == NULL) {
		zb_stack_table_destroy(t);
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

void zb_stack_table_destroy(struct zb_stack_table *t)
{
	if (t == NULL)
		return;
	free(t->stacks);
	free(t->slots);
	free(t->ips);
	free(t->lanes);
	free(t);
}

static bool same_stack(const struct zb_stack_table *t, const struct stack *s, uint32_t lane,
		       const uint64_t *ips, uint32_t depth)
{
	return s->lane == lane && s->depth == depth &&
	       (depth == 0 || memcmp(t->ips + s->ip_at, ips, depth * sizeof(*ips)) == 0);
}

static int grow_slots(struct zb_stack_table *t)
{
	uint32_t nr = t->slot_nr * 2;
	uint32_t *slots = calloc(nr, sizeof(*slots));

	if (slots == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->stack_nr; i++) {
		uint32_t at = (uint32_t)t->stacks[i].hash & (nr - 1);

		while (slots[at] != 0)
			at = (at + 1) & (nr - 1);
		slots[at] = i + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->slot_nr = nr;
	return 0;
}

/* Makes room for one more entry of depth addresses. */
static int reserve(struct zb_stack_table *t, uint32_t depth)
{
	if (t->stack_nr == t->stack_cap) {
		uint32_t cap = t->stack_cap == 0 ? 256 : t->stack_cap * 2;
		struct stack *stacks = reallocarray(t->stacks, cap, sizeof(*stacks));

		if (stacks == NULL)
			return -ENOMEM;
		t->stacks = stacks;
		t->stack_cap = cap;
	}
	if (t->ip_cap - t->ip_nr < depth) {
		size_t cap = t->ip_cap == 0 ? 4096 : t->ip_cap * 2; /* > ip_nr + depth */
		uint64_t *ips = reallocarray(t->ips, cap, sizeof(*ips));

		if (ips == NULL)
			return -ENOMEM;
		t->ips = ips;
		t->ip_cap = cap;
	}
	if (t->stack_nr + 1 > t->slot_nr / 2)
		return grow_slots(t);
	return 0;
}

/* The slot of an entry, or the empty one where it belongs. */
static uint32_t find_slot(const struct zb_stack_table *t, uint64_t hash, uint32_t lane,
			  const uint64_t *ips, uint32_t depth)
{
	uint32_t at = (uint32_t)hash & (t->slot_nr - 1);

	while (t->slots[at] != 0) {
		const struct stack *s = &t->stacks[t->slots[at] - 1];

		if (s->hash == hash && same_stack(t, s, lane, ips, depth))
			break;
		at = (at + 1) & (t->slot_nr - 1);
	}
	return at;
}

static void count_lane(struct zb_stack_table *t, uint32_t lane, uint64_t weight)
{
	t->lanes[lane].samples++;
	t->lanes[lane].weight += weight;
}

int zb_stack_table_add(struct zb_stack_table *t, uint32_t lane, const uint64_t *ips, uint32_t depth,
		       uint64_t weight, uint32_t *id)
{
	uint32_t slot, unused;
	uint64_t hash;
	struct stack *s;
	int ret;

	assert(lane < t->lane_nr);
	id = id != NULL ? id : &unused;
	if (depth > ZB_STACK_DEPTH_MAX)
		depth = ZB_STACK_DEPTH_MAX; /* the root end goes */
	hash = XXH3_64bits_withSeed(ips, depth * sizeof(*ips), lane);
	slot = find_slot(t, hash, lane, ips, depth);
	if (t->slots[slot] != 0) {
		s = &t->stacks[t->slots[slot] - 1];
	} else if (t->stack_nr == t->stacks_max) {
		t->lanes[lane].over_samples++;
		t->lanes[lane].over_weight += weight;
		count_lane(t, lane, weight);
		*id = ZB_STACK_BEYOND;
		return 0;
	} else {
		ret = reserve(t, depth);
		if (ret < 0)
			return ret;
		slot = find_slot(t, hash, lane, ips, depth); /* the slots may have grown */
		s = &t->stacks[t->stack_nr];
		*s = (struct stack){.hash = hash, .ip_at = t->ip_nr, .lane = lane, .depth = depth};
		if (depth > 0)
			memcpy(t->ips + t->ip_nr, ips, depth * sizeof(*ips));
		t->ip_nr += depth;
		t->slots[slot] = ++t->stack_nr;
	}
	s->samples++;
	s->weight += weight;
	count_lane(t, lane, weight);
	*id = t->slots[slot] - 1;
	return 0;
}

uint32_t zb_stack_table_nr(const struct zb_stack_table *t)
{
	return t->stack_nr;
}

void zb_stack_table_get(const struct zb_stack_table *t, uint32_t id, struct zb_stack_view *out)
{
	assert(id < t->stack_nr);
	out->ips = t->ips + t->stacks[id].ip_at;
	out->depth = t->stacks[id].depth;
	out->weight = t->stacks[id].weight;
}

static bool wanted(uint32_t have, uint32_t want)
{
	return want == ZB_LANE_ALL || have == want;
}

static bool is_kernel(uint64_t ip)
{
	return ip >> 63;
}

void zb_stack_table_totals(const struct zb_stack_table *t, uint32_t lane, struct zb_symbols *syms,
			   struct zb_stack_totals *out)
{
	*out = (struct zb_stack_totals){0};
	for (uint32_t i = 0; i < t->lane_nr; i++) {
		if (!wanted(i, lane))
			continue;
		out->samples += t->lanes[i].samples;
		out->weight += t->lanes[i].weight;
	}
	for (uint32_t i = 0; syms != NULL && i < t->stack_nr; i++) {
		const struct stack *s = &t->stacks[i];
		bool resolved = false;

		if (!wanted(s->lane, lane) || s->depth == 0)
			continue;
		zb_symbols_name(syms, t->ips[s->ip_at], false, &resolved);
		if (resolved)
			out->resolved += s->samples;
	}
}

/*
 * "root;caller;leaf" of a stack, or NULL without memory. All frames but the leaf are return
 * addresses, and so name the instruction before; what the kernel interrupted is a leaf of its own.
 */
static char *stack_text(const struct zb_stack_table *t, const struct stack *s,
			struct zb_symbols *syms)
{
	const uint64_t *ips = t->ips + s->ip_at;
	const char *names[ZB_STACK_DEPTH_MAX];
	size_t len = sizeof(ZB_FOLDED_NO_STACK);
	char *text, *to;

	uint32_t depth = s->depth;

	for (uint32_t i = 0; i < depth; i++) {
		bool interrupted = i > 0 && is_kernel(ips[i - 1]) && !is_kernel(ips[i]);

		names[i] = zb_symbols_name(syms, ips[i], i > 0 && !interrupted, NULL);
		len += strlen(names[i]) + sizeof(ZB_FOLDED_KERNEL); /* with room for the ';' */
		if (t->root != NULL && strcmp(names[i], t->root) == 0)
			depth = i + 1;
	}
	text = malloc(len);
	if (text == NULL)
		return NULL;
	to = text;
	for (uint32_t i = depth; i-- > 0;) {
		to = zb_folded_put_name(to, names[i]);
		if (is_kernel(ips[i]))
			to = stpcpy(to, ZB_FOLDED_KERNEL);
		if (i > 0)
			*to++ = ';';
	}
	if (depth == 0)
		to = stpcpy(to, ZB_FOLDED_NO_STACK);
	*to = '\0';
	return text;
}

void zb_stack_table_root(struct zb_stack_table *t, const char *function)
{
	t->root = function;
}

/* All that lane holds. */
static int add_lines(const struct zb_stack_table *t, uint32_t lane, struct zb_symbols *syms,
		     struct zb_folded *f)
{
	uint64_t over_samples = 0, over_weight = 0;
	int ret = 0;

	for (uint32_t i = 0; i < t->lane_nr; i++) {
		if (wanted(i, lane)) {
			over_samples += t->lanes[i].over_samples;
			over_weight += t->lanes[i].over_weight;
		}
	}
	for (uint32_t i = 0; ret == 0 && i < t->stack_nr; i++) {
		const struct stack *s = &t->stacks[i];

		if (wanted(s->lane, lane))
			ret = zb_folded_add(f, stack_text(t, s, syms), s->weight);
	}
	if (ret == 0 && over_samples > 0)
		ret = zb_folded_add(f, strdup(ZB_STACK_BEYOND_NAME), over_weight);
	return ret;
}

int zb_stack_table_folded(const struct zb_stack_table *t, uint32_t lane, struct zb_symbols *syms,
			  FILE *f)
{
	struct zb_folded lines = {0};
	int ret = add_lines(t, lane, syms, &lines);

	if (ret == 0)
		ret = zb_folded_write(&lines, f);
	zb_folded_fini(&lines);
	return ret;
}
