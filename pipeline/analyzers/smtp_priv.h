/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp_priv.h - what the files of the SMTP analyzer share
 *
 *     smtp.c        lines of both sides, commands and replies in pairs, the state they lead to
 *     smtp_mail.c   mails: DATA and BDAT, their contents
 *     smtp_info.c   rows of smtp.log
 */
#ifndef ZB_PIPELINE_ANALYZERS_SMTP_PRIV_H
#define ZB_PIPELINE_ANALYZERS_SMTP_PRIV_H

#include "pipeline/analyzers/mime.h"

#define SMTP_PENDING_MAX   1000 /* commands without a reply that are remembered (Zeek) */
#define SMTP_BDAT_LINE_MAX 4096 /* Zeek: SMTP::bdat_max_line_length */
#define SMTP_BDAT_ROOM	   (SMTP_BDAT_LINE_MAX + 2)
#define SMTP_INVALID_MAX   25 /* Zeek: SMTP::max_invalid_mail_transactions */

/* X(command) */
#define SMTP_COMMAND_LIST(X) \
	X(EHLO)              \
	X(HELO)              \
	X(MAIL)              \
	X(RCPT)              \
	X(DATA)              \
	X(QUIT)              \
	X(RSET)              \
	X(VRFY)              \
	X(EXPN)              \
	X(HELP)              \
	X(NOOP)              \
	X(STARTTLS)          \
	X(SEND)              \
	X(SOML)              \
	X(SAML)              \
	X(TURN)              \
	X(BDAT)              \
	X(ETRN)              \
	X(AUTH)

#define SMTP_ENUM(command) SMTP_##command,
enum smtp_command {
	SMTP_COMMAND_LIST(SMTP_ENUM) SMTP_WORDS_NR,
	SMTP_X_ANONYMOUSTLS = SMTP_WORDS_NR,
	SMTP_CONNECT, /* the greeting answers it */
	SMTP_END_OF_DATA,
	SMTP_AUTH_ANSWER,
	SMTP_UNKNOWN
};

/* Where the conversation is: after what the sender has said, as if it will succeed. */
enum smtp_state {
	SMTP_AT_COMMAND,
	SMTP_IN_DATA,
	SMTP_IN_AUTH,
	SMTP_IN_TLS,
	SMTP_AFTER_GAP,	   /* what the sender says may be anything */
	SMTP_GAP_RECOVERY, /* the first reply after that has come */
};

/* Strings of a row, each the last that was seen. */
enum smtp_string {
	SMTP_MAILFROM,
	SMTP_DATE,
	SMTP_FROM,
	SMTP_REPLY_TO,
	SMTP_MSG_ID,
	SMTP_IN_REPLY_TO,
	SMTP_SUBJECT,
	SMTP_ORIGINATING_IP,
	SMTP_FIRST_RECEIVED,
	SMTP_SECOND_RECEIVED,
	SMTP_LAST_REPLY,
	SMTP_USER_AGENT,
	SMTP_STRING_NR
};

struct smtp {
	struct zb_analyzer base;
	struct zb_text_line line[2];
	struct zb_mime *mail;
	struct smtp_info *info; /* of the row under way */
	char *helo;		/* the argument of the last HELO or EHLO, helo_bytes + 1 */
	uint8_t *pending;	/* commands behind the first one without a reply: a ring */
	uint8_t *bdat;		/* the beginning of a line of the chunks, SMTP_BDAT_ROOM */
	uint64_t chunk_left;	/* of a chunk, still to come */
	uint32_t entity_nr;	/* of MIME, in the whole session */
	uint32_t mail_nr;	/* answered */
	uint16_t pending_at, pending_nr, bdat_bytes, helo_bytes;
	uint16_t reply_code;	/* of a reply that goes on; 0: none */
	uint8_t state;		/* enum smtp_state */
	uint8_t first;		/* enum smtp_command: the first one without a reply */
	uint8_t replied;	/* the last one with a reply */
	uint8_t fins, nul_seen; /* bits: sides */
	uint8_t invalid_nr;	/* transactions that were not in order */
	bool is_turned;		/* the responder is the sender */
	bool in_mail, in_bdat, is_last_chunk;
	bool mail_seen, rcpt_seen; /* in this transaction */
	bool last_chunk_seen;	   /* and not yet answered */
};

/* smtp_info.c */
void smtp_info_command(struct smtp *s, enum smtp_command c, struct zb_text arg);
void smtp_info_reply(struct smtp *s, unsigned code, struct zb_text message, bool goes_on);
void smtp_info_tls(struct smtp *s);
void smtp_info_end(struct smtp *s);
void smtp_info_entity(struct zb_analyzer *a, unsigned side);
void smtp_info_header(struct zb_analyzer *a, unsigned side, struct zb_text name, struct zb_text v);
void smtp_info_file(struct zb_analyzer *a, unsigned side, struct zb_file *f, struct zb_text name);

/* smtp_mail.c */
void smtp_mail_begin(struct smtp *s, unsigned side);
void smtp_mail_end(struct smtp *s);
/* The argument of BDAT; false: it has none that can be understood. */
bool smtp_bdat_begin(struct smtp *s, unsigned side, struct zb_text arg);
/* n <= chunk_left bytes of a chunk. */
void smtp_bdat_data(struct smtp *s, const uint8_t *d, size_t n);

#endif
