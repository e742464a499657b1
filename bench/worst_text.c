/* SPDX-License-Identifier: Apache-2.0 */
/* worst_text.c - the worst seconds in words, and as JSON */
#include <inttypes.h>
#include <stdio.h>
#include <jansson.h>

#include "bench/worst.h"
#include "pipeline/meter.h"

#define SHARE_MIN 0.1 /* a function or connection with less is not named */

static double s_of(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void print_why(const struct zb_worst_second *s, FILE *f)
{
	fprintf(f, "%.1f s to %.1f s, CPU %u: ", s_of(s->from_ns), s_of(s->to_ns), s->cpu);
	switch (s->why) {
	case ZB_WORST_LOST:
		fprintf(f, "%" PRIu64 " of %" PRIu64 " packets were lost (%.2g %%)", s->dropped,
			s->link, s->link > 0 ? 100 * (double)s->dropped / (double)s->link : 0);
		break;
	case ZB_WORST_LATE:
		fprintf(f, "packets were taken up to %.1f ms late", (double)s->lag_ns / 1e6);
		break;
	default:
		fprintf(f, "a packet cost %.0f cycles, %.1f times as many as in the whole run",
			s->cycles_per_pkt,
			s->usual_cycles > 0 ? s->cycles_per_pkt / s->usual_cycles : 0);
	}
}

static void print_how(const struct zb_worst_second *s, const struct zb_worst_words *words, FILE *f)
{
	const char *place = zb_meter_place_name(s->place);
	char flow[160];

	fprintf(f,
		"         busy for %.0f %% of the time at %.0f cycles a packet (whole run: %.0f)",
		100 * s->busy, s->cycles_per_pkt, s->usual_cycles);
	if (s->gap >= 0.01)
		fprintf(f, "; the machine took %.0f %%", 100 * s->gap);
	fprintf(f, "\n         most in stage %s (%.0f %%)", zb_stage_name[s->stage],
		100 * s->stage_share);
	if (s->place_share >= SHARE_MIN && place != NULL)
		fprintf(f, ", %s (%.0f %%)", place, 100 * s->place_share);
	if (s->function_share >= SHARE_MIN)
		fprintf(f, ", function %s (%.0f %% of the stage)", s->function,
			100 * s->function_share);
	fprintf(f, "\n");
	if (s->hot.of > 0 && (double)s->hot.cycles >= SHARE_MIN * (double)s->hot.of) {
		words->flow(s->hot.key, words->secret, flow, sizeof(flow));
		fprintf(f, "         connection %s: %.0f %%\n", flow,
			100 * (double)s->hot.cycles / (double)s->hot.of);
	}
	if (words->sampled)
		fprintf(f, "         zbench flame %s@%.1f-%.1f --lcore %u\n", words->folder,
			s_of(s->from_ns), s_of(s->to_ns), s->cpu);
}

void zb_worst_print(const struct zb_worst *w, const struct zb_worst_words *words, FILE *f)
{
	for (unsigned i = 0; i < w->told_nr; i++) {
		fprintf(f, "%s", i == 0 ? "\nworst    " : "         ");
		print_why(&w->told[i], f);
		fprintf(f, "\n");
		print_how(&w->told[i], words, f);
	}
}

static json_t *second_json(const struct zb_worst_second *s, const struct zb_worst_words *words)
{
	const char *place = s->place_share > 0 ? zb_meter_place_name(s->place) : NULL;
	char flow[160];
	json_t *o = json_pack(
		"{s:s, s:f, s:f, s:i, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:s, s:f, s:s?, s:f, "
		"s:s?, s:f}",
		"why", zb_worst_why_name[s->why], "from_s", s_of(s->from_ns), "to_s",
		s_of(s->to_ns), "cpu", (int)s->cpu, "pkts_link", (json_int_t)s->link, "pkts_proc",
		(json_int_t)s->pkts, "pkts_dropped", (json_int_t)s->dropped, "lag_ns",
		(json_int_t)s->lag_ns, "own_cycles_per_pkt", s->cycles_per_pkt,
		"run_cycles_per_pkt", s->usual_cycles, "busy_ratio", s->busy, "gap_ratio", s->gap,
		"stage", zb_stage_name[s->stage], "stage_share", s->stage_share, "place", place,
		"place_share", s->place_share, "function",
		s->function[0] != '\0' ? s->function : NULL, "function_share", s->function_share);

	if (o != NULL && s->hot.of > 0) {
		words->flow(s->hot.key, words->secret, flow, sizeof(flow));
		if (json_object_set_new(o, "connection", json_string(flow)) != 0 ||
		    json_object_set_new(o, "connection_share",
					json_real((double)s->hot.cycles / (double)s->hot.of)) !=
			    0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

json_t *zb_worst_json(const struct zb_worst *w, const struct zb_worst_words *words)
{
	json_t *a = json_array();

	for (unsigned i = 0; a != NULL && i < w->told_nr; i++) {
		if (json_array_append_new(a, second_json(&w->told[i], words)) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}
