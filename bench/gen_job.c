/* SPDX-License-Identifier: Apache-2.0 */
/* gen_job.c - opens what was asked for, and puts a tap behind it */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "bench/gen_job.h"
#include "bench/gen_trace.h"
#include "bench/profile.h"
#include "profiler/diag.h"

#define DEFAULT_SESSIONS 10000
#define UNBOUNDED_NS	 (365ull * 86400 * 1000000000ull)

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
	if (g.sessions == 0 && g.packets == 0)
		g.sessions = DEFAULT_SESSIONS;
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
	if (!conf->duration_given)
		limit.duration_ns =
			limit.packets != 0 || limit.sessions != 0 ? UNBOUNDED_NS : p->duration_ns;
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

int zb_gen_job_open(const struct zb_gen_job_conf *conf, struct zb_gen_job *job)
{
	int ret;

	*job = (struct zb_gen_job){.link = ZB_LINK_ETHERNET};
	if (conf->pcap != NULL)
		ret = zb_gen_trace_open(conf->pcap, conf->limit.packets, &job->link, &job->stream);
	else
		ret = open_profile(conf, &job->stream);
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
