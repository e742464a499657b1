/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_feed.c - opens capture files, and reads large plain ones with several threads
 *
 * The indexer walks the records right behind the readers, so it finds them in the cache:
 *
 *   file     | chunk 0 | chunk 1 | chunk 2 | chunk 3 | chunk 4 ...    2 MiB each: one huge page
 *              indexed   indexer   read,     being     next to be
 *                        is here   waits     read      claimed
 *
 * Chunks are claimed in order. When the chunk that the indexer needs next is not there yet, it
 * claims and reads one itself instead of sleeping: on two cores both are busy all the time,
 * whichever work is more.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "profiler/diag.h"
#include "capture/trace_priv.h"

#define CHUNK_BYTES (2ull << 20)
#define THREADS_MAX 3		  /* beside the indexer; more do not read a page cache faster */
#define WORTH_BYTES (16ull << 20) /* below this starting threads costs more than it gains */

struct reader {
	const struct zb_feed *feed;
	uint64_t size;
	uint64_t chunk_nr;
	uint64_t next;	   /* chunk to be claimed; atomic */
	uint64_t cur;	   /* chunk that avail stands in front of; the indexer's */
	uint64_t short_at; /* the file turned out to end here; under lock */
	int err;	   /* of the first read that failed; under lock */
	pthread_mutex_t lock;
	pthread_cond_t chunk_done;
	pthread_t threads[THREADS_MAX];
	unsigned thread_nr;
	uint8_t done[]; /* per chunk; under lock */
};

static enum zb_packing packing_of(const uint8_t *head, uint32_t nr)
{
	if (nr >= 2 && head[0] == 0x1f && head[1] == 0x8b)
		return ZB_PACK_GZIP;
	if (nr >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
		return ZB_PACK_ZSTD;
	/* A skippable frame in front, as parallel compressors write. */
	if (nr >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0)
		return ZB_PACK_ZSTD;
	return ZB_PACK_NONE;
}

static int read_head(struct zb_input *in)
{
	in->head_nr = 0;
	while (in->head_nr < sizeof(in->head)) {
		ssize_t n = read(in->fd, in->head + in->head_nr, sizeof(in->head) - in->head_nr);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		in->head_nr += (uint32_t)n;
	}
	return 0;
}

static int input_check(struct zb_input *in)
{
	struct stat st;
	int ret;

	if (fstat(in->fd, &st) < 0) {
		ret = -errno;
		zb_err("%s: %s", in->path, strerror(-ret));
		return ret;
	}
	if (S_ISDIR(st.st_mode)) {
		zb_err("%s: is a directory; give capture files", in->path);
		return -EINVAL;
	}
	in->regular = S_ISREG(st.st_mode);
	ret = read_head(in);
	if (ret < 0) {
		zb_err("%s: read: %s", in->path, strerror(-ret));
		return ret;
	}
	if (in->head_nr == 0) {
		zb_err("%s: empty file; give a pcap or pcapng capture", in->path);
		return -ENODATA;
	}
	/* Files of /proc and the like are regular and say they are empty. */
	if (st.st_size == 0)
		in->regular = false;
	in->size = in->regular ? (uint64_t)st.st_size : in->head_nr;
	in->packing = packing_of(in->head, in->head_nr);
	return 0;
}

int zb_input_open(const char *path, struct zb_input *in)
{
	int ret;

	memset(in, 0, sizeof(*in));
	in->path = path;
	in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0) {
		ret = -errno;
		zb_err("%s: %s", path, strerror(-ret));
		return ret;
	}
	ret = input_check(in);
	if (ret < 0)
		zb_input_close(in);
	return ret;
}

void zb_input_close(struct zb_input *in)
{
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
}

