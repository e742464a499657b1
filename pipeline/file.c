/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - the set of files: begin, data, end, expiry; see file.h and file_priv.h */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "pipeline/file_magic.h"
#include "pipeline/file_priv.h"
#include "pipeline/uid.h"
#include "pipeline/meter.h"

#define SHED_TRIES 4 /* files ended to make room for one */

static struct zb_mem *mem_of(const struct zb_file_set *s)
{
	return &s->an->mem;
}

static size_t file_size(const struct zb_file_set *s)
{
	return sizeof(struct zb_file) + (s->hashes != 0 ? sizeof(struct zb_file_hashes) : 0);
}

int zb_file_set_create(struct zb_analysis *an, unsigned hashes, struct zb_file_set **out)
{
	uint32_t nr = zb_mem_buckets(&an->mem, ZB_MEM_file, ZB_FILE_BUCKETS);
	struct zb_file_set *s =
		zb_mem_get(&an->mem, ZB_MEM_file, sizeof(*s) + nr * sizeof(s->bucket[0]));

	if (s == NULL)
		return -ENOMEM;
	s->bucket_nr = nr;
	s->an = an;
	s->hashes = hashes & (ZB_FILE_MD5 | ZB_FILE_SHA1 | ZB_FILE_SHA256);
	zb_file_magic_index(s->magic);
	*out = s;
	return 0;
}

static void enqueue(struct zb_file *f, uint64_t now_ns)
{
	struct zb_file_set *s = f->set;

	f->check_ns = now_ns + ZB_FILE_TIMEOUT_NS;
	f->next = NULL;
	f->prev = s->last;
	if (s->last != NULL)
		s->last->next = f;
	else
		s->first = f;
	s->last = f;
}

static void dequeue(struct zb_file *f)
{
	struct zb_file_set *s = f->set;

	if (f->prev != NULL)
		f->prev->next = f->next;
	else
		s->first = f->next;
	if (f->next != NULL)
		f->next->prev = f->prev;
	else
		s->last = f->prev;
}

static void count_live(struct zb_file_set *s, int change)
{
	s->nr += (uint32_t)change;
	s->an->stat->g[ZB_G_active_files] = s->nr;
}

static void conns_free(struct zb_file *f)
{
	struct zb_file_conn *c = f->conn.next, *next;

	for (; c != NULL; c = next) {
		next = c->next;
		zb_file_put_block(f, ZB_MEM_file, c, sizeof(*c));
	}
	f->conn.next = NULL;
	f->conn_nr = 1;
}

static void bof_free(struct zb_file *f)
{
	if (f->bof == NULL)
		return;
	zb_file_put_block(f, ZB_MEM_file, f->bof, ZB_FILE_BOF_BYTES);
	f->bof = NULL;
}

static struct zb_file **bucket_of(struct zb_file_set *s, uint64_t key)
{
	return &s->bucket[(key >> 1) & (s->bucket_nr - 1)];
}

static void file_free(struct zb_file *f)
{
	struct zb_file_set *s = f->set;
	struct zb_file **at;

	if (f->key != 0) {
		for (at = bucket_of(s, f->key); *at != f; at = &(*at)->bucket_next)
			;
		*at = f->bucket_next;
	}
	conns_free(f);
	zb_file_put_block(f, ZB_MEM_file, f->name, f->name_n);
	assert(f->payer == NULL); /* nobody holds it */
	zb_mem_put(mem_of(s), ZB_MEM_file, f, file_size(s));
}

/* Looks for the type in the first n bytes. */
static void sniff(struct zb_file *f, const uint8_t *d, size_t n)
{
	f->sniffed = true;
	if (n == 0)
		return;
	f->mime = zb_file_magic(f->set->magic, d, n < ZB_FILE_BOF_BYTES ? n : ZB_FILE_BOF_BYTES);
	zb_analysis_event(f->set->an);
}

static void sniff_kept(struct zb_file *f)
{
	sniff(f, f->bof, f->bof_n);
	bof_free(f);
}

/* More of the beginning; what is the whole file, or enough of it, need not be kept. */
static void sniff_more(struct zb_file *f, const uint8_t *d, size_t n)
{
	size_t room = ZB_FILE_BOF_BYTES - f->bof_n;

	if (f->bof == NULL) {
		if (n >= room || n >= f->total) {
			sniff(f, d, n);
			return;
		}
		f->bof = zb_file_get_block(f, ZB_MEM_file, ZB_FILE_BOF_BYTES);
		if (f->bof == NULL) {
			sniff(f, d, n);
			return;
		}
	}
	memcpy(f->bof + f->bof_n, d, n < room ? n : room);
	f->bof_n = (uint16_t)(f->bof_n + (n < room ? n : room));
	if (n >= room)
		sniff_kept(f);
}

