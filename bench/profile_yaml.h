/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_yaml.h - reading YAML by tables of keys, with errors that name file, line and key
 *
 * Threading: main only.
 * Errors:    -EINVAL, said.
 */
#ifndef ZB_BENCH_PROFILE_YAML_H
#define ZB_BENCH_PROFILE_YAML_H

#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "bench/gen_shape.h"

struct zb_yaml {
	const char *name; /* of the file */
	yaml_document_t doc;
};

struct zb_yaml_key {
	const char *name;
	/* Reads v into what the walk was given. */
	int (*set)(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into);
	size_t offset;	   /* in it, for setters that serve several keys */
	uint64_t min, max; /* of a number */
	const char *want;  /* what to give instead, for errors */
};

int zb_yaml_open(struct zb_yaml *y, const char *name, const char *text, size_t len);
void zb_yaml_close(struct zb_yaml *y);
yaml_node_t *zb_yaml_root(struct zb_yaml *y);

/* Says what is wrong with key at node and returns -EINVAL. */
int zb_yaml_bad(const struct zb_yaml *y, const yaml_node_t *node, const char *key, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));

/* The text of a scalar; NULL: it is none. */
const char *zb_yaml_text(const yaml_node_t *node);

/* Reads each key of a map; one that is unknown or comes twice is an error. *given: bit per key. */
int zb_yaml_map(struct zb_yaml *y, yaml_node_t *map, const char *what,
		const struct zb_yaml_key *keys, unsigned key_nr, void *into, uint64_t *given);

/* Setters: amounts (1.5k) as uint64_t or uint32_t, times as ns, decimals as millionths. */
int zb_yaml_set_u64(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into);
int zb_yaml_set_u32(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into);
int zb_yaml_set_time(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into);
int zb_yaml_set_decimal(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v,
			void *into);
/* "10gbps" as bits a second. */
int zb_yaml_set_bits(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into);
/* struct zb_gen_dist: 5, 1-5, tail 1k-1M, or a map of these with weights; amounts or times. */
int zb_yaml_set_dist(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into);
int zb_yaml_set_time_dist(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v,
			  void *into);

/* "10k", "10kpps", "5/s" as millionths of events a second, "1gbps" as bits; the other one is 0. */
int zb_yaml_rate(const char *text, uint64_t *millionths, uint64_t *bits);

#endif
