/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - where packets come from: one source per run, one receive queue per worker
 *
 * A source is opened by its own function (source_replay.h, source_paced.h, ...) and from then on
 * used through this. Queues may be polled before start(): they are empty until then, if the source
 * has a clock of its own.
 *
 * Threading: main; a queue is driven by its worker.
 */
#ifndef ZB_CAPTURE_SOURCE_H
#define ZB_CAPTURE_SOURCE_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "capture/packet.h"

struct zb_source;

/*
 * The first packet that a source lost because a queue was full: when, and what its worker was at.
 * wall_s is from start(); stage is an enum zb_stage.
 */
struct zb_source_drop {
	bool happened;
	double wall_s;
	uint64_t pkt_ns; /* the packet's time */
	unsigned stage;
	uint64_t worker_pkts; /* the worker had taken so many */
};

/* A counter of a device by its driver's own name. */
struct zb_source_counter {
	char name[64];
	uint64_t value;
};

/*
 * A device that packets came from, once all workers have ended: what it is, and what it counted
 * itself.
 */
struct zb_source_device {
	char name[64];
	const char *driver, *mode; /* "net_af_packet"; how packets were divided among workers */
	uint32_t queue_nr, mtu;
	uint32_t link_mbps; /* 0: not known */
	bool link_up, went_down;
	bool hw_timestamps;    /* packets have the device's own times */
	uint64_t device_pkts;  /* that it says it took, dropped ones included */
	uint64_t dropped_pkts; /* of these, for which there was no room */
	uint64_t got_pkts;     /* that were read from it */
	uint64_t errors;       /* frames that the device itself refused: never on the link */
	uint64_t freezes;      /* AF_PACKET: times that all of a ring was full */
	uint64_t segmented;    /* packets in several buffers, copied into one */
	char note[160];	       /* what a person should know; "": nothing */
	struct zb_source_counter *counters; /* the caller frees them */
	uint32_t counter_nr;
};

struct zb_source_ops {
	struct zb_rxq *(*queue)(struct zb_source *s, uint32_t i);
	/* The workers are ready: packets may come now. 0 or -errno, said. NULL: nothing to do. */
	int (*start)(struct zb_source *s);
	/* After all workers have ended. NULL: never known. */
	void (*first_drop)(const struct zb_source *s, uint32_t i, struct zb_source_drop *out);
	/* Device i, after all workers have ended; false: there is none. NULL: no devices. */
	bool (*device)(const struct zb_source *s, uint32_t i, struct zb_source_device *out);
	void (*close)(struct zb_source *s);
};

struct zb_source {
	const struct zb_source_ops *ops;
};

/*
 * A source's queues, each of size bytes and on cache lines of its own, all zero; NULL: no memory.
 * The source frees them.
 */
static inline void *zb_source_queues(uint32_t nr, size_t size)
{
	void *queues = aligned_alloc(64, nr * size);

	if (queues != NULL)
		memset(queues, 0, nr * size);
	return queues;
}

static inline struct zb_rxq *zb_source_queue(struct zb_source *s, uint32_t i)
{
	return s->ops->queue(s, i);
}

static inline int zb_source_start(struct zb_source *s)
{
	return s->ops->start != NULL ? s->ops->start(s) : 0;
}

static inline void zb_source_first_drop(const struct zb_source *s, uint32_t i,
					struct zb_source_drop *out)
{
	*out = (struct zb_source_drop){.happened = false};
	if (s->ops->first_drop != NULL)
		s->ops->first_drop(s, i, out);
}

static inline bool zb_source_device(const struct zb_source *s, uint32_t i,
				    struct zb_source_device *out)
{
	return s->ops->device != NULL && s->ops->device(s, i, out);
}

static inline void zb_source_close(struct zb_source *s)
{
	if (s != NULL)
		s->ops->close(s);
}

#endif
