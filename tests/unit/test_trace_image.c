/* SPDX-License-Identifier: Apache-2.0 */
/* test_trace_image.c - the memory of a trace: asked for, grown, locked; and when it is too little
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "capture/trace_priv.h"
#include "trace_series.h"

/* A trace larger than memory must be refused before it is read, with both figures. */
static void load_trace_larger_than_memory_is_refused(void **state)
{
	struct tb_buf b = {0};
	struct zb_trace *t;
	char path[64];
	int ret;

	(void)state;
	make_pcap(&b, (struct series){1, 60, 0, 10, 7});
	tb_save(&b, path);
	tb_free(&b);
	if (truncate(path, (off_t)8 << 40) < 0) {
		unlink(path);
		print_message("no sparse file of 8 TiB here: not tested\n");
		skip();
	}
	ret = load_path(path, &t);
	unlink(path);
	assert_int_equal(ret, -ENOMEM);
	assert_true(one_line(": needs 9437216 MiB of memory, "));
	assert_true(one_line(" MiB is available; free some, or load less"));
}

/* With count_max only what is read counts: the head of a file larger than memory can be loaded. */
static void load_head_of_a_trace_larger_than_memory_works(void **state)
{
	struct zb_trace_conf conf = {.path_nr = 1, .shard_nr = 1, .count_max = 3};
	struct tb_buf b = {0};
	struct zb_trace *t;
	const char *path_p;
	char path[64];
	int ret;

	(void)state;
	make_pcap(&b, (struct series){5, 60, 0, 10, 7});
	tb_save(&b, path);
	tb_free(&b);
	path_p = path;
	conf.paths = &path_p;
	if (truncate(path, (off_t)1 << 40) < 0) {
		unlink(path);
		print_message("no sparse file of 1 TiB here: not tested\n");
		skip();
	}
	ret = load(conf, &t);
	unlink(path);
	assert_int_equal(ret, 0);
	assert_int_equal(zb_trace_info(t)->pkt_nr, 3);
	zb_trace_free(t);
}

