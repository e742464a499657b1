/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_list.c - reads and writes lists of CPUs as the kernel and taskset spell them: 2,4,6-7 */
#include "profiler/topology.h"

#include <errno.h>
#include <string.h>
#include "profiler/diag.h"

/*
 * Reads a decimal number at *s and moves past it. -EINVAL: there is none; -ERANGE: ZB_CPUS_MAX or
 * more.
 */
static int read_cpu(const char **s, unsigned *cpu)
{
	const char *c = *s;
	unsigned v = 0;
	bool range_ok = true;

	if (*c < '0' || *c > '9')
		return -EINVAL;
	for (; *c >= '0' && *c <= '9'; c++) {
		v = v * 10 + (unsigned)(*c - '0');
		if (v >= ZB_CPUS_MAX) {
			v = ZB_CPUS_MAX;
			range_ok = false;
		}
	}
	*s = c;
	*cpu = v;
	return range_ok ? 0 : -ERANGE;
}

/* Reads "N" or "N-M" at *s into set. */
static int read_range(const char **s, cpu_set_t *set, const char **why)
{
	unsigned first, last;
	int ret = read_cpu(s, &first);

	last = first;
	if (ret == 0 && **s == '-') {
		(*s)++;
		ret = read_cpu(s, &last);
	}
	if (ret == -ERANGE)
		*why = "a CPU number is above 1023, the highest there can be";
	else if (ret == 0 && last < first)
		*why = "a range runs backwards";
	else if (ret == 0)
		for (unsigned cpu = first; cpu <= last; cpu++)
			CPU_SET(cpu, set);
	return *why == NULL && ret == 0 ? 0 : -EINVAL;
}

int zb_cpu_list_parse(const char *option, const char *text, unsigned cpus[ZB_CPUS_MAX],
		      unsigned *nr)
{
	const char *why = NULL, *s = text;
	cpu_set_t set;
	unsigned n = 0;

	_Static_assert(ZB_CPUS_MAX == 1024, "the message below names the highest CPU");
	CPU_ZERO(&set);
	while (read_range(&s, &set, &why) == 0 && *s == ',')
		s++;
	/*
	 * After a complete list s stands at the end, behind a digit; behind a comma something is
	 * missing.
	 */
	if (why == NULL && (*s != '\0' || s == text || s[-1] == ',' || s[-1] == '-'))
		why = "not a list of CPUs";
	if (why != NULL) {
		zb_err("%s %s: %s; give CPUs as 2-5 or 2,4,6-7", option, *text ? text : "''", why);
		return -EINVAL;
	}
	for (unsigned cpu = 0; cpu < ZB_CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[n++] = cpu;
	*nr = n;
	return 0;
}

char *zb_cpu_list_format(const unsigned *cpus, unsigned nr, char *buf, size_t buf_size)
{
	static const char cut[] = "...";
	size_t len = 0, cut_at = 0; /* the last place where the cut mark still fits */

	if (buf_size == 0)
		return buf;
	buf[0] = '\0';
	for (unsigned i = 0, last; i < nr; i = last + 1) {
		char item[32];
		size_t item_len;

		for (last = i; last + 1 < nr && cpus[last + 1] == cpus[last] + 1;)
			last++;
		if (last == i)
			snprintf(item, sizeof(item), "%s%u", i ? "," : "", cpus[i]);
		else
			snprintf(item, sizeof(item), "%s%u-%u", i ? "," : "", cpus[i], cpus[last]);
		item_len = strlen(item);
		if (len + item_len >= buf_size) {
			snprintf(buf + cut_at, buf_size - cut_at, "%s%s", cut_at ? "," : "", cut);
			break;
		}
		memcpy(buf + len, item, item_len + 1);
		len += item_len;
		if (len + strlen(",...") < buf_size)
			cut_at = len;
	}
	return buf;
}
