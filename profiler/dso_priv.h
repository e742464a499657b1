/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dso_priv.h - one file of code, whoever maps it: its names and unwind tables, by its own addresses
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_DSO_PRIV_H
#define ZB_PROFILER_DSO_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include "profiler/symbols.h"
#include "profiler/unwind_priv.h"

struct zb_dso; /* opaque */

/* path is what it is called; fd is taken. 0 or -errno, not said: no ELF file, or no memory. */
int zb_dso_open(const char *path, int fd, struct zb_dso **out);
void zb_dso_close(struct zb_dso *d);

/* A copy of the code that the kernel maps into every process, "[vdso]"; -1: there is none. */
int zb_dso_vdso_fd(void);

/* The file's own address of what stands at file_off. False: nothing is loaded from there. */
bool zb_dso_vaddr(const struct zb_dso *d, uint64_t file_off, uint64_t *vaddr);

struct zb_symbols *zb_dso_symbols(struct zb_dso *d);
struct zb_unwind *zb_dso_unwind(struct zb_dso *d);

#endif
