/* SPDX-License-Identifier: Apache-2.0 */
/* gen_file.c - the messages of a file transfer: HTTP downloads of noise, of any size */
#include <assert.h>
#include <stdio.h>

#include "bench/gen_session_priv.h"
#include "bench/gen_world.h"

#define SIZE_DEFAULT (1u << 20)

static void request(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m)
{
	char name[ZB_GEN_NAME_MAX];
	int n;

	zb_gen_site_name(s->site, name);
	n = snprintf((char *)m->head, sizeof(m->head),
		     "GET /files/%llu-%u.bin HTTP/1.1\r\nHost: %s\r\nUser-Agent: zbench-gen/1\r\n"
		     "Accept: */*\r\n\r\n",
		     (unsigned long long)s->id, nr / 2, name);
	assert(n > 0 && (size_t)n < sizeof(m->head));
	m->head_len = (uint32_t)n;
	m->think_ns = nr == 0 ? 0 : zb_gen_draw_think(s, 5 * ZB_GEN_MS, 200 * ZB_GEN_MS);
}

static void response(struct zb_gen_session *s, struct zb_gen_msg *m)
{
	int n;

	m->from = 1;
	m->body_len = zb_gen_draw_size(s, SIZE_DEFAULT);
	m->think_ns = zb_gen_rand_between(&s->rand, 300, 3000) * ZB_GEN_US;
	n = snprintf((char *)m->head, sizeof(m->head),
		     "HTTP/1.1 200 OK\r\nServer: zbench\r\nContent-Type: "
		     "application/octet-stream\r\nContent-Length: %u\r\n\r\n",
		     m->body_len);
	assert(n > 0 && (size_t)n < sizeof(m->head));
	m->head_len = (uint32_t)n;
}

bool zb_gen_file_msg(struct zb_gen_session *s, uint32_t nr, struct zb_gen_msg *m)
{
	m->head_len = m->body_len = 0;
	m->from = 0;
	m->body = ZB_GEN_BODY_BYTES;
	m->body_at = (uint32_t)zb_gen_rand_u64(&s->rand);
	m->think_ns = 0;
	if (nr == 0)
		s->tcp.exchanges = zb_gen_draw_requests(s, 1, 1);
	if (nr / 2 >= s->tcp.exchanges)
		return false;
	if (nr % 2 == 0)
		request(s, nr, m);
	else
		response(s, m);
	return true;
}
