/* SPDX-License-Identifier: Apache-2.0 */
/* dso.c - one file of code, whoever maps it: its names and unwind tables, by its own addresses */
#include <elf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <gelf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>
#include "profiler/dso_priv.h"
#include "profiler/proc_modules_priv.h"

#define SEGMENTS_MAX 16
#define PAGE_MASK    4095ull /* segments are mapped from whole pages of a file */

struct segment {
	uint64_t file_off, file_bytes, vaddr;
};

struct zb_dso {
	Dwfl *dwfl;
	struct zb_symbols *syms;
	struct zb_unwind *unwind;
	struct segment seg[SEGMENTS_MAX];
	unsigned seg_nr;
};

static int read_segments(struct zb_dso *d, Dwfl_Module *mod)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(mod, &bias);
	size_t nr = 0;

	if (elf == NULL || elf_getphdrnum(elf, &nr) != 0)
		return -EINVAL;
	for (size_t i = 0; i < nr && i < INT32_MAX && d->seg_nr < SEGMENTS_MAX; i++) {
		GElf_Phdr p;

		if (gelf_getphdr(elf, (int)i, &p) == NULL || p.p_type != PT_LOAD ||
		    (p.p_flags & PF_X) == 0)
			continue;
		d->seg[d->seg_nr++] = (struct segment){
			.file_off = p.p_offset,
			.file_bytes = p.p_filesz,
			.vaddr = p.p_vaddr,
		};
	}
	return 0;
}

int zb_dso_open(const char *path, int fd, struct zb_dso **out)
{
	struct zb_dso *d = calloc(1, sizeof(*d));
	Dwfl_Module *mod;
	int ret;

	if (d == NULL) {
		close(fd);
		return -ENOMEM;
	}
	ret = zb_file_module_open(path, fd, &d->dwfl, &mod);
	if (ret == 0)
		ret = read_segments(d, mod);
	if (ret == 0)
		ret = zb_symbols_create_file(d->dwfl, &d->syms);
	if (ret == 0)
		ret = zb_unwind_create_file(d->dwfl, &d->unwind);
	if (ret < 0) {
		zb_dso_close(d);
		return ret;
	}
	*out = d;
	return 0;
}

void zb_dso_close(struct zb_dso *d)
{
	if (d == NULL)
		return;
	zb_unwind_destroy(d->unwind);
	zb_symbols_destroy(d->syms);
	if (d->dwfl != NULL)
		dwfl_end(d->dwfl);
	free(d);
}

/* Its section headers stand last. */
static size_t image_bytes(const ElfW(Ehdr) * ehdr)
{
	return (size_t)ehdr->e_shoff + (size_t)ehdr->e_shnum * ehdr->e_shentsize;
}

int zb_dso_vdso_fd(void)
{
	const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
	size_t bytes, at = 0;
	int fd;

	if (image == NULL)
		return -1;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	bytes = image_bytes((const ElfW(Ehdr) *)(const void *)image);
	while (at < bytes) {
		ssize_t n = write(fd, image + at, bytes - at);

		if (n <= 0) {
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	return fd;
}

bool zb_dso_vaddr(const struct zb_dso *d, uint64_t file_off, uint64_t *vaddr)
{
	for (unsigned i = 0; i < d->seg_nr; i++) {
		const struct segment *s = &d->seg[i];
		uint64_t from = s->file_off & ~PAGE_MASK;
		uint64_t to = (s->file_off + s->file_bytes + PAGE_MASK) & ~PAGE_MASK;

		if (file_off >= from && file_off < to) {
			*vaddr = file_off - s->file_off + s->vaddr;
			return true;
		}
	}
	return false;
}

struct zb_symbols *zb_dso_symbols(struct zb_dso *d)
{
	return d->syms;
}

struct zb_unwind *zb_dso_unwind(struct zb_dso *d)
{
	return d->unwind;
}
