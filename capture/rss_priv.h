/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rss_priv.h - the pieces of the RSS hash, for the loader, which knows more than one packet
 *
 * Threading: any.
 */
#ifndef ZB_CAPTURE_RSS_PRIV_H
#define ZB_CAPTURE_RSS_PRIV_H

#include "capture/ip_walk_priv.h"
#include "capture/rss.h"

/*
 * zb_rss_hash(); special: the packet alone does not tell where it belongs (a fragment, a tunnel on
 * UDP), tells it of others (FTP control), or belongs with others (DHCP), see shard_priv.h.
 */
uint32_t zb_rss_look(enum zb_link link, const uint8_t *data, uint32_t cap_len, bool *special);

/* Of w's packet alone, whatever is in it: addresses and, where they are there, ports. */
uint32_t zb_rss_flow_hash(const uint8_t *data, uint32_t cap_len, const struct zb_ip_walk *w);
uint32_t zb_rss_addr_hash(const uint8_t *data, const struct zb_ip_walk *w);

/* Does w's transport begin with two ports, both captured? */
bool zb_rss_has_ports(uint32_t cap_len, const struct zb_ip_walk *w);

/* UDP from or to port 67 or 68. */
bool zb_rss_is_dhcp(const uint8_t *data, uint32_t cap_len, const struct zb_ip_walk *w);

/* TCP from or to port 21. */
bool zb_rss_is_ftp(const uint8_t *data, uint32_t cap_len, const struct zb_ip_walk *w);

#endif
