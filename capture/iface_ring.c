/* SPDX-License-Identifier: Apache-2.0 */
/* iface_ring.c - see iface_ring.h */
#include "capture/iface_ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_ether.h>

#include "capture/fanout_bpf.h"
#include "profiler/diag.h"

#define FRAME_BYTES 2048u /* only a unit: frames of the third version are as long as they are */
#define TAG_BYTES   4u
#define ADDR_BYTES  12u

static const struct {
	unsigned hw_type;
	uint8_t link;
} links[] = {
	{ARPHRD_ETHER, ZB_LINK_ETHERNET},
	{ARPHRD_LOOPBACK, ZB_LINK_ETHERNET},
	{ARPHRD_NONE, ZB_LINK_RAW_IP},
	{ARPHRD_RAWIP, ZB_LINK_RAW_IP},
	{ARPHRD_TUNNEL, ZB_LINK_RAW_IP},
	{ARPHRD_TUNNEL6, ZB_LINK_RAW_IP},
	{ARPHRD_SIT, ZB_LINK_RAW_IP},
	{ARPHRD_IPGRE, ZB_LINK_RAW_IP},
	{ARPHRD_PPP, ZB_LINK_RAW_IP},
	{ARPHRD_IEEE80211, ZB_LINK_WIFI},
	{ARPHRD_IEEE80211_RADIOTAP, ZB_LINK_RADIOTAP},
};

static int ask(int fd, struct ifreq *req, const char *name, struct zb_iface_info *out)
{
	snprintf(req->ifr_name, sizeof(req->ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFINDEX, req) < 0)
		return -errno;
	out->ifindex = req->ifr_ifindex;
	if (ioctl(fd, SIOCGIFHWADDR, req) < 0)
		return -errno;
	out->hw_type = req->ifr_hwaddr.sa_family;
	if (ioctl(fd, SIOCGIFMTU, req) < 0)
		return -errno;
	out->mtu = req->ifr_mtu;
	if (ioctl(fd, SIOCGIFFLAGS, req) < 0)
		return -errno;
	out->up = req->ifr_flags & IFF_UP;
	return 0;
}

int zb_iface_ask(const char *name, struct zb_iface_info *out)
{
	struct ifreq req = {.ifr_name = {0}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = fd < 0 ? -errno : 0;

	if (ret == 0)
		ret = strlen(name) < IFNAMSIZ && *name != '\0' ? ask(fd, &req, name, out) : -ENODEV;
	if (fd >= 0)
		close(fd);
	return ret;
}

int zb_iface_look(const char *name, struct zb_iface_info *out)
{
	int ret = zb_iface_ask(name, out);

	if (ret < 0) {
		zb_err("--iface %s: %s", name,
		       ret == -ENODEV ? "no such interface; see ip link" : strerror(-ret));
		return ret;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (links[i].hw_type == out->hw_type) {
			out->link = links[i].link;
			return 0;
		}
	}
	return -EPROTONOSUPPORT;
}

int zb_ring_gate(struct zb_ring *r, bool open)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {.len = 1, .filter = &nothing};
	int unused = 0, ret;

	ret = open ? setsockopt(r->fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused))
		   : setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	return ret < 0 ? -errno : 0;
}

