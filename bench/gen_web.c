/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_web.c - the messages of a web session: HTTP/1.1 in the clear, and TLS 1.3 records around
 * noise
 */
#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))
#define TEXT(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}

struct text {
	const char *text;
	uint32_t len;
};

static const struct text paths[] = {
	TEXT(""),     TEXT("index.html"), TEXT("search"), TEXT("login"),    TEXT("news/today"),
	TEXT("list"), TEXT("item"),	  TEXT("logo"),	  TEXT("feed.xml"), TEXT("about"),
};
static const struct text agents[] = {
	TEXT("Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0"),
	TEXT("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0"),
	TEXT("curl/7.88.1"),
	TEXT("zbench-gen/1"),
};

static void put_text(struct zb_head *h, const struct text *t)
{
	zb_head_put(h, t->text, t->len);
}

/* Few large, many small: evenly spread over powers of two from 2^lo to 2^hi. */
static uint32_t heavy_tail(struct zb_gen_rand *r, uint32_t lo, uint32_t hi)
{
	uint32_t top = 1u << zb_gen_rand_between(r, lo, hi);

	return zb_gen_rand_between(r, top / 2, top);
}

static void http_request(struct zb_gen_session *s, struct zb_gen_msg *m, struct zb_head *h)
{
	bool post = zb_gen_rand_one_in(&s->rand, 10);

	if (post)
		ZB_HEAD_PUT(h, "POST /");
	else
		ZB_HEAD_PUT(h, "GET /");
	put_text(h, &paths[zb_gen_rand_below(&s->rand, COUNT(paths))]);
	if (zb_gen_rand_one_in(&s->rand, 3)) {
		ZB_HEAD_PUT(h, "?id=");
		zb_head_put_decimal(h, zb_gen_rand_below(&s->rand, 100000));
	}
	ZB_HEAD_PUT(h, " HTTP/1.1\r\nHost: ");
	zb_head_put_site(h, s->site);
	ZB_HEAD_PUT(h, "\r\nUser-Agent: ");
	put_text(h, &agents[s->id % COUNT(agents)]);
	ZB_HEAD_PUT(h, "\r\nAccept: */*\r\nAccept-Language: en\r\n");
	if (post) {
		m->body_len = heavy_tail(&s->rand, 5, 12);
		ZB_HEAD_PUT(h, "Content-Type: text/plain\r\nContent-Length: ");
		zb_head_put_decimal(h, m->body_len);
		ZB_HEAD_PUT(h, "\r\n");
	}
	ZB_HEAD_PUT(h, "Connection: keep-alive\r\n\r\n");
}

static void http_page(struct zb_gen_session *s, struct zb_gen_msg *m, struct zb_head *h)
{
	static const char page[] = "<!doctype html>\n<title>zbench</title>\n<p>\n";
	bool html = !zb_gen_rand_one_in(&s->rand, 3);

	m->body = html ? ZB_GEN_BODY_TEXT : ZB_GEN_BODY_BYTES;
	if (h->at == NULL) /* nothing is drawn after it */
		m->body_len =
			zb_gen_has_size(s) ? zb_gen_draw_size(s, 0) : heavy_tail(&s->rand, 8, 16);
	if (html)
		ZB_HEAD_PUT(h, "Content-Type: text/html\r\nContent-Length: ");
	else
		ZB_HEAD_PUT(h, "Content-Type: application/octet-stream\r\nContent-Length: ");
	zb_head_put_decimal(h, m->body_len + (html ? (uint32_t)sizeof(page) - 1 : 0));
	ZB_HEAD_PUT(h, "\r\n\r\n");
	if (html)
		ZB_HEAD_PUT(h, page);
}

static void http_response(struct zb_gen_session *s, struct zb_gen_msg *m, struct zb_head *h)
{
	uint32_t dice = zb_gen_rand_below(&s->rand, 100);

	m->from = 1;
	s->next_ns += zb_gen_rand_between(&s->rand, 300, 30000) * ZB_GEN_US;
	if (dice < 80)
		ZB_HEAD_PUT(h, "HTTP/1.1 200 OK\r\n");
	else if (dice < 88)
		ZB_HEAD_PUT(h, "HTTP/1.1 304 Not Modified\r\n");
	else if (dice < 96)
		ZB_HEAD_PUT(h, "HTTP/1.1 404 Not Found\r\n");
	else
		ZB_HEAD_PUT(h, "HTTP/1.1 302 Found\r\n");
	zb_head_put_date(h, s->world, m->made_s);
	ZB_HEAD_PUT(h, "Server: zbench\r\n");
	if (dice < 80) {
		http_page(s, m, h);
	} else if (dice < 88) {
		ZB_HEAD_PUT(h, "\r\n");
	} else if (dice < 96) {
		ZB_HEAD_PUT(h, "Content-Type: text/plain\r\nContent-Length: 10\r\n\r\nnot found\n");
	} else {
		ZB_HEAD_PUT(h, "Location: http://");
		zb_head_put_site(h, s->site);
		ZB_HEAD_PUT(h, "/\r\nContent-Length: 0\r\n\r\n");
	}
}

bool zb_gen_http_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m, struct zb_head *h)
{
	m->body = ZB_GEN_BODY_TEXT;
	m->body_at = (uint32_t)zb_gen_rand_u64(&s->rand);
	if (nr == 0)
		s->tcp.exchanges = zb_gen_draw_requests(s, 1, 5);
	if (nr / 2 >= s->tcp.exchanges)
		return false;
	if (nr % 2 == 1) {
		http_response(s, m, h);
		return true;
	}
	if (nr > 0)
		s->next_ns += zb_gen_draw_think(s, 5 * ZB_GEN_MS, 800 * ZB_GEN_MS);
	http_request(s, m, h);
	return true;
}

