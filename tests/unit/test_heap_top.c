/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_heap_top.c - who holds the memory: by hand-made dumps, by real ones, and as jeprof sees it
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "profiler/heap.h"

#define MIB	   (1024.0 * 1024)
#define LARGE_NR   6
#define LARGE_SIZE (16u << 20) /* so large beside the rate of 512 KiB that each is sampled */
#define SMALL_NR   65536
#define SMALL_SIZE 4096u
#define NOINLINE   __attribute__((noinline, noclone))

static char dir[] = "/tmp/zb-test-heap-XXXXXX";
static char path[64];
static struct zb_symbols *syms;
static void *large[LARGE_NR], *small[SMALL_NR];

static const char hand_made_dump[] = "heap_v2/524288\n"
				     "  t*: 28: 106176 [0: 0]\n"
				     "  t0: 28: 106176 [0: 0]\n"
				     "@ 0x7f3a11 0x55e0a2 0x55e0ff\n"
				     "  t*: 13: 6688 [0: 0]\n"
				     "  t3: 12: 6496 [0: 0]\n"
				     "@ 0x7f3a11 0x55e0a7\n"
				     "  t*: 15: 99488 [0: 0]\n"
				     "\nMAPPED_LIBRARIES:\n";

/* The holders: what they keep shall be found under their names. */
void NOINLINE hold_large(void);
void NOINLINE hold_small(void);
void *NOINLINE zb_heap_test_wrapper(size_t size);
void NOINLINE hold_wrapped(void **p);

void hold_large(void)
{
	for (int i = 0; i < LARGE_NR; i++) {
		large[i] = malloc(LARGE_SIZE);
		assert_non_null(large[i]);
	}
}

void hold_small(void)
{
	for (int i = 0; i < SMALL_NR; i++) {
		small[i] = calloc(1, SMALL_SIZE);
		assert_non_null(small[i]);
	}
}

void *zb_heap_test_wrapper(size_t size)
{
	void *p = malloc(size);

	assert_non_null(p);
	return p;
}

void hold_wrapped(void **p)
{
	*p = zb_heap_test_wrapper(LARGE_SIZE);
}

static void let_go(void)
{
	for (int i = 0; i < LARGE_NR; i++) {
		free(large[i]);
		large[i] = NULL;
	}
	for (int i = 0; i < SMALL_NR; i++) {
		free(small[i]);
		small[i] = NULL;
	}
}

static void skip_without_profiling(void)
{
	if (zb_heap_can_profile())
		return;
	print_message("skipped: this jemalloc cannot profile, or was told not to\n");
	skip();
}

