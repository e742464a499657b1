/* SPDX-License-Identifier: Apache-2.0 */
/* link_type.c - the link types of capture files: which are read, and what the others are called */
#include "capture/trace_priv.h"

static const struct {
	uint32_t nr;
	enum zb_link link;
} supported[] = {
	{0, ZB_LINK_NULL},	 /* NULL */
	{1, ZB_LINK_ETHERNET},	 /* EN10MB */
	{9, ZB_LINK_PPP},	 /* PPP */
	{10, ZB_LINK_FDDI},	 /* FDDI */
	{12, ZB_LINK_RAW_IP},	 /* DLT_RAW as some systems number it */
	{14, ZB_LINK_RAW_IP},	 /* DLT_RAW on OpenBSD */
	{50, ZB_LINK_PPP},	 /* PPP_SERIAL */
	{101, ZB_LINK_RAW_IP},	 /* RAW */
	{104, ZB_LINK_C_HDLC},	 /* C_HDLC */
	{105, ZB_LINK_WIFI},	 /* IEEE802_11 */
	{108, ZB_LINK_NULL},	 /* LOOP */
	{113, ZB_LINK_SLL},	 /* LINUX_SLL */
	{127, ZB_LINK_RADIOTAP}, /* IEEE802_11_RADIO */
	{228, ZB_LINK_RAW_IP},	 /* IPV4 */
	{229, ZB_LINK_RAW_IP},	 /* IPV6 */
	{239, ZB_LINK_NFLOG},	 /* NFLOG */
	{276, ZB_LINK_SLL2},	 /* LINUX_SLL2 */
};

/* Those that people meet; the number is always shown too. */
static const struct {
	uint32_t nr;
	const char *name;
} named[] = {
	{3, "AX25"},
	{6, "IEEE802_5"},
	{7, "ARCNET_BSD"},
	{8, "SLIP"},
	{51, "PPP_ETHER"},
	{99, "SYMANTEC_FIREWALL"},
	{100, "ATM_RFC1483"},
	{107, "FRELAY"},
	{114, "LTALK"},
	{117, "PFLOG"},
	{119, "IEEE802_11_PRISM"},
	{122, "IP_OVER_FC"},
	{123, "SUNATM"},
	{129, "ARCNET_LINUX"},
	{138, "APPLE_IP_OVER_IEEE1394"},
	{139, "MTP2_WITH_PHDR"},
	{140, "MTP2"},
	{141, "MTP3"},
	{142, "SCCP"},
	{143, "DOCSIS"},
	{144, "LINUX_IRDA"},
	{147, "USER0"},
	{148, "USER1"},
	{149, "USER2"},
	{150, "USER3"},
	{160, "USER13"},
	{161, "USER14"},
	{162, "USER15"},
	{163, "IEEE802_11_AVS"},
	{165, "BACNET_MS_TP"},
	{166, "PPP_PPPD"},
	{169, "GPRS_LLC"},
	{177, "LINUX_LAPD"},
	{187, "BLUETOOTH_HCI_H4"},
	{189, "USB_LINUX"},
	{192, "PPI"},
	{195, "IEEE802_15_4_WITHFCS"},
	{197, "ERF"},
	{201, "BLUETOOTH_HCI_H4_WITH_PHDR"},
	{203, "LAPD"},
	{204, "PPP_WITH_DIR"},
	{215, "IEEE802_15_4_NONASK_PHY"},
	{220, "USB_LINUX_MMAPPED"},
	{224, "FC_2"},
	{226, "IPNET"},
	{227, "CAN_SOCKETCAN"},
	{230, "IEEE802_15_4_NOFCS"},
	{240, "NETANALYZER"},
	{243, "MPEG_2_TS"},
	{245, "NFC_LLCP"},
	{247, "INFINIBAND"},
	{248, "SCTP"},
	{249, "USBPCAP"},
	{251, "BLUETOOTH_LE_LL"},
	{252, "WIRESHARK_UPPER_PDU"},
	{253, "NETLINK"},
	{254, "BLUETOOTH_LINUX_MONITOR"},
	{256, "BLUETOOTH_LE_LL_WITH_PHDR"},
	{258, "PKTAP"},
	{259, "EPON"},
	{266, "USB_DARWIN"},
	{272, "NORDIC_BLE"},
	{283, "IEEE802_15_4_TAP"},
	{288, "USB_2_0"},
};

int zb_link_of(uint32_t link_type)
{
	for (size_t i = 0; i < sizeof(supported) / sizeof(supported[0]); i++)
		if (supported[i].nr == link_type)
			return (int)supported[i].link;
	return -1;
}

const char *zb_link_type_name(uint32_t link_type)
{
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i].nr == link_type)
			return named[i].name;
	return "?";
}
