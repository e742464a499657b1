/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top_table.c - see top_table.h
 *
 * A closed loop may write hundreds of rows a second. Of each lcore a ring keeps some of them, no
 * nearer to each other than a part of the interval, so that one as old as the interval is among
 * them.
 */
#include "bench/top_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/topology.h"

#define RING   64
#define PARTS  16   /* of an interval, between rows that are kept */
#define NEARLY 0.95 /* of an interval is one: rows come when they come */

struct lane {
	struct zb_top_row now;
	struct zb_top_row kept[RING];
	unsigned kept_nr; /* ever; the newest is kept[(kept_nr - 1) % RING] */
};

struct zb_top_table {
	double interval_s, newest_s;
	struct lane *lane[ZB_CPUS_MAX]; /* by lcore; NULL: none */
};

struct zb_top_table *zb_top_table_create(double interval_s)
{
	struct zb_top_table *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->interval_s = interval_s;
	return t;
}

void zb_top_table_destroy(struct zb_top_table *t)
{
	for (unsigned i = 0; t != NULL && i < ZB_CPUS_MAX; i++)
		free(t->lane[i]);
	free(t);
}

void zb_top_table_take(struct zb_top_table *t, const struct zb_top_row *row)
{
	double id = row->v[ZB_TOP_LCORE], wall = row->v[ZB_TOP_WALL_S];
	struct lane *l;

	if (!(id >= 0 && id < ZB_CPUS_MAX) || !isfinite(wall))
		return;
	l = t->lane[(unsigned)id];
	if (l == NULL)
		l = t->lane[(unsigned)id] = calloc(1, sizeof(*l));
	if (l == NULL)
		return;
	l->now = *row;
	if (l->kept_nr == 0 ||
	    wall - l->kept[(l->kept_nr - 1) % RING].v[ZB_TOP_WALL_S] >= t->interval_s / PARTS)
		l->kept[l->kept_nr++ % RING] = *row;
	t->newest_s = wall > t->newest_s ? wall : t->newest_s;
}

double zb_top_table_newest_s(const struct zb_top_table *t)
{
	return t->newest_s;
}

/* The newest row that is an interval old, or else the oldest. */
static const struct zb_top_row *before(const struct zb_top_table *t, const struct lane *l)
{
	unsigned nr = l->kept_nr < RING ? l->kept_nr : RING;
	double until = l->now.v[ZB_TOP_WALL_S] - NEARLY * t->interval_s;
	const struct zb_top_row *r = NULL;

	for (unsigned back = 1; back <= nr; back++) {
		r = &l->kept[(l->kept_nr - back) % RING];
		if (r->v[ZB_TOP_WALL_S] <= until)
			break;
	}
	return r;
}

/* What is shown: rates, levels, and the counters that ratios are made of. */
struct line {
	double pps, bps, drops, rows;
	double busy, idle, proc;
	double queue, lag_s, state, conns;
};

static struct line line_of(const struct zb_top_table *t, const struct lane *l)
{
	const double *now = l->now.v, *then = before(t, l)->v;
	double dt = now[ZB_TOP_WALL_S] - then[ZB_TOP_WALL_S];
	double per_s = dt > 0 ? 1 / dt : 0;

	return (struct line){
		.pps = (now[ZB_TOP_PROC] - then[ZB_TOP_PROC]) * per_s,
		.bps = (now[ZB_TOP_BYTES] - then[ZB_TOP_BYTES]) * 8 * per_s,
		.drops = (now[ZB_TOP_DROPPED] - then[ZB_TOP_DROPPED]) * per_s,
		.rows = (now[ZB_TOP_ROWS] - then[ZB_TOP_ROWS]) * per_s,
		.busy = now[ZB_TOP_BUSY] - then[ZB_TOP_BUSY],
		.idle = now[ZB_TOP_IDLE] - then[ZB_TOP_IDLE],
		.proc = now[ZB_TOP_PROC] - then[ZB_TOP_PROC],
		.queue = now[ZB_TOP_QUEUE],
		.lag_s = now[ZB_TOP_LAG_S],
		.state = now[ZB_TOP_STATE],
		.conns = now[ZB_TOP_CONNS],
	};
}

static void add_line(struct line *sum, const struct line *l)
{
	sum->pps += l->pps;
	sum->bps += l->bps;
	sum->drops += l->drops;
	sum->rows += l->rows;
	sum->busy += l->busy;
	sum->idle += l->idle;
	sum->proc += l->proc;
	sum->queue += l->queue;
	sum->lag_s = l->lag_s > sum->lag_s ? l->lag_s : sum->lag_s;
	sum->state += l->state;
	sum->conns += l->conns;
}

/* A dash where there is nothing to divide by. */
static void ratio(FILE *f, int width, int digits, double a, double b)
{
	if (b > 0)
		fprintf(f, " %*.*f", width, digits, a / b);
	else
		fprintf(f, " %*s", width, "-");
}

static void print_line(FILE *f, const char *name, const struct line *l)
{
	fprintf(f, "%5s %10.0f %7.3f", name, l->pps, l->bps / 1e9);
	ratio(f, 6, 1, 100 * l->busy, l->busy + l->idle);
	fprintf(f, " %8.0f %7.0f %9.3f %9.1f", l->drops, l->queue, l->lag_s * 1e3, l->state / 1e6);
	ratio(f, 8, 0, l->busy, l->proc);
	fprintf(f, " %8.0f %9.0f\n", l->rows, l->conns);
}

void zb_top_table_print(const struct zb_top_table *t, FILE *f)
{
	double link = 0, proc = 0, dropped = 0;
	struct line sum = {0};
	char name[16];

	fprintf(f, "%5s %10s %7s %6s %8s %7s %9s %9s %8s %8s %9s\n", "lcore", "pkts/s", "Gbit/s",
		"busy %", "drops/s", "queue", "lag99 ms", "state MB", "cyc/pkt", "rows/s", "conns");
	for (unsigned i = 0; i < ZB_CPUS_MAX; i++) {
		struct line l;

		if (t->lane[i] == NULL)
			continue;
		l = line_of(t, t->lane[i]);
		add_line(&sum, &l);
		link += t->lane[i]->now.v[ZB_TOP_LINK];
		proc += t->lane[i]->now.v[ZB_TOP_PROC];
		dropped += t->lane[i]->now.v[ZB_TOP_DROPPED];
		snprintf(name, sizeof(name), "%u", i);
		print_line(f, name, &l);
	}
	print_line(f, "all", &sum);
	fprintf(f, "\nsince the beginning: link %.0f, analysed %.0f, dropped %.0f (%.3f %%)\n",
		link, proc, dropped, link > 0 ? 100 * dropped / link : 0);
}
