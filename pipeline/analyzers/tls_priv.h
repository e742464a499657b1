/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_priv.h - what the TLS and DTLS analyzers share: the session they log, handshake messages,
 * records once they are complete
 *
 * Both turn their bytes into records and handshake messages; from there on the rules are the same
 * (Zeek: src/analyzer/protocol/ssl, base/protocols/ssl). "Client" is who sent the hello: usually
 * the connection's originator, but the two may be crossed (DTLS after STUN).
 *
 * Threading: one lcore.
 * Ownership: what a session points to is given back by zb_tls_end().
 */
#ifndef ZB_PIPELINE_ANALYZERS_TLS_PRIV_H
#define ZB_PIPELINE_ANALYZERS_TLS_PRIV_H

#include "pipeline/analyzer.h"
#include "pipeline/analyzers/tls_in.h"

#define ZB_TLS_MESSAGE_MAX 65536 /* bytes of a handshake message that are put together */
#define ZB_TLS_CHAIN_MAX   32	 /* certificates of a side that are logged */
#define ZB_TLS_HISTORY_MAX 100	 /* letters (Zeek: SSL::max_ssl_history_length) */
#define ZB_TLS_FLIPS_MAX   12	 /* marks of a change of direction beyond those letters */
#define ZB_TLS_JA4_BYTES   36
#define ZB_TLS_NAME_MAX	   16 /* bytes for a number that has no name: "unknown-16777215" */

/* Record types; those of SSLv2 are the message type and 300. */
enum {
	ZB_TLS_CCS = 20,
	ZB_TLS_ALERT = 21,
	ZB_TLS_HANDSHAKE = 22,
	ZB_TLS_APPLICATION_DATA = 23,
	ZB_TLS_HEARTBEAT = 24,
};

enum {
	ZB_TLS_SSL2 = 0x0002,
	ZB_TLS_SSL3 = 0x0300,
	ZB_TLS_1_0 = 0x0301,
	ZB_TLS_1_1 = 0x0302,
	ZB_TLS_1_2 = 0x0303,
	ZB_TLS_1_3 = 0x0304,
	ZB_DTLS_1_0 = 0xfeff,
	ZB_DTLS_1_2 = 0xfefd,
	ZB_DTLS_1_3 = 0xfefc,
};

enum zb_tls_flag {
	ZB_TLS_SEEN = 1 << 0,	 /* something happened: there will be a row */
	ZB_TLS_LOGGED = 1 << 1,	 /* the row is written */
	ZB_TLS_STOPPED = 1 << 2, /* nothing more is looked at */
	ZB_TLS_FLIPPED = 1 << 3, /* the responder is the client */
	ZB_TLS_UNCLEAR = 1 << 4, /* direction changed back: complained about */
	ZB_TLS_RESUMED = 1 << 5,
	ZB_TLS_ESTABLISHED = 1 << 6,
	ZB_TLS_RETRY = 1 << 7,	      /* the hello in hand is a hello retry request */
	ZB_TLS_TICKET = 1 << 8,	      /* client sent a ticket and no session id */
	ZB_TLS_KEY_EXCHANGE = 1 << 9, /* client key exchange seen */
	ZB_TLS_PSK = 1 << 10,	      /* client offered a pre-shared key */
	ZB_TLS_HAS_VERSION = 1 << 11,
	ZB_TLS_HAS_CIPHER = 1 << 12,
	ZB_TLS_HAS_CURVE = 1 << 13,
	ZB_TLS_HAS_ALERT = 1 << 14,
	ZB_TLS_HAS_SID = 1 << 15,
	ZB_TLS_HAS_JA3 = 1 << 16,
	ZB_TLS_HAS_JA3S = 1 << 17,
	ZB_TLS_HAS_CERTS = 1 << 18, /* any certificate seen: the chains are logged, even empty */
	ZB_TLS_HAS_SNI_MATCH = 1 << 19,
	ZB_TLS_SNI_MATCHES = 1 << 20,
	ZB_TLS_CIPHERED_ORIG = 1 << 21, /* what the side sends is encrypted by now */
	ZB_TLS_CIPHERED_RESP = 1 << 22,
	ZB_TLS_IS_DTLS = 1 << 23,
	ZB_TLS_SNI_DONE = 1 << 24, /* the server's first certificate has been looked at */
};

/* Bytes put together until they are complete. */
struct zb_tls_buf {
	uint8_t *p;
	uint32_t n, room;
};

/* Fingerprints of a side's certificates. */
struct zb_tls_chain {
	uint8_t (*sha256)[32];
	uint32_t nr, room;
};

struct zb_tls {
	struct zb_analyzer a;
	uint64_t ts_ns; /* when ZB_TLS_SEEN came */
	uint32_t flags;
	uint32_t cipher;
	uint16_t version;    /* as logged */
	uint16_t negotiated; /* 0: not known yet */
	uint16_t curve;
	uint16_t alert;
	struct zb_tls_buf message[2]; /* a handshake message of which a part is here */
	struct zb_tls_buf name, alpn; /* server_name, next_protocol; p NULL: unset */
	struct zb_tls_chain chain[2]; /* the server's, the client's */
	uint8_t sid[32];	      /* session id that the client offered, padded with zeros */
	uint8_t ja3[16], ja3s[16];
	char ja4[ZB_TLS_JA4_BYTES];
	uint8_t history_len;
	char history[ZB_TLS_HISTORY_MAX + ZB_TLS_FLIPS_MAX];
};

