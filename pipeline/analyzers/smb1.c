/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb1.c - messages of SMB 1: trees, files, pipes, how sessions authenticate (MS-CIFS 2.2, MS-SMB
 * 2.2); see smb_priv.h
 *
 * A message is a header and a chain of commands (AndX). Each command has words, then bytes.
 */
#include <string.h>

#include "pipeline/analyzers/gss_token.h"
#include "pipeline/analyzers/smb_priv.h"

#define HEADER_BYTES	  32
#define EMPTY_BYTES	  3 /* no words, no bytes: an answer that says nothing */
#define CHAIN_MAX	  8
#define NO_COMMAND	  0xff
#define EXTENDED_SECURITY 0x80000000u

enum command {
	CLOSE = 0x04,
	TRANSACTION = 0x25,
	OPEN = 0x2d,
	READ = 0x2e,
	WRITE = 0x2f,
	TREE_DISCONNECT = 0x71,
	NEGOTIATE = 0x72,
	SETUP = 0x73,
	LOGOFF = 0x74,
	TREE_CONNECT = 0x75,
	NT_CREATE = 0xa2,
};

/* One command of a message. */
struct block {
	const uint8_t *m; /* the message, */
	size_t n;	  /* and its length */
	const uint8_t *words;
	unsigned word_nr;
	size_t bytes; /* offset of the bytes */
	uint8_t command;
	bool unicode;
	uint16_t tree, mid;
};

/* len bytes at an offset; NULL: not there. */
static const uint8_t *bytes_at(const struct block *b, size_t offset, size_t len)
{
	if (offset < b->bytes)
		offset = b->bytes;
	return offset <= b->n && len <= b->n - offset ? b->m + offset : NULL;
}

/* The string at *at, and its length without the zero; *at moves behind it. */
static const uint8_t *string(const struct block *b, bool unicode, size_t *at, size_t *len)
{
	const uint8_t *d;
	size_t n;

	if (unicode && *at % 2 != 0)
		(*at)++;
	if (*at > b->n)
		return NULL;
	d = b->m + *at;
	n = b->n - *at;
	if (!unicode) {
		const uint8_t *end = memchr(d, 0, n);

		*len = end != NULL ? (size_t)(end - d) : n;
		*at += *len + (end != NULL);
		return d;
	}
	for (*len = 0; *len + 1 < n && smb16(d + *len) != 0; *len += 2)
		;
	*at += *len + (*len + 1 < n ? 2 : 0);
	return d;
}

static bool token(struct smb *s, const struct block *b, size_t len)
{
	const uint8_t *d = bytes_at(b, b->bytes, len);

	if (d != NULL)
		zb_gss_token(&s->base, d, len);
	return d != NULL;
}

/* A server that knows extended security sends its token behind its GUID of 16 bytes. */
static bool negotiated(struct smb *s, const struct block *b)
{
	size_t len;

	if (b->word_nr != 17 || !(smb32(b->words + 19) & EXTENDED_SECURITY))
		return true;
	len = smb16(b->m + b->bytes - 2);
	if (len < 16 || len > b->n - b->bytes)
		return false;
	zb_gss_token(&s->base, b->m + b->bytes + 16, len - 16);
	return true;
}

/* With extended security: 12 words asked, 4 answered. */
static bool setup(struct smb *s, const struct block *b, unsigned side)
{
	if (b->word_nr != (side == ZB_ORIG ? 12u : 4u))
		return true;
	return token(s, b, smb16(b->words + (side == ZB_ORIG ? 14 : 6)));
}

static bool tree_connect(struct smb *s, const struct block *b)
{
	const uint8_t *d;
	size_t at, len;

	if (b->word_nr < 4)
		return false;
	at = b->bytes + smb16(b->words + 6);
	d = string(b, b->unicode, &at, &len);
	if (d == NULL)
		return false;
	s->request->path = smb_path_make(d, len, b->unicode);
	return true;
}

