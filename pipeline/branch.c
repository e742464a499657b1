/* SPDX-License-Identifier: Apache-2.0 */
/* branch.c - see branch.h */
#include <string.h>

#include "pipeline/branch.h"
#include "pipeline/meter.h"
#include "pipeline/registry.h"

#define PROBE_BYTES  1024 /* detection looks at no more, but always at whole chunks */
#define PROBE_CHUNKS 100

/* A piece of what was seen while the protocol was unknown, in the order of arrival. */
struct probe_chunk {
	struct probe_chunk *next;
	uint32_t n; /* bytes, or bytes missing */
	uint8_t side;
	bool is_gap;
	uint8_t data[];
};

struct zb_probe {
	struct probe_chunk *first, *last;
};

static struct zb_analysis *analysis_of(const struct zb_branch *b)
{
	return b->session->an;
}

void zb_branch_init(struct zb_branch *b, struct zb_session *s, bool is_tcp, unsigned depth)
{
	const struct zb_registry *r = s->an->registry;
	unsigned via = is_tcp ? ZB_VIA_TCP : ZB_VIA_UDP;

	memset(b, 0, sizeof(*b));
	b->session = s;
	b->is_tcp = is_tcp;
	b->depth = (uint8_t)depth;
	b->probing = true;
	b->maybe[ZB_ORIG] = r->match_any[via][ZB_ORIG];
	b->maybe[ZB_RESP] = r->match_any[via][ZB_RESP];
}

static size_t chunk_bytes(const struct probe_chunk *c)
{
	return sizeof(*c) + (c->is_gap ? 0 : c->n);
}

static void free_probe(struct zb_branch *b)
{
	struct zb_mem *mem = &analysis_of(b)->mem;

	if (b->probe == NULL)
		return;
	for (struct probe_chunk *c = b->probe->first, *next; c != NULL; c = next) {
		next = c->next;
		zb_mem_put(mem, ZB_MEM_probe, c, chunk_bytes(c));
	}
	zb_mem_put(mem, ZB_MEM_probe, b->probe, sizeof(*b->probe));
	b->probe = NULL;
}

void zb_branch_settle(struct zb_branch *b)
{
	b->probing = false;
	/* Somebody may be reading what was kept: the sweep frees it then. */
	if (!b->busy)
		free_probe(b);
}

static bool keep(struct zb_branch *b, unsigned side, const uint8_t *d, size_t n, bool is_gap)
{
	struct zb_mem *mem = &analysis_of(b)->mem;
	struct probe_chunk *c;

	if (b->probe == NULL)
		b->probe = zb_mem_get(mem, ZB_MEM_probe, sizeof(*b->probe));
	c = b->probe == NULL ? NULL
			     : zb_mem_get_raw(mem, ZB_MEM_probe, sizeof(*c) + (is_gap ? 0 : n));
	if (c == NULL) {
		zb_mem_shed(mem, ZB_MEM_probe);
		return false;
	}
	*c = (struct probe_chunk){.n = (uint32_t)n, .side = (uint8_t)side, .is_gap = is_gap};
	if (!is_gap)
		memcpy(c->data, d, n);
	if (b->probe->last != NULL)
		b->probe->last->next = c;
	else
		b->probe->first = c;
	b->probe->last = c;
	return true;
}

static void call_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	if (a->flags & ZB_ANALYZER_REMOVED || a->def->data == NULL)
		return;
	uint8_t was = zb_meter_enter(analysis_of(a->branch), ZB_METER_ANALYZERS + a->id);

	zb_meter_data(analysis_of(a->branch), a->id, n);
	a->def->data(a, side, d, n);
	zb_meter_leave(analysis_of(a->branch), was);
}

static void call_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	if (a->flags & ZB_ANALYZER_REMOVED || a->def->gap == NULL)
		return;
	uint8_t was = zb_meter_enter(analysis_of(a->branch), ZB_METER_ANALYZERS + a->id);

	a->def->gap(a, side, n);
	zb_meter_leave(analysis_of(a->branch), was);
}

/* The last to be called now: one that is attached meanwhile begins with what follows. */
static const struct zb_analyzer *last_of(const struct zb_branch *b)
{
	const struct zb_analyzer *a = b->first;

	while (a != NULL && a->next != NULL)
		a = a->next;
	return a;
}

/* What side has become if an analyzer has swapped the roles since flips. */
static unsigned side_now(const struct zb_branch *b, unsigned side, uint8_t flips)
{
	return side ^ ((b->session->flips ^ flips) & 1u);
}

