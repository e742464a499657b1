/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run.c - zbench run: the options, and the run from their check to the exit status */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_cycles.h>

#include "bench/run_conf.h"
#include "bench/run_job.h"
#include "bench/run_report.h"
#include "bench/self_cost.h"
#include "capture/eal.h"
#include "profiler/clock.h"
#include "profiler/diag.h"

#define O(member) offsetof(struct zb_run_conf, member)
static const char *const engines[] = {"full", "touch", NULL};
static const char *const fanouts[] = {"hash", "cpu", "ebpf", NULL};
static const char *const formats[] = {"json", "zeek", NULL};
static const char *const prof_formats[] = {"mended", "strict", NULL};

static const struct zb_opt options[] = {
	{.help = "Traffic"},
	{"pcap", 'r', ZB_OPT_STRINGS, "FILE...", NULL, 0, 0, NULL,
	 "pcap, pcapng files, gzip, zstd too; merged by time", O(pcap)},
	{"synth", 0, ZB_OPT_STRING, "PROFILE", NULL, 0, 0, NULL,
	 "made traffic instead: office, campus, FILE.yaml, ...", O(synth)},
	{"attack", 'a', ZB_OPT_EACH, "SPEC", NULL, 0, 0, NULL,
	 "syn-flood alone; syn-flood=10% of all; see zbench gen", O(attack)},
	{"tap", 0, ZB_OPT_STRING, "FAULTS", NULL, 0, 0, NULL,
	 "loss=1%,burst=8; reorder=1%; ... see zbench gen", O(tap)},
	{"seed", 0, ZB_OPT_U64, "N", "1", 0, 0, NULL, "of --synth, --attack and --tap", O(seed)},
	{"iface", 'i', ZB_OPT_STRINGS, "IF...", NULL, 0, 0, NULL,
	 "live, by AF_PACKET: eth1; by libpcap: pcap:eth1", O(iface)},
	{"port", 0, ZB_OPT_EACH, "DEV", NULL, 0, 0, NULL,
	 "live, by DPDK: 03:00.0, net_af_xdp0,iface=eth1, ...", O(port)},
	{"filter", 'f', ZB_OPT_STRING, "EXPR", NULL, 0, 0, NULL,
	 "analyse only what matches, as tcpdump has it", O(filter)},
	{"loop", 0, ZB_OPT_U64, "N", "1", 1, 0, NULL, "passes over the trace, with new addresses",
	 O(loop)},
	{"duration", 0, ZB_OPT_SECONDS, "S", NULL, 0, 0, NULL,
	 "pass over it, or be live, for S seconds", O(duration_s)},
	{"count", 0, ZB_OPT_U64, "N", NULL, 1, 0, NULL,
	 "load only the first N packets; live: stop after N", O(count)},
	{"same-flows", 0, ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, "keep the addresses in every pass",
	 O(same_flows)},
	{"rate", 0, ZB_OPT_STRING, "R", "max", 0, 0, NULL, "max, or open loop: 1x 250kpps 10Gbps",
	 O(rate)},
	{"rx-desc", 0, ZB_OPT_U64, "N", "4096", 64, 1 << 20, NULL, "room in a receive queue",
	 O(rx_desc)},
	{"gen-cores", 0, ZB_OPT_STRING, "CPU", NULL, 0, 0, NULL,
	 "open loop, --port: where packets are handed out from", O(gen_cores)},
	{"fanout", 0, ZB_OPT_CHOICE, "BY", "hash", 0, 0, fanouts, "--iface: by hash, cpu or ebpf",
	 O(fanout)},
	{"ring-size", 0, ZB_OPT_BYTES, "BYTES", "64M", 1 << 20, 1ull << 34, NULL,
	 "--iface: of each worker's ring", O(ring_size)},
	{"user", 'u', ZB_OPT_STRING, "NAME", NULL, 0, 0, NULL,
	 "live: become this user once devices are open", O(user)},
	{.help = "Engine"},
	{"cores", 0, ZB_OPT_STRING, "LIST", NULL, 0, 0, NULL,
	 "one worker on each: 2-5 or 2,4,6-7 (default: one core)", O(cores)},
	{"ignore-checksums", 'C', ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL,
	 "take packets with wrong checksums for good", O(ignore_checksums)},
	{"engine", 0, ZB_OPT_CHOICE, "MODE", "full", 0, 0, engines,
	 "full, or touch: decode and hash only", O(engine)},
	{"flows-max", 0, ZB_OPT_U64, "N", "16M", 256, 500000000, NULL,
	 "flows in memory per worker, at most", O(flows_max)},
	{"memcap", 0, ZB_OPT_BYTES, "BYTES", NULL, 16 << 20, 0, NULL,
	 "state of all workers; beyond it the oldest is shed", O(memcap)},
	{"prealloc", 0, ZB_OPT_BYTES, "BYTES", "64M", 0, 0, NULL,
	 "memory a worker touches beforehand", O(prealloc)},
	{"limit", 0, ZB_OPT_EACH, "KIND=BYTES", NULL, 0, 0, NULL,
	 "one kind of state, per worker: tcp_data=64M, ...", O(limit)},
	{"hashes", 0, ZB_OPT_STRING, "LIST", "all", 0, 0, NULL,
	 "of files: md5,sha1,sha256; all; none", O(hashes)},
	{"burst", 0, ZB_OPT_U64, "N", "64", 1, ZB_BURST_MAX, NULL,
	 "packets taken at a time, at most", O(burst)},
	{.help = "Evidence and output"},
	{"stats-interval", 0, ZB_OPT_SECONDS, "S", "1", 0, 0, NULL,
	 "packet time between rows of stats.log", O(stats_interval_s)},
	{"sample-hz", 0, ZB_OPT_U64, "N", "99", 0, 10000, NULL,
	 "call stacks a second and worker; 0: off", O(sample_hz)},
	{"heap", 0, ZB_OPT_STRING, "WHEN", "off", 0, 0, NULL,
	 "dumps: final,BYTES,growth=BYTES,every=S", O(heap)},
	{"capture-worst", 0, ZB_OPT_U64, "N", NULL, 1, ZB_COST_TOP, NULL,
	 "packets of the N dearest connections, as pcaps", O(capture_worst)},
	{"fault", 0, ZB_OPT_STRING, "LIST", NULL, 0, 0, NULL,
	 "faults on purpose: spin:dns, ...; help lists all", O(fault)},
	{"metrics", 0, ZB_OPT_STRING, "WHERE", NULL, 0, 0, NULL,
	 "ADDR:PORT, off (default: live, 127.0.0.1:9911)", O(metrics)},
	{"self-cost", 0, ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL,
	 "what measuring costs here (--cost-pairs 200)", O(self_cost)},
	{"cost-pairs", 0, ZB_OPT_U64, "N", "200", 4, 100000, NULL, NULL, O(cost_pairs)},
	{"out", 'o', ZB_OPT_STRING, "DIR", NULL, 0, 0, NULL,
	 "folder (default: zbench-out/TIME-NAME)", O(out)},
	{"log-format", 0, ZB_OPT_CHOICE, "F", "json", 0, 0, formats, "json, or zeek: tab-separated",
	 O(log_format)},
	{"prof-format", 0, ZB_OPT_CHOICE, "F", "mended", 0, 0, prof_formats,
	 "prof.log mended, or strict as Zeek's", O(prof_format)},
	{"logs", 0, ZB_OPT_STRING, "LIST", "all", 0, 0, NULL, "conn,dns,http,... or all or none",
	 O(logs)},
	{"logs-block", 0, ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL,
	 "wait for a slow log writer, or --logs-drop rows", O(logs_block)},
	{"logs-drop", 0, ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, NULL, O(logs_drop)},
};

