/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_modules_priv.h - libdwfl on this process or on a file: which module holds an address
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

/* What is mapped now in this process. 0 or -errno, not said. */
int zb_proc_modules_open(Dwfl **out);

/* As a text tells that is laid out as /proc/PID/maps. 0 or -errno, not said. */
int zb_proc_modules_of_maps(FILE *maps, Dwfl **out);

/* A file by itself, at the addresses that it names; fd is taken. 0 or -errno, not said: no ELF. */
int zb_file_module_open(const char *path, int fd, Dwfl **out, Dwfl_Module **mod);

/* The module with ip between its first and its last byte, or NULL. */
Dwfl_Module *zb_proc_module_at(Dwfl *dwfl, uint64_t ip);

#endif
