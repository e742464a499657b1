/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kallsyms_priv.h - names of kernel functions, from a file in the format of /proc/kallsyms
 *
 * Threading: one thread at a time.
 * Ownership: names live until zb_kallsyms_fini().
 */
#ifndef ZB_PROFILER_KALLSYMS_PRIV_H
#define ZB_PROFILER_KALLSYMS_PRIV_H

#include <stddef.h>
#include <stdint.h>

struct zb_kallsyms {
	struct zb_ksym *syms; /* by address */
	size_t sym_nr, sym_cap;
	char *names; /* each with its NUL */
	size_t name_bytes, name_cap;
};

/*
 * Reads the functions of path. 0, also when the file hides its addresses from this user (then there
 * are no names), or -errno; k is to be finished in any case.
 */
int zb_kallsyms_init(struct zb_kallsyms *k, const char *path);
void zb_kallsyms_fini(struct zb_kallsyms *k);

/* The function at or before ip, or NULL; *offset is that of ip from its beginning. */
const char *zb_kallsyms_name(const struct zb_kallsyms *k, uint64_t ip, uint64_t *offset);

#endif
