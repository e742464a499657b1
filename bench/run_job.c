/* SPDX-License-Identifier: Apache-2.0 */
/* run_job.c - checks, passes, artifacts and verdict of a run; see run_job.h */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/noise.h"
#include "bench/run_files.h"
#include "bench/capture_worst.h"
#include "bench/run_job.h"
#include "bench/run_report.h"
#include "profiler/diag.h"

#define LOG_WAIT_SHARE 20 /* a twentieth of the cycles spent waiting is worth a word */
#define CHECKSUM_SHARE 20 /* so is one wrong checksum in twenty packets */

static volatile sig_atomic_t signalled, dumps_asked;

static void on_signal(int sig)
{
	signalled = sig;
}

static void on_dump_signal(int sig)
{
	(void)sig;
	dumps_asked++;
}

void zb_job_note(struct zb_run_job *j, const char *fmt, ...)
{
	va_list ap;

	if (j->note_nr == ZB_NOTES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(j->note_text[j->note_nr], sizeof(j->note_text[0]), fmt, ap);
	va_end(ap);
	j->note[j->note_nr] = j->note_text[j->note_nr];
	j->note_nr++;
}

static int check_heap(struct zb_run_job *j)
{
	int ret = zb_heap_when_parse(j->conf->heap, &j->heap_when);

	if (ret == 0 && j->heap_when.on && !zb_heap_can_profile()) {
		zb_err("--heap %s: this build has no heap profiler; build with -Djemalloc=enabled",
		       j->conf->heap);
		return -EINVAL;
	}
	return ret;
}

static int check_logs(struct zb_run_job *j)
{
	const char *p = j->conf->logs;

	if (strcmp(p, "none") == 0)
		return 0;
	if (strcmp(p, "all") == 0) {
		memset(j->stream_on, true, sizeof(j->stream_on));
		return 0;
	}
	while (*p != '\0') {
		size_t len = strcspn(p, ",");
		unsigned i;

		for (i = 0; i < ZB_LOG_NAME_NR; i++)
			if (strlen(zb_log_stream_name[i]) == len &&
			    memcmp(zb_log_stream_name[i], p, len) == 0)
				break;
		if (i == ZB_LOG_NAME_NR) {
			zb_err("--logs %s: %.*s: no such log; give some of "
			       "conn,dns,http,ssl,smtp,files,ftp,ssh,ntp,tunnel,prof,"
			       "known_hosts,known_services,weird,stats,lcore,telemetry, or all or "
			       "none",
			       j->conf->logs, (int)len, p);
			return -EINVAL;
		}
		j->stream_on[i] = true;
		p += len + (p[len] == ',');
	}
	return 0;
}

static int check_cores(struct zb_run_job *j)
{
	unsigned cpus[ZB_CPUS_MAX], nr = 0;
	int ret = zb_topo_create(&j->topo);

	if (ret < 0) {
		zb_err("topology: %s", strerror(-ret));
		return ret;
	}
	if (j->conf->cores == NULL) {
		cpus[0] = zb_topo_default_core(j->topo);
		nr = 1;
	} else {
		ret = zb_cpu_list_parse("--cores", j->conf->cores, cpus, &nr);
		if (ret == 0)
			ret = zb_topo_check_cores(j->topo, "--cores", j->conf->cores, cpus, nr);
		if (ret < 0)
			return ret;
	}
	zb_topo_place(j->topo, cpus, nr, &j->place);
	zb_topo_host(j->topo, &j->host);
	return 0;
}

int zb_job_check(struct zb_run_job *j)
{
	int ret;

	if (j->conf->logs_block && j->conf->logs_drop) {
		zb_err("--logs-drop: contradicts --logs-block; give one of them");
		return -EINVAL;
	}
	ret = zb_job_check_traffic(j);
	if (ret == 0)
		ret = check_heap(j);
	if (ret == 0)
		ret = check_logs(j);
	if (ret == 0)
		ret = zb_job_check_limits(j);
	if (ret == 0)
		ret = check_cores(j);
	if (ret == 0)
		ret = zb_job_check_rate(j);
	if (ret == 0)
		ret = zb_job_check_fault(j);
	return ret;
}

uint64_t zb_job_loops(const struct zb_run_job *j)
{
	/* A duration without a count of passes means as many as it takes. */
	return j->conf->duration_s > 0 && !zb_opt_given(&zb_cmd_run, "loop") ? 0 : j->conf->loop;
}

void zb_job_pass_conf(const struct zb_run_job *j, struct zb_pass_conf *c)
{
	const struct zb_run_conf *o = j->conf;

	*c = (struct zb_pass_conf){
		.topo = j->topo,
		.place = &j->place,
		.trace = j->trace,
		.live = j->source,
		.live_stop = zb_job_is_live(j) ? (bool *)(uintptr_t)&j->live_stop : NULL,
		.live_count = zb_job_is_live(j) ? o->count : 0,
		.filter = j->filter,
		.rate = j->rate,
		.rx_desc = (uint32_t)o->rx_desc,
		.feeder_cpus = j->feeder_cpus,
		.loops = zb_job_loops(j),
		.duration_s = o->duration_s,
		.stats_interval_s = o->stats_interval_s,
		.tsc_hz = j->tsc_hz,
		.dir = j->out.path,
		.metrics_fd = -1, /* the run proper alone has one */
		.heap_dir = j->heap_when.on ? j->heap_dir : NULL,
		.heap_when = j->heap_when,
		.dumps_asked = &dumps_asked,
		.sample_hz = (uint32_t)o->sample_hz,
		.conns_max = (uint32_t)o->flows_max,
		.burst_max = (uint16_t)o->burst,
		.memcap_bytes = o->memcap,
		.prealloc_bytes = j->prealloc_bytes,
		.file_hashes = j->file_hashes,
		.mode = (enum zb_engine_mode)o->engine,
		.format = o->log_format == 0 ? ZB_ROW_JSON : ZB_ROW_TSV,
		.log_block = zb_job_log_block(j),
		.prof_strict = o->prof_format != 0,
		.same_flows = o->same_flows,
		.ignore_checksums = o->ignore_checksums,
		.progress = zb_progress_wanted(),
		.faults = j->fault.on != 0 ? &j->fault : NULL,
		.signalled = &signalled,
	};
	memcpy(c->stream_on, j->stream_on, sizeof(c->stream_on));
	memcpy(c->mem_limit, j->mem_limit, sizeof(c->mem_limit));
	if (getrandom(&c->secret, sizeof(c->secret), 0) != sizeof(c->secret))
		c->secret = (uint64_t)(j->begin_s * 1e9) ^ (uint64_t)getpid() << 32;
}

void zb_job_catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	/* Without --heap too: who asks a run for a dump does not want it to end. */
	sa = (struct sigaction){.sa_handler = on_dump_signal, .sa_flags = SA_RESTART};
	sigemptyset(&sa.sa_mask);
	sigaction(SIGUSR2, &sa, NULL);
}

