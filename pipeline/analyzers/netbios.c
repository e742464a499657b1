/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netbios.c - the NetBIOS session service: recognised by a session that was asked for and granted
 * and that carries something other than SMB (RFC 1002, 4.3)
 *
 * Sessions that carry SMB are that protocol's alone.
 */
#include <string.h>

#include "pipeline/analyzer.h"

#define HEADER_BYTES  4
#define LABEL_BYTES   34 /* an encoded name without scope */
#define REQUEST_BYTES (HEADER_BYTES + 2 * LABEL_BYTES)

enum { SESSION_MESSAGE = 0, SESSION_REQUEST = 0x81, POSITIVE_RESPONSE = 0x82 };

struct netbios {
	struct zb_analyzer base;
	bool asked, granted;
};

static bool is_request(const uint8_t *d, size_t n)
{
	return n >= REQUEST_BYTES && d[0] == SESSION_REQUEST && d[1] == 0 &&
	       d[HEADER_BYTES] == 32 && d[HEADER_BYTES + LABEL_BYTES] == 32;
}

static void netbios_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct netbios *s = (struct netbios *)a;

	if (!s->asked) {
		s->asked = side == ZB_ORIG && is_request(d, n);
		if (!s->asked)
			zb_analyzer_done(a);
	} else if (!s->granted) {
		s->granted = side == ZB_RESP && d[0] == POSITIVE_RESPONSE;
		if (!s->granted)
			zb_analyzer_done(a);
	} else {
		if (n > HEADER_BYTES + 4 && d[0] == SESSION_MESSAGE &&
		    memcmp(d + HEADER_BYTES + 1, "SMB", 3) != 0)
			zb_analyzer_confirm(a);
		zb_analyzer_done(a);
	}
}

static const uint16_t netbios_ports[] = {139, 0};

const struct zb_analyzer_def zb_analyzer_netbios = {
	.name = "netbios",
	.state_bytes = sizeof(struct netbios),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = netbios_ports,
	.data = netbios_data,
};
