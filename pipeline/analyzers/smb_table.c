/* SPDX-License-Identifier: Apache-2.0 */
/* smb_table.c - what is remembered by number, from the oldest to the newest; see smb_priv.h */
#include <stddef.h>
#include <xxhash.h>

#include "pipeline/analyzers/smb_priv.h"

static unsigned bucket_of(const struct smb_table *t, uint64_t key)
{
	return XXH3_64bits_withSeed(&key, sizeof(key), t->secret) % SMB_BUCKETS;
}

struct smb_node *smb_find(const struct smb_table *t, uint64_t key)
{
	struct smb_node *n = t->bucket[bucket_of(t, key)];

	while (n != NULL && n->key != key)
		n = n->next;
	return n;
}

void smb_insert(struct smb_table *t, struct smb_node *n, uint64_t key)
{
	struct smb_node **bucket = &t->bucket[bucket_of(t, key)];

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
	struct smb_node **at = &t->bucket[bucket_of(t, n->key)];

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
