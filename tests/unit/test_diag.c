/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_diag.c - what zbench says on stderr: whole lines, one write each, progress wiped on a
 * terminal
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "profiler/diag.h"

#define THREADS		 4
#define LINES_PER_THREAD 200

static int real_stderr = -1;

static void stderr_to(int fd)
{
	real_stderr = dup(STDERR_FILENO);
	assert_true(real_stderr >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
}

static void stderr_back(void)
{
	assert_int_equal(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
	close(real_stderr);
}

/* What is there to read now, as a string. */
static char *drain(int fd)
{
	static char text[256 * 1024];
	size_t at = 0;
	ssize_t n;

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while ((n = read(fd, text + at, sizeof(text) - 1 - at)) > 0)
		at += (size_t)n;
	text[at] = '\0';
	return text;
}

/* An error and a warning are one line each, and leave errno alone. */
static void diag_err_and_warn_print_one_line(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	stderr_to(p[1]);
	errno = ENOSPC;
	zb_err("--cores %s: no such core", "2-5");
	zb_warn("%d", 7);
	assert_int_equal(errno, ENOSPC);
	stderr_back();
	assert_string_equal(drain(p[0]), "zbench: --cores 2-5: no such core\nzbench: warning: 7\n");
	close(p[0]);
	close(p[1]);
}

/* A name with control characters stays on its line; a message too long ends with its line. */
static void diag_wild_message_stays_one_line(void **state)
{
	char *long_name = malloc(10000), *text;
	int p[2];

	(void)state;
	assert_non_null(long_name);
	memset(long_name, 'x', 9999);
	long_name[9999] = '\0';
	assert_int_equal(pipe(p), 0);
	stderr_to(p[1]);
	zb_err("%s: gone", "a\nb\033[2Jc\x7f");
	zb_err("%s", long_name);
	stderr_back();
	text = drain(p[0]);
	assert_memory_equal(text, "zbench: a?b?[2Jc?: gone\nzbench: xxx", 34);
	assert_int_equal(strcspn(strchr(text, '\n') + 1, "\n") + 1, 4096);
	assert_string_equal(text + strlen(text) - 4, "xxx\n");
	free(long_name);
	close(p[0]);
	close(p[1]);
}

/* Without a terminal there is no progress line. */
static void diag_progress_without_terminal_is_silent(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	stderr_to(p[1]);
	assert_false(zb_progress_wanted());
	zb_progress_line("12 %");
	zb_err("x");
	zb_progress_line(NULL);
	stderr_back();
	assert_string_equal(drain(p[0]), "zbench: x\n");
	close(p[0]);
	close(p[1]);
}

/* On a terminal the progress line is redrawn in place, cut to its width, and wiped by what follows.
 */
static void diag_progress_on_terminal_is_wiped(void **state)
{
	struct winsize w = {.ws_row = 25, .ws_col = 11};
	struct termios raw;
	int master, slave;

	(void)state;
	if (openpty(&master, &slave, NULL, NULL, &w) < 0) {
		print_message("no pseudo-terminal: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	stderr_to(slave);
	assert_true(zb_progress_wanted());
	zb_progress_line("10 %");
	zb_progress_line("0123456789abcdef");
	zb_err("x");
	zb_err("y");
	zb_progress_line(NULL);
	zb_progress_line("20 %");
	zb_progress_line(NULL);
	stderr_back();
	assert_string_equal(drain(master),
			    "\r\033[K10 %\r\033[K0123456789\r\033[Kzbench: x\nzbench: y\n"
			    "\r\033[K20 %\r\033[K");
	close(slave);
	close(master);
}

static void *say_lines(void *arg)
{
	for (int i = 0; i < LINES_PER_THREAD; i++)
		zb_err("thread %s says line %03d and then some more", (const char *)arg, i);
	return NULL;
}

/* Lines of many threads never mix. */
static void diag_many_threads_do_not_interleave(void **state)
{
	static char name[THREADS][2] = {"a", "b", "c", "d"};
	int next[THREADS] = {0};
	pthread_t t[THREADS];
	char path[] = "/tmp/zb-test-diag-XXXXXX", *text, *line, *save = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	stderr_to(fd);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, say_lines, name[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	stderr_back();
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	text = drain(fd);
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char who, tail[32];
		int nr;

		assert_int_equal(sscanf(line, "zbench: thread %c says line %d and then some %31s",
					&who, &nr, tail),
				 3);
		assert_string_equal(tail, "more");
		assert_int_equal(nr, next[who - 'a']++);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(next[i], LINES_PER_THREAD);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diag_err_and_warn_print_one_line),
		cmocka_unit_test(diag_wild_message_stays_one_line),
		cmocka_unit_test(diag_progress_without_terminal_is_silent),
		cmocka_unit_test(diag_progress_on_terminal_is_wiped),
		cmocka_unit_test(diag_many_threads_do_not_interleave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