static bool tree_connected(struct smb *s, const struct block *b)
{
	struct smb_tree *t = smb_tree_get(s, b->tree);
	size_t at = b->bytes, len;
	const uint8_t *service = string(b, false, &at, &len);

	if (service == NULL)
		return false;
	s->path = s->request->path;
	if (t == NULL)
		return true;
	t->path = s->path;
	if (len >= 3 && memcmp(service, "IPC", 3) == 0)
		t->is_pipe = true;
	return true;
}

static bool create(struct smb *s, const struct block *b)
{
	size_t at = b->bytes, len;
	const uint8_t *d = string(b, b->unicode, &at, &len);

	if (b->word_nr < 24 || d == NULL)
		return false;
	smb_file_create(s, d, len, b->unicode);
	return true;
}

static bool created(struct smb *s, const struct block *b)
{
	struct smb_opened o;

	if (b->word_nr < 34)
		return false;
	o = (struct smb_opened){.fid = smb16(b->words + 5),
				.modified = smb64(b->words + 27),
				.size = smb64(b->words + 55)};
	smb_file_opened(s, &o, true);
	return true;
}

static bool read_request(struct smb *s, const struct block *b)
{
	uint32_t high;

	if (b->word_nr < 10)
		return false;
	high = b->word_nr == 12 ? smb32(b->words + 20) : 0;
	s->request->offset = (uint64_t)(high != UINT32_MAX ? high : 0) << 32 | smb32(b->words + 6);
	smb_file_is(s, smb16(b->words + 4));
	smb_file_take_path(s);
	return true;
}

static bool read_response(struct smb *s, const struct block *b)
{
	const uint8_t *d;
	size_t len;

	if (b->word_nr < 12)
		return false;
	len = (size_t)smb16(b->words + 14) << 16 | smb16(b->words + 10);
	d = bytes_at(b, smb16(b->words + 12), len);
	if (d == NULL)
		return false;
	if (smb_tree_is_pipe(s, b->tree))
		smb_pipe_data(s, 0, ZB_RESP, d, len);
	else
		smb_file_data(s, ZB_RESP, s->request->offset, d, len);
	return true;
}

static bool write_request(struct smb *s, const struct block *b)
{
	uint64_t offset;
	const uint8_t *d;
	size_t len;

	if (b->word_nr < 12)
		return false;
	offset = smb32(b->words + 6);
	if (b->word_nr == 14)
		offset |= (uint64_t)smb32(b->words + 24) << 32;
	len = (size_t)smb16(b->words + 18) << 16 | smb16(b->words + 20);
	d = bytes_at(b, smb16(b->words + 22), len);
	if (d == NULL)
		return false;
	smb_file_is(s, smb16(b->words + 4));
	smb_file_take_path(s);
	if (smb_tree_is_pipe(s, b->tree))
		smb_pipe_data(s, 0, ZB_ORIG, d, len);
	else
		smb_file_data(s, ZB_ORIG, offset, d, len);
	return true;
}

/* Whose name says that it goes to a pipe, other than the one for remote administration. */
static bool is_pipe_transaction(const uint8_t *name, size_t n, bool wide)
{
	char text[32];

	if (wide) {
		n = smb_utf8(name, n, text, sizeof(text));
		name = (const uint8_t *)text;
	}
	return n >= 6 && memcmp(name, "\\PIPE\\", 6) == 0 &&
	       !(n >= 12 && memcmp(name + 6, "LANMAN", 6) == 0);
}

static bool transaction(struct smb *s, const struct block *b)
{
	size_t at = b->bytes, len, offset;
	const uint8_t *name = string(b, b->unicode, &at, &len), *d;
	bool by_name;

	if (b->word_nr < 14 || name == NULL)
		return false;
	by_name = is_pipe_transaction(name, len, b->unicode);
	s->request->is_pipe = by_name || smb_tree_is_pipe(s, b->tree);
	offset = smb16(b->words + 24);
	d = bytes_at(b, offset > at ? offset : at, 0);
	if (d == NULL)
		return false;
	if (by_name)
		smb_pipe_data(s, 0, ZB_ORIG, d, (size_t)(b->m + b->n - d));
	return true;
}

