/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf.c - writes protocol buffer messages
 *
 * A field is its number and wire type in one varint, then its value: a varint (type 0), or a length
 * and so many bytes (type 2). A varint has seven bits a byte, the low ones first; the highest bit
 * says that more follow.
 */
#include <stdlib.h>
#include <string.h>
#include "profiler/protobuf.h"

enum wire { WIRE_VARINT = 0, WIRE_BYTES = 2 };

void zb_pb_fini(struct zb_pb *m)
{
	free(m->data);
	*m = (struct zb_pb){0};
}

static uint8_t *reserve(struct zb_pb *m, size_t bytes)
{
	size_t room = m->room;
	uint8_t *data;

	if (m->failed)
		return NULL;
	if (bytes > SIZE_MAX / 4 - m->len) {
		m->failed = true;
		return NULL;
	}
	if (m->len + bytes > room) {
		for (room = room == 0 ? 256 : room; room < m->len + bytes;)
			room *= 2;
		data = realloc(m->data, room);
		if (data == NULL) {
			m->failed = true;
			return NULL;
		}
		m->data = data;
		m->room = room;
	}
	return m->data + m->len;
}

void zb_pb_packed(struct zb_pb *list, uint64_t v)
{
	uint8_t *to = reserve(list, 10);

	if (to == NULL)
		return;
	for (; v >= 0x80; v >>= 7)
		*to++ = (uint8_t)(v | 0x80);
	*to++ = (uint8_t)v;
	list->len = (size_t)(to - list->data);
}

static void put_key(struct zb_pb *m, unsigned field, enum wire wire)
{
	zb_pb_packed(m, (uint64_t)field << 3 | wire);
}

void zb_pb_number(struct zb_pb *m, unsigned field, uint64_t v)
{
	if (v == 0)
		return;
	put_key(m, field, WIRE_VARINT);
	zb_pb_packed(m, v);
}

void zb_pb_bytes(struct zb_pb *m, unsigned field, const void *data, size_t len)
{
	uint8_t *to;

	put_key(m, field, WIRE_BYTES);
	zb_pb_packed(m, len);
	to = reserve(m, len);
	if (to == NULL || len == 0)
		return;
	memcpy(to, data, len);
	m->len += len;
}

void zb_pb_string(struct zb_pb *m, unsigned field, const char *text)
{
	zb_pb_bytes(m, field, text, strlen(text));
}

void zb_pb_message(struct zb_pb *m, unsigned field, struct zb_pb *sub)
{
	m->failed = m->failed || sub->failed;
	zb_pb_bytes(m, field, sub->data, sub->len);
	sub->len = 0;
}
