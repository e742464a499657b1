/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_file.c - any bytes as what an analyzer does with a few files
 *
 * The first byte is a set of FF_ flags; then come steps of four bytes and, where they carry data,
 * those:
 *
 *     file (2 bits), flags (3), enum step (3) | offset | length (2)
 *
 * Rows must be well formed and all memory come back. All is done twice, the second time with data
 * in other pieces: the rows must be the same.
 *
 *     fuzz_file -max_len=8192 tests/fuzz/corpus/file
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/file.h"
#include "pipeline/registry.h"
#include "pipeline/session.h"
#include "tests/fuzz/row_catch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define START_NS (1700000000 * ZB_SEC_NS)
#define FILES	 4

enum { FF_TSV = 1, FF_LITTLE_MEMORY = 2 };

enum step { BEGIN, DATA, DATA_AT, GAP, TOTAL, FINISH, END, RELEASE };

/* Flags of a step: of BEGIN, ... */
enum { SHARED = 8, NAMED = 16, NO_LOG = 32 };
/* ... and of the others. */
enum { LATER = 8 };

struct listener {
	struct zb_analyzer a;
};

static struct zb_registry registry;
static struct zb_weird weird;
static struct zb_lcore_stat stat;

static const struct zb_analyzer_def listener_def = {
	.name = "listener",
	.state_bytes = sizeof(struct listener),
	.mem = ZB_MEM_analyzer,
};

struct play {
	struct zb_analysis an;
	struct zb_conn conn;
	struct zb_analyzer *a;
	struct zb_file *file[FILES];
	uint32_t random; /* how data are cut; 0: not at all */
	bool has_end;	 /* a size was announced: what lies beyond it may be a new file */
};

static void begin(struct play *p, uint8_t flags)
{
	uint64_t mem_limit[ZB_MEM_NR] = {0};
	struct zb_analysis *an = &p->an;
	struct zb_session *s;
	struct listener *l;

	if (flags & FF_LITTLE_MEMORY) {
		mem_limit[ZB_MEM_file] = 48 << 10;
		mem_limit[ZB_MEM_file_data] = 2048;
	}
	*an = (struct zb_analysis){
		.weird = &weird, .stat = &stat, .registry = &registry, .secret = 1};
	for (uint16_t i = 0; i < ZB_LOG_ENGINE_NR; i++)
		an->port[i] = zb_log_port(rc_logs(), i, 0);
	zb_mem_init(&an->mem, mem_limit);
	must(zb_file_set_create(an, 7, &an->files) == 0);
	an->now_ns = weird.now_ns = START_NS;
	p->conn = (struct zb_conn){.first_ns = START_NS, .flags = ZB_CONN_ORIG_IS_A};
	p->conn.key = (struct zb_flow_key){.a = {10, 0, 0, 1},
					   .b = {192, 0, 2, 1},
					   .port_a = 40000,
					   .port_b = 50000,
					   .proto = IPPROTO_TCP,
					   .ip_version = 4};
	s = zb_session_get(an, &p->conn);
	l = zb_mem_get(&an->mem, ZB_MEM_analyzer, sizeof(*l));
	must(s != NULL && l != NULL);
	l->a.def = &listener_def;
	l->a.branch = &s->root;
	p->has_end = false;
	s->root.first = p->a = &l->a;
}

static void end(struct play *p)
{
	for (unsigned i = 0; i < FILES; i++) {
		zb_file_end(p->file[i]);
		p->file[i] = NULL;
	}
	zb_session_end(&p->conn);
	zb_conn_rare_free(&p->conn);
	zb_file_set_destroy(p->an.files);
	must(p->an.mem.total == 0);
}

static void begin_file(struct play *p, unsigned i, uint8_t kind, uint32_t n)
{
	struct zb_file_conf conf = {.source = "FUZZ",
				    .total_bytes = n & 1 ? n / 2 : ZB_FILE_SIZE_UNSET,
				    .is_orig = n & 2,
				    .no_log = kind & NO_LOG};

	if (p->file[i] != NULL)
		return;
	p->has_end |= n & 1;
	if (kind & SHARED) {
		conf.handle = "shared";
		conf.handle_len = 6;
	}
	if (kind & NAMED) {
		conf.filename = "name \xff\"\n";
		conf.filename_len = 8;
	}
	p->file[i] = zb_file_begin(p->a, &conf);
}

