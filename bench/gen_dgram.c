/* SPDX-License-Identifier: Apache-2.0 */
/* gen_dgram.c - sessions of a few datagrams that take turns: DNS, NTP, syslog, echo, ARP */
#include <string.h>

#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define DNS_A	   1
#define DNS_AAAA   28
#define NTP_BYTES  48
#define NTP_1970_S 2208988800ull /* from 1900 to 1970 */
#define ECHO_BYTES 56

/* Ends a step: true while turns are left; the next one is the other end's unless nobody answers. */
static bool next_turn(struct zb_gen_session *s, uint64_t again_ns)
{
	struct zb_gen_turns *t = &s->turns;

	t->turn++;
	if (t->turn % 2 == 1 && t->unanswered)
		t->turn++;
	if (t->unanswered || t->turn % 2 == 0)
		s->next_ns += again_ns;
	else
		s->next_ns += s->rtt_ns + zb_gen_rand_below(&s->rand, 300000);
	return t->turn < t->turn_nr;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static size_t put_dns(const struct zb_gen_session *s, uint8_t *p, bool response, bool unknown)
{
	const struct zb_gen_turns *t = &s->turns;
	const struct zb_gen_name *name = &zb_gen_names[s->site];
	bool aaaa = t->kind == DNS_AAAA;
	uint8_t ip[16];
	size_t n = 12;

	memset(p, 0, n);
	put16(p, t->id);
	put16(p + 2, !response ? 0x0100 : unknown ? 0x8183 : 0x8180);
	put16(p + 4, 1);
	memcpy(p + n, name->labels, ZB_GEN_NAME_MAX);
	if (unknown)
		p[n + 1] = 'x'; /* nobody has that name */
	n += name->len + 2;
	put16(p + n, t->kind);
	put16(p + n + 2, 1);
	n += 4;
	if (!response || unknown)
		return n;
	put16(p + 6, 1);
	zb_gen_site_ip(s->site, aaaa, ip);
	put16(p + n, 0xc00c); /* the name in the question */
	put16(p + n + 2, t->kind);
	put16(p + n + 4, 1);
	put32(p + n + 6, 300);
	put16(p + n + 10, aaaa ? 16 : 4);
	memcpy(p + n + 12, ip, aaaa ? 16 : 4);
	return n + 12 + (aaaa ? 16 : 4);
}

static bool step_dns(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_turns *t = &s->turns;
	struct zb_gen_ip ip = zb_gen_next_ip(s, t->turn % 2);
	uint8_t *p = zb_gen_udp_payload(f, &s->wire);

	if (p != NULL)
		zb_gen_seal_udp(f, &ip,
				zb_gen_payload_of(p, put_dns(s, p, ip.from == 1, s->id % 16 == 5)));
	if (ip.from == 1) { /* the second question, if there is one, is for the other family */
		t->kind = DNS_AAAA;
		t->id++;
	}
	return next_turn(s, t->unanswered ? 5 * ZB_GEN_S : 200 * ZB_GEN_US);
}

void zb_gen_dns_make(struct zb_gen_session *s)
{
	struct zb_gen_turns *t = &s->turns;
	struct zb_gen_path path;

	zb_gen_client(s, &path);
	zb_gen_server_inside(s, &path, ZB_GEN_RESOLVER);
	zb_gen_wire_init(&s->wire, &path, ZB_GEN_UDP);
	s->site = (uint16_t)zb_gen_draw_site(s);
	s->step = step_dns;
	t->id = (uint16_t)zb_gen_rand_u64(&s->rand);
	t->kind = DNS_A;
	t->unanswered = zb_gen_rand_one_in(&s->rand, 50);
	t->turn_nr = zb_gen_rand_one_in(&s->rand, 2) ? 4 : 2;
}

static void put_ntp_time(uint8_t *p, uint64_t ts_ns)
{
	put32(p, (uint32_t)(ts_ns / ZB_GEN_S + NTP_1970_S));
	put32(p + 4, (uint32_t)(((ts_ns % ZB_GEN_S) << 32) / ZB_GEN_S));
}

static bool step_ntp(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_ip ip = zb_gen_next_ip(s, s->turns.turn % 2);
	uint8_t *p = zb_gen_udp_payload(f, &s->wire);

	if (p != NULL) {
		memset(p, 0, NTP_BYTES);
		p[0] = ip.from == 0 ? 0x23 : 0x24; /* version 4, client or server */
		p[1] = ip.from == 0 ? 0 : 2;	   /* stratum */
		p[2] = 6;			   /* polls every 64 s */
		p[3] = (uint8_t)-20;		   /* precision */
		if (ip.from == 1) {
			memcpy(p + 12, (const uint8_t[]){198, 18, 0, 1}, 4);
			put_ntp_time(p + 16, s->next_ns - 10 * ZB_GEN_S);
			put_ntp_time(p + 24, s->next_ns - s->rtt_ns);
			put_ntp_time(p + 32, s->next_ns - s->rtt_ns / 2);
		}
		put_ntp_time(p + 40, s->next_ns);
		zb_gen_seal_udp(f, &ip, zb_gen_payload_of(p, NTP_BYTES));
	}
	return next_turn(s, ZB_GEN_S);
}

void zb_gen_ntp_make(struct zb_gen_session *s)
{
	struct zb_gen_path path;

	zb_gen_client(s, &path);
	zb_gen_server_inside(s, &path, ZB_GEN_CLOCK);
	zb_gen_wire_init(&s->wire, &path, ZB_GEN_UDP);
	s->step = step_ntp;
	s->turns.turn_nr = 2;
}

static bool step_syslog(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_ip ip = zb_gen_next_ip(s, 0);
	struct zb_head h = {zb_gen_udp_payload(f, &s->wire), 0};

	if (h.at != NULL) {
		ZB_HEAD_PUT(&h, "<30>app[");
		zb_head_put_decimal(&h, zb_gen_client_port(s));
		ZB_HEAD_PUT(&h, "]: request ");
		zb_head_put_decimal(&h, s->id & 0xffffff);
		ZB_HEAD_PUT(&h, " served");
		zb_gen_seal_udp(f, &ip, zb_gen_payload_of(h.at, h.len));
	}
	return next_turn(s, ZB_GEN_S);
}

void zb_gen_syslog_make(struct zb_gen_session *s)
{
	struct zb_gen_path path;

	zb_gen_client(s, &path);
	zb_gen_server_inside(s, &path, ZB_GEN_LOG_HOST);
	zb_gen_wire_init(&s->wire, &path, ZB_GEN_UDP);
	s->step = step_syslog;
	s->turns.unanswered = true;
	s->turns.turn_nr = 1;
}

static bool step_echo(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	struct zb_gen_turns *t = &s->turns;
	struct zb_gen_ip ip = zb_gen_next_ip(s, t->turn % 2);
	struct zb_gen_echo echo = {.id = t->id, .seq = (uint16_t)(t->turn / 2 + 1)};
	uint8_t *p = zb_gen_udp_payload(f, &s->wire);

	if (p != NULL) {
		for (unsigned i = 0; i < ECHO_BYTES; i++)
			p[i] = (uint8_t)(i < 8 ? 0 : 8 + i);
		zb_gen_seal_echo(f, &ip, &echo, ECHO_BYTES);
	}
	return next_turn(s, ZB_GEN_S - s->rtt_ns);
}

void zb_gen_echo_make(struct zb_gen_session *s)
{
	struct zb_gen_path path;

	zb_gen_client(s, &path);
	zb_gen_server_site(s, &path, 0);
	zb_gen_wire_init(&s->wire, &path, ZB_GEN_ICMP);
	s->step = step_echo;
	s->turns.id = (uint16_t)s->id;
	s->turns.unanswered = zb_gen_rand_one_in(&s->rand, 10);
	s->turns.turn_nr = 2 * zb_gen_rand_between(&s->rand, 1, 5);
}

static bool step_arp(struct zb_gen_session *s, struct zb_gen_frame *f)
{
	zb_gen_arp(f, &s->wire, s->turns.turn % 2);
	return next_turn(s, ZB_GEN_S);
}

void zb_gen_arp_make(struct zb_gen_session *s)
{
	struct zb_gen_path path;

	do /* IPv6 has no ARP; the answers of the dice differ each time */
		zb_gen_client(s, &path);
	while (path.v6);
	zb_gen_server_inside(s, &path, ZB_GEN_RESOLVER);
	zb_gen_wire_init(&s->wire, &path, ZB_GEN_UDP);
	s->step = step_arp;
	s->turns.turn_nr = 2;
}
