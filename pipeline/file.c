/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - see file.h */
#include "pipeline/file.h"

int zb_file_set_create(struct zb_analysis *an, unsigned hashes, struct zb_file_set **out)
{
	(void)an;
	(void)hashes;
	*out = NULL;
	return 0;
}

void zb_file_set_destroy(struct zb_file_set *s)
{
	(void)s;
}

void zb_file_set_expire(struct zb_file_set *s, uint64_t now_ns)
{
	(void)s;
	(void)now_ns;
}

struct zb_file *zb_file_begin(struct zb_analyzer *a, const struct zb_file_conf *conf)
{
	(void)a;
	(void)conf;
	return NULL;
}

void zb_file_data(struct zb_file *f, const uint8_t *d, size_t n)
{
	(void)f;
	(void)d;
	(void)n;
}

void zb_file_data_at(struct zb_file *f, uint64_t offset, const uint8_t *d, size_t n)
{
	(void)f;
	(void)offset;
	(void)d;
	(void)n;
}

void zb_file_gap(struct zb_file *f, uint64_t n)
{
	(void)f;
	(void)n;
}

void zb_file_set_total(struct zb_file *f, uint64_t total_bytes)
{
	(void)f;
	(void)total_bytes;
}

void zb_file_end(struct zb_file *f)
{
	(void)f;
}

const char *zb_file_mime(const struct zb_file *f)
{
	(void)f;
	return NULL;
}

unsigned zb_file_fuid(const struct zb_file *f, char *buf)
{
	(void)f;
	(void)buf;
	return 0;
}

bool zb_file_sha256(struct zb_file *f, uint8_t out[32])
{
	(void)f;
	(void)out;
	return false;
}