void zb_file_deliver(struct zb_file *f, const uint8_t *d, size_t n)
{
	if (!f->sniffed)
		sniff_more(f, d, n);
	if (f->hashing != 0)
		zb_file_hash_add(f->h, f->hashing, d, n);
	f->offset += n;
	f->seen += n;
}

void zb_file_skip(struct zb_file *f, uint64_t n)
{
	if (!f->sniffed)
		sniff_kept(f);
	f->hashing = 0;
	f->hashed = 0;
	f->offset += n;
	f->missing += n;
}

/* From here on f is a file of its own in the log. */
static void start(struct zb_file *f)
{
	struct zb_file_set *s = f->set;
	uint64_t now = s->an->now_ns;

	f->offset = f->seen = f->missing = f->overflow = 0;
	f->total = ZB_FILE_SIZE_UNSET;
	f->begin_ns = f->last_ns = now;
	f->bof_n = 0;
	f->live = true;
	f->sniffed = f->mime_given != NULL;
	f->mime = f->mime_given;
	f->reassemble = f->timedout = f->told = false;
	f->hashed = 0;
	f->hashing = (uint8_t)(f->no_log ? s->hashes & ZB_FILE_SHA256 : s->hashes);
	if (f->hashing != 0)
		zb_file_hash_begin(f->h, f->hashing);
	enqueue(f, now);
	count_live(s, 1);
	s->an->stat->c[ZB_C_files]++;
	zb_analysis_event(s->an);
}

static void end_hashes(struct zb_file *f)
{
	if (f->hashing == 0 || f->seen == 0)
		return;
	zb_file_hash_end(f->h, f->hashing);
	f->hashed |= f->hashing;
	f->hashing = 0;
}

/* The row; f stays only if a handle is held. */
static void stop(struct zb_file *f, bool timedout)
{
	f->timedout = timedout;
	if (f->last != NULL)
		zb_file_flush(f, f->last->offset + f->last->n);
	if (!f->sniffed)
		sniff_kept(f);
	end_hashes(f);
	zb_file_log(f);
	zb_analysis_event(f->set->an);
	dequeue(f);
	count_live(f->set, -1);
	f->live = false;
	conns_free(f);
	if (f->held == 0)
		file_free(f);
}

/*
 * The file's turn in the queue: too long idle, or put off. Returns whether it has ended; it may be
 * gone then.
 */
static bool check(struct zb_file *f, uint64_t now_ns)
{
	if (now_ns >= f->last_ns + ZB_FILE_TIMEOUT_NS) {
		stop(f, true);
		return true;
	}
	dequeue(f);
	enqueue(f, now_ns);
	return false;
}

void zb_file_set_expire(struct zb_file_set *s, uint64_t now_ns)
{
	while (s->first != NULL && s->first->check_ns <= now_ns)
		check(s->first, now_ns);
}

void zb_file_set_destroy(struct zb_file_set *s)
{
	if (s == NULL)
		return;
	while (s->first != NULL)
		stop(s->first, true);
	zb_mem_put(mem_of(s), ZB_MEM_file, s, sizeof(*s) + s->bucket_nr * sizeof(s->bucket[0]));
}

/* Something is said about f, which is held: it is live, and active, after that. */
static void touch(struct zb_file *f)
{
	uint64_t now = f->set->an->now_ns;

	if (f->live && now >= f->check_ns)
		check(f, now);
	if (!f->live)
		start(f);
	f->last_ns = now;
}

static void fill_conn(struct zb_file_conn *to, const struct zb_conn *c)
{
	size_t n = c->key.ip_version == 4 ? 4 : 16;

	to->next = NULL;
	to->uid_seq = c->uid_seq;
	to->ip_version = c->key.ip_version;
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		memcpy(to->addr[side], zb_conn_addr(c, side), n);
		to->port[side] = zb_conn_port(c, side);
	}
}

