/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb.c - SMB 1 to 3 over NetBIOS or directly over TCP: recognised once three pieces of it have
 * held together (MS-SMB2 2.1, 2.2; MS-CIFS 2.2.3)
 *
 * Of each message only the first bytes are kept: they hold the header, and enough of what a session
 * setup carries to tell how it authenticates, and of what is written to a pipe to tell DCE/RPC.
 */
#include <string.h>

#include "pipeline/analyzer.h"
#include "pipeline/analyzers/dce_rpc.h"
#include "pipeline/analyzers/gss_token.h"

#define FRAME_BYTES   4	  /* type, length */
#define KEEP_BYTES    320 /* of a message */
#define MESSAGE_MAX   (1u << 18)
#define SMB1_BYTES    32
#define SMB2_BYTES    64
#define PIECES_NEEDED 3

enum { SMB2_NEGOTIATE = 0, SMB2_SETUP = 1, SMB2_READ = 8, SMB2_WRITE = 9, SMB2_IOCTL = 11 };
enum { SMB1_TRANS = 0x25, SMB1_READ = 0x2e, SMB1_WRITE = 0x2f, SMB1_SETUP = 0x73 };

struct smb_half {
	uint32_t left; /* bytes of the message still to come */
	uint16_t have; /* bytes kept of frame and message */
	uint8_t buf[FRAME_BYTES + KEEP_BYTES];
};

struct smb {
	struct zb_analyzer base;
	struct smb_half half[2];
	uint32_t pieces;
	bool synced;
};

static unsigned le16(const uint8_t *d)
{
	return (unsigned)d[1] << 8 | d[0];
}

static uint32_t le32(const uint8_t *d)
{
	return (uint32_t)le16(d + 2) << 16 | le16(d);
}

/* A security token whose offset and length stand at `at` (two bytes each). */
static void token_at(struct zb_analyzer *a, const uint8_t *m, size_t n, size_t at)
{
	size_t offset, len;

	if (n < at + 4)
		return;
	offset = le16(m + at);
	len = le16(m + at + 2);
	if (offset < n)
		zb_gss_token(a, m + offset, len < n - offset ? len : n - offset);
}

/* Data for a pipe: DCE/RPC, if its header says as much as there is. */
static void pipe_data(struct zb_analyzer *a, const uint8_t *m, size_t n, size_t offset, size_t len)
{
	struct zb_dce_header h;

	if (offset > n || n - offset < ZB_DCE_HEADER_BYTES || !zb_dce_header_read(m + offset, &h) ||
	    h.frag_bytes > len)
		return;
	zb_analyzer_add_service(a, "dce_rpc");
}

static void smb2_message(struct zb_analyzer *a, unsigned side, const uint8_t *m, size_t n)
{
	unsigned command = le16(m + 12);
	const uint8_t *body = m + SMB2_BYTES;

	switch (command) {
	case SMB2_NEGOTIATE:
		if (side == ZB_RESP)
			token_at(a, m, n, SMB2_BYTES + 56);
		break;
	case SMB2_SETUP: token_at(a, m, n, SMB2_BYTES + (side == ZB_ORIG ? 12 : 4)); break;
	case SMB2_WRITE:
		if (side == ZB_ORIG && n >= SMB2_BYTES + 8)
			pipe_data(a, m, n, le16(body + 2), le32(body + 4));
		break;
	case SMB2_READ:
		if (side == ZB_RESP && n >= SMB2_BYTES + 8)
			pipe_data(a, m, n, body[2], le32(body + 4));
		break;
	case SMB2_IOCTL:
		if (n < SMB2_BYTES + 40 || le32(body + 4) >> 16 != 0x11)
			break;
		if (side == ZB_ORIG)
			pipe_data(a, m, n, le32(body + 24), le32(body + 28));
		else
			pipe_data(a, m, n, le32(body + 32), le32(body + 36));
		break;
	default: break;
	}
}

