/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_reassem.c - puts data of a file in order; see file_priv.h
 *
 * Files come in order nearly always, and then nothing here is used but the first comparison. What
 * comes early waits in a list by offset, searched from its end; what overlaps is dropped, the first
 * bytes seen win. The list is bounded in bytes as Zeek's (which flushes all when it is full, so
 * that the holes become gaps) and in pieces, so that many small ones cannot make it slow.
 * Source: Zeek, src/file_analysis/FileReassembler.cc, src/Reassem.cc.
 */
#include <string.h>

#include "pipeline/file_priv.h"

static struct zb_mem *mem_of(const struct zb_file *f)
{
	return &f->set->an->mem;
}

static size_t block_size(const struct zb_file_block *b)
{
	return sizeof(*b) + b->n;
}

static uint64_t block_end(const struct zb_file_block *b)
{
	return b->offset + b->n;
}

static void block_free(struct zb_file *f, struct zb_file_block *b)
{
	if (b->prev != NULL)
		b->prev->next = b->next;
	else
		f->first = b->next;
	if (b->next != NULL)
		b->next->prev = b->prev;
	else
		f->last = b->prev;
	f->block_nr--;
	f->block_bytes -= b->n;
	zb_file_put_block(f, ZB_MEM_file_data, b, block_size(b));
}

/* False: no room. */
static bool block_add(struct zb_file *f, struct zb_file_block *after, uint64_t offset,
		      const uint8_t *d, uint32_t n)
{
	struct zb_file_block *b = zb_file_get_block(f, ZB_MEM_file_data, sizeof(*b) + n);

	if (b == NULL) {
		zb_mem_shed(mem_of(f), ZB_MEM_file_data);
		f->overflow += n;
		return false;
	}
	b->offset = offset;
	b->n = n;
	memcpy(b->data, d, n);
	b->prev = after;
	b->next = after != NULL ? after->next : f->first;
	if (after != NULL)
		after->next = b;
	else
		f->first = b;
	if (b->next != NULL)
		b->next->prev = b;
	else
		f->last = b;
	f->block_nr++;
	f->block_bytes += n;
	return true;
}

/* Delivers what has become contiguous. */
static void advance(struct zb_file *f)
{
	while (f->first != NULL && f->first->offset <= f->offset) {
		struct zb_file_block *b = f->first;

		if (b->offset == f->offset)
			zb_file_deliver(f, b->data, b->n);
		block_free(f, b);
	}
}

uint64_t zb_file_flush(struct zb_file *f, uint64_t upto)
{
	uint64_t holes = 0, hole;

	while (f->first != NULL && f->first->offset < upto) {
		hole = f->first->offset - f->offset;
		if (hole != 0)
			zb_file_skip(f, hole);
		holes += hole;
		advance(f);
	}
	if (upto > f->offset) {
		hole = upto - f->offset;
		zb_file_skip(f, hole);
		holes += hole;
		advance(f);
	}
	return holes;
}

/* Keeps what of [offset, offset + n) is not there yet; nothing of it has been delivered. */
static void keep(struct zb_file *f, uint64_t offset, const uint8_t *d, size_t n)
{
	struct zb_file_block *at = f->last, *next;

	while (at != NULL && at->offset > offset)
		at = at->prev;
	while (n != 0) {
		size_t part = n;

		if (at != NULL && block_end(at) > offset) {
			uint64_t have = block_end(at) - offset;

			part = have < n ? (size_t)have : n;
		} else {
			next = at != NULL ? at->next : f->first;
			if (next != NULL && next->offset - offset < part)
				part = (size_t)(next->offset - offset);
			if (part > UINT32_MAX ||
			    (part != 0 && !block_add(f, at, offset, d, (uint32_t)part)))
				return;
			at = at != NULL ? at->next : f->first;
		}
		offset += part;
		d += part;
		n -= part;
		if (at != NULL && at->next != NULL && at->next->offset == offset)
			at = at->next;
	}
}

void zb_file_place(struct zb_file *f, uint64_t offset, const uint8_t *d, size_t n)
{
	if (n > UINT64_MAX - offset) /* an offset nobody can mean */
		return;
	if (!f->reassemble && offset != f->offset)
		f->reassemble = true;
	if (f->first != NULL &&
	    (f->block_bytes > ZB_FILE_REASSEM_BYTES || f->block_nr >= ZB_FILE_BLOCKS_MAX))
		f->overflow += zb_file_flush(f, block_end(f->last));
	if (offset < f->offset) {
		if (offset + n <= f->offset)
			return;
		n -= (size_t)(f->offset - offset);
		d += f->offset - offset;
		offset = f->offset;
	}
	if (offset == f->offset && (f->first == NULL || f->first->offset - offset >= n)) {
		zb_file_deliver(f, d, n);
		advance(f);
		return;
	}
	keep(f, offset, d, n);
	advance(f);
}
