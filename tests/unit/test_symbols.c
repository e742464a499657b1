/* SPDX-License-Identifier: Apache-2.0 */
/* test_symbols.c - names of addresses of this process and of the kernel */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>
#include "profiler/kallsyms_priv.h"
#include "profiler/symbols.h"

static struct zb_symbols *syms;

static int make_syms(void **state)
{
	(void)state;
	return zb_symbols_create(&syms);
}

static int drop_syms(void **state)
{
	(void)state;
	zb_symbols_destroy(syms);
	return 0;
}

int zb_test_global(int x);
__attribute__((noinline)) int zb_test_global(int x)
{
	volatile int y = x;

	return y + 1;
}

static __attribute__((noinline)) int test_static(int x)
{
	volatile int y = x;

	return y + 2;
}

/* As the compiler names the copies and pieces of functions that it makes. */
int test_clone(int x);
int test_piece(int x);
__attribute__((noinline)) int test_clone(int x) __asm__("cloned.constprop.0");
__attribute__((noinline)) int test_piece(int x) __asm__("pieced.isra.0.part.1.cold");

int test_clone(int x)
{
	volatile int y = x;

	return y + 3;
}

int test_piece(int x)
{
	volatile int y = x;

	return y + 4;
}

static void assert_name(const void *fn, size_t off, const char *want)
{
	bool resolved = false;

	assert_string_equal(zb_symbols_name(syms, (uint64_t)fn + off, false, &resolved), want);
	assert_true(resolved);
}

/* Global and static functions of the program have their names, at their first byte and inside. */
static void name_own_function_is_found(void **state)
{
	(void)state;
	assert_int_equal(zb_test_global(1) + test_static(1), 5);
	assert_name(zb_test_global, 0, "zb_test_global");
	assert_name(zb_test_global, 4, "zb_test_global");
	assert_name(test_static, 0, "test_static");
	assert_name(test_static, 4, "test_static");
}

/* What the compiler appends to copies and pieces of a function is not part of its name. */
static void name_compiler_clone_is_plain(void **state)
{
	(void)state;
	assert_int_equal(test_clone(0) + test_piece(0), 7);
	assert_name(test_clone, 0, "cloned");
	assert_name(test_piece, 0, "pieced");
}

/* A function of a library has its name, without a version. */
static void name_libc_function_is_found(void **state)
{
	bool resolved = false;
	const char *name = zb_symbols_name(syms, (uint64_t)qsort, false, &resolved);

	(void)state;
	assert_true(resolved);
	/* A sanitizer may put itself before the function; the name still tells. */
	assert_non_null(strstr(name, "qsort"));
	assert_null(strchr(name, '@'));
}

/* A return address right behind a function's last byte belongs to that function. */
static void name_return_address_is_looked_up_one_before(void **state)
{
	const char *first = zb_symbols_name(syms, (uint64_t)zb_test_global + 1, true, NULL);
	const char *before = zb_symbols_name(syms, (uint64_t)zb_test_global, true, NULL);

	(void)state;
	assert_string_equal(first, "zb_test_global");
	assert_string_not_equal(before, "zb_test_global");
}

/* The same function has one name, not many equal ones; asking again gives it back. */
static void name_same_function_is_one_string(void **state)
{
	const char *a = zb_symbols_name(syms, (uint64_t)test_static, false, NULL);

	(void)state;
	assert_ptr_equal(zb_symbols_name(syms, (uint64_t)test_static, false, NULL), a);
	assert_ptr_equal(zb_symbols_name(syms, (uint64_t)test_static + 1, false, NULL), a);
}

/* An address in no module is shown as it is, and is not resolved. */
static void name_address_nowhere_is_the_address(void **state)
{
	bool resolved = true;
	char want[32];

	(void)state;
	assert_string_equal(zb_symbols_name(syms, 0x1234, false, &resolved), "[0x1234]");
	assert_false(resolved);
	assert_string_equal(zb_symbols_name(syms, 0, true, &resolved), "[0x0]");
	assert_false(resolved);
	/* The stack lies far above the last library, and is not part of it. */
	snprintf(want, sizeof(want), "[0x%lx]", (unsigned long)want);
	assert_string_equal(zb_symbols_name(syms, (uint64_t)want, false, &resolved), want);
	assert_false(resolved);
}

/* An address in a module but in no function is module and offset. */
static void name_address_outside_functions_is_module_and_offset(void **state)
{
	uint64_t header = getauxval(AT_PHDR); /* the program's headers: mapped, and nobody's code */
	bool resolved = true;
	char want[256];
	const char *name;

	(void)state;
	assert_int_not_equal(header, 0);
	name = zb_symbols_name(syms, header, false, &resolved);
	assert_false(resolved);
	snprintf(want, sizeof(want), "[%s+0x40]", program_invocation_short_name);
	assert_string_equal(name,
			    want); /* the headers stand right behind the ELF header's 64 bytes */
}

