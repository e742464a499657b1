/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socks.c - SOCKS 4, 4a and 5: recognised by the answer to a request; what is relayed is a stream
 * inside the stream, and the two ends are a tunnel (RFC 1928, 1929; Zeek:
 * src/analyzer/protocol/socks)
 *
 * As in Zeek, a segment is a message: one that is cut short is none, and what follows a message in
 * its segment is not read. What a version 4 server really answers begins with a zero: to Zeek that
 * is an unknown version, so that version 4 leaves a tunnel behind, but no service.
 */
#include <stdio.h>

#include "pipeline/analyzers/text_line.h"
#include "pipeline/tunnel.h"

#define PORT		1080
#define METHOD_USERPASS 2
#define METHOD_NONE	0xff
#define USER_BYTES_MAX	32 /* of a version 4 user, for detection */

struct socks {
	struct zb_analyzer base;
	struct zb_branch *relayed;
	bool done[2];	  /* each side has said its last message */
	bool chosen;	  /* version 5: the server has named a method */
	bool in_subneg;	  /* ... and that has messages of its own */
	bool by_content;  /* found by what both sides said: they must speak the same version */
	bool held_tunnel; /* ... a request waits for that */
	uint8_t method;
};

static bool refuse(struct zb_analyzer *a)
{
	zb_analyzer_violate(a);
	return false;
}

/* The client names where it wants to go. */
static void requested(struct zb_analyzer *a)
{
	struct zb_analysis *an = zb_analyzer_analysis(a);

	zb_analysis_event(an);
	if (an->tunnels != NULL)
		zb_tunnels_relay(an->tunnels, zb_analyzer_conn(a), ZB_TUN_SOCKS);
	((struct socks *)a)->done[ZB_ORIG] = true;
}

static void answered(struct zb_analyzer *a)
{
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
	((struct socks *)a)->done[ZB_RESP] = true;
}

/* Whether a string and its final zero stand at *at; *at is then behind them. */
static bool take_string(const uint8_t *d, size_t n, size_t *at)
{
	while (*at < n && d[*at] != 0)
		++*at;
	return (*at)++ < n;
}

/* Version, command, port, address, user and, if the address cannot be one, a name. */
static bool v4_request(struct zb_analyzer *a, const uint8_t *d, size_t n)
{
	struct socks *s = (struct socks *)a;
	size_t at = 8;

	if (n < at || !take_string(d, n, &at))
		return refuse(a);
	if (d[4] == 0 && d[5] == 0 && d[6] == 0 && !take_string(d, n, &at))
		return refuse(a);
	if (s->by_content && !s->done[ZB_RESP])
		s->held_tunnel = true;
	else
		requested(a);
	return true;
}

static bool v4_answer(struct zb_analyzer *a, size_t n)
{
	if (n < 9)
		return refuse(a);
	answered(a);
	return true;
}

/* Version, command or reply, a zero, kind of address, address, port. */
static bool v5_message(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	size_t address;

	if (n < 5)
		return refuse(a);
	if (side == ZB_ORIG && (d[2] != 0 || d[1] == 0 || d[1] > 3)) {
		refuse(a);
		zb_analyzer_done(a);
		return false;
	}
	switch (d[3]) {
	case 1: address = 4; break;
	case 3: address = 1 + (size_t)d[4]; break;
	case 4: address = 16; break;
	default: return refuse(a);
	}
	if (n < 4 + address + 2)
		return refuse(a);
	if (side == ZB_ORIG)
		requested(a);
	else
		answered(a);
	return true;
}

/* The client offers methods, the server chooses one. */
static bool v5_methods(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct socks *s = (struct socks *)a;

	if (n < 2 || (side == ZB_ORIG && n - 2 < d[1]))
		return refuse(a);
	if (side == ZB_ORIG)
		return true;
	s->chosen = true;
	s->method = d[1];
	s->in_subneg = s->method != 0 && s->method != METHOD_NONE;
	return true;
}

/* User and password, or what the server says to them. */
static bool v5_userpass(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	size_t user;

	if (n < 2)
		return refuse(a);
	user = d[1];
	if (side == ZB_ORIG && (n < 3 + user || n < 3 + user + d[2 + user]))
		return refuse(a);
	zb_analysis_event(zb_analyzer_analysis(a));
	return true;
}

