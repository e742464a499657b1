/* SPDX-License-Identifier: Apache-2.0 */
/* result_memory.c - of the object memory of result.json what analyzers hold, and how it all went */
#include <jansson.h>
#include <math.h>

#include "bench/result.h"
#include "pipeline/meter.h"
#include "pipeline/registry.h"

static_assert((int)ZB_A_NR <= ZB_ANALYZERS_MAX, "raise ZB_ANALYZERS_MAX");

/* Each adds one to *bad that could not be added. */
static void set(json_t *o, const char *name, json_t *v, int *bad)
{
	*bad |= json_object_set_new(o, name, v) != 0;
}

static void set_u64(json_t *o, const char *name, uint64_t v, int *bad)
{
	set(o, name, json_integer((json_int_t)v), bad);
}

static json_t *whole(json_t *o, int bad)
{
	if (bad == 0)
		return o;
	json_decref(o);
	return NULL;
}

json_t *zb_result_analyzers(const struct zb_result_memory *m)
{
	json_t *all = json_object();
	int bad = 0;

	for (unsigned id = 0; m->analyzers != NULL && id < ZB_A_NR; id++) {
		uint64_t each = zb_registry_def(id)->state_bytes;
		json_t *o;

		if (m->analyzers_peak[id] == 0 && m->analyzers[id] == 0)
			continue;
		o = json_object();
		set_u64(o, "active", m->analyzers[id], &bad);
		set_u64(o, "bytes", m->analyzers[id] * each, &bad);
		set_u64(o, "active_peak", m->analyzers_peak[id], &bad);
		set_u64(o, "bytes_peak", m->analyzers_peak[id] * each, &bad);
		set(all, zb_meter_place_name(ZB_METER_ANALYZERS + id), o, &bad);
	}
	return whole(all, bad);
}

/* A column of the points: one member of each. */
static json_t *column(const struct zb_mem_track *t, size_t offset, int *bad)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < t->nr; i++) {
		const char *at = (const char *)&t->point[i] + offset;

		*bad |= json_array_append_new(a, json_integer(
							 (json_int_t) *
							 (const uint64_t *)(const void *)at)) != 0;
	}
	return a;
}

json_t *zb_result_over_time(const struct zb_mem_track *t)
{
	static const struct {
		const char *name;
		size_t offset;
	} columns[] = {
		{"allocated", offsetof(struct zb_mem_point, heap.allocated)},
		{"active", offsetof(struct zb_mem_point, heap.active)},
		{"resident", offsetof(struct zb_mem_point, heap.resident)},
		{"retained", offsetof(struct zb_mem_point, heap.retained)},
		{"state", offsetof(struct zb_mem_point, state_bytes)},
		{"conns", offsetof(struct zb_mem_point, conns)},
	};
	json_t *o = json_object(), *s = json_array();
	int bad = 0;

	for (unsigned i = 0; i < t->nr; i++)
		bad |= json_array_append_new(s, json_real(round(t->point[i].s * 1e3) / 1e3)) != 0;
	set(o, "s", s, &bad);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		set(o, columns[i].name, column(t, columns[i].offset, &bad), &bad);
	return whole(o, bad);
}
