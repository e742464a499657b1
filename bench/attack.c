/* SPDX-License-Identifier: Apache-2.0 */
/* attack.c - finds attacks by name, reads their parameters, and pulls their frames */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/attack_priv.h"
#include "bench/nearest.h"
#include "profiler/diag.h"

#define FRAME_MIN_BYTES 60u /* Ethernet's, without the frame check sequence */
#define PPS_MAX		100000000u
#define NS_PER_S	1000000000ull
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define FAMILY(name) {zb_attack_##name, &zb_attack_##name##_nr},
static const struct {
	const struct zb_attack *attacks;
	const unsigned *nr;
} families[] = {ZB_ATTACK_FAMILIES(FAMILY)};

const struct zb_attack *zb_attack_at(unsigned i)
{
	for (size_t f = 0; f < COUNT(families); f++) {
		if (i < *families[f].nr)
			return &families[f].attacks[i];
		i -= *families[f].nr;
	}
	return NULL;
}

const struct zb_attack *zb_attack_find(const char *name)
{
	const struct zb_attack *a;

	for (unsigned i = 0; (a = zb_attack_at(i)) != NULL; i++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static void say_unknown(const char *name)
{
	unsigned rank = ZB_NOT_NEAR;
	const struct zb_attack *a, *near = NULL;

	for (unsigned i = 0; (a = zb_attack_at(i)) != NULL; i++) {
		unsigned r = zb_nearest_rank(name, a->name);

		if (r < rank) {
			rank = r;
			near = a;
		}
	}
	if (near != NULL)
		zb_err("--attack %s: no such attack; did you mean %s?", name, near->name);
	else
		zb_err("--attack %s: no such attack; zbench gen --list names them", name);
}

/* A whole number with k, M or G between min and max. */
static int read_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;
	uint64_t v, unit = 1;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno != 0)
		return -EINVAL;
	if (*end == 'k' || *end == 'M' || *end == 'G') {
		unit = *end == 'k' ? 1000 : *end == 'M' ? 1000000 : 1000000000;
		end++;
	}
	if (*end != '\0' || v > UINT64_MAX / unit || v * unit < min || v * unit > max)
		return -EINVAL;
	*out = v * unit;
	return 0;
}

static int read_param(struct zb_attack_gen *g, const char *name, const char *value)
{
	uint64_t min = 1, max = PPS_MAX, *to = NULL;

	if (strcmp(name, "pps") == 0)
		to = &g->pps;
	for (unsigned i = 0; i < ZB_ATTACK_PARAMS_MAX && g->attack->params[i].name != NULL; i++) {
		const struct zb_attack_param *p = &g->attack->params[i];

		if (strcmp(p->name, name) == 0) {
			to = &g->param[i];
			min = p->min;
			max = p->max;
		}
	}
	if (to == NULL) {
		zb_err("--attack %s: no parameter %s; zbench gen --explain %s names them",
		       g->attack->name, name, g->attack->name);
		return -EINVAL;
	}
	if (read_number(value, min, max, to) < 0) {
		zb_err("--attack %s: %s=%s: give a whole number from %" PRIu64 " to %" PRIu64,
		       g->attack->name, name, value, min, max);
		return -EINVAL;
	}
	return 0;
}

static int read_share(const char *name, const char *text, double *share)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || strcmp(end, "%") != 0 || !(v > 0 && v < 100)) {
		zb_err("--attack %s=%s: give a share of all packets, as %s=10%%", name, text, name);
		return -EINVAL;
	}
	*share = v / 100;
	return 0;
}

static int read_params(struct zb_attack_gen *g, char *rest)
{
	char *save = NULL;

	for (char *p = strtok_r(rest, ",", &save); p != NULL; p = strtok_r(NULL, ",", &save)) {
		char *value = strchr(p, '=');

		if (value == NULL) {
			zb_err("--attack %s: %s: give parameters as NAME=VALUE", g->attack->name,
			       p);
			return -EINVAL;
		}
		*value++ = '\0';
		if (read_param(g, p, value) < 0)
			return -EINVAL;
	}
	return 0;
}

/* Cuts "NAME[=SHARE][,REST]" into its parts, in place. */
static int read_spec(struct zb_attack_gen *g, char *spec, double *share)
{
	char *rest = strchr(spec, ','), *part;

	if (rest != NULL)
		*rest++ = '\0';
	part = strchr(spec, '=');
	if (part != NULL)
		*part++ = '\0';
	g->attack = zb_attack_find(spec);
	if (g->attack == NULL) {
		say_unknown(spec);
		return -EINVAL;
	}
	*share = 0;
	if (part != NULL && read_share(spec, part, share) < 0)
		return -EINVAL;
	g->pps = g->attack->pps == 0 ? ZB_ATTACK_PPS : g->attack->pps;
	for (unsigned i = 0; i < ZB_ATTACK_PARAMS_MAX; i++)
		g->param[i] = g->attack->params[i].def;
	return rest == NULL ? 0 : read_params(g, rest);
}

/* Parameters that mean the same wherever they are. */
static void set_talk(struct zb_attack_gen *g)
{
	const struct zb_attack *a = g->attack;
	struct zb_at_talk *t = &g->talk;

	t->mss = a->segment == 0 ? ZB_AT_MSS : a->segment;
	t->flow.dport = a->port;
	t->ack_every = a->ack_every;
	t->one_sided = a->one_sided;
	for (unsigned i = 0; i < ZB_ATTACK_PARAMS_MAX && a->params[i].name != NULL; i++) {
		if (strcmp(a->params[i].name, "port") == 0)
			t->flow.dport = (uint16_t)g->param[i];
		if (strcmp(a->params[i].name, "segment") == 0)
			t->mss = (uint32_t)g->param[i];
	}
}

int zb_attack_open(const char *spec, uint64_t seed, double *share, struct zb_attack_gen **out)
{
	struct zb_attack_gen *g = calloc(1, sizeof(*g));
	char *copy = strdup(spec);
	int ret = -ENOMEM;

	if (g == NULL || copy == NULL) {
		zb_err("--attack %s: %s", spec, strerror(ENOMEM));
		goto free_g;
	}
	ret = read_spec(g, copy, share);
	if (ret < 0)
		goto free_g;
	free(copy);
	g->seed = seed;
	g->gap_ns = NS_PER_S / g->pps;
	set_talk(g);
	*out = g;
	return 0;

free_g:
	free(copy);
	free(g);
	return ret;
}

void zb_attack_close(struct zb_attack_gen *g)
{
	free(g);
}

void zb_attack_next(struct zb_attack_gen *g, struct zb_gen_frame *f, uint64_t *ts_ns,
		    int64_t *off_ns)
{
	g->data = f->data;
	g->len = 0;
	g->pause_ns = 0;
	g->off_ns = 0;
	g->attack->frame(g, g->frames);
	if (g->len < FRAME_MIN_BYTES)
		zb_at_fill(g, 0, FRAME_MIN_BYTES - g->len);
	g->ts_ns += g->pause_ns;
	f->len = g->len;
	*ts_ns = g->ts_ns;
	*off_ns = g->off_ns;
	g->ts_ns += g->gap_ns;
	g->frames++;
}
