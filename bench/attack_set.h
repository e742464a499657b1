/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attack_set.h - the attacks that a command line asks for: one alone, or several with shares
 *
 * Threading: any; a set belongs to one thread.
 * Ownership: a set owns its generators until a stream has been made of them.
 * Errors:    0 or -errno; a bad spec is said once, in one line.
 */
#ifndef ZB_BENCH_ATTACK_SET_H
#define ZB_BENCH_ATTACK_SET_H

#include "bench/attack.h"

struct zb_attack_set {
	struct zb_attack_gen *g[ZB_ATTACK_MIX_MAX];
	double share[ZB_ATTACK_MIX_MAX];
	unsigned nr;
	double sum; /* of all packets, what attacks are; 0: there is one, and nothing else */
};

/*
 * Opens attacks by their specs. -EINVAL, said: a bad one, too many, shares of 100 % or more,
 * several of which one has no share.
 */
int zb_attack_set_open(const char *const specs[], unsigned nr, uint64_t seed,
		       struct zb_attack_set *out);
void zb_attack_set_close(struct zb_attack_set *s);

/*
 * The stream of a set, which takes the generators and clean over, unless it fails: -ENOMEM, said.
 * clean NULL: the one attack alone, packets frames, or duration_ns where packets is 0.
 */
int zb_attack_set_stream(struct zb_attack_set *s, struct zb_gen_stream *clean, uint64_t packets,
			 uint64_t duration_ns, struct zb_gen_stream **out);

#endif
