/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expect.c - see expect.h
 *
 * A hash table by both addresses, or the responder's alone, and the port; so a connection is looked
 * up twice, and nothing is looked up while nothing is expected. All live for the same time, which
 * puts the list by age in the order in which they end.
 */
#include <string.h>
#include <xxhash.h>

#include "pipeline/branch.h"
#include "pipeline/expect.h"

#define BUCKETS	   4096u
#define PORTS	   2048u /* counters by responder port, a few kilobytes */
#define SHED_TRIES 4	 /* forgotten to make room for one */

struct expect_key {
	uint8_t orig[16]; /* all 0 when has_orig is not set */
	uint8_t resp[16];
	uint16_t port;
	uint8_t ip_version;
	bool has_orig;
};
static_assert(sizeof(struct expect_key) == 36, "hashed and compared as bytes");

struct expected {
	struct expected *bucket_next;
	struct expected *older, *newer;
	struct expect_key key;
	uint8_t analyzer;
	bool spent;
	uint64_t until_ns;
	struct zb_expect_note *note;
};

struct zb_expects {
	struct expected *oldest, *newest;
	/*
	 * How many are expected on ports that are equal modulo PORTS. Every new connection asks,
	 * and nearly all may go on at 0, without a look at the buckets.
	 */
	uint32_t on_port[PORTS];
	struct expected *bucket[BUCKETS];
};

static struct expected **bucket_of(const struct zb_analysis *an, const struct expect_key *key)
{
	return &an->expects->bucket[XXH3_64bits_withSeed(key, sizeof(*key), an->secret) % BUCKETS];
}

static struct expect_key key_of(const struct zb_conn *c, bool has_orig)
{
	struct expect_key key = {
		.port = zb_conn_port(c, ZB_RESP),
		.ip_version = c->key.ip_version,
		.has_orig = has_orig,
	};

	memcpy(key.resp, zb_conn_addr(c, ZB_RESP), 16);
	if (has_orig)
		memcpy(key.orig, zb_conn_addr(c, ZB_ORIG), 16);
	return key;
}

static void unlink_age(struct zb_expects *t, struct expected *e)
{
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		t->oldest = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		t->newest = e->older;
}

static void link_newest(struct zb_expects *t, struct expected *e)
{
	e->newer = NULL;
	e->older = t->newest;
	if (t->newest != NULL)
		t->newest->newer = e;
	else
		t->oldest = e;
	t->newest = e;
}

static void forget(struct zb_analysis *an, struct expected *e)
{
	struct expected **at = bucket_of(an, &e->key);

	while (*at != e)
		at = &(*at)->bucket_next;
	*at = e->bucket_next;
	an->expects->on_port[e->key.port % PORTS]--;
	unlink_age(an->expects, e);
	zb_expect_note_put(an, e->note);
	zb_mem_put(&an->mem, ZB_MEM_expect, e, sizeof(*e));
	an->expect_nr--;
}

static void expire(struct zb_analysis *an)
{
	while (an->expect_nr != 0 && an->expects->oldest->until_ns <= an->now_ns)
		forget(an, an->expects->oldest);
}

/* n bytes, for which the oldest are forgotten if need be. */
static void *get_room(struct zb_analysis *an, size_t n)
{
	for (unsigned i = 0;; i++) {
		void *p = zb_mem_get(&an->mem, ZB_MEM_expect, n);

		if (p != NULL)
			return p;
		zb_mem_shed(&an->mem, ZB_MEM_expect);
		if (i == SHED_TRIES || an->expect_nr == 0)
			return NULL;
		forget(an, an->expects->oldest);
	}
}

static struct expected *find(const struct zb_analysis *an, const struct expect_key *key,
			     unsigned analyzer)
{
	struct expected *e = *bucket_of(an, key);

	while (e != NULL && (e->analyzer != analyzer || memcmp(&e->key, key, sizeof(*key)) != 0))
		e = e->bucket_next;
	return e;
}

