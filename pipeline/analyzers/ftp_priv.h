/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ftp_priv.h - what the parts of the FTP analyzer share: the state of a control connection, its
 * commands that wait for a reply, what is learned of the data connections
 *
 *     client's lines -> ftp.c  ftp_command() -+
 *                                             +-> ftp_session.c -> ftp_log.c
 *     server's lines -> ftp.c  ftp_answer() --+        ^
 *                                                      | note
 *     data connection -> ftp_data.c -------------------+
 *
 * The rules are Zeek's: src/analyzer/protocol/ftp, base/protocols/ftp.
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_ANALYZERS_FTP_PRIV_H
#define ZB_PIPELINE_ANALYZERS_FTP_PRIV_H

#include "pipeline/analyzers/text_line.h"
#include "pipeline/expect.h"
#include "pipeline/file.h"

#define FTP_LINE_MAX	16384 /* a longer line comes in pieces */
#define FTP_COMMAND_MAX 100   /* letters (FTP::max_command_length) */
#define FTP_PENDING_MAX 20    /* FTP::max_pending_commands */
#define FTP_NAME_MAX	128   /* FTP::max_user_length, max_password_length */
#define FTP_TEXT_MAX	4096  /* FTP::max_arg_length, max_reply_msg_length */
#define FTP_MIMES_MAX	4     /* types of files that have ended, not yet to be known */

/* A command that waits for its reply. */
struct ftp_pending {
	struct ftp_pending *next;
	uint64_t ts_ns;
	uint32_t arg_n;
	uint8_t command_n;
	bool cwd_consumed;
	uint8_t text[]; /* command, then argument */
};

/* An address that one side names to the other. */
struct ftp_address {
	uint8_t addr[16];
	uint16_t port;
	uint8_t ip_version; /* 0: no address was given */
};

struct ftp_channel {
	bool is_set;
	bool passive;
	uint8_t orig[16];
	uint8_t orig_version;
	struct ftp_address resp;
};

/* What is known of files on data connections: written there, read and cleared by the control. */
struct ftp_note {
	struct zb_expect_note base;
	uint8_t fuid_n; /* 0: none */
	char fuid[ZB_FUID_MAX];
	const char *mime; /* NULL: not known */
	uint8_t coming_nr;
	struct { /* types, from when on they are known; in the order of their times */
		uint64_t from_ns;
		const char *mime;
	} coming[FTP_MIMES_MAX];
};

/* Memory of its own for a text. */
struct ftp_text {
	uint8_t *d;
	uint32_t n;    /* as far as it is kept */
	uint32_t full; /* as it was */
};

struct ftp {
	struct zb_analyzer base;
	struct zb_text_line line[2];
	uint16_t pending_reply; /* code of a reply of several lines under way, or 0 */
	bool auth_tls, auth_gss;
	bool gss_said; /* the last mechanism asked for has GSSAPI in its name */
	bool nul_seen[2];
	bool is_over_to_tls;
	/* AUTH GSSAPI: the stream of decoded tokens; NULL: none. */
	struct zb_branch *adat;
	bool adat_begun;

	bool is_session;
	bool has_reply;
	bool has_size;
	bool hidden;
	bool has_password;
	uint8_t user_n, password_n; /* user_n 0 and not has_user: unknown */
	bool has_user;
	uint8_t pending_nr;
	uint32_t reply_code;
	uint64_t size;
	struct ftp_pending *first, *last;
	struct ftp_pending *current; /* what the last reply answers; NULL: nothing that waits */
	struct ftp_text reply, cwd;
	struct ftp_channel channel;
	struct ftp_note *note;
	uint8_t user[FTP_NAME_MAX], password[FTP_NAME_MAX];
};

static inline struct zb_mem *ftp_mem(struct ftp *f)
{
	return &zb_analyzer_analysis(&f->base)->mem;
}

/* ftp_port.c; all return whether what they read holds. Zeek:
 * src/analyzer/protocol/ftp/functions.bif */
bool ftp_port(struct zb_text t, struct ftp_address *out);
bool ftp_eprt(struct zb_text t, struct ftp_address *out);
bool ftp_pasv(struct zb_text t, struct ftp_address *out);
bool ftp_epsv(struct zb_text t, struct ftp_address *out);

/* ftp_path.c. Zeek: base/utils/paths.zeek */
/* Bytes that ftp_path() needs at most. */
static inline size_t ftp_path_room(size_t dir_n, size_t name_n)
{
	return dir_n + name_n + 2;
}
/* name as seen from dir, without what is superfluous; returns its length. */
size_t ftp_path(struct zb_text dir, struct zb_text name, uint8_t *out);
/* The first absolute path in a text; empty: none. */
struct zb_text ftp_path_in(struct zb_text t);
/* The last number in a text, or 0. */
uint64_t ftp_number_in(struct zb_text t);

/* ftp_session.c */
void ftp_request(struct ftp *f, struct zb_text command, struct zb_text arg);
void ftp_reply(struct ftp *f, uint32_t code, struct zb_text text, bool goes_on);
void ftp_session_end(struct ftp *f);
/* Does the server ever answer a command with a code? */
bool ftp_answers(struct zb_text command, uint32_t code);

/* ftp_adat.c: security tokens of either side. */
void ftp_adat_line(struct ftp *f, unsigned side, struct zb_text line);

/* ftp_data.c */
const char *ftp_note_mime(struct ftp_note *n, uint64_t now_ns);

/* ftp_log.c */
void ftp_log(struct ftp *f, const struct ftp_pending *p, struct zb_text arg);

#endif
