/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_pcap.h - writes a pcap file of frames: little-endian on every machine, large writes
 *
 * Threading: one thread per writer.
 * Errors:    0 or -errno, said once, naming the file. A file that could not be completed is
 * removed.
 */
#ifndef ZB_BENCH_GEN_PCAP_H
#define ZB_BENCH_GEN_PCAP_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/packet.h"

struct zb_gen_frame;
struct zb_gen_pcap; /* opaque */

/* ns: time stamps in nanoseconds rather than microseconds. */
int zb_gen_pcap_open(const char *path, bool ns, struct zb_gen_pcap **out);

/* The same for frames of any link type, up to 256 KiB. */
int zb_gen_pcap_open_link(const char *path, bool ns, enum zb_link link, struct zb_gen_pcap **out);

/* Appends a frame of len bytes, captured whole. Times must fit 32 bits of seconds. */
int zb_gen_pcap_put(struct zb_gen_pcap *w, uint64_t ts_ns, const uint8_t *data, uint32_t len);

/* Appends a frame, which a snap length may have cut. */
int zb_gen_pcap_put_frame(struct zb_gen_pcap *w, uint64_t ts_ns, const struct zb_gen_frame *f);
/* The same for zb_gen_pump(). */
int zb_gen_pcap_sink(void *w, uint64_t ts_ns, const struct zb_gen_frame *f);

/*
 * Writes what is buffered and closes. keep false: gives up, the file is removed. Frees w either
 * way.
 */
int zb_gen_pcap_close(struct zb_gen_pcap *w, bool keep);

#endif
