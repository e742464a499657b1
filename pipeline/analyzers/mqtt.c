/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mqtt.c - MQTT 3.1 to 5: recognised by the server's answer to a connection request (OASIS MQTT
 * 5.0, 2.1, 3.1, 3.2)
 *
 * Only the fixed headers are read; what they announce is stepped over.
 */
#include <string.h>

#include "pipeline/analyzer.h"

enum { CONNECT = 1, CONNACK = 2 };

struct mqtt_half {
	uint64_t skip; /* bytes of the current packet still to come */
	uint32_t length;
	uint8_t type;
	uint8_t length_bytes;
	bool in_header; /* the length is being read */
};

struct mqtt {
	struct zb_analyzer base;
	struct mqtt_half half[2];
	bool asked;
};

static bool packet_begins(struct zb_analyzer *a, struct mqtt *s, unsigned side, unsigned type)
{
	zb_analysis_event(zb_analyzer_analysis(a));
	if (type == 0)
		return false;
	if (type == CONNECT)
		s->asked = side == ZB_ORIG;
	if (type == CONNACK && side == ZB_RESP && s->asked)
		zb_analyzer_confirm(a);
	return true;
}

/* One byte of a header; false: it cannot be one. */
static bool header_byte(struct zb_analyzer *a, struct mqtt *s, unsigned side, uint8_t byte)
{
	struct mqtt_half *h = &s->half[side];

	if (!h->in_header) {
		*h = (struct mqtt_half){.type = byte >> 4, .in_header = true};
		return true;
	}
	h->length |= (uint32_t)(byte & 0x7f) << 7 * h->length_bytes;
	h->length_bytes++;
	if (byte & 0x80)
		return h->length_bytes < 4;
	h->in_header = false;
	h->skip = h->length;
	return packet_begins(a, s, side, h->type);
}

static void mqtt_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct mqtt *s = (struct mqtt *)a;
	struct mqtt_half *h = &s->half[side];

	while (n != 0) {
		size_t part = h->skip < n ? (size_t)h->skip : n;

		if (part == 0) {
			part = 1;
			if (!header_byte(a, s, side, *d)) {
				if (!zb_analyzer_violate(a))
					zb_analyzer_done(a);
				return;
			}
		} else {
			h->skip -= part;
		}
		d += part;
		n -= part;
	}
}

/* A gap inside a packet is part of what is stepped over. */
static void mqtt_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	struct mqtt_half *h = &((struct mqtt *)a)->half[side];

	if (h->skip < n)
		zb_analyzer_done(a);
	else
		h->skip -= n;
}

static void mqtt_flip(struct zb_analyzer *a)
{
	struct mqtt *s = (struct mqtt *)a;
	struct mqtt_half half = s->half[0];

	s->half[0] = s->half[1];
	s->half[1] = half;
}

/* The protocol's name, "MQTT" or "MQIsdp", stands behind a header of two to five bytes. */
static enum zb_match mqtt_match(const uint8_t *d, size_t n)
{
	if (d[0] != CONNECT << 4)
		return ZB_MATCH_NO;
	for (size_t at = 4; at <= 7 && at + 2 <= n; at++)
		if (memcmp(d + at, "MQ", 2) == 0)
			return ZB_MATCH_YES;
	return n < 9 ? ZB_MATCH_MORE : ZB_MATCH_NO;
}

static const uint16_t mqtt_ports[] = {1883, 0};

const struct zb_analyzer_def zb_analyzer_mqtt = {
	.name = "mqtt",
	.state_bytes = sizeof(struct mqtt),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = mqtt_ports,
	.match_over = ZB_OVER_TCP,
	.match = {mqtt_match, NULL},
	.data = mqtt_data,
	.gap = mqtt_gap,
	.flip = mqtt_flip,
};