/* A connection more that f is seen on. */
static void join(struct zb_file *f, const struct zb_conn *c)
{
	struct zb_file_conn *at = &f->conn, *more;

	f->is_new_here = !f->live;
	if (!f->live) { /* what follows is a new file of this connection */
		fill_conn(at, c);
		return;
	}
	for (; at->uid_seq != c->uid_seq; at = at->next) {
		if (at->next != NULL)
			continue;
		more = f->conn_nr < ZB_FILE_CONN_MAX
			       ? zb_file_get_block(f, ZB_MEM_file, sizeof(*more))
			       : NULL;
		if (more == NULL) {
			zb_mem_shed(mem_of(f->set), ZB_MEM_file);
			return;
		}
		fill_conn(more, c);
		at->next = more;
		f->conn_nr++;
		f->is_new_here = true;
	}
}

/* Room for one more file, by ending the oldest ones if need be. */
static struct zb_file *make_room(struct zb_file_set *s)
{
	struct zb_file *f;

	if (s->nr >= ZB_FILE_MAX) {
		zb_mem_shed(mem_of(s), ZB_MEM_file);
		stop(s->first, true);
	}
	for (unsigned i = 0;; i++) {
		f = zb_mem_get_raw(mem_of(s), ZB_MEM_file, file_size(s));
		if (f != NULL)
			return f;
		zb_mem_shed(mem_of(s), ZB_MEM_file);
		if (i == SHED_TRIES || s->first == NULL)
			return NULL;
		stop(s->first, true);
	}
}

static void copy_name(struct zb_file *f, const struct zb_file_conf *conf)
{
	size_t n = conf->filename_len < ZB_FILE_NAME_MAX ? conf->filename_len : ZB_FILE_NAME_MAX;

	f->name = NULL;
	f->name_n = 0;
	if (conf->filename == NULL || n == 0)
		return;
	f->name = zb_file_get_block(f, ZB_MEM_file, n);
	if (f->name == NULL)
		return;
	memcpy(f->name, conf->filename, n);
	f->name_n = (uint32_t)n;
}

static struct zb_file *make(struct zb_file_set *s, const struct zb_conn *c,
			    const struct zb_file_conf *conf, uint64_t key)
{
	struct zb_file *f = make_room(s), **bucket;

	if (f == NULL)
		return NULL;
	f->set = s;
	f->bof = NULL;
	f->first = f->last = NULL;
	f->block_nr = f->block_bytes = 0;
	f->held = f->payer_held = 0;
	f->payer = NULL;
	f->bytes = file_size(s);
	f->is_new_here = true;
	f->claim_uid = UINT64_MAX;
	f->claim_part = 0;
	f->depth = conf->depth;
	f->is_orig = conf->is_orig;
	f->no_log = conf->no_log;
	f->source = conf->source;
	f->mime_given = conf->mime;
	f->key = key;
	f->id = key != 0 ? key : XXH3_64bits_withSeed(&c->uid_seq, sizeof(c->uid_seq), ++s->begun);
	fill_conn(&f->conn, c);
	f->conn_nr = 1;
	copy_name(f, conf);
	if (key != 0) {
		bucket = bucket_of(s, key);
		f->bucket_next = *bucket;
		*bucket = f;
	}
	start(f);
	return f;
}

static bool is_known_on(const struct zb_file *f, const struct zb_conn *c)
{
	const struct zb_file_conn *at = f->live ? &f->conn : NULL;

	while (at != NULL && at->uid_seq != c->uid_seq)
		at = at->next;
	return at != NULL;
}

static uint64_t key_of(const struct zb_analysis *an, const void *handle, size_t n)
{
	return XXH3_64bits_withSeed(handle, n, an->secret) | 1;
}

static struct zb_file *find(struct zb_file_set *s, uint64_t key)
{
	struct zb_file *f = *bucket_of(s, key);

	while (f != NULL && f->key != key)
		f = f->bucket_next;
	return f;
}

struct zb_file *zb_file_begin(struct zb_analyzer *a, const struct zb_file_conf *conf)
{
	struct zb_analysis *an = zb_analyzer_analysis(a);
	const struct zb_conn *c = zb_analyzer_conn(a);
	bool takes_total = conf->total_bytes != ZB_FILE_SIZE_UNSET;
	struct zb_file *f = NULL;
	uint64_t key = 0;

