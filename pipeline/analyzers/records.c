/* SPDX-License-Identifier: Apache-2.0 */
/* records.c - see records.h */
#include <string.h>

#include "pipeline/analyzers/records.h"

#define ROOM_KEPT 65536 /* more is given back when the record is done */

/* Appends up to n bytes so that want are held; returns how many were taken, or -1. */
static int64_t keep(struct zb_records *r, struct zb_analyzer *a, const uint8_t *d, size_t n,
		    uint32_t want)
{
	struct zb_mem *mem = &zb_analyzer_analysis(a)->mem;
	size_t part = want - r->have < n ? want - r->have : n;

	if (r->have + part > r->room) {
		uint32_t room = r->room == 0 ? 256 : r->room;
		uint8_t *buf;

		while (room < r->have + part)
			room *= 2;
		buf = zb_mem_resize(mem, a->def->mem, r->buf, r->room, room);
		if (buf == NULL) {
			zb_mem_shed(mem, a->def->mem);
			return -1;
		}
		r->buf = buf;
		r->room = room;
	}
	memcpy(r->buf + r->have, d, part);
	r->have += (uint32_t)part;
	return (int64_t)part;
}

/* Can these n bytes not be a record, or the beginning of one, of length len? */
static bool is_wrong(const struct zb_record_kind *kind, int64_t len, size_t n)
{
	return len < 0 || len > kind->bytes_max || (len == 0 && n > kind->bytes_max);
}

/* Completes a record that began in an earlier chunk; returns the bytes used, or -1. */
static int64_t finish_split(struct zb_records *r, const struct zb_record_kind *kind,
			    struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	size_t used = 0;

	while (used < n) {
		int64_t len = kind->length(r->buf, r->have), took;

		if (is_wrong(kind, len, r->have))
			return -1;
		if (len != 0 && r->have >= len)
			break;
		/* One more byte at a time until the length is known. */
		took = keep(r, a, d + used, n - used, len != 0 ? (uint32_t)len : r->have + 1);
		if (took < 0)
			return -1;
		used += (size_t)took;
	}
	int64_t len = kind->length(r->buf, r->have);

	if (is_wrong(kind, len, r->have))
		return -1;
	if (len == 0 || r->have < len)
		return (int64_t)used;
	r->have = 0;
	if (!kind->record(a, side, r->buf, (size_t)len))
		return -1;
	if (r->room > ROOM_KEPT)
		zb_records_free(r, a);
	return (int64_t)used;
}

bool zb_records_data(struct zb_records *r, const struct zb_record_kind *kind, struct zb_analyzer *a,
		     unsigned side, const uint8_t *d, size_t n)
{
	while (n != 0) {
		int64_t len;

		if (r->have != 0) {
			len = finish_split(r, kind, a, side, d, n);
			if (len < 0)
				return false;
		} else {
			len = kind->length(d, n);
			if (is_wrong(kind, len, n))
				return false;
			if (len == 0 || (uint64_t)len > n)
				return keep(r, a, d, n, (uint32_t)n) >= 0;
			if (!kind->record(a, side, d, (size_t)len))
				return false;
		}
		d += len;
		n -= (size_t)len;
		if (a->flags & ZB_ANALYZER_REMOVED)
			return true;
	}
	return true;
}

void zb_records_free(struct zb_records *r, struct zb_analyzer *a)
{
	zb_mem_put(&zb_analyzer_analysis(a)->mem, a->def->mem, r->buf, r->room);
	r->buf = NULL;
	r->have = r->room = 0;
}