struct zb_worst_words zb_job_worst_words(const struct zb_run_job *j)
{
	return (struct zb_worst_words){.flow = zb_cost_flow_text,
				       .secret = j->pass_conf.secret,
				       .folder = j->out.path,
				       .sampled = j->pass.sampler != NULL};
}

static void choose_worst(struct zb_run_job *j)
{
	struct zb_lcore_stat sum;

	zb_report_sum(&j->pass, &sum);
	zb_worst_choose(&j->pass.worst, &sum);
	for (unsigned i = 0; i < j->pass.worst.told_nr; i++)
		j->pass.worst.told[i].cpu = j->pass.lcore[j->pass.worst.told[i].lane].cpu;
}

int zb_job_pass(struct zb_run_job *j)
{
	int ret = 0;

	if (j->heap_when.on)
		ret = zb_out_dir_sub(&j->out, "heap", j->heap_dir);
	if (ret == 0 && j->heap_when.on)
		ret = zb_heap_start();
	if (ret < 0)
		return ret;
	zb_job_pass_conf(j, &j->pass_conf);
	j->pass_conf.metrics_fd = j->metrics_fd;
	j->source = NULL; /* the pass closes it */
	ret = zb_pass_run(&j->pass_conf, &j->pass);
	j->pass_done = ret == 0;
	if (ret == 0)
		choose_worst(j);
	if (ret == 0)
		ret = zb_cost_make(&j->pass, j->pass_conf.secret, &j->costs);
	if (ret == 0)
		zb_largest_make(&j->pass, j->pass_conf.secret, &j->largest);
	if (j->heap_when.on)
		zb_heap_stop();
	return ret;
}

