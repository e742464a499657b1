/* SPDX-License-Identifier: Apache-2.0 */
/* test_dns_record.c - what records say in a row, and names: compression, NetBIOS */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyzer_bed.h"
#include "dns_build.h"

/* Builds the data of a record. */
typedef void data_fn(struct dns_build *m);

static void data_none(struct dns_build *m)
{
	db_8(m, 0);
}
static void data_aaaa(struct dns_build *m)
{
	db_32(m, 0x20010db8);
	db_32(m, 0);
	db_32(m, 0);
	db_32(m, 1);
}
static void data_mapped(struct dns_build *m)
{
	db_32(m, 0);
	db_32(m, 0);
	db_32(m, 0xffff);
	db_32(m, 0x0a000001);
}
static void data_mx(struct dns_build *m)
{
	db_16(m, 10);
	db_name(m, "Mail.example");
}
static void data_soa(struct dns_build *m)
{
	db_name(m, "ns.example");
	db_name(m, "admin.example");
	for (unsigned i = 0; i < 5; i++)
		db_32(m, i);
}
static void data_srv(struct dns_build *m)
{
	db_16(m, 0);
	db_16(m, 0);
	db_16(m, 443);
	db_name(m, "host.example");
}
static void data_txt(struct dns_build *m)
{
	db_8(m, 3);
	db_bytes(m, "a=b", 3);
	db_8(m, 0);
	db_8(m, 1);
	db_bytes(m, "c", 1);
}
static void data_naptr(struct dns_build *m)
{
	db_16(m, 100);
	db_16(m, 50);
	db_8(m, 1);
	db_bytes(m, "s", 1);
	db_8(m, 3);
	db_bytes(m, "SIP", 3);
	db_8(m, 0);
	db_name(m, "_sip.example");
}
static void data_ds(struct dns_build *m)
{
	db_16(m, 4711);
	db_8(m, 8);
	db_8(m, 2);
	db_32(m, 0);
}
static void data_dnskey(struct dns_build *m)
{
	db_16(m, 0x100);
	db_8(m, 3);
	db_8(m, 13);
	db_32(m, 0);
}
static void data_rrsig(struct dns_build *m)
{
	db_16(m, 28);
	db_16(m, 0x0802);
	for (unsigned i = 0; i < 3; i++)
		db_32(m, i);
	db_16(m, 1);
	db_name(m, "");
	db_32(m, 0);
}
static void data_nsec(struct dns_build *m)
{
	db_name(m, "next.example");
	db_16(m, 1);
	db_8(m, 0x40);
}
static void data_nsec3(struct dns_build *m)
{
	db_32(m, 0x01000005);
	db_8(m, 1);
	db_8(m, 0xab);
	db_8(m, 2);
	db_16(m, 0xcdef);
	db_16(m, 1);
	db_8(m, 0x40);
}
static void data_nsec3param(struct dns_build *m)
{
	db_32(m, 0x01000005);
	db_8(m, 1);
	db_8(m, 0xab);
}
static void data_sshfp(struct dns_build *m)
{
	db_16(m, 0x0102);
	db_16(m, 0xbeef);
}
static void data_loc(struct dns_build *m)
{
	db_8(m, 0);
	db_8(m, 18);
	db_8(m, 22);
	db_8(m, 19);
	for (unsigned i = 0; i < 3; i++)
		db_32(m, i);
}
static void data_https(struct dns_build *m)
{
	db_16(m, 1);
	db_name(m, "");
	db_16(m, 1);
	db_16(m, 3);
	db_8(m, 2);
	db_bytes(m, "h2", 2);
}

