/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flame_text.c - numbers and names as text of an SVG
 *
 * Numbers are written from integers, never by %f, so that no locale puts a comma into them.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "profiler/flame_priv.h"

void zb_flame_put_fixed2(FILE *out, double v)
{
	long long c = llround(v * 100);

	fprintf(out, "%lld", c / 100);
	if (c % 100 != 0)
		fprintf(out, ".%02lld", c % 100);
}

void zb_flame_put_percent(FILE *out, uint64_t part, uint64_t whole)
{
	long long c = whole > 0 ? llround((double)part / (double)whole * 10000) : 0;

	fprintf(out, "%lld.%02lld %%", c / 100, c % 100);
}

void zb_flame_put_grouped(FILE *out, uint64_t v)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, v);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			fputc(',', out);
		fputc(digits[i], out);
	}
}

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Reads one code point and returns how many bytes it took. A byte that is not UTF-8, or a character
 * that XML does not allow, gives U+FFFD.
 */
static size_t read_char(const char *s, size_t len, uint32_t *cp)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t want = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	*cp = 0xfffd;
	if (want == 0 || want > len || u[0] > 0xf4)
		return 1;
	uint32_t c = want == 1 ? u[0] : u[0] & (0x7fU >> want);
	for (size_t i = 1; i < want; i++) {
		if (!is_continuation(u[i]))
			return 1;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < least[want] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || c == 0xfffe ||
	    c == 0xffff || (c < 0x20 && c != '\t') || c == 0x7f)
		return 1;
	*cp = c;
	return want;
}

static void put_char(FILE *out, const char *s, size_t bytes, uint32_t cp)
{
	switch (cp) {
	case '<': fputs("&lt;", out); break;
	case '>': fputs("&gt;", out); break;
	case '&': fputs("&amp;", out); break;
	case '"': fputs("&quot;", out); break;
	case '\'': fputs("&#39;", out); break;
	case '\t': fputc(' ', out); break;
	case 0xfffd: fputs("\xef\xbf\xbd", out); break;
	default: fwrite(s, 1, bytes, out);
	}
}

/* Far-eastern characters take two columns of a monospaced font. */
static size_t char_columns(uint32_t cp)
{
	return cp >= 0x1100 && cp != 0xfffd ? 2 : 1;
}

void zb_flame_put_text(FILE *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t bytes = read_char(s + i, len - i, &cp);

		put_char(out, s + i, bytes, cp);
		i += bytes;
	}
}

/* As put_text, but at most columns wide: what does not fit ends in "..". */
void zb_flame_put_clipped(FILE *out, const char *s, size_t len, size_t columns)
{
	size_t used = 0, cut = 0; /* cut: where ".." would have to begin */
	size_t i = 0;

	while (i < len && used <= columns) {
		uint32_t cp;
		size_t bytes = read_char(s + i, len - i, &cp);

		used += char_columns(cp);
		i += bytes;
		if (used + 2 <= columns)
			cut = i;
	}
	if (used <= columns) {
		zb_flame_put_text(out, s, len);
		return;
	}
	zb_flame_put_text(out, s, cut);
	fputs("..", out);
}
