/* SPDX-License-Identifier: Apache-2.0 */
/* known.c - see known.h */
#include "pipeline/known.h"

int zb_known_create(struct zb_analysis *an, struct zb_known **out)
{
	(void)an;
	*out = NULL;
	return 0;
}

void zb_known_destroy(struct zb_known *k)
{
	(void)k;
}

void zb_known_host(struct zb_known *k, const struct zb_conn *c)
{
	(void)k;
	(void)c;
}

void zb_known_service(struct zb_known *k, const struct zb_session *s)
{
	(void)k;
	(void)s;
}

void zb_known_conn_end(struct zb_known *k, const struct zb_conn *c)
{
	(void)k;
	(void)c;
}
