/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_gen.c - zbench gen: writes a synthetic trace to a pcap file */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/gen_pcap.h"
#include "bench/gen_sessions.h"
#include "bench/options.h"
#include "profiler/diag.h"

#define DEFAULT_SESSIONS 10000
#define SECONDS_MAX	 (365.0 * 86400) /* so that times stay far inside pcap's 32 bits */

struct gen_conf {
	const char *out;
	int profile;
	uint64_t sessions, packets, flows, seed;
	double duration_s;
	bool ns;
};

#define OPT(member) offsetof(struct gen_conf, member)

static const struct zb_opt opts[] = {
	{"out", 'o', ZB_OPT_STRING, "FILE", NULL, 0, 0, NULL, "pcap file to write (needed)",
	 OPT(out)},
	{"profile", 'p', ZB_OPT_CHOICE, "NAME", "office", 0, 0, zb_gen_profile_names,
	 "office: mixed sessions; flood: one UDP packet a flow; syn: unanswered SYNs",
	 OPT(profile)},
	{"sessions", 's', ZB_OPT_U64, "N", NULL, 1, ZB_GEN_SESSION_MAX, NULL,
	 "write N whole sessions (10000 when nothing else is asked for)", OPT(sessions)},
	{"packets", 'n', ZB_OPT_U64, "N", NULL, 1, ZB_GEN_SESSION_MAX, NULL,
	 "write whole sessions of N packets together", OPT(packets)},
	{"flows", 0, ZB_OPT_U64, "N", NULL, 1, ZB_GEN_SESSION_MAX, NULL,
	 "the same as --sessions: in flood and syn a session is a flow", OPT(flows)},
	{"duration", 'd', ZB_OPT_SECONDS, "S", "60", 0, 0, NULL, "sessions begin within S seconds",
	 OPT(duration_s)},
	{"seed", 0, ZB_OPT_U64, "N", "1", 0, 0, NULL, "the same seed gives the same bytes",
	 OPT(seed)},
	{"ns", 0, ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, "time stamps in nanoseconds", OPT(ns)},
};

/* Checks what the option table cannot; 0 or -EINVAL, said. */
static int to_gen(const struct gen_conf *c, struct zb_gen_conf *g)
{
	int given = (c->sessions != 0) + (c->packets != 0) + (c->flows != 0);

	if (c->out == NULL) {
		zb_err("--out: not given; name the pcap file to write");
		return -EINVAL;
	}
	if (given > 1) {
		zb_err("--sessions, --packets, --flows: only one of them can be given");
		return -EINVAL;
	}
	if (c->duration_s > SECONDS_MAX) {
		zb_err("--duration %g: too long; give at most %g seconds", c->duration_s,
		       SECONDS_MAX);
		return -EINVAL;
	}
	g->profile = (unsigned)c->profile;
	g->sessions = given == 0 ? DEFAULT_SESSIONS : c->sessions + c->flows;
	g->packets = c->packets;
	g->duration_ns = (uint64_t)(c->duration_s * 1e9);
	g->seed = c->seed;
	return 0;
}

static int put(void *sink, uint64_t ts_ns, const uint8_t *data, uint32_t len)
{
	return zb_gen_pcap_put(sink, ts_ns, data, len);
}

static int run(const void *conf, const char *const *args, unsigned arg_nr, int argc, char **argv)
{
	const struct gen_conf *c = conf;
	struct zb_gen_conf g = {0};
	struct zb_gen_total t = {0};
	struct zb_gen_pcap *w;
	int ret;

	(void)args, (void)arg_nr, (void)argc, (void)argv;
	if (to_gen(c, &g) < 0 || zb_gen_pcap_open(c->out, c->ns, &w) < 0)
		return ZB_EXIT_USAGE;
	ret = zb_gen_run(&g, put, w, &t);
	if (ret == -ENOMEM)
		zb_err("%s: %s; ask for fewer sessions or a longer --duration", c->out,
		       strerror(ENOMEM));
	if (zb_gen_pcap_close(w, ret == 0) < 0 || ret < 0)
		return ZB_EXIT_BROKE;
	printf("%s: %" PRIu64 " packets, %" PRIu64 " bytes, %" PRIu64 " sessions, %.6f s\n", c->out,
	       t.packets, t.bytes, t.sessions, (double)(t.last_ns - t.first_ns) / 1e9);
	return ZB_EXIT_OK;
}

const struct zb_command zb_cmd_gen = {
	.name = "gen",
	.usage = "zbench gen --out FILE [options]",
	.summary = "write a synthetic trace to a pcap file",
	.opts = opts,
	.opt_nr = sizeof(opts) / sizeof(opts[0]),
	.examples = "  zbench gen --out office.pcap --packets 1M\n"
		    "  zbench gen --out flood.pcap --profile flood --flows 10M --duration 30\n",
	.conf_size = sizeof(struct gen_conf),
	.run = run,
};
