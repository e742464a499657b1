/* SPDX-License-Identifier: Apache-2.0 */
/* attack_rate.c - kind D, as far as it is what is sent and not when: one flow, mice, one queue */
#include "bench/attack_priv.h"

static int elephant(struct zb_attack_gen *g, uint64_t nr)
{
	(void)nr;
	zb_at_msg(g);
	zb_at_add_fill(g, 'E', ZB_AT_MSS);
	return zb_at_say(g, 0);
}

/* SYN, SYN-ACK, RST. */
static void mice(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n / 3, 4444);
	unsigned step = (unsigned)(n % 3);
	struct zb_at_seg s = {
		.flow = f,
		.seq = step == 1 ? 5000 : 1000 + (step == 2),
		.ack = step == 0   ? 0
		       : step == 1 ? 1001
				   : 5001,
		.window = 65000,
		.flags = step == 0   ? AT_SYN
			 : step == 1 ? AT_SYN | AT_ACK
				     : AT_RST | AT_ACK,
	};

	if (step == 1)
		s.flow = (struct zb_at_flow){f.dst, f.src, f.dport, f.sport};
	zb_at_tcp(g, &s, NULL, 0);
}

/* All tuples have the symmetric Toeplitz hash of one: the XOR of their 16-bit words is the same. */
static void rss_skew(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n / 8 % 4096, 0);
	uint32_t x = f.src ^ f.dst;

	f.dport = 4444;
	f.sport = (uint16_t)(f.dport ^ (x >> 16) ^ x ^ 0x1234);
	zb_at_udp(g, &f, "one queue for all of them", 25);
}

const struct zb_attack zb_attack_rate[] = {
	{.name = "elephant",
	 .id = "D5",
	 .sends = "one TCP connection of full segments that does not end",
	 .exhausts = "one worker: a flow is never divided",
	 .guard = "none; the table by worker shows it",
	 .moves = "history:D",
	 .port = 4444,
	 .ack_every = 2,
	 .frame = zb_at_talk,
	 .say = elephant},
	{.name = "mice",
	 .id = "D6",
	 .sends = "connections of three packets: SYN, SYN-ACK, RST",
	 .exhausts = "making and ending of connections, log rows",
	 .guard = "connections come from a pool; a reset one lives 5 s",
	 .moves = "tcp_conns rows:conn conn_state:RSTO",
	 .frame = mice},
	{.name = "rss-skew",
	 .id = "D7",
	 .sends = "flows that all have the same receive-side scaling hash",
	 .exhausts = "one worker of several",
	 .guard = "none; the table by worker shows it",
	 .moves = "udp_conns",
	 .frame = rss_skew},
};
ZB_ATTACK_COUNT(rate)
