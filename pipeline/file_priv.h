/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_priv.h - a file and the set of files, as the parts of the file framework share them
 *
 * A file is live (in the queue, its row still to come) or resting: its row is written, but an
 * analyzer holds its handle. Every live file stands in a queue by the time at which it is looked at
 * next; a look either ends it or puts it off by the same interval, so the queue is in order without
 * sorting and adding data touches nothing but the file (Zeek's FileTimer does the same).
 */
#ifndef ZB_PIPELINE_FILE_PRIV_H
#define ZB_PIPELINE_FILE_PRIV_H

#include "pipeline/file.h"
#include "pipeline/file_hash.h"

#define ZB_FILE_BOF_BYTES     4096 /* looked at for the type (Zeek: default_file_bof_buffer_size) */
#define ZB_FILE_REASSEM_BYTES 524288 /* waiting at most (Zeek: Files::reassembly_buffer_size) */
#define ZB_FILE_BLOCKS_MAX    512    /* pieces out of order at most */
#define ZB_FILE_TIMEOUT_NS    (120 * ZB_SEC_NS)
#define ZB_FILE_BUCKETS	      4096 /* or as many as the limit allows */

/* A connection that a file was seen on. */
struct zb_file_conn {
	struct zb_file_conn *next;
	uint64_t uid_seq;
	uint8_t addr[2][16]; /* originator, responder */
	uint16_t port[2];
	uint8_t ip_version;
};

/* Data ahead of what has been delivered. */
struct zb_file_block {
	struct zb_file_block *next, *prev;
	uint64_t offset;
	uint32_t n;
	uint8_t data[];
};

struct zb_file {
	struct zb_file_set *set;
	uint64_t offset; /* of the next byte in order */
	uint64_t total;	 /* ZB_FILE_SIZE_UNSET: not announced */
	uint64_t last_ns;
	uint64_t seen;
	uint8_t *bof;	/* first bytes, ZB_FILE_BOF_BYTES of room; NULL: none kept (any more) */
	uint16_t bof_n; /* of them, kept so far */
	bool live;
	bool sniffed;	 /* the type was looked for */
	bool reassemble; /* data came out of order once */
	bool is_orig;
	bool no_log;
	bool timedout;
	bool is_new_here; /* on the connection of the last begin */
	bool told;	  /* the claimer knows of the type, or that there is none */
	uint8_t hashing;  /* hashes under way, enum zb_file_hash */
	uint8_t hashed;	  /* hashes that are ready */
	const char *mime;

	struct zb_file_block *first, *last; /* by offset, without overlaps */
	uint32_t block_nr, block_bytes;
	uint64_t missing, overflow;

	uint64_t begin_ns, check_ns;
	struct zb_file *next, *prev; /* in the queue */
	uint32_t held;		     /* handles given out */
	uint32_t payer_held;	     /* of them, to the payer */
	struct zb_mem_owner *payer;  /* the connection whose memory it counts as; NULL: nobody's */
	uint64_t bytes;		     /* that it holds */
	uint32_t depth;
	const char *source, *mime_given;
	char *name;
	uint32_t name_n;
	uint32_t conn_nr;
	uint64_t key;	    /* of the handle; 0: a file of its own */
	uint64_t id;	    /* the fuid is derived from it */
	uint64_t claim_uid; /* connection, and its part, that wants to know the type */
	uint32_t claim_part;
	struct zb_file *bucket_next;
	struct zb_file_conn conn;  /* the first one; its next is a block of its own */
	struct zb_file_hashes h[]; /* one, or none when nothing is hashed */
};

struct zb_file_set {
	struct zb_analysis *an;
	struct zb_file *first, *last; /* live ones, by check_ns */
	uint64_t begun;		      /* files so far */
	uint32_t nr;		      /* live */
	unsigned hashes;
	uint16_t magic[257]; /* index of zb_file_magic() */
	uint32_t bucket_nr;
	struct zb_file *bucket[]; /* bucket_nr */
};

/* A block that f holds; NULL: no room. */
void *zb_file_get_block(struct zb_file *f, enum zb_mem_kind kind, size_t n);
void zb_file_put_block(struct zb_file *f, enum zb_mem_kind kind, void *p, size_t n);

/* A handle more, for the connection of a; a handle less, of the connection that is worked for. */
void zb_file_hold(struct zb_file *f, const struct zb_analyzer *a);
void zb_file_let_go(struct zb_file *f);

/* The next n bytes in order: type, hashes, counts. */
void zb_file_deliver(struct zb_file *f, const uint8_t *d, size_t n);

/* n bytes that will never come, after what was delivered. */
void zb_file_skip(struct zb_file *f, uint64_t n);

/* Data at an offset, in order or not. */
void zb_file_place(struct zb_file *f, uint64_t offset, const uint8_t *d, size_t n);

/* Delivers what waits below upto, holes being gaps; returns the bytes of the holes. */
uint64_t zb_file_flush(struct zb_file *f, uint64_t upto);

/* Writes the rows. */
void zb_file_log(struct zb_file *f);

#endif
