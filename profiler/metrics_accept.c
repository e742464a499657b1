/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_accept.c - what an Accept header asks for */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "profiler/metrics.h"

#define ITEMS_MAX 64 /* of a header; the rest is not looked at */

/* Whether a parameter such as " q=0.5" is called name; *value is what it is. */
static bool is_param(const char *p, size_t len, const char *name, const char **value, size_t *n)
{
	size_t k = strlen(name);

	while (len > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		len--;
	}
	if (len <= k || strncasecmp(p, name, k) != 0 || p[k] != '=')
		return false;
	p += k + 1;
	len -= k + 1;
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (len >= 2 && *p == '"') {
		p++;
		len -= 2;
	}
	*value = p;
	*n = len;
	return true;
}

static bool is_word(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(p, word, len) == 0;
}

/* "0.5" to thousandths; what is no weight is none. */
static unsigned weight(const char *p, size_t len)
{
	unsigned q = 0, unit = 1000;

	if (len == 0 || (*p != '0' && *p != '1'))
		return 0;
	q = *p == '1' ? 1000 : 0;
	for (size_t i = 2; i < len && i < 5 && p[1] == '.'; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		unit /= 10;
		q += (unsigned)(p[i] - '0') * unit;
	}
	return q > 1000 ? 1000 : q;
}

struct item {
	bool open, text;
	unsigned q;
};

/* One media type with its parameters. */
static struct item read_item(const char *p, size_t len)
{
	size_t part = 0, n = 0;
	struct item it = {.q = 1000};
	const char *value;

	for (size_t at = 0; at < len; at += part + 1) {
		const char *w = p + at;

		for (part = 0; at + part < len && w[part] != ';'; part++)
			;
		if (is_param(w, part, "q", &value, &n)) {
			it.q = weight(value, n);
		} else if (is_param(w, part, "version", &value, &n)) {
			if (it.open && !is_word(value, n, "1.0.0") && !is_word(value, n, "0.0.1"))
				it.open = false;
		} else if (at == 0) {
			size_t end = part;

			while (end > 0 && (*w == ' ' || *w == '\t')) {
				w++;
				end--;
			}
			while (end > 0 && (w[end - 1] == ' ' || w[end - 1] == '\t'))
				end--;
			it.open = is_word(w, end, "application/openmetrics-text");
			it.text = is_word(w, end, "text/plain") || is_word(w, end, "text/*") ||
				  is_word(w, end, "*/*");
		}
	}
	return it;
}

enum zb_metrics_format zb_metrics_accept(const char *header)
{
	unsigned open = 0, text = 0;

	for (unsigned i = 0; header != NULL && i < ITEMS_MAX; i++) {
		size_t len = strcspn(header, ",");
		struct item it = read_item(header, len);

		if (it.open && it.q > open)
			open = it.q;
		if (it.text && it.q > text)
			text = it.q;
		if (header[len] == '\0')
			break;
		header += len + 1;
	}
	return open != 0 && open >= text ? ZB_METRICS_OPEN : ZB_METRICS_TEXT;
}
