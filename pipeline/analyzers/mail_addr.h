/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_addr.h - addresses in mail: of people in commands and headers, of hosts in headers
 * (found as Zeek does: base/utils/email.zeek, base/utils/addrs.zeek)
 *
 * All take time in proportion to the text, whatever it is.
 *
 * Threading: no state.
 */
#ifndef ZB_PIPELINE_ANALYZERS_MAIL_ADDR_H
#define ZB_PIPELINE_ANALYZERS_MAIL_ADDR_H

#include <netinet/in.h>

#include "pipeline/analyzers/text_line.h"

/*
 * The next address in the argument of a command, with the characters around it, as
 * "<user@host>"; *rest begins behind it. False: none.
 */
bool zb_mail_command_addr(struct zb_text *rest, struct zb_text *found);

/* A text without the characters that stand around addresses: < > , : ; and blanks. */
size_t zb_mail_bare_addr(struct zb_text found, char *out, size_t room);

/* An iterator over the addresses of a header, separated by commas outside of quotes. */
struct zb_mail_header {
	struct zb_text text;
	size_t at;
	struct zb_mail_segment {
		size_t comma;	/* where it ends */
		size_t last_at; /* its last '@' that something follows; 0: none */
		bool is_known;
	} plain, quoted;
	size_t quote; /* the next one, when it is at or behind at */
};

/* The next one, with the name in front, without white space around; false: no more. */
bool zb_mail_header_addr(struct zb_mail_header *h, struct zb_text *found);

/*
 * The next host's IP address at or behind *at, as text that inet_ntop() would write; *at goes
 * behind it. is_wrapped: brackets or blanks must stand around it. False: none.
 */
bool zb_mail_host(struct zb_text t, size_t *at, bool is_wrapped, char out[INET6_ADDRSTRLEN]);

#endif
