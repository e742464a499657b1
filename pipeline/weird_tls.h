/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_tls.h - weirds of the TLS and DTLS analyzers: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_TLS_H
#define ZB_PIPELINE_WEIRD_TLS_H

#define ZB_WEIRD_LIST_TLS(X)                                \
	X(SSL_excessive_alerts_in_record, LOG, "SSL")       \
	X(SSL_many_server_names, LOG, "")                   \
	X(SSL_max_ssl_history_length_reached, LOG, "SSL")   \
	X(SSL_unclear_connection_direction, LOG, "SSL")     \
	X(SSL_zero_length_stapled_OCSP_message, LOG, "SSL") \
	X(ssl_early_application_data, LOG, "")              \
	X(ssl_ext_unknown_server_name_type, LOG, "SSL")     \
	X(zero_length_certificate, LOG, "")

#endif
