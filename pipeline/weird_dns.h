/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_dns.h - weirds of the DNS analyzer: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_DNS_H
#define ZB_PIPELINE_WEIRD_DNS_H

#define ZB_WEIRD_LIST_DNS(X)

#endif
