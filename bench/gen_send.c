/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_send.c - zbench gen --port or --iface: loads, opens, sends, certifies
 *
 * Everything that can refuse the run comes first, the traffic before DPDK, which pins the main
 * thread.
 */
#include "bench/gen_load.h"
#include "bench/gen_send.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/certificate.h"
#include "bench/gen_stream.h"
#include "bench/out_dir.h"
#include "bench/run_report.h"
#include "capture/eal.h"
#include "profiler/clock.h"
#include "profiler/diag.h"

#define DEFAULT_S	 10.0 /* of a template */
#define CALIBRATE_NS	 100000000u
#define TICK_NS		 20000000
#define PROGRESS_NS	 250000000u
#define SEND_SECONDS_MAX 1e8
#define LINGER_MAX_S	 86400.0
#define STREAM_FRAME_MAX 1518u /* an MTU of 1500 and a VLAN tag */

struct send {
	const struct zb_send_job *job;
	const struct zb_send_conf *conf;
	struct zb_topo *topo;
	struct zb_placement place;
	struct zb_out_dir out;
	struct zb_send_source source;
	struct zb_gen_job job_made; /* on the fly */
	struct zb_send_loop loop;
	struct zb_certificate cert;
	struct zb_txq *q;
	struct zb_moment begin;
	char traffic[160];
	bool eal_up, out_made;
};

static volatile sig_atomic_t signalled;

static void on_signal(int sig)
{
	signalled = sig;
}

bool zb_send_wanted(const struct zb_send_conf *conf)
{
	return conf->port != NULL || conf->iface != NULL;
}

static int check_rate(struct send *s)
{
	const char *text = s->conf->rate;
	int ret = zb_pace_parse(text, &s->loop.rate);

	if (ret == -EINVAL)
		zb_err("--rate %s: not a rate; give max, packets as 10kpps, bits as 2.5Gbps, or a "
		       "multiple as 4x",
		       text);
	else if (ret < 0)
		zb_err("--rate %s: out of range; give at most %.0fMpps, 10Tbps or 1000000x", text,
		       ZB_PACE_PPS_MAX / 1e6);
	if (ret == 0 && s->loop.rate.kind == ZB_PACE_TIMES && s->conf->size != 0) {
		zb_err("--rate %s: packets of --size have no timing of their own; give a rate of "
		       "packets or bits",
		       text);
		ret = -EINVAL;
	}
	return ret;
}

static int check_cpu(struct send *s)
{
	const char *text = s->conf->core;
	unsigned cpus[ZB_CPUS_MAX], nr = 1;
	int ret = zb_topo_create(&s->topo);

	if (ret < 0) {
		zb_err("topology: %s", strerror(-ret));
		return ret;
	}
	cpus[0] = zb_topo_default_core(s->topo);
	if (text != NULL) {
		ret = zb_cpu_list_parse("--core", text, cpus, &nr);
		if (ret == 0)
			ret = zb_topo_check_cores(s->topo, "--core", text, cpus, nr);
		if (ret == 0 && nr != 1) {
			zb_err("--core %s: one core sends; give one", text);
			ret = -EINVAL;
		}
	}
	if (ret < 0)
		return ret;
	zb_topo_place(s->topo, cpus, nr, &s->place);
	zb_topo_host(s->topo, &s->cert.host);
	return 0;
}

static int check(struct send *s)
{
	const struct zb_send_conf *c = s->conf;

	if (c->port != NULL && c->iface != NULL) {
		zb_err("--port, --iface: only one of them can be given");
		return -EINVAL;
	}
	if (c->size != 0 && c->pcap != NULL) {
		zb_err("--size, --pcap: only one of them can be given");
		return -EINVAL;
	}
	if (c->on_the_fly && (c->size != 0 || s->job->from_pcap || c->same_flows)) {
		zb_err("--on-the-fly: not with --size, --pcap or --same-flows; nothing is made "
		       "then, or made again");
		return -EINVAL;
	}
	if (c->size != 0 && s->job->flows > ZB_FLOWS_MAX) {
		zb_err("--flows %" PRIu64 ": too many; give at most %llu", s->job->flows,
		       ZB_FLOWS_MAX);
		return -EINVAL;
	}
	if (s->job->duration_s > SEND_SECONDS_MAX) {
		zb_err("--duration %g: too long; give at most %g seconds", s->job->duration_s,
		       SEND_SECONDS_MAX);
		return -EINVAL;
	}
	if (c->linger_s > LINGER_MAX_S) {
		zb_err("--linger %g: too long; give at most %g seconds", c->linger_s, LINGER_MAX_S);
		return -EINVAL;
	}
	if (check_rate(s) < 0)
		return -EINVAL;
	return check_cpu(s);
}

