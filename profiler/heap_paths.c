/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_paths.c - from the addresses of dumps to paths of names
 *
 * Looking an address up takes a while, and dumps have the same ones over and over: the frames of
 * each are kept while a dump is added, in an open-addressing table, never more than half full.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/demangle.h"
#include "profiler/folded.h"
#include "profiler/heap_paths.h"

#define CHAIN_MAX   16u /* functions at one address */
#define NAME_BYTES  512u
#define SLOTS_FIRST 1024u
#define INLINED	    " (inline)"

/* The frames at an address, innermost first. */
struct chain {
	uint64_t ip;
	uint32_t frame[CHAIN_MAX];
	uint8_t nr; /* 0: the slot is empty */
	bool allocator;
};

struct adder {
	struct zb_heap_paths *p;
	struct zb_symbols *syms;
	struct chain *chain;
	size_t chain_nr, slot_nr;
};

int zb_heap_paths_create(struct zb_heap_paths *out)
{
	memset(out, 0, sizeof(*out));
	return zb_samples_create(&out->names);
}

void zb_heap_paths_fini(struct zb_heap_paths *p)
{
	zb_samples_destroy(p->names);
	free(p->value);
	memset(p, 0, sizeof(*p));
}

/* Where a program enters its allocator. Whatever is called from there on is no user's doing. */
static bool is_allocator(const char *name)
{
	static const char *const names[] = {
		"malloc",
		"calloc",
		"realloc",
		"free",
		"cfree",
		"memalign",
		"posix_memalign",
		"aligned_alloc",
		"valloc",
		"pvalloc",
		"mallocx",
		"rallocx",
		"xallocx",
		"dallocx",
		"sdallocx",
		"sdallocx_noflags",
		"reallocarray",
		"je_malloc",
		"je_calloc",
		"je_realloc",
		"je_memalign",
		"je_mallocx",
		"je_rallocx",
		"je_posix_memalign",
		"je_aligned_alloc",
		"operator new",
		"operator new[]",
		"newImpl",
		"void* newImpl",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	/* Debian's has no names but those that it exports. */
	return strncmp(name, "[libjemalloc.", 13) == 0;
}

static int add_frame(struct adder *a, const char *symbol, bool inlined, uint32_t *frame)
{
	struct zb_samples_frame f = {.module = ZB_SAMPLES_NONE, .offset = ZB_SAMPLES_NONE};
	char name[NAME_BYTES + sizeof(INLINED)];
	int ret;

	zb_demangle(symbol, name, NAME_BYTES);
	if (inlined)
		strcat(name, INLINED);
	ret = zb_samples_string(a->p->names, name, &f.name);
	return ret < 0 ? ret : zb_samples_frame(a->p->names, &f, frame);
}

static int make_chain(struct adder *a, uint64_t ip, struct chain *c)
{
	const char *symbol[CHAIN_MAX];
	unsigned nr = zb_symbols_chain(a->syms, ip, symbol, CHAIN_MAX);
	char holder[NAME_BYTES];

	*c = (struct chain){.ip = ip, .nr = (uint8_t)nr};
	zb_demangle(symbol[nr - 1], holder, sizeof(holder));
	c->allocator = is_allocator(holder);
	for (unsigned i = 0; i < nr; i++) {
		int ret = add_frame(a, symbol[i], i + 1 < nr, &c->frame[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static struct chain *slot_of(struct chain *chain, size_t slot_nr, uint64_t ip)
{
	size_t at = (size_t)XXH3_64bits(&ip, sizeof(ip)) & (slot_nr - 1);

	while (chain[at].nr != 0 && chain[at].ip != ip)
		at = (at + 1) & (slot_nr - 1);
	return &chain[at];
}

static int grow(struct adder *a)
{
	size_t slot_nr = a->slot_nr != 0 ? 2 * a->slot_nr : SLOTS_FIRST;
	struct chain *chain = calloc(slot_nr, sizeof(*chain));

	if (chain == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < a->slot_nr; i++)
		if (a->chain[i].nr != 0)
			*slot_of(chain, slot_nr, a->chain[i].ip) = a->chain[i];
	free(a->chain);
	a->chain = chain;
	a->slot_nr = slot_nr;
	return 0;
}

/* The frames at ip; they hold until the next call. */
static int find_chain(struct adder *a, uint64_t ip, const struct chain **out)
{
	struct chain *c;
	int ret = a->chain_nr + 1 > a->slot_nr / 2 ? grow(a) : 0;

	if (ret < 0)
		return ret;
	c = slot_of(a->chain, a->slot_nr, ip);
	if (c->nr == 0) {
		ret = make_chain(a, ip, c);
		if (ret < 0) {
			c->nr = 0;
			return ret;
		}
		a->chain_nr++;
	}
	*out = c;
	return 0;
}

/* What is known of a stack before the allocator was last entered is not of the user's code. */
static int add_path(struct adder *a, const uint64_t *ip, unsigned depth, uint32_t *path)
{
	uint32_t frame[ZB_SAMPLES_DEPTH_MAX], nr = 0;
	const struct chain *c;
	int ret = 0;

	for (unsigned i = 0; ret == 0 && i < depth; i++) {
		if (ip[i] >> 63) /* the kernel asks for no memory here */
			continue;
		ret = find_chain(a, ip[i], &c);
		if (ret < 0)
			break;
		if (c->allocator)
			nr = 0;
		for (unsigned k = 0; !c->allocator && k < c->nr && nr < ZB_SAMPLES_DEPTH_MAX; k++)
			frame[nr++] = c->frame[k];
	}
	if (ret == 0 && nr == 0)
		ret = add_frame(a, ZB_FOLDED_NO_STACK, false, &frame[nr++]);
	return ret < 0 ? ret : zb_samples_stack(a->p->names, frame, nr, path);
}

static int add_value(struct zb_heap_paths *p, const struct zb_heap_value *v)
{
	if (p->value_nr == p->value_room) {
		uint32_t room = p->value_room != 0 ? 2 * p->value_room : 1024;
		struct zb_heap_value *more;

		if (room > ZB_HEAP_VALUES_MAX)
			return -ENOSPC;
		more = reallocarray(p->value, room, sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		p->value = more;
		p->value_room = room;
	}
	p->value[p->value_nr++] = *v;
	return 0;
}

int zb_heap_paths_add(struct zb_heap_paths *p, uint32_t dump, const struct zb_heap_dump_file *d,
		      struct zb_symbols *syms)
{
	struct adder a = {.p = p, .syms = syms};
	int ret = dump < ZB_HEAP_DUMPS_MAX ? 0 : -ENOSPC;

	for (size_t i = 0; ret == 0 && i < d->stack_nr; i++) {
		const struct zb_heap_stack *s = &d->stack[i];
		double scale = zb_heap_dump_scale(d, s);
		struct zb_heap_value v = {.dump = dump,
					  .bytes = (double)s->bytes * scale,
					  .objects = (double)s->objects * scale};

		ret = add_path(&a, s->depth != 0 ? d->ip + s->at : NULL, s->depth, &v.path);
		if (ret == 0)
			ret = add_value(p, &v);
	}
	free(a.chain);
	if (ret == 0 && dump >= p->dump_nr)
		p->dump_nr = dump + 1;
	return ret;
}
