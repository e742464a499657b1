/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inlines.c - see inlines_priv.h
 *
 * libdw goes from an address to the innermost scope; what stands around that one in the text of the
 * program is another question, which is asked with the scope itself.
 */
#include "profiler/inlines_priv.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) != NULL)
		name = dwarf_formstring(&attr);
	return name != NULL ? name : dwarf_diename(die);
}

unsigned zb_inlines_at(Dwfl_Module *mod, uint64_t ip, const char **name, unsigned max)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die inner, *scopes = NULL, *cu = dwfl_module_addrdie(mod, ip, &bias);
	unsigned found = 0;
	int nr = cu != NULL ? dwarf_getscopes(cu, ip - bias, &scopes) : 0;

	if (nr <= 0)
		return 0;
	inner = scopes[0];
	free(scopes);
	scopes = NULL;
	nr = dwarf_getscopes_die(&inner, &scopes);
	for (int i = 0; i < nr && found < max; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag == DW_TAG_subprogram)
			break;
		if (tag != DW_TAG_inlined_subroutine)
			continue;
		name[found] = name_of(&scopes[i]);
		found += name[found] != NULL;
	}
	free(scopes);
	return found;
}
