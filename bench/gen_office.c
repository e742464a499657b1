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

static const struct {
	uint32_t weight; /* per mille */
	void (*make)(struct zb_gen_session *s);
} mix[] = {
	{340, zb_gen_dns_make},	     {280, zb_gen_tls_make},	 {150, zb_gen_http_make},
	{60, zb_gen_arp_make},	     {40, zb_gen_ntp_make},	 {40, zb_gen_echo_make},
	{40, zb_gen_no_answer_make}, {20, zb_gen_rejected_make}, {20, zb_gen_reset_make},
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
