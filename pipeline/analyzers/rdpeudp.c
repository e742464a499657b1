/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdpeudp.c - RDP over UDP: recognised by the server's answer to a handshake (MS-RDPEUDP, 2.2;
 * Zeek: src/analyzer/protocol/rdp/rdpeudp*.pac)
 */
#include "pipeline/analyzer.h"

#define HEADER_BYTES	8    /* last number received, window, flags */
#define HANDSHAKE_BYTES 1232 /* a handshake fills a datagram */

enum {
	FLAG_SYN = 0x0001,
	FLAG_ACK = 0x0004,
	FLAG_DATA = 0x0008,
	FLAG_ACK_OF_ACKS = 0x0100,
};
enum { WANT_SYN, WANT_SYN_ACK, WANT_ACK };

struct rdpeudp {
	struct zb_analyzer base;
	uint8_t state;
};

static unsigned flags_of(const uint8_t *d)
{
	return (unsigned)d[6] << 8 | d[7];
}

static bool is_syn(const uint8_t *d)
{
	return (d[0] & d[1] & d[2] & d[3]) == 0xff && flags_of(d) & FLAG_SYN;
}

/* Header, vector of acknowledgements in whole words, and what the flags say is there besides. */
static bool ack_holds(const uint8_t *d, size_t n)
{
	size_t need = HEADER_BYTES + 2;

	if (n < need)
		return false;
	need = HEADER_BYTES + ((2 + ((size_t)d[8] << 8 | d[9]) + 3) & ~(size_t)3);
	if (flags_of(d) & FLAG_ACK_OF_ACKS)
		need += 4;
	if (flags_of(d) & FLAG_DATA)
		need += 8;
	return n >= need;
}

static void rdpeudp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct rdpeudp *s = (struct rdpeudp *)a;

	if (n < HEADER_BYTES || (s->state == WANT_ACK && !ack_holds(d, n))) {
		zb_analyzer_violate(a);
		return;
	}
	if (s->state == WANT_SYN && side == ZB_ORIG && is_syn(d)) {
		s->state = WANT_SYN_ACK;
		zb_analysis_event(zb_analyzer_analysis(a));
	} else if (s->state == WANT_SYN_ACK && side == ZB_RESP &&
		   flags_of(d) & (FLAG_SYN | FLAG_ACK)) {
		s->state = WANT_ACK;
		zb_analysis_event(zb_analyzer_analysis(a));
		zb_analyzer_confirm(a);
	}
}

/* A handshake's first datagram is as long as may be, acknowledges nothing, and asks. */
static enum zb_match rdpeudp_match(const uint8_t *d, size_t n)
{
	if (d[0] != 0xff)
		return ZB_MATCH_NO;
	if (n == 1)
		return ZB_MATCH_MORE;
	return n == HANDSHAKE_BYTES && (d[1] & d[2] & d[3]) == 0xff && d[4] != '\n' &&
			       d[5] != '\n' && d[6] != '\n' && d[7] == FLAG_SYN
		       ? ZB_MATCH_YES
		       : ZB_MATCH_NO;
}

const struct zb_analyzer_def zb_analyzer_rdpeudp = {
	.name = "rdpeudp",
	.state_bytes = sizeof(struct rdpeudp),
	.mem = ZB_MEM_analyzer,
	.match_over = ZB_OVER_UDP,
	.match = {rdpeudp_match, rdpeudp_match},
	.data = rdpeudp_data,
};
