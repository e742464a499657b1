/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inlines_priv.h - functions that the compiler put inside others, as DWARF tells
 *
 * Threading: one thread at a time per module. Ownership: names live as long as the module.
 */
#ifndef ZB_PROFILER_INLINES_PRIV_H
#define ZB_PROFILER_INLINES_PRIV_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

/* At ip, innermost first, without the function that holds them all; returns how many of max. */
unsigned zb_inlines_at(Dwfl_Module *mod, uint64_t ip, const char **name, unsigned max);

#endif
