/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnp3.h - link frames of DNP3, as dnp3_tcp.c and dnp3_udp.c find them
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_ANALYZERS_DNP3_H
#define ZB_PIPELINE_ANALYZERS_DNP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZB_DNP3_HEADER_BYTES 10 /* start, length, control, destination, source, checksum */
#define ZB_DNP3_FRAME_MAX    292

/* Bytes of the frame whose header is at d (ZB_DNP3_HEADER_BYTES), its checksums included. */
size_t zb_dnp3_frame_bytes(const uint8_t *d);

/* The header begins as one must and its checksum is right (IEEE 1815, 9.2). */
bool zb_dnp3_header_holds(const uint8_t *d);

#endif