static int set(const struct zb_ring *r, int option, int value)
{
	return setsockopt(r->fd, SOL_PACKET, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int make_ring(struct zb_ring *r, uint64_t bytes)
{
	struct tpacket_req3 req = {
		.tp_block_size = ZB_RING_BLOCK,
		.tp_block_nr = (unsigned)(bytes / ZB_RING_BLOCK),
		.tp_frame_size = FRAME_BYTES,
		.tp_retire_blk_tov = ZB_RING_TIMEOUT_MS,
	};

	req.tp_block_nr = req.tp_block_nr < 2 ? 2 : req.tp_block_nr;
	req.tp_frame_nr = ZB_RING_BLOCK / FRAME_BYTES * req.tp_block_nr;
	if (setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0)
		return -errno;
	r->block_nr = req.tp_block_nr;
	r->map_bytes = (size_t)req.tp_block_nr * ZB_RING_BLOCK;
	r->map = mmap(NULL, r->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map != MAP_FAILED)
		return 0;
	r->map = NULL;
	return -errno;
}

static int bind_to(const struct zb_ring *r)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = r->ifindex,
	};

	return bind(r->fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

int zb_ring_open(const char *name, const struct zb_iface_info *info, uint64_t bytes,
		 struct zb_ring *r)
{
	int ret = 0;

	*r = (struct zb_ring){.name = name, .ifindex = info->ifindex, .link = info->link};
	/* No protocol yet: nothing comes before all is set. */
	r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (r->fd < 0)
		ret = -errno;
	if (ret == 0 && set(r, PACKET_VERSION, TPACKET_V3) < 0)
		ret = -EPROTONOSUPPORT;
	if (ret == 0)
		ret = set(r, PACKET_RESERVE, TAG_BYTES);
	/* Loopback shows each packet on its way out, and again on its way in. */
	if (ret == 0 && info->hw_type == ARPHRD_LOOPBACK)
		ret = set(r, PACKET_IGNORE_OUTGOING, 1);
	if (ret == 0)
		ret = make_ring(r, bytes);
	if (ret == 0)
		ret = zb_ring_gate(r, false);
	if (ret == 0)
		ret = bind_to(r);
	if (ret == 0)
		return 0;
	if (ret == -EPERM || ret == -EACCES)
		zb_err("--iface %s: no right to capture; run as root or with CAP_NET_RAW", name);
	else if (ret != -EPROTONOSUPPORT)
		zb_err("--iface %s: %s", name, strerror(-ret));
	zb_ring_close(r);
	return ret;
}

void zb_ring_close(struct zb_ring *r)
{
	if (r->map != NULL)
		munmap(r->map, r->map_bytes);
	if (r->fd >= 0)
		close(r->fd);
	r->map = NULL;
	r->fd = -1;
}

int zb_ring_join(struct zb_ring *r, enum zb_fanout mode, int *group)
{
	static const int type[] = {
		[ZB_FANOUT_HASH] = PACKET_FANOUT_HASH,
		[ZB_FANOUT_CPU] = PACKET_FANOUT_CPU,
		[ZB_FANOUT_EBPF] = PACKET_FANOUT_EBPF,
	};
	int new = *group < 0, arg = type[mode], ret;
	socklen_t len = sizeof(*group);

	arg |= new ? PACKET_FANOUT_FLAG_UNIQUEID : 0;
	ret = set(r, PACKET_FANOUT, (int)((unsigned)arg << 16) | (new ? 0 : *group));
	if (ret == 0 && new) {
		ret = getsockopt(r->fd, SOL_PACKET, PACKET_FANOUT, group, &len) < 0 ? -errno : 0;
		*group &= 0xffff;
	}
	if (ret == 0 && new &&mode == ZB_FANOUT_EBPF)
		ret = zb_fanout_bpf_attach(r->fd);
	if (ret < 0)
		zb_err("--fanout: %s: %s", r->name, strerror(-ret));
	return ret;
}

int zb_ring_promiscuous(struct zb_ring *r)
{
	struct packet_mreq want = {.mr_ifindex = r->ifindex, .mr_type = PACKET_MR_PROMISC};

	if (setsockopt(r->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &want, sizeof(want)) == 0)
		return 0;
	int ret = -errno;

	zb_err("--iface %s: promiscuous mode: %s", r->name, strerror(-ret));
	return ret;
}

void zb_ring_ask(struct zb_ring *r)
{
	struct tpacket_stats_v3 st = {0};
	socklen_t len = sizeof(st);
	int err = 0;

	/* Reading sets them back; packets include drops. */
	if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0) {
		r->kernel_pkts += st.tp_packets;
		r->kernel_drops += st.tp_drops;
		r->kernel_freezes += st.tp_freeze_q_cnt;
	}
	len = sizeof(err);
	if (!r->down && getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err != 0) {
		r->down = true;
		zb_warn("--iface %s: %s; waiting for it to come back", r->name, strerror(err));
	}
}

/* Puts the tag where it was; there is room for it in front of the frame. */
static uint8_t *put_tag_back(uint8_t *frame, const struct tpacket3_hdr *h)
{
	uint16_t tag[2] = {
		htons(h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid : ETH_P_8021Q),
		htons((uint16_t)h->hv1.tp_vlan_tci),
	};

	memmove(frame - TAG_BYTES, frame, ADDR_BYTES);
	memcpy(frame - TAG_BYTES + ADDR_BYTES, tag, sizeof(tag));
	return frame - TAG_BYTES;
}

static void fill(struct zb_pkt *p, struct tpacket3_hdr *h, uint64_t ts_ns, uint8_t link)
{
	uint8_t *frame = (uint8_t *)h + h->tp_mac;
	bool tagged = link == ZB_LINK_ETHERNET && h->tp_status & TP_STATUS_VLAN_VALID &&
		      h->tp_snaplen >= ADDR_BYTES;

	p->ts_ns = ts_ns;
	p->cap_len = h->tp_snaplen;
	p->wire_len = h->tp_len;
	p->link = link;
	p->flags = p->cap_len < p->wire_len ? ZB_PKT_SNAPPED : 0;
	p->l3_off = 0;
	/* A local sender leaves checksums to hardware that is not there; a NIC has looked. */
	if (h->tp_status & (TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID))
		p->flags |= ZB_PKT_L4_CHECKED;
	if (tagged) {
		frame = put_tag_back(frame, h);
		p->cap_len += TAG_BYTES;
		p->wire_len += TAG_BYTES;
	}
	p->data = frame;
}

uint16_t zb_ring_take(struct zb_ring *r, struct zb_pkt *pkts, uint16_t n, uint64_t until_ns)
{
	uint64_t bytes = 0;
	uint16_t i;

	for (i = 0; i < n && r->left != 0; i++) {
		struct tpacket3_hdr *h = r->next;
		uint64_t ts_ns = zb_ring_head_ns(r);

		if (ts_ns >= until_ns)
			break;
		fill(&pkts[i], h, ts_ns, r->link);
		bytes += pkts[i].wire_len;
		r->left--;
		r->next = (struct tpacket3_hdr *)((uint8_t *)h + h->tp_next_offset);
		if (r->left != 0)
			__builtin_prefetch((uint8_t *)r->next + sizeof(*h));
	}
	r->got_pkts += i;
	r->got_bytes += bytes;
	return i;
}
