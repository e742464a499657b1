/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topo_print.c - the machine as an indented tree, with who sits where and the advice
 *
 *	package 0, AMD EPYC
 *	  NUMA node 0, 24 GiB
 *	    L3 cache 32 MiB
 *	      core 0: CPU 0 helpers
 *	      core 1: CPU 1 worker lcore-1
 */
#include "profiler/topology_priv.h"

#include <stdlib.h>
#include <string.h>

#define ADVICE_MAX 16
#define TEXT_WIDTH 96

char *zb_topo_seat_text(enum zb_seat seat, unsigned cpu, char *buf, size_t size)
{
	static const char *const names[ZB_SEAT_NR] = {
		[ZB_SEAT_FREE] = "",
		[ZB_SEAT_FORBIDDEN] = "not allowed",
		[ZB_SEAT_HELPER] = "helpers",
	};

	if (seat == ZB_SEAT_WORKER || seat == ZB_SEAT_SHARED)
		snprintf(buf, size, "worker lcore-%u%s", cpu,
			 seat == ZB_SEAT_SHARED ? " + helpers" : "");
	else
		snprintf(buf, size, "%s", names[seat]);
	return buf;
}

static void print_pu(const struct zb_topo *t, const struct zb_placement *p, const struct zb_box *pu,
		     FILE *f)
{
	char seat[48];

	zb_topo_seat_text(zb_topo_seat(t, p, pu->id), pu->id, seat, sizeof(seat));
	fprintf(f, "CPU %u%s%s", pu->id, *seat ? " " : "", seat);
}

static void print_boxes(const struct zb_topo *t, const struct zb_placement *p,
			const struct zb_box *box, int depth, FILE *f)
{
	for (; box != NULL; box = box->next) {
		fprintf(f, "%*s", 2 * depth, "");
		if (box->kind == ZB_BOX_PU) { /* a machine without cores */
			print_pu(t, p, box, f);
			fputc('\n', f);
			continue;
		}
		fputs(box->title, f);
		if (box->kind != ZB_BOX_CORE) {
			fputc('\n', f);
			print_boxes(t, p, box->child, depth + 1, f);
			continue;
		}
		for (const struct zb_box *pu = box->child; pu != NULL; pu = pu->next) {
			fputs(pu == box->child ? ": " : ", ", f);
			print_pu(t, p, pu, f);
		}
		fputc('\n', f);
	}
}

static void print_threads(const struct zb_topo *t, const struct zb_placement *p, FILE *f)
{
	unsigned helpers[ZB_CPUS_MAX], nr = 0;
	char list[128];

	fprintf(f, "\nThreads\n");
	for (unsigned i = 0; i < p->worker_nr; i++)
		fprintf(f, "  worker lcore-%-4u CPU %u, NUMA node %d\n", p->worker_cpu[i],
			p->worker_cpu[i], zb_topo_numa_of(t, p->worker_cpu[i]));
	for (unsigned cpu = 0; cpu < ZB_CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &p->helper_cpus))
			helpers[nr++] = cpu;
	zb_cpu_list_format(helpers, nr, list, sizeof(list));
	fprintf(f, "  helpers           CPU%s %s: main (reporter, sampler) and log writer%s\n",
		nr == 1 ? "" : "s", list, p->helpers_share ? ", shared with the workers" : "");
}

/* Breaks text at blanks, later lines indented under the first. */
static void print_wrapped(const char *mark, const char *text, FILE *f)
{
	size_t room = TEXT_WIDTH - strlen(mark);

	for (fputs(mark, f); strlen(text) > room;) {
		size_t len = room;

		while (len > 0 && text[len] != ' ')
			len--;
		if (len == 0)
			break;
		fprintf(f, "%.*s\n%*s", (int)len, text, (int)strlen(mark), "");
		text += len + 1;
	}
	fprintf(f, "%s\n", text);
}

static void print_advice(const struct zb_topo *t, const struct zb_placement *p, FILE *f)
{
	struct zb_advice advice[ADVICE_MAX];
	unsigned nr = zb_topo_advise(t, p, advice, ADVICE_MAX);

	fprintf(f, "\nAdvice\n");
	if (nr == 0)
		fprintf(f, "  none: nothing was found that would disturb a run on these cores\n");
	for (unsigned i = 0; i < nr; i++)
		print_wrapped(advice[i].warning ? "  warning: " : "  note:    ", advice[i].text, f);
}

void zb_topo_print(const struct zb_topo *t, const struct zb_placement *p, FILE *f)
{
	struct zb_box *boxes = zb_topo_boxes(t);
	char text[512];

	fprintf(f, "%s\n", zb_topo_summary(t, text, sizeof(text)));
	zb_topo_small_caches(t, text, sizeof(text));
	if (*text != '\0')
		fprintf(f, "Caches of a core: %s\n", text);
	fputc('\n', f);
	if (boxes != NULL)
		print_boxes(t, p, boxes->child, 0, f);
	zb_topo_boxes_free(boxes);
	if (p == NULL)
		return;
	print_threads(t, p, f);
	print_advice(t, p, f);
}
