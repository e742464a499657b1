/* SPDX-License-Identifier: Apache-2.0 */
/* attack_ip.c - kind C: fragments, headers and link layers */
#include "bench/attack_priv.h"

#define PROTO_UDP      17u
#define PROTO_HOP      0u
#define PROTO_DEST     60u
#define PROTO_FRAGMENT 44u
#define PROTO_NONE     59u

/* One fragment of UDP from a spoofed source: bytes of payload at an offset of 8 * at. */
static void fragment(struct zb_attack_gen *g, uint64_t source, unsigned id, unsigned at_mf,
		     size_t bytes, int fill)
{
	struct zb_at_flow f = zb_at_spoofed(g, source, 9);
	size_t ip;

	zb_at_eth(g, 0x0800);
	ip = zb_at_ip4(g, f.src, f.dst, PROTO_UDP, id, at_mf);
	zb_at_fill(g, fill, bytes);
	zb_at_ip4_end(g, ip);
}

static void frag_no_last(struct zb_attack_gen *g, uint64_t n)
{
	fragment(g, n, (unsigned)zb_at_dice(g, n), ZB_AT_MF, g->param[0] & ~7u, 'f');
}

/* Datagrams of 8 bytes a fragment, last one first; the one in front comes last of all. */
static void frag_tiny(struct zb_attack_gen *g, uint64_t n)
{
	uint64_t pieces = g->param[0];
	unsigned at = (unsigned)(pieces - 1 - n % pieces);

	fragment(g, n / pieces, (unsigned)(n / pieces), at | (n % pieces == 0 ? 0 : ZB_AT_MF), 8,
		 't');
}

/* Overlaps with other bytes, an end before what is there already, and another end. */
static void teardrop(struct zb_attack_gen *g, uint64_t n)
{
	static const struct {
		uint16_t at_mf, bytes;
		char fill;
	} pieces[] = {
		{0 | ZB_AT_MF, 64, 'a'},
		{3 | ZB_AT_MF, 64, 'b'},
		{6 | ZB_AT_MF, 16, 'c'},
		{14, 16, 'd'},
		{20, 8, 'e'},
		{9, 8, 'f'},
	};
	unsigned i = (unsigned)(n % 6);

	fragment(g, n / 6, (unsigned)(n / 6), pieces[i].at_mf, pieces[i].bytes, pieces[i].fill);
}

/* Two datagrams with the same addresses and identification, in turns. */
static void frag_id_reuse(struct zb_attack_gen *g, uint64_t n)
{
	unsigned i = (unsigned)(n % 4), at = i / 2 == 0 ? ZB_AT_MF : 8;

	fragment(g, 0, 7, at, i % 2 == 0 ? 64 : 56, i % 2 == 0 ? 'A' : 'B');
}

static void ping_of_death(struct zb_attack_gen *g, uint64_t n)
{
	fragment(g, n, 1, 8189, 1000, 'p');
}

static void put_udp6(struct zb_attack_gen *g, size_t ip)
{
	size_t udp = zb_at_udp_head(g, 1000, 9);

	zb_at_put(g, "chain", 5);
	zb_at_l4_end(g, ip, udp, PROTO_UDP);
	zb_at_ip6_end(g, ip);
}

static void ipv6_chain(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 9);
	uint64_t headers = g->param[0];
	size_t ip;

	zb_at_eth(g, 0x86dd);
	ip = zb_at_ip6(g, f.src, f.dst, PROTO_DEST);
	for (uint64_t i = 0; i < headers; i++) {
		zb_at_put16(g, (i + 1 == headers ? PROTO_UDP : PROTO_DEST) << 8);
		zb_at_put(g, "\1\4\0\0\0\0", 6); /* PadN */
	}
	put_udp6(g, ip);
}

