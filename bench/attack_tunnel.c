/* SPDX-License-Identifier: Apache-2.0 */
/* attack_tunnel.c - kind C9: packets in packets */
#include <assert.h>

#include "bench/attack_priv.h"

#define PROTO_IPIP 4u
#define PROTO_UDP  17u
#define PROTO_GRE  47u
#define DEPTH_MAX  12u

/* The innermost packet of n; returns nothing that has to be ended. */
static void put_inner(struct zb_attack_gen *g, const struct zb_at_flow *f)
{
	size_t ip = zb_at_ip4(g, f->src, f->dst, PROTO_UDP, 0, 0);
	size_t udp = zb_at_udp_head(g, f->sport, f->dport);

	zb_at_put(g, "inner", 5);
	zb_at_l4_end(g, ip, udp, PROTO_UDP);
	zb_at_ip4_end(g, ip);
}

/* IP in IP, depth times, each level with addresses of its own. */
static void tunnel_nest(struct zb_attack_gen *g, uint64_t n)
{
	uint64_t depth = g->param[0];
	struct zb_at_flow f = zb_at_spoofed(g, n, 9);
	size_t at[DEPTH_MAX];

	assert(depth <= DEPTH_MAX);
	zb_at_eth(g, 0x0800);
	for (uint64_t i = 0; i < depth; i++)
		at[i] = zb_at_ip4(g, zb_at_spoofed(g, n * depth + i, 0).src, ZB_AT_VICTIM + 1,
				  PROTO_IPIP, 0, 0);
	put_inner(g, &f);
	while (depth > 0)
		zb_at_ip4_end(g, at[--depth]);
}

/* The same flow through one GRE tunnel after the other. */
static void tunnel_hop(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n / 20, 9);
	size_t ip;

	zb_at_eth(g, 0x0800);
	ip = zb_at_ip4(g, zb_at_spoofed(g, n, 0).src, ZB_AT_VICTIM + 1, PROTO_GRE, 0, 0);
	zb_at_put32(g, 0x0800);
	put_inner(g, &f);
	zb_at_ip4_end(g, ip);
}

/* VXLAN packets from many ends, each with a flow of its own inside. */
static void vxlan_spray(struct zb_attack_gen *g, uint64_t n)
{
	static const uint8_t inner_eth[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
	struct zb_at_flow outer = zb_at_spoofed(g, n, 4789), inner = zb_at_spoofed(g, ~n, 9);
	size_t ip, udp;

	zb_at_eth(g, 0x0800);
	ip = zb_at_ip4(g, outer.src, outer.dst, PROTO_UDP, 0, 0);
	udp = zb_at_udp_head(g, outer.sport, outer.dport);
	zb_at_put32(g, 0x08000000);
	zb_at_put32(g, (uint32_t)(n & 0xffffff) << 8);
	zb_at_put(g, inner_eth, sizeof(inner_eth));
	put_inner(g, &inner);
	zb_at_l4_end(g, ip, udp, PROTO_UDP);
	zb_at_ip4_end(g, ip);
}

const struct zb_attack zb_attack_tunnel[] = {
	{.name = "tunnel-nest",
	 .id = "C9",
	 .sends = "IP in IP in IP, every level from another address",
	 .exhausts = "memory of tunnels, rows of tunnel.log",
	 .guard = "four levels; --limit tunnel forgets the one unused for longest",
	 .moves = "tunnel_bytes rows:tunnel udp_conns",
	 .params = {{"depth", 4, 1, DEPTH_MAX, "tunnels in a packet"}},
	 .frame = tunnel_nest},
	{.name = "tunnel-hop",
	 .id = "C9",
	 .sends = "flows that come through another GRE tunnel with each packet",
	 .exhausts = "parts of connections in tunnels, rows of tunnel.log",
	 .guard = "five changes of a connection",
	 .moves = "tunnel_bytes rows:tunnel weird:tunnel_max_changes_per_connection_exceeded",
	 .frame = tunnel_hop},
	{.name = "vxlan-spray",
	 .id = "C9",
	 .sends = "VXLAN packets of one each, from and with flows of their own",
	 .exhausts = "flow table: two flows of every packet",
	 .guard = "--flows-max; --memcap; --limit tunnel",
	 .moves = "active_udp_conns udp_conns rows:tunnel",
	 .frame = vxlan_spray},
};
ZB_ATTACK_COUNT(tunnel)
