/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_set.c - the producers' side of the log files: ports and their buffers
 *
 * A row is formatted straight into the port's current buffer, so committing it is an addition. Only
 * when a row might not fit is the buffer handed over and the next one taken: from the free ring,
 * else from the allocator until the port has its full number, else, if the run blocks, by waiting
 * for the writer.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_branch_prediction.h>
#include <rte_pause.h>
#include "profiler/diag.h"
#include "profiler/log_set.h"
#include "profiler/log_set_priv.h"
#include "profiler/own_time.h"

#define BUF_BYTES_DEFAULT     (256u * 1024)
#define BUF_BYTES_MAX	      (1u << 30)
#define BUFS_PER_PORT_DEFAULT 4
#define BYTES_PER_STRING_BYTE 8 /* escaped, at worst; see row.h */
#define SPINS_PER_NAP	      64

/* ---- producer ---- */

static struct zb_log_buf *buf_alloc(struct zb_log_port *p)
{
	size_t bytes = sizeof(struct zb_log_buf) + p->set->buf_bytes;
	struct zb_log_buf *b;

	if (p->buf_nr == p->set->bufs_per_port)
		return NULL;
	b = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	if (b != NULL)
		p->all[p->buf_nr++] = b;
	return b;
}

/*
 * The writer may need the very core that this producer spins on, hence the naps. What it takes to
 * get that core again is a gap (gap.h), and does not count as waiting.
 */
static struct zb_log_buf *buf_wait(struct zb_log_port *p)
{
	uint64_t since = zb_own_time_cycles();
	struct zb_log_buf *b;

	sem_post(&p->set->wake); /* fails only when it is up 2^31 times already */
	for (unsigned spins = 1; (b = zb_log_ring_pop(&p->free)) == NULL; spins++) {
		if (spins % SPINS_PER_NAP == 0)
			zb_own_time_nap();
		else
			rte_pause();
	}
	p->wait_cycles += zb_own_time_cycles() - since;
	return b;
}

static struct zb_log_buf *buf_take(struct zb_log_port *p)
{
	struct zb_log_buf *b = zb_log_ring_pop(&p->free);

	if (b == NULL)
		b = buf_alloc(p);
	/* Without any buffer there is none to wait for: memory ran out on the first one. */
	if (b == NULL && p->set->block && p->buf_nr > 0)
		b = buf_wait(p);
	return b;
}

static void hand_over(struct zb_log_port *p)
{
	struct zb_log_buf *b = p->buf;

	b->used = (size_t)(p->at - b->data);
	b->row_nr = p->rows - p->rows_handed;
	p->rows_handed = p->rows;
	p->buf = NULL;
	p->at = p->end = NULL;
	zb_log_ring_push(&p->full, b);
	/*
	 * Release: who sees the bell sees the push. Only this producer writes it, so no locked add.
	 */
	atomic_store_explicit(&p->bell->rung,
			      atomic_load_explicit(&p->bell->rung, memory_order_relaxed) + 1,
			      memory_order_release);
}

/* Gets a buffer with room for a row; false, and counted, when there is none to be had. */
static __attribute__((noinline)) bool make_room(struct zb_log_port *p, size_t string_bytes)
{
	if (string_bytes > p->string_max) {
		p->rows_dropped++;
		return false;
	}
	if (p->buf != NULL)
		hand_over(p);
	p->buf = buf_take(p);
	if (p->buf == NULL) {
		p->rows_dropped++;
		return false;
	}
	p->at = p->buf->data;
	p->end = p->at + p->set->buf_bytes;
	return true;
}

bool zb_log_row(struct zb_log_port *p, size_t string_bytes, struct zb_row *r)
{
	/* Overflows only beyond string_max, which is looked at first. */
	size_t need = p->fixed_bytes + BYTES_PER_STRING_BYTE * string_bytes;

	if (unlikely(string_bytes > p->string_max || (size_t)(p->end - p->at) < need)) {
		if (!make_room(p, string_bytes))
			return false;
	}
	zb_row_begin(r, p->shape, p->at);
	r->limit = p->at + need;
	return true;
}

void zb_log_commit(struct zb_log_port *p, struct zb_row *r)
{
	assert(r->begin == p->at);
	p->at += zb_row_end(r);
	/* A caller that announced less than it wrote has already destroyed what lay beyond. */
	if (unlikely(r->at > r->limit)) {
		zb_err("log: a row is longer than announced: this is a bug in zbench");
		abort();
	}
	p->rows++;
}

void zb_log_flush(struct zb_log_port *p)
{
	if (p->buf != NULL && p->at > p->buf->data)
		hand_over(p);
}

void zb_log_port_stat(const struct zb_log_port *p, struct zb_log_port_stat *out)
{
	*out = (struct zb_log_port_stat){
		.rows = p->rows,
		.rows_dropped = p->rows_dropped,
		.wait_cycles = p->wait_cycles,
		.buffer_bytes = p->buf_nr * (sizeof(struct zb_log_buf) + p->set->buf_bytes),
	};
}

/* ---- main ---- */

static struct zb_log_port *port_at(const struct zb_log_set *s, uint16_t stream, uint16_t producer)
{
	return &s->ports[(size_t)producer * s->stream_nr + stream];
}

struct zb_log_port *zb_log_port(struct zb_log_set *s, uint16_t stream, uint16_t producer)
{
	assert(stream < s->stream_nr && producer < s->producer_nr);
	return s->files[stream].shape == NULL ? NULL : port_at(s, stream, producer);
}

