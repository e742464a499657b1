/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irc_match.h - recognises IRC by its first lines
 *
 * Threading: no state.
 */
#ifndef ZB_PIPELINE_ANALYZERS_IRC_MATCH_H
#define ZB_PIPELINE_ANALYZERS_IRC_MATCH_H

#include "pipeline/analyzers/text_line.h"

/* As zb_match_fn: a client's NICK and USER, or a server to another; a server's answer. */
enum zb_match zb_irc_match_client(const uint8_t *d, size_t n);
enum zb_match zb_irc_match_server(const uint8_t *d, size_t n);

#endif
