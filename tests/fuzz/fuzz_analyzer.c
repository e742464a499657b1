/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_analyzer.c - any bytes as what two sides say to one analyzer
 *
 * Compiled once for each analyzer (ZB_FUZZ_ANALYZER). The first byte is a set of FA_ flags; then
 * come pieces of two bytes and their data:
 *
 *     bit 7: who speaks   bits 6-5: 0 data, 1 data, 2 gap, 3 one of enum what   13 bits: length
 *
 * Whatever is said, rows must be well formed, all memory must come back, little input must not take
 * much of it, and what is asked for beyond a limit must be missed without harm. Over TCP all is
 * said twice, the second time cut into other pieces: the rows must be the same.
 *
 *     fuzz_analyzer_dns -max_len=4096 tests/fuzz/corpus/analyzer_dns
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/analyzers/tls_memo.h"
#include "pipeline/branch.h"
#include "pipeline/expect.h"
#include "pipeline/file.h"
#include "pipeline/known.h"
#include "pipeline/registry.h"
#include "tests/fuzz/row_catch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_NS      (1700000000 * ZB_SEC_NS)
#define MEM_MAX	      (4u << 20)
#define OLD_CONN_SIZE 20000 /* bytes, beyond which nothing is a violation any more */

enum {
	FA_TCP = 1,	 /* where the analyzer knows both */
	FA_OWN_PORT = 2, /* the responder's port is the analyzer's first */
	FA_PARTIAL = 4,
	FA_OLD = 8,
	FA_DETECT = 16, /* the analyzer is not attached: content shows it, or its port */
	FA_OTHERS = 32, /* others may be found beside it */
	FA_TSV = 64,
};

/* What a piece of the third kind does, by the lowest three bits of its length; the rest is n. */
enum what {
	FA_FLIP,
	FA_FIN,
	FA_SQUEEZE, /* only n * 16 bytes more of memory */
	FA_RELAX,
	FA_LATER, /* n seconds pass */
};

struct play {
	struct zb_analysis an;
	struct zb_conn conn;
	struct zb_session *s;
	uint32_t random; /* how data are cut; 0: not at all */
	bool squeezed;
	bool gone; /* the analyzer was removed */
};

static struct zb_lcore_stat stat;
static struct zb_weird weird;
static struct zb_registry *all, *alone; /* all analyzers; the same, but found by port only */

static void set_up(void)
{
	must(zb_weird_init(&weird, zb_log_port(rc_logs(), ZB_LOG_WEIRD, 0), "fuzz", 1) == 0);
	/* A small memory of what was logged, so that it is quickly forgotten. */
	zb_once_memory_fini(&weird.seen);
	must(zb_once_memory_init(&weird.seen, 64) == 0);
	all = zb_registry_create();
	alone = zb_registry_create();
	must(all != NULL && alone != NULL);
	memset(alone->match_any, 0, sizeof(alone->match_any));
	memset(alone->first_byte, 0, sizeof(alone->first_byte));
	alone->match_both = 0;
}

static bool is_over_tcp(const struct zb_analyzer_def *def, bool wanted)
{
	bool tcp = def->tcp_ports != NULL || def->match_over & ZB_OVER_TCP;
	bool udp = def->udp_ports != NULL || def->match_over & ZB_OVER_UDP;

	return tcp == udp ? wanted : tcp;
}

static uint16_t port_of(const struct zb_analyzer_def *def, bool tcp, uint8_t flags)
{
	const uint16_t *ports = tcp ? def->tcp_ports : def->udp_ports;

	return flags & FA_OWN_PORT && ports != NULL ? ports[0] : 9;
}

