/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass.c - sets a run up, launches the workers, reports while they work, collects what they leave
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/pass.h"
#include "bench/pass_priv.h"
#include "capture/eal.h"
#include "capture/source_paced.h"
#include "capture/source_replay.h"
#include "pipeline/meter.h"
#include "profiler/clock.h"
#include "profiler/diag.h"

#define TICK_NS	   20000000 /* the reporter looks around fifty times a second, ... */
#define SOON_NS	   1000000  /* ... but when a worker may soon have to wait for it */
#define SNAP_SLOTS 1024
/* No two workers write to one cache line. */
#define METER_BYTES ((sizeof(struct zb_meter) + 63) / 64 * 64)
#define FLUSH_S	    1.0 /* statistics reach their files at least so often */

const char *const zb_log_stream_name[ZB_LOG_NAME_NR] = {
	[ZB_LOG_CONN] = "conn",
	[ZB_LOG_DNS] = "dns",
	[ZB_LOG_HTTP] = "http",
	[ZB_LOG_SSL] = "ssl",
	[ZB_LOG_SMTP] = "smtp",
	[ZB_LOG_FILES] = "files",
	[ZB_LOG_FTP] = "ftp",
	[ZB_LOG_SSH] = "ssh",
	[ZB_LOG_NTP] = "ntp",
	[ZB_LOG_DHCP] = "dhcp",
	[ZB_LOG_TUNNEL] = "tunnel",
	[ZB_LOG_KNOWN_HOSTS] = "known_hosts",
	[ZB_LOG_KNOWN_SERVICES] = "known_services",
	[ZB_LOG_WEIRD] = "weird",
	[ZB_LOG_STATS] = "stats",
	[ZB_LOG_LCORE] = "lcore",
	[ZB_LOG_TELEMETRY] = "telemetry",
	[ZB_LOG_PROF] = "prof",
};

static int make_logs(struct zb_pass *p)
{
	static const struct zb_row_def *const all[ZB_LOG_NR] = {
		[ZB_LOG_STATS] = &zb_stats_log_def,
		[ZB_LOG_LCORE] = &zb_lcore_log_def,
		[ZB_LOG_TELEMETRY] = &zb_telemetry_log_def,
	};
	const struct zb_row_def *defs[ZB_LOG_NR];
	struct zb_log_conf conf = {
		.dir = p->conf->dir,
		.defs = defs,
		.stream_nr = ZB_LOG_NR,
		.producer_nr = (uint16_t)(p->worker_nr + 1),
		.format = p->conf->format,
		.sink = p->conf->dir != NULL ? ZB_SINK_FILES : ZB_SINK_NULL,
		.block = p->conf->log_block,
		.writer_cpus = &p->conf->place->helper_cpus,
		.stall_ms = p->conf->faults != NULL ? p->conf->faults->stall_ms : 0,
	};
	int ret;

	for (unsigned i = 0; i < ZB_LOG_NR; i++)
		defs[i] = !p->conf->stream_on[i] ? NULL
			  : i < ZB_LOG_ENGINE_NR ? zb_engine_log_defs[i]
						 : all[i];
	ret = zb_log_set_create(&conf, &p->logs);
	if (ret < 0)
		zb_err("logs: %s", strerror(-ret));
	return ret;
}

/*
 * Arenas cannot be given back to jemalloc while memory of theirs may be cached, so that a later
 * pass takes those of the earlier ones.
 */
static bool arena_of(unsigned i, unsigned *arena)
{
	static unsigned made[ZB_CPUS_MAX], made_nr;

	while (made_nr <= i && zb_heap_arena_create(&made[made_nr]) == 0)
		made_nr++;
	*arena = made[i];
	return i < made_nr;
}

static int make_worker(struct zb_pass *p, unsigned i)
{
	struct zb_pass_worker *w = &p->worker[i];

	w->pass = p;
	w->index = i;
	w->cpu = p->conf->place->worker_cpu[i];
	snprintf(w->peer, sizeof(w->peer), "lcore-%u", w->cpu);
	w->has_arena = arena_of(i, &w->arena);
	if (p->conf->mode != ZB_ENGINE_TOUCH) {
		p->result->lcore[i].meter = aligned_alloc(64, METER_BYTES);
		if (p->result->lcore[i].meter == NULL)
			return -ENOMEM;
		memset(p->result->lcore[i].meter, 0, METER_BYTES);
		p->result->lcore[i].meter->tsc_hz = (uint64_t)p->conf->tsc_hz;
	}
	w->engine = (struct zb_engine_conf){
		.meter = p->result->lcore[i].meter,
		.rxq = zb_source_queue(p->source, i),
		.stat = &p->result->lcore[i].stat,
		.logs = p->logs,
		.once = zb_once_port(p->once, (uint16_t)i),
		.peer = w->peer,
		.start_ns = p->start_ns,
		.interval_ns = (uint64_t)(p->conf->stats_interval_s * 1e9),
		.tsc_hz = p->conf->tsc_hz,
		.secret = p->conf->secret,
		.index = i,
		.conns_max = p->conf->conns_max,
		.burst_max = p->conf->burst_max,
		.memcap_bytes = p->conf->memcap_bytes / p->worker_nr,
		.mem_limit = p->conf->mem_limit,
		.file_hashes = p->conf->file_hashes,
		.mode = p->conf->mode,
		.ignore_checksums = p->conf->ignore_checksums,
		.faults = p->conf->faults,
		.on = &p->on,
		.at_end = zb_pass_worker_at_end,
		.at_end_arg = w,
	};
	return zb_snap_ring_create(SNAP_SLOTS, &w->engine.snaps);
}

