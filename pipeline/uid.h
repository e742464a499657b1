/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uid.h - connection ids in Zeek's shape: "C" and 96 bits in base 62
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_UID_H
#define ZB_PIPELINE_UID_H

#include <stdint.h>

#define ZB_UID_MAX 19 /* letters at most, no terminator */

/*
 * Writes the uid of a connection's sequence number; different for each run's secret. Returns its
 * length.
 */
unsigned zb_uid_format(char *buf, char prefix, uint64_t seq, uint64_t secret);

#endif
