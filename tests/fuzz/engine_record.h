/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_record.h - what fuzz_engine reads and make_pipeline_corpus writes: packets in a few bytes
 * each
 *
 *     input    [ burst size | flags | record ... ]
 *     record   [ kind | tcp flags | seq | ack | high bits | payload | time step | extra ]        8
 * bytes [ kind with ER_RAW | link | length | - | - | - | time step | extra ] bytes ...
 */
#ifndef ZB_TESTS_FUZZ_ENGINE_RECORD_H
#define ZB_TESTS_FUZZ_ENGINE_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum { ER_HEAD = 2, ER_SIZE = 8 };

/* Flags of the input. */
enum { ER_IGNORE_CHECKSUMS = 1, ER_FEW_CONNS = 2 };

/* Kind: three bits of 4-tuple, then these. */
enum { ER_BACK = 0x08, ER_UDP = 0x10, ER_ICMP = 0x20, ER_V6 = 0x40, ER_RAW = 0x80 };

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
