/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diag.c - error lines, warnings and the progress line on stderr
 *
 * Each line goes out with one write(2), together with the wiping of a progress line, so lines of
 * different threads cannot mix. Control characters (of a file name, say) become question marks: a
 * message stays on its line and a name cannot play with the terminal.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "profiler/diag.h"

#define LINE_MAX_BYTES	 4096
#define COLUMNS_FALLBACK 80

static const char wipe[] = "\r\033[K";

/*
 * A progress line may be on the terminal. Set before that line is written, so the worst that a race
 * between threads can do is to wipe a line that is empty. Relaxed: nothing else depends on it.
 */
static atomic_bool progress_shown;

static void put_stderr(const char *s, size_t len)
{
	ssize_t n;

	do {
		n = write(STDERR_FILENO, s, len);
	} while (n < 0 && errno == EINTR);
}

static void clean(char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			s[i] = '?';
	}
}

static void say(const char *kind, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	size_t at = 0, room, body;
	int saved_errno = errno, n;

	if (atomic_exchange_explicit(&progress_shown, false, memory_order_relaxed)) {
		memcpy(line, wipe, sizeof(wipe) - 1);
		at = sizeof(wipe) - 1;
	}
	at = (size_t)(stpcpy(stpcpy(line + at, "zbench: "), kind) - line);
	body = at;
	room = sizeof(line) - at; /* its last byte becomes the newline */
	n = vsnprintf(line + at, room, fmt, ap);
	if (n > 0)
		at += (size_t)n < room ? (size_t)n : room - 1;
	clean(line + body, at - body);
	line[at++] = '\n';
	put_stderr(line, at);
	errno = saved_errno;
}

void zb_err(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void zb_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

bool zb_progress_wanted(void)
{
	int saved_errno = errno;
	bool is_tty = isatty(STDERR_FILENO) == 1;

	errno = saved_errno;
	return is_tty;
}

/* A line as wide as the terminal would wrap, and what has wrapped cannot be wiped. */
static size_t progress_columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col < 2)
		return COLUMNS_FALLBACK - 1;
	return w.ws_col - 1u;
}

void zb_progress_line(const char *line)
{
	char text[LINE_MAX_BYTES];
	size_t len, room;
	int saved_errno = errno;

	if (!zb_progress_wanted())
		return;
	if (line == NULL) {
		if (atomic_exchange_explicit(&progress_shown, false, memory_order_relaxed))
			put_stderr(wipe, sizeof(wipe) - 1);
		errno = saved_errno;
		return;
	}
	room = progress_columns();
	if (room > sizeof(text) - sizeof(wipe))
		room = sizeof(text) - sizeof(wipe);
	len = strnlen(line, room);
	memcpy(text, wipe, sizeof(wipe) - 1);
	memcpy(text + sizeof(wipe) - 1, line, len);
	clean(text + sizeof(wipe) - 1, len);
	atomic_store_explicit(&progress_shown, true, memory_order_relaxed);
	put_stderr(text, sizeof(wipe) - 1 + len);
	errno = saved_errno;
}
