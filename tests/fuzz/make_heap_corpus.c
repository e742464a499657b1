/* SPDX-License-Identifier: Apache-2.0 */
/* make_heap_corpus.c - writes the seeds of fuzz_heap_dump: make_heap_corpus tests/fuzz/corpus */
#include <stdio.h>
#include <stdlib.h>

static const char *const seeds[][2] = {
	{"small", "heap_v2/524288\n  t*: 28: 106176 [0: 0]\n  t0: 28: 106176 [0: 0]\n"
		  "@ 0x7f3a11 0x55e0a2 0x55e0ff\n  t*: 13: 6688 [0: 0]\n  t3: 12: 6496 [0: 0]\n"
		  "@ 0x7f3a11 0x55e0a7\n  t*: 15: 99488 [0: 0]\n"
		  "\nMAPPED_LIBRARIES:\n"
		  "55e09f000-55e0b1000 r-xp 00002000 fe:01 1234   /bin/sh\n"
		  "55e0b1000-55e0b2000 rw-p 00000000 00:00 0 \n"
		  "7f0000000-7f0001000 r-xp 00000000 fe:01 77     /nonexistent (deleted)\n"},
	{"threads", "heap_v2/1\n  t*: 6: 600 [1: 2]\n  t1: 2: 200 [0: 0] lcore-2\n"
		    "  t12: 3: 300 [0: 0] lcore-3 \n@ 0x48 0x42 0x4b\n  t*: 3: 400 [1: 2]\n"
		    "  t1: 1: 100 [0: 0]\n  t12: 2: 300 [0: 0]\n@ 0x43\n  t*: 0: 0 [7: 8]\n"
		    "\nMAPPED_LIBRARIES:\n"},
	{"allocator", "heap_v2/512\n@ 0x40 0x41 0x4a\n  t*: 1: 1 [0: 0]\n@ 0x2 0x0\n"
		      "  t*: 2: 99999 [0: 0]\n@\n  t*: 1: 16 [0: 0]\n@ 0xffffffffffffffff 0x3\n"
		      "  t*: 1: 1 [0: 0]\nMAPPED_LIBRARIES:\n"},
	{"large", "heap_v2/18446744073709551615\n@ 0x1\n"
		  "  t*: 18446744073709551615: 1 [0: 0]\n@ 0x2\n"
		  "  t*: 1: 18446744073709551615 [0: 0]\nMAPPED_LIBRARIES:\n"},
	{"cut", "heap_v2/524288\n@ 0x1 0x2\n  t*: 1: "},
	{"name", "void a::b<c<d>, e(f)>::g(h<(i)>) const"},
};

int main(int argc, char **argv)
{
	char path[4096];

	if (argc != 2) {
		fputs("usage: make_heap_corpus FOLDER\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/heap_dump/%s", argv[1], seeds[i][0]);
		f = fopen(path, "w");
		if (f == NULL || fputs(seeds[i][1], f) < 0 || fclose(f) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}
