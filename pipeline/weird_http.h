/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_http.h - weirds of the HTTP analyzer: X(name, policy, source), see weird.h;
 * ZB_WEIRD_LIST_HTTP_NAMED has the name as a fourth word, as it is no word of C
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_HTTP_H
#define ZB_PIPELINE_WEIRD_HTTP_H

#define ZB_WEIRD_LIST_HTTP(X)                                       \
	X(HTTP_bad_chunk_size, LOG, "HTTP")                         \
	X(HTTP_bad_content_length, LOG, "HTTP")                     \
	X(HTTP_chunked_multi, LOG, "HTTP")                          \
	X(HTTP_chunked_transfer_for_multipart_message, LOG, "HTTP") \
	X(HTTP_content_length_0_and_expect_100_cont, LOG, "HTTP")   \
	X(HTTP_content_length_and_chunked, LOG, "HTTP")             \
	X(HTTP_content_length_leading_zeros, LOG, "HTTP")           \
	X(HTTP_content_range_and_chunked, LOG, "HTTP")              \
	X(HTTP_content_range_cannot_parse, LOG, "HTTP")             \
	X(HTTP_content_range_invalid, LOG, "HTTP")                  \
	X(HTTP_content_range_invalid_instance, LOG, "HTTP")         \
	X(HTTP_content_range_overflow, LOG, "HTTP")                 \
	X(HTTP_content_range_unknown_byte_unit, LOG, "HTTP")        \
	X(HTTP_excessive_pipelining, LOG, "")                       \
	X(HTTP_expect_not_100_continue, LOG, "HTTP")                \
	X(HTTP_inflated_body_too_large, LOG, "zbench")              \
	X(HTTP_late_flip_roles, LOG, "HTTP")                        \
	X(HTTP_nested_transfer_encoding_header, LOG, "HTTP")        \
	X(HTTP_non_positive_content_range, LOG, "HTTP")             \
	X(HTTP_obsolete_line_folding, LOG, "HTTP")                  \
	X(HTTP_range_not_matching_len, LOG, "HTTP")                 \
	X(HTTP_response_before_request, LOG, "")                    \
	X(HTTP_version_mismatch, LOG, "HTTP")                       \
	X(bad_HTTP_request, LOG, "HTTP")                            \
	X(bad_HTTP_request_with_version, LOG, "HTTP")               \
	X(empty_http_request, LOG, "HTTP")                          \
	X(http_09_reply_before_request, LOG, "HTTP")                \
	X(http_no_crlf_in_header_list, LOG, "HTTP")                 \
	X(inflate_failed, LOG, "ZIP")                               \
	X(invalid_http_09_request_method, LOG, "HTTP")              \
	X(line_terminated_with_single_CR, LOG, "CONTENTLINE")       \
	X(line_terminated_without_CRLF, LOG, "CONTENTLINE")         \
	X(lowercase_HTTP_keyword, LOG, "HTTP")                      \
	X(missing_HTTP_entity, LOG, "HTTP")                         \
	X(missing_HTTP_uri, LOG, "HTTP")                            \
	X(partial_escape_at_end_of_URI, LOG, "HTTP")                \
	X(protocol_data_with_HTTP_CONNECT_reply, LOG, "HTTP")       \
	X(protocol_data_with_HTTP_upgrade_reply, LOG, "HTTP")       \
	X(unexpected_client_HTTP_data, LOG, "HTTP")                 \
	X(unexpected_multiple_HTTP_requests, PER_CONN, "HTTP")      \
	X(unexpected_server_HTTP_data, LOG, "HTTP")                 \
	X(unknown_HTTP_method, LOG, "")                             \
	X(websocket_control_frame_size_exceeded, LOG, "WEBSOCKET")  \
	X(websocket_missing_accept_header, LOG, "WebSocket")        \
	X(websocket_missing_key_header, LOG, "WebSocket")           \
	X(websocket_multiple_accept_headers, LOG, "WebSocket")      \
	X(websocket_multiple_key_headers, LOG, "WebSocket")         \
	X(websocket_wrong_accept_header, LOG, "WebSocket")

#define ZB_WEIRD_LIST_HTTP_NAMED(X)                                          \
	X(illegal_pct_at_end_of_URI, LOG, "HTTP", "illegal_%_at_end_of_URI") \
	X(double_pct_in_URI, LOG, "HTTP", "double_%_in_URI")                 \
	X(unescaped_pct_in_URI, LOG, "HTTP", "unescaped_%_in_URI")

#endif