static void put_file(const char *root, const char *name, const char *content)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(content, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void make_dirs(const char *root, const char *const *dirs)
{
	char path[256];

	for (; *dirs != NULL; dirs++) {
		snprintf(path, sizeof(path), "%s/%s", root, *dirs);
		assert_int_equal(mkdir(path, 0755), 0);
	}
}

static void remove_tree(const char *root)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

/* Of the machine's and every cgroup's memory the least must count, page cache as free. */
static void memory_left_is_the_tightest_limit(void **state)
{
	static const char *const dirs[] = {"proc",
					   "proc/self",
					   "sys",
					   "sys/fs",
					   "sys/fs/cgroup",
					   "sys/fs/cgroup/a",
					   "sys/fs/cgroup/a/b",
					   "sys/fs/cgroup/memory",
					   "sys/fs/cgroup/memory/c",
					   NULL};
	char root[] = "/tmp/zb-test-XXXXXX";
	uint64_t page;

	(void)state;
	assert_non_null(mkdtemp(root));
	make_dirs(root, dirs);
	assert_true(zb_memory_left(root) == UINT64_MAX);
	put_file(root, "proc/meminfo",
		 "MemTotal: 9000 kB\nMemAvailable:    5000 kB\nHugePages_Free:  7\n"
		 "HugePages_Rsvd:  2\nHugepagesize: 2048 kB\n");
	assert_int_equal(zb_memory_left(root), 5000 * 1024);
	assert_int_equal(zb_memory_huge_free(root, &page), 5);
	assert_int_equal(page, 2048 * 1024);
	put_file(root, "proc/self/cgroup", "1:name=systemd:/x\n0::/a/b\n");
	put_file(root, "sys/fs/cgroup/a/b/memory.max", "max\n");
	assert_int_equal(zb_memory_left(root), 5000 * 1024);
	put_file(root, "sys/fs/cgroup/a/b/memory.max", "3000000\n");
	put_file(root, "sys/fs/cgroup/a/b/memory.current", "1000000\n");
	assert_int_equal(zb_memory_left(root), 2000000);
	put_file(root, "sys/fs/cgroup/a/b/memory.stat",
		 "anon 5\ninactive_file 300000\nactive_file 200000\n");
	assert_int_equal(zb_memory_left(root), 2500000);
	put_file(root, "sys/fs/cgroup/a/memory.max", "700000\n");
	put_file(root, "sys/fs/cgroup/a/memory.current", "100000\n");
	assert_int_equal(zb_memory_left(root), 600000);
	put_file(root, "sys/fs/cgroup/a/memory.current", "900000\n");
	assert_int_equal(zb_memory_left(root), 0);
	put_file(root, "proc/self/cgroup", "4:cpu,memory:/c\n3:memory:/c\n0::/\n");
	put_file(root, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "5000\n");
	put_file(root, "sys/fs/cgroup/memory/c/memory.usage_in_bytes", "1000\n");
	assert_int_equal(zb_memory_left(root), 4000);
	remove_tree(root);
}

/* Too little address space must be an error like any other, also while an image grows. */
static void load_without_address_space_fails_cleanly(void **state)
{
	struct tb_buf plain = {0}, b = {0};
	struct rlimit old, tight;
	struct zb_trace *t;
	char path[64];
	int ret;

	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	print_message("the address sanitizer needs unlimited address space: not tested\n");
	skip();
#endif
	make_pcap(&plain, (struct series){2400, 60000, 0, 10, 7});
	make_zstd(&b, plain.p, plain.nr);
	tb_free(&plain);
	tb_save(&b, path);
	assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
	tight = old;
	tight.rlim_cur = 100u << 20;
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	ret = load_path(path, &t);
	assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
	unlink(path);
	assert_int_equal(ret, -ENOMEM);
	assert_true(one_line("no address space for "));
	tb_free(&b);
}

/* Image and index must be locked when that is allowed, and loading must work when it is not. */
static void load_locks_memory_when_allowed(void **state)
{
	struct tb_buf b = {0};
	struct rlimit limit;
	struct zb_trace *t;

	(void)state;
	make_pcap(&b, (struct series){50, 60, 0, 10, 7});
	assert_int_equal(load_bytes(&b, &t), 0);
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	if (geteuid() == 0 || limit.rlim_cur >= (1u << 20))
		assert_true(zb_trace_info(t)->locked);
	else if (limit.rlim_cur < 4096)
		assert_false(zb_trace_info(t)->locked);
	zb_trace_free(t);
	tb_free(&b);
}

/* A region must keep its bytes wherever growing moves it. */
static void region_grows_without_losing_bytes(void **state)
{
	struct zb_region r = {.numa_id = -1};
	uint8_t *block[6];
	uint64_t size = 4096;

	(void)state;
	assert_int_equal(zb_region_map(&r, size, false), 0);
	memset(r.base, 0x5a, size);
	for (int i = 0; i < 6; i++) {
		/* Something behind it, so that it cannot always grow in place. */
		block[i] =
			mmap(r.base + r.size, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_int_equal(zb_region_grow(&r, size * 8), 0);
		size *= 8;
		assert_true(r.size >= size);
		assert_true(size < (2u << 20) || (uintptr_t)r.base % (2u << 20) == 0);
		assert_int_equal(r.base[0], 0x5a);
		assert_int_equal(r.base[4095], 0x5a);
		assert_int_equal(r.base[4096], 0);
		r.base[size - 1] = 1;
	}
	zb_region_trim(&r, 5000);
	assert_int_equal(r.size, 8192);
	zb_region_unmap(&r);
	for (int i = 0; i < 6; i++)
		munmap(block[i], 4096);
	assert_int_equal(zb_region_map(&r, UINT64_MAX, false), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_trace_larger_than_memory_is_refused),
		cmocka_unit_test(load_head_of_a_trace_larger_than_memory_works),
		cmocka_unit_test(memory_left_is_the_tightest_limit),
		cmocka_unit_test(load_without_address_space_fails_cleanly),
		cmocka_unit_test(load_locks_memory_when_allowed),
		cmocka_unit_test(region_grows_without_losing_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
