/* SPDX-License-Identifier: Apache-2.0 */
/* samples_folded.c - folded stacks of any program as samples without times */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include "profiler/diag.h"
#include "profiler/flame_priv.h"
#include "profiler/folded.h"
#include "profiler/samples.h"

#define KERNEL_ADDR (1ull << 63)

/* A frame by its name alone; the kernel's mark becomes the highest bit of its address. */
static int add_frame(struct zb_samples *s, char *name, uint32_t *out)
{
	struct zb_samples_frame f = {.module = ZB_SAMPLES_NONE, .offset = ZB_SAMPLES_NONE};
	size_t len = strlen(name), mark = strlen(ZB_FOLDED_KERNEL);
	int ret;

	if (len > mark && strcmp(name + len - mark, ZB_FOLDED_KERNEL) == 0) {
		name[len - mark] = '\0';
		f.addr = KERNEL_ADDR;
	}
	ret = zb_samples_string(s, *name != '\0' ? name : "[unnamed]", &f.name);
	return ret < 0 ? ret : zb_samples_frame(s, &f, out);
}

/* The line stands root first; of a stack that is too deep the root end goes. */
static int take_line(struct zb_samples *s, char *line, size_t len)
{
	uint32_t frames[ZB_SAMPLES_DEPTH_MAX], depth = 0;
	struct zb_sample_at a = {.state = ZB_CPU_ON};
	size_t stack_len;
	int ret = 0;

	if (!zb_flame_split(line, len, &stack_len, &a.weight))
		return -EINVAL;
	line[stack_len] = '\0';
	for (bool more = true; more && ret == 0 && depth < ZB_SAMPLES_DEPTH_MAX;) {
		char *semi = strrchr(line, ';');

		more = semi != NULL;
		ret = add_frame(s, more ? semi + 1 : line, &frames[depth++]);
		if (more)
			*semi = '\0';
	}
	if (ret == 0)
		ret = zb_samples_stack(s, frames, depth, &a.stack);
	return ret == 0 && a.weight > 0 ? zb_sample_times_add(&s->times, 0, a) : ret;
}

static int read_lines(struct zb_samples *s, FILE *in, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	uint64_t line_no = 0;
	ssize_t got;
	int ret = 0;

	errno = 0;
	while (ret == 0 && (got = getline(&line, &room, in)) >= 0) {
		size_t len = (size_t)got;

		line_no++;
		while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL)
			line[--len] = '\0';
		if (len > 0)
			ret = strlen(line) == len ? take_line(s, line, len) : -EINVAL;
	}
	if (ret == 0 && !feof(in))
		ret = errno != 0 ? -errno : -EIO;
	free(line);
	if (ret == -EINVAL)
		zb_err("%s: line %ju: not a folded stack; write CALLER;CALLEE WEIGHT", path,
		       (uintmax_t)line_no);
	else if (ret < 0)
		zb_err("%s: %s", path, strerror(-ret));
	return ret;
}

int zb_samples_read_folded(const char *path, struct zb_samples **out)
{
	struct zb_samples_lane lane = {.cpu = -1};
	struct zb_samples *s;
	FILE *in = fopen(path, "re");
	uint32_t number;
	int ret;

	if (in == NULL) {
		ret = -errno;
		zb_err("%s: %s", path, strerror(-ret));
		return ret;
	}
	ret = zb_samples_create(&s);
	if (ret == 0) {
		/* One program, as far as is known: its name is no frame of its own. */
		snprintf(s->comm, sizeof(s->comm), "folded");
		ret = zb_samples_lane(s, &lane, &number);
		if (ret == 0)
			ret = read_lines(s, in, path);
		if (ret < 0)
			zb_samples_destroy(s);
	}
	fclose(in);
	if (ret < 0)
		return ret;
	zb_sample_times_settle(&s->times);
	*out = s;
	return 0;
}
