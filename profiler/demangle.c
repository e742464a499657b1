/* SPDX-License-Identifier: Apache-2.0 */
/* demangle.c - see demangle.h */
#include "profiler/demangle.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef char *demangle_fn(const char *name, char *buf, size_t *len, int *status);

static demangle_fn *find(void)
{
	static demangle_fn *found;
	static bool looked;
	void *lib;

	if (looked)
		return found;
	looked = true;
	lib = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
	if (lib != NULL)
		*(void **)&found = dlsym(lib, "__cxa_demangle");
	return found;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/*
 * Takes out what stands between a pair of brackets, pairs inside it too; where behind is given, it
 * may follow a pair and goes with it.
 */
static void take_out(char *s, char open, char close, const char *behind)
{
	size_t len = strlen(s), *at = calloc(len + 1, sizeof(*at)), depth = 0, to = 0;

	for (size_t i = 0; at != NULL && i < len; i++) {
		s[to++] = s[i];
		if (s[i] == open)
			at[depth++] = to - 1;
		if (s[i] != close || depth == 0)
			continue;
		to = at[--depth];
		if (behind != NULL && strncmp(s + i + 1, behind, strlen(behind)) == 0)
			i += strlen(behind);
	}
	if (at != NULL)
		s[to] = '\0';
	free(at);
}

void zb_demangle_shorten(char *name)
{
	char *blank;

	take_out(name, '(', ')', " const");
	take_out(name, '<', '>', NULL);
	/* What stands before the last blank that a qualified name follows is a type. */
	blank = strrchr(name, ' ');
	if (blank != NULL) {
		const char *p = blank + 1;

		while (is_word(*p))
			p++;
		if (p > blank + 1 && strncmp(p, "::", 2) == 0)
			memmove(name, blank + 1, strlen(blank + 1) + 1);
	}
}

void zb_demangle(const char *name, char *buf, size_t buf_size)
{
	demangle_fn *fn = strncmp(name, "_Z", 2) == 0 ? find() : NULL;
	int status = -1;
	char *text = fn != NULL ? fn(name, NULL, NULL, &status) : NULL;

	if (text != NULL && status == 0)
		zb_demangle_shorten(text);
	snprintf(buf, buf_size, "%s", text != NULL && status == 0 && *text != '\0' ? text : name);
	free(text);
}
