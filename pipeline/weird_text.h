/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_text.h - weirds of the analyzers of line-based protocols: X(name, policy, source), see
 * weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_TEXT_H
#define ZB_PIPELINE_WEIRD_TEXT_H

#define ZB_WEIRD_LIST_TEXT(X)

#endif