static void put_client_extensions(struct zb_gen_session *s, struct zb_head *h)
{
	uint32_t len = zb_gen_names[s->site].len;

	zb_head_put_be(h, 0, 2); /* server_name */
	zb_head_put_be(h, len + 5, 2);
	zb_head_put_be(h, len + 3, 2);
	zb_head_put_be(h, 0, 1);
	zb_head_put_be(h, len, 2);
	zb_head_put_site(h, s->site);
	ZB_HEAD_PUT(h, "\x00\x0a\x00\x04\x00\x02\x00\x1d"	    /* supported_groups: x25519 */
		       "\x00\x0d\x00\x06\x00\x04\x04\x03\x08\x04"   /* signature_algorithms:
								       ecdsa_secp256r1_sha256,
								       rsa_pss_rsae_sha256 */
		       "\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1" /* ALPN */
		       "\x00\x2b\x00\x03\x02\x03\x04"		    /* supported_versions: 1.3 */
		       "\x00\x33\x00\x26\x00\x24\x00\x1d\x00\x20"); /* key_share: x25519 */
	zb_head_put_noise(h, &s->rand, 32);
}

static void client_hello(struct zb_gen_session *s, struct zb_head *h)
{
	uint32_t record, hello, ext;

	ZB_HEAD_PUT(h, "\x16\x03\x01");
	record = zb_head_open_len(h, 2);
	ZB_HEAD_PUT(h, "\x01");
	hello = zb_head_open_len(h, 3);
	ZB_HEAD_PUT(h, "\x03\x03");
	zb_head_put_noise(h, &s->rand, 32);
	ZB_HEAD_PUT(h, "\x20"); /* session id, for middleboxes */
	zb_head_put_noise(h, &s->rand, 32);
	/* The three usual cipher suites, no compression. */
	ZB_HEAD_PUT(h, "\x00\x06\x13\x01\x13\x02\x13\x03\x01\x00");
	ext = zb_head_open_len(h, 2);
	put_client_extensions(s, h);
	zb_head_close_len(h, ext, 2);
	zb_head_close_len(h, hello, 3);
	zb_head_close_len(h, record, 2);
}

static void server_hello(struct zb_gen_session *s, struct zb_gen_msg *m, struct zb_head *h)
{
	uint32_t record, hello;

	m->from = 1;
	s->next_ns += zb_gen_rand_between(&s->rand, 200, 4000) * ZB_GEN_US;
	ZB_HEAD_PUT(h, "\x16\x03\x03");
	record = zb_head_open_len(h, 2);
	ZB_HEAD_PUT(h, "\x02");
	hello = zb_head_open_len(h, 3);
	ZB_HEAD_PUT(h, "\x03\x03");
	zb_head_put_noise(h, &s->rand, 32);
	ZB_HEAD_PUT(h, "\x20");
	zb_head_put_noise(h, &s->rand, 32);
	ZB_HEAD_PUT(h, "\x13\x01\x00"			    /* TLS_AES_128_GCM_SHA256 */
		       "\x00\x2e"			    /* extensions */
		       "\x00\x2b\x00\x02\x03\x04"	    /* supported_versions: 1.3 */
		       "\x00\x33\x00\x24\x00\x1d\x00\x20"); /* key_share: x25519 */
	zb_head_put_noise(h, &s->rand, 32);
	zb_head_close_len(h, hello, 3);
	zb_head_close_len(h, record, 2);
	ZB_HEAD_PUT(h, "\x14\x03\x03\x00\x01\x01"); /* change cipher spec */
	m->body_len = zb_gen_tls_body_len(zb_gen_rand_between(&s->rand, 1800, 4200));
}

static void tls_exchange(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m)
{
	m->from = (uint8_t)(nr % 2);
	if (m->from == 0) {
		if (nr > 4)
			s->next_ns += zb_gen_draw_think(s, 5 * ZB_GEN_MS, 800 * ZB_GEN_MS);
		m->body_len = zb_gen_tls_body_len(heavy_tail(&s->rand, 7, 11));
	} else {
		uint32_t text;

		s->next_ns += zb_gen_rand_between(&s->rand, 300, 30000) * ZB_GEN_US;
		text = zb_gen_has_size(s) ? zb_gen_draw_size(s, 0) : heavy_tail(&s->rand, 8, 17);
		m->body_len = zb_gen_tls_body_len(text);
	}
}

bool zb_gen_tls_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m, struct zb_head *h)
{
	m->body = ZB_GEN_BODY_TLS;
	m->body_at = (uint32_t)zb_gen_rand_u64(&s->rand);
	switch (nr) {
	case 0:
		s->tcp.exchanges = zb_gen_draw_requests(s, 1, 5);
		client_hello(s, h);
		return true;
	case 1: server_hello(s, m, h); return true;
	case 2: /* the client's change cipher spec, Finished and first request */
		ZB_HEAD_PUT(h, "\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x35");
		zb_head_put_noise(h, &s->rand, 53);
		m->body_len = zb_gen_tls_body_len(heavy_tail(&s->rand, 7, 11));
		return true;
	default:
		if (nr / 2 > s->tcp.exchanges)
			return false;
		tls_exchange(s, nr, m);
		return true;
	}
}
