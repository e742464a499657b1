/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c - loads capture files: opens all, asks for memory, reads and indexes each, shards
 *
 * One file for one shard is indexed while it is read. Else packets are indexed first, one run per
 * file, then merged by time and sharded in that order: the shards do not depend on the number of
 * files, and what later packets tell of earlier ones is known by then.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "profiler/clock.h"
#include "profiler/diag.h"
#include "capture/rss_priv.h"
#include "capture/shard_priv.h"
#include "capture/trace_priv.h"

#define INPUT_ALIGN 64u
/* Index bytes expected per file byte, before a packet was seen: packets of 250 bytes. */
#define INDEX_SHARE    8u
#define PREFETCH_AHEAD 16	     /* packets, where all have to be looked at again */
#define COPY_STEP      (64ull << 20) /* copies for shadows: ask for memory so many bytes at a time */

struct zb_trace {
	struct zb_trace_info info;
	struct zb_region image;
	struct zb_region copies; /* of what two shards have, when they rewrite it */
	struct zb_index *index;	 /* per shard */
	struct zb_trace_shard *shards;
	uint32_t shard_nr;
};

struct zb_load {
	const struct zb_trace_conf *conf;
	struct zb_trace *t;
	struct zb_input *inputs;
	uint32_t input_nr;    /* opened */
	uint64_t plain_bytes; /* of those whose length is known */
	bool all_plain;
	uint8_t *anchor;      /* where the image began */
	struct zb_index runs; /* several files or shards: all packets, in file order */
	uint64_t *run_end;
	struct zb_sharder *sharder; /* from the first special packet on */
	uint64_t special_bytes;	    /* captured, of special packets */
	uint64_t copies_used;
	uint64_t digest;      /* chained over the packets so far */
	struct zb_feed *feed; /* the file being read */
	uint64_t image_used;
	uint64_t file_pkts;
	uint64_t prev_ns, newest_ns; /* of this file */
	bool file_cut;
};

struct zb_feed *zb_load_feed(struct zb_load *l)
{
	return l->feed;
}

uint64_t zb_load_file_pkts(const struct zb_load *l)
{
	return l->file_pkts;
}

