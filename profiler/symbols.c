/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols.c - names for addresses: this process, its libraries, and the kernel where it may be read
 *
 * Two open-addressing tables, neither more than half full: answers by address, and the set of
 * names, so that a function that was hit at a thousand addresses has its name once. Debug files are
 * taken from this machine only: elfutils could ask a debuginfod server, and a measurement must not.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/diag.h"
#include "profiler/inlines_priv.h"
#include "profiler/kallsyms_priv.h"
#include "profiler/proc_modules_priv.h"
#include "profiler/symbol_index_priv.h"
#include "profiler/symbols.h"

#define SLOTS_FIRST 1024u
#define NAME_BYTES  512u /* longer names are cut */
#define NO_MEMORY   "[no memory for a name]"

struct answer {
	uint64_t ip;		      /* as looked up: return addresses are one less */
	struct zb_symbol_place place; /* name NULL: the slot is empty */
};

struct zb_symbols {
	Dwfl *dwfl;
	struct answer *answers;
	uint32_t answer_nr, answer_slot_nr; /* slots: powers of two */
	char **names;
	uint32_t name_nr, name_slot_nr;
	struct zb_kallsyms kernel;
	bool kernel_read;
	bool is_file;		      /* dwfl is the caller's */
	struct zb_symbol_index index; /* of a file */
};

/* dwfl NULL: of this process. is_file: it stays the caller's. */
static int create(Dwfl *dwfl, bool is_file, struct zb_symbols **out)
{
	struct zb_symbols *s = calloc(1, sizeof(*s));
	int ret = -ENOMEM;

	if (s == NULL) {
		if (dwfl != NULL && !is_file)
			dwfl_end(dwfl);
		return -ENOMEM;
	}
	s->dwfl = dwfl;
	s->is_file = is_file;
	s->answer_slot_nr = SLOTS_FIRST;
	s->name_slot_nr = SLOTS_FIRST;
	s->answers = calloc(s->answer_slot_nr, sizeof(*s->answers));
	s->names = calloc(s->name_slot_nr, sizeof(*s->names));
	if (s->answers == NULL || s->names == NULL)
		goto destroy;
	ret = dwfl != NULL ? 0 : zb_proc_modules_open(&s->dwfl);
	if (ret < 0)
		goto destroy;
	*out = s;
	return 0;

destroy:
	zb_symbols_destroy(s);
	return ret;
}

int zb_symbols_create(struct zb_symbols **out)
{
	int ret = create(NULL, false, out);

	if (ret < 0)
		zb_err("symbols: /proc/self/maps: %s", strerror(-ret));
	return ret;
}

int zb_symbols_create_file(Dwfl *dwfl, struct zb_symbols **out)
{
	return create(dwfl, true, out);
}

int zb_symbols_create_maps(FILE *maps, struct zb_symbols **out)
{
	Dwfl *dwfl;
	int ret = zb_proc_modules_of_maps(maps, &dwfl);

	return ret < 0 ? ret : create(dwfl, false, out);
}

void zb_symbols_destroy(struct zb_symbols *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; s->names != NULL && i < s->name_slot_nr; i++)
		free(s->names[i]);
	free(s->names);
	free(s->answers);
	zb_kallsyms_fini(&s->kernel);
	zb_symbol_index_fini(&s->index);
	if (s->dwfl != NULL && !s->is_file)
		dwfl_end(s->dwfl);
	free(s);
}

static uint32_t name_slot(char *const *names, uint32_t slot_nr, const char *name, size_t len)
{
	uint32_t at = (uint32_t)XXH3_64bits(name, len) & (slot_nr - 1);

	while (names[at] != NULL && (strncmp(names[at], name, len) != 0 || names[at][len] != '\0'))
		at = (at + 1) & (slot_nr - 1);
	return at;
}

static int grow_names(struct zb_symbols *s)
{
	uint32_t slot_nr = s->name_slot_nr * 2;
	char **names = calloc(slot_nr, sizeof(*names));

	if (names == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->name_slot_nr; i++) {
		char *name = s->names[i];

		if (name != NULL)
			names[name_slot(names, slot_nr, name, strlen(name))] = name;
	}
	free(s->names);
	s->names = names;
	s->name_slot_nr = slot_nr;
	return 0;
}

/* The one copy of the first len bytes of name; NULL without memory. */
static const char *intern(struct zb_symbols *s, const char *name, size_t len)
{
	uint32_t at;

	if (s->name_nr + 1 > s->name_slot_nr / 2 && grow_names(s) < 0)
		return NULL;
	at = name_slot(s->names, s->name_slot_nr, name, len);
	if (s->names[at] == NULL) {
		s->names[at] = strndup(name, len);
		if (s->names[at] != NULL)
			s->name_nr++;
	}
	return s->names[at];
}

/*
 * How much of a symbol is the name of the function as it was written: without what the compiler
 * appends to the copies and pieces it makes, and without a symbol version.
 */
static size_t plain_len(const char *name)
{
	static const char *const suffixes[] = {".constprop.", ".part.", ".isra.", ".cold",
					       ".lto_priv.",  ".llvm.", "@"};
	size_t len = strnlen(name, NAME_BYTES);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		const char *at = strstr(name, suffixes[i]);

		if (at != NULL && at != name && (size_t)(at - name) < len)
			len = (size_t)(at - name);
	}
	return len;
}

bool zb_symbols_know_kernel(struct zb_symbols *s)
{
	if (!s->kernel_read) {
		s->kernel_read = true;
		/* Not being allowed to is the usual case and shows as frames without a name. */
		(void)zb_kallsyms_init(&s->kernel, "/proc/kallsyms");
	}
	return s->kernel.sym_nr > 0;
}