static size_t next_cut(struct play *p, size_t n)
{
	size_t cut;

	if (p->random == 0 || p->has_end)
		return n;
	p->random = p->random * 1664525u + 1013904223u;
	cut = 1 + (p->random >> 16) % (1u << (p->random >> 28));
	p->random += p->random == 0;
	return cut < n ? cut : n;
}

/* at: ZB_FILE_SIZE_UNSET in order. */
static void add(struct play *p, struct zb_file *f, uint64_t at, const uint8_t *d, size_t n)
{
	for (size_t cut; n != 0; d += cut, n -= cut) {
		uint8_t *copy;

		/* Where pieces overlap it does matter which of them came first. */
		cut = at == ZB_FILE_SIZE_UNSET ? next_cut(p, n) : n;
		copy = malloc(cut);
		must(copy != NULL);
		memcpy(copy, d, cut);
		if (at == ZB_FILE_SIZE_UNSET)
			zb_file_data(f, copy, cut);
		else
			zb_file_data_at(f, at, copy, cut);
		free(copy);
	}
}

static void let_go(struct play *p, unsigned i, bool is_end)
{
	if (is_end)
		zb_file_end(p->file[i]);
	else
		zb_file_release(p->file[i]);
	p->file[i] = NULL;
}

static void ask(const struct zb_file *f)
{
	char fuid[ZB_FUID_MAX];
	const char *mime = zb_file_mime(f);

	must(zb_file_fuid(f, fuid) <= ZB_FUID_MAX);
	must(mime == NULL || strchr(mime, '/') != NULL);
}

static void play(struct play *p, uint8_t flags, const uint8_t *d, const uint8_t *last)
{
	begin(p, flags);
	while (last - d >= 4) {
		uint8_t kind = d[0];
		unsigned i = kind >> 6;
		uint32_t at = d[1] * 64u, n = (uint32_t)(d[2] << 8 | d[3]);
		struct zb_file *f = p->file[i];

		d += 4;
		if ((kind & 7) == DATA || (kind & 7) == DATA_AT)
			n = n < (size_t)(last - d) ? n : (uint32_t)(last - d);
		if ((kind & 7) != BEGIN && kind & LATER)
			p->an.now_ns += at * ZB_SEC_NS / 32;
		p->an.now_ns = weird.now_ns = p->an.now_ns + 1000000;
		zb_file_set_expire(p->an.files, p->an.now_ns);
		switch ((enum step)(kind & 7)) {
		case BEGIN: begin_file(p, i, kind, n); break;
		case DATA: add(p, f, ZB_FILE_SIZE_UNSET, d, n); break;
		case DATA_AT: add(p, f, at, d, n); break;
		case GAP: zb_file_gap(f, n); break;
		case TOTAL:
			p->has_end = true;
			zb_file_set_total(f, n);
			break;
		case FINISH: zb_file_finish(f); break;
		case END: let_go(p, i, true); break;
		case RELEASE: let_go(p, i, false); break;
		}
		ask(p->file[i]);
		if ((kind & 7) == DATA || (kind & 7) == DATA_AT)
			d += n;
	}
	end(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play p;
	struct rc_rows rows, again;

	if (size < 1)
		return 0;
	if (weird.seen.seen == NULL)
		must(zb_weird_init(&weird, NULL, "fuzz", 1) == 0);
	rc_begin(data[0] & FF_TSV ? ZB_ROW_TSV : ZB_ROW_JSON);
	p.random = 0;
	play(&p, data[0], data + 1, data + size);
	rc_take(&rows);
	if (!(data[0] & FF_LITTLE_MEMORY)) {
		p.random = (uint32_t)size + data[size - 1] + 1;
		play(&p, data[0], data + 1, data + size);
		rc_take(&again);
		rc_must_equal(&rows, &again);
		rc_free(&again);
	}
	rc_free(&rows);
	return 0;
}
