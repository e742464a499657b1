/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_series.h - traces of many packets, packed or not, and loading them, for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_TRACE_SERIES_H
#define ZB_TESTS_TRACE_SERIES_H

#include <zstd.h>
#include "capture/trace.h"
#include "caught.h"
#include "packet_build.h"

static struct caught said;

static inline int load(struct zb_trace_conf conf, struct zb_trace **t)
{
	int ret;

	conf.numa_id = -1;
	conf.digest = true;
	catch_fd(&said, STDERR_FILENO);
	ret = zb_trace_load(&conf, t);
	release_fd(&said);
	return ret;
}

static inline int load_path(const char *path, struct zb_trace **t)
{
	return load((struct zb_trace_conf){.paths = &path, .path_nr = 1, .shard_nr = 1}, t);
}

static inline int load_bytes(const struct tb_buf *b, struct zb_trace **t)
{
	char path[64];
	int ret;

	tb_save(b, path);
	ret = load_path(path, t);
	unlink(path);
	return ret;
}

static inline bool one_line(const char *text)
{
	const char *end = strchr(said.text, '\n');

	if (end != NULL && end[1] == '\0' && strstr(said.text, text) != NULL)
		return true;
	print_error("not \"%s\": %s", text, said.text);
	return false;
}

/* nr packets of pkt_len bytes, flows by i; the i-th at from_ns + i * step_ns. */
struct series {
	uint32_t nr, pkt_len;
	uint64_t from_ns, step_ns;
	uint16_t id; /* in every packet's payload */
};

static inline void make_pcap(struct tb_buf *b, struct series s)
{
	tb_pcap_header(b, 0xa1b23c4d, 1);
	for (uint32_t i = 0; i < s.nr; i++) {
		uint64_t ts_ns = s.from_ns + i * s.step_ns;
		struct tb_ip ip = {4, 17, {10, 0, 0, 1}, {10, 0, 0, 2}, 0, 53, 0, 0};
		struct tb_buf p = {0};
		struct tb_rec r = {(uint32_t)(ts_ns / 1000000000), (uint32_t)(ts_ns % 1000000000),
				   s.pkt_len, s.pkt_len};

		ip.sport = (uint16_t)(i + s.id * 1000u);
		tb_packet(&p, TB_ETHERNET, &ip);
		if (p.nr < s.pkt_len)
			tb_zeros(&p, s.pkt_len - p.nr);
		tb_put16(p.p + 42, s.id);
		tb_put16(p.p + 44, i);
		tb_pcap_record(b, r, p.p);
		tb_free(&p);
	}
}

static inline void make_zstd(struct tb_buf *out, const uint8_t *p, size_t n)
{
	size_t max = ZSTD_compressBound(n), got;

	got = ZSTD_compress(tb_room(out, max), max, p, n, 1);
	assert_false(ZSTD_isError(got));
	out->nr -= max - got;
}

#endif
