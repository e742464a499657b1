/* SPDX-License-Identifier: Apache-2.0 */
/*
 * records.h - cuts a stream into records that state their length at the front
 *
 * A record that lies whole in one chunk is handed over where it is; only what is split is copied,
 * up to a bound.
 *
 * Threading: one lcore.
 * Ownership: the analyzer's, which calls zb_records_free() in its end().
 */
#ifndef ZB_PIPELINE_ANALYZERS_RECORDS_H
#define ZB_PIPELINE_ANALYZERS_RECORDS_H

#include "pipeline/analyzer.h"

struct zb_records {
	uint8_t *buf; /* the beginning of a record that is not whole */
	uint32_t have, room;
};

/*
 * How long the record is whose first n bytes (at least 1) are at d; 0: more bytes are needed to
 * tell; negative: this is no record. It may need no byte behind the record to tell.
 */
typedef int64_t zb_record_length_fn(const uint8_t *d, size_t n);

/* A whole record; false ends the cutting. */
typedef bool zb_record_fn(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n);

struct zb_record_kind {
	zb_record_length_fn *length;
	zb_record_fn *record;
	uint32_t bytes_max; /* a longer record is none */
};

/*
 * Takes the next n bytes of a side. False: what is there is no record, is too long, memory is out,
 * or record() said so; the analyzer then violates.
 */
bool zb_records_data(struct zb_records *r, const struct zb_record_kind *kind, struct zb_analyzer *a,
		     unsigned side, const uint8_t *d, size_t n);

void zb_records_free(struct zb_records *r, struct zb_analyzer *a);

#endif
