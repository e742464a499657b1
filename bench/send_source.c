/* SPDX-License-Identifier: Apache-2.0 */
/* send_source.c - makes the template; see send_source.h */
#include "bench/send_source.h"

#include <string.h>

#define IP_OFF	     14u
#define UDP_OFF	     34u
#define PAYLOAD_OFF  42u
#define PORT_DISCARD 9u

static uint32_t sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return len & 1 ? sum + ((uint32_t)p[len - 1] << 8) : sum;
}

static uint32_t fold(uint32_t sum)
{
	return (sum & 0xffff) + (sum >> 16);
}

void zb_send_template(struct zb_send_source *s, uint32_t len, uint64_t flow_nr)
{
	static const uint8_t head[PAYLOAD_OFF] = {
		0x02, 0,    0,	  0,
		0,    0x02, 0x02, 0,
		0,    0,    0,	  0x01,
		0x08, 0x00, /* Ethernet */
		0x45, 0,    0,	  0,
		0,    0,    0x40, 0,
		64,   17,   0,	  0, /* IPv4, UDP */
		198,  18,   0,	  0,
		198,  19,   0,	  1,		/* addresses */
		0,    0,    0,	  PORT_DISCARD, /* ports */
	};
	static const char text[] = "zbench ";
	uint8_t *t = s->template;
	uint32_t udp_len = len - UDP_OFF;

	s->kind = flow_nr > 1 ? ZB_SEND_FLOWS : ZB_SEND_SAME;
	s->flow_nr = flow_nr > 1 ? flow_nr : 1;
	s->template_len = len;
	memcpy(t, head, sizeof(head));
	for (uint32_t i = 0; i < len - PAYLOAD_OFF; i++)
		t[PAYLOAD_OFF + i] = (uint8_t)text[i % (sizeof(text) - 1)];
	zb_put_be16(t + IP_OFF + 2, len - IP_OFF);
	zb_put_be16(t + UDP_OFF + 4, udp_len);
	s->ip_sum = fold(sum16(t + IP_OFF, UDP_OFF - IP_OFF, 0));
	/* The pseudo header: addresses, protocol, length. */
	s->udp_sum = sum16(t + IP_OFF + 12, 8, 17 + udp_len);
	s->udp_sum = fold(sum16(t + UDP_OFF, udp_len, s->udp_sum));
	zb_send_set_flow(s, t, 0);
}