/* Every address of the program's code, linkage table included, and of the vdso has some name. */
static void name_any_code_address_is_something(void **state)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR), text = (uint64_t)zb_test_global & ~4095ull;

	(void)state;
	for (uint64_t off = 0; off < 4096; off++) {
		assert_true(zb_symbols_name(syms, text + off, off & 1, NULL)[0] != '\0');
		if (vdso != 0)
			assert_true(zb_symbols_name(syms, vdso + off, false, NULL)[0] != '\0');
	}
}

/* The vdso's functions have their names. */
static void name_vdso_function_is_found(void **state)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	unsigned found = 0;

	(void)state;
	if (vdso == 0) {
		print_message("skipped: this process has no vdso\n");
		skip();
	}
	for (uint64_t off = 0; off < 4096 * 2; off += 16)
		found += strstr(zb_symbols_name(syms, vdso + off, false, NULL), "clock_gettime") !=
			 NULL;
	assert_int_not_equal(found, 0);
}

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Kernel functions are found by the last address at or before; data, modules and junk do not
 * confuse. */
static void kallsyms_address_inside_function_is_found(void **state)
{
	uint64_t offset;
	char path[] = "/tmp/test_symbols.XXXXXX";
	struct zb_kallsyms k;

	(void)state;
	write_file(path, "ffffffff81002000 T second\n"
			 "ffffffff81000000 T _text\n"
			 "ffffffff81000000 T _stext\n"
			 "junk\n\nffffffff81000800\nffffffff81000900 T \n"
			 "ffffffff81001000 D data\n"
			 "ffffffffc0000010 t in_module\t[some]\n");
	assert_int_equal(zb_kallsyms_init(&k, path), 0);
	unlink(path);
	assert_string_equal(zb_kallsyms_name(&k, 0xffffffff81000000, &offset), "_text");
	assert_string_equal(zb_kallsyms_name(&k, 0xffffffff81001fff, &offset), "_text");
	assert_int_equal(offset, 0x1fff);
	assert_string_equal(zb_kallsyms_name(&k, 0xffffffff81002000, &offset), "second");
	assert_string_equal(zb_kallsyms_name(&k, 0xffffffffc0000020, &offset), "in_module");
	assert_null(zb_kallsyms_name(&k, 0xffffffff80ffffff, &offset));
	assert_null(zb_kallsyms_name(&k, 0xffffffff90000000, &offset));
	zb_kallsyms_fini(&k);
}

/* A kernel that hides its addresses gives no names, and no error. */
static void kallsyms_hidden_addresses_give_no_names(void **state)
{
	uint64_t offset;
	char path[] = "/tmp/test_symbols.XXXXXX";
	struct zb_kallsyms k;

	(void)state;
	write_file(path, "0000000000000000 T _text\n0000000000000000 T second\n");
	assert_int_equal(zb_kallsyms_init(&k, path), 0);
	unlink(path);
	assert_null(zb_kallsyms_name(&k, 0xffffffff81000000, &offset));
	zb_kallsyms_fini(&k);
	assert_int_equal(zb_kallsyms_init(&k, "/nowhere/kallsyms"), -ENOENT);
	zb_kallsyms_fini(&k);
}

/* A kernel address is named from the running kernel, or is "[kernel]", but never an address. */
static void name_kernel_address_is_function_or_kernel(void **state)
{
	bool resolved = false;
	const char *name = zb_symbols_name(syms, 0xffffffff00000001, false, &resolved);

	(void)state;
	assert_true(resolved || strcmp(name, "[kernel]") == 0);
}

/* Many different addresses make the tables grow; earlier answers stay right. */
static void name_many_addresses_are_all_kept(void **state)
{
	const char *first = zb_symbols_name(syms, 0x100001, false, NULL);

	(void)state;
	for (uint64_t ip = 0x100000; ip < 0x100000 + 20000; ip++) {
		char want[32];

		snprintf(want, sizeof(want), "[0x%lx]", (unsigned long)ip);
		assert_string_equal(zb_symbols_name(syms, ip, false, NULL), want);
	}
	assert_ptr_equal(zb_symbols_name(syms, 0x100001, false, NULL), first);
	assert_string_equal(first, "[0x100001]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_own_function_is_found),
		cmocka_unit_test(name_compiler_clone_is_plain),
		cmocka_unit_test(name_libc_function_is_found),
		cmocka_unit_test(name_return_address_is_looked_up_one_before),
		cmocka_unit_test(name_same_function_is_one_string),
		cmocka_unit_test(name_address_nowhere_is_the_address),
		cmocka_unit_test(name_address_outside_functions_is_module_and_offset),
		cmocka_unit_test(name_any_code_address_is_something),
		cmocka_unit_test(name_vdso_function_is_found),
		cmocka_unit_test(kallsyms_address_inside_function_is_found),
		cmocka_unit_test(kallsyms_hidden_addresses_give_no_names),
		cmocka_unit_test(name_kernel_address_is_function_or_kernel),
		cmocka_unit_test(name_many_addresses_are_all_kept),
	};

	return cmocka_run_group_tests(tests, make_syms, drop_syms);
}
