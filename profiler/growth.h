/* SPDX-License-Identifier: Apache-2.0 */
/*
 * growth.h - why memory grows: load, state that nobody ends, a leak, or only what it looks like
 *
 * Every kind of state is counted exactly where it is allocated. So:
 *
 *	load		the kind grows as the number of live connections does
 *	plateau		it does not grow (any more)
 *	no expiry	it grows although connections do not, for longer than it may live
 *	leak		the allocator's live bytes grow while what is counted does not
 *	fragmented	pages in use hold far less than they could
 *	high water	the process stays as large as it was, though memory was given back inside
 *
 * Threading: pure functions; zb_growth_judge() is not reentrant (trend.h).
 * Units:     _s seconds of packet time, bytes.
 */
#ifndef ZB_PROFILER_GROWTH_H
#define ZB_PROFILER_GROWTH_H

#include "profiler/track.h"
#include "profiler/trend.h"

enum zb_growth_class {
	ZB_GROWTH_UNKNOWN, /* too short, or it is still filling */
	ZB_GROWTH_NONE,	   /* there was none of it to speak of */
	ZB_GROWTH_PLATEAU,
	ZB_GROWTH_LOAD,
	ZB_GROWTH_NO_EXPIRY,
	ZB_GROWTH_LEAK,
	ZB_GROWTH_FRAGMENTED,
	ZB_GROWTH_HIGH_WATER,
	ZB_GROWTH_CLASS_NR
};
extern const char *const zb_growth_class_name[ZB_GROWTH_CLASS_NR];

/* A column of the series that is bytes of one kind of state. */
struct zb_growth_kind {
	const char *name;
	unsigned column;
	double expiry_s; /* no state of this kind that is not in use lives longer */
};

/* Which columns hold what; UINT_MAX: not known. */
struct zb_growth_conf {
	const struct zb_growth_kind *kinds;
	unsigned kind_nr;
	unsigned conns;		    /* live connections */
	unsigned overdue;	    /* of them, beyond their time-out */
	unsigned live;		    /* bytes allocated and not freed, by the workers */
	unsigned allocated, active; /* of the allocator, whole process */
	unsigned rss;		    /* of the process, bytes */
	double cap_bytes;	    /* of all state; 0: none */
};

struct zb_growth_of_kind {
	enum zb_growth_class what;
	struct zb_trend trend;	/* bytes, behind the time in which it fills */
	struct zb_trend of_one; /* the same for each live connection */
};

#define ZB_GROWTH_OVERDUE   0.2 /* of all connections: more are no backlog */
#define ZB_GROWTH_KINDS_MAX 48
struct zb_growth {
	unsigned point_nr;
	double span_s;
	struct zb_growth_of_kind kind[ZB_GROWTH_KINDS_MAX];
	struct zb_trend conns, counted, uncounted; /* uncounted: live less counted */
	double overdue_ratio; /* median over the last third, of live connections */
	double overdue;
	unsigned top;		   /* the kind that grows most without expiry; UINT_MAX: none */
	enum zb_growth_class leak; /* LEAK, PLATEAU, UNKNOWN */
	enum zb_growth_class conn_state; /* NO_EXPIRY: connections beyond their time stay */
	enum zb_growth_class shape;	 /* FRAGMENTED, HIGH_WATER, PLATEAU, UNKNOWN */
	double allocated, active, rss, allocated_max, rss_max; /* at the end, and most */
	double cap_in_s; /* until the cap is reached at this pace; 0: never, or no cap */
};

void zb_growth_judge(const struct zb_track *s, const struct zb_growth_conf *conf,
		     struct zb_growth *out);

#endif
