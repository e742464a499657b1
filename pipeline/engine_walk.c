/* SPDX-License-Identifier: Apache-2.0 */
/* engine_walk.c - one burst through the stages, plain or with the counter read between them */
#include "pipeline/engine_priv.h"
#include "pipeline/frag.h"
#include "pipeline/meter.h"

static void touch(struct zb_engine *e)
{
	e->conf.stat->fate[ZB_FATE_touched] += e->b.live_nr;
}

void zb_walk(struct zb_engine *e)
{
	zb_stage_decode(e);
	if (e->conf.mode == ZB_ENGINE_TOUCH) {
		touch(e);
		return;
	}
	zb_stage_flow(e);
	for (uint16_t i = 0; i < e->b.live_nr;) {
		i = zb_stage_conn(e, i);
		zb_stage_stream(e);
	}
	zb_stage_expire(e);
	zb_stage_log(e);
	zb_frag_release(e->decoder.frag);
}

/* What of the time from then to now the thread was not running. */
static uint64_t taken_since(struct zb_engine *e, uint64_t from, uint64_t now)
{
	uint64_t taken = zb_gap_taken(&e->gaps, now);

	if (__builtin_expect(taken != 0, 0)) {
		taken = taken < now - from ? taken : now - from;
		e->taken += taken;
	}
	return taken;
}

/* A stage is over: how long it took, and what of that it was not running. */
static uint64_t stage_end(struct zb_engine *e, enum zb_stage stage, uint64_t from)
{
	uint64_t now = zb_mark(&e->conf.stat->stage_cycles[stage], from);
	uint64_t taken = taken_since(e, from, now);

	if (__builtin_expect(taken != 0, 0))
		e->conf.stat->gap_cycles[stage] += taken;
	return now;
}

/* The conn and stream stages by turns, at each of which the counter is read only where asked. */
static uint64_t walk_turns(struct zb_engine *e, uint64_t t)
{
	struct zb_lcore_stat *st = e->conf.stat;
	bool timed = zb_turns_timed(&e->turns);
	struct zb_turns_took took = {0};
	uint64_t from = t, taken = e->taken, now;

	if (e->b.live_nr == 0)
		return t;
	for (uint16_t i = 0; i < e->b.live_nr; took.turns++) {
		zb_at(e, ZB_STAGE_conn);
		i = zb_stage_conn(e, i);
		if (timed) {
			now = zb_mark(&took.first, t);
			took.first_taken += taken_since(e, t, now);
			t = now;
		}
		zb_at(e, ZB_STAGE_stream);
		zb_stage_stream(e);
		if (timed || i == e->b.live_nr) { /* the last turn's end is that of both */
			now = rte_rdtsc();
			(void)taken_since(e, t, now);
			t = now;
		}
	}
	took.both = t - from;
	took.pkts = e->b.live_nr;
	took.both_taken = e->taken - taken;
	zb_turns_end(&e->turns, timed, &took);
	st->stage_cycles[ZB_STAGE_conn] += took.first;
	st->stage_cycles[ZB_STAGE_stream] += took.both - took.first;
	st->gap_cycles[ZB_STAGE_conn] += took.first_taken;
	st->gap_cycles[ZB_STAGE_stream] += took.both_taken - took.first_taken;
	return t;
}

uint64_t zb_walk_marked(struct zb_engine *e, uint64_t t)
{
	t = stage_end(e, ZB_STAGE_rx, t);
	zb_at(e, ZB_STAGE_decode);
	zb_stage_decode(e);
	t = stage_end(e, ZB_STAGE_decode, t);
	if (e->conf.mode == ZB_ENGINE_TOUCH) {
		touch(e);
		return t;
	}
	zb_at(e, ZB_STAGE_flow);
	zb_stage_flow(e);
	t = stage_end(e, ZB_STAGE_flow, t);
	if (e->an.meter != NULL && t >= e->an.meter->next)
		zb_meter_begin(&e->an);
	t = walk_turns(e, t);
	zb_at(e, ZB_STAGE_expire);
	zb_meter_stage(&e->an, ZB_METER_EXPIRE);
	zb_stage_expire(e);
	t = stage_end(e, ZB_STAGE_expire, t);
	zb_at(e, ZB_STAGE_log);
	zb_meter_stage(&e->an, ZB_METER_LOG);
	zb_stage_log(e);
	if (e->an.metering)
		zb_meter_end(&e->an);
	zb_frag_release(e->decoder.frag);
	return stage_end(e, ZB_STAGE_log, t);
}
