/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eal_huge.c - see eal_huge_priv.h
 *
 * Whether there are huge pages is tried with one rather than guessed from counters, because a
 * cgroup or another user may be in the way. What is free now may be gone when EAL counts, and then
 * EAL does not start at all; so processes that start at the same time do it one after the other.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "capture/eal_huge_priv.h"

#define TURN_FOLDER "/sys/kernel/mm/hugepages" /* anybody may open it, and nobody else locks it */
#define TRIES	    300
#define TRY_NS	    10000000 /* so at most 3 s; a start takes 0.2 s */

int zb_eal_huge_lock(void)
{
	const struct timespec pause = {.tv_nsec = TRY_NS};
	int fd = open(TURN_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		nanosleep(&pause, NULL);
	}
	/* Better without a turn than not at all. */
	if (fd >= 0)
		close(fd);
	return -1;
}

void zb_eal_huge_unlock(int turn)
{
	if (turn >= 0)
		close(turn);
}

bool zb_eal_huge_usable(void)
{
	/* Log 2 of the sizes that x86 and Arm know: 2 MiB, 1 GiB, 32 MiB, 512 MiB, 64 KiB. */
	static const unsigned shifts[] = {21, 30, 25, 29, 16};

	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		size_t size = (size_t)1 << shifts[i];
		int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
		/* mmap() reserves the page, or fails when none is free. */
		void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       flags | (int)(shifts[i] << MAP_HUGE_SHIFT), -1, 0);

		if (p == MAP_FAILED)
			continue;
		munmap(p, size);
		return true;
	}
	return false;
}
