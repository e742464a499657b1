/* SPDX-License-Identifier: Apache-2.0 */
/* test_trace.c - pcap files: what is read from them, and what is said when they are damaged */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "trace_check.h"

#define MAGIC_US 0xa1b2c3d4
#define MAGIC_NS 0xa1b23c4d

/* Both byte orders and both time units must give the same packets. */
static void pcap_every_order_and_resolution_is_read(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool nano = i & 1;
		struct tb_buf b = {.big = i & 2};
		const struct zb_trace_info *info;
		struct zb_trace *t;

		tb_pcap_header(&b, nano ? MAGIC_NS : MAGIC_US, 1);
		tb_pcap_record(&b, (struct tb_rec){7, 5, 20, 20}, bytes);
		tb_pcap_record(&b, (struct tb_rec){0xffffffff, 999999, 0, 60}, bytes);
		tb_pcap_record(&b, (struct tb_rec){8, 0, 33, 1500}, bytes);
		t = must_load(&b);
		must_be(t, 0, 7000000000u + (nano ? 5 : 5000), 20, 20);
		must_be(t, 1, 4294967295000000000u + (nano ? 999999 : 999999000), 0, 60);
		must_be(t, 2, 8000000000u, 33, 1500);
		info = zb_trace_info(t);
		assert_int_equal(info->pkt_nr, 3);
		assert_int_equal(info->cap_bytes, 53);
		assert_int_equal(info->wire_bytes, 1580);
		assert_int_equal(zb_trace_shard(t, 0)->byte_nr, 1580);
		assert_int_equal(info->first_ns, 7000000000u + (nano ? 5 : 5000));
		assert_int_equal(info->last_ns, 4294967295000000000u + (nano ? 999999 : 999999000));
		assert_int_equal(info->backwards, 1);
		assert_int_equal(info->snapped, 2);
		assert_int_equal(info->file_bytes, b.nr);
		assert_int_equal(info->links, 1u << ZB_LINK_ETHERNET);
		assert_false(info->cut);
		zb_trace_free(t);
		tb_free(&b);
	}
}

/* A wire length below the captured one is taken as equal to it. */
static void pcap_wire_length_below_captured_is_raised(void **state)
{
	struct tb_buf b = {0};
	struct zb_trace *t;

	(void)state;
	tb_pcap_header(&b, MAGIC_US, 1);
	tb_pcap_record(&b, (struct tb_rec){1, 0, 40, 9}, bytes);
	t = must_load(&b);
	must_be(t, 0, 1000000000, 40, 40);
	assert_int_equal(zb_trace_info(t)->snapped, 0);
	zb_trace_free(t);
	tb_free(&b);
}

/* Before version 2.3 the lengths stand the other way round; 2.3 itself was written both ways. */
static void pcap_old_versions_have_lengths_swapped(void **state)
{
	(void)state;
	for (uint8_t minor = 2; minor <= 4; minor++) {
		struct tb_buf b = {0};
		struct zb_trace *t;

		tb_pcap_header(&b, MAGIC_US, 1);
		b.p[6] = minor;
		tb_u32(&b, 1);
		tb_u32(&b, 0);
		tb_u32(&b, minor < 4 ? 50 : 12);
		tb_u32(&b, minor < 4 ? 12 : 50);
		tb_bytes(&b, bytes, 12);
		t = must_load(&b);
		must_be(t, 0, 1000000000, 12, 50);
		zb_trace_free(t);
		tb_free(&b);
	}
}

