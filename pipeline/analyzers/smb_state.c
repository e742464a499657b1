/* SPDX-License-Identifier: Apache-2.0 */
/* smb_state.c - requests without a response, trees, memory; see smb_priv.h */
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/smb_priv.h"

static struct zb_mem *mem_of(const struct smb *s)
{
	return &zb_analyzer_analysis(&s->base)->mem;
}

void *smb_get(struct smb *s, size_t n)
{
	void *p = zb_mem_get(mem_of(s), ZB_MEM_smb, n);

	if (p == NULL)
		smb_shed(s);
	return p;
}

void smb_put(struct smb *s, void *p, size_t n)
{
	zb_mem_put(mem_of(s), ZB_MEM_smb, p, n);
}

void smb_shed(struct smb *s)
{
	zb_mem_shed(mem_of(s), ZB_MEM_smb);
}

static void tree_free(struct smb *s, struct smb_node *t)
{
	smb_remove(&s->trees, t);
	smb_put(s, t, sizeof(struct smb_tree));
}

struct smb_tree *smb_tree_get(struct smb *s, uint32_t tid)
{
	struct smb_tree *t = (struct smb_tree *)smb_find(&s->trees, tid);

	if (t != NULL)
		return t;
	if (s->trees.nr >= SMB_TREES_MAX) {
		smb_shed(s);
		tree_free(s, s->trees.oldest);
	}
	t = smb_get(s, sizeof(*t));
	if (t != NULL)
		smb_insert(&s->trees, &t->node, tid);
	return t;
}

void smb_tree_drop(struct smb *s, uint32_t tid)
{
	struct smb_node *t = smb_find(&s->trees, tid);

	if (t != NULL)
		tree_free(s, t);
}

bool smb_tree_is_pipe(const struct smb *s, uint32_t tid)
{
	const struct smb_tree *t = (struct smb_tree *)smb_find(&s->trees, tid);

	return t != NULL && t->is_pipe;
}

void smb_tree_set_pipe(struct smb *s, uint32_t tid)
{
	struct smb_tree *t = smb_tree_get(s, tid);

	if (t != NULL)
		t->is_pipe = true;
}

static void request_free(struct smb *s, struct smb_request *r)
{
	smb_refer(s, &r->info, NULL);
	if (r == &s->scratch)
		return;
	smb_remove(&s->requests, &r->node);
	smb_put(s, r, sizeof(*r));
}

void smb_request_drop(struct smb *s)
{
	request_free(s, s->request);
	s->request = NULL;
}

/* What of trees and files the scripts of Zeek would forget; which trees are pipes stays. */
static void forget(struct smb *s)
{
	struct smb_node *t = s->trees.oldest, *newer;

	while (s->requests.oldest != NULL)
		request_free(s, (struct smb_request *)s->requests.oldest);
	smb_forget_files(s);
	for (; t != NULL; t = newer) {
		struct smb_tree *tree = (struct smb_tree *)t;

		newer = t->newer;
		tree->seen = false;
		tree->path = (struct smb_path){0};
		if (!tree->is_pipe)
			tree_free(s, t);
	}
}

/* Zeek: SMB::enable_clear_script_state */
static void too_many_requests(struct smb *s)
{
	unsigned trees = 0;
	char text[96];

	for (const struct smb_node *t = s->trees.oldest; t != NULL; t = t->newer)
		trees += ((const struct smb_tree *)t)->seen;
	snprintf(text, sizeof(text), "state=tree fid_map=%u tid_map=%u pending_cmds=%u pipe_map=0",
		 s->files.nr, trees, s->requests.nr);
	zb_analyzer_weird(&s->base, ZB_WEIRD_SMB_discarded_messages_state, text);
	smb_shed(s);
	forget(s);
}

void smb_request_get(struct smb *s, uint64_t mid, bool keep)
{
	struct smb_request *r = (struct smb_request *)smb_find(&s->requests, mid);

	if (r == NULL && keep) {
		if (s->requests.nr >= SMB_REQUESTS_MAX)
			too_many_requests(s);
		r = smb_get(s, sizeof(*r));
		if (r != NULL)
			smb_insert(&s->requests, &r->node, mid);
	}
	if (r == NULL) {
		smb_refer(s, &s->scratch.info, NULL);
		memset(&s->scratch, 0, sizeof(s->scratch));
		r = &s->scratch;
	}
	s->request = r;
}

void smb_free(struct smb *s)
{
	forget(s);
	while (s->trees.oldest != NULL)
		tree_free(s, s->trees.oldest);
	smb_forget_pipes(s);
	smb_refer(s, &s->scratch.info, NULL);
	smb_refer(s, &s->file, NULL);
	zb_records_free(&s->half[ZB_ORIG], &s->base);
	zb_records_free(&s->half[ZB_RESP], &s->base);
}
