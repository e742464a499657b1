/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trend.h - whether values rise, how fast, and how sure that is
 *
 * The slope is the median of the slopes between all pairs of points (Theil, Sen), so that a few
 * outliers do not move it. Its interval and the test for a trend at all come from the number of
 * pairs that rise (Mann, Kendall).
 *
 * Threading: pure functions.
 */
#ifndef ZB_PROFILER_TREND_H
#define ZB_PROFILER_TREND_H

#include <stdbool.h>

#define ZB_TREND_POINTS 128 /* more are thinned out: all pairs of these are looked at */
#define ZB_TREND_MIN	8   /* fewer say nothing */

struct zb_trend {
	bool known;
	double slope, low, high; /* per second: median of all pairs, and 95 % interval */
	double z;     /* of Mann-Kendall: beyond 1.96 the trend is no accident, in 95 % */
	double level; /* median of the values */
	double span_s;
	double change; /* slope * span */
};

/* Of n points, by rising time. */
struct zb_trend zb_trend_of(const double *t_s, const double *v, unsigned n);

#endif
