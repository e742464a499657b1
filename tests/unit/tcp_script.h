/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_script.h - plays a conversation written as text to the TCP state machine
 *
 *     "> S 100; < SA 500,101; > A 101,501; @7.5 > PA 101,501 +10 x3"
 *
 * A segment is [@SECONDS] DIRECTION FLAGS SEQ[,ACK] [+PAYLOAD] [w0] [xTIMES]: > comes from the host
 * that speaks first, < from the other one; "-" stands for no flags, w0 for a zero window. Without a
 * time it comes 10 ms after the one before; the first comes at 0.
 */
#ifndef ZB_TESTS_UNIT_TCP_SCRIPT_H
#define ZB_TESTS_UNIT_TCP_SCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/tcp_stream.h"

#define TS_START_NS (1700000000 * ZB_SEC_NS)

struct tcp_script {
	struct zb_conn c;
	struct zb_weird w;
	uint64_t now_ns;
	bool begun, reuse; /* reuse: what the last segment was found to be */
};

static inline uint8_t ts_flags(const char *s, size_t n)
{
	static const struct {
		char letter;
		uint8_t flag;
	} known[] = {{'S', ZB_TCP_SYN}, {'A', ZB_TCP_ACK}, {'F', ZB_TCP_FIN},
		     {'R', ZB_TCP_RST}, {'U', ZB_TCP_URG}, {'P', 8}};
	uint8_t flags = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			flags |= s[i] == known[k].letter ? known[k].flag : 0;
	return flags;
}

static inline void ts_begin(struct tcp_script *t, uint16_t sport, uint16_t dport)
{
	memset(t, 0, sizeof(*t));
	t->c.key = (struct zb_flow_key){.a = {10, 0, 0, 1},
					.b = {192, 0, 2, 1},
					.port_a = sport,
					.port_b = dport,
					.proto = 6,
					.ip_version = 4};
	t->c.flags = ZB_CONN_ORIG_IS_A;
	t->now_ns = TS_START_NS;
}

static inline void ts_end(struct tcp_script *t)
{
	zb_conn_rare_free(&t->c);
}

static inline void ts_segment(struct tcp_script *t, bool first_host, struct zb_tcp_seg *s)
{
	s->ts_ns = t->w.now_ns = t->now_ns;
	if (!t->begun) {
		t->c.first_ns = t->c.last_ns = t->now_ns;
		if (zb_tcp_flip_at_birth(s->flags, t->c.key.port_a, t->c.key.port_b))
			zb_conn_flip(&t->c);
	}
	s->side = (uint8_t)zb_conn_side(&t->c, first_host);
	t->reuse = t->begun && zb_tcp_is_reuse(&t->c, s, &t->w);
	t->begun = true;
	if (!t->reuse) {
		/* Nothing is reassembled: a side closes as soon as it says so. */
		const struct zb_pkt p = {.ts_ns = s->ts_ns, .tcp_flags = s->flags};
		struct zb_tcp_step step;

		t->c.traits |= ZB_TRAIT_NO_STREAM;
		zb_tcp_update(&t->c, s, &t->w, &step);
		zb_tcp_stream_segment(NULL, NULL, &t->c, &p, &step);
	}
}

/* Plays the script; it may be continued by another call. */
static inline void ts_play(struct tcp_script *t, const char *script)
{
	const char *p = script;

	for (;;) {
		struct zb_tcp_seg s = {.window = 8192, .wscale = -1};
		unsigned long times = 1;
		char *end = NULL;

		p += strspn(p, " ;");
		if (*p == '\0')
			return;
		t->now_ns += t->begun ? ZB_SEC_NS / 100 : 0;
		if (*p == '@') {
			t->now_ns = TS_START_NS +
				    (uint64_t)(strtod(p + 1, &end) * 1000 + 0.5) * 1000000;
			p = end + strspn(end, " ");
		}
		bool first_host = *p == '>';

		p += 1 + strspn(p + 1, " ");
		s.flags = ts_flags(p, strcspn(p, " "));
		s.seq = (uint32_t)strtoul(p + strcspn(p, " "), &end, 10);
		if (*end == ',')
			s.ack = (uint32_t)strtoul(end + 1, &end, 10);
		for (p = end + strspn(end, " "); *p != ';' && *p != '\0';
		     p = end + strspn(end, " ")) {
			unsigned long v = strtoul(p + 1, &end, 10);

			if (*p == '+')
				s.len = (uint32_t)v;
			else if (*p == 'w')
				s.window = (uint16_t)v;
			else if (*p == 'x')
				times = v;
			else
				abort();
		}
		for (; times > 0; times--)
			ts_segment(t, first_host, &s);
	}
}

#endif
