/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_state.h - what the HTTP analyzer knows of a connection
 *
 * Threading: one lcore.
 * Ownership: the analyzer's; memory is ZB_MEM_http.
 */
#ifndef ZB_PIPELINE_ANALYZERS_HTTP_STATE_H
#define ZB_PIPELINE_ANALYZERS_HTTP_STATE_H

#include <zlib.h>

#include "pipeline/file.h"

#define HTTP_LINE_MAX  65536 /* bytes of a line, or of a header folded over several */
#define HTTP_FIELD_MAX 4096  /* bytes of one text (Zeek: Log::default_max_field_string_bytes) */
#define HTTP_TEXT_MAX \
	24576 /* bytes of text kept of a transaction: with them a row fits a log buffer */
#define HTTP_PENDING_MAX  100 /* requests without an answer (Zeek: max_pending_requests) */
#define HTTP_FILES_MAX	  15  /* files listed per side (Zeek: max_files_orig, max_files_resp) */
#define HTTP_PROXIED_MAX  8
#define HTTP_DEPTH_MAX	  8 /* parts in parts */
#define HTTP_BOUNDARY_MAX 1024
#define HTTP_TO_END	  INT32_MAX /* bytes of a body that ends with the connection (Zeek) */

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
	uint32_t text_len, text_room;
	uint32_t depth; /* in the connection, from 1: no two have the same */
	uint16_t status, info_code;
	bool has_status, has_info, is_range_request;
	bool has_entity; /* one has begun, and none has ended since */
	struct http_str method, host, uri, referrer, version, user_agent, origin, status_msg,
		info_msg, username, proxied[HTTP_PROXIED_MAX];
	struct http_str fuid[2][HTTP_FILES_MAX], filename[2][HTTP_FILES_MAX];
	const char *mime[2][HTTP_FILES_MAX];
	uint8_t proxied_nr, fuid_nr[2], filename_nr[2], mime_nr[2];
};

struct http_buf {
	char *p;
	uint32_t len, room;
};

/* The stream of a side, cut into lines. */
struct http_lines {
	struct http_buf line; /* the beginning of a line that is not whole */
	int64_t plain;	      /* bytes to come that are no lines */
	int64_t delivery;     /* bytes after which a line ends in any case; -1: not known */
	uint32_t behind;      /* bytes of the chunk behind what is being handed over */
	bool after_cr;	      /* a CR ended the last line: an LF right behind it belongs to it */
	bool crlf_only;	      /* a CR or LF alone ends no line */
	bool skip;	      /* nothing more is read */
	bool is_raw;	      /* no lines at all: what HTTP/0.9 answers */
};

enum http_expect {
	HTTP_LINE,    /* of a request or a reply */
	HTTP_MESSAGE, /* headers and body */
	HTTP_NOTHING, /* no more of this side */
	HTTP_09	      /* a reply without headers */
};

enum http_chunk {
	HTTP_NO_CHUNKS,
	HTTP_CHUNKS_TO_COME, /* announced by a header */
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_END, /* the line end behind it */
	HTTP_TRAILER,
	HTTP_CHUNKS_OVER
};

/* Whether a message has a body. */
enum http_has_body { HTTP_BODY_MAYBE, HTTP_BODY_YES, HTTP_BODY_NO };

enum http_kind { HTTP_LEAF, HTTP_MULTIPART, HTTP_IN_MESSAGE };

/* A message, or a part of one: headers and body. */
struct http_entity {
	struct http_entity *parent, *child; /* the part being read */
	struct http_buf header; /* the last header, until it is known not to be folded */
	struct http_buf filename, boundary;
	int64_t left;			      /* of the body, or of a chunk */
	int64_t content_length, range_length; /* -1: not given */
	uint64_t body_len, offset, instance_length;
	z_stream *zip;
	struct zb_file *file;
	uint64_t inflated;
	uint16_t header_lines;
	uint8_t depth;	  /* 0: the message */
	uint8_t kind;	  /* enum http_kind */
	uint8_t chunk;	  /* enum http_chunk */
	uint8_t has_body; /* enum http_has_body */
	bool in_header, is_over;
	bool zipped, zip_over;
	bool is_partial, has_file, expects_100;
	bool line_end_waits; /* one that belongs to the boundary, if one follows */
};

struct http_side {
	struct http_lines lines;
	struct http_entity top;
	struct http_entity *current; /* whose data come now */
	uint8_t expect;		     /* enum http_expect */
	uint8_t major, minor;
	bool ongoing;	  /* a message has begun and not ended */
	bool has_message; /* there has been one */
};

struct http_websocket_header {
	bool has_come;
	uint8_t len;
	char text[64];
};

struct http {
	struct zb_analyzer base;
	struct http_side side[2];
	struct http_info *pending;
	struct zb_branch *tunnel; /* what runs through it after CONNECT or Upgrade */
	struct http_buf upgrade;  /* what the reply wants to switch to */
	uint64_t current_request, current_response;
	uint32_t trans_depth, request_nr, reply_nr, pending_nr;
	uint32_t current;	/* depth of the transaction spoken of last */
	uint32_t unanswered;	/* requests whose reply has not come */
	uint64_t head_requests; /* bit i: the i-th oldest unanswered one is HEAD */
	uint16_t reply_code;
	bool keep_alive, close, connect, wants_upgrade, upgraded;
	bool single_cr;				   /* line_terminated_with_single_CR was said */
	struct http_websocket_header websocket[2]; /* Sec-WebSocket-Key, -Accept */
};

#endif
