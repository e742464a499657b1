/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_process.c - process_*: what every Prometheus client says of its process */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "profiler/metrics_priv.h"

/* Fields of /proc/self/stat after the command, which may hold anything; see proc(5). */
enum { FIELD_START = 22, FIELD_VSIZE = 23, FIELD_RSS = 24, FIELD_FIRST = 3 };

struct process {
	double user_s, system_s, start_s;
	uint64_t rss_bytes, virtual_bytes, fds, fds_max;
};

static uint64_t stat_field(const char *rest, unsigned field)
{
	for (unsigned i = FIELD_FIRST; i < field && rest != NULL; i++) {
		rest = strchr(rest, ' ');
		rest = rest != NULL ? rest + 1 : NULL;
	}
	return rest != NULL ? strtoull(rest, NULL, 10) : 0;
}

/* When the machine was started, seconds of the Unix epoch. */
static double boot_s(void)
{
	FILE *f = fopen("/proc/stat", "re");
	unsigned long long v = 0;
	char line[256];

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "btime %llu", &v) == 1)
			break;
	fclose(f);
	return (double)v;
}

static void read_stat(struct process *p)
{
	FILE *f = fopen("/proc/self/stat", "re");
	char text[1024];
	const char *rest;
	size_t n;

	if (f == NULL)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	rest = strrchr(text, ')');
	if (rest == NULL || rest[1] != ' ')
		return;
	rest += 2;
	p->virtual_bytes = stat_field(rest, FIELD_VSIZE);
	p->rss_bytes = stat_field(rest, FIELD_RSS) * (uint64_t)sysconf(_SC_PAGESIZE);
	p->start_s =
		boot_s() + (double)stat_field(rest, FIELD_START) / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (d == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n - 1; /* the folder itself */
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void read_process(struct process *p)
{
	struct rlimit limit;
	struct rusage ru;

	memset(p, 0, sizeof(*p));
	if (getrusage(RUSAGE_SELF, &ru) == 0) {
		p->user_s = seconds(ru.ru_utime);
		p->system_s = seconds(ru.ru_stime);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		p->fds_max = limit.rlim_cur;
	read_stat(p);
	p->fds = count_fds();
}

static void one_real(struct zb_metric_sink *s, const struct zb_metric_family *f, double v)
{
	s->family(s, f);
	zb_metric_real(s, v, NULL, 0);
}

static void one_count(struct zb_metric_sink *s, const struct zb_metric_family *f, uint64_t v)
{
	s->family(s, f);
	zb_metric_count(s, v, NULL, 0);
}

void zb_metrics_emit_process(struct zb_metric_sink *s)
{
	static const struct zb_metric_family cpu = {"process_cpu_seconds", "seconds",
						    "Total user and system CPU time spent",
						    ZB_METRIC_COUNTER},
					     user = {"process_cpu_user_seconds", "seconds",
						     "Total user CPU time spent",
						     ZB_METRIC_COUNTER},
					     sys = {"process_cpu_system_seconds", "seconds",
						    "Total system CPU time spent",
						    ZB_METRIC_COUNTER},
					     rss = {"process_resident_memory_bytes", "bytes",
						    "Resident memory size", ZB_METRIC_GAUGE},
					     virt = {"process_virtual_memory_bytes", "bytes",
						     "Virtual memory size", ZB_METRIC_GAUGE},
					     fds = {"process_open_fds", NULL,
						    "Number of open file descriptors",
						    ZB_METRIC_GAUGE},
					     fds_max = {"process_max_fds", NULL,
							"Most file descriptors that may be open",
							ZB_METRIC_GAUGE},
					     start = {"process_start_time_seconds", "seconds",
						      "Process start time", ZB_METRIC_GAUGE};
	struct process p;

	read_process(&p);
	one_real(s, &cpu, p.user_s + p.system_s);
	one_real(s, &user, p.user_s);
	one_real(s, &sys, p.system_s);
	one_count(s, &rss, p.rss_bytes);
	one_count(s, &virt, p.virtual_bytes);
	one_count(s, &fds, p.fds);
	one_count(s, &fds_max, p.fds_max);
	one_real(s, &start, p.start_s);
}
