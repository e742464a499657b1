/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_peer.h - devices that have a process at their other end instead of a cable
 *
 * Threading: main.
 */
#ifndef ZB_CAPTURE_PORT_PEER_H
#define ZB_CAPTURE_PORT_PEER_H

#include <stdbool.h>
#include <stdint.h>

bool zb_peer_of(const char *driver);
/* Whether a driver forgets what it has counted when the other side leaves. */
bool zb_peer_forgets(const char *driver);

/*
 * Starts a device, whatever kind it is. device is as --port has it. A client that has been turned
 * away by a server which is not ready is made to try again, for a while. 0 or -errno, not said.
 */
int zb_peer_start(uint16_t port, const char *device);

bool zb_peer_link_is_up(uint16_t port);

#endif
