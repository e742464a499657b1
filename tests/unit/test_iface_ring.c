/* SPDX-License-Identifier: Apache-2.0 */
/* test_iface_ring.c - frames of a block as the kernel writes it, and VLAN tags put back */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "capture/iface_ring.h"

#define MAC_OFF 82u /* behind the header, an address and the reserved bytes */
#define FRAME	64u
#define STEP	256u

struct bed {
	struct zb_ring ring;
	uint8_t *blocks;
};

static struct tpacket_block_desc *block(struct bed *b, uint32_t i)
{
	return (struct tpacket_block_desc *)(b->blocks + (size_t)i * ZB_RING_BLOCK);
}

/* Block i with nr frames at second sec, nanoseconds from 0 on; handed over. */
static void fill_block(struct bed *b, uint32_t i, uint32_t nr, uint32_t sec)
{
	struct tpacket_block_desc *d = block(b, i);

	d->hdr.bh1.num_pkts = nr;
	d->hdr.bh1.offset_to_first_pkt = 48;
	for (uint32_t k = 0; k < nr; k++) {
		struct tpacket3_hdr *h = (struct tpacket3_hdr *)((uint8_t *)d + 48 + k * STEP);

		memset(h, 0, STEP);
		h->tp_next_offset = k + 1 < nr ? STEP : 0;
		h->tp_sec = sec;
		h->tp_nsec = k;
		h->tp_snaplen = FRAME;
		h->tp_len = FRAME;
		h->tp_mac = MAC_OFF;
		for (uint32_t n = 0; n < FRAME; n++)
			((uint8_t *)h)[MAC_OFF + n] = (uint8_t)(n + 1);
	}
	d->hdr.bh1.block_status = TP_STATUS_USER;
}

static struct tpacket3_hdr *frame(struct bed *b, uint32_t i, uint32_t k)
{
	return (struct tpacket3_hdr *)((uint8_t *)block(b, i) + 48 + k * STEP);
}

static int set_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->blocks = calloc(2, ZB_RING_BLOCK);
	b->ring = (struct zb_ring){.map = b->blocks, .block_nr = 2, .fd = -1};
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	free(b->blocks);
	free(b);
	return 0;
}

/* A block goes back to the kernel when its last packet's burst is over, and not before. */
static void release_waits_for_the_last_packet(void **state)
{
	struct bed *b = *state;
	struct zb_pkt p[64];

	assert_false(zb_ring_ready(&b->ring));
	fill_block(b, 0, 5, 7);
	fill_block(b, 1, 1, 8);
	assert_true(zb_ring_ready(&b->ring));
	assert_int_equal(zb_ring_take(&b->ring, p, 3, UINT64_MAX), 3);
	zb_ring_release(&b->ring);
	assert_int_equal(block(b, 0)->hdr.bh1.block_status, TP_STATUS_USER);
	assert_int_equal(zb_ring_take(&b->ring, p, 64, UINT64_MAX), 2);
	assert_int_equal(p[1].ts_ns, 7000000004);
	assert_int_equal(p[1].data[0], 1);
	assert_false(zb_ring_ready(&b->ring)); /* its packets are being looked at */
	zb_ring_release(&b->ring);
	assert_int_equal(block(b, 0)->hdr.bh1.block_status, TP_STATUS_KERNEL);
	assert_true(zb_ring_ready(&b->ring));
	assert_int_equal(zb_ring_take(&b->ring, p, 64, UINT64_MAX), 1);
	assert_int_equal(p[0].ts_ns, 8000000000);
	zb_ring_release(&b->ring);
	assert_false(zb_ring_ready(&b->ring)); /* round the ring: block 0 is the kernel's */
	assert_int_equal(b->ring.got_pkts, 6);
	assert_int_equal(b->ring.got_bytes, 6 * FRAME);
}

/* Packets at or after a boundary wait for it. */
static void take_ends_at_the_boundary(void **state)
{
	struct bed *b = *state;
	struct zb_pkt p[64];

	fill_block(b, 0, 5, 1);
	assert_true(zb_ring_ready(&b->ring));
	assert_int_equal(zb_ring_take(&b->ring, p, 64, 1000000002), 2);
	assert_int_equal(zb_ring_take(&b->ring, p, 64, 1000000002), 0);
	assert_int_equal(zb_ring_head_ns(&b->ring), 1000000002);
	assert_int_equal(zb_ring_take(&b->ring, p, 64, UINT64_MAX), 3);
}

/* The tag stands between addresses and type again, and both lengths know of it. */
static void take_vlan_tag_is_put_back(void **state)
{
	struct bed *b = *state;
	struct tpacket3_hdr *h;
	struct zb_pkt p[2];

	fill_block(b, 0, 2, 1);
	h = frame(b, 0, 0);
	h->tp_status = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
	h->hv1.tp_vlan_tci = 0x6123;
	h->hv1.tp_vlan_tpid = 0x88a8;
	h->tp_len = 1000;
	h = frame(b, 0, 1);
	h->tp_status = TP_STATUS_VLAN_VALID; /* an old kernel does not say which */
	h->hv1.tp_vlan_tci = 0x0fff;
	assert_true(zb_ring_ready(&b->ring));
	assert_int_equal(zb_ring_take(&b->ring, p, 2, UINT64_MAX), 2);
	for (uint8_t i = 0; i < 12; i++)
		assert_int_equal(p[0].data[i], i + 1);
	assert_memory_equal(p[0].data + 12, "\x88\xa8\x61\x23", 4);
	for (uint8_t i = 12; i < FRAME; i++)
		assert_int_equal(p[0].data[i + 4], i + 1);
	assert_int_equal(p[0].cap_len, FRAME + 4);
	assert_int_equal(p[0].wire_len, 1004);
	assert_true(p[0].flags & ZB_PKT_SNAPPED);
	assert_memory_equal(p[1].data + 12, "\x81\x00\x0f\xff", 4);
	assert_false(p[1].flags & ZB_PKT_SNAPPED);
}

/* Who takes the checksum for granted says so; nobody else's is. */
static void take_checksums_are_vouched_for_by_the_kernel_only(void **state)
{
	struct bed *b = *state;
	struct zb_pkt p[3];

	fill_block(b, 0, 3, 1);
	frame(b, 0, 0)->tp_status = TP_STATUS_CSUMNOTREADY;
	frame(b, 0, 1)->tp_status = TP_STATUS_CSUM_VALID;
	assert_true(zb_ring_ready(&b->ring));
	assert_int_equal(zb_ring_take(&b->ring, p, 3, UINT64_MAX), 3);
	assert_true(p[0].flags & ZB_PKT_L4_CHECKED);
	assert_true(p[1].flags & ZB_PKT_L4_CHECKED);
	assert_int_equal(p[2].flags, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(release_waits_for_the_last_packet, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(take_ends_at_the_boundary, set_up, tear_down),
		cmocka_unit_test_setup_teardown(take_vlan_tag_is_put_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(take_checksums_are_vouched_for_by_the_kernel_only,
						set_up, tear_down),
	};

	return cmocka_run_group_tests_name("iface_ring", tests, NULL, NULL);
}
