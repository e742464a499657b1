/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_heap_dump.c - any bytes as a heap dump: read, taken apart by thread, made into paths, a
 * table and trends; what was mapped is cleaned. Names come from the addresses: no file is opened
 * for them.
 */
#include <stdlib.h>
#include <string.h>
#include "profiler/demangle.h"
#include "profiler/heap_maps.h"
#include "profiler/heap_paths.h"
#include "profiler/heap_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

unsigned zb_symbols_chain(struct zb_symbols *s, uint64_t ip, const char **name, unsigned max)
{
	static const char *const names[] = {"malloc",
					    "calloc",
					    "a",
					    "b",
					    "_Z1fv",
					    "_ZN2ns1f1gIiEEvT_",
					    "[libjemalloc.so.2+0x12]",
					    "<<>(("};

	(void)s;
	name[0] = names[ip & 7];
	name[1] = names[ip >> 3 & 7];
	return (ip >> 6 & 1) != 0 && max > 1 ? 2 : 1;
}

static void read_paths(const struct zb_heap_dump_file *d)
{
	static const double x[2] = {0, 5};
	struct zb_heap_paths p;
	struct zb_heap_column c;
	struct zb_heap_trend *t;
	struct zb_heap_row *row;
	uint32_t nr;
	double total, flat = 0;

	must(zb_heap_paths_create(&p) == 0);
	for (uint32_t i = 0; i < 2; i++)
		must(zb_heap_paths_add(&p, i, d, NULL) == 0);
	must(zb_heap_column_create(&p, &c) == 0);
	zb_heap_column_add(&c, &p, 0, 1, 1);
	must(zb_heap_table(&p, c.bytes, &row, &nr, &total) == 0);
	for (uint32_t i = 0; i < nr; i++) {
		must(row[i].flat <= row[i].cumulative);
		flat += row[i].flat;
	}
	must(flat <= total * 1.0001 && flat >= total * 0.9999 - (double)p.names->string_nr);
	t = calloc((size_t)zb_heap_paths_nr(&p) + 1, sizeof(*t));
	must(t != NULL && zb_heap_trends(&p, x, t) == 0);
	for (uint32_t i = 0; i < zb_heap_paths_nr(&p); i++)
		must(t[i].fit >= 0 && t[i].fit <= 1 && t[i].first == t[i].last);
	free(t);
	free(row);
	zb_heap_column_fini(&c);
	zb_heap_paths_fini(&p);
}

static void split(FILE *f)
{
	struct zb_heap_part part[2] = {{.thread = "lcore-2"}, {.thread = "lcore-3"}};
	char *text[2];
	size_t len[2];

	for (unsigned i = 0; i < 2; i++) {
		part[i].out = open_memstream(&text[i], &len[i]);
		must(part[i].out != NULL);
	}
	rewind(f);
	(void)zb_heap_split(f, part, 2);
	for (unsigned i = 0; i < 2; i++) {
		fclose(part[i].out);
		must(part[i].found || len[i] == 0);
		free(text[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zb_heap_maps_conf conf = {.written_s = 5};
	struct zb_heap_dump_file d;
	char *text = malloc(size + 1), *clean;
	FILE *f;

	must(text != NULL);
	if (size == 0) {
		free(text);
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	f = fmemopen(text, size, "r");
	must(f != NULL);
	if (zb_heap_dump_read(f, &d) == 0) {
		read_paths(&d);
		must(zb_heap_maps_clean(d.maps, &conf, &clean) == 0);
		free(clean);
		zb_heap_dump_fini(&d);
	}
	split(f);
	fclose(f);
	zb_demangle_shorten(text);
	must(strlen(text) <= size);
	free(text);
	return 0;
}