static void capture_worst(struct zb_run_job *j)
{
	char folder[PATH_MAX];
	struct zb_worst_conf conf = {.trace = j->trace,
				     .shard_nr = j->place.worker_nr,
				     .folder = folder,
				     .nr = (unsigned)j->conf->capture_worst};

	if (conf.nr == 0 || j->costs.flow_nr == 0)
		return;
	if (zb_out_dir_sub(&j->out, "worst", folder) < 0 || zb_capture_worst(&conf, &j->costs) < 0)
		zb_job_note(j, "packets of the dearest connections could not be written");
}

void zb_job_artifacts(struct zb_run_job *j)
{
	int n;

	capture_worst(j);
	if (j->pass.sampler == NULL && j->pass.heap_last[0] == '\0')
		return;
	if (zb_symbols_create(&j->syms) < 0) {
		zb_job_note(j, "no symbols could be read: no flame graphs, no top holders");
		return;
	}
	if (j->pass.sampler != NULL) {
		if (zb_run_flames(&j->out, &j->pass, j->pass_conf.sample_hz, j->syms,
				  &j->pass.worst) < 0)
			zb_job_note(j, "flame graphs could not be written");
		zb_stack_table_totals(zb_sampler_stacks(j->pass.sampler), ZB_LANE_ALL, j->syms,
				      &j->samples);
	}
	if (j->pass.heap_last[0] != '\0') {
		if (zb_run_spool(&j->out, &j->pass, j->heap_dir) < 0)
			zb_job_note(j, "heap dumps could not be taken apart by worker");
		n = zb_heap_top(j->pass.heap_last, j->syms, j->holder, ZB_HOLDERS_MAX,
				&j->holder_total);
		j->holder_nr = n > 0 ? (unsigned)n : 0;
		n = zb_heap_growth(j->pass.heap_first, j->pass.heap_last, j->syms, j->grower,
				   ZB_HOLDERS_MAX);
		j->grower_nr = n > 0 ? (unsigned)n : 0;
	}
}

/* What disturbed the run or was lost, for the person who reads the result. */
static void note_machine(struct zb_run_job *j)
{
	struct zb_advice advice[ZB_NOTES_MAX / 2];
	unsigned n = zb_topo_advise(j->topo, &j->place, advice, ZB_NOTES_MAX / 2);

	for (unsigned i = 0; i < n; i++)
		if (advice[i].warning)
			zb_job_note(j, "%s", advice[i].text);
}

static uint64_t rows_lost(const struct zb_run_job *j)
{
	uint64_t lost = 0;

	for (unsigned i = 0; i < ZB_LOG_NR; i++)
		lost += j->pass.logs[i].rows_dropped + j->pass.logs[i].rows_failed;
	return lost;
}

static void note_noise(struct zb_run_job *j)
{
	for (unsigned i = 0; i < j->pass.lcore_nr; i++) {
		const struct zb_pass_lcore *l = &j->pass.lcore[i];
		struct zb_noise_loss loss = zb_noise_loss(&l->stat, &l->noise.sum);
		const struct zb_neighbour *n = l->noise.neighbour;
		char who[64] = "";

		if (loss.clean)
			continue;
		if (l->noise.neighbour_nr != 0)
			snprintf(who, sizeof(who), "; most by %.*s (%" PRIu64 " ms)",
				 (int)sizeof(n->name) - 1, n->name, n->ms);
		zb_job_note(j,
			    "the worker's CPU %u was taken away for %.1f ms (%.1f %%; %" PRIu64
			    " times preempted, longest %.1f ms): this run was disturbed%s",
			    l->cpu, (double)loss.lost_ns / 1e6, 100 * loss.ratio, l->preempted,
			    (double)loss.gap_max_ns / 1e6, who);
	}
}

/* As Zeek says, too: more likely the capture's fault than the network's. */
static void note_checksums(struct zb_run_job *j, const struct zb_lcore_stat *sum)
{
	uint64_t wrong = sum->fate[ZB_FATE_bad_transport_checksum];

	if (wrong * CHECKSUM_SHARE <= sum->c[ZB_C_pkts_proc])
		return;
	zb_job_note(j,
		    "%.0f %% of the packets have a wrong checksum and were not followed: captured "
		    "on a host that leaves checksums to its NIC? Then use -C",
		    100.0 * (double)wrong / (double)sum->c[ZB_C_pkts_proc]);
}

