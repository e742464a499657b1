/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ftp_data.c - FTP's data connections, announced by a control connection: what each side sends is a
 * file (Zeek: src/analyzer/protocol/file, base/protocols/ftp/files.zeek)
 */
#include <string.h>

#include "pipeline/analyzers/ftp_priv.h"

struct ftp_data {
	struct zb_analyzer base;
	struct zb_file *file[2];
	struct ftp_note *note; /* held; NULL: none */
	bool fin[2];
	bool mime_said[2];
};

const char *ftp_note_mime(struct ftp_note *n, uint64_t now_ns)
{
	while (n->coming_nr != 0 && n->coming[0].from_ns <= now_ns) {
		n->mime = n->coming[0].mime;
		n->coming_nr--;
		memmove(&n->coming[0], &n->coming[1], n->coming_nr * sizeof(n->coming[0]));
	}
	return n->mime;
}

/* A file's type will be known from then on; the oldest is known early when there are many. */
static void say_mime(struct ftp_note *n, const char *mime, uint64_t from_ns, uint64_t now_ns)
{
	if (n->coming_nr == FTP_MIMES_MAX)
		ftp_note_mime(n, n->coming[0].from_ns);
	ftp_note_mime(n, now_ns);
	n->coming[n->coming_nr].from_ns = from_ns;
	n->coming[n->coming_nr++].mime = mime;
}

static void ftp_data_begin(struct zb_analyzer *a)
{
	struct ftp_data *s = (struct ftp_data *)a;
	struct zb_expect_note *note;

	if (!zb_expect_is(a, &note))
		return;
	zb_analyzer_add_service(a, "ftp-data");
	if (note == NULL)
		return;
	zb_expect_note_hold(note);
	s->note = (struct ftp_note *)note;
}

/* The type, as soon as there is one: known at once while data come, else when Zeek looks. */
static void tell_mime(struct ftp_data *s, unsigned side, uint64_t from_ns)
{
	const char *mime = zb_file_mime(s->file[side]);

	if (s->note == NULL || mime == NULL || s->mime_said[side])
		return;
	s->mime_said[side] = true;
	say_mime(s->note, mime, from_ns, zb_analyzer_now_ns(&s->base));
}

static struct zb_file *file_of(struct ftp_data *s, unsigned side)
{
	struct zb_expect_note *note;
	char fuid[ZB_FUID_MAX];

	if (s->file[side] != NULL || !zb_expect_is(&s->base, &note))
		return s->file[side];
	s->file[side] = zb_file_begin(&s->base, &(struct zb_file_conf){
							.source = "FTP_DATA",
							.total_bytes = ZB_FILE_SIZE_UNSET,
							.is_orig = side == ZB_ORIG,
						});
	if (s->note != NULL && s->file[side] != NULL) {
		s->note->fuid_n = (uint8_t)zb_file_fuid(s->file[side], fuid);
		memcpy(s->note->fuid, fuid, s->note->fuid_n);
	}
	return s->file[side];
}

static void ftp_data_data(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	struct ftp_data *s = (struct ftp_data *)a;

	zb_file_data(file_of(s, side), d, n);
	tell_mime(s, side, zb_analyzer_now_ns(a));
}

static void ftp_data_gap(struct zb_analyzer *a, unsigned side, uint64_t n)
{
	zb_file_gap(file_of((struct ftp_data *)a, side), n);
}

/* Both sides are done: the files end, for Zeek when the connection has been closed for a while. */
static void ftp_data_fin(struct zb_analyzer *a, unsigned side)
{
	struct ftp_data *s = (struct ftp_data *)a;

	s->fin[side] = true;
	if (!s->fin[!side])
		return;
	for (unsigned i = ZB_ORIG; i <= ZB_RESP; i++) {
		zb_file_finish(s->file[i]);
		tell_mime(s, i, zb_analyzer_now_ns(a) + ZB_TCP_CLOSE_DELAY_NS);
	}
}

static void ftp_data_flip(struct zb_analyzer *a)
{
	struct ftp_data *s = (struct ftp_data *)a;
	struct zb_file *file = s->file[0];
	bool fin = s->fin[0], said = s->mime_said[0];

	s->file[0] = s->file[1];
	s->file[1] = file;
	s->fin[0] = s->fin[1];
	s->fin[1] = fin;
	s->mime_said[0] = s->mime_said[1];
	s->mime_said[1] = said;
}

static void ftp_data_end(struct zb_analyzer *a)
{
	struct ftp_data *s = (struct ftp_data *)a;

	for (unsigned i = ZB_ORIG; i <= ZB_RESP; i++) {
		zb_file_finish(s->file[i]);
		tell_mime(s, i, zb_analyzer_conn(a)->deadline_ns);
		zb_file_release(s->file[i]);
	}
	if (s->note != NULL)
		zb_expect_note_put(zb_analyzer_analysis(a), &s->note->base);
	zb_expect_spend(a);
}

const struct zb_analyzer_def zb_analyzer_ftp_data = {
	.name = "ftp-data",
	.state_bytes = sizeof(struct ftp_data),
	.mem = ZB_MEM_analyzer,
	.begin = ftp_data_begin,
	.data = ftp_data_data,
	.gap = ftp_data_gap,
	.fin = ftp_data_fin,
	.flip = ftp_data_flip,
	.end = ftp_data_end,
};
