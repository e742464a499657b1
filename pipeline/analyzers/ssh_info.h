/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_info.h - what ssh.log says of a connection: identifications, algorithms, host key, and
 * whether the user got in
 *
 * Who gets in is told by the sizes of encrypted segments alone: the answer to a service request is
 * 16 bytes longer than that to a successful authentication, and all failures have one size (Zeek:
 * src/analyzer/protocol/ssh/SSH.cc).
 *
 * Threading: one lcore.
 * Ownership: the analyzer's, until zb_ssh_info_end(). All calls take NULL and then do nothing.
 */
#ifndef ZB_PIPELINE_ANALYZERS_SSH_INFO_H
#define ZB_PIPELINE_ANALYZERS_SSH_INFO_H

#include "pipeline/analyzer.h"

#define ZB_SSH_BANNER_MAX   255	  /* bytes that are kept of an identification */
#define ZB_SSH_ALG_MAX	    200	  /* bytes of an algorithm's text */
#define ZB_SSH_MESSAGE_MAX  16384 /* bytes of a message that is read as a whole */
#define ZB_SSH_SEGMENTS_MAX 4096  /* encrypted ones of the server that are looked at */

enum zb_ssh_alg {
	ZB_SSH_CIPHER,
	ZB_SSH_MAC,
	ZB_SSH_COMPRESSION,
	ZB_SSH_KEX,
	ZB_SSH_HOST_KEY,
	ZB_SSH_ALG_NR
};

struct zb_ssh_text {
	uint16_t n;
	char d[ZB_SSH_BANNER_MAX];
};

struct zb_ssh_message {
	uint8_t *d; /* NULL: none */
	uint32_t n, room;
};

struct zb_ssh_info {
	uint64_t ts_ns;
	struct zb_ssh_text banner[2]; /* by side */
	struct zb_ssh_text alg[ZB_SSH_ALG_NR];
	char fingerprint[40];
	struct zb_ssh_message message[2]; /* by side: what is being collected */
	struct zb_ssh_message offer;	  /* the first of the two offers of algorithms */
	uint8_t offer_side;
	uint8_t key_message; /* type of the one that brings the server's key; 0: none will */
	bool has_banner[2], agreed, logged;
	/* What the sizes tell. */
	bool client_spoke, decided, banner_skipped, has_result, success;
	uint32_t service_size, failure_size, attempts, segments;
};

/* An identification; makes *info if need be. */
void zb_ssh_info_banner(struct zb_analyzer *a, struct zb_ssh_info **info, unsigned side,
			const uint8_t *d, size_t n);

/* A message of n bytes behind its type begins: is it to be given, as it comes? */
bool zb_ssh_info_wants(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side, uint8_t type,
		       size_t n);
/* Its bytes; at the last of them it is read. */
void zb_ssh_info_message(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side,
			 const uint8_t *d, size_t n);

/* Some of a side's bytes are missing: the message that is being collected is lost. */
void zb_ssh_info_gap(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side);

/* An encrypted segment of SSH 2; false: nothing more can be learnt from those. */
bool zb_ssh_info_encrypted(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side, size_t n);

void zb_ssh_info_flip(struct zb_ssh_info *s);

/* Logs what was not logged, and frees it. */
void zb_ssh_info_end(struct zb_analyzer *a, struct zb_ssh_info *s);

/* The row, as it is known now. */
void zb_ssh_row(struct zb_analyzer *a, const struct zb_ssh_info *s);

#endif
