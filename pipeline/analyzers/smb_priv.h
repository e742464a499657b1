/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb_priv.h - what the parts of the SMB analyzer share
 *
 *     smb.c        frames: in step, whole messages, recognised
 *     smb1.c       messages of SMB 1 (MS-CIFS 2.2, MS-SMB 2.2)
 *     smb2.c       messages of SMB 2 and 3 (MS-SMB2 2.2)
 *     smb_state.c  requests, trees, memory
 *     smb_file.c   which file a message is about; its data
 *     smb_pipe.c   DCE/RPC in named pipes
 *     smb_table.c  what is remembered by number
 *     smb_text.c   names
 *
 * What is remembered follows Zeek, whose scripts decide which file data belong to
 * (scripts/base/protocols/smb/, src/analyzer/protocol/smb/). A request stays until its response; it
 * knows its tree and its file. A tree has a path, a file a name; both are known only when the
 * messages that say so were seen. Data of a file without name and path belong to no file.
 *
 * All of it is of ZB_MEM_smb, and bounded for each connection besides.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_ANALYZERS_SMB_PRIV_H
#define ZB_PIPELINE_ANALYZERS_SMB_PRIV_H

#include "pipeline/analyzers/dce_rpc.h"

#define SMB_REQUESTS_MAX 1000 /* without a response (Zeek: SMB::max_pending_messages) */
#define SMB_PIPES_MAX	 1000 /* Zeek: SMB::max_dce_rpc_analyzers */
#define SMB_FILES_MAX	 1024 /* open; then the one opened first is forgotten */
#define SMB_TREES_MAX	 256  /* the same */
#define SMB_NAME_MAX	 1024 /* bytes of a name that are kept */
#define SMB_BUCKETS	 16

/* Something remembered by number, the first member of what it is. */
struct smb_node {
	struct smb_node *next; /* in its bucket */
	struct smb_node *older, *newer;
	uint64_t key;
};

struct smb_table {
	struct smb_node *bucket[SMB_BUCKETS];
	struct smb_node *oldest, *newest;
	uint32_t nr;
	uint64_t secret; /* so that nobody can choose numbers that share a bucket */
};

struct smb_node *smb_find(const struct smb_table *t, uint64_t key);
/* The key must not be there. */
void smb_insert(struct smb_table *t, struct smb_node *n, uint64_t key);
void smb_remove(struct smb_table *t, struct smb_node *n);

/* The path of a tree, of which only a hash matters. */
struct smb_path {
	uint64_t hash;
	bool known;
};

struct smb_tree {
	struct smb_node node; /* by tree id */
	struct smb_path path;
	bool seen;    /* in a message of its own, not only as a pipe */
	bool is_pipe; /* of pipes, not of files */
};

/* A file, shared by the number it is open under and by requests. */
struct smb_info {
	uint32_t refs;
	uint16_t name_n;
	bool named;
	struct smb_path path;
	uint64_t name_hash;
	uint64_t modified; /* 100 ns since 1601; 0: not known */
	uint64_t size;
	char *name; /* name_n bytes */
};

struct smb_fid {
	struct smb_node node; /* by file id */
	struct smb_info *info;
};

struct smb_request {
	struct smb_node node; /* by message id */
	struct smb_info *info;
	struct smb_path path; /* of its tree */
	uint64_t offset, fid;
	uint32_t tree;
	bool has_tree; /* path is that of a tree it has named */
	bool is_pipe;  /* transaction */
};

struct smb_pipe {
	struct smb_node node; /* by file id */
	struct zb_dce dce;
};

struct smb {
	struct zb_analyzer base;
	struct zb_records half[2];
	uint32_t pieces;
	bool synced;
	bool has_lost;	  /* was out of step, or missed something */
	bool stumbles[2]; /* over the next piece of a side; see lose_step() */
	/* Of the message that is being looked at: */
	struct smb_request *request;
	struct smb_request scratch; /* when there is none, or no room for one */
	struct smb_info *file;	    /* what it is about, a reference; NULL: nothing known */
	struct smb_path path;	    /* its tree's */
	uint32_t tree;
	/* Of the connection: */
	struct zb_dce *feeding; /* the pipe that gets data now */
	struct smb_table requests, trees, files, pipes;
};

static inline uint16_t smb16(const uint8_t *d)
{
	return (uint16_t)(d[1] << 8 | d[0]);
}

static inline uint32_t smb32(const uint8_t *d)
{
	return (uint32_t)smb16(d + 2) << 16 | smb16(d);
}

static inline uint64_t smb64(const uint8_t *d)
{
	return (uint64_t)smb32(d + 4) << 32 | smb32(d);
}

/* A message of n bytes, which begins with the magic. False: it does not hold together. */
bool smb1_message(struct smb *s, unsigned side, const uint8_t *m, size_t n);
bool smb2_message(struct smb *s, unsigned side, const uint8_t *m, size_t n);

/* Zeroed memory; NULL: no room, and that is counted. Gives it back. Counts what was given up. */
void *smb_get(struct smb *s, size_t n);
void smb_put(struct smb *s, void *p, size_t n);
void smb_shed(struct smb *s);

/*
 * Makes request the one with this number, new if need be; s->scratch when it is not kept. Lets it
 * go, as answered.
 */
void smb_request_get(struct smb *s, uint64_t mid, bool keep);
void smb_request_drop(struct smb *s);

/* The tree with this number, new if need be; NULL: no room. */
struct smb_tree *smb_tree_get(struct smb *s, uint32_t tid);
void smb_tree_drop(struct smb *s, uint32_t tid);
bool smb_tree_is_pipe(const struct smb *s, uint32_t tid);
void smb_tree_set_pipe(struct smb *s, uint32_t tid);

/* The message is about the file of its request; about this file from now on. */
void smb_file_of_request(struct smb *s);
void smb_file_is(struct smb *s, uint64_t fid);

/*
 * A file is asked for by name (wide: in UTF-16); opened under a number, which replaces what was
 * open under it or is about that; given another name; closed.
 */
struct smb_opened {
	uint64_t fid, size, modified;
};
void smb_file_create(struct smb *s, const uint8_t *name, size_t n, bool wide);
void smb_file_opened(struct smb *s, const struct smb_opened *o, bool replace);
void smb_file_rename(struct smb *s, const uint8_t *name, size_t n);
void smb_file_close(struct smb *s, uint64_t fid);

/* The file's path is its tree's, if that is known and the file's is not. */
void smb_file_take_path(struct smb *s);

/* Data of the file, sent by side; the end of it. */
void smb_file_data(struct smb *s, unsigned side, uint64_t offset, const uint8_t *d, size_t n);

void smb_pipe_data(struct smb *s, uint64_t fid, unsigned side, const uint8_t *d, size_t n);
void smb_pipe_close(struct smb *s, uint64_t fid);

void smb_refer(struct smb *s, struct smb_info **slot, struct smb_info *i);
void smb_forget_files(struct smb *s);
void smb_forget_pipes(struct smb *s);

/* Forgets everything. */
void smb_free(struct smb *s);

/* UTF-16 to UTF-8, up to a zero or until room is full; returns the bytes written. */
size_t smb_utf8(const uint8_t *d, size_t n, char *out, size_t room);

struct smb_path smb_path_make(const uint8_t *d, size_t n, bool wide);

/* Names that are known to be pipes'. */
bool smb_is_pipe_name(const char *name, size_t n);

#endif
