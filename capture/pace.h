/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace.h - at what time each packet is due: an absolute schedule in ticks of the time-stamp counter
 *
 * Times are counted from the beginning of the schedule in steps of 2^-64 of a tick and never
 * rounded to anything coarser, so that a run of days ends where its rate says: after 10^14 packets
 * the sum of all roundings is less than a hundred-thousandth of a tick.
 *
 * Threading: a schedule belongs to one thread.
 */
#ifndef ZB_CAPTURE_PACE_H
#define ZB_CAPTURE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define ZB_PACE_PPS_MAX 200e6 /* packets a second, asked for */

enum zb_pace_kind {
	ZB_PACE_MAX,   /* as fast as it goes: no schedule */
	ZB_PACE_PPS,   /* packets a second */
	ZB_PACE_BPS,   /* bits a second, of frames without their checksum */
	ZB_PACE_TIMES, /* the traffic's own timing, so many times as fast */
};

struct zb_pace_rate {
	enum zb_pace_kind kind;
	double value;
};

/*
 * "max", "10kpps", "2.5Mpps", "1Gbps", "1x", "0.5x". 0, -EINVAL: not a rate, -ERANGE: none that can
 * be kept. Says nothing.
 */
int zb_pace_parse(const char *text, struct zb_pace_rate *out);
/* As it would be written: "2.5Mpps". Returns buf. */
char *zb_pace_format(const struct zb_pace_rate *r, char *buf, uint32_t buf_size);

__extension__ typedef unsigned __int128 zb_fixed; /* 64.64 */

struct zb_pace {
	zb_fixed due; /* of the next packet, ticks since the beginning */
	zb_fixed per_pkt, per_byte, per_ns;
	uint64_t newest_ns; /* packet time of the next packet */
	bool begun;
};

/* tsc_hz: ticks a second. ZB_PACE_MAX: every packet is due at once. */
void zb_pace_init(struct zb_pace *s, const struct zb_pace_rate *r, double tsc_hz);

/* Ticks at which the next packet is due. */
static inline uint64_t zb_pace_due(const struct zb_pace *s)
{
	return (uint64_t)(s->due >> 64);
}

/* Rates of packets and of bits: the next packet has gone, or was given up; it had len bytes. */
static inline void zb_pace_next(struct zb_pace *s, uint32_t len)
{
	s->due += s->per_pkt + s->per_byte * len;
}

/* The traffic's own timing: the next packet has this time. Time does not run back. */
void zb_pace_at(struct zb_pace *s, uint64_t ts_ns);

/*
 * Rates of packets: how many are due before ticks, the next one included. These can be passed over
 * at once.
 */
uint64_t zb_pace_before(const struct zb_pace *s, uint64_t ticks);
void zb_pace_skip(struct zb_pace *s, uint64_t pkts);

/* One moment by two clocks: the time-stamp counter and CLOCK_MONOTONIC. */
struct zb_moment {
	uint64_t tsc, ns;
};

/* The best of several readings: apart by some ten nanoseconds. */
void zb_moment_take(struct zb_moment *m);
/* Ticks a second between two moments; 0.1 s apart it is right to a millionth. */
double zb_moment_hz(const struct zb_moment *from, const struct zb_moment *to);

#endif