static int file_init(struct zb_log_set *s, uint16_t stream, const struct zb_log_conf *conf)
{
	const struct zb_row_def *def = conf->defs[stream];
	struct zb_log_file *f = &s->files[stream];
	int ret;

	f->fd = -1;
	if (def == NULL)
		return 0;
	ret = zb_row_shape_create(def, conf->format, &f->shape);
	if (ret < 0)
		return ret;
	if (zb_row_shape_fixed_bytes(f->shape) > s->buf_bytes)
		return -EINVAL;
	if (conf->sink == ZB_SINK_FILES &&
	    asprintf(&f->path, "%s/%s.log", conf->dir, def->path) < 0) {
		f->path = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void port_init(struct zb_log_set *s, uint16_t stream, uint16_t producer)
{
	struct zb_log_port *p = port_at(s, stream, producer);

	p->set = s;
	p->bell = &s->bells[producer];
	p->shape = s->files[stream].shape;
	if (p->shape == NULL)
		return;
	p->fixed_bytes = zb_row_shape_fixed_bytes(p->shape);
	p->string_max = (s->buf_bytes - p->fixed_bytes) / BYTES_PER_STRING_BYTE;
}

static void *lines_zalloc(size_t nr, size_t bytes)
{
	void *p = nr > 0 ? aligned_alloc(64, nr * bytes) : NULL;

	if (p != NULL)
		memset(p, 0, nr * bytes);
	return p;
}

static void set_free(struct zb_log_set *s)
{
	for (size_t i = 0; s->ports != NULL && i < (size_t)s->producer_nr * s->stream_nr; i++) {
		for (uint32_t b = 0; b < s->ports[i].buf_nr; b++)
			free(s->ports[i].all[b]);
	}
	for (uint16_t i = 0; s->files != NULL && i < s->stream_nr; i++) {
		zb_row_shape_destroy(s->files[i].shape);
		free(s->files[i].path);
	}
	free(s->bells_seen);
	free(s->bells);
	free(s->ports);
	free(s->files);
	free(s);
}

static int conf_check(const struct zb_log_conf *conf)
{
	if (conf->stream_nr == 0 || conf->producer_nr == 0 ||
	    conf->bufs_per_port > ZB_LOG_BUFS_MAX || conf->buf_bytes > BUF_BYTES_MAX ||
	    (conf->sink == ZB_SINK_FILES && conf->dir == NULL))
		return -EINVAL;
	return 0;
}

int zb_log_set_create(const struct zb_log_conf *conf, struct zb_log_set **out)
{
	struct zb_log_set *s;
	int ret = conf_check(conf);

	if (ret < 0)
		return ret;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->stream_nr = conf->stream_nr;
	s->producer_nr = conf->producer_nr;
	s->block = conf->block;
	s->stall_ms = conf->stall_ms;
	s->buf_bytes = conf->buf_bytes != 0 ? conf->buf_bytes : BUF_BYTES_DEFAULT;
	s->bufs_per_port = conf->bufs_per_port != 0 ? conf->bufs_per_port : BUFS_PER_PORT_DEFAULT;
	s->files = calloc(s->stream_nr, sizeof(*s->files));
	s->ports = lines_zalloc((size_t)s->producer_nr * s->stream_nr, sizeof(*s->ports));
	s->bells = lines_zalloc(s->producer_nr, sizeof(*s->bells));
	s->bells_seen = calloc(s->producer_nr, sizeof(*s->bells_seen));
	ret = -ENOMEM;
	if (s->files == NULL || s->ports == NULL || s->bells == NULL || s->bells_seen == NULL)
		goto free_set;
	for (uint16_t i = 0; i < s->stream_nr; i++) {
		ret = file_init(s, i, conf);
		if (ret < 0)
			goto free_set;
		for (uint16_t p = 0; p < s->producer_nr; p++)
			port_init(s, i, p);
	}
	ret = zb_log_writer_start(s, conf->writer_cpus);
	if (ret < 0)
		goto free_set;
	*out = s;
	return 0;

free_set:
	set_free(s);
	return ret;
}

int zb_log_set_close(struct zb_log_set *s)
{
	int first = 0;

	if (s->closed)
		return 0;
	s->closed = true;
	for (uint16_t p = 0; p < s->producer_nr; p++) {
		for (uint16_t i = 0; i < s->stream_nr; i++)
			zb_log_flush(port_at(s, i, p));
	}
	zb_log_writer_stop(s);
	for (uint16_t i = 0; i < s->stream_nr && first == 0; i++)
		first = s->files[i].total.write_errno;
	return -first;
}

void zb_log_total(const struct zb_log_set *s, uint16_t stream, struct zb_log_total *out)
{
	assert(stream < s->stream_nr);
	*out = s->files[stream].total;
	out->rows_dropped = 0;
	for (uint16_t p = 0; p < s->producer_nr; p++)
		out->rows_dropped += port_at(s, stream, p)->rows_dropped;
}

void zb_log_set_destroy(struct zb_log_set *s)
{
	if (s == NULL)
		return;
	zb_log_set_close(s);
	set_free(s);
}

void zb_log_set_load(const struct zb_log_set *s, uint64_t *handed, uint64_t *pending)
{
	*handed = *pending = 0;
	for (uint16_t p = 0; p < s->producer_nr; p++) {
		for (uint16_t i = 0; i < s->stream_nr; i++) {
			const struct zb_log_ring *full = &port_at(s, i, p)->full;
			/* The tail first: the head, read later, is not behind it. */
			uint32_t tail = atomic_load_explicit(&full->tail, memory_order_acquire);

			*pending += atomic_load_explicit(&full->head, memory_order_relaxed) - tail;
		}
		*handed += atomic_load_explicit(&s->bells[p].rung, memory_order_relaxed);
	}
}

int zb_log_set_writer_tid(const struct zb_log_set *s)
{
	return s->tid;
}
