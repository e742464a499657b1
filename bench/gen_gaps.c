/* SPDX-License-Identifier: Apache-2.0 */
/* gen_gaps.c - the time between events, in integers */
#include <string.h>

#include "bench/gen_gaps.h"
#include "bench/gen_math.h"

#define NS_PER_S       1000000000ull
#define MILLION	       1000000ull
#define FRAME_OVERHEAD 24u /* preamble 8, gap between frames 12, frame check sequence 4 */
#define GAP_Q16_MAX    (1ull << 62)

static uint64_t per_byte_q32(uint64_t bits)
{
	return bits == 0 ? 0 : (uint64_t)(((unsigned __int128)(8 * NS_PER_S) << 32) / bits);
}

/* bits is 1000 at least, so it fits. */
static uint64_t of_bytes_q16(uint64_t byte_q32, uint64_t bytes)
{
	return (uint64_t)((unsigned __int128)byte_q32 * bytes >> 16);
}

/* The first event is a Poisson process's first gap, or comes at once. */
void zb_gaps_init(struct zb_gaps *g, const struct zb_gaps_conf *conf)
{
	zb_gen_math_init();
	memset(g, 0, sizeof(*g));
	g->rand = zb_gen_rand_seed(conf->seed, UINT64_MAX - 16);
	g->at_ns = conf->from_ns;
	g->until_ns = conf->until_ns;
	g->poisson = conf->poisson;
	g->burst = g->burst_left = conf->burst > 1 ? conf->burst : 1;
	if (conf->rate_millionths != 0) {
		/* Rounded up: a second has no event more than the rate says. */
		unsigned __int128 second = (unsigned __int128)(NS_PER_S * MILLION) << 16;
		unsigned __int128 gap =
			(second + conf->rate_millionths - 1) / conf->rate_millionths;

		g->gap_q16 = gap < GAP_Q16_MAX ? (uint64_t)gap : GAP_Q16_MAX;
	}
	g->byte_q32 = per_byte_q32(conf->bits);
	g->line_q32 = per_byte_q32(conf->line_bits);
	g->off_ns = conf->off_ns;
	g->on_ns = conf->on_ns;
	g->on_end_ns = conf->off_ns != 0 ? conf->from_ns + conf->on_ns : UINT64_MAX;
	if (g->poisson && g->gap_q16 != 0) {
		g->owed_q16 = 0;
		g->burst_left = 1;
		zb_gaps_pass(g, 0);
	}
}

/* Leaves out the times that are off. */
static void skip_off(struct zb_gaps *g)
{
	uint64_t over = g->at_ns - g->on_end_ns, periods = over / g->on_ns + 1;

	g->at_ns += periods * g->off_ns;
	g->on_end_ns += periods * (g->on_ns + g->off_ns);
}

void zb_gaps_pass(struct zb_gaps *g, uint32_t frame_bytes)
{
	uint64_t bytes = frame_bytes + FRAME_OVERHEAD, gap_q16, part;

	g->owed_q16 += g->gap_q16 != 0 ? g->gap_q16 : of_bytes_q16(g->byte_q32, bytes);
	if (--g->burst_left > 0) {
		gap_q16 = of_bytes_q16(g->line_q32, bytes);
		g->owed_q16 = g->owed_q16 > gap_q16 ? g->owed_q16 - gap_q16 : 0;
	} else {
		gap_q16 = g->owed_q16;
		if (g->poisson) {
			uint64_t e = zb_gen_exp_q32(zb_gen_rand_u64(&g->rand));
			unsigned __int128 v = (unsigned __int128)gap_q16 * e >> 32;

			gap_q16 = v < GAP_Q16_MAX ? (uint64_t)v : GAP_Q16_MAX;
		}
		g->owed_q16 = 0;
		g->burst_left = g->burst;
	}
	part = g->at_frac + (gap_q16 & 0xffff);
	g->at_ns += (gap_q16 >> 16) + (part >> 16);
	g->at_frac = (uint32_t)(part & 0xffff);
	if (g->at_ns >= g->on_end_ns)
		skip_off(g);
}
