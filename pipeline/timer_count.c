/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer_count.c - see timer_count.h
 *
 * For each connection Zeek has an inactivity timer; for TCP one more that looks at the session
 * every six seconds, one while an attempt is unanswered, and one from the end of the connection
 * until it is removed. UDP with DNS has one of its own.
 */
#include "pipeline/frag.h"
#include "pipeline/timer_count.h"
#include "pipeline/tunnel.h"

static uint64_t created(const struct zb_lcore_stat *st)
{
	return st->c[ZB_C_tcp_conns] + st->c[ZB_C_udp_conns] + st->c[ZB_C_icmp_conns] +
	       st->c[ZB_C_other_conns];
}

static uint64_t active(const struct zb_lcore_stat *st)
{
	return st->g[ZB_G_active_tcp_conns] + st->g[ZB_G_active_udp_conns] +
	       st->g[ZB_G_active_icmp_conns] + st->g[ZB_G_active_other_conns];
}

static void count_tcp(struct zb_lcore_stat *st, const struct zb_conn_set *s)
{
	uint64_t in[ZB_TCP_PHASE_NR] = {0};
	const uint64_t *turns = s->tcp_turns;

	for (unsigned i = 0; i < ZB_TCP_STATES * ZB_TCP_STATES; i++) {
		st->tcp_states[i] = s->tcp_cells[i];
		in[zb_tcp_phase_of[i]] += s->tcp_cells[i];
	}
	st->timer[ZB_TIMER_conn_delete] = in[ZB_TCP_OVER] + in[ZB_TCP_WAS_RESET];
	st->timer_ever[ZB_TIMER_conn_delete] = turns[ZB_TCP_OVER] + turns[ZB_TCP_WAS_RESET];
	st->timer[ZB_TIMER_tcp_attempt] = in[ZB_TCP_ATTEMPT];
	st->timer_ever[ZB_TIMER_tcp_attempt] = turns[ZB_TCP_ATTEMPT];
	st->timer[ZB_TIMER_tcp_expire] =
		st->g[ZB_G_active_tcp_conns] - st->timer[ZB_TIMER_conn_delete];
	st->timer_ever[ZB_TIMER_tcp_expire] = st->c[ZB_C_tcp_conns];
}

/*
 * new_connection and connection_state_remove of each; connection_established, partial_connection,
 * connection_half_finished, connection_finished, connection_reset; file_new and file_state_remove;
 * conn_weird and its like; and what analyzers raise.
 */
static uint64_t events(const struct zb_lcore_stat *st, const struct zb_timer_source *from)
{
	uint64_t n = from->events + 2 * created(st) - active(st) + 2 * st->c[ZB_C_files] -
		     st->g[ZB_G_active_files] + st->c[ZB_C_weirds];

	for (unsigned phase = ZB_TCP_ESTABLISHED; phase < ZB_TCP_PHASE_NR; phase++)
		n += from->set->tcp_turns[phase];
	return n;
}

void zb_timer_count(struct zb_lcore_stat *st, const struct zb_timer_source *from)
{
	uint64_t pending = 0, ever = 0;

	count_tcp(st, from->set);
	st->timer[ZB_TIMER_inactivity] = active(st);
	st->timer_ever[ZB_TIMER_inactivity] = created(st);
	st->timer[ZB_TIMER_file] = st->g[ZB_G_active_files];
	st->timer_ever[ZB_TIMER_file] = st->c[ZB_C_files];
	if (from->frag != NULL) {
		st->timer[ZB_TIMER_frag] = zb_frag_count(from->frag);
		st->timer_ever[ZB_TIMER_frag] = zb_frag_begun(from->frag);
	}
	if (from->tunnels != NULL)
		st->timer[ZB_TIMER_tunnel] =
			zb_tunnels_active(from->tunnels, &st->timer_ever[ZB_TIMER_tunnel]);
	for (unsigned i = 0; i < ZB_TIMER_NR; i++) {
		pending += st->timer[i];
		ever += st->timer_ever[i];
	}
	st->g[ZB_G_active_timers] = pending;
	st->c[ZB_C_timers] = ever;
	/* Nothing waits in a queue here: both at once. */
	st->c[ZB_C_events_queued] = st->c[ZB_C_events_proc] = events(st, from);
}
