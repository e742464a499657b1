/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irc_data.h - what irc.c tells irc_data.c of a connection that somebody offers
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_ANALYZERS_IRC_DATA_H
#define ZB_PIPELINE_ANALYZERS_IRC_DATA_H

#include "pipeline/expect.h"

struct zb_irc_offer {
	struct zb_expect_note base;
	uint32_t name_bytes;
	char name[]; /* of the file */
};

#endif
