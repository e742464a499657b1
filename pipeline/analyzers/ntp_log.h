/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntp_log.h - a row of ntp.log
 *
 * Threading: one lcore.
 */
#ifndef ZB_PIPELINE_ANALYZERS_NTP_LOG_H
#define ZB_PIPELINE_ANALYZERS_NTP_LOG_H

#include "pipeline/analyzer.h"

/* d is a message of at least 48 bytes if it is a standard one; else only its first byte is read. */
void zb_ntp_row(struct zb_analyzer *a, const uint8_t *d, bool is_standard);

#endif
