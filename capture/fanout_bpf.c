/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fanout_bpf.c - see fanout_bpf.h
 *
 * Written as instructions, so that no compiler for them is needed. Offsets count from the network
 * header, wherever the packet begins: outgoing ones begin in front of it. A load beyond the end of
 * the packet ends the program with 0.
 *
 *     r6 context   r7 length of the IP header   r8 the hash so far   r9 protocol
 */
#include "capture/fanout_bpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPREAD 0x9e3779b1 /* 2^32 over the golden ratio: its product's high bits are well mixed */

#define INSN(c, d, s, o, i)                                                              \
	{                                                                                \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (int)(i) \
	}
#define LOAD(size, at)	   INSN(BPF_LD | (size) | BPF_ABS, 0, 0, 0, SKF_NET_OFF + (at))
#define LOAD_AT(size, reg) INSN(BPF_LD | (size) | BPF_IND, 0, (reg), 0, SKF_NET_OFF)
#define MOV(d, s)	   INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, i)	   INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define XOR(d, s)	   INSN(BPF_ALU64 | BPF_XOR | BPF_X, d, s, 0, 0)
#define AND(d, i)	   INSN(BPF_ALU64 | BPF_AND | BPF_K, d, 0, 0, i)
#define LEFT(d, i)	   INSN(BPF_ALU64 | BPF_LSH | BPF_K, d, 0, 0, i)
#define RIGHT(d, i)	   INSN(BPF_ALU64 | BPF_RSH | BPF_K, d, 0, 0, i)
#define MUL32(d, i)	   INSN(BPF_ALU | BPF_MUL | BPF_K, d, 0, 0, i)
#define RIGHT32(d, i)	   INSN(BPF_ALU | BPF_RSH | BPF_K, d, 0, 0, i)
#define IF_EQ(d, i, skip)  INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, skip, i)
#define IF_NE(d, i, skip)  INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, skip, i)
#define IF_SET(d, i, skip) INSN(BPF_JMP | BPF_JSET | BPF_K, d, 0, skip, i)
#define SKIP(n)		   INSN(BPF_JMP | BPF_JA, 0, 0, n, 0)
#define EXIT		   INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define PROTOCOL	   INSN(BPF_LDX | BPF_W | BPF_MEM, 2, 6, 16, 0) /* of struct __sk_buff */
#define FOLD(at)	   LOAD(BPF_W, at), XOR(8, 0)

/* The number in front of an instruction is its place, which jumps are counted from. */
static const struct bpf_insn program[] = {
	/* 0 */ MOV(6, 1),
	/* 1 */ SET(8, 0),
	/* 2 */ PROTOCOL,
	/* 3, to 7 */ IF_EQ(2, __builtin_bswap16(ETH_P_IP), 3),
	/* 4, to 16 */ IF_EQ(2, __builtin_bswap16(ETH_P_IPV6), 11),
	/* 5 */ SET(0, 0),
	/* 6 */ EXIT,
	/* 7: IPv4 */ FOLD(12),
	/* 9 */ FOLD(16),
	/* 11 */ LOAD(BPF_H, 6),
	/* 12: a fragment, to 48 */ IF_SET(0, 0x3fff, 35),
	/* 13 */ LOAD(BPF_B, 9),
	/* 14 */ MOV(9, 0),
	/* 15, to 35 */ SKIP(19),
	/* 16: IPv6 */ FOLD(8),
	/* 18 */ FOLD(12),
	/* 20 */ FOLD(16),
	/* 22 */ FOLD(20),
	/* 24 */ FOLD(24),
	/* 26 */ FOLD(28),
	/* 28 */ FOLD(32),
	/* 30 */ FOLD(36),
	/* 32 */ LOAD(BPF_B, 6),
	/* 33 */ MOV(9, 0),
	/* 34, to 39 */ SKIP(4),
	/* 35: length of IPv4's header */ LOAD(BPF_B, 0),
	/* 36 */ AND(0, 15),
	/* 37 */ LEFT(0, 2),
	/* 38, to 40 */ SKIP(1),
	/* 39: length of IPv6's */ SET(0, 40),
	/* 40 */ MOV(7, 0),
	/* 41, to 43 */ IF_EQ(9, IPPROTO_TCP, 1),
	/* 42, to 48 */ IF_NE(9, IPPROTO_UDP, 5),
	/* 43: ports */ LOAD_AT(BPF_W, 7),
	/* 44 */ MOV(1, 0),
	/* 45 */ RIGHT(1, 16),
	/* 46 */ AND(0, 0xffff),
	/* 47, to 52 */ SKIP(4),
	/* 48: the end */ MOV(0, 8),
	/* 49 */ MUL32(0, SPREAD),
	/* 50 */ RIGHT32(0, 8),
	/* 51 */ EXIT,
	/* 52 */ XOR(8, 0),
	/* 53 */ XOR(8, 1),
	/* 54, to 48 */ IF_NE(9, IPPROTO_UDP, -7),
	/* 55, to 60 */ IF_EQ(0, 67, 4),
	/* 56, to 60 */ IF_EQ(0, 68, 3),
	/* 57, to 60 */ IF_EQ(1, 67, 2),
	/* 58, to 60 */ IF_EQ(1, 68, 1),
	/* 59, to 48 */ SKIP(-12),
	/* 60: DHCP */ SET(0, 0),
	/* 61 */ EXIT,
};

size_t zb_fanout_bpf_program(const struct bpf_insn **out)
{
	*out = program;
	return sizeof(program) / sizeof(program[0]);
}

int zb_fanout_bpf_attach(int fd)
{
	union bpf_attr attr;
	int prog, ret = 0;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uint64_t)(uintptr_t)program;
	attr.insn_cnt = sizeof(program) / sizeof(program[0]);
	attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
	prog = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (prog < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &prog, sizeof(prog)) < 0)
		ret = -errno;
	close(prog); /* the group has it now */
	return ret;
}
