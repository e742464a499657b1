/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_image.c - the memory that a trace lives in: huge pages of either kind, locked when allowed
 *
 * A file whose packets will be rewritten is read into anonymous memory: mapped, rewriting would
 * copy each 4 KiB page that it touches, in the middle of the measurement. A large file that is only
 * read is mapped and locked: its pages are in memory already, and clearing as many new ones took
 * longer than all the rest of loading. Regions are mapped without reservation and 2 MiB aligned, so
 * they can be larger than what is used.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "capture/trace_priv.h"

#define PAGE_BYTES 4096ull
#define THP_BYTES  (2ull << 20)
/* Huge pages left alone: DPDK takes some when it starts, after the trace is loaded. */
#define HUGETLB_SPARE_BYTES (64ull << 20)

static uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

static uint64_t region_size(uint64_t size)
{
	return round_up(size != 0 ? size : 1, size >= THP_BYTES ? THP_BYTES : PAGE_BYTES);
}

static void *map_anonymous(uint64_t size, int flags)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/* size is whole units of 2 MiB: maps one more and cuts off what lies outside the aligned part. */
static uint8_t *map_aligned(uint64_t size)
{
	uint8_t *p = map_anonymous(size + THP_BYTES, MAP_NORESERVE);
	uint64_t skip;

	if (p == MAP_FAILED)
		return MAP_FAILED;
	skip = round_up((uintptr_t)p, THP_BYTES) - (uintptr_t)p;
	if (skip != 0)
		munmap(p, skip);
	if (skip != THP_BYTES)
		munmap(p + skip + size, THP_BYTES - skip);
	return p + skip;
}

static uint8_t *map_huge(uint64_t size, uint64_t *mapped)
{
	uint64_t page, free_nr = zb_memory_huge_free("", &page);
	void *p;

	if (page == 0 || free_nr * page < HUGETLB_SPARE_BYTES ||
	    free_nr * page - HUGETLB_SPARE_BYTES < size)
		return MAP_FAILED;
	*mapped = round_up(size, page);
	p = map_anonymous(*mapped, MAP_HUGETLB);
	return p;
}

/* Best effort: a policy that cannot be set costs speed, not correctness. */
static void prefer_node(const struct zb_region *r)
{
	unsigned long mask[16] = {0};
	unsigned bits = 8 * sizeof(mask[0]);

	if (r->numa_id < 0 || (unsigned)r->numa_id >= 16 * bits)
		return;
	mask[(unsigned)r->numa_id / bits] = 1ul << ((unsigned)r->numa_id % bits);
	(void)syscall(SYS_mbind, r->base, r->size, MPOL_PREFERRED, mask, 16ul * bits, 0);
}

int zb_region_map(struct zb_region *r, uint64_t size, bool huge)
{
	uint8_t *p = MAP_FAILED;

	if (size > INT64_MAX / 2)
		return -ENOMEM;
	r->size = region_size(size);
	r->hugetlb = r->file = false;
	if (huge && size >= THP_BYTES) {
		uint64_t mapped = 0;

		p = map_huge(size, &mapped);
		r->hugetlb = p != MAP_FAILED;
		if (r->hugetlb)
			r->size = mapped;
	}
	if (p == MAP_FAILED)
		p = r->size >= THP_BYTES ? map_aligned(r->size)
					 : map_anonymous(r->size, MAP_NORESERVE);
	if (p == MAP_FAILED) {
		r->base = NULL;
		r->size = 0;
		return -ENOMEM;
	}
	r->base = p;
	/* Fails where the kernel has no transparent huge pages: small ones do. */
	if (!r->hugetlb && r->size >= THP_BYTES)
		(void)madvise(p, r->size, MADV_HUGEPAGE);
	prefer_node(r);
	return 0;
}

static void on_sigbus(int sig)
{
	static const char text[] = "zbench: trace: the file was cut while it was being replayed; "
				   "leave it alone until the run is over\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)sig;
	(void)ignored;
	_exit(3);
}

bool zb_region_map_file(struct zb_region *r, int fd, uint64_t size)
{
	struct sigaction sa = {.sa_handler = on_sigbus};
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return false;
	/* Without the right to lock, memory of our own with huge pages is better than this. */
	if (mlock2(p, size, MLOCK_ONFAULT) < 0) {
		munmap(p, size);
		return false;
	}
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
	r->base = p;
	r->size = round_up(size, PAGE_BYTES);
	r->file = true;
	r->hugetlb = false;
	return true;
}

int zb_region_populate(const struct zb_region *r, uint64_t from, uint64_t bytes)
{
	/* Kernels before 5.14 do not know it: then the reader faults the pages in. */
	if (madvise(r->base + from, bytes, MADV_POPULATE_READ) < 0 && errno != EINVAL)
		return errno == EFAULT ? -EIO : -errno;
	return 0;
}

int zb_region_grow(struct zb_region *r, uint64_t size)
{
	uint8_t *p = MAP_FAILED;

	if (size > INT64_MAX / 2)
		return -ENOMEM;
	size = region_size(size);
	if (size <= r->size)
		return 0;
	if (r->hugetlb || r->file)
		return -ENOMEM;
	/* In place, unless it is only now getting large enough to be worth aligning. */
	if (r->size >= THP_BYTES || size < THP_BYTES)
		p = mremap(r->base, r->size, size, 0);
	if (p == MAP_FAILED) {
		uint8_t *to =
			size >= THP_BYTES ? map_aligned(size) : map_anonymous(size, MAP_NORESERVE);

		if (to == MAP_FAILED)
			return -ENOMEM;
		p = mremap(r->base, r->size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		if (p == MAP_FAILED) {
			munmap(to, size);
			return -ENOMEM;
		}
	}
	r->base = p;
	r->size = size;
	if (size >= THP_BYTES)
		(void)madvise(p, size, MADV_HUGEPAGE);
	return 0;
}

void zb_region_trim(struct zb_region *r, uint64_t used)
{
	uint64_t size = region_size(used);

	if (r->hugetlb || size >= r->size)
		return;
	if (munmap(r->base + size, r->size - size) == 0)
		r->size = size;
}

bool zb_region_lock(struct zb_region *r)
{
	return r->base == NULL || r->file || mlock(r->base, r->size) == 0;
}

void zb_region_unmap(struct zb_region *r)
{
	if (r->base != NULL)
		munmap(r->base, r->size);
	r->base = NULL;
	r->size = 0;
}

enum zb_trace_memory zb_region_memory(const struct zb_region *r)
{
	uint64_t at = (uintptr_t)r->base, kib = 0;
	bool inside = false;
	char line[512];
	FILE *f;

	if (r->file)
		return ZB_MEM_FILE;
	if (r->hugetlb)
		return ZB_MEM_HUGETLB;
	if (r->size < THP_BYTES)
		return ZB_MEM_PLAIN;
	f = fopen("/proc/self/smaps", "re");
	if (f == NULL)
		return ZB_MEM_PLAIN;
	while (fgets(line, sizeof(line), f) != NULL) {
		uint64_t from, to;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2)
			inside = at >= from && at < to;
		else if (inside && sscanf(line, "AnonHugePages: %" SCNu64, &kib) == 1)
			break;
	}
	fclose(f);
	/*
	 * The last, partly filled piece and a few that the kernel had no huge page for do not
	 * matter.
	 */
	return kib * 1024 >= r->size / 2 ? ZB_MEM_THP : ZB_MEM_PLAIN;
}
