/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c - the rules but those of traffic, and their order; see verdict.h */
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "bench/verdict_priv.h"

#define MIB 1048576.0

#define PKTS_MIN    2000 /* fewer say nothing */
#define OWN_S_MIN   0.002
#define DROP_RATIO  0.001
#define LAG_S	    0.1
#define SATURATED   0.95
#define UNEVEN	    1.6 /* the busiest worker's part of an even share */
#define BUSY_MIN    0.5
#define WAIT_RATIO  0.1
#define STARVED	    0.2
#define NOISE_RATIO 0.05 /* results are off by as much; beyond 0.01 a run is not clean */

const char *const zb_verdict_name_of[ZB_VERDICT_NR] = {
	[ZB_VERDICT_KEEPING_UP] = "keeping-up",
	[ZB_VERDICT_OVERLOADED] = "overloaded",
	[ZB_VERDICT_PATHOLOGICAL] = "pathological-traffic",
	[ZB_VERDICT_UNEVEN] = "uneven-load",
	[ZB_VERDICT_STATE_GROWTH] = "state-growth",
	[ZB_VERDICT_LEAK] = "leak",
	[ZB_VERDICT_LOG_BEHIND] = "log-writer-behind",
	[ZB_VERDICT_NOISY_HOST] = "noisy-host",
	[ZB_VERDICT_UNDECIDED] = "undecided",
};

struct zb_verdict_finding *zb_verdict_found(struct zb_verdict *v, enum zb_verdict_name name)
{
	for (unsigned i = 0; i < v->nr; i++)
		if (v->found[i].name == name)
			return &v->found[i];
	memset(&v->found[v->nr], 0, sizeof(v->found[0]));
	v->found[v->nr].name = name;
	return &v->found[v->nr++];
}

/* Twice the threshold is three quarters sure, four times it seven eighths. */
static double sureness(double value, double threshold)
{
	double sure = value > threshold && value > 0 ? 1 - 0.5 * threshold / value : 0.5;

	return sure < 0.99 ? sure : 0.99;
}

void zb_verdict_because(struct zb_verdict_finding *f, struct zb_verdict_measure m, const char *fmt,
			...)
{
	struct zb_verdict_reason *r = &f->because[f->because_nr];
	double sure = sureness(m.value, m.threshold);
	va_list ap;

	f->confidence = sure > f->confidence ? sure : f->confidence;
	if (f->because_nr == ZB_VERDICT_REASONS)
		return;
	f->because_nr++;
	r->value = m.value;
	r->threshold = m.threshold;
	r->unit = m.unit;
	r->see = m.see;
	va_start(ap, fmt);
	vsnprintf(r->what, sizeof(r->what), fmt, ap);
	va_end(ap);
}

static double own_cycles(const struct zb_lcore_stat *s)
{
	double sum = 0;

	for (unsigned i = 0; i < ZB_STAGE_idle; i++)
		sum += (double)zb_stat_own_cycles(s, i);
	return sum;
}

/* ---- memory ---- */

static void judge_leak(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	const struct zb_trend *t = &in->growth->uncounted;
	struct zb_verdict_finding *f;

	if (in->growth->leak != ZB_GROWTH_LEAK)
		return;
	f = zb_verdict_found(v, ZB_VERDICT_LEAK);
	zb_verdict_because(
		f, (struct zb_verdict_measure){"memory.growth.uncounted", "bytes", t->change, MIB},
		"memory of no known kind grows by %.0f bytes a second (%.0f to %.0f)", t->slope,
		t->low, t->high);
	if (in->grower != NULL)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"memory.growth.growers", "bytes",
							       in->grower_bytes,
							       in->grower_bytes / 2},
				   "most of what was added is held by %.60s()", in->grower);
	f->function = in->grower;
}

static void judge_state(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	const struct zb_growth *g = in->growth;
	struct zb_verdict_finding *f;

	if (g->top == UINT_MAX && g->conn_state != ZB_GROWTH_NO_EXPIRY)
		return;
	f = zb_verdict_found(v, ZB_VERDICT_STATE_GROWTH);
	if (g->conn_state == ZB_GROWTH_NO_EXPIRY) {
		f->kind = "connections";
		f->stage = zb_stage_name[ZB_STAGE_expire];
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"memory.growth.connections",
							       "of all connections",
							       g->overdue_ratio, ZB_GROWTH_OVERDUE},
				   "%.0f connections are in memory though their time is up",
				   g->overdue);
	}
	if (g->top != UINT_MAX) {
		const struct zb_trend *t = &g->kind[g->top].trend;

		f->kind = f->kind != NULL ? f->kind : in->kinds[g->top].name;
		f->function = in->grower;
		zb_verdict_because(
			f,
			(struct zb_verdict_measure){"memory.growth.kinds", "bytes", t->change,
						    t->level / 20},
			"%s grows by %.0f bytes a second (%.0f to %.0f), connections do not",
			in->kinds[g->top].name, t->slope, t->low, t->high);
	}
	if (g->cap_in_s > 0)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"memory.growth.cap_in_s", "s",
							       g->cap_in_s, 0},
				   "until --memcap is reached, at this pace");
}