static const char *kernel_name(struct zb_symbols *s, uint64_t ip, uint64_t *offset)
{
	return zb_symbols_know_kernel(s) ? zb_kallsyms_name(&s->kernel, ip, offset) : NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/*
 * The name of an address that no function covers. A kernel address says nothing: it moves at each
 * boot.
 */
static const char *bare_name(struct zb_symbols *s, Dwfl_Module *mod, uint64_t ip)
{
	char buf[NAME_BYTES];

	if (ip >> 63) {
		snprintf(buf, sizeof(buf), "[kernel]");
	} else if (mod != NULL) {
		Dwarf_Addr start = 0;
		const char *path =
			dwfl_module_info(mod, NULL, &start, NULL, NULL, NULL, NULL, NULL);

		snprintf(buf, sizeof(buf), "[%.400s+0x%" PRIx64 "]",
			 path != NULL ? base_name(path) : "?", ip - start);
	} else {
		snprintf(buf, sizeof(buf), "[0x%" PRIx64 "]", ip);
	}
	return intern(s, buf, strlen(buf));
}

/*
 * Whether a symbol is at a module's start. Linkers may name the ELF header there (mold:
 * __ehdr_start): that is no function, though its name would stand for all that follows.
 */
static bool is_header(Dwfl_Module *mod, uint64_t at)
{
	Dwarf_Addr start = 0;

	dwfl_module_info(mod, NULL, &start, NULL, NULL, NULL, NULL, NULL);
	return at == start;
}

static const char *name_in_file(struct zb_symbols *s, Dwfl_Module *mod, uint64_t ip,
				uint64_t *offset)
{
	if (!s->index.read)
		zb_symbol_index_read(&s->index, mod);
	return zb_symbol_index_name(&s->index, ip, offset);
}

/* Looks ip up; name is NULL without memory. */
static struct answer look_up(struct zb_symbols *s, uint64_t ip)
{
	struct answer a = {.ip = ip};
	Dwfl_Module *mod = NULL;
	const char *name = NULL, *path;
	GElf_Off offset = 0;
	GElf_Sym sym;

	if (ip >> 63) {
		name = kernel_name(s, ip, &offset);
		a.place.module = "[kernel]";
	} else {
		mod = zb_proc_module_at(s->dwfl, ip);
		if (mod != NULL && s->is_file)
			name = name_in_file(s, mod, ip, &offset);
		else if (mod != NULL)
			name = dwfl_module_addrinfo(mod, ip, &offset, &sym, NULL, NULL, NULL);
		if (name != NULL && is_header(mod, ip - offset))
			name = NULL;
	}
	if (mod != NULL) {
		path = dwfl_module_info(mod, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
		a.place.module = path != NULL ? intern(s, path, strlen(path)) : NULL;
	}
	a.place.resolved = name != NULL && *name != '\0';
	a.place.offset = a.place.resolved ? offset : 0;
	a.place.name = a.place.resolved ? intern(s, name, plain_len(name)) : bare_name(s, mod, ip);
	return a;
}

static uint32_t answer_slot(const struct answer *answers, uint32_t slot_nr, uint64_t ip)
{
	uint32_t at = (uint32_t)XXH3_64bits(&ip, sizeof(ip)) & (slot_nr - 1);

	while (answers[at].place.name != NULL && answers[at].ip != ip)
		at = (at + 1) & (slot_nr - 1);
	return at;
}

static int grow_answers(struct zb_symbols *s)
{
	uint32_t slot_nr = s->answer_slot_nr * 2;
	struct answer *answers = calloc(slot_nr, sizeof(*answers));

	if (answers == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->answer_slot_nr; i++) {
		if (s->answers[i].place.name != NULL)
			answers[answer_slot(answers, slot_nr, s->answers[i].ip)] = s->answers[i];
	}
	free(s->answers);
	s->answers = answers;
	s->answer_slot_nr = slot_nr;
	return 0;
}

void zb_symbols_place(struct zb_symbols *s, uint64_t ip, bool is_call, struct zb_symbol_place *out)
{
	struct answer a;
	uint32_t at;

	if (is_call && ip > 0)
		ip--;
	at = answer_slot(s->answers, s->answer_slot_nr, ip);
	a = s->answers[at];
	if (a.place.name == NULL) {
		a = look_up(s, ip);
		if (a.place.name == NULL) {
			a.place.name = NO_MEMORY; /* not kept: there may be memory later */
			a.place.resolved = false;
		} else if (s->answer_nr + 1 <= s->answer_slot_nr / 2 || grow_answers(s) == 0) {
			s->answers[answer_slot(s->answers, s->answer_slot_nr, ip)] = a;
			s->answer_nr++;
		}
	}
	*out = a.place;
	out->offset += out->resolved && is_call;
}

const char *zb_symbols_name(struct zb_symbols *s, uint64_t ip, bool is_call, bool *resolved)
{
	struct zb_symbol_place place;

	zb_symbols_place(s, ip, is_call, &place);
	if (resolved != NULL)
		*resolved = place.resolved;
	return place.name;
}

unsigned zb_symbols_chain(struct zb_symbols *s, uint64_t ip, const char **name, unsigned max)
{
	Dwfl_Module *mod = ip > 0 && ip >> 63 == 0 ? zb_proc_module_at(s->dwfl, ip - 1) : NULL;
	unsigned nr = mod != NULL ? zb_inlines_at(mod, ip - 1, name, max - 1) : 0;

	name[nr++] = zb_symbols_name(s, ip, true, NULL);
	return nr;
}
