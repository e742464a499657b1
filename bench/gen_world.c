/* SPDX-License-Identifier: Apache-2.0 */
/* gen_world.c - addresses, names and content, all computed from numbers */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/gen_quic_seal.h"
#include "bench/gen_world.h"

#define CLIENTS	     1000u
#define VLAN_CLIENTS 750u /* clients from this number on are on the VLAN */
#define VLAN_ID	     30
#define FIRST_PORT   32768u
#define PORTS	     28232u /* Linux' ephemeral ports */
#define COUNT(a)     ((uint32_t)(sizeof(a) / sizeof((a)[0])))

static const char *const words[] = {
	"packet", "window", "river",  "signal", "garden", "engine", "paper",  "morning",
	"bridge", "the",    "letter", "and",	"copper", "of",	    "winter", "market",
	"to",	  "forest", "number", "in",	"silver", "is",	    "harbor", "record",
	"with",	  "summer", "on",     "valley", "for",	  "stone",  "little", "cloud",
};

static const char *const hosts[] = {"www", "mail", "cdn", "api", "img", "static", "app", "news"};

struct zb_gen_name zb_gen_names[ZB_GEN_SITES];

static void make_name(struct zb_gen_name *n, uint32_t site)
{
	uint32_t label = 0;

	n->len = (uint32_t)snprintf(n->text, sizeof(n->text), "%s.%s-%s.example",
				    hosts[site % COUNT(hosts)],
				    words[site / COUNT(hosts) % COUNT(words)],
				    words[(site * 7 / COUNT(hosts) + 3) % COUNT(words)]);
	assert(n->len + 2 <= sizeof(n->labels));
	memcpy(n->labels + 1, n->text, n->len);
	for (uint32_t i = 0; i <= n->len; i++) {
		if (i == n->len || n->text[i] == '.') {
			n->labels[label] = (uint8_t)(i - label);
			label = i + 1;
		}
	}
	n->labels[n->len + 1] = 0;
}

static void make_names(void)
{
	for (uint32_t i = 0; i < ZB_GEN_SITES; i++)
		make_name(&zb_gen_names[i], i);
}

void zb_gen_names_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_names);
}

static void fill_text(uint8_t *text, struct zb_gen_rand *r)
{
	size_t at = 0;

	while (at < ZB_GEN_POOL_BYTES) {
		const char *word = words[zb_gen_rand_below(r, COUNT(words))];
		size_t room = ZB_GEN_POOL_BYTES - at;
		size_t len = strlen(word) < room ? strlen(word) : room;

		memcpy(text + at, word, len);
		at += len;
		if (at < ZB_GEN_POOL_BYTES)
			text[at++] = zb_gen_rand_one_in(r, 12) ? '\n' : ' ';
	}
}

static void finish_pool(struct zb_gen_pool *p)
{
	memcpy(p->bytes + ZB_GEN_POOL_BYTES, p->bytes, ZB_GEN_POOL_ROOM - ZB_GEN_POOL_BYTES);
	p->sums[0] = 0;
	for (uint32_t i = 1; i < COUNT(p->sums); i++)
		p->sums[i] = zb_checksum_fold(zb_checksum_add(
			p->sums[i - 1], p->bytes + ZB_GEN_POOL_BLOCK * (i - 1), ZB_GEN_POOL_BLOCK));
}

void zb_gen_world_init(struct zb_gen_world *w, uint64_t seed)
{
	struct zb_gen_rand r = zb_gen_rand_seed(seed, UINT64_MAX);

	zb_gen_names_init();
	fill_text(w->text.bytes, &r);
	for (size_t i = 0; i < ZB_GEN_POOL_BYTES; i++)
		w->noise.bytes[i] = (uint8_t)zb_gen_rand_u64(&r);
	finish_pool(&w->text);
	finish_pool(&w->noise);
	memset(w->dates, 0, sizeof(w->dates));
	w->quic = NULL;
	w->error = 0;
}

void zb_gen_world_fini(struct zb_gen_world *w)
{
	zb_gen_quic_seal_free(w->quic);
}

static void set_mac(uint8_t mac[6], unsigned kind, unsigned n)
{
	const uint8_t m[6] = {0x02, 0, 0, (uint8_t)kind, (uint8_t)(n >> 8), (uint8_t)n};

	memcpy(mac, m, 6);
}

