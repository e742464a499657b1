/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule.h - when each packet of an open loop is due, on the time-stamp counter
 *
 * Due times follow from the beginning and what came before alone, in whole cycles whose fractions
 * are carried on: nothing drifts, however long it runs, and nobody's being late changes them.
 *
 * Threading: one thread.
 */
#ifndef ZB_CAPTURE_SCHEDULE_H
#define ZB_CAPTURE_SCHEDULE_H

#include <stdint.h>

enum zb_rate_kind {
	ZB_RATE_MAX,   /* closed loop */
	ZB_RATE_TIMES, /* the trace's own timing, so many times as fast */
	ZB_RATE_PPS,   /* packets per second, evenly */
	ZB_RATE_BPS    /* wire bits per second (pcap "len"), evenly */
};

struct zb_rate {
	enum zb_rate_kind kind;
	uint64_t milli; /* thousandths of times, of pps or of bits per second */
};

/*
 * Reads "max", "2x", "0.5x", "250kpps", "1.5Mpps", "10Gbps". -EINVAL: none of these, or zero;
 * -ERANGE: beyond 1000 times, 10^12 pps or 10^15 bits per second, or below a thousandth of one.
 */
int zb_rate_parse(const char *text, struct zb_rate *out);

struct zb_schedule {
	struct zb_rate rate;
	uint64_t tsc_hz, begin_tsc;
	uint64_t due;  /* of the last packet, in cycles from begin_tsc */
	uint64_t rest; /* of the division behind due */
};

void zb_schedule_begin(struct zb_schedule *s, const struct zb_rate *rate, uint64_t tsc_hz,
		       uint64_t begin_tsc);

/*
 * When the next packet is due. ns: its time from the beginning of the trace (of all passes); one
 * that is earlier than the packet before it is due with it. bytes: its wire length.
 */
uint64_t zb_schedule_next(struct zb_schedule *s, uint64_t ns, uint32_t bytes);

#endif
