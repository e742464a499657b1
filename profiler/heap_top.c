/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_top.c - reads a heap dump of this very process and says which functions hold the memory
 *
 * A dump (jemalloc's heap_v2 text) looks like this; what stands after the second t*: is not needed:
 *
 *	heap_v2/524288                      average bytes between two samples
 *	  t*: 28: 106176 [0: 0]             all threads: sampled live objects: bytes [...]
 *	  t0: ...                           per thread
 *	@ 0x7f3a11 0x55e0a2 0x55e0ff        a stack, leaf first
 *	  t*: 13: 6688 [0: 0]
 *	  t0: ...
 *	                                    empty line
 *	MAPPED_LIBRARIES:
 *
 * A large object is more likely to be sampled than a small one, so counts are divided by the chance
 * that the average object of a stack had: 1 - exp(-size / rate). jemalloc writes its figures so
 * that exactly this gives unbiased sums.
 */
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/heap.h"

#define LINE_BYTES 16384 /* 128 frames take 2.5 KiB; a longer line is no line of a dump */
#define DEPTH_MAX  256	 /* frames kept, from the leaf */
#define RANGES_MAX 64

struct held {
	const char *name; /* owned by the zb_symbols */
	double bytes, objects;
};

struct stack {
	uint64_t ip[DEPTH_MAX];
	unsigned depth;
	bool open; /* its counts have not come yet */
};

/* Code of the allocator, libc and their like: no frame in there is a holder. */
struct ranges {
	struct {
		uint64_t begin, end;
	} r[RANGES_MAX];
	unsigned nr;
};

struct reader {
	FILE *f;
	struct zb_symbols *syms;
	struct ranges skip;
	struct stack stack;
	double rate;
	struct held *held;
	size_t nr, room;
	char line[LINE_BYTES];
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
static const char *find_holder(struct reader *r)
{
	const char *name = "[no stack]";

	for (unsigned i = 0; i < r->stack.depth; i++) {
		uint64_t ip = r->stack.ip[i];

		/* Every address of a dump is a return address. */
		if (in_ranges(&r->skip, ip - 1) && i + 1 < r->stack.depth)
			continue;
		name = zb_symbols_name(r->syms, ip, true, NULL);
		if (!is_allocator(name))
			break;
	}
	return name;
}

/* Reads digits of the base at *s and goes past them. False: there are none, or too many. */
static bool read_number(const char **s, unsigned base, uint64_t *value)
{
	const char *p = *s;
	uint64_t v = 0;

	for (;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (base == 16 && *p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a') + 10;
		else
			break;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (p == *s)
		return false;
	*s = p;
	*value = v;
	return true;
}

static bool read_text(const char **s, const char *text)
{
	if (!has_prefix(*s, text))
		return false;
	*s += strlen(text);
	return true;
}

/* "@ 0x1 0x2 ...": what is deeper than we keep is checked and forgotten. */
static int read_stack(struct reader *r, const char *s)
{
	struct stack *st = &r->stack;

	if (st->open)
		return -EINVAL;
	st->open = true;
	st->depth = 0;
	while (*s == ' ') {
		uint64_t ip;

		if (!read_text(&s, " 0x") || !read_number(&s, 16, &ip))
			return -EINVAL;
		if (st->depth < DEPTH_MAX)
			st->ip[st->depth++] = ip;
	}
	return *s == '\0' ? 0 : -EINVAL;
}

static int add_held(struct reader *r, double bytes, double objects)
{
	if (r->nr == r->room) {
		size_t room = r->room != 0 ? r->room * 2 : 256;
		struct held *p = reallocarray(r->held, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		r->held = p;
		r->room = room;
	}
	r->held[r->nr++] = (struct held){find_holder(r), bytes, objects};
	return 0;
}

/* "13: 6688 [0: 0]" of all threads, after a stack or, as the sum that is not needed, at the top. */
static int read_counts(struct reader *r, const char *s)
{
	uint64_t objects, bytes, ever_objects, ever_bytes;
	double chance;

	if (!read_number(&s, 10, &objects) || !read_text(&s, ": ") ||
	    !read_number(&s, 10, &bytes) || !read_text(&s, " [") ||
	    !read_number(&s, 10, &ever_objects) || !read_text(&s, ": ") ||
	    !read_number(&s, 10, &ever_bytes) || strcmp(s, "]") != 0)
		return -EINVAL;
	if (!r->stack.open)
		return r->nr == 0 ? 0 : -EINVAL;
	r->stack.open = false;
	if (objects == 0 || bytes == 0)
		return 0;
	chance = -expm1(-(double)bytes / (double)objects / r->rate);
	if (!(chance > 0))
		return -EINVAL;
	return add_held(r, (double)bytes / chance, (double)objects / chance);
}

/*
 * Reads a line without its newline. -ENODATA: the file ends; -EINVAL: longer than a line, or cut
 * off.
 */
static int read_line(struct reader *r)
{
	char *nl;

	if (fgets(r->line, sizeof(r->line), r->f) == NULL)
		return ferror(r->f) ? -EIO : -ENODATA;
	nl = strchr(r->line, '\n');
	if (nl == NULL)
		return -EINVAL;
	*nl = '\0';
	return 0;
}

static int read_head(struct reader *r)
{
	const char *s = r->line;
	uint64_t rate;
	int ret = read_line(r);

	if (ret < 0)
		return ret;
	if (!read_text(&s, "heap_v2/") || !read_number(&s, 10, &rate) || *s != '\0' || rate == 0)
		return -EINVAL;
	r->rate = (double)rate;
	return 0;
}

/* 1: the stacks end here. */
static int take_line(struct reader *r)
{
	const char *s = r->line;

	if (*s == '\0')
		return 0;
	if (*s == '@')
		return read_stack(r, s + 1);
	if (read_text(&s, "  t*: "))
		return read_counts(r, s);
	if (has_prefix(s, "  t"))
		return 0;
	if (strcmp(s, "MAPPED_LIBRARIES:") == 0)
		return r->stack.open ? -EINVAL : 1;
	return -EINVAL;
}

static int read_dump(struct reader *r)
{
	int ret = read_head(r);

	while (ret == 0) {
		ret = read_line(r);
		if (ret == 0)
			ret = take_line(r);
	}
	if (ret == -ENODATA)
		return -EINVAL; /* it broke off */
	return ret < 0 ? ret : 0;
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
	struct reader *r = calloc(1, sizeof(*r));
	int ret;

	if (r == NULL)
		return -ENOMEM;
	r->syms = syms;
	r->f = fopen(path, "re");
	if (r->f == NULL) {
		ret = -errno;
		goto free_reader;
	}
	dl_iterate_phdr(add_module, &r->skip);
	ret = read_dump(r);
	if (ret == 0)
		ret = write_top(r, out, max, total_bytes);
	fclose(r->f);
	free(r->held);
free_reader:
	free(r);
	return ret;
}
