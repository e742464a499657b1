/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_gen.c - zbench gen: writes synthetic traffic, attacks, or a trace behind a bad tap, to a pcap
 * file, or sends it; lists and explains attacks
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/attack.h"
#include "bench/gen_job.h"
#include "bench/gen_pcap.h"
#include "bench/gen_send.h"
#include "bench/options.h"
#include "profiler/diag.h"

#define SECONDS_MAX (365.0 * 86400) /* so that times stay far inside pcap's 32 bits */

struct gen_conf {
	const char *out, *profile, *pcap, *tap;
	uint64_t sessions, packets, flows, seed;
	double duration_s, span_s;
	bool ns, list;
	const char *explain;
	struct zb_opt_list attacks;
	struct zb_send_conf send;
};

#define OPT(member) offsetof(struct gen_conf, member)

static const struct zb_opt opts[] = {
	{"out", 'o', ZB_OPT_STRING, "FILE", NULL, 0, 0, NULL,
	 "pcap file to write; folder of the certificate", OPT(out)},
	{"profile", 'p', ZB_OPT_STRING, "NAME", "office", 0, 0, NULL,
	 "office: mixed sessions; flood: one UDP packet a flow; syn: unanswered SYNs; others, and "
	 "files of your own: configs/",
	 OPT(profile)},
	{"pcap", 0, ZB_OPT_STRING, "FILE", NULL, 0, 0, NULL,
	 "packets of a trace instead of a profile's", OPT(pcap)},
	{"tap", 0, ZB_OPT_STRING, "FAULTS", NULL, 0, 0, NULL,
	 "what a bad tap does to them, such as loss=1%,burst=8; also reorder, depth, duplicate, "
	 "oneway, snaplen, skew",
	 OPT(tap)},
	{"attack", 'a', ZB_OPT_EACH, "SPEC", NULL, 0, 0, NULL,
	 "NAME[=SHARE%][,PARAMETER=N]...: alone, or with a share among the other packets",
	 OPT(attacks)},
	{"list", 0, ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, "print all attacks", OPT(list)},
	{"explain", 0, ZB_OPT_STRING, "NAME", NULL, 0, 0, NULL,
	 "print what an attack does and takes", OPT(explain)},
	{"sessions", 's', ZB_OPT_U64, "N", NULL, 1, ZB_GEN_SESSION_MAX, NULL,
	 "write N whole sessions (10000 when nothing else is asked for)", OPT(sessions)},
	{"packets", 'n', ZB_OPT_U64, "N", NULL, 1, ZB_GEN_SESSION_MAX, NULL,
	 "write whole sessions of N packets together", OPT(packets)},
	{"flows", 0, ZB_OPT_U64, "N", NULL, 1, ZB_GEN_SESSION_MAX, NULL,
	 "the same as --sessions: in flood and syn a session is a flow", OPT(flows)},
	{"duration", 'd', ZB_OPT_SECONDS, "S", "60", 0, 0, NULL,
	 "sessions begin within S seconds; when sending, end then", OPT(duration_s)},
	{"span", 0, ZB_OPT_SECONDS, "S", "60", 0, 0, NULL,
	 "when sending, sessions begin within S seconds", OPT(span_s)},
	{"seed", 0, ZB_OPT_U64, "N", "1", 0, 0, NULL, "the same seed gives the same bytes",
	 OPT(seed)},
	{"ns", 0, ZB_OPT_FLAG, NULL, NULL, 0, 0, NULL, "time stamps in nanoseconds", OPT(ns)},
	ZB_SEND_OPTS(offsetof(struct gen_conf, send)),
};

/* A trace has its own sessions and times, and is not written over itself. */
static int check_pcap(const struct gen_conf *c)
{
	static const char *const profile_only[] = {"duration", "profile", "sessions", "flows"};
	struct stat in, out;

	if (c->pcap == NULL)
		return 0;
	/* When sending, it is the sending that ends after the duration. */
	for (size_t i = zb_send_wanted(&c->send) ? 1 : 0;
	     i < sizeof(profile_only) / sizeof(profile_only[0]); i++) {
		if (zb_opt_given(&zb_cmd_gen, profile_only[i])) {
			zb_err("--%s: not with --pcap: a trace is taken as it is", profile_only[i]);
			return -EINVAL;
		}
	}
	if (c->out != NULL && stat(c->pcap, &in) == 0 && stat(c->out, &out) == 0 &&
	    in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
		zb_err("--out %s: is the trace that is read; name another file", c->out);
		return -EINVAL;
	}
	return 0;
}

