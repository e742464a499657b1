/* SPDX-License-Identifier: Apache-2.0 */
/* ntp_log.c - ntp.log: fields and rows (Zeek 8: scripts/base/protocols/ntp) */
#include <math.h>
#include <stdio.h>

#include "pipeline/analyzers/ntp_log.h"
#include "pipeline/row_id.h"

#define EPOCH_S	     2208988800u /* 1970, as NTP counts from 1900 */
#define STRINGS_MAX  64
#define EXPONENT_MAX 33 /* an interval of more than that many seconds does not fit 64 bits */
#define STD_FIELDS   10 /* of a standard message, from stratum to xmt_time */

static const struct zb_row_field fields[] = {
	{"ts", ZB_T_TIME},
	ZB_ROW_ID_FIELDS,
	{"version", ZB_T_COUNT},
	{"mode", ZB_T_COUNT},
	{"stratum", ZB_T_COUNT},
	{"poll", ZB_T_INTERVAL},
	{"precision", ZB_T_INTERVAL},
	{"root_delay", ZB_T_INTERVAL},
	{"root_disp", ZB_T_INTERVAL},
	{"ref_id", ZB_T_STRING},
	{"ref_time", ZB_T_TIME},
	{"org_time", ZB_T_TIME},
	{"rec_time", ZB_T_TIME},
	{"xmt_time", ZB_T_TIME},
	{"num_exts", ZB_T_COUNT},
};
const struct zb_row_def zb_ntp_log_def = {
	.path = "ntp",
	.fields = fields,
	.field_nr = sizeof(fields) / sizeof(fields[0]),
};

static uint32_t be32(const uint8_t *d)
{
	return (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
}

/* Two to the power of a signed byte. */
static void put_power(struct zb_row *r, uint8_t exponent)
{
	int e = (int8_t)exponent;

	zb_row_interval(r, (int64_t)ldexp(1e9, e < EXPONENT_MAX ? e : EXPONENT_MAX));
}

/* Seconds and fractions, sixteen bits each. */
static void put_short(struct zb_row *r, const uint8_t *d)
{
	zb_row_interval(r, (int64_t)(be32(d) * 1000000000ull >> 16));
}

/* What no clock says, and what lies before 1970, is 0. */
static void put_time(struct zb_row *r, const uint8_t *d)
{
	uint64_t s = be32(d), fraction_ns = be32(d + 4) * 1000000000ull >> 32;

	zb_row_time(r, s < EPOCH_S ? 0 : (s - EPOCH_S) * 1000000000 + fraction_ns);
}

/* A name, or, of a clock that follows another one, that one's address. */
static void put_reference(struct zb_row *r, unsigned stratum, const uint8_t *d)
{
	char text[16];

	if (stratum > 1)
		zb_row_word(r, text,
			    (size_t)snprintf(text, sizeof(text), "%u.%u.%u.%u", d[0], d[1], d[2],
					     d[3]));
	else
		zb_row_string(r, (const char *)d, 4);
}

void zb_ntp_row(struct zb_analyzer *a, const uint8_t *d, bool is_standard)
{
	struct zb_row r;

	if (!zb_analyzer_row(a, ZB_LOG_NTP, zb_analyzer_now_ns(a), STRINGS_MAX, &r))
		return;
	zb_row_count(&r, d[0] >> 3 & 7);
	zb_row_count(&r, d[0] & 7);
	for (unsigned i = 0; !is_standard && i < STD_FIELDS; i++)
		zb_row_unset(&r);
	if (is_standard) {
		zb_row_count(&r, d[1]);
		put_power(&r, d[2]);
		put_power(&r, d[3]);
		put_short(&r, d + 4);
		put_short(&r, d + 8);
		put_reference(&r, d[1], d + 12);
		for (unsigned at = 16; at < 48; at += 8)
			put_time(&r, d + at);
	}
	zb_row_count(&r, 0); /* extension fields are stepped over */
	zb_analyzer_row_end(a, ZB_LOG_NTP, &r);
}
