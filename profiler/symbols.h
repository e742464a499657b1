/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols.h - names for addresses: this process, its libraries, and the kernel where it may be read
 *
 * elfutils (libdwfl) reads symbol tables and DWARF of everything mapped; /proc/kallsyms serves
 * kernel frames when it shows addresses. Results are cached. Inlined functions are expanded only by
 * zb_symbols_chain().
 *
 * Threading: one thread at a time, while no library is being loaded or unloaded.
 * Ownership: names live as long as the zb_symbols.
 */
#ifndef ZB_PROFILER_SYMBOLS_H
#define ZB_PROFILER_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct zb_symbols;				/* opaque */
int zb_symbols_create(struct zb_symbols **out); /* of this process; 0 or -errno */

/*
 * Of a program that is not there any more: maps is laid out as its /proc/PID/maps was, and names
 * files that are there. 0 or -errno, not said.
 */
int zb_symbols_create_maps(FILE *maps, struct zb_symbols **out);

/* Of one file: the only module of dwfl, which lives longer. Kernel addresses have no names. */
struct Dwfl;
int zb_symbols_create_file(struct Dwfl *dwfl, struct zb_symbols **out);

void zb_symbols_destroy(struct zb_symbols *s);

/* Whether the kernel's names may be read. */
bool zb_symbols_know_kernel(struct zb_symbols *s);

struct zb_symbol_place {
	const char *name;   /* as of zb_symbols_name() */
	const char *module; /* path of the file that is mapped there, "[kernel]", or NULL */
	uint64_t offset;    /* of ip from the function's beginning; 0 when it is not resolved */
	bool resolved;
};
/* As zb_symbols_name(), with what stands around the name. */
void zb_symbols_place(struct zb_symbols *s, uint64_t ip, bool is_call, struct zb_symbol_place *out);

/*
 * The function that holds ip, or "[module+0x1234]" / "[0x1234]" when it has no name. is_call: ip is
 * a return address, so the look-up uses ip - 1. *resolved (may be NULL) tells whether it is a real
 * name.
 */
const char *zb_symbols_name(struct zb_symbols *s, uint64_t ip, bool is_call, bool *resolved);

/*
 * The functions that a call was made from, ip being its return address: first those that the
 * compiler put inside others, innermost first, then the one that holds them. Returns how many, at
 * most max > 0, and at least one. It takes a while: keep the answer.
 */
unsigned zb_symbols_chain(struct zb_symbols *s, uint64_t ip, const char **name, unsigned max);

#endif
