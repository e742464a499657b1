/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_pprof.c - samples as a profile of pprof's: profile.proto, compressed by gzip
 *
 * The string table of the profile is ours with an empty string and a few words before it. A frame
 * is a location, with number + 1 for its id; a name is a function; a module is a mapping from its
 * lowest to its highest frame, as what lies between is not known any more. That all have names
 * keeps pprof from looking for binaries.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "profiler/export.h"
#include "profiler/protobuf.h"

/* Field numbers of profile.proto. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NS = 9,
	PROFILE_DURATION_NS = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	VALUE_TYPE = 1,
	VALUE_UNIT = 2,
	SAMPLE_LOCATION = 1,
	SAMPLE_VALUE = 2,
	SAMPLE_LABEL = 3,
	LABEL_KEY = 1,
	LABEL_STR = 2,
	LABEL_NUM = 3,
	MAPPING_ID = 1,
	MAPPING_START = 2,
	MAPPING_LIMIT = 3,
	MAPPING_FILE = 5,
	MAPPING_HAS_FUNCTIONS = 7,
	LOCATION_ID = 1,
	LOCATION_MAPPING = 2,
	LOCATION_ADDRESS = 3,
	LOCATION_LINE = 4,
	LINE_FUNCTION = 1,
	FUNCTION_ID = 1,
	FUNCTION_NAME = 2,
	FUNCTION_SYSTEM_NAME = 3,
};

/* The first strings. */
enum {
	S_EMPTY,
	S_SAMPLES,
	S_COUNT,
	S_CPU,
	S_NS,
	S_SWITCHES,
	S_DELAY,
	S_THREAD,
	S_TID,
	S_OBJECTS,
	S_SPACE,
	S_BYTES,
	S_OWN
};
static const char *const own_string[S_OWN] = {
	[S_EMPTY] = "",
	[S_SAMPLES] = "samples",
	[S_COUNT] = "count",
	[S_CPU] = "cpu",
	[S_NS] = "nanoseconds",
	[S_SWITCHES] = "switches",
	[S_DELAY] = "delay",
	[S_THREAD] = "thread",
	[S_TID] = "tid",
	[S_OBJECTS] = "inuse_objects",
	[S_SPACE] = "inuse_space",
	[S_BYTES] = "bytes",
};

struct mapping {
	uint64_t low, high;
	uint32_t id; /* 0: none */
};

static void put_value_type(struct zb_pb *m, unsigned field, unsigned type, unsigned unit)
{
	struct zb_pb v = {0};

	zb_pb_number(&v, VALUE_TYPE, type);
	zb_pb_number(&v, VALUE_UNIT, unit);
	zb_pb_message(m, field, &v);
	zb_pb_fini(&v);
}

/* Lane 0 names its thread with the string after the frames' ones, and so on. */
static uint32_t lane_string(const struct zb_samples *s, uint32_t lane)
{
	return S_OWN + s->string_nr + lane;
}

static void put_stack(struct zb_pb *sample, const struct zb_samples *s, uint32_t stack)
{
	const struct zb_samples_stack *k = &s->stack[stack];
	struct zb_pb list = {0};

	for (uint32_t i = 0; i < k->depth; i++)
		zb_pb_packed(&list, s->stack_frame[k->at + i] + 1u);
	zb_pb_message(sample, SAMPLE_LOCATION, &list);
	zb_pb_fini(&list);
}

static void put_sample(struct zb_pb *m, const struct zb_samples *s, const struct zb_sample_at *a,
		       uint64_t count, uint64_t weight)
{
	struct zb_pb sample = {0}, list = {0};

	put_stack(&sample, s, a->stack);
	zb_pb_packed(&list, count);
	if (s->period_ns != 0)
		zb_pb_packed(&list, weight * zb_samples_weight_ns(s, a->state));
	zb_pb_message(&sample, SAMPLE_VALUE, &list);
	zb_pb_number(&list, LABEL_KEY, S_THREAD);
	zb_pb_number(&list, LABEL_STR, lane_string(s, a->lane));
	zb_pb_message(&sample, SAMPLE_LABEL, &list);
	zb_pb_number(&list, LABEL_KEY, S_TID);
	zb_pb_number(&list, LABEL_NUM, s->lane[a->lane].tid);
	zb_pb_message(&sample, SAMPLE_LABEL, &list);
	zb_pb_message(m, PROFILE_SAMPLE, &sample);
	zb_pb_fini(&list);
	zb_pb_fini(&sample);
}

static int compare(const void *a, const void *b)
{
	const struct zb_sample_at *x = a, *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	return (x->stack > y->stack) - (x->stack < y->stack);
}

