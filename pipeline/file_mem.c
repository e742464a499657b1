/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_mem.c - whose memory a file is; see file_priv.h
 *
 * A file may be carried by several connections, outlive them, and end while another is worked for.
 * So it knows which connection its memory counts as: the first that holds it, for as long as it
 * does.
 */
#include "pipeline/file_priv.h"
#include "pipeline/session.h"

static struct zb_mem *mem_of(const struct zb_file *f)
{
	return &f->set->an->mem;
}

void *zb_file_get_block(struct zb_file *f, enum zb_mem_kind kind, size_t n)
{
	void *p = zb_mem_get_raw(mem_of(f), kind, n);

	if (p == NULL)
		return NULL;
	f->bytes += n;
	if (f->payer != NULL)
		zb_mem_charge(mem_of(f), f->payer, n);
	return p;
}

void zb_file_put_block(struct zb_file *f, enum zb_mem_kind kind, void *p, size_t n)
{
	if (p == NULL)
		return;
	f->bytes -= n;
	if (f->payer != NULL)
		zb_mem_discharge(f->payer, n);
	zb_mem_put(mem_of(f), kind, p, n);
}

void zb_file_hold(struct zb_file *f, const struct zb_analyzer *a)
{
	struct zb_mem_owner *o = &a->branch->session->mem;

	f->held++;
	if (f->payer == NULL) {
		f->payer = o;
		zb_mem_charge(mem_of(f), o, f->bytes);
	}
	f->payer_held += f->payer == o;
}

void zb_file_let_go(struct zb_file *f)
{
	bool is_last = --f->held == 0;

	if (f->payer == NULL || (f->payer != mem_of(f)->owner && !is_last))
		return;
	f->payer_held--;
	if (f->payer_held != 0 && !is_last)
		return;
	f->payer_held = 0;
	zb_mem_discharge(f->payer, f->bytes);
	f->payer = NULL;
}
