/* SPDX-License-Identifier: Apache-2.0 */
/* ssh_info.c - see ssh_info.h */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/ssh_info.h"
#include "pipeline/file_hash.h"

#define COOKIE_BYTES	  16
#define LISTS		  8   /* names of algorithms in an offer, up to compression */
#define FINGERPRINT_CHARS 32  /* of base64, as Zeek has it */
#define SUCCESS_LESS	  16  /* bytes that a success is shorter than a service's acceptance */
#define GREETING_BYTES	  256 /* what is that much longer is a text for the user */

enum { SSH2_KEXINIT = 20, SSH2_KEX_REPLY = 31, SSH2_GEX_REPLY = 33 };

/* The places of lists in an offer; ciphers, MACs, compressions: client to server, and back. */
enum { LIST_KEX, LIST_HOST_KEY, LIST_CIPHER, LIST_MAC = 4, LIST_COMPRESSION = 6 };

struct list {
	const char *d;
	size_t n;
};

static struct zb_mem *mem_of(const struct zb_analyzer *a)
{
	return &zb_analyzer_analysis(a)->mem;
}

void zb_ssh_info_banner(struct zb_analyzer *a, struct zb_ssh_info **info, unsigned side,
			const uint8_t *d, size_t n)
{
	struct zb_ssh_info *s = *info;

	if (zb_analyzer_analysis(a)->port[ZB_LOG_SSH] == NULL)
		return;
	if (s == NULL) {
		s = *info = zb_mem_get(mem_of(a), a->def->mem, sizeof(*s));
		if (s == NULL) {
			zb_mem_shed(mem_of(a), a->def->mem);
			return;
		}
		s->ts_ns = zb_analyzer_now_ns(a);
	}
	s->has_banner[side] = true;
	s->banner[side].n = (uint16_t)(n < ZB_SSH_BANNER_MAX ? n : ZB_SSH_BANNER_MAX);
	memcpy(s->banner[side].d, d, s->banner[side].n);
}

/* A string behind its length, taken off *t. */
static bool take_string(struct list *t, struct list *out)
{
	const uint8_t *d = (const uint8_t *)t->d;
	uint32_t n;

	if (t->n < 4)
		return false;
	n = (uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3];
	if (n > t->n - 4)
		return false;
	*out = (struct list){t->d + 4, n};
	*t = (struct list){t->d + 4 + n, t->n - 4 - n};
	return true;
}

static bool take_name(struct list *t, struct list *name)
{
	const char *comma;

	while (t->n != 0 && *t->d == ',')
		*t = (struct list){t->d + 1, t->n - 1};
	if (t->n == 0)
		return false;
	comma = memchr(t->d, ',', t->n);
	*name = (struct list){t->d, comma != NULL ? (size_t)(comma - t->d) : t->n};
	*t = (struct list){t->d + name->n, t->n - name->n};
	return true;
}

/* The first name of want that is in have as well. Lists are short: both are bounded by a message.
 */
static struct list first_common(struct list want, struct list have)
{
	static const char none[] = "Algorithm negotiation failed";
	struct list name, other;
	unsigned compared = 0;

	while (take_name(&want, &name)) {
		for (struct list rest = have;
		     compared < ZB_SSH_MESSAGE_MAX && take_name(&rest, &other); compared++)
			if (name.n == other.n && memcmp(name.d, other.d, name.n) == 0)
				return name;
	}
	return (struct list){none, sizeof(none) - 1};
}

static void set_alg(struct zb_ssh_text *t, struct list there, struct list back)
{
	int n;

	if (there.n == back.n && memcmp(there.d, back.d, there.n) == 0)
		n = snprintf(t->d, ZB_SSH_ALG_MAX, "%.*s", (int)there.n, there.d);
	else
		n = snprintf(t->d, ZB_SSH_ALG_MAX, "To server: %.*s, to client: %.*s", (int)there.n,
			     there.d, (int)back.n, back.d);
	t->n = (uint16_t)(n < ZB_SSH_ALG_MAX ? n : ZB_SSH_ALG_MAX - 1);
}

