/* SPDX-License-Identifier: Apache-2.0 */
/*
 * branch.h - analyzers of one stream, and content detection for it
 *
 * A branch hands data to its analyzers and, until one of them confirms or the first 1024 bytes are
 * over, looks whether more analyzers fit. What was looked at is kept, so that an analyzer found
 * late still gets everything from the first byte (Zeek: PIA, dpd_buffer_size, dpd_max_packets,
 * dpd_match_only_beginning).
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_BRANCH_H
#define ZB_PIPELINE_BRANCH_H

#include "pipeline/session.h"

void zb_branch_init(struct zb_branch *b, struct zb_session *s, bool is_tcp, unsigned depth);

/* Ends all analyzers of b and frees what it holds. */
void zb_branch_fini(struct zb_branch *b);

/* Frees analyzers that were removed while they were being called, and what nobody needs any more.
 */
void zb_branch_sweep(struct zb_branch *b);

/* Detection is over: what was kept goes back, as soon as nobody is being told it. */
void zb_branch_settle(struct zb_branch *b);

#endif
