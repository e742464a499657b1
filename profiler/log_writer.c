/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_writer.c - the thread that writes full log buffers to their files
 *
 * It is nobody's duty to wake the writer: it looks at every producer's bell, and when none has rung
 * it sleeps, 200 us first and longer each time, up to 2 ms. At full load it finds several buffers
 * per look; idle, it costs 500 wake-ups a second. Only a producer that waits for it anyway cuts its
 * sleep short.
 *
 * A file that cannot be written (disk full) keeps its whole rows: what part of a row got through is
 * cut off again. Each later buffer is tried afresh, so the log goes on when there is room again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "profiler/diag.h"
#include "profiler/log_set_priv.h"

#define SLEEP_NS_MIN 200000u
#define SLEEP_NS_MAX 2000000u
#define NS_PER_S     1000000000u

/* ---- files ---- */

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t); /* cannot fail with this clock */
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void file_error(struct zb_log_file *f, const char *what, int err)
{
	if (f->total.write_errno == 0)
		f->total.write_errno = err;
	if (f->error_said)
		return;
	f->error_said = true;
	zb_err("%s: %s: %s; its rows are lost for as long as this lasts", f->path, what,
	       strerror(err));
}

/* Writes all of data unless an error stops it; *done says how far it got. 0 or -errno. */
static int write_all(int fd, const char *data, size_t len, size_t *done)
{
	for (*done = 0; *done < len;) {
		ssize_t n = write(fd, data + *done, len - *done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			*done += (size_t)n;
	}
	return 0;
}

/* Takes the last bytes of the file back. The file is in append mode: no position to mend. */
static void take_back(struct zb_log_file *f, size_t bytes)
{
	struct stat st;

	if (bytes == 0)
		return;
	if (fstat(f->fd, &st) < 0 || st.st_size < (off_t)bytes ||
	    ftruncate(f->fd, st.st_size - (off_t)bytes) < 0) {
		f->torn = true;
		f->total.bytes_written += bytes;
	}
}

/* Text that counts only as a whole: a header, a footer, a newline. 0 or -errno. */
static int put_whole(struct zb_log_file *f, const char *text, size_t len)
{
	size_t done;
	int ret = write_all(f->fd, text, len, &done);

	if (ret < 0)
		take_back(f, done);
	else
		f->total.bytes_written += len;
	return ret;
}

/* Opens the file and writes its header unless that is done; 0 or -errno. */
static int file_ready(struct zb_log_file *f)
{
	char header[ZB_ROW_HEADER_MAX];
	size_t len;
	int ret;

	if (f->fd < 0) {
		f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
		if (f->fd < 0)
			return -errno;
	}
	if (f->torn) {
		ret = put_whole(f, "\n", 1);
		if (ret < 0)
			return ret;
		f->torn = false;
	}
	if (f->header_done)
		return 0;
	len = zb_row_header(f->shape, wall_ns(), header);
	ret = put_whole(f, header, len);
	f->header_done = ret == 0;
	return ret;
}

static uint64_t count_lines(const char *s, size_t len)
{
	const char *end = s + len;
	uint64_t n = 0;

	while (s < end && (s = memchr(s, '\n', (size_t)(end - s))) != NULL) {
		n++;
		s++;
	}
	return n;
}

/* No row holds a newline but its last byte, so whole rows can be told in what was written. */
static void file_put(struct zb_log_file *f, const struct zb_log_buf *b)
{
	size_t done = b->used, kept = b->used;
	uint64_t rows = b->row_nr;
	int ret = 0;

	if (f->path != NULL) {
		ret = file_ready(f);
		if (ret < 0) {
			file_error(f, f->fd < 0 ? "cannot be opened" : "cannot be written", -ret);
			f->total.rows_failed += b->row_nr;
			return;
		}
		ret = write_all(f->fd, b->data, b->used, &done);
	}
	if (ret < 0) {
		const char *last = memrchr(b->data, '\n', done);

		kept = last == NULL ? 0 : (size_t)(last - b->data) + 1;
		rows = count_lines(b->data, kept);
		take_back(f, done - kept);
		file_error(f, "cannot be written", -ret);
	}
	f->total.bytes_written += kept;
	f->total.rows_written += rows;
	f->total.rows_failed += b->row_nr - rows;
}

static void file_close(struct zb_log_file *f)
{
	char footer[ZB_ROW_HEADER_MAX];
	int ret = 0;

	if (f->fd < 0)
		return;
	if (f->header_done)
		ret = put_whole(f, footer, zb_row_footer(f->shape, wall_ns(), footer));
	/* A file on a network or under a quota may learn only now that it was not written. */
	if (close(f->fd) < 0 && errno != EINTR && ret == 0)
		ret = -errno;
	if (ret < 0)
		file_error(f, "cannot be finished", -ret);
	f->fd = -1;
}

/* ---- thread ---- */

/* A writer whose disk stands still; while the run goes on, for it has to end. */
static __attribute__((noinline)) void fault_log_stall(struct zb_log_set *s)
{
	const struct timespec t = {.tv_sec = s->stall_ms / 1000,
				   .tv_nsec = (long)(s->stall_ms % 1000) * 1000000};

	if (!atomic_load_explicit(&s->stop, memory_order_relaxed))
		clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

/*
 * Writes what is in the ring now. What comes in meanwhile rings the bell again and has its turn in
 * the next round, so that a busy port does not starve the others.
 */
static void port_drain(struct zb_log_port *p, struct zb_log_file *f)
{
	for (uint32_t n = zb_log_ring_count(&p->full); n > 0; n--) {
		struct zb_log_buf *b = zb_log_ring_pop(&p->full);

		if (p->set->stall_ms != 0)
			fault_log_stall(p->set);
		file_put(f, b);
		zb_log_ring_push(&p->free, b);
	}
}

/* True when there was something to do. */
static bool drain_round(struct zb_log_set *s)
{
	bool any = false;

	for (uint16_t i = 0; i < s->producer_nr; i++) {
		uint64_t rung = atomic_load_explicit(&s->bells[i].rung, memory_order_acquire);

		if (rung == s->bells_seen[i])
			continue;
		s->bells_seen[i] = rung;
		any = true;
		for (uint16_t k = 0; k < s->stream_nr; k++)
			port_drain(&s->ports[(size_t)i * s->stream_nr + k], &s->files[k]);
	}
	return any;
}

static void sleep_until_woken(struct zb_log_set *s, uint32_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ns;
	if (t.tv_nsec >= (long)NS_PER_S) {
		t.tv_nsec -= NS_PER_S;
		t.tv_sec++;
	}
	/* Woken, timed out or interrupted: each means to look again. */
	(void)sem_clockwait(&s->wake, CLOCK_MONOTONIC, &t);
}

static void *writer_main(void *arg)
{
	struct zb_log_set *s = arg;
	uint32_t sleep_ns = SLEEP_NS_MIN;

	pthread_setname_np(pthread_self(), "zb-writer");
	s->tid = gettid();
	sem_post(&s->started);
	for (;;) {
		/*
		 * Acquire: what was handed over before the stop is seen by the round that follows.
		 */
		bool stop = atomic_load_explicit(&s->stop, memory_order_acquire);
		bool stalled = atomic_load_explicit(&s->stalled, memory_order_relaxed);

		if (!stop && (stalled || !drain_round(s))) {
			sleep_until_woken(s, sleep_ns);
			sleep_ns = sleep_ns * 2 < SLEEP_NS_MAX ? sleep_ns * 2 : SLEEP_NS_MAX;
			continue;
		}
		sleep_ns = SLEEP_NS_MIN;
		if (!stop)
			continue;
		drain_round(s);
		break;
	}
	for (uint16_t i = 0; i < s->stream_nr; i++)
		file_close(&s->files[i]);
	return NULL;
}

static int thread_create(struct zb_log_set *s, const cpu_set_t *cpus)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int ret = pthread_attr_init(&attr);

	if (ret != 0)
		return -ret;
	if (cpus != NULL)
		ret = pthread_attr_setaffinity_np(&attr, sizeof(*cpus), cpus);
	if (ret == 0) {
		/*
		 * Signals are for the threads that handle them; a write must not be cut short by
		 * one.
		 */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		ret = pthread_create(&s->thread, &attr, writer_main, s);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attr);
	return -ret;
}

int zb_log_writer_start(struct zb_log_set *s, const cpu_set_t *cpus)
{
	int ret;

	if (sem_init(&s->started, 0, 0) < 0)
		return -errno;
	if (sem_init(&s->wake, 0, 0) < 0) {
		ret = -errno;
		goto destroy_started;
	}
	ret = thread_create(s, cpus);
	if (ret < 0)
		goto destroy_wake;
	while (sem_wait(&s->started) < 0 && errno == EINTR)
		;
	return 0;

destroy_wake:
	sem_destroy(&s->wake);
destroy_started:
	sem_destroy(&s->started);
	return ret;
}

void zb_log_writer_stop(struct zb_log_set *s)
{
	/* Release: pairs with the writer's acquire, after the last hand-over. */
	atomic_store_explicit(&s->stop, true, memory_order_release);
	sem_post(&s->wake);
	pthread_join(s->thread, NULL);
	sem_destroy(&s->wake);
	sem_destroy(&s->started);
}

void zb_log_set_stall(struct zb_log_set *s, bool stalled)
{
	atomic_store_explicit(&s->stalled, stalled, memory_order_relaxed);
}
