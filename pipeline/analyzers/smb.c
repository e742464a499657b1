/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb.c - SMB 1 to 3 over NetBIOS or directly over TCP: frames, recognised once three pieces of it
 * have held together; see smb_priv.h
 *
 * A message is looked at when it is whole, as in Zeek: so the data of a file are dated by the
 * packet that completes their message, and a gap loses all of the message that it is in.
 */
#include <string.h>

#include "pipeline/analyzers/smb_priv.h"

#define FRAME_BYTES   4		  /* type, length */
#define MESSAGE_MAX   (10u << 20) /* Zeek: BinPAC::flowbuffer_capacity_max */
#define MAGIC_BYTES   4
#define PIECES_NEEDED 3

/* Length of a frame. */
static int64_t frame_length(const uint8_t *d, size_t n)
{
	if (n < FRAME_BYTES)
		return 0;
	return FRAME_BYTES + (int64_t)((uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3]);
}

/* Frames of other types, and messages of none of these kinds (encrypted ones), are passed over. */
static bool frame(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct smb *s = (struct smb *)a;
	const uint8_t *m = d + FRAME_BYTES;

	if (d[0] != 0)
		return true;
	n -= FRAME_BYTES;
	if (n < MAGIC_BYTES)
		return false;
	if (memcmp(m, "\xfeSMB", MAGIC_BYTES) == 0)
		return smb2_message(s, side, m, n);
	if (memcmp(m, "\xffSMB", MAGIC_BYTES) == 0)
		return smb1_message(s, side, m, n);
	return true;
}

static const struct zb_record_kind frames = {frame_length, frame, FRAME_BYTES + MESSAGE_MAX};

/*
 * Out of step: what was begun is dropped. Zeek's parser drops the bytes, but not that it was in the
 * middle of a message, and stumbles over the next piece of that side.
 */
static void lose_step(struct smb *s)
{
	s->synced = false;
	s->has_lost = true;
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		s->stumbles[side] |= s->half[side].have != 0;
		zb_records_free(&s->half[side], &s->base);
	}
}

static bool has_magic(const uint8_t *d, size_t n)
{
	return n >= FRAME_BYTES + MAGIC_BYTES && (d[4] == 0xff || d[4] == 0xfe) &&
	       memcmp(d + 5, "SMB", 3) == 0;
}

/* Less than that of it: how the stream's first frame is cut does not matter. */
static bool may_begin(const uint8_t *d, size_t n)
{
	static const uint8_t magic[] = {0xff, 'S', 'M', 'B'};

	if (n >= FRAME_BYTES + MAGIC_BYTES || d[0] != 0)
		return false;
	return n <= FRAME_BYTES ||
	       ((d[4] | 1) == magic[0] && memcmp(d + 5, magic + 1, n - FRAME_BYTES - 1) == 0);
}

static void smb_begin(struct zb_analyzer *a)
{
	struct smb *s = (struct smb *)a;

	s->requests.secret = s->trees.secret = s->files.secret = s->pipes.secret =
		zb_analyzer_analysis(a)->secret;
}

static void smb_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct smb *s = (struct smb *)a;

	if (!s->synced && !has_magic(d, n) && (s->has_lost || s->pieces != 0 || !may_begin(d, n)))
		return;
	s->synced = true;
	if (s->stumbles[side] || !zb_records_data(&s->half[side], &frames, a, side, d, n)) {
		s->half[side].have = 0;
		s->stumbles[side] = false;
		lose_step(s);
		zb_analyzer_violate(a);
		return;
	}
	if (++s->pieces == PIECES_NEEDED)
		zb_analyzer_confirm(a);
}

static void smb_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	lose_step((struct smb *)a);
}

static void smb_end(struct zb_analyzer *a)
{
	smb_free((struct smb *)a);
}

static enum zb_match smb_match(const uint8_t *d, size_t n)
{
	if (n < FRAME_BYTES + MAGIC_BYTES)
		return ZB_MATCH_MORE;
	return has_magic(d, n) ? ZB_MATCH_YES : ZB_MATCH_NO;
}

static const uint16_t smb_ports[] = {139, 445, 0};

const struct zb_analyzer_def zb_analyzer_smb = {
	.name = "smb",
	.state_bytes = sizeof(struct smb),
	.mem = ZB_MEM_smb,
	.tcp_ports = smb_ports,
	.match_over = ZB_OVER_TCP,
	.match = {smb_match, smb_match},
	.begin = smb_begin,
	.data = smb_data,
	.gap = smb_gap,
	.end = smb_end,
};
