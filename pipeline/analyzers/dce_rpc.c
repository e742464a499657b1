/* SPDX-License-Identifier: Apache-2.0 */
/* dce_rpc.c - DCE/RPC over TCP: recognised by a whole fragment on any port */
#include "pipeline/analyzers/dce_rpc.h"

#define TYPE_MAX 19

struct dce_rpc {
	struct zb_analyzer base;
	struct zb_dce dce;
};

static bool dce_record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	zb_dce_fragment(&((struct dce_rpc *)a)->dce, a, side, d, n);
	zb_analyzer_confirm(a);
	return true;
}

static const struct zb_record_kind dce_records = {zb_dce_length, dce_record, UINT16_MAX};

static void dce_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct dce_rpc *s = (struct dce_rpc *)a;

	if (!zb_records_data(&s->dce.half[side].records, &dce_records, a, side, d, n) &&
	    !zb_analyzer_violate(a))
		zb_analyzer_done(a);
	if (s->dce.skip)
		zb_analyzer_done(a);
}

static void dce_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	zb_analyzer_done(a);
}

static void dce_end(struct zb_analyzer *a)
{
	zb_dce_free(&((struct dce_rpc *)a)->dce, a);
}

/* Version 5.0 or 5.1, and a type there is. */
static enum zb_match dce_match(const uint8_t *d, size_t n)
{
	if (d[0] != 5 || (n > 1 && d[1] > 1) || (n > 2 && d[2] > TYPE_MAX))
		return ZB_MATCH_NO;
	return n < 3 ? ZB_MATCH_MORE : ZB_MATCH_YES;
}

static const uint16_t dce_ports[] = {135, 0};

const struct zb_analyzer_def zb_analyzer_dce_rpc = {
	.name = "dce_rpc",
	.state_bytes = sizeof(struct dce_rpc),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = dce_ports,
	.match_over = ZB_OVER_TCP,
	.match = {dce_match, dce_match},
	.data = dce_data,
	.gap = dce_gap,
	.end = dce_end,
};
