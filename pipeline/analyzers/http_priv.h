/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_priv.h - what the files of the HTTP analyzer share
 *
 *     http.c        what each side says, and what is expected next; tunnels
 *     http_line.c   the stream of a side: lines, and bytes that are no lines
 *     http_upgrade.c  CONNECT, Upgrade, WebSocket
 *     http_head.c   request line, status line
 *     http_field.c  headers
 *     http_body.c   bodies: by length, in chunks, by lines, to the end
 *     http_part.c   messages in messages
 *     http_file.c   bodies as files
 *     http_zip.c    gzip and deflate undone
 *     http_info.c   transactions: requests matched with replies, rows of http.log
 */
#ifndef ZB_PIPELINE_ANALYZERS_HTTP_PRIV_H
#define ZB_PIPELINE_ANALYZERS_HTTP_PRIV_H

#include "pipeline/analyzers/http_state.h"
#include "pipeline/text_char.h"

static inline struct zb_mem *http_mem(struct http *h)
{
	return &zb_analyzer_analysis(&h->base)->mem;
}

static inline size_t http_skip_blanks(const char *d, size_t at, size_t n)
{
	while (at < n && zb_text_is_blank((uint8_t)d[at]))
		at++;
	return at;
}

/* A weird with a piece of the message, cut to what a row may hold. */
void http_weird(struct http *h, enum zb_weird_name name, const char *d, size_t n);

/* http_line.c */
/* Appends to a buffer, up to HTTP_LINE_MAX; false: too long, or memory is out. */
bool http_buf_add(struct http *h, struct http_buf *b, const char *d, size_t n);
void http_buf_free(struct http *h, struct http_buf *b);
/* Empties it; much room is given back. */
void http_buf_clear(struct http *h, struct http_buf *b);
/* Takes bytes of a side, and the end of its stream. */
void http_lines_data(struct http *h, unsigned side, const char *d, size_t n);
void http_lines_fin(struct http *h, unsigned side);

/* http.c */
/* A line without its end, or bytes that are no line. */
void http_take(struct http *h, unsigned side, const char *d, size_t n, bool is_line);
/* The message of a side is over; interrupted: nothing more is read of the side. */
void http_message_end(struct http *h, unsigned side, bool interrupted);
void http_tunnel_data(struct http *h, unsigned side, const char *d, size_t n);

/* http_head.c: false: refused */
bool http_request_line(struct http *h, const char *d, size_t n);
bool http_status_line(struct http *h, const char *d, size_t n);
/* The request or reply counts: its transaction begins, or goes on. */
void http_reply_begins(struct http *h, const char *reason, size_t n);

/* http_field.c: a line of a header; the last header is known not to go on. */
void http_header_line(struct http *h, unsigned side, struct http_entity *e, const char *d,
		      size_t n);
void http_header_flush(struct http *h, unsigned side, struct http_entity *e);

/* http_body.c */
void http_entity_init(struct http_entity *e, enum http_has_body has_body);
/* A message begins; its file so far, if any, is let go. */
void http_entity_begin(struct http *h, unsigned side, enum http_has_body has_body);
/* A line, or bytes, of headers or body. */
void http_entity_take(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n,
		      bool is_line);
/* Whether what comes now is a body that goes by lines; bytes of it, as they came. */
bool http_entity_is_text(const struct http *h, unsigned side);
void http_entity_text(struct http *h, unsigned side, const char *d, size_t n);
/* n bytes were not seen; false: where the message goes on is not known. */
bool http_entity_gap(struct http *h, unsigned side, uint64_t n);
/* No more of it; the message ends with its top entity. */
void http_entity_end(struct http *h, unsigned side, struct http_entity *e);
/* Bytes of the body as they were before they were compressed. */
void http_entity_clear(struct http *h, unsigned side, struct http_entity *e, const char *d,
		       size_t n, bool is_line);
void http_entity_free(struct http *h, struct http_entity *e);

/* http_file.c: bodies as files */
void http_file_data(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n);
void http_file_gap(struct http *h, unsigned side, struct http_entity *e, uint64_t n);
void http_file_end(struct http *h, unsigned side, struct http_entity *e);
void http_file_release(struct http_entity *e);

/* http_part.c: a line, or bytes, of a message that holds messages */
void http_part_take(struct http *h, unsigned side, struct http_entity *e, const char *d, size_t n,
		    bool is_line);
/* A part begins in e; e's part ends. */
void http_part_begin(struct http *h, unsigned side, struct http_entity *e);
void http_part_end(struct http *h, unsigned side, struct http_entity *e);

/* http_zip.c */
void http_zip_data(struct http *h, unsigned side, struct http_entity *e, const uint8_t *d,
		   size_t n);
void http_zip_end(struct http *h, struct http_entity *e);

/* http_upgrade.c: CONNECT was granted; 101: the connection speaks another protocol from here on */
void http_connected(struct http *h);
void http_upgraded(struct http *h);
void http_websocket_header(struct http *h, unsigned side, const char *d, size_t n);

/* http_info.c */
struct http_info *http_info_request(struct http *h);
struct http_info *http_info_reply(struct http *h);
/* The transaction that a side's message belongs to, made if need be; NULL: memory is out. */
struct http_info *http_info_of(struct http *h, unsigned side);
/* The one spoken of last; NULL: it is over. */
struct http_info *http_info_current(struct http *h);
void http_info_set(struct http *h, struct http_info *i, struct http_str *s, const char *d,
		   size_t n);
void http_info_proxied(struct http *h, struct http_info *i, const char *name, size_t name_n,
		       const char *value, size_t n);
/* An entity of a side begins, or one ends: of the transaction spoken of last, as in Zeek. */
void http_info_entity(struct http *h, unsigned side, bool begins);
/* A file begins; its type is known. */
void http_info_file(struct http *h, unsigned side, struct zb_file *f, const struct http_buf *name);
void http_info_mime(struct http *h, unsigned side, struct zb_file *f);
void http_info_done(struct http *h, unsigned side, uint64_t body_len);
void http_info_flush(struct http *h);

#endif
