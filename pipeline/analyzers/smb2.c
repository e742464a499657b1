/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb2.c - messages of SMB 2 and 3: trees, files, pipes, how sessions authenticate (MS-SMB2 2.2);
 * see smb_priv.h
 */
#include "pipeline/analyzers/gss_token.h"
#include "pipeline/analyzers/smb_priv.h"

#define HEADER_BYTES   64
#define CREATE_BYTES   56 /* of a request, before the name */
#define CREATED_BYTES  88 /* of a response */
#define SET_INFO_BYTES 32
#define RENAME_BYTES   20 /* before the name */

#define FSCTL_PIPE_TRANSCEIVE 0x11c017
#define SHARE_PIPE	      2

enum command {
	NEGOTIATE = 0,
	SETUP = 1,
	TREE_CONNECT = 3,
	TREE_DISCONNECT = 4,
	CREATE = 5,
	CLOSE = 6,
	READ = 8,
	WRITE = 9,
	IOCTL = 11,
	CHANGE_NOTIFY = 15,
	QUERY_INFO = 16,
	SET_INFO = 17
};

#define STATUS_PENDING			0x00000103u
#define STATUS_NOTIFY_ENUM_DIR		0x0000010cu
#define STATUS_BUFFER_OVERFLOW		0x80000005u
#define STATUS_INVALID_PARAMETER	0xc000000du
#define STATUS_MORE_PROCESSING_REQUIRED 0xc0000016u

/* One message of those in a frame: n bytes at m. */
struct pdu {
	const uint8_t *m, *body;
	size_t n, body_n;
	uint32_t status, tree;
	uint16_t command;
	uint64_t mid;
};

/* A response without the body that the command has (MS-SMB2 3.3.4.4). */
static bool is_error(const struct pdu *p)
{
	switch (p->status) {
	case STATUS_BUFFER_OVERFLOW:
		return p->command != IOCTL && p->command != QUERY_INFO && p->command != READ;
	case STATUS_INVALID_PARAMETER: return p->command != IOCTL;
	case STATUS_MORE_PROCESSING_REQUIRED: return p->command != SETUP;
	case STATUS_NOTIFY_ENUM_DIR: return p->command != CHANGE_NOTIFY;
	default: return p->status != 0;
	}
}

/* len bytes at an offset from the header, behind a fixed part of the body; NULL: not there. */
static const uint8_t *bytes_at(const struct pdu *p, size_t fixed, size_t offset, size_t len)
{
	if (offset < HEADER_BYTES + fixed) /* an offset nobody can mean: right behind, as in Zeek */
		offset = HEADER_BYTES + fixed;
	return offset <= p->n && len <= p->n - offset ? p->m + offset : NULL;
}

/* A file id: Zeek adds its two halves. */
static uint64_t file_id(const uint8_t *d)
{
	return smb64(d) + smb64(d + 8);
}

static bool token(struct smb *s, const struct pdu *p, size_t fixed, size_t at)
{
	size_t len = smb16(p->body + at + 2);
	const uint8_t *d = bytes_at(p, fixed, smb16(p->body + at), len);

	if (d != NULL)
		zb_gss_token(&s->base, d, len);
	return d != NULL;
}

static void set_path(struct smb *s, struct smb_path path)
{
	struct smb_tree *t = s->tree != 0 ? smb_tree_get(s, s->tree) : NULL;

	if (t != NULL)
		t->path = path;
	s->request->path = s->path = path;
}

static bool tree_connect(struct smb *s, const struct pdu *p)
{
	size_t len;
	const uint8_t *d;

	if (p->body_n < 8)
		return false;
	len = smb16(p->body + 6);
	d = bytes_at(p, 8, smb16(p->body + 4), len);
	if (d != NULL)
		set_path(s, smb_path_make(d, len, true));
	return d != NULL;
}