static void smb1_message(struct zb_analyzer *a, unsigned side, const uint8_t *m, size_t n)
{
	const uint8_t *words = m + SMB1_BYTES + 1;
	unsigned word_nr = m[SMB1_BYTES];
	size_t bytes = SMB1_BYTES + 1 + 2u * word_nr + 2; /* where the data begin */

	if (n < bytes)
		return;
	switch (m[4]) {
	case SMB1_SETUP: /* with extended security: 12 words asked, 4 answered */
		if (word_nr == (side == ZB_ORIG ? 12u : 4u))
			zb_gss_token(a, m + bytes, n - bytes);
		break;
	case SMB1_TRANS:
		if (side == ZB_ORIG && word_nr >= 14)
			pipe_data(a, m, n, le16(words + 24), le16(words + 22));
		else if (side == ZB_RESP && word_nr >= 10)
			pipe_data(a, m, n, le16(words + 14), le16(words + 12));
		break;
	case SMB1_WRITE:
		if (side == ZB_ORIG && word_nr >= 12)
			pipe_data(a, m, n, le16(words + 22), le16(words + 20));
		break;
	case SMB1_READ:
		if (side == ZB_RESP && word_nr >= 12)
			pipe_data(a, m, n, le16(words + 12), le16(words + 10));
		break;
	default: break;
	}
}

static void message(struct zb_analyzer *a, unsigned side, const uint8_t *m, size_t n)
{
	zb_analysis_event(zb_analyzer_analysis(a));
	if (n >= SMB2_BYTES + 4 && memcmp(m, "\xfeSMB", 4) == 0)
		smb2_message(a, side, m, n);
	else if (n >= SMB1_BYTES + 3 && memcmp(m, "\xffSMB", 4) == 0)
		smb1_message(a, side, m, n);
}

/* Length of the message behind a frame's head. */
static uint32_t frame_length(const uint8_t *d)
{
	return (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
}

/* Takes what is needed of d; returns the bytes used, or -1: this is no frame. */
static int64_t step(struct zb_analyzer *a, struct smb_half *h, unsigned side, const uint8_t *d,
		    size_t n)
{
	size_t want = FRAME_BYTES;

	if (h->have >= FRAME_BYTES) {
		want = FRAME_BYTES + KEEP_BYTES;
		if (h->left < want - h->have)
			want = (size_t)h->have + h->left;
	}
	size_t part = want - h->have < n ? want - h->have : n;

	memcpy(h->buf + h->have, d, part);
	if (h->have >= FRAME_BYTES)
		h->left -= (uint32_t)part;
	h->have = (uint16_t)(h->have + part);
	if (h->have < want)
		return (int64_t)part;
	if (h->have == FRAME_BYTES && h->left == 0) {
		h->left = frame_length(h->buf);
		if (h->left > MESSAGE_MAX)
			return -1;
		if (h->left != 0)
			return (int64_t)part;
	}
	if (h->buf[0] == 0)
		message(a, side, h->buf + FRAME_BYTES, h->have - FRAME_BYTES);
	h->have = 0;
	return (int64_t)part;
}

static void smb_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct smb *s = (struct smb *)a;
	struct smb_half *h = &s->half[side];

	if (!s->synced &&
	    (n < 8 || (memcmp(d + 4, "\xffSMB", 4) != 0 && memcmp(d + 4, "\xfeSMB", 4) != 0)))
		return;
	s->synced = true;
	while (n != 0) {
		int64_t used;

		if (h->have == 0 && h->left != 0) { /* the rest of a message that told enough */
			used = h->left < n ? (int64_t)h->left : (int64_t)n;
			h->left -= (uint32_t)used;
		} else {
			used = step(a, h, side, d, n);
		}
		if (used < 0) {
			s->synced = false;
			memset(s->half, 0, sizeof(s->half));
			zb_analyzer_violate(a);
			return;
		}
		d += used;
		n -= (size_t)used;
	}
	if (++s->pieces == PIECES_NEEDED)
		zb_analyzer_confirm(a);
}

static void smb_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct smb *s = (struct smb *)a;

	(void)side;
	(void)n;
	s->synced = false;
	memset(s->half, 0, sizeof(s->half));
}

static enum zb_match smb_match(const uint8_t *d, size_t n)
{
	if (n < 8)
		return ZB_MATCH_MORE;
	return (d[4] == 0xff || d[4] == 0xfe) && memcmp(d + 5, "SMB", 3) == 0 ? ZB_MATCH_YES
									      : ZB_MATCH_NO;
}

static const uint16_t smb_ports[] = {139, 445, 0};

const struct zb_analyzer_def zb_analyzer_smb = {
	.name = "smb",
	.state_bytes = sizeof(struct smb),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = smb_ports,
	.match_over = ZB_OVER_TCP,
	.match = {smb_match, smb_match},
	.data = smb_data,
	.gap = smb_gap,
};