static const char *foreign_format(const uint8_t *head)
{
	static const struct {
		const char *magic;
		size_t magic_len;
		const char *what;
	} known[] = {
		{"\xfd"
		 "7zXZ",
		 5, "it is xz data; unpack it first: xz -d"},
		{"BZh", 3, "it is bzip2 data; unpack it first: bzip2 -d"},
		{"\x04\x22\x4d\x18", 4, "it is lz4 data; unpack it first: lz4 -d"},
		{"PK\x03\x04", 4, "it is a zip archive; unpack it first: unzip"},
		{"snoop", 5, "it is a snoop capture; convert it with editcap"},
		{"GMBU", 4, "it is a Network Monitor capture; convert it with editcap"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (memcmp(head, known[i].magic, known[i].magic_len) == 0)
			return known[i].what;
	return NULL;
}

int zb_feed_not_a_trace(const struct zb_feed *f)
{
	uint8_t head[8] = {0};
	const char *what;

	if (f->broken != NULL) {
		zb_err("%s: not a trace: %s", f->in->path, f->broken);
		return -EINVAL;
	}
	if (f->avail == 0) {
		zb_err("%s: empty once unpacked; give a pcap or pcapng capture", f->in->path);
		return -ENODATA;
	}
	memcpy(head, zb_feed_at(f, 0), f->avail < sizeof(head) ? f->avail : sizeof(head));
	what = foreign_format(head);
	zb_err("%s: not a trace: %s", f->in->path,
	       what != NULL ? what : "it does not begin as pcap or pcapng does");
	return -EINVAL;
}

static unsigned cpus_allowed(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

bool zb_feed_threads_worth(const struct zb_input *in)
{
	return in->regular && in->packing == ZB_PACK_NONE && in->size >= WORTH_BYTES &&
	       cpus_allowed() > 1;
}

/*
 * Reads chunk c; returns how many bytes there were, fewer than the chunk only at the end, or
 * -errno.
 */
static int64_t read_chunk(const struct reader *rd, uint64_t c)
{
	uint64_t pos = c * CHUNK_BYTES, end = pos + CHUNK_BYTES;
	uint8_t *base = rd->feed->image->base + rd->feed->image_off;
	uint64_t from = pos;

	if (end > rd->size)
		end = rd->size;
	if (rd->feed->image->file) {
		int ret = zb_region_populate(rd->feed->image, pos, end - pos);

		return ret < 0 ? ret : (int64_t)(end - pos);
	}
	while (pos < end) {
		ssize_t n = pread(rd->feed->in->fd, base + pos, end - pos, (off_t)pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		pos += (uint64_t)n;
	}
	return (int64_t)(pos - from);
}

/* Claims the next chunk and reads it; false when all are claimed. */
static bool claim_one(struct reader *rd)
{
	/* Relaxed: which thread reads a chunk does not matter, the lock orders its bytes. */
	uint64_t c = __atomic_fetch_add(&rd->next, 1, __ATOMIC_RELAXED);
	int64_t n;

	if (c >= rd->chunk_nr)
		return false;
	n = read_chunk(rd, c);
	pthread_mutex_lock(&rd->lock);
	if (n < 0 && rd->err == 0)
		rd->err = (int)n;
	if (n >= 0 && c * CHUNK_BYTES + (uint64_t)n < rd->short_at && ((uint64_t)n < CHUNK_BYTES))
		rd->short_at = c * CHUNK_BYTES + (uint64_t)n;
	rd->done[c] = 1;
	pthread_cond_signal(&rd->chunk_done);
	pthread_mutex_unlock(&rd->lock);
	return true;
}

static void *reader_main(void *arg)
{
	struct reader *rd = arg;

	while (claim_one(rd))
		;
	return NULL;
}

static bool is_done(struct reader *rd, uint64_t c)
{
	bool done;

	pthread_mutex_lock(&rd->lock);
	done = rd->done[c] != 0;
	pthread_mutex_unlock(&rd->lock);
	return done;
}

/* Returns when chunk c is there; reads chunks meanwhile while there are any to claim. */
static void wait_chunk(struct reader *rd, uint64_t c)
{
	while (!is_done(rd, c))
		if (!claim_one(rd))
			break;
	pthread_mutex_lock(&rd->lock);
	while (rd->done[c] == 0)
		pthread_cond_wait(&rd->chunk_done, &rd->lock);
	pthread_mutex_unlock(&rd->lock);
}

static int threads_more(struct zb_feed *f, uint64_t end)
{
	struct reader *rd = f->priv;

	while (f->avail < end && !f->eof) {
		uint64_t to, short_at;
		int err;

		wait_chunk(rd, rd->cur);
		pthread_mutex_lock(&rd->lock);
		err = rd->err;
		short_at = rd->short_at;
		pthread_mutex_unlock(&rd->lock);
		if (err < 0) {
			zb_err("%s: read: %s", f->in->path, strerror(-err));
			return err;
		}
		rd->cur++;
		to = rd->cur * CHUNK_BYTES;
		if (to > rd->size)
			to = rd->size;
		/* The file became shorter after it was opened: it ends where reading did. */
		if (to > short_at)
			to = short_at;
		f->eof = to == short_at || rd->cur == rd->chunk_nr;
		f->avail = to;
	}
	return 0;
}

static void threads_close(struct zb_feed *f)
{
	struct reader *rd = f->priv;

	/* Relaxed: only stops further claims. */
	__atomic_store_n(&rd->next, rd->chunk_nr, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < rd->thread_nr; i++)
		pthread_join(rd->threads[i], NULL);
	pthread_cond_destroy(&rd->chunk_done);
	pthread_mutex_destroy(&rd->lock);
	free(rd);
	f->priv = NULL;
}

int zb_feed_open_threads(struct zb_feed *f)
{
	uint64_t chunk_nr = (f->in->size + CHUNK_BYTES - 1) / CHUNK_BYTES;
	unsigned want = cpus_allowed() - 1;
	struct reader *rd = calloc(1, sizeof(*rd) + chunk_nr);

	if (rd == NULL) {
		zb_err("%s: out of memory", f->in->path);
		return -ENOMEM;
	}
	rd->feed = f;
	rd->size = f->in->size;
	rd->short_at = rd->size;
	rd->chunk_nr = chunk_nr;
	pthread_mutex_init(&rd->lock, NULL);
	pthread_cond_init(&rd->chunk_done, NULL);
	if (want > THREADS_MAX)
		want = THREADS_MAX;
	/* A thread that cannot be started is no loss: the indexer reads what nobody claims. */
	while (rd->thread_nr < want &&
	       pthread_create(&rd->threads[rd->thread_nr], NULL, reader_main, rd) == 0)
		rd->thread_nr++;
	f->priv = rd;
	f->more = threads_more;
	f->close = threads_close;
	return 0;
}
