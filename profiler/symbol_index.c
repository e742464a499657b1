/* SPDX-License-Identifier: Apache-2.0 */
/* symbol_index.c - the functions of one module by address */
#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/symbol_index_priv.h"

#define NESTED_MAX                                                                     \
	16 /* so many symbols before the nearest one are asked whether they reach addr \
	    */

struct zb_symbol_entry {
	uint64_t addr, size; /* 0: a label, of which only the beginning is known */
	const char *name;
	uint32_t rank;
};

/*
 * Of several names for one place: one with a size, that others may call, with fewer underscores,
 * which is the one that programmers write.
 */
static uint32_t rank(const GElf_Sym *sym, const char *name)
{
	uint32_t bind = GELF_ST_BIND(sym->st_info), underscores = (uint32_t)strspn(name, "_");

	return (sym->st_size != 0) << 16 | (underscores < 15 ? 15 - underscores : 0u) << 8 |
	       (bind == STB_GLOBAL ? 2u
		: bind == STB_WEAK ? 1u
				   : 0u);
}

static bool is_code(const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	return name != NULL && name[0] != '\0' && sym->st_shndx != SHN_UNDEF &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE);
}

static int compare(const void *a, const void *b)
{
	const struct zb_symbol_entry *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return -strcmp(x->name, y->name);
}

void zb_symbol_index_read(struct zb_symbol_index *x, Dwfl_Module *mod)
{
	int nr = dwfl_module_getsymtab(mod);
	Dwarf_Addr start = 0;

	x->read = true;
	x->entry = nr > 0 ? calloc((size_t)nr, sizeof(*x->entry)) : NULL;
	if (x->entry == NULL)
		return;
	dwfl_module_info(mod, NULL, &start, NULL, NULL, NULL, NULL, NULL);
	for (int i = 0; i < nr; i++) {
		GElf_Sym sym;
		GElf_Addr addr;
		const char *name = dwfl_module_getsym_info(mod, i, &sym, &addr, NULL, NULL, NULL);

		/* What stands at the module's start is its header, whatever a linker calls it. */
		if (!is_code(&sym, name) || addr == start)
			continue;
		x->entry[x->nr++] = (struct zb_symbol_entry){
			.addr = addr, .size = sym.st_size, .name = name, .rank = rank(&sym, name)};
	}
	qsort(x->entry, x->nr, sizeof(*x->entry), compare);
}

void zb_symbol_index_fini(struct zb_symbol_index *x)
{
	free(x->entry);
	*x = (struct zb_symbol_index){0};
}

const char *zb_symbol_index_name(const struct zb_symbol_index *x, uint64_t addr, uint64_t *offset)
{
	size_t lo = 0, hi = x->nr; /* the last one at or before addr stands before hi */

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (x->entry[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i > 0 && lo - i < NESTED_MAX; i--) {
		const struct zb_symbol_entry *e = &x->entry[i - 1];

		if (addr - e->addr < e->size) {
			*offset = addr - e->addr;
			return e->name;
		}
	}
	if (lo == 0 || x->entry[lo - 1].size != 0)
		return NULL;
	*offset = addr - x->entry[lo - 1].addr;
	return x->entry[lo - 1].name;
}
