/* SPDX-License-Identifier: Apache-2.0 */
/* topo_host.c - what /proc, /sys and the CPU itself say about the host */
#include "profiler/topology_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <rte_cycles.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static int read_at(const struct zb_topo *t, char *buf, size_t size, const char *fmt, va_list args)
{
	char path[512];
	size_t len = 0;
	ssize_t got;
	int fd, n;

	if (t->root == NULL || size == 0)
		return -ENOENT;
	n = snprintf(path, sizeof(path), "%s", t->root);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	len = (size_t)n;
	n = vsnprintf(path + len, sizeof(path) - len, fmt, args);
	if (n < 0 || (size_t)n >= sizeof(path) - len)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (len = 0; len < size - 1; len += (size_t)got) {
		got = read(fd, buf + len, size - 1 - len);
		if (got < 0) {
			n = -errno;
			close(fd);
			return n;
		}
		if (got == 0)
			break;
	}
	close(fd);
	while (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return (int)len;
}

int zb_topo_read(const struct zb_topo *t, char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = read_at(t, buf, size, fmt, args);
	va_end(args);
	return ret;
}

int zb_topo_read_cpus(const struct zb_topo *t, hwloc_bitmap_t set, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	int ret;

	hwloc_bitmap_zero(set);
	va_start(args, fmt);
	ret = read_at(t, text, sizeof(text), fmt, args);
	va_end(args);
	if (ret < 0)
		return ret;
	if (ret == 0 || strcmp(text, "(null)") == 0) /* nohz_full says so when there is none */
		return 0;
	return hwloc_bitmap_list_sscanf(set, text) < 0 ? -EINVAL : 0;
}

/* Cycles per second against CLOCK_MONOTONIC, over some 10 ms. */
static double measure_tsc(void)
{
	struct timespec a, b, nap = {.tv_nsec = 10 * 1000 * 1000};
	uint64_t tsc_a, tsc_b;
	double ns;

	clock_gettime(CLOCK_MONOTONIC, &a);
	tsc_a = rte_rdtsc();
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, &nap) == EINTR)
		;
	clock_gettime(CLOCK_MONOTONIC, &b);
	tsc_b = rte_rdtsc();
	ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
	return ns > 0 ? (double)(tsc_b - tsc_a) * 1e9 / ns : 0;
}

/* Copies the value of "key : value", ending at the line's end, from cpuinfo-like text. */
static bool find_field(const char *text, const char *key, char *out, size_t size)
{
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line += strcspn(line, ":\n");
		if (*line != ':')
			continue;
		line++;
		line += strspn(line, " \t");
		snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
		return true;
	}
	return false;
}

/* The name under which a hypervisor answers the CPUID instruction. */
static const char *cpuid_hypervisor(void)
{
#if defined(__x86_64__)
	static const struct {
		const char signature[13], name[16];
	} known[] = {
		{"KVMKVMKVM", "KVM"},	       {"Microsoft Hv", "Hyper-V"},
		{"VMwareVMware", "VMware"},    {"XenVMMXenVMM", "Xen"},
		{"TCGTCGTCGTCG", "QEMU"},      {"bhyve bhyve ", "bhyve"},
		{" lrpepyh  vr", "Parallels"}, {"ACRNACRNACRN", "ACRN"},
	};
	unsigned eax, sig[3] = {0};
	char text[13] = "";

	__cpuid(0x40000000, eax, sig[0], sig[1], sig[2]);
	memcpy(text, sig, 12);
	for (size_t i = 0; eax != 0 && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(text, known[i].signature) == 0)
			return known[i].name;
#endif
	return "unknown";
}

static void find_hypervisor(const struct zb_topo *t, const char *cpuinfo, char *out, size_t size)
{
	char flags[4096] = "", type[32] = "";

	out[0] = '\0';
	find_field(cpuinfo, "flags", flags, sizeof(flags));
	if (zb_topo_read(t, type, sizeof(type), "/sys/hypervisor/type") > 0)
		snprintf(out, size, "%s", type);
	else if (strstr(flags, " hypervisor") != NULL)
		snprintf(out, size, "%s", t->root[0] == '\0' ? cpuid_hypervisor() : "unknown");
}

static unsigned count(const struct zb_topo *t, hwloc_obj_type_t type)
{
	int nr = hwloc_get_nbobjs_by_type(t->hw, type);

	return nr > 0 ? (unsigned)nr : 0;
}

static unsigned weight(hwloc_const_bitmap_t set)
{
	int nr = hwloc_bitmap_weight(set);

	return nr > 0 ? (unsigned)nr : 0;
}

static uint64_t mem_total(const struct zb_topo *t)
{
	char text[1024], kib[32];

	if (zb_topo_read(t, text, sizeof(text), "/proc/meminfo") > 0 &&
	    find_field(text, "MemTotal", kib, sizeof(kib)))
		return strtoull(kib, NULL, 10) * 1024;
	return hwloc_get_root_obj(t->hw)->total_memory;
}

void zb_topo_host_facts(const struct zb_topo *t, struct zb_host *out)
{
	const char *model = hwloc_obj_get_info_by_name(hwloc_get_root_obj(t->hw), "CPUModel");
	char cpuinfo[8192] = "";
	struct utsname name;

	memset(out, 0, sizeof(*out));
	if (zb_topo_read(t, cpuinfo, sizeof(cpuinfo), "/proc/cpuinfo") < 0)
		cpuinfo[0] = '\0';
	if (!find_field(cpuinfo, "model name", out->cpu_model, sizeof(out->cpu_model)))
		snprintf(out->cpu_model, sizeof(out->cpu_model), "%s",
			 model ? model : "unknown CPU");
	if (t->root != NULL && t->root[0] == '\0' && uname(&name) == 0)
		snprintf(out->kernel, sizeof(out->kernel), "Linux %.64s", name.release);
	find_hypervisor(t, cpuinfo, out->hypervisor, sizeof(out->hypervisor));
	out->cpus_online = weight(t->online);
	out->cpus_allowed = weight(t->allowed);
	out->cores = count(t, HWLOC_OBJ_CORE);
	out->packages = count(t, HWLOC_OBJ_PACKAGE);
	out->numa_nodes = count(t, HWLOC_OBJ_NUMANODE);
	out->mem_total_bytes = mem_total(t);
}

void zb_topo_host(const struct zb_topo *t, struct zb_host *out)
{
	zb_topo_host_facts(t, out);
	out->tsc_hz = measure_tsc();
}