static struct expected *add(struct zb_analysis *an, const struct expect_key *key, uint8_t analyzer)
{
	struct expected **bucket = bucket_of(an, key), *e = get_room(an, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->key = *key;
	e->analyzer = analyzer;
	e->bucket_next = *bucket;
	*bucket = e;
	an->expects->on_port[key->port % PORTS]++;
	an->expect_nr++;
	return e;
}

void zb_expect(struct zb_analyzer *a, const struct zb_expect_conf *conf)
{
	struct zb_analysis *an = zb_analyzer_analysis(a);
	struct expect_key key = {
		.port = conf->port,
		.ip_version = conf->ip_version,
		.has_orig = conf->orig != NULL,
	};
	struct expected *e;

	assert(a->def->announces);
	if (an->expects == NULL)
		an->expects = get_room(an, sizeof(*an->expects));
	if (an->expects == NULL)
		return;
	memcpy(key.resp, conf->resp, 16);
	if (conf->orig != NULL)
		memcpy(key.orig, conf->orig, 16);
	expire(an);
	e = find(an, &key, conf->analyzer);
	if (e != NULL) {
		unlink_age(an->expects, e);
	} else {
		e = add(an, &key, conf->analyzer);
		if (e == NULL)
			return;
	}
	link_newest(an->expects, e);
	if (conf->note != NULL)
		zb_expect_note_hold(conf->note);
	zb_expect_note_put(an, e->note);
	e->note = conf->note;
	e->spent = false;
	e->until_ns = an->now_ns + ZB_EXPECT_NS;
	zb_analysis_event(an);
}

/* What the connection of a was expected as: with its originator, or with any. */
static struct expected *find_of(const struct zb_analyzer *a)
{
	const struct zb_analysis *an = zb_analyzer_analysis(a);
	struct expect_key key;
	struct expected *e;

	if (an->expect_nr == 0)
		return NULL;
	key = key_of(zb_analyzer_conn(a), true);
	e = find(an, &key, a->id);
	if (e != NULL)
		return e;
	key = key_of(zb_analyzer_conn(a), false);
	return find(an, &key, a->id);
}

bool zb_expect_is(const struct zb_analyzer *a, struct zb_expect_note **note)
{
	const struct expected *e = find_of(a);

	*note = e != NULL && !e->spent ? e->note : NULL;
	return e != NULL && !e->spent;
}

void zb_expect_spend(const struct zb_analyzer *a)
{
	struct expected *e = find_of(a);

	if (e != NULL)
		e->spent = true;
}

struct zb_expect_note *zb_expect_note_get(struct zb_analysis *an, uint32_t bytes)
{
	struct zb_expect_note *note = get_room(an, bytes);

	if (note == NULL)
		return NULL;
	note->held = 1;
	note->bytes = bytes;
	return note;
}

void zb_expect_note_hold(struct zb_expect_note *note)
{
	note->held++;
}

void zb_expect_note_put(struct zb_analysis *an, struct zb_expect_note *note)
{
	if (note != NULL && --note->held == 0)
		zb_mem_put(&an->mem, ZB_MEM_expect, note, note->bytes);
}

/* All analyzers that are expected under a key, as a set. */
static uint64_t wanted(const struct zb_analysis *an, const struct expect_key *key)
{
	uint64_t set = 0;

	for (const struct expected *e = *bucket_of(an, key); e != NULL; e = e->bucket_next)
		if (memcmp(&e->key, key, sizeof(*key)) == 0)
			set |= 1ull << e->analyzer;
	return set;
}

bool zb_expect_apply(struct zb_analysis *an, const struct zb_delivery_list *l, struct zb_conn *c)
{
	struct expect_key key;
	struct zb_session *s;
	uint64_t set;

	if (l->flags & ZB_SESSION_ANNOUNCES)
		return false;
	expire(an);
	if (an->expect_nr == 0 || an->expects->on_port[zb_conn_port(c, ZB_RESP) % PORTS] == 0)
		return true;
	key = key_of(c, true);
	set = wanted(an, &key);
	key = key_of(c, false);
	set |= wanted(an, &key);
	if (set == 0)
		return true;
	s = zb_session_create(an, c);
	for (; s != NULL && set != 0; set &= set - 1)
		zb_branch_attach(&s->root, (unsigned)__builtin_ctzll(set));
	return true;
}

void zb_expect_destroy(struct zb_analysis *an)
{
	while (an->expect_nr != 0)
		forget(an, an->expects->oldest);
	zb_mem_put(&an->mem, ZB_MEM_expect, an->expects, sizeof(*an->expects));
	an->expects = NULL;
}
