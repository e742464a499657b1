/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_zeek.c - zeek_*: the families of Zeek 8 that dashboards for it look at
 *
 * What Zeek has one of per process has one sample per lcore here, with the label that tells the
 * processes of a cluster apart. What the engine has nothing of (its own DNS look-ups, triggers,
 * Broker) is there and 0, as in prof.log. There is no zeek_version_info: this is not Zeek.
 */
#include "profiler/metrics_priv.h"

#define OFFSET(member)	offsetof(struct zb_lcore_stat, member)
#define COUNTER_OF(c_)	OFFSET(c[ZB_C_##c_])
#define GAUGE_OF(g_)	OFFSET(g[ZB_G_##g_])
#define LANE_LABELS_MAX 6

static uint64_t value_at(const struct zb_lcore_stat *st, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)st + offset);
}

/* Labels of a sample: those given, then which lcore, unless one is all. */
static unsigned with_node(const struct zb_metrics_view *v, const char *node,
			  struct zb_metric_label *labels, unsigned nr)
{
	if (!v->whole)
		labels[nr++] = (struct zb_metric_label){"node", node};
	return nr;
}

/* ---- one number per lcore ---- */

struct plain {
	struct zb_metric_family family;
	size_t offset;
	bool is_ns; /* shown in seconds */
};

static void plain(const struct zb_metrics_view *v, struct zb_metric_sink *s, const struct plain *p)
{
	s->family(s, &p->family);
	for (unsigned i = 0; i < v->lane_nr; i++) {
		uint64_t n = value_at(&v->lanes[i].stat, p->offset);
		struct zb_metric_label l[LANE_LABELS_MAX];
		unsigned nr = with_node(v, v->lanes[i].node, l, 0);

		if (p->is_ns)
			zb_metric_real(s, (double)n / 1e9, l, nr);
		else
			zb_metric_count(s, n, l, nr);
	}
}

static const struct plain net[] = {
	{{"zeek_net_received_bytes", "bytes", "Total number of bytes received", ZB_METRIC_COUNTER},
	 COUNTER_OF(bytes_recv),
	 false},
	{{"zeek_net_received_packets", NULL, "Total number of packets received", ZB_METRIC_COUNTER},
	 COUNTER_OF(pkts_proc),
	 false},
	{{"zeek_net_dropped_packets", NULL, "Total number of packets dropped", ZB_METRIC_COUNTER},
	 COUNTER_OF(pkts_dropped),
	 false},
	{{"zeek_net_link_packets", NULL,
	  "Total number of packets on the packet source link before filtering", ZB_METRIC_COUNTER},
	 COUNTER_OF(pkts_link),
	 false},
	{{"zeek_net_filtered_packets", NULL, "Total number of packets filtered", ZB_METRIC_COUNTER},
	 COUNTER_OF(pkts_filtered),
	 false},
	{{"zeek_net_packet_lag_seconds", "seconds",
	  "Difference of network time and wallclock time in seconds.", ZB_METRIC_GAUGE},
	 OFFSET(lag_ns),
	 true},
	{{"zeek_net_timestamp_seconds", "seconds", "The current network time.", ZB_METRIC_GAUGE},
	 OFFSET(net_time_ns),
	 true},
};

static const struct plain timers[] = {
	{{"zeek_timers", NULL, "Cumulative number of timers", ZB_METRIC_COUNTER},
	 COUNTER_OF(timers),
	 false},
	{{"zeek_timers_lag_time_seconds", "seconds",
	  "Lag between current network time and last expired timer", ZB_METRIC_GAUGE},
	 OFFSET(timer_lag_ns),
	 true},
};

/* ---- one number per lcore and kind ---- */

struct kind {
	const char *value; /* of the label */
	size_t offset;
};

struct kinds {
	struct zb_metric_family family;
	const char *label;
	const struct kind *kinds;
	unsigned kind_nr;
};

static void kinds(const struct zb_metrics_view *v, struct zb_metric_sink *s, const struct kinds *k)
{
	s->family(s, &k->family);
	for (unsigned i = 0; i < v->lane_nr; i++) {
		for (unsigned j = 0; j < k->kind_nr; j++) {
			struct zb_metric_label l[LANE_LABELS_MAX] = {{k->label, k->kinds[j].value}};
			unsigned nr = with_node(v, v->lanes[i].node, l, 1);

			zb_metric_count(s, value_at(&v->lanes[i].stat, k->kinds[j].offset), l, nr);
		}
	}
}

