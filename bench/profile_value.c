/* SPDX-License-Identifier: Apache-2.0 */
/* profile_value.c - the values of a profile: amounts, times, rates, distributions */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/gen_math.h"
#include "bench/gen_number.h"
#include "bench/profile_yaml.h"

#define TEXT_MAX 64
#define MILLION	 1000000ull

static int wrong(struct zb_yaml *y, const struct zb_yaml_key *key, const yaml_node_t *v,
		 const char *text)
{
	return zb_yaml_bad(y, v, key->name, "%s%s%s", text != NULL ? text : "",
			   text != NULL ? ": " : "", key->want);
}

static bool in_range(const struct zb_yaml_key *key, uint64_t v)
{
	return v >= key->min && v <= key->max;
}

int zb_yaml_set_u64(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	const char *text = zb_yaml_text(v);
	uint64_t n;

	if (text == NULL || zb_gen_amount(text, &n) < 0 || !in_range(key, n))
		return wrong(y, key, v, text);
	*(uint64_t *)((char *)into + key->offset) = n;
	return 0;
}

int zb_yaml_set_u32(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	const char *text = zb_yaml_text(v);
	uint64_t n;

	if (text == NULL || zb_gen_amount(text, &n) < 0 || !in_range(key, n))
		return wrong(y, key, v, text);
	*(uint32_t *)((char *)into + key->offset) = (uint32_t)n;
	return 0;
}

int zb_yaml_set_time(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	const char *text = zb_yaml_text(v);
	uint64_t ns;

	if (text == NULL || zb_gen_time(text, 1000 * MILLION, &ns) < 0 || !in_range(key, ns))
		return wrong(y, key, v, text);
	*(uint64_t *)((char *)into + key->offset) = ns;
	return 0;
}

int zb_yaml_set_decimal(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v,
			void *into)
{
	const char *text = zb_yaml_text(v), *rest;
	uint64_t n;

	if (text == NULL || zb_gen_millionths(text, &n, &rest) < 0 || *rest != '\0' ||
	    !in_range(key, n))
		return wrong(y, key, v, text);
	*(uint64_t *)((char *)into + key->offset) = n;
	return 0;
}

int zb_yaml_rate(const char *text, uint64_t *millionths, uint64_t *bits)
{
	uint64_t n, factor = 1;
	const char *unit;
	int ret = zb_gen_millionths(text, &n, &unit);

	if (ret < 0)
		return ret;
	switch (tolower((unsigned char)*unit)) {
	case 'k': factor = 1000; break;
	case 'm': factor = MILLION; break;
	case 'g': factor = 1000 * MILLION; break;
	default: break;
	}
	unit += factor > 1;
	if (n == 0 || n > UINT64_MAX / factor)
		return -ERANGE;
	n *= factor;
	*millionths = *bits = 0;
	if (*unit == '\0' || strcmp(unit, "pps") == 0 || strcmp(unit, "/s") == 0)
		*millionths = n;
	else if (strcmp(unit, "bps") == 0 || strcmp(unit, "bit/s") == 0)
		*bits = n / MILLION;
	else
		return -EINVAL;
	return 0;
}

int zb_yaml_set_bits(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	const char *text = zb_yaml_text(v);
	uint64_t millionths, bits;

	if (text == NULL || zb_yaml_rate(text, &millionths, &bits) < 0 || !in_range(key, bits))
		return wrong(y, key, v, text);
	*(uint64_t *)((char *)into + key->offset) = bits;
	return 0;
}

static int read_number(const char *text, bool is_time, uint64_t *out)
{
	return is_time ? zb_gen_time(text, MILLION, out) : zb_gen_amount(text, out);
}

/* "[tail ]LO[-HI]" */
static int read_part(const char *text, bool is_time, struct zb_gen_dist_part *part)
{
	char copy[TEXT_MAX], *lo = copy, *hi;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	part->tail = strncmp(copy, "tail ", 5) == 0;
	if (part->tail)
		lo += 5;
	hi = strchr(lo, '-');
	if (hi != NULL)
		*hi++ = '\0';
	if (read_number(lo, is_time, &part->lo) < 0)
		return -EINVAL;
	part->hi = part->lo;
	if (hi != NULL && read_number(hi, is_time, &part->hi) < 0)
		return -EINVAL;
	if (part->lo > part->hi || (part->tail && (part->lo == 0 || part->lo == part->hi)))
		return -EINVAL;
	return 0;
}

static int add_part(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, bool is_time,
		    struct zb_gen_dist *d)
{
	struct zb_gen_dist_part *part = &d->parts[d->part_nr];
	const char *text = zb_yaml_text(v);

	if (text == NULL || read_part(text, is_time, part) < 0 || !in_range(key, part->lo) ||
	    !in_range(key, part->hi))
		return wrong(y, key, v, text);
	d->part_nr++;
	return 0;
}

static int read_dist(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, bool is_time,
		     struct zb_gen_dist *d)
{
	uint64_t weights[ZB_GEN_DIST_PARTS];

	zb_gen_math_init();
	if (v->type != YAML_MAPPING_NODE)
		return add_part(y, key, v, is_time, d);
	for (yaml_node_pair_t *p = v->data.mapping.pairs.start; p < v->data.mapping.pairs.top;
	     p++) {
		yaml_node_t *k = yaml_document_get_node(&y->doc, p->key);
		yaml_node_t *w = yaml_document_get_node(&y->doc, p->value);
		const char *text = zb_yaml_text(w);

		if (d->part_nr == ZB_GEN_DIST_PARTS)
			return zb_yaml_bad(y, k, key->name, "more than %u values",
					   ZB_GEN_DIST_PARTS);
		if (text == NULL || zb_gen_amount(text, &weights[d->part_nr]) < 0 ||
		    weights[d->part_nr] > ZB_GEN_WEIGHT_MAX)
			return zb_yaml_bad(y, w, key->name, "a weight is no number");
		if (add_part(y, key, k, is_time, d) < 0)
			return -EINVAL;
	}
	if (zb_gen_pick_init(&d->pick, weights, d->part_nr) < 0)
		return zb_yaml_bad(y, v, key->name, "no value has a weight");
	return 0;
}

int zb_yaml_set_dist(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	return read_dist(y, key, v, false, (struct zb_gen_dist *)((char *)into + key->offset));
}

int zb_yaml_set_time_dist(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v,
			  void *into)
{
	return read_dist(y, key, v, true, (struct zb_gen_dist *)((char *)into + key->offset));
}