static bool begins(const struct zb_ssh_text *t, const char *word)
{
	size_t n = strlen(word);

	return t->n >= n && memcmp(t->d, word, n) == 0;
}

/* The message in which the server shows its key depends on how keys are exchanged. */
static uint8_t key_message_of(const struct zb_ssh_text *kex)
{
	if (begins(kex, "rsa"))
		return 0;
	return begins(kex, "gss-") || begins(kex, "diffie-hellman-group-exchange-")
		       ? SSH2_GEX_REPLY
		       : SSH2_KEX_REPLY;
}

static bool read_offer(const uint8_t *d, size_t n, struct list lists[LISTS])
{
	struct list rest = {(const char *)d, n};

	if (n < COOKIE_BYTES)
		return false;
	rest = (struct list){rest.d + COOKIE_BYTES, n - COOKIE_BYTES};
	for (unsigned i = 0; i < LISTS; i++)
		if (!take_string(&rest, &lists[i]))
			return false;
	return true;
}

/* Both offers are there. */
static void agree(struct zb_ssh_info *s, const struct zb_ssh_message *m)
{
	static const uint8_t two_way[][2] = {{ZB_SSH_CIPHER, LIST_CIPHER},
					     {ZB_SSH_MAC, LIST_MAC},
					     {ZB_SSH_COMPRESSION, LIST_COMPRESSION}};
	static const uint8_t one_way[][2] = {{ZB_SSH_KEX, LIST_KEX},
					     {ZB_SSH_HOST_KEY, LIST_HOST_KEY}};
	struct list lists[2][LISTS], *client = lists[s->offer_side],
				     *server = lists[!s->offer_side];

	if (!read_offer(s->offer.d, s->offer.n, lists[0]) || !read_offer(m->d, m->n, lists[1]))
		return;
	for (unsigned i = 0; i < 3; i++) {
		unsigned at = two_way[i][1];

		set_alg(&s->alg[two_way[i][0]], first_common(client[at], server[at]),
			first_common(client[at + 1], server[at + 1]));
	}
	for (unsigned i = 0; i < 2; i++) {
		struct list name = first_common(client[one_way[i][1]], server[one_way[i][1]]);

		set_alg(&s->alg[one_way[i][0]], name, name);
	}
	s->agreed = true;
	s->key_message = key_message_of(&s->alg[ZB_SSH_KEX]);
}

/* The server's key: its hash. */
static void read_key(struct zb_ssh_info *s, const struct zb_ssh_message *m)
{
	struct list rest = {(const char *)m->d, m->n}, key;
	struct zb_file_hashes h;
	uint8_t text[48];

	s->key_message = 0;
	if (!take_string(&rest, &key))
		return;
	zb_file_hash_begin(&h, 1 << ZB_SUM_SHA256);
	zb_file_hash_add(&h, 1 << ZB_SUM_SHA256, (const uint8_t *)key.d, key.n);
	zb_file_hash_end(&h, 1 << ZB_SUM_SHA256);
	EVP_EncodeBlock(text, h.sha256.out, 32);
	snprintf(s->fingerprint, sizeof(s->fingerprint), "SHA256:%.*s", FINGERPRINT_CHARS, text);
}

static void drop(struct zb_analyzer *a, struct zb_ssh_message *m)
{
	zb_mem_put(mem_of(a), a->def->mem, m->d, m->room);
	*m = (struct zb_ssh_message){NULL, 0, 0};
}

bool zb_ssh_info_wants(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side, uint8_t type,
		       size_t n)
{
	struct zb_ssh_message *m;

	if (s == NULL || n == 0 || n > ZB_SSH_MESSAGE_MAX ||
	    (type == SSH2_KEXINIT ? s->agreed : type != s->key_message))
		return false;
	m = &s->message[side];
	drop(a, m);
	m->d = zb_mem_get_raw(mem_of(a), a->def->mem, n);
	if (m->d == NULL) {
		zb_mem_shed(mem_of(a), a->def->mem);
		return false;
	}
	m->room = (uint32_t)n;
	return true;
}

