/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h - memory of the engine's variable state, counted exactly by kind, each kind within a limit
 *
 * Connections, flow table and timers have memory of their own (conn_set.h); everything that hangs
 * on them is taken here. Blocks come from malloc, so that heap profiles show the code that holds
 * them. A kind at its limit gets nothing more: the caller sheds the oldest state of that kind, or
 * does without, and says so with zb_mem_shed().
 *
 * What the kinds of ZB_MEM_OF_CONN take is also counted for the connection that is worked for, its
 * owner, and given back while that one is worked for again. Files may outlive a connection, and pay
 * by zb_mem_charge(). All other kinds are no connection's.
 *
 * Threading: one lcore.
 * Ownership: the caller's; sizes are given back as they were asked for.
 * Units:     bytes as asked for, without the allocator's own.
 */
#ifndef ZB_PIPELINE_MEM_H
#define ZB_PIPELINE_MEM_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "pipeline/large.h"
#include "profiler/lcore_stat.h"

/* X(kind, gauge of its bytes, default limit in MiB of one lcore, what it is) */
#define ZB_MEM_LIST(X)                                                                       \
	X(stream, stream_bytes, 2048, "analysis state of a connection")                      \
	X(tcp_data, reassem_tcp_bytes, 256, "TCP data out of order")                         \
	X(frag, reassem_frag_bytes, 64, "IP fragments")                                      \
	X(probe, reassem_unknown_bytes, 256, "first bytes kept until the protocol is known") \
	X(dns, dns_bytes, 256, "DNS queries waiting for their answers")                      \
	X(http, http_bytes, 512, "HTTP requests and replies under way")                      \
	X(tls, tls_bytes, 512, "TLS handshakes under way")                                   \
	X(smb, smb_bytes, 256, "SMB messages, requests, trees and open files")               \
	X(analyzer, analyzer_bytes, 512, "state of the other analyzers")                     \
	X(file, file_bytes, 256, "files under way")                                          \
	X(file_data, reassem_file_bytes, 64, "file data out of order")                       \
	X(tunnel, tunnel_bytes, 64, "tunnels seen")                                          \
	X(known, known_bytes, 64, "hosts and services already logged")                       \
	X(expect, expect_bytes, 16, "connections announced by others")                       \
	X(dhcp, dhcp_bytes, 16, "DHCP transactions under way")                               \
	X(history, history_bytes, 512, "long histories, and what only odd connections need")

#define ZB_ENUM_M(kind, gauge, mib, help) ZB_MEM_##kind,
enum zb_mem_kind { ZB_MEM_LIST(ZB_ENUM_M) ZB_MEM_NR };

#define ZB_MEM_BIT(kind) (1u << ZB_MEM_##kind)
#define ZB_MEM_OF_CONN                                                                     \
	(ZB_MEM_BIT(stream) | ZB_MEM_BIT(tcp_data) | ZB_MEM_BIT(probe) | ZB_MEM_BIT(dns) | \
	 ZB_MEM_BIT(http) | ZB_MEM_BIT(tls) | ZB_MEM_BIT(smb) | ZB_MEM_BIT(analyzer))

struct zb_mem {
	struct zb_mem_owner *owner; /* the connection that was worked for last; NULL: nobody */
	uint64_t total;		    /* of all kinds */
	uint64_t total_max; /* nothing more is given beyond; UINT64_MAX after zb_mem_init() */
	uint64_t bytes[ZB_MEM_NR];
	uint64_t limit[ZB_MEM_NR];
	uint64_t shed[ZB_MEM_NR]; /* pieces of state given up for want of room */
	struct zb_large large;	  /* the owners that held most */
};

extern const char *const zb_mem_name[ZB_MEM_NR], *const zb_mem_help[ZB_MEM_NR];

/* Nothing held. limit: by enum zb_mem_kind, 0: the default; NULL: all defaults. */
void zb_mem_init(struct zb_mem *m, const uint64_t *limit);

/*
 * All state is to stay within a cap, by ending connections: the kinds that no connection holds get
 * an eighth of it each at most.
 */
void zb_mem_share(struct zb_mem *m, uint64_t cap);

/* n bytes, zeroed; NULL: the kind or the total is at its limit, or memory is out. */
void *zb_mem_get(struct zb_mem *m, enum zb_mem_kind kind, size_t n);

/* The same without clearing: for data that are written at once. */
void *zb_mem_get_raw(struct zb_mem *m, enum zb_mem_kind kind, size_t n);

/*
 * Makes a block of old bytes hold now bytes (more or less), keeping what fits; NULL as
 * zb_mem_get(), the block then stays as it was. p may be NULL with old 0.
 */
void *zb_mem_resize(struct zb_mem *m, enum zb_mem_kind kind, void *p, size_t old, size_t now);

/* Gives n bytes at p back; p may be NULL. */
void zb_mem_put(struct zb_mem *m, enum zb_mem_kind kind, void *p, size_t n);

/* What follows is done for o; returns for whom it was so far. NULL: for nobody. */
static inline struct zb_mem_owner *zb_mem_for(struct zb_mem *m, struct zb_mem_owner *o)
{
	struct zb_mem_owner *was = m->owner;

	m->owner = o;
	return was;
}

/* o holds n bytes more. */
static inline void zb_mem_charge(struct zb_mem *m, struct zb_mem_owner *o, size_t n)
{
	o->held += (uint32_t)n;
	if (__builtin_expect(o->held > m->large.least, 0))
		zb_large_note(&m->large, o);
}

static inline void zb_mem_discharge(struct zb_mem_owner *o, size_t n)
{
	assert(o->held >= n);
	o->held -= (uint32_t)n;
}

static inline void zb_mem_shed(struct zb_mem *m, enum zb_mem_kind kind)
{
	m->shed[kind]++;
}

/*
 * How many buckets a table of a kind is to have: a power of two, at most most (one too), with no
 * more than an eighth of the limit spent on pointers to them.
 */
uint32_t zb_mem_buckets(const struct zb_mem *m, enum zb_mem_kind kind, uint32_t most);

/* Writes bytes and what was shed into the lcore's statistics. */
void zb_mem_gauges(const struct zb_mem *m, struct zb_lcore_stat *stat);

#endif
