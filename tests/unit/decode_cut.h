/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_cut.h - decodes single packets, whole or cut, each in a block of exactly its size, for
 * tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_DECODE_CUT_H
#define ZB_TESTS_UNIT_DECODE_CUT_H

#include <stdlib.h>

#include "frame_build.h"
#include "pipeline/decode.h"

#define A 0x0a000001u
#define B 0xc0000201u

static struct zb_weird w;
static uint64_t fates[ZB_FATE_NR];
static struct zb_decoder d = {.weird = &w, .fate = fates, .secret = 77};

/* A decoded packet; its data are gone. */
struct decoded {
	enum zb_fate fate;
	struct zb_pkt p;
	struct zb_flow_key key;
};

struct cut {
	uint32_t cap_len, wire_len;
	uint8_t flags;
};

/* Decodes a packet from a block of exactly its captured size, so that a sanitizer sees a read too
 * far. */
static inline struct decoded decode(enum zb_link link, const uint8_t *bytes, struct cut cut)
{
	static struct zb_burst b;
	uint8_t *block = malloc(cut.cap_len);
	struct decoded r;
	uint16_t n;

	assert_true(block != NULL || cut.cap_len == 0);
	if (cut.cap_len != 0)
		memcpy(block, bytes, cut.cap_len);
	memset(&w, 0, sizeof(w));
	memset(fates, 0, sizeof(fates));
	b.pkts[0] = (struct zb_pkt){.data = block,
				    .cap_len = cut.cap_len,
				    .wire_len = cut.wire_len,
				    .link = (uint8_t)link,
				    .flags = cut.flags,
				    .ts_ns = 5};
	b.pkt_nr = 1;
	b.live[0] = 9;
	zb_decode_burst(&d, &b);
	n = b.live_nr;
	free(block);
	r.p = b.pkts[0];
	r.key = b.keys[0];
	r.p.data = NULL;
	r.fate = r.p.fate;
	/* Live or counted, never both. */
	if (n == 1)
		assert_int_equal(b.live[0], 0);
	for (unsigned i = 0; i < ZB_FATE_NR; i++)
		assert_int_equal(fates[i], n == 0 && i == r.fate);
	return r;
}

static inline struct decoded decode_ip(const uint8_t *ip, uint32_t len)
{
	return decode(ZB_LINK_RAW_IP, ip, (struct cut){len, len, 0});
}

static inline struct decoded decode_spec(const struct fb_spec *s)
{
	uint8_t frame[FB_MAX];
	uint32_t len = fb_ether(frame, s);

	return decode(ZB_LINK_ETHERNET, frame, (struct cut){len, len, 0});
}

#endif
