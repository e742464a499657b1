/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_dns.h - weirds of the DNS analyzer: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_DNS_H
#define ZB_PIPELINE_WEIRD_DNS_H

#define ZB_WEIRD_LIST_DNS(X)                                     \
	X(DNS_Conn_count_too_large, LOG, "DNS")                  \
	X(DNS_LOC_version_unrecognized, LOG, "DNS")              \
	X(DNS_NAME_too_long, LOG, "DNS")                         \
	X(DNS_RR_bad_length, LOG, "DNS")                         \
	X(DNS_RR_length_mismatch, LOG, "DNS")                    \
	X(DNS_RR_unknown_type, LOG, "DNS")                       \
	X(DNS_SVCB_alpn_length_invalid, LOG, "DNS")              \
	X(DNS_SVCB_port_length_invalid, LOG, "DNS")              \
	X(DNS_SVCB_wrong_length, LOG, "DNS")                     \
	X(DNS_TXT_char_str_past_rdlen, LOG, "DNS")               \
	X(DNS_label_forward_compress_offset, PER_ORIG, "DNS")    \
	X(DNS_label_len_gt_name_len, PER_ORIG, "DNS")            \
	X(DNS_label_len_gt_pkt, PER_ORIG, "DNS")                 \
	X(DNS_label_too_long, PER_ORIG, "DNS")                   \
	X(DNS_max_compression_chain_depth_exceeded, LOG, "DNS")  \
	X(DNS_truncated_RR_rdlength_lt_len, LOG, "DNS")          \
	X(DNS_truncated_ans_too_short, LOG, "DNS")               \
	X(DNS_truncated_len_lt_hdr_len, LOG, "DNS")              \
	X(DNS_truncated_quest_too_short, LOG, "DNS")             \
	X(DNS_unknown_opcode, LOG, "DNS")                        \
	X(DNS_zero_rdlength, LOG, "DNS")                         \
	X(DNSSEC_DNSKEY_Indirect_ZoneSignAlgo, LOG, "DNS")       \
	X(DNSSEC_DNSKEY_Invalid_Flag, LOG, "DNS")                \
	X(DNSSEC_DNSKEY_Invalid_Protocol, LOG, "DNS")            \
	X(DNSSEC_DNSKEY_NotRecommended_ZoneSignAlgo, LOG, "DNS") \
	X(DNSSEC_DNSKEY_PrivateDNS_ZoneSignAlgo, LOG, "DNS")     \
	X(DNSSEC_DNSKEY_PrivateOID_ZoneSignAlgo, LOG, "DNS")     \
	X(DNSSEC_DNSKEY_Revoked_KSK, LOG, "DNS")                 \
	X(DNSSEC_DNSKEY_unknown_ZoneSignAlgo, LOG, "DNS")        \
	X(DNSSEC_DS_ReservedDigestType, LOG, "DNS")              \
	X(DNSSEC_DS_unknown_DigestType, LOG, "DNS")              \
	X(DNSSEC_NSEC3_bitmapLen0, LOG, "DNS")                   \
	X(DNSSEC_NSEC_bitmapLen0, LOG, "DNS")                    \
	X(DNSSEC_RRSIG_Indirect_ZoneSignAlgo, LOG, "DNS")        \
	X(DNSSEC_RRSIG_NotRecommended_ZoneSignAlgo, LOG, "DNS")  \
	X(DNSSEC_RRSIG_PrivateDNS_ZoneSignAlgo, LOG, "DNS")      \
	X(DNSSEC_RRSIG_PrivateOID_ZoneSignAlgo, LOG, "DNS")      \
	X(DNSSEC_RRSIG_unknown_ZoneSignAlgo, LOG, "DNS")         \
	X(EDNS_truncated_option, LOG, "DNS")

#endif
