/* SPDX-License-Identifier: Apache-2.0 */
/* tunnel_conn.c - connections that are tunnels, and connections inside; see tunnel.h */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/row_id.h"
#include "pipeline/session.h"
#include "pipeline/tunnel_priv.h"

#define VIOLATIONS_UNTIL 10240 /* bytes; Zeek: DPD::ignore_violations_after */

static struct zb_conn_tunnel *part_of(struct zb_tunnels *t, struct zb_conn *c)
{
	struct zb_conn_rare *r = zb_conn_rare(c);

	if (r == NULL)
		return NULL;
	if (r->tunnel == NULL)
		r->tunnel = zb_tunnels_get(t, sizeof(*r->tunnel));
	return r->tunnel;
}

uint64_t zb_tunnel_uid_seq(const struct zb_flow_key *k, uint64_t secret)
{
	/* Clear of what connections count, and of IP tunnels. */
	return (zb_flow_key_hash(k, ~secret) >> 2) | 1ull << 62;
}

static const char *service_of(unsigned type)
{
	static const char *const name[ZB_TUN_NR] = {
		[ZB_TUN_AYIYA] = "ayiya", [ZB_TUN_TEREDO] = "teredo", [ZB_TUN_GTPV1] = "gtpv1",
		[ZB_TUN_VXLAN] = "vxlan", [ZB_TUN_GENEVE] = "geneve",
	};

	return name[type];
}

/* The payload is this tunnel. Teredo must have been spoken by both sides; Zeek says so of no other.
 */
static void confirm(struct zb_analysis *an, struct zb_conn *c, struct zb_conn_tunnel *part,
		    unsigned side)
{
	struct zb_session *s;

	part->valid[side] = true;
	if (part->confirmed || part->violated ||
	    (part->type == ZB_TUN_TEREDO && !part->valid[!side]))
		return;
	part->confirmed = true;
	s = zb_session_get(an, c);
	if (s != NULL)
		zb_session_add_service(s, service_of(part->type));
}

static void violate(struct zb_conn *c, struct zb_conn_tunnel *part)
{
	struct zb_session *s = zb_session_of(c);

	if (part->violated)
		return;
	part->violated = true;
	if (s != NULL && zb_conn_size(c, ZB_ORIG) + zb_conn_size(c, ZB_RESP) <= VIOLATIONS_UNTIL)
		zb_session_remove_service(s, service_of(part->type));
}

static bool is_of_conn(enum zb_weird_name name)
{
	return name == ZB_WEIRD_Teredo_bubble_with_payload || name == ZB_WEIRD_truncated_Teredo ||
	       name == ZB_WEIRD_truncated_Teredo_origin_indication ||
	       name == ZB_WEIRD_truncated_Teredo_authentication ||
	       name == ZB_WEIRD_truncated_IPv6_in_Teredo;
}

static void tell(struct zb_analysis *an, struct zb_conn *c, const struct zb_conn_tunnel *part,
		 const struct zb_pkt *p, const struct zb_tun_inner *in)
{
	enum zb_weird_name name = (enum zb_weird_name)in->weird;
	bool src_is_a = p->flags & ZB_PKT_SRC_IS_A, tunnelled = p->flags & ZB_PKT_VIRTUAL;
	char addl[16] = "";

	if (name == ZB_WEIRD_exceeded_tunnel_max_depth)
		zb_conn_history_limit(c);
	if (name == ZB_WEIRD_tunnel_depth) {
		zb_weird_net(an->weird, name);
	} else if (is_of_conn(name)) {
		if (in->verdict == ZB_TUN_HOLDS || part->confirmed)
			zb_weird_conn(an->weird, c, name, NULL);
	} else {
		if (name == ZB_WEIRD_geneve_invalid_version)
			snprintf(addl, sizeof(addl), "%u", in->addl);
		zb_weird_flow_addl(an->weird, tunnelled ? zb_weird_in_tunnel(name) : name,
				   src_is_a ? c->key.a : c->key.b, src_is_a ? c->key.b : c->key.a,
				   c->key.ip_version == 4 ? 4 : 16, addl);
	}
}

/* Is the connection one whose payload Zeek would take for this? */
static bool is_asked(const struct zb_conn *c, const struct zb_tun_inner *in)
{
	enum zb_tun_type on_port = zb_tun_on_port(zb_conn_port(c, ZB_RESP));

	return on_port != ZB_TUN_NONE ? on_port == in->type : in->by_content;
}

/* Another worker has what is inside: would it begin a connection? */
static bool carries_conn(const struct zb_pkt *p, const struct zb_tun_inner *in)
{
	const uint8_t *d = p->data + p->payload_off + in->off;

	if (in->link != ZB_LINK_RAW_IP)
		return in->len > 16 && d[12] >= 6 && !(d[12] == 0x08 && d[13] == 0x06);
	return in->len >= 20 &&
	       (d[0] >> 4 == 4 || (d[0] >> 4 == 6 && d[6] != IPPROTO_NONE && d[6] != IPPROTO_ESP));
}

