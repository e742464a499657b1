/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack.h - traffic that is small on the wire and expensive in a monitor, by name
 *
 * Each attack is one entry of one table: what is sent, what it exhausts, which figures of zbench
 * must move, what bounds it, and its parameters. A generator builds one frame after the other
 * without end; whoever pulls them decides when to stop. The same seed and parameters give the same
 * frames on every machine, and nothing is allocated per frame.
 *
 * Checksums are right, except where an attack breaks them on purpose.
 *
 * Threading: any; a generator belongs to one thread.
 * Ownership: a frame is the caller's.
 * Units:     _ns is nanoseconds.
 * Errors:    0 or -errno; a bad spec is said once, in one line.
 */
#ifndef ZB_BENCH_ATTACK_H
#define ZB_BENCH_ATTACK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ZB_ATTACK_PARAMS_MAX 4
#define ZB_ATTACK_MIX_MAX    16
#define ZB_ATTACK_PPS	     100000u /* frames a second of packet time, unless asked otherwise */

struct zb_attack_gen;

struct zb_attack_param {
	const char *name; /* NULL: no more of them */
	uint64_t def, min, max;
	const char *help;
};

struct zb_attack {
	const char *name;
	const char *id; /* the kind: A flow tables, B TCP, C IP, D rate, E parsers, F files, ... */
	const char *sends, *exhausts, *guard;
	/*
	 * What must move, separated by spaces: counters and gauges by their names in lcore.log and
	 * stats.log, and weird:NAME, conn_state:NAME, history:LETTER, rows:LOG.
	 */
	const char *moves;
	uint32_t pps; /* 0: ZB_ATTACK_PPS */
	/* For frame = zb_at_talk: responder's port, bytes of a segment (0: 1448), segments after
	 * which the other side acknowledges (0: only by what it says). */
	uint16_t port, segment, ack_every;
	bool one_sided; /* only what the originator sends is seen */
	struct zb_attack_param params[ZB_ATTACK_PARAMS_MAX];
	/* Builds frame number n. */
	void (*frame)(struct zb_attack_gen *g, uint64_t n);
	/* For frame = zb_at_talk: what the ends of a connection say, see attack_priv.h. */
	int (*say)(struct zb_attack_gen *g, uint64_t nr);
};

/* What the list names and nobody sends. */
struct zb_attack_absent {
	const char *id, *what, *why;
};

struct zb_gen_frame;
struct zb_gen_stream;

/* One of all attacks, in the order of the kinds; NULL beyond the last. */
const struct zb_attack *zb_attack_at(unsigned i);
/* Those that are not sent, and why; NULL beyond the last. */
const struct zb_attack_absent *zb_attack_absent_at(unsigned i);
const struct zb_attack *zb_attack_find(const char *name);

/*
 * A generator for "NAME[=SHARE%][,PARAMETER=VALUE]..."; share gets the part of all packets asked
 * for, 0 when none was. -EINVAL, said: no such attack or parameter, or a bad value.
 */
int zb_attack_open(const char *spec, uint64_t seed, double *share, struct zb_attack_gen **out);
void zb_attack_close(struct zb_attack_gen *g);

/*
 * The next frame. ts_ns: since the first one, at the attack's own pace; off_ns: what its time stamp
 * is to be wrong by, on purpose.
 */
void zb_attack_next(struct zb_attack_gen *g, struct zb_gen_frame *f, uint64_t *ts_ns,
		    int64_t *off_ns);

/*
 * Streams, see gen_stream.h; they own the generators, and the mix owns clean, unless they fail:
 * -ENOMEM. Alone: ends after packets frames, or, where that is 0, before duration_ns is over.
 */
int zb_attack_alone(struct zb_attack_gen *g, uint64_t packets, uint64_t duration_ns,
		    struct zb_gen_stream **out);

/*
 * The frames of clean, and between them those of the attacks: share[i] of all frames are those of
 * g[i]. Their sum is less than 1. nr is at most ZB_ATTACK_MIX_MAX.
 */
int zb_attack_mix(struct zb_gen_stream *clean, struct zb_attack_gen *const g[],
		  const double share[], unsigned nr, struct zb_gen_stream **out);

/* What zbench gen --list and --explain print. */
void zb_attack_list(FILE *f);
int zb_attack_explain(const char *name, FILE *f);

#endif