static int load(struct zb_run_job *j)
{
	struct zb_trace_conf conf = {
		.paths = j->conf->pcap.v,
		.path_nr = j->conf->pcap.nr,
		.shard_nr = j->place.worker_nr,
		.numa_id = zb_topo_numa_of(j->topo, j->place.worker_cpu[0]),
		.count_max = j->conf->count,
		.one_shard = zb_fault_is_on(&j->fault, ZB_FAULT_one_core_hot),
		.digest = true,
		/* From the second pass on addresses are rewritten in place. */
		.read_only = j->conf->same_flows || (zb_job_loops(j) == 1 && !j->conf->self_cost),
	};

	if (zb_progress_wanted())
		zb_progress_line("loading");
	int ret = zb_job_is_made(j) ? zb_job_load_made(j, &conf) : zb_trace_load(&conf, &j->trace);

	zb_progress_line(NULL);
	return ret;
}

/* Which devices DPDK is to make; the conf points into the job. */
static void eal_devices(const struct zb_run_job *j, struct zb_eal_conf *eal)
{
	static const char *vdev[ZB_OPT_LIST_MAX], *pci[ZB_OPT_LIST_MAX];

	eal->vdevs = vdev;
	eal->allowed = pci;
	eal->devices = j->conf->port.nr != 0;
	for (unsigned i = 0; i < j->conf->port.nr; i++) {
		const char *name = j->conf->port.v[i];

		if (zb_eal_is_pci(name))
			pci[eal->allowed_nr++] = name;
		else
			vdev[eal->vdev_nr++] = name;
	}
}

/*
 * Everything that can refuse the run, before anything is started: exit status 2. The trace is
 * loaded first, while the process may still use all its CPUs: DPDK pins the main thread to the
 * helpers'.
 */
