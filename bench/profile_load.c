/* SPDX-License-Identifier: Apache-2.0 */
/* profile_load.c - finds the file of a profile: one of a person's own, or one that is compiled in
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/profile_priv.h"
#include "profiler/diag.h"

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_file(const char *name)
{
	return strchr(name, '/') != NULL || ends_with(name, ".yaml") || ends_with(name, ".yml");
}

static int load_file(const char *path, struct zb_profile **out)
{
	char *text = malloc(ZB_PROFILE_BYTES_MAX + 1);
	FILE *f = fopen(path, "rb");
	int ret = 0;
	size_t len;

	if (text == NULL || f == NULL) {
		ret = text == NULL ? -ENOMEM : -errno;
		zb_err("%s: %s", path, strerror(-ret));
		goto close_f;
	}
	len = fread(text, 1, ZB_PROFILE_BYTES_MAX + 1, f);
	if (ferror(f)) {
		ret = -EIO;
		zb_err("%s: cannot be read", path);
	} else if (len > ZB_PROFILE_BYTES_MAX) {
		ret = -EFBIG;
		zb_err("%s: longer than a profile may be: 1 MiB", path);
	} else {
		ret = zb_profile_read(path, text, len, out);
	}
close_f:
	if (f != NULL)
		fclose(f);
	free(text);
	return ret;
}

int zb_profile_load(const char *name, struct zb_profile **out)
{
	if (is_file(name))
		return load_file(name, out);
	for (unsigned i = 0; i < zb_profile_text_nr; i++) {
		const struct zb_profile_text *t = &zb_profile_texts[i];

		if (strcmp(t->name, name) == 0)
			return zb_profile_read(name, t->text, strlen(t->text), out);
	}
	return -ENOENT;
}

const char *zb_profile_name(unsigned nr)
{
	return nr < zb_profile_text_nr ? zb_profile_texts[nr].name : NULL;
}
