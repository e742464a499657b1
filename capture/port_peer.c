/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_peer.c - see port_peer.h
 *
 * A server of net_memif listens from when EAL makes it, but turns clients away until it is started,
 * and its clients do not come back.
 */
#include "capture/port_peer.h"

#include <rte_ethdev.h>
#include <string.h>
#include <unistd.h>

#define TRIES	40
#define LINK_MS 250
#define POLL_MS 5

bool zb_peer_of(const char *driver)
{
	static const char *const names[] = {"net_memif", "net_vhost", "net_virtio_user"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

bool zb_peer_forgets(const char *driver)
{
	return strcmp(driver, "net_memif") == 0;
}

bool zb_peer_link_is_up(uint16_t port)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static bool is_client(const char *device)
{
	return strncmp(device, "net_memif", strlen("net_memif")) == 0 &&
	       (strstr(device, ",role=client") != NULL || strstr(device, ",role=slave") != NULL);
}

int zb_peer_start(uint16_t port, const char *device)
{
	int ret = rte_eth_dev_start(port);

	for (unsigned i = 0; ret == 0 && is_client(device); i++) {
		for (unsigned ms = 0; ms < LINK_MS && !zb_peer_link_is_up(port); ms += POLL_MS)
			usleep(POLL_MS * 1000);
		if (i == TRIES || zb_peer_link_is_up(port))
			break;
		(void)rte_eth_dev_stop(port);
		ret = rte_eth_dev_start(port);
	}
	return ret;
}
