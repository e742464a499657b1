/* SPDX-License-Identifier: Apache-2.0 */
/* attack_list.c - what zbench gen --list and --explain print; what is not sent, and why */
#include <errno.h>
#include <inttypes.h>

#include "bench/attack.h"
#include "profiler/diag.h"

static const struct zb_attack_absent absent[] = {
	{"B8", "random loss at the tap", "a fault of the tap: zbench gen --tap loss=1%"},
	{"B9", "reordering at the tap", "a fault of the tap: --tap reorder=1%"},
	{"B10", "duplication at the tap", "a fault of the tap: --tap duplicate=1%"},
	{"C8", "snap length", "a fault of the tap: --tap snaplen=96"},
	{"D1-D3", "line rate by size, IMIX", "a rate, not a content: profiles of sizes"},
	{"D4", "microbursts", "a shape of arrivals, not a content"},
	{"D8", "overload plateau", "a run against a rate, not a content"},
	{"D9", "Poisson against constant gaps", "a shape of arrivals, not a content"},
	{"D10", "looped replay without rewriting", "zbench run --loop N --same-flows"},
	{"E6", "HTTP/2 headers, CONTINUATION", "HTTP/2 is not looked into"},
	{"E10", "patterns that backtrack", "there are no rules and no regular expressions"},
	{"E15", "transactions of PostgreSQL", "no analyzer for it"},
	{"E16", "pending operations of LDAP", "no analyzer for it"},
	{"E18", "RPC calls without replies", "no analyzer for Sun RPC"},
	{"G3", "storm of notices", "there are no notices"},
	{"G5-G6", "script tables that expire, copies", "there are no scripts"},
	{"G7", "events to a cluster", "there is no Broker: workers share one process"},
	{"G8", "metrics with a label per host", "no metric has a label that traffic chooses"},
	{"H1-H8", "rings, NUMA, interrupts, filters", "of the capture, not of the traffic"},
	{"I1", "a week in an hour", "a shape of arrivals, not a content"},
	{"I3", "fragmentation of the heap", "several --attack in one mix"},
	{"I5", "restart under load", "as stray-ack: flows without a beginning"},
};

const struct zb_attack_absent *zb_attack_absent_at(unsigned i)
{
	return i < sizeof(absent) / sizeof(absent[0]) ? &absent[i] : NULL;
}

void zb_attack_list(FILE *f)
{
	const struct zb_attack_absent *n;
	const struct zb_attack *a;

	fprintf(f, "%-20s %-4s %s\n", "NAME", "KIND", "SENDS");
	for (unsigned i = 0; (a = zb_attack_at(i)) != NULL; i++)
		fprintf(f, "%-20s %-4s %s\n", a->name, a->id, a->sends);
	fprintf(f, "\nNot sent:\n");
	for (unsigned i = 0; (n = zb_attack_absent_at(i)) != NULL; i++)
		fprintf(f, "  %-6s %-34s %s\n", n->id, n->what, n->why);
}

int zb_attack_explain(const char *name, FILE *f)
{
	const struct zb_attack *a = zb_attack_find(name);

	if (a == NULL) {
		zb_err("--explain %s: no such attack; zbench gen --list names them", name);
		return -EINVAL;
	}
	fprintf(f, "%s (%s)\n", a->name, a->id);
	fprintf(f, "  sends     %s\n", a->sends);
	fprintf(f, "  exhausts  %s\n", a->exhausts);
	fprintf(f, "  moves     %s\n", a->moves);
	fprintf(f, "  guard     %s\n", a->guard);
	for (unsigned i = 0; i < ZB_ATTACK_PARAMS_MAX && a->params[i].name != NULL; i++) {
		const struct zb_attack_param *p = &a->params[i];

		fprintf(f, "  param     %s=%" PRIu64 "  %s (%" PRIu64 " to %" PRIu64 ")\n", p->name,
			p->def, p->help, p->min, p->max);
	}
	fprintf(f, "  param     pps=%u  frames a second of packet time, when sent alone\n",
		a->pps == 0 ? ZB_ATTACK_PPS : a->pps);
	return 0;
}
