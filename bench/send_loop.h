/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_loop.h - sends frames at their times, and says of each that it went, or that it did not
 *
 * Open loop: the schedule stands, whatever the device takes. A frame that has not gone lag_max
 * after its time is given up and counted, and the next one takes its turn at its own time. Without
 * a schedule (ZB_PACE_MAX) frames follow each other as fast as the device takes them.
 *
 *     scheduled = sent + unsent_late + unsent_size     + left in the device, see struct zb_tx_left
 *
 * Threading: filled by main, run by one worker; stop is set by main, sent_now read by it.
 * Units:     ticks of the time-stamp counter since the beginning of the schedule.
 */
#ifndef ZB_BENCH_SEND_LOOP_H
#define ZB_BENCH_SEND_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/depart.h"
#include "capture/pace.h"
#include "bench/send_source.h"
#include "capture/tx.h"

struct zb_send_count {
	uint64_t pkts, bytes;
};

struct zb_send_loop {
	/* Set before. */
	struct zb_txq *q;
	struct zb_send_source *source;
	struct zb_pace_rate rate;
	double tsc_hz;
	uint64_t count_max;	 /* frames; 0: no end */
	uint64_t duration_ticks; /* 0: no end */
	uint64_t lag_max_ticks;
	uint32_t len_max; /* longest frame of a trace or stream that is sent */
	uint16_t burst_max;
	bool stop; /* by main: break off */

	/* The worker's. */
	struct zb_pace schedule;
	uint64_t start_tsc, gap_min_ticks;
	uint64_t flow;		   /* of the next frame of a template */
	uint32_t head, nr;	   /* window of a trace's or stream's frames: those not yet sent */
	bool over;		   /* nothing further is scheduled */
	bool in_place;		   /* a stream's frames are written into the device's buffers */
	struct zb_gen_frame *made; /* ZB_TX_BURST_MAX, where they go else, and one more */
	struct zb_tx_frame frames[ZB_TX_BURST_MAX];
	uint64_t due[ZB_TX_BURST_MAX];
	uint64_t ts_ns[ZB_TX_BURST_MAX];
	uint8_t *bufs[ZB_TX_BURST_MAX]; /* of a template's or stream's frames, in the device */

	/* What came of it. */
	struct zb_send_count scheduled, sent, unsent_late, unsent_size;
	uint64_t full_bursts; /* of which the device did not take all */
	uint64_t end_ticks;   /* last departure, or the end of the schedule if that is later */
	/* Jumps of the clock while there was nothing to do but look at it: the machine's, not ours.
	 */
	uint64_t waited_ticks, gaps, gap_ticks, gap_max_ticks;
	struct zb_depart lag;
	uint64_t sent_now; /* for main, while it goes on */
};

/* Runs on the worker until all is sent, the time is over, stop is set, or the device is gone. */
void zb_send_loop_run(struct zb_send_loop *l);

#endif
