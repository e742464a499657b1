/* SPDX-License-Identifier: Apache-2.0 */
/* attack_log.c - kinds G and I: what makes log rows, weirds and tables by host grow */
#include "bench/attack_priv.h"

static int long_uri(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 2 * g->param[0])
		return 0;
	if (nr % 2 == 1)
		return zb_at_say_text(g, 1, "HTTP/1.1 204 No Content\r\n\r\n");
	zb_at_msg(g);
	zb_at_add_text(g, "GET /%u", (unsigned)nr);
	zb_at_add_fill(g, 1, g->param[1]); /* six letters of JSON each */
	zb_at_add_text(g, " HTTP/1.1\r\nHost: h.example\r\n\r\n");
	return zb_at_say(g, 0);
}

/* One oddity a packet, of ten kinds, each from other addresses. */
static void weird_flood(struct zb_attack_gen *g, uint64_t n)
{
	static const uint8_t flags[4] = {AT_SYN | AT_FIN, AT_SYN | AT_RST, AT_SYN | AT_FIN | AT_RST,
					 AT_SYN | AT_URG};
	struct zb_at_seg s = {
		.flow = zb_at_spoofed(g, n, (uint16_t)(1 + n % 1000)),
		.seq = (uint32_t)n,
		.window = 1024,
		.flags = flags[n / 2 % 4],
		.bad_sum = n % 3 == 0,
	};

	if (n % 2 == 0) {
		zb_at_tcp(g, &s, "early", 5);
		return;
	}
	zb_at_udp(g, &s.flow, "length", 6);
	g->data[14 + 20 + 5] = 200; /* of UDP: longer than the packet; the sum is wrong with it */
}

/* Every address completes a handshake, offers a service and is never seen again. */
static int unique_hosts(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr == 0)
		return zb_at_say_text(g, 0, "x");
	return 0;
}

static void unique_hosts_frame(struct zb_attack_gen *g, uint64_t n)
{
	g->talk.flow.dport = (uint16_t)(1024 + n / 4 % 50000);
	zb_at_talk(g, n);
}

/* A few new names and software strings a second, for as long as it runs. */
static int slow_names(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 2)
		return 0;
	zb_at_msg(g);
	if (nr == 0)
		zb_at_add_text(
			g, "GET / HTTP/1.1\r\nHost: n%u.example\r\nUser-Agent: agent/%u\r\n\r\n",
			(unsigned)g->talk.conn, (unsigned)g->talk.conn);
	else
		zb_at_add_text(g,
			       "HTTP/1.1 200 OK\r\nServer: server/%u\r\nContent-Length: 0\r\n\r\n",
			       (unsigned)g->talk.conn);
	return zb_at_say(g, (unsigned)nr);
}

const struct zb_attack zb_attack_log[] = {
	{.name = "log-long-uri",
	 .id = "G1",
	 .sends = "requests whose row is six times what was on the wire",
	 .exhausts = "log writer and disk",
	 .guard = "4,096 bytes of a field; rows are waited for or dropped, and counted",
	 .moves = "rows:http",
	 .port = 80,
	 .params = {{"requests", 1000, 1, 100000000, "of a connection"},
		    {"bytes", 1300, 1, 60000, "of a URI"}},
	 .frame = zb_at_talk,
	 .say = long_uri},
	{.name = "weird-flood",
	 .id = "G2",
	 .sends = "odd packets of every kind from everywhere",
	 .exhausts = "memory of what was logged, rows of weird.log",
	 .guard = "a table of one size: beyond it, some are logged again (weird_shed)",
	 .moves = "weirds rows:weird tcp_conns",
	 .frame = weird_flood},
	{.name = "unique-hosts",
	 .id = "G4",
	 .sends = "connections of which no two have a host in common",
	 .exhausts = "tables by host, which grow by design",
	 .guard = "--limit known forgets the oldest",
	 .moves = "rows:known_hosts tcp_conns active_tcp_conns",
	 .frame = unique_hosts_frame,
	 .say = unique_hosts},
	{.name = "slow-names",
	 .id = "I2",
	 .sends = "a few new names, agents and servers a second, without end",
	 .exhausts = "tables by name, slowly",
	 .guard = "there is no table by name; what is kept belongs to a connection",
	 .moves = "rows:http tcp_conns",
	 .pps = 50,
	 .port = 80,
	 .frame = zb_at_talk,
	 .say = slow_names},
};
ZB_ATTACK_COUNT(log)
