/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples.c - named call stacks and when they were sampled: what every picture and export is made
 * of
 *
 * Three open-addressing tables, never more than half full, find strings, frames and stacks that are
 * there already. Slots hold numbers + 1.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/samples.h"

#define SLOTS_FIRST	 1024u
#define STRINGS_MAX	 (1u << 21)
#define STACK_FRAMES_MAX (1u << 25)
#define VALUES_MAX	 (1u << 22)

struct table {
	uint32_t *slot;
	uint32_t slot_nr; /* a power of two */
};

struct zb_samples_index {
	struct table string, frame, stack;
};

int zb_samples_create(struct zb_samples **out)
{
	struct zb_samples *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	zb_sample_times_init(&s->times, ZB_SAMPLE_TIMES_MAX);
	s->index = calloc(1, sizeof(*s->index));
	if (s->index == NULL) {
		free(s);
		return -ENOMEM;
	}
	s->slot_ns = ZB_SERIES_SLOT_NS;
	*out = s;
	return 0;
}

void zb_samples_destroy(struct zb_samples *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->string_nr; i++)
		free(s->string[i]);
	free(s->string);
	free(s->lane);
	free(s->frame);
	free(s->stack);
	free(s->stack_frame);
	free(s->value);
	free(s->index->string.slot);
	free(s->index->frame.slot);
	free(s->index->stack.slot);
	free(s->index);
	zb_sample_times_fini(&s->times);
	free(s);
}

/* Makes room for more elements of size bytes after nr; at most max in all. */
static int reserve(void *array, uint32_t nr, uint32_t more, uint32_t *room, uint32_t max,
		   size_t size)
{
	void **a = array;
	uint32_t want = *room == 0 ? 64 : *room;
	void *p;

	if (more > max || nr > max - more)
		return -ENOSPC;
	if (nr + more <= *room)
		return 0;
	while (want < nr + more)
		want *= 2;
	p = reallocarray(*a, want, size);
	if (p == NULL)
		return -ENOMEM;
	*a = p;
	*room = want;
	return 0;
}

/* What is looked for, and how to compare it and to hash what is there. */
struct probe {
	const struct zb_samples *s;
	uint64_t (*hash)(const struct zb_samples *s, uint32_t at);
	bool (*same)(const struct zb_samples *s, uint32_t at, const void *key, size_t len);
	const void *key;
	size_t len;
	uint64_t key_hash;
};

static int grow_table(struct table *t, const struct probe *p, uint32_t nr)
{
	uint32_t slot_nr = t->slot_nr == 0 ? SLOTS_FIRST : t->slot_nr * 2;
	uint32_t *slot = calloc(slot_nr, sizeof(*slot));

	if (slot == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t at = (uint32_t)p->hash(p->s, i) & (slot_nr - 1);

		while (slot[at] != 0)
			at = (at + 1) & (slot_nr - 1);
		slot[at] = i + 1;
	}
	free(t->slot);
	t->slot = slot;
	t->slot_nr = slot_nr;
	return 0;
}

/* The slot of the key, of nr that are there; or the empty one where it belongs. */
static int find(struct table *t, const struct probe *p, uint32_t nr, uint32_t **slot)
{
	uint32_t at;

	if (nr + 1 > t->slot_nr / 2) {
		int ret = grow_table(t, p, nr);

		if (ret < 0)
			return ret;
	}
	at = (uint32_t)p->key_hash & (t->slot_nr - 1);
	while (t->slot[at] != 0 && !p->same(p->s, t->slot[at] - 1, p->key, p->len))
		at = (at + 1) & (t->slot_nr - 1);
	*slot = &t->slot[at];
	return 0;
}

static uint64_t string_hash(const struct zb_samples *s, uint32_t at)
{
	return XXH3_64bits(s->string[at], strlen(s->string[at]));
}

static bool same_string(const struct zb_samples *s, uint32_t at, const void *key, size_t len)
{
	(void)len;
	return strcmp(s->string[at], key) == 0;
}

int zb_samples_string(struct zb_samples *s, const char *text, uint32_t *out)
{
	struct probe p = {.s = s, .hash = string_hash, .same = same_string, .key = text};
	uint32_t *slot;
	int ret;

	p.key_hash = XXH3_64bits(text, strlen(text));
	ret = find(&s->index->string, &p, s->string_nr, &slot);
	if (ret < 0)
		return ret;
	if (*slot == 0) {
		ret = reserve(&s->string, s->string_nr, 1, &s->string_room, STRINGS_MAX,
			      sizeof(*s->string));
		if (ret < 0)
			return ret;
		s->string[s->string_nr] = strdup(text);
		if (s->string[s->string_nr] == NULL)
			return -ENOMEM;
		*slot = ++s->string_nr;
	}
	*out = *slot - 1;
	return 0;
}

