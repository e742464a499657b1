/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stat_list.h - what lcore_stat.h counts by: the stages of a burst, the types of timers
 *
 * Threading: constants.
 */
#ifndef ZB_PROFILER_STAT_LIST_H
#define ZB_PROFILER_STAT_LIST_H

/*
 * The stages a burst walks through, design order; idle is an empty poll, other the loop around
 * them.
 */
#define ZB_STAGE_LIST(X)                                           \
	X(rx, "take a burst from the source")                      \
	X(decode, "link to transport headers, checksums, hash")    \
	X(flow, "flow table look-up and creation")                 \
	X(conn, "connection counters, TCP state, history, timers") \
	X(stream, "reassembly and analyzers")                      \
	X(log, "rows of finished connections")                     \
	X(expire, "timer wheel")                                   \
	X(idle, "polls that returned no packet")

/* Timers by type: X(name, Zeek's name), in the order in which prof.log has them. */
#define ZB_TIMER_LIST(X)                            \
	X(conn_delete, "ConnectionDeleteTimer")     \
	X(inactivity, "ConnectionInactivityTimer")  \
	X(dns, "DNSExpireTimer")                    \
	X(file, "FileAnalysisInactivityTimer")      \
	X(frag, "FragTimer")                        \
	X(tunnel, "IPTunnelInactivityTimer")        \
	X(tcp_attempt, "TCPConnectionAttemptTimer") \
	X(tcp_expire, "TCPConnectionExpireTimer")

#endif
