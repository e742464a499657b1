/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler_perf.c - samples by perf_event: one event and one ring per worker thread
 *
 * Nobody waits for the ring: main reads it some ten times a second (perf_ring.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "profiler/diag.h"
#include "profiler/sampler_priv.h"

#define RATE_PATH "/proc/sys/kernel/perf_event_max_sample_rate"

#define STACK_BYTES_MIN	   256u
#define SWITCH_STACK_BYTES 2048u

/*
 * The kernel refuses rates above its limit, and lowers that limit by itself when interrupts take
 * too long.
 */
uint32_t zb_perf_allowed_hz(uint32_t hz)
{
	FILE *f = fopen(RATE_PATH, "re");
	unsigned max;

	if (f == NULL)
		return hz;
	if (fscanf(f, "%u", &max) == 1 && max > 0 && max < hz) {
		zb_warn("sampler: %u samples per second: the kernel allows %u; raise %s", hz, max,
			RATE_PATH);
		hz = max;
	}
	fclose(f);
	return hz;
}

/*
 * Bytes of the stack to copy with each sample, a multiple of 8: what 100 ms of samples put into
 * half a ring.
 */
static uint32_t stack_bytes(uint32_t hz, size_t ring_bytes)
{
	size_t bytes = ring_bytes / 2 * 10 / hz / 8 * 8;

	if (bytes < STACK_BYTES_MIN)
		return STACK_BYTES_MIN;
	return bytes < ZB_UNWIND_STACK_BYTES ? (uint32_t)bytes : ZB_UNWIND_STACK_BYTES;
}

/*
 * Opens the best event that is allowed: cycles before cpu-clock, with the kernel's share before
 * without.
 */
static int open_event(struct zb_perf_lane *p, uint32_t hz, size_t ring_bytes)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.freq = 1,
		.sample_freq = hz,
		.sample_type = ZB_PERF_SAMPLE_TYPE,
		.disabled = 1,
		.exclude_hv = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.sample_regs_user = ZB_PERF_USER_REGS,
	};
	int ret = -ENOTSUP;

	if (ZB_PERF_USER_REGS != 0) {
		attr.sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
		attr.sample_stack_user = stack_bytes(hz, ring_bytes);
	}
	for (int i = 0; i < 4; i++) {
		bool cycles = i < 2, kernel = i % 2 == 0;

		attr.type = cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
		attr.config = cycles ? (uint64_t)PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK;
		attr.exclude_kernel = !kernel;
		attr.exclude_callchain_kernel = !kernel;
		p->fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (p->fd >= 0) {
			p->method = cycles ? ZB_SAMPLER_PERF_CYCLES : ZB_SAMPLER_PERF_CPU_CLOCK;
			p->kernel_frames = kernel;
			return 0;
		}
		ret = -errno;
	}
	return ret;
}

/* An event with a ring of exactly this many pages. */
static int open_with_ring(struct zb_perf_lane *p, uint32_t hz, uint32_t pages)
{
	size_t ring_bytes = pages * (size_t)sysconf(_SC_PAGESIZE);
	int ret = open_event(p, hz, ring_bytes);

	if (ret < 0)
		return ret;
	ret = zb_perf_ring_map(&p->ring, p->fd, ring_bytes);
	if (ret < 0)
		goto close_fd;
	p->ring.has_stack = ZB_PERF_USER_REGS != 0;
	if (ioctl(p->fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
		ret = -errno;
		goto unmap;
	}
	return 0;

unmap:
	zb_perf_ring_unmap(&p->ring);
close_fd:
	close(p->fd);
	return ret;
}

/*
 * The switches of the calling thread, with a stack for each. Without kernel frames there are none:
 * a switch happens in the kernel.
 */
static int open_switches(struct zb_perf_lane *p, uint32_t pages)
{
	size_t ring_bytes = pages * (size_t)sysconf(_SC_PAGESIZE);
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CONTEXT_SWITCHES,
		.sample_period = 1,
		.sample_type = ZB_PERF_SAMPLE_TYPE,
		.sample_regs_user = ZB_PERF_USER_REGS,
		.sample_id_all = 1,
		.context_switch = 1,
		.exclude_hv = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	int ret;

	if (ZB_PERF_USER_REGS != 0) {
		attr.sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
		attr.sample_stack_user = SWITCH_STACK_BYTES;
	}
	p->switch_fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (p->switch_fd < 0)
		return -errno;
	p->switches.has_stack = ZB_PERF_USER_REGS != 0;
	ret = zb_perf_ring_map(&p->switches, p->switch_fd, ring_bytes);
	if (ret < 0) {
		close(p->switch_fd);
		p->switch_fd = -1;
	}
	return ret;
}

int zb_perf_lane_open(struct zb_perf_lane *p, uint32_t hz, uint32_t pages)
{
	int ret = -EINVAL;

	/* Ordinary users may lock kernel.perf_event_mlock_kb per CPU, all their rings together. */
	for (; pages > 0; pages /= 2) {
		ret = open_with_ring(p, hz, pages);
		if (ret != -EPERM && ret != -ENOMEM)
			break;
	}
	p->switch_fd = -1;
	for (pages /= 4; ret == 0 && p->kernel_frames && pages > 0; pages /= 2)
		if (open_switches(p, pages) == 0)
			break;
	return ret;
}

void zb_perf_lane_stop(struct zb_perf_lane *p)
{
	/* Cannot fail on an open event; if it did, closing would end it just as well. */
	(void)ioctl(p->fd, PERF_EVENT_IOC_DISABLE, 0);
	if (p->switch_fd >= 0)
		(void)ioctl(p->switch_fd, PERF_EVENT_IOC_DISABLE, 0);
}

void zb_perf_lane_pause(struct zb_perf_lane *p, bool paused)
{
	(void)ioctl(p->fd, paused ? PERF_EVENT_IOC_DISABLE : PERF_EVENT_IOC_ENABLE, 0);
	if (p->switch_fd >= 0)
		(void)ioctl(p->switch_fd, paused ? PERF_EVENT_IOC_DISABLE : PERF_EVENT_IOC_ENABLE,
			    0);
}

void zb_perf_lane_close(struct zb_perf_lane *p)
{
	zb_perf_ring_unmap(&p->ring);
	close(p->fd);
	if (p->switch_fd < 0)
		return;
	zb_perf_ring_unmap(&p->switches);
	close(p->switch_fd);
}