static void note_run(struct zb_run_job *j)
{
	struct zb_sampler_stat st = {0};
	uint64_t lost = rows_lost(j);
	struct zb_lcore_stat sum;

	if (j->fault.on != 0)
		zb_job_note(j, "faults were switched on on purpose: %.150s", j->conf->fault);
	zb_report_sum(&j->pass, &sum);
	if (sum.c[ZB_C_conns_evicted] > sum.c[ZB_C_conns_capped])
		zb_job_note(j,
			    "%" PRIu64 " connections were ended early to make room for others: "
			    "--flows-max %" PRIu64 " is too low for this traffic",
			    sum.c[ZB_C_conns_evicted] - sum.c[ZB_C_conns_capped],
			    j->conf->flows_max);
	if (sum.c[ZB_C_conns_capped] != 0)
		zb_job_note(j,
			    "%" PRIu64 " connections were ended early to make room for others: "
			    "all state was beyond --memcap",
			    sum.c[ZB_C_conns_capped]);
	note_noise(j);
	if (sum.c[ZB_C_log_wait_cycles] > sum.busy_cycles / LOG_WAIT_SHARE)
		zb_job_note(j,
			    "%.0f %% of the busy cycles were waiting for the log writer: the disk "
			    "limits this run; try --logs none",
			    100.0 * (double)sum.c[ZB_C_log_wait_cycles] / (double)sum.busy_cycles);
	note_checksums(j, &sum);
	zb_job_note_rate(j);
	zb_job_note_live(j);
	if (j->pass.interrupted)
		zb_job_note(
			j,
			"interrupted by a signal: figures and logs are complete up to that moment");
	if (zb_job_trace_info(j)->cut)
		zb_job_note(j, "the trace is cut: what came before the damage was analysed");
	if (lost != 0)
		zb_job_note(j, "%" PRIu64 " log rows were lost: see log_rows_lost in result.json",
			    lost);
	if (j->pass.sampler != NULL) {
		zb_sampler_stat(j->pass.sampler, &st);
		if (st.samples == 0)
			zb_job_note(j,
				    "no samples: the run was too short for %u Hz, or sampling is "
				    "not allowed",
				    j->pass_conf.sample_hz);
	}
	note_machine(j);
}

static uint64_t rss_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long long size = 0, rss = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &size, &rss) != 2)
		rss = 0;
	fclose(f);
	return rss * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void fill_lcores(const struct zb_run_job *j, struct zb_result_lcore *out)
{
	for (unsigned i = 0; i < j->pass.lcore_nr; i++) {
		const struct zb_pass_lcore *l = &j->pass.lcore[i];

		out[i].lcore = out[i].cpu = l->cpu;
		out[i].numa_node = zb_topo_numa_of(j->topo, l->cpu);
		out[i].stat = l->stat;
		out[i].gauge_peak = l->peak;
		out[i].has_arena = l->has_arena;
		out[i].arena = l->arena;
		out[i].first_drop = l->first_drop;
		out[i].noise = l->noise;
		out[i].preempted = l->preempted;
	}
}

static void fill_input(const struct zb_run_job *j, struct zb_result_input *in)
{
	const struct zb_trace_info *info = zb_job_trace_info(j);

	*in = (struct zb_result_input){
		.kind = j->conf->iface.nr != 0	? "iface"
			: j->conf->port.nr != 0 ? "port"
			: j->conf->pcap.nr != 0 ? "pcap"
						: "synth",
		.profile = zb_job_profile(j),
		.attacks = j->conf->attack.v,
		.attack_nr = j->conf->attack.nr,
		.tap = j->conf->tap,
		.seed = j->conf->seed,
		.files = j->conf->pcap.v,
		.file_nr = j->conf->pcap.nr,
		.pkts = info->pkt_nr,
		.bytes = info->wire_bytes,
		.has_digest = j->trace != NULL,
		.digest = info->digest,
		.loops = j->pass_conf.loops,
		.count = j->conf->count,
		.duration_s = j->conf->duration_s,
		.rate = j->conf->rate,
		.rx_desc = j->rate.kind != ZB_PACE_MAX ? j->conf->rx_desc : 0,
		.feeder_lag = &j->pass.feeder_lag,
		.engine = j->conf->engine == 0 ? "full" : "touch",
		.same_flows = j->conf->same_flows,
		.ignore_checksums = j->conf->ignore_checksums,
		.filter = j->conf->filter,
		.faults = j->conf->fault,
		.devices = j->pass.devices,
		.device_nr = j->pass.device_nr,
		.cut = info->cut,
		.division = info->division,
	};
}

