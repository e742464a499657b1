/* SPDX-License-Identifier: Apache-2.0 */
/*
 * weird_http.h - weirds of the HTTP analyzer: X(name, policy, source), see weird.h
 *
 * Threading: constants.
 */
#ifndef ZB_PIPELINE_WEIRD_HTTP_H
#define ZB_PIPELINE_WEIRD_HTTP_H

#define ZB_WEIRD_LIST_HTTP(X)                                  \
	X(HTTP_bad_chunk_size, LOG, "HTTP")                    \
	X(HTTP_content_range_cannot_parse, LOG, "HTTP")        \
	X(HTTP_content_range_invalid, LOG, "HTTP")             \
	X(HTTP_content_range_overflow, LOG, "HTTP")            \
	X(HTTP_content_range_unknown_byte_unit, LOG, "HTTP")   \
	X(HTTP_excessive_pipelining, LOG, "")                  \
	X(HTTP_non_positive_content_range, LOG, "HTTP")        \
	X(HTTP_range_not_matching_len, LOG, "HTTP")            \
	X(HTTP_response_before_request, LOG, "")               \
	X(bad_HTTP_request, LOG, "HTTP")                       \
	X(bad_HTTP_request_with_version, LOG, "HTTP")          \
	X(empty_http_request, LOG, "HTTP")                     \
	X(http_09_reply_before_request, LOG, "HTTP")           \
	X(inflate_failed, LOG, "ZIP")                          \
	X(invalid_http_09_request_method, LOG, "HTTP")         \
	X(line_terminated_with_single_CR, LOG, "CONTENTLINE")  \
	X(missing_HTTP_uri, LOG, "HTTP")                       \
	X(unexpected_multiple_HTTP_requests, PER_CONN, "HTTP") \
	X(unknown_HTTP_method, LOG, "")

#endif
