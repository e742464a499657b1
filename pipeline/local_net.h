/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_net.h - is an address local? The private and reserved ranges that Zeek takes for local by
 * default
 *
 * Threading: pure function. Source: Zeek, base/utils/site.zeek (Site::private_address_space).
 */
#ifndef ZB_PIPELINE_LOCAL_NET_H
#define ZB_PIPELINE_LOCAL_NET_H

#include <stdbool.h>
#include <stdint.h>

bool zb_local_net(const uint8_t *addr, unsigned ip_version);

#endif
