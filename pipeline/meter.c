/* SPDX-License-Identifier: Apache-2.0 */
/* meter.c - see meter.h */
#include "pipeline/meter.h"

#include <string.h>
#include <rte_cycles.h>

#include "pipeline/conn.h"

#define NAME_A(name) [ZB_METER_A_##name] = #name,
static const char *const name_of[ZB_METER_NR] = {
	[ZB_METER_CONN] = "conn",
	[ZB_METER_STREAM] = "stream",
	[ZB_METER_FILES] = "files",
	[ZB_METER_EXPIRE] = "expire",
	[ZB_METER_LOG] = "log",
	[ZB_METER_ROWS + ZB_LOG_CONN] = "conn.log",
	[ZB_METER_ROWS + ZB_LOG_DNS] = "dns.log",
	[ZB_METER_ROWS + ZB_LOG_HTTP] = "http.log",
	[ZB_METER_ROWS + ZB_LOG_SSL] = "ssl.log",
	[ZB_METER_ROWS + ZB_LOG_SMTP] = "smtp.log",
	[ZB_METER_ROWS + ZB_LOG_FILES] = "files.log",
	[ZB_METER_ROWS + ZB_LOG_FTP] = "ftp.log",
	[ZB_METER_ROWS + ZB_LOG_SSH] = "ssh.log",
	[ZB_METER_ROWS + ZB_LOG_NTP] = "ntp.log",
	[ZB_METER_ROWS + ZB_LOG_DHCP] = "dhcp.log",
	[ZB_METER_ROWS + ZB_LOG_TUNNEL] = "tunnel.log",
	[ZB_METER_ROWS + ZB_LOG_KNOWN_HOSTS] = "known_hosts.log",
	[ZB_METER_ROWS + ZB_LOG_KNOWN_SERVICES] = "known_services.log",
	[ZB_METER_ROWS + ZB_LOG_WEIRD] = "weird.log",
	ZB_ANALYZER_LIST(NAME_A)};

const char *zb_meter_place_name(unsigned place)
{
	return place < ZB_METER_NR ? name_of[place] : NULL;
}

/* All cycles up to now are the place's, and the connection's, that was at work. */
static void charge(struct zb_meter *m)
{
	uint64_t now = rte_rdtsc(), cycles = now - m->since;

	m->since = now;
	if (!zb_own_time_undisturbed()) {
		uint64_t lost = zb_own_time_lost(&m->own, m->tsc_hz);

		m->disturbed++;
		if (m->watch != NULL)
			m->watch->seen = true;
		cycles -= lost < cycles ? lost : cycles;
		m->since = rte_rdtsc();
	}
	m->cycles += cycles;
	if (m->at >= ZB_METER_ANALYZERS && cycles > m->longest[m->at - ZB_METER_ANALYZERS])
		m->longest[m->at - ZB_METER_ANALYZERS] = cycles;
	cycles *= m->weight;
	m->sum[m->at] += cycles;
	if (m->has_flow)
		m->turn[m->turn_now].cycles += cycles;
}

uint8_t zb_meter_switch(struct zb_meter *m, uint8_t place)
{
	uint8_t was = m->at;

	charge(m);
	m->at = place;
	return was;
}

static void add_host(struct zb_sketch *s, const uint8_t addr[16], uint8_t ip_version,
		     uint64_t cycles)
{
	uint8_t key[ZB_SKETCH_KEY] = {0};

	memcpy(key, addr, 16);
	key[16] = ip_version;
	zb_sketch_add(s, XXH3_64bits(key, 17), key, cycles);
}

static void add_flow(struct zb_meter *m, const struct zb_meter_flow *f, uint64_t cycles)
{
	bool orig_is_a = f->uid_seq_orig & 1;
	uint8_t key[ZB_SKETCH_KEY];

	memcpy(key, f, sizeof(key));
	uint64_t hash = XXH3_64bits(key, sizeof(key));

	zb_sketch_add(&m->flows, hash, key, cycles);
	zb_sketch_add(&m->recent, hash, key, cycles);
	add_host(&m->originators, orig_is_a ? f->key.a : f->key.b, f->key.ip_version, cycles);
	add_host(&m->responders, orig_is_a ? f->key.b : f->key.a, f->key.ip_version, cycles);
}

/* Those of a burst are few and come again and again: each goes to the sketches once. */
static uint16_t *slot_of(struct zb_meter *m, uint64_t id)
{
	return &m->slot[id * 0x9e3779b97f4a7c15u >> 56];
}

void zb_meter_set_flow(struct zb_meter *m, const struct zb_conn *c)
{
	uint64_t id = c->uid_seq << 1 | ((c->flags & ZB_CONN_ORIG_IS_A) != 0);
	uint16_t *slot = slot_of(m, id);

	if (m->has_flow && m->turn[m->turn_now].flow.uid_seq_orig == id)
		return;
	charge(m);
	m->has_flow = true;
	if (*slot < m->turn_nr && m->turn[*slot].flow.uid_seq_orig == id) {
		m->turn_now = *slot;
		return;
	}
	m->has_flow = m->turn_nr < ZB_METER_TURNS;
	if (!m->has_flow)
		return;
	*slot = m->turn_now = m->turn_nr++;
	m->turn[m->turn_now].cycles = 0;
	m->turn[m->turn_now].flow.key = c->key;
	m->turn[m->turn_now].flow.uid_seq_orig = id;
}

void zb_meter_set_stage(struct zb_meter *m, uint8_t place)
{
	charge(m);
	m->has_flow = false;
	m->at = place;
}

/* How many bursts the next one counts for. */
static uint32_t next_weight(const struct zb_meter *m)
{
	return m->bursts < ZB_METER_FIRST ? 1 : ZB_METER_LATER;
}

void zb_meter_begin(struct zb_analysis *an)
{
	struct zb_meter *m = an->meter;

	m->at = ZB_METER_CONN;
	m->has_flow = false;
	m->turn_nr = 0;
	an->metering = true;
	m->weight = next_weight(m);
	m->bursts++;
	/* To ask the clock costs as much as to meter a fifth of a burst. */
	if (m->watch != NULL)
		m->own = (struct zb_own_time){.tsc = m->watch->tsc, .cpu_ns = m->watch->cpu_ns};
	else
		zb_own_time_begin(&m->own);
	m->since = rte_rdtsc();
}

void zb_meter_end(struct zb_analysis *an)
{
	struct zb_meter *m = an->meter;

	charge(m);
	an->metering = false;
	for (uint32_t i = 0; i < m->turn_nr; i++)
		add_flow(m, &m->turn[i].flow, m->turn[i].cycles);
	m->next = m->since + ZB_METER_EVERY * next_weight(m);
}

void zb_meter_recent(struct zb_meter *m, struct zb_stat_hot *out)
{
	struct zb_sketch_entry top;

	*out = (struct zb_stat_hot){.of = m->recent.total};
	if (zb_sketch_top(&m->recent, &top, 1) == 1) {
		out->cycles = top.weight;
		memcpy(out->key, top.key, sizeof(out->key));
	}
	zb_sketch_clear(&m->recent);
}
