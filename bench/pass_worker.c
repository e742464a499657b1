/* SPDX-License-Identifier: Apache-2.0 */
/* pass_worker.c - what a worker's thread does: its place, its memory, the engine, and its end */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/pass_priv.h"
#include "profiler/diag.h"

/* The state of a worker still stands; wait until the reporter has looked at the heap. */
void zb_pass_worker_at_end(void *arg)
{
	struct zb_pass_worker *w = arg;

	__atomic_store_n(&w->at_end, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&w->pass->release, __ATOMIC_ACQUIRE))
		usleep(1000);
}

/* Times that the calling thread has lost its CPU without having asked for it. */
static uint64_t preempted(void)
{
	struct rusage ru;

	return getrusage(RUSAGE_THREAD, &ru) == 0 ? (uint64_t)ru.ru_nivcsw : 0;
}

/*
 * The first touch of a page costs what analysing many packets does: better now than while packets
 * arrive. No more than the worker may hold. A worker that only decodes holds nothing.
 */
static void preallocate(const struct zb_pass_worker *w)
{
	uint64_t cap = w->engine.memcap_bytes, bytes = w->pass->conf->prealloc_bytes;

	if (cap != 0 && bytes > cap)
		bytes = cap;
	if (w->engine.mode == ZB_ENGINE_TOUCH || !w->has_arena)
		return;
	if (bytes > SIZE_MAX || zb_heap_warm((size_t)bytes) < 0)
		zb_warn("worker on CPU %u: --prealloc %" PRIu64 ": %s; it goes on without", w->cpu,
			bytes, strerror(ENOMEM));
}

/* Everything the worker allocates, it allocates here, in its own arena. */
int zb_pass_worker_main(void *arg)
{
	struct zb_pass_worker *w = arg;
	struct zb_engine *engine;
	int ret;

	/* DPDK has pinned the thread; this also makes its memory come from the CPU's node. */
	ret = zb_topo_pin_self(w->pass->conf->topo, w->cpu);
	if (ret < 0)
		zb_warn("worker on CPU %u: cannot be pinned: %s", w->cpu, strerror(-ret));
	if (w->has_arena)
		w->has_arena = zb_heap_arena_use(w->arena) == 0;
	/* Without a name its part of a dump is not told apart, and that is all. */
	if (w->pass->conf->heap_dir != NULL)
		zb_heap_thread_name(w->peer);
	preallocate(w);
	w->allocated = zb_heap_thread_allocated();
	w->tid = gettid();
	ret = zb_engine_create(&w->engine, &engine);
	if (ret < 0) {
		zb_err("worker on CPU %u: %s", w->cpu, strerror(-ret));
		goto out;
	}
	if (w->pass->sampler != NULL && zb_sampler_attach_self(w->pass->sampler, w->index) < 0)
		w->unsampled = true;
	uint64_t before = preempted();

	__atomic_store_n(&w->ready, true, __ATOMIC_RELEASE);
	zb_engine_run(engine);
	w->pass->result->lcore[w->index].preempted = preempted() - before;
	if (w->pass->sampler != NULL && !w->unsampled)
		zb_sampler_detach_self(w->pass->sampler, w->index);
	memcpy(w->pass->result->lcore[w->index].weird, zb_engine_weirds(engine),
	       sizeof(w->pass->result->lcore[w->index].weird));
	w->pass->result->lcore[w->index].large = *zb_engine_large(engine);
	zb_engine_destroy(engine);
out:
	__atomic_store_n(&w->ready, true, __ATOMIC_RELEASE);
	zb_once_finish(w->engine.once);
	__atomic_store_n(&w->at_end, true, __ATOMIC_RELEASE);
	__atomic_store_n(&w->finished, true, __ATOMIC_RELEASE);
	return ret;
}
