/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb_say.h - messages of SMB, made and said by hand, for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_SMB_SAY_H
#define ZB_TESTS_UNIT_SMB_SAY_H

#include "analyzer_bed.h"

enum {
	TREE_CONNECT = 3,
	TREE_DISCONNECT = 4,
	CREATE = 5,
	CLOSE = 6,
	READ = 8,
	WRITE = 9,
	IOCTL = 11,
	SET_INFO = 17
};

/* A frame under way: messages of SMB 2 are put into it one after another. */
struct smb_frame {
	uint8_t d[4 + 20000];
	size_t n;      /* of it, used */
	size_t header; /* where the last message begins */
};

static inline void put16(uint8_t *d, unsigned v)
{
	d[0] = (uint8_t)v;
	d[1] = (uint8_t)(v >> 8);
}

static inline void put32(uint8_t *d, uint32_t v)
{
	put16(d, v & 0xffff);
	put16(d + 2, v >> 16);
}

static inline void put64(uint8_t *d, uint64_t v)
{
	put32(d, (uint32_t)v);
	put32(d + 4, (uint32_t)(v >> 32));
}

/* ASCII as UTF-16. */
static inline size_t put_wide(uint8_t *d, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		put16(d + 2 * i, (uint8_t)text[i]);
	return 2 * n;
}

/* Begins a message of SMB 2 with body_n zeros as its body, which is returned. */
static inline uint8_t *smb2_put(struct smb_frame *f, uint16_t command, uint64_t mid, uint32_t tree,
				size_t body_n)
{
	uint8_t *m;

	if (f->n == 0) {
		memset(f, 0, sizeof(*f));
		f->n = 4;
	} else {
		put32(f->d + f->header + 20, (uint32_t)(f->n - f->header));
	}
	f->header = f->n;
	m = f->d + f->header;
	assert_true(f->n + 64 + body_n <= sizeof(f->d));
	memset(m, 0, 64 + body_n);
	memcpy(m, "\xfeSMB\x40", 5);
	put16(m + 12, command);
	put64(m + 24, mid);
	put32(m + 36, tree);
	f->n += 64 + body_n;
	return m + 64;
}

/* Says the frame and begins a new one. */
static inline void smb_say(struct analyzer_bed *b, struct smb_frame *f, unsigned side)
{
	f->d[1] = (uint8_t)((f->n - 4) >> 16);
	f->d[2] = (uint8_t)((f->n - 4) >> 8);
	f->d[3] = (uint8_t)(f->n - 4);
	ab_say(b, side, f->d, f->n);
	f->n = 0;
}

static inline void put_tree_connect(struct smb_frame *f, uint64_t mid, const char *path)
{
	uint8_t *body = smb2_put(f, TREE_CONNECT, mid, 0, 8 + 2 * strlen(path));

	put16(body + 4, 64 + 8);
	put16(body + 6, (unsigned)put_wide(body + 8, path));
}

static inline void put_tree_connected(struct smb_frame *f, uint64_t mid, uint32_t tree,
				      uint8_t type)
{
	smb2_put(f, TREE_CONNECT, mid, tree, 16)[2] = type;
}

static inline void put_create(struct smb_frame *f, uint64_t mid, uint32_t tree, const char *name)
{
	uint8_t *body = smb2_put(f, CREATE, mid, tree, 56 + 2 * strlen(name));

	put16(body + 44, 64 + 56);
	put16(body + 46, (unsigned)put_wide(body + 56, name));
}

/* Opened as fid, of size bytes, last changed at a time (any number). */
static inline void put_created(struct smb_frame *f, uint64_t mid, uint32_t tree, uint64_t fid,
			       uint64_t size)
{
	uint8_t *body = smb2_put(f, CREATE, mid, tree, 88);

	put64(body + 24, 130000000000000000u);
	put64(body + 48, size);
	put64(body + 64, fid);
}

static inline void put_read(struct smb_frame *f, uint64_t mid, uint32_t tree, uint64_t fid,
			    uint64_t offset)
{
	uint8_t *body = smb2_put(f, READ, mid, tree, 48);

	put64(body + 8, offset);
	put64(body + 16, fid);
}

static inline void put_data(struct smb_frame *f, uint64_t mid, uint32_t tree, const void *d,
			    size_t n)
{
	uint8_t *body = smb2_put(f, READ, mid, tree, 16 + n);

	body[2] = 64 + 16;
	body[3] = 7; /* reserved */
	put32(body + 4, (uint32_t)n);
	memcpy(body + 16, d, n);
}

static inline void put_write(struct smb_frame *f, uint64_t mid, uint32_t tree, uint64_t fid,
			     uint64_t offset, const char *text)
{
	size_t n = strlen(text);
	uint8_t *body = smb2_put(f, WRITE, mid, tree, 48 + n);

	put16(body + 2, 64 + 48);
	put32(body + 4, (uint32_t)n);
	put64(body + 8, offset);
	put64(body + 16, fid);
	memcpy(body + 48, text, n);
}

static inline void put_close(struct smb_frame *f, uint64_t mid, uint32_t tree, uint64_t fid)
{
	put64(smb2_put(f, CLOSE, mid, tree, 24) + 8, fid);
}

/* The share \\h\s as tree 5, of this type, and a file opened on it under a number. */
static inline void smb_open_file(struct analyzer_bed *b, struct smb_frame *f, uint8_t type,
				 const char *name, uint64_t fid, uint64_t size)
{
	put_tree_connect(f, 1, "\\\\h\\s");
	smb_say(b, f, ZB_ORIG);
	put_tree_connected(f, 1, 5, type);
	smb_say(b, f, ZB_RESP);
	put_create(f, 2, 5, name);
	smb_say(b, f, ZB_ORIG);
	put_created(f, 2, 5, fid, size);
	smb_say(b, f, ZB_RESP);
}

/* A frame with a message of SMB 1: words as bytes, then bytes. */
static inline void smb1_say(struct analyzer_bed *b, unsigned side, uint8_t command,
			    const void *words, size_t word_bytes, const void *bytes, size_t n)
{
	struct smb_frame f = {.n = 4 + 32 + 1 + word_bytes + 2 + n};
	uint8_t *m = f.d + 4;

	memcpy(m, "\xffSMB", 4);
	m[4] = command;
	put16(m + 24, 5); /* tree */
	put16(m + 30, 9); /* message */
	m[32] = (uint8_t)(word_bytes / 2);
	memcpy(m + 33, words, word_bytes);
	put16(m + 33 + word_bytes, (unsigned)n);
	memcpy(m + 33 + word_bytes + 2, bytes, n);
	smb_say(b, &f, side);
}

#endif
