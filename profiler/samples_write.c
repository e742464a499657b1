/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples_write.c - writes samples to a file; see samples.h for its form
 *
 * zlib tells of a full disk at any call, or at none but the last: one result is kept for all.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "profiler/diag.h"
#include "profiler/samples.h"

#define LINE_STACKS_MAX 256 /* of a t line: readers need no long buffers */

static void put_lanes(gzFile f, const struct zb_samples *s)
{
	for (uint32_t i = 0; i < s->lane_nr; i++)
		gzprintf(f, "l %d %" PRIu32 " %" PRIu32 " %s\n", s->lane[i].cpu, s->lane[i].pid,
			 s->lane[i].tid, s->lane[i].comm);
}

/* Modules are the strings that frames name as such, numbered in that order. */
static int put_frames(gzFile f, const struct zb_samples *s)
{
	uint32_t *number = calloc((size_t)s->string_nr + 1, sizeof(*number)), module_nr = 0;

	if (number == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->frame_nr; i++) {
		const struct zb_samples_frame *fr = &s->frame[i];
		char module[16] = "-", offset[16] = "-";

		if (fr->module != ZB_SAMPLES_NONE) {
			if (number[fr->module] == 0) {
				number[fr->module] = ++module_nr;
				gzprintf(f, "m %s\n", s->string[fr->module]);
			}
			snprintf(module, sizeof(module), "%" PRIu32, number[fr->module] - 1);
		}
		if (fr->offset != ZB_SAMPLES_NONE)
			snprintf(offset, sizeof(offset), "%" PRIx32, fr->offset);
		gzprintf(f, "f %" PRIx64 " %s %s %s\n", fr->addr, module, offset,
			 s->string[fr->name]);
	}
	free(number);
	return 0;
}

static void put_stacks(gzFile f, const struct zb_samples *s)
{
	for (uint32_t i = 0; i < s->stack_nr; i++) {
		const struct zb_samples_stack *k = &s->stack[i];

		gzputc(f, 's');
		for (uint32_t d = 0; d < k->depth; d++)
			gzprintf(f, " %" PRIu32, s->stack_frame[k->at + d]);
		gzputc(f, '\n');
	}
}

static void put_times(gzFile f, const struct zb_sample_times *t)
{
	uint32_t column = 0, on_line = 0;

	for (uint32_t i = 0; i < t->nr; i++) {
		const struct zb_sample_at *a = &t->at[i], *before = i > 0 ? a - 1 : NULL;

		if (before == NULL || before->column != a->column || before->lane != a->lane ||
		    before->state != a->state || on_line == LINE_STACKS_MAX) {
			gzprintf(f, "%st %" PRIu32 " %u %u", i > 0 ? "\n" : "", a->column - column,
				 a->lane, a->state);
			column = a->column;
			on_line = 0;
		}
		gzprintf(f, " %" PRIu32, a->stack);
		if (a->weight != 1)
			gzprintf(f, "*%" PRIu64, a->weight);
		on_line++;
	}
	if (t->nr > 0)
		gzputc(f, '\n');
}

static void put_values(gzFile f, const struct zb_samples *s)
{
	gzprintf(f, "slot %" PRIu64 "\n", s->slot_ns);
	for (uint32_t i = 0; i < s->value_nr; i++) {
		const struct zb_series_slot *v = &s->value[i].v;

		gzprintf(f,
			 "v %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			 " %" PRIu64 " %" PRIu64 "\n",
			 s->value[i].slot, s->value[i].lane, v->pkts, v->dropped, v->lag_ns,
			 v->queue_pkts, v->conns, v->state_bytes);
	}
}

int zb_samples_write_fd(const struct zb_samples *s, int fd)
{
	gzFile f = gzdopen(fd, "wb4");
	int ret, err = 0;

	if (f == NULL) {
		close(fd);
		return -ENOMEM;
	}
	errno = 0;
	gzprintf(f,
		 "zbench-samples 1\nstart %" PRIu64 "\nduration %" PRIu64 "\ncolumn %" PRIu64
		 "\nperiod %" PRIu64 "\nmethod %s\ncomm %s\n",
		 s->start_unix_ns, s->duration_ns, s->times.column_ns, s->period_ns, s->method,
		 s->comm);
	put_lanes(f, s);
	ret = put_frames(f, s);
	put_stacks(f, s);
	put_times(f, &s->times);
	put_values(f, s);
	if (ret == 0)
		gzputs(f, "end\n");
	gzerror(f, &err);
	if (err != Z_OK && ret == 0)
		ret = errno != 0 ? -errno : -EIO;
	errno = 0;
	if (gzclose(f) != Z_OK && ret == 0)
		ret = errno != 0 ? -errno : -EIO;
	return ret;
}

int zb_samples_write(const struct zb_samples *s, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int ret = fd < 0 ? -errno : zb_samples_write_fd(s, fd);

	if (ret < 0)
		zb_err("%s: %s", path, strerror(-ret));
	return ret;
}