/* Each link type that is read must be told apart; frame check sequence bits must not matter. */
static void pcap_link_types_are_mapped(void **state)
{
	static const struct {
		uint32_t type;
		enum zb_link link;
	} types[] = {
		{0, ZB_LINK_NULL},	 {1, ZB_LINK_ETHERNET},
		{9, ZB_LINK_PPP},	 {12, ZB_LINK_RAW_IP},
		{14, ZB_LINK_RAW_IP},	 {50, ZB_LINK_PPP},
		{101, ZB_LINK_RAW_IP},	 {108, ZB_LINK_NULL},
		{105, ZB_LINK_WIFI},	 {113, ZB_LINK_SLL},
		{127, ZB_LINK_RADIOTAP}, {228, ZB_LINK_RAW_IP},
		{229, ZB_LINK_RAW_IP},	 {239, ZB_LINK_NFLOG},
		{276, ZB_LINK_SLL2},	 {0x44000001, ZB_LINK_ETHERNET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct tb_buf b = {.big = i % 2};
		struct zb_trace *t;

		tb_pcap_header(&b, MAGIC_US, types[i].type);
		tb_pcap_record(&b, (struct tb_rec){1, 0, 30, 30}, bytes);
		t = must_load(&b);
		assert_int_equal(zb_trace_shard(t, 0)->pkts[0].link, types[i].link);
		assert_int_equal(zb_trace_info(t)->links, 1u << types[i].link);
		zb_trace_free(t);
		tb_free(&b);
	}
}

/* A file that cannot be used must be refused in one line that says why. */
static void pcap_unusable_headers_are_refused_by_name(void **state)
{
	static const struct {
		uint32_t magic;
		uint8_t major;
		uint32_t link;
		const char *says;
	} bad[] = {
		{0xa1b2cd34, 2, 1,
		 "\"modified\" pcap (Kuznetzov's patched libpcap) is not supported"},
		{0x34cdb2a1, 2, 1, "\"modified\" pcap"},
		{MAGIC_US, 3, 1, "pcap version 3.4 is not supported"},
		{MAGIC_US, 2, 119,
		 "link type 119 (IEEE802_11_PRISM) is not supported; supported are Ethernet, raw "
		 "IP"},
		{MAGIC_NS, 2, 9999, "link type 9999 (?) is not supported"},
		{0x12345678, 2, 1, "not a trace: it does not begin as pcap or pcapng does"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tb_buf b = {0};

		tb_pcap_header(&b, bad[i].magic, bad[i].link);
		b.p[4] = bad[i].major;
		tb_pcap_record(&b, (struct tb_rec){1, 0, 30, 30}, bytes);
		must_fail(&b, -EINVAL, bad[i].says);
		tb_free(&b);
	}
}

/* What is no trace at all must be refused, with advice where its kind is known. */
static void trace_foreign_files_are_refused_with_advice(void **state)
{
	static const struct {
		const char *content;
		size_t len;
		int err;
		const char *says;
	} bad[] = {
		{"", 0, -ENODATA, "empty file"},
		{"hello, world\n", 13, -EINVAL, "not a trace: it does not begin"},
		{"abc", 3, -EINVAL, "not a trace: it does not begin"},
		{"\xfd\x37zXZ\0\0\4", 8, -EINVAL, "it is xz data; unpack it first: xz -d"},
		{"BZh91AY", 7, -EINVAL, "bzip2"},
		{"PK\3\4....", 8, -EINVAL, "zip archive"},
		{"\xd4\xc3\xb2\xa1", 4, -EINVAL,
		 "not a trace: ends after 4 of 24 bytes of the pcap file header"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tb_buf b = {0};

		tb_bytes(&b, bad[i].content, bad[i].len);
		must_fail(&b, bad[i].err, bad[i].says);
		tb_free(&b);
	}
}

/* A record of impossible length ends the file: with a warning after good ones, else with an error.
 */
static void pcap_damaged_record_ends_the_file(void **state)
{
	struct tb_buf b = {0};

	(void)state;
	tb_pcap_header(&b, MAGIC_US, 1);
	must_fail(&b, -ENODATA, "no packet in it");
	tb_u32(&b, 1);
	tb_u32(&b, 0);
	tb_u32(&b, ZB_RECORD_MAX + 1);
	tb_u32(&b, 60);
	tb_zeros(&b, ZB_RECORD_MAX + 1);
	must_fail(&b, -EINVAL, "packet 1 at byte 24 is damaged: 262145 bytes");
	b.nr = 24;
	tb_pcap_record(&b, (struct tb_rec){1, 0, 10, 10}, bytes);
	tb_pcap_record(&b, (struct tb_rec){2, 0, 10, 10}, bytes);
	tb_u32(&b, 3);
	tb_u32(&b, 0);
	tb_u32(&b, 0x80000000);
	tb_u32(&b, 60);
	must_cut(&b, 2, "packet 3 at byte 76 is damaged: 2147483648 bytes");
	tb_free(&b);
}

/* The longest packet that makes sense must be read. */
static void pcap_longest_record_is_read(void **state)
{
	static const uint8_t zeros[ZB_RECORD_MAX];
	struct tb_buf b = {0};
	struct zb_trace *t;

	(void)state;
	tb_pcap_header(&b, MAGIC_US, 1);
	tb_pcap_record(&b, (struct tb_rec){1, 0, ZB_RECORD_MAX, ZB_RECORD_MAX}, zeros);
	t = must_load(&b);
	assert_int_equal(zb_trace_info(t)->cap_bytes, ZB_RECORD_MAX);
	zb_trace_free(t);
	tb_free(&b);
}

/* Cut anywhere, a file gives all whole packets: clean between two, cut inside one, an error before.
 */
static void pcap_cut_at_every_byte_keeps_whole_packets(void **state)
{
	struct tb_buf b = {.big = true};
	size_t ends[5] = {24};

	(void)state;
	tb_pcap_header(&b, MAGIC_US, 1);
	for (uint32_t i = 0; i < 4; i++) {
		tb_pcap_record(&b, (struct tb_rec){i, 0, 20 + i, 20 + i}, bytes);
		ends[i + 1] = b.nr;
	}
	for (size_t n = 1, good = 0; n < ends[4]; n++) {
		struct tb_buf cut = {.p = b.p, .nr = n};
		bool clean = n == ends[good] || n == ends[good + 1];

		if (n == ends[good + 1])
			good++;
		if (good == 0)
			must_fail(&cut, clean ? -ENODATA : -EINVAL, "zbench: /tmp/");
		else if (clean)
			zb_trace_free(must_load(&cut));
		else
			must_cut(&cut, good, "is cut: the file ends ");
	}
	tb_free(&b);
}

/* With any byte changed to anything a load may fail or warn, but must come back (the sanitizer
 * watches). */
static void pcap_random_damage_never_crashes(void **state)
{
	(void)state;
	srand(5);
	for (int i = 0; i < 1500; i++) {
		struct tb_buf b = {.big = i & 1};
		struct zb_trace *t;

		tb_pcap_header(&b, MAGIC_US, 1);
		for (uint32_t k = 0; k < 5; k++)
			tb_pcap_record(&b, (struct tb_rec){k, 0, 40, 60}, bytes);
		for (int k = 0; k <= i % 3; k++)
			b.p[(size_t)rand() % b.nr] = (uint8_t)rand();
		if (load(&b, &t) == 0)
			zb_trace_free(t);
		else
			assert_int_equal(lines(said.text), 1);
		tb_free(&b);
	}
}

/* Any change of a time, a length or a byte must change the digest. */
static void trace_digest_tells_inputs_apart(void **state)
{
	static const struct tb_rec recs[] = {
		{1, 0, 30, 30}, {1, 1, 30, 30}, {1, 0, 30, 31}, {1, 0, 29, 30}, {1, 0, 30, 30}};
	uint64_t digests[5];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct tb_buf b = {.big = i % 2};
		struct zb_trace *t;

		tb_pcap_header(&b, i % 2 ? MAGIC_US : MAGIC_NS, 1);
		tb_pcap_record(&b, recs[i], bytes + (i == 4));
		t = must_load(&b);
		digests[i] = zb_trace_info(t)->digest;
		zb_trace_free(t);
		tb_free(&b);
		for (size_t k = 0; k < i; k++)
			assert_true(digests[k] != digests[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_every_order_and_resolution_is_read),
		cmocka_unit_test(pcap_wire_length_below_captured_is_raised),
		cmocka_unit_test(pcap_old_versions_have_lengths_swapped),
		cmocka_unit_test(pcap_link_types_are_mapped),
		cmocka_unit_test(pcap_unusable_headers_are_refused_by_name),
		cmocka_unit_test(trace_foreign_files_are_refused_with_advice),
		cmocka_unit_test(pcap_damaged_record_ends_the_file),
		cmocka_unit_test(pcap_longest_record_is_read),
		cmocka_unit_test(pcap_cut_at_every_byte_keeps_whole_packets),
		cmocka_unit_test(pcap_random_damage_never_crashes),
		cmocka_unit_test(trace_digest_tells_inputs_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
