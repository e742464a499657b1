/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stat_list.h - what lcore_stat.h counts by: the stages of a burst, the fates of packets, the
 * types of timers
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

/* What became of a packet that the engine took; exactly one each. X(name, help) */
#define ZB_FATE_LIST(X)                                                                       \
	X(conn, "analysed as part of a connection or flow")                                   \
	X(touched, "decoded and hashed only (--engine touch)")                                \
	X(arp, "ARP, counted")                                                                \
	X(non_ip, "a link or network protocol the engine does not follow")                    \
	X(fragment, "an IP fragment, held for reassembly")                                    \
	X(tunnel, "unwrapped; analysed as its inner packet")                                  \
	X(truncated_link, "shorter than its link-layer header")                               \
	X(truncated_ip, "shorter than its IP header, or than its IP length says")             \
	X(bad_ip_header, "IP version, header length or total length make no sense")           \
	X(bad_ip_checksum, "IPv4 header checksum wrong")                                      \
	X(truncated_transport, "shorter than its transport header")                           \
	X(bad_transport_header, "transport header length makes no sense")                     \
	X(bad_transport_checksum, "TCP, UDP or ICMP checksum wrong; noted in its connection") \
	X(no_state, "a flow could not be created: memory or the flow limit ran out")

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
