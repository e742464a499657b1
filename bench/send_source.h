/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_source.h - where the frames to be sent come from: one template, as many flows as wanted made
 * from it, a trace, or a stream that makes them while they are sent
 *
 * The template is an IPv4 UDP datagram between addresses that are reserved for benchmarks. Flow
 * number f differs in the low 16 bits of the source address and in the source port; checksums
 * follow from sums over what all flows share.
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_BENCH_SEND_SOURCE_H
#define ZB_BENCH_SEND_SOURCE_H

#include <stdint.h>

#include "capture/trace.h"
#include "capture/tx_trace.h"

#define ZB_TEMPLATE_MIN 60u /* bytes, without the checksum */
#define ZB_TEMPLATE_MAX 9014u
#define ZB_FLOWS_MAX	(60000ull << 16)

enum zb_send_kind { ZB_SEND_SAME, ZB_SEND_FLOWS, ZB_SEND_TRACE, ZB_SEND_STREAM };

struct zb_gen_stream;

struct zb_send_source {
	enum zb_send_kind kind;
	uint32_t template_len;
	uint64_t flow_nr;
	uint32_t ip_sum, udp_sum; /* of what all flows share, checksums and varying fields as 0 */
	struct zb_trace *trace;
	struct zb_tx_trace *frames; /* of trace */
	struct zb_gen_stream *stream;
	int stream_ret; /* 0: it ended; -errno: it broke off; 1: neither */
	uint8_t template[ZB_TEMPLATE_MAX];
};

/* flow_nr up to 1: the same frame again and again. len: ZB_TEMPLATE_MIN to ZB_TEMPLATE_MAX. */
void zb_send_template(struct zb_send_source *s, uint32_t len, uint64_t flow_nr);

static inline void zb_put_be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Turns a frame that holds the template, or another flow, into flow f. */
static inline void zb_send_set_flow(const struct zb_send_source *s, uint8_t *frame, uint64_t f)
{
	uint32_t host = f & 0xffff, port = 1024 + (uint32_t)(f >> 16);
	uint32_t ip = s->ip_sum + host, udp = s->udp_sum + host + port;

	/* Sums of less than 2^32 fold into 16 bits in two steps. */
	ip = (ip & 0xffff) + (ip >> 16);
	ip = (ip & 0xffff) + (ip >> 16);
	udp = (udp & 0xffff) + (udp >> 16);
	udp = (udp & 0xffff) + (udp >> 16);
	udp = udp == 0xffff ? 0 : udp; /* sent as ffff: 0 means that there is no checksum */
	zb_put_be16(frame + 24, ~ip);
	zb_put_be16(frame + 28, host);
	zb_put_be16(frame + 34, port);
	zb_put_be16(frame + 40, ~udp);
}

#endif
