/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcap_handle.c - see pcap_handle.h
 *
 * The gate is a filter on the socket, set past libpcap: pcap_setfilter() would apply the new filter
 * to packets that the kernel has let in and counted before.
 */
#include "capture/pcap_handle.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/iface_ring.h"
#include "capture/source_pcap.h"
#include "capture/trace_priv.h"
#include "profiler/diag.h"

#define SNAPLEN	   262144
#define BUFFER_MAX (1u << 30) /* libpcap has it as an int */

static int fail(const char *name, int code, const char *why)
{
	switch (code) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		zb_err("--iface %s%s: no such interface; see ip link", ZB_PCAP_PREFIX, name);
		return -ENODEV;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		zb_err("--iface %s%s: no right to capture; run as root or with CAP_NET_RAW",
		       ZB_PCAP_PREFIX, name);
		return -EPERM;
	default:
		zb_err("--iface %s%s: %s", ZB_PCAP_PREFIX, name,
		       *why != '\0' ? why : pcap_statustostr(code));
		return -EIO;
	}
}

static int activate(struct zb_pcap_handle *h, uint64_t ring_bytes, bool promiscuous)
{
	pcap_t *p = h->pcap;
	char why[PCAP_ERRBUF_SIZE];
	int ret;

	(void)pcap_set_snaplen(p, SNAPLEN);
	(void)pcap_set_promisc(p, promiscuous);
	(void)pcap_set_timeout(p, ZB_RING_TIMEOUT_MS);
	(void)pcap_set_buffer_size(p, (int)(ring_bytes < BUFFER_MAX ? ring_bytes : BUFFER_MAX));
	if (pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO) != 0)
		return fail(h->name, PCAP_ERROR, "no time stamps in nanoseconds");
	ret = pcap_activate(p);
	if (ret < 0)
		return fail(h->name, ret, pcap_geterr(p));
	if (pcap_setnonblock(p, 1, why) < 0)
		return fail(h->name, PCAP_ERROR, why);
	return 0;
}

/* What came before the gate was closed: read until nothing more can be on its way. */
static void empty(struct zb_pcap_handle *h)
{
	for (unsigned ms = 0; ms < 2 * ZB_RING_TIMEOUT_MS; ms++) {
		while (zb_pcap_peek(h))
			h->head = NULL;
		usleep(1000);
	}
}

int zb_pcap_handle_open(const char *name, uint64_t ring_bytes, bool promiscuous,
			struct zb_pcap_handle *h)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int ret, link;

	*h = (struct zb_pcap_handle){.name = name};
	h->pcap = pcap_create(name, why);
	if (h->pcap == NULL)
		return fail(name, PCAP_ERROR, why);
	ret = activate(h, ring_bytes, promiscuous);
	if (ret < 0)
		return ret;
	link = zb_link_of((uint32_t)pcap_datalink(h->pcap));
	if (link < 0) {
		zb_err("--iface %s%s: its frames are of a kind that cannot be read (%s)",
		       ZB_PCAP_PREFIX, name, zb_link_type_name((uint32_t)pcap_datalink(h->pcap)));
		return -EOPNOTSUPP;
	}
	h->link = (uint8_t)link;
	/* Linux counts drops as received ones, other kinds of capture do not. */
	h->recv_drops = if_nametoindex(name) != 0 || strcmp(name, "any") == 0;
	h->gated = zb_pcap_gate(h, false) == 0;
	if (h->gated)
		empty(h);
	(void)pcap_stats(h->pcap, &h->last);
	return 0;
}

void zb_pcap_handle_close(struct zb_pcap_handle *h)
{
	if (h->pcap != NULL)
		pcap_close(h->pcap);
	h->pcap = NULL;
}

int zb_pcap_gate(const struct zb_pcap_handle *h, bool open)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {.len = 1, .filter = &nothing};
	int fd = pcap_fileno(h->pcap), unused = 0, ret;

	ret = open ? setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused))
		   : setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	return ret < 0 ? -errno : 0;
}

bool zb_pcap_peek(struct zb_pcap_handle *h)
{
	if (h->head != NULL)
		return true;
	if (h->broken)
		return false;
	switch (pcap_next_ex(h->pcap, &h->head, &h->data)) {
	case 1: return true;
	case 0: break;
	default:
		h->broken = true;
		zb_warn("--iface %s%s: %s", ZB_PCAP_PREFIX, h->name, pcap_geterr(h->pcap));
	}
	h->head = NULL;
	return false;
}

void zb_pcap_count(struct zb_pcap_handle *h, const struct pcap_stat *now)
{
	uint32_t recv = now->ps_recv - h->last.ps_recv, drop = now->ps_drop - h->last.ps_drop;

	h->link_pkts += h->recv_drops ? recv : (uint64_t)recv + drop;
	h->dropped_pkts += drop;
	h->refused += (uint32_t)(now->ps_ifdrop - h->last.ps_ifdrop);
	h->last = *now;
}

void zb_pcap_ask(struct zb_pcap_handle *h)
{
	struct pcap_stat now;

	if (pcap_stats(h->pcap, &now) == 0)
		zb_pcap_count(h, &now);
	/* Where nothing can be kept out, what is still waiting in the end is nobody's. */
	if (!h->gated)
		h->link_pkts = h->got_pkts + h->dropped_pkts;
}
