/* SPDX-License-Identifier: Apache-2.0 */
/* hot_function.c - see hot_function.h */
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "profiler/hot_function.h"

#define NAMES_MAX 512 /* different functions; more are not told apart, and count for none */

struct ranges {
	struct {
		uint64_t begin, end;
	} r[8];
	unsigned nr;
};

struct search {
	struct zb_symbols *syms;
	const char *below;
	const char *const *except;
	struct ranges own;
	struct {
		const char *name; /* owned by syms */
		uint64_t samples;
	} count[NAMES_MAX];
	unsigned nr;
	uint64_t of;
};

/* Code of the program itself: it is listed first. */
static int add_own(struct dl_phdr_info *info, size_t size, void *data)
{
	struct ranges *own = data;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum && own->nr < 8; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type != PT_LOAD || (ph->p_flags & PF_X) == 0)
			continue;
		own->r[own->nr].begin = info->dlpi_addr + ph->p_vaddr;
		own->r[own->nr].end = info->dlpi_addr + ph->p_vaddr + ph->p_memsz;
		own->nr++;
	}
	return 1;
}

static bool is_own(const struct ranges *own, uint64_t ip)
{
	for (unsigned i = 0; i < own->nr; i++)
		if (ip >= own->r[i].begin && ip < own->r[i].end)
			return true;
	return false;
}

static const char *name_at(const struct search *s, const struct zb_stack_view *st, uint32_t i)
{
	return zb_symbols_name(s->syms, st->ips[i], i != 0, NULL);
}

static bool is_in(const char *const *names, const char *name)
{
	for (; names != NULL && *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct search *s, const struct zb_stack_view *st)
{
	bool below = s->below == NULL;

	for (uint32_t i = 0; i < st->depth; i++) {
		const char *name;

		if (!is_own(&s->own, st->ips[i]))
			continue;
		name = name_at(s, st, i);
		if (is_in(s->except, name))
			return false;
		below = below || strcmp(name, s->below) == 0;
	}
	return below;
}

static void add(struct search *s, const char *name, uint64_t weight)
{
	unsigned i = 0;

	while (i < s->nr && strcmp(s->count[i].name, name) != 0)
		i++;
	if (i == NAMES_MAX)
		return;
	if (i == s->nr) {
		s->count[s->nr].name = name;
		s->count[s->nr++].samples = 0;
	}
	s->count[i].samples += weight;
}

static void take(struct search *s, const struct zb_stack_view *st)
{
	uint32_t i = 0;

	if (!is_wanted(s, st))
		return;
	s->of += st->weight;
	while (i < st->depth && !is_own(&s->own, st->ips[i]))
		i++;
	if (i < st->depth)
		add(s, name_at(s, st, i), st->weight);
}

void zb_hot_function(const struct zb_stack_table *t, struct zb_symbols *syms, const char *below,
		     const char *const *except, struct zb_hot_function *out)
{
	struct search s = {.syms = syms, .below = below, .except = except};
	unsigned best = 0;

	memset(out, 0, sizeof(*out));
	dl_iterate_phdr(add_own, &s.own);
	for (uint32_t i = 0; i < zb_stack_table_nr(t); i++) {
		struct zb_stack_view st;

		zb_stack_table_get(t, i, &st);
		take(&s, &st);
	}
	out->of = s.of;
	if (s.nr == 0)
		return;
	for (unsigned i = 1; i < s.nr; i++)
		best = s.count[i].samples > s.count[best].samples ? i : best;
	snprintf(out->name, sizeof(out->name), "%s", s.count[best].name);
	out->samples = s.count[best].samples;
}