static void write_dump(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static const struct zb_heap_holder *find(const struct zb_heap_holder *h, int nr,
					 const char *function)
{
	for (int i = 0; i < nr; i++) {
		if (strcmp(h[i].function, function) == 0)
			return &h[i];
	}
	return NULL;
}

/* A dump with known addresses gives exactly what the unbiasing formula says, merged by function. */
static void heap_top_of_a_known_dump_is_exact(void **state)
{
	struct zb_heap_holder h[4];
	uint64_t total = 0;
	char text[2048];
	double small_scale = 1 / (1 - exp(-4096.0 / 524288)), sum;

	(void)state;
	snprintf(text, sizeof(text),
		 "heap_v2/524288\n  t*: 9: 9 [0: 0]\n  t0: 9: 9 [0: 0]\n"
		 "@ %#" PRIxPTR " %#" PRIxPTR "\n  t*: 10: 40960 [0: 0]\n  t7: 10: 40960 [0: 0]\n"
		 "@ %#" PRIxPTR "\n  t*: 20: 81920 [0: 0]\n"
		 "@ %#" PRIxPTR " %#" PRIxPTR "\n  t*: 1: 16777216 [0: 0]\n"
		 "@ %#" PRIxPTR "\n  t*: 0: 0 [5: 5]\n"
		 "\nMAPPED_LIBRARIES:\n00400000-00401000 r-xp 00000000 00:00 0 x\n",
		 (uintptr_t)hold_small + 4, (uintptr_t)hold_wrapped + 4, (uintptr_t)hold_small + 5,
		 (uintptr_t)zb_heap_test_wrapper + 4, (uintptr_t)hold_wrapped + 4,
		 (uintptr_t)hold_large + 4);
	write_dump(text);
	assert_int_equal(zb_heap_top(path, syms, h, 4, &total), 2);
	sum = 16777216 + 122880 * small_scale;
	assert_string_equal(h[0].function, "hold_wrapped");
	assert_int_equal(h[0].bytes, 16777216);
	assert_int_equal(h[0].objects, 1);
	assert_string_equal(h[1].function, "hold_small");
	assert_int_equal(h[1].bytes, (uint64_t)(122880 * small_scale + 0.5));
	assert_int_equal(h[1].objects, (uint64_t)(30 * small_scale + 0.5));
	assert_int_equal(total, (uint64_t)(sum + 0.5));
	assert_true(fabs(h[0].share - 16777216 / sum) < 1e-9);
	assert_true(fabs(h[0].share + h[1].share - 1) < 1e-9);
	assert_int_equal(zb_heap_top(path, syms, h, 1, NULL), 1);
	assert_string_equal(h[0].function, "hold_wrapped");
	assert_int_equal(zb_heap_top(path, syms, h, 0, &total), 0);
	assert_int_equal(total, (uint64_t)(sum + 0.5));
}

/* One stack of each holder: so many objects of a size beside which none is missed. */
static void write_two(unsigned small_nr, unsigned large_nr)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "heap_v2/524288\n  t*: 9: 9 [0: 0]\n@ %#" PRIxPTR
		 "\n  t*: %u: %lu [0: 0]\n@ %#" PRIxPTR "\n  t*: %u: %lu [0: 0]\n"
		 "\nMAPPED_LIBRARIES:\n",
		 (uintptr_t)hold_small + 4, small_nr, small_nr * 67108864ul,
		 (uintptr_t)hold_large + 4, large_nr, large_nr * 134217728ul);
	write_dump(text);
}

/* What was there before is taken away; what shrank has not grown; one dump is all growth. */
static void heap_growth_is_between_two_dumps(void **state)
{
	struct zb_heap_holder h[4];
	char first[80];

	(void)state;
	snprintf(first, sizeof(first), "%s.first", path);
	write_two(2, 5);
	assert_int_equal(rename(path, first), 0);
	write_two(6, 4);
	assert_int_equal(zb_heap_growth(first, path, syms, h, 4), 1);
	assert_string_equal(h[0].function, "hold_small");
	assert_int_equal(h[0].bytes, 4 * 67108864ul);
	assert_int_equal(h[0].objects, 4);
	assert_true(h[0].share == 1);
	assert_int_equal(zb_heap_growth(path, path, syms, h, 4), 2);
	assert_string_equal(h[0].function, "hold_large");
	assert_int_equal(h[0].bytes, 4 * 134217728ul);
	assert_int_equal(zb_heap_growth(path, path, syms, h, 1), 1);
	assert_true(zb_heap_growth("/nonexistent", path, syms, h, 4) < 0);
	assert_int_equal(unlink(first), 0);
}

/* A dump without a single sample has no holders and no bytes. */
static void heap_top_of_an_empty_dump_is_empty(void **state)
{
	struct zb_heap_holder h[2];
	uint64_t total = 5;

	(void)state;
	write_dump("heap_v2/524288\n  t*: 0: 0 [0: 0]\n\nMAPPED_LIBRARIES:\n");
	assert_int_equal(zb_heap_top(path, syms, h, 2, &total), 0);
	assert_int_equal(total, 0);
}

