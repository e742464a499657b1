/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb_file.c - which file a message is about, and its data; see smb_priv.h
 *
 * A file is told from another by the two hosts, its path, its name, and the time it was changed
 * last: so the same file may be read through several connections. (Zeek: SMB::get_file_handle)
 */
#include <string.h>
#include <xxhash.h>

#include "pipeline/analyzers/smb_priv.h"
#include "pipeline/file.h"

#define UNIX_EPOCH 116444736000000000u /* in units of 100 ns, from 1601 */

struct handle {
	uint8_t addr[2][16];
	uint64_t path, name, modified;
};

/* Makes a slot refer to a file, and no longer to what it referred to; either may be NULL. */
void smb_refer(struct smb *s, struct smb_info **slot, struct smb_info *i)
{
	struct smb_info *old = *slot;

	if (i != NULL)
		i->refs++;
	*slot = i;
	if (old == NULL || --old->refs != 0)
		return;
	smb_put(s, old->name, old->name_n);
	smb_put(s, old, sizeof(*old));
}

/* A new file for the request: nothing is known about it yet. */
static void info_new(struct smb *s)
{
	smb_refer(s, &s->request->info, smb_get(s, sizeof(struct smb_info)));
}

static void set_name(struct smb *s, struct smb_info *i, const char *name, size_t n)
{
	smb_put(s, i->name, i->name_n);
	i->name = n != 0 ? smb_get(s, n) : NULL;
	i->name_n = (uint16_t)(i->name != NULL ? n : 0);
	if (i->name != NULL)
		memcpy(i->name, name, n);
	i->name_hash = XXH3_64bits(name, n);
	i->named = true;
}

static void fid_free(struct smb *s, struct smb_fid *f)
{
	smb_remove(&s->files, &f->node);
	smb_refer(s, &f->info, NULL);
	smb_put(s, f, sizeof(*f));
}

void smb_forget_files(struct smb *s)
{
	while (s->files.oldest != NULL)
		fid_free(s, (struct smb_fid *)s->files.oldest);
}

/* This number is the request's file from now on. */
static void fid_add(struct smb *s, uint64_t fid)
{
	struct smb_fid *f;

	if (s->files.nr >= SMB_FILES_MAX) {
		smb_shed(s);
		fid_free(s, (struct smb_fid *)s->files.oldest);
	}
	f = smb_get(s, sizeof(*f));
	if (f == NULL)
		return;
	smb_insert(&s->files, &f->node, fid);
	smb_refer(s, &f->info, s->request->info);
}

void smb_file_of_request(struct smb *s)
{
	smb_refer(s, &s->file, s->request->info);
}

void smb_file_is(struct smb *s, uint64_t fid)
{
	const struct smb_fid *f = (struct smb_fid *)smb_find(&s->files, fid);

	if (f != NULL) {
		smb_refer(s, &s->request->info, f->info);
	} else {
		if (s->request->info == NULL)
			info_new(s);
		fid_add(s, fid);
	}
	smb_file_of_request(s);
}

void smb_file_create(struct smb *s, const uint8_t *name, size_t n, bool wide)
{
	char text[SMB_NAME_MAX];

	info_new(s);
	smb_file_of_request(s);
	if (wide) {
		n = smb_utf8(name, n, text, sizeof(text));
	} else {
		n = n < sizeof(text) ? n : sizeof(text);
		memcpy(text, name, n);
	}
	if (!smb_tree_is_pipe(s, s->tree) && smb_is_pipe_name(text, n)) {
		smb_tree_set_pipe(s, s->tree);
		s->request->path = s->path = smb_path_make((const uint8_t *)"<unknown>", 9, false);
	}
	if (s->file != NULL)
		set_name(s, s->file, text, n);
}

void smb_file_opened(struct smb *s, const struct smb_opened *o, bool replace)
{
	struct smb_node *f = smb_find(&s->files, o->fid);

	if (replace && f != NULL)
		fid_free(s, (struct smb_fid *)f);
	smb_file_is(s, o->fid);
	if (s->file == NULL)
		return;
	s->file->size = o->size;
	if (o->modified > UNIX_EPOCH)
		s->file->modified = o->modified;
}

void smb_file_rename(struct smb *s, const uint8_t *name, size_t n)
{
	char text[SMB_NAME_MAX];

	if (s->file != NULL)
		set_name(s, s->file, text, smb_utf8(name, n, text, sizeof(text)));
}

void smb_file_take_path(struct smb *s)
{
	if (s->file != NULL && s->path.known && !s->file->path.known)
		s->file->path = s->path;
}

/* False: nobody knows what file this is. */
static bool handle_of(const struct smb *s, struct handle *h)
{
	const struct zb_conn *c = zb_analyzer_conn(&s->base);
	const struct smb_info *i = s->file;

	if (i == NULL || !(i->named || i->path.known))
		return false;
	memset(h, 0, sizeof(*h));
	for (unsigned side = ZB_ORIG; side <= ZB_RESP; side++)
		memcpy(h->addr[side], zb_conn_addr(c, side), c->key.ip_version == 4 ? 4 : 16);
	h->path = i->path.hash;
	h->name = i->name_hash;
	h->modified = i->modified;
	return true;
}

void smb_file_data(struct smb *s, unsigned side, uint64_t offset, const uint8_t *d, size_t n)
{
	struct handle handle;
	struct zb_file *f;

	if (n == 0 || !handle_of(s, &handle))
		return;
	f = zb_file_begin(&s->base, &(struct zb_file_conf){
					    .source = "SMB",
					    .filename = s->file->name,
					    .filename_len = s->file->name_n,
					    .total_bytes = s->file->size != 0 ? s->file->size
									      : ZB_FILE_SIZE_UNSET,
					    .total_once = true,
					    .is_orig = side == ZB_ORIG,
					    .handle = &handle,
					    .handle_len = sizeof(handle),
				    });
	zb_file_data_at(f, offset, d, n);
	zb_file_release(f);
}

void smb_file_close(struct smb *s, uint64_t fid)
{
	struct handle handle;
	struct smb_node *f;

	smb_file_is(s, fid);
	if (s->file != NULL && s->path.known)
		s->file->path = s->path;
	f = smb_find(&s->files, fid);
	if (f != NULL)
		fid_free(s, (struct smb_fid *)f);
	if (handle_of(s, &handle))
		zb_file_finish_handle(&s->base, &handle, sizeof(handle));
}
