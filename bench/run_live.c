/* SPDX-License-Identifier: Apache-2.0 */
/* run_live.c - --iface, --port and --filter: their check, the devices, and what is to be said */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/privileges.h"
#include "bench/run_job.h"
#include "bench/run_report.h"
#include "capture/eal_share.h"
#include "capture/source_iface.h"
#include "capture/source_pcap.h"
#include "capture/source_port.h"
#include "profiler/diag.h"

bool zb_job_is_live(const struct zb_run_job *j)
{
	return j->conf->iface.nr != 0 || j->conf->port.nr != 0;
}

const struct zb_trace_info *zb_job_trace_info(const struct zb_run_job *j)
{
	static const struct zb_trace_info none;

	return j->trace != NULL ? zb_trace_info(j->trace) : &none;
}

const char *zb_job_traffic_name(const struct zb_run_job *j)
{
	return j->conf->iface.nr != 0	? j->conf->iface.v[0]
	       : j->conf->port.nr != 0	? j->conf->port.v[0]
	       : j->conf->synth != NULL ? j->conf->synth
	       : j->conf->pcap.nr != 0	? j->conf->pcap.v[0]
					: j->conf->attack.v[0];
}

/* Options that say how a trace is replayed, or how devices are read. */
static int check_fit(bool live, bool iface)
{
	static const char *const of_trace[] = {"loop", "same-flows", "rate",	     "self-cost",
					       "tap",  "attack",     "capture-worst"};
	static const char *const of_iface[] = {"fanout", "ring-size"};

	for (size_t i = 0; live && i < sizeof(of_trace) / sizeof(of_trace[0]); i++) {
		if (zb_opt_given(&zb_cmd_run, of_trace[i])) {
			zb_err("--%s: says how a trace is replayed; packets of %s come by "
			       "themselves",
			       of_trace[i], iface ? "--iface" : "--port");
			return -EINVAL;
		}
	}
	for (size_t i = 0; !iface && i < sizeof(of_iface) / sizeof(of_iface[0]); i++) {
		if (zb_opt_given(&zb_cmd_run, of_iface[i])) {
			zb_err("--%s: only --iface has it", of_iface[i]);
			return -EINVAL;
		}
	}
	if (zb_opt_given(&zb_cmd_run, "cost-pairs") && !zb_opt_given(&zb_cmd_run, "self-cost")) {
		zb_err("--cost-pairs: of --self-cost; give it, too");
		return -EINVAL;
	}
	if (!live && zb_opt_given(&zb_cmd_run, "user")) {
		zb_err("--user: only live runs have devices; give --iface or --port");
		return -EINVAL;
	}
	if (iface && zb_opt_given(&zb_cmd_run, "rx-desc")) {
		zb_err("--rx-desc: an interface's ring is measured in bytes; give --ring-size");
		return -EINVAL;
	}
	return 0;
}

