/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp_join.h - what the messages of a DHCP transaction say together: a row of dhcp.log
 *
 * Messages with the same transaction id are one row, whichever connections they come in. A row is
 * written once nothing was added for 5 s or all took longer than 30 s, which is looked at only
 * every 10 s, from the first packet on (Zeek: base/protocols/dhcp); and when it is full, and at the
 * end.
 *
 * A table of one lcore, within ZB_MEM_dhcp; at its limit the oldest transaction is written early.
 * Several lcores agree when all of DHCP comes to the same one; see capture/rss.h.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_ANALYZERS_DHCP_JOIN_H
#define ZB_PIPELINE_ANALYZERS_DHCP_JOIN_H

#include "pipeline/analyzer.h"

#define ZB_DHCP_UIDS_MAX  10 /* Zeek: DHCP::max_uids_per_log_entry */
#define ZB_DHCP_TYPES_MAX 50 /* Zeek: DHCP::max_msg_types_per_log_entry */
#define ZB_DHCP_OPEN_MAX  4096

/* Options that are told of; longer than 0 or not, they may be missing (NULL). */
struct zb_dhcp_option {
	const uint8_t *d;
	uint8_t n;
};

struct zb_dhcp_msg {
	const uint8_t *fixed; /* the fields in front of the options */
	struct zb_dhcp_option host_name, domain, requested, lease, message, client_id, fqdn;
	uint8_t type;
	bool is_orig;
};

/* Counts a message to its transaction. */
void zb_dhcp_join(struct zb_analyzer *a, const struct zb_dhcp_msg *m);

/* Writes what is over at now_ns. */
void zb_dhcp_expire(struct zb_analysis *an, uint64_t now_ns);

/* Writes all, and gives the memory back. */
void zb_dhcp_end(struct zb_analysis *an);

struct zb_dhcp_text {
	uint8_t n;
	bool is_set;
	char d[255];
};

struct zb_dhcp_addr {
	uint8_t d[16];
	uint8_t ip_version; /* 0: not known */
};

struct zb_dhcp_row {
	uint64_t ts_ns, last_ns;
	uint64_t uid_seq[ZB_DHCP_UIDS_MAX];
	struct zb_dhcp_addr client, server;
	uint8_t requested[4], assigned[4];
	uint32_t lease_s;
	bool has_requested, has_assigned, has_lease;
	uint8_t uid_nr, type_nr;
	uint8_t type[ZB_DHCP_TYPES_MAX];
	struct zb_dhcp_text mac, client_mac; /* client_mac: what stands in for mac */
	struct zb_dhcp_text host_name, fqdn, domain, client_message, server_message;
};

/* dhcp_log.c */
void zb_dhcp_row(struct zb_analysis *an, const struct zb_dhcp_row *t);

#endif
