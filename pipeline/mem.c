/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c - see mem.h */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/mem.h"
#include "profiler/heap.h"

#define NAME(kind, gauge, mib, help)  [ZB_MEM_##kind] = #kind,
#define HELP(kind, gauge, mib, help)  [ZB_MEM_##kind] = help,
#define GAUGE(kind, gauge, mib, help) [ZB_MEM_##kind] = ZB_G_##gauge,
#define SHED(kind, gauge, mib, help)  [ZB_MEM_##kind] = ZB_C_##kind##_shed,
#define LIMIT(kind, gauge, mib, help) [ZB_MEM_##kind] = (mib)*1048576ull,
const char *const zb_mem_name[ZB_MEM_NR] = {ZB_MEM_LIST(NAME)};
const char *const zb_mem_help[ZB_MEM_NR] = {ZB_MEM_LIST(HELP)};
static const uint16_t mem_gauge[ZB_MEM_NR] = {ZB_MEM_LIST(GAUGE)};
static const uint16_t mem_shed[ZB_MEM_NR] = {ZB_MEM_LIST(SHED)};
static const uint64_t mem_limit[ZB_MEM_NR] = {ZB_MEM_LIST(LIMIT)};

void zb_mem_init(struct zb_mem *m, const uint64_t *limit)
{
	memset(m, 0, sizeof(*m));
	m->total_max = UINT64_MAX;
	for (unsigned i = 0; i < ZB_MEM_NR; i++)
		m->limit[i] = limit != NULL && limit[i] != 0 ? limit[i] : mem_limit[i];
}

void zb_mem_share(struct zb_mem *m, uint64_t cap)
{
	static const enum zb_mem_kind apart[] = {ZB_MEM_frag, ZB_MEM_tunnel, ZB_MEM_known,
						 ZB_MEM_expect, ZB_MEM_dhcp};

	for (unsigned i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
		if (m->limit[apart[i]] > cap / 8)
			m->limit[apart[i]] = cap / 8;
}

static bool is_owned(const struct zb_mem *m, enum zb_mem_kind kind)
{
	return m->owner != NULL && ZB_MEM_OF_CONN >> kind & 1;
}

static void *taken(struct zb_mem *m, enum zb_mem_kind kind, void *p, size_t n)
{
	if (p != NULL) {
		m->bytes[kind] += n;
		m->total += n;
		if (is_owned(m, kind))
			zb_mem_charge(m, m->owner, n);
	}
	return p;
}

static int has_room(const struct zb_mem *m, enum zb_mem_kind kind, size_t n)
{
	return m->bytes[kind] <= m->limit[kind] && n <= m->limit[kind] - m->bytes[kind] &&
	       m->total <= m->total_max && n <= m->total_max - m->total;
}

void *zb_mem_get(struct zb_mem *m, enum zb_mem_kind kind, size_t n)
{
	return has_room(m, kind, n) ? taken(m, kind, calloc(1, n), n) : NULL;
}

void *zb_mem_get_raw(struct zb_mem *m, enum zb_mem_kind kind, size_t n)
{
	return has_room(m, kind, n) ? taken(m, kind, malloc(n), n) : NULL;
}

void *zb_mem_resize(struct zb_mem *m, enum zb_mem_kind kind, void *p, size_t old, size_t now)
{
	void *q;

	if (now > old && !has_room(m, kind, now - old))
		return NULL;
	q = realloc(p, now + !now); /* NULL means failure only */
	if (q != NULL) {
		m->bytes[kind] += now - old;
		m->total += now - old;
		if (is_owned(m, kind) && now > old)
			zb_mem_charge(m, m->owner, now - old);
		else if (is_owned(m, kind))
			zb_mem_discharge(m->owner, old - now);
	}
	return q;
}

void zb_mem_put(struct zb_mem *m, enum zb_mem_kind kind, void *p, size_t n)
{
	if (p == NULL)
		return;
	assert(m->bytes[kind] >= n);
	m->bytes[kind] -= n;
	m->total -= n;
	if (is_owned(m, kind))
		zb_mem_discharge(m->owner, n);
	if (n != 0)
		zb_heap_free(p, n);
	else
		free(p);
}

uint32_t zb_mem_buckets(const struct zb_mem *m, enum zb_mem_kind kind, uint32_t most)
{
	uint32_t nr = most;

	while (nr > 1 && nr * sizeof(void *) > m->limit[kind] / 8)
		nr /= 2;
	return nr;
}

void zb_mem_gauges(const struct zb_mem *m, struct zb_lcore_stat *stat)
{
	for (unsigned i = 0; i < ZB_MEM_NR; i++) {
		stat->g[mem_gauge[i]] = m->bytes[i];
		stat->c[mem_shed[i]] = m->shed[i];
	}
}
