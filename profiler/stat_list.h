/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stat_list.h - what lcore_stat.h counts: counters and gauges, the stages of a burst, the fates of
 * packets, the types of timers
 *
 * Threading: constants.
 */
#ifndef ZB_PROFILER_STAT_LIST_H
#define ZB_PROFILER_STAT_LIST_H

/*
 * X(name, help). The accounting law, in packets and in bytes:
 *   offered = link + unsent;   link = proc + dropped + filtered (+ still queued; 0 at the end)
 * and, in packets: proc = sum of all fates.
 */
#define ZB_COUNTER_LIST(X)                                                                    \
	X(pkts_offered, "packets the source meant to deliver to this lcore")                  \
	X(bytes_offered, "their wire bytes")                                                  \
	X(pkts_unsent, "offered but lost before the link: the generator could not send them") \
	X(bytes_unsent, "their wire bytes")                                                   \
	X(pkts_link, "packets that reached this lcore's link")                                \
	X(bytes_link, "their wire bytes")                                                     \
	X(pkts_proc, "packets handed to the engine")                                          \
	X(bytes_recv, "their wire bytes")                                                     \
	X(pkts_dropped, "packets lost between link and engine: receive queue full")           \
	X(bytes_dropped, "their wire bytes")                                                  \
	X(pkts_filtered, "packets removed by a filter before the engine")                     \
	X(bytes_filtered, "their wire bytes")                                                 \
	X(bursts, "polls that returned at least one packet")                                  \
	X(empty_polls, "polls that returned none")                                            \
	X(tcp_conns, "TCP connections created")                                               \
	X(udp_conns, "UDP flows created")                                                     \
	X(icmp_conns, "ICMP flows created")                                                   \
	X(other_conns, "flows of other IP protocols created")                                 \
	X(conns_evicted, "flows ended early to make room")                                    \
	X(conns_capped, "of them: because all state was beyond the cap")                      \
	X(conns_expired, "flows ended because nothing more came")                             \
	X(timers, "timers ever scheduled")                                                    \
	X(events_queued, "events queued")                                                     \
	X(events_proc, "events processed")                                                    \
	X(files, "files ever tracked")                                                        \
	X(dns_requests, "DNS requests seen in the traffic")                                   \
	X(weirds, "oddities found, before sampling and suppression")                          \
	X(log_rows_lost, "log rows dropped because writers were behind or the disk was full") \
	X(log_wait_cycles, "cycles spent waiting for a free log buffer (--logs-block)")       \
	X(once_wait_cycles, "cycles spent waiting for the reporter to take rows logged once") \
	X(stream_shed, "connections not analysed for want of room")                           \
	X(tcp_data_shed, "TCP segments out of order given up for want of room")               \
	X(frag_shed, "IP datagrams under reassembly given up for want of room")               \
	X(probe_shed, "protocol detections given up for want of room")                        \
	X(dns_shed, "DNS queries forgotten for want of room")                                 \
	X(http_shed, "HTTP messages not followed for want of room")                           \
	X(tls_shed, "TLS handshakes not followed for want of room")                           \
	X(smb_shed, "pieces of SMB state given up for want of room")                          \
	X(analyzer_shed, "other analyzers not begun for want of room")                        \
	X(file_shed, "files not followed for want of room")                                   \
	X(file_data_shed, "pieces of files out of order given up for want of room")           \
	X(tunnel_shed, "tunnels forgotten for want of room")                                  \
	X(known_shed, "hosts and services forgotten for want of room")                        \
	X(expect_shed, "announced connections forgotten for want of room")                    \
	X(dhcp_shed, "DHCP transactions logged early, or not, for want of room")              \
	X(history_shed, "histories and counts cut short for want of room")                    \
	X(weird_shed, "oddities forgotten early: they may be logged again")                   \
	X(snapshots_skipped, "statistics rows merged into the next: the reporter was behind")

/* Counts first, then bytes, from reassem_tcp_bytes to the end. */
#define ZB_GAUGE_LIST(X)                                                             \
	X(active_tcp_conns, "TCP connections in memory")                             \
	X(active_udp_conns, "UDP flows in memory")                                   \
	X(active_icmp_conns, "ICMP flows in memory")                                 \
	X(active_other_conns, "flows of other IP protocols in memory")               \
	X(active_timers, "timers pending")                                           \
	X(active_files, "files tracked now")                                         \
	X(active_dns_requests, "DNS requests without a reply yet")                   \
	X(queue_pkts, "packets waiting in the receive queue (open loop)")            \
	X(reassem_tcp_bytes, "bytes held by TCP reassembly")                         \
	X(reassem_file_bytes, "bytes held by file reassembly")                       \
	X(reassem_frag_bytes, "bytes held by IP fragment reassembly")                \
	X(reassem_unknown_bytes, "bytes held by protocol detection")                 \
	X(conn_bytes, "bytes of connection state in use")                            \
	X(conn_reserved_bytes, "bytes of connection state taken from the allocator") \
	X(flow_table_bytes, "bytes of the flow table")                               \
	X(timer_bytes, "bytes of the timer wheel")                                   \
	X(history_bytes, "bytes of long connection histories")                       \
	X(stream_bytes, "bytes of analysis state of connections")                    \
	X(dns_bytes, "bytes of DNS queries waiting for their answers")               \
	X(http_bytes, "bytes of HTTP requests and replies under way")                \
	X(tls_bytes, "bytes of TLS handshakes under way")                            \
	X(smb_bytes, "bytes of SMB messages, requests, trees and open files")        \
	X(analyzer_bytes, "bytes of the other analyzers' state")                     \
	X(file_bytes, "bytes of files under way")                                    \
	X(tunnel_bytes, "bytes of tunnels seen")                                     \
	X(known_bytes, "bytes of hosts and services already logged")                 \
	X(expect_bytes, "bytes of connections announced by others")                  \
	X(dhcp_bytes, "bytes of DHCP transactions under way")                        \
	X(log_buffer_bytes, "bytes of log buffers")                                  \
	X(weird_bytes, "bytes of weird suppression state")

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
