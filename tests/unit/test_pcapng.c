/* SPDX-License-Identifier: Apache-2.0 */
/* test_pcapng.c - pcapng files: what is read from them, and what is said when they are damaged */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "trace_check.h"

/* Times that pcapng files state must come out as nanoseconds, clamped to what 64 bits hold. */
static void pcapng_time_units_and_offsets_are_applied(void **state)
{
	static const struct {
		uint64_t ticks;
		int tsresol;
		int64_t offset_s;
		uint64_t ns;
	} times[] = {
		{1234567, -1, 0, 1234567000},
		{1234567, 6, 0, 1234567000},
		{1234567, 9, 0, 1234567},
		{1234567, 3, 0, 1234567000000},
		{12, 0, 0, 12000000000},
		{1234567, 12, 0, 1234},
		{UINT64_MAX, 19, 0, 1844674407},
		{UINT64_MAX, 127, 0, 0},
		{3ull << 31, 0x80 | 32, 0, 1500000000},
		{(5ull << 20) + 1, 0x80 | 20, 0, 5000000953},
		{7, 0x80, 0, 7000000000},
		{1ull << 63, 0x80 | 64, 0, 500000000},
		{UINT64_MAX, 0x80 | 127, 0, 0},
		{1, 9, 5, 5000000001},
		{5000000001, 9, -5, 1},
		{1, 9, -5, 0},
		{UINT64_MAX, 0, 0, UINT64_MAX - 1},
		{0, 9, INT64_MAX, UINT64_MAX - 1},
		{UINT64_MAX, 0x80 | 1, INT64_MIN, 0},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(times) / sizeof(times[0]); i++) {
		struct tb_buf b = {.big = i % 2};
		struct zb_trace *t;

		tb_shb(&b);
		tb_idb(&b, 1, times[i / 2].tsresol, times[i / 2].offset_s);
		tb_epb(&b, 0, times[i / 2].ticks, bytes, 21);
		t = must_load(&b);
		must_be(t, 0, times[i / 2].ns, 21, 21);
		zb_trace_free(t);
		tb_free(&b);
	}
}

/* Every interface has its own link type and unit; a section begins anew, in its own byte order. */
static void pcapng_interfaces_and_sections_are_kept_apart(void **state)
{
	struct tb_buf b = {0};
	struct zb_trace *t;

	(void)state;
	tb_shb(&b);
	tb_idb(&b, 1, 9, 0);
	tb_idb(&b, 101, 6, 0);
	for (uint32_t i = 0; i < 20; i++)
		tb_idb(&b, 113, 3, 0);
	tb_epb(&b, 1, 7, bytes, 20);
	tb_epb(&b, 0, 7, bytes, 21);
	tb_epb(&b, 21, 7, bytes, 22);
	b.big = true;
	tb_shb(&b);
	tb_idb(&b, 276, 0, 0);
	tb_epb(&b, 0, 7, bytes, 23);
	t = must_load(&b);
	must_be(t, 0, 7000, 20, 20);
	must_be(t, 1, 7, 21, 21);
	must_be(t, 2, 7000000, 22, 22);
	must_be(t, 3, 7000000000, 23, 23);
	assert_int_equal(zb_trace_info(t)->links, 1u << ZB_LINK_RAW_IP | 1u << ZB_LINK_ETHERNET |
							  1u << ZB_LINK_SLL | 1u << ZB_LINK_SLL2);
	zb_trace_free(t);
	/* The new section has one interface, whatever the one before had. */
	tb_epb(&b, 1, 7, bytes, 24);
	must_cut(&b, 4, "is damaged: it names interface 1, the section has 1");
	tb_free(&b);
}

/* An unsupported interface must do no harm until one of its packets comes. */
static void pcapng_unsupported_interface_matters_only_when_used(void **state)
{
	struct tb_buf b = {0};

	(void)state;
	tb_shb(&b);
	tb_idb(&b, 189, 9, 0);
	tb_idb(&b, 1, 9, 0);
	tb_epb(&b, 1, 1, bytes, 20);
	zb_trace_free(must_load(&b));
	tb_epb(&b, 0, 2, bytes, 20);
	must_fail(&b, -EINVAL,
		  "packet 2: interface 0 has link type 189 (USB_LINUX), which is not "
		  "supported; supported are Ethernet");
	tb_free(&b);
}

/* Simple and obsolete packet blocks must be read, blocks of other types skipped. */
static void pcapng_other_packet_blocks_are_read(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		struct tb_buf b = {.big = big}, pb = {.big = big}, spb = {.big = big};
		struct zb_trace *t;

		tb_u16(&pb, 0);
		tb_u16(&pb, 0xffff); /* drops: unknown */
		tb_u32(&pb, 0);
		tb_u32(&pb, 77);
		tb_u32(&pb, 13);
		tb_u32(&pb, 99);
		tb_bytes(&pb, bytes, 13);
		tb_u32(&spb, 18);
		tb_bytes(&spb, bytes, 18);
		tb_shb(&b);
		tb_idb(&b, 1, 9, 0);
		tb_block(&b, 4, &spb);
		tb_block(&b, 2, &pb);
		tb_block(&b, 0x80000bad, &pb);
		tb_block(&b, 3, &spb);
		t = must_load(&b);
		assert_int_equal(zb_trace_info(t)->pkt_nr, 2);
		must_be(t, 0, 77, 13, 99);
		must_be(t, 1, 77, 18, 18); /* has no time: its predecessor's */
		zb_trace_free(t);
		/* The original length is longer than what the block holds: cut by the snap length.
		 */
		spb.nr = 0;
		tb_u32(&spb, 1500);
		tb_bytes(&spb, bytes, 28);
		tb_block(&b, 3, &spb);
		t = must_load(&b);
		must_be(t, 2, 77, 28, 1500);
		zb_trace_free(t);
		tb_free(&b);
		tb_free(&pb);
		tb_free(&spb);
	}
}

