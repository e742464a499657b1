/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demangle.h - names of C++ functions as people write them, without arguments and templates
 *
 * The library of C++ does it, where there is one; it is looked for at run time, since nothing of
 * ours is C++. Without it names stay as they are.
 *
 * Threading: main only.
 */
#ifndef ZB_PROFILER_DEMANGLE_H
#define ZB_PROFILER_DEMANGLE_H

#include <stddef.h>

/* The short form of name in buf, cut if it does not fit. Names of C stay as they are. */
void zb_demangle(const char *name, char *buf, size_t buf_size);

/* "ret ns::f<int>(char) const" -> "ns::f", as jeprof shortens; in place. */
void zb_demangle_shorten(char *name);

#endif
