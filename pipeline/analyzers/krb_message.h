/* SPDX-License-Identifier: Apache-2.0 */
/*
 * krb_message.h - Kerberos messages, as krb.c and krb_tcp.c find them
 *
 * Threading: pure functions.
 */
#ifndef ZB_PIPELINE_ANALYZERS_KRB_MESSAGE_H
#define ZB_PIPELINE_ANALYZERS_KRB_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The n bytes are a message whose type and body agree (RFC 4120, 5.4 to 5.9). */
bool zb_krb_message_holds(const uint8_t *d, size_t n);

#endif
