/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict_traffic.c - is it the traffic? Cost and state per packet far beyond what clean traffic
 * has
 *
 * What a stage usually costs follows from what a packet brings: itself, its bytes, new connections
 * and rows. The figures were fitted to the clean profiles (office, campus, imix, microburst, onoff)
 * from above, on one machine; a machine that is twice as slow per cycle is within the factor.
 */
#include <string.h>

#include "bench/verdict_priv.h"

#define TIMES_USUAL    3     /* a stage that costs more than so many times the usual, ... */
#define OF_ALL	       0.25  /* ... whose excess is so much of all cycles ... */
#define EXCESS_MIN     500.0 /* ... and of a packet's, ... */
#define EXCESS_S       0.02  /* ... and takes longer than a hypervisor stops a guest for, unseen */
#define CALL_TIMES     4
#define CALLS_MIN      20
#define CALL_SHARE     0.05
#define FLOWS_PER_PKT  0.6 /* question and answer are half a flow each */
#define FLOWS_MIN      5000
#define WEIRD_PER_PKT  0.2
#define WEIRD_SHARE    0.3 /* of all oddities: a lesser one is no culprit */
#define PLACE_SHARE    0.5 /* of all oddities: are found in one stage */
#define ROWS_PER_PKT   1.2
#define FILES_PER_PKT  0.75 /* small requests and replies, each with a body, have two in three */
#define STATE_PER_BYTE 1.5
#define STATE_MIN      (4.0 * 1048576)
#define CONN_STATE     3072.0 /* what a connection holds while data are exchanged */

/*
 * Cycles of a stage by packet, byte, new connection and row. What taking packets costs (rx) is a
 * matter of the source, not of what is in them.
 */
static const struct {
	double pkt, byte, conn, row;
} usual[ZB_STAGE_NR] = {
	[ZB_STAGE_decode] = {150, 0.8, 0, 0},	[ZB_STAGE_flow] = {150, 0, 300, 0},
	[ZB_STAGE_conn] = {300, 0.05, 1400, 0}, [ZB_STAGE_stream] = {400, 4, 500, 1500},
	[ZB_STAGE_log] = {150, 0, 1600, 0},	[ZB_STAGE_expire] = {100, 0, 300, 0},
};

double zb_verdict_call_max(double bytes_per_call)
{
	return CALL_TIMES * (4000 + 6 * bytes_per_call);
}

double zb_verdict_stage_cost(const struct zb_lcore_stat *s, unsigned stage)
{
	double own = (double)zb_stat_own_cycles(s, stage), pkts = (double)s->c[ZB_C_pkts_proc];

	/* Rows are written in two stages; which of them waited is not told. */
	if (stage == ZB_STAGE_log || stage == ZB_STAGE_stream)
		own -= (double)s->c[ZB_C_log_wait_cycles];
	return own > 0 && pkts > 0 ? own / pkts : 0;
}

double zb_verdict_cost(const struct zb_lcore_stat *s)
{
	double sum = 0;

	for (unsigned i = 0; i < ZB_STAGE_idle; i++)
		sum += zb_verdict_stage_cost(s, i);
	return sum;
}

struct load {
	double pkts;
	double bytes, conns, rows, weirds, files; /* per packet */
};

static struct load load_of(const struct zb_lcore_stat *s)
{
	double pkts = (double)s->c[ZB_C_pkts_proc];
	uint64_t rows = 0;

	for (unsigned i = 0; i < ZB_LOG_STREAMS_MAX; i++)
		rows += s->log_rows[i];
	return (struct load){
		.pkts = pkts,
		.bytes = (double)s->c[ZB_C_bytes_recv] / pkts,
		.conns = (double)(s->c[ZB_C_tcp_conns] + s->c[ZB_C_udp_conns] +
				  s->c[ZB_C_icmp_conns] + s->c[ZB_C_other_conns]) /
			 pkts,
		.rows = (double)rows / pkts,
		.weirds = (double)s->c[ZB_C_weirds] / pkts,
		.files = (double)s->c[ZB_C_files] / pkts,
	};
}

