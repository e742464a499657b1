/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap.c - jemalloc: its settings, an arena per worker, statistics, profiling on and off, dumps
 *
 * jemalloc reads malloc_conf at its first allocation, long before main(). The symbol stands here,
 * next to the calls, so that whatever links one of them gets the settings too. The MALLOC_CONF
 * variable of the environment overrules them, one by one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "profiler/heap.h"

#if ZB_HAVE_JEMALLOC
#include <jemalloc/jemalloc.h>

/*
 * What is not named here stays as jemalloc has it: above all the thread cache, which spares locks.
 */
const char *malloc_conf =
	/*
	 * Profiling cannot be switched on at run time unless it was there at the start. Inactive it
	 * costs some 0.3 us for each 512 KiB allocated. zb_heap_start() reaches every thread.
	 */
	"prof:true,prof_active:false,prof_thread_active_init:true,"
	/*
	 * A sample each 2^19 bytes on average, 2 us each. 1 GiB of state then has 2048 samples:
	 * what a function that holds a tenth of it holds is known to within 7 %.
	 */
	"lg_prof_sample:19,"
	/* A list of the last sampled allocations, behind one lock, that nobody reads. */
	"prof_recent_alloc_max:0,"
	/*
	 * One arena for main, reporter and writers, who are few and not in a hurry. Workers bring
	 * arenas of their own; an arena is a worker, not the CPU it happens to be on.
	 */
	"narenas:1,percpu_arena:disabled,"
	/*
	 * Free memory should go back to the kernel on another thread than the workers'. But one
	 * that starts now, before main(), may run on any core, the workers' too: so it is started
	 * by zb_heap_background_start(). One wakes up a few times a second for all arenas.
	 */
	"background_thread:false,max_background_threads:1,"
	/*
	 * Free pages wait ten seconds to be used again, since load goes up and down within seconds
	 * and a page fault costs more than a packet. Then they leave at once, so that the resident
	 * size comes down when state does.
	 */
	"dirty_decay_ms:10000,muzzy_decay_ms:0,"
	/*
	 * ... all of them: without this, free pages that make 8 MiB in one piece would leave at
	 * once, on the worker that frees the last of them; and zb_heap_warm() would be in vain.
	 */
	"oversize_threshold:0,"
	/*
	 * Huge pages where the kernel gives them on request: a worker whose state grows takes one
	 * fault for 512, and misses the TLB less. On a virtual machine a fault costs thousands of
	 * cycles; a trace of 1.2 million packets took 10,000 of them, an eighth of the worker's
	 * time.
	 */
	"thp:always,metadata_thp:always,"
	/*
	 * Small objects may come out of a large free piece, as zb_heap_warm() leaves one, not only
	 * out of one up to 64 times their pages: the piece is 64 MiB of 4 KiB, or 2^14 pages.
	 */
	"lg_extent_max_active_fit:16";

static int ctl_read_bool(const char *name, bool *value)
{
	size_t len = sizeof(*value);

	return -mallctl(name, value, &len, NULL, 0);
}

static int ctl_write_bool(const char *name, bool value)
{
	return -mallctl(name, NULL, NULL, &value, sizeof(value));
}

static int ctl_read_size(const char *name, uint64_t *value)
{
	size_t v, len = sizeof(v);
	int ret = -mallctl(name, &v, &len, NULL, 0);

	if (ret == 0)
		*value = v;
	return ret;
}

/* Makes jemalloc add up its statistics: they are as of the last call. */
static int refresh(void)
{
	uint64_t epoch = 1;
	size_t len = sizeof(epoch);

	return -mallctl("epoch", &epoch, &len, &epoch, sizeof(epoch));
}

static int read_arena(unsigned arena, const char *what, uint64_t *value)
{
	char name[64];

	snprintf(name, sizeof(name), "stats.arenas.%u.%s", arena, what);
	return ctl_read_size(name, value);
}

bool zb_heap_available(void)
{
	return true;
}

bool zb_heap_can_profile(void)
{
	bool built = false, on = false;

	return ctl_read_bool("config.prof", &built) == 0 && built &&
	       ctl_read_bool("opt.prof", &on) == 0 && on;
}

int zb_heap_arena_create(unsigned *arena)
{
	unsigned index;
	size_t len = sizeof(index);
	int ret = -mallctl("arenas.create", &index, &len, NULL, 0);

	if (ret == 0)
		*arena = index;
	return ret == -EAGAIN ? -ENOMEM : ret;
}

int zb_heap_arena_use(unsigned arena)
{
	int ret = -mallctl("thread.arena", NULL, NULL, &arena, sizeof(arena));

	if (ret < 0)
		return ret == -EFAULT ? -EINVAL : ret;
	/* The cache still holds memory of the old arena. -EFAULT: this thread has no cache. */
	ret = -mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	return ret == -EFAULT ? 0 : ret;
}

