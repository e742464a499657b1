/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_web.c - the messages of a web session: HTTP/1.1 in the clear, and TLS 1.3 records around
 * noise
 */
#include "bench/gen_hello.h"
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
		m->body_len = zb_gen_rand_tail(&s->rand, 5, 12);
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
		m->body_len = zb_gen_has_size(s) ? zb_gen_draw_size(s, 0)
						 : zb_gen_rand_tail(&s->rand, 8, 16);
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

static void client_hello(struct zb_gen_session *s, struct zb_head *h)
{
	uint32_t record;

	ZB_HEAD_PUT(h, "\x16\x03\x01");
	record = zb_head_open_len(h, 2);
	zb_head_put_client_hello(h, &s->rand, &(struct zb_gen_hello){.site = s->site});
	zb_head_close_len(h, record, 2);
}

static void server_hello(struct zb_gen_session *s, struct zb_gen_msg *m, struct zb_head *h)
{
	uint32_t record;

	m->from = 1;
	s->next_ns += zb_gen_rand_between(&s->rand, 200, 4000) * ZB_GEN_US;
	ZB_HEAD_PUT(h, "\x16\x03\x03");
	record = zb_head_open_len(h, 2);
	zb_head_put_server_hello(h, &s->rand, &(struct zb_gen_hello){.site = s->site});
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
		m->body_len = zb_gen_tls_body_len(zb_gen_rand_tail(&s->rand, 7, 11));
	} else {
		uint32_t text;

		s->next_ns += zb_gen_rand_between(&s->rand, 300, 30000) * ZB_GEN_US;
		text = zb_gen_has_size(s) ? zb_gen_draw_size(s, 0)
					  : zb_gen_rand_tail(&s->rand, 8, 17);
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
		m->body_len = zb_gen_tls_body_len(zb_gen_rand_tail(&s->rand, 7, 11));
		return true;
	default:
		if (nr / 2 > s->tcp.exchanges)
			return false;
		tls_exchange(s, nr, m);
		return true;
	}
}
