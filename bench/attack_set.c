/* SPDX-License-Identifier: Apache-2.0 */
/* attack_set.c - checks the attacks of a command line against each other */
#include <errno.h>
#include <string.h>

#include "bench/attack_set.h"
#include "profiler/diag.h"

static int check_shares(const struct zb_attack_set *s, const char *const specs[])
{
	for (unsigned i = 0; i < s->nr; i++) {
		if (s->nr > 1 && s->share[i] == 0) {
			zb_err("--attack %s: no share; give each of several attacks one, as "
			       "NAME=10%%",
			       specs[i]);
			return -EINVAL;
		}
	}
	if (s->sum > 0.99) {
		zb_err("--attack: shares of %.4g %% together; leave 1 %% to the profile",
		       100 * s->sum);
		return -EINVAL;
	}
	return 0;
}

int zb_attack_set_open(const char *const specs[], unsigned nr, uint64_t seed,
		       struct zb_attack_set *out)
{
	struct zb_attack_set s = {0};
	int ret = 0;

	if (nr > ZB_ATTACK_MIX_MAX) {
		zb_err("--attack: given %u times; give it at most %u times", nr, ZB_ATTACK_MIX_MAX);
		return -EINVAL;
	}
	for (unsigned i = 0; ret == 0 && i < nr; i++) {
		ret = zb_attack_open(specs[i], seed + i, &s.share[i], &s.g[i]);
		if (ret == 0) {
			s.sum += s.share[i];
			s.nr++;
		}
	}
	if (ret == 0)
		ret = check_shares(&s, specs);
	if (ret < 0)
		zb_attack_set_close(&s);
	else
		*out = s;
	return ret;
}

void zb_attack_set_close(struct zb_attack_set *s)
{
	while (s->nr > 0)
		zb_attack_close(s->g[--s->nr]);
}

int zb_attack_set_stream(struct zb_attack_set *s, struct zb_gen_stream *clean, uint64_t packets,
			 uint64_t duration_ns, struct zb_gen_stream **out)
{
	int ret;

	if (clean == NULL)
		ret = zb_attack_alone(s->g[0], packets, duration_ns, out);
	else
		ret = zb_attack_mix(clean, s->g, s->share, s->nr, out);
	if (ret < 0)
		zb_err("--attack: %s", strerror(-ret));
	else
		s->nr = 0;
	return ret;
}
