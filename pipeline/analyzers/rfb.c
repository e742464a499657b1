/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rfb.c - RFB (VNC): recognised by the client's version (RFC 6143, 7.1.1; Zeek:
 * src/analyzer/protocol/rfb)
 */
#include <string.h>

#include "pipeline/analyzers/text_line.h"

#define VERSION_BYTES 12 /* "RFB 003.008\n" */

struct rfb {
	struct zb_analyzer base;
	uint8_t have[2];
};

/* Whether byte may stand at a place of the version. */
static bool fits(unsigned at, uint8_t byte)
{
	static const char form[VERSION_BYTES + 1] = "RFB ---.---*";

	return form[at] == '-' || form[at] == '*' || byte == (uint8_t)form[at];
}

static void rfb_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	uint8_t *have = &((struct rfb *)a)->have[side];

	for (; n != 0 && *have < VERSION_BYTES; d++, n--, (*have)++) {
		if (fits(*have, *d))
			continue;
		zb_analyzer_violate(a);
		zb_analyzer_done(a);
		return;
	}
	if (side != ZB_ORIG || *have < VERSION_BYTES)
		return;
	zb_analyzer_confirm(a);
	zb_analyzer_done(a);
}

static void rfb_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	zb_analyzer_done(a);
}

static void rfb_flip(struct zb_analyzer *a)
{
	struct rfb *s = (struct rfb *)a;
	uint8_t have = s->have[0];

	s->have[0] = s->have[1];
	s->have[1] = have;
}

static enum zb_match rfb_match(const uint8_t *d, size_t n)
{
	for (size_t i = 0; i < 3; i++) {
		if (i == n)
			return ZB_MATCH_MORE;
		if (d[i] != "RFB"[i])
			return ZB_MATCH_NO;
	}
	return ZB_MATCH_YES;
}

const struct zb_analyzer_def zb_analyzer_rfb = {
	.name = "rfb",
	.state_bytes = sizeof(struct rfb),
	.mem = ZB_MEM_analyzer,
	.match_over = ZB_OVER_TCP,
	.match_both = true,
	.match = {rfb_match, rfb_match},
	.data = rfb_data,
	.gap = rfb_gap,
	.flip = rfb_flip,
};
