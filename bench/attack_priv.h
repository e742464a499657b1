/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack_priv.h - what an attack is written with: addresses, layers of a frame, TCP connections
 *
 * A frame is built from the outside: zb_at_eth(), then headers, each of which returns where it
 * begins, then payload, then the headers are ended from the inside outwards, which writes lengths
 * and checksums. zb_at_tcp() and zb_at_udp() do all of that for the usual case.
 *
 * Addresses: spoofed sources are in 10.128.0.0/9, victims in 198.19.0.0/16; neither meets those of
 * the clean profiles.
 *
 * Threading: a generator belongs to one thread.
 * Units:     addresses, ports and sequence numbers are in host order.
 */
#ifndef ZB_BENCH_ATTACK_PRIV_H
#define ZB_BENCH_ATTACK_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/attack.h"
#include "bench/gen_packet.h"
#include "bench/gen_rand.h"

#define ZB_AT_FRAME_BYTES ZB_GEN_FRAME_MAX
#define ZB_AT_MSG_BYTES	  (192u << 10)
#define ZB_AT_MSS	  1448u
#define ZB_AT_VICTIM	  0xc6130001u /* 198.19.0.1 */
#define ZB_AT_SOURCES	  0x0a800000u /* 10.128.0.0/9 */
#define ZB_AT_MF	  0x2000u     /* more fragments */

enum { AT_FIN = 1, AT_SYN = 2, AT_RST = 4, AT_PSH = 8, AT_ACK = 16, AT_URG = 32 };

struct zb_at_flow {
	uint32_t src, dst;
	uint16_t sport, dport;
};

struct zb_at_seg {
	struct zb_at_flow flow;
	uint32_t seq, ack;
	uint16_t window, urgent;
	uint8_t flags;
	bool bad_sum;
};

/* What one end says at a time: more than a segment holds is cut into segments. */
struct zb_at_said {
	const uint8_t *data;
	uint32_t len;
	unsigned side;	  /* 0: who has opened the connection */
	bool apart;	  /* at an offset of its own; the next one goes on as if it had not been */
	int64_t skip;	  /* apart: where, from the next byte in order */
	uint32_t ack_add; /* acknowledges so many bytes that were never in order */
	uint16_t window, urgent;
	uint8_t flags; /* besides ACK */
	bool bad_sum;
};

struct zb_at_talk {
	struct zb_at_flow flow;
	uint64_t conn, nr; /* of connections begun, of messages in this one */
	unsigned phase;
	unsigned unacked, ack_every; /* segments; 0: never acknowledged unless said */
	bool one_sided;		     /* only what side 0 sends is seen */
	uint32_t mss, sent;
	uint32_t seq[2];
	struct zb_at_said said;
};

struct zb_attack_gen {
	const struct zb_attack *attack;
	uint64_t seed, pps, frames;
	uint64_t ts_ns, gap_ns, pause_ns; /* pause: set by an attack, passes before this frame */
	int64_t off_ns;
	uint64_t param[ZB_ATTACK_PARAMS_MAX];
	struct zb_at_talk talk;
	uint32_t len;
	uint8_t *data;		      /* of the frame that is being built */
	uint8_t msg[ZB_AT_MSG_BYTES]; /* for what is said */
	uint32_t msg_len;
};

/* A family of attacks: one file each. */
#define ZB_ATTACK_FAMILIES(X) \
	X(flow)               \
	X(tcp) X(ip) X(tunnel) X(rate) X(http) X(dns) X(text) X(tls) X(binary) X(file) X(log)
#define ZB_ATTACK_DECLARE(name)                           \
	extern const struct zb_attack zb_attack_##name[]; \
	extern const unsigned zb_attack_##name##_nr;
ZB_ATTACK_FAMILIES(ZB_ATTACK_DECLARE)
#define ZB_ATTACK_COUNT(name)                  \
	const unsigned zb_attack_##name##_nr = \
		sizeof(zb_attack_##name) / sizeof(zb_attack_##name[0]);

/* A number that depends on seed and n alone. */
static inline uint64_t zb_at_dice(const struct zb_attack_gen *g, uint64_t n)
{
	return zb_gen_mix(zb_gen_mix(g->seed + 0x9e3779b97f4a7c15ull) ^ n);
}

/* The n-th of 2^32 different spoofed sources, to a port of the victim. */
struct zb_at_flow zb_at_spoofed(const struct zb_attack_gen *g, uint64_t n, uint16_t dport);

/* Layers. */
void zb_at_eth(struct zb_attack_gen *g, unsigned ether_type);
void zb_at_put(struct zb_attack_gen *g, const void *data, size_t len);
void zb_at_fill(struct zb_attack_gen *g, int byte, size_t len);
void zb_at_put16(struct zb_attack_gen *g, unsigned v);
void zb_at_put32(struct zb_attack_gen *g, uint32_t v);
/* frag: offset in units of 8 bytes, with ZB_AT_MF. */
size_t zb_at_ip4(struct zb_attack_gen *g, uint32_t src, uint32_t dst, unsigned proto, unsigned id,
		 unsigned frag);
void zb_at_ip4_end(struct zb_attack_gen *g, size_t at);
size_t zb_at_ip6(struct zb_attack_gen *g, uint32_t src, uint32_t dst, unsigned next);
void zb_at_ip6_end(struct zb_attack_gen *g, size_t at);
size_t zb_at_udp_head(struct zb_attack_gen *g, unsigned sport, unsigned dport);
/* Length and checksum of UDP, checksum of TCP, ICMP, ICMPv6; over an IP header without options. */
void zb_at_l4_end(struct zb_attack_gen *g, size_t ip, size_t l4, unsigned proto);

/* Whole frames. */
void zb_at_tcp(struct zb_attack_gen *g, const struct zb_at_seg *s, const void *data, size_t len);
void zb_at_udp(struct zb_attack_gen *g, const struct zb_at_flow *f, const void *data, size_t len);
void zb_at_echo(struct zb_attack_gen *g, const struct zb_at_flow *f, unsigned seq);

/*
 * Frames of connections, one after the other, none of them closed: the attack's say() fills in
 * talk.said (cleared before) for message nr of the connection; 0: the connection says no more.
 */
void zb_at_talk(struct zb_attack_gen *g, uint64_t n);

/* Message text, kept in msg: begins anew, appends, and says it for a side. */
void zb_at_msg(struct zb_attack_gen *g);
void zb_at_add(struct zb_attack_gen *g, const void *data, size_t len);
void zb_at_add_text(struct zb_attack_gen *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void zb_at_add_be(struct zb_attack_gen *g, uint64_t v, unsigned bytes);
void zb_at_add_fill(struct zb_attack_gen *g, int byte, size_t len);
void zb_at_patch_be(struct zb_attack_gen *g, size_t at, uint64_t v, unsigned bytes);
int zb_at_say(struct zb_attack_gen *g, unsigned side);
/* One piece of text that needs nothing filled in. */
int zb_at_say_text(struct zb_attack_gen *g, unsigned side, const char *text);

#endif
