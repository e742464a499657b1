/* SPDX-License-Identifier: Apache-2.0 */
/* dnp3.c - see dnp3.h */
#include "pipeline/analyzers/dnp3.h"

#define LENGTH_MIN 5  /* control, destination, source */
#define BLOCK	   16 /* user data between checksums */

size_t zb_dnp3_frame_bytes(const uint8_t *d)
{
	size_t user = d[2] > LENGTH_MIN ? d[2] - (size_t)LENGTH_MIN : 0;

	return ZB_DNP3_HEADER_BYTES + user + (user + BLOCK - 1) / BLOCK * 2;
}

/* The protocol's CRC-16: polynomial 0x3d65, reflected, inverted. */
static unsigned crc16(const uint8_t *d, size_t n)
{
	unsigned crc = 0;

	for (size_t i = 0; i < n; i++) {
		crc ^= d[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xa6bc : crc >> 1;
	}
	return ~crc & 0xffff;
}

bool zb_dnp3_header_holds(const uint8_t *d)
{
	unsigned crc = crc16(d, ZB_DNP3_HEADER_BYTES - 2);

	return d[0] == 0x05 && d[1] == 0x64 && d[2] >= LENGTH_MIN && d[8] == (crc & 0xff) &&
	       d[9] == crc >> 8;
}
