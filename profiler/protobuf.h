/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf.h - writes protocol buffer messages: numbers, strings, and messages inside messages
 *
 * A message is bytes in a buffer that grows. Errors stick: after -ENOMEM nothing more is added, and
 * failed tells.
 *
 * Threading: one thread at a time.
 */
#ifndef ZB_PROFILER_PROTOBUF_H
#define ZB_PROFILER_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zb_pb {
	uint8_t *data;
	size_t len, room;
	bool failed; /* no memory */
};

void zb_pb_fini(struct zb_pb *m);

/* Fields of the given number. A number of 0 is the default and is not written. */
void zb_pb_number(struct zb_pb *m, unsigned field, uint64_t v);
void zb_pb_bytes(struct zb_pb *m, unsigned field, const void *data, size_t len);
void zb_pb_string(struct zb_pb *m, unsigned field, const char *text);

/* Adds sub as a field and empties it for the next one. */
void zb_pb_message(struct zb_pb *m, unsigned field, struct zb_pb *sub);

/* A number without a field: of a packed list, whose bytes become one field. */
void zb_pb_packed(struct zb_pb *list, uint64_t v);

#endif
