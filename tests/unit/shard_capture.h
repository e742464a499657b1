/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shard_capture.h - captures of raw packets, packet by packet, and loading them sharded, for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_SHARD_CAPTURE_H
#define ZB_TESTS_SHARD_CAPTURE_H

#include "trace_series.h"
#include "tunnel_build.h"

#define STEP_MS 1u

/* A capture of raw packets, one each STEP_MS; at_ms may be set ahead. */
struct capture {
	struct tb_buf file;
	uint32_t at_ms;
	uint32_t nr;
};

/* Takes the packet over. */
static inline void add(struct capture *c, struct tb_buf *pkt)
{
	struct tb_rec r = {c->at_ms / 1000, c->at_ms % 1000 * 1000000, (uint32_t)pkt->nr,
			   (uint32_t)pkt->nr};

	if (c->file.nr == 0)
		tb_pcap_header(&c->file, 0xa1b23c4d, 101);
	tb_pcap_record(&c->file, r, pkt->p);
	c->at_ms += STEP_MS;
	c->nr++;
	tb_free(pkt);
}

static inline void add_ip(struct capture *c, const struct tb_ip *ip)
{
	struct tb_buf b = {0};

	tb_packet(&b, TB_RAW, ip);
	add(c, &b);
}

static inline struct tb_ip back_of(struct tb_ip ip)
{
	struct tb_ip back = ip;

	memcpy(back.src, ip.dst, 16);
	memcpy(back.dst, ip.src, 16);
	back.sport = ip.dport;
	back.dport = ip.sport;
	return back;
}

static inline struct zb_trace *load_capture(struct capture *c, uint32_t shard_nr, bool read_only)
{
	struct zb_trace *t;
	const char *path_p;
	char path[64];

	tb_save(&c->file, path);
	path_p = path;
	assert_int_equal(load((struct zb_trace_conf){.paths = &path_p,
						     .path_nr = 1,
						     .shard_nr = shard_nr,
						     .read_only = read_only},
			      &t),
			 0);
	unlink(path);
	assert_string_equal(said.text, "");
	return t;
}

#endif
