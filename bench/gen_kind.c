/* SPDX-License-Identifier: Apache-2.0 */
/* gen_kind.c - the kinds of sessions that a profile can name */
#include <string.h>

#include "bench/gen_session_priv.h"
#include "bench/gen_shape.h"
#include "bench/gen_world.h"

static void web(struct zb_gen_session *s, enum zb_gen_fate fate, uint16_t port, enum zb_gen_app app)
{
	struct zb_gen_path path;

	zb_gen_client(s, &path);
	zb_gen_server_site(s, &path, port);
	zb_gen_wire_init(&s->wire, &path, ZB_GEN_TCP);
	zb_gen_tcp_make(s, fate, app);
}

void zb_gen_http_make(struct zb_gen_session *s)
{
	web(s, ZB_GEN_COMPLETE, 80, ZB_GEN_HTTP);
}

void zb_gen_tls_make(struct zb_gen_session *s)
{
	web(s, ZB_GEN_COMPLETE, 443, ZB_GEN_TLS);
}

void zb_gen_file_make(struct zb_gen_session *s)
{
	web(s, ZB_GEN_COMPLETE, 80, ZB_GEN_FILE);
}

void zb_gen_reset_make(struct zb_gen_session *s)
{
	bool encrypted = zb_gen_rand_one_in(&s->rand, 2);

	web(s, ZB_GEN_RESET, encrypted ? 443 : 80, encrypted ? ZB_GEN_TLS : ZB_GEN_HTTP);
}

void zb_gen_no_answer_make(struct zb_gen_session *s)
{
	web(s, ZB_GEN_NO_ANSWER, 443, ZB_GEN_TLS);
}

void zb_gen_rejected_make(struct zb_gen_session *s)
{
	web(s, ZB_GEN_REJECTED, 80, ZB_GEN_HTTP);
}

static const struct {
	const char *name;
	void (*make)(struct zb_gen_session *s);
} kinds[] = {
	{"arp", zb_gen_arp_make},     {"connect", zb_gen_connect_make},
	{"dns", zb_gen_dns_make},     {"file", zb_gen_file_make},
	{"http", zb_gen_http_make},   {"no_answer", zb_gen_no_answer_make},
	{"ntp", zb_gen_ntp_make},     {"ping", zb_gen_echo_make},
	{"quic", zb_gen_quic_make},   {"rejected", zb_gen_rejected_make},
	{"reset", zb_gen_reset_make}, {"syslog", zb_gen_syslog_make},
	{"tls", zb_gen_tls_make},
};

const char *const zb_gen_kind_names =
	"arp, connect, dns, file, http, no_answer, ntp, ping, quic, rejected, reset, syslog, tls";

void (*zb_gen_kind_find(const char *name))(struct zb_gen_session *s)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].make;
	return NULL;
}
