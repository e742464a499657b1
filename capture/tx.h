/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tx.h - a queue that frames leave by: a DPDK port or a kernel interface
 *
 * Frames go out in one of three ways. burst() sends frames that lie elsewhere, in a trace. Or the
 * queue was opened with a template: then all its buffers hold that already, reserve() hands some
 * out, the caller changes in place what differs, and commit() sends them; nothing is copied. Or the
 * caller writes whole frames into buffers that reserve() hands out, and commit_frames() sends them.
 *
 * A call never waits. What a full device does not take stays the caller's (burst) or reserved
 * (commit): to be tried again, or to be given up.
 *
 * Threading: opened and closed by main; in between one worker only, which is an EAL lcore.
 * Ownership: frames of burst() may be changed as soon as it has returned.
 * Units:     lengths are bytes of an Ethernet frame without its checksum.
 * Errors:    0 or -errno, said, naming the device.
 */
#ifndef ZB_CAPTURE_TX_H
#define ZB_CAPTURE_TX_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#define ZB_TX_BURST_MAX 512
#define ZB_TX_FRAME_MIN 14u    /* an Ethernet header */
#define ZB_TX_FRAME_MAX 65535u /* what fits an mbuf's 16 bits */
#define ZB_TX_FRONT	64u    /* bytes in front of a reserved buffer that are the caller's too */

struct zb_tx_frame {
	const uint8_t *data;
	uint32_t len; /* ZB_TX_FRAME_MIN to the queue's len_max */
};

/* What the device itself has counted since the queue was opened, other users' frames included. */
struct zb_tx_stat {
	uint64_t pkts, bytes, dropped, errors;
};

/* What a queue took and the device did not send. */
struct zb_tx_left {
	uint64_t pkts, bytes;
};

struct zb_txq;

struct zb_txq_ops {
	/* Up to n frames; returns how many the device took, from the front. */
	uint16_t (*burst)(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n);
	/*
	 * Up to n buffers with the template, those that the last commit() left over first; returns
	 * how many. bufs may be NULL when nothing is to be changed. Where there is commit_frames(),
	 * each has room for 2048 bytes, or frame_max if that is more.
	 */
	uint16_t (*reserve)(struct zb_txq *q, uint8_t **bufs, uint16_t n);
	/* The first n of those reserved, n of them or fewer; returns how many were taken. */
	uint16_t (*commit)(struct zb_txq *q, uint16_t n);
	/*
	 * The same of buffers that the caller has filled whole: of frames, only lengths count.
	 * NULL: not here.
	 */
	uint16_t (*commit_frames)(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n);
	/* The first n of those reserved are not to be sent; they stay reserved, behind the others.
	 */
	void (*put_back)(struct zb_txq *q, uint16_t n);
	/*
	 * Waits, at most a fraction of a second, until what was taken is gone, and tells what is
	 * not; then, for linger_s at most, for a process at the other end to read it and leave. A
	 * signal ends that. The only call that may sleep; main's, when the worker is done.
	 */
	void (*drain)(struct zb_txq *q, struct zb_tx_left *left);
	void (*stat)(const struct zb_txq *q, struct zb_tx_stat *out);
	void (*close)(struct zb_txq *q);
};

struct zb_txq {
	/* Read by the worker on every burst. */
	alignas(64) const struct zb_txq_ops *ops;
	int error; /* -errno, set once: the device is gone, nothing will be taken any more */

	/* Set on opening. */
	uint32_t len_max;
	uint64_t link_bps; /* 0: unknown */
	bool zero_copy;	   /* burst() does not copy the frames on their way to the driver */
	char device[64];   /* as it is called: "net_null0", "eth1" */
	char driver[32];   /* "net_null", "AF_PACKET" */
};

struct zb_tx_conf {
	const char *device;	 /* "net_null0", "net_pcap0,tx_pcap=a.pcap", "03:00.0"; or "eth1" */
	const uint8_t *template; /* NULL: frames come by burst() */
	uint32_t template_len;
	uint32_t frame_max; /* the longest frame that will come; the device may allow less: len_max
			     */
	uint32_t desc_nr;   /* depth of the device's queue, packets */
	double linger_s;    /* see drain() */
	int numa_id;	    /* where buffers go; -1: anywhere */
};

/*
 * A DPDK port, which EAL was started with. -ENODEV: EAL could not make it; -ENOMEM: no memory for
 * buffers.
 */
int zb_tx_port_open(const struct zb_tx_conf *conf, struct zb_txq **out);

/* An interface of the kernel, by AF_PACKET. -ENODEV: none of that name; -EPERM: not allowed. */
int zb_tx_packet_open(const struct zb_tx_conf *conf, struct zb_txq **out);

static inline uint16_t zb_txq_burst(struct zb_txq *q, const struct zb_tx_frame *frames, uint16_t n)
{
	return q->ops->burst(q, frames, n);
}

static inline uint16_t zb_txq_reserve(struct zb_txq *q, uint8_t **bufs, uint16_t n)
{
	return q->ops->reserve(q, bufs, n);
}

static inline uint16_t zb_txq_commit(struct zb_txq *q, uint16_t n)
{
	return q->ops->commit(q, n);
}

static inline uint16_t zb_txq_commit_frames(struct zb_txq *q, const struct zb_tx_frame *frames,
					    uint16_t n)
{
	return q->ops->commit_frames(q, frames, n);
}

#endif
