/* SPDX-License-Identifier: Apache-2.0 */
/* test_decode_link.c - every link layer and encapsulation, whole and cut at each byte */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "pipeline/decode.h"

#define MACS "02000000000a02000000000b"
#define IP   "45000014"
#define SNAP "aaaa03000000"
#define TO_DS      \
	"08010000" \
	"02000000000c" MACS "1000" /* a data frame's header */
#define QOS        \
	"88010000" \
	"02000000000c" MACS "1000"
#define AMSDU QOS "8000" MACS

struct link_case {
	const char *name;
	enum zb_link link;
	const char *hex; /* what stands in front of the IP header */
	enum zb_fate fate;
};

static const struct link_case cases[] = {
	{"IPv4", ZB_LINK_ETHERNET, MACS "0800", ZB_FATE_conn},
	{"IPv6", ZB_LINK_ETHERNET, MACS "86dd", ZB_FATE_conn},
	{"802.1Q", ZB_LINK_ETHERNET, MACS "810000640800", ZB_FATE_conn},
	{"802.1ad", ZB_LINK_ETHERNET, MACS "88a80007810000640800", ZB_FATE_conn},
	{"old QinQ", ZB_LINK_ETHERNET, MACS "91000007810000640800", ZB_FATE_conn},
	{"older QinQ", ZB_LINK_ETHERNET, MACS "92000007920000648100006486dd", ZB_FATE_conn},
	{"eight tags", ZB_LINK_ETHERNET,
	 MACS "8100000181000002810000038100000481000005810000068100000781000008"
	      "0800",
	 ZB_FATE_conn},
	{"MPLS", ZB_LINK_ETHERNET, MACS "884700010140", ZB_FATE_conn},
	{"MPLS, three labels", ZB_LINK_ETHERNET, MACS "8847000100400002004000030140", ZB_FATE_conn},
	{"MPLS multicast", ZB_LINK_ETHERNET, MACS "884800010140", ZB_FATE_conn},
	{"MPLS in a VLAN", ZB_LINK_ETHERNET, MACS "81000064884700010140", ZB_FATE_conn},
	{"PPPoE", ZB_LINK_ETHERNET,
	 MACS "8864110000010016"
	      "0021",
	 ZB_FATE_conn},
	{"PPPoE, IPv6", ZB_LINK_ETHERNET,
	 MACS "8864110000010016"
	      "0057",
	 ZB_FATE_conn},
	{"PPPoE, compressed", ZB_LINK_ETHERNET,
	 MACS "8864110000010015"
	      "21",
	 ZB_FATE_conn},
	{"PPPoE in QinQ", ZB_LINK_ETHERNET,
	 MACS "88a80007810000648864110000010016"
	      "0021",
	 ZB_FATE_conn},
	{"SNAP", ZB_LINK_ETHERNET,
	 MACS "001c"
	      "aaaa03000000"
	      "0800",
	 ZB_FATE_conn},
	{"SNAP with a tag", ZB_LINK_ETHERNET,
	 MACS "0020"
	      "aaaa03000000"
	      "810000640800",
	 ZB_FATE_conn},
	{"tag before SNAP", ZB_LINK_ETHERNET,
	 MACS "81000064"
	      "001c"
	      "aaaa03000000"
	      "0800",
	 ZB_FATE_conn},
	{"raw", ZB_LINK_RAW_IP, "", ZB_FATE_conn},
	{"cooked", ZB_LINK_SLL,
	 "0000000100060200000000010000"
	 "0800",
	 ZB_FATE_conn},
	{"cooked, tagged", ZB_LINK_SLL,
	 "0000000100060200000000010000"
	 "810000640800",
	 ZB_FATE_conn},
	{"cooked 2", ZB_LINK_SLL2,
	 "0800"
	 "000000000002000100060200000000010000",
	 ZB_FATE_conn},
	{"loopback, little-endian", ZB_LINK_NULL, "02000000", ZB_FATE_conn},
	{"loopback, big-endian", ZB_LINK_NULL, "00000002", ZB_FATE_conn},
	{"loopback, IPv6 of Linux", ZB_LINK_NULL, "0a000000", ZB_FATE_conn},
	{"loopback, IPv6 of NetBSD", ZB_LINK_NULL, "00000018", ZB_FATE_conn},
	{"loopback, IPv6 of FreeBSD", ZB_LINK_NULL, "1c000000", ZB_FATE_conn},
	{"loopback, IPv6 of macOS", ZB_LINK_NULL, "0000001e", ZB_FATE_conn},
	{"PPP", ZB_LINK_PPP, "0021", ZB_FATE_conn},
	{"PPP, IPv6", ZB_LINK_PPP, "0057", ZB_FATE_conn},
	{"PPP, compressed", ZB_LINK_PPP, "21", ZB_FATE_conn},
	{"PPP, HDLC framing", ZB_LINK_PPP, "ff030021", ZB_FATE_conn},
	{"PPP, HDLC framing, compressed", ZB_LINK_PPP, "ff0357", ZB_FATE_conn},
	{"PPP, MPLS", ZB_LINK_PPP, "028100010140", ZB_FATE_conn},
	{"FDDI with SNAP", ZB_LINK_FDDI,
	 "50" MACS "aaaa03000000"
	 "0800",
	 ZB_FATE_conn},
	{"Cisco HDLC", ZB_LINK_C_HDLC, "0f000800", ZB_FATE_conn},
	{"Cisco HDLC, IPv6", ZB_LINK_C_HDLC, "8f0086dd", ZB_FATE_conn},
	{"FDDI, station management", ZB_LINK_FDDI, "41" MACS "0102030405060708", ZB_FATE_non_ip},
	{"Cisco HDLC, keep-alive", ZB_LINK_C_HDLC,
	 "8f008035"
	 "00000002",
	 ZB_FATE_arp},
	{"netfilter", ZB_LINK_NFLOG,
	 "02000064"
	 "08000100"
	 "08000300"
	 "05000a0061000000"
	 "18000900",
	 ZB_FATE_conn},
	{"netfilter, IPv6", ZB_LINK_NFLOG,
	 "0a000000"
	 "18000900",
	 ZB_FATE_conn},
	{"netfilter, other byte order", ZB_LINK_NFLOG,
	 "02000000"
	 "00080001"
	 "08000300"
	 "00180009",
	 ZB_FATE_conn},
	{"netfilter, bridged", ZB_LINK_NFLOG,
	 "07000000"
	 "18000900",
	 ZB_FATE_non_ip},
	{"wireless", ZB_LINK_WIFI, TO_DS SNAP "0800", ZB_FATE_conn},
	{"wireless, four addresses", ZB_LINK_WIFI, "08030000" MACS MACS "1000" SNAP "86dd",
	 ZB_FATE_conn},
	{"wireless, QoS", ZB_LINK_WIFI, QOS "0000" SNAP "0800", ZB_FATE_conn},
	{"wireless, aggregate", ZB_LINK_WIFI, AMSDU "001c" SNAP "0800", ZB_FATE_conn},
	{"wireless, aggregate with ARP in front", ZB_LINK_WIFI,
	 AMSDU "0011" SNAP "0806"
	       "000108000000000000"
	       "00" MACS "001c" SNAP "0800",
	 ZB_FATE_conn},
	{"radiotap", ZB_LINK_RADIOTAP, "00000a000000000000ff" TO_DS SNAP "0800", ZB_FATE_conn},
	{"wireless, ARP", ZB_LINK_WIFI, TO_DS SNAP "0806", ZB_FATE_arp},
	{"wireless, a tag", ZB_LINK_WIFI, TO_DS SNAP "810000640800", ZB_FATE_non_ip},
	{"wireless, SNAP of a vendor", ZB_LINK_WIFI,
	 TO_DS "aaaa0300000c"
	       "0800",
	 ZB_FATE_non_ip},
	{"wireless, beacon", ZB_LINK_WIFI,
	 "80000000"
	 "02000000000c" MACS "1000",
	 ZB_FATE_non_ip},
	{"wireless, no data", ZB_LINK_WIFI,
	 "48010000"
	 "02000000000c" MACS "1000",
	 ZB_FATE_non_ip},
	{"wireless, QoS, encrypted", ZB_LINK_WIFI,
	 "88410000"
	 "02000000000c" MACS "1000"
	 "0000" SNAP "0800",
	 ZB_FATE_non_ip},
	{"ARP", ZB_LINK_ETHERNET, MACS "0806", ZB_FATE_arp},
	{"RARP", ZB_LINK_ETHERNET, MACS "8035", ZB_FATE_arp},
	{"ARP in a VLAN", ZB_LINK_ETHERNET, MACS "810000640806", ZB_FATE_arp},
	{"LLDP", ZB_LINK_ETHERNET, MACS "88cc", ZB_FATE_non_ip},
	{"PPPoE discovery", ZB_LINK_ETHERNET, MACS "8863", ZB_FATE_non_ip},
	{"PPPoE, LCP", ZB_LINK_ETHERNET,
	 MACS "8864110000010016"
	      "c021",
	 ZB_FATE_non_ip},
	{"VN tag", ZB_LINK_ETHERNET, MACS "8926800000010800", ZB_FATE_conn},
	{"backbone bridge", ZB_LINK_ETHERNET, MACS "88e700000001" MACS "0800", ZB_FATE_conn},
	{"FabricPath", ZB_LINK_ETHERNET, MACS "89030001" MACS "0800", ZB_FATE_conn},
	{"spanning tree", ZB_LINK_ETHERNET,
	 MACS "001c"
	      "424203"
	      "0000000000",
	 ZB_FATE_non_ip},
	{"SNAP of a vendor", ZB_LINK_ETHERNET,
	 MACS "001c"
	      "aaaa0300000c"
	      "2000",
	 ZB_FATE_non_ip},
	{"type below 1536", ZB_LINK_ETHERNET, MACS "05ff", ZB_FATE_non_ip},
	{"loopback, other family", ZB_LINK_NULL, "07000000", ZB_FATE_non_ip},
	{"PPP, LCP", ZB_LINK_PPP, "ff03c021", ZB_FATE_non_ip},
	{"unknown link", ZB_LINK_NR, "", ZB_FATE_non_ip},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static uint32_t put_hex(uint8_t *p, const char *hex)
{
	uint32_t n = 0;

	for (; hex[0] != '\0'; hex += 2, n++) {
		const char pair[] = {hex[0], hex[1], '\0'};

		p[n] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

/* The first n bytes of a packet in a block of exactly their size, so that a sanitizer sees a read
 * too far. */
static enum zb_fate decode_cut(enum zb_link link, const uint8_t *bytes, uint32_t n,
			       uint16_t *l3_off)
{
	uint8_t *block = malloc(n);
	struct zb_pkt p = {.data = block,
			   .cap_len = n,
			   .wire_len = n,
			   .link = (uint8_t)link,
			   .l3_off = 0xabcd};
	enum zb_fate fate, again;

	assert_true(block != NULL || n == 0);
	if (n != 0)
		memcpy(block, bytes, n);
	fate = zb_decode_link(&p, NULL);
	*l3_off = p.l3_off;
	again = zb_decode_link_any(&p, NULL);
	assert_int_equal(fate, again); /* the inline short cut is a short cut only */
	free(block);
	return fate;
}

/* The IP header must be found behind each stack of headers, and what is not IP be told what it is.
 */
static void link_header_leads_to_ip_or_its_fate(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		uint8_t bytes[128];
		uint32_t head = put_hex(bytes, cases[i].hex),
			 n = head + put_hex(bytes + head, IP IP IP IP IP);
		uint16_t l3_off;

		print_message("  %s\n", cases[i].name);
		assert_int_equal(decode_cut(cases[i].link, bytes, n, &l3_off), cases[i].fate);
		if (cases[i].fate == ZB_FATE_conn)
			assert_int_equal(l3_off, head);
	}
}

/* Cut anywhere in the link headers, a packet must be called truncated (or what its part already
 * says). */
static void link_header_cut_at_each_byte_is_truncated(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		uint8_t bytes[128];
		uint32_t head = put_hex(bytes, cases[i].hex);
		uint16_t l3_off;

		if (cases[i].fate != ZB_FATE_conn)
			continue;
		for (uint32_t n = 0; n < head; n++) {
			enum zb_fate fate = decode_cut(cases[i].link, bytes, n, &l3_off);
			/* Too short for SNAP, an 802.3 frame is some other LLC; ff alone is a
			 * compressed protocol. */
			bool other = strstr(cases[i].name, "SNAP") != NULL ||
				     (n == 1 && strncmp(cases[i].hex, "ff", 2) == 0);

			/* Cut behind the first frame of an aggregate, it is that frame. */
			if (fate == ZB_FATE_arp && strstr(cases[i].name, "ARP") != NULL)
				continue;
			if (fate != ZB_FATE_truncated_link && !(other && fate == ZB_FATE_non_ip))
				fail_msg("%s cut to %u bytes: fate %d", cases[i].name, n,
					 (int)fate);
		}
	}
}

/* What is odd about a frame must have Zeek's name, and a good packet in front of it stay one. */
static void link_header_oddities_are_named(void **state)
{
	static const struct {
		enum zb_link link;
		const char *hex;
		enum zb_weird_name weird;
		enum zb_fate fate;
	} odd[] = {
		{ZB_LINK_NFLOG, "02000000", ZB_WEIRD_truncated_nflog_header,
		 ZB_FATE_truncated_link},
		{ZB_LINK_NFLOG, "0201000018000900" IP, ZB_WEIRD_unknown_nflog_version,
		 ZB_FATE_non_ip},
		{ZB_LINK_NFLOG, "0200000003000100" IP, ZB_WEIRD_nflog_bad_tlv_len, ZB_FATE_non_ip},
		{ZB_LINK_NFLOG, "0200000000000000" IP, ZB_WEIRD_nflog_bad_tlv_len, ZB_FATE_non_ip},
		{ZB_LINK_NFLOG, "0200000008000100" IP, ZB_WEIRD_nflog_no_pcap_payload,
		 ZB_FATE_truncated_link},
		{ZB_LINK_NFLOG, "02000000ffff0100" IP IP, ZB_WEIRD_nflog_no_pcap_payload,
		 ZB_FATE_truncated_link},
		{ZB_LINK_RADIOTAP, "000008", ZB_WEIRD_truncated_radiotap_header,
		 ZB_FATE_truncated_link},
		{ZB_LINK_RADIOTAP, "0000080000000000", ZB_WEIRD_truncated_radiotap_header,
		 ZB_FATE_truncated_link},
		{ZB_LINK_RADIOTAP, "000008000000000000", ZB_WEIRD_truncated_802_11_header,
		 ZB_FATE_truncated_link},
		{ZB_LINK_WIFI, TO_DS, ZB_WEIRD_truncated_802_11_header, ZB_FATE_truncated_link},
		{ZB_LINK_WIFI, "08030000" MACS MACS "1000", ZB_WEIRD_truncated_802_11_header,
		 ZB_FATE_truncated_link},
		{ZB_LINK_WIFI, QOS "0000", ZB_WEIRD_truncated_802_11_header,
		 ZB_FATE_truncated_link},
		{ZB_LINK_WIFI, TO_DS SNAP "08", ZB_WEIRD_truncated_802_11_llc_header,
		 ZB_FATE_truncated_link},
		{ZB_LINK_WIFI, AMSDU "00", ZB_WEIRD_truncated_802_11_amsdu_header,
		 ZB_FATE_truncated_link},
		{ZB_LINK_WIFI, AMSDU "001d" SNAP "0800" IP IP IP IP IP,
		 ZB_WEIRD_truncated_802_11_amsdu_packet, ZB_FATE_truncated_link},
		{ZB_LINK_WIFI, AMSDU "0007" SNAP "0800", ZB_WEIRD_invalid_802_11_amsdu_inner_packet,
		 ZB_FATE_truncated_link},
		{ZB_LINK_WIFI, AMSDU "0008" SNAP "88cc", ZB_WEIRD_invalid_802_11_amsdu_inner_packet,
		 ZB_FATE_non_ip},
		{ZB_LINK_WIFI, AMSDU "001c" SNAP "0800" IP IP IP IP IP "00",
		 ZB_WEIRD_truncated_802_11_amsdu_header, ZB_FATE_conn},
		{ZB_LINK_WIFI, TO_DS SNAP "0800" IP, ZB_WEIRD_NR, ZB_FATE_conn},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		uint8_t bytes[128];
		uint32_t n = put_hex(bytes, odd[i].hex);
		struct zb_pkt p = {
			.data = bytes, .cap_len = n, .wire_len = n, .link = (uint8_t)odd[i].link};
		enum zb_weird_name weird = ZB_WEIRD_NR;
		enum zb_fate fate = zb_decode_link(&p, &weird);

		print_message("  %s\n", odd[i].hex);
		assert_int_equal(weird, odd[i].weird);
		assert_int_equal(fate, odd[i].fate);
	}
}

/* Of several frames with IP in one the first must count, as it does for sharding. */
static void link_header_first_ip_of_an_aggregate_counts(void **state)
{
	const char *two =
		AMSDU "001c" SNAP "0800" IP IP IP IP IP MACS "001c" SNAP "0800" IP IP IP IP IP;
	uint8_t bytes[128];
	uint32_t n = put_hex(bytes, two);
	uint16_t l3_off;

	(void)state;
	assert_int_equal(decode_cut(ZB_LINK_WIFI, bytes, n, &l3_off), ZB_FATE_conn);
	assert_int_equal(l3_off, 26 + 14 + 8);
}

/* A stack of tags that reaches beyond 16-bit offsets is no packet. */
static void link_header_of_64_kib_is_refused(void **state)
{
	uint32_t n = 12 + 20000 * 4 + 2;
	uint8_t *bytes = calloc(1, n);
	uint16_t l3_off;

	(void)state;
	assert_non_null(bytes);
	for (uint32_t at = 12; at < n - 2; at += 4)
		memcpy(bytes + at, "\x81\x00\x00\x64", 4);
	memcpy(bytes + n - 2, "\x08\x00", 2);
	assert_int_equal(decode_cut(ZB_LINK_ETHERNET, bytes, n, &l3_off), ZB_FATE_non_ip);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_header_leads_to_ip_or_its_fate),
		cmocka_unit_test(link_header_cut_at_each_byte_is_truncated),
		cmocka_unit_test(link_header_oddities_are_named),
		cmocka_unit_test(link_header_first_ip_of_an_aggregate_counts),
		cmocka_unit_test(link_header_of_64_kib_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
