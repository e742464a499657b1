/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_tcp.h - weirds of TCP reassembly: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_TCP_H
#define ZB_PIPELINE_WEIRD_TCP_H

#define ZB_WEIRD_LIST_TCP(X)                               \
	X(above_hole_data_without_any_acks, LOG, "TCP")    \
	X(excessive_data_without_further_acks, LOG, "TCP") \
	X(truncated_tcp_payload, LOG, "TCP")

#endif
