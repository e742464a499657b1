/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyzer_bed.h - one connection for an analyzer, fed by hand, and the logs it wrote, for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_ANALYZER_BED_H
#define ZB_TESTS_UNIT_ANALYZER_BED_H

#include <netinet/in.h>

#include "log_read.h"
#include "pipeline/branch.h"
#include "pipeline/session.h"

#define AB_START_NS (1700000000 * ZB_SEC_NS)
#define AB_SECRET   0x1234567890abcdefu

struct analyzer_bed {
	struct logs logs;
	struct zb_lcore_stat stat;
	struct zb_weird weird;
	struct zb_analysis an;
	struct zb_conn conn;
	struct zb_session *s;
};

/* From 10.0.0.1:40000 to 192.0.2.1:port. */
static inline void ab_conn_to(struct zb_conn *c, uint8_t proto, uint16_t port)
{
	static const uint8_t orig[4] = {10, 0, 0, 1}, resp[4] = {192, 0, 2, 1};

	c->flags = 0;
	if (zb_flow_key_make(&c->key, orig, resp, 4, 40000, port, proto, false))
		c->flags |= ZB_CONN_ORIG_IS_A;
}

/* A connection to port, established, with its session. */
static inline void ab_open(struct analyzer_bed *b, uint8_t proto, uint16_t port)
{
	memset(b, 0, sizeof(*b));
	logs_open(&b->logs, ZB_ROW_JSON, ZB_SINK_FILES);
	assert_int_equal(zb_weird_init(&b->weird, zb_log_port(b->logs.set, ZB_LOG_WEIRD, 0), "bed",
				       AB_SECRET),
			 0);
	assert_int_equal(zb_analysis_init(&b->an,
					  &(struct zb_analysis_conf){
						  .logs = b->logs.set,
						  .stat = &b->stat,
						  .weird = &b->weird,
						  .secret = AB_SECRET,
						  .file_hashes = 7,
					  }),
			 0);
	ab_conn_to(&b->conn, proto, port);
	b->conn.first_ns = b->conn.last_ns = AB_START_NS;
	b->an.now_ns = b->weird.now_ns = AB_START_NS;
	b->s = zb_session_get(&b->an, &b->conn);
	assert_non_null(b->s);
}

/* side sends n bytes, in one piece, a millisecond after what came before. */
static inline void ab_say(struct analyzer_bed *b, unsigned side, const void *d, size_t n)
{
	/* A block of exactly this size, so that reading past its end is found. */
	uint8_t *copy = malloc(n + !n);

	assert_non_null(copy);
	memcpy(copy, d, n);
	b->an.now_ns = b->weird.now_ns = b->an.now_ns + 1000000;
	b->conn.last_ns = b->an.now_ns;
	if (b->conn.key.proto == IPPROTO_TCP)
		b->conn.end[side].last_seq += (uint32_t)n;
	else
		b->conn.end[side].bytes += n;
	zb_branch_data(&b->s->root, side, copy, n);
	free(copy);
}

static inline void ab_text(struct analyzer_bed *b, unsigned side, const char *text)
{
	ab_say(b, side, text, strlen(text));
}

/* The same, one byte at a time. */
static inline void ab_drip(struct analyzer_bed *b, unsigned side, const void *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ab_say(b, side, (const uint8_t *)d + i, 1);
}

static inline bool ab_has_service(const struct analyzer_bed *b, const char *name)
{
	for (unsigned i = 0; i < b->s->service_nr; i++)
		if (strcmp(b->s->service[i], name) == 0)
			return true;
	return false;
}

/* Ends the connection (its services stay readable); then logs can be read with logs_read(). */
static inline void ab_end(struct analyzer_bed *b)
{
	zb_session_finish(b->s);
}

static inline void ab_close(struct analyzer_bed *b)
{
	zb_session_end(&b->conn);
	zb_analysis_fini(&b->an);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++)
		assert_int_equal(b->an.mem.bytes[kind], 0);
	zb_weird_fini(&b->weird);
	logs_free(&b->logs);
}

#endif
