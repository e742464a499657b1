/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_frag.h - weirds of fragments, tunnels and link layers: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_FRAG_H
#define ZB_PIPELINE_WEIRD_FRAG_H

#define ZB_WEIRD_LIST_FRAG(X)

#endif
