/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_office.c - profile "office": what people at desks cause, in proportions that give every kind
 * some weight
 *
 * Shares are of sessions: about 45 % of them are web, most of it encrypted, and a third are DNS.
 */
#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void web(struct zb_gen_session *s, enum zb_gen_fate fate, bool encrypted)
{
	zb_gen_client(s);
	zb_gen_server_site(s, encrypted ? 443 : 80);
	zb_gen_tcp_make(s, fate, encrypted ? zb_gen_tls_msg : zb_gen_http_msg);
}

static void make_http(struct zb_gen_session *s)
{
	web(s, ZB_GEN_COMPLETE, false);
}

static void make_tls(struct zb_gen_session *s)
{
	web(s, ZB_GEN_COMPLETE, true);
}

static void make_reset(struct zb_gen_session *s)
{
	web(s, ZB_GEN_RESET, zb_gen_rand_one_in(&s->rand, 2));
}

static void make_no_answer(struct zb_gen_session *s)
{
	web(s, ZB_GEN_NO_ANSWER, true);
}

static void make_rejected(struct zb_gen_session *s)
{
	web(s, ZB_GEN_REJECTED, false);
}

static const struct {
	uint32_t weight; /* per mille */
	void (*make)(struct zb_gen_session *s);
} mix[] = {
	{340, zb_gen_dns_make},	  {280, make_tls},	 {150, make_http},
	{60, zb_gen_arp_make},	  {40, zb_gen_ntp_make}, {40, zb_gen_echo_make},
	{40, make_no_answer},	  {20, make_rejected},	 {20, make_reset},
	{10, zb_gen_syslog_make},
};

static void make(struct zb_gen_session *s)
{
	uint32_t dice = zb_gen_rand_below(&s->rand, 1000);
	size_t i = 0;

	while (i < COUNT(mix) - 1 && dice >= mix[i].weight)
		dice -= mix[i++].weight;
	mix[i].make(s);
}

const struct zb_gen_profile zb_gen_profile_office = {
	.name = "office",
	.make = make,
	.make_single = zb_gen_syslog_make,
};