void zb_tunnels_outer(struct zb_tunnels *t, struct zb_burst *b, uint16_t i, struct zb_conn *c)
{
	struct zb_analysis *an = zb_tunnels_analysis(t);
	const struct zb_pkt *p = &b->pkts[i];
	struct zb_tun_inner *in = &b->wraps[i];
	struct zb_conn_tunnel *part = is_asked(c, in) ? part_of(t, c) : NULL;
	uint8_t verdict = in->verdict;

	in->verdict = ZB_TUN_OTHER; /* until it is certain that what is inside is to be analysed */
	if (part == NULL)
		return;
	if (part->type == ZB_TUN_NONE)
		part->type = in->type;
	/* What was broken once is not tried again; GTP is, as in Zeek. */
	if (part->type != in->type || (part->violated && in->type != ZB_TUN_GTPV1))
		return;
	if (verdict == ZB_TUN_BROKEN)
		violate(c, part);
	else if (verdict == ZB_TUN_HOLDS || verdict == ZB_TUN_CONFIRMS)
		confirm(an, c, part, zb_conn_side(c, p->flags & ZB_PKT_SRC_IS_A));
	in->verdict = verdict;
	if (in->weird != ZB_WEIRD_NR)
		tell(an, c, part, p, in);
	if (p->flags & ZB_PKT_OUTER_ONLY && verdict == ZB_TUN_HOLDS && carries_conn(p, in))
		zb_tunnels_use_conn(t, c, part, zb_pkt_now_ns(p));
}

bool zb_tunnels_vetoed(struct zb_burst *b, uint16_t i)
{
	const struct zb_encap *e = zb_burst_encap(b, i);

	for (unsigned k = 0; k < e->depth; k++) {
		const struct zb_layer *l = &e->layer[k];

		if (l->is_udp && !l->shadow &&
		    (b->conns[l->outer] == NULL || b->wraps[l->outer].verdict != ZB_TUN_HOLDS))
			return true;
	}
	return false;
}

static uint64_t uid_of(const struct zb_burst *b, const struct zb_layer *l)
{
	return l->is_udp && !l->shadow ? b->conns[l->outer]->uid_seq : l->uid_seq;
}

static bool is_same(const struct zb_conn_tunnel *part, const struct zb_burst *b,
		    const struct zb_encap *e)
{
	if (part->depth != e->depth)
		return false;
	for (unsigned k = 0; k < e->depth; k++)
		if (part->layer_uid[k] != uid_of(b, &e->layer[k]) ||
		    part->layer_type[k] != e->layer[k].type)
			return false;
	return true;
}

static void add_parent(struct zb_conn_tunnel *part, uint64_t uid_seq)
{
	for (unsigned k = 0; k < part->parent_nr; k++)
		if (part->parent[k] == uid_seq)
			return;
	if (uid_seq != ZB_UID_SEQ_NONE && part->parent_nr < ZB_TUNNEL_PARENTS_MAX)
		part->parent[part->parent_nr++] = uid_seq;
}

static void remember(struct zb_conn_tunnel *part, const struct zb_burst *b,
		     const struct zb_encap *e)
{
	part->depth = e->depth;
	for (unsigned k = 0; k < e->depth; k++) {
		part->layer_uid[k] = uid_of(b, &e->layer[k]);
		part->layer_type[k] = e->layer[k].type;
	}
}

/* All tunnels on the way have been used. */
static void use_all(struct zb_tunnels *t, struct zb_burst *b, const struct zb_encap *e)
{
	uint64_t now_ns = zb_tunnels_analysis(t)->now_ns;

	/* What had expired before is discovered anew. */
	zb_tunnels_expire(t, b, now_ns);
	for (unsigned k = 0; k < e->depth; k++) {
		const struct zb_layer *l = &e->layer[k];

		if (!l->is_udp) {
			zb_tunnels_use_layer(t, l, now_ns);
		} else if (!l->shadow) {
			struct zb_conn *c = b->conns[l->outer];
			struct zb_conn_tunnel *part = part_of(t, c);

			if (part != NULL)
				zb_tunnels_use_conn(t, c, part, now_ns);
		}
	}
}

void zb_tunnels_inner(struct zb_tunnels *t, struct zb_burst *b, const struct zb_encap *e,
		      struct zb_conn *c)
{
	static const struct zb_encap none;
	struct zb_conn_tunnel *part = part_of(t, c);

	if (e == NULL)
		e = &none;
	if (part == NULL || is_same(part, b, e))
		return;
	remember(part, b, e);
	if (!(c->flags & ZB_CONN_FRESH)) {
		struct zb_weird *w = zb_tunnels_analysis(t)->weird;

		if (part->limited)
			return;
		if (part->changes == ZB_TUNNEL_CHANGES_MAX) {
			part->limited = true;
			zb_conn_history_limit(c);
			zb_weird_conn(w, c, ZB_WEIRD_tunnel_max_changes_per_connection_exceeded,
				      "5");
			return;
		}
		part->changes++;
	}
	if (e->depth == 0)
		return;
	add_parent(part, part->layer_uid[e->depth - 1]);
	use_all(t, b, e);
}

void zb_tunnels_conn_end(struct zb_tunnels *t, struct zb_conn *c, uint64_t now_ns)
{
	struct zb_conn_tunnel *part = c->rare->tunnel;

	if (part->tunnel != NULL)
		zb_tunnels_close(t, part->tunnel, now_ns);
	zb_mem_put(&zb_tunnels_analysis(t)->mem, ZB_MEM_tunnel, part, sizeof(*part));
	c->rare->tunnel = NULL;
}

void zb_tunnel_put_parents(struct zb_row *r, const struct zb_conn *c, uint64_t secret)
{
	const struct zb_conn_tunnel *part = c->rare != NULL ? c->rare->tunnel : NULL;
	char uid[ZB_TUNNEL_PARENTS_MAX][ZB_UID_MAX];
	const char *text[ZB_TUNNEL_PARENTS_MAX];
	size_t len[ZB_TUNNEL_PARENTS_MAX];

	if (part == NULL || part->parent_nr == 0) {
		zb_row_unset(r);
		return;
	}
	for (unsigned k = 0; k < part->parent_nr; k++) {
		text[k] = uid[k];
		len[k] = zb_uid_format(uid[k], 'C', part->parent[k], secret);
	}
	zb_row_strings(r, text, len, part->parent_nr);
}
