/* SPDX-License-Identifier: Apache-2.0 */
/* run_limits.c - --limit KIND=BYTES, --hashes LIST and --prealloc BYTES */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/run_job.h"
#include "pipeline/file.h"
#include "profiler/diag.h"

#define NAMES_BYTES 256
#define LIMIT_MIN   4096 /* what the tables of any kind need, and a little more */

/* "a,b,c" of all kinds. */
static const char *kind_names(char buf[NAMES_BYTES])
{
	size_t at = 0;

	for (unsigned i = 0; i < ZB_MEM_NR; i++)
		at += (size_t)snprintf(buf + at, NAMES_BYTES - at, "%s%s", i != 0 ? "," : "",
				       zb_mem_name[i]);
	return buf;
}

static int take_limit(struct zb_run_job *j, const char *text)
{
	size_t len = strcspn(text, "=");
	char names[NAMES_BYTES];
	unsigned kind;
	uint64_t bytes;

	for (kind = 0; kind < ZB_MEM_NR; kind++)
		if (strlen(zb_mem_name[kind]) == len && memcmp(zb_mem_name[kind], text, len) == 0)
			break;
	if (kind == ZB_MEM_NR) {
		zb_err("--limit %s: %.*s: no such kind of state; give one of %s, as %s=64M", text,
		       (int)len, text, kind_names(names), zb_mem_name[ZB_MEM_tcp_data]);
		return -EINVAL;
	}
	if (text[len] != '=' || zb_opt_parse_bytes(text + len + 1, &bytes) < 0 || bytes == 0) {
		zb_err("--limit %s: not a size; give %s=BYTES, as %s=64M", text, zb_mem_name[kind],
		       zb_mem_name[kind]);
		return -EINVAL;
	}
	if (bytes < LIMIT_MIN) {
		zb_err("--limit %s: too little to work with; give 4K or more", text);
		return -EINVAL;
	}
	j->mem_limit[kind] = bytes;
	return 0;
}

static int take_hashes(struct zb_run_job *j)
{
	static const char *const names[] = {"md5", "sha1", "sha256"};
	const char *p = j->conf->hashes;

	if (strcmp(p, "all") == 0)
		j->file_hashes = ZB_FILE_MD5 | ZB_FILE_SHA1 | ZB_FILE_SHA256;
	if (strcmp(p, "all") == 0 || strcmp(p, "none") == 0)
		return 0;
	while (*p != '\0') {
		size_t len = strcspn(p, ",");
		unsigned i;

		for (i = 0; i < 3; i++)
			if (strlen(names[i]) == len && memcmp(names[i], p, len) == 0)
				break;
		if (i == 3) {
			zb_err("--hashes %s: %.*s: no such hash; give some of md5,sha1,sha256, or "
			       "all or none",
			       j->conf->hashes, (int)len, p);
			return -EINVAL;
		}
		j->file_hashes |= 1u << i;
		p += len + (p[len] == ',');
	}
	return 0;
}

int zb_job_check_limits(struct zb_run_job *j)
{
	int ret = take_hashes(j);

	for (unsigned i = 0; ret == 0 && i < j->conf->limit.nr; i++)
		ret = take_limit(j, j->conf->limit.v[i]);
	return ret;
}

/* With half of what is left touched in advance, the run itself still has the other half. */
int zb_job_check_prealloc(struct zb_run_job *j)
{
	uint64_t most = zb_memory_left("") / 2 / j->place.worker_nr, bytes = j->conf->prealloc;

	j->prealloc_bytes = bytes < most ? bytes : most;
	if (bytes <= most || !zb_opt_given(&zb_cmd_run, "prealloc"))
		return 0;
	zb_err("--prealloc %" PRIu64 ": too much memory for each of the workers (%u); give %" PRIu64
	       "M at most",
	       bytes, j->place.worker_nr, most >> 20);
	return -EINVAL;
}
