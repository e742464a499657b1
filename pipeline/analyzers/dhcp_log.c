/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp_log.c - dhcp.log: fields and rows (Zeek 8: scripts/base/protocols/dhcp) */
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/dhcp_join.h"
#include "pipeline/row_id.h"

#define TYPE_MAX 32 /* bytes of a message type's name */

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	{"uids", ZB_T_SET_STRING},
	{"client_addr", ZB_T_ADDR},
	{"server_addr", ZB_T_ADDR},
	{"mac", ZB_T_STRING},
	{"host_name", ZB_T_STRING},
	{"client_fqdn", ZB_T_STRING},
	{"domain", ZB_T_STRING},
	{"requested_addr", ZB_T_ADDR},
	{"assigned_addr", ZB_T_ADDR},
	{"lease_time", ZB_T_INTERVAL},
	{"client_message", ZB_T_STRING},
	{"server_message", ZB_T_STRING},
	{"msg_types", ZB_T_VECTOR_STRING},
	{"duration", ZB_T_INTERVAL},
};
const struct zb_row_def zb_dhcp_log_def = {
	.path = "dhcp",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};

static const char *const type_names[] = {
	[1] = "DISCOVER",
	[2] = "OFFER",
	[3] = "REQUEST",
	[4] = "DECLINE",
	[5] = "ACK",
	[6] = "NAK",
	[7] = "RELEASE",
	[8] = "INFORM",
	[9] = "FORCERENEW",
	[10] = "LEASEQUERY",
	[11] = "LEASEUNASSIGNED",
	[12] = "LEASEUNKNOWN",
	[13] = "LEASEACTIVE",
	[14] = "BULKLEASEQUERY",
	[15] = "LEASEQUERYDONE",
	[16] = "ACTIVELEASEQUERY",
	[17] = "LEASEQUERYSTATUS",
	[18] = "TLS",
};

static void put_text(struct zb_row *r, const struct zb_dhcp_text *t)
{
	if (t->is_set)
		zb_row_string(r, t->d, t->n);
	else
		zb_row_unset(r);
}

static void put_addr(struct zb_row *r, const struct zb_dhcp_addr *a)
{
	if (a->ip_version != 0)
		zb_row_addr(r, a->d, a->ip_version);
	else
		zb_row_unset(r);
}

static void put_addr4(struct zb_row *r, bool is_set, const uint8_t *a)
{
	if (is_set)
		zb_row_addr4(r, a);
	else
		zb_row_unset(r);
}

static void put_uids(struct zb_row *r, const struct zb_dhcp_row *t, uint64_t secret)
{
	char text[ZB_DHCP_UIDS_MAX][ZB_UID_MAX];
	const char *uid[ZB_DHCP_UIDS_MAX];
	size_t len[ZB_DHCP_UIDS_MAX];

	for (unsigned i = 0; i < t->uid_nr; i++) {
		uid[i] = text[i];
		len[i] = zb_uid_format(text[i], 'C', t->uid_seq[i], secret);
	}
	zb_row_strings(r, uid, len, t->uid_nr);
}

static void put_types(struct zb_row *r, const struct zb_dhcp_row *t)
{
	char text[ZB_DHCP_TYPES_MAX][TYPE_MAX];
	const char *name[ZB_DHCP_TYPES_MAX];
	size_t len[ZB_DHCP_TYPES_MAX];

	for (unsigned i = 0; i < t->type_nr; i++) {
		uint8_t type = t->type[i];

		name[i] =
			type < sizeof(type_names) / sizeof(type_names[0]) ? type_names[type] : NULL;
		if (name[i] == NULL) {
			snprintf(text[i], sizeof(text[i]), "unknown-message-type-%u", type);
			name[i] = text[i];
		}
		len[i] = strlen(name[i]);
	}
	zb_row_strings(r, name, len, t->type_nr);
}

void zb_dhcp_row(struct zb_analysis *an, const struct zb_dhcp_row *t)
{
	size_t bytes = (size_t)t->uid_nr * ZB_UID_MAX + (size_t)t->type_nr * TYPE_MAX + t->mac.n +
		       t->client_mac.n + t->host_name.n + t->fqdn.n + t->domain.n +
		       t->client_message.n + t->server_message.n;
	struct zb_row r;

	if (!zb_log_row(an->port[ZB_LOG_DHCP], bytes, &r))
		return;
	zb_row_time(&r, t->ts_ns);
	put_uids(&r, t, an->secret);
	put_addr(&r, &t->client);
	put_addr(&r, &t->server);
	put_text(&r, t->mac.is_set ? &t->mac : &t->client_mac);
	put_text(&r, &t->host_name);
	put_text(&r, &t->fqdn);
	put_text(&r, &t->domain);
	put_addr4(&r, t->has_requested, t->requested);
	put_addr4(&r, t->has_assigned, t->assigned);
	if (t->has_lease)
		zb_row_interval(&r, (int64_t)t->lease_s * 1000000000);
	else
		zb_row_unset(&r);
	put_text(&r, &t->client_message);
	put_text(&r, &t->server_message);
	put_types(&r, t);
	zb_row_interval(&r, (int64_t)(t->last_ns - t->ts_ns));
	zb_log_commit(an->port[ZB_LOG_DHCP], &r);
}