static void set_ip(uint8_t ip[16], bool v6, const uint8_t prefix4[2], unsigned net6, unsigned n)
{
	unsigned hi = n / 250, lo = n % 250 + 1;

	memset(ip, 0, 16);
	if (!v6) {
		const uint8_t a[4] = {prefix4[0], prefix4[1], (uint8_t)hi, (uint8_t)lo};

		memcpy(ip, a, 4);
		return;
	}
	memcpy(ip, "\x20\x01\x0d\xb8", 4);
	ip[4] = (uint8_t)(net6 >> 8);
	ip[5] = (uint8_t)net6;
	ip[7] = (uint8_t)hi;
	ip[15] = (uint8_t)lo;
}

void zb_gen_client(struct zb_gen_session *s, struct zb_gen_path *p)
{
	struct zb_gen_host *h = &p->end[0];
	/*
	 * The port repeats after PORTS sessions, and then the client number has moved on by 28232 *
	 * 7919 + 1, which is 209 modulo 1000 and has no factor in common with it: so all clients
	 * come before a pair repeats.
	 */
	unsigned n = (unsigned)((s->id * 7919 + s->id / PORTS) % CLIENTS);

	memset(p, 0, sizeof(*p));
	p->v6 = zb_gen_rand_one_in(&s->rand, 7);
	p->vlan = n >= VLAN_CLIENTS ? VLAN_ID : 0;
	h->port = (uint16_t)(FIRST_PORT + s->id % PORTS);
	h->ttl = 64;
	set_mac(h->mac, 1, n);
	set_ip(h->ip, p->v6, (const uint8_t[]){10, 20}, 0x20, n);
	s->ip_id[0] = (uint16_t)zb_gen_rand_u64(&s->rand);
	s->ip_id[1] = (uint16_t)zb_gen_rand_u64(&s->rand);
}

void zb_gen_site_ip(uint32_t site, bool v6, uint8_t ip[static 16])
{
	set_ip(ip, v6, (const uint8_t[]){198, 18}, 0xf, site);
}

uint32_t zb_gen_draw_site(struct zb_gen_session *s)
{
	if (s->shape != NULL && s->shape->sites != NULL)
		return zb_gen_pick_draw(s->shape->sites, &s->rand);
	return zb_gen_rand_below(&s->rand, ZB_GEN_SITES);
}

static uint32_t draw_rtt(struct zb_gen_session *s, uint32_t lo_us, uint32_t hi_us)
{
	if (s->shape != NULL && s->shape->rtt_ns.part_nr != 0)
		return (uint32_t)zb_gen_dist_draw(&s->shape->rtt_ns, &s->rand);
	return zb_gen_rand_between(&s->rand, lo_us, hi_us) * (uint32_t)ZB_GEN_US;
}

void zb_gen_server_site(struct zb_gen_session *s, struct zb_gen_path *p, uint16_t port)
{
	struct zb_gen_host *h = &p->end[1];

	s->site = (uint16_t)zb_gen_draw_site(s);
	s->rtt_ns = draw_rtt(s, 2000, 80000);
	h->port = port;
	h->ttl = (uint8_t)(64 - zb_gen_rand_between(&s->rand, 4, 16));
	set_mac(h->mac, 0, 1); /* the gateway */
	zb_gen_site_ip(s->site, p->v6, h->ip);
}

void zb_gen_server_inside(struct zb_gen_session *s, struct zb_gen_path *p,
			  enum zb_gen_service service)
{
	struct zb_gen_host *h = &p->end[1];

	s->rtt_ns = draw_rtt(s, 150, 900);
	h->port = (uint16_t)service;
	h->ttl = 64;
	set_mac(h->mac, 2, service);
	/* 10.20.200.x: beyond the clients, which end at 10.20.3.250 */
	set_ip(h->ip, p->v6, (const uint8_t[]){10, 20}, 0x20, 200 * 250 + service % 250);
}

static void make_date(char date[static ZB_GEN_DATE_BYTES], uint32_t second)
{
	static const char day[] = "SunMonTueWedThuFriSat";
	static const char month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char line[64];
	time_t t = second;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(line, sizeof(line), "Date: %.3s, %02d %.3s %4d %02d:%02d:%02d GMT\r\n",
		 day + 3 * tm.tm_wday, tm.tm_mday, month + 3 * tm.tm_mon, tm.tm_year + 1900,
		 tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(date, line, ZB_GEN_DATE_BYTES);
}

void zb_head_put_date(struct zb_head *h, struct zb_gen_world *w, uint32_t second)
{
	static const char blank[ZB_GEN_DATE_BYTES];
	unsigned i = second % ZB_GEN_DATES;

	if (h->at == NULL) {
		zb_head_put(h, blank, ZB_GEN_DATE_BYTES);
		return;
	}
	if (w->dates[i].second != second) {
		make_date(w->dates[i].text, second);
		w->dates[i].second = second;
	}
	zb_head_put(h, w->dates[i].text, ZB_GEN_DATE_BYTES);
}