static void begin(struct play *p, uint8_t flags, bool tcp)
{
	static const uint8_t orig[4] = {10, 0, 0, 1}, resp[4] = {192, 0, 2, 1};
	/* No table of what was logged already: making it would take most of the time. */
	static const uint64_t mem_limit[ZB_MEM_NR] = {[ZB_MEM_known] = 1};
	struct zb_analysis *an = &p->an;
	uint32_t size = flags & FA_OLD ? OLD_CONN_SIZE : 1;

	*an = (struct zb_analysis){.weird = &weird, .stat = &stat, .secret = 1};
	for (uint16_t i = 0; i < ZB_LOG_ENGINE_NR; i++)
		an->port[i] = zb_log_port(rc_logs(), i, 0);
	zb_mem_init(&an->mem, mem_limit);
	an->registry = flags & (FA_DETECT | FA_OTHERS) ? all : alone;
	must(zb_file_set_create(an, 7, &an->files) == 0);
	must(zb_known_create(an, &an->known) == 0);
	an->now_ns = weird.now_ns = START_NS;
	memset(weird.seen.seen, 0, (weird.seen.mask + 1) * sizeof(weird.seen.seen[0]));
	p->conn = (struct zb_conn){.first_ns = START_NS, .last_ns = START_NS};
	p->conn.traits = flags & FA_PARTIAL ? ZB_TRAIT_PARTIAL : 0;
	if (zb_flow_key_make(&p->conn.key, orig, resp, 4, 40000,
			     port_of(all->def[ZB_FUZZ_ANALYZER], tcp, flags),
			     tcp ? IPPROTO_TCP : IPPROTO_UDP, false))
		p->conn.flags |= ZB_CONN_ORIG_IS_A;
	for (unsigned side = 0; side < 2; side++) {
		if (tcp)
			p->conn.end[side].last_seq = size;
		else
			p->conn.end[side].bytes = size - 1;
	}
	p->s = zb_session_get(an, &p->conn);
	must(p->s != NULL);
	if (!(flags & FA_DETECT))
		zb_branch_attach(&p->s->root, ZB_FUZZ_ANALYZER);
}

static void end(struct play *p)
{
	zb_session_end(&p->conn);
	zb_conn_rare_free(&p->conn);
	zb_analysis_end(&p->an);
	zb_expect_destroy(&p->an);
	zb_tls_memo_free(&p->an);
	zb_known_destroy(p->an.known);
	zb_file_set_destroy(p->an.files);
	for (unsigned kind = 0; kind < ZB_MEM_NR; kind++)
		must(p->an.mem.bytes[kind] == 0);
	must(p->an.mem.total == 0);
}

/* The role of who speaks, who stays who he is when roles are swapped. */
static unsigned side_of(const struct play *p, uint8_t kind)
{
	return (kind >> 7 ^ p->s->flips) & 1u;
}

static void hand_over(struct play *p, uint8_t kind, const uint8_t *d, size_t n)
{
	/* Exactly as large as it is, so that reading past its end is seen. */
	uint8_t *copy = malloc(n + !n);

	must(copy != NULL);
	memcpy(copy, d, n);
	zb_branch_data(&p->s->root, side_of(p, kind), copy, n);
	free(copy);
	must(p->an.mem.total < MEM_MAX);
}

static size_t next_cut(struct play *p, size_t n)
{
	size_t cut;

	if (p->random == 0)
		return n;
	p->random = p->random * 1664525u + 1013904223u;
	cut = 1 + (p->random >> 16) % (1u << (p->random >> 28));
	p->random += p->random == 0;
	return cut < n ? cut : n;
}

static void say(struct play *p, uint8_t kind, const uint8_t *d, size_t n)
{
	struct zb_endpoint *e = &p->conn.end[side_of(p, kind)];

	/* Sizes of TCP stay, so that it does not matter how data are cut. */
	if (p->conn.key.proto == IPPROTO_UDP) {
		e->bytes += n;
		e->pkts++;
	}
	for (size_t cut; n != 0; d += cut, n -= cut) {
		cut = next_cut(p, n);
		hand_over(p, kind, d, cut);
	}
}

