/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns.h - the cycles of two stages that take turns within a burst, by sampling
 *
 * The conn and the stream stage take turns whenever a connection's data must be read before its
 * next packet: a dozen times in a burst of ordinary traffic. To read the time-stamp counter at each
 * turn costs more than all other marks of a burst together. So one burst of 32, drawn at random,
 * lest traffic keep step with it, has its turns timed. Of the others it is exactly known what both
 * stages took together; of that the conn stage gets what its packets took on average in those that
 * were drawn lately, and the stream stage the rest. For what may take ten thousand times as long as
 * usual, an analyzer or waiting for the log writer, is the stream stage's. While bursts take so
 * long that reading the counter is nothing beside them, all are timed.
 *
 * Threading: one lcore. Zeroed is a good beginning. Units: TSC cycles.
 */
#ifndef ZB_PIPELINE_TURNS_H
#define ZB_PIPELINE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#define ZB_TURNS_EVERY	32u   /* bursts, on average, to one that is drawn */
#define ZB_TURNS_FIRST	64u   /* bursts that are timed to begin with */
#define ZB_TURNS_RECENT 128u  /* drawn bursts, after which those so far count half */
#define ZB_TURNS_READ	64u   /* cycles that timing one turn may cost at most, or nearly */
#define ZB_TURNS_DEAR	1024u /* a burst that takes so many times what timing it costs is dear */

struct zb_turns {
	uint64_t first,
		pkts; /* own cycles of the first stage in bursts drawn lately; their packets */
	uint32_t drawn_nr;
	uint32_t wait; /* bursts until the next one is drawn */
	uint32_t random;
	bool was_dear; /* the last burst: so may be the next */
};

/* What two stages took of a burst, together and the first one, and what of that the thread did not
 * run (own_time.h). */
struct zb_turns_took {
	uint64_t both, first;
	uint64_t both_taken, first_taken;
	uint32_t turns, pkts; /* 1 at least */
};

/* Of a burst that begins: whether its turns are to be timed. */
static inline bool zb_turns_timed(const struct zb_turns *t)
{
	return t->wait == 0 || t->was_dear;
}

/*
 * A burst is over, for which zb_turns_timed() was `timed`. Where it was not, fills in took->first
 * and first_taken.
 */
void zb_turns_end(struct zb_turns *t, bool timed, struct zb_turns_took *took);

#endif
