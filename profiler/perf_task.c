/* SPDX-License-Identifier: Apache-2.0 */
/*
 * perf_task.c - records of a perf_event ring that say what a process maps, is called, and begets
 *
 * All end in pid, tid; time, as sample_id_all says. Before that, after the header, in words:
 *   MMAP2   pid, tid; address; length; offset in the file; device; inode; generation; protection
 *           and flags; path
 *   COMM    pid, tid; name
 *   FORK    pid, ppid; tid, ptid; time; EXIT the same
 */
#include <string.h>
#include "profiler/sampler_priv.h"

#define ID_WORDS 2 /* at the end */

static uint32_t low(uint64_t word)
{
	return (uint32_t)word;
}

static uint32_t high(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

/* The text in words [from, to), if it ends in there. */
static const char *text_in(const uint64_t *rec, size_t from, size_t to)
{
	const char *text = (const char *)(rec + from);

	return from < to && memchr(text, '\0', (to - from) * 8) != NULL ? text : NULL;
}

bool zb_perf_task(struct zb_sample_sink *sink, const uint64_t *rec, size_t bytes)
{
	const struct perf_event_header *h = (const struct perf_event_header *)rec;
	size_t words = bytes / 8, end = words - ID_WORDS;
	struct zb_task_event e = {.type = h->type};

	if (words < 2 + ID_WORDS)
		return false;
	e.time_ns = rec[words - 1];
	e.pid = low(rec[1]);
	e.tid = high(rec[1]);
	switch (h->type) {
	case PERF_RECORD_MMAP2:
		e.text = text_in(rec, 9, end);
		if (e.text == NULL)
			break;
		e.addr = rec[2];
		e.bytes = rec[3];
		e.file_off = rec[4];
		if ((h->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) == 0)
			e.inode = rec[6];
		sink->task(sink, &e);
		return true;
	case PERF_RECORD_COMM:
		e.text = text_in(rec, 2, end);
		if (e.text == NULL)
			break;
		e.is_exec = (h->misc & PERF_RECORD_MISC_COMM_EXEC) != 0;
		sink->task(sink, &e);
		return true;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		if (words < 4 + ID_WORDS)
			break;
		e.ppid = high(rec[1]);
		e.tid = low(rec[2]);
		e.ptid = high(rec[2]);
		sink->task(sink, &e);
		return true;
	default: break;
	}
	return false;
}
