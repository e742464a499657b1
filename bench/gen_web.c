/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_web.c - the messages of a web session: HTTP/1.1 in the clear, and TLS 1.3 records around
 * noise
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))

static const char *const paths[] = {"",	    "index.html", "search", "login",	"news/today",
				    "list", "item",	  "logo",   "feed.xml", "about"};
static const char *const agents[] = {
	"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0",
	"curl/7.88.1",
	"zbench-gen/1",
};

static void append(struct zb_gen_msg *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void append(struct zb_gen_msg *m, const char *fmt, ...)
{
	size_t room = sizeof(m->head) - m->head_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf((char *)m->head + m->head_len, room, fmt, ap);
	va_end(ap);
	assert(n >= 0 && (size_t)n < room);
	m->head_len += (uint32_t)n;
}

/* Few large, many small: evenly spread over powers of two from 2^lo to 2^hi. */
static uint32_t heavy_tail(struct zb_gen_rand *r, uint32_t lo, uint32_t hi)
{
	uint32_t top = 1u << zb_gen_rand_between(r, lo, hi);

	return zb_gen_rand_between(r, top / 2, top);
}

static void append_date(struct zb_gen_msg *m, uint64_t ts_ns)
{
	static const char day[] = "SunMonTueWedThuFriSat";
	static const char month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(ts_ns / ZB_GEN_S);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		return;
	append(m, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n", day + 3 * tm.tm_wday,
	       tm.tm_mday, month + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
	       tm.tm_sec);
}

static void http_request(struct zb_gen_session *s, struct zb_gen_msg *m)
{
	char name[ZB_GEN_NAME_MAX];
	bool post = zb_gen_rand_one_in(&s->rand, 10);

	zb_gen_site_name(s->site, name);
	append(m, "%s /%s", post ? "POST" : "GET",
	       paths[zb_gen_rand_below(&s->rand, COUNT(paths))]);
	if (zb_gen_rand_one_in(&s->rand, 3))
		append(m, "?id=%u", zb_gen_rand_below(&s->rand, 100000));
	append(m,
	       " HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: */*\r\nAccept-Language: en\r\n",
	       name, agents[s->id % COUNT(agents)]);
	if (post) {
		m->body_len = heavy_tail(&s->rand, 5, 12);
		append(m, "Content-Type: text/plain\r\nContent-Length: %u\r\n", m->body_len);
	}
	append(m, "Connection: keep-alive\r\n\r\n");
}

static void http_page(struct zb_gen_session *s, struct zb_gen_msg *m)
{
	static const char page[] = "<!doctype html>\n<title>zbench</title>\n<p>\n";
	bool html = !zb_gen_rand_one_in(&s->rand, 3);

	m->body = html ? ZB_GEN_BODY_TEXT : ZB_GEN_BODY_BYTES;
	m->body_len = zb_gen_has_size(s) ? zb_gen_draw_size(s, 0) : heavy_tail(&s->rand, 8, 16);
	append(m, "Content-Type: %s\r\nContent-Length: %u\r\n\r\n",
	       html ? "text/html" : "application/octet-stream",
	       m->body_len + (html ? (uint32_t)sizeof(page) - 1 : 0));
	if (html)
		append(m, "%s", page);
}

static void http_response(struct zb_gen_session *s, struct zb_gen_msg *m)
{
	uint32_t dice = zb_gen_rand_below(&s->rand, 100);
	char name[ZB_GEN_NAME_MAX];

	m->from = 1;
	m->think_ns = zb_gen_rand_between(&s->rand, 300, 30000) * ZB_GEN_US;
	append(m, "HTTP/1.1 %s\r\n",
	       dice < 80   ? "200 OK"
	       : dice < 88 ? "304 Not Modified"
	       : dice < 96 ? "404 Not Found"
			   : "302 Found");
	append_date(m, s->next_ns);
	append(m, "Server: zbench\r\n");
	if (dice < 80) {
		http_page(s, m);
	} else if (dice < 88) {
		append(m, "\r\n");
	} else if (dice < 96) {
		append(m, "Content-Type: text/plain\r\nContent-Length: 10\r\n\r\nnot found\n");
	} else {
		zb_gen_site_name(s->site, name);
		append(m, "Location: http://%s/\r\nContent-Length: 0\r\n\r\n", name);
	}
}

bool zb_gen_http_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m)
{
	m->head_len = m->body_len = 0;
	m->from = 0;
	m->body = ZB_GEN_BODY_TEXT;
	m->body_at = (uint32_t)zb_gen_rand_u64(&s->rand);
	m->think_ns = 0;
	if (nr == 0)
		s->tcp.exchanges = zb_gen_draw_requests(s, 1, 5);
	if (nr / 2 >= s->tcp.exchanges)
		return false;
	if (nr % 2 == 1) {
		http_response(s, m);
		return true;
	}
	if (nr > 0)
		m->think_ns = zb_gen_draw_think(s, 5 * ZB_GEN_MS, 800 * ZB_GEN_MS);
	http_request(s, m);
	return true;
}

/* Appends the low `bytes` bytes of v, most significant first. */
static void put(struct zb_gen_msg *m, uint64_t v, unsigned bytes)
{
	assert(m->head_len + bytes <= sizeof(m->head));
	for (unsigned i = bytes; i-- > 0;)
		m->head[m->head_len++] = (uint8_t)(v >> (8 * i));
}

