/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_priv.h - what the files of the HTTP analyzer share
 *
 *     http.c       lines and their sequence: what is expected next of each side
 *     http_head.c  request line, status line, headers
 *     http_body.c  bodies: by length, in chunks, to the end; compressed; as files
 *     http_info.c  transactions: requests matched with replies, rows of http.log
 */
#ifndef ZB_PIPELINE_ANALYZERS_HTTP_PRIV_H
#define ZB_PIPELINE_ANALYZERS_HTTP_PRIV_H

#include <zlib.h>

#include "pipeline/file.h"

#define HTTP_LINE_MAX	 65536 /* bytes of a line, or of a header folded over several */
#define HTTP_TEXT_MAX	 65536 /* bytes of text kept of a transaction */
#define HTTP_PENDING_MAX 100   /* requests without an answer (Zeek: max_pending_requests) */
#define HTTP_FILES_MAX	 15    /* files listed per side (Zeek: max_files_orig, max_files_resp) */
#define HTTP_PROXIED_MAX 8

/* A piece of a transaction's text. */
struct http_str {
	uint32_t at, len;
	bool is_set;
};

/* A transaction: one row of http.log. */
struct http_info {
	struct http_info *next; /* pending, by number */
	uint64_t ts_ns, number;
	uint64_t body_len[2];
	char *text;
	uint32_t text_len, text_room, depth;
	uint16_t status, info_code;
	bool has_status, has_info;
	struct http_str method, host, uri, referrer, version, user_agent, origin, status_msg,
		info_msg, username, proxied[HTTP_PROXIED_MAX];
	struct http_str fuid[2][HTTP_FILES_MAX], filename[2][HTTP_FILES_MAX];
	const char *mime[2][HTTP_FILES_MAX];
	uint8_t proxied_nr, fuid_nr[2], filename_nr[2], mime_nr[2];
};

enum http_expect {
	HTTP_LINE, /* of a request or a reply */
	HTTP_HEADERS,
	HTTP_BODY, /* `left` bytes of it */
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_DATA, /* `left` bytes of it */
	HTTP_CHUNK_END,	 /* the empty line behind it */
	HTTP_TRAILER,
	HTTP_TO_END, /* a body until the connection ends */
	HTTP_NOTHING /* no more of this side */
};

struct http_buf {
	char *p;
	uint32_t len, room;
};

struct http_side {
	struct http_buf line;	/* the beginning of a line that is not whole */
	struct http_buf header; /* the last header, until it is known not to be folded */
	int64_t left;
	int64_t content_length, range_length; /* -1: not given */
	uint64_t body_len, offset, instance_length;
	z_stream *zip;
	struct zb_file *file;
	struct http_buf filename;
	uint8_t expect; /* enum http_expect */
	uint8_t major, minor;
	bool in_message, cr_pending, chunked, gzip, deflate, zip_failed, partial, multipart,
		no_body;
};

struct http {
	struct zb_analyzer base;
	struct http_side side[2];
	struct http_info *pending;
	struct zb_branch *tunnel; /* what runs through it after CONNECT */
	uint64_t current_request, current_response;
	uint32_t trans_depth, request_nr, pending_nr;
	uint32_t unanswered;	/* requests whose reply has not come */
	uint64_t head_requests; /* bit i: the i-th oldest unanswered one is HEAD */
	uint16_t reply_code;
	bool keep_alive, close, connect, upgrade, has_upgrade_protocol, upgraded, is_partial,
		http09;
};

static inline struct zb_mem *http_mem(struct http *h)
{
	return &zb_analyzer_analysis(&h->base)->mem;
}

/* Appends to a buffer, up to HTTP_LINE_MAX; false: too long, or memory is out. */
bool http_buf_add(struct http *h, struct http_buf *b, const char *d, size_t n);
void http_buf_free(struct http *h, struct http_buf *b);

/* http_info.c */
struct http_info *http_info_request(struct http *h);
struct http_info *http_info_reply(struct http *h);
/* The transaction that a side's message belongs to, made if need be; NULL: memory is out. */
struct http_info *http_info_of(struct http *h, unsigned side);
void http_info_set(struct http *h, struct http_info *i, struct http_str *s, const char *d,
		   size_t n);
void http_info_proxied(struct http *h, struct http_info *i, const char *name, size_t name_n,
		       const char *value, size_t n);
void http_info_file(struct http *h, unsigned side, struct zb_file *f);
void http_info_mime(struct http *h, unsigned side, const char *mime);
void http_info_done(struct http *h, unsigned side, uint64_t body_len);
void http_info_flush(struct http *h);

/* http_head.c */
int http_request_line(struct http *h, const char *d, size_t n); /* 1 taken, 0 refused */
bool http_status_line(struct http *h, const char *d, size_t n);
void http_header(struct http *h, unsigned side, const char *d, size_t n);

/* http_body.c: what comes after the headers; then bytes of it, decoded from chunks */
void http_body_begin(struct http *h, unsigned side);
void http_body_data(struct http *h, unsigned side, const uint8_t *d, size_t n);
void http_body_gap(struct http *h, unsigned side, uint64_t n);
/* Ends file and inflation. */
void http_body_end(struct http *h, unsigned side);

/* http.c: the message of a side is over; interrupted: nothing more is read of the side. */
void http_message_end(struct http *h, unsigned side, bool interrupted);

#endif
