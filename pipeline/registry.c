/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c - see registry.h */
#include <stdlib.h>

#include "pipeline/registry.h"

#define DEF(name) &zb_analyzer_##name,
static const struct zb_analyzer_def *const all[ZB_A_NR] = {ZB_ANALYZER_LIST(DEF)};

/* Id joins those of a port: the set that has both is looked up, or made. */
static void add_port(struct zb_registry *r, unsigned id, unsigned via, uint16_t port)
{
	uint64_t set = r->port_set[r->set_of_port[via][port]] | 1ull << id;
	unsigned i = 1;

	while (i < ZB_PORT_SETS_MAX && r->port_set[i] != set && r->port_set[i] != 0)
		i++;
	assert(i < ZB_PORT_SETS_MAX); /* analyzers are compiled in */
	r->port_set[i] = set;
	r->set_of_port[via][port] = (uint8_t)i;
}

static void add_ports(struct zb_registry *r, unsigned id, unsigned via, const uint16_t *ports)
{
	for (; ports != NULL && *ports != 0; ports++)
		add_port(r, id, via, *ports);
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

const struct zb_analyzer_def *zb_registry_def(unsigned id)
{
	return all[id];
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
		for (unsigned side = 0; side < 2; side++)
			r->match_late[side] |= (uint64_t)all[id]->match_late[side] << id;
		if (all[id]->announces)
			r->announcers |= 1ull << id;
		add_ports(r, id, ZB_VIA_TCP, all[id]->tcp_ports);
		add_ports(r, id, ZB_VIA_UDP, all[id]->udp_ports);
		if (all[id]->match_over & ZB_OVER_TCP)
			add_matches(r, id, ZB_VIA_TCP);
		if (all[id]->match_over & ZB_OVER_UDP)
			add_matches(r, id, ZB_VIA_UDP);
	}
	return r;
}
