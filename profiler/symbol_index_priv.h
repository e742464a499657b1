/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbol_index_priv.h - the functions of one module by address
 *
 * libdwfl goes through a whole symbol table for each address that it is asked for, which takes
 * milliseconds in a compiler or a browser. Here it is sorted once.
 *
 * Threading: one thread at a time.
 * Ownership: names are the module's.
 */
#ifndef ZB_PROFILER_SYMBOL_INDEX_PRIV_H
#define ZB_PROFILER_SYMBOL_INDEX_PRIV_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zb_symbol_entry;

struct zb_symbol_index {
	struct zb_symbol_entry *entry; /* sorted by address, the better ones last */
	size_t nr;
	bool read; /* whether the module was looked at */
};

/* All zero to begin with. Without memory it stays empty. */
void zb_symbol_index_read(struct zb_symbol_index *x, Dwfl_Module *mod);
void zb_symbol_index_fini(struct zb_symbol_index *x);

/* The function that holds addr, or, where none does, the last label before it; or NULL. */
const char *zb_symbol_index_name(const struct zb_symbol_index *x, uint64_t addr, uint64_t *offset);

#endif
