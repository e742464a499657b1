/* SPDX-License-Identifier: Apache-2.0 */
/* ftp_port.c - addresses of data connections, as PORT, EPRT and the replies to PASV and EPSV say
 * them */
#include <arpa/inet.h>
#include <string.h>

#include "pipeline/analyzers/ftp_priv.h"

static struct zb_text after(struct zb_text t, size_t n)
{
	return zb_text(t.d + n, t.n - n);
}

static struct zb_text skip_space(struct zb_text t)
{
	while (t.n != 0 && zb_text_is_space(*t.d))
		t = after(t, 1);
	return t;
}

/* Takes a number with a sign off the front, blanks before it; false: there is none. */
static bool take_number(struct zb_text *t, int64_t *out)
{
	struct zb_text s = skip_space(*t);
	bool negative = s.n != 0 && *s.d == '-', any = false;
	int64_t v = 0;

	if (s.n != 0 && (*s.d == '-' || *s.d == '+'))
		s = after(s, 1);
	for (; s.n != 0 && zb_text_is_digit(*s.d); s = after(s, 1)) {
		any = true;
		if (v <= INT32_MAX)
			v = v * 10 + *s.d - '0';
	}
	if (!any)
		return false;
	*t = s;
	*out = negative ? -v : v;
	return true;
}

/* "h1,h2,h3,h4,p1,p2"; what follows does not matter. */
bool ftp_port(struct zb_text t, struct ftp_address *out)
{
	uint8_t byte[6];
	int64_t v;

	if (t.n < 11)
		return false;
	for (unsigned i = 0; i < 6; i++) {
		if (i != 0 && (t.n == 0 || *t.d != ','))
			return false;
		if (i != 0)
			t = after(t, 1);
		if (!take_number(&t, &v) || v < 0 || v > 255)
			return false;
		byte[i] = (uint8_t)v;
	}
	memset(out, 0, sizeof(*out));
	memcpy(out->addr, byte, 4);
	out->port = (uint16_t)(byte[4] << 8 | byte[5]);
	out->ip_version = 4;
	return true;
}

static bool read_address(struct zb_text t, struct ftp_address *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	uint8_t a[16];

	if (t.n >= sizeof(text))
		return false;
	memcpy(text, t.d, t.n);
	text[t.n] = '\0';
	if (inet_pton(AF_INET, text, out->addr) == 1) {
		out->ip_version = 4;
		return true;
	}
	if (inet_pton(AF_INET6, text, a) != 1)
		return false;
	if (memcmp(a, mapped, sizeof(mapped)) == 0) {
		memcpy(out->addr, a + 12, 4);
		out->ip_version = 4;
	} else {
		memcpy(out->addr, a, 16);
		out->ip_version = 6;
	}
	return true;
}

static bool begins_with(struct zb_text t, uint8_t c)
{
	return t.n != 0 && *t.d == c;
}

/* "|protocol|address|port|" with any delimiter; protocol and address may be left out. */
bool ftp_eprt(struct zb_text t, struct ftp_address *out)
{
	const uint8_t *end;
	bool good = true;
	uint8_t delimiter;
	int64_t v = 0;

	memset(out, 0, sizeof(*out));
	t = skip_space(t);
	if (t.n == 0)
		return false;
	delimiter = *t.d;
	t = after(t, 1);
	take_number(&t, &v);
	if (!begins_with(t, delimiter))
		good = false;
	if (t.n != 0)
		t = after(t, 1);
	if (t.n != 0 && *t.d != delimiter) {
		end = memchr(t.d, delimiter, t.n);
		good = read_address(zb_text(t.d, end != NULL ? (size_t)(end - t.d) : t.n), out);
	}
	end = t.n != 0 ? memchr(t.d, delimiter, t.n) : NULL;
	if (end == NULL)
		return good;
	t = after(t, (size_t)(end - t.d) + 1);
	v = 0;
	take_number(&t, &v);
	if (!begins_with(t, delimiter) || v < 0 || v > 65535)
		return false;
	out->port = (uint16_t)v;
	return good;
}

/* Behind a parenthesis, or the word PORT, or where the digits before the first comma begin. */
bool ftp_pasv(struct zb_text t, struct ftp_address *out)
{
	const uint8_t *at;

	if (t.d == NULL || t.n == 0)
		return false;
	at = memchr(t.d, '(', t.n);
	if (at != NULL)
		return ftp_port(after(t, (size_t)(at - t.d) + 1), out);
	at = memmem(t.d, t.n, "PORT", 4);
	if (at != NULL)
		return (size_t)(at - t.d) + 5 <= t.n &&
		       ftp_port(after(t, (size_t)(at - t.d) + 5), out);
	at = memchr(t.d, ',', t.n);
	if (at == NULL)
		return false;
	while (at > t.d && zb_text_is_digit(at[-1]))
		at--;
	return ftp_port(after(t, (size_t)(at - t.d)), out);
}

bool ftp_epsv(struct zb_text t, struct ftp_address *out)
{
	const uint8_t *at = t.n != 0 ? memchr(t.d, '(', t.n) : NULL;

	return at != NULL && ftp_eprt(after(t, (size_t)(at - t.d) + 1), out);
}
