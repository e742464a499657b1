/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag.h - the one way zbench speaks to stderr
 *
 * Every error is one line, `zbench: WHAT: WHY[; WHAT TO DO]`. It is printed once, where its file,
 * option, core or device is known; callers pass the code on. A progress line on the terminal is
 * wiped first.
 *
 * Threading: any thread; lines do not interleave. Not for signal handlers.
 * Errors:    none; stderr that cannot be written is ignored.
 */
#ifndef ZB_PROFILER_DIAG_H
#define ZB_PROFILER_DIAG_H

#include <stdbool.h>

/*
 * Prints "zbench: " + the message + newline. The message names the thing first: "--cores 2-5: ...".
 */
void zb_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As zb_err, for what the run survives: "zbench: warning: ...". */
void zb_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Shows line (no newline) as the progress line, or wipes it when line is NULL. Does nothing unless
 * stderr is a terminal. The next zb_err or zb_warn wipes it.
 */
void zb_progress_line(const char *line);

/* True when stderr is a terminal, so that a progress line makes sense. */
bool zb_progress_wanted(void);

#endif
