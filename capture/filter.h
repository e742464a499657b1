/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.h - packets by an expression in libpcap's syntax ("tcp port 80"), and a source that hands
 * out only those
 *
 * What an expression asks for that a link type does not have ("ether host" on raw IP) is true for
 * no packet of that link.
 *
 * Threading: compile and close by main; a compiled filter is read-only.
 */
#ifndef ZB_CAPTURE_FILTER_H
#define ZB_CAPTURE_FILTER_H

#include "capture/source.h"

struct zb_filter; /* opaque */

/* -EINVAL: no such expression; said. */
int zb_filter_compile(const char *expr, struct zb_filter **out);
void zb_filter_free(struct zb_filter *f);
bool zb_filter_match(const struct zb_filter *f, const struct zb_pkt *p);

/*
 * A source whose queue_nr queues hand out what matches of inner's, and count the rest as filtered.
 * It owns inner from now on; f has to stay. -ENOMEM, said, and inner is still the caller's.
 */
int zb_filter_source(const struct zb_filter *f, struct zb_source *inner, uint32_t queue_nr,
		     struct zb_source **out);

/* The source that filters s, or s itself. */
struct zb_source *zb_filter_inner(struct zb_source *s);

#endif
