/* SPDX-License-Identifier: Apache-2.0 */
/* dnp3_tcp.c - DNP3 over TCP: recognised by a link header with the right checksum (IEEE 1815) */
#include "pipeline/analyzers/dnp3.h"
#include "pipeline/analyzers/records.h"

struct dnp3_tcp {
	struct zb_analyzer base;
	struct zb_records half[2];
};

/* A header that does not hold is handed over by itself, to be refused. */
static int64_t dnp3_length(const uint8_t *d, size_t n)
{
	if (n < ZB_DNP3_HEADER_BYTES)
		return 0;
	return zb_dnp3_header_holds(d) ? (int64_t)zb_dnp3_frame_bytes(d) : ZB_DNP3_HEADER_BYTES;
}

static bool dnp3_record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	(void)side;
	(void)n;
	if (!zb_dnp3_header_holds(d))
		return false;
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
	return true;
}

static const struct zb_record_kind dnp3_records = {dnp3_length, dnp3_record, ZB_DNP3_FRAME_MAX};

static void dnp3_tcp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct dnp3_tcp *s = (struct dnp3_tcp *)a;

	if (!zb_records_data(&s->half[side], &dnp3_records, a, side, d, n) &&
	    !zb_analyzer_violate(a))
		zb_analyzer_done(a);
}

static void dnp3_tcp_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	zb_analyzer_done(a);
}

static void dnp3_tcp_end(struct zb_analyzer *a)
{
	struct dnp3_tcp *s = (struct dnp3_tcp *)a;

	zb_records_free(&s->half[ZB_ORIG], a);
	zb_records_free(&s->half[ZB_RESP], a);
}

static enum zb_match dnp3_match(const uint8_t *d, size_t n)
{
	if (d[0] != 0x05)
		return ZB_MATCH_NO;
	if (n < 2)
		return ZB_MATCH_MORE;
	return d[1] == 0x64 ? ZB_MATCH_YES : ZB_MATCH_NO;
}

static const uint16_t dnp3_ports[] = {20000, 0};

const struct zb_analyzer_def zb_analyzer_dnp3_tcp = {
	.name = "dnp3_tcp",
	.state_bytes = sizeof(struct dnp3_tcp),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = dnp3_ports,
	.match_over = ZB_OVER_TCP,
	.match = {NULL, dnp3_match},
	.data = dnp3_tcp_data,
	.gap = dnp3_tcp_gap,
	.end = dnp3_tcp_end,
};
