/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_hash.c - what hashing a flow key, making one, and symmetric RSS in software cost a packet
 *
 * bench_hash [ROUNDS]: each case hashes 4096 different keys or headers ROUNDS times and prints the
 * quickest round.
 */
#include <string.h>

#include "bench/gen_packet.h"
#include "capture/rss.h"
#include "micro.h"
#include "pipeline/flow_key.h"

#define NR	       4096u
#define ROUNDS_DEFAULT 2000

static struct zb_flow_key keys[2][NR];
static struct zb_gen_frame frames[2][NR];
static volatile uint64_t sink;

static uint64_t hash_key(unsigned v6, uint32_t i)
{
	return zb_flow_key_hash(&keys[v6][i], 77);
}

static uint64_t make_and_hash_key(unsigned v6, uint32_t i)
{
	const struct zb_flow_key *from = &keys[v6][i];
	struct zb_flow_key k;
	bool order;

	/* Half of them the other way round. */
	if (i % 2)
		order = zb_flow_key_make(&k, from->a, from->b, v6 ? 16 : 4, from->port_a,
					 from->port_b, 6, false);
	else
		order = zb_flow_key_make(&k, from->b, from->a, v6 ? 16 : 4, from->port_b,
					 from->port_a, 6, false);
	return zb_flow_key_hash(&k, 77) + order;
}

static uint64_t rss(unsigned v6, uint32_t i)
{
	return zb_rss_hash(ZB_LINK_ETHERNET, frames[v6][i].data, frames[v6][i].len);
}

static void init(void)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		for (uint32_t i = 0; i < NR; i++) {
			struct zb_gen_path path = {.v6 = v6};
			struct zb_gen_wire wire;
			struct zb_gen_ip ip = {.wire = &wire};
			struct zb_gen_tcp tcp = {.seq = i, .flags = ZB_GEN_ACK};

			for (unsigned e = 0; e < 2; e++) {
				uint64_t r = micro_mix(i * 2 + e);

				memcpy(path.end[e].ip, &r, 8);
				path.end[e].port = (uint16_t)(r >> 40);
			}
			zb_gen_wire_init(&wire, &path, ZB_GEN_TCP);
			zb_gen_seal_tcp(&frames[v6][i], &ip, &tcp, (struct zb_gen_payload){0});
			zb_flow_key_make(&keys[v6][i], path.end[0].ip, path.end[1].ip, v6 ? 16 : 4,
					 path.end[0].port, path.end[1].port, 6, false);
		}
	}
}

/* One loop per function, so that each is inlined as it is in the engine. */
#define QUICKEST(best, rounds, call)                             \
	for (unsigned round_ = 0; round_ < (rounds); round_++) { \
		uint64_t sum_ = 0, t_ = rte_rdtsc();             \
		for (uint32_t i = 0; i < NR; i++)                \
			sum_ += (call);                          \
		t_ = rte_rdtsc() - t_;                           \
		(best) = t_ < (best) ? t_ : (best);              \
		sink += sum_;                                    \
	}

int main(int argc, char **argv)
{
	unsigned rounds = micro_rounds(argc, argv, ROUNDS_DEFAULT);

	if (rounds == 0)
		return 2;
	init();
	for (unsigned v6 = 0; v6 < 2; v6++) {
		uint64_t key = UINT64_MAX, make = UINT64_MAX, toeplitz = UINT64_MAX;

		QUICKEST(key, rounds, hash_key(v6, i));
		QUICKEST(make, rounds, make_and_hash_key(v6, i));
		QUICKEST(toeplitz, rounds, rss(v6, i));
		micro_print(v6 ? "hash_flow_key_ipv6" : "hash_flow_key_ipv4", "key",
			    (double)key / NR);
		micro_print(v6 ? "hash_make_flow_key_ipv6" : "hash_make_flow_key_ipv4", "key",
			    (double)make / NR);
		micro_print(v6 ? "hash_rss_ipv6" : "hash_rss_ipv4", "packet",
			    (double)toeplitz / NR);
	}
	return 0;
}