static const struct {
	unsigned type;
	data_fn *data;
	const char *answers; /* NULL: none */
} records[] = {
	{2, data_soa, NULL}, /* more than the name: the rest is taken for the next record */
	{6, data_soa, "[\"ns.example\",\"9.9.9.9\"]"},
	{10, data_none, "[\"<unknown type=10>\",\"9.9.9.9\"]"},
	{13, data_txt, "[\"9.9.9.9\"]"},
	{15, data_mx, "[\"mail.example\",\"9.9.9.9\"]"},
	{16, data_txt, "[\"TXT 3 a=b TXT 0  TXT 1 c\",\"9.9.9.9\"]"},
	{28, data_aaaa, "[\"2001:db8::1\",\"9.9.9.9\"]"},
	{28, data_mapped, "[\"10.0.0.1\",\"9.9.9.9\"]"},
	{29, data_loc, "[\"LOC:  18 22 19\",\"9.9.9.9\"]"},
	{33, data_srv, "[\"host.example\",\"9.9.9.9\"]"},
	{35, data_naptr, "[\"NAPTR 100 50 s SIP _sip.example\",\"9.9.9.9\"]"},
	{43, data_ds, "[\"DS 8 2\",\"9.9.9.9\"]"},
	{44, data_sshfp, "[\"SSHFP: beef\",\"9.9.9.9\"]"},
	{46, data_rrsig, "[\"RRSIG 28 <Root>\",\"9.9.9.9\"]"},
	{47, data_nsec, "[\"NSEC a.example next.example\",\"9.9.9.9\"]"},
	{48, data_dnskey, "[\"DNSKEY 13\",\"9.9.9.9\"]"},
	{50, data_nsec3, "[\"NSEC3\",\"9.9.9.9\"]"},
	{51, data_nsec3param, "[\"NSEC3PARAM\",\"9.9.9.9\"]"},
	{65, data_https, "[\"9.9.9.9\"]"},
	{99, data_txt, "[\"SPF 3 a=b SPF 0  SPF 1 c\",\"9.9.9.9\"]"},
	{257, data_srv, "[\"9.9.9.9\"]"},
	{65534, data_aaaa, "[\"BIND9 signing signal\",\"9.9.9.9\"]"},
};

/* Every type says what Zeek makes of it, and the record behind it is found. */
static void record_says_what_its_type_means(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct analyzer_bed b;
		struct dns_build m;
		char want[128];
		char *text;

		ab_open(&b, IPPROTO_UDP, 53);
		db_reply(&m, 7, "a.example", records[i].type, 2);
		db_record(&m, records[i].type, 1, 60);
		records[i].data(&m);
		db_record_end(&m);
		db_a(&m, 60, 0x09090909);
		ab_say(&b, ZB_RESP, m.d, m.n);
		assert_int_equal(ab_has_service(&b, "dns"), records[i].answers != NULL);
		ab_end(&b);
		text = logs_read(&b.logs, "dns");
		if (records[i].answers != NULL) {
			snprintf(want, sizeof(want), "\"answers\":%s", records[i].answers);
			assert_non_null(strstr(text, want));
		}
		ab_close(&b);
	}
}

/* A record cut at any length is safe to read. */
static void record_cut_anywhere_is_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct dns_build m;

		db_reply(&m, 7, "a.example", 1, 1);
		db_record(&m, records[i].type, 1, 60);
		records[i].data(&m);
		for (size_t n = m.data_at; n < m.n; n++) {
			struct dns_build cut = m;
			struct analyzer_bed b;

			cut.n = n;
			db_record_end(&cut);
			ab_open(&b, IPPROTO_UDP, 53);
			ab_say(&b, ZB_RESP, cut.d, cut.n);
			ab_end(&b);
			ab_close(&b);
		}
	}
}

/* Dynamic updates say what they presuppose, delete and add. */
static void update_says_what_it_changes(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;
	char *text;

	(void)state;
	ab_open(&b, IPPROTO_UDP, 53);
	db_begin(&m, 7, DB_REPLY | 5 << 11, (const unsigned[4]){1, 2, 4, 0});
	db_question(&m, "h.example", 6);
	db_record(&m, 5, 254, 0);
	db_record(&m, 255, 255, 0);
	db_record(&m, 28, 255, 0);
	db_record(&m, 255, 255, 0);
	db_record(&m, 1, 254, 0);
	db_a(&m, 1200, 0x0a000001);
	ab_say(&b, ZB_RESP, m.d, m.n);
	assert_true(ab_has_service(&b, "dns"));
	ab_end(&b);
	text = logs_read(&b.logs, "dns");
	assert_non_null(strstr(
		text, "\"answers\":[\"pre: NoRRSet CNAME h.example\",\"pre: NameInUse h.example\","
		      "\"del: RRSet AAAA\",\"del: RRSet * h.example\",\"del: RR A h.example\","
		      "\"add: A h.example 10.0.0.1\"]"));
	assert_non_null(strstr(text, "\"query\":\"h.example\",\"rcode\":0"));
	assert_non_null(strstr(text, "\"opcode\":5,\"opcode_name\":\"dynamic-update\""));
	ab_close(&b);
}

static const char *query_of(struct analyzer_bed *b, uint16_t port, const struct dns_build *m)
{
	ab_open(b, IPPROTO_UDP, port);
	ab_say(b, ZB_ORIG, m->d, m->n);
	ab_end(b);
	return logs_read(&b->logs, "dns");
}

