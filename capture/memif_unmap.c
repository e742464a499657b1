/* SPDX-License-Identifier: Apache-2.0 */
/* memif_unmap.c - see memif_unmap.h */
#include "capture/memif_unmap.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREAD_NAME_MAX 16

static atomic_bool guarded;

void zb_memif_guard(void)
{
	atomic_store(&guarded, true);
}

/* It is "eal-intr-thread", and "dpdk-intr" since 23.11. */
static bool in_interrupt_thread(void)
{
	char name[THREAD_NAME_MAX] = "";

	return prctl(PR_GET_NAME, name) == 0 && strstr(name, "-intr") != NULL;
}

/* In place of libc's, and like it except for the wait. */
int munmap(void *addr, size_t len)
{
	if (atomic_load_explicit(&guarded, memory_order_relaxed) && in_interrupt_thread())
		usleep(ZB_MEMIF_GRACE_MS * 1000);
	return (int)syscall(SYS_munmap, addr, len);
}
