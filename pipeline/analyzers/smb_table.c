/* SPDX-License-Identifier: Apache-2.0 */
/* smb_table.c - what is remembered by number, from the oldest to the newest; see smb_priv.h */
#include <stddef.h>

#include "pipeline/analyzers/smb_priv.h"

/* Tables are small, so that numbers chosen to collide cost little. */
static unsigned bucket_of(uint64_t key)
{
	return (unsigned)(key * 0x9e3779b97f4a7c15u >> 60);
}

struct smb_node *smb_find(const struct smb_table *t, uint64_t key)
{
	struct smb_node *n = t->bucket[bucket_of(key)];

	while (n != NULL && n->key != key)
		n = n->next;
	return n;
}

void smb_insert(struct smb_table *t, struct smb_node *n, uint64_t key)
{
	struct smb_node **bucket = &t->bucket[bucket_of(key)];

	n->key = key;
	n->next = *bucket;
	*bucket = n;
	n->newer = NULL;
	n->older = t->newest;
	if (t->newest != NULL)
		t->newest->newer = n;
	else
		t->oldest = n;
	t->newest = n;
	t->nr++;
}

void smb_remove(struct smb_table *t, struct smb_node *n)
{
	struct smb_node **at = &t->bucket[bucket_of(n->key)];

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	if (n->older != NULL)
		n->older->newer = n->newer;
	else
		t->oldest = n->newer;
	if (n->newer != NULL)
		n->newer->older = n->older;
	else
		t->newest = n->older;
	t->nr--;
}