static void change(struct play *p, uint8_t kind, size_t n)
{
	switch (n & 7) {
	case FA_FLIP:
		zb_conn_flip(&p->conn);
		zb_session_flip(p->s);
		break;
	case FA_FIN: zb_branch_fin(&p->s->root, side_of(p, kind)); break;
	case FA_SQUEEZE:
		p->an.mem.total_max = p->an.mem.total + n / 8 * 16;
		p->squeezed = true;
		break;
	case FA_RELAX: p->an.mem.total_max = UINT64_MAX; break;
	case FA_LATER:
		p->an.now_ns += n / 8 * ZB_SEC_NS;
		weird.now_ns = p->an.now_ns;
		zb_analysis_expire(&p->an, p->an.now_ns);
		break;
	default: break;
	}
}

static bool is_gone(const struct play *p)
{
	const struct zb_analyzer *a = p->s->root.first;

	while (a != NULL && a->def != all->def[ZB_FUZZ_ANALYZER])
		a = a->next;
	return a == NULL;
}

/*
 * Whether the ends of segments may show in rows, as they do in Zeek's: HTTP is read to the end of
 * the one in which it turns out to be none, SOCKS takes each for a message.
 */
static bool cuts_show(const struct play *p)
{
	return ZB_FUZZ_ANALYZER == ZB_A_socks || (ZB_FUZZ_ANALYZER == ZB_A_http && p->gone);
}

/*
 * Whether rows tell of what depends on the ends of segments in Zeek, too: inflated data in front of
 * a body's damage are lost if they share a segment with it, a body's last line is complete with its
 * segment, and so is a line of BDAT with its CR.
 */
static bool tells_of_cuts(const struct rc_rows *r)
{
	static const char *const names[] = {"inflate_failed", "line_terminated_without_CRLF",
					    "smtp_bdat_line_cr_only"};

	for (size_t i = 0; i < r->nr; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (strstr(r->row[i], names[k]) != NULL)
				return true;
	return false;
}

static void play(struct play *p, uint8_t flags, bool tcp, const uint8_t *data, const uint8_t *last)
{
	begin(p, flags, tcp);
	while (last - data >= 2) {
		uint8_t kind = data[0], what = data[0] >> 5 & 3;
		size_t n = (size_t)(data[0] & 31) << 8 | data[1];

		data += 2;
		p->an.now_ns = weird.now_ns = p->an.now_ns + 1000000;
		p->conn.last_ns = p->an.now_ns;
		if (what == 2) {
			zb_branch_gap(&p->s->root, side_of(p, kind), n + 1);
		} else if (what == 3) {
			change(p, kind, n);
		} else {
			n = n < (size_t)(last - data) ? n : (size_t)(last - data);
			say(p, kind, data, n);
			data += n;
		}
	}
	p->gone = is_gone(p);
	end(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play p;
	struct rc_rows rows, again;
	uint8_t flags;
	bool tcp;

	if (size < 1)
		return 0;
	if (all == NULL)
		set_up();
	flags = data[0];
	tcp = is_over_tcp(all->def[ZB_FUZZ_ANALYZER], flags & FA_TCP);
	rc_begin(flags & FA_TSV ? ZB_ROW_TSV : ZB_ROW_JSON);
	p.squeezed = false;
	p.random = 0;
	play(&p, flags, tcp, data + 1, data + size);
	rc_take(&rows);
	/* Detection looks at segments. */
	if (tcp && !p.squeezed && !cuts_show(&p) && !(flags & (FA_DETECT | FA_OTHERS))) {
		p.random = (uint32_t)size + data[size - 1] + 1;
		play(&p, flags, tcp, data + 1, data + size);
		rc_take(&again);
		if (!tells_of_cuts(&rows) && !tells_of_cuts(&again))
			rc_must_equal(&rows, &again);
		rc_free(&again);
	}
	rc_free(&rows);
	return 0;
}
