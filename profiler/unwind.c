/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unwind.c - completes call chains that frame pointers alone cannot tell
 *
 * What the tables say about an address is boiled down to a struct rule and kept in a direct-mapped
 *cache, so that a sample costs a few table look-ups and no parsing. The canonical frame address
 *(CFA) is the stack pointer before the call; the return address stands right below it:
 *
 *	regs.sp -> | locals ... | saved bp ... | return address | caller's frame ...
 *	                                                         ^ CFA
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "profiler/diag.h"
#include "profiler/proc_modules_priv.h"
#include "profiler/unwind_priv.h"

#define RULES	   4096u /* powers of two */
#define FILE_RULES 1024u

/* DWARF numbers of x86-64's registers. */
#define REG_BP 6
#define REG_SP 7
#define REG_IP 16

enum base { BASE_UNKNOWN, BASE_END, BASE_SP, BASE_BP };
enum kept { KEPT_SAME, KEPT_SAVED, KEPT_AT_BP, KEPT_LOST };

struct rule {
	uint64_t ip;
	int64_t cfa_off; /* CFA = base + cfa_off */
	int64_t bp_off;	 /* the caller's bp stands at CFA + bp_off, or for KEPT_AT_BP at bp + it */
	int64_t deref_off; /* is_deref: CFA = what stands there + deref_off */
	enum base base;
	enum kept bp;
	bool is_deref;
};

struct zb_unwind {
	Dwfl *dwfl; /* NULL: not begun, or not possible */
	bool is_file, begun;
	uint32_t rule_nr;
	struct rule *rules;
};

/* Where the code of a chain is: in this process, or where a map of another one says. */
struct code {
	struct zb_unwind *own;
	const struct zb_unwind_map *map;
};

static int create(bool is_file, uint32_t rule_nr, struct zb_unwind **out)
{
	struct zb_unwind *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return -ENOMEM;
	u->rules = calloc(rule_nr, sizeof(*u->rules));
	if (u->rules == NULL) {
		free(u);
		return -ENOMEM;
	}
	u->is_file = is_file;
	u->rule_nr = rule_nr;
	*out = u;
	return 0;
}

int zb_unwind_create(struct zb_unwind **out)
{
	return create(false, RULES, out);
}

int zb_unwind_create_file(Dwfl *dwfl, struct zb_unwind **out)
{
	int ret = create(true, FILE_RULES, out);

	if (ret == 0)
		(*out)->dwfl = dwfl;
	return ret;
}

void zb_unwind_destroy(struct zb_unwind *u)
{
	if (u == NULL)
		return;
	if (u->dwfl != NULL && !u->is_file)
		dwfl_end(u->dwfl);
	free(u->rules);
	free(u);
}

static void begin(struct zb_unwind *u)
{
	int ret = zb_proc_modules_open(&u->dwfl);

	u->begun = true;
	if (ret < 0)
		zb_warn("sampler: unwind tables: %s; callers of library functions will be missing "
			"from stacks",
			strerror(-ret));
}

static bool in_module(const struct code *c, uint64_t ip)
{
	uint64_t vaddr;

	if (c->map != NULL)
		return c->map->module(c->map, ip, &vaddr) != NULL;
	return c->own->dwfl == NULL || zb_proc_module_at(c->own->dwfl, ip) != NULL;
}