/* What goes beyond what a skipped frame costs would never be caught up with. */
static int check_trace_rate(const struct send *s)
{
	const struct zb_trace_info *info = zb_trace_info(s->source.trace);
	const struct zb_pace_rate *r = &s->loop.rate;
	double pkts = (double)info->pkt_nr, pps = 0;

	if (r->kind == ZB_PACE_BPS)
		pps = r->value / 8 / ((double)info->cap_bytes / pkts);
	else if (r->kind == ZB_PACE_TIMES)
		pps = r->value * pkts * 1e9 / (double)zb_tx_trace_period_ns(s->source.frames);
	if (pps <= ZB_PACE_PPS_MAX)
		return 0;
	zb_err("--rate %s: that is %.3g packets a second of this traffic; give at most %.0f "
	       "million",
	       s->conf->rate, pps, ZB_PACE_PPS_MAX / 1e6);
	return -EINVAL;
}

static int load_trace(struct send *s)
{
	struct zb_trace_conf conf = {
		.paths = &s->conf->pcap,
		.path_nr = 1,
		.shard_nr = 1,
		.numa_id = zb_topo_numa_of(s->topo, s->place.worker_cpu[0]),
		.read_only = s->conf->same_flows,
	};
	const struct zb_trace_info *info;
	int ret = s->conf->pcap != NULL
			  ? zb_trace_load(&conf, &s->source.trace)
			  : zb_gen_load(s->job->made, "--profile", &conf, &s->source.trace);

	if (ret < 0)
		return ret;
	info = zb_trace_info(s->source.trace);
	s->source.kind = ZB_SEND_TRACE;
	if (info->snapped > 0)
		zb_warn("--pcap: %" PRIu64
			" packets were cut when they were captured; they are sent as short as that",
			info->snapped);
	snprintf(s->traffic, sizeof(s->traffic), "%.80s, %" PRIu64 " packets", s->job->profile,
		 info->pkt_nr);
	ret = zb_tx_trace_open(s->source.trace, s->conf->same_flows, &s->source.frames);
	return ret < 0 ? ret : check_trace_rate(s);
}

