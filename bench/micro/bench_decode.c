/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_decode.c - what the decode stage costs a packet, with packets in cache and out of it
 *
 * bench_decode [ROUNDS]: each case decodes its packets ROUNDS times in bursts of 64 and prints the
 * quickest round. "near" are 64 packets over and over; "far" are 64 Ki packets at 2 KiB each, so
 * that each comes from memory.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/gen_packet.h"
#include "micro.h"
#include "pipeline/decode.h"

#define BURST	       ZB_BURST_MAX
#define FAR_NR	       65536u
#define NEAR_NR	       BURST
#define ROUNDS_DEFAULT 20

enum kind { TCP, UDP };

struct decode_case {
	const char *name;
	enum kind kind;
	bool v6;
	size_t payload_len;
};

static struct zb_gen_frame *frames;
static volatile uint64_t sink;

static void make_frame(struct zb_gen_frame *f, const struct decode_case *c, uint32_t i)
{
	struct zb_gen_path path = {.v6 = c->v6};
	struct zb_gen_wire wire;
	struct zb_gen_ip ip = {.wire = &wire, .from = i % 2, .ip_id = (uint16_t)i};
	struct zb_gen_tcp tcp = {.seq = i, .ack = i, .window = 8192, .flags = ZB_GEN_ACK};
	uint32_t len = (uint32_t)c->payload_len;
	uint8_t *payload;

	for (unsigned e = 0; e < 2; e++) {
		uint64_t r = micro_mix(i * 2 + e);

		memcpy(path.end[e].ip, &r, 8);
		path.end[e].port = (uint16_t)(r >> 32);
		path.end[e].ttl = 64;
	}
	zb_gen_wire_init(&wire, &path, c->kind == TCP ? ZB_GEN_TCP : ZB_GEN_UDP);
	payload = c->kind == TCP ? zb_gen_tcp_payload(f, &wire) : zb_gen_udp_payload(f, &wire);
	memset(payload, (int)i, len);
	if (c->kind == TCP)
		zb_gen_seal_tcp(f, &ip, &tcp, zb_gen_payload_of(payload, len));
	else
		zb_gen_seal_udp(f, &ip, zb_gen_payload_of(payload, len));
}

/* What the rx stage leaves. */
static void fill(struct zb_pkt *pkts, uint32_t first)
{
	for (uint32_t i = 0; i < BURST; i++) {
		const struct zb_gen_frame *f = &frames[first + i];

		pkts[i] = (struct zb_pkt){.data = f->data, .cap_len = f->len, .wire_len = f->len};
	}
}

/* Cycles of decoding nr frames, often enough to make 64 Ki packets. */
static uint64_t round_run(const struct zb_decoder *d, uint32_t nr)
{
	static struct zb_burst b;
	uint64_t cycles = 0;

	b.pkt_nr = BURST;

	for (uint32_t at = 0; at < FAR_NR; at += BURST) {
		fill(b.pkts, at % nr);
		uint64_t t = rte_rdtsc();
		zb_decode_burst(d, &b);
		cycles += rte_rdtsc() - t;
		if (b.live_nr != BURST) {
			fprintf(stderr, "bench_decode: a generated packet was refused\n");
			exit(1);
		}
		sink += b.pkts[BURST - 1].hash;
	}
	return cycles;
}

static void case_run(const struct decode_case *c, bool far, bool sums, unsigned rounds)
{
	static struct zb_weird w;
	static uint64_t fates[ZB_FATE_NR];
	struct zb_decoder d = {.weird = &w, .fate = fates, .secret = 77, .ignore_checksums = !sums};
	uint64_t best = UINT64_MAX;
	char name[64];

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t cycles = round_run(&d, far ? FAR_NR : NEAR_NR);

		best = cycles < best ? cycles : best;
	}
	snprintf(name, sizeof(name), "decode_%s_%s_%s", c->name, far ? "far" : "near",
		 sums ? "sums" : "nosums");
	micro_print(name, "packet", (double)best / FAR_NR);
}

int main(int argc, char **argv)
{
	static const struct decode_case cases[] = {
		{"tcp4_ack", TCP, false, 0},	 {"tcp4_512", TCP, false, 512},
		{"tcp4_1460", TCP, false, 1460}, {"udp4_64", UDP, false, 64},
		{"tcp6_ack", TCP, true, 0},	 {"udp6_64", UDP, true, 64},
	};
	unsigned rounds = micro_rounds(argc, argv, ROUNDS_DEFAULT);

	if (rounds == 0)
		return 2;
	frames = calloc(FAR_NR, sizeof(*frames));
	if (frames == NULL) {
		fprintf(stderr, "bench_decode: packets: out of memory\n");
		return 1;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint32_t k = 0; k < FAR_NR; k++)
			make_frame(&frames[k], &cases[i], k);
		for (unsigned how = 0; how < 4; how++)
			case_run(&cases[i], how & 2, !(how & 1), rounds);
	}
	free(frames);
	return 0;
}
