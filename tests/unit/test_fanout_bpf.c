/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_fanout_bpf.c - the kernel's verifier takes the program, and it sends both directions of a
 * connection to one worker
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "capture/fanout_bpf.h"
#include "tunnel_build.h"

static int program = -1;

static int load(void **state)
{
	static char log[1 << 16];
	const struct bpf_insn *insns;
	union bpf_attr attr;

	(void)state;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insn_cnt = (uint32_t)zb_fanout_bpf_program(&insns);
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t) "Apache-2.0";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (program < 0 && errno != EPERM && errno != ENOSYS) {
		fprintf(stderr, "%s\n", log);
		return -1;
	}
	return 0;
}

static uint32_t run(uint8_t *frame, uint32_t len)
{
	union bpf_attr attr;

	if (program < 0)
		skip(); /* no right to load programs */
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)program;
	attr.test.data_in = (uintptr_t)frame;
	attr.test.data_size_in = len;
	attr.test.repeat = 1;
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) < 0)
		skip(); /* nor to try them out */
	return attr.test.retval;
}

static uint32_t run_ip(struct tb_ip ip, bool reply)
{
	uint8_t frame[2048] = {0};
	struct tb_buf b = {.nr = 0};
	uint8_t src[16];
	uint32_t len;

	if (reply) {
		uint16_t port = ip.sport;

		ip.sport = ip.dport;
		ip.dport = port;
		memcpy(src, ip.src, sizeof(src));
		memcpy(ip.src, ip.dst, sizeof(src));
		memcpy(ip.dst, src, sizeof(src));
	}
	frame[12] = ip.version == 4 ? 0x08 : 0x86;
	frame[13] = ip.version == 4 ? 0x00 : 0xdd;
	tb_packet(&b, TB_RAW, &ip);
	memcpy(frame + 14, b.p, b.nr);
	len = 14 + (uint32_t)b.nr;
	tb_free(&b);
	return run(frame, len < 64 ? 64 : len);
}

static struct tb_ip flow(uint8_t version, uint8_t proto, uint16_t i)
{
	struct tb_ip ip = {.version = version,
			   .proto = proto,
			   .src = {192, 0, 2, (uint8_t)i},
			   .dst = {203, 0, 113, 9},
			   .sport = (uint16_t)(20000 + 7 * i),
			   .dport = 443,
			   .payload_len = 8};

	if (version == 6)
		ip.src[15] = (uint8_t)(3 * i);
	return ip;
}

/* Both directions have one hash, and hashes differ enough to spread. */
static void program_is_symmetric_and_spreads(void **state)
{
	static const uint8_t protos[] = {6, 17};
	unsigned odd = 0, nr = 0;

	(void)state;
	for (uint16_t i = 0; i < 200; i++) {
		struct tb_ip ip = flow(i & 1 ? 4 : 6, protos[i / 2 % 2], i);
		uint32_t hash = run_ip(ip, false);

		assert_int_equal(hash, run_ip(ip, true));
		odd += hash & 1;
		nr++;
	}
	assert_in_range(odd, nr / 4, nr - nr / 4);
}

/* Ports count: two connections of the same hosts may go to different workers. */
static void program_uses_ports(void **state)
{
	struct tb_ip a = flow(4, 6, 1), b = a;

	(void)state;
	b.sport++;
	assert_int_not_equal(run_ip(a, false), run_ip(b, false));
}

/* A transaction's packets are of several connections, and go to one worker. */
static void program_dhcp_goes_to_the_first(void **state)
{
	struct tb_ip ip = flow(4, 17, 5);

	(void)state;
	ip.sport = 68;
	ip.dport = 67;
	assert_int_equal(run_ip(ip, false), 0);
	assert_int_equal(run_ip(ip, true), 0);
}

/* What is not IP, and what is cut, is somebody's too. */
static void program_other_frames_go_to_the_first(void **state)
{
	uint8_t arp[64] = {[12] = 0x08, [13] = 0x06};

	(void)state;
	assert_int_equal(run(arp, sizeof(arp)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_is_symmetric_and_spreads),
		cmocka_unit_test(program_uses_ports),
		cmocka_unit_test(program_dhcp_goes_to_the_first),
		cmocka_unit_test(program_other_frames_go_to_the_first),
	};

	return cmocka_run_group_tests_name("fanout_bpf", tests, load, NULL);
}
