/* SPDX-License-Identifier: Apache-2.0 */
/* folded.c - folded stacks on their way to a file: sorted by text, equal ones as one */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/folded.h"

struct zb_folded_line {
	char *text;
	uint64_t weight;
};

int zb_folded_add(struct zb_folded *f, char *text, uint64_t weight)
{
	if (text == NULL)
		return -ENOMEM;
	if (f->nr == f->room) {
		size_t room = f->room == 0 ? 256 : f->room * 2;
		struct zb_folded_line *line = reallocarray(f->line, room, sizeof(*line));

		if (line == NULL) {
			free(text);
			return -ENOMEM;
		}
		f->line = line;
		f->room = room;
	}
	f->line[f->nr++] = (struct zb_folded_line){.text = text, .weight = weight};
	return 0;
}

void zb_folded_fini(struct zb_folded *f)
{
	for (size_t i = 0; i < f->nr; i++)
		free(f->line[i].text);
	free(f->line);
	*f = (struct zb_folded){0};
}

char *zb_folded_put_name(char *to, const char *name)
{
	for (; *name != '\0'; name++)
		*to++ = *name == ';' || (unsigned char)*name <= ' ' ? '_' : *name;
	return to;
}

static int line_cmp(const void *a, const void *b)
{
	return strcmp(((const struct zb_folded_line *)a)->text,
		      ((const struct zb_folded_line *)b)->text);
}

int zb_folded_write(struct zb_folded *f, FILE *out)
{
	if (f->nr > 0)
		qsort(f->line, f->nr, sizeof(*f->line), line_cmp);
	for (size_t i = 0; i < f->nr;) {
		uint64_t weight = 0;
		size_t first = i;

		for (; i < f->nr && strcmp(f->line[i].text, f->line[first].text) == 0; i++)
			weight += f->line[i].weight;
		errno = 0;
		if (fprintf(out, "%s %" PRIu64 "\n", f->line[first].text, weight) < 0)
			return errno != 0 ? -errno : -EIO;
	}
	errno = 0;
	if (fflush(out) != 0)
		return errno != 0 ? -errno : -EIO;
	return 0;
}
