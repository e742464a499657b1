/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c - see registry.h */
#include <stdlib.h>

#include "pipeline/registry.h"

#define DEF(name) &zb_analyzer_##name,
static const struct zb_analyzer_def *const all[ZB_A_NR] = {ZB_ANALYZER_LIST(DEF)};

static void add_ports(struct zb_registry *r, unsigned via, const uint16_t *ports)
{
	for (; ports != NULL && *ports != 0; ports++)
		r->ports[via][*ports / 64] |= 1ull << (*ports % 64);
}

static void add_matches(struct zb_registry *r, unsigned id, unsigned via)
{
	for (unsigned side = 0; side < 2; side++) {
		zb_match_fn *match = all[id]->match[side];

		if (match == NULL)
			continue;
		r->match_any[via][side] |= 1ull << id;
		for (unsigned b = 0; b < 256; b++) {
			uint8_t byte = (uint8_t)b;

			if (match(&byte, 1) != ZB_MATCH_NO)
				r->first_byte[via][side][b] |= 1ull << id;
		}
	}
}

struct zb_registry *zb_registry_create(void)
{
	struct zb_registry *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	for (unsigned id = 0; id < ZB_A_NR; id++) {
		r->def[id] = all[id];
		assert(all[id]->state_bytes >= sizeof(struct zb_analyzer));
		if (all[id]->match_both)
			r->match_both |= 1ull << id;
		if (all[id]->announces)
			r->announcers |= 1ull << id;
		add_ports(r, ZB_VIA_TCP, all[id]->tcp_ports);
		add_ports(r, ZB_VIA_UDP, all[id]->udp_ports);
		if (all[id]->match_over & ZB_OVER_TCP)
			add_matches(r, id, ZB_VIA_TCP);
		if (all[id]->match_over & ZB_OVER_UDP)
			add_matches(r, id, ZB_VIA_UDP);
	}
	return r;
}

uint64_t zb_registry_by_port(const struct zb_registry *r, bool is_tcp, uint16_t port)
{
	uint64_t set = 0;

	if (!(r->ports[is_tcp ? ZB_VIA_TCP : ZB_VIA_UDP][port / 64] >> (port % 64) & 1))
		return 0;
	for (unsigned id = 0; id < ZB_A_NR; id++) {
		const uint16_t *p = is_tcp ? r->def[id]->tcp_ports : r->def[id]->udp_ports;

		for (; p != NULL && *p != 0; p++)
			if (*p == port)
				set |= 1ull << id;
	}
	return set;
}