static int prepare(struct zb_run_job *j)
{
	struct zb_eal_conf eal = {.helper_cpus = &j->place.helper_cpus};
	double loaded_s;
	int ret = zb_job_check(j);

	eal_devices(j, &eal);
	if (ret == 0)
		ret = zb_job_listen(j);
	if (ret == 0)
		ret = zb_out_dir_make(&j->out, j->conf->out, zb_job_traffic_name(j));
	if (ret < 0)
		return ret;
	j->out_made = true;
	loaded_s = zb_clock_s();
	ret = zb_job_is_live(j) ? 0 : load(j);
	if (ret == 0)
		ret = zb_job_check_prealloc(j);
	if (ret < 0)
		return ret;
	loaded_s = zb_clock_s() - loaded_s;
	eal.worker_cpus = j->place.worker_cpu;
	eal.worker_nr = j->place.worker_nr;
	ret = zb_eal_start(&eal, &j->eal);
	if (ret < 0)
		return ret;
	j->eal_up = true;
	if (zb_job_is_live(j))
		ret = zb_job_open_live(j);
	if (ret < 0)
		return ret;
	/*
	 * The allocator returns memory on the helpers' CPUs, not in a worker's malloc; without it,
	 * it still works.
	 */
	zb_heap_background_start();
	j->tsc_hz = (double)rte_get_tsc_hz();
	j->startup_s = zb_clock_s() - j->begin_s - loaded_s;
	return 0;
}

static void tell_trace(const struct zb_run_job *j)
{
	const struct zb_trace_info *info = zb_trace_info(j->trace);
	char bytes[32], mem[32];

	if (info->file_nr == 1)
		printf("%s", zb_job_traffic_name(j));
	else
		printf("%u files, merged by time", info->file_nr);
	printf(": %" PRIu64 " packets, %s, loaded in %.2f s (%s in memory)\n", info->pkt_nr,
	       zb_report_bytes(info->wire_bytes, bytes, sizeof(bytes)), info->load_s,
	       zb_report_bytes(info->image_bytes + info->index_bytes, mem, sizeof(mem)));
}

static void tell(struct zb_run_job *j)
{
	struct zb_worst_words words = zb_job_worst_words(j);

	if (j->trace != NULL)
		tell_trace(j);
	else
		zb_report_devices(&j->pass, stdout);
	zb_report_table(&j->pass, j->tsc_hz, stdout);
	zb_cost_report(&j->costs, stdout);
	zb_largest_report(&j->largest, stdout);
	zb_report_ledger(&j->pass, stdout);
	if (j->rate.kind != ZB_PACE_MAX || zb_job_is_live(j))
		zb_report_lag(&j->pass, j->rate.kind != ZB_PACE_MAX, stdout);
	if (j->holder_nr != 0)
		zb_report_holders(j->holder, j->holder_nr, j->holder_total, stdout);
	zb_worst_print(&j->pass.worst, &words, stdout);
	for (unsigned i = 0; i < j->note_nr; i++)
		printf("%s%s\n", i == 0 ? "\nnotes    " : "         ", j->note[i]);
	printf("\nresults  %s\n\n", j->out.path);
	zb_verdict_print(&j->verdict, stdout);
}

static int carry_out(struct zb_run_job *j, int argc, char **argv)
{
	int ret;

	zb_out_dir_clear(&j->out);
	zb_out_dir_latest(&j->out); /* now: zbench top looks there */
	zb_job_catch_signals();
	if (j->conf->self_cost) {
		ret = zb_self_cost(j);
		if (ret < 0)
			return ZB_EXIT_BROKE;
	}
	ret = zb_job_pass(j);
	if (ret < 0)
		return ZB_EXIT_BROKE;
	zb_job_artifacts(j);
	int status = zb_job_finish(j, zb_clock_s() - j->begin_s, argc, argv);

	tell(j);
	if (fflush(stdout) != 0 && status == ZB_EXIT_OK) {
		zb_err("standard output: %s", strerror(errno));
		status = ZB_EXIT_FAILED;
	}
	return status;
}

static int run(const void *conf, const char *const *args, unsigned arg_nr, int argc, char **argv)
{
	struct zb_run_job *j = calloc(1, sizeof(*j));
	int status = ZB_EXIT_USAGE;

	(void)args;
	(void)arg_nr;
	if (((const struct zb_run_conf *)conf)->fault != NULL &&
	    strcmp(((const struct zb_run_conf *)conf)->fault, "help") == 0) {
		zb_fault_print(stdout);
		free(j);
		return ZB_EXIT_OK;
	}
	if (j == NULL) {
		zb_err("run: %s", strerror(ENOMEM));
		return ZB_EXIT_USAGE;
	}
	j->conf = conf;
	j->metrics_fd = -1;
	j->begin_s = zb_clock_s();
	j->start_unix_s = time(NULL);
	if (prepare(j) == 0)
		status = carry_out(j, argc, argv);
	else if (j->out_made)
		zb_out_dir_undo(&j->out);
	zb_job_fini(j);
	free(j);
	return status;
}

const struct zb_command zb_cmd_run = {
	.name = "run",
	.usage = "zbench [run] --pcap FILE... | --iface IF... | --port DEV [options]",
	.summary = "run traffic through the engine and measure it",
	.opts = options,
	.opt_nr = sizeof(options) / sizeof(options[0]),
	.examples = "zbench --iface eth1 --cores 2-5 --filter \"not port 22\" --duration 60\n",

	.conf_size = sizeof(struct zb_run_conf),
	.run = run,
};
