/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_top.c - reads a heap dump of this very process and says which functions hold the memory
 */
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/heap.h"
#include "profiler/heap_dump.h"

#define RANGES_MAX 64

struct held {
	const char *name; /* owned by the zb_symbols */
	double bytes, objects;
};

/* Code of the allocator, libc and their like: no frame in there is a holder. */
struct ranges {
	struct {
		uint64_t begin, end;
	} r[RANGES_MAX];
	unsigned nr;
};

struct reader {
	struct zb_heap_dump_file dump;
	struct zb_symbols *syms;
	struct ranges skip;
	struct held *held;
	size_t nr;
};

static bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int add_module(struct dl_phdr_info *info, size_t size, void *data)
{
	static const char *const modules[] = {"libjemalloc", "libc.so",	   "libc-",	"ld-linux",
					      "libgcc_s",    "libpthread", "libstdc++", "libasan"};
	const char *slash = strrchr(info->dlpi_name, '/');
	const char *base = slash != NULL ? slash + 1 : info->dlpi_name;
	struct ranges *skip = data;
	bool wanted = false;

	(void)size;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		wanted |= has_prefix(base, modules[i]);
	for (unsigned i = 0; wanted && i < info->dlpi_phnum && skip->nr < RANGES_MAX; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uint64_t begin = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type != PT_LOAD || (ph->p_flags & PF_X) == 0)
			continue;
		skip->r[skip->nr].begin = begin;
		skip->r[skip->nr].end = begin + ph->p_memsz;
		skip->nr++;
	}
	return 0;
}

static bool in_ranges(const struct ranges *skip, uint64_t ip)
{
	for (unsigned i = 0; i < skip->nr; i++) {
		if (ip >= skip->r[i].begin && ip < skip->r[i].end)
			return true;
	}
	return false;
}

/* By name, for a jemalloc that is linked in statically, and for what wraps it here. */
static bool is_allocator(const char *name)
{
	static const char *const whole[] = {"malloc",	      "calloc",	  "realloc",
					    "reallocarray",   "memalign", "aligned_alloc",
					    "posix_memalign", "valloc",	  "pvalloc",
					    "mallocx",	      "rallocx",  "strdup"};
	static const char *const prefixes[] = {"zb_heap_",	 "zb_mem_",    "je_",
					       "prof_backtrace", "prof_tctx_", "prof_alloc_prep",
					       "operator new"};

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		if (strcmp(name, whole[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (has_prefix(name, prefixes[i]))
			return true;
	}
	return false;
}

/* The function that asked for the memory; where only libraries did, the outermost of them. */
static const char *find_holder(const struct reader *r, const struct zb_heap_stack *st)
{
	const char *name = "[no stack]";

	for (unsigned i = 0; i < st->depth; i++) {
		uint64_t ip = r->dump.ip[st->at + i];

		/* Every address of a dump is a return address. */
		if (in_ranges(&r->skip, ip - 1) && i + 1 < st->depth)
			continue;
		name = zb_symbols_name(r->syms, ip, true, NULL);
		if (!is_allocator(name))
			break;
	}
	return name;
}

static int find_holders(struct reader *r)
{
	r->held = calloc(r->dump.stack_nr + 1, sizeof(*r->held));
	if (r->held == NULL)
		return -ENOMEM;
	for (; r->nr < r->dump.stack_nr; r->nr++) {
		const struct zb_heap_stack *st = &r->dump.stack[r->nr];
		double scale = zb_heap_dump_scale(&r->dump, st);

		r->held[r->nr] = (struct held){find_holder(r, st), (double)st->bytes * scale,
					       (double)st->objects * scale};
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct held *)a)->name, ((const struct held *)b)->name);
}

static int by_bytes(const void *a, const void *b)
{
	const struct held *ha = a, *hb = b;

	if (ha->bytes != hb->bytes)
		return ha->bytes < hb->bytes ? 1 : -1;
	return strcmp(ha->name, hb->name);
}

/* Makes one entry of all that have a name; returns the sum of their bytes. */
static double merge_names(struct reader *r)
{
	double total = 0;
	size_t kept = 0;

	if (r->nr == 0)
		return 0;
	qsort(r->held, r->nr, sizeof(*r->held), by_name);
	for (size_t i = 0; i < r->nr; i++) {
		total += r->held[i].bytes;
		if (kept > 0 && by_name(&r->held[kept - 1], &r->held[i]) == 0) {
			r->held[kept - 1].bytes += r->held[i].bytes;
			r->held[kept - 1].objects += r->held[i].objects;
		} else {
			r->held[kept++] = r->held[i];
		}
	}
	r->nr = kept;
	qsort(r->held, r->nr, sizeof(*r->held), by_bytes);
	return total;
}

static uint64_t to_count(double v)
{
	return v < 0x1p63 ? (uint64_t)(v + 0.5) : UINT64_MAX;
}

static int write_top(struct reader *r, struct zb_heap_holder *out, unsigned max,
		     uint64_t *total_bytes)
{
	double total = merge_names(r);
	unsigned n = 0;

	for (; n < max && n < r->nr && n < INT32_MAX; n++) {
		const struct held *h = &r->held[n];

		snprintf(out[n].function, sizeof(out[n].function), "%s", h->name);
		out[n].bytes = to_count(h->bytes);
		out[n].objects = to_count(h->objects);
		out[n].share = h->bytes / total;
	}
	if (total_bytes != NULL)
		*total_bytes = to_count(total);
	return (int)n;
}

int zb_heap_top(const char *path, struct zb_symbols *syms, struct zb_heap_holder *out, unsigned max,
		uint64_t *total_bytes)
{
	struct reader r = {.syms = syms};
	FILE *f = fopen(path, "re");
	int ret;

	if (f == NULL)
		return -errno;
	ret = zb_heap_dump_read(f, &r.dump);
	fclose(f);
	if (ret < 0)
		return ret;
	dl_iterate_phdr(add_module, &r.skip);
	ret = find_holders(&r);
	if (ret == 0)
		ret = write_top(&r, out, max, total_bytes);
	free(r.held);
	zb_heap_dump_fini(&r.dump);
	return ret;
}
