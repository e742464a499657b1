/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - history letters, role flips and the rare part of a connection */
#include <stdlib.h>

#include "pipeline/conn.h"
#include "pipeline/mem.h"

static _Thread_local struct zb_mem *rare_mem;

void zb_conn_rare_count_in(struct zb_mem *m)
{
	rare_mem = m;
}

struct zb_conn_rare *zb_conn_rare(struct zb_conn *c)
{
	if (c->rare != NULL)
		return c->rare;
	if (rare_mem == NULL) {
		c->rare = calloc(1, sizeof(*c->rare));
	} else {
		c->rare = zb_mem_get(rare_mem, ZB_MEM_history, sizeof(*c->rare));
		if (c->rare == NULL)
			zb_mem_shed(rare_mem, ZB_MEM_history);
	}
	return c->rare;
}

void zb_conn_rare_free(struct zb_conn *c)
{
	if (rare_mem == NULL)
		free(c->rare);
	else
		zb_mem_put(rare_mem, ZB_MEM_history, c->rare, sizeof(*c->rare));
	c->rare = NULL;
}

bool zb_conn_history_due(uint32_t count)
{
	while (count > 1 && count % 10 == 0)
		count /= 10;
	return count == 1;
}

const char *zb_conn_history(const struct zb_conn *c)
{
	return c->history_len > ZB_HISTORY_INLINE ? c->rare->history : c->history;
}

void zb_conn_history_add(struct zb_conn *c, unsigned side, char letter)
{
	if (side == ZB_RESP && letter >= 'A' && letter <= 'Z')
		letter = (char)(letter - 'A' + 'a');
	if (c->history_len < ZB_HISTORY_INLINE) {
		c->history[c->history_len++] = letter;
		return;
	}
	if (c->history_len == ZB_RARE_HISTORY_MAX || zb_conn_rare(c) == NULL) {
		if (c->history_lost < UINT16_MAX)
			c->history_lost++;
		return;
	}
	if (c->history_len == ZB_HISTORY_INLINE)
		memcpy(c->rare->history, c->history, ZB_HISTORY_INLINE);
	c->rare->history[c->history_len++] = letter;
}

void zb_conn_history_limit(struct zb_conn *c)
{
	if (c->traits & ZB_TRAIT_LIMIT)
		return;
	c->traits |= ZB_TRAIT_LIMIT;
	zb_conn_history_add(c, ZB_ORIG, 'X');
}

/* Swaps two neighbouring bits of the traits. */
static void swap_pair(struct zb_conn *c, unsigned low)
{
	unsigned high = low << 1, both = low | high, bits = c->traits & both;

	if (bits == low || bits == high)
		c->traits ^= (uint16_t)both;
}

void zb_conn_flip(struct zb_conn *c)
{
	struct zb_endpoint e = c->end[0];

	c->end[0] = c->end[1];
	c->end[1] = e;
	c->flags ^= ZB_CONN_ORIG_IS_A;
	swap_pair(c, ZB_TRAIT_SEEN_ORIG);
	swap_pair(c, ZB_TRAIT_DONE_ORIG);
	c->traits &= (uint16_t)~ZB_TRAIT_PARTIAL; /* Zeek judges anew */
	if (c->rare != NULL) {
		struct zb_conn_rare *r = c->rare;
		uint32_t *const pair[] = {r->chk_nr, r->fin_nr, r->rst_nr};

		for (unsigned i = 0; i < 3; i++) {
			uint32_t v = pair[i][0];

			pair[i][0] = pair[i][1];
			pair[i][1] = v;
		}
	}
	zb_conn_history_add(c, ZB_ORIG, '^');
}

uint64_t zb_conn_idle_deadline(const struct zb_conn *c)
{
	uint64_t idle = c->last_ns + ZB_DNS_IDLE_NS, at = c->special_ns;

	if (at == 0)
		return c->last_ns + ZB_SHORT_INACTIVITY_NS;
	/* Looks come at equal distances; the first that finds it idle for long enough ends it. */
	if (at < idle)
		at += (idle - at + ZB_DNS_CHECK_NS - 1) / ZB_DNS_CHECK_NS * ZB_DNS_CHECK_NS;
	return at;
}
