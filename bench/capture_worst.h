/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_worst.h - the packets of the dearest connections, each in a small pcap of its own
 *
 * A connection's packets are found in the loaded trace by its addresses, protocol and ports, as the
 * packets around it have them: what is inside a tunnel is not.
 *
 * Threading: main, after the workers have finished.
 */
#ifndef ZB_BENCH_CAPTURE_WORST_H
#define ZB_BENCH_CAPTURE_WORST_H

#include "bench/cost.h"
#include "capture/trace.h"

#define ZB_WORST_PKTS_MAX 10000u /* of a connection: the first ones */

struct zb_worst_conf {
	struct zb_trace *trace; /* with the addresses that the connections had */
	uint32_t shard_nr;
	const char *folder;
	unsigned nr; /* connections at most */
};

/*
 * Writes FOLDER/<rank>-<uid>.pcap for the dearest connections, and says so in cost's flows: pcap,
 * pcap_pkts, pcap_cut. A connection of which no packet is found has no file. 0 or -errno, said.
 */
int zb_capture_worst(const struct zb_worst_conf *conf, struct zb_cost *cost);

#endif