static bool create(struct smb *s, const struct pdu *p)
{
	size_t len;
	const uint8_t *d;

	if (p->body_n < CREATE_BYTES)
		return false;
	len = smb16(p->body + 46);
	d = bytes_at(p, CREATE_BYTES, smb16(p->body + 44), len);
	if (d == NULL)
		return false;
	if (len == 0)
		smb_file_create(s, (const uint8_t *)"<share_root>", 12, false);
	else
		smb_file_create(s, d, len, true);
	return true;
}

static bool created(struct smb *s, const struct pdu *p)
{
	struct smb_opened o;

	if (p->body_n < CREATED_BYTES)
		return false;
	o = (struct smb_opened){.fid = file_id(p->body + 64),
				.size = smb64(p->body + 48),
				.modified = smb64(p->body + 24)};
	smb_file_opened(s, &o, false);
	if (s->file != NULL && s->path.known)
		s->file->path = s->path;
	return true;
}

static bool read_request(struct smb *s, const struct pdu *p)
{
	if (p->body_n < 48)
		return false;
	s->request->offset = smb64(p->body + 8);
	s->request->fid = file_id(p->body + 16);
	smb_file_is(s, s->request->fid);
	return true;
}

static bool read_response(struct smb *s, const struct pdu *p, bool is_pipe)
{
	size_t len;
	const uint8_t *d;

	if (p->body_n < 16)
		return false;
	len = smb32(p->body + 4);
	d = bytes_at(p, 16, p->body[2], len);
	if (d == NULL)
		return false;
	if (is_pipe)
		smb_pipe_data(s, s->request->fid, ZB_RESP, d, len);
	else
		smb_file_data(s, ZB_RESP, s->request->offset, d, len);
	return true;
}

static bool write_request(struct smb *s, const struct pdu *p, bool is_pipe)
{
	size_t len;
	const uint8_t *d;

	if (p->body_n < 48)
		return false;
	len = smb32(p->body + 4);
	d = bytes_at(p, 48, smb16(p->body + 2), len);
	if (d == NULL)
		return false;
	smb_file_is(s, file_id(p->body + 16));
	if (is_pipe)
		smb_pipe_data(s, file_id(p->body + 16), ZB_ORIG, d, len);
	else
		smb_file_data(s, ZB_ORIG, smb64(p->body + 8), d, len);
	return true;
}

static bool close_request(struct smb *s, const struct pdu *p, bool is_pipe)
{
	uint64_t fid;

	if (p->body_n < 24)
		return false;
	fid = file_id(p->body + 8);
	if (is_pipe)
		smb_pipe_close(s, fid);
	smb_file_close(s, fid);
	return true;
}

/* A call in a pipe and its answer in one go. */
static bool ioctl(struct smb *s, const struct pdu *p, unsigned side)
{
	unsigned at = side == ZB_ORIG ? 24 : 32; /* offset and length of the buffer */
	size_t fixed = side == ZB_ORIG ? 56 : 48, len;
	const uint8_t *d;

	if (p->body_n < fixed)
		return side == ZB_RESP; /* an empty answer is one (so in Zeek) */
	if (side == ZB_ORIG)
		s->request->fid = file_id(p->body + 8);
	len = smb32(p->body + at + 4);
	d = bytes_at(p, fixed, smb32(p->body + at), len);
	if (smb32(p->body + 4) == FSCTL_PIPE_TRANSCEIVE && d != NULL)
		smb_pipe_data(s, s->request->fid, side, d, len);
	return d != NULL;
}

/* Of a file's properties, those that change which file it is. */
static bool set_info(struct smb *s, const struct pdu *p)
{
	enum { OF_FILE = 1, BASIC = 4, RENAME = 10, DISPOSITION = 13 };
	const uint8_t *d;
	uint8_t level;

	if (p->body_n < SET_INFO_BYTES)
		return false;
	level = p->body[3];
	if (p->body[2] != OF_FILE || (level != BASIC && level != RENAME && level != DISPOSITION))
		return true;
	if (level != RENAME) {
		smb_file_is(s, file_id(p->body + 16));
		return true;
	}
	d = bytes_at(p, SET_INFO_BYTES, smb16(p->body + 8), RENAME_BYTES);
	if (d == NULL || smb32(d + 16) > (size_t)(p->m + p->n - d) - RENAME_BYTES)
		return false;
	smb_file_is(s, file_id(p->body + 16));
	smb_file_rename(s, d + RENAME_BYTES, smb32(d + 16));
	return true;
}