static void free_analyzer(struct zb_branch *b, struct zb_analyzer *a)
{
	if (a->def->end != NULL) {
		uint8_t was = zb_meter_enter(analysis_of(b), ZB_METER_ANALYZERS + a->id);

		a->def->end(a);
		zb_meter_leave(analysis_of(b), was);
	}
	analysis_of(b)->stat->analyzers[a->id]--;
	zb_mem_put(&analysis_of(b)->mem, a->def->mem, a, a->def->state_bytes);
}

void zb_branch_sweep(struct zb_branch *b)
{
	struct zb_analyzer **link = &b->first, *a;

	if (b->busy)
		return;
	if (!b->probing)
		free_probe(b);
	b->busy = true; /* end() may call back */
	while ((a = *link) != NULL) {
		if (a->flags & ZB_ANALYZER_REMOVED) {
			*link = a->next;
			free_analyzer(b, a);
		} else {
			link = &a->next;
		}
	}
	b->busy = false;
}

void zb_branch_fini(struct zb_branch *b)
{
	struct zb_analyzer *a;

	b->probing = false;
	free_probe(b);
	b->busy = true; /* what end() asks for is nobody's any more */
	while ((a = b->first) != NULL) {
		b->first = a->next;
		free_analyzer(b, a);
	}
}

struct zb_analyzer *zb_branch_attach(struct zb_branch *b, enum zb_analyzer_id id)
{
	const struct zb_analyzer_def *def = analysis_of(b)->registry->def[id];
	struct zb_analyzer **link = &b->first, *a;

	if (b->tried >> id & 1)
		return NULL;
	a = zb_mem_get(&analysis_of(b)->mem, def->mem, def->state_bytes);
	if (a == NULL) {
		zb_mem_shed(&analysis_of(b)->mem, def->mem);
		return NULL;
	}
	analysis_of(b)->stat->analyzers[id]++;
	b->tried |= 1ull << id;
	if (def->announces)
		b->session->flags |= ZB_SESSION_ANNOUNCES;
	a->def = def;
	a->branch = b;
	a->id = (uint8_t)id;
	while (*link != NULL)
		link = &(*link)->next;
	*link = a;
	if (def->begin != NULL)
		def->begin(a);
	return a;
}

/* A new analyzer gets all that was kept, even if it confirms on the way. */
static void replay(struct zb_branch *b, struct zb_analyzer *a)
{
	if (b->probe == NULL)
		return;
	for (const struct probe_chunk *c = b->probe->first; c != NULL; c = c->next) {
		if (c->is_gap)
			call_gap(a, c->side, c->n);
		else
			call_data(a, c->side, c->data, c->n);
	}
}

/* Copies what was kept of a side to room; returns how many bytes. */
static size_t kept_of(const struct zb_branch *b, unsigned side, uint8_t *room, size_t room_bytes)
{
	size_t at = 0;

	for (const struct probe_chunk *c = b->probe != NULL ? b->probe->first : NULL; c != NULL;
	     c = c->next) {
		size_t part = c->n < room_bytes - at ? c->n : room_bytes - at;

		if (c->side != side || c->is_gap)
			continue;
		memcpy(room + at, c->data, part);
		at += part;
	}
	return at;
}

/* All a side's bytes so far in one piece: d when nothing was kept of it, else put together. */
static const uint8_t *all_of(const struct zb_branch *b, unsigned side, const uint8_t *d, size_t *n,
			     uint8_t *room, size_t room_bytes)
{
	size_t at = b->is_tcp ? kept_of(b, side, room, room_bytes) : 0;

	if (at == 0)
		return d;
	if (*n > room_bytes - at)
		*n = room_bytes - at;
	memcpy(room + at, d, *n);
	*n += at;
	return room;
}

/*
 * While nobody reads the stream, each segment may be a beginning (Zeek matches packets then, and
 * the stream only once it is reassembled for an analyzer).
 */
static bool by_segment(const struct zb_branch *b)
{
	return b->is_tcp && b->tried == 0 && b->depth == 0;
}

/*
 * Those of ask that n bytes at d turn out to be; what they cannot be is taken out of *maybe. Those
 * in late may be, by their first byte, and are not asked.
 */
