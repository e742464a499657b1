/* SPDX-License-Identifier: Apache-2.0 */
/* once_row.c - the rows of weird.log, known_hosts.log and known_services.log that appear once */
#include <netinet/in.h>
#include <string.h>

#include "pipeline/once.h"
#include "pipeline/row_id.h"
#include "pipeline/text_char.h"
#include "pipeline/tunnel.h"
#include "pipeline/weird.h"

static const struct zb_row_field hosts_fields[] = {
	{"ts", ZB_T_TIME},
	{"host", ZB_T_ADDR},
};
const struct zb_row_def zb_known_hosts_log_def = {
	.path = "known_hosts",
	.fields = hosts_fields,
	.field_nr = sizeof(hosts_fields) / sizeof(hosts_fields[0]),
};

static const struct zb_row_field services_fields[] = {
	{"ts", ZB_T_TIME},	   {"host", ZB_T_ADDR},		 {"port_num", ZB_T_PORT},
	{"port_proto", ZB_T_ENUM}, {"service", ZB_T_SET_STRING},
};
const struct zb_row_def zb_known_services_log_def = {
	.path = "known_services",
	.fields = services_fields,
	.field_nr = sizeof(services_fields) / sizeof(services_fields[0]),
};

static void service_row(struct zb_row *row, const struct zb_once_row *r)
{
	char text[ZB_ONCE_WORDS_MAX][16];
	const char *words[ZB_ONCE_WORDS_MAX];
	size_t len[ZB_ONCE_WORDS_MAX];

	for (unsigned i = 0; i < r->word_nr; i++) {
		len[i] = strnlen(r->word[i], sizeof(text[i]));
		/* Zeek's analyzers have names in capitals; conn.log alone shows them small. */
		for (size_t k = 0; k < len[i]; k++)
			text[i][k] = (char)zb_text_upper((uint8_t)r->word[i][k]);
		words[i] = text[i];
	}
	zb_row_addr(row, r->addr[0], r->ip_version);
	zb_row_port(row, r->port[0]);
	zb_row_word(row, r->proto == IPPROTO_TCP ? "tcp" : "udp", 3);
	zb_row_strings(row, words, len, r->word_nr);
}

void zb_once_write(struct zb_log_port *port, const struct zb_once_row *r, uint64_t secret)
{
	struct zb_row row;

	if (!zb_log_row(port, ZB_ROW_ID_BYTES + sizeof(r->addl) + 16 * ZB_ONCE_WORDS_MAX + 64,
			&row))
		return;
	zb_row_time(&row, r->ts_ns);
	switch (r->stream) {
	case ZB_LOG_KNOWN_HOSTS: zb_row_addr(&row, r->addr[0], r->ip_version); break;
	case ZB_LOG_KNOWN_SERVICES: service_row(&row, r); break;
	case ZB_LOG_TUNNEL: zb_tunnel_row(&row, r, secret); break;
	default: zb_weird_row(&row, r, secret);
	}
	zb_log_commit(port, &row);
}
