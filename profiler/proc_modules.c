/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_modules.c - libdwfl on a process: what is mapped, and which module holds an address
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "profiler/proc_modules_priv.h"

/*
 * Of libdwfl's own finders this one looks under /usr/lib/debug/.build-id and does not go to the
 * network.
 */
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_build_id_find_debuginfo,
};

int zb_proc_modules_open(pid_t pid, Dwfl **out)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);
	int ret;

	if (dwfl == NULL)
		return -ENOMEM;
	dwfl_report_begin(dwfl);
	/* An errno, or -1 for a fault of libdwfl's. */
	ret = dwfl_linux_proc_report(dwfl, pid != 0 ? pid : getpid());
	if (ret == 0)
		ret = dwfl_report_end(dwfl, NULL, NULL);
	if (ret != 0) {
		dwfl_end(dwfl);
		return ret > 0 ? -ret : -EIO;
	}
	*out = dwfl;
	return 0;
}

int zb_proc_modules_of_maps(FILE *maps, Dwfl **out)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);
	int ret;

	if (dwfl == NULL)
		return -ENOMEM;
	dwfl_report_begin(dwfl);
	ret = dwfl_linux_proc_maps_report(dwfl, maps);
	if (ret == 0)
		ret = dwfl_report_end(dwfl, NULL, NULL);
	if (ret != 0) {
		dwfl_end(dwfl);
		return ret > 0 ? -ret : -EIO;
	}
	*out = dwfl;
	return 0;
}

void zb_proc_modules_refresh(Dwfl *dwfl, pid_t pid)
{
	char path[48];

	/* A report that fails half way would take away the modules that are known. */
	snprintf(path, sizeof(path), "/proc/%d/maps", pid != 0 ? (int)pid : (int)getpid());
	if (access(path, R_OK) != 0)
		return;
	dwfl_report_begin(dwfl);
	(void)dwfl_linux_proc_report(dwfl, pid != 0 ? pid : getpid());
	(void)dwfl_report_end(dwfl, NULL, NULL);
}

Dwfl_Module *zb_proc_module_at(Dwfl *dwfl, uint64_t ip)
{
	Dwfl_Module *mod = dwfl_addrmodule(dwfl, ip);
	Dwarf_Addr start = 0, end = 0;

	if (mod == NULL)
		return NULL;
	/* libdwfl gives what lies between two modules to the lower one. */
	dwfl_module_info(mod, NULL, &start, &end, NULL, NULL, NULL, NULL);
	return ip >= start && ip < end ? mod : NULL;
}
