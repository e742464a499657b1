/* SPDX-License-Identifier: Apache-2.0 */
/* run_fault.c - --fault NAME[,NAME...]: known faults, and the list of them */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/nearest.h"
#include "bench/run_job.h"
#include "profiler/diag.h"

#define STALL_MS    20
#define HASH_BITS   4
#define SPIN_CYCLES 20000
#define WORD_MAX    64

#define NAME_A(name) [ZB_A_##name] = #name,
static const char *const analyzer_name[ZB_A_NR] = {ZB_ANALYZER_LIST(NAME_A)};

/* "spin:NAME[=CYCLES]": the name without parameters is "spin". */
static size_t bare(const char *name)
{
	return strcspn(name, ":[");
}

void zb_fault_print(FILE *f)
{
	fprintf(f, "%-19s %-51s %s\n", "fault", "what it does", "what a report has to find");
	for (unsigned i = 0; i < ZB_FAULT_NR; i++)
		fprintf(f, "%-19s %-51s %s\n", zb_fault_name[i], zb_fault_what[i],
			zb_fault_find[i]);
	fprintf(f, "\nNAME of spin is one of");
	for (unsigned i = 0, at = 80; i < ZB_A_NR; i++) {
		unsigned len = (unsigned)strlen(analyzer_name[i]) + 1;

		if (at + len > 78) {
			fprintf(f, "\n ");
			at = 1;
		}
		fprintf(f, " %s", analyzer_name[i]);
		at += len;
	}
	fprintf(f, "\n");
}

/* A whole number from min to max that ends the text. */
static int read_number(const char *option, const char *text, unsigned long long min,
		       unsigned long long max, unsigned long long *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *out >= min &&
	    *out <= max)
		return 0;
	zb_err("--fault %s: %s: not a number from %llu to %llu", option, text, min, max);
	return -EINVAL;
}

/* value: "dns" or "dns=5000". */
static int take_spin(struct zb_fault_conf *c, const char *word, const char *value)
{
	unsigned long long cycles = SPIN_CYCLES;
	size_t len = value != NULL ? strcspn(value, "=") : 0;
	unsigned id = 0;

	while (id < ZB_A_NR && (value == NULL || strlen(analyzer_name[id]) != len ||
				memcmp(analyzer_name[id], value, len) != 0))
		id++;
	if (id == ZB_A_NR) {
		zb_err("--fault %s: which analyzer? give spin:NAME or spin:NAME=CYCLES, as "
		       "spin:dns=5000; --fault help lists them",
		       word);
		return -EINVAL;
	}
	if (value[len] == '=' && read_number(word, value + len + 1, 1, 1000000000, &cycles) < 0)
		return -EINVAL;
	c->spin_cycles[id] = cycles;
	return 0;
}

static int say_unknown(const char *word)
{
	unsigned best = ZB_NOT_NEAR, at = 0;

	for (unsigned i = 0; i < ZB_FAULT_NR; i++) {
		char name[WORD_MAX];

		snprintf(name, sizeof(name), "%.*s", (int)bare(zb_fault_name[i]), zb_fault_name[i]);
		if (zb_nearest_rank(word, name) < best) {
			best = zb_nearest_rank(word, name);
			at = i;
		}
	}
	if (best != ZB_NOT_NEAR)
		zb_err("--fault %s: no such fault; did you mean %.*s?", word,
		       (int)bare(zb_fault_name[at]), zb_fault_name[at]);
	else
		zb_err("--fault %s: no such fault; --fault help lists them", word);
	return -EINVAL;
}

static int take_fault(struct zb_fault_conf *c, const char *word)
{
	size_t len = strcspn(word, ":");
	const char *value = word[len] == ':' ? word + len + 1 : NULL;
	unsigned long long n = 0;
	unsigned id = 0;

	while (id < ZB_FAULT_NR &&
	       (bare(zb_fault_name[id]) != len || memcmp(zb_fault_name[id], word, len) != 0))
		id++;
	if (id == ZB_FAULT_NR)
		return say_unknown(word);
	c->on |= 1u << id;
	if (id == ZB_FAULT_spin)
		return take_spin(c, word, value);
	if (id == ZB_FAULT_log_stall || id == ZB_FAULT_slow_hash) {
		bool stall = id == ZB_FAULT_log_stall;

		n = stall ? STALL_MS : HASH_BITS;
		if (value != NULL && read_number(word, value, 1, stall ? 60000 : 31, &n) < 0)
			return -EINVAL;
		*(stall ? &c->stall_ms : &c->hash_bits) = (uint32_t)n;
	} else if (value != NULL) {
		zb_err("--fault %s: takes no parameter", word);
		return -EINVAL;
	}
	return 0;
}

int zb_job_check_fault(struct zb_run_job *j)
{
	const char *p = j->conf->fault;

	while (p != NULL && *p != '\0') {
		size_t len = strcspn(p, ",");
		char word[WORD_MAX];

		snprintf(word, sizeof(word), "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX - 1), p);
		if (take_fault(&j->fault, word) < 0)
			return -EINVAL;
		p += len + (p[len] == ',');
	}
	if (zb_fault_is_on(&j->fault, ZB_FAULT_one_core_hot) && zb_job_is_live(j)) {
		zb_err("--fault one-core-hot: a device divides its packets itself; give a trace");
		return -EINVAL;
	}
	if (zb_fault_is_on(&j->fault, ZB_FAULT_one_core_hot) && j->place.worker_nr < 2) {
		zb_err("--fault one-core-hot: there is one worker only; give two --cores");
		return -EINVAL;
	}
	return 0;
}