static int make_stats(struct zb_pass *p)
{
	unsigned ids[ZB_CPUS_MAX];
	struct zb_stats_log_conf conf = {
		.stats = zb_log_port(p->logs, ZB_LOG_STATS, (uint16_t)p->worker_nr),
		.lcore = zb_log_port(p->logs, ZB_LOG_LCORE, (uint16_t)p->worker_nr),
		.lcore_ids = ids,
		.lcore_nr = p->worker_nr,
		.tsc_hz = p->conf->tsc_hz,
	};

	for (unsigned i = 0; i < p->worker_nr; i++)
		ids[i] = p->conf->place->worker_cpu[i];
	return zb_stats_log_create(&conf, &p->stats);
}

static int open_replay(struct zb_pass *p)
{
	struct zb_replay_conf conf = {
		.trace = p->conf->trace,
		.queue_nr = p->worker_nr,
		.loops = p->conf->loops,
		.same_flows = p->conf->same_flows,
		.stop = &p->stop,
	};
	struct zb_replay *replay;
	int ret = zb_replay_open(&conf, &replay);

	if (ret == 0)
		p->source = zb_replay_source(replay);
	return ret;
}

static int open_paced(struct zb_pass *p)
{
	const struct zb_lcore_stat *stat[ZB_CPUS_MAX];
	struct zb_paced_conf conf = {
		.trace = p->conf->trace,
		.queue_nr = p->worker_nr,
		.rx_desc = p->conf->rx_desc,
		.rate = p->conf->rate,
		.tsc_hz = p->conf->tsc_hz,
		.duration_s = p->conf->duration_s,
		.loops = p->conf->loops,
		.same_flows = p->conf->same_flows,
		.stop = &p->stop,
		.feeder_cpus = &p->conf->feeder_cpus,
		.stat = stat,
	};

	for (unsigned i = 0; i < p->worker_nr; i++)
		stat[i] = &p->result->lcore[i].stat;
	return zb_paced_open(&conf, &p->source);
}

static uint64_t unix_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int open_source(struct zb_pass *p)
{
	int ret = 0;

	p->start_ns = p->conf->live != NULL ? unix_ns() : zb_trace_info(p->conf->trace)->first_ns;
	if (p->conf->live != NULL)
		p->source = p->conf->live;
	else
		ret = p->conf->rate.kind == ZB_PACE_MAX ? open_replay(p) : open_paced(p);
	if (ret == 0 && p->conf->filter != NULL)
		ret = zb_filter_source(p->conf->filter, p->source, p->worker_nr, &p->source);
	return ret;
}

static int set_up(struct zb_pass *p)
{
	int ret = make_logs(p);

	if (ret == 0)
		ret = zb_pass_noise_make(p);
	if (ret == 0)
		ret = zb_pass_state_make(p);
	if (ret == 0)
		ret = make_stats(p);
	if (ret == 0)
		ret = zb_pass_prof_make(p);
	if (ret == 0)
		ret = zb_pass_metrics_open(p);
	if (ret == 0)
		ret = zb_once_create(p->logs, (uint16_t)p->worker_nr, (uint16_t)p->worker_nr,
				     p->conf->secret, &p->once);
	if (ret == 0)
		ret = open_source(p);
	if (ret == 0)
		ret = zb_pass_sample(p);
	for (unsigned i = 0; ret == 0 && i < p->worker_nr; i++)
		ret = make_worker(p, i);
	return ret;
}

static void take_snapshots(struct zb_pass *p)
{
	struct zb_snapshot snap;

	for (unsigned i = 0; i < p->worker_nr; i++) {
		while (zb_snap_get(p->worker[i].engine.snaps, &snap)) {
			zb_pass_state_take(p, i, &snap.stat, snap.last);
			snap.noise = p->noise[i].sum;
			snap.arena = p->worker[i].arena_sum;
			zb_pass_note_series(p, i, &snap);
			zb_stats_log_take(p->stats, i, &snap);
			zb_pass_metrics_take(p, i, &snap);
			zb_pass_prof_take(p, i, &snap);
		}
	}
}

