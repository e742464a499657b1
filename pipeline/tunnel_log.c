/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel_log.c - tunnel.log: fields and rows */
#include <string.h>

#include "pipeline/once.h"
#include "pipeline/row_id.h"
#include "pipeline/tunnel.h"

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"tunnel_type", ZB_T_ENUM},
	{"action", ZB_T_ENUM},
};
const struct zb_row_def zb_tunnel_log_def = {
	.path = "tunnel",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};

static const char *const type_name[ZB_TUN_NR] = {
	[ZB_TUN_NONE] = "Tunnel::NONE",	    [ZB_TUN_IP] = "Tunnel::IP",
	[ZB_TUN_GRE] = "Tunnel::GRE",	    [ZB_TUN_AYIYA] = "Tunnel::AYIYA",
	[ZB_TUN_TEREDO] = "Tunnel::TEREDO", [ZB_TUN_GTPV1] = "Tunnel::GTPv1",
	[ZB_TUN_VXLAN] = "Tunnel::VXLAN",   [ZB_TUN_GENEVE] = "Tunnel::GENEVE",
	[ZB_TUN_SOCKS] = "Tunnel::SOCKS",   [ZB_TUN_HTTP] = "Tunnel::HTTP",
};
static const char *const action_name[] = {
	[ZB_TUNNEL_DISCOVER] = "Tunnel::DISCOVER",
	[ZB_TUNNEL_CLOSE] = "Tunnel::CLOSE",
	[ZB_TUNNEL_EXPIRE] = "Tunnel::EXPIRE",
};

void zb_tunnel_row(struct zb_row *row, const struct zb_once_row *r, uint64_t secret)
{
	char uid[ZB_UID_MAX];

	if (r->uid_seq != ZB_UID_SEQ_NONE)
		zb_row_word(row, uid, zb_uid_format(uid, 'C', r->uid_seq, secret));
	else
		zb_row_unset(row);
	for (unsigned side = 0; side < 2; side++) {
		zb_row_addr(row, r->addr[side], r->ip_version);
		zb_row_port(row, r->port[side]);
	}
	zb_row_word(row, type_name[r->type], strlen(type_name[r->type]));
	zb_row_word(row, action_name[r->name], strlen(action_name[r->name]));
}