int zb_load_damaged(struct zb_load *l, uint64_t pos, const char *fmt, ...)
{
	const char *packed = l->feed->in->packing != ZB_PACK_NONE ? " (unpacked)" : "";
	char why[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	l->file_cut = true;
	if (l->file_pkts == 0) {
		zb_err("%s: packet 1 at byte %" PRIu64 "%s %s; capture it again", l->feed->in->path,
		       pos, packed, why);
		return -EINVAL;
	}
	zb_warn("%s: packet %" PRIu64 " at byte %" PRIu64 "%s %s; the %" PRIu64
		" before it are used",
		l->feed->in->path, l->file_pkts + 1, pos, packed, why, l->file_pkts);
	l->t->info.cut = true;
	return 0;
}

int zb_load_cut(struct zb_load *l, uint64_t pos, uint64_t end)
{
	const struct zb_feed *f = l->feed;

	if (f->broken != NULL)
		return zb_load_damaged(l, pos, "is cut: %s", f->broken);
	return zb_load_damaged(l, pos, "is cut: the file ends %" PRIu64 " bytes early",
			       end - f->avail);
}

static bool is_direct(const struct zb_load *l)
{
	return l->conf->path_nr == 1 && l->conf->shard_nr == 1;
}

/* Gives a shadow bytes of its own, unless nobody will write into them. */
static int copy_bytes(struct zb_load *l, struct zb_trace_pkt *p)
{
	struct zb_region *r = &l->t->copies;

	if (l->conf->read_only)
		return 0;
	if (r->base == NULL) {
		r->numa_id = l->conf->numa_id;
		if (zb_region_map(r, l->special_bytes, false) < 0) {
			zb_err("trace copies: no address space for %" PRIu64
			       " MiB; raise the limit (ulimit -v)",
			       l->special_bytes >> 20);
			return -ENOMEM;
		}
	}
	if (l->copies_used / COPY_STEP != (l->copies_used + p->cap_len) / COPY_STEP &&
	    zb_memory_check("trace copies", COPY_STEP) < 0)
		return -ENOMEM;
	memcpy(r->base + l->copies_used, p->data, p->cap_len);
	p->data = r->base + l->copies_used;
	l->copies_used += p->cap_len;
	return 0;
}

/* Every flow looks like the first worker's. */
static __attribute__((noinline)) uint32_t fault_one_core_hot(void)
{
	return 0;
}

static uint32_t queue_of(const struct zb_load *l, uint32_t hash)
{
	return l->conf->one_shard ? fault_one_core_hot() : zb_rss_queue(hash, l->t->shard_nr);
}

static int add_shadow(struct zb_load *l, const struct zb_trace_pkt *p, uint32_t rss)
{
	uint32_t q = queue_of(l, rss);
	struct zb_trace_pkt shadow = *p;
	int ret = copy_bytes(l, &shadow);

	if (ret < 0)
		return ret;
	shadow.part = ZB_PART_INNER;
	shadow.rss = (uint16_t)rss;
	l->t->info.shadows++;
	l->t->shards[q].shadow_nr++;
	return zb_index_add(&l->t->index[q], &shadow, l->conf->numa_id);
}

/* p is one of the runs' packets. */
static void prefetch_ahead(const struct zb_load *l, const struct zb_trace_pkt *p)
{
	if ((uint64_t)(p - l->runs.pkts) + PREFETCH_AHEAD < l->runs.nr)
		__builtin_prefetch(p[PREFETCH_AHEAD].data);
}

/* Appends a packet to its shard, and to that of its inner flow when it is another one. */
static int add_to_shards(struct zb_load *l, const struct zb_trace_pkt *p)
{
	struct zb_shard_place at = {.hash = zb_rss_from_half(p->rss)};
	struct zb_trace_pkt e = *p;
	uint32_t q;
	int ret;

	if (l->sharder != NULL &&
	    (p->part == ZB_PART_UNDECIDED || zb_sharder_decides_all(l->sharder))) {
		prefetch_ahead(l, p);
		zb_sharder_place(l->sharder, p, &at);
	}
	q = queue_of(l, at.hash);
	e.rss = (uint16_t)at.hash;
	e.part = ZB_PART_WHOLE;
	if (at.split && queue_of(l, at.inner) != q) {
		e.part = ZB_PART_OUTER;
		ret = add_shadow(l, &e, at.inner);
		if (ret < 0)
			return ret;
	}
	l->t->shards[q].byte_nr += p->wire_len;
	return zb_index_add(&l->t->index[q], &e, l->conf->numa_id);
}

/* Counts a packet and shards it; 1 when it is the last one wanted. */
static int place(void *arg, const struct zb_trace_pkt *p)
{
	struct zb_load *l = arg;
	struct zb_trace_info *info = &l->t->info;
	int ret = add_to_shards(l, p);

	if (ret < 0)
		return ret;
	if (info->pkt_nr == 0 || p->ts_ns < info->first_ns)
		info->first_ns = p->ts_ns;
	if (p->ts_ns > info->last_ns)
		info->last_ns = p->ts_ns;
	info->wire_bytes += p->wire_len;
	info->cap_bytes += p->cap_len;
	info->snapped += p->cap_len < p->wire_len;
	info->links |= 1u << p->link;
	info->pkt_nr++;
	return info->pkt_nr == l->conf->count_max;
}

static int learn(void *arg, const struct zb_trace_pkt *p)
{
	struct zb_load *l = arg;
	int ret = 0;

	if (p->part == ZB_PART_UNDECIDED)
		ret = zb_sharder_learn(l->sharder, p);
	if (ret < 0)
		zb_err("%s: out of memory for its fragments", l->conf->paths[0]);
	return ret;
}

/* p is to be placed when all packets are known; data: where its bytes are now. */
static int note(struct zb_load *l, struct zb_trace_pkt *p, const uint8_t *data)
{
	struct zb_trace_pkt here = *p;

	if (l->sharder == NULL)
		l->sharder = zb_sharder_create();
	if (l->sharder == NULL) {
		zb_err("%s: out of memory", l->feed->in->path);
		return -ENOMEM;
	}
	p->part = ZB_PART_UNDECIDED;
	l->special_bytes += p->cap_len;
	here.data = (uint8_t *)(uintptr_t)data;
	zb_sharder_note(l->sharder, &here);
	return 0;
}

static int append_run(struct zb_load *l, const struct zb_trace_pkt *p)
{
	int ret = zb_index_add(&l->runs, p, l->conf->numa_id);

	if (ret < 0)
		return ret;
	return l->file_pkts == l->conf->count_max;
}

/*
 * The digest chains the hashes of one such entry per packet: hashing the bytes themselves in one
 * stream costs three times as much, since a stream copies short pieces together first.
 */
static void digest_add(struct zb_load *l, const struct zb_trace_pkt *p, const uint8_t *data)
{
	struct {
		uint64_t ts_ns;
		uint32_t cap_len, wire_len;
		uint64_t bytes_hash;
	} entry = {p->ts_ns, p->cap_len, p->wire_len, XXH3_64bits(data, p->cap_len)};

	l->digest = XXH3_64bits_withSeed(&entry, sizeof(entry), l->digest);
}

int zb_load_add(struct zb_load *l, const struct zb_rec *r)
{
	const uint8_t *data = zb_feed_at(l->feed, r->off);
	struct zb_trace_pkt p = {
		.data = (uint8_t *)((uintptr_t)l->anchor + l->feed->image_off + r->off),
		.ts_ns = r->ts_ns < ZB_TIME_NS_MAX ? r->ts_ns : ZB_TIME_NS_MAX,
		.cap_len = r->cap_len,
		.wire_len = r->wire_len < r->cap_len ? r->cap_len : r->wire_len,
		.link = r->link & 15,
	};
	bool special;

	p.rss = (uint16_t)zb_rss_look(r->link, data, r->cap_len, &special);
	if (special && l->conf->shard_nr > 1) {
		int ret = note(l, &p, data);

		if (ret < 0)
			return ret;
	}
	if (l->conf->digest)
		digest_add(l, &p, data);
	if (l->file_pkts != 0 && p.ts_ns < l->prev_ns)
		l->t->info.backwards++;
	l->prev_ns = p.ts_ns;
	if (p.ts_ns >= l->newest_ns)
		l->newest_ns = p.ts_ns;
	else
		p.late = zb_late_code(l->newest_ns - p.ts_ns);
	l->file_pkts++;
	return is_direct(l) ? place(l, &p) : append_run(l, &p);
}

static int parse(struct zb_load *l)
{
	struct zb_feed *f = l->feed;
	uint32_t magic;
	int ret = zb_feed_need(f, sizeof(magic));

	if (ret < 0)
		return ret;
	if (ret == 0)
		return zb_feed_not_a_trace(f);
	magic = zb_get32(zb_feed_at(f, 0), false);
	if (zb_pcapng_is(magic))
		ret = zb_pcapng_parse(l);
	else if (zb_pcap_is(magic))
		ret = zb_pcap_parse(l);
	else
		return zb_feed_not_a_trace(f);
	/* Packed data that broke off just between two records: nobody has said so yet. */
	if (ret == 0 && f->broken != NULL && !l->file_cut)
		ret = zb_load_cut(l, f->avail, f->avail);
	return ret;
}

static int load_file(struct zb_load *l, struct zb_input *in)
{
	struct zb_feed f = {
		.in = in,
		.image = &l->t->image,
		.image_off = l->image_used,
		.check_memory =
			!in->regular || in->packing != ZB_PACK_NONE || l->conf->count_max != 0,
	};
	int ret;

	if (l->conf->count_max == 0 && zb_feed_threads_worth(in))
		ret = zb_feed_open_threads(&f);
	else
		ret = zb_feed_open_stream(&f);
	if (ret < 0)
		return ret;
	l->feed = &f;
	l->file_pkts = 0;
	l->newest_ns = 0;
	l->file_cut = false;
	ret = parse(l);
	f.close(&f);
	l->feed = NULL;
	l->image_used += (f.avail + INPUT_ALIGN - 1) / INPUT_ALIGN * INPUT_ALIGN;
	l->t->info.file_bytes += in->size;
	return ret;
}

static int open_inputs(struct zb_load *l)
{
	l->inputs = calloc(l->conf->path_nr, sizeof(*l->inputs));
	if (l->inputs == NULL) {
		zb_err("%s: out of memory", l->conf->paths[0]);
		return -ENOMEM;
	}
	l->all_plain = true;
	for (; l->input_nr < l->conf->path_nr; l->input_nr++) {
		struct zb_input *in = &l->inputs[l->input_nr];
		int ret = zb_input_open(l->conf->paths[l->input_nr], in);

		if (ret < 0)
			return ret;
		if (in->regular && in->packing == ZB_PACK_NONE)
			l->plain_bytes += in->size + INPUT_ALIGN;
		else
			l->all_plain = false;
	}
	return 0;
}

/* "a.pcap" or "a.pcap and 3 more" */
static void name_inputs(const struct zb_trace_conf *conf, char *buf, size_t buf_size)
{
	if (conf->path_nr == 1)
		snprintf(buf, buf_size, "%s", conf->paths[0]);
	else
		snprintf(buf, buf_size, "%s and %u more", conf->paths[0], conf->path_nr - 1);
}

/* Room for what is known to come; packed files and pipes make theirs as they grow. */
static int map_image(struct zb_load *l)
{
	const struct zb_trace_conf *conf = l->conf;
	uint64_t need = l->plain_bytes / INDEX_SHARE * (is_direct(l) ? 1 : 2);
	bool huge = l->all_plain && conf->count_max == 0;
	char name[512];
	int ret;

	name_inputs(conf, name, sizeof(name));
	l->t->image.numa_id = conf->numa_id;
	if (conf->read_only && huge && conf->path_nr == 1 && zb_feed_threads_worth(l->inputs) &&
	    zb_region_map_file(&l->t->image, l->inputs[0].fd, l->inputs[0].size))
		ret = 0;
	else
		ret = zb_region_map(&l->t->image, l->plain_bytes, huge);
	l->anchor = l->t->image.base;
	/* What comes from the huge page pool is not counted as available memory either. */
	if (!l->t->image.hugetlb)
		need += l->plain_bytes;
	if (conf->count_max == 0 && zb_memory_check(name, need) < 0)
		return -ENOMEM;
	if (ret < 0)
		zb_err("%s: no address space for %" PRIu64 " MiB; raise the limit (ulimit -v)",
		       name, l->plain_bytes >> 20);
	return ret;
}

static int load_begin(struct zb_load *l)
{
	const struct zb_trace_conf *conf = l->conf;
	struct zb_trace *t = l->t;

	t->shard_nr = conf->shard_nr;
	t->index = calloc(conf->shard_nr, sizeof(*t->index));
	t->shards = calloc(conf->shard_nr, sizeof(*t->shards));
	l->run_end = calloc(conf->path_nr, sizeof(*l->run_end));
	if (t->index == NULL || t->shards == NULL || l->run_end == NULL) {
		zb_err("%s: out of memory", conf->paths[0]);
		return -ENOMEM;
	}
	return 0;
}

/* Packets were indexed as if the image had stayed at its anchor. */
static void rebase(const struct zb_load *l, struct zb_index *x)
{
	uintptr_t moved = (uintptr_t)l->t->image.base - (uintptr_t)l->anchor;

	if (moved == 0)
		return;
	for (uint64_t i = 0; i < x->nr; i++)
		x->pkts[i].data = (uint8_t *)((uintptr_t)x->pkts[i].data + moved);
}

/* All packets are indexed in runs: shards them. */
static int distribute(struct zb_load *l)
{
	uint32_t run_nr = l->conf->path_nr;
	int ret = 0;

	rebase(l, &l->runs);
	if (l->sharder != NULL) {
		ret = zb_index_merge(l->runs.pkts, l->run_end, run_nr, learn, l);
		zb_sharder_rewind(l->sharder);
	}
	if (ret >= 0)
		ret = zb_index_merge(l->runs.pkts, l->run_end, run_nr, place, l);
	if (l->sharder != NULL)
		zb_sharder_stat(l->sharder, &l->t->info.division);
	zb_index_free(&l->runs);
	return ret;
}

static int load_files(struct zb_load *l)
{
	const struct zb_trace_conf *conf = l->conf;
	int ret = 0;

	for (uint32_t i = 0; i < conf->path_nr; i++) {
		ret = load_file(l, &l->inputs[i]);
		if (ret < 0)
			return ret;
		l->run_end[i] = l->runs.nr;
	}
	if (is_direct(l))
		rebase(l, &l->t->index[0]);
	else
		ret = distribute(l);
	if (ret >= 0 && l->t->info.pkt_nr == 0) {
		char name[512];

		name_inputs(conf, name, sizeof(name));
		zb_err("%s: no packet in it; give a capture that holds some", name);
		ret = -ENODATA;
	}
	return ret < 0 ? ret : 0;
}

static void load_finish(struct zb_load *l)
{
	struct zb_trace *t = l->t;
	struct zb_trace_info *info = &t->info;

	zb_region_trim(&t->image, l->image_used);
	if (t->copies.base != NULL)
		zb_region_trim(&t->copies, l->copies_used);
	info->locked = zb_region_lock(&t->image) && zb_region_lock(&t->copies);
	for (uint32_t q = 0; q < t->shard_nr; q++) {
		struct zb_index *x = &t->index[q];

		if (x->region.base != NULL)
			zb_region_trim(&x->region, x->nr * sizeof(*x->pkts));
		info->locked = zb_region_lock(&x->region) && info->locked;
		info->index_bytes += x->region.size;
		t->shards[q].pkts = x->pkts;
		t->shards[q].pkt_nr = x->nr;
	}
	info->image_bytes = t->image.size + t->copies.size;
	info->memory = zb_region_memory(&t->image);
	info->file_nr = l->conf->path_nr;
	info->digest = l->digest;
}

static void load_end(struct zb_load *l)
{
	for (uint32_t i = 0; i < l->input_nr; i++)
		zb_input_close(&l->inputs[i]);
	free(l->inputs);
	free(l->run_end);
	zb_index_free(&l->runs);
	zb_sharder_destroy(l->sharder);
}

int zb_trace_load(const struct zb_trace_conf *conf, struct zb_trace **out)
{
	struct zb_load l = {.conf = conf};
	double start_s = zb_clock_s();
	int ret;

	assert(conf->path_nr > 0 && conf->shard_nr > 0);
	l.t = calloc(1, sizeof(*l.t));
	if (l.t == NULL) {
		zb_err("%s: out of memory", conf->paths[0]);
		return -ENOMEM;
	}
	ret = open_inputs(&l);
	if (ret == 0)
		ret = load_begin(&l);
	if (ret == 0)
		ret = map_image(&l);
	if (ret == 0)
		ret = load_files(&l);
	if (ret == 0)
		load_finish(&l);
	load_end(&l);
	if (ret < 0) {
		zb_trace_free(l.t);
		return ret;
	}
	l.t->info.load_s = zb_clock_s() - start_s;
	*out = l.t;
	return 0;
}

void zb_trace_free(struct zb_trace *t)
{
	if (t == NULL)
		return;
	for (uint32_t q = 0; t->index != NULL && q < t->shard_nr; q++)
		zb_index_free(&t->index[q]);
	zb_region_unmap(&t->image);
	zb_region_unmap(&t->copies);
	free(t->index);
	free(t->shards);
	free(t);
}

const struct zb_trace_info *zb_trace_info(const struct zb_trace *t)
{
	return &t->info;
}

struct zb_trace_shard *zb_trace_shard(struct zb_trace *t, uint32_t i)
{
	assert(i < t->shard_nr);
	return &t->shards[i];
}
