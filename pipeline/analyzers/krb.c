/* SPDX-License-Identifier: Apache-2.0 */
/* krb.c - Kerberos 5 over UDP: recognised by a whole message (RFC 4120) */
#include "pipeline/analyzer.h"
#include "pipeline/analyzers/ber.h"
#include "pipeline/analyzers/krb_message.h"

enum {
	TAG_SEQUENCE = 0x30,
	TAG_APPLICATION = 0x60, /* constructed; plus the message type */
	TAG_CONTEXT = 0xa0,	/* plus the number of the field */
	AS_REQ = 10,
	TGS_REQ = 12,
	AP_REQ = 14,
	KRB_ERROR = 30,
	KRB_VERSION = 5,
};

/* Field [nr] INTEGER. */
static bool integer_field(struct zb_ber *r, unsigned nr, int32_t *v)
{
	struct zb_ber field;

	return zb_ber_expect(r, (uint8_t)(TAG_CONTEXT + nr), &field) && zb_ber_integer(&field, v);
}

static bool is_message_type(unsigned type)
{
	return (type >= AS_REQ && type <= 15) || (type >= 20 && type <= 22) || type == KRB_ERROR;
}

bool zb_krb_message_holds(const uint8_t *d, size_t n)
{
	struct zb_ber r = {d, n}, body;
	struct zb_ber_item message, rest;
	int32_t version, type;
	unsigned first;

	if (!zb_ber_next(&r, &message) || (message.tag & 0xe0) != TAG_APPLICATION ||
	    !is_message_type(message.tag & 0x1f) ||
	    !zb_ber_expect(&message.value, TAG_SEQUENCE, &body))
		return false;
	/* Requests to the KDC number their fields from 1, all others from 0. */
	first = (message.tag & 0x1f) == AS_REQ || (message.tag & 0x1f) == TGS_REQ;
	if (!integer_field(&body, first, &version) || version != KRB_VERSION ||
	    !integer_field(&body, first + 1, &type) || type != (message.tag & 0x1f))
		return false;
	while (body.left != 0)
		if (!zb_ber_next(&body, &rest))
			return false;
	return true;
}

static void krb_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	(void)side;
	if (!zb_krb_message_holds(d, n)) {
		zb_analyzer_violate(a);
		return;
	}
	zb_analysis_event(zb_analyzer_analysis(a));
	zb_analyzer_confirm(a);
}

/* An error or a ticket of any port: the version number stands right behind the heads. */
static enum zb_match krb_match(const uint8_t *d, size_t n)
{
	if (n == 1)
		return (d[0] & 0xe0) == TAG_APPLICATION ? ZB_MATCH_MORE : ZB_MATCH_NO;
	return zb_krb_message_holds(d, n) ? ZB_MATCH_YES : ZB_MATCH_NO;
}

static const uint16_t krb_ports[] = {88, 750, 0};

const struct zb_analyzer_def zb_analyzer_krb = {
	.name = "krb",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
	.udp_ports = krb_ports,
	.match_over = ZB_OVER_UDP,
	.match = {krb_match, krb_match},
	.data = krb_data,
};
