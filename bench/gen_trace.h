/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_trace.h - the packets of a capture file as a stream, in the file's order and with its times
 *
 * Threading, ownership: as in gen_stream.h. The bytes are in memory until the stream is freed.
 * Errors:    those of zb_trace_load(), said; -EINVAL, said: packets of several link types.
 */
#ifndef ZB_BENCH_GEN_TRACE_H
#define ZB_BENCH_GEN_TRACE_H

#include "bench/gen_stream.h"
#include "capture/packet.h"

/* packets_max: of the file's packets, at most so many; 0: all. */
int zb_gen_trace_open(const char *path, uint64_t packets_max, enum zb_link *link,
		      struct zb_gen_stream **out);

#endif
