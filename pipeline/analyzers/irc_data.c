/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irc_data.c - a connection that was offered over IRC (DCC SEND): what each side sends is a file
 * (Zeek: base/protocols/irc/dcc-send.zeek, src/analyzer/protocol/file)
 */
#include "pipeline/analyzers/irc_data.h"
#include "pipeline/file.h"

#define SNIFFED_BYTES 4096 /* the type is told after that many, and the offer is used up */

struct irc_data {
	struct zb_analyzer base;
	struct zb_file *file[2];
	uint64_t bytes[2];
};

static void irc_data_begin(struct zb_analyzer *a)
{
	struct zb_expect_note *note;

	if (zb_expect_is(a, &note))
		zb_analyzer_add_service(a, "irc-dcc-data");
}

static struct zb_file *open_file(struct zb_analyzer *a, unsigned side)
{
	struct zb_file_conf conf = {
		.source = "IRC_DATA",
		.total_bytes = ZB_FILE_SIZE_UNSET,
		.is_orig = side == ZB_ORIG,
	};
	struct zb_expect_note *note;

	if (zb_expect_is(a, &note) && note != NULL) {
		const struct zb_irc_offer *offer = (const struct zb_irc_offer *)note;

		conf.filename = offer->name;
		conf.filename_len = offer->name_bytes;
	}
	return zb_file_begin(a, &conf);
}

static void irc_data_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct irc_data *s = (struct irc_data *)a;

	if (s->bytes[side] == 0)
		s->file[side] = open_file(a, side);
	if (s->bytes[side] < SNIFFED_BYTES && s->bytes[side] + n >= SNIFFED_BYTES)
		zb_expect_spend(a);
	s->bytes[side] += n;
	zb_file_data(s->file[side], d, n);
}

static void irc_data_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	zb_file_gap(((struct irc_data *)a)->file[side], n);
}

static void irc_data_flip(struct zb_analyzer *a)
{
	struct irc_data *s = (struct irc_data *)a;
	struct zb_file *file = s->file[0];
	uint64_t bytes = s->bytes[0];

	s->file[0] = s->file[1];
	s->file[1] = file;
	s->bytes[0] = s->bytes[1];
	s->bytes[1] = bytes;
}

static void irc_data_end(struct zb_analyzer *a)
{
	struct irc_data *s = (struct irc_data *)a;

	zb_file_end(s->file[ZB_ORIG]);
	zb_file_end(s->file[ZB_RESP]);
	zb_expect_spend(a);
}

const struct zb_analyzer_def zb_analyzer_irc_data = {
	.name = "irc_data",
	.state_bytes = sizeof(struct irc_data),
	.mem = ZB_MEM_analyzer,
	.match_over = ZB_OVER_TCP,
	.begin = irc_data_begin,
	.data = irc_data_data,
	.gap = irc_data_gap,
	.flip = irc_data_flip,
	.end = irc_data_end,
};