/* One for each stack and lane; the times are given up. */
static int put_samples(struct zb_pb *m, const struct zb_samples *s,
		       const struct zb_samples_cut *cut)
{
	struct zb_sample_at *at = calloc((size_t)s->times.nr + 1, sizeof(*at));
	uint32_t nr = 0;

	if (at == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->times.nr; i++)
		if (zb_samples_in(s, cut, &s->times.at[i]))
			at[nr++] = s->times.at[i];
	qsort(at, nr, sizeof(*at), compare);
	for (uint32_t i = 0; i < nr;) {
		uint64_t weight = 0, entries = 0;
		uint32_t first = i;

		for (; i < nr && compare(&at[i], &at[first]) == 0; i++, entries++)
			weight += at[i].weight;
		put_sample(m, s, &at[first], at[first].state == ZB_CPU_ON ? weight : entries,
			   weight);
	}
	free(at);
	return 0;
}

static void put_locations(struct zb_pb *m, const struct zb_samples *s, const struct mapping *map)
{
	struct zb_pb location = {0}, line = {0};

	for (uint32_t i = 0; i < s->frame_nr; i++) {
		const struct zb_samples_frame *f = &s->frame[i];

		zb_pb_number(&location, LOCATION_ID, i + 1u);
		if (f->module != ZB_SAMPLES_NONE)
			zb_pb_number(&location, LOCATION_MAPPING, map[f->module].id);
		zb_pb_number(&location, LOCATION_ADDRESS, f->addr);
		zb_pb_number(&line, LINE_FUNCTION, f->name + 1u);
		zb_pb_message(&location, LOCATION_LINE, &line);
		zb_pb_message(m, PROFILE_LOCATION, &location);
	}
	zb_pb_fini(&location);
	zb_pb_fini(&line);
}

static void put_mapping(struct zb_pb *m, const struct mapping *map, uint32_t string)
{
	struct zb_pb mapping = {0};

	zb_pb_number(&mapping, MAPPING_ID, map->id);
	zb_pb_number(&mapping, MAPPING_START, map->low);
	zb_pb_number(&mapping, MAPPING_LIMIT, map->high < UINT64_MAX ? map->high + 1 : map->high);
	zb_pb_number(&mapping, MAPPING_FILE, S_OWN + string);
	zb_pb_number(&mapping, MAPPING_HAS_FUNCTIONS, 1);
	zb_pb_message(m, PROFILE_MAPPING, &mapping);
	zb_pb_fini(&mapping);
}

/* The program itself has to be the first: the module that is named like it, if there is one. */
static void put_mappings(struct zb_pb *m, const struct zb_samples *s, struct mapping *map)
{
	uint32_t id = 0;

	for (uint32_t i = 0; i < s->frame_nr; i++) {
		const struct zb_samples_frame *f = &s->frame[i];
		struct mapping *p = f->module != ZB_SAMPLES_NONE ? &map[f->module] : NULL;

		if (p == NULL)
			continue;
		p->low = p->id == 0 || f->addr < p->low ? f->addr : p->low;
		p->high = f->addr > p->high ? f->addr : p->high;
		p->id = 1;
	}
	for (int own = 1; own >= 0; own--) {
		for (uint32_t i = 0; i < s->string_nr; i++) {
			const char *slash = strrchr(s->string[i], '/');
			bool is_own = slash != NULL && strcmp(slash + 1, s->comm) == 0;

			if (map[i].id == 0 || is_own != own)
				continue;
			map[i].id = ++id;
			put_mapping(m, &map[i], i);
		}
	}
}

static void put_functions(struct zb_pb *m, const struct zb_samples *s)
{
	struct zb_pb function = {0};
	uint8_t *is_name = calloc((size_t)s->string_nr + 1, 1);

	m->failed = m->failed || is_name == NULL;
	for (uint32_t i = 0; is_name != NULL && i < s->frame_nr; i++)
		is_name[s->frame[i].name] = 1;
	for (uint32_t i = 0; is_name != NULL && i < s->string_nr; i++) {
		if (!is_name[i])
			continue;
		zb_pb_number(&function, FUNCTION_ID, i + 1u);
		zb_pb_number(&function, FUNCTION_NAME, S_OWN + i);
		zb_pb_number(&function, FUNCTION_SYSTEM_NAME, S_OWN + i);
		zb_pb_message(m, PROFILE_FUNCTION, &function);
	}
	zb_pb_fini(&function);
	free(is_name);
}

static void put_strings(struct zb_pb *m, const struct zb_samples *s)
{
	for (unsigned i = 0; i < S_OWN; i++)
		zb_pb_string(m, PROFILE_STRING, own_string[i]);
	for (uint32_t i = 0; i < s->string_nr; i++)
		zb_pb_string(m, PROFILE_STRING, s->string[i]);
	for (uint32_t i = 0; i < s->lane_nr; i++)
		zb_pb_string(m, PROFILE_STRING, s->lane[i].comm);
}