static int open_stream(struct send *s)
{
	struct zb_gen_job_conf made = *s->job->made;
	struct zb_send_source *source = &s->source;
	int ret;

	made.endless = true;
	ret = zb_gen_job_open(&made, &s->job_made);
	if (ret < 0)
		return ret;
	s->loop.made = calloc(ZB_TX_BURST_MAX + 1, sizeof(s->loop.made[0]));
	if (s->loop.made == NULL) {
		zb_err("--on-the-fly: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	source->kind = ZB_SEND_STREAM;
	source->stream = s->job_made.stream;
	source->stream_ret = 1;
	snprintf(s->traffic, sizeof(s->traffic), "%.80s, on the fly", s->job->profile);
	return 0;
}

static void make_template(struct send *s)
{
	uint64_t flows = s->job->flows > 0 ? s->job->flows : 1;

	zb_send_template(&s->source, (uint32_t)s->conf->size, flows);
	snprintf(s->traffic, sizeof(s->traffic), "UDP, %" PRIu64 " bytes, %" PRIu64 " flow%s",
		 s->conf->size, flows, flows > 1 ? "s" : "");
}

/* How long: as asked, else one pass over a trace, or to the end of a stream, else a while. */
static void settle_end(struct send *s)
{
	double seconds = s->job->duration_s;

	s->loop.count_max = s->conf->count;
	if (seconds == 0 && s->conf->count == 0) {
		const struct zb_gen_conf *limit = &s->job->made->limit;

		if (s->source.kind == ZB_SEND_TRACE)
			s->loop.count_max = zb_trace_info(s->source.trace)->pkt_nr;
		else if (s->source.kind != ZB_SEND_STREAM ||
			 (limit->sessions == 0 && limit->packets == 0))
			seconds = DEFAULT_S;
	}
	s->cert.duration_s = seconds;
	s->cert.count = s->loop.count_max;
}

static uint32_t longest(const struct zb_trace *t)
{
	const struct zb_trace_shard *shard = zb_trace_shard((struct zb_trace *)(uintptr_t)t, 0);
	uint32_t max = 0;

	for (uint64_t i = 0; i < shard->pkt_nr; i++)
		max = shard->pkts[i].cap_len > max ? shard->pkts[i].cap_len : max;
	return max < ZB_TX_FRAME_MAX ? max : ZB_TX_FRAME_MAX;
}

static int start_eal(struct send *s)
{
	const char *device = s->conf->port;
	bool pci = device != NULL && zb_eal_is_pci(device);
	struct zb_eal_info info;
	struct zb_eal_conf eal = {
		.worker_cpus = s->place.worker_cpu,
		.worker_nr = 1,
		.helper_cpus = &s->place.helper_cpus,
		.devices = device != NULL,
		.vdevs = &device,
		.vdev_nr = device != NULL && !pci,
		.attach = true,
		.allowed = &device,
		.allowed_nr = pci,
	};
	int ret = zb_eal_start(&eal, &info);

	s->eal_up = ret == 0;
	return ret;
}

static int open_queue(struct send *s)
{
	struct zb_tx_conf conf = {
		.desc_nr = (uint32_t)s->conf->desc,
		.linger_s = s->conf->linger_s,
		.numa_id = -1,
	};

	if (s->source.kind == ZB_SEND_TRACE) {
		conf.frame_max = longest(s->source.trace);
	} else if (s->source.kind == ZB_SEND_STREAM) {
		conf.frame_max = STREAM_FRAME_MAX;
	} else {
		conf.template = s->source.template;
		conf.template_len = conf.frame_max = s->source.template_len;
	}
	if (s->conf->iface != NULL) {
		conf.device = s->conf->iface;
		return zb_tx_packet_open(&conf, &s->q);
	}
	conf.device = s->conf->port;
	return zb_tx_port_open(&conf, &s->q);
}

static int prepare(struct send *s)
{
	int ret = check(s);

	if (ret < 0)
		return ret;
	if (s->job->out != NULL) {
		ret = zb_out_dir_make(&s->out, s->job->out, "send");
		if (ret < 0)
			return ret;
		s->out_made = true;
	}
	if (s->conf->size != 0)
		make_template(s);
	else
		ret = s->conf->on_the_fly ? open_stream(s) : load_trace(s);
	if (ret < 0)
		return ret;
	zb_moment_take(&s->begin);
	settle_end(s);
	ret = start_eal(s);
	return ret < 0 ? ret : open_queue(s);
}

/* Ticks a second, from the time that starting took anyway, and some more if that was short. */
static double calibrate(const struct send *s)
{
	struct zb_moment now;
	uint64_t spent;

	zb_moment_take(&now);
	spent = now.ns - s->begin.ns;
	if (spent < CALIBRATE_NS) {
		usleep((useconds_t)((CALIBRATE_NS - spent) / 1000));
		zb_moment_take(&now);
	}
	return zb_moment_hz(&s->begin, &now);
}

static int worker_main(void *arg)
{
	struct send *s = arg;
	int ret = zb_topo_pin_self(s->topo, s->place.worker_cpu[0]);

	if (ret < 0)
		zb_warn("CPU %u: the sender cannot be pinned: %s", s->place.worker_cpu[0],
			strerror(-ret));
	zb_send_loop_run(&s->loop);
	return 0;
}

static void progress(const struct send *s, double since_s)
{
	uint64_t sent = __atomic_load_n(&s->loop.sent_now, __ATOMIC_RELAXED);
	char line[96];

	snprintf(line, sizeof(line), "%.0f s, %" PRIu64 " packets sent", since_s, sent);
	zb_progress_line(line);
}

static void watch(struct send *s)
{
	const struct timespec tick = {.tv_nsec = TICK_NS};
	bool wanted = zb_progress_wanted();
	double begin = zb_clock_s();

	while (zb_eal_running(0)) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
		if (wanted)
			progress(s, zb_clock_s() - begin);
		if (signalled)
			__atomic_store_n(&s->loop.stop, true, __ATOMIC_RELAXED);
	}
	zb_progress_line(NULL);
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static int transmit(struct send *s)
{
	struct zb_send_loop *l = &s->loop;
	struct zb_moment now;
	struct timespec t;
	int ret;

	l->q = s->q;
	l->source = &s->source;
	l->in_place = s->source.kind == ZB_SEND_STREAM && s->q->ops->commit_frames != NULL;
	l->len_max = s->q->len_max;
	if (s->source.kind == ZB_SEND_STREAM && l->len_max > STREAM_FRAME_MAX)
		l->len_max = STREAM_FRAME_MAX;
	l->tsc_hz = calibrate(s);
	l->burst_max = (uint16_t)s->conf->burst;
	l->duration_ticks = (uint64_t)(s->cert.duration_s * l->tsc_hz);
	l->lag_max_ticks = (uint64_t)(s->conf->lag_max_s * l->tsc_hz);
	clock_gettime(CLOCK_REALTIME, &t);
	s->cert.start_unix_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	ret = zb_eal_launch(0, worker_main, s);
	if (ret < 0) {
		zb_err("CPU %u: the sender cannot be launched: %s", s->place.worker_cpu[0],
		       strerror(-ret));
		return ret;
	}
	watch(s);
	(void)zb_eal_wait(0);
	zb_moment_take(&now);
	s->cert.tsc_hz = zb_moment_hz(&s->begin, &now);
	s->cert.elapsed_s = (double)l->end_ticks / s->cert.tsc_hz;
	s->q->ops->drain(s->q, &s->cert.left);
	s->q->ops->stat(s->q, &s->cert.device);
	if (s->q->error != 0)
		zb_err("%s: %s", s->q->device, strerror(-s->q->error));
	if (s->source.stream_ret < 0)
		zb_err("--on-the-fly: %s", strerror(-s->source.stream_ret));
	return 0;
}

static int certify(struct send *s)
{
	struct zb_certificate *c = &s->cert;
	char path[PATH_MAX];
	int status;

	c->argc = s->job->argc;
	c->argv = s->job->argv;
	c->traffic = s->traffic;
	c->loop = &s->loop;
	c->q = s->q;
	c->cpu = s->place.worker_cpu[0];
	c->lag_max_s = s->conf->lag_max_s;
	c->sessions = s->source.stream != NULL ? s->source.stream->sessions : 0;
	c->interrupted = signalled != 0;
	c->broke = s->q->error != 0 || s->source.stream_ret < 0;
	status = zb_certificate_status(c);
	zb_certificate_print(c, stdout);
	if (s->out_made) {
		snprintf(path, sizeof(path), "%s/certificate.json", s->out.path);
		if (zb_certificate_write(c, path) < 0 && status == ZB_EXIT_OK)
			status = ZB_EXIT_FAILED;
	}
	if (s->conf->json != NULL && zb_certificate_write(c, s->conf->json) < 0 &&
	    status == ZB_EXIT_OK)
		status = ZB_EXIT_FAILED;
	return status;
}

static void fini(struct send *s)
{
	if (s->q != NULL)
		s->q->ops->close(s->q);
	zb_tx_trace_close(s->source.frames);
	zb_trace_free(s->source.trace);
	zb_gen_job_close(&s->job_made);
	free(s->loop.made);
	if (s->eal_up)
		zb_eal_stop();
	if (s->topo != NULL)
		zb_topo_destroy(s->topo);
}

int zb_send_run(const struct zb_send_job *job)
{
	struct send *s = aligned_alloc(alignof(struct send), sizeof(*s));
	int status = ZB_EXIT_USAGE;

	if (s == NULL) {
		zb_err("gen: %s", strerror(ENOMEM));
		return ZB_EXIT_USAGE;
	}
	memset(s, 0, sizeof(*s));
	s->job = job;
	s->conf = job->conf;
	if (prepare(s) == 0) {
		catch_signals();
		status = transmit(s) < 0 ? ZB_EXIT_BROKE : certify(s);
	} else if (s->out_made) {
		zb_out_dir_undo(&s->out);
	}
	fini(s);
	free(s);
	return status;
}
