/* SPDX-License-Identifier: Apache-2.0 */
/* gen_world.c - addresses, names and content, all computed from numbers */
#include <stdio.h>
#include <string.h>

#include "bench/gen_world.h"

#define CLIENTS	       1000u
#define VLAN_CLIENTS   750u /* clients from this number on are on the VLAN */
#define VLAN_ID	       30
#define FIRST_PORT     32768u
#define PORTS	       28232u /* Linux' ephemeral ports */
#define TLS_HEADER     5u
#define TLS_RECORD_MAX 16384u
#define COUNT(a)       ((uint32_t)(sizeof(a) / sizeof((a)[0])))

static const char *const words[] = {
	"packet", "window", "river",  "signal", "garden", "engine", "paper",  "morning",
	"bridge", "the",    "letter", "and",	"copper", "of",	    "winter", "market",
	"to",	  "forest", "number", "in",	"silver", "is",	    "harbor", "record",
	"with",	  "summer", "on",     "valley", "for",	  "stone",  "little", "cloud",
};

static const char *const hosts[] = {"www", "mail", "cdn", "api", "img", "static", "app", "news"};

static void fill_text(struct zb_gen_world *w, struct zb_gen_rand *r)
{
	size_t at = 0;

	while (at < sizeof(w->text)) {
		const char *word = words[zb_gen_rand_below(r, COUNT(words))];
		size_t room = sizeof(w->text) - at;
		size_t len = strlen(word) < room ? strlen(word) : room;

		memcpy(w->text + at, word, len);
		at += len;
		if (at < sizeof(w->text))
			w->text[at++] = zb_gen_rand_one_in(r, 12) ? '\n' : ' ';
	}
}

void zb_gen_world_init(struct zb_gen_world *w, uint64_t seed)
{
	struct zb_gen_rand r = zb_gen_rand_seed(seed, UINT64_MAX);

	fill_text(w, &r);
	for (size_t i = 0; i < sizeof(w->noise); i++)
		w->noise[i] = (uint8_t)zb_gen_rand_u64(&r);
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

void zb_gen_client(struct zb_gen_session *s)
{
	struct zb_gen_host *h = &s->path.end[0];
	/*
	 * The port repeats after PORTS sessions, and then the client number has moved on by 28232 *
	 * 7919 + 1, which is 209 modulo 1000 and has no factor in common with it: so all clients
	 * come before a pair repeats.
	 */
	unsigned n = (unsigned)((s->id * 7919 + s->id / PORTS) % CLIENTS);

	s->path.v6 = zb_gen_rand_one_in(&s->rand, 7);
	s->path.vlan = n >= VLAN_CLIENTS ? VLAN_ID : 0;
	h->port = (uint16_t)(FIRST_PORT + s->id % PORTS);
	h->ttl = 64;
	set_mac(h->mac, 1, n);
	set_ip(h->ip, s->path.v6, (const uint8_t[]){10, 20}, 0x20, n);
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

void zb_gen_server_site(struct zb_gen_session *s, uint16_t port)
{
	struct zb_gen_host *h = &s->path.end[1];

	s->site = zb_gen_draw_site(s);
	s->rtt_ns = draw_rtt(s, 2000, 80000);
	h->port = port;
	h->ttl = (uint8_t)(64 - zb_gen_rand_between(&s->rand, 4, 16));
	set_mac(h->mac, 0, 1); /* the gateway */
	zb_gen_site_ip(s->site, s->path.v6, h->ip);
}

void zb_gen_server_inside(struct zb_gen_session *s, enum zb_gen_service service)
{
	struct zb_gen_host *h = &s->path.end[1];

	s->rtt_ns = draw_rtt(s, 150, 900);
	h->port = (uint16_t)service;
	h->ttl = 64;
	set_mac(h->mac, 2, service);
	/* 10.20.200.x: beyond the clients, which end at 10.20.3.250 */
	set_ip(h->ip, s->path.v6, (const uint8_t[]){10, 20}, 0x20, 200 * 250 + service % 250);
}

void zb_gen_site_name(uint32_t site, char name[static ZB_GEN_NAME_MAX])
{
	snprintf(name, ZB_GEN_NAME_MAX, "%s.%s-%s.example", hosts[site % COUNT(hosts)],
		 words[site / COUNT(hosts) % COUNT(words)],
		 words[(site * 7 / COUNT(hosts) + 3) % COUNT(words)]);
}

static void copy_pool(const void *pool, uint32_t at, uint8_t *dst, uint32_t len)
{
	while (len > 0) {
		uint32_t from = at & (ZB_GEN_POOL_BYTES - 1);
		uint32_t n = ZB_GEN_POOL_BYTES - from < len ? ZB_GEN_POOL_BYTES - from : len;

		memcpy(dst, (const uint8_t *)pool + from, n);
		dst += n;
		at += n;
		len -= n;
	}
}

uint32_t zb_gen_tls_body_len(uint32_t text_len)
{
	return text_len + (text_len + TLS_RECORD_MAX - 1) / TLS_RECORD_MAX * TLS_HEADER;
}

/*
 * Puts the record headers over noise: every TLS_RECORD_MAX bytes, and the last record is what is
 * left.
 */
static void put_tls_headers(const struct zb_gen_msg *m, uint32_t off, uint8_t *dst, uint32_t len)
{
	const uint32_t stride = TLS_RECORD_MAX + TLS_HEADER;

	for (uint32_t at = off / stride * stride; at < off + len; at += stride) {
		uint32_t rest = m->body_len - at - TLS_HEADER;
		uint32_t n = rest < TLS_RECORD_MAX ? rest : TLS_RECORD_MAX;
		const uint8_t h[TLS_HEADER] = {23, 3, 3, (uint8_t)(n >> 8), (uint8_t)n};

		for (uint32_t i = 0; i < TLS_HEADER; i++)
			if (at + i >= off && at + i < off + len)
				dst[at + i - off] = h[i];
	}
}

void zb_gen_msg_copy(const struct zb_gen_world *w, const struct zb_gen_msg *m, uint32_t off,
		     uint8_t *dst, uint32_t len)
{
	if (off < m->head_len) {
		uint32_t n = m->head_len - off < len ? m->head_len - off : len;

		memcpy(dst, m->head + off, n);
		dst += n;
		off += n;
		len -= n;
	}
	if (len == 0)
		return;
	off -= m->head_len;
	copy_pool(m->body == ZB_GEN_BODY_TEXT ? (const void *)w->text : (const void *)w->noise,
		  m->body_at + off, dst, len);
	if (m->body == ZB_GEN_BODY_TLS)
		put_tls_headers(m, off, dst, len);
}