static bool transaction_response(struct smb *s, const struct block *b)
{
	const uint8_t *d;

	if (b->word_nr < 10)
		return true; /* more of it is asked for */
	d = bytes_at(b, smb16(b->words + 14), 0);
	if (d == NULL)
		return false;
	if (s->request->is_pipe && smb16(b->words + 12) != 0)
		smb_pipe_data(s, 0, ZB_RESP, d, (size_t)(b->m + b->n - d));
	return true;
}

static bool request(struct smb *s, const struct block *b)
{
	switch ((enum command)b->command) {
	case CLOSE:
		if (b->word_nr < 3)
			return false;
		smb_file_close(s, smb16(b->words));
		return true;
	case TRANSACTION: return transaction(s, b);
	case READ: return read_request(s, b);
	case WRITE: return write_request(s, b);
	case TREE_DISCONNECT: smb_tree_drop(s, b->tree); return true;
	case SETUP: return setup(s, b, ZB_ORIG);
	case TREE_CONNECT: return tree_connect(s, b);
	case NT_CREATE: return create(s, b);
	default: return true;
	}
}

static bool response(struct smb *s, const struct block *b)
{
	switch ((enum command)b->command) {
	case TRANSACTION: return transaction_response(s, b);
	case READ: return read_response(s, b);
	case NEGOTIATE: return negotiated(s, b);
	case SETUP: return setup(s, b, ZB_RESP);
	case TREE_CONNECT: return tree_connected(s, b);
	case NT_CREATE: return created(s, b);
	default: return true;
	}
}

/* Finds words and bytes of the command at an offset; false: not there. */
static bool block_at(struct block *b, size_t at)
{
	if (at + EMPTY_BYTES > b->n)
		return false;
	b->word_nr = b->m[at];
	b->words = b->m + at + 1;
	b->bytes = at + 1 + 2 * (size_t)b->word_nr + 2;
	return b->bytes <= b->n;
}

/* Whether another command may follow, and which. */
static bool next_block(const struct block *b, uint8_t *command, size_t *at)
{
	switch ((enum command)b->command) {
	case OPEN:
	case READ:
	case WRITE:
	case SETUP:
	case LOGOFF:
	case TREE_CONNECT:
	case NT_CREATE: break;
	default: return false;
	}
	if (b->word_nr < 2 || b->words[0] == NO_COMMAND || smb16(b->words + 2) <= *at)
		return false;
	*command = b->words[0];
	*at = smb16(b->words + 2);
	return true;
}

/* The commands of a message, the last one first: so does Zeek. */
static bool chain(struct smb *s, unsigned side, struct block b)
{
	struct block link[CHAIN_MAX];
	unsigned nr = 0;
	size_t at = HEADER_BYTES;
	bool ok = true;

	do {
		if (!block_at(&b, at)) {
			ok = false;
			break;
		}
		link[nr++] = b;
	} while (nr < CHAIN_MAX && next_block(&b, &b.command, &at));
	while (nr-- != 0)
		ok &= side == ZB_ORIG ? request(s, &link[nr]) : response(s, &link[nr]);
	return ok;
}

bool smb1_message(struct smb *s, unsigned side, const uint8_t *m, size_t n)
{
	struct block b = {.m = m, .n = n};
	struct smb_tree *t;
	bool ok = true;

	if (n < HEADER_BYTES + EMPTY_BYTES)
		return false;
	zb_analysis_event(zb_analyzer_analysis(&s->base));
	b.command = m[4];
	b.unicode = m[11] >> 7;
	b.tree = smb16(m + 24);
	b.mid = smb16(m + 30);
	t = smb_tree_get(s, b.tree);
	if (t != NULL)
		t->seen = true;
	s->tree = b.tree;
	s->path = t != NULL ? t->path : (struct smb_path){0};
	smb_request_get(s, b.mid, side == ZB_ORIG);
	if (!s->request->has_tree) {
		s->request->has_tree = true;
		s->request->path = s->path;
	}
	if (n != HEADER_BYTES + EMPTY_BYTES)
		ok = chain(s, side, b);
	if (side == ZB_RESP)
		smb_request_drop(s);
	return ok;
}