static double usual_cost(unsigned stage, const struct load *l)
{
	return usual[stage].pkt + usual[stage].byte * l->bytes + usual[stage].conn * l->conns +
	       usual[stage].row * l->rows;
}

static void name_culprit(const struct zb_verdict_in *in, unsigned stage,
			 struct zb_verdict_finding *f)
{
	const struct zb_verdict_function *hot = &in->hot[stage];

	f->stage = zb_stage_name[stage];
	if (hot->name[0] != '\0')
		f->function = hot->name;
	if (stage == ZB_STAGE_stream && in->largest.name != NULL && in->largest.share >= OF_ALL)
		f->analyzer = in->largest.name;
	f->flow = in->flow;
}

/* Whether a packet's cost in one place, out of that in all, is beyond all that is usual. */
static bool is_excess(const struct zb_verdict_in *in, double cost, double is_usual, double all)
{
	double excess = cost - is_usual, pkts = (double)in->sum->c[ZB_C_pkts_proc];

	return cost > TIMES_USUAL * is_usual && excess > EXCESS_MIN && excess > OF_ALL * all &&
	       excess * pkts > EXCESS_S * in->tsc_hz;
}

/*
 * The stream stage is dear where files are hashed, and cheap where they are not: what is not of
 * files is held against what analyzers take.
 */
static void judge_analyzers(const struct zb_verdict_in *in, const struct load *l,
			    struct zb_verdict *v)
{
	double all = zb_verdict_cost(in->sum), files = in->files_share * all;
	double cost = zb_verdict_stage_cost(in->sum, ZB_STAGE_stream) - files;
	double is_usual = 400 + 0.6 * l->bytes + 500 * l->conns + 1500 * l->rows;
	struct zb_verdict_finding *f;

	if (in->files_share < 0 || !is_excess(in, cost, is_usual, all))
		return;
	f = zb_verdict_found(v, ZB_VERDICT_PATHOLOGICAL);
	zb_verdict_because(f,
			   (struct zb_verdict_measure){"cost.places", "cycles a packet", cost,
						       TIMES_USUAL * is_usual},
			   "analyzers cost far more than packets like these usually do");
	if (f->stage == NULL)
		name_culprit(in, ZB_STAGE_stream, f);
	if (in->hot_analyzer.name[0] != '\0' && f->because_nr == 1)
		f->function = in->hot_analyzer.name;
}

/* The stage whose excess is largest, if any is beyond all that is usual. */
static void judge_stages(const struct zb_verdict_in *in, const struct load *l, struct zb_verdict *v)
{
	double all = zb_verdict_cost(in->sum) - zb_verdict_stage_cost(in->sum, ZB_STAGE_rx);
	struct zb_verdict_finding *f;
	unsigned worst = ZB_STAGE_NR;
	double most = 0;

	for (unsigned i = ZB_STAGE_rx + 1; i < ZB_STAGE_idle; i++) {
		double cost = zb_verdict_stage_cost(in->sum, i), is_usual = usual_cost(i, l);

		if (is_excess(in, cost, is_usual, all) && cost - is_usual > most) {
			most = cost - is_usual;
			worst = i;
		}
	}
	if (worst == ZB_STAGE_NR)
		return;
	f = zb_verdict_found(v, ZB_VERDICT_PATHOLOGICAL);
	zb_verdict_because(f,
			   (struct zb_verdict_measure){"totals.own_cycles_per_pkt_by_stage",
						       "cycles a packet",
						       zb_verdict_stage_cost(in->sum, worst),
						       TIMES_USUAL * usual_cost(worst, l)},
			   "stage %s costs far more than packets like these usually do",
			   zb_stage_name[worst]);
	name_culprit(in, worst, f);
}

