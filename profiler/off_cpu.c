/* SPDX-License-Identifier: Apache-2.0 */
/* off_cpu.c - how long a thread was off the CPU, from the records of its switches */
#include "profiler/off_cpu.h"
#include "profiler/sampler_priv.h"

void zb_off_cpu_stack(struct zb_off_cpu *o, uint32_t stack)
{
	o->stack = stack;
	o->has_stack = true;
}

/* A time without a stack (its sample was lost) is not kept: it would be nobody's. */
static bool complete(struct zb_off_cpu *o, uint64_t out_ns, uint64_t in_ns, struct zb_off_time *out)
{
	bool known = o->has_stack;

	*out = (struct zb_off_time){
		.from_ns = out_ns,
		.at = {.stack = o->stack,
		       .state = o->preempted ? ZB_CPU_PREEMPTED : ZB_CPU_WAITING,
		       .weight = (in_ns - out_ns + 500) / 1000},
	};
	o->out_ns = o->in_ns = 0;
	o->has_stack = false;
	return known && out->at.weight > 0;
}

bool zb_off_cpu_switch(struct zb_off_cpu *o, const struct zb_switch *s, struct zb_off_time *out)
{
	if (!s->out) {
		if (o->out_ns != 0 && s->time_ns >= o->out_ns)
			return complete(o, o->out_ns, s->time_ns, out);
		o->in_ns = s->time_ns;
		return false;
	}
	o->preempted = s->preempted;
	if (o->in_ns > s->time_ns)
		return complete(o, s->time_ns, o->in_ns, out);
	o->in_ns = 0;
	o->out_ns = s->time_ns;
	return false;
}

bool zb_off_cpu_end(struct zb_off_cpu *o, uint64_t now_ns, struct zb_off_time *out)
{
	return o->out_ns != 0 && now_ns > o->out_ns && complete(o, o->out_ns, now_ns, out);
}
