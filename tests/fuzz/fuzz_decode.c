/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_decode.c - any bytes as packets of any link layer: decoded, put together from fragments,
 * taken out of tunnels, and what is said of them held against its bounds
 *
 * The first byte is the link layer, the second says how the packets are to be taken, the third how
 * much longer each was on the wire; the rest is one packet, or, with FD_MANY, several, each behind
 * its length in two bytes.
 *
 *     fuzz_decode -max_len=4096 tests/fuzz/corpus/decode
 */
#include <stdlib.h>

#include "pipeline/analysis.h"
#include "pipeline/decode.h"
#include "pipeline/frag.h"
#include "pipeline/tunnel.h"
#include "tests/fuzz/row_catch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 3
enum {
	FD_IGNORE_SUMS = 1,
	FD_MUCH_LONGER = 2,
	FD_SUMS_CHECKED = 4,
	FD_MANY = 8,
	FD_PLAIN = 16, /* neither fragments nor tunnels are followed */
	FD_OUTER_ONLY = 32,
	FD_INNER_ONLY = 64,
};

static struct zb_weird w;
static struct zb_analysis an;
static uint64_t fates[ZB_FATE_NR];
static struct zb_burst b;

static void check_live(const struct zb_pkt *p, const struct zb_flow_key *k, uint64_t secret)
{
	must(p->ip_version == 4 || p->ip_version == 6);
	must(k->ip_version == p->ip_version && k->proto == p->proto && k->pad == 0 &&
	     k->one_way <= 1);
	must(p->hash == zb_flow_key_hash(k, secret));
	must(p->l3_off + 20u <= p->l4_off && p->l4_off <= p->cap_len);
	must((p->flags & ZB_PKT_SRC_IS_A ? k->port_a : k->port_b) == p->src_port);
	must(k->one_way || memcmp(k->a, k->b, 16) <= 0);
	if (p->fate == ZB_FATE_bad_transport_header)
		return;
	must(p->payload_off >= p->l4_off && p->payload_off + p->payload_cap <= p->cap_len);
	must(p->payload_cap <= p->payload_len);
}

/* Read as later stages read it, so that a sanitizer sees what is not there. */
static uint32_t read_all(const struct zb_pkt *p)
{
	uint32_t sum = 0;

	if (p->fate != ZB_FATE_conn)
		return 0;
	for (uint32_t i = p->l4_off; i < p->payload_off + p->payload_cap; i++)
		sum = sum * 31 + p->data[i];
	return sum;
}

static void check_encap(uint16_t i)
{
	const struct zb_encap *e = zb_burst_encap(&b, i);

	must((e != NULL) == ((b.pkts[i].flags & ZB_PKT_VIRTUAL) != 0));
	if (e == NULL)
		return;
	must(e->depth >= 1 && e->depth <= ZB_TUNNEL_DEPTH_MAX);
	for (unsigned k = 0; k < e->depth; k++) {
		const struct zb_layer *l = &e->layer[k];

		must(l->type > ZB_TUN_NONE && l->type < ZB_TUN_SOCKS);
		must(l->addr_len == 4 || l->addr_len == 16);
		must(!l->is_udp || l->outer < ZB_BURST_MAX + b.inner_nr);
		must(!l->is_udp || b.pkts[l->outer].flags & ZB_PKT_WRAPS);
	}
}

static void check_burst(const struct zb_decoder *d)
{
	static volatile uint32_t sink;
	uint64_t counted = 0, live = 0, real = 0;

	for (uint16_t i = 0; i < b.pkt_nr; i++)
		real += zb_pkt_counts(&b.pkts[i]);
	for (unsigned i = 0; i < ZB_FATE_NR; i++)
		counted += fates[i];
	for (uint16_t at = 0; at < b.live_nr; at++) {
		uint16_t i = b.live[at];

		must(i < b.pkt_nr || (i >= ZB_BURST_MAX && i < ZB_BURST_MAX + b.inner_nr));
		must(zb_fate_is_live((enum zb_fate)b.pkts[i].fate));
		live += zb_pkt_counts(&b.pkts[i]);
		check_live(&b.pkts[i], &b.keys[i], d->secret);
		check_encap(i);
		sink = read_all(&b.pkts[i]);
	}
	/* Live or counted, never both. */
	must(live + counted == real);
	(void)sink;
}

/* The next packet, in a block of exactly its size; false: that was all. */
static bool next(const uint8_t *head, const uint8_t **data, size_t *size, struct zb_pkt *p)
{
	size_t n = *size;
	uint8_t *block;

	if (head[1] & FD_MANY) {
		if (n < 2)
			return false;
		n = (size_t)((*data)[0] << 8 | (*data)[1]) % 2048;
		*data += 2;
		*size -= 2;
		n = n < *size ? n : *size;
	}
	block = malloc(n);
	must(block != NULL);
	memcpy(block, *data, n);
	*data += n;
	*size -= n;
	*p = (struct zb_pkt){
		.data = block,
		.ts_ns = 1700000000000000000ull,
		.cap_len = (uint32_t)n,
		.wire_len = (uint32_t)n + head[2] * (head[1] & FD_MUCH_LONGER ? 256u : 1u),
		.link = head[0] % (ZB_LINK_NR + 1),
		.flags = (uint8_t)((head[1] & FD_SUMS_CHECKED ? ZB_PKT_L4_CHECKED : 0) |
				   (head[1] & FD_OUTER_ONLY ? ZB_PKT_OUTER_ONLY : 0) |
				   (head[1] & FD_INNER_ONLY ? ZB_PKT_INNER_ONLY : 0)),
	};
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint64_t limit[ZB_MEM_NR] = {[ZB_MEM_frag] = 256 << 10, [ZB_MEM_tunnel] = 256 << 10};
	struct zb_decoder d = {.weird = &w, .fate = fates, .secret = 77};
	const uint8_t *head = data, *block[ZB_BURST_MAX];
	uint16_t n = 0;

	if (size < HEAD)
		return 0;
	data += HEAD;
	size -= HEAD;
	d.ignore_checksums = head[1] & FD_IGNORE_SUMS;
	memset(&an, 0, sizeof(an));
	memset(fates, 0, sizeof(fates));
	zb_mem_init(&an.mem, limit);
	if (!(head[1] & FD_PLAIN)) {
		d.mem = &an.mem;
		must(zb_frag_create(&an.mem, &w, 5, &d.frag) == 0);
		must(zb_tunnels_create(&an, &d.tunnels) == 0);
	}
	while (n < ZB_BURST_MAX && (n == 0 || head[1] & FD_MANY) &&
	       next(head, &data, &size, &b.pkts[n])) {
		block[n] = b.pkts[n].data;
		n++;
	}
	b.pkt_nr = n;
	zb_decode_burst(&d, &b);
	check_burst(&d);
	for (uint16_t i = 0; i < n; i++)
		free((void *)(uintptr_t)block[i]);
	zb_tunnels_destroy(d.tunnels);
	zb_frag_destroy(d.frag);
	must(an.mem.total == 0);
	return 0;
}
