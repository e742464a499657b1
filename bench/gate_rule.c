/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_rule.c - reads one rule of the gate: METRIC:±N%
 */
#include "bench/gate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/diag.h"

/* Ways to write the direction; the longer ones first, since "+" begins some of them. */
static const struct {
	const char *text, *shown;
	bool falls, rises;
} directions[] = {
	{"±", "±", true, true},	 {"+/-", "±", true, true}, {"+-", "±", true, true},
	{"+", "+", false, true}, {"-", "-", true, false},  {"", "±", true, true},
};

static int say_bad(const char *text)
{
	zb_err("--allow %s: not a rule; give METRIC:±N%% or METRIC:±N, with + or - for one "
	       "direction, "
	       "as pps:±5%%",
	       text);
	return -EINVAL;
}

/* Digits with an optional decimal point; strtod() alone would take "inf", "nan" and signs. */
static int parse_amount(const char *text, double *amount, const char **rest)
{
	size_t len = strspn(text, "0123456789.");
	char *end;

	if (len == 0)
		return -EINVAL;
	*amount = strtod(text, &end);
	if (end != text + len || !isfinite(*amount))
		return -EINVAL;
	*rest = end + strspn(end, " ");
	return 0;
}

int zb_gate_rule_parse(const char *text, struct zb_gate_rule *out)
{
	const char *bound = strchr(text, ':');
	struct zb_gate_rule rule = {0};
	const char *rest = "";
	double amount = 0;
	size_t name_len, i = 0;

	if (bound == NULL || bound == text)
		return say_bad(text);
	name_len = (size_t)(bound - text);
	if (name_len >= sizeof(rule.metric))
		return say_bad(text);
	memcpy(rule.metric, text, name_len);
	bound++;
	while (strncmp(bound, directions[i].text, strlen(directions[i].text)) != 0)
		i++; /* ends at "" */
	if (parse_amount(bound + strlen(directions[i].text), &amount, &rest) < 0)
		return say_bad(text);
	rule.percent = strcmp(rest, "%") == 0;
	if (!rule.percent && *rest != '\0')
		return say_bad(text);
	/* A direction that is not named is free: pps:-5% minds a loss of speed only. */
	rule.fall_max = directions[i].falls ? amount : INFINITY;
	rule.rise_max = directions[i].rises ? amount : INFINITY;
	snprintf(rule.bound, sizeof(rule.bound), "%s%.10g%s", directions[i].shown, amount,
		 rule.percent ? " %" : "");
	*out = rule;
	return 0;
}
