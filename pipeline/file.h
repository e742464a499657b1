/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files seen in the traffic: what analyzers hand over piece by piece, files.log
 *
 * An analyzer begins a file, gives it its data in order (or at offsets, for ranges), and ends it.
 * The file's type is told by its first bytes; its hashes are computed on the way. One row of
 * files.log per file and connection, at its end (Zeek: src/file_analysis, base/frameworks/files).
 *
 *     begin ... data | data_at | gap ...   (finish ... mime)   end
 *
 * A file ends by itself when all bytes that were announced have come, when nobody has added to it
 * for two minutes, and when it must make room. Its handle stays valid; what is added after that is
 * a new file with the same name and fuid, as in Zeek.
 *
 * Threading: one lcore.
 * Ownership: the set owns its files; a handle is valid until zb_file_end() or zb_file_release(),
 *            one of which each zb_file_begin() needs. Files that analyzers still hold must be let
 *            go before the set is destroyed.
 */
#ifndef ZB_PIPELINE_FILE_H
#define ZB_PIPELINE_FILE_H

#include "pipeline/analyzer.h"

#define ZB_FUID_MAX	   19 /* letters at most, no terminator */
#define ZB_FILE_SIZE_UNSET UINT64_MAX
#define ZB_FILE_MAX	   65536 /* open at the same time, on one lcore; then the oldest is ended */
#define ZB_FILE_NAME_MAX   1024	 /* bytes of a file's name that are kept */
#define ZB_FILE_CONN_MAX   64	 /* connections that a file is logged for */

enum zb_file_hash { ZB_FILE_MD5 = 1, ZB_FILE_SHA1 = 2, ZB_FILE_SHA256 = 4 };

struct zb_file; /* opaque */

struct zb_file_conf {
	const char *source;   /* "HTTP": a literal */
	const char *mime;     /* type known beforehand, a literal; NULL: by content */
	const char *filename; /* as named by the protocol, NULL: not; copied */
	size_t filename_len;
	uint64_t total_bytes; /* as announced, or ZB_FILE_SIZE_UNSET */
	uint32_t depth;	      /* of nesting in the protocol's own sense */
	bool is_orig;	      /* sent by the originator */
	bool total_once;      /* total_bytes counts only when the file is new on this connection */
	bool no_log;	      /* counted, of the hashes SHA-256 only, no row (X.509 certificates) */
	/*
	 * A key that pieces of one file in several messages or connections share (ranges); NULL: a
	 * file of its own. A handle that is open already is joined: of conf, only total_bytes
	 * counts then.
	 */
	const void *handle;
	size_t handle_len;
};

/*
 * hashes: enum zb_file_hash bits to compute for every file. -ENOMEM.
 */
int zb_file_set_create(struct zb_analysis *an, unsigned hashes, struct zb_file_set **out);

/* Ends what is open, as timed out. */
void zb_file_set_destroy(struct zb_file_set *s);

/* Ends files nobody has added to for two minutes (Zeek: default_file_timeout_interval). */
void zb_file_set_expire(struct zb_file_set *s, uint64_t now_ns);

/* NULL: memory is out or at its limit; the analyzer then goes on without. */
struct zb_file *zb_file_begin(struct zb_analyzer *a, const struct zb_file_conf *conf);

/* Ends the file that is open under this handle, if there is one. */
void zb_file_finish_handle(struct zb_analyzer *a, const void *handle, size_t handle_len);

/* All of these do nothing when f is NULL. */
void zb_file_data(struct zb_file *f, const uint8_t *d, size_t n);
void zb_file_data_at(struct zb_file *f, uint64_t offset, const uint8_t *d, size_t n);
/* n bytes behind what has come so far will never come. Hashes end here. */
void zb_file_gap(struct zb_file *f, uint64_t n);
/* The same; of a file that came out of order, all before at + n is given up that is not there. */
void zb_file_gap_at(struct zb_file *f, uint64_t at, uint64_t n);
void zb_file_set_total(struct zb_file *f, uint64_t total_bytes);

/* The end of the file: its row is written. The handle stays valid, for mime and fuid. */
void zb_file_finish(struct zb_file *f);

/* The same, and the handle goes. */
void zb_file_end(struct zb_file *f);

/*
 * The handle goes, the file stays open for more pieces (of a range, under the same handle) until
 * all have come or it times out.
 */
void zb_file_release(struct zb_file *f);

/* The type found, or NULL: not known (yet). A literal. */
const char *zb_file_mime(const struct zb_file *f);

/* Whether the last zb_file_begin() found the file new on its connection. */
bool zb_file_is_new_here(const struct zb_file *f);

/*
 * Who wants to know the type: a part, in a sense of its own, of an analyzer's connection; the last
 * to say so is told, once it was looked for, and once only (true, *part).
 */
void zb_file_claim(struct zb_file *f, const struct zb_analyzer *a, uint32_t part);
bool zb_file_typed(struct zb_file *f, const struct zb_analyzer *a, uint32_t *part);

/* The file's id as files.log shows it; returns its length (0 when f is NULL). */
unsigned zb_file_fuid(const struct zb_file *f, char *buf);

/* The SHA-256 of all data so far, which ends the hash; false when it is not computed. */
bool zb_file_sha256(struct zb_file *f, uint8_t out[32]);

#endif
