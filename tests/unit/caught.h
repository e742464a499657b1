/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caught.h - catches what the code under test writes to stdout or stderr
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_CAUGHT_H
#define ZB_TESTS_UNIT_CAUGHT_H

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* What went to a file descriptor while it was caught. */
struct caught {
	int fd, saved, file;
	char text[8192];
};

static inline void catch_fd(struct caught *c, int fd)
{
	fflush(stdout);
	fflush(stderr);
	c->fd = fd;
	c->saved = dup(fd);
	c->file = memfd_create("caught", 0);
	assert_true(c->saved >= 0 && c->file >= 0);
	assert_int_equal(dup2(c->file, fd), fd);
}

static inline void release_fd(struct caught *c)
{
	ssize_t n;

	fflush(stdout);
	fflush(stderr);
	dup2(c->saved, c->fd);
	close(c->saved);
	n = pread(c->file, c->text, sizeof(c->text) - 1, 0);
	close(c->file);
	assert_true(n >= 0);
	c->text[n] = '\0';
}

#endif
