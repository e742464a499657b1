/* SPDX-License-Identifier: Apache-2.0 */
/* host_noise.c - see host_noise.h */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/host_noise.h"

/* Of one CPU in /proc/stat, in ticks of USER_HZ. */
struct cpu_ticks {
	uint64_t user, nice, system, idle, iowait, irq, softirq, steal;
};

struct seen {
	bool has_sched, has_stat;
	uint64_t run_ns, wait_ns; /* of the thread */
	uint64_t steal_ns, irq_ns, used_ns;
};

static bool read_sched(const char *root, pid_t tid, struct seen *out)
{
	char path[PATH_MAX];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "%s/proc/self/task/%d/schedstat", root, (int)tid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	n = fscanf(f, "%" SCNu64 " %" SCNu64, &out->run_ns, &out->wait_ns);
	fclose(f);
	return n == 2;
}

static uint64_t ticks_ns(uint64_t ticks)
{
	long hz = sysconf(_SC_CLK_TCK);

	return hz > 0 ? ticks * (1000000000u / (uint64_t)hz) : 0;
}

static bool read_cpu_line(FILE *f, unsigned cpu, struct cpu_ticks *t)
{
	char line[512], name[16];

	snprintf(name, sizeof(name), "cpu%u ", cpu);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		return sscanf(line + strlen(name),
			      "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			      " %" SCNu64 " %" SCNu64,
			      &t->user, &t->nice, &t->system, &t->idle, &t->iowait, &t->irq,
			      &t->softirq, &t->steal) == 8;
	}
	return false;
}

static bool read_stat(const char *root, unsigned cpu, struct seen *out)
{
	char path[PATH_MAX];
	struct cpu_ticks t;
	bool found;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/stat", root);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	found = read_cpu_line(f, cpu, &t);
	fclose(f);
	if (!found)
		return false;
	out->steal_ns = ticks_ns(t.steal);
	out->irq_ns = ticks_ns(t.irq + t.softirq);
	out->used_ns = ticks_ns(t.user + t.nice + t.system);
	return true;
}

static void read_clock(const char *root, struct zb_noise_lcore *l)
{
	struct zb_noise_sum *s = &l->sum;
	char path[PATH_MAX];
	uint64_t khz = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/cpu%u/cpufreq/scaling_cur_freq",
		 root, l->cpu);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	if (fscanf(f, "%" SCNu64, &khz) == 1 && khz != 0) {
		s->khz_min = s->khz_min == 0 || khz < s->khz_min ? khz : s->khz_min;
		s->khz_max = khz > s->khz_max ? khz : s->khz_max;
	}
	fclose(f);
}

static struct seen look(const char *root, const struct zb_noise_lcore *l)
{
	struct seen s = {0};

	s.has_sched = read_sched(root, l->tid, &s);
	s.has_stat = read_stat(root, l->cpu, &s);
	return s;
}

static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

void zb_noise_begin(struct zb_noise_lcore *l, unsigned nr, const char *root)
{
	for (unsigned i = 0; i < nr; i++) {
		struct seen s = look(root, &l[i]);

		l[i].sum = (struct zb_noise_sum){.has_wait = s.has_sched, .has_stat = s.has_stat};
		l[i].wait0 = s.wait_ns;
		l[i].run0 = s.run_ns;
		l[i].steal0 = s.steal_ns;
		l[i].irq0 = s.irq_ns;
		l[i].used0 = s.used_ns;
		read_clock(root, &l[i]);
	}
}

void zb_noise_poll(struct zb_noise_lcore *l, unsigned nr, const char *root)
{
	for (unsigned i = 0; i < nr; i++) {
		struct zb_noise_sum *sum = &l[i].sum;
		struct seen s = look(root, &l[i]);

		if (sum->has_wait && s.has_sched)
			sum->wait_ns = since(s.wait_ns, l[i].wait0);
		if (sum->has_stat && s.has_stat) {
			sum->steal_ns = since(s.steal_ns, l[i].steal0);
			sum->irq_ns = since(s.irq_ns, l[i].irq0);
		}
		if (sum->has_stat && s.has_stat && s.has_sched)
			sum->others_ns =
				since(since(s.used_ns, l[i].used0), since(s.run_ns, l[i].run0));
		read_clock(root, &l[i]);
	}
}
