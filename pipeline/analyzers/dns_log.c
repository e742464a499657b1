/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_log.c - dns.log: fields, the names of codes and rows (Zeek: base/protocols/dns/main, consts)
 */
#include <netinet/in.h>

#include "pipeline/analyzers/dns_priv.h"
#include "pipeline/row_id.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"proto", ZB_T_ENUM},
	{"trans_id", ZB_T_COUNT},
	{"rtt", ZB_T_INTERVAL},
	{"query", ZB_T_STRING},
	{"qclass", ZB_T_COUNT},
	{"qclass_name", ZB_T_STRING},
	{"qtype", ZB_T_COUNT},
	{"qtype_name", ZB_T_STRING},
	{"rcode", ZB_T_COUNT},
	{"rcode_name", ZB_T_STRING},
	{"AA", ZB_T_BOOL},
	{"TC", ZB_T_BOOL},
	{"RD", ZB_T_BOOL},
	{"RA", ZB_T_BOOL},
	{"Z", ZB_T_COUNT},
	{"answers", ZB_T_VECTOR_STRING},
	{"TTLs", ZB_T_VECTOR_INTERVAL},
	{"rejected", ZB_T_BOOL},
	{"opcode", ZB_T_COUNT},
	{"opcode_name", ZB_T_STRING},
};
const struct zb_row_def zb_dns_log_def = {
	.path = "dns",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};

#define WORDS_MAX    (6 * DNS_WORD_MAX) /* protocol and names of codes */
#define TTL_STRINGS  3			/* as zb_log_row() counts an interval in a vector */
#define TYPES_DENSE  110
#define CODES_KNOWN  11
#define CLASSES_NONE 254

/* A name and its length, so that nothing is searched for its end. */
struct word {
	uint8_t len;
	char text[11];
};
#define W(s)                   \
	{                      \
		sizeof(s) - 1, \
		{              \
			s      \
		}              \
	}

static const struct word types[TYPES_DENSE] = {
	[1] = W("A"),	      [2] = W("NS"),	  [3] = W("MD"),	  [4] = W("MF"),
	[5] = W("CNAME"),     [6] = W("SOA"),	  [7] = W("MB"),	  [8] = W("MG"),
	[9] = W("MR"),	      [10] = W("NULL"),	  [11] = W("WKS"),	  [12] = W("PTR"),
	[13] = W("HINFO"),    [14] = W("MINFO"),  [15] = W("MX"),	  [16] = W("TXT"),
	[17] = W("RP"),	      [18] = W("AFSDB"),  [19] = W("X25"),	  [20] = W("ISDN"),
	[21] = W("RT"),	      [22] = W("NSAP"),	  [23] = W("NSAP-PTR"),	  [24] = W("SIG"),
	[25] = W("KEY"),      [26] = W("PX"),	  [27] = W("GPOS"),	  [28] = W("AAAA"),
	[29] = W("LOC"),      [30] = W("NXT"),	  [31] = W("EID"),	  [32] = W("NIMLOC"),
	[33] = W("SRV"),      [34] = W("ATMA"),	  [35] = W("NAPTR"),	  [36] = W("KX"),
	[37] = W("CERT"),     [38] = W("A6"),	  [39] = W("DNAME"),	  [40] = W("SINK"),
	[41] = W("OPT"),      [42] = W("APL"),	  [43] = W("DS"),	  [44] = W("SSHFP"),
	[45] = W("IPSECKEY"), [46] = W("RRSIG"),  [47] = W("NSEC"),	  [48] = W("DNSKEY"),
	[49] = W("DHCID"),    [50] = W("NSEC3"),  [51] = W("NSEC3PARAM"), [52] = W("TLSA"),
	[53] = W("SMIMEA"),   [55] = W("HIP"),	  [56] = W("NINFO"),	  [57] = W("RKEY"),
	[58] = W("TALINK"),   [59] = W("CDS"),	  [60] = W("CDNSKEY"),	  [61] = W("OPENPGPKEY"),
	[62] = W("CSYNC"),    [63] = W("ZONEMD"), [64] = W("SVCB"),	  [65] = W("HTTPS"),
	[99] = W("SPF"),      [100] = W("UINFO"), [101] = W("UID"),	  [102] = W("GID"),
	[103] = W("UNSPEC"),  [104] = W("NID"),	  [105] = W("L32"),	  [106] = W("L64"),
	[107] = W("LP"),      [108] = W("EUI48"), [109] = W("EUI64"),
};
static const struct {
	uint16_t type;
	struct word word;
} types_sparse[] = {
	{249, W("TKEY")},     {250, W("TSIG")},	 {251, W("IXFR")},	  {252, W("AXFR")},
	{253, W("MAILB")},    {254, W("MAILA")}, {255, W("*")},		  {256, W("URI")},
	{257, W("CAA")},      {32768, W("TA")},	 {32769, W("DLV")},	  {65281, W("WINS")},
	{65282, W("WINS-R")}, {65422, W("XPF")}, {65521, W("INTEGRITY")},
};
static const struct word classes[] = {
	[1] = W("C_INTERNET"), [2] = W("C_CSNET"), [3] = W("C_CHAOS"), [4] = W("C_HESIOD")};