static void put_noise(struct zb_gen_session *s, struct zb_gen_msg *m, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i += 8)
		put(m, zb_gen_rand_u64(&s->rand), bytes - i < 8 ? bytes - i : 8);
}

/* Writes the length of what follows `at` into the `bytes` bytes before it. */
static void patch_len(struct zb_gen_msg *m, uint32_t at, unsigned bytes)
{
	uint32_t len = m->head_len - at;

	for (unsigned i = 0; i < bytes; i++)
		m->head[at - bytes + i] = (uint8_t)(len >> (8 * (bytes - 1 - i)));
}

/* Reserves a length field; the returned position goes to patch_len(). */
static uint32_t open_len(struct zb_gen_msg *m, unsigned bytes)
{
	put(m, 0, bytes);
	return m->head_len;
}

static void put_client_extensions(struct zb_gen_session *s, struct zb_gen_msg *m)
{
	char name[ZB_GEN_NAME_MAX];
	uint32_t len;

	zb_gen_site_name(s->site, name);
	len = (uint32_t)strlen(name);
	put(m, 0, 2); /* server_name */
	put(m, len + 5, 2);
	put(m, len + 3, 2);
	put(m, 0, 1);
	put(m, len, 2);
	append(m, "%s", name);
	put(m, 0x000a000400020000 | 0x001d, 8); /* supported_groups: x25519 */
	put(m, 0x000d000600040403, 8); /* signature_algorithms: ecdsa_secp256r1_sha256 ... */
	put(m, 0x0804, 2);	       /* ... and rsa_pss_rsae_sha256 */
	put(m, 0x0010000e000c, 6);     /* application_layer_protocol_negotiation */
	put(m, 0x026832, 3);
	put(m, 0x08, 1);
	append(m, "http/1.1");
	put(m, 0x002b0003020304, 7);		/* supported_versions: 1.3 */
	put(m, 0x0033002600240000 | 0x001d, 8); /* key_share: x25519 ... */
	put(m, 32, 2);
	put_noise(s, m, 32);
}

static void client_hello(struct zb_gen_session *s, struct zb_gen_msg *m)
{
	uint32_t record, hello, ext;

	put(m, 0x160301, 3);
	record = open_len(m, 2);
	put(m, 1, 1);
	hello = open_len(m, 3);
	put(m, 0x0303, 2);
	put_noise(s, m, 32);
	put(m, 32, 1); /* session id, for middleboxes */
	put_noise(s, m, 32);
	put(m, 0x0006130113021303, 8); /* the three usual cipher suites */
	put(m, 0x0100, 2);	       /* no compression */
	ext = open_len(m, 2);
	put_client_extensions(s, m);
	patch_len(m, ext, 2);
	patch_len(m, hello, 3);
	patch_len(m, record, 2);
}

static void server_hello(struct zb_gen_session *s, struct zb_gen_msg *m)
{
	uint32_t record, hello;

	m->from = 1;
	m->think_ns = zb_gen_rand_between(&s->rand, 200, 4000) * ZB_GEN_US;
	put(m, 0x160303, 3);
	record = open_len(m, 2);
	put(m, 2, 1);
	hello = open_len(m, 3);
	put(m, 0x0303, 2);
	put_noise(s, m, 32);
	put(m, 32, 1);
	put_noise(s, m, 32);
	put(m, 0x130100, 3);	       /* TLS_AES_128_GCM_SHA256 */
	put(m, 46, 2);		       /* extensions */
	put(m, 0x002b00020304, 6);     /* supported_versions: 1.3 */
	put(m, 0x00330024001d0020, 8); /* key_share: x25519 */
	put_noise(s, m, 32);
	patch_len(m, hello, 3);
	patch_len(m, record, 2);
	put(m, 0x140303000101, 6); /* change cipher spec */
	m->body_len = zb_gen_tls_body_len(zb_gen_rand_between(&s->rand, 1800, 4200));
}

static void tls_exchange(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m)
{
	m->from = nr % 2;
	if (m->from == 0) {
		m->think_ns = nr > 4 ? zb_gen_draw_think(s, 5 * ZB_GEN_MS, 800 * ZB_GEN_MS) : 0;
		m->body_len = zb_gen_tls_body_len(heavy_tail(&s->rand, 7, 11));
	} else {
		uint32_t text;

		m->think_ns = zb_gen_rand_between(&s->rand, 300, 30000) * ZB_GEN_US;
		text = zb_gen_has_size(s) ? zb_gen_draw_size(s, 0) : heavy_tail(&s->rand, 8, 17);
		m->body_len = zb_gen_tls_body_len(text);
	}
}

bool zb_gen_tls_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m)
{
	m->head_len = m->body_len = 0;
	m->from = 0;
	m->body = ZB_GEN_BODY_TLS;
	m->body_at = (uint32_t)zb_gen_rand_u64(&s->rand);
	m->think_ns = 0;
	switch (nr) {
	case 0:
		s->tcp.exchanges = zb_gen_draw_requests(s, 1, 5);
		client_hello(s, m);
		return true;
	case 1: server_hello(s, m); return true;
	case 2: /* the client's change cipher spec, Finished and first request */
		put(m, 0x140303000101, 6);
		put(m, 0x1703030035, 5);
		put_noise(s, m, 53);
		m->body_len = zb_gen_tls_body_len(heavy_tail(&s->rand, 7, 11));
		return true;
	default:
		if (nr / 2 > s->tcp.exchanges)
			return false;
		tls_exchange(s, nr, m);
		return true;
	}
}
