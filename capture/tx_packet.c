/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tx_packet.c - sending through a kernel interface: an AF_PACKET ring, past the queueing discipline
 *
 * The ring is TPACKET_V2: slots of one size, each with a header and the frame. A slot belongs to us
 * while its status is AVAILABLE; SEND_REQUEST hands it to the kernel, and one send() makes the
 * kernel walk all that were handed over. The kernel sends from the slot itself, so a template that
 * is in a slot once needs no copy either.
 *
 *      tail (kernel)          head (we)
 *        v                      v
 *   | a | s | s | s | s | s | s | a | a | a |     a: AVAILABLE, s: SEND_REQUEST or SENDING
 *
 * A slot that the kernel refuses (WRONG_FORMAT) is counted as an error and used again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <rte_branch_prediction.h>
#include "profiler/diag.h"
#include "capture/tx.h"

#define SLOT_DATA     TPACKET_ALIGN(sizeof(struct tpacket2_hdr))
#define SLOTS_MAX     32768u
#define BLOCK_BYTES   (1u << 18)
#define RING_MAX      (1u << 30)
#define SNDBUF_BYTES  (1 << 28)
#define DRAIN_WAIT_MS 200
#define VLAN_TAG      4u /* what the kernel lets pass beyond the MTU */

struct ring {
	struct zb_txq q;
	int fd;
	uint32_t head, slot_mask;
	uint32_t slot_bytes;
	uint32_t template_len;
	struct zb_tx_left refused; /* slots that the kernel would not send */
	uint8_t *base;
	size_t bytes;
	struct zb_tx_stat before;
};

static struct tpacket2_hdr *slot(const struct ring *r, uint32_t i)
{
	return (void *)(r->base + (size_t)(i & r->slot_mask) * r->slot_bytes);
}

/* Acquire: the kernel has let go of the frame. */
static bool is_ours(struct ring *r, struct tpacket2_hdr *h)
{
	uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);

	if (likely(status == TP_STATUS_AVAILABLE))
		return true;
	if (!(status & TP_STATUS_WRONG_FORMAT))
		return false;
	r->refused.pkts++;
	r->refused.bytes += h->tp_len;
	h->tp_status = TP_STATUS_AVAILABLE;
	return true;
}

/* The kernel may have what is before head. What it cannot send now it keeps for the next call. */
static void kick(struct ring *r)
{
	if (likely(sendto(r->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0))
		return;
	switch (errno) {
	case EAGAIN:
	case ENOBUFS: /* full: the next call goes on */
	case EINTR:
	case EMSGSIZE: /* a slot was refused, which its status says */
	case EINVAL: break;
	default: r->q.error = -errno;
	}
}

/* Release: the frame and its length are written before the kernel may see them. */
static void hand_over(struct tpacket2_hdr *h, uint32_t len)
{
	h->tp_len = len;
	__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
}

static uint16_t ring_burst(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n)
{
	struct ring *r = (struct ring *)q;
	uint16_t i;

	if (unlikely(q->error != 0))
		return 0;
	for (i = 0; i < n; i++) {
		struct tpacket2_hdr *h = slot(r, r->head);

		if (!is_ours(r, h))
			break;
		memcpy((uint8_t *)h + SLOT_DATA, frames[i].data, frames[i].len);
		hand_over(h, frames[i].len);
		r->head++;
	}
	kick(r);
	return i;
}

static uint16_t ring_reserve(struct zb_txq *q, uint8_t **bufs, uint16_t n)
{
	struct ring *r = (struct ring *)q;
	uint16_t i;

	if (unlikely(q->error != 0))
		return 0;
	for (i = 0; i < n; i++) {
		struct tpacket2_hdr *h = slot(r, r->head + i);

		if (!is_ours(r, h))
			break;
		if (bufs != NULL)
			bufs[i] = (uint8_t *)h + SLOT_DATA;
	}
	if (i == 0)
		kick(r); /* what it could not send before */
	return i;
}

static uint16_t ring_commit(struct zb_txq *q, uint16_t n)
{
	struct ring *r = (struct ring *)q;

	for (uint16_t i = 0; i < n; i++)
		hand_over(slot(r, r->head + i), r->template_len);
	r->head += n;
	kick(r);
	return n;
}

/* Slots that the kernel still has. */
static struct zb_tx_left waiting(struct ring *r)
{
	struct zb_tx_left left = {0};

	for (uint32_t i = 0; i <= r->slot_mask; i++) {
		struct tpacket2_hdr *h = slot(r, i);

		if (is_ours(r, h))
			continue;
		left.pkts++;
		left.bytes += h->tp_len;
	}
	return left;
}

static void ring_drain(struct zb_txq *q, struct zb_tx_left *left)
{
	struct ring *r = (struct ring *)q;

	*left = waiting(r);
	for (unsigned ms = 0; left->pkts > 0 && ms < DRAIN_WAIT_MS && q->error == 0; ms++) {
		kick(r);
		usleep(1000);
		*left = waiting(r);
	}
	left->pkts += r->refused.pkts;
	left->bytes += r->refused.bytes;
}

static uint64_t read_counter(const char *device, const char *name)
{
	unsigned long long v = 0;
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", device, name);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &v) != 1)
		v = 0;
	fclose(f);
	return v;
}

static void ring_stat(const struct zb_txq *q, struct zb_tx_stat *out)
{
	const struct ring *r = (const struct ring *)q;

	out->pkts = read_counter(q->device, "tx_packets") - r->before.pkts;
	out->bytes = read_counter(q->device, "tx_bytes") - r->before.bytes;
	out->dropped = read_counter(q->device, "tx_dropped") - r->before.dropped;
	out->errors = read_counter(q->device, "tx_errors") - r->before.errors;
}

static void ring_close(struct zb_txq *q)
{
	struct ring *r = (struct ring *)q;

	if (r->base != NULL)
		munmap(r->base, r->bytes);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

static const struct zb_txq_ops ring_ops = {
	.burst = ring_burst,
	.reserve = ring_reserve,
	.commit = ring_commit,
	.drain = ring_drain,
	.stat = ring_stat,
	.close = ring_close,
};

/* Says what failed with errno; returns it, negative. */
static int say(const struct ring *r, const char *what)
{
	int err = errno;

	zb_err("--iface %s: %s: %s%s", r->q.device, what, strerror(err),
	       err == EPERM ? "; run it as root, or with CAP_NET_RAW" : "");
	return -err;
}

static int open_socket(struct ring *r)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET};
	int one = 1, buf = SNDBUF_BYTES;

	at.sll_ifindex = (int)if_nametoindex(r->q.device);
	if (at.sll_ifindex == 0) {
		zb_err("--iface %s: there is no such interface; ip link lists them", r->q.device);
		return -ENODEV;
	}
	/* Protocol 0: nothing is received. */
	r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (r->fd < 0)
		return say(r, "socket");
	if (bind(r->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return say(r, "bind");
	/* The bound on what is under way is the ring; not being allowed to say so costs speed only.
	 */
	if (setsockopt(r->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buf, sizeof(buf)) < 0)
		(void)setsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &buf, sizeof(buf));
	if (setsockopt(r->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) < 0)
		zb_warn("--iface %s: frames pass the queueing discipline: %s", r->q.device,
			strerror(errno));
	return 0;
}

static int check_interface(struct ring *r)
{
	struct ifreq req = {0};

	memcpy(req.ifr_name, r->q.device, IFNAMSIZ - 1);
	if (ioctl(r->fd, SIOCGIFMTU, &req) < 0)
		return say(r, "MTU");
	r->q.len_max = (uint32_t)req.ifr_mtu + ZB_TX_FRAME_MIN + VLAN_TAG;
	if (r->q.len_max > ZB_TX_FRAME_MAX)
		r->q.len_max = ZB_TX_FRAME_MAX;
	if (ioctl(r->fd, SIOCGIFFLAGS, &req) < 0)
		return say(r, "flags");
	if (!(req.ifr_flags & IFF_UP)) {
		zb_err("--iface %s: it is down; ip link set %s up", r->q.device, r->q.device);
		return -ENETDOWN;
	}
	return 0;
}

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t v = 1;

	while (v < at_least)
		v *= 2;
	return v;
}

