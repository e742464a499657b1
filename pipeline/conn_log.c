/* SPDX-License-Identifier: Apache-2.0 */
/* conn_log.c - conn.log: fields, and how their values come from the state (Zeek 8: 22 columns) */
#include <netinet/in.h>

#include "pipeline/conn_log.h"
#include "pipeline/local_net.h"
#include "pipeline/tcp_conn.h"
#include "pipeline/row_id.h"
#include "pipeline/session.h"
#include "pipeline/tunnel.h"

#define SERVICE_BYTES (ZB_SERVICES_MAX * 16)

static const struct zb_row_field conn_fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"proto", ZB_T_ENUM},
	{"service", ZB_T_STRING},
	{"duration", ZB_T_INTERVAL},
	{"orig_bytes", ZB_T_COUNT},
	{"resp_bytes", ZB_T_COUNT},
	{"conn_state", ZB_T_STRING},
	{"local_orig", ZB_T_BOOL},
	{"local_resp", ZB_T_BOOL},
	{"missed_bytes", ZB_T_COUNT},
	{"history", ZB_T_STRING},
	{"orig_pkts", ZB_T_COUNT},
	{"orig_ip_bytes", ZB_T_COUNT},
	{"resp_pkts", ZB_T_COUNT},
	{"resp_ip_bytes", ZB_T_COUNT},
	{"tunnel_parents", ZB_T_SET_STRING},
	{"ip_proto", ZB_T_COUNT},
};
const struct zb_row_def zb_conn_log_def = {
	.path = "conn",
	.fields = conn_fields,
	.field_nr = sizeof(conn_fields) / sizeof(conn_fields[0]),
};

static void put_word(struct zb_row *r, const char *s)
{
	zb_row_word(r, s, strlen(s));
}

static const char *proto_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: return "icmp";
	default: return "unknown_transport";
	}
}

static const char *state_of(const struct zb_conn *c)
{
	bool o = c->end[ZB_ORIG].hist & ZB_HIST_ACTIVE, r = c->end[ZB_RESP].hist & ZB_HIST_ACTIVE;

	if (c->key.proto == IPPROTO_TCP)
		return zb_tcp_conn_state(c);
	if (c->key.proto != IPPROTO_UDP)
		return "OTH";
	return o ? r ? "SF" : "S0" : r ? "SHR" : "OTH";
}

/* The services found, joined by commas. */
static void put_service(struct zb_row *r, const struct zb_session *s)
{
	char text[SERVICE_BYTES];
	size_t n = 0;

	for (unsigned i = 0; s != NULL && i < s->service_nr; i++) {
		size_t len = strlen(s->service[i]);

		assert(n + len < sizeof(text));
		if (n != 0)
			text[n++] = ',';
		memcpy(text + n, s->service[i], len);
		n += len;
	}
	if (n != 0)
		zb_row_word(r, text, n);
	else
		zb_row_unset(r);
}

void zb_conn_log_row(struct zb_log_port *port, const struct zb_conn *c, uint64_t secret)
{
	/* Zeek's clock is in microseconds; both ends are cut to it before they are subtracted. */
	uint64_t first_us = c->first_ns / 1000, last_us = c->last_ns / 1000;
	const struct zb_session *s = zb_session_of(c);
	struct zb_row r;

	if (!zb_log_row(port,
			ZB_ROW_ID_BYTES + SERVICE_BYTES + 64 + c->history_len +
				ZB_TUNNEL_PARENTS_BYTES,
			&r))
		return;
	zb_row_time(&r, c->first_ns);
	zb_row_id(&r, c, secret);
	put_word(&r, proto_name(c->key.proto));
	put_service(&r, s);
	if (last_us > first_us) {
		zb_row_interval(&r, (int64_t)(last_us - first_us) * 1000);
		zb_row_count(&r, zb_conn_size(c, ZB_ORIG));
		zb_row_count(&r, zb_conn_size(c, ZB_RESP));
	} else {
		zb_row_unset(&r);
		zb_row_unset(&r);
		zb_row_unset(&r);
	}
	put_word(&r, state_of(c));
	zb_row_bool(&r, zb_local_net(zb_conn_addr(c, ZB_ORIG), c->key.ip_version));
	zb_row_bool(&r, zb_local_net(zb_conn_addr(c, ZB_RESP), c->key.ip_version));
	zb_row_count(&r, s != NULL ? s->half[ZB_ORIG].missed + s->half[ZB_RESP].missed : 0);
	if (c->history_len != 0)
		zb_row_word(&r, zb_conn_history(c), c->history_len);
	else
		zb_row_unset(&r);
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++) {
		zb_row_count(&r, c->end[side].pkts);
		zb_row_count(&r, c->end[side].ip_bytes);
	}
	zb_tunnel_put_parents(&r, c, secret);
	zb_row_count(&r, c->key.proto);
	zb_log_commit(port, &r);
}
