/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port_peer.c - see port_peer.h
 *
 * A server of net_memif listens from when EAL makes it, but turns clients away until it is started,
 * and its clients do not come back. A client is made to when its connection is gone, not when it
 * takes long: they agree in a dozen messages, each of which may wait for a CPU, and one who leaves
 * in the middle takes the memory away that the server may have begun to use.
 */
#include "capture/port_peer.h"

#include <rte_ethdev.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "capture/memif_unmap.h"

#define PATIENCE_MS 10000
#define POLL_MS	    5
#define AWAY_MS	    50	 /* until a client that was turned away asks again */
#define FD_NR	    1024 /* where a descriptor is looked for: new ones have low numbers */

bool zb_peer_of(const char *driver)
{
	static const char *const names[] = {"net_memif", "net_vhost", "net_virtio_user"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(driver, names[i]) == 0)
			return true;
	return false;
}

/* Of a driver's name, or of a device's, which begins with its driver's. */
static bool is_memif(const char *name)
{
	return strncmp(name, "net_memif", strlen("net_memif")) == 0;
}

bool zb_peer_forgets(const char *driver)
{
	return is_memif(driver);
}

bool zb_peer_link_is_up(uint16_t port)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static bool is_client(const char *device)
{
	return is_memif(device) &&
	       (strstr(device, ",role=client") != NULL || strstr(device, ",role=slave") != NULL);
}

/* Connections of the kind that memif has, to whichever server. */
static unsigned connections(void)
{
	unsigned nr = 0;

	for (int fd = 0; fd < FD_NR; fd++) {
		int domain, type;
		socklen_t len = sizeof(domain);

		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 || domain != AF_UNIX)
			continue;
		len = sizeof(type);
		nr += getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		      type == SOCK_SEQPACKET;
	}
	return nr;
}

int zb_peer_start(uint16_t port, const char *device)
{
	bool client = is_client(device);
	unsigned others = client ? connections() : 0;
	int ret;

	if (is_memif(device))
		zb_memif_guard();
	ret = rte_eth_dev_start(port);

	for (unsigned ms = 0; client && ret == 0 && ms < PATIENCE_MS;) {
		bool open = connections() > others;
		unsigned wait = open ? POLL_MS : AWAY_MS;

		if (zb_peer_link_is_up(port))
			break;
		usleep(wait * 1000);
		ms += wait;
		if (open)
			continue;
		(void)rte_eth_dev_stop(port);
		ret = rte_eth_dev_start(port);
	}
	return ret;
}