static int read_arena_stat(unsigned arena, uint64_t page_bytes, struct zb_heap_stat *out)
{
	struct zb_heap_stat s = {0};
	uint64_t small = 0, large = 0, pages = 0;
	int ret = read_arena(arena, "small.allocated", &small);

	if (ret == 0)
		ret = read_arena(arena, "large.allocated", &large);
	if (ret == 0)
		ret = read_arena(arena, "pactive", &pages);
	if (ret == 0)
		ret = read_arena(arena, "resident", &s.resident);
	if (ret == 0)
		ret = read_arena(arena, "retained", &s.retained);
	if (ret == 0)
		ret = read_arena(arena, "mapped", &s.mapped);
	if (ret < 0)
		return ret == -ENOENT ? -EINVAL : ret;
	s.allocated = small + large;
	s.active = pages * page_bytes;
	*out = s;
	return 0;
}

int zb_heap_arena_stats(const unsigned *arena, unsigned nr, struct zb_heap_stat *out)
{
	uint64_t page_bytes = 0;
	int ret = refresh();

	if (ret == 0)
		ret = ctl_read_size("arenas.page", &page_bytes);
	for (unsigned i = 0; ret == 0 && i < nr; i++)
		ret = read_arena_stat(arena[i], page_bytes, &out[i]);
	return ret;
}

int zb_heap_total_stat(struct zb_heap_stat *out)
{
	struct zb_heap_stat s = {0};
	int ret = refresh();

	if (ret == 0)
		ret = ctl_read_size("stats.allocated", &s.allocated);
	if (ret == 0)
		ret = ctl_read_size("stats.active", &s.active);
	if (ret == 0)
		ret = ctl_read_size("stats.resident", &s.resident);
	if (ret == 0)
		ret = ctl_read_size("stats.retained", &s.retained);
	if (ret == 0)
		ret = ctl_read_size("stats.mapped", &s.mapped);
	if (ret == 0)
		*out = s;
	return ret;
}

int zb_heap_background_start(void)
{
	return ctl_write_bool("background_thread", true);
}

int zb_heap_start(void)
{
	return zb_heap_can_profile() ? ctl_write_bool("prof.active", true) : -ENOTSUP;
}

int zb_heap_stop(void)
{
	return zb_heap_can_profile() ? ctl_write_bool("prof.active", false) : -ENOTSUP;
}

int zb_heap_thread_name(const char *name)
{
	int ret;

	if (!zb_heap_can_profile())
		return -ENOTSUP;
	ret = -mallctl("thread.prof.name", NULL, NULL, &name, sizeof(name));
	return ret == -EFAULT ? -EINVAL : ret;
}

int zb_heap_dump(const char *path)
{
	int fd, ret;

	if (!zb_heap_can_profile())
		return -ENOTSUP;
	/* jemalloc says no more than "did not work"; opening the file first tells why. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (close(fd) < 0)
		return -errno;
	ret = -mallctl("prof.dump", NULL, NULL, &path, sizeof(path));
	return ret == -EFAULT ? -EIO : ret;
}

#else /* !ZB_HAVE_JEMALLOC */

bool zb_heap_available(void)
{
	return false;
}

bool zb_heap_can_profile(void)
{
	return false;
}

int zb_heap_arena_create(unsigned *arena)
{
	(void)arena;
	return -ENOTSUP;
}

int zb_heap_arena_use(unsigned arena)
{
	(void)arena;
	return -ENOTSUP;
}

int zb_heap_arena_stats(const unsigned *arena, unsigned nr, struct zb_heap_stat *out)
{
	(void)arena;
	(void)nr;
	(void)out;
	return -ENOTSUP;
}

int zb_heap_total_stat(struct zb_heap_stat *out)
{
	(void)out;
	return -ENOTSUP;
}

int zb_heap_background_start(void)
{
	return -ENOTSUP;
}

int zb_heap_start(void)
{
	return -ENOTSUP;
}

int zb_heap_stop(void)
{
	return -ENOTSUP;
}

int zb_heap_thread_name(const char *name)
{
	(void)name;
	return -ENOTSUP;
}

int zb_heap_dump(const char *path)
{
	(void)path;
	return -ENOTSUP;
}

#endif

/*
 * In one piece, so that the pages are in address order and the allocator, which takes the lowest
 * that fit, goes through them from one end.
 */
int zb_heap_warm(size_t bytes)
{
	enum { PAGE = 4096 };
	volatile char *p;

	if (bytes == 0)
		return 0;
	p = malloc(bytes);
	if (p == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < bytes; i += PAGE)
		p[i] = 0;
	free((void *)p);
	return 0;
}

void zb_heap_free(void *p, size_t n)
{
#if ZB_HAVE_JEMALLOC
	sdallocx(p, n, 0);
#else
	(void)n;
	free(p);
#endif
}

int zb_heap_arena_stat(unsigned arena, struct zb_heap_stat *out)
{
	return zb_heap_arena_stats(&arena, 1, out);
}

static const uint64_t *counter(const char *name)
{
	uint64_t *p = NULL;
#if ZB_HAVE_JEMALLOC
	size_t size = sizeof(p);

	if (mallctl(name, &p, &size, NULL, 0) != 0)
		return NULL;
#else
	(void)name;
#endif
	return p;
}

const uint64_t *zb_heap_thread_allocated(void)
{
	return counter("thread.allocatedp");
}

void zb_heap_thread_open(struct zb_heap_thread *t)
{
	t->allocated = counter("thread.allocatedp");
	t->freed = counter("thread.deallocatedp");
	if (t->freed == NULL)
		t->allocated = NULL;
}
