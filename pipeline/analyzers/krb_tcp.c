/* SPDX-License-Identifier: Apache-2.0 */
/* krb_tcp.c - Kerberos 5 over TCP: messages behind their length in four bytes (RFC 4120, 7.2.2) */
#include "pipeline/analyzers/krb_message.h"
#include "pipeline/analyzers/records.h"

struct krb_tcp {
	struct zb_analyzer base;
	struct zb_records half[2];
	bool had_gap;
};

static int64_t krb_length(const uint8_t *d, size_t n)
{
	if (n < 4)
		return 0;
	return 4 + ((int64_t)d[0] << 24 | (int64_t)d[1] << 16 | (int64_t)d[2] << 8 | d[3]);
}

static bool krb_record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	(void)side;
	if (!zb_krb_message_holds(d + 4, n - 4))
		return false;
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
	return true;
}

static const struct zb_record_kind krb_records = {krb_length, krb_record, 65536};

static void krb_tcp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct krb_tcp *s = (struct krb_tcp *)a;

	if (zb_analyzer_is_partial(a) || s->had_gap)
		return;
	if (!zb_records_data(&s->half[side], &krb_records, a, side, d, n) &&
	    !zb_analyzer_violate(a))
		s->had_gap = true; /* where the next message begins is not known any more */
}

static void krb_tcp_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	((struct krb_tcp *)a)->had_gap = true;
}

static void krb_tcp_end(struct zb_analyzer *a)
{
	struct krb_tcp *s = (struct krb_tcp *)a;

	zb_records_free(&s->half[ZB_ORIG], a);
	zb_records_free(&s->half[ZB_RESP], a);
}

static const uint16_t krb_ports[] = {88, 750, 0};

const struct zb_analyzer_def zb_analyzer_krb_tcp = {
	.name = "krb_tcp",
	.state_bytes = sizeof(struct krb_tcp),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = krb_ports,
	.data = krb_tcp_data,
	.gap = krb_tcp_gap,
	.end = krb_tcp_end,
};
