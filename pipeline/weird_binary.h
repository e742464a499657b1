/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_binary.h - weirds of the analyzers of binary protocols: X(name, policy, source), see
 * weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_BINARY_H
#define ZB_PIPELINE_WEIRD_BINARY_H

#define ZB_WEIRD_LIST_BINARY(X)

#endif
