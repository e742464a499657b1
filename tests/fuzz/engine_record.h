/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_record.h - what fuzz_engine reads and make_pipeline_corpus writes: packets in a few bytes
 * each
 *
 *     input    [ burst size | flags | record ... ]
 *     record   [ kind | tcp flags | seq | ack | high bits | payload | time step | extra ]  bytes
 * ... [ kind with ER_RAW | link | length, low and high | - | - | time step | extra ]  bytes ...
 *
 * A record of the first kind has bytes, its payload, only with ER_SAID.
 */
#ifndef ZB_TESTS_FUZZ_ENGINE_RECORD_H
#define ZB_TESTS_FUZZ_ENGINE_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum { ER_HEAD = 2, ER_SIZE = 8 };

/* Flags of the input. */
enum {
	ER_IGNORE_CHECKSUMS = 1,
	ER_FEW_CONNS = 2,
	ER_TSV = 4,
	ER_LITTLE_MEMORY = 8,
	ER_MEMCAP = 16
};

/* Kind: a bit of the responder's address, two of its port, then these. */
enum { ER_BACK = 0x08, ER_UDP = 0x10, ER_ICMP = 0x20, ER_V6 = 0x40, ER_RAW = 0x80 };

/* Above TCP's flags: the payload's bytes follow; there are sixteen times as many. */
enum { ER_TCP_FLAGS = 0x3f, ER_SAID = 0x40, ER_LONG = 0x80 };
#define ER_PAYLOAD_MAX 1400u

/* Extra; the high bits shift what is in seq and ack to the top of their space. */
enum { ER_BAD_SUM = 1, ER_ZERO_WINDOW = 2, ER_CUT = 4, ER_BACK_IN_TIME = 8, ER_BAD_LEN = 16 };

struct er {
	uint8_t kind, flags, seq, ack, high, payload, step, extra;
};

/* Steps grow from 1 ms to more than a month. */
static inline uint64_t er_step_ns(uint8_t step)
{
	return (uint64_t)(step & 15) * 1000000u << (step >> 4) * 2;
}

#endif