static inline bool zb_tls_is_client(const struct zb_tls *t, unsigned side)
{
	return (side == ZB_ORIG) == !(t->flags & ZB_TLS_FLIPPED);
}

static inline uint32_t zb_tls_ciphered(unsigned side)
{
	return side == ZB_ORIG ? ZB_TLS_CIPHERED_ORIG : ZB_TLS_CIPHERED_RESP;
}

/* TLS 1.3 for certain, drafts included. */
static inline bool zb_tls_is_1_3(uint16_t version)
{
	return version == ZB_TLS_1_3 || version / 0xff == 0x7f;
}

/* tls_session.c */

/* There is a session from now on. */
void zb_tls_seen(struct zb_tls *t);
void zb_tls_history(struct zb_tls *t, bool is_client, char letter);
/* side said what desired (a client, or else a server) says. */
void zb_tls_direction(struct zb_tls *t, bool desired_client, unsigned side);
/* The bytes are no TLS: logs and complains; sets ZB_TLS_STOPPED when that was the end. */
void zb_tls_violate(struct zb_tls *t);
/* No more is looked at; what is known is logged. */
void zb_tls_stop(struct zb_tls *t);
void zb_tls_established(struct zb_tls *t);
void zb_tls_end(struct zb_analyzer *a);
void zb_tls_flip(struct zb_analyzer *a);
/* Appends to a buffer; false: n is too much, or memory is out (counted). */
bool zb_tls_buf_add(struct zb_tls *t, struct zb_tls_buf *b, const uint8_t *d, size_t n);
void zb_tls_buf_free(struct zb_tls *t, struct zb_tls_buf *b);
/* Makes b hold these n bytes and nothing else. */
void zb_tls_buf_set(struct zb_tls *t, struct zb_tls_buf *b, const uint8_t *d, size_t n);

/* tls_record.c: what a complete record does. */

/* Is what side sends encrypted, with a record of this type? (TLS; may notice that it is now.) */
bool zb_tls_is_cipher_record(struct zb_tls *t, unsigned side, unsigned type);
/* An encrypted record; from now on side sends nothing else. */
void zb_tls_cipher_record(struct zb_tls *t, unsigned side);
/* A plain record that is no handshake, of n >= 1 bytes, of which d holds as many as matter. */
void zb_tls_plain_record(struct zb_tls *t, unsigned side, unsigned type, const uint8_t *d,
			 size_t n);
/* A plain record of this type has been worked on. */
void zb_tls_record_done(struct zb_tls *t, unsigned type);

/* tls_message.c: a complete handshake message. */
void zb_tls_message(struct zb_tls *t, unsigned side, uint8_t type, const uint8_t *d, size_t n);
/* A certificate chain of one certificate: SSLv2's. */
void zb_tls_certificate(struct zb_tls *t, unsigned side, unsigned index, const uint8_t *d,
			size_t n);

/* tls_hello.c: hello messages; false when malformed. */
bool zb_tls_client_hello(struct zb_tls *t, unsigned side, const uint8_t *d, size_t n);
bool zb_tls_server_hello(struct zb_tls *t, unsigned side, const uint8_t *d, size_t n);
/* Session ids as Zeek compares them: cut or padded to 32 bytes. */
void zb_tls_client_session(struct zb_tls *t, const uint8_t *sid, size_t n);
void zb_tls_server_session(struct zb_tls *t, uint16_t version, const uint8_t *sid, size_t n);

/* tls_print.c: JA3, JA3S and JA4 of hellos that are well-formed; hashing. */
void zb_tls_sha256(const void *d, size_t n, uint8_t out[32]);
/* memo: where fingerprints are kept, see tls_memo.h; NULL: nowhere. */
void zb_tls_print_client(struct zb_tls *t, struct zb_tls_memo *memo, const uint8_t *d, size_t n);
void zb_tls_print_server(struct zb_tls *t, const uint8_t *d, size_t n);

/* tls_v2.c: an SSLv2 record: header and body of n bytes; false when malformed. */
bool zb_tls_v2_record(struct zb_tls *t, unsigned side, const uint8_t head[5], const uint8_t *d,
		      size_t n);

/* tls_names.c: names as Zeek logs them; room for those that have none. */
const char *zb_tls_cipher_name(uint32_t cipher, char room[static ZB_TLS_NAME_MAX + 1]);
const char *zb_tls_curve_name(uint16_t curve, char room[static ZB_TLS_NAME_MAX + 1]);
const char *zb_tls_alert_name(uint16_t alert, char room[static ZB_TLS_NAME_MAX + 1]);
const char *zb_tls_version_name(uint16_t version, char room[static ZB_TLS_NAME_MAX + 1]);

/* ssl_log.c: writes the row. */
void zb_tls_log(struct zb_tls *t);

#endif