static void judge_analyzer(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	const struct zb_verdict_analyzer *a = &in->dearest;
	double max = zb_verdict_call_max(a->bytes_per_call);
	struct zb_verdict_finding *f;

	if (a->name == NULL || a->calls < CALLS_MIN || a->share < CALL_SHARE ||
	    a->cycles_per_call <= max)
		return;
	f = zb_verdict_found(v, ZB_VERDICT_PATHOLOGICAL);
	zb_verdict_because(f,
			   (struct zb_verdict_measure){"cost.places", "cycles a call",
						       a->cycles_per_call, max},
			   "analyzer %s takes %.0f %% of all cycles, for %.0f bytes a call",
			   a->name, 100 * a->share, a->bytes_per_call);
	if (f->stage == NULL)
		name_culprit(in, ZB_STAGE_stream, f);
	f->analyzer = a->name;
	/* What it is that the analyzer does, if it is not the stage as a whole that is dear. */
	if (in->hot_analyzer.name[0] != '\0' && f->because_nr == 1)
		f->function = in->hot_analyzer.name;
}

static void ratio(struct zb_verdict *v, struct zb_verdict_measure m, const char *what)
{
	if (m.value > m.threshold)
		zb_verdict_because(zb_verdict_found(v, ZB_VERDICT_PATHOLOGICAL), m, "%s", what);
}

static void judge_weirds(const struct zb_verdict_in *in, const struct load *l, struct zb_verdict *v)
{
	const struct zb_verdict_weird *w = &in->weird;
	struct zb_verdict_finding *f;

	if (l->weirds <= WEIRD_PER_PKT)
		return;
	f = zb_verdict_found(v, ZB_VERDICT_PATHOLOGICAL);
	zb_verdict_because(f,
			   (struct zb_verdict_measure){"weird.log", "oddities a packet", l->weirds,
						       WEIRD_PER_PKT},
			   "packets are odd in ways that are rare: %.0f %% are %.60s",
			   100 * w->share, w->name != NULL ? w->name : "?");
	if (w->name != NULL && w->share >= WEIRD_SHARE) {
		f->kind = w->name;
		f->stage = f->stage != NULL ? f->stage : w->stage;
		f->analyzer = f->analyzer != NULL ? f->analyzer : w->analyzer;
	} else if (f->stage == NULL && w->stage_share >= PLACE_SHARE) {
		f->stage = w->most_in;
	}
}

/* Much state, many rows, many oddities for little traffic. */
static void judge_amplification(const struct zb_verdict_in *in, const struct load *l,
				struct zb_verdict *v)
{
	/* Many short connections are a load like others. */
	double state = in->state_bytes - CONN_STATE * in->conns_peak;

	if (l->conns * l->pkts >= FLOWS_MIN)
		ratio(v,
		      (struct zb_verdict_measure){"totals.tcp_conns, udp_conns, icmp_conns",
						  "new flows a packet", l->conns, FLOWS_PER_PKT},
		      "nearly every packet is a flow of its own: a flood, or a scan");
	judge_weirds(in, l, v);
	ratio(v,
	      (struct zb_verdict_measure){"totals.log_rows", "rows a packet", l->rows,
					  ROWS_PER_PKT},
	      "more rows are written than packets came");
	ratio(v,
	      (struct zb_verdict_measure){"totals.files", "files a packet", l->files,
					  FILES_PER_PKT},
	      "nearly every packet brings a file of its own");
	if (state > STATE_MIN)
		ratio(v,
		      (struct zb_verdict_measure){"memory.state_peak", "bytes of state a byte",
						  state / (l->bytes * l->pkts + 1), STATE_PER_BYTE},
		      "traffic takes more memory than it has bytes");
}

void zb_verdict_traffic(const struct zb_verdict_in *in, struct zb_verdict *v)
{
	struct load l = load_of(in->sum);

	if (!in->is_slow) {
		judge_stages(in, &l, v);
		judge_analyzers(in, &l, v);
		judge_analyzer(in, v);
	}
	judge_amplification(in, &l, v);
}
