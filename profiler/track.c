/* SPDX-License-Identifier: Apache-2.0 */
/* track.c - see track.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/track.h"

int zb_track_init(struct zb_track *s, unsigned column_nr)
{
	memset(s, 0, sizeof(*s));
	s->t_s = calloc(ZB_TRACK_MAX, sizeof(*s->t_s));
	s->v = calloc((size_t)column_nr * ZB_TRACK_MAX, sizeof(*s->v));
	s->column_nr = column_nr;
	s->stride = 1;
	if (s->t_s != NULL && s->v != NULL)
		return 0;
	zb_track_fini(s);
	return -ENOMEM;
}

void zb_track_fini(struct zb_track *s)
{
	free(s->t_s);
	free(s->v);
	memset(s, 0, sizeof(*s));
}

/* Keeps points 1, 3, 5, ...: the newest among them. */
static void halve(struct zb_track *s)
{
	for (unsigned i = 0; i < s->nr / 2; i++) {
		s->t_s[i] = s->t_s[2 * i + 1];
		for (unsigned c = 0; c < s->column_nr; c++) {
			double *v = &s->v[(size_t)c * ZB_TRACK_MAX];

			v[i] = v[2 * i + 1];
		}
	}
	s->nr /= 2;
	s->stride *= 2;
}

void zb_track_add(struct zb_track *s, double t_s, const double *values)
{
	if (s->nr != 0 && !(t_s > s->t_s[s->nr - 1]))
		return;
	if (++s->offered < s->stride)
		return;
	if (s->nr == ZB_TRACK_MAX)
		halve(s);
	/* The last one kept is half a new stride away: the next point is kept. */
	if (s->offered < s->stride)
		return;
	s->offered = 0;
	s->t_s[s->nr] = t_s;
	for (unsigned c = 0; c < s->column_nr; c++)
		s->v[(size_t)c * ZB_TRACK_MAX + s->nr] = values[c];
	s->nr++;
}
