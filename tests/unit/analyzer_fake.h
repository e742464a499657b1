/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyzer_fake.h - analyzers that write down what they are told and do as the bytes say, in place
 * of the real ones, for tests of the frame
 *
 * What one was told reads "+ o:abc r:x og5 rf ~ .": begun, data of either side, a gap, an end,
 * roles swapped, over. A letter anywhere in its data makes it act: C confirm, V violate, D done, F
 * flip, T attach the plain one beside it, N open a branch and hand it the rest of the chunk.
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_ANALYZER_FAKE_H
#define ZB_TESTS_UNIT_ANALYZER_FAKE_H

#include "analyzer_bed.h"
#include "pipeline/registry.h"

/* By what each is found: its port, "one" of the originator, "both" and "back", or by nobody. */
#define FAKE_PORT    ((enum zb_analyzer_id)0)
#define FAKE_ONE     ((enum zb_analyzer_id)1)
#define FAKE_BOTH    ((enum zb_analyzer_id)2)
#define FAKE_PLAIN   ((enum zb_analyzer_id)3)
#define FAKE_NR	     4
#define FAKE_ON_PORT 77

struct fake {
	struct zb_analyzer base;
	struct zb_branch *inner;
};

struct fake_told {
	char text[8192];
	size_t n;
};
static struct fake_told fake_told[FAKE_NR];

static inline void fake_tell(const struct zb_analyzer *a, const char *head, const void *d, size_t n)
{
	struct fake_told *t = &fake_told[a->id];

	t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n, "%s%s%.*s",
				 t->n != 0 ? " " : "", head, (int)n, (const char *)d);
	assert_true(t->n < sizeof(t->text));
}

static inline void fake_begin(struct zb_analyzer *a)
{
	fake_tell(a, "+", "", 0);
}

static inline void fake_act(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct fake *f = (struct fake *)a;
	const uint8_t *rest = memchr(d, 'N', n);

	if (rest != NULL && f->inner == NULL)
		f->inner = zb_branch_open(a, true);
	if (rest != NULL && f->inner != NULL)
		zb_branch_data(f->inner, side, rest + 1, (size_t)(d + n - rest - 1));
	if (memchr(d, 'T', n) != NULL)
		zb_analyzer_attach(a, FAKE_PLAIN);
	if (memchr(d, 'C', n) != NULL)
		zb_analyzer_confirm(a);
	if (memchr(d, 'F', n) != NULL)
		zb_analyzer_flip_conn(a);
	if (memchr(d, 'V', n) != NULL)
		zb_analyzer_violate(a);
	if (memchr(d, 'D', n) != NULL)
		zb_analyzer_done(a);
}

static inline void fake_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	fake_tell(a, side == ZB_ORIG ? "o:" : "r:", d, n);
	fake_act(a, side, d, n);
}

static inline void fake_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	char text[24];

	fake_tell(a, side == ZB_ORIG ? "og" : "rg", text,
		  (size_t)snprintf(text, sizeof(text), "%lu", n));
}

static inline void fake_fin(struct zb_analyzer *a, unsigned side)
{
	fake_tell(a, side == ZB_ORIG ? "of" : "rf", "", 0);
}

static inline void fake_flip(struct zb_analyzer *a)
{
	struct fake *f = (struct fake *)a;

	fake_tell(a, "~", "", 0);
	if (f->inner != NULL)
		zb_branch_flip(f->inner);
}

static inline void fake_end(struct zb_analyzer *a)
{
	fake_tell(a, ".", "", 0);
	zb_branch_close(((struct fake *)a)->inner);
}

static inline enum zb_match fake_is(const char *word, const uint8_t *d, size_t n)
{
	size_t len = strlen(word);

	if (memcmp(d, word, n < len ? n : len) != 0)
		return ZB_MATCH_NO;
	return n < len ? ZB_MATCH_MORE : ZB_MATCH_YES;
}

static inline enum zb_match fake_is_one(const uint8_t *d, size_t n)
{
	return fake_is("one", d, n);
}

static inline enum zb_match fake_is_both(const uint8_t *d, size_t n)
{
	return fake_is("both", d, n);
}

static inline enum zb_match fake_is_back(const uint8_t *d, size_t n)
{
	return fake_is("back", d, n);
}

#define FAKE_DEF(word, ...)                                                               \
	{                                                                                 \
		.name = word, .state_bytes = sizeof(struct fake), .mem = ZB_MEM_analyzer, \
		.begin = fake_begin, .data = fake_data, .gap = fake_gap, .fin = fake_fin, \
		.flip = fake_flip, .end = fake_end, __VA_ARGS__                           \
	}

static const struct zb_analyzer_def fake_def[FAKE_NR] = {
	[FAKE_PORT] = FAKE_DEF("port"),
	[FAKE_ONE] = FAKE_DEF("one", .match = {fake_is_one}),
	[FAKE_BOTH] = FAKE_DEF("both", .match_both = true, .match = {fake_is_both, fake_is_back}),
	[FAKE_PLAIN] = FAKE_DEF("plain"),
};

static inline void fake_first_bytes(struct zb_registry *r, unsigned id, unsigned side, char byte)
{
	for (unsigned via = 0; via < ZB_VIA_NR; via++) {
		r->match_any[via][side] |= 1ull << id;
		r->first_byte[via][side][(uint8_t)byte] |= 1ull << id;
	}
}

/* These analyzers instead of the real ones; FAKE_PORT on both transports' FAKE_ON_PORT. */
static inline void fake_registry(struct zb_registry *r)
{
	static const uint16_t ports[] = {FAKE_ON_PORT, 0};
	static struct zb_analyzer_def def[FAKE_NR];

	memset(r, 0, sizeof(*r));
	memcpy(def, fake_def, sizeof(def));
	def[FAKE_PORT].tcp_ports = def[FAKE_PORT].udp_ports = ports;
	for (unsigned id = 0; id < ZB_A_NR; id++)
		r->def[id] = &def[id < FAKE_NR ? id : FAKE_PLAIN];
	r->match_both = 1ull << FAKE_BOTH;
	fake_first_bytes(r, FAKE_ONE, ZB_ORIG, 'o');
	fake_first_bytes(r, FAKE_BOTH, ZB_ORIG, 'b');
	fake_first_bytes(r, FAKE_BOTH, ZB_RESP, 'b');
	r->port_set[1] = 1ull << FAKE_PORT;
	for (unsigned via = 0; via < ZB_VIA_NR; via++)
		r->set_of_port[via][FAKE_ON_PORT] = 1;
	memset(fake_told, 0, sizeof(fake_told));
}

/* A connection whose session has the fakes. */
static inline void fake_open(struct analyzer_bed *b, uint8_t proto, uint16_t port)
{
	ab_open(b, proto, 9);
	zb_session_end(&b->conn);
	fake_registry(b->an.registry);
	ab_conn_to(&b->conn, proto, port);
	b->s = zb_session_get(&b->an, &b->conn);
	assert_non_null(b->s);
}

#endif