/* CFA = register + offset, in the two forms that compilers and linkers make. */
static void read_cfa(Dwarf_Frame *frame, struct rule *r)
{
	Dwarf_Op *ops;
	size_t nr;

	if (dwarf_frame_cfa(frame, &ops, &nr) != 0 || nr == 0)
		return;
	if (nr == 1 && ops[0].atom == DW_OP_bregx) {
		r->base = ops[0].number == REG_SP   ? BASE_SP
			  : ops[0].number == REG_BP ? BASE_BP
						    : BASE_UNKNOWN;
		r->cfa_off = (int64_t)ops[0].number2;
	} else if (nr > 1 && ops[0].atom == DW_OP_breg7 && ops[1].atom == DW_OP_breg16) {
		/* A linkage table entry: it pushes something only until the function is bound. */
		r->base = BASE_SP;
		r->cfa_off = (int64_t)ops[0].number;
	} else if ((nr == 2 || (nr == 3 && ops[2].atom == DW_OP_plus_uconst)) &&
		   (ops[0].atom == DW_OP_breg6 || ops[0].atom == DW_OP_breg7) &&
		   ops[1].atom == DW_OP_deref) {
		/* A stack that was aligned: what the caller's sp was has been put there. */
		r->base = ops[0].atom == DW_OP_breg7 ? BASE_SP : BASE_BP;
		r->cfa_off = (int64_t)ops[0].number;
		r->deref_off = nr == 3 ? (int64_t)ops[2].number : 0;
		r->is_deref = true;
	}
}

static void read_bp(Dwarf_Frame *frame, struct rule *r)
{
	Dwarf_Op mem[3], *ops;
	size_t nr;

	r->bp = KEPT_LOST;
	if (dwarf_frame_register(frame, REG_BP, mem, &ops, &nr) != 0)
		return;
	if (nr == 0) {
		r->bp = ops == NULL ? KEPT_SAME : KEPT_LOST;
	} else if (ops[0].atom == DW_OP_call_frame_cfa && nr <= 2 &&
		   (nr == 1 || ops[1].atom == DW_OP_plus_uconst)) {
		r->bp = KEPT_SAVED;
		r->bp_off = nr == 1 ? 0 : (int64_t)ops[1].number;
	} else if (nr == 1 && ops[0].atom == DW_OP_breg6) {
		r->bp = KEPT_AT_BP;
		r->bp_off = (int64_t)ops[0].number;
	}
}

/* What is known before the tables of CFA and registers are asked; BASE_SP: go on. */
static enum base return_address(Dwarf_Frame *frame)
{
	Dwarf_Op mem[3], *ops;
	size_t nr;

	if (dwarf_frame_register(frame, REG_IP, mem, &ops, &nr) != 0)
		return BASE_UNKNOWN;
	if (nr == 0 && ops != NULL)
		return BASE_END; /* the outermost function of a thread has none */
	return nr == 2 && ops[0].atom == DW_OP_call_frame_cfa && ops[1].atom == DW_OP_plus_uconst &&
			       (int64_t)ops[1].number == -8
		       ? BASE_SP
		       : BASE_UNKNOWN;
}

static struct rule read_rule(struct zb_unwind *u, uint64_t ip)
{
	struct rule r = {.ip = ip, .base = BASE_UNKNOWN};
	Dwfl_Module *mod = zb_proc_module_at(u->dwfl, ip);
	Dwarf_Frame *frame;
	Dwarf_Addr bias;
	Dwarf_CFI *cfi;
	bool signal;

	if (mod == NULL)
		return r;
	cfi = dwfl_module_eh_cfi(mod, &bias);
	if (cfi == NULL || dwarf_cfi_addrframe(cfi, ip - bias, &frame) != 0)
		return r;
	if (dwarf_frame_info(frame, NULL, NULL, &signal) >= 0 && !signal)
		r.base = return_address(frame);
	if (r.base == BASE_SP) {
		r.base = BASE_UNKNOWN;
		read_cfa(frame, &r);
		read_bp(frame, &r);
	}
	free(frame);
	return r;
}

static const struct rule *rule_of(const struct code *c, uint64_t ip)
{
	static const struct rule unknown = {.base = BASE_UNKNOWN};
	struct zb_unwind *u = c->own;
	uint64_t vaddr = ip;
	struct rule *r;

	if (c->map != NULL)
		u = c->map->module(c->map, ip, &vaddr);
	if (u == NULL)
		return &unknown;
	r = &u->rules[((vaddr * 0x9e3779b97f4a7c15u) >> 32) & (u->rule_nr - 1)];
	if (r->ip != vaddr)
		*r = read_rule(u, vaddr);
	return r;
}