/* Checks what the option table cannot; 0 or -EINVAL, said. */
static int to_job(const struct gen_conf *c, struct zb_gen_job_conf *job)
{
	int given = (c->sessions != 0) + (c->packets != 0) + (c->flows != 0);

	if (c->out == NULL && !zb_send_wanted(&c->send)) {
		zb_err("--out: not given; name the pcap file to write, or send: --port, --iface");
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
	*job = (struct zb_gen_job_conf){
		.profile = c->profile,
		.pcap = c->pcap,
		.tap = c->tap,
		.limit =
			{
				.sessions = c->sessions + c->flows,
				.packets = c->packets,
				.duration_ns = (uint64_t)(c->duration_s * 1e9),
				.seed = c->seed,
			},
		.duration_given = zb_opt_given(&zb_cmd_gen, "duration"),
		.profile_given = zb_opt_given(&zb_cmd_gen, "profile"),
		.attacks = c->attacks.v,
		.attack_nr = c->attacks.nr,
	};
	return check_pcap(c);
}

static int open_out(const struct gen_conf *c, const struct zb_gen_job *job, struct zb_gen_pcap **w)
{
	/* Only packets of other programs have other link types, or are longer. */
	return c->pcap != NULL ? zb_gen_pcap_open_link(c->out, c->ns, job->link, w)
			       : zb_gen_pcap_open(c->out, c->ns, w);
}

static int send_it(const struct gen_conf *c, struct zb_gen_job_conf *g, int argc, char **argv)
{
	struct zb_send_conf conf = c->send;
	struct zb_send_job job = {
		.conf = &conf,
		.out = c->out,
		.duration_s = zb_opt_given(&zb_cmd_gen, "duration") ? c->duration_s : 0,
		.flows = c->flows,
		.profile = c->pcap != NULL ? c->pcap : c->profile,
		.from_pcap = c->pcap != NULL,
		.made = g,
		.argc = argc,
		.argv = argv,
	};

	/* A trace that nothing is done to is sent from where it is. */
	if (c->tap == NULL && c->attacks.nr == 0)
		conf.pcap = c->pcap;
	g->limit.duration_ns = (uint64_t)(c->span_s * 1e9);
	g->duration_given = zb_opt_given(&zb_cmd_gen, "span");
	return zb_send_run(&job);
}

static int run(const void *conf, const char *const *args, unsigned arg_nr, int argc, char **argv)
{
	const struct gen_conf *c = conf;
	struct zb_gen_job_conf g;
	struct zb_gen_job job;
	struct zb_gen_total t = {0};
	struct zb_gen_pcap *w;
	int ret;

	(void)args, (void)arg_nr;
	if (c->list)
		zb_attack_list(stdout);
	if (c->explain != NULL && zb_attack_explain(c->explain, stdout) < 0)
		return ZB_EXIT_USAGE;
	if (c->list || c->explain != NULL)
		return ZB_EXIT_OK;
	if (to_job(c, &g) < 0)
		return ZB_EXIT_USAGE;
	if (zb_send_wanted(&c->send))
		return send_it(c, &g, argc, argv);
	if (zb_gen_job_open(&g, &job) < 0)
		return ZB_EXIT_USAGE;
	if (open_out(c, &job, &w) < 0) {
		zb_gen_job_close(&job);
		return ZB_EXIT_USAGE;
	}
	ret = zb_gen_pump(job.stream, zb_gen_pcap_sink, w, &t);
	zb_gen_job_close(&job);
	if (ret == -ENOMEM)
		zb_err("%s: %s; ask for fewer sessions or a longer --duration", c->out,
		       strerror(ENOMEM));
	if (zb_gen_pcap_close(w, ret == 0) < 0 || ret < 0)
		return ZB_EXIT_BROKE;
	printf("%s: %" PRIu64 " packets, %" PRIu64 " bytes, ", c->out, t.packets, t.bytes);
	if (c->pcap == NULL)
		printf("%" PRIu64 " sessions, ", t.sessions);
	printf("%.6f s\n", (double)(t.last_ns - t.first_ns) / 1e9);
	zb_gen_job_print_tap(&job);
	return ZB_EXIT_OK;
}

const struct zb_command zb_cmd_gen = {
	.name = "gen",
	.usage = "zbench gen --out FILE | --port DEV | --iface IF [options]",
	.summary = "write synthetic traffic to a pcap file, or send it",
	.opts = opts,
	.opt_nr = sizeof(opts) / sizeof(opts[0]),
	.examples = "  zbench gen --out office.pcap --packets 1M\n"
		    "  zbench gen --out flood.pcap --profile flood --flows 10M --duration 30\n"
		    "  zbench gen --out mix.pcap --profile office --attack syn-flood=10%\n"
		    "  zbench gen --pcap a.pcap --tap loss=1%,burst=8 --out lossy.pcap\n"
		    "  zbench gen --iface eth1 --size 64 --flows 1M --rate 1Mpps --duration 60\n",
	.conf_size = sizeof(struct gen_conf),
	.run = run,
};
