/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_decode.c - any bytes as a packet of any link layer: decoded, and what is said of it held
 * against its bounds
 *
 * The first byte is the link layer, the second says how the packet is to be taken, the third how
 * much longer it was on the wire; the rest is the packet.
 *
 *     fuzz_decode -max_len=2048 tests/fuzz/corpus/decode
 */
#include <stdlib.h>

#include "pipeline/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 3

static struct zb_weird w;
static uint64_t fates[ZB_FATE_NR];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_live(enum zb_fate fate)
{
	return fate == ZB_FATE_conn || fate == ZB_FATE_bad_transport_header ||
	       fate == ZB_FATE_bad_transport_checksum;
}

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

static void decode_one(const struct zb_decoder *d, struct zb_pkt p)
{
	struct zb_flow_key key;
	uint64_t counted = 0;
	uint8_t live = 1;
	uint16_t n;
	static volatile uint32_t sink;

	memset(fates, 0, sizeof(fates));
	n = zb_decode_burst(d, &p, 1, &key, &live);
	for (unsigned i = 0; i < ZB_FATE_NR; i++)
		counted += fates[i];
	must(p.fate < ZB_FATE_NR && n + counted == 1);
	must(n == is_live((enum zb_fate)p.fate));
	must(n == 1 || fates[p.fate] == 1);
	if (n == 1)
		check_live(&p, &key, d->secret);
	sink = read_all(&p);
	(void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zb_decoder d = {.weird = &w, .fate = fates, .secret = 77};
	struct zb_pkt p;
	uint8_t *block;

	if (size < HEAD)
		return 0;
	d.ignore_checksums = data[1] & 1;
	size -= HEAD;
	block = malloc(size);
	must(block != NULL);
	/* A block of exactly its size. */
	memcpy(block, data + HEAD, size);
	p = (struct zb_pkt){.data = block,
			    .cap_len = (uint32_t)size,
			    .wire_len = (uint32_t)size + data[2] * (data[1] & 2 ? 256u : 1u),
			    .link = data[0] % (ZB_LINK_NR + 1),
			    .flags = data[1] & 4 ? ZB_PKT_L4_CHECKED : 0};
	decode_one(&d, p);
	free(block);
	return 0;
}
