/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_set.h - the log files of a run: per-producer buffers, and a writer thread that empties them
 *
 * A producer (a worker, or the reporter) fills its own buffer of a stream row by row and, when it
 * is full, hands it to the writer through a lock-free ring. No producer makes a system call. What
 * happens when no buffer is free is the run's choice: wait (block) or drop the row and count it.
 * Files are opened on the first row, as Zeek does: a stream without rows has no file. A file holds
 * whole rows only: what of a row was written before the disk was full is taken back.
 *
 * Threading: a struct zb_log_port belongs to its producer; create, destroy and the sums to main.
 * Errors:    0 or -errno. A write error is said once per file on stderr; the rows it lost are
 *            counted and the run goes on, and so does the file once it can be written again.
 */
#ifndef ZB_PROFILER_LOG_SET_H
#define ZB_PROFILER_LOG_SET_H

#include <sched.h>
#include "row.h"

enum zb_log_sink {
	ZB_SINK_FILES,
	ZB_SINK_NULL /* rows are formatted, handed over and discarded */
};

struct zb_log_conf {
	const char *dir; /* exists; files are created in it */
	/* Streams; a NULL entry is a stream that is switched off. */
	const struct zb_row_def *const *defs;
	uint16_t stream_nr, producer_nr;
	enum zb_row_format format;
	enum zb_log_sink sink;
	bool block;		/* producers wait for a free buffer instead of dropping rows */
	size_t buf_bytes;	/* of one buffer; 0: 256 KiB */
	uint16_t bufs_per_port; /* 0: 4; at most ZB_LOG_BUFS_MAX */
	/* NULL: wherever the thread that creates the set may run. */
	const cpu_set_t *writer_cpus;
	uint32_t stall_ms; /* a fault: the writer stands still so long before each buffer */
};

#define ZB_LOG_BUFS_MAX 64

struct zb_log_set;  /* opaque */
struct zb_log_port; /* opaque: one producer's end of one stream */

/*
 * Starts the writer. The defs must outlive the set. -EINVAL: a def or bound is out of range, or
 * buf_bytes is too small for a stream's longest row without strings (zb_row_shape_fixed_bytes()).
 */
int zb_log_set_create(const struct zb_log_conf *conf, struct zb_log_set **out);

/* The port of a producer and stream; NULL when the stream is switched off. */
struct zb_log_port *zb_log_port(struct zb_log_set *s, uint16_t stream, uint16_t producer);

/*
 * Begins a row whose strings are together at most string_bytes long (an empty element of a set or
 * vector counts as one byte, an interval in a vector as three). False when the row must be dropped
 * (it has been counted): no buffer is free, or it might not fit in a whole one. Otherwise write
 * every field into r and call zb_log_commit().
 */
bool zb_log_row(struct zb_log_port *p, size_t string_bytes, struct zb_row *r);
void zb_log_commit(struct zb_log_port *p, struct zb_row *r);

/* Hands over what is buffered, however little; nothing when nothing is. */
void zb_log_flush(struct zb_log_port *p);

/*
 * Rows committed; rows dropped for want of a buffer; TSC cycles spent waiting for one; bytes of
 * buffers. Buffers are taken from the allocator one by one as they are needed, the first with the
 * first row.
 */
struct zb_log_port_stat {
	uint64_t rows, rows_dropped, wait_cycles, buffer_bytes;
};
void zb_log_port_stat(const struct zb_log_port *p, struct zb_log_port_stat *out);

/*
 * One stream after zb_log_set_close(): what reached the file (or would have, ZB_SINK_NULL), headers
 * included in the bytes, and what was lost on the way. Rows committed = rows_written + rows_failed.
 */
struct zb_log_total {
	uint64_t rows_written, rows_dropped, rows_failed, bytes_written;
	int write_errno; /* first error, 0: none */
};

/*
 * Flushes every port, lets the writer finish, writes footers, closes files. Producers must have
 * stopped. Returns the first write error of any file (said before), after all the same work; 0 when
 * called again.
 */
int zb_log_set_close(struct zb_log_set *s);
void zb_log_total(const struct zb_log_set *s, uint16_t stream, struct zb_log_total *out);
void zb_log_set_destroy(struct zb_log_set *s);

/* Buffers handed to the writer, and those of them that are not written yet. Any thread. */
void zb_log_set_load(const struct zb_log_set *s, uint64_t *handed, uint64_t *pending);

/* Thread id (gettid) of the writer, for the topology report. */
int zb_log_set_writer_tid(const struct zb_log_set *s);

#endif
