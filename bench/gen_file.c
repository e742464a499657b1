/* SPDX-License-Identifier: Apache-2.0 */
/* gen_file.c - the messages of a file transfer: HTTP downloads of noise, of any size */
#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define SIZE_DEFAULT (1u << 20)

static void request(struct zb_gen_session *s, uint32_t nr, struct zb_head *h)
{
	ZB_HEAD_PUT(h, "GET /files/");
	zb_head_put_decimal(h, s->id);
	ZB_HEAD_PUT(h, "-");
	zb_head_put_decimal(h, nr / 2);
	ZB_HEAD_PUT(h, ".bin HTTP/1.1\r\nHost: ");
	zb_head_put_site(h, s->site);
	ZB_HEAD_PUT(h, "\r\nUser-Agent: zbench-gen/1\r\nAccept: */*\r\n\r\n");
	if (nr > 0)
		s->next_ns += zb_gen_draw_think(s, 5 * ZB_GEN_MS, 200 * ZB_GEN_MS);
}

static void response(struct zb_gen_session *s, struct zb_gen_msg *m, struct zb_head *h)
{
	m->from = 1;
	m->body_len = zb_gen_draw_size(s, SIZE_DEFAULT);
	s->next_ns += zb_gen_rand_between(&s->rand, 300, 3000) * ZB_GEN_US;
	ZB_HEAD_PUT(h, "HTTP/1.1 200 OK\r\nServer: zbench\r\nContent-Type: "
		       "application/octet-stream\r\nContent-Length: ");
	zb_head_put_decimal(h, m->body_len);
	ZB_HEAD_PUT(h, "\r\n\r\n");
}

bool zb_gen_file_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m, struct zb_head *h)
{
	m->body = ZB_GEN_BODY_BYTES;
	m->body_at = (uint32_t)zb_gen_rand_u64(&s->rand);
	if (nr == 0)
		s->tcp.exchanges = zb_gen_draw_requests(s, 1, 1);
	if (nr / 2 >= s->tcp.exchanges)
		return false;
	if (nr % 2 == 0)
		request(s, nr, h);
	else
		response(s, m, h);
	return true;
}