/*
 * Reads the arenas and writes the last dump while all state of all workers stands; then lets them
 * go on.
 */
static void look_at_heap(struct zb_pass *p)
{
	struct zb_pass_result *r = p->result;

	zb_pass_noise_end(p);
	take_snapshots(p);
	for (unsigned i = 0; i < p->worker_nr; i++) {
		struct zb_pass_worker *w = &p->worker[i];

		zb_pass_state_take(p, i, &r->lcore[i].stat, false);
		zb_pass_prof_end(p, i);
		r->lcore[i].has_arena =
			w->has_arena && zb_heap_arena_stat(w->arena, &r->lcore[i].arena) == 0;
	}
	r->has_heap = zb_heap_total_stat(&r->heap) == 0;
	zb_pass_state_judge(p);
	zb_pass_memory_end(p);
	if (p->conf->heap_dir != NULL)
		zb_pass_heap_dump(p, 'f');
	__atomic_store_n(&p->release, true, __ATOMIC_RELEASE);
}

/* The reporter's own rows are few; without this they would wait for a full buffer. */
static void flush_reporter(struct zb_pass *p, double now)
{
	if (now - p->flushed_s < FLUSH_S)
		return;
	p->flushed_s = now;
	zb_pass_metrics_poll(p);
	for (uint16_t i = 0; i < ZB_LOG_NR; i++) {
		struct zb_log_port *port = zb_log_port(p->logs, i, (uint16_t)p->worker_nr);

		if (port != NULL)
			zb_log_flush(port);
	}
}

static bool all_workers(const struct zb_pass *p, size_t flag_offset)
{
	for (unsigned i = 0; i < p->worker_nr; i++)
		if (!__atomic_load_n((const bool *)((const char *)&p->worker[i] + flag_offset),
				     __ATOMIC_ACQUIRE))
			return false;
	return true;
}

/* No packet comes in any more; those that have are analysed. */
static void ask_to_stop(struct zb_pass *p)
{
	__atomic_store_n(&p->stop, true, __ATOMIC_RELAXED);
	if (p->conf->live_stop != NULL)
		__atomic_store_n(p->conf->live_stop, true, __ATOMIC_RELAXED);
}

/* Packets, and the time that a run may take, begin when all workers are ready. */
static void start_source(struct zb_pass *p)
{
	zb_pass_noise_begin(p);
	p->started = true;
	p->begin_s = zb_clock_s();
	if (zb_source_start(p->source) < 0) {
		p->result->broke = true;
		ask_to_stop(p);
	}
}

static void ask_devices(struct zb_pass *p)
{
	struct zb_pass_result *r = p->result;
	struct zb_source_device device;

	while (zb_source_device(p->source, r->device_nr, &device)) {
		struct zb_source_device *more =
			realloc(r->devices, (r->device_nr + 1) * sizeof(*more));

		if (more == NULL) {
			zb_err("run: %s", strerror(ENOMEM));
			free(device.counters);
			return;
		}
		r->devices = more;
		r->devices[r->device_nr++] = device;
	}
}

/* What the source knows that the queues' ledgers do not say. */
static void ask_source(struct zb_pass *p)
{
	for (unsigned i = 0; i < p->worker_nr; i++)
		zb_source_first_drop(p->source, i, &p->result->lcore[i].first_drop);
	if (p->conf->rate.kind != ZB_PACE_MAX)
		p->result->feeder_lag = *zb_paced_feeder_lag(zb_filter_inner(p->source));
	ask_devices(p);
}

static bool is_time_to_stop(const struct zb_pass *p)
{
	uint64_t pkts = 0;

	/* An open loop ends by its own clock. */
	if (p->conf->duration_s > 0 && p->started && p->conf->rate.kind == ZB_PACE_MAX &&
	    zb_clock_s() - p->begin_s >= p->conf->duration_s)
		return true;
	if (p->conf->live_count == 0)
		return false;
	for (unsigned i = 0; i < p->worker_nr; i++)
		pkts += zb_stat_peek(&p->result->lcore[i].stat.c[ZB_C_pkts_proc]);
	return pkts >= p->conf->live_count;
}

