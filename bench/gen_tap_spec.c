/* SPDX-License-Identifier: Apache-2.0 */
/* gen_tap_spec.c - the faults of a tap as a person writes them */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/gen_number.h"
#include "bench/gen_tap.h"
#include "profiler/diag.h"

#define SPEC_MAX 512

/* Each reads its value; NULL: there is none. -EINVAL or -ERANGE. */
typedef int set_fault(struct zb_tap_conf *c, const char *value);

static int whole(const char *value, uint64_t min, uint64_t max, uint32_t *out)
{
	uint64_t v;
	int ret;

	if (value == NULL || value[strspn(value, "0123456789")] != '\0')
		return -EINVAL;
	ret = zb_gen_amount(value, &v);
	if (ret < 0)
		return ret;
	if (v < min || v > max)
		return -ERANGE;
	*out = (uint32_t)v;
	return 0;
}

static int set_loss(struct zb_tap_conf *c, const char *value)
{
	return value == NULL ? -EINVAL : zb_gen_percent(value, &c->loss);
}

static int set_burst(struct zb_tap_conf *c, const char *value)
{
	return whole(value, 1, ZB_TAP_BURST_MAX, &c->burst);
}

static int set_reorder(struct zb_tap_conf *c, const char *value)
{
	return value == NULL ? -EINVAL : zb_gen_percent(value, &c->reorder);
}

static int set_depth(struct zb_tap_conf *c, const char *value)
{
	return whole(value, 1, ZB_TAP_DEPTH_MAX, &c->depth);
}

static int set_duplicate(struct zb_tap_conf *c, const char *value)
{
	return value == NULL ? -EINVAL : zb_gen_percent(value, &c->duplicate);
}

static int set_oneway(struct zb_tap_conf *c, const char *value)
{
	if (value == NULL || strcmp(value, "out") == 0)
		c->only = ZB_TAP_OUT;
	else if (strcmp(value, "in") == 0)
		c->only = ZB_TAP_IN;
	else
		return -EINVAL;
	return 0;
}

static int set_snaplen(struct zb_tap_conf *c, const char *value)
{
	return whole(value, ZB_TAP_SNAPLEN_MIN, ZB_TAP_SNAPLEN_MAX, &c->snaplen);
}

static int set_skew(struct zb_tap_conf *c, const char *value)
{
	bool minus = value != NULL && value[0] == '-';
	uint64_t ns;
	int ret = value == NULL ? -EINVAL : zb_gen_time(value + minus, 1000000, &ns);

	if (ret < 0)
		return ret;
	if (ns == 0 || ns > ZB_TAP_SKEW_NS_MAX)
		return -ERANGE;
	c->skew_ns = minus ? -(int64_t)ns : (int64_t)ns;
	return 0;
}

static const struct {
	const char *name;
	set_fault *set;
	const char *want;
} faults[] = {
	{"loss", set_loss, "give a percentage such as 1%"},
	{"burst", set_burst, "give how many are lost in a row on average, such as 8"},
	{"reorder", set_reorder, "give a percentage such as 0.5%"},
	{"depth", set_depth, "give by how many of its flow a frame is passed, 1 to 64"},
	{"duplicate", set_duplicate, "give a percentage such as 0.1%"},
	{"oneway", set_oneway, "give out or in, or no value"},
	{"snaplen", set_snaplen, "give a number of bytes from 14 to 262144"},
	{"skew", set_skew, "give milliseconds other than 0, up to 60000 (or -60000)"},
};

#define FAULT_NR (sizeof(faults) / sizeof(faults[0]))

static int read_one(const char *option, char *item, struct zb_tap_conf *c)
{
	char *value = strchr(item, '=');

	if (value != NULL)
		*value++ = '\0';
	for (size_t i = 0; i < FAULT_NR; i++) {
		if (strcmp(item, faults[i].name) != 0)
			continue;
		if (faults[i].set(c, value) == 0)
			return 0;
		zb_err("%s: %s%s%s: %s", option, item, value != NULL ? "=" : "",
		       value != NULL ? value : "", faults[i].want);
		return -EINVAL;
	}
	zb_err("%s: %s: no such fault; there are loss, burst, reorder, depth, duplicate, oneway, "
	       "snaplen and skew",
	       option, item);
	return -EINVAL;
}

/* What only both values together can tell. */
static int check(const char *option, const struct zb_tap_conf *c)
{
	if (c->burst != 0 && c->loss == 0) {
		zb_err("%s: burst: nothing is lost; give loss too", option);
		return -EINVAL;
	}
	/* loss / (burst * (1 - loss)) is a probability */
	if (c->burst != 0 && c->loss / c->burst >= UINT64_MAX - c->loss) {
		zb_err("%s: burst: too short for so much loss; give a longer burst or less loss",
		       option);
		return -EINVAL;
	}
	if (c->depth != 0 && c->reorder == 0) {
		zb_err("%s: depth: nothing is reordered; give reorder too", option);
		return -EINVAL;
	}
	return 0;
}

int zb_tap_parse(const char *option, const char *spec, struct zb_tap_conf *conf)
{
	struct zb_tap_conf c = {0};
	char text[SPEC_MAX], *save = NULL;
	int ret;

	if (strlen(spec) >= sizeof(text) || spec[0] == '\0') {
		zb_err("%s: name the faults, such as loss=1%%,burst=8", option);
		return -EINVAL;
	}
	memcpy(text, spec, strlen(spec) + 1);
	for (char *item = strtok_r(text, ",", &save); item != NULL;
	     item = strtok_r(NULL, ",", &save)) {
		if (read_one(option, item, &c) < 0)
			return -EINVAL;
	}
	ret = check(option, &c);
	if (ret < 0)
		return ret;
	if (c.reorder != 0 && c.depth == 0)
		c.depth = 1;
	*conf = c;
	return 0;
}