#define NR_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct kind active_kinds[] = {
	{"tcp", GAUGE_OF(active_tcp_conns)},
	{"udp", GAUGE_OF(active_udp_conns)},
	{"icmp", GAUGE_OF(active_icmp_conns)},
};
static const struct kind total_kinds[] = {
	{"tcp", COUNTER_OF(tcp_conns)},
	{"udp", COUNTER_OF(udp_conns)},
	{"icmp", COUNTER_OF(icmp_conns)},
};
static const struct kind ended_kinds[] = {{"inactivity", COUNTER_OF(conns_expired)}};

#define TIMER_KIND(name, zeek) {zeek, OFFSET(timer[ZB_TIMER_##name])},
static const struct kind timer_kinds[] = {ZB_TIMER_LIST(TIMER_KIND)};

static const struct kinds by_kind[] = {
	{{"zeek_active_sessions", NULL, "Active Zeek Sessions", ZB_METRIC_GAUGE},
	 "protocol",
	 active_kinds,
	 NR_OF(active_kinds)},
	{{"zeek_total_sessions", NULL, "Total number of sessions", ZB_METRIC_COUNTER},
	 "protocol",
	 total_kinds,
	 NR_OF(total_kinds)},
	{{"zeek_ended_sessions", NULL, "Number of sessions ended for specific reasons",
	  ZB_METRIC_COUNTER},
	 "reason",
	 ended_kinds,
	 NR_OF(ended_kinds)},
	{{"zeek_timers_pending", NULL, "Number of timers for a certain type", ZB_METRIC_GAUGE},
	 "type",
	 timer_kinds,
	 NR_OF(timer_kinds)},
};

/* ---- events: those of stats.log that are told apart ---- */

static void events(const struct zb_metrics_view *v, struct zb_metric_sink *s)
{
	static const struct zb_metric_family f = {
		"zeek_event_handler_invocations", NULL,
		"Number of times the given event handler was called", ZB_METRIC_COUNTER};

	s->family(s, &f);
	for (unsigned i = 0; i < v->lane_nr; i++) {
		const uint64_t *c = v->lanes[i].stat.c, *g = v->lanes[i].stat.g;
		uint64_t created = c[ZB_C_tcp_conns] + c[ZB_C_udp_conns] + c[ZB_C_icmp_conns] +
				   c[ZB_C_other_conns];
		uint64_t active = g[ZB_G_active_tcp_conns] + g[ZB_G_active_udp_conns] +
				  g[ZB_G_active_icmp_conns] + g[ZB_G_active_other_conns];
		const struct {
			const char *name;
			uint64_t n;
		} event[] = {
			{"new_connection", created},
			{"connection_state_remove", created - active},
			{"file_new", c[ZB_C_files]},
			{"file_state_remove", c[ZB_C_files] - g[ZB_G_active_files]},
			{"dns_request", c[ZB_C_dns_requests]},
		};

		for (unsigned j = 0; j < NR_OF(event); j++) {
			struct zb_metric_label l[LANE_LABELS_MAX] = {{"name", event[j].name}};

			zb_metric_count(s, event[j].n, l, with_node(v, v->lanes[i].node, l, 1));
		}
	}
}

/* ---- logs ---- */

/* Labels by name, as Zeek sorts them: those of the writer, or of the stream alone. */
static unsigned log_labels(const struct zb_metrics_log *log, bool writer, struct zb_metric_label *l)
{
	unsigned n = 0;

	if (writer)
		l[n++] = (struct zb_metric_label){"filter_name", "default"};
	l[n++] = (struct zb_metric_label){"module", log->module};
	if (writer)
		l[n++] = (struct zb_metric_label){"path", log->path};
	l[n++] = (struct zb_metric_label){"stream", log->stream};
	if (writer)
		l[n++] = (struct zb_metric_label){"writer", "Log::WRITER_ASCII"};
	return n;
}

static void log_sample(const struct zb_metrics_view *v, struct zb_metric_sink *s, unsigned log,
		       bool writer, const char *node, uint64_t rows)
{
	struct zb_metric_label l[LANE_LABELS_MAX];
	unsigned nr;

	if (rows == 0 || v->logs[log].module == NULL)
		return; /* Zeek has no sample of a log without rows */
	nr = log_labels(&v->logs[log], writer, l);
	zb_metric_count(s, rows, l, with_node(v, node, l, nr));
}

static void log_writes(const struct zb_metrics_view *v, struct zb_metric_sink *s, bool writer)
{
	for (unsigned log = 0; log < ZB_LOG_STREAMS_MAX; log++) {
		if (v->whole) { /* the reporter's rows are of the whole, too */
			log_sample(v, s, log, writer, NULL,
				   v->lanes[0].stat.log_rows[log] + v->own.log_rows[log]);
			continue;
		}
		for (unsigned i = 0; i < v->lane_nr; i++)
			log_sample(v, s, log, writer, v->lanes[i].node,
				   v->lanes[i].stat.log_rows[log]);
		log_sample(v, s, log, writer, "zbench", v->own.log_rows[log]);
	}
}

