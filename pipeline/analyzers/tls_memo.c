/* SPDX-License-Identifier: Apache-2.0 */
/* tls_memo.c - see tls_memo.h */
#include <string.h>

#include "pipeline/analysis.h"
#include "pipeline/analyzers/tls_memo.h"
#include "pipeline/flow_key.h"

#define ENTRIES 256u

struct zb_tls_memo {
	uint64_t secret;
	struct zb_tls_prints entry[ENTRIES];
};

struct zb_tls_memo *zb_tls_memo(struct zb_analysis *an)
{
	if (an->tls_memo == NULL) {
		struct zb_mem_owner *owner =
			zb_mem_for(&an->mem, NULL); /* it is all connections' */

		an->tls_memo = zb_mem_get(&an->mem, ZB_MEM_tls, sizeof(*an->tls_memo));
		zb_mem_for(&an->mem, owner);
		if (an->tls_memo != NULL)
			an->tls_memo->secret = an->secret;
	}
	return an->tls_memo;
}

void zb_tls_memo_free(struct zb_analysis *an)
{
	zb_mem_for(&an->mem, NULL);
	zb_mem_put(&an->mem, ZB_MEM_tls, an->tls_memo, sizeof(*an->tls_memo));
	an->tls_memo = NULL;
}

void zb_tls_memo_key(const struct zb_tls_memo *m, uint64_t key[2])
{
	key[0] = m->secret;
	key[1] = ~m->secret;
}

/* The hash before is the seed of the next: order and lengths count. */
void zb_tls_memo_add(uint64_t key[2], const void *d, uint32_t n)
{
	XXH128_hash_t h = XXH3_128bits_withSeed(d, n, key[0] ^ n);

	key[0] = h.low64 ^ (key[1] * 0x9e3779b97f4a7c15u);
	key[1] = h.high64 + (key[1] << 1 | key[1] >> 63);
}

struct zb_tls_prints *zb_tls_memo_at(struct zb_tls_memo *m, const uint64_t key[2])
{
	struct zb_tls_prints *e = &m->entry[key[0] % ENTRIES];

	if (e->key[0] != key[0] || e->key[1] != key[1]) {
		memcpy(e->key, key, sizeof(e->key));
		e->is_set = false;
	}
	return e;
}