/* Files that are no dump, or broke off, or hold numbers that make no sense, are refused. */
static void heap_top_of_garbage_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"heap profile: 1: 2 [3: 4] @ heap_v2/524288\n",
		"heap_v2/0\nMAPPED_LIBRARIES:\n",
		"heap_v2/x\nMAPPED_LIBRARIES:\n",
		"heap_v2/524288\n",
		"heap_v2/524288\n@ 0x1\n  t*: 1: 2 [0: 0]\n",
		"heap_v2/524288\n@ 0x1\nMAPPED_LIBRARIES:\n",
		"heap_v2/524288\n@ 0x1\n@ 0x2\n  t*: 1: 2 [0: 0]\nMAPPED_LIBRARIES:\n",
		"heap_v2/524288\n@ 0x1 y\n  t*: 1: 2 [0: 0]\nMAPPED_LIBRARIES:\n",
		"heap_v2/524288\n@ 0x11111111111111111\n  t*: 1: 2 [0: 0]\nMAPPED_LIBRARIES:\n",
		"heap_v2/524288\n@ 0x1\n  t*: 1 2 [0: 0]\nMAPPED_LIBRARIES:\n",
		"heap_v2/524288\n@ 0x1\n  t*: 1: -2 [0: 0]\nMAPPED_LIBRARIES:\n",
		"heap_v2/524288\nhello\nMAPPED_LIBRARIES:\n",
	};
	struct zb_heap_holder h[2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_dump(bad[i]);
		if (zb_heap_top(path, syms, h, 2, NULL) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(zb_heap_top("/nonexistent", syms, h, 2, NULL), -ENOENT);
}

/* Numbers at the end of their range neither overflow nor divide by zero. */
static void heap_top_of_huge_numbers_saturates(void **state)
{
	struct zb_heap_holder h[2];
	uint64_t total;

	(void)state;
	write_dump("heap_v2/18446744073709551615\n"
		   "@ 0x1\n  t*: 18446744073709551615: 1 [0: 0]\n"
		   "@\n  t*: 1: 18446744073709551615 [0: 0]\nMAPPED_LIBRARIES:\n");
	assert_int_equal(zb_heap_top(path, syms, h, 2, &total), 2);
	assert_int_equal(total, UINT64_MAX);
	assert_int_equal(h[0].bytes, UINT64_MAX);
}

static void take_real_dump(void)
{
	assert_int_equal(zb_heap_start(), 0);
	hold_large();
	hold_small();
	assert_int_equal(zb_heap_stop(), 0);
	assert_int_equal(zb_heap_dump(path), 0);
}

/*
 * The functions that hold the memory are found, with their bytes: large objects to the byte, since
 * each is sampled, small ones within six standard deviations of a sample of 512.
 */
static void heap_top_of_a_real_dump_names_the_holders(void **state)
{
	const struct zb_heap_holder *l, *s;
	struct zb_heap_holder h[16];
	uint64_t total;
	int nr;

	(void)state;
	skip_without_profiling();
	take_real_dump();
	nr = zb_heap_top(path, syms, h, 16, &total);
	assert_in_range(nr, 2, 16);
	l = find(h, nr, "hold_large");
	s = find(h, nr, "hold_small");
	assert_non_null(l);
	assert_non_null(s);
	print_message(
		"hold_large %.2f MiB (true %.2f), hold_small %.2f MiB (true %.2f), all %.2f MiB\n",
		(double)l->bytes / MIB, LARGE_NR * (double)LARGE_SIZE / MIB, (double)s->bytes / MIB,
		SMALL_NR * (double)SMALL_SIZE / MIB, (double)total / MIB);
	assert_in_range(l->bytes, (uint64_t)LARGE_NR * LARGE_SIZE,
			(uint64_t)LARGE_NR * LARGE_SIZE + LARGE_NR * 8192);
	assert_int_equal(l->objects, LARGE_NR);
	assert_true(fabs((double)s->bytes / ((double)SMALL_NR * SMALL_SIZE) - 1) < 6 / sqrt(512));
	assert_true(fabs((double)s->objects / SMALL_NR - 1) < 6 / sqrt(512));
	let_go();
}

/* What was freed is no longer held. */
static void heap_top_after_free_forgets(void **state)
{
	struct zb_heap_holder h[16];
	int nr;

	(void)state;
	skip_without_profiling();
	take_real_dump();
	let_go();
	assert_int_equal(zb_heap_dump(path), 0);
	nr = zb_heap_top(path, syms, h, 16, NULL);
	assert_in_range(nr, 0, 16);
	assert_null(find(h, nr, "hold_large"));
	assert_null(find(h, nr, "hold_small"));
}

static void write_bytes(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* A dump cut off anywhere, or with any byte changed, is refused or read, and never crashes. */
static void heap_top_of_a_damaged_dump_survives(void **state)
{
	struct zb_heap_holder h[8];
	size_t len, stacks_len;
	char *text, *maps;
	uint32_t random = 1;
	FILE *f;

	(void)state;
	if (zb_heap_can_profile()) {
		take_real_dump();
		let_go();
	} else {
		write_dump(hand_made_dump);
	}
	f = fopen(path, "r");
	assert_non_null(f);
	text = calloc(1, 1 << 20);
	assert_non_null(text);
	len = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	maps = strstr(text, "MAPPED_LIBRARIES:\n");
	assert_non_null(maps);
	stacks_len = (size_t)(maps - text) + strlen("MAPPED_LIBRARIES:\n");
	for (size_t cut = 0; cut < stacks_len; cut += 1 + cut / 64) {
		write_bytes(text, cut);
		assert_int_equal(zb_heap_top(path, syms, h, 8, NULL), -EINVAL);
	}
	for (int i = 0; i < 500; i++) {
		random = random * 1664525 + 1013904223;
		size_t at = (random >> 4) % stacks_len;
		char was = text[at];
		int ret;

		text[at] = (char)(random >> 24);
		write_bytes(text, len);
		ret = zb_heap_top(path, syms, h, 8, NULL);
		assert_true(ret == -EINVAL || (ret >= 0 && ret <= 8));
		text[at] = was;
	}
	free(text);
}

/* jeprof's cumulative bytes of a function; -1: it does not name it. *total: of the dump. */
static double ask_jeprof(const char *function, double *total)
{
	char exe[256], command[640], line[1024];
	double found = -1, bytes;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	FILE *p;

	assert_true(n > 0);
	exe[n] = '\0';
	snprintf(command, sizeof(command), "jeprof --text --show_bytes '%s' '%s' 2>/dev/null", exe,
		 path);
	p = popen(command, "r");
	assert_non_null(p);
	*total = -1;
	while (fgets(line, sizeof(line), p) != NULL) {
		char name[256];

		/* flat flat% sum% cumulative cumulative% name */
		if (sscanf(line, "Total: %lf B", &bytes) == 1)
			*total = bytes;
		else if (sscanf(line, "%*f %*s %*s %lf %*s %255s", &bytes, name) == 2 &&
			 strcmp(name, function) == 0)
			found = bytes;
	}
	pclose(p);
	return found;
}

/* jeprof, which unbiases for itself, reads the same dump to the same figures. */
static void heap_top_agrees_with_jeprof(void **state)
{
	const struct zb_heap_holder *l, *s;
	struct zb_heap_holder h[16];
	double theirs_l, theirs_s, theirs_total;
	uint64_t total;
	int nr;

	(void)state;
	skip_without_profiling();
	if (system("command -v jeprof >/dev/null 2>&1") != 0) {
		print_message("skipped: jeprof is not installed\n");
		skip();
	}
	take_real_dump();
	nr = zb_heap_top(path, syms, h, 16, &total);
	l = find(h, nr, "hold_large");
	s = find(h, nr, "hold_small");
	assert_non_null(l);
	assert_non_null(s);
	theirs_l = ask_jeprof("hold_large", &theirs_total);
	theirs_s = ask_jeprof("hold_small", &theirs_total);
	print_message("zb_heap_top: hold_large %" PRIu64 ", hold_small %" PRIu64 ", all %" PRIu64
		      "; jeprof: %.0f, %.0f, %.0f\n",
		      l->bytes, s->bytes, total, theirs_l, theirs_s, theirs_total);
	/* jeprof cuts fractions off, stack by stack. */
	assert_true(fabs(theirs_l - (double)l->bytes) <= 16);
	assert_true(fabs(theirs_s - (double)s->bytes) <= 16);
	assert_true(fabs(theirs_total - (double)total) <= 64);
	let_go();
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/a.heap", dir);
	return zb_symbols_create(&syms);
}

static int tear_down(void **state)
{
	(void)state;
	zb_symbols_destroy(syms);
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_top_of_a_known_dump_is_exact),
		cmocka_unit_test(heap_growth_is_between_two_dumps),
		cmocka_unit_test(heap_top_of_an_empty_dump_is_empty),
		cmocka_unit_test(heap_top_of_garbage_is_refused),
		cmocka_unit_test(heap_top_of_huge_numbers_saturates),
		cmocka_unit_test(heap_top_of_a_real_dump_names_the_holders),
		cmocka_unit_test(heap_top_after_free_forgets),
		cmocka_unit_test(heap_top_of_a_damaged_dump_survives),
		cmocka_unit_test(heap_top_agrees_with_jeprof),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
