/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_perf.c - samples as perf script prints them, for FlameScope and stackcollapse-perf.pl
 *
 *   zbench 1234/1240 [002]     1.234567:   10101010 cpu-clock:
 *   	    55d0c0a3 zb_stage_stream+0x1b (/usr/bin/zbench)
 *   	...
 *
 * Readers take what stands before the first number for the program's name, the last pair of
 * parentheses for the module, which must not hold a blank, and an empty line for the end. Time is
 * that of --from and --to.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "profiler/export.h"

static const char *const event_name[ZB_CPU_STATE_NR] = {
	[ZB_CPU_ON] = "cpu-clock",
	[ZB_CPU_WAITING] = "off-cpu-waiting",
	[ZB_CPU_PREEMPTED] = "off-cpu-preempted",
};

/* Without control characters; blanks, where they would end a field, become '_'. */
static void put_text(FILE *out, const char *text, bool blanks)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		fputc(c < ' ' || c == 0x7f || (c == ' ' && !blanks) ? '_' : c, out);
	}
}

static void put_frame(const struct zb_samples *s, const struct zb_samples_frame *f, FILE *out)
{
	fprintf(out, "\t%16" PRIx64 " ", f->addr);
	if (f->offset != ZB_SAMPLES_NONE) {
		put_text(out, s->string[f->name], true);
		fprintf(out, "+0x%" PRIx32, f->offset);
	} else if (f->module == ZB_SAMPLES_NONE && f->addr == 0) {
		put_text(out, s->string[f->name], true); /* a made-up frame */
	} else {
		fputs("[unknown]", out);
	}
	fputs(" (", out);
	if (zb_samples_is_kernel(f))
		fputs("[kernel.kallsyms]", out);
	else
		put_text(out, f->module != ZB_SAMPLES_NONE ? s->string[f->module] : "[unknown]",
			 false);
	fputs(")\n", out);
}

static void put_event(const struct zb_samples *s, const struct zb_sample_at *a, uint64_t time_ns,
		      uint64_t period_ns, FILE *out)
{
	const struct zb_samples_lane *l = &s->lane[a->lane];
	const struct zb_samples_stack *k = &s->stack[a->stack];
	const char *comm = s->comm[0] != '\0' ? s->comm : l->comm;

	put_text(out, comm[0] != '\0' ? comm : ":unknown", true);
	fprintf(out, " %" PRIu32 "/%" PRIu32, l->pid, l->tid);
	if (l->cpu >= 0)
		fprintf(out, " [%03d]", l->cpu);
	fprintf(out, " %5" PRIu64 ".%06" PRIu64 ": %10" PRIu64 " %s: \n", time_ns / 1000000000,
		time_ns / 1000 % 1000000, period_ns, event_name[a->state]);
	for (uint32_t i = 0; i < k->depth; i++)
		put_frame(s, &s->frame[s->stack_frame[k->at + i]], out);
	fputc('\n', out);
}

/* How many events a sample makes: running, one for each period. */
static uint64_t events_of(const struct zb_sample_at *a)
{
	if (a->state != ZB_CPU_ON)
		return 1;
	return a->weight <= ZB_EXPORT_EVENTS_MAX ? a->weight : ZB_EXPORT_EVENTS_MAX + 1u;
}

/* The events of one column, entries [from, to), spread over it. */
static void put_column(const struct zb_samples *s, const struct zb_samples_cut *cut, uint32_t from,
		       uint32_t to, FILE *out)
{
	double events = 0, nth = 0;

	for (uint32_t i = from; i < to; i++)
		events += zb_samples_in(s, cut, &s->times.at[i])
				  ? (double)events_of(&s->times.at[i])
				  : 0;
	for (uint32_t i = from; i < to; i++) {
		const struct zb_sample_at *a = &s->times.at[i];
		uint64_t period = a->state == ZB_CPU_ON ? s->period_ns : a->weight * 1000;

		if (!zb_samples_in(s, cut, a))
			continue;
		for (uint64_t e = events_of(a); e > 0 && !ferror(out); e--)
			put_event(s, a,
				  zb_samples_time(s, a) +
					  (uint64_t)((double)s->times.column_ns * nth++ / events),
				  period, out);
	}
}

int zb_export_perf(const struct zb_samples *s, const struct zb_samples_cut *cut, FILE *out)
{
	uint64_t events = 0;
	uint32_t next;

	for (uint32_t i = 0; i < s->times.nr; i++) {
		events += zb_samples_in(s, cut, &s->times.at[i]) ? events_of(&s->times.at[i]) : 0;
		if (events > ZB_EXPORT_EVENTS_MAX)
			return -EFBIG;
	}
	errno = 0;
	for (uint32_t i = 0; i < s->times.nr; i = next) {
		for (next = i + 1; next < s->times.nr; next++)
			if (s->times.at[next].column != s->times.at[i].column)
				break;
		put_column(s, cut, i, next, out);
	}
	if (fflush(out) != 0 || ferror(out))
		return errno != 0 ? -errno : -EIO;
	return 0;
}