static uint64_t ask_all(const struct zb_branch *b, unsigned side, uint64_t ask, uint64_t late,
			const uint8_t *d, size_t n, uint64_t *maybe)
{
	const struct zb_registry *r = analysis_of(b)->registry;
	uint64_t yes = 0;

	ask &= r->first_byte[b->is_tcp ? ZB_VIA_TCP : ZB_VIA_UDP][side][d[0]];
	*maybe = ask;
	for (ask &= ~late; ask != 0; ask &= ask - 1) {
		unsigned id = (unsigned)__builtin_ctzll(ask);
		enum zb_match m = r->def[id]->match[side](d, n);

		if (m == ZB_MATCH_YES)
			yes |= 1ull << id;
		if (m != ZB_MATCH_MORE)
			*maybe &= ~(1ull << id);
	}
	return yes;
}

/* The other side has just matched those of ask: what was kept of this one is looked at now. */
static void look_late(struct zb_branch *b, unsigned side, uint64_t ask)
{
	uint8_t room[2 * PROBE_BYTES];
	size_t n = kept_of(b, side, room, sizeof(room));
	uint64_t rest;

	if (n == 0)
		return;
	b->matched[side] |= ask_all(b, side, ask & b->maybe[side], 0, room, n, &rest);
	b->maybe[side] = (b->maybe[side] & ~ask) | rest;
	if (!by_segment(b))
		return;
	for (const struct probe_chunk *c = b->probe->first; c != NULL; c = c->next)
		if (c->side == side && !c->is_gap)
			b->matched[side] |= ask_all(b, side, ask, 0, c->data, c->n, &rest);
}

/* Asks about a chunk of a side, and so finds what it matches. */
static void look_at(struct zb_branch *b, unsigned side, const uint8_t *d, size_t n)
{
	const struct zb_registry *r = analysis_of(b)->registry;
	uint64_t any = r->match_any[b->is_tcp ? ZB_VIA_TCP : ZB_VIA_UDP][side] & ~b->tried &
		       ~b->matched[side],
		 late = r->match_late[side] & r->match_both & ~b->matched[!side], rest;
	uint8_t room[2 * PROBE_BYTES];
	size_t all_n = n;
	const uint8_t *all = all_of(b, side, d, &all_n, room, sizeof(room));

	if (b->is_tcp) {
		b->matched[side] |= ask_all(b, side, b->maybe[side] & any, late, all, all_n, &rest);
		b->maybe[side] = rest;
	}
	if (!b->is_tcp || (all != d && by_segment(b)))
		b->matched[side] |= ask_all(b, side, any, late, d, n, &rest);
}

/* Which analyzers does this chunk show, that were not shown before? */
static uint64_t look(struct zb_branch *b, unsigned side, const uint8_t *d, size_t n)
{
	const struct zb_registry *r = analysis_of(b)->registry;
	uint64_t ready = ~r->match_both, late;

	look_at(b, side, d, n);
	late = r->match_late[!side] & r->match_both & b->matched[side] & ~b->matched[!side] &
	       ~b->tried;
	if (late != 0)
		look_late(b, !side, late);
	ready |= b->matched[ZB_ORIG] & b->matched[ZB_RESP];
	/*
	 * One that needs both sides may find the other one and read on in the next packet. So may
	 * one whose server has greeted so far, as its client is not asked yet.
	 */
	if ((b->matched[side] | (side == ZB_RESP ? b->maybe[side] & r->match_late[ZB_ORIG] : 0)) &
	    r->announcers)
		b->session->flags |= ZB_SESSION_ANNOUNCES;
	return (b->matched[ZB_ORIG] | b->matched[ZB_RESP]) & ready & ~b->tried;
}

/* Nothing can be found any more? */
static bool is_settled(const struct zb_branch *b)
{
	uint64_t both = analysis_of(b)->registry->match_both, left;

	if (b->probe_bytes >= PROBE_BYTES || b->probe_chunks >= PROBE_CHUNKS)
		return true;
	if (!b->is_tcp || by_segment(b))
		return false;
	left = (b->maybe[ZB_ORIG] | b->maybe[ZB_RESP]) & ~b->tried;
	/* Those that need both sides need each to be possible still. */
	left &= ~both | ((b->maybe[ZB_ORIG] | b->matched[ZB_ORIG]) &
			 (b->maybe[ZB_RESP] | b->matched[ZB_RESP]));
	return left == 0;
}