/* A section header, an interface and two packets; returns where the second packet's block is. */
static size_t two_packets(struct tb_buf *b)
{
	size_t at;

	tb_shb(b);
	tb_idb(b, 1, 9, 0);
	tb_epb(b, 0, 1, bytes, 20);
	at = b->nr;
	tb_epb(b, 0, 2, bytes, 20);
	return at;
}

/* Blocks whose lengths contradict each other must end the file, naming packet and place. */
static void pcapng_damaged_blocks_end_the_file(void **state)
{
	static const struct {
		int at; /* in the second packet's block */
		uint32_t value;
		const char *says;
	} bad[] = {
		{4, 51, "length 51"},
		{4, 8, "length 8"},
		{4, 16, "its two lengths differ"},
		{4, 0x7ffffffc, "is damaged: block of 2147483644 bytes"},
		{8, 1, "it names interface 1, the section has 1"},
		{20, 21, "is damaged: 21 bytes in a block of 52"},
		{20, 0xffffffff, "is damaged: 4294967295 bytes, at most 262144 make sense"},
		{48, 56, "its two lengths differ"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tb_buf b = {0};
		size_t at = two_packets(&b);
		char where[32];

		memcpy(b.p + at + bad[i].at, &bad[i].value, 4);
		must_cut(&b, 1, bad[i].says);
		snprintf(where, sizeof(where), ": packet 2 at byte %zu ", at);
		assert_non_null(strstr(said.text, where));
		tb_free(&b);
	}
}

/* Section headers that cannot be right must be refused. */
static void pcapng_damaged_section_headers_are_refused(void **state)
{
	struct tb_buf b = {0};

	(void)state;
	two_packets(&b);
	b.p[8] ^= 1;
	must_fail(&b, -EINVAL, "section header: byte order");
	b.p[8] ^= 1;
	b.p[12] = 2;
	must_fail(&b, -EINVAL, "pcapng version 2 is not supported");
	b.p[12] = 1;
	b.p[4] = 24;
	must_fail(&b, -EINVAL, "length 24");
	tb_free(&b);
}

/* Cut anywhere, a file gives all whole packets: clean between blocks, cut inside one. */
static void pcapng_cut_at_every_byte_keeps_whole_packets(void **state)
{
	struct tb_buf b = {0};
	size_t ends[4], shb;

	(void)state;
	tb_shb(&b);
	shb = b.nr;
	tb_idb(&b, 1, 9, 1);
	for (uint32_t i = 0; i < 4; i++) {
		tb_epb(&b, 0, i, bytes, 20 + i);
		ends[i] = b.nr;
	}
	/* Two clean ends without a packet: after the section header and after the interface. */
	for (size_t n = shb + 1; n < ends[0]; n++) {
		struct tb_buf cut = {.p = b.p, .nr = n};
		struct zb_trace *t;
		bool idb_end = ends[0] - n == 52;

		assert_int_equal(load(&cut, &t), idb_end ? -ENODATA : -EINVAL);
	}
	for (size_t i = 0; i < 3; i++) {
		struct tb_buf rest = {.p = b.p, .nr = ends[i]};
		struct zb_trace *t = must_load(&rest);

		assert_int_equal(zb_trace_info(t)->pkt_nr, i + 1);
		zb_trace_free(t);
		for (size_t n = ends[i] + 1; n < ends[i + 1]; n++) {
			rest.nr = n;
			must_cut(&rest, i + 1, "is cut: the file ends ");
		}
	}
	tb_free(&b);
}

/* With any byte changed to anything a load may fail or warn, but must come back (the sanitizer
 * watches). */
static void pcapng_random_damage_never_crashes(void **state)
{
	(void)state;
	srand(5);
	for (int i = 0; i < 1500; i++) {
		struct tb_buf b = {.big = i & 1};
		struct zb_trace *t;

		two_packets(&b);
		two_packets(&b);
		for (int k = 0; k <= i % 3; k++)
			b.p[(size_t)rand() % b.nr] = (uint8_t)rand();
		if (load(&b, &t) == 0)
			zb_trace_free(t);
		else
			assert_int_equal(lines(said.text), 1);
		tb_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcapng_time_units_and_offsets_are_applied),
		cmocka_unit_test(pcapng_interfaces_and_sections_are_kept_apart),
		cmocka_unit_test(pcapng_unsupported_interface_matters_only_when_used),
		cmocka_unit_test(pcapng_other_packet_blocks_are_read),
		cmocka_unit_test(pcapng_damaged_blocks_end_the_file),
		cmocka_unit_test(pcapng_damaged_section_headers_are_refused),
		cmocka_unit_test(pcapng_cut_at_every_byte_keeps_whole_packets),
		cmocka_unit_test(pcapng_random_damage_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
