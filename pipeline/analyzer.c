/* SPDX-License-Identifier: Apache-2.0 */
/* analyzer.c - what analyzers may ask for; see analyzer.h */
#include <netinet/in.h>
#include <string.h>

#include "pipeline/branch.h"
#include "pipeline/known.h"
#include "pipeline/meter.h"
#include "pipeline/row_id.h"

/* Zeek: DPD::ignore_violations_after */
#define VIOLATIONS_UNTIL 10240

static struct zb_session *session_of(const struct zb_analyzer *a)
{
	return a->branch->session;
}

struct zb_analysis *zb_analyzer_analysis(const struct zb_analyzer *a)
{
	return session_of(a)->an;
}

struct zb_conn *zb_analyzer_conn(const struct zb_analyzer *a)
{
	return session_of(a)->conn;
}

uint64_t zb_analyzer_now_ns(const struct zb_analyzer *a)
{
	return session_of(a)->an->now_ns;
}

bool zb_analyzer_is_partial(const struct zb_analyzer *a)
{
	return session_of(a)->conn->traits & ZB_TRAIT_PARTIAL;
}

/* False: it is there already, or there is no room. */
static bool add_service(struct zb_session *s, const char *name)
{
	for (unsigned i = 0; i < s->service_nr; i++)
		if (strcmp(s->service[i], name) == 0)
			return false;
	if (s->service_nr == ZB_SERVICES_MAX)
		return false;
	s->service[s->service_nr++] = name;
	return true;
}

void zb_session_remove_service(struct zb_session *s, const char *name)
{
	for (unsigned i = 0; i < s->service_nr; i++) {
		if (strcmp(s->service[i], name) != 0)
			continue;
		s->service_nr--;
		memmove(&s->service[i], &s->service[i + 1],
			(s->service_nr - i) * sizeof(s->service[0]));
		return;
	}
}

void zb_analyzer_confirm(struct zb_analyzer *a)
{
	if (a->flags & ZB_ANALYZER_CONFIRMED)
		return;
	a->flags |= ZB_ANALYZER_CONFIRMED;
	add_service(session_of(a), a->def->name);
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_branch_settle(a->branch);
	zb_known_service(zb_analyzer_analysis(a)->known, session_of(a));
}

bool zb_analyzer_violate(struct zb_analyzer *a)
{
	const struct zb_conn *c = zb_analyzer_conn(a);
	uint64_t bytes = zb_conn_size(c, ZB_ORIG) + zb_conn_size(c, ZB_RESP);

	zb_analysis_event(zb_analyzer_analysis(a));
	if (bytes > VIOLATIONS_UNTIL)
		return false;
	a->flags |= ZB_ANALYZER_REMOVED;
	zb_session_remove_service(session_of(a), a->def->name);
	return true;
}

void zb_analyzer_done(struct zb_analyzer *a)
{
	a->flags |= ZB_ANALYZER_REMOVED;
}

void zb_session_add_service(struct zb_session *s, const char *name)
{
	if (!add_service(s, name))
		return;
	zb_analysis_event(s->an);
	zb_known_service(s->an->known, s);
}

void zb_analyzer_add_service(struct zb_analyzer *a, const char *name)
{
	zb_session_add_service(session_of(a), name);
}

void zb_analyzer_weird(struct zb_analyzer *a, enum zb_weird_name name, const char *addl)
{
	zb_weird_conn(zb_analyzer_analysis(a)->weird, zb_analyzer_conn(a), name, addl);
}

/*
 * When the first datagram swaps the roles, Zeek takes it for the new originator's: it has noted who
 * sent it, and counts it afterwards.
 */
static void flip_first_datagram(struct zb_conn *c)
{
	struct zb_endpoint e = c->end[0];

	zb_conn_flip(c);
	c->end[1] = c->end[0];
	c->end[0] = e;
}

void zb_analyzer_flip_conn(struct zb_analyzer *a)
{
	struct zb_session *s = session_of(a);
	const struct zb_endpoint *e = s->conn->end;

	if (s->conn->key.proto == IPPROTO_UDP && e[0].pkts + e[1].pkts == 1)
		flip_first_datagram(s->conn);
	else
		zb_conn_flip(s->conn);
	zb_session_flip(s);
}

struct zb_analyzer *zb_analyzer_attach(struct zb_analyzer *a, enum zb_analyzer_id id)
{
	return zb_branch_attach(a->branch, id);
}

void zb_analyzer_feed(struct zb_analyzer *to, unsigned side, const uint8_t *d, size_t n)
{
	bool was_busy = to->branch->busy;

	if (n == 0 || to->flags & ZB_ANALYZER_REMOVED || to->def->data == NULL)
		return;
	to->branch->busy = true;
	uint8_t was = zb_meter_enter(zb_analyzer_analysis(to), ZB_METER_ANALYZERS + to->id);

	zb_meter_data(zb_analyzer_analysis(to), to->id, n);
	to->def->data(to, side, d, n);
	zb_meter_leave(zb_analyzer_analysis(to), was);
	to->branch->busy = was_busy;
	zb_branch_sweep(to->branch);
}

bool zb_analyzer_row(struct zb_analyzer *a, enum zb_log_stream stream, uint64_t ts_ns,
		     size_t string_bytes, struct zb_row *r)
{
	const struct zb_analysis *an = zb_analyzer_analysis(a);

	if (an->port[stream] == NULL ||
	    !zb_log_row(an->port[stream], string_bytes + ZB_ROW_ID_BYTES, r))
		return false;
	if (an->metering)
		an->meter->row_was = zb_meter_switch(an->meter, (uint8_t)(ZB_METER_ROWS + stream));
	zb_row_time(r, ts_ns);
	zb_row_id(r, zb_analyzer_conn(a), an->secret);
	return true;
}

void zb_analyzer_row_end(struct zb_analyzer *a, enum zb_log_stream stream, struct zb_row *r)
{
	const struct zb_analysis *an = zb_analyzer_analysis(a);

	zb_log_commit(an->port[stream], r);
	if (an->metering)
		zb_meter_switch(an->meter, an->meter->row_was);
}
