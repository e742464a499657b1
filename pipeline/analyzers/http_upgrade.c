/* SPDX-License-Identifier: Apache-2.0 */
/* http_upgrade.c - other protocols through HTTP: CONNECT, Upgrade, WebSocket (RFC 9110, RFC 6455)
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pipeline/analyzers/http_priv.h"
#include "pipeline/branch.h"
#include "pipeline/file_hash.h"

#define WEBSOCKET_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

static void tunnel_open(struct http *h)
{
	h->tunnel = zb_branch_open(&h->base, true);
	if (h->tunnel == NULL)
		h->side[ZB_ORIG].expect = h->side[ZB_RESP].expect = HTTP_NOTHING;
}

/* What the reply's packet holds behind it is of the new protocol already. */
static void weird_behind(struct http *h, enum zb_weird_name name)
{
	char addl[16];

	if (h->side[ZB_RESP].lines.behind == 0)
		return;
	snprintf(addl, sizeof(addl), "%u", h->side[ZB_RESP].lines.behind);
	zb_analyzer_weird(&h->base, name, addl);
}

void http_connected(struct http *h)
{
	tunnel_open(h);
	weird_behind(h, ZB_WEIRD_protocol_data_with_HTTP_CONNECT_reply);
}

static void base64(const uint8_t *d, size_t n, char *out)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		bool has_two = n - i > 1, has_three = n - i > 2;
		uint32_t v = (uint32_t)d[i] << 16 | (has_two ? (uint32_t)d[i + 1] << 8 : 0) |
			     (has_three ? d[i + 2] : 0);

		*out++ = digit[v >> 18];
		*out++ = digit[v >> 12 & 63];
		*out++ = has_two ? digit[v >> 6 & 63] : '=';
		*out++ = has_three ? digit[v & 63] : '=';
	}
	*out = '\0';
}

static void note(struct http_websocket_header *to, const char *d, size_t n)
{
	to->has_come = true;
	to->len = (uint8_t)(n < sizeof(to->text) ? n : sizeof(to->text));
	memcpy(to->text, d, to->len);
}

void http_websocket_header(struct http *h, unsigned side, const char *d, size_t n)
{
	struct http_websocket_header *to = &h->websocket[side];

	if (to->has_come)
		zb_analyzer_weird(&h->base,
				  side == ZB_ORIG ? ZB_WEIRD_websocket_multiple_key_headers
						  : ZB_WEIRD_websocket_multiple_accept_headers,
				  NULL);
	note(to, d, n);
}

/* The server proves that it has read the client's key (RFC 6455, 4.2.2). */
static void check_handshake(struct http *h)
{
	const struct http_websocket_header *key = &h->websocket[ZB_ORIG],
					   *accept = &h->websocket[ZB_RESP];
	char all[sizeof(key->text) + sizeof(WEBSOCKET_GUID)], expected[32], addl[256];
	uint8_t sum[SHA_DIGEST_LENGTH];

	if (!key->has_come)
		zb_analyzer_weird(&h->base, ZB_WEIRD_websocket_missing_key_header, NULL);
	if (!accept->has_come)
		zb_analyzer_weird(&h->base, ZB_WEIRD_websocket_missing_accept_header, NULL);
	if (!key->has_come || !accept->has_come)
		return;
	memcpy(all, key->text, key->len);
	memcpy(all + key->len, WEBSOCKET_GUID, sizeof(WEBSOCKET_GUID) - 1);
	SHA1((const uint8_t *)all, key->len + sizeof(WEBSOCKET_GUID) - 1, sum);
	base64(sum, sizeof(sum), expected);
	if (accept->len == strlen(expected) && memcmp(accept->text, expected, accept->len) == 0)
		return;
	snprintf(addl, sizeof(addl), "expected=%s, found=%.*s", expected, accept->len,
		 accept->text);
	zb_analyzer_weird(&h->base, ZB_WEIRD_websocket_wrong_accept_header, addl);
}

void http_upgraded(struct http *h)
{
	h->upgraded = true;
	weird_behind(h, ZB_WEIRD_protocol_data_with_HTTP_upgrade_reply);
	tunnel_open(h);
	if (h->tunnel == NULL || h->upgrade.len != 9 ||
	    strncasecmp(h->upgrade.p, "websocket", 9) != 0)
		return;
	check_handshake(h);
	zb_branch_attach(h->tunnel, ZB_A_websocket);
	zb_branch_settle(h->tunnel);
}