static int make_profile(struct zb_pb *m, const struct zb_samples *s,
			const struct zb_samples_cut *cut)
{
	struct mapping *map = calloc((size_t)s->string_nr + 1, sizeof(*map));
	bool on = (cut->states & ZB_CUT_ON) != 0;
	uint64_t to = cut->to_ns < s->duration_ns ? cut->to_ns : s->duration_ns;
	int ret = map != NULL ? 0 : -ENOMEM;

	if (ret == 0) {
		put_value_type(m, PROFILE_SAMPLE_TYPE, on ? S_SAMPLES : S_SWITCHES, S_COUNT);
		if (s->period_ns != 0)
			put_value_type(m, PROFILE_SAMPLE_TYPE, on ? S_CPU : S_DELAY, S_NS);
		ret = put_samples(m, s, cut);
		put_mappings(m, s, map);
		put_locations(m, s, map);
		put_functions(m, s);
		put_strings(m, s);
		zb_pb_number(m, PROFILE_TIME_NS, s->start_unix_ns + cut->from_ns);
		zb_pb_number(m, PROFILE_DURATION_NS, to > cut->from_ns ? to - cut->from_ns : 0);
		if (s->period_ns != 0) {
			put_value_type(m, PROFILE_PERIOD_TYPE, on ? S_CPU : S_DELAY, S_NS);
			zb_pb_number(m, PROFILE_PERIOD, on ? s->period_ns : 1);
		}
	}
	free(map);
	return ret < 0 ? ret : m->failed ? -ENOMEM : 0;
}

static void put_heap_sample(struct zb_pb *m, const struct zb_samples *s, uint32_t stack,
			    int64_t objects, int64_t bytes)
{
	struct zb_pb sample = {0}, list = {0};

	put_stack(&sample, s, stack);
	zb_pb_packed(&list, (uint64_t)objects);
	zb_pb_packed(&list, (uint64_t)bytes);
	zb_pb_message(&sample, SAMPLE_VALUE, &list);
	zb_pb_message(m, PROFILE_SAMPLE, &sample);
	zb_pb_fini(&list);
	zb_pb_fini(&sample);
}

static int64_t to_whole(double v)
{
	return v >= 0x1p62 ? INT64_MAX : v <= -0x1p62 ? -INT64_MAX : llrint(v);
}

static int make_heap_profile(struct zb_pb *m, const struct zb_samples *s,
			     const struct zb_pprof_heap *h)
{
	struct mapping *map = calloc((size_t)s->string_nr + 1, sizeof(*map));

	if (map == NULL)
		return -ENOMEM;
	put_value_type(m, PROFILE_SAMPLE_TYPE, S_OBJECTS, S_COUNT);
	put_value_type(m, PROFILE_SAMPLE_TYPE, S_SPACE, S_BYTES);
	for (uint32_t i = 0; i < s->stack_nr; i++) {
		int64_t bytes = to_whole(h->bytes[i]), objects = to_whole(h->objects[i]);

		if (bytes != 0 || objects != 0)
			put_heap_sample(m, s, i, objects, bytes);
	}
	put_mappings(m, s, map);
	put_locations(m, s, map);
	put_functions(m, s);
	put_strings(m, s);
	zb_pb_number(m, PROFILE_TIME_NS, h->time_ns);
	put_value_type(m, PROFILE_PERIOD_TYPE, S_SPACE, S_BYTES);
	zb_pb_number(m, PROFILE_PERIOD, h->rate);
	free(map);
	return m->failed ? -ENOMEM : 0;
}

static int compress_to(const struct zb_pb *m, FILE *out)
{
	int fd, ret = 0;
	gzFile f;

	if (fflush(out) != 0)
		return -errno;
	fd = dup(fileno(out));
	if (fd < 0)
		return -errno;
	f = gzdopen(fd, "wb");
	if (f == NULL) {
		close(fd);
		return -ENOMEM;
	}
	errno = 0;
	for (size_t at = 0; at < m->len && ret == 0;) {
		unsigned part = m->len - at < 1u << 20 ? (unsigned)(m->len - at) : 1u << 20;

		ret = gzwrite(f, m->data + at, part) == (int)part ? 0 : -EIO;
		at += part;
	}
	if (gzclose(f) != Z_OK || ret < 0)
		ret = errno != 0 ? -errno : -EIO;
	return ret;
}

int zb_export_pprof(const struct zb_samples *s, const struct zb_samples_cut *cut, FILE *out)
{
	struct zb_pb m = {0};
	int ret = make_profile(&m, s, cut);

	if (ret == 0)
		ret = compress_to(&m, out);
	zb_pb_fini(&m);
	return ret;
}

int zb_export_pprof_heap(const struct zb_samples *s, const struct zb_pprof_heap *heap, FILE *out)
{
	struct zb_pb m = {0};
	int ret = make_heap_profile(&m, s, heap);

	if (ret == 0)
		ret = compress_to(&m, out);
	zb_pb_fini(&m);
	return ret;
}
