/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples_read.c - reads samples from a file, which may be anything
 *
 * Every number is checked against what it counts or names, every list against its bound, before it
 * is used. What was written out of order is no file of ours.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "profiler/diag.h"
#include "profiler/samples.h"

#define LINE_BYTES 65536 /* 512 frames, 256 stacks, and names */

/* A file while it is read. Numbers of the file are those of s only as long as nothing comes twice.
 */
struct reader {
	struct zb_samples *s;
	const char *why;	   /* what is wrong; NULL: nothing yet */
	uint32_t *frames, *stacks; /* file's number -> number in s */
	uint32_t *modules;	   /* file's number -> string in s */
	uint32_t frame_nr, stack_nr, module_nr;
	uint32_t frame_room, stack_room, module_room;
	uint64_t column, column_ns;
	bool began, ended;
};

static int bad(struct reader *r, const char *why)
{
	r->why = why;
	return -EINVAL;
}

/* Takes a number and the blank behind it, if any. */
static bool take(const char **at, int base, uint64_t max, uint64_t *out)
{
	const char *p = *at;
	uint64_t v = 0;

	for (;; p++) {
		unsigned digit = *p >= '0' && *p <= '9'			? (unsigned)(*p - '0')
				 : base == 16 && *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10
									: 99;
		if (digit == 99)
			break;
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (p == *at || v > max)
		return false;
	*at = *p == ' ' ? p + 1 : p;
	*out = v;
	return true;
}

/* As take(); a minus sign instead gives NONE. */
static bool take_or_none(const char **at, int base, uint64_t max, uint64_t *out)
{
	if (**at == '-') {
		*at += (*at)[1] == ' ' ? 2 : 1;
		*out = ZB_SAMPLES_NONE;
		return true;
	}
	return take(at, base, max, out);
}

static int keep(uint32_t **list, uint32_t *nr, uint32_t *room, uint32_t max, uint32_t v)
{
	if (*nr == max)
		return -ENOSPC;
	if (*nr == *room) {
		uint32_t want = *room == 0 ? 256 : *room * 2;
		uint32_t *more = reallocarray(*list, want, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		*list = more;
		*room = want;
	}
	(*list)[(*nr)++] = v;
	return 0;
}

static int take_lane(struct reader *r, const char *at)
{
	struct zb_samples_lane lane = {.cpu = -1};
	uint64_t cpu, pid, tid;
	uint32_t number;

	if (strncmp(at, "-1 ", 3) == 0)
		at += 3;
	else if (take(&at, 10, INT32_MAX, &cpu))
		lane.cpu = (int)cpu;
	else
		return bad(r, "a lane without a CPU");
	if (!take(&at, 10, UINT32_MAX, &pid) || !take(&at, 10, UINT32_MAX, &tid))
		return bad(r, "a lane without a thread");
	lane.pid = (uint32_t)pid;
	lane.tid = (uint32_t)tid;
	snprintf(lane.comm, sizeof(lane.comm), "%.31s", at);
	return zb_samples_lane(r->s, &lane, &number);
}

static int take_module(struct reader *r, const char *at)
{
	uint32_t string;
	int ret = zb_samples_string(r->s, at, &string);

	if (ret < 0)
		return ret;
	return keep(&r->modules, &r->module_nr, &r->module_room, ZB_SAMPLES_FRAMES_MAX, string);
}

static int take_frame(struct reader *r, const char *at)
{
	struct zb_samples_frame f;
	uint64_t module, offset;
	uint32_t number;
	int ret;

	if (!take(&at, 16, UINT64_MAX, &f.addr) ||
	    !take_or_none(&at, 10, UINT32_MAX - 1, &module) ||
	    !take_or_none(&at, 16, UINT32_MAX - 1, &offset) || *at == '\0')
		return bad(r, "no frame");
	if (module != ZB_SAMPLES_NONE && module >= r->module_nr)
		return bad(r, "a frame of an unknown module");
	f.module = module != ZB_SAMPLES_NONE ? r->modules[module] : ZB_SAMPLES_NONE;
	f.offset = (uint32_t)offset;
	ret = zb_samples_string(r->s, at, &f.name);
	if (ret == 0)
		ret = zb_samples_frame(r->s, &f, &number);
	if (ret < 0)
		return ret;
	return keep(&r->frames, &r->frame_nr, &r->frame_room, ZB_SAMPLES_FRAMES_MAX, number);
}

static int take_stack(struct reader *r, const char *at)
{
	uint32_t frames[ZB_SAMPLES_DEPTH_MAX], depth = 0, number;
	uint64_t v;
	int ret;

	while (*at != '\0') {
		if (depth == ZB_SAMPLES_DEPTH_MAX)
			return bad(r, "a stack too deep");
		if (!take(&at, 10, UINT32_MAX, &v) || v >= r->frame_nr)
			return bad(r, "a stack of unknown frames");
		frames[depth++] = r->frames[v];
	}
	ret = zb_samples_stack(r->s, frames, depth, &number);
	if (ret < 0)
		return ret;
	return keep(&r->stacks, &r->stack_nr, &r->stack_room, ZB_SAMPLES_STACKS_MAX, number);
}

static int take_times(struct reader *r, const char *at)
{
	uint64_t columns, lane, state, stack, weight;
	int ret;

	if (!take(&at, 10, UINT32_MAX, &columns) || !take(&at, 10, UINT16_MAX, &lane) ||
	    !take(&at, 10, ZB_CPU_STATE_NR - 1, &state) || *at == '\0')
		return bad(r, "no samples");
	r->column += columns;
	if (lane >= r->s->lane_nr)
		return bad(r, "samples of an unknown lane");
	if (r->column > UINT64_MAX / 4 / r->column_ns)
		return bad(r, "samples after the end of time");
	while (*at != '\0') {
		struct zb_sample_at a = {.lane = (uint16_t)lane, .state = (uint8_t)state};

		weight = 1;
		if (!take(&at, 10, UINT32_MAX, &stack) || stack >= r->stack_nr)
			return bad(r, "samples of an unknown stack");
		if (*at == '*') {
			at++;
			if (!take(&at, 10, UINT64_MAX / 2, &weight))
				return bad(r, "a sample without weight");
		}
		a.stack = r->stacks[stack];
		a.weight = weight;
		ret = zb_sample_times_add(&r->s->times, r->column * r->column_ns, a);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int take_value(struct reader *r, const char *at)
{
	struct zb_samples_value v = {.v.seen = true};
	uint64_t n[8];

	for (unsigned i = 0; i < 8; i++) {
		if (!take(&at, 10, i < 2 ? UINT32_MAX : UINT64_MAX, &n[i]))
			return bad(r, "no value");
	}
	if (n[1] >= r->s->lane_nr)
		return bad(r, "a value of an unknown lane");
	v.slot = (uint32_t)n[0];
	v.lane = (uint32_t)n[1];
	v.v = (struct zb_series_slot){n[2], n[3], n[4], n[5], n[6], n[7], true};
	return zb_samples_value(r->s, &v);
}

/* "start 12": a word and one number. */
static int take_head(struct reader *r, const char *line)
{
	static const char *const words[] = {"start ", "duration ", "period ", "slot ", "column "};
	uint64_t *const to[] = {&r->s->start_unix_ns, &r->s->duration_ns, &r->s->period_ns,
				&r->s->slot_ns, &r->column_ns};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *at = line + strlen(words[i]);

		if (strncmp(line, words[i], strlen(words[i])) != 0)
			continue;
		if (!take(&at, 10, UINT64_MAX / 4, to[i]) || *at != '\0')
			return bad(r, "no number");
		if (i == 4 && (r->column_ns == 0 || r->s->times.nr > 0))
			return bad(r, "no width of a column");
		if (i == 4)
			r->s->times.column_ns = r->column_ns;
		return 0;
	}
	if (strncmp(line, "method ", 7) == 0)
		snprintf(r->s->method, sizeof(r->s->method), "%.31s", line + 7);
	else if (strncmp(line, "comm ", 5) == 0)
		snprintf(r->s->comm, sizeof(r->s->comm), "%.31s", line + 5);
	else
		return bad(r, "not a line of such a file");
	return 0;
}

static int take_line(struct reader *r, const char *line)
{
	if (!r->began) {
		r->began = true;
		if (strcmp(line, "zbench-samples 1") == 0)
			return 0;
		return bad(r, strncmp(line, "zbench-samples ", 15) == 0
				      ? "written by another version of zbench"
				      : "not a file of samples");
	}
	if (strcmp(line, "end") == 0) {
		r->ended = true;
		return 0;
	}
	if (line[0] == 's' && line[1] == '\0')
		return take_stack(r, "");
	switch (line[1] == ' ' ? line[0] : '\0') {
	case 'l': return take_lane(r, line + 2);
	case 'm': return take_module(r, line + 2);
	case 'f': return take_frame(r, line + 2);
	case 's': return take_stack(r, line + 2);
	case 't': return take_times(r, line + 2);
	case 'v': return take_value(r, line + 2);
	default: return take_head(r, line);
	}
}

static int read_lines(struct reader *r, gzFile f, const char *path)
{
	char *line = malloc(LINE_BYTES);
	uint64_t line_no = 0;
	int ret = line != NULL ? 0 : -ENOMEM;

	while (ret == 0 && !r->ended && gzgets(f, line, LINE_BYTES) != NULL) {
		size_t len = strlen(line);

		line_no++;
		if (len == 0 || line[len - 1] != '\n') {
			ret = bad(r, len + 1 == LINE_BYTES ? "the line is too long" : "cut off");
			break;
		}
		line[len - 1] = '\0';
		ret = take_line(r, line);
	}
	free(line);
	if (ret == 0 && !r->ended)
		ret = bad(r, "cut off");
	if (r->why != NULL)
		zb_err("%s: line %ju: %s", path, (uintmax_t)line_no, r->why);
	else if (ret < 0)
		zb_err("%s: line %ju: %s", path, (uintmax_t)line_no, strerror(-ret));
	return ret;
}

int zb_samples_read(const char *path, struct zb_samples **out)
{
	struct reader r = {.column_ns = ZB_COLUMN_NS};
	gzFile f = gzopen(path, "rbe");
	int ret;

	if (f == NULL) {
		ret = errno != 0 ? -errno : -ENOMEM;
		zb_err("%s: %s", path, strerror(-ret));
		return ret;
	}
	ret = zb_samples_create(&r.s);
	if (ret == 0)
		ret = read_lines(&r, f, path);
	gzclose_r(f);
	free(r.frames);
	free(r.stacks);
	free(r.modules);
	if (ret < 0) {
		zb_samples_destroy(r.s);
		return ret;
	}
	zb_sample_times_settle(&r.s->times);
	*out = r.s;
	return 0;
}
