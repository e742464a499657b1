/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp.c - DHCP: recognised by the magic cookie of its options and their message type (RFC 2131,
 * RFC 2132)
 */
#include <string.h>

#include "pipeline/analyzer.h"

#define FIXED_BYTES  236 /* of BOOTP, in front of the cookie */
#define COOKIE_BYTES 4
#define OPTION_PAD   0
#define OPTION_TYPE  53
#define OPTION_END   255

static const uint8_t cookie[COOKIE_BYTES] = {0x63, 0x82, 0x53, 0x63};

/* Options up to the end mark, one of which says what message it is. */
static bool options_hold(const uint8_t *d, size_t n)
{
	bool has_type = false;

	for (size_t at = 0; at < n;) {
		uint8_t code = d[at++];

		if (code == OPTION_END)
			return has_type;
		if (code == OPTION_PAD)
			continue;
		if (at == n || d[at] > n - at - 1)
			return false;
		has_type |= code == OPTION_TYPE && d[at] == 1 && d[at + 1] != 0;
		at += 1u + d[at];
	}
	return false;
}

static void dhcp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	(void)side;
	if (n < FIXED_BYTES + COOKIE_BYTES || memcmp(d + FIXED_BYTES, cookie, COOKIE_BYTES) != 0 ||
	    !options_hold(d + FIXED_BYTES + COOKIE_BYTES, n - FIXED_BYTES - COOKIE_BYTES)) {
		zb_analyzer_violate(a);
		return;
	}
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
}

static enum zb_match dhcp_match(const uint8_t *d, size_t n)
{
	if (n < FIXED_BYTES + COOKIE_BYTES)
		return n == 1 ? ZB_MATCH_MORE : ZB_MATCH_NO;
	return memcmp(d + FIXED_BYTES, cookie, COOKIE_BYTES) == 0 ? ZB_MATCH_YES : ZB_MATCH_NO;
}

static const uint16_t dhcp_ports[] = {67, 68, 4011, 0};

const struct zb_analyzer_def zb_analyzer_dhcp = {
	.name = "dhcp",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
	.udp_ports = dhcp_ports,
	.match_over = ZB_OVER_UDP,
	.match = {dhcp_match, dhcp_match},
	.data = dhcp_data,
};