/* ---- machine and logs ---- */

static void judge_noise(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	if (in->lost_ratio <= NOISE_RATIO)
		return;
	zb_verdict_because(zb_verdict_found(v, ZB_VERDICT_NOISY_HOST),
			   (struct zb_verdict_measure){"host_noise", "of the time", in->lost_ratio,
						       NOISE_RATIO},
			   "the worker on CPU %u was without its CPU, up to %.1f ms at a time%s%s",
			   in->noisy_cpu, in->gap_max_ms, in->neighbour != NULL ? "; most by " : "",
			   in->neighbour != NULL ? in->neighbour : "");
}

/* A writer that had no CPU is the machine's doing, unless rows were lost. */
static void judge_logs(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	double lost = (double)in->sum->c[ZB_C_log_rows_lost], failed = (double)in->rows_failed;
	double wait = (double)in->sum->c[ZB_C_log_wait_cycles] / (own_cycles(in->sum) + 1);
	double once = (double)in->sum->c[ZB_C_once_wait_cycles] / (own_cycles(in->sum) + 1);
	bool starved = in->writer_starved > STARVED;
	struct zb_verdict_finding *f;

	if (!(lost > 0) && !(failed > 0) && ((wait <= WAIT_RATIO && once <= WAIT_RATIO) || starved))
		return;
	f = zb_verdict_found(v, ZB_VERDICT_LOG_BEHIND);
	f->stage = zb_stage_name[ZB_STAGE_log];
	f->kind = "log writer";
	if (lost > 0)
		zb_verdict_because(
			f, (struct zb_verdict_measure){"totals.log_rows_lost", "rows", lost, 0},
			"rows were dropped since no buffer was free");
	if (failed > 0)
		zb_verdict_because(f, (struct zb_verdict_measure){"logs", "rows", failed, 0},
				   "rows could not be written to their files");
	if (wait > WAIT_RATIO)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"totals.log_wait_cycles",
							       "of the cycles", wait, WAIT_RATIO},
				   "workers waited for the log writer");
	if (once > WAIT_RATIO)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"totals.once_wait_cycles",
							       "of the cycles", once, WAIT_RATIO},
				   "workers waited for the reporter, which writes what is logged "
				   "once");
	if (starved)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"host_noise.writer_wait_ms",
							       "of the time", in->writer_starved,
							       STARVED},
				   "the log writer was ready, but had no CPU");
}

/* ---- load ---- */

static void judge_uneven(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	double part = in->own_share_max * in->lcore_nr;
	double busy = own_cycles(in->sum) * in->own_share_max / (in->tsc_hz * in->seconds);

	if (in->lcore_nr < 2 || part <= UNEVEN)
		return;
	/* In an open loop a worker that has time to spare harms nobody. */
	if (in->open_loop && in->dropped == 0 && busy < BUSY_MIN * (1 - in->lost_ratio))
		return;
	zb_verdict_because(zb_verdict_found(v, ZB_VERDICT_UNEVEN),
			   (struct zb_verdict_measure){"lcores", "of an even share", part, UNEVEN},
			   "the worker on CPU %u did %.0f %% of all work, of %u workers",
			   in->busiest_cpu, 100 * in->own_share_max, in->lcore_nr);
}

static unsigned dearest_stage(const struct zb_lcore_stat *s)
{
	unsigned at = 0;

	for (unsigned i = 1; i < ZB_STAGE_idle; i++)
		at = zb_verdict_stage_cost(s, i) > zb_verdict_stage_cost(s, at) ? i : at;
	return at;
}

/*
 * What came, beside what the workers could have taken in that time at what a packet cost them.
 * Bursts are lost though that would have been enough.
 */
static void judge_overload(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	const struct zb_lcore_stat *s = in->sum;
	double link = (double)s->c[ZB_C_pkts_link], dropped = (double)in->dropped / (link + 1);
	double worked = own_cycles(s) / (in->tsc_hz * in->seconds * in->lcore_nr);
	double can = (double)s->c[ZB_C_pkts_proc] / (worked > 0.001 ? worked : 0.001);
	double lag_s = (double)zb_lag_at(&s->lag, 0.99) / 1e9;
	bool lags = lag_s > LAG_S && in->busy_share > SATURATED;
	struct zb_verdict_finding *f;

	if (!in->open_loop || (dropped <= DROP_RATIO && !lags))
		return;
	if (link < can && in->lost_ratio > NOISE_RATIO)
		return; /* the machine took what would have been enough */
	f = zb_verdict_found(v, ZB_VERDICT_OVERLOADED);
	f->stage = zb_stage_name[dearest_stage(s)];
	if (dropped > DROP_RATIO)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"totals.pkts_dropped",
							       "of the packets", dropped,
							       DROP_RATIO},
				   "%llu packets found a full receive queue",
				   (unsigned long long)in->dropped);
	if (lags)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"totals.pkt_lag", "s", lag_s, LAG_S},
				   "one packet in a hundred was taken later than that");
	if (link >= can)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"totals.own_cycles_per_pkt",
							       "packets", link, can},
				   "more came than %u worker%s can take, at %.0f cycles each",
				   in->lcore_nr, in->lcore_nr == 1 ? "" : "s", zb_verdict_cost(s));
	else if (dropped > DROP_RATIO)
		zb_verdict_because(
			f, (struct zb_verdict_measure){"totals.busy_ratio", "packets", link, can},
			"on the whole there was time: bursts are longer than --rx-desc");
}

