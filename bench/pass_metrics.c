/* SPDX-License-Identifier: Apache-2.0 */
/* pass_metrics.c - what a pass has to say at /metrics, and in metrics.prom when it is over */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pass_priv.h"
#include "profiler/diag.h"

/* Zeek's names of the logs that it has, too. */
static const struct {
	const char *module, *stream;
} zeek_log[ZB_LOG_NR] = {
	[ZB_LOG_CONN] = {"Conn", "Conn::LOG"},
	[ZB_LOG_DNS] = {"DNS", "DNS::LOG"},
	[ZB_LOG_HTTP] = {"HTTP", "HTTP::LOG"},
	[ZB_LOG_SSL] = {"SSL", "SSL::LOG"},
	[ZB_LOG_SMTP] = {"SMTP", "SMTP::LOG"},
	[ZB_LOG_FILES] = {"Files", "Files::LOG"},
	[ZB_LOG_FTP] = {"FTP", "FTP::LOG"},
	[ZB_LOG_SSH] = {"SSH", "SSH::LOG"},
	[ZB_LOG_NTP] = {"NTP", "NTP::LOG"},
	[ZB_LOG_DHCP] = {"DHCP", "DHCP::LOG"},
	[ZB_LOG_TUNNEL] = {"Tunnel", "Tunnel::LOG"},
	[ZB_LOG_KNOWN_HOSTS] = {"Known", "Known::HOSTS_LOG"},
	[ZB_LOG_KNOWN_SERVICES] = {"Known", "Known::SERVICES_LOG"},
	[ZB_LOG_WEIRD] = {"Weird", "Weird::LOG"},
	[ZB_LOG_STATS] = {"Stats", "Stats::LOG"},
	[ZB_LOG_TELEMETRY] = {"Telemetry", "Telemetry::LOG"},
};

/* What the reporter knows that is in no snapshot. */
static void own_figures(void *arg, struct zb_metrics_own *own)
{
	const struct zb_pass *p = arg;

	memset(own, 0, sizeof(*own));
	for (uint16_t i = 0; i < ZB_LOG_NR; i++) {
		struct zb_log_port *port = zb_log_port(p->logs, i, (uint16_t)p->worker_nr);
		struct zb_log_port_stat st = {0};

		if (port != NULL)
			zb_log_port_stat(port, &st);
		own->log_rows[i] = st.rows;
	}
	zb_log_set_load(p->logs, &own->buffers_handed, &own->buffers_pending);
	own->has_heap = zb_heap_total_stat(&own->heap) == 0;
}

static int open_telemetry(struct zb_pass *p, const struct zb_metrics_log *logs)
{
	struct zb_telemetry_conf conf = {
		.port = zb_log_port(p->logs, ZB_LOG_TELEMETRY, (uint16_t)p->worker_nr),
		.lcore_nr = p->worker_nr,
		.stats_interval_s = p->conf->stats_interval_s,
		.own = own_figures,
		.arg = p,
	};

	if (conf.port == NULL)
		return 0;
	memcpy(conf.logs, logs, sizeof(conf.logs));
	return zb_telemetry_create(&conf, &p->telemetry);
}

int zb_pass_metrics_open(struct zb_pass *p)
{
	unsigned ids[ZB_CPUS_MAX];
	struct zb_metrics_conf conf = {.lcore_ids = ids,
				       .lcore_nr = p->worker_nr,
				       .tsc_hz = p->conf->tsc_hz};
	int ret;

	_Static_assert((int)ZB_LOG_NR <= ZB_LOG_STREAMS_MAX, "each log has its place");
	for (unsigned i = 0; i < p->worker_nr; i++)
		ids[i] = p->conf->place->worker_cpu[i];
	for (unsigned i = 0; i < ZB_LOG_NR; i++)
		if (p->conf->stream_on[i])
			conf.logs[i] =
				(struct zb_metrics_log){zb_log_stream_name[i], zeek_log[i].module,
							zeek_log[i].stream};
	ret = open_telemetry(p, conf.logs);
	if (ret == 0)
		ret = zb_metrics_create(&conf, &p->metrics);
	if (ret == 0 && p->conf->metrics_fd >= 0)
		ret = zb_metrics_http_start(p->conf->metrics_fd, p->metrics, &p->http);
	if (ret < 0)
		zb_err("--metrics: %s", strerror(-ret));
	return ret;
}

void zb_pass_metrics_take(struct zb_pass *p, unsigned i, const struct zb_snapshot *snap)
{
	zb_metrics_take(p->metrics, i, &snap->stat, snap->wall_ns);
	if (p->telemetry != NULL)
		zb_telemetry_take(p->telemetry, i, snap);
}

static void take_own(struct zb_pass *p)
{
	struct zb_metrics_own own;

	own_figures(p, &own);
	zb_metrics_own(p->metrics, &own);
}

static void arenas(struct zb_pass *p)
{
	struct zb_heap_stat stat[ZB_CPUS_MAX];
	unsigned index[ZB_CPUS_MAX];

	for (unsigned i = 0; i < p->worker_nr; i++) {
		if (!__atomic_load_n(&p->worker[i].ready, __ATOMIC_ACQUIRE) ||
		    !p->worker[i].has_arena)
			return;
		index[i] = p->worker[i].arena;
	}
	if (zb_heap_arena_stats(index, p->worker_nr, stat) < 0)
		return;
	for (unsigned i = 0; i < p->worker_nr; i++)
		zb_metrics_arena(p->metrics, i, &stat[i]);
}

void zb_pass_metrics_poll(struct zb_pass *p)
{
	if (p->http == NULL)
		return; /* nobody can ask */
	take_own(p);
	arenas(p);
}

static void write_file(const struct zb_pass *p)
{
	char path[PATH_MAX], *text = NULL;
	size_t len = 0;
	FILE *f;
	int ret = zb_metrics_text(p->metrics, ZB_METRICS_TEXT, &text, &len);
	bool bad;

	snprintf(path, sizeof(path), "%s/metrics.prom", p->conf->dir);
	if (ret < 0) {
		zb_warn("%s: %s", path, strerror(-ret));
		return;
	}
	f = fopen(path, "we");
	bad = f == NULL || fwrite(text, 1, len, f) != len;
	if (f != NULL && fclose(f) != 0)
		bad = true;
	if (bad)
		zb_warn("%s: %s", path, strerror(errno));
	free(text);
}

void zb_pass_metrics_close(struct zb_pass *p)
{
	if (p->metrics == NULL)
		return;
	/* Each worker's last snapshot is there; of its arena, what it was while all state stood. */
	for (unsigned i = 0; i < p->worker_nr; i++)
		if (p->result->lcore[i].has_arena)
			zb_metrics_arena(p->metrics, i, &p->result->lcore[i].arena);
	take_own(p);
	zb_metrics_http_fresh(p->http);
	if (p->conf->dir != NULL)
		write_file(p);
	zb_metrics_http_stop(p->http);
	zb_metrics_destroy(p->metrics);
}
