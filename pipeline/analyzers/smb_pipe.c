/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smb_pipe.c - DCE/RPC in named pipes: recognised, and checked as Zeek does, for each pipe; see
 * smb_priv.h
 */
#include "pipeline/analyzers/smb_priv.h"

static void pipe_free(struct smb *s, struct smb_pipe *p)
{
	smb_remove(&s->pipes, &p->node);
	zb_dce_free(&p->dce, &s->base);
	smb_put(s, p, sizeof(*p));
}

void smb_forget_pipes(struct smb *s)
{
	while (s->pipes.oldest != NULL)
		pipe_free(s, (struct smb_pipe *)s->pipes.oldest);
}

static struct smb_pipe *pipe_get(struct smb *s, uint64_t fid)
{
	struct smb_pipe *p = (struct smb_pipe *)smb_find(&s->pipes, fid);

	if (p != NULL)
		return p;
	if (s->pipes.nr >= SMB_PIPES_MAX) {
		zb_analyzer_weird(&s->base, ZB_WEIRD_SMB_discarded_dce_rpc_analyzers, NULL);
		smb_shed(s);
		smb_forget_pipes(s);
	}
	p = smb_get(s, sizeof(*p));
	if (p != NULL)
		smb_insert(&s->pipes, &p->node, fid);
	return p;
}

static bool pipe_record(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n)
{
	zb_dce_fragment(((struct smb *)a)->feeding, a, side, d, n);
	zb_analyzer_add_service(a, "dce_rpc");
	return true;
}

static const struct zb_record_kind pipe_records = {zb_dce_length, pipe_record, UINT16_MAX};

/* What is no fragment is dropped; what follows is looked at anew. */
void smb_pipe_data(struct smb *s, uint64_t fid, unsigned side, const uint8_t *d, size_t n)
{
	struct smb_pipe *p = n != 0 ? pipe_get(s, fid) : NULL;
	struct zb_records *records;

	if (p == NULL || p->dce.skip)
		return;
	records = &p->dce.half[side].records;
	s->feeding = &p->dce;
	if (!zb_records_data(records, &pipe_records, &s->base, side, d, n))
		zb_records_free(records, &s->base);
	s->feeding = NULL;
}

void smb_pipe_close(struct smb *s, uint64_t fid)
{
	struct smb_node *p = smb_find(&s->pipes, fid);

	if (p != NULL)
		pipe_free(s, (struct smb_pipe *)p);
}
