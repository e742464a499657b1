/* SPDX-License-Identifier: Apache-2.0 */
/* test_eal_share.c - a shared device's name is found and taken out; only its own files are removed
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "caught.h"
#include "capture/eal_share.h"

/* DPDK gets the device without what it does not know. */
static void split_takes_the_name_out(void **state)
{
	static const struct {
		const char *device, *out, *name;
	} cases[] = {
		{"net_ring0", "net_ring0", ""},
		{"net_null0,size=64", "net_null0,size=64", ""},
		{"net_ring0,share=a-B_9", "net_ring0", "a-B_9"},
		{"net_null0,share=x,size=64", "net_null0,size=64", "x"},
	};
	char out[32], name[ZB_SHARE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(zb_share_split(cases[i].device, out, sizeof(out), name), 0);
		assert_string_equal(out, cases[i].out);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(zb_share_wanted(cases[i].device), *name != '\0');
	}
}

/* A name becomes part of paths: nothing that leads out of them is one. */
static void split_refuses_what_is_no_name(void **state)
{
	static const char *const devices[] = {
		"net_ring0,share=",
		"net_ring0,share=,size=1",
		"net_ring0,share=../etc",
		"net_ring0,share=a b",
		"net_ring0,share=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"net_null0,what=0123456789012345678901234567890123456789",
	};
	char out[32], name[ZB_SHARE_MAX];
	struct caught err;

	(void)state;
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		catch_fd(&err, STDERR_FILENO);
		int ret = zb_share_split(devices[i], out, sizeof(out), name);

		release_fd(&err);
		assert_int_equal(ret, -EINVAL);
		assert_non_null(strstr(err.text, devices[i]));
	}
}

static void touch(const char *dir, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

/* The folder of this name goes, its parent only when nobody else is in it. */
static void clean_removes_this_names_folder_only(void **state)
{
	char top[] = "/tmp/zb_share_XXXXXX", parent[64], mine[80], other[80];

	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(parent, sizeof(parent), "%s/dpdk", top);
	snprintf(mine, sizeof(mine), "%s/mine", parent);
	snprintf(other, sizeof(other), "%s/other", parent);
	assert_int_equal(mkdir(parent, 0700) | mkdir(mine, 0700) | mkdir(other, 0700), 0);
	touch(mine, "config");
	touch(mine, "mp_socket");
	touch(other, "config");
	zb_share_clean("mine", mine);
	assert_int_equal(access(mine, F_OK), -1);
	assert_int_equal(access(other, F_OK), 0);
	zb_share_clean("other", other);
	assert_int_equal(access(parent, F_OK), -1);
	assert_int_equal(rmdir(top), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_takes_the_name_out),
		cmocka_unit_test(split_refuses_what_is_no_name),
		cmocka_unit_test(clean_removes_this_names_folder_only),
	};

	return cmocka_run_group_tests_name("eal_share", tests, NULL, NULL);
}