	if (conf->handle != NULL) {
		key = key_of(an, conf->handle, conf->handle_len);
		f = find(an->files, key);
	}
	if (f != NULL) {
		takes_total &= !conf->total_once || !is_known_on(f, c);
		join(f, c);
	} else {
		f = make(an->files, c, conf, key);
	}
	if (f == NULL)
		return NULL;
	zb_file_hold(f, a);
	if (takes_total)
		zb_file_set_total(f, conf->total_bytes);
	return f;
}

void zb_file_finish_handle(struct zb_analyzer *a, const void *handle, size_t handle_len)
{
	const struct zb_analysis *an = zb_analyzer_analysis(a);

	zb_file_finish(find(an->files, key_of(an, handle, handle_len)));
}

static void stop_if_complete(struct zb_file *f)
{
	if (f->offset >= f->total)
		stop(f, false);
}

/* At the offset, or where the file has got to, which a file that begins anew decides first. */
static void add(struct zb_file *f, const uint64_t *offset, const uint8_t *d, size_t n)
{
	const struct zb_analysis *an = f->set->an;
	uint8_t was = zb_meter_enter(an, ZB_METER_FILES);

	touch(f);
	zb_file_place(f, offset != NULL ? *offset : f->offset, d, n);
	stop_if_complete(f);
	zb_meter_leave(an, was);
}

void zb_file_data(struct zb_file *f, const uint8_t *d, size_t n)
{
	if (f != NULL && n != 0)
		add(f, NULL, d, n);
}

void zb_file_data_at(struct zb_file *f, uint64_t offset, const uint8_t *d, size_t n)
{
	if (f != NULL && n != 0)
		add(f, &offset, d, n);
}

/* A gap alone completes nothing: more may be said about the file (so in Zeek). */
void zb_file_gap_at(struct zb_file *f, uint64_t at, uint64_t n)
{
	if (f == NULL || n == 0)
		return;
	touch(f);
	if (f->reassemble)
		zb_file_flush(f, n > UINT64_MAX - at ? UINT64_MAX : at + n);
	else
		zb_file_skip(f, n > UINT64_MAX - f->offset ? UINT64_MAX - f->offset : n);
}

void zb_file_gap(struct zb_file *f, uint64_t n)
{
	if (f != NULL)
		zb_file_gap_at(f, f->offset, n);
}

void zb_file_set_total(struct zb_file *f, uint64_t total_bytes)
{
	if (f == NULL)
		return;
	touch(f);
	f->total = total_bytes;
	stop_if_complete(f);
}

void zb_file_finish(struct zb_file *f)
{
	if (f == NULL || !f->live)
		return;
	if (f->set->an->now_ns < f->check_ns || !check(f, f->set->an->now_ns))
		stop(f, false);
}

void zb_file_release(struct zb_file *f)
{
	if (f == NULL)
		return;
	zb_file_let_go(f);
	if (f->held == 0 && !f->live)
		file_free(f);
}

void zb_file_end(struct zb_file *f)
{
	zb_file_finish(f);
	zb_file_release(f);
}

bool zb_file_is_new_here(const struct zb_file *f)
{
	return f != NULL && f->is_new_here;
}

void zb_file_claim(struct zb_file *f, const struct zb_analyzer *a, uint32_t part)
{
	if (f == NULL)
		return;
	f->claim_uid = zb_analyzer_conn(a)->uid_seq;
	f->claim_part = part;
}

bool zb_file_typed(struct zb_file *f, const struct zb_analyzer *a, uint32_t *part)
{
	if (f == NULL || !f->sniffed || f->told || f->claim_uid != zb_analyzer_conn(a)->uid_seq)
		return false;
	f->told = true;
	*part = f->claim_part;
	return true;
}

const char *zb_file_mime(const struct zb_file *f)
{
	return f != NULL ? f->mime : NULL;
}

unsigned zb_file_fuid(const struct zb_file *f, char *buf)
{
	return f != NULL ? zb_uid_format(buf, 'F', f->id, f->set->an->secret) : 0;
}

bool zb_file_sha256(struct zb_file *f, uint8_t out[32])
{
	if (f == NULL || f->seen == 0)
		return false;
	if (f->hashing & ZB_FILE_SHA256) {
		zb_file_hash_end(f->h, ZB_FILE_SHA256);
		f->hashing &= (uint8_t)~ZB_FILE_SHA256;
		f->hashed |= ZB_FILE_SHA256;
	}
	if (!(f->hashed & ZB_FILE_SHA256))
		return false;
	memcpy(out, f->h->sha256.out, sizeof(f->h->sha256.out));
	return true;
}