/* The word at addr of the sampled stack. */
static bool read_word(const struct zb_user_stack *in, uint64_t addr, uint64_t *out)
{
	uint64_t off = addr - in->regs.sp;

	if (addr < in->regs.sp || off > in->stack_bytes || in->stack_bytes - off < sizeof(*out))
		return false;
	memcpy(out, (const uint8_t *)in->stack + off, sizeof(*out));
	return true;
}

/* From the callee's registers to the caller's. False: the rule or the sampled bytes do not tell. */
static bool step(const struct zb_user_stack *in, const struct rule *r, struct zb_user_regs *regs)
{
	uint64_t cfa, ip, bp = regs->bp;

	if (r->base < BASE_SP || (r->base == BASE_BP && bp == 0))
		return false;
	cfa = (r->base == BASE_SP ? regs->sp : bp) + (uint64_t)r->cfa_off;
	if (r->is_deref && !read_word(in, cfa, &cfa))
		return false;
	cfa += (uint64_t)r->deref_off;
	if (cfa <= regs->sp || !read_word(in, cfa - 8, &ip))
		return false;
	if (r->bp == KEPT_LOST)
		bp = 0;
	else if (r->bp != KEPT_SAME &&
		 !read_word(in, (r->bp == KEPT_SAVED ? cfa : bp) + (uint64_t)r->bp_off, &bp))
		return false;
	*regs = (struct zb_user_regs){.ip = ip, .sp = cfa, .bp = bp};
	return true;
}

/* Appends chain[from..], up to the first address that cannot be code. */
static uint32_t append_chain(const struct code *c, const struct zb_user_stack *in, uint32_t from,
			     uint64_t *out, uint32_t nr, uint32_t max)
{
	for (uint32_t i = from; i < in->depth && nr < max; i++) {
		if (!in_module(c, in->chain[i]))
			break;
		out[nr++] = in->chain[i];
	}
	return nr;
}

/*
 * Steps as far as the sampled bytes of the stack reach. The chain is walked along: chain[next] was
 * read from the frame at chain_bp. Where the bytes end, the rest of the chain is as good as the
 * tables, provided that the frame pointer is still the one that the chain went by; if not, the
 * chain is other people's data.
 */
static uint32_t complete(const struct code *c, const struct zb_user_stack *in, uint64_t *out,
			 uint32_t max)
{
	struct zb_user_regs regs = in->regs;
	uint64_t chain_bp = regs.bp;
	uint32_t nr = 0, next = 1;

	out[nr++] = in->chain[0];
	if (in->stack_bytes == 0 || (c->map == NULL && c->own->dwfl == NULL) ||
	    regs.ip != in->chain[0])
		return append_chain(c, in, next, out, nr, max);
	while (nr < max) {
		/* A return address may be the first byte of the next function. */
		const struct rule *r = rule_of(c, nr == 1 ? regs.ip : regs.ip - 1);
		bool keeps_frame = r->base == BASE_BP && r->cfa_off == 16 && !r->is_deref;
		bool chain_frame = keeps_frame && regs.bp == chain_bp;

		if (r->base == BASE_END)
			return nr;
		if (!step(in, r, &regs))
			break;
		if (!in_module(c, regs.ip))
			return nr;
		out[nr++] = regs.ip;
		if (chain_frame) {
			chain_bp = regs.bp;
			next++;
		}
	}
	return regs.bp == chain_bp ? append_chain(c, in, next, out, nr, max) : nr;
}

uint32_t zb_unwind_chain(struct zb_unwind *u, const struct zb_user_stack *in, uint64_t *out,
			 uint32_t max)
{
	struct code c = {.own = u};

	if (!u->begun)
		begin(u);
	return complete(&c, in, out, max);
}

uint32_t zb_unwind_map_chain(const struct zb_unwind_map *map, const struct zb_user_stack *in,
			     uint64_t *out, uint32_t max)
{
	struct code c = {.map = map};

	return complete(&c, in, out, max);
}
