/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_set_priv.h - what the producers' side (log_set.c) and the writer (log_writer.c) share
 *
 * A buffer goes round: the producer fills it and pushes it on its port's full ring; the writer pops
 * it, writes it and pushes it on the port's free ring; the producer pops it from there. Both rings
 * have room for all buffers of a port, so a push cannot fail.
 */
#ifndef ZB_PROFILER_LOG_SET_PRIV_H
#define ZB_PROFILER_LOG_SET_PRIV_H

#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/types.h>
#include "profiler/log_set.h"

struct zb_log_buf {
	alignas(64) size_t used;
	uint64_t row_nr;
	alignas(64) char data[];
};

/* One side pushes, the other pops; storing an index releases what it covers to the other side. */
struct zb_log_ring {
	alignas(64) _Atomic uint32_t head; /* written by the pusher */
	alignas(64) _Atomic uint32_t tail; /* written by the popper */
	alignas(64) struct zb_log_buf *slot[ZB_LOG_BUFS_MAX];
};

static inline uint32_t zb_log_ring_count(struct zb_log_ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_acquire) -
	       atomic_load_explicit(&r->tail, memory_order_relaxed);
}

static inline void zb_log_ring_push(struct zb_log_ring *r, struct zb_log_buf *b)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	r->slot[head % ZB_LOG_BUFS_MAX] = b;
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

static inline struct zb_log_buf *zb_log_ring_pop(struct zb_log_ring *r)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	struct zb_log_buf *b;

	if (atomic_load_explicit(&r->head, memory_order_acquire) == tail)
		return NULL;
	b = r->slot[tail % ZB_LOG_BUFS_MAX];
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return b;
}

/*
 * Counts a producer's hand-overs, so that the writer looks at one line per producer, not at every
 * port.
 */
struct zb_log_bell {
	alignas(64) _Atomic uint64_t rung;
};

struct zb_log_port {
	/* Line 0: the producer, every row. */
	alignas(64) char *at; /* where the next row begins; NULL: no buffer */
	char *end;
	struct zb_log_buf *buf;
	const struct zb_row_shape *shape;
	size_t fixed_bytes; /* of a row of this shape */
	size_t string_max;  /* bytes of strings that surely fit a whole buffer */
	uint64_t rows, rows_dropped;

	/* The producer, every buffer. */
	alignas(64) struct zb_log_set *set;
	struct zb_log_bell *bell;
	uint64_t rows_handed; /* of rows, those in buffers that were handed over */
	uint64_t wait_cycles;
	uint32_t buf_nr; /* allocated so far */
	struct zb_log_buf *all[ZB_LOG_BUFS_MAX];

	struct zb_log_ring full, free;
};

/* A stream's file; the writer's alone until it has been joined. */
struct zb_log_file {
	char *path; /* NULL: ZB_SINK_NULL */
	int fd;	    /* -1: not open */
	bool header_done;
	bool torn; /* ends in part of a row that could not be taken back */
	bool error_said;
	struct zb_row_shape *shape; /* NULL: stream is switched off */
	struct zb_log_total total;  /* rows_dropped is summed up from the ports */
};

struct zb_log_set {
	uint16_t stream_nr, producer_nr;
	uint16_t bufs_per_port;
	bool block;
	bool closed;
	size_t buf_bytes;
	struct zb_log_file *files; /* stream_nr */
	struct zb_log_port *ports; /* [producer][stream] */
	struct zb_log_bell *bells; /* producer_nr */
	uint64_t *bells_seen;	   /* the writer's */

	pthread_t thread;
	pid_t tid;
	sem_t started;
	sem_t wake;	  /* posted to cut the writer's sleep short */
	atomic_bool stop; /* set after the last hand-over */
	atomic_bool stalled;
	uint32_t stall_ms; /* before each buffer, until stop */
};

/* Starts the thread and waits until it runs; 0 or -errno. cpus may be NULL. */
int zb_log_writer_start(struct zb_log_set *s, const cpu_set_t *cpus);

/* Lets it empty all rings, finish the files and end. */
void zb_log_writer_stop(struct zb_log_set *s);

/* Makes the writer stand still, for tests and fault injection. Closing the set ends that. */
void zb_log_set_stall(struct zb_log_set *s, bool stalled);

#endif
