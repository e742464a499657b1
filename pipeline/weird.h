/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird.h - oddities in the traffic: counted by name, thinned out as Zeek does, written to
 * weird.log
 *
 * Every occurrence is counted. Which ones become rows follows Zeek: names are dropped, logged once
 * per originator or per connection (for a day), or logged and then muted for ten minutes for the
 * same connection, the same two addresses, or, when not even these are known, altogether. The
 * memory of what has been logged is a table of fixed size: under attack it forgets the oldest, it
 * does not grow. (Zeek: base/frameworks/notice/weird.zeek)
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_WEIRD_H
#define ZB_PIPELINE_WEIRD_H

#include "capture/packet.h"
#include "pipeline/conn.h"
#include "pipeline/once.h"
#include "pipeline/weird_binary.h"
#include "pipeline/weird_dns.h"
#include "pipeline/weird_frag.h"
#include "pipeline/weird_http.h"
#include "pipeline/weird_tcp.h"
#include "pipeline/weird_text.h"
#include "pipeline/weird_tls.h"

/*
 * X(name, policy, source): Zeek's names, policies and the analyzer that raises them ("" for none).
 */
#define ZB_WEIRD_LIST(X)                                  \
	X(truncated_link_header, LOG, "")                 \
	X(truncated_IP, LOG, "IP")                        \
	X(unknown_ip_version, LOG, "IP")                  \
	X(ip_hdr_len_zero, LOG, "IP")                     \
	X(truncated_IP_len, LOG, "IP")                    \
	X(invalid_IP_header_size, LOG, "IP")              \
	X(internally_truncated_header, LOG, "IP")         \
	X(IPv4_min_header_size, LOG, "IP")                \
	X(bad_IP_checksum, PER_ORIG, "IP")                \
	X(ipv6_no_next, LOG, "IP")                        \
	X(ipv6_chain_too_long, LOG, "IP")                 \
	X(truncated_header, LOG, "")                      \
	X(bad_TCP_checksum, PER_ORIG, "TCP")              \
	X(bad_UDP_checksum, PER_ORIG, "UDP")              \
	X(bad_ICMP_checksum, PER_ORIG, "ICMP")            \
	X(bad_TCP_header_len, LOG, "TCP")                 \
	X(UDP_datagram_length_mismatch, PER_ORIG, "UDP")  \
	X(SYN_seq_jump, LOG, "")                          \
	X(SYN_inside_connection, LOG, "")                 \
	X(SYN_after_partial, PER_ORIG, "TCP")             \
	X(SYN_after_close, LOG, "TCP")                    \
	X(SYN_after_reset, LOG, "TCP")                    \
	X(SYN_with_data, PER_ORIG, "TCP")                 \
	X(FIN_after_reset, IGNORE, "TCP")                 \
	X(FIN_advanced_last_seq, LOG, "TCP")              \
	X(FIN_storm, PER_ORIG, "TCP")                     \
	X(RST_storm, LOG, "TCP")                          \
	X(TCP_seq_underflow_or_misorder, LOG, "TCP")      \
	X(TCP_ack_underflow_or_misorder, LOG, "TCP")      \
	X(TCP_christmas, LOG, "TCP")                      \
	X(TCP_scale_range, LOG, "TCP")                    \
	X(active_connection_reuse, LOG, "TCP")            \
	X(bad_SYN_ack, LOG, "TCP")                        \
	X(baroque_SYN, LOG, "TCP")                        \
	X(connection_originator_SYN_ack, PER_ORIG, "TCP") \
	X(data_after_reset, LOG, "TCP")                   \
	X(data_before_established, LOG, "TCP")            \
	X(inappropriate_FIN, LOG, "TCP")                  \
	X(possible_split_routing, LOG, "")                \
	X(premature_connection_reuse, LOG, "TCP")         \
	X(repeated_SYN_reply_wo_ack, LOG, "TCP")          \
	X(repeated_SYN_with_ack, LOG, "TCP")              \
	X(simultaneous_open, PER_CONN, "TCP")             \
	X(spontaneous_FIN, IGNORE, "TCP")                 \
	X(spontaneous_RST, IGNORE, "TCP")                 \
	X(unsolicited_SYN_response, IGNORE, "TCP")        \
	X(window_recision, LOG, "")                       \
	X(history_truncated, LOG, "zbench")               \
	ZB_WEIRD_LIST_BINARY(X)                           \
	ZB_WEIRD_LIST_DNS(X)                              \
	ZB_WEIRD_LIST_FRAG(X)                             \
	ZB_WEIRD_LIST_HTTP(X)                             \
	ZB_WEIRD_LIST_TCP(X)                              \
	ZB_WEIRD_LIST_TEXT(X)                             \
	ZB_WEIRD_LIST_TLS(X)

#define ZB_ENUM_W(name, policy, source)		    ZB_WEIRD_##name,
#define ZB_ENUM_W_NAMED(name, policy, source, text) ZB_WEIRD_##name,
enum zb_weird_name {
	ZB_WEIRD_LIST(ZB_ENUM_W) ZB_WEIRD_LIST_HTTP_NAMED(ZB_ENUM_W_NAMED) ZB_WEIRD_NR
};

extern const char *const zb_weird_text[ZB_WEIRD_NR];
extern const char *const zb_weird_source[ZB_WEIRD_NR]; /* as listed */

#ifndef ZB_WEIRD_MEMORY	      /* fuzzers have it small */
#define ZB_WEIRD_MEMORY 16384 /* entries that remember what was logged: 256 KiB */
#endif

struct zb_weird {
	struct zb_log_port *port;  /* NULL: counted only */
	struct zb_once_port *once; /* for what all lcores log once; NULL: this lcore alone */
	const char *peer;
	uint64_t secret; /* keys the table of what was logged */
	uint64_t now_ns; /* time of the packet being analysed */
	uint64_t total;
	uint64_t count[ZB_WEIRD_NR];
	struct zb_once_memory seen;
};

int zb_weird_init(struct zb_weird *w, struct zb_log_port *port, const char *peer, uint64_t secret);
void zb_weird_fini(struct zb_weird *w);

/* The fields after ts of a row that was offered to the reporter. */
void zb_weird_row(struct zb_row *row, const struct zb_once_row *r, uint64_t secret);

/* An oddity of a connection. addl may be NULL. */
void zb_weird_conn(struct zb_weird *w, struct zb_conn *c, enum zb_weird_name name,
		   const char *addl);

/* Of a packet between two IP addresses that is in no connection. */
void zb_weird_flow(struct zb_weird *w, enum zb_weird_name name, const uint8_t *src,
		   const uint8_t *dst, unsigned addr_len);

/* Of a packet of which not even the addresses are known. */
void zb_weird_net(struct zb_weird *w, enum zb_weird_name name);

/* The same with addl; "": none. */
void zb_weird_flow_addl(struct zb_weird *w, enum zb_weird_name name, const uint8_t *src,
			const uint8_t *dst, unsigned addr_len, const char *addl);
void zb_weird_net_addl(struct zb_weird *w, enum zb_weird_name name, const char *addl);

/* Of the header of a transport (IPPROTO_*), which is the source then. */
void zb_weird_transport(struct zb_weird *w, enum zb_weird_name name, const uint8_t *src,
			const uint8_t *dst, unsigned addr_len, uint8_t proto);

/* What an oddity of a packet is called when the packet came out of a tunnel. */
enum zb_weird_name zb_weird_in_tunnel(enum zb_weird_name name);

#endif