/* A message is whole. */
static void whole(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side)
{
	struct zb_ssh_message *m = &s->message[side];

	if (s->agreed) {
		if (s->key_message != 0)
			read_key(s, m);
	} else if (s->offer.d == NULL) {
		s->offer_side = (uint8_t)side;
		s->offer = *m;
		*m = (struct zb_ssh_message){NULL, 0, 0};
	} else if (s->offer_side != side) {
		agree(s, m);
		drop(a, &s->offer);
	}
	drop(a, m);
}

void zb_ssh_info_message(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side,
			 const uint8_t *d, size_t n)
{
	struct zb_ssh_message *m = s != NULL ? &s->message[side] : NULL;

	if (m == NULL || m->d == NULL)
		return;
	n = n < m->room - m->n ? n : m->room - m->n;
	memcpy(m->d + m->n, d, n);
	m->n += (uint32_t)n;
	if (m->n == m->room)
		whole(a, s, side);
}

void zb_ssh_info_gap(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side)
{
	if (s != NULL)
		drop(a, &s->message[side]);
}

/* What a compressed stream's sizes say is not known. */
static bool is_readable(const struct zb_ssh_info *s)
{
	return !s->agreed || !(begins(&s->alg[ZB_SSH_COMPRESSION], "zlib") &&
			       (s->alg[ZB_SSH_COMPRESSION].n == 4 ||
				begins(&s->alg[ZB_SSH_COMPRESSION], "zlib@openssh.com")));
}

static void attempted(struct zb_analyzer *a, struct zb_ssh_info *s, bool success)
{
	zb_analysis_event(zb_analyzer_analysis(a));
	s->has_result = true;
	s->success = success;
	s->attempts++;
	s->decided = success;
	if (!success)
		return;
	s->logged = true;
	zb_ssh_row(a, s);
}

bool zb_ssh_info_encrypted(struct zb_analyzer *a, struct zb_ssh_info *s, unsigned side, size_t n)
{
	uint32_t len = (uint32_t)n;

	if (s == NULL || !is_readable(s))
		return false;
	if (side == ZB_ORIG) {
		s->client_spoke = true;
		return true;
	}
	if (!s->client_spoke)
		return true;
	if (s->service_size == 0) {
		s->service_size = len;
	} else if (s->failure_size == 0) {
		if (len + SUCCESS_LESS == s->service_size)
			attempted(a, s, true);
		else if (!s->banner_skipped && len > s->service_size + GREETING_BYTES)
			s->banner_skipped = true;
		else
			s->failure_size = len;
	} else if (len == s->failure_size) {
		attempted(a, s, false);
	} else if (len + SUCCESS_LESS == s->service_size) {
		attempted(a, s, true);
	}
	return !s->decided && ++s->segments < ZB_SSH_SEGMENTS_MAX;
}

void zb_ssh_info_flip(struct zb_ssh_info *s)
{
	struct zb_ssh_message m;
	struct zb_ssh_text banner;
	bool has;

	if (s == NULL)
		return;
	banner = s->banner[0];
	has = s->has_banner[0];
	s->banner[0] = s->banner[1];
	s->banner[1] = banner;
	s->has_banner[0] = s->has_banner[1];
	s->has_banner[1] = has;
	m = s->message[0];
	s->message[0] = s->message[1];
	s->message[1] = m;
	s->offer_side = !s->offer_side;
}

void zb_ssh_info_end(struct zb_analyzer *a, struct zb_ssh_info *s)
{
	if (s == NULL)
		return;
	if (!s->logged)
		zb_ssh_row(a, s);
	drop(a, &s->offer);
	drop(a, &s->message[0]);
	drop(a, &s->message[1]);
	zb_mem_put(mem_of(a), a->def->mem, s, sizeof(*s));
}
