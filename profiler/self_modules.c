/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_modules.c - libdwfl on this very process: what is mapped, and which module holds an address
 */
#include <errno.h>
#include <unistd.h>
#include "profiler/self_modules_priv.h"

/*
 * Of libdwfl's own finders this one looks under /usr/lib/debug/.build-id and does not go to the
 * network.
 */
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = dwfl_build_id_find_debuginfo,
};

int zb_self_modules_open(Dwfl **out)
{
	Dwfl *dwfl = dwfl_begin(&callbacks);
	int ret;

	if (dwfl == NULL)
		return -ENOMEM;
	dwfl_report_begin(dwfl);
	ret = dwfl_linux_proc_report(dwfl, getpid()); /* an errno, or -1 for a fault of libdwfl's */
	if (ret == 0)
		ret = dwfl_report_end(dwfl, NULL, NULL);
	if (ret != 0) {
		dwfl_end(dwfl);
		return ret > 0 ? -ret : -EIO;
	}
	*out = dwfl;
	return 0;
}

Dwfl_Module *zb_self_module_at(Dwfl *dwfl, uint64_t ip)
{
	Dwfl_Module *mod = dwfl_addrmodule(dwfl, ip);
	Dwarf_Addr start = 0, end = 0;

	if (mod == NULL)
		return NULL;
	/* libdwfl gives what lies between two modules to the lower one. */
	dwfl_module_info(mod, NULL, &start, &end, NULL, NULL, NULL, NULL);
	return ip >= start && ip < end ? mod : NULL;
}