static void probe_data(struct zb_branch *b, unsigned side, const uint8_t *d, size_t n)
{
	uint64_t found = look(b, side, d, n);
	uint8_t flips = b->session->flips;
	uint32_t bytes = b->probe_bytes + (uint32_t)(n < PROBE_BYTES ? n : PROBE_BYTES);

	while (found != 0 && b->probing) {
		unsigned id = (unsigned)__builtin_ctzll(found);
		struct zb_analyzer *a = zb_branch_attach(b, id);

		found &= found - 1;
		if (a == NULL)
			continue;
		replay(b, a);
		call_data(a, side_now(b, side, flips), d, n);
	}
	if (!b->probing)
		return;
	b->probe_bytes = (uint16_t)bytes;
	b->probe_chunks++;
	if (is_settled(b) || !keep(b, side_now(b, side, flips), d, n, false))
		zb_branch_settle(b);
}

void zb_branch_data(struct zb_branch *b, unsigned side, const uint8_t *d, size_t n)
{
	const struct zb_analyzer *last = last_of(b);
	uint8_t flips = b->session->flips;
	bool was_busy = b->busy;

	if (n == 0)
		return;
	zb_mem_for(&analysis_of(b)->mem, &b->session->mem);
	b->busy = true;
	for (struct zb_analyzer *a = b->first; a != NULL; a = a == last ? NULL : a->next)
		call_data(a, side_now(b, side, flips), d, n);
	if (b->probing)
		probe_data(b, side_now(b, side, flips), d, n);
	b->busy = was_busy;
	zb_branch_sweep(b);
}

void zb_branch_gap(struct zb_branch *b, unsigned side, uint64_t n)
{
	const struct zb_analyzer *last = last_of(b);
	uint8_t flips = b->session->flips;
	bool was_busy = b->busy;

	zb_mem_for(&analysis_of(b)->mem, &b->session->mem);
	b->busy = true;
	for (struct zb_analyzer *a = b->first; a != NULL; a = a == last ? NULL : a->next)
		call_gap(a, side_now(b, side, flips), n);
	if (b->probing) {
		b->probe_chunks++;
		if (b->probe_chunks >= PROBE_CHUNKS || n > UINT32_MAX ||
		    !keep(b, side_now(b, side, flips), NULL, n, true))
			zb_branch_settle(b);
	}
	b->busy = was_busy;
	zb_branch_sweep(b);
}

void zb_branch_fin(struct zb_branch *b, unsigned side)
{
	const struct zb_analyzer *last = last_of(b);
	uint8_t flips = b->session->flips;
	bool was_busy = b->busy;

	zb_mem_for(&analysis_of(b)->mem, &b->session->mem);
	b->busy = true;
	for (struct zb_analyzer *a = b->first; a != NULL; a = a == last ? NULL : a->next)
		if (!(a->flags & ZB_ANALYZER_REMOVED) && a->def->fin != NULL)
			a->def->fin(a, side_now(b, side, flips));
	b->busy = was_busy;
	zb_branch_sweep(b);
}

void zb_branch_flip(struct zb_branch *b)
{
	uint64_t set = b->maybe[0];
	bool was_busy = b->busy;

	b->maybe[0] = b->maybe[1];
	b->maybe[1] = set;
	set = b->matched[0];
	b->matched[0] = b->matched[1];
	b->matched[1] = set;
	for (struct probe_chunk *c = b->probe != NULL ? b->probe->first : NULL; c != NULL;
	     c = c->next)
		c->side = !c->side;
	b->busy = true;
	for (struct zb_analyzer *a = b->first; a != NULL; a = a->next)
		if (!(a->flags & ZB_ANALYZER_REMOVED) && a->def->flip != NULL)
			a->def->flip(a);
	b->busy = was_busy;
	zb_branch_sweep(b);
}

struct zb_branch *zb_branch_open(struct zb_analyzer *a, bool is_tcp)
{
	struct zb_mem *mem = &zb_analyzer_analysis(a)->mem;
	struct zb_branch *b;

	if (a->branch->depth == ZB_BRANCH_DEPTH)
		return NULL;
	b = zb_mem_get(mem, ZB_MEM_stream, sizeof(*b));
	if (b == NULL) {
		zb_mem_shed(mem, ZB_MEM_stream);
		return NULL;
	}
	zb_branch_init(b, a->branch->session, is_tcp, a->branch->depth + 1u);
	return b;
}

void zb_branch_close(struct zb_branch *b)
{
	if (b == NULL)
		return;
	zb_branch_fini(b);
	zb_mem_put(&analysis_of(b)->mem, ZB_MEM_stream, b, sizeof(*b));
}