/* A fragment header on a packet that is whole. */
static void ipv6_atomic(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 9);
	size_t ip;

	zb_at_eth(g, 0x86dd);
	ip = zb_at_ip6(g, f.src, f.dst, PROTO_FRAGMENT);
	zb_at_put16(g, PROTO_UDP << 8);
	zb_at_put16(g, 0);
	zb_at_put32(g, (uint32_t)n);
	put_udp6(g, ip);
}

/* 40 bytes of options in front of UDP. */
static void ip_options(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 9);
	size_t ip, udp;

	zb_at_eth(g, 0x0800);
	ip = zb_at_ip4(g, f.src, f.dst, PROTO_UDP, (unsigned)n, 0);
	g->data[ip] = 0x4f;
	zb_at_put(g, "\x07\x27\x04", 3); /* record route, 37 bytes */
	zb_at_fill(g, 0, 37);
	udp = zb_at_udp_head(g, f.sport, f.dport);
	zb_at_put(g, "options!", 8);
	zb_at_l4_end(g, ip, udp, PROTO_UDP);
	zb_at_ip4_end(g, ip);
}

/* Header and total lengths that cannot be. */
static void bad_headers(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 9);
	uint8_t *h;

	zb_at_udp(g, &f, "headers that lie", 16);
	h = g->data + 14;
	switch (n % 6) {
	case 0: h[0] = 0x41; return;	 /* a header of 4 bytes */
	case 1: h[2] = 0x40; return;	 /* longer than the frame */
	case 2: h[2] = h[3] = 0; return; /* no length, as captures on a sender have it */
	case 3: h[0] = 0x95; return;	 /* version 9 */
	case 4: h[3] = 19; return;	 /* shorter than its header */
	default: h[11] ^= 0xff; return;	 /* header checksum */
	}
}

/* VLAN tags, or MPLS labels, in front of IP; beyond the limit, nothing is read. */
static void label_stack(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 9);
	uint64_t depth = g->param[0];
	size_t ip, udp;

	zb_at_eth(g, n % 2 == 0 ? 0x88a8 : 0x8847);
	for (uint64_t i = 0; i < depth; i++) {
		if (n % 2 == 0) {
			zb_at_put16(g, (unsigned)(1 + i));
			zb_at_put16(g, i + 1 < depth ? 0x8100 : 0x0800);
		} else {
			zb_at_put32(g, (uint32_t)((16 + i) << 12 | (i + 1 == depth) << 8 | 64));
		}
	}
	ip = zb_at_ip4(g, f.src, f.dst, PROTO_UDP, (unsigned)n, 0);
	udp = zb_at_udp_head(g, f.sport, f.dport);
	zb_at_put(g, "labels", 6);
	zb_at_l4_end(g, ip, udp, PROTO_UDP);
	zb_at_ip4_end(g, ip);
}

/* Ethernet types that nothing follows. */
static void unknown_ether(struct zb_attack_gen *g, uint64_t n)
{
	unsigned type = 0x9000 + (unsigned)(zb_at_dice(g, n) & 0xff);

	zb_at_eth(g, n % 8 == 0 ? 0x88cc : type == 0x9100 ? 0x9001 : type);
	zb_at_fill(g, 'u', 46);
}

static void arp_storm(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 0);

	zb_at_eth(g, 0x0806);
	zb_at_put(g, "\0\1\x08\0\6\4\0\1\2\0\0\0\0\1", 14);
	zb_at_put32(g, f.src);
	zb_at_put(g, "\0\0\0\0\0\0", 6);
	zb_at_put32(g, f.dst);
	for (unsigned i = 0; i < 6; i++)
		g->data[i] = 0xff;
}

