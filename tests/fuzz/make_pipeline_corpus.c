/* SPDX-License-Identifier: Apache-2.0 */
/* make_pipeline_corpus.c - writes the seeds of fuzz_decode and fuzz_engine: one packet or
 * conversation each */
#include <stdio.h>
#include <stdlib.h>

#include "engine_record.h"
#include "tests/unit/frame_build.h"

static const char *folder;

static void seed(const char *target, const char *name, const void *p, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(p, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static const uint8_t chain[] = {60, 0, 1, 4, 0,	 0, 0, 0, 44, 0, 1, 4,
				0,  0, 0, 0, 17, 0, 0, 0, 0,  0, 0, 1};
static const uint8_t wscale[] = {2, 4, 5, 0xb4, 1, 3, 3, 7};

static const struct {
	const char *name;
	struct fb_spec spec;
} packets[] = {
	{"tcp",
	 {.proto = 6,
	  .src = 1,
	  .dst = 2,
	  .sport = 40000,
	  .dport = 80,
	  .flags = FB_SYN,
	  .opt = wscale,
	  .opt_len = 8}},
	{"udp",
	 {.proto = 17,
	  .src = 1,
	  .dst = 2,
	  .sport = 40000,
	  .dport = 53,
	  .ip_opt_len = 8,
	  .payload_len = 12}},
	{"icmp", {.proto = 1, .src = 1, .dst = 2, .sport = 8, .payload_len = 8}},
	{"gre", {.proto = 47, .src = 1, .dst = 2, .payload_len = 8}},
	{"tcp6",
	 {.v6 = true,
	  .proto = 6,
	  .src = 1,
	  .dst = 2,
	  .sport = 40000,
	  .dport = 443,
	  .flags = FB_ACK,
	  .payload_len = 5}},
	{"chain6",
	 {.v6 = true,
	  .proto = 17,
	  .src = 1,
	  .dst = 2,
	  .sport = 40000,
	  .dport = 53,
	  .ext_first = 0,
	  .ext = chain,
	  .ext_len = sizeof(chain),
	  .payload_len = 4}},
	{"icmp6", {.v6 = true, .proto = 58, .src = 1, .dst = 2, .sport = 135, .payload_len = 16}},
};

/* What stands in front of the IP packet: link layer as packet.h numbers them. */
static const struct {
	const char *name;
	uint8_t link, len;
	const char *head;
} links[] = {
	{"ethernet", 0, 14, "aaaaaabbbbbb\x08\x00"},
	{"qinq", 0, 22, "aaaaaabbbbbb\x88\xa8\x00\x07\x81\x00\x00\x64\x08\x00"},
	{"mpls", 0, 22, "aaaaaabbbbbb\x88\x47\x00\x01\x00\x40\x00\x02\x01\x40"},
	{"pppoe", 0, 22, "aaaaaabbbbbb\x88\x64\x11\x00\x00\x01\x00\x40\x00\x21"},
	{"snap", 0, 22, "aaaaaabbbbbb\x00\x40\xaa\xaa\x03\x00\x00\x00\x08\x00"},
	{"raw", 1, 0, ""},
	{"sll", 2, 16, "\0\0\0\1\0\6aaaaaa\0\0\x08\x00"},
	{"sll2", 3, 20, "\x08\x00\0\0\0\0\0\2\0\1\0\6aaaaaa\0\0"},
	{"null", 4, 4, "\2\0\0\0"},
	{"ppp", 5, 4, "\xff\x03\x00\x21"},
};

static void decode_seeds(void)
{
	uint8_t buf[3 + 64 + FB_MAX] = {0};
	char name[64];

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		buf[0] = 1;
		seed("decode", packets[i].name, buf, 3 + fb_ip(buf + 3, &packets[i].spec));
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		buf[0] = links[i].link;
		memcpy(buf + 3, links[i].head, links[i].len);
		snprintf(name, sizeof(name), "link_%s", links[i].name);
		seed("decode", name, buf,
		     3 + links[i].len + fb_ip(buf + 3 + links[i].len, &packets[i % 2].spec));
	}
}

#define TALK(name, ...)                                            \
	do {                                                       \
		static const uint8_t r[][ER_SIZE] = {__VA_ARGS__}; \
		talk(name, r, sizeof(r));                          \
	} while (0)

static void talk(const char *name, const void *r, size_t n)
{
	uint8_t buf[1024] = {63, 0};

	memcpy(buf + ER_HEAD, r, n);
	seed("engine", name, buf, ER_HEAD + n);
}

static void engine_seeds(void)
{
	TALK("session", {0, FB_SYN, 100}, {ER_BACK, FB_SYN | FB_ACK, 50, 101}, {0, FB_ACK, 101, 51},
	     {0, FB_ACK, 101, 51, 0, 20}, {ER_BACK, FB_ACK, 51, 121, 0, 30},
	     {0, FB_FIN | FB_ACK, 121, 81}, {ER_BACK, FB_FIN | FB_ACK, 81, 122},
	     {0, FB_ACK, 122, 82, 0, 0, 0x32}, {0, FB_SYN, 200, 0, 0, 0, 0x75});
	TALK("rejected", {0, FB_SYN, 100}, {ER_BACK, FB_RST | FB_ACK, 0, 101}, {0, FB_SYN, 100},
	     {0, FB_RST, 101});
	TALK("reversed", {ER_BACK, FB_SYN | FB_ACK, 50, 101}, {0, FB_SYN, 100},
	     {0, FB_ACK, 101, 51, 0, 9});
	TALK("datagrams", {ER_UDP, 0, 0, 0, 0, 40}, {ER_UDP | ER_BACK, 0, 0, 0, 0, 90, 0x61},
	     {ER_UDP, 0, 0, 0, 0, 4, 0x7f}, {ER_UDP | ER_V6, 0, 0, 0, 0, 1},
	     {ER_ICMP, 8, 0, 0, 0, 20}, {ER_ICMP | ER_V6, 128, 0, 0, 0, 20});
	TALK("wrong", {1, FB_ACK, 1, 1, 0, 5, 1, ER_BAD_SUM},
	     {1, FB_ACK, 1, 1, 0, 5, 1, ER_BAD_LEN}, {1, FB_ACK, 1, 1, 20, 5, 1, ER_CUT},
	     {1, FB_ACK, 1, 1, 0, 5, 0, ER_BACK_IN_TIME | 0xe0},
	     {1, FB_ACK, 1, 1, 0, 0, 1, ER_ZERO_WINDOW}, {1, 0x3f, 1, 1, 0xff, 5, 1});
	TALK("raw", {ER_RAW, 0, 16}, {'a', 'a', 'a', 'a', 'a', 'a', 'b', 'b'},
	     {'b', 'b', 'b', 'b', 8, 6, 0, 1});
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr,
			"usage: make_pipeline_corpus FOLDER (with decode/ and engine/ in it)\n");
		return 2;
	}
	folder = argv[1];
	decode_seeds();
	engine_seeds();
	return 0;
}
