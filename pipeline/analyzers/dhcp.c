/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dhcp.c - DHCP: recognised by the magic cookie of its options and their message type (RFC 2131,
 * RFC 2132); its messages make up dhcp.log
 */
#include <string.h>

#include "pipeline/analyzers/dhcp_join.h"

#define FIXED_BYTES  236 /* of BOOTP, in front of the cookie */
#define COOKIE_BYTES 4

/* RFC 2132; the last but one: RFC 4702 */
#define OPTION_PAD	 0
#define OPTION_HOST_NAME 12
#define OPTION_DOMAIN	 15
#define OPTION_REQUESTED 50
#define OPTION_LEASE	 51
#define OPTION_TYPE	 53
#define OPTION_MESSAGE	 56
#define OPTION_CLIENT_ID 61
#define OPTION_FQDN	 81
#define OPTION_END	 255

#define FQDN_HEAD_BYTES 3 /* flags and two codes in front of the name */

static const uint8_t cookie[COOKIE_BYTES] = {0x63, 0x82, 0x53, 0x63};

/* Takes note of one that is told of; those of a wrong length are not. */
static void note(struct zb_dhcp_msg *m, uint8_t code, const uint8_t *d, uint8_t n)
{
	struct zb_dhcp_option o = {d, n};

	switch (code) {
	case OPTION_HOST_NAME: m->host_name = o; break;
	case OPTION_DOMAIN:
		/* Zeek cuts zeros off its end, and has no name of one letter. */
		while (o.n > 0 && d[o.n - 1] == 0)
			o.n--;
		o.n = o.n > 1 ? o.n : 0;
		m->domain = o;
		break;
	case OPTION_REQUESTED:
		if (n == 4)
			m->requested = o;
		break;
	case OPTION_LEASE:
		if (n == 4)
			m->lease = o;
		break;
	case OPTION_MESSAGE: m->message = o; break;
	case OPTION_CLIENT_ID:
		if (n >= 1)
			m->client_id = o;
		break;
	case OPTION_FQDN:
		if (n >= FQDN_HEAD_BYTES)
			m->fqdn = (struct zb_dhcp_option){d + FQDN_HEAD_BYTES,
							  (uint8_t)(n - FQDN_HEAD_BYTES)};
		break;
	default: break;
	}
}

/* Options up to the end mark, one of which says what message it is. */
static bool read_options(struct zb_dhcp_msg *m, const uint8_t *d, size_t n)
{
	for (size_t at = 0; at < n;) {
		uint8_t code = d[at++];

		if (code == OPTION_END)
			return m->type != 0;
		if (code == OPTION_PAD)
			continue;
		if (at == n || d[at] > n - at - 1)
			return false;
		if (code != OPTION_TYPE)
			note(m, code, d + at + 1, d[at]);
		else if (d[at] == 1 && m->type == 0)
			m->type = d[at + 1];
		at += 1u + d[at];
	}
	return false;
}

static void dhcp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct zb_dhcp_msg m = {.fixed = d, .is_orig = side == ZB_ORIG};

	if (n < FIXED_BYTES + COOKIE_BYTES || memcmp(d + FIXED_BYTES, cookie, COOKIE_BYTES) != 0 ||
	    !read_options(&m, d + FIXED_BYTES + COOKIE_BYTES, n - FIXED_BYTES - COOKIE_BYTES)) {
		zb_analyzer_violate(a);
		return;
	}
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_dhcp_join(a, &m);
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
