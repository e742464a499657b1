/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_dump.c - see heap_dump.h
 *
 *	heap_v2/524288                    average bytes between two samples
 *	  t*: 28: 106176 [0: 0]           all threads: sampled live objects: bytes [ever allocated]
 *	  t0: ...                         per thread, behind which its name may stand
 *	@ 0x7f3a11 0x55e0a2 0x55e0ff      a stack, leaf first
 *	  t*: 13: 6688 [0: 0]
 *	  t0: ...
 *	                                  empty line
 *	MAPPED_LIBRARIES:
 *	55e09f000-55e0b1000 r-xp 00002000 fe:01 1234  /usr/bin/program
 */
#include "profiler/heap_dump.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 16384 /* 128 frames take 2.5 KiB; a longer line is no line of a dump */

struct reader {
	FILE *f;
	struct zb_heap_dump_file *d;
	bool open;    /* a stack's counts have not come yet */
	bool counted; /* a stack's counts have come */
	char line[LINE_BYTES];
};

static bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
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

/* The array with room for one more element than nr; NULL: no memory, it is as it was. */
static void *with_room(void *array, size_t *room, size_t nr, size_t size)
{
	size_t more = *room != 0 ? *room * 2 : 256;
	void *p;

	if (nr < *room)
		return array;
	p = reallocarray(array, more, size);
	if (p != NULL)
		*room = more;
	return p;
}

/* "@ 0x1 0x2 ...": what is deeper than we keep is checked and forgotten. */
static int read_stack(struct reader *r, const char *s)
{
	struct zb_heap_dump_file *d = r->d;
	struct zb_heap_stack *st;

	if (r->open)
		return -EINVAL;
	st = with_room(d->stack, &d->stack_room, d->stack_nr, sizeof(*st));
	if (st == NULL)
		return -ENOMEM;
	d->stack = st;
	st += d->stack_nr;
	*st = (struct zb_heap_stack){.at = d->ip_nr};
	r->open = true;
	while (*s == ' ') {
		uint64_t ip, *more;

		if (s[1] == '\0') /* "@ " is a stack without frames */
			return 0;
		if (!read_text(&s, " 0x") || !read_number(&s, 16, &ip))
			return -EINVAL;
		if (st->depth == ZB_HEAP_DEPTH_MAX)
			continue;
		more = with_room(d->ip, &d->ip_room, st->at + st->depth, sizeof(ip));
		if (more == NULL)
			return -ENOMEM;
		d->ip = more;
		d->ip[st->at + st->depth++] = ip;
	}
	return *s == '\0' ? 0 : -EINVAL;
}

/* "13: 6688 [0: 0]" of all threads, after a stack or, as the sum that is not needed, at the top. */
static int read_counts(struct reader *r, const char *s)
{
	struct zb_heap_dump_file *d = r->d;
	struct zb_heap_stack *st;
	uint64_t objects, bytes, ever_objects, ever_bytes;

	if (!read_number(&s, 10, &objects) || !read_text(&s, ": ") ||
	    !read_number(&s, 10, &bytes) || !read_text(&s, " [") ||
	    !read_number(&s, 10, &ever_objects) || !read_text(&s, ": ") ||
	    !read_number(&s, 10, &ever_bytes) || strcmp(s, "]") != 0)
		return -EINVAL;
	if (!r->open)
		return r->counted ? -EINVAL : 0;
	r->open = false;
	r->counted = true;
	if (objects == 0 || bytes == 0)
		return 0;
	st = &d->stack[d->stack_nr];
	st->objects = objects;
	st->bytes = bytes;
	if (!(zb_heap_dump_scale(d, st) < HUGE_VAL))
		return -EINVAL;
	d->stack_nr++;
	d->ip_nr += st->depth;
	return 0;
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
	r->d->line++;
	nl = strchr(r->line, '\n');
	if (nl == NULL)
		return -EINVAL;
	*nl = '\0';
	return 0;
}

static int read_head(struct reader *r)
{
	const char *s = r->line;
	int ret = read_line(r);

	if (ret < 0)
		return ret;
	if (!read_text(&s, "heap_v2/") || !read_number(&s, 10, &r->d->rate) || *s != '\0' ||
	    r->d->rate == 0)
		return -EINVAL;
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
		return r->open ? -EINVAL : 1;
	return -EINVAL;
}

/* The rest of the file; a zero byte ends it. */
static int read_maps(struct reader *r)
{
	struct zb_heap_dump_file *d = r->d;

	for (;;) {
		size_t got = fread(r->line, 1, sizeof(r->line), r->f);

		if (d->maps_len + got > ZB_HEAP_MAPS_MAX)
			return -EFBIG;
		if (d->maps_len + got + 1 > d->maps_room) {
			size_t room = 2 * (d->maps_len + sizeof(r->line));
			char *p = realloc(d->maps, room);

			if (p == NULL)
				return -ENOMEM;
			d->maps = p;
			d->maps_room = room;
		}
		memcpy(d->maps + d->maps_len, r->line, got);
		d->maps_len += got;
		d->maps[d->maps_len] = '\0';
		if (got < sizeof(r->line))
			break;
	}
	d->maps_len = strlen(d->maps);
	return ferror(r->f) ? -EIO : 0;
}

int zb_heap_dump_read(FILE *f, struct zb_heap_dump_file *out)
{
	struct reader *r = calloc(1, sizeof(*r));
	int ret;

	memset(out, 0, sizeof(*out));
	if (r == NULL)
		return -ENOMEM;
	r->f = f;
	r->d = out;
	ret = read_head(r);
	while (ret == 0) {
		ret = read_line(r);
		if (ret == 0)
			ret = take_line(r);
	}
	if (ret == 1)
		ret = read_maps(r);
	free(r);
	if (ret == -ENODATA)
		ret = -EINVAL; /* it broke off */
	if (ret < 0) {
		uint64_t line = out->line;

		zb_heap_dump_fini(out);
		out->line = line;
	}
	return ret;
}

void zb_heap_dump_fini(struct zb_heap_dump_file *d)
{
	free(d->stack);
	free(d->ip);
	free(d->maps);
	memset(d, 0, sizeof(*d));
}

double zb_heap_dump_scale(const struct zb_heap_dump_file *d, const struct zb_heap_stack *s)
{
	return 1 / -expm1(-(double)s->bytes / (double)s->objects / (double)d->rate);
}
