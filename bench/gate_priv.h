/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_priv.h - what the files of the gate share: finding metrics in two documents
 */
#ifndef ZB_BENCH_GATE_PRIV_H
#define ZB_BENCH_GATE_PRIV_H

#include <jansson.h>
#include "bench/gate.h"

#define ZB_METRIC_PATH_MAX 256

struct zb_metric {
	char path[ZB_METRIC_PATH_MAX];	     /* from the root: "totals.pps" */
	const json_t *old_value, *new_value; /* numbers; NULL: not in that document */
};

/* The value at a dotted path below from; array members go by their position. NULL: none. */
const json_t *zb_metric_at(const json_t *from, const char *path);

/*
 * Finds a metric by the name a person gave. -ENOENT: in neither document, -EINVAL: no number; both
 * said.
 */
int zb_metric_find(const struct zb_gate_side *old_side, const struct zb_gate_side *new_side,
		   const char *name, struct zb_metric *out);

#endif