/* What the chosen method has to say: of user and password alone it is known. */
static void v5_subneg(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct socks *s = (struct socks *)a;
	char addl[32];

	if (s->method != METHOD_USERPASS) {
		snprintf(addl, sizeof(addl), "%u", s->method);
		zb_analyzer_weird(a, ZB_WEIRD_socks5_unsupported_authentication_method, addl);
	} else if (d[0] != 1) {
		snprintf(addl, sizeof(addl), "method %u, version %u", s->method, d[0]);
		zb_analyzer_weird(a, ZB_WEIRD_socks5_unsupported_authentication, addl);
	} else if (!v5_userpass(a, side, d, n)) {
		return;
	}
	if (side == ZB_RESP)
		s->in_subneg = false;
}

static void message(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct socks *s = (struct socks *)a;

	if (s->in_subneg)
		v5_subneg(a, side, d, n);
	else if (d[0] == 4 && side == ZB_ORIG)
		v4_request(a, d, n);
	else if (d[0] == 4)
		v4_answer(a, n);
	else if (d[0] == 5 && s->chosen)
		v5_message(a, side, d, n);
	else if (d[0] == 5)
		v5_methods(a, side, d, n);
	else
		refuse(a);
}

static void socks_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct socks *s = (struct socks *)a;

	if (zb_analyzer_is_partial(a))
		return;
	if (side == ZB_RESP && s->held_tunnel) {
		s->held_tunnel = false;
		if (d[0] == 0)
			requested(a);
	}
	if (!s->done[ZB_ORIG] || !s->done[ZB_RESP]) {
		message(a, side, d, n);
		return;
	}
	if (s->relayed == NULL)
		s->relayed = zb_branch_open(a, true);
	/* As in Zeek, what is inside is told neither of gaps nor of a side's end. */
	if (s->relayed != NULL)
		zb_branch_data(s->relayed, side, d, n);
}

static void socks_begin(struct zb_analyzer *a)
{
	((struct socks *)a)->by_content = zb_conn_port(zb_analyzer_conn(a), ZB_RESP) != PORT;
}

static void socks_flip(struct zb_analyzer *a)
{
	struct socks *s = (struct socks *)a;

	if (s->relayed != NULL)
		zb_branch_flip(s->relayed);
}

static void socks_end(struct zb_analyzer *a)
{
	struct socks *s = (struct socks *)a;

	zb_branch_close(s->relayed);
	s->relayed = NULL;
}

/* Version 4: command 1 or 2, and soon after it a zero; version 5: a well-known method. */
static enum zb_match client_match(const uint8_t *d, size_t n)
{
	if (d[0] != 4 && d[0] != 5)
		return ZB_MATCH_NO;
	if (n < 2)
		return ZB_MATCH_MORE;
	if (d[0] == 5) {
		if (d[1] == '\n')
			return ZB_MATCH_NO;
		return n < 3 ? ZB_MATCH_MORE : d[2] <= 2 ? ZB_MATCH_YES : ZB_MATCH_NO;
	}
	if (d[1] != 1 && d[1] != 2)
		return ZB_MATCH_NO;
	for (size_t at = 2; at < n && at <= 2 + USER_BYTES_MAX; at++) {
		if (d[at] == 0)
			return ZB_MATCH_YES;
		if (d[at] == '\n')
			return ZB_MATCH_NO;
	}
	return n > 2 + USER_BYTES_MAX ? ZB_MATCH_NO : ZB_MATCH_MORE;
}

/* Version 4: what became of the request; version 5: the method that is chosen. */
static enum zb_match server_match(const uint8_t *d, size_t n)
{
	if (d[0] != 0 && d[0] != 5)
		return ZB_MATCH_NO;
	if (n < 2)
		return ZB_MATCH_MORE;
	if (d[0] == 0)
		return d[1] >= 0x5a && d[1] <= 0x5d ? ZB_MATCH_YES : ZB_MATCH_NO;
	return d[1] <= METHOD_USERPASS ? ZB_MATCH_YES : ZB_MATCH_NO;
}

static const uint16_t socks_ports[] = {PORT, 0};

const struct zb_analyzer_def zb_analyzer_socks = {
	.name = "socks",
	.state_bytes = sizeof(struct socks),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = socks_ports,
	.match_over = ZB_OVER_TCP,
	.match_both = true,
	.match = {client_match, server_match},
	.begin = socks_begin,
	.data = socks_data,
	.flip = socks_flip,
	.end = socks_end,
};
