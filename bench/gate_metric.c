/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_metric.c - finds a metric by name in two results, and near names for one that is in neither
 */
#include "bench/gate_priv.h"

#include <errno.h>
#include <string.h>

#include "bench/nearest.h"
#include "profiler/diag.h"

#define NEAR_MAX 3

const json_t *zb_metric_at(const json_t *from, const char *path)
{
	char part[ZB_METRIC_PATH_MAX];

	for (;;) {
		size_t len = strcspn(path, ".");

		if (len == 0 || len >= sizeof(part))
			return NULL;
		memcpy(part, path, len);
		part[len] = '\0';
		if (json_is_array(from)) {
			if (len > 6 || strspn(part, "0123456789") != len)
				return NULL;
			size_t index = 0;

			for (size_t i = 0; i < len; i++)
				index = index * 10 + (size_t)(part[i] - '0');
			from = json_array_get(from, index);
		} else {
			from = json_object_get(from, part);
		}
		if (from == NULL || path[len] == '\0')
			return from;
		path += len + 1;
	}
}

/* The metrics whose names come closest to one that does not exist. */
struct near_names {
	const char *given;
	char name[NEAR_MAX][ZB_METRIC_PATH_MAX];
	unsigned rank[NEAR_MAX];
	unsigned nr;
};

static void keep_name(struct near_names *near, const char *name, unsigned rank)
{
	unsigned at = near->nr;

	for (unsigned i = 0; i < near->nr; i++) {
		if (strcmp(near->name[i], name) == 0)
			return;
	}
	while (at > 0 && near->rank[at - 1] > rank)
		at--;
	if (at == NEAR_MAX)
		return;
	if (near->nr < NEAR_MAX)
		near->nr++;
	for (unsigned i = near->nr - 1; i > at; i--) {
		memcpy(near->name[i], near->name[i - 1], sizeof(near->name[i]));
		near->rank[i] = near->rank[i - 1];
	}
	snprintf(near->name[at], sizeof(near->name[at]), "%s", name);
	near->rank[at] = rank;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Ranks one path by the whole of it, by its short form, and by its last part. */
static void consider(struct near_names *near, const char *path)
{
	static const char totals[] = "totals.", lcores[] = "lcores.";
	bool in_totals = strncmp(path, totals, sizeof(totals) - 1) == 0;
	const char *shown = in_totals ? path + sizeof(totals) - 1 : path;
	const char *leaf = strrchr(path, '.');
	unsigned rank =
		least(zb_nearest_rank(near->given, path), zb_nearest_rank(near->given, shown));

	/*
	 * Each lcore has all the names of totals: by the last part alone they would fill the list.
	 */
	if (leaf != NULL && strncmp(path, lcores, sizeof(lcores) - 1) != 0) {
		unsigned by_leaf = zb_nearest_rank(near->given, leaf + 1);

		if (by_leaf != ZB_NOT_NEAR)
			rank = least(rank, by_leaf + 1);
	}
	if (rank != ZB_NOT_NEAR)
		keep_name(near, shown, rank);
}

static void walk(struct near_names *near, const json_t *at, const char *path)
{
	char below[ZB_METRIC_PATH_MAX];
	const char *dot = path[0] != '\0' ? "." : "";
	const char *key;
	json_t *value;
	size_t i;
	int n;

	if (json_is_number(at)) {
		consider(near, path);
	} else if (json_is_array(at)) {
		json_array_foreach(at, i, value)
		{
			n = snprintf(below, sizeof(below), "%s%s%zu", path, dot, i);
			if (n > 0 && (size_t)n < sizeof(below))
				walk(near, value, below);
		}
	} else if (json_is_object(at)) {
		/* The iterator wants a writable object but leaves it as it is. */
		json_object_foreach((json_t *)at, key, value)
		{
			n = snprintf(below, sizeof(below), "%s%s%s", path, dot, key);
			if (n > 0 && (size_t)n < sizeof(below))
				walk(near, value, below);
		}
	}
}

static void say_unknown(const struct zb_gate_side *old_side, const struct zb_gate_side *new_side,
			const char *name)
{
	struct near_names near = {.given = name};
	char list[NEAR_MAX * (ZB_METRIC_PATH_MAX + 2) + 1] = "";
	size_t at = 0;

	walk(&near, old_side->doc, "");
	walk(&near, new_side->doc, "");
	for (unsigned i = 0; i < near.nr; i++) {
		int n = snprintf(list + at, sizeof(list) - at, "%s%s", i > 0 ? ", " : "",
				 near.name[i]);

		at += n > 0 ? (size_t)n : 0;
	}
	if (near.nr > 0)
		zb_err("--allow %s: no such metric in %s or %s; near names: %s", name,
		       old_side->name, new_side->name, list);
	else
		zb_err("--allow %s: no such metric in %s or %s; give a name in totals, or a path "
		       "as "
		       "memory.rss_bytes",
		       name, old_side->name, new_side->name);
}

int zb_metric_find(const struct zb_gate_side *old_side, const struct zb_gate_side *new_side,
		   const char *name, struct zb_metric *out)
{
	static const char *const prefixes[] = {"totals.", ""};
	bool alias = strcmp(name, "mem") == 0;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		int n = snprintf(out->path, sizeof(out->path), "%s%s", prefixes[i],
				 alias ? "memory.peak_rss_bytes" : name);

		if (n < 0 || (size_t)n >= sizeof(out->path))
			continue;
		out->old_value = zb_metric_at(old_side->doc, out->path);
		out->new_value = zb_metric_at(new_side->doc, out->path);
		if (out->old_value == NULL && out->new_value == NULL)
			continue;
		if ((out->old_value != NULL && !json_is_number(out->old_value)) ||
		    (out->new_value != NULL && !json_is_number(out->new_value))) {
			zb_err("--allow %s: not a number; give a metric that is one", name);
			return -EINVAL;
		}
		return 0;
	}
	say_unknown(old_side, new_side, name);
	return -ENOENT;
}