const struct zb_attack zb_attack_ip[] = {
	{.name = "frag-no-last",
	 .id = "C1",
	 .sends = "first fragments of datagrams that nobody completes",
	 .exhausts = "memory of IP reassembly, timers",
	 .guard = "--limit frag forgets the oldest; 300 s",
	 .moves = "reassem_frag_bytes fate_fragment",
	 .params = {{"bytes", 1200, 8, 1480, "of a fragment"}},
	 .frame = frag_no_last},
	{.name = "frag-tiny",
	 .id = "C2",
	 .sends = "datagrams in fragments of 8 bytes, last one first",
	 .exhausts = "cycles per fragment, if every one looks at those before",
	 .guard = "bytes are marked in a bitmap; a counter tells when it is full",
	 .moves = "reassem_frag_bytes fate_fragment weird:excessively_small_fragment",
	 .params = {{"pieces", 8000, 2, 8190, "fragments of a datagram"}},
	 .frame = frag_tiny},
	{.name = "teardrop",
	 .id = "C3",
	 .sends = "fragments that overlap with other bytes, and two ends",
	 .exhausts = "correctness: which bytes the receiver takes",
	 .guard = "the byte that came first stays; weirds are suppressed",
	 .moves = "fate_fragment weird:fragment_inconsistency weird:fragment_size_inconsistency",
	 .frame = teardrop},
	{.name = "frag-id-reuse",
	 .id = "C4",
	 .sends = "two datagrams with one identification, in turns",
	 .exhausts = "correctness: datagrams that are merged",
	 .guard = "the byte that came first stays",
	 .moves = "fate_fragment weird:fragment_inconsistency",
	 .frame = frag_id_reuse},
	{.name = "ping-of-death",
	 .id = "C5",
	 .sends = "fragments that end beyond 65,535 bytes",
	 .exhausts = "buffers of a datagram's size",
	 .guard = "what is beyond is refused; the datagram waits: --limit frag, 300 s",
	 .moves = "weird:excessively_large_fragment",
	 .frame = ping_of_death},
	{.name = "ipv6-chain",
	 .id = "C6",
	 .sends = "IPv6 packets with a chain of extension headers",
	 .exhausts = "cycles in the header loop",
	 .guard = "16 headers, then ipv6_chain_too_long",
	 .moves = "weird:ipv6_chain_too_long",
	 .params = {{"headers", 100, 1, 200, "in a packet"}},
	 .frame = ipv6_chain},
	{.name = "ipv6-atomic",
	 .id = "C6",
	 .sends = "IPv6 packets with a fragment header that are whole",
	 .exhausts = "IP reassembly, though there is nothing to put together",
	 .guard = "taken as it is; no state",
	 .moves = "udp_conns",
	 .frame = ipv6_atomic},
	{.name = "ip-options",
	 .id = "C7",
	 .sends = "IPv4 packets with 40 bytes of options",
	 .exhausts = "cycles in decode",
	 .guard = "options are skipped",
	 .moves = "udp_conns",
	 .frame = ip_options},
	{.name = "bad-headers",
	 .id = "C7",
	 .sends = "IPv4 headers whose lengths, version or checksum cannot be",
	 .exhausts = "weirds",
	 .guard = "dropped in decode, each with its fate; weirds are suppressed",
	 .moves = "fate_bad_ip_header fate_truncated_ip fate_bad_ip_checksum weirds",
	 .frame = bad_headers},
	{.name = "label-stack",
	 .id = "C10",
	 .sends = "stacks of VLAN tags and of MPLS labels in front of IP",
	 .exhausts = "cycles in the link layer",
	 .guard = "25 headers of the link layer",
	 .moves = "udp_conns",
	 .params = {{"depth", 12, 1, 200, "tags or labels"}},
	 .frame = label_stack},
	{.name = "unknown-ether",
	 .id = "C11",
	 .sends = "Ethernet types that nothing follows, LLDP",
	 .exhausts = "nothing; must not be taken for loss",
	 .guard = "counted as non_ip",
	 .moves = "fate_non_ip",
	 .frame = unknown_ether},
	{.name = "arp-storm",
	 .id = "C11",
	 .sends = "ARP requests from everybody",
	 .exhausts = "nothing; must not be taken for loss",
	 .guard = "counted as arp",
	 .moves = "fate_arp",
	 .frame = arp_storm},
};
ZB_ATTACK_COUNT(ip)
