/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_http.h - weirds of the HTTP analyzer: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_HTTP_H
#define ZB_PIPELINE_WEIRD_HTTP_H

#define ZB_WEIRD_LIST_HTTP(X)

#endif
