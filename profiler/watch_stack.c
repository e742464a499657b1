/* SPDX-License-Identifier: Apache-2.0 */
/* watch_stack.c - completes a sample of any process and finds its names */
#include <errno.h>
#include <string.h>
#include "profiler/clock.h"
#include "profiler/watch_priv.h"

#define LOOK_NS 1000000000u /* /proc/PID/maps is read again at most that often */
#define UNKNOWN "[unknown]" /* code that is in no file: made at run time, mostly */

struct process_code {
	struct zb_unwind_map map; /* first: the callee gets this one */
	struct zb_watch_people *people;
	struct zb_watch_process *process;
};

/* The file at ip, and ip as the file knows it. */
static struct zb_dso *dso_at(const struct process_code *c, uint64_t ip, uint64_t *vaddr)
{
	const struct zb_watch_map *m = zb_watch_maps_find(&c->process->maps, ip);
	struct zb_dso *dso;

	if (m == NULL)
		return NULL;
	dso = zb_watch_dso(&c->people->files, m->file, c->process->pid, m->from, m->to);
	return dso != NULL && zb_dso_vaddr(dso, ip - m->from + m->file_off, vaddr) ? dso : NULL;
}

static struct zb_unwind *unwind_at(const struct zb_unwind_map *map, uint64_t ip, uint64_t *vaddr)
{
	struct zb_dso *dso = dso_at((const struct process_code *)map, ip, vaddr);

	return dso != NULL ? zb_dso_unwind(dso) : NULL;
}

static uint32_t user_chain(const struct process_code *c, const struct zb_user_stack *user,
			   uint64_t *out, uint32_t max)
{
	uint32_t nr = user->depth < max ? user->depth : max;

	if (c->people->dwarf)
		return zb_unwind_map_chain(&c->map, user, out, max);
	memcpy(out, user->chain, nr * sizeof(*out));
	return nr;
}

/* Whether the leaf is in nothing that is known to be mapped, and it is time to look again. */
static bool must_look(const struct process_code *c, uint64_t ip)
{
	return zb_watch_maps_find(&c->process->maps, ip) == NULL &&
	       zb_clock_ns() - c->process->looked_ns > LOOK_NS;
}

static int add_frame(const struct process_code *c, struct zb_samples *s, uint64_t ip, bool is_call,
		     uint32_t *out)
{
	struct zb_symbol_place place = {.name = UNKNOWN};
	uint64_t at = ip - is_call, vaddr;
	struct zb_dso *dso;

	if (ip >> 63) {
		zb_symbols_place(c->people->kernel, ip, is_call, &place);
	} else if ((dso = dso_at(c, at, &vaddr)) != NULL) {
		zb_symbols_place(zb_dso_symbols(dso), vaddr + is_call, is_call, &place);
	} else {
		const struct zb_watch_map *m = zb_watch_maps_find(&c->process->maps, at);

		place.module = m != NULL ? c->people->files.file[m->file].path : NULL;
	}
	return zb_samples_place(s, ip, &place, out);
}

int zb_watch_stack(struct zb_watch_people *people, struct zb_samples *s,
		   const struct zb_sample *sample, uint32_t *stack)
{
	struct zb_watch_process nobody = {0};
	struct process_code c = {.map.module = unwind_at, .people = people, .process = &nobody};
	uint32_t kernel = sample->kernel_depth, nr, frames[ZB_STACK_DEPTH_MAX];
	uint64_t ips[ZB_STACK_DEPTH_MAX];
	int ret = 0;

	if (kernel > ZB_STACK_DEPTH_MAX)
		kernel = ZB_STACK_DEPTH_MAX;
	if (kernel > 0)
		memcpy(ips, sample->kernel, kernel * sizeof(*ips));
	nr = kernel;
	if (sample->user.depth > 0 && kernel < ZB_STACK_DEPTH_MAX) {
		c.process = zb_watch_process_of(people, sample->pid);
		if (c.process == NULL)
			return -ENOMEM;
		if (must_look(&c, sample->user.chain[0])) {
			c.process->looked_ns = zb_clock_ns();
			ret = zb_watch_maps_read(&c.process->maps, &people->files, sample->pid);
		}
		nr += user_chain(&c, &sample->user, ips + kernel, ZB_STACK_DEPTH_MAX - kernel);
	}
	for (uint32_t i = 0; ret == 0 && i < nr; i++)
		ret = add_frame(&c, s, ips[i], i > 0 && i != kernel, &frames[i]);
	if (ret == 0)
		ret = zb_samples_stack(s, frames, nr, stack);
	return ret == -ENOSPC ? zb_samples_beyond(s, stack) : ret;
}
