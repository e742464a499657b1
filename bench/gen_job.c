/* SPDX-License-Identifier: Apache-2.0 */
/* gen_job.c - opens what was asked for, and puts a tap behind it */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "bench/attack_set.h"
#include "bench/gen_job.h"
#include "bench/gen_trace.h"
#include "bench/profile.h"
#include "profiler/diag.h"

#define DEFAULT_SESSIONS 10000
#define UNBOUNDED_NS	 (365ull * 86400 * 1000000000ull)
#define DEFAULT_ATTACK	 100000 /* frames */

static int find_builtin(const char *name)
{
	for (int i = 0; zb_gen_profile_names[i] != NULL; i++)
		if (strcmp(zb_gen_profile_names[i], name) == 0)
			return i;
	return -1;
}

static int open_builtin(const struct zb_gen_job_conf *conf, unsigned nr, struct zb_gen_stream **out)
{
	struct zb_gen_conf g = conf->limit;

	g.profile = nr;
	if (g.sessions == 0 && g.packets == 0) {
		g.sessions = DEFAULT_SESSIONS;
		g.endless = conf->endless;
	}
	return zb_gen_sessions_open(&g, out);
}

/* All names, in one line. */
static int no_such_profile(const char *name)
{
	char names[256];
	size_t len = 0;

	names[0] = '\0';
	for (unsigned i = 0; zb_gen_profile_names[i] != NULL && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ", " : "",
					zb_gen_profile_names[i]);
	for (unsigned i = 0; zb_profile_name(i) != NULL && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, ", %s",
					zb_profile_name(i));
	zb_err("--profile %s: no such profile; there are %s, and files that end in .yaml", name,
	       names);
	return -EINVAL;
}

/* A profile lasts as long as it says, or until there are as many packets as were asked for. */
static int open_file(const struct zb_gen_job_conf *conf, struct zb_gen_stream **out)
{
	struct zb_gen_conf limit = conf->limit;
	struct zb_profile *p;
	int ret = zb_profile_load(conf->profile, &p);

	if (ret == -ENOENT && strpbrk(conf->profile, "/.") == NULL)
		return no_such_profile(conf->profile);
	if (ret < 0)
		return ret;
	if (!conf->duration_given) {
		bool unbounded = limit.packets != 0 || limit.sessions != 0 || conf->endless;

		limit.duration_ns = unbounded ? UNBOUNDED_NS : p->duration_ns;
	}
	ret = zb_profile_open(p, &limit, out);
	if (ret < 0)
		zb_profile_free(p);
	return ret;
}

static int open_profile(const struct zb_gen_job_conf *conf, struct zb_gen_stream **out)
{
	int nr = find_builtin(conf->profile), ret;

	if (nr < 0)
		return open_file(conf, out);
	ret = open_builtin(conf, (unsigned)nr, out);
	if (ret < 0)
		zb_err("--profile %s: %s", conf->profile, strerror(-ret));
	return ret;
}

static int open_tap(const struct zb_gen_job_conf *conf, struct zb_gen_job *job)
{
	struct zb_tap_conf tap;
	int ret = zb_tap_parse("--tap", conf->tap, &tap);

	if (ret < 0)
		return ret;
	tap.seed = conf->limit.seed;
	tap.link = job->link;
	ret = zb_tap_open(job->stream, &tap, &job->tap, &job->stream);
	if (ret < 0)
		zb_err("--tap %s: %s", conf->tap, strerror(-ret));
	job->tapped = ret == 0;
	return ret;
}

static int open_clean(const struct zb_gen_job_conf *conf, struct zb_gen_job *job)
{
	if (conf->pcap != NULL)
		return zb_gen_trace_open(conf->pcap, conf->limit.packets, &job->link, &job->stream);
	return open_profile(conf, &job->stream);
}

