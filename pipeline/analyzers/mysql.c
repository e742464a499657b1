/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mysql.c - MySQL: recognised by the server's greeting and the client's answer; TLS when the
 * client asks for it (MySQL client/server protocol, connection phase)
 */
#include <string.h>

#include "pipeline/analyzers/records.h"

#define HEADER_BYTES 4
#define VERSION_9    9
#define VERSION_10   10
#define CLIENT_SSL   0x0800u
#define SSL_REQUEST  32 /* payload bytes of an answer that only asks for TLS */
#define GREETING_MAX 4096

struct mysql {
	struct zb_analyzer base;
	struct zb_records half[2];
	bool greeted;
};

static int64_t mysql_length(const uint8_t *d, size_t n)
{
	if (n < HEADER_BYTES)
		return 0;
	return HEADER_BYTES + ((int64_t)d[2] << 16 | (int64_t)d[1] << 8 | d[0]);
}

/* Version, a text that ends, thread id, and eight bytes of salt. */
static bool greeting_holds(const uint8_t *d, size_t n)
{
	const uint8_t *end;

	if (n < 2 || (d[0] != VERSION_9 && d[0] != VERSION_10))
		return false;
	end = memchr(d + 1, 0, n - 1);
	return end != NULL && (size_t)(d + n - end) >= 1 + 4 + 8;
}

static bool mysql_record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct mysql *s = (struct mysql *)a;

	d += HEADER_BYTES;
	n -= HEADER_BYTES;
	zb_analysis_event(zb_analyzer_analysis(a));
	if (!s->greeted) {
		/* The server speaks first; an error (0xff) in place of a greeting ends it. */
		if (side != ZB_RESP || !greeting_holds(d, n))
			return false;
		s->greeted = true;
		return true;
	}
	if (side != ZB_ORIG)
		return true;
	if (n < 4)
		return false;
	zb_analyzer_confirm(a);
	if (n == SSL_REQUEST && (d[1] & CLIENT_SSL >> 8))
		zb_analyzer_attach(a, ZB_A_tls);
	zb_analyzer_done(a);
	return true;
}

static const struct zb_record_kind mysql_records = {mysql_length, mysql_record, GREETING_MAX};

static void mysql_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct mysql *s = (struct mysql *)a;

	if (!zb_records_data(&s->half[side], &mysql_records, a, side, d, n) &&
	    !zb_analyzer_violate(a))
		zb_analyzer_done(a);
}

static void mysql_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	(void)side;
	(void)n;
	zb_analyzer_done(a);
}

static void mysql_end(struct zb_analyzer *a)
{
	struct mysql *s = (struct mysql *)a;

	zb_records_free(&s->half[ZB_ORIG], a);
	zb_records_free(&s->half[ZB_RESP], a);
}

static const uint16_t mysql_ports[] = {1434, 3306, 0};

const struct zb_analyzer_def zb_analyzer_mysql = {
	.name = "mysql",
	.state_bytes = sizeof(struct mysql),
	.mem = ZB_MEM_analyzer,
	.tcp_ports = mysql_ports,
	.data = mysql_data,
	.gap = mysql_gap,
	.end = mysql_end,
};
