/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_binary.h - weirds of the analyzers of binary protocols: X(name, policy, source), see
 * weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_BINARY_H
#define ZB_PIPELINE_WEIRD_BINARY_H

#define ZB_WEIRD_LIST_BINARY(X)                                           \
	X(asn_oid_subidentifier_too_long, LOG, "")                        \
	X(SMB_discarded_dce_rpc_analyzers, LOG, "SMB")                    \
	X(SMB_discarded_messages_state, LOG, "SMB")                       \
	X(multiple_first_fragments_in_dce_rpc_reassembly, LOG, "DCE_RPC") \
	X(netlogon_dce_rpc_auth_type, LOG, "DCE_RPC")                     \
	X(tls_dce_rpc_auth_type, LOG, "DCE_RPC")                          \
	X(too_many_dce_rpc_msgs_in_reassembly, LOG, "DCE_RPC")            \
	X(too_much_dce_rpc_fragment_data, LOG, "DCE_RPC")                 \
	X(unknown_dce_rpc_auth_type, LOG, "DCE_RPC")

#endif
