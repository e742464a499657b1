/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntp.c - NTP: recognised by its port and a message that holds together (RFC 5905, 7.3; RFC 9327)
 *
 * A server may speak first in a capture; a message in client mode shows who the client is.
 */
#include "pipeline/analyzers/ntp_log.h"

#define STANDARD_BYTES 48 /* modes 1 to 5, without extensions and MAC */
#define CONTROL_BYTES  12
#define PRIVATE_BYTES  8
#define MAC_BYTES_MAX  24

enum { MODE_CLIENT = 3, MODE_SERVER = 4, MODE_CONTROL = 6, MODE_PRIVATE = 7 };

struct ntp {
	struct zb_analyzer base;
	bool flipped;
};

/* Extension fields follow one another until no more than a MAC is left. */
static bool extensions_fit(const uint8_t *d, size_t n)
{
	while (n > MAC_BYTES_MAX) {
		size_t len = (size_t)d[2] << 8 | d[3];

		if (len < 4 || len > n)
			return false;
		d += len;
		n -= len;
	}
	return true;
}

static bool is_whole(const uint8_t *d, size_t n)
{
	switch (d[0] & 7) {
	case 0: return true;
	case MODE_CONTROL:
		return n >= CONTROL_BYTES && n - CONTROL_BYTES >= ((size_t)d[10] << 8 | d[11]);
	case MODE_PRIVATE: return n >= PRIVATE_BYTES;
	default:
		return n >= STANDARD_BYTES &&
		       extensions_fit(d + STANDARD_BYTES, n - STANDARD_BYTES);
	}
}

static void ntp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct ntp *s = (struct ntp *)a;
	unsigned mode = d[0] & 7u;

	if (!is_whole(d, n)) {
		zb_analyzer_violate(a);
		return;
	}
	zb_analysis_event(zb_analyzer_analysis(a));
	if (!s->flipped && mode == (side == ZB_ORIG ? MODE_SERVER : MODE_CLIENT)) {
		s->flipped = true;
		zb_analyzer_flip_conn(a);
	}
	zb_analyzer_confirm(a);
	if (mode < MODE_CONTROL)
		zb_ntp_row(a, d, mode != 0);
}

static const uint16_t ntp_ports[] = {123, 0};

const struct zb_analyzer_def zb_analyzer_ntp = {
	.name = "ntp",
	.state_bytes = sizeof(struct ntp),
	.mem = ZB_MEM_analyzer,
	.udp_ports = ntp_ports,
	.data = ntp_data,
};
