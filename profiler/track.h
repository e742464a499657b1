/* SPDX-License-Identifier: Apache-2.0 */
/*
 * track.h - how values went over time, in bounded memory: 512 points, whatever the run's length
 *
 * When there is no room, every second point goes, and from then on half as many are taken.
 *
 * Threading: one thread.
 * Ownership: the track owns its points.
 * Units:     _s seconds.
 */
#ifndef ZB_PROFILER_TRACK_H
#define ZB_PROFILER_TRACK_H

#include <stdint.h>

#define ZB_TRACK_MAX 512

struct zb_track {
	unsigned column_nr;
	unsigned nr;	  /* points */
	uint32_t stride;  /* one in so many that are offered is kept */
	uint32_t offered; /* since the last one that was kept */
	double *t_s;	  /* ZB_TRACK_MAX */
	double *v;	  /* by column: ZB_TRACK_MAX each */
};

/* -ENOMEM. */
int zb_track_init(struct zb_track *s, unsigned column_nr);
void zb_track_fini(struct zb_track *s);

/* Offers a point; times must rise, one that does not is left out. */
void zb_track_add(struct zb_track *s, double t_s, const double *values);

static inline const double *zb_track_column(const struct zb_track *s, unsigned column)
{
	return &s->v[(uint64_t)column * ZB_TRACK_MAX];
}

#endif