/* Memory that is shared is added to on a sender's behalf, and in the end its files are removed. */
static int check_user(const struct zb_run_conf *o)
{
	for (unsigned i = 0; o->user != NULL && i < o->port.nr; i++) {
		if (zb_share_wanted(o->port.v[i])) {
			zb_err("--user: not with --port %s: what is shared stays this user's",
			       o->port.v[i]);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_list(const char *option, const struct zb_opt_list *l, unsigned max)
{
	if (l->nr > max) {
		zb_err("--%s: %u are too many; give at most %u", option, l->nr, max);
		return -EINVAL;
	}
	for (unsigned i = 0; i < l->nr; i++) {
		for (unsigned k = 0; k < i; k++) {
			if (strcmp(l->v[i], l->v[k]) == 0) {
				zb_err("--%s %s: given twice", option, l->v[i]);
				return -EINVAL;
			}
		}
	}
	return 0;
}

int zb_job_check_traffic(struct zb_run_job *j)
{
	const struct zb_run_conf *o = j->conf;
	int ret;

	switch ((o->pcap.nr != 0) + (o->synth != NULL) + (o->iface.nr != 0) + (o->port.nr != 0)) {
	case 0:
		if (o->attack.nr != 0)
			break;
		zb_err("run: no traffic; give --pcap FILE, --synth PROFILE, --attack NAME, --iface "
		       "IF or --port DEV");
		return -EINVAL;
	case 1: break;
	default:
		zb_err("run: more than one kind of traffic; give one of --pcap, --synth, --iface "
		       "and --port");
		return -EINVAL;
	}
	ret = check_fit(zb_job_is_live(j), o->iface.nr != 0);
	if (ret == 0 && o->capture_worst != 0 && !o->same_flows && zb_job_loops(j) != 1) {
		zb_err("--capture-worst: further passes have other addresses; give --same-flows");
		ret = -EINVAL;
	}
	if (ret == 0)
		ret = check_user(o);
	if (ret == 0)
		ret = zb_job_check_synth(j);
	if (ret == 0)
		ret = check_list("iface", &o->iface, ZB_IFACES_MAX);
	if (ret == 0)
		ret = check_list("port", &o->port, ZB_PORTS_MAX);
	if (ret == 0 && o->user != NULL)
		ret = zb_user_find(o->user);
	if (ret == 0 && o->filter != NULL)
		ret = zb_filter_compile(o->filter, &j->filter);
	return ret;
}

static int open_pcap(struct zb_run_job *j)
{
	struct zb_pcap_conf conf = {
		.names = j->conf->iface.v,
		.name_nr = j->conf->iface.nr,
		.ring_bytes = j->conf->ring_size,
		.promiscuous = true,
		.stop = &j->live_stop,
	};

	if (j->place.worker_nr > 1) {
		zb_err("--iface %s: libpcap serves one worker only; give one of --cores",
		       j->conf->iface.v[0]);
		return -EINVAL;
	}
	return zb_pcap_open(&conf, &j->source);
}

static int open_ifaces(struct zb_run_job *j)
{
	struct zb_iface_conf conf = {
		.names = j->conf->iface.v,
		.name_nr = j->conf->iface.nr,
		.queue_nr = j->place.worker_nr,
		.ring_bytes = j->conf->ring_size,
		.fanout = (enum zb_fanout)j->conf->fanout,
		.promiscuous = true,
		.stop = &j->live_stop,
	};

	for (unsigned i = 0; i < conf.name_nr; i++)
		if (zb_pcap_wanted(conf.names[i]))
			return open_pcap(j);
	int ret = zb_iface_open(&conf, &j->source);

	if (ret != -EPROTONOSUPPORT)
		return ret;
	zb_warn("--iface %s: AF_PACKET's ring cannot have it; it is read by libpcap, which is "
		"slower",
		conf.names[0]);
	return open_pcap(j);
}

static int open_ports(struct zb_run_job *j)
{
	struct zb_port_conf conf = {
		.names = j->conf->port.v,
		.name_nr = j->conf->port.nr,
		.queue_nr = j->place.worker_nr,
		.rx_desc = (uint32_t)j->conf->rx_desc,
		.worker_cpus = j->place.worker_cpu,
		.spreader_cpus = &j->feeder_cpus,
		.promiscuous = true,
		.stop = &j->live_stop,
	};

	return zb_port_open(&conf, &j->source);
}

int zb_job_open_live(struct zb_run_job *j)
{
	int ret = j->conf->iface.nr != 0 ? open_ifaces(j) : open_ports(j);

	if (ret == 0)
		ret = zb_privileges_drop(&(struct zb_privileges){
			.user = j->conf->user,
			.dir = j->out.path,
			.sampling = j->conf->sample_hz != 0,
			.ports = j->conf->port.nr != 0,
		});
	return ret;
}

void zb_job_note_live(struct zb_run_job *j)
{
	for (unsigned i = 0; i < j->pass.device_nr; i++) {
		const struct zb_source_device *d = &j->pass.devices[i];

		if (d->dropped_pkts != 0)
			zb_job_note(j,
				    "%s: %" PRIu64 " of %" PRIu64
				    " packets (%.3f %%) were dropped for want of room: the workers "
				    "were too slow",
				    d->name, d->dropped_pkts, d->device_pkts,
				    100.0 * (double)d->dropped_pkts / (double)d->device_pkts);
		if (zb_device_residual(d) != 0)
			zb_job_note(j,
				    "%s: %" PRId64
				    " packets that the device counted were not read from it",
				    d->name, zb_device_residual(d));
		if (d->went_down)
			zb_job_note(j, "%s: it went down during the run", d->name);
		if (d->note[0] != '\0')
			zb_job_note(j, "%s: %s", d->name, d->note);
	}
}
