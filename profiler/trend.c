/* SPDX-License-Identifier: Apache-2.0 */
/* trend.c - see trend.h */
#include <math.h>
#include <stdlib.h>

#include "profiler/trend.h"

#define PAIRS_MAX (ZB_TREND_POINTS * (ZB_TREND_POINTS - 1) / 2)
#define Z_95	  1.96

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Takes at most ZB_TREND_POINTS of the points, first and last among them. */
static unsigned thin(const double *t_s, const double *v, unsigned n, double *t, double *y)
{
	unsigned kept = n < ZB_TREND_POINTS ? n : ZB_TREND_POINTS;

	for (unsigned i = 0; i < kept; i++) {
		unsigned at = kept > 1 ? (unsigned)((unsigned long)i * (n - 1) / (kept - 1)) : 0;

		t[i] = t_s[at];
		y[i] = v[at];
	}
	return kept;
}

/* Slopes of all pairs; *rising: rising ones less falling ones. */
static unsigned pair_slopes(const double *t, const double *y, unsigned n, double *slope,
			    long *rising)
{
	unsigned nr = 0;

	*rising = 0;
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = i + 1; k < n; k++) {
			*rising += (y[k] > y[i]) - (y[k] < y[i]);
			if (t[k] > t[i])
				slope[nr++] = (y[k] - y[i]) / (t[k] - t[i]);
		}
	}
	return nr;
}

struct zb_trend zb_trend_of(const double *t_s, const double *v, unsigned n)
{
	static double slope[PAIRS_MAX];
	double t[ZB_TREND_POINTS], y[ZB_TREND_POINTS], sd, half;
	struct zb_trend out = {0};
	unsigned nr, low, high;
	long rising;

	if (n < ZB_TREND_MIN)
		return out;
	n = thin(t_s, v, n, t, y);
	nr = pair_slopes(t, y, n, slope, &rising);
	if (nr == 0)
		return out;
	/* Variance of the number of rising pairs when there is no trend, without ties. */
	sd = sqrt((double)n * (n - 1) * (2.0 * n + 5) / 18);
	out.z = rising == 0 ? 0 : ((double)rising - (rising > 0 ? 1 : -1)) / sd;
	out.slope = median(slope, nr);
	half = Z_95 * sd / 2;
	low = (double)nr / 2 - half < 0 ? 0 : (unsigned)((double)nr / 2 - half);
	high = (unsigned)((double)nr / 2 + half);
	out.low = slope[low];
	out.high = slope[high < nr ? high : nr - 1];
	out.level = median(y, n);
	out.span_s = t[n - 1] - t[0];
	out.change = out.slope * out.span_s;
	out.known = true;
	return out;
}