/* NetBIOS names are decoded without their last byte and padding; others stay as they are. */
static void netbios_name_is_decoded(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;
	const char *text;

	(void)state;
	db_query(&m, 1, "FHEPFCELEHFCEPFFFACACACACACACABL", 33);
	text = query_of(&b, 137, &m);
	assert_non_null(strstr(text, "\"query\":\"WORKGROUP\""));
	assert_non_null(strstr(text, "\"qtype_name\":\"NBSTAT\""));
	assert_non_null(strstr(text, "\"opcode_name\":\"netbios-query\""));
	ab_close(&b);
	db_query(&m, 1, "FHEPFCELEHFCEPFFFACACACACACACAZL", 32);
	text = query_of(&b, 137, &m);
	assert_non_null(strstr(text, "\"query\":\"fhepfcelehfcepfffacacacacacacazl\""));
	ab_close(&b);
}

/* A pointer that does not lead back ends the name, with what was read of it. */
static void pointer_forward_ends_the_name(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;

	(void)state;
	db_begin(&m, 1, 0, (const unsigned[4]){1, 0, 0, 0});
	db_8(&m, 1);
	db_bytes(&m, "a", 1);
	db_pointer(&m, 14);
	db_32(&m, 0x00010001);
	assert_non_null(strstr(query_of(&b, 53, &m), "\"query\":\"a\",\"qclass\":1"));
	assert_int_equal(b.weird.count[ZB_WEIRD_DNS_label_forward_compress_offset], 1);
	ab_close(&b);
}

/* Pointers to pointers are followed, but not for ever. */
static void pointer_chain_is_bounded(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;
	size_t last;

	(void)state;
	db_begin(&m, 1, DB_REPLY, (const unsigned[4]){1, 22, 0, 0});
	db_question(&m, "a.example", 1);
	last = 12;
	for (unsigned i = 0; i < 22; i++) {
		size_t at = m.n;

		db_pointer(&m, last);
		db_16(&m, 1);
		db_16(&m, 1);
		db_32(&m, 60);
		db_16(&m, 4);
		db_32(&m, i);
		last = at;
	}
	ab_open(&b, IPPROTO_UDP, 53);
	ab_say(&b, ZB_RESP, m.d, m.n);
	assert_int_equal(b.weird.count[ZB_WEIRD_DNS_max_compression_chain_depth_exceeded], 2);
	assert_memory_equal(zb_conn_history(&b.conn), "X", 1);
	ab_end(&b);
	ab_close(&b);
}

/* A name is cut where it gets longer than there is room; the message goes on behind it. */
static void long_name_is_cut(void **state)
{
	static const uint8_t label[1 + 63] = {63, 'x'};
	struct analyzer_bed b;
	struct dns_build m;

	(void)state;
	db_begin(&m, 1, 0, (const unsigned[4]){1, 0, 0, 0});
	for (unsigned i = 0; i < 9; i++)
		db_bytes(&m, label, sizeof(label));
	db_8(&m, 0);
	db_32(&m, 0x00010001);
	assert_non_null(strstr(query_of(&b, 53, &m), "\"query\":\"x"));
	assert_int_equal(b.weird.count[ZB_WEIRD_DNS_label_len_gt_name_len], 1);
	assert_int_equal(b.weird.count[ZB_WEIRD_DNS_NAME_too_long], 1);
	ab_close(&b);
}

/* Of very many answers a row holds as many as Zeek logs. */
static void answers_are_bounded(void **state)
{
	struct analyzer_bed b;
	struct dns_build m;
	unsigned n = 0;

	(void)state;
	db_reply(&m, 1, "a.example", 1, 150);
	for (unsigned i = 0; i < 150; i++)
		db_a(&m, 60, i);
	ab_open(&b, IPPROTO_UDP, 53);
	ab_say(&b, ZB_RESP, m.d, m.n);
	ab_end(&b);
	for (const char *s = logs_read(&b.logs, "dns"); (s = strstr(s, "\"0.0.0.")) != NULL; s++)
		n++;
	assert_int_equal(n, 100);
	ab_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_says_what_its_type_means),
		cmocka_unit_test(record_cut_anywhere_is_safe),
		cmocka_unit_test(update_says_what_it_changes),
		cmocka_unit_test(netbios_name_is_decoded),
		cmocka_unit_test(pointer_forward_ends_the_name),
		cmocka_unit_test(pointer_chain_is_bounded),
		cmocka_unit_test(long_name_is_cut),
		cmocka_unit_test(answers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
