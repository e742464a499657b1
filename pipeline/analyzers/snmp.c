/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snmp.c - SNMP v1, v2c and v3: recognised once the responder has answered with a message that
 * holds together (RFC 1157, RFC 3416, RFC 3412)
 */
#include <stdio.h>

#include "pipeline/analyzer.h"
#include "pipeline/analyzers/ber.h"

#define BINDINGS_MAX 256
#define SUB_ID_BYTES 10 /* of a sub-identifier of 64 bits: more are odd */

enum {
	TAG_OCTETS = 0x04,
	TAG_OID = 0x06,
	TAG_SEQUENCE = 0x30,
	TAG_PDU = 0xa0, /* GetRequest; the others follow */
	TAG_TRAP = 0xa4,
	TAG_PDU_LAST = 0xa8,
};

/* A sub-identifier of an object's name is at most 32 bits: five bytes of seven. */
static bool oid_holds(struct zb_ber v)
{
	unsigned bytes = 0;

	for (; v.left != 0; v.at++, v.left--) {
		if (++bytes > 5)
			return false;
		if (!(*v.at & 0x80))
			bytes = 0;
	}
	return bytes == 0;
}

/* Tells of the first sub-identifier that no number has room for. */
static void tell_oid(struct zb_analyzer *a, struct zb_ber v)
{
	unsigned bytes = 0;
	char addl[16];

	for (; v.left != 0; v.at++, v.left--) {
		bytes++;
		if (*v.at & 0x80)
			continue;
		if (bytes > SUB_ID_BYTES) {
			snprintf(addl, sizeof(addl), "%u", bytes);
			zb_weird_net_addl(zb_analyzer_analysis(a)->weird,
					  ZB_WEIRD_asn_oid_subidentifier_too_long, addl);
			return;
		}
		bytes = 0;
	}
}

static bool bindings_hold(struct zb_analyzer *a, struct zb_ber list)
{
	struct zb_ber pair, oid;
	struct zb_ber_item value;

	for (unsigned i = 0; list.left != 0; i++) {
		if (i == BINDINGS_MAX || !zb_ber_expect(&list, TAG_SEQUENCE, &pair) ||
		    !zb_ber_expect(&pair, TAG_OID, &oid) || !zb_ber_next(&pair, &value) ||
		    pair.left != 0)
			return false;
		tell_oid(a, oid);
		if (value.tag == TAG_OID)
			tell_oid(a, value.value);
		if (!oid_holds(oid))
			return false;
	}
	return true;
}

static bool pdu_holds(struct zb_analyzer *a, struct zb_ber *r)
{
	struct zb_ber_item pdu, item;
	struct zb_ber list;
	int32_t v;

	if (!zb_ber_next(r, &pdu) || pdu.tag < TAG_PDU || pdu.tag > TAG_PDU_LAST)
		return false;
	if (pdu.tag == TAG_TRAP) { /* enterprise, agent, generic, specific, time */
		for (unsigned i = 0; i < 5; i++)
			if (!zb_ber_next(&pdu.value, &item))
				return false;
	} else if (!zb_ber_integer(&pdu.value, &v) || !zb_ber_integer(&pdu.value, &v) ||
		   !zb_ber_integer(&pdu.value, &v)) {
		return false;
	}
	return zb_ber_expect(&pdu.value, TAG_SEQUENCE, &list) && bindings_hold(a, list);
}

/* Header data, security parameters, and the scoped message unless it is encrypted. */
static bool v3_holds(struct zb_analyzer *a, struct zb_ber *r)
{
	struct zb_ber head, flags, model, scoped, octets;
	int32_t v;

	if (!zb_ber_expect(r, TAG_SEQUENCE, &head) || !zb_ber_integer(&head, &v) ||
	    !zb_ber_integer(&head, &v) || !zb_ber_expect(&head, TAG_OCTETS, &flags) ||
	    flags.left != 1 || !zb_ber_integer(&head, &v) || !zb_ber_expect(r, TAG_OCTETS, &model))
		return false;
	if (flags.at[0] & 2)
		return zb_ber_expect(r, TAG_OCTETS, &octets);
	return zb_ber_expect(r, TAG_SEQUENCE, &scoped) &&
	       zb_ber_expect(&scoped, TAG_OCTETS, &octets) &&
	       zb_ber_expect(&scoped, TAG_OCTETS, &octets) && pdu_holds(a, &scoped);
}

static bool message_holds(struct zb_analyzer *a, const uint8_t *d, size_t n)
{
	struct zb_ber r = {d, n}, message, community;
	int32_t version;

	if (!zb_ber_expect(&r, TAG_SEQUENCE, &message) || !zb_ber_integer(&message, &version))
		return false;
	if (version == 3)
		return v3_holds(a, &message);
	return (version == 0 || version == 1) && zb_ber_expect(&message, TAG_OCTETS, &community) &&
	       pdu_holds(a, &message);
}

static void snmp_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	if (!message_holds(a, d, n)) {
		zb_analyzer_violate(a);
		return;
	}
	zb_analysis_event(zb_analyzer_analysis(a));
	if (side == ZB_RESP)
		zb_analyzer_confirm(a);
}

static const uint16_t snmp_ports[] = {161, 162, 0};

const struct zb_analyzer_def zb_analyzer_snmp = {
	.name = "snmp",
	.state_bytes = sizeof(struct zb_analyzer),
	.mem = ZB_MEM_analyzer,
	.udp_ports = snmp_ports,
	.data = snmp_data,
};
