/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fanout_bpf.h - the program that divides an interface's packets among workers inside the kernel
 *
 * Symmetric: of addresses and, for unfragmented TCP and UDP, ports, so that both directions of a
 * connection reach one worker. As in rss.h, DHCP goes to one worker.
 *
 * Threading: main only. Errors: 0 or -errno, not said.
 */
#ifndef ZB_CAPTURE_FANOUT_BPF_H
#define ZB_CAPTURE_FANOUT_BPF_H

#include <linux/bpf.h>
#include <stddef.h>

/* Loads the program and gives it to the fanout group of socket fd. */
int zb_fanout_bpf_attach(int fd);

/* The program itself, for tests; returns its length. */
size_t zb_fanout_bpf_program(const struct bpf_insn **out);

#endif
