/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_world.h - the network the sessions live in: clients, servers and their names, text and noise
 * to send
 *
 *   10.20.0.0/16, 2001:db8:20::/48    1,000 clients, the last 250 of them on VLAN 30; resolver,
 * clock, log host 198.18.0.0/15, 2001:db8:f::/48    512 sites beyond the gateway, each with a name
 *
 * All address blocks are private or reserved for tests and examples.
 */
#ifndef ZB_BENCH_GEN_WORLD_H
#define ZB_BENCH_GEN_WORLD_H

#include "bench/gen_session_priv.h"
#include "pipeline/checksum.h"

#define ZB_GEN_SITES	  512u
#define ZB_GEN_POOL_BYTES 65536u /* a power of two */
#define ZB_GEN_NAME_MAX	  32u
#define ZB_GEN_DATE_BYTES 37u
#define ZB_GEN_DATES	  8u

/* Bytes of which any part of up to a segment is there in one piece, and is quickly summed. */
#define ZB_GEN_POOL_ROOM  (ZB_GEN_POOL_BYTES + 1536u)
#define ZB_GEN_POOL_BLOCK 8u

struct zb_gen_pool {
	uint8_t bytes[ZB_GEN_POOL_ROOM];		     /* the end is the beginning again */
	uint16_t sums[ZB_GEN_POOL_ROOM / ZB_GEN_POOL_BLOCK]; /* of all before a block, folded */
};

struct zb_gen_world {
	struct zb_gen_pool text, noise;
	struct {
		uint32_t second;
		char text[ZB_GEN_DATE_BYTES];
	} dates[ZB_GEN_DATES];	       /* the last ones that were wanted */
	struct zb_gen_quic_seal *quic; /* made when a session first needs it */
	int error;		       /* what a packet could not be made for; 0 or -errno */
};

/* A site's name as text, and as the labels of a DNS message. */
struct zb_gen_name {
	char text[ZB_GEN_NAME_MAX];
	uint8_t labels[ZB_GEN_NAME_MAX];
	uint32_t len; /* of the text; labels have 2 more */
};

enum zb_gen_service { ZB_GEN_RESOLVER = 53, ZB_GEN_CLOCK = 123, ZB_GEN_LOG_HOST = 514 };

void zb_gen_world_init(struct zb_gen_world *w, uint64_t seed);
void zb_gen_world_fini(struct zb_gen_world *w);

/*
 * The originator: no two of the first 28 million session numbers share address and port. Clears the
 * path, sets v6 and vlan.
 */
void zb_gen_client(struct zb_gen_session *s, struct zb_gen_path *p);
/* A random site, as popular as the session's shape has it. */
uint32_t zb_gen_draw_site(struct zb_gen_session *s);
/* The responder: a random site, or an inside service, and the round-trip time to it. */
void zb_gen_server_site(struct zb_gen_session *s, struct zb_gen_path *p, uint16_t port);
void zb_gen_server_inside(struct zb_gen_session *s, struct zb_gen_path *p,
			  enum zb_gen_service service);
/* The originator's port, once the session's wire is made. */
static inline uint16_t zb_gen_client_port(const struct zb_gen_session *s)
{
	const uint8_t *port = s->wire.head[0] + s->wire.l4;

	return (uint16_t)(port[0] << 8 | port[1]);
}

/* Once, before names are asked for; may be called again. */
void zb_gen_names_init(void);
extern struct zb_gen_name zb_gen_names[ZB_GEN_SITES];

/* 16 bytes, the first 4 count for IPv4. */
void zb_gen_site_ip(uint32_t site, bool v6, uint8_t ip[static 16]);

static inline void zb_head_put_site(struct zb_head *h, uint32_t site)
{
	zb_head_put(h, zb_gen_names[site].text, zb_gen_names[site].len);
}

/* An HTTP header line; nothing of the world changes but what it remembers. */
void zb_head_put_date(struct zb_head *h, struct zb_gen_world *w, uint32_t second);

/* The sum of all before a place, in 49 bits; words are where they are when counted from 0. */
static inline uint64_t zb_gen_pool_before(const struct zb_gen_pool *p, uint32_t at)
{
	uint64_t block, inside = (1ull << at % ZB_GEN_POOL_BLOCK * 8) - 1;

	memcpy(&block, p->bytes + at / ZB_GEN_POOL_BLOCK * ZB_GEN_POOL_BLOCK, sizeof(block));
	block &= inside;
	return p->sums[at / ZB_GEN_POOL_BLOCK] + (block >> 32) + (block & UINT32_MAX);
}

/* The sum of len bytes of a pool, as zb_checksum_add() has it; len is at most ZB_GEN_MTU. */
static inline uint64_t zb_gen_pool_sum(const struct zb_gen_pool *p, uint32_t at, uint32_t len)
{
	uint64_t sum = zb_gen_pool_before(p, at + len);

	sum += (uint16_t)~zb_checksum_fold(zb_gen_pool_before(p, at));
	/* At an odd place every byte is in the other half of its word. */
	return at % 2 != 0 ? __builtin_bswap16(zb_checksum_fold(sum)) : sum;
}

/* The body_len that holds text_len bytes of application data in TLS records. */
uint32_t zb_gen_tls_body_len(uint32_t text_len);

#endif
