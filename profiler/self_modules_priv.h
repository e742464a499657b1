/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_modules_priv.h - libdwfl on this very process: what is mapped, and which module holds an
 * address
 *
 * Debug files are taken from this machine only: elfutils could ask a debuginfod server, and a
 * measurement must not.
 *
 * Threading: one thread at a time per Dwfl.
 * Ownership: the caller ends *out with dwfl_end().
 */
#ifndef ZB_PROFILER_SELF_MODULES_PRIV_H
#define ZB_PROFILER_SELF_MODULES_PRIV_H

#include <elfutils/libdwfl.h>
#include <stdint.h>

/* As mapped now. 0 or -errno, not said. */
int zb_self_modules_open(Dwfl **out);

/* The module with ip between its first and its last byte, or NULL. */
Dwfl_Module *zb_self_module_at(Dwfl *dwfl, uint64_t ip);

#endif
