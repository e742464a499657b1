/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_pcap.h - writes a pcap file of Ethernet frames: little-endian on every machine, large writes
 *
 * Threading: one thread per writer.
 * Errors:    0 or -errno, said once, naming the file. A file that could not be completed is
 * removed.
 */
#ifndef ZB_BENCH_GEN_PCAP_H
#define ZB_BENCH_GEN_PCAP_H

#include <stdbool.h>
#include <stdint.h>

struct zb_gen_pcap; /* opaque */

/* ns: time stamps in nanoseconds rather than microseconds. */
int zb_gen_pcap_open(const char *path, bool ns, struct zb_gen_pcap **out);

/* Appends a frame of len bytes, captured whole. Times must fit 32 bits of seconds. */
int zb_gen_pcap_put(struct zb_gen_pcap *w, uint64_t ts_ns, const uint8_t *data, uint32_t len);

/*
 * Writes what is buffered and closes. keep false: gives up, the file is removed. Frees w either
 * way.
 */
int zb_gen_pcap_close(struct zb_gen_pcap *w, bool keep);

#endif
