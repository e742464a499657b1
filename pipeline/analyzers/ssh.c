/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh.c - SSH 1 and 2: recognised when a side takes its new keys into use (RFC 4253, 4.2, 6, 7.3;
 * Zeek: src/analyzer/protocol/ssh)
 *
 * Of a key exchange only the framing and the types of its packets are read.
 */
#include <string.h>

#include "pipeline/analyzers/ssh_info.h"
#include "pipeline/analyzers/text_line.h"

#define BANNER_BYTES_MAX 8192
#define PACKET_BYTES_MAX 262144 /* Zeek: SSH::max_packet_length */

enum { SSH_UNKNOWN, SSH_1, SSH_2, SSH_199 };
enum { IN_BANNER, IN_KEY_EXCHANGE, ENCRYPTED };
enum { SSH1_SESSION_KEY = 3, SSH2_NEWKEYS = 21 };

struct ssh_half {
	uint64_t skip; /* bytes of the current packet still to come */
	uint8_t head[16];
	uint8_t head_bytes;
	uint8_t version, state;
};

struct ssh {
	struct zb_analyzer base;
	struct zb_text_line line[2];
	struct ssh_half half[2];
	struct zb_ssh_info *info; /* NULL: no row is wanted, or memory is out */
	bool learnt;		  /* sizes of encrypted segments tell nothing more */
};

/* What the two identifications settle on; SSH_UNKNOWN: nothing. */
static unsigned agreed(const struct ssh *s)
{
	unsigned a = s->half[0].version, b = s->half[1].version;

	if (a == SSH_199)
		a = b;
	if (b == SSH_199)
		b = a;
	if (a == SSH_199)
		return SSH_2;
	return a == b ? a : SSH_UNKNOWN;
}

static unsigned version_of(struct zb_text t)
{
	if (t.n < 5 || memcmp(t.d, "SSH-", 4) != 0)
		return SSH_UNKNOWN;
	if (t.d[4] == '2')
		return SSH_2;
	if (t.d[4] != '1')
		return SSH_UNKNOWN;
	return t.n >= 8 && t.d[6] == '9' && t.d[7] == '9' ? SSH_199 : SSH_1;
}

/* Before its identification a server may send other lines. */
static bool banner_line(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct ssh *s = (struct ssh *)a;

	if (side == ZB_RESP && (n < 4 || memcmp(d, "SSH-", 4) != 0))
		return true;
	s->half[side].version = (uint8_t)version_of(zb_text(d, n));
	s->half[side].state = IN_KEY_EXCHANGE;
	if (n >= 4 && memcmp(d, "SSH-", 4) == 0)
		zb_ssh_info_banner(a, &s->info, side, d, n);
	return false;
}

/* The bytes in front of a packet's type, which comes right behind them. */
static size_t head_bytes(unsigned version, uint32_t length)
{
	return version == SSH_1 ? 4 + 8 - length % 8 : 5;
}

/* Bytes of a packet behind its type; negative: there can be no such packet. */
static int64_t tail_bytes(struct zb_analyzer *a, unsigned version, uint32_t length)
{
	if (length > PACKET_BYTES_MAX) {
		zb_analyzer_weird(a, ZB_WEIRD_SSH_max_packet_length_exceeded, NULL);
		length = PACKET_BYTES_MAX;
	}
	/* SSH 1: type and CRC; SSH 2: length of the padding and type. */
	return version == SSH_1 ? (int64_t)length - 1 : (int64_t)length - 2;
}

/* The head is complete: d is the packet's type. */
static bool packet(struct zb_analyzer *a, unsigned side, unsigned version, uint8_t type)
{
	struct ssh *s = (struct ssh *)a;
	struct ssh_half *h = &s->half[side];
	uint32_t length = (uint32_t)h->head[0] << 24 | (uint32_t)h->head[1] << 16 |
			  (uint32_t)h->head[2] << 8 | h->head[3];
	int64_t tail = tail_bytes(a, version, length);

	zb_analysis_event(zb_analyzer_analysis(a));
	if (tail < 0)
		return false;
	h->skip = (uint64_t)tail;
	if (version == SSH_2)
		zb_ssh_info_wants(a, s->info, side, type, h->skip);
	h->head_bytes = 0;
	if (version == SSH_1 || type == SSH2_NEWKEYS)
		h->state = ENCRYPTED;
	if (version == SSH_1 ? type == SSH1_SESSION_KEY : type == SSH2_NEWKEYS)
		zb_analyzer_confirm(a);
	return true;
}

