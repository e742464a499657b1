/* SPDX-License-Identifier: Apache-2.0 */
/* mem_track.c - see mem_track.h */
#include "profiler/mem_track.h"

static void thin_out(struct zb_mem_track *t)
{
	for (unsigned i = 0; i < t->nr / 2; i++)
		t->point[i] = t->point[2 * i];
	t->nr /= 2;
	t->every_s *= 2;
}

void zb_mem_track_add(struct zb_mem_track *t, const struct zb_mem_point *p)
{
	if (t->every_s > 0 && p->s < t->next_s)
		return;
	if (!(t->every_s > 0))
		t->every_s = ZB_MEM_TRACK_EVERY_S;
	if (t->nr == ZB_MEM_TRACK_MAX)
		thin_out(t);
	t->point[t->nr++] = *p;
	t->next_s = p->s + t->every_s;
}