/* Field by field: between them there may be padding. */
static uint64_t hash_frame(const struct zb_samples_frame *f)
{
	uint64_t words[] = {f->addr, (uint64_t)f->module << 32 | f->name, f->offset};

	return XXH3_64bits(words, sizeof(words));
}

static uint64_t frame_hash(const struct zb_samples *s, uint32_t at)
{
	return hash_frame(&s->frame[at]);
}

static bool same_frame(const struct zb_samples *s, uint32_t at, const void *key, size_t len)
{
	const struct zb_samples_frame *a = &s->frame[at], *b = key;

	(void)len;
	return a->addr == b->addr && a->module == b->module && a->offset == b->offset &&
	       a->name == b->name;
}

int zb_samples_frame(struct zb_samples *s, const struct zb_samples_frame *frame, uint32_t *out)
{
	struct probe p = {.s = s, .hash = frame_hash, .same = same_frame, .key = frame};
	uint32_t *slot;
	int ret;

	p.key_hash = hash_frame(frame);
	ret = find(&s->index->frame, &p, s->frame_nr, &slot);
	if (ret < 0)
		return ret;
	if (*slot == 0) {
		ret = reserve(&s->frame, s->frame_nr, 1, &s->frame_room, ZB_SAMPLES_FRAMES_MAX,
			      sizeof(*s->frame));
		if (ret < 0)
			return ret;
		s->frame[s->frame_nr] = *frame;
		*slot = ++s->frame_nr;
	}
	*out = *slot - 1;
	return 0;
}

static uint64_t stack_hash(const struct zb_samples *s, uint32_t at)
{
	const struct zb_samples_stack *k = &s->stack[at];

	return XXH3_64bits(k->depth > 0 ? s->stack_frame + k->at : &k->depth,
			   k->depth * sizeof(*s->stack_frame));
}

static bool same_stack(const struct zb_samples *s, uint32_t at, const void *key, size_t len)
{
	const struct zb_samples_stack *k = &s->stack[at];

	return k->depth == len &&
	       (len == 0 || memcmp(s->stack_frame + k->at, key, len * sizeof(uint32_t)) == 0);
}

int zb_samples_stack(struct zb_samples *s, const uint32_t *frames, uint32_t depth, uint32_t *out)
{
	struct probe p = {
		.s = s, .hash = stack_hash, .same = same_stack, .key = frames, .len = depth};
	uint32_t *slot;
	int ret;

	p.key_hash = XXH3_64bits(frames, depth * sizeof(*frames));
	ret = find(&s->index->stack, &p, s->stack_nr, &slot);
	if (ret < 0)
		return ret;
	if (*slot == 0) {
		ret = reserve(&s->stack, s->stack_nr, 1, &s->stack_room, ZB_SAMPLES_STACKS_MAX,
			      sizeof(*s->stack));
		if (ret == 0)
			ret = reserve(&s->stack_frame, s->stack_frame_nr, depth,
				      &s->stack_frame_room, STACK_FRAMES_MAX,
				      sizeof(*s->stack_frame));
		if (ret < 0)
			return ret;
		s->stack[s->stack_nr] =
			(struct zb_samples_stack){.at = s->stack_frame_nr, .depth = depth};
		if (depth > 0)
			memcpy(s->stack_frame + s->stack_frame_nr, frames, depth * sizeof(*frames));
		s->stack_frame_nr += depth;
		*slot = ++s->stack_nr;
	}
	*out = *slot - 1;
	return 0;
}

int zb_samples_lane(struct zb_samples *s, const struct zb_samples_lane *lane, uint32_t *out)
{
	int ret = reserve(&s->lane, s->lane_nr, 1, &s->lane_room, ZB_SAMPLES_LANES_MAX,
			  sizeof(*s->lane));

	if (ret < 0)
		return ret;
	s->lane[s->lane_nr] = *lane;
	*out = s->lane_nr++;
	return 0;
}

int zb_samples_value(struct zb_samples *s, const struct zb_samples_value *value)
{
	int ret = reserve(&s->value, s->value_nr, 1, &s->value_room, VALUES_MAX, sizeof(*s->value));

	if (ret < 0)
		return ret;
	s->value[s->value_nr++] = *value;
	return 0;
}
