/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_modules.c - libdwfl on this process or on a file: which module holds an address
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

/* ret: of the report, an errno or -1 for a fault of libdwfl's. */
static int end_report(Dwfl *dwfl, int ret, Dwfl **out)
{
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

	if (dwfl == NULL)
		return -ENOMEM;
	dwfl_report_begin(dwfl);
	return end_report(dwfl, dwfl_linux_proc_maps_report(dwfl, maps), out);
}

int zb_proc_modules_open(Dwfl **out)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (dwfl == NULL)
		return -ENOMEM;
	dwfl_report_begin(dwfl);
	return end_report(dwfl, dwfl_linux_proc_report(dwfl, getpid()), out);
}

int zb_file_module_open(const char *path, int fd, Dwfl **out, Dwfl_Module **mod)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (dwfl == NULL) {
		close(fd);
		return -ENOMEM;
	}
	dwfl_report_begin(dwfl);
	*mod = dwfl_report_elf(dwfl, path, path, fd, 0, true);
	if (*mod == NULL)
		close(fd); /* else libdwfl does */
	return end_report(dwfl, *mod != NULL ? 0 : -1, out);
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