static void fill_evidence(struct zb_run_job *j, struct zb_result *r)
{
	const struct zb_trace_info *info = zb_job_trace_info(j);
	struct rusage ru;

	if (j->pass.sampler != NULL) {
		struct zb_sampler_stat st;

		zb_sampler_stat(j->pass.sampler, &st);
		r->profile = (struct zb_result_profile){
			.hz = j->pass_conf.sample_hz,
			.method = zb_sampler_method_name(st.method),
			.samples = st.samples,
			.lost = st.lost,
			.resolved = j->samples.resolved,
			.kernel_frames = st.kernel_frames,
		};
	}
	getrusage(RUSAGE_SELF, &ru);
	/* The kernel brings the two up to date at different times. */
	uint64_t rss = rss_bytes(), peak = (uint64_t)ru.ru_maxrss * 1024;

	r->memory = (struct zb_result_memory){
		.peak_rss_bytes = rss > peak ? rss : peak,
		.rss_bytes = rss,
		.trace_image_bytes = info->image_bytes,
		.trace_index_bytes = info->index_bytes,
		.has_heap = j->pass.has_heap,
		.heap = j->pass.heap,
		.heap_top = j->holder,
		.heap_top_nr = j->holder_nr,
		.growth = &j->pass.growth,
		.grower = j->grower,
		.grower_nr = j->grower_nr,
		.analyzers = j->pass.analyzers,
		.analyzers_peak = j->pass.analyzers_peak,
		.over_time = &j->pass.memory,
		.largest = &j->largest,
	};
}

static int judge(const struct zb_run_job *j, bool law_holds)
{
	if (j->pass.interrupted || j->pass.broke)
		return ZB_EXIT_BROKE;
	return law_holds && rows_lost(j) == 0 ? ZB_EXIT_OK : ZB_EXIT_FAILED;
}

int zb_job_finish(struct zb_run_job *j, double wall_s, int argc, char **argv)
{
	struct zb_result_lcore *lcores = aligned_alloc(64, j->pass.lcore_nr * sizeof(*lcores));
	struct zb_result r = {
		.argc = argc,
		.argv = argv,
		.start_unix_ns = (uint64_t)j->start_unix_s * 1000000000u,
		.wall_s = wall_s,
		.startup_s = j->startup_s,
		.load_s = zb_job_trace_info(j)->load_s,
		.tsc_hz = j->tsc_hz,
		.host = j->host,
		.lcores = lcores,
		.lcore_nr = j->pass.lcore_nr,
		.gauge_peak = j->pass.peak,
		.stream_names = zb_log_stream_name,
		.logs = j->pass.logs,
		.stream_nr = ZB_LOG_NR,
		.rows_early = j->pass.rows_early,
		.status = j->pass.broke		? ZB_RESULT_BROKEN
			  : j->pass.interrupted ? ZB_RESULT_INTERRUPTED
						: ZB_RESULT_COMPLETE,
		.worst = &j->pass.worst,
		.worst_words = zb_job_worst_words(j),
		.cost = j->costs.metered_cycles != 0 ? &j->costs : NULL,
		.writer_noise = j->pass.writer.sum,
		.self_cost = j->cost,
		.self_cost_nr = j->cost_nr,
	};
	char path[PATH_MAX];
	int status;

	if (lcores == NULL) {
		zb_err("result.json: %s", strerror(ENOMEM));
		return ZB_EXIT_BROKE;
	}
	memset(lcores, 0, j->pass.lcore_nr * sizeof(*lcores));
	fill_lcores(j, lcores);
	fill_input(j, &r.input);
	fill_evidence(j, &r);
	note_run(j);
	zb_job_judge(j);
	r.verdict = &j->verdict;
	r.notes = j->note;
	r.note_nr = j->note_nr;
	status = r.exit_status = judge(j, zb_result_law_holds(&r));
	snprintf(path, sizeof(path), "%s/result.json", j->out.path);
	if (zb_result_write(&r, path) < 0 && status == ZB_EXIT_OK)
		status = ZB_EXIT_FAILED;
	free(lcores);
	return status;
}

void zb_job_fini(struct zb_run_job *j)
{
	if (j->pass_done)
		zb_pass_fini(&j->pass);
	if (j->syms != NULL)
		zb_symbols_destroy(j->syms);
	if (j->trace != NULL)
		zb_trace_free(j->trace);
	zb_source_close(j->source);
	zb_filter_free(j->filter);
	if (j->eal_up)
		zb_eal_stop();
	if (j->topo != NULL)
		zb_topo_destroy(j->topo);
	if (j->metrics_fd >= 0)
		close(j->metrics_fd);
}