static const struct word class_none = W("C_NONE"), class_any = W("C_ANY");
static const struct word rcodes[CODES_KNOWN] = {W("NOERROR"),  W("FORMERR"), W("SERVFAIL"),
						W("NXDOMAIN"), W("NOTIMP"),  W("REFUSED"),
						W("YXDOMAIN"), W("YXRRSET"), W("NXRRSet"),
						W("NOTAUTH"),  W("NOTZONE")};
static const char *const opcodes[16] = {"query",	  "iquery", "server-status", NULL, "notify",
					"dynamic-update", "dso"};
static const char *const netbios_opcodes[16] = {[0] = "netbios-query",
						[5] = "netbios-registration",
						[6] = "netbios-release",
						[7] = "netbios-wack",
						[8] = "netbios-refresh"};

static size_t copy_word(char *out, const struct word *w)
{
	memcpy(out, w->text, sizeof(w->text));
	return w->len;
}

/* "query-4711" and the like, for codes without a name. */
static size_t numbered(char *out, const char *prefix, unsigned number)
{
	size_t n = strlen(prefix);

	memcpy(out, prefix, n);
	return n + zb_fmt_u64(out + n, number);
}

size_t dns_type_name(char *out, uint16_t type)
{
	if (type < TYPES_DENSE && types[type].len != 0)
		return copy_word(out, &types[type]);
	for (unsigned i = 0; i < sizeof(types_sparse) / sizeof(types_sparse[0]); i++)
		if (types_sparse[i].type == type)
			return copy_word(out, &types_sparse[i].word);
	return numbered(out, "query-", type);
}

static size_t class_name(char *out, uint16_t class)
{
	if (class < sizeof(classes) / sizeof(classes[0]) && classes[class].len != 0)
		return copy_word(out, &classes[class]);
	if (class == CLASSES_NONE || class == CLASSES_NONE + 1)
		return copy_word(out, class == CLASSES_NONE ? &class_none : &class_any);
	return numbered(out, "qclass-", class);
}

static void put_question(struct zb_row *r, const struct dns_facts *f)
{
	char word[DNS_WORD_MAX];

	if (!(f->known & DNS_HAS_QUESTION)) {
		for (unsigned i = 0; i < 4; i++)
			zb_row_unset(r);
		return;
	}
	zb_row_count(r, f->qclass);
	zb_row_word(r, word, class_name(word, f->qclass));
	zb_row_count(r, f->qtype);
	if (f->known & DNS_NBSTAT)
		zb_row_word(r, "NBSTAT", 6);
	else
		zb_row_word(r, word, dns_type_name(word, f->qtype));
}

static void put_rcode(struct zb_row *r, const struct dns_facts *f)
{
	char word[DNS_WORD_MAX];

	if (!(f->known & DNS_HAS_RCODE)) {
		zb_row_unset(r);
		zb_row_unset(r);
		return;
	}
	zb_row_count(r, f->rcode);
	if (f->rcode < CODES_KNOWN)
		zb_row_word(r, rcodes[f->rcode].text, rcodes[f->rcode].len);
	else
		zb_row_word(r, word, numbered(word, "unassigned-", f->rcode));
}

static void put_opcode(struct zb_row *r, const struct dns_facts *f)
{
	bool netbios = f->known & DNS_NETBIOS;
	const char *name = (netbios ? netbios_opcodes : opcodes)[f->opcode & 15];
	char word[DNS_WORD_MAX];

	zb_row_count(r, f->opcode);
	if (name != NULL)
		zb_row_word(r, name, strlen(name));
	else
		zb_row_word(r, word,
			    numbered(word, netbios ? "netbios-opcode-" : "opcode-", f->opcode));
}

static void put_answers(struct zb_row *r, const struct dns_answers *answers)
{
	if (answers == NULL || answers->nr == 0) {
		zb_row_unset(r);
		zb_row_unset(r);
		return;
	}
	zb_row_strings(r, answers->text, answers->len, answers->nr);
	zb_row_intervals(r, answers->ttl_ns, answers->nr);
}

void dns_row(struct dns *s, const struct dns_facts *f, const char *query,
	     const struct dns_answers *answers)
{
	bool is_tcp = zb_analyzer_conn(&s->base)->key.proto == IPPROTO_TCP;
	size_t strings = WORDS_MAX + f->query_len;
	struct zb_row r;

	if (answers != NULL)
		strings += answers->text_bytes + answers->nr * TTL_STRINGS;
	if (!zb_analyzer_row(&s->base, ZB_LOG_DNS, f->ts_ns, strings, &r))
		return;
	zb_row_word(&r, is_tcp ? "tcp" : "udp", 3);
	zb_row_count(&r, f->id);
	if (f->rtt_ns != 0)
		zb_row_interval(&r, f->rtt_ns);
	else
		zb_row_unset(&r);
	if (f->known & DNS_HAS_QUERY)
		zb_row_string(&r, query, f->query_len);
	else
		zb_row_unset(&r);
	put_question(&r, f);
	put_rcode(&r, f);
	zb_row_bool(&r, f->known & DNS_AA);
	zb_row_bool(&r, f->known & DNS_TC);
	zb_row_bool(&r, f->known & DNS_RD);
	zb_row_bool(&r, f->known & DNS_RA);
	zb_row_count(&r, f->z);
	put_answers(&r, answers);
	zb_row_bool(&r, f->known & DNS_REJECTED);
	put_opcode(&r, f);
	zb_analyzer_row_end(&s->base, ZB_LOG_DNS, &r);
}