static int map_ring(struct ring *r, const struct zb_tx_conf *conf)
{
	uint32_t len = conf->frame_max < r->q.len_max ? conf->frame_max : r->q.len_max;
	uint32_t nr = power_of_two(conf->desc_nr < SLOTS_MAX ? conf->desc_nr : SLOTS_MAX);
	int version = TPACKET_V2;
	struct tpacket_req req;

	r->slot_bytes = power_of_two((uint32_t)SLOT_DATA + len);
	while ((uint64_t)nr * r->slot_bytes > RING_MAX)
		nr /= 2;
	while ((uint64_t)nr * r->slot_bytes < BLOCK_BYTES)
		nr *= 2;
	r->slot_mask = nr - 1;
	r->bytes = (size_t)nr * r->slot_bytes;
	req = (struct tpacket_req){
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = (unsigned)(r->bytes / BLOCK_BYTES),
		.tp_frame_size = r->slot_bytes,
		.tp_frame_nr = nr,
	};
	if (setsockopt(r->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0)
		return say(r, "TPACKET_V2");
	if (setsockopt(r->fd, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)) < 0)
		return say(r, "transmit ring");
	r->base = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd, 0);
	if (r->base == MAP_FAILED) {
		r->base = NULL;
		return say(r, "transmit ring");
	}
	for (uint32_t i = 0; conf->template != NULL && i < nr; i++)
		memcpy((uint8_t *)slot(r, i) + SLOT_DATA, conf->template, conf->template_len);
	return 0;
}

int zb_tx_packet_open(const struct zb_tx_conf *conf, struct zb_txq **out)
{
	struct ring *r;
	int ret;

	if (strlen(conf->device) >= IFNAMSIZ) {
		zb_err("--iface %s: there is no such interface; ip link lists them", conf->device);
		return -ENODEV;
	}
	r = aligned_alloc(alignof(struct ring), sizeof(*r));
	if (r == NULL) {
		zb_err("--iface %s: %s", conf->device, strerror(ENOMEM));
		return -ENOMEM;
	}
	*r = (struct ring){.q = {.ops = &ring_ops, .driver = "AF_PACKET"}, .fd = -1};
	r->template_len = conf->template_len;
	snprintf(r->q.device, sizeof(r->q.device), "%s", conf->device);
	ret = open_socket(r);
	if (ret == 0)
		ret = check_interface(r);
	if (ret == 0 && conf->template_len > r->q.len_max) {
		zb_err("--iface %s: frames of %u bytes are too long; it takes at most %u",
		       conf->device, conf->template_len, r->q.len_max);
		ret = -EMSGSIZE;
	}
	if (ret == 0)
		ret = map_ring(r, conf);
	if (ret < 0) {
		ring_close(&r->q);
		return ret;
	}
	ring_stat(&r->q, &r->before);
	*out = &r->q;
	return 0;
}
