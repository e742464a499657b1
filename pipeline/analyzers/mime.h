/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mime.h - messages in the form of MIME: entities, their headers, what they hold as files
 * (RFC 2045, 2046, 5322, read as Zeek reads them: src/analyzer/protocol/mime)
 *
 * A message is given line by line. Every entity that holds neither parts nor a message is a file
 * of files.log, decoded; it begins with its first byte.
 *
 *     begin   line | gap ... flush   end
 *
 * Bounds: entities lie in one another ZB_MIME_DEPTH_MAX deep; a header has at most
 * ZB_MIME_HEADER_MAX bytes, a boundary ZB_MIME_BOUNDARY_MAX. Nothing of the contents is kept but
 * one block on its way to the file. Memory counts as the analyzer's.
 *
 * Threading: one lcore.
 * Ownership: the analyzer's, which calls zb_mime_end() in its end() at the latest.
 */
#ifndef ZB_PIPELINE_ANALYZERS_MIME_H
#define ZB_PIPELINE_ANALYZERS_MIME_H

#include "pipeline/analyzers/text_line.h"
#include "pipeline/file.h"

#define ZB_MIME_DEPTH_MAX    100   /* Zeek: MIME::max_depth */
#define ZB_MIME_FOLDED_MAX   65536 /* bytes beyond which a header takes no line more (Zeek) */
#define ZB_MIME_HEADER_MAX   (2 * ZB_MIME_FOLDED_MAX)
#define ZB_MIME_BOUNDARY_MAX 1024

struct zb_mime; /* a message under way; opaque */

/* What an analyzer wants to know; any of the functions may be NULL. side: the sender's. */
struct zb_mime_ops {
	const char *source; /* of the files: "SMTP", a literal */
	bool names_files;   /* by the headers; else files have no name */
	void (*entity)(struct zb_analyzer *a, unsigned side); /* one begins */
	void (*header)(struct zb_analyzer *a, unsigned side, struct zb_text name,
		       struct zb_text value);
	/* A file begins, name as files.log will show it (n 0: none). */
	void (*file)(struct zb_analyzer *a, unsigned side, struct zb_file *f, struct zb_text name);
};

/*
 * *entity_nr, if given, counts the entities that have begun; what it says when a file begins is the
 * file's depth. It must live as long as the message. NULL: memory is out, which is counted.
 */
struct zb_mime *zb_mime_begin(struct zb_analyzer *a, const struct zb_mime_ops *ops, unsigned side,
			      uint32_t *entity_nr);

/* A line without its end; has_end: there was one, CR and LF. m may be NULL, here and below. */
void zb_mime_line(struct zb_mime *m, const uint8_t *d, size_t n, bool has_end);

/* To be called at the end of each data(): what is decoded goes to the file. */
void zb_mime_flush(struct zb_mime *m);

/* n bytes were never seen. */
void zb_mime_gap(struct zb_mime *m, uint64_t n);

/* The message is over. */
void zb_mime_end(struct zb_mime *m);

/*
 * The name of a file in the value of Content-Disposition or Content-Type, as Zeek's
 * extract_filename_from_content_disposition() finds it: what follows the last "name=". Writes at
 * most room bytes; returns how many; -1: there is none.
 */
int zb_mime_file_name(struct zb_text value, bool is_disposition, uint8_t *out, size_t room);

#endif