/* One attack and nothing else. */
static int open_alone(const struct zb_gen_job_conf *conf, struct zb_attack_set *set,
		      struct zb_gen_job *job)
{
	uint64_t packets = conf->limit.packets;

	if (conf->profile_given || conf->pcap != NULL || conf->limit.sessions != 0) {
		zb_err("--attack %s: no share beside other traffic; give one, as NAME=10%%",
		       conf->attacks[0]);
		return -EINVAL;
	}
	if (packets == 0 && !conf->duration_given)
		packets = conf->endless ? UINT64_MAX : DEFAULT_ATTACK;
	return zb_attack_set_stream(set, NULL, packets, conf->limit.duration_ns, &job->stream);
}

static int open_mixed(const struct zb_gen_job_conf *conf, struct zb_attack_set *set,
		      struct zb_gen_job *job)
{
	struct zb_gen_job_conf clean = *conf;
	int ret;

	if (conf->limit.packets != 0) {
		double rest = (double)conf->limit.packets * (1 - set->sum);

		clean.limit.packets = rest < 1 ? 1 : (uint64_t)(rest + 0.5);
	}
	ret = open_clean(&clean, job);
	if (ret == 0 && job->link != ZB_LINK_ETHERNET) {
		zb_err("--attack: only in Ethernet; %s has another link type", conf->pcap);
		ret = -EINVAL;
	}
	return ret < 0 ? ret : zb_attack_set_stream(set, job->stream, 0, 0, &job->stream);
}

static int open_attacked(const struct zb_gen_job_conf *conf, struct zb_gen_job *job)
{
	struct zb_attack_set set = {0};
	int ret = zb_attack_set_open(conf->attacks, conf->attack_nr, conf->limit.seed, &set);

	if (ret < 0)
		return ret;
	ret = set.sum > 0 ? open_mixed(conf, &set, job) : open_alone(conf, &set, job);
	zb_attack_set_close(&set);
	return ret;
}

int zb_gen_job_open(const struct zb_gen_job_conf *conf, struct zb_gen_job *job)
{
	int ret;

	*job = (struct zb_gen_job){.link = ZB_LINK_ETHERNET};
	ret = conf->attack_nr > 0 ? open_attacked(conf, job) : open_clean(conf, job);
	if (ret == 0 && conf->tap != NULL)
		ret = open_tap(conf, job);
	if (ret < 0)
		zb_gen_job_close(job);
	return ret;
}

void zb_gen_job_close(struct zb_gen_job *job)
{
	zb_gen_stream_free(job->stream);
	job->stream = NULL;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

void zb_gen_job_print_tap(const struct zb_gen_job *job)
{
	const struct zb_tap_count *n = &job->tap;

	if (!job->tapped)
		return;
	printf("tap: %" PRIu64 " packets offered, %" PRIu64 " given\n", n->offered, n->given);
	if (n->other_way != 0)
		printf("tap: %" PRIu64 " of the other direction (%.4f %%)\n", n->other_way,
		       percent(n->other_way, n->offered));
	if (n->lost != 0)
		printf("tap: %" PRIu64 " lost (%.4f %%) in %" PRIu64 " bursts, %" PRIu64 " bytes\n",
		       n->lost, percent(n->lost, n->offered - n->other_way), n->bursts,
		       n->lost_bytes);
	if (n->duplicated != 0)
		printf("tap: %" PRIu64 " duplicated (%.4f %%)\n", n->duplicated,
		       percent(n->duplicated, n->offered - n->other_way - n->lost));
	if (n->reordered != 0 || n->not_reordered != 0)
		printf("tap: %" PRIu64 " reordered (%.4f %%), %" PRIu64
		       " more could not be: nothing of their flow followed\n",
		       n->reordered, percent(n->reordered, n->given), n->not_reordered);
	if (n->skewed != 0)
		printf("tap: %" PRIu64 " came later\n", n->skewed);
	if (n->cut != 0)
		printf("tap: %" PRIu64 " cut by the snap length\n", n->cut);
}
