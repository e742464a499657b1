/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples_take.c - gives the stacks of a sampler their names, and their times with them
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "profiler/samples.h"
#include "profiler/symbols.h"

static bool is_kernel(uint64_t ip)
{
	return ip >> 63;
}

int zb_samples_place(struct zb_samples *s, uint64_t ip, const struct zb_symbol_place *place,
		     uint32_t *out)
{
	struct zb_samples_frame f = {.addr = ip,
				     .module = ZB_SAMPLES_NONE,
				     .offset = ZB_SAMPLES_NONE};
	int ret = zb_samples_string(s, place->name, &f.name);

	if (ret == 0 && place->module != NULL)
		ret = zb_samples_string(s, place->module, &f.module);
	if (ret < 0)
		return ret;
	if (place->resolved && place->offset < ZB_SAMPLES_NONE)
		f.offset = (uint32_t)place->offset;
	return zb_samples_frame(s, &f, out);
}

/*
 * All frames but the leaf are return addresses, and so name the instruction before; what the kernel
 * interrupted is a leaf of its own.
 */
int zb_samples_chain(struct zb_samples *s, struct zb_symbols *syms, const char *root,
		     const struct zb_stack_view *chain, uint32_t *out)
{
	uint32_t frames[ZB_SAMPLES_DEPTH_MAX], depth = 0;

	for (uint32_t i = 0; i < chain->depth && depth < ZB_SAMPLES_DEPTH_MAX; i++) {
		uint64_t ip = chain->ips[i];
		bool leaf = i == 0 || (is_kernel(chain->ips[i - 1]) && !is_kernel(ip));
		struct zb_symbol_place place;
		int ret;

		zb_symbols_place(syms, ip, !leaf, &place);
		ret = zb_samples_place(s, ip, &place, &frames[depth++]);
		if (ret < 0)
			return ret;
		if (root != NULL && strcmp(place.name, root) == 0)
			break;
	}
	return zb_samples_stack(s, frames, depth, out);
}

int zb_samples_beyond(struct zb_samples *s, uint32_t *out)
{
	const struct zb_symbol_place place = {.name = ZB_STACK_BEYOND_NAME};
	uint32_t frame;
	int ret = zb_samples_place(s, 0, &place, &frame);

	return ret < 0 ? ret : zb_samples_stack(s, &frame, 1, out);
}

/* number, of as many as there are stacks, is freed by the caller. */
static int take_stacks(struct zb_samples *s, const struct zb_samples_source *from,
		       const struct zb_stack_table *stacks, uint32_t **number)
{
	uint32_t nr = zb_stack_table_nr(stacks);
	int ret = 0;

	*number = calloc((size_t)nr + 1, sizeof(**number));
	if (*number == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; ret == 0 && i < nr; i++) {
		struct zb_stack_view view;

		zb_stack_table_get(stacks, i, &view);
		ret = zb_samples_chain(s, from->syms, from->root, &view, &(*number)[i]);
	}
	return ret;
}

static int take_times(struct zb_samples *s, const struct zb_sample_times *times,
		      const uint32_t *number, const uint32_t *off_number)
{
	s->times.column_ns = times->column_ns;
	for (uint32_t i = 0; i < times->nr; i++) {
		struct zb_sample_at a = times->at[i];
		int ret = 0;

		if (a.stack == ZB_STACK_BEYOND)
			ret = zb_samples_beyond(s, &a.stack);
		else
			a.stack = (a.state == ZB_CPU_ON ? number : off_number)[a.stack];
		if (ret == 0)
			ret = zb_sample_times_add(&s->times, a.column * times->column_ns, a);
		if (ret < 0)
			return ret;
	}
	zb_sample_times_settle(&s->times);
	return 0;
}

static int take_values(struct zb_samples *s, const struct zb_samples_source *from)
{
	if (from->series == NULL)
		return 0;
	s->slot_ns = zb_series_slot_ns(from->series);
	for (uint32_t l = 0; l < from->lane_nr; l++) {
		const struct zb_series_slot *slots = zb_series_slots(from->series, l);

		for (uint32_t i = 0; i < ZB_SERIES_SLOTS; i++) {
			struct zb_samples_value v = {.slot = i, .lane = l, .v = slots[i]};
			int ret = slots[i].seen ? zb_samples_value(s, &v) : 0;

			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

static int take_lanes(struct zb_samples *s, const struct zb_samples_source *from)
{
	for (uint32_t i = 0; i < from->lane_nr; i++) {
		struct zb_samples_lane lane = {
			.cpu = from->cpus[i],
			.pid = (uint32_t)getpid(),
			.tid = (uint32_t)zb_sampler_tid(from->sampler, i),
		};
		uint32_t number;
		int ret;

		snprintf(lane.comm, sizeof(lane.comm), "lcore-%d", lane.cpu);
		ret = zb_samples_lane(s, &lane, &number);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int zb_samples_take(struct zb_samples *s, const struct zb_samples_source *from)
{
	uint32_t *number = NULL, *off_number = NULL;
	struct zb_sampler_stat stat;
	int ret;

	zb_sampler_stat(from->sampler, &stat);
	s->start_unix_ns = from->start_unix_ns;
	s->duration_ns = from->duration_ns;
	s->period_ns = 1000000000u / from->hz;
	snprintf(s->method, sizeof(s->method), "%s", zb_sampler_method_name(stat.method));
	snprintf(s->comm, sizeof(s->comm), "zbench");
	ret = take_lanes(s, from);
	if (ret == 0)
		ret = take_stacks(s, from, zb_sampler_stacks(from->sampler), &number);
	if (ret == 0)
		ret = take_stacks(s, from, zb_sampler_off_stacks(from->sampler), &off_number);
	if (ret == 0)
		ret = take_times(s, zb_sampler_times(from->sampler), number, off_number);
	if (ret == 0)
		ret = take_values(s, from);
	free(number);
	free(off_number);
	return ret;
}
