/* SPDX-License-Identifier: Apache-2.0 */
/* kallsyms.c - names of kernel functions, from a file in the format of /proc/kallsyms */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/kallsyms_priv.h"

/*
 * The file has no sizes: further than this from the last symbol before it, an address has no name.
 */
#define FUNCTION_BYTES_MAX (1u << 20)

struct zb_ksym {
	uint64_t addr;
	size_t name_at; /* in names; the file's order, too */
};

static int add_sym(struct zb_kallsyms *k, uint64_t addr, const char *name)
{
	size_t len = strlen(name) + 1;

	if (k->sym_nr == k->sym_cap) {
		size_t cap = k->sym_cap == 0 ? 16384 : k->sym_cap * 2;
		struct zb_ksym *syms = reallocarray(k->syms, cap, sizeof(*syms));

		if (syms == NULL)
			return -ENOMEM;
		k->syms = syms;
		k->sym_cap = cap;
	}
	if (k->name_cap - k->name_bytes < len) {
		size_t cap = k->name_cap * 2 + len + 65536;
		char *names = realloc(k->names, cap);

		if (names == NULL)
			return -ENOMEM;
		k->names = names;
		k->name_cap = cap;
	}
	k->syms[k->sym_nr++] = (struct zb_ksym){.addr = addr, .name_at = k->name_bytes};
	memcpy(k->names + k->name_bytes, name, len);
	k->name_bytes += len;
	return 0;
}

/* Takes "ffffffff81000000 T _text" and "... t name\t[module]"; anything else is passed over. */
static int add_line(struct zb_kallsyms *k, char *line)
{
	char *end, *name;
	uint64_t addr;

	errno = 0;
	addr = strtoull(line, &end, 16);
	if (errno != 0 || end == line || addr == 0 || end[0] != ' ' || end[1] == '\0' ||
	    end[2] != ' ')
		return 0;
	if (strchr("tTwW", end[1]) == NULL)
		return 0;
	name = end + 3;
	name[strcspn(name, " \t\n")] = '\0';
	return *name == '\0' ? 0 : add_sym(k, addr, name);
}

/* Of several names for one address the file's first one stands first. */
static int sym_cmp(const void *a, const void *b)
{
	const struct zb_ksym *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->name_at < y->name_at ? -1 : x->name_at > y->name_at;
}

int zb_kallsyms_init(struct zb_kallsyms *k, const char *path)
{
	size_t line_cap = 0;
	char *line = NULL;
	int ret = 0;
	FILE *f;

	memset(k, 0, sizeof(*k));
	f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	while (ret == 0 && getline(&line, &line_cap, f) >= 0)
		ret = add_line(k, line);
	if (ret == 0 && ferror(f))
		ret = -EIO;
	free(line);
	fclose(f);
	if (k->sym_nr > 0)
		qsort(k->syms, k->sym_nr, sizeof(*k->syms), sym_cmp);
	return ret;
}

void zb_kallsyms_fini(struct zb_kallsyms *k)
{
	free(k->syms);
	free(k->names);
	memset(k, 0, sizeof(*k));
}

const char *zb_kallsyms_name(const struct zb_kallsyms *k, uint64_t ip, uint64_t *offset)
{
	size_t lo = 0, hi = k->sym_nr; /* the last address <= ip stands before hi */

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->syms[mid].addr <= ip)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || ip - k->syms[lo - 1].addr > FUNCTION_BYTES_MAX)
		return NULL;
	for (lo--; lo > 0 && k->syms[lo - 1].addr == k->syms[lo].addr;)
		lo--;
	*offset = ip - k->syms[lo].addr;
	return k->names + k->syms[lo].name_at;
}
