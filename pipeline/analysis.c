/* SPDX-License-Identifier: Apache-2.0 */
/* analysis.c - see analysis.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/analyzers/dhcp_join.h"
#include "pipeline/analyzers/tls_memo.h"
#include "pipeline/expect.h"
#include "pipeline/file.h"
#include "pipeline/known.h"
#include "pipeline/registry.h"

int zb_analysis_init(struct zb_analysis *an, const struct zb_analysis_conf *conf)
{
	int ret;

	memset(an, 0, sizeof(*an));
	an->weird = conf->weird;
	an->stat = conf->stat;
	an->secret = conf->secret;
	for (uint16_t i = 0; conf->logs != NULL && i < ZB_LOG_ENGINE_NR; i++)
		an->port[i] = zb_log_port(conf->logs, i, conf->index);
	zb_mem_init(&an->mem, conf->mem_limit);
	if (conf->memcap_bytes != 0)
		zb_mem_share(&an->mem, conf->memcap_bytes);
	an->registry = zb_registry_create();
	if (an->registry == NULL)
		return -ENOMEM;
	ret = zb_file_set_create(an, conf->file_hashes, &an->files);
	if (ret < 0)
		goto free_registry;
	ret = zb_known_create(an, &an->known);
	if (ret < 0)
		goto destroy_files;
	return 0;

destroy_files:
	zb_file_set_destroy(an->files);
free_registry:
	free(an->registry);
	return ret;
}

struct zb_conn_end zb_analysis_conn_end(const struct zb_analysis *an, const struct zb_conn *c,
					uint64_t now_ns)
{
	const struct zb_rxq *q = an->rxq;
	bool is_over = an->over_ns != 0;
	uint64_t ns = 0;

	if (!is_over && now_ns < c->deadline_ns)
		return (struct zb_conn_end){.ns = now_ns}; /* it had to make room */
	/* The last packet is known: what ends behind it needs no search, and half of all do. */
	if (q != NULL && q->ops->time_from != NULL && !(is_over && c->deadline_ns > an->over_ns))
		ns = q->ops->time_from(q, c->deadline_ns);
	if (ns != 0 && (!is_over || ns <= an->over_ns))
		return (struct zb_conn_end){.ns = ns};
	return (struct zb_conn_end){.ns = now_ns > an->over_ns ? now_ns : an->over_ns,
				    .is_last = is_over};
}

void zb_analysis_expire(struct zb_analysis *an, uint64_t now_ns)
{
	zb_file_set_expire(an->files, now_ns);
	if (an->dhcp != NULL)
		zb_dhcp_expire(an, now_ns);
}

void zb_analysis_end(struct zb_analysis *an)
{
	zb_dhcp_end(an);
}

void zb_analysis_fini(struct zb_analysis *an)
{
	zb_dhcp_end(an);
	zb_tls_memo_free(an);
	zb_expect_destroy(an);
	zb_known_destroy(an->known);
	zb_file_set_destroy(an->files);
	free(an->registry);
}