static bool head_byte(struct zb_analyzer *a, unsigned side, uint8_t byte)
{
	struct ssh_half *h = &((struct ssh *)a)->half[side];
	unsigned version = agreed((struct ssh *)a);

	if (version == SSH_UNKNOWN)
		return false;
	if (h->head_bytes < 4 || h->head_bytes < head_bytes(version, h->head[3])) {
		h->head[h->head_bytes++] = byte;
		return true;
	}
	return packet(a, side, version, byte);
}

/* Whether sizes of encrypted segments still tell something. */
static bool learns(const struct ssh *s)
{
	return s->info != NULL && !s->learnt && agreed(s) == SSH_2;
}

static void ssh_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	static const struct zb_text_line_kind lines = {banner_line, BANNER_BYTES_MAX, false};
	struct ssh *s = (struct ssh *)a;
	struct ssh_half *h = &s->half[side];

	if (zb_analyzer_is_partial(a)) {
		zb_analyzer_done(a);
		return;
	}
	while (n != 0 && h->state != ENCRYPTED) {
		size_t part = h->skip < n ? (size_t)h->skip : n;

		if (h->state == IN_BANNER) {
			part = zb_text_line_data(&s->line[side], &lines, a, side, d, n);
		} else if (part != 0) {
			h->skip -= part;
			zb_ssh_info_message(a, s->info, side, d, part);
		} else if (head_byte(a, side, *d)) {
			part = 1;
		} else {
			if (!zb_analyzer_violate(a))
				zb_analyzer_done(a);
			return;
		}
		d += part;
		n -= part;
	}
	/* Of a packet that ends the key exchange, some bytes are still to come. */
	if (h->state == ENCRYPTED && h->skip != 0 && n != 0) {
		size_t part = h->skip < n ? (size_t)h->skip : n;

		h->skip -= part;
		n -= part;
	}
	if (h->state == ENCRYPTED && n != 0 && learns(s) &&
	    !zb_ssh_info_encrypted(a, s->info, side, n))
		s->learnt = true;
	if (s->half[0].state == ENCRYPTED && s->half[1].state == ENCRYPTED && !learns(s))
		zb_analyzer_done(a);
}

static void ssh_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct ssh *s = (struct ssh *)a;
	struct ssh_half *h = &s->half[side];

	s->learnt = true;
	zb_ssh_info_gap(a, s->info, side);
	if (h->state == IN_KEY_EXCHANGE && h->skip >= n)
		h->skip -= n;
	else if (h->state != ENCRYPTED)
		zb_analyzer_done(a);
}

static void ssh_flip(struct zb_analyzer *a)
{
	struct ssh *s = (struct ssh *)a;
	struct ssh_half half = s->half[0];

	s->half[0] = s->half[1];
	s->half[1] = half;
	zb_text_line_swap(s->line);
	zb_ssh_info_flip(s->info);
}

static void ssh_end(struct zb_analyzer *a)
{
	struct ssh *s = (struct ssh *)a;

	zb_ssh_info_end(a, s->info);
	zb_text_line_free(&s->line[0], a);
	zb_text_line_free(&s->line[1], a);
}

static enum zb_match ssh_match(const uint8_t *d, size_t n)
{
	return zb_text_match_front(d, n, "SSH-");
}

static const uint16_t ssh_ports[] = {22, 0};

const struct zb_analyzer_def zb_analyzer_ssh = {
	.name = "ssh",
	.state_bytes = sizeof(struct ssh),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = ssh_ports,
	.match_over = ZB_OVER_TCP,
	.match_both = true,
	.match = {ssh_match, ssh_match},
	.data = ssh_data,
	.gap = ssh_gap,
	.flip = ssh_flip,
	.end = ssh_end,
};
