/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finger.c - Finger: its lines are bounded, and a request that has no end is odd (RFC 1288; Zeek:
 * src/analyzer/protocol/finger)
 *
 * As in Zeek, nothing confirms it, and as long as nobody asks for its requests each of them counts
 * as one without an end.
 */
#include "pipeline/analyzers/text_line.h"

#define LINE_BYTES_MAX 1000 /* longer ones come in pieces */

struct finger {
	struct zb_analyzer base;
	struct zb_text_line line[2];
};

static bool line(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	(void)a;
	(void)side;
	(void)d;
	(void)n;
	return true;
}

static void finger_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	static const struct zb_text_line_kind lines = {line, LINE_BYTES_MAX, true};
	struct finger *s = (struct finger *)a;

	zb_text_line_data(&s->line[side], &lines, a, side, d, n);
}

static void finger_flip(struct zb_analyzer *a)
{
	zb_text_line_swap(((struct finger *)a)->line);
}

static void finger_end(struct zb_analyzer *a)
{
	const struct zb_endpoint *orig = &zb_analyzer_conn(a)->end[ZB_ORIG];
	struct finger *s = (struct finger *)a;

	if (orig->state == ZB_END_CLOSED || orig->prev_state == ZB_END_CLOSED)
		zb_analyzer_weird(a, ZB_WEIRD_partial_finger_request, NULL);
	zb_text_line_free(&s->line[0], a);
	zb_text_line_free(&s->line[1], a);
}

static const uint16_t finger_ports[] = {79, 0};

const struct zb_analyzer_def zb_analyzer_finger = {
	.name = "finger",
	.state_bytes = sizeof(struct finger),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = finger_ports,
	.data = finger_data,
	.flip = finger_flip,
	.end = finger_end,
};