/* ---- the whole ---- */

/* Nothing was found: does anything speak for keeping up? */
static void judge_nothing(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	double pkts = (double)in->sum->c[ZB_C_pkts_proc];
	struct zb_verdict_finding *f;

	if (in->dropped != 0) {
		f = zb_verdict_found(v, ZB_VERDICT_UNDECIDED);
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"totals.pkts_dropped", "packets",
							       (double)in->dropped, 0},
				   "packets were lost, and nothing explains why");
		f->confidence = 0;
		return;
	}
	f = zb_verdict_found(v, ZB_VERDICT_KEEPING_UP);
	zb_verdict_because(
		f, (struct zb_verdict_measure){"totals.pkts_proc", "packets", pkts, 0}, "%s",
		in->open_loop ? "all were analysed, at the rate at which they came"
			      : "all were analysed, as fast as the workers could (closed loop)");
	if (!in->is_slow)
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"totals.own_cycles_per_pkt",
							       "cycles a packet",
							       zb_verdict_cost(in->sum), 0},
				   "what a packet cost is usual for such traffic");
	f->confidence = in->lost_ratio > NOISE_RATIO ? 0.6 : 0.9;
}

/* What explains a loss comes before what does not. */
static unsigned rank(const struct zb_verdict_in *in, enum zb_verdict_name name)
{
	static const unsigned char order[ZB_VERDICT_NR] = {
		[ZB_VERDICT_LEAK] = 1,	       [ZB_VERDICT_STATE_GROWTH] = 2,
		[ZB_VERDICT_PATHOLOGICAL] = 3, [ZB_VERDICT_LOG_BEHIND] = 4,
		[ZB_VERDICT_UNEVEN] = 5,       [ZB_VERDICT_OVERLOADED] = 6,
		[ZB_VERDICT_NOISY_HOST] = 7,   [ZB_VERDICT_KEEPING_UP] = 8,
		[ZB_VERDICT_UNDECIDED] = 9,
	};
	bool explains = name == ZB_VERDICT_PATHOLOGICAL || name == ZB_VERDICT_UNEVEN ||
			name == ZB_VERDICT_OVERLOADED;

	return in->dropped != 0 && explains ? order[name] : 10u + order[name];
}

static void sort(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	for (unsigned i = 1; i < v->nr; i++) {
		struct zb_verdict_finding f = v->found[i];
		unsigned at = i;

		for (; at > 0 && rank(in, v->found[at - 1].name) > rank(in, f.name); at--)
			v->found[at] = v->found[at - 1];
		v->found[at] = f;
	}
}

static bool says_enough(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	double pkts = (double)in->sum->c[ZB_C_pkts_proc];
	double own_s = own_cycles(in->sum) / (in->tsc_hz > 0 ? in->tsc_hz : 1);
	struct zb_verdict_finding *f;

	if (!in->broken && in->tsc_hz > 0 && pkts >= PKTS_MIN && own_s >= OWN_S_MIN &&
	    in->seconds > 0)
		return true;
	f = zb_verdict_found(v, ZB_VERDICT_UNDECIDED);
	if (in->broken)
		zb_verdict_because(
			f, (struct zb_verdict_measure){"verdict.status", "packets", pkts, PKTS_MIN},
			"the run was not completed, or not with the full engine");
	else
		zb_verdict_because(f,
				   (struct zb_verdict_measure){"totals.pkts_proc", "packets", pkts,
							       PKTS_MIN},
				   "the run was too short: %.4f s of work", own_s);
	f->confidence = 0;
	return false;
}

void zb_verdict_judge(const struct zb_verdict_in *in, struct zb_verdict *out)
{
	memset(out, 0, sizeof(*out));
	out->cost_judged = !in->is_slow;
	if (!says_enough(in, out))
		return;
	judge_leak(in, out);
	judge_state(in, out);
	zb_verdict_traffic(in, out);
	judge_logs(in, out);
	judge_uneven(in, out);
	judge_overload(in, out);
	judge_noise(in, out);
	if (out->nr == 0 ||
	    (out->nr == 1 && out->found[0].name == ZB_VERDICT_NOISY_HOST && in->dropped == 0))
		judge_nothing(in, out);
	sort(in, out);
}
