/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_build.h - DNS messages, put together piece by piece, for tests
 *
 * Include after cmocka.h.
 */
#ifndef ZB_TESTS_UNIT_DNS_BUILD_H
#define ZB_TESTS_UNIT_DNS_BUILD_H

#include <stdint.h>
#include <string.h>

#define DB_REPLY 0x8000

struct dns_build {
	uint8_t d[4096];
	size_t n;
	size_t data_at; /* of the record being built */
};

static inline void db_bytes(struct dns_build *m, const void *d, size_t n)
{
	assert_true(n <= sizeof(m->d) - m->n);
	memcpy(m->d + m->n, d, n);
	m->n += n;
}

static inline void db_8(struct dns_build *m, unsigned v)
{
	db_bytes(m, &(uint8_t){(uint8_t)v}, 1);
}

static inline void db_16(struct dns_build *m, unsigned v)
{
	db_8(m, v >> 8);
	db_8(m, v & 0xff);
}

static inline void db_32(struct dns_build *m, uint32_t v)
{
	db_16(m, v >> 16);
	db_16(m, v & 0xffff);
}

/* A header; counts: questions, answers, authority, additional. */
static inline void db_begin(struct dns_build *m, unsigned id, unsigned flags,
			    const unsigned counts[4])
{
	m->n = 0;
	db_16(m, id);
	db_16(m, flags);
	for (unsigned i = 0; i < 4; i++)
		db_16(m, counts[i]);
}

/* Text without a last dot; "" is the root. */
static inline void db_name(struct dns_build *m, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ".");

		db_8(m, (unsigned)n);
		db_bytes(m, text, n);
		text += n + (text[n] == '.');
	}
	db_8(m, 0);
}

static inline void db_pointer(struct dns_build *m, size_t to)
{
	db_16(m, 0xc000 | (unsigned)to);
}

static inline void db_question(struct dns_build *m, const char *name, unsigned type)
{
	db_name(m, name);
	db_16(m, type);
	db_16(m, 1);
}

/* A record about the first question's name; its data follow, then db_record_end(). */
static inline void db_record(struct dns_build *m, unsigned type, unsigned class, uint32_t ttl)
{
	db_pointer(m, 12);
	db_16(m, type);
	db_16(m, class);
	db_32(m, ttl);
	db_16(m, 0);
	m->data_at = m->n;
}

static inline void db_record_end(struct dns_build *m)
{
	size_t n = m->n - m->data_at;

	m->d[m->data_at - 2] = (uint8_t)(n >> 8);
	m->d[m->data_at - 1] = (uint8_t)n;
}

/* A query with one question. */
static inline void db_query(struct dns_build *m, unsigned id, const char *name, unsigned type)
{
	db_begin(m, id, 0x0100, (const unsigned[4]){1, 0, 0, 0});
	db_question(m, name, type);
}

/* The begin of a reply to it, with n answers to follow. */
static inline void db_reply(struct dns_build *m, unsigned id, const char *name, unsigned type,
			    unsigned n)
{
	db_begin(m, id, 0x8580, (const unsigned[4]){1, n, 0, 0});
	db_question(m, name, type);
}

static inline void db_a(struct dns_build *m, uint32_t ttl, uint32_t addr)
{
	db_record(m, 1, 1, ttl);
	db_32(m, addr);
	db_record_end(m);
}

#endif
