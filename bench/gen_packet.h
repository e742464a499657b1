/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_packet.h - builds Ethernet frames with right lengths and checksums
 *
 * What all packets of a session have in front is made once, one piece for each direction, and its
 * sums with it. A caller asks where the payload goes, writes it there, and seals the frame; a seal
 * puts everything in front of the payload and pads the frame to Ethernet's minimum. Every call
 * takes a NULL frame as well and then does nothing: a session run dry counts its packets that way.
 *
 * Threading: any; a frame belongs to its caller.
 * Units:     ports, ids and sequence numbers are in host order.
 */
#ifndef ZB_BENCH_GEN_PACKET_H
#define ZB_BENCH_GEN_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZB_GEN_MTU	 1500u /* bytes of an IP packet, at most */
#define ZB_GEN_FRAME_MAX 2048u

struct zb_gen_frame {
	uint32_t len;
	uint32_t cut_len;   /* bytes behind these that a snap length took away */
	const uint8_t *ext; /* the len bytes, when they are not in data; see gen_stream.h */
	uint8_t data[ZB_GEN_FRAME_MAX];
};

struct zb_gen_host {
	uint8_t mac[6];
	uint8_t ip[16]; /* the first 4 for IPv4 */
	uint16_t port;
	uint8_t ttl;
};

/* The two ends of a session; end 0 is the originator. */
struct zb_gen_path {
	struct zb_gen_host end[2];
	uint16_t vlan; /* 0: untagged */
	bool v6;
};

enum { ZB_GEN_ICMP = 1, ZB_GEN_TCP = 6, ZB_GEN_UDP = 17 };

#define ZB_GEN_WIRE_BYTES 64u

/*
 * The beginnings of frames by sender, up to the ports, with lengths, identification and checksum as
 * 0. Sums are as zb_checksum_add() has them, folded.
 */
struct zb_gen_wire {
	uint16_t ip_sum[2]; /* of an IPv4 header */
	uint16_t l4_sum;    /* of the pseudo header without its length, and of the ports */
	uint8_t l4;	    /* where what IP carries begins */
	bool v6;
	uint8_t head[2][ZB_GEN_WIRE_BYTES];
};

/* On IPv6, ICMP is ICMPv6. */
void zb_gen_wire_init(struct zb_gen_wire *wire, const struct zb_gen_path *p, unsigned proto);

/* What every packet of a session needs: who sends, and the IPv4 identification. */
struct zb_gen_ip {
	const struct zb_gen_wire *wire;
	unsigned from; /* end 0 or 1 */
	uint16_t ip_id;
};

enum {
	ZB_GEN_FIN = 0x01,
	ZB_GEN_SYN = 0x02,
	ZB_GEN_RST = 0x04,
	ZB_GEN_PSH = 0x08,
	ZB_GEN_ACK = 0x10,
};

struct zb_gen_tcp {
	uint32_t seq, ack;
	uint16_t window;
	uint8_t flags;
};

/* What follows the header, and its sum as zb_checksum_add() has it. */
struct zb_gen_payload {
	uint32_t len;
	uint64_t sum;
};

/* What is there already is summed. */
struct zb_gen_payload zb_gen_payload_of(const uint8_t *p, size_t len);

struct zb_gen_echo {
	uint16_t id, seq;
};

/* Where the payload goes: at most ZB_GEN_MTU less headers. A SYN has no payload. */
static inline uint8_t *zb_gen_tcp_payload(struct zb_gen_frame *f, const struct zb_gen_wire *wire)
{
	return f == NULL ? NULL : f->data + wire->l4 + 20;
}

/* Of UDP, and of an echo. */
static inline uint8_t *zb_gen_udp_payload(struct zb_gen_frame *f, const struct zb_gen_wire *wire)
{
	return f == NULL ? NULL : f->data + wire->l4 + 8;
}

/* A segment with SYN carries the usual options (MSS, SACK permitted, window scale). */
void zb_gen_seal_tcp(struct zb_gen_frame *f, const struct zb_gen_ip *ip,
		     const struct zb_gen_tcp *tcp, struct zb_gen_payload payload);
void zb_gen_seal_udp(struct zb_gen_frame *f, const struct zb_gen_ip *ip,
		     struct zb_gen_payload payload);
/* Echo request from end 0, reply from end 1; ICMPv6 on an IPv6 path. */
void zb_gen_seal_echo(struct zb_gen_frame *f, const struct zb_gen_ip *ip,
		      const struct zb_gen_echo *echo, size_t payload_len);
/* ARP: end 0 asks for end 1's address (broadcast), end 1 answers. IPv4 only. */
void zb_gen_arp(struct zb_gen_frame *f, const struct zb_gen_wire *wire, unsigned from);

/* Payload bytes that fit a full segment. */
static inline uint32_t zb_gen_mss(const struct zb_gen_wire *wire)
{
	return ZB_GEN_MTU - (wire->v6 ? 40u : 20u) - 20u;
}

#endif
