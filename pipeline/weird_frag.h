/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_frag.h - weirds of fragments, tunnels and link layers: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_FRAG_H
#define ZB_PIPELINE_WEIRD_FRAG_H

/*
 * Of packets that belong to no connection yet. Inside a tunnel the name ends in _in_tunnel, which
 * no policy speaks of; it follows its plain one, see zb_weird_in_tunnel().
 */
#define ZB_WEIRD_BOTH(X, name, source) X(name, LOG, source) X(name##_in_tunnel, LOG, source)

#define ZB_WEIRD_LIST_PACKET(X)                                           \
	ZB_WEIRD_BOTH(X, truncated_ethernet_frame, "ETHERNET")            \
	ZB_WEIRD_BOTH(X, undefined_ether_type, "ETHERNET")                \
	ZB_WEIRD_BOTH(X, max_packet_analyzer_depth_exceeded, "ETHERNET")  \
	ZB_WEIRD_BOTH(X, truncated_link_header_cfp, "ETHERNET")           \
	ZB_WEIRD_BOTH(X, truncated_VLAN_header, "VLAN")                   \
	ZB_WEIRD_BOTH(X, undefined_vlan_protocol, "VLAN")                 \
	ZB_WEIRD_BOTH(X, triple_tagged_vlan_unsupported, "VLAN")          \
	ZB_WEIRD_BOTH(X, truncated_PBB_header, "PBB")                     \
	ZB_WEIRD_BOTH(X, truncated_vntag_header, "VNTAG")                 \
	ZB_WEIRD_BOTH(X, truncated_llc_header, "LLC")                     \
	ZB_WEIRD_BOTH(X, truncated_snap_llc_header, "SNAP")               \
	ZB_WEIRD_BOTH(X, truncated_snap_header, "SNAP")                   \
	ZB_WEIRD_BOTH(X, truncated_pppoe_header, "PPPOE")                 \
	ZB_WEIRD_BOTH(X, pppoe_extra_data_after_payload, "PPPOE")         \
	ZB_WEIRD_BOTH(X, pppoe_truncated_payload, "PPPOE")                \
	ZB_WEIRD_BOTH(X, truncated_nflog_header, "NFLOG")                 \
	ZB_WEIRD_BOTH(X, unknown_nflog_version, "NFLOG")                  \
	ZB_WEIRD_BOTH(X, nflog_no_pcap_payload, "NFLOG")                  \
	ZB_WEIRD_BOTH(X, nflog_bad_tlv_len, "NFLOG")                      \
	ZB_WEIRD_BOTH(X, truncated_radiotap_header, "IEEE802_11_RADIO")   \
	ZB_WEIRD_BOTH(X, truncated_802_11_header, "IEEE802_11")           \
	ZB_WEIRD_BOTH(X, truncated_802_11_llc_header, "IEEE802_11")       \
	ZB_WEIRD_BOTH(X, truncated_802_11_amsdu_header, "IEEE802_11")     \
	ZB_WEIRD_BOTH(X, truncated_802_11_amsdu_packet, "IEEE802_11")     \
	ZB_WEIRD_BOTH(X, invalid_802_11_amsdu_inner_packet, "IEEE802_11") \
	ZB_WEIRD_BOTH(X, truncated_ARP, "ARP")                            \
	ZB_WEIRD_BOTH(X, incompletely_captured_fragment, "IP")            \
	ZB_WEIRD_BOTH(X, exceeded_tunnel_max_depth, "IPTUNNEL")           \
	ZB_WEIRD_BOTH(X, invalid_inner_IP_version, "IPTUNNEL")            \
	ZB_WEIRD_BOTH(X, truncated_inner_IP, "IPTUNNEL")                  \
	ZB_WEIRD_BOTH(X, inner_IP_payload_length_mismatch, "IPTUNNEL")    \
	ZB_WEIRD_BOTH(X, truncated_GRE, "GRE")                            \
	ZB_WEIRD_BOTH(X, gre_routing, "GRE")                              \
	ZB_WEIRD_BOTH(X, unknown_gre_version, "GRE")                      \
	ZB_WEIRD_BOTH(X, unknown_gre_flags, "GRE")                        \
	ZB_WEIRD_BOTH(X, egre_protocol_type, "GRE")                       \
	ZB_WEIRD_BOTH(X, non_ip_packet_in_encap, "GRE")                   \
	ZB_WEIRD_BOTH(X, vxlan_empty_packet, "VXLAN")                     \
	ZB_WEIRD_BOTH(X, geneve_empty_packet, "GENEVE")                   \
	ZB_WEIRD_BOTH(X, geneve_invalid_version, "GENEVE")                \
	ZB_WEIRD_BOTH(X, ayiya_empty_packet, "AYIYA")

/* Those of weird.h inside a tunnel. */
#define ZB_WEIRD_LIST_TUNNELLED(X)                          \
	X(truncated_link_header_in_tunnel, LOG, "")         \
	X(truncated_IP_in_tunnel, LOG, "IP")                \
	X(unknown_ip_version_in_tunnel, LOG, "IP")          \
	X(ip_hdr_len_zero_in_tunnel, LOG, "IP")             \
	X(truncated_IP_len_in_tunnel, LOG, "IP")            \
	X(invalid_IP_header_size_in_tunnel, LOG, "IP")      \
	X(internally_truncated_header_in_tunnel, LOG, "IP") \
	X(IPv4_min_header_size_in_tunnel, LOG, "IP")        \
	X(bad_IP_checksum_in_tunnel, LOG, "IP")             \
	X(ipv6_no_next_in_tunnel, LOG, "IP")                \
	X(truncated_header_in_tunnel, LOG, "")

/* Named the same wherever they are found. */
#define ZB_WEIRD_LIST_FRAG(X)                                \
	ZB_WEIRD_LIST_PACKET(X)                              \
	ZB_WEIRD_LIST_TUNNELLED(X)                           \
	X(fragment_with_DF, LOG, "")                         \
	X(fragment_protocol_inconsistency, LOG, "")          \
	X(fragment_size_inconsistency, PER_ORIG, "")         \
	X(fragment_inconsistency, PER_ORIG, "")              \
	X(fragment_overlap, PER_ORIG, "")                    \
	X(excessively_small_fragment, PER_ORIG, "")          \
	X(excessively_large_fragment, LOG, "")               \
	X(multiple_routing_headers, LOG, "")                 \
	X(odd_routing0_len, LOG, "")                         \
	X(routing0_hdr, LOG, "")                             \
	X(bad_routing2_len, LOG, "")                         \
	X(unknown_routing_type, LOG, "")                     \
	X(bad_ipv6_dest_opt_len, LOG, "")                    \
	X(multiple_home_addr_opts, LOG, "")                  \
	X(bad_home_addr_len, LOG, "")                        \
	X(Teredo_bubble_with_payload, LOG, "TEREDO")         \
	X(truncated_Teredo, LOG, "TEREDO")                   \
	X(truncated_Teredo_origin_indication, LOG, "TEREDO") \
	X(truncated_Teredo_authentication, LOG, "TEREDO")    \
	X(truncated_IPv6_in_Teredo, LOG, "TEREDO")           \
	X(tunnel_depth, LOG, "GTPV1")                        \
	X(tunnel_max_changes_per_connection_exceeded, LOG, "")

#endif
