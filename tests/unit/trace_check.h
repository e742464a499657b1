/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_check.h - loads a capture file built in memory and checks what comes of it, for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_TRACE_CHECK_H
#define ZB_TESTS_TRACE_CHECK_H

#include "capture/trace.h"
#include "caught.h"
#include "trace_build.h"

static struct caught said; /* on stderr by the last load */

/* Loads what b holds. */
static inline int load(const struct tb_buf *b, struct zb_trace **t)
{
	char path[64];
	const char *paths[] = {path};
	struct zb_trace_conf conf = {
		.paths = paths, .path_nr = 1, .shard_nr = 1, .numa_id = -1, .digest = true};
	int ret;

	tb_save(b, path);
	catch_fd(&said, STDERR_FILENO);
	ret = zb_trace_load(&conf, t);
	release_fd(&said);
	unlink(path);
	return ret;
}

static inline struct zb_trace *must_load(const struct tb_buf *b)
{
	struct zb_trace *t;

	if (load(b, &t) != 0)
		fail_msg("%s", said.text);
	assert_string_equal(said.text, "");
	return t;
}

static inline unsigned lines(const char *text)
{
	unsigned nr = 0;

	for (; *text != '\0'; text++)
		nr += *text == '\n';
	return nr;
}

/* Must fail with err and one line that holds text. */
static inline void must_fail(const struct tb_buf *b, int err, const char *text)
{
	struct zb_trace *t;
	int ret = load(b, &t);

	if (ret != err || strstr(said.text, text) == NULL || lines(said.text) != 1)
		fail_msg("%d, not %d \"%s\": %s", ret, err, text, said.text);
}

/* Must load pkt_nr packets, be called cut, and warn in one line that holds text. */
static inline void must_cut(const struct tb_buf *b, uint64_t pkt_nr, const char *text)
{
	struct zb_trace *t;

	if (load(b, &t) != 0 || strstr(said.text, text) == NULL || lines(said.text) != 1)
		fail_msg("not \"%s\": %s", text, said.text);
	assert_non_null(strstr(said.text, "zbench: warning: /tmp/"));
	assert_int_equal(zb_trace_info(t)->pkt_nr, pkt_nr);
	assert_true(zb_trace_info(t)->cut);
	zb_trace_free(t);
}

static const uint8_t bytes[64] = "0123456789abcdefghijklmnopqrstuvwxyz";

/* Packet i of a trace must be these. */
static inline void must_be(struct zb_trace *t, uint64_t i, uint64_t ts_ns, uint32_t cap,
			   uint32_t wire)
{
	const struct zb_trace_pkt *p = &zb_trace_shard(t, 0)->pkts[i];

	assert_true(i < zb_trace_shard(t, 0)->pkt_nr);
	assert_int_equal(p->ts_ns, ts_ns);
	assert_int_equal(p->cap_len, cap);
	assert_int_equal(p->wire_len, wire);
	assert_memory_equal(p->data, bytes, cap);
}

#endif
