/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_name.c - names: labels and compression (RFC 1035, 4.1.4), NetBIOS encoding (RFC 1001, 14.1)
 *
 * A pointer leads backwards only, and what it leads to ends where the pointer stands, so that no
 * chain of pointers can be a loop; it may be DEPTH_MAX long. A malformed name ends where it becomes
 * so: what was read counts, and reading goes on behind it, as Zeek does.
 */
#include "pipeline/analyzers/dns_priv.h"

#define LABEL_MAX 63
#define POINTER	  0xc0
#define DEPTH_MAX 20  /* Zeek: dns_max_compression_chain_depth */
#define LONG_NAME 255 /* bytes with the last dot */

/* Where names are read from and to; a level for each pointer that is being followed. */
struct name_walk {
	const uint8_t *p, *end;
	const uint8_t *behind; /* the first pointer; NULL: none yet */
	char *out, *begin[DEPTH_MAX + 1];
	size_t room;
	unsigned depth;
	bool bad;
};

static void oddity(struct dns_msg *m, struct name_walk *w, enum zb_weird_name name)
{
	w->bad = true;
	if (m != NULL)
		dns_weird(m, name);
}

static bool follow(struct dns_msg *m, const uint8_t *begin, struct name_walk *w)
{
	const uint8_t *at = w->p - 1;
	size_t to = (size_t)(*at & ~POINTER) << 8 | *w->p++;

	if (w->depth == 0)
		w->behind = w->p;
	if (to >= (size_t)(at - begin)) {
		oddity(m, w, ZB_WEIRD_DNS_label_forward_compress_offset);
		return false;
	}
	if (w->depth == DEPTH_MAX) {
		oddity(m, w, ZB_WEIRD_DNS_max_compression_chain_depth_exceeded);
		if (m != NULL)
			zb_conn_history_limit(zb_analyzer_conn(&m->s->base));
		return false;
	}
	w->begin[++w->depth] = w->out;
	w->p = begin + to;
	w->end = at;
	return true;
}

/* One label, or what stands for the rest of the name; false: the name is over. */
static bool take_label(struct dns_msg *m, const uint8_t *begin, struct name_walk *w,
		       bool long_labels)
{
	size_t n, left;

	if (w->p == w->end)
		return false;
	n = *w->p++;
	left = (size_t)(w->end - w->p);
	if (left == 0 || n == 0)
		return false;
	if ((n & POINTER) == POINTER)
		return follow(m, begin, w);
	if (n > left) {
		w->p = w->end;
		oddity(m, w, ZB_WEIRD_DNS_label_len_gt_pkt);
		return false;
	}
	if (n > LABEL_MAX && !long_labels) {
		oddity(m, w, ZB_WEIRD_DNS_label_too_long);
		return false;
	}
	if (n >= w->room) {
		oddity(m, w, ZB_WEIRD_DNS_label_len_gt_name_len);
		return false;
	}
	memcpy(w->out, w->p, n);
	w->out[n] = '.';
	w->out += n + 1;
	w->room -= n + 1;
	w->p += n;
	return true;
}

/* ASCII capitals of eight bytes at once: those whose low seven bits are in A..Z, and the top not.
 */
static uint64_t lower8(uint64_t w)
{
	const uint64_t one = 0x0101010101010101u, high = 0x80 * one;
	uint64_t low7 = w & ~high;
	uint64_t from_a = low7 + (0x80 - 'A') * one, beyond_z = low7 + (0x7f - 'Z') * one;

	return w | ((from_a ^ beyond_z) & ~w & high) >> 2;
}

/* The room behind a name may be written, too. */
static void lower(char *s, size_t n)
{
	uint64_t w;

	for (size_t i = 0; i < n; i += sizeof(w)) {
		memcpy(&w, s + i, sizeof(w));
		w = lower8(w);
		memcpy(s + i, &w, sizeof(w));
	}
}

/* m NULL: no weirds. Returns the name's bytes. */
static size_t read_name(struct dns_msg *m, const uint8_t *begin, struct name_walk *w, char *out,
			bool long_labels)
{
	w->out = w->begin[0] = out;
	w->behind = NULL;
	w->room = DNS_NAME_MAX;
	w->depth = 0;
	w->bad = false;
	while (take_label(m, begin, w, long_labels))
		;
	/* Every level loses its last dot, the innermost first. */
	for (unsigned level = w->depth + 1; level-- > 0;) {
		size_t n = (size_t)(w->out - w->begin[level]);

		if (n >= LONG_NAME)
			oddity(m, w, ZB_WEIRD_DNS_NAME_too_long);
		if (n >= 2 && w->out[-1] == '.')
			w->out--;
	}
	lower(out, (size_t)(w->out - out));
	return (size_t)(w->out - out);
}

size_t dns_take_name(struct dns_msg *m, char *out)
{
	struct name_walk w;
	size_t n;

	w.p = m->p;
	w.end = m->end;
	n = read_name(m, m->begin, &w, out, m->is_netbios);
	m->p = w.behind != NULL ? w.behind : w.p;
	m->is_name_bad = w.bad;
	return n;
}

size_t dns_name_again(const struct dns_msg *m, const uint8_t *at, char *out)
{
	struct name_walk w;

	w.p = at;
	w.end = m->end;
	return read_name(NULL, m->begin, &w, out, m->is_netbios);
}

void dns_skip_name(struct dns_msg *m)
{
	char room[DNS_NAME_ROOM];

	/* Most names are a pointer to the first question. */
	if (m->is_first_clean && dns_left(m) > 2 && m->p[0] == POINTER && m->p[1] == 12)
		m->p += 2;
	else
		dns_take_name(m, room);
}

static int nibble(char c)
{
	c = (char)(c & ~0x20);
	return c >= 'A' && c <= 'P' ? c - 'A' : -1;
}

/* What a name may hold; 1 and 2 are part of the name of master browsers. */
static bool is_netbios_char(uint8_t c)
{
	return (c >= ' ' && c < 0x7f) || c < 3;
}

size_t dns_netbios_name(char *name, size_t n)
{
	char out[16];
	size_t len = 0;

	if (n != 2 * sizeof(out))
		return 0;
	for (size_t i = 0; i < sizeof(out); i++) {
		int high = nibble(name[2 * i]), low = nibble(name[2 * i + 1]);

		if (high < 0 || low < 0)
			return 0;
		out[i] = (char)(high << 4 | low);
		if (!is_netbios_char((uint8_t)out[i]))
			break;
		len++;
	}
	/* The last byte is the kind of name. */
	len -= len == sizeof(out);
	while (len > 0 && (out[len - 1] == ' ' || out[len - 1] == '\0'))
		len--;
	memcpy(name, out, len);
	return len;
}
