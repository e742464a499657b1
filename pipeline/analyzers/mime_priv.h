/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mime_priv.h - what the files of MIME share
 *
 *     mime.c         entities, lines, boundaries, files
 *     mime_head.c    headers: name and value, Content-Type, Content-Transfer-Encoding
 *     mime_name.c    names of files
 *     mime_decode.c  base64 and quoted-printable
 */
#ifndef ZB_PIPELINE_ANALYZERS_MIME_PRIV_H
#define ZB_PIPELINE_ANALYZERS_MIME_PRIV_H

#include "pipeline/analyzers/mime.h"

#define ZB_MIME_OUT_BYTES 2048

enum zb_mime_type { ZB_MIME_LEAF, ZB_MIME_MULTIPART, ZB_MIME_MESSAGE };
enum zb_mime_encoding { ZB_MIME_PLAIN, ZB_MIME_QUOTED, ZB_MIME_BASE64 };

/* Decoding under way: digits that are not yet three bytes. */
struct zb_mime_base64 {
	uint8_t digit[4];
	uint8_t digit_nr;
	uint8_t padding; /* '=' among them */
	bool is_over;	 /* a group with padding has come */
	bool has_erred;
};

struct zb_mime_entity {
	struct zb_mime_entity *parent, *child; /* the child being read */
	uint8_t *boundary;
	uint16_t boundary_bytes; /* 0: none given */
	uint8_t depth;		 /* 0: the message itself */
	uint8_t type;		 /* enum zb_mime_type */
	uint8_t encoding;	 /* enum zb_mime_encoding */
	bool in_header, has_ended;
	bool line_end_waits; /* a line end that belongs to the boundary, if one follows */
	struct zb_mime_base64 base64;
};

struct zb_mime {
	struct zb_analyzer *a;
	const struct zb_mime_ops *ops;
	struct zb_mime_entity *top;
	uint32_t *entity_nr;
	struct zb_file *file; /* of the entity being read; NULL: nothing has come of it */
	uint8_t *head;	      /* the last header, until it is known that it goes on no further */
	uint32_t head_bytes, head_room;
	uint8_t side;
	bool has_head, file_failed;
	uint16_t name_bytes; /* 0: the entity has no name */
	uint16_t out_bytes;
	uint8_t name[ZB_FILE_NAME_MAX];
	uint8_t out[ZB_MIME_OUT_BYTES]; /* decoded, not yet in the file */
};

/* mime.c: decoded bytes of the entity being read. */
void zb_mime_put(struct zb_mime *m, const uint8_t *d, size_t n);

/* mime_head.c: one whole header of an entity. */
void zb_mime_header(struct zb_mime *m, struct zb_mime_entity *e, struct zb_text whole);

/* mime_decode.c: lines, then the end of the entity. */
void zb_mime_base64(struct zb_mime *m, struct zb_mime_base64 *b, const uint8_t *d, size_t n);
void zb_mime_base64_end(struct zb_mime *m, struct zb_mime_base64 *b);
void zb_mime_quoted(struct zb_mime *m, const uint8_t *d, size_t n);

static inline struct zb_mem *zb_mime_mem(const struct zb_mime *m)
{
	return &zb_analyzer_analysis(m->a)->mem;
}

#endif