/* The reporter: until every worker has finished. */
static void report(struct zb_pass *p)
{
	struct timespec tick = {.tv_nsec = TICK_NS};
	bool looked = false;

	while (!all_workers(p, offsetof(struct zb_pass_worker, finished))) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
		if (!p->started && all_workers(p, offsetof(struct zb_pass_worker, ready)))
			start_source(p);
		if (p->sampler != NULL)
			zb_sampler_drain(p->sampler);
		zb_pass_noise_poll(p, zb_clock_s());
		zb_pass_memory_poll(p, zb_clock_s());
		take_snapshots(p);
		tick.tv_nsec = zb_once_merge(p->once) > ZB_ONCE_RING / 16 ? SOON_NS : TICK_NS;
		flush_reporter(p, zb_clock_s());
		zb_pass_heap_poll(p, zb_clock_s());
		if (p->conf->slices != NULL && zb_pass_slice(p))
			ask_to_stop(p);
		if (p->conf->progress)
			zb_pass_progress(p, zb_clock_s());
		if (p->conf->signalled != NULL && *p->conf->signalled) {
			p->result->interrupted = true;
			ask_to_stop(p);
		}
		if (is_time_to_stop(p))
			ask_to_stop(p);
		if (!looked && all_workers(p, offsetof(struct zb_pass_worker, at_end))) {
			look_at_heap(p);
			looked = true;
		}
	}
	if (p->sampler != NULL)
		zb_sampler_drain(p->sampler);
	take_snapshots(p);
	zb_once_merge(p->once);
	zb_progress_line(NULL);
}

static void launch(struct zb_pass *p)
{
	unsigned launched = 0;

	p->begin_s = p->flushed_s = zb_clock_s();
	for (; launched < p->worker_nr; launched++) {
		int ret = zb_eal_launch(launched, zb_pass_worker_main, &p->worker[launched]);

		if (ret < 0) {
			zb_err("worker on CPU %u: cannot be launched: %s", p->worker[launched].cpu,
			       strerror(-ret));
			break;
		}
	}
	for (unsigned i = launched; i < p->worker_nr; i++) {
		p->result->broke = true;
		ask_to_stop(p);
		p->worker[i].ready = p->worker[i].at_end = p->worker[i].finished = true;
		zb_once_finish(p->worker[i].engine.once);
	}
	report(p);
	for (unsigned i = 0; i < launched; i++)
		if (zb_eal_wait(i) < 0)
			p->result->broke = true;
	ask_source(p);
	p->result->wall_s = zb_clock_s() - p->begin_s;
}

static void tear_down(struct zb_pass *p)
{
	if (p->stats != NULL) {
		zb_stats_log_finish(p->stats);
		zb_stats_log_destroy(p->stats);
	}
	zb_telemetry_destroy(p->telemetry);
	zb_pass_prof_close(p);
	if (p->logs != NULL) {
		zb_log_set_close(p->logs);
		for (uint16_t i = 0; i < ZB_LOG_NR; i++)
			zb_log_total(p->logs, i, &p->result->logs[i]);
		zb_pass_metrics_close(p);
		zb_log_set_destroy(p->logs);
	}
	if (p->once != NULL)
		p->result->rows_early = zb_once_early(p->once);
	zb_once_destroy(p->once);
	zb_source_close(p->source);
	for (unsigned i = 0; i < p->worker_nr; i++)
		zb_snap_ring_destroy(p->worker[i].engine.snaps);
	p->result->sampler = p->sampler;
	zb_pass_noise_free(p);
	if (p->sampler != NULL)
		p->result->sampled_ns = zb_clock_ns() - zb_sampler_start_ns(p->sampler);
	zb_track_fini(&p->track);
	free(p->worker);
}

int zb_pass_run(const struct zb_pass_conf *conf, struct zb_pass_result *out)
{
	struct zb_pass p = {.conf = conf, .result = out, .worker_nr = conf->place->worker_nr};
	int ret;

	memset(out, 0, sizeof(*out));
	out->lcore_nr = p.worker_nr;
	out->lcore = aligned_alloc(64, p.worker_nr * sizeof(*out->lcore));
	p.worker = calloc(p.worker_nr, sizeof(*p.worker));
	if (out->lcore == NULL || p.worker == NULL) {
		zb_err("run: %s", strerror(ENOMEM));
		free(out->lcore);
		free(p.worker);
		out->lcore = NULL;
		return -ENOMEM;
	}
	memset(out->lcore, 0, p.worker_nr * sizeof(*out->lcore));
	for (unsigned i = 0; i < p.worker_nr; i++)
		out->lcore[i].cpu = conf->place->worker_cpu[i];
	ret = set_up(&p);
	p.on = (struct zb_engine_switch){conf->slices == NULL, conf->slices == NULL};
	if (ret == 0)
		launch(&p);
	tear_down(&p);
	return ret;
}

void zb_pass_fini(struct zb_pass_result *r)
{
	if (r->sampler != NULL)
		zb_sampler_destroy(r->sampler);
	zb_series_destroy(r->series);
	zb_worst_fini(&r->worst);
	for (unsigned i = 0; i < r->device_nr; i++)
		free(r->devices[i].counters);
	free(r->devices);
	for (unsigned i = 0; i < r->lcore_nr; i++)
		free(r->lcore[i].meter);
	free(r->lcore);
	memset(r, 0, sizeof(*r));
}
