/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap_split.c - see heap_split.h
 *
 *	heap_v2/524288                      to every part
 *	  t*: 28: 106176 [0: 0]
 *	  t3: 11: 6810 [0: 0] lcore-2       the thread's name, if it has one; its figures become t*
 *	@ 0x7f3a11 0x55e0a2 0x55e0ff        a stack, to the parts of the threads that follow
 *	  t*: 13: 6688 [0: 0]
 *	  t3: 2: 96 [0: 0]
 *	                                    to every part, and all that follows
 *	MAPPED_LIBRARIES:
 */
#include "profiler/heap_split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* "  t3: 11: 6810 [0: 0] name": the number, where the figures begin and where they end. */
struct thread_line {
	unsigned long id;
	const char *figures, *end;
};

static bool read_thread(const char *line, struct thread_line *t)
{
	char *at;

	if (strncmp(line, "  t", 3) != 0 || line[3] < '0' || line[3] > '9')
		return false;
	t->id = strtoul(line + 3, &at, 10);
	if (at[0] != ':')
		return false;
	t->figures = at;
	at = strchr(at, ']');
	t->end = at != NULL ? at + 1 : NULL;
	return at != NULL;
}

/* The name that stands after the figures, without blanks around it. */
static bool is_named(const char *end, const char *name)
{
	size_t len;

	end += strspn(end, " \t");
	len = strcspn(end, "\n");
	while (len > 0 && end[len - 1] == ' ')
		len--;
	return len == strlen(name) && memcmp(end, name, len) == 0;
}

static void put_figures(FILE *out, const struct thread_line *t)
{
	fprintf(out, "  t*%.*s\n  t%lu%.*s\n", (int)(t->end - t->figures), t->figures, t->id,
		(int)(t->end - t->figures), t->figures);
}

/* A line of the beginning: who is who. */
static void take_name(const char *first, const struct thread_line *t, struct zb_heap_part *parts,
		      unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		if (parts[i].found || !is_named(t->end, parts[i].thread))
			continue;
		parts[i].found = true;
		parts[i].id = t->id;
		fputs(first, parts[i].out);
		put_figures(parts[i].out, t);
		return;
	}
}

static void take_stack(const char *stack, const struct thread_line *t, struct zb_heap_part *parts,
		       unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		if (!parts[i].found || parts[i].id != t->id)
			continue;
		fputs(stack, parts[i].out);
		put_figures(parts[i].out, t);
	}
}

static void put_all(const char *line, struct zb_heap_part *parts, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		if (parts[i].found)
			fputs(line, parts[i].out);
}

/* Two lines are kept: the first of the dump, then that of the stack at hand. */
static int split(FILE *dump, struct zb_heap_part *parts, unsigned nr)
{
	char *line = NULL, *kept = NULL;
	size_t room = 0, kept_room = 0;
	struct thread_line t;
	bool rest = false;

	if (getline(&kept, &kept_room, dump) < 0 || strncmp(kept, "heap_v2/", 8) != 0) {
		free(kept);
		return -EINVAL;
	}
	while (getline(&line, &room, dump) >= 0) {
		rest |= line[0] == '\n' || strncmp(line, "MAPPED_LIBRARIES", 16) == 0;
		if (rest) {
			put_all(line, parts, nr);
		} else if (line[0] == '@') {
			char *other = kept;
			size_t other_room = kept_room;

			kept = line;
			kept_room = room;
			line = other;
			room = other_room;
		} else if (read_thread(line, &t)) {
			if (kept[0] == '@')
				take_stack(kept, &t, parts, nr);
			else
				take_name(kept, &t, parts, nr);
		}
	}
	free(line);
	free(kept);
	return ferror(dump) ? -EIO : 0;
}

int zb_heap_split(FILE *dump, struct zb_heap_part *parts, unsigned part_nr)
{
	int ret;

	for (unsigned i = 0; i < part_nr; i++) {
		parts[i].found = false;
		parts[i].id = 0;
	}
	ret = split(dump, parts, part_nr);
	for (unsigned i = 0; i < part_nr; i++)
		if (ret == 0 && (fflush(parts[i].out) != 0 || ferror(parts[i].out)))
			ret = -EIO;
	return ret;
}
