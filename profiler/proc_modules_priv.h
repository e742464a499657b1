/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_modules_priv.h - libdwfl on a process: what is mapped, and which module holds an address
 *
 * Debug files are taken from this machine only: elfutils could ask a debuginfod server, and a
 * measurement must not.
 *
 * Threading: one thread at a time per Dwfl.
 * Ownership: the caller ends *out with dwfl_end().
 */
#ifndef ZB_PROFILER_PROC_MODULES_PRIV_H
#define ZB_PROFILER_PROC_MODULES_PRIV_H

#include <elfutils/libdwfl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* As mapped now in process pid; 0 is this one. 0 or -errno, not said. */
int zb_proc_modules_open(pid_t pid, Dwfl **out);

/* As a text tells that is laid out as /proc/PID/maps. 0 or -errno, not said. */
int zb_proc_modules_of_maps(FILE *maps, Dwfl **out);

/* Looks again at what is mapped. A process that is gone leaves things as they were. */
void zb_proc_modules_refresh(Dwfl *dwfl, pid_t pid);

/* The module with ip between its first and its last byte, or NULL. */
Dwfl_Module *zb_proc_module_at(Dwfl *dwfl, uint64_t ip);

#endif