static void logs(const struct zb_metrics_view *v, struct zb_metric_sink *s)
{
	static const struct zb_metric_family stream = {
		"zeek_log_stream_writes", NULL, "Total number of log writes for the given stream.",
		ZB_METRIC_COUNTER};
	static const struct zb_metric_family writer = {
		"zeek_log_writer_writes", NULL,
		"Total number of log writes passed to a concrete log writer not vetoed by stream "
		"or filter policies.",
		ZB_METRIC_COUNTER};

	s->family(s, &stream);
	log_writes(v, s, false);
	s->family(s, &writer);
	log_writes(v, s, true);
}

/* ---- the process ---- */

static void one(struct zb_metric_sink *s, const char *name, enum zb_metric_kind kind,
		const char *help, uint64_t v)
{
	s->family(s, &(struct zb_metric_family){name, NULL, help, kind});
	zb_metric_count(s, v, NULL, 0);
}

/* There is one thread that messages are sent to, buffers of rows: the log writer. */
static void threads(const struct zb_metrics_view *v, struct zb_metric_sink *s)
{
	const struct zb_metrics_own *o = &v->own;

	one(s, "zeek_msgthread_active_threads", ZB_METRIC_GAUGE, "Number of active threads", 1);
	one(s, "zeek_msgthread_threads", ZB_METRIC_COUNTER, "Total number of threads", 1);
	one(s, "zeek_msgthread_in_messages", ZB_METRIC_COUNTER,
	    "Number of inbound messages received", o->buffers_handed);
	one(s, "zeek_msgthread_out_messages", ZB_METRIC_COUNTER, "Number of outbound messages sent",
	    0);
	one(s, "zeek_msgthread_pending_in_messages", ZB_METRIC_GAUGE,
	    "Pending number of inbound messages", o->buffers_pending);
	one(s, "zeek_msgthread_pending_out_messages", ZB_METRIC_GAUGE,
	    "Pending number of outbound messages", 0);
}

static void nothing_of_the_kind(struct zb_metric_sink *s)
{
	static const struct {
		const char *name, *help;
		enum zb_metric_kind kind;
	} none[] = {
		{"zeek_dnsmgr_requests", "Total number of requests through DNS_Mgr",
		 ZB_METRIC_COUNTER},
		{"zeek_dnsmgr_successful_requests",
		 "Total number of successful requests through DNS_Mgr", ZB_METRIC_COUNTER},
		{"zeek_dnsmgr_failed_requests", "Total number of failed requests through DNS_Mgr",
		 ZB_METRIC_COUNTER},
		{"zeek_dnsmgr_pending_asyncs_requests",
		 "Number of pending async requests through DNS_Mgr", ZB_METRIC_GAUGE},
		{"zeek_triggers", "Total number of triggers scheduled", ZB_METRIC_COUNTER},
		{"zeek_pending_triggers", "Pending number of triggers", ZB_METRIC_GAUGE},
		{"zeek_broker_peers", "Current number of peers connected via broker",
		 ZB_METRIC_GAUGE},
		{"zeek_broker_stores", "Current number of stores connected via broker",
		 ZB_METRIC_GAUGE},
		{"zeek_broker_pending_queries", "Current number of pending broker queries",
		 ZB_METRIC_GAUGE},
		{"zeek_broker_incoming_events", "Total number of incoming events via broker",
		 ZB_METRIC_COUNTER},
		{"zeek_broker_outgoing_events", "Total number of outgoing events via broker",
		 ZB_METRIC_COUNTER},
		{"zeek_broker_incoming_logs", "Total number of incoming logs via broker",
		 ZB_METRIC_COUNTER},
		{"zeek_broker_outgoing_logs", "Total number of outgoing logs via broker",
		 ZB_METRIC_COUNTER},
		{"zeek_broker_incoming_ids", "Total number of incoming ids via broker",
		 ZB_METRIC_COUNTER},
		{"zeek_broker_outgoing_ids", "Total number of outgoing ids via broker",
		 ZB_METRIC_COUNTER},
	};

	for (unsigned i = 0; i < NR_OF(none); i++)
		one(s, none[i].name, none[i].kind, none[i].help, 0);
}

void zb_metrics_emit_zeek(const struct zb_metrics_view *v, struct zb_metric_sink *s)
{
	for (unsigned i = 0; i < NR_OF(net); i++)
		plain(v, s, &net[i]);
	logs(v, s);
	events(v, s);
	for (unsigned i = 0; i < NR_OF(by_kind); i++)
		kinds(v, s, &by_kind[i]);
	for (unsigned i = 0; i < NR_OF(timers); i++)
		plain(v, s, &timers[i]);
	threads(v, s);
	nothing_of_the_kind(s);
}
