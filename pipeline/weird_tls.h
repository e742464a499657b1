/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_tls.h - weirds of the TLS and DTLS analyzers: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_TLS_H
#define ZB_PIPELINE_WEIRD_TLS_H

#define ZB_WEIRD_LIST_TLS(X)

#endif