static bool request(struct smb *s, const struct pdu *p)
{
	bool is_pipe = smb_tree_is_pipe(s, p->tree);

	switch ((enum command)p->command) {
	case SETUP: return p->body_n >= 16 && token(s, p, 16, 12);
	case TREE_CONNECT: return tree_connect(s, p);
	case TREE_DISCONNECT:
		smb_tree_drop(s, p->tree);
		s->path = (struct smb_path){0};
		s->request->has_tree = false;
		return true;
	case CREATE: return create(s, p);
	case CLOSE: return close_request(s, p, is_pipe);
	case READ: return read_request(s, p);
	case WRITE: return write_request(s, p, is_pipe);
	case IOCTL: return ioctl(s, p, ZB_ORIG);
	case SET_INFO: return set_info(s, p);
	default: return true;
	}
}

static bool response(struct smb *s, const struct pdu *p, bool is_pipe)
{
	switch ((enum command)p->command) {
	case NEGOTIATE: return p->body_n >= 64 && token(s, p, 64, 56);
	case SETUP: return p->body_n >= 8 && token(s, p, 8, 4);
	case TREE_CONNECT:
		if (p->body_n < 16)
			return false;
		if (p->body[2] == SHARE_PIPE)
			smb_tree_set_pipe(s, p->tree);
		return true;
	case CREATE: return created(s, p);
	case READ: return read_response(s, p, is_pipe);
	case IOCTL: return ioctl(s, p, ZB_RESP);
	default: return true;
	}
}

/*
 * The tree that a message names is its request's. One without a number, as in the request to
 * connect to it, gets the number of the response.
 */
static void take_tree(struct smb *s, uint32_t tid)
{
	struct smb_request *r = s->request;
	struct smb_tree *t = tid != 0 ? smb_tree_get(s, tid) : NULL;

	if (t != NULL) {
		if (r->has_tree)
			t->path = r->path;
		t->seen = true;
	}
	r->path = t != NULL ? t->path : (struct smb_path){0};
	r->has_tree = true;
	s->path = r->path;
	s->tree = tid;
}

static bool pdu(struct smb *s, unsigned side, const struct pdu *p)
{
	bool is_orig = side == ZB_ORIG, ok = true, is_pipe;

	zb_analysis_event(zb_analyzer_analysis(&s->base));
	smb_request_get(s, p->mid, is_orig);
	is_pipe = smb_tree_is_pipe(s, s->request->tree);
	if (is_orig)
		s->request->tree = p->tree;
	take_tree(s, p->tree);
	smb_file_of_request(s);
	if (is_orig)
		return request(s, p);
	if (!is_error(p))
		ok = response(s, p, is_pipe);
	if (p->status != STATUS_PENDING)
		smb_request_drop(s);
	return ok;
}

bool smb2_message(struct smb *s, unsigned side, const uint8_t *m, size_t n)
{
	while (n >= HEADER_BYTES) {
		size_t next = smb32(m + 20);
		struct pdu p = {.m = m,
				.n = next != 0 && next < n ? next : n,
				.status = smb32(m + 8),
				.command = smb16(m + 12),
				.mid = smb64(m + 24),
				.tree = smb32(m + 36)};

		p.body = m + HEADER_BYTES;
		if (p.n < HEADER_BYTES)
			return false;
		p.body_n = p.n - HEADER_BYTES;
		if (!pdu(s, side, &p))
			return false;
		if (p.n == n)
			return true;
		m += p.n;
		n -= p.n;
	}
	return false;
}
