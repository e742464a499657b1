/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_pipeline_corpus.c - writes the seeds of fuzz_decode, fuzz_engine, fuzz_file,
 * fuzz_frag and fuzz_tcp_stream: one packet, conversation or set of fragments each
 *
 *     make_pipeline_corpus tests/fuzz/corpus
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine_record.h"
#include "tests/unit/frame_build.h"

static const char *folder;

static void seed(const char *target, const char *name, const void *p, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0777); /* it may be there */
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
	{"nflog", 8, 16, "\2\0\0\0\5\0\1\0a\0\0\0\4\0\x09\0"},
	{"wifi", 9, 34, "\x88\1..aaaaaabbbbbbcccccc..\0\0\xaa\xaa\3\0\0\0\x08\0"},
	{"radiotap", 10, 41, "\0\0\x09\0.....\x08\1..aaaaaabbbbbbcccccc..\xaa\xaa\3\0\0\0\x08\0"},
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

/* What stands between an outer packet and the one inside. */
static const struct {
	const char *name;
	uint8_t proto, len;
	uint16_t port;
	const char *head;
} tunnels[] = {
	{"ipip", 4, 0, 0, ""},
	{"gre", 47, 8, 0, "\x20\0\x08\0\0\0\0\7"},
	{"gre_ethernet", 47, 18, 0,
	 "\0\0\x65\x58"
	 "aaaaaabbbbbb\x08\0"},
	{"erspan2", 47, 30, 0,
	 "\x10\0\x88\xbe\0\0\0\0\0\0\0\0\0\0\0\0"
	 "aaaaaabbbbbb\x08\0"},
	{"pptp", 47, 16, 0, "\x30\1\x88\x0b\0\0\0\0\0\0\0\0\xff\3\0\x21"},
	{"vxlan", 17, 22, 4789,
	 "\x08\0\0\0\0\0\7\0"
	 "aaaaaabbbbbb\x08\0"},
	{"geneve", 17, 26, 6081,
	 "\1\0\x65\x58\0\0\0\0\0\0\0\0"
	 "aaaaaabbbbbb\x08\0"},
	{"gtp", 17, 16, 2152, "\x34\xff\0\0\0\0\0\7\0\0\0\x85\1\0\0\0"},
	{"ayiya", 17, 24, 5072, "\x41\0\1\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
};

/* Puts a packet into a tunnel; returns the length of both. */
static uint32_t wrap(uint8_t *at, size_t i, const uint8_t *inner, uint32_t len)
{
	uint8_t raw[FB_MAX + 64];
	uint32_t hdr = tunnels[i].proto == 17 ? 28 : 20;
	struct fb_spec outer = {.proto = tunnels[i].proto,
				.src = 3,
				.dst = 4,
				.sport = 50000,
				.dport = tunnels[i].port,
				.payload_len = tunnels[i].len + len};

	memcpy(raw, tunnels[i].head, tunnels[i].len);
	memcpy(raw + tunnels[i].len, inner, len);
	len = fb_ip(at, &outer);
	memcpy(at + hdr, raw, len - hdr);
	return len;
}

static uint32_t tunnel_packet(uint8_t *at, size_t i)
{
	uint8_t inner[FB_MAX];

	return wrap(at, i, inner, fb_ip(inner, &packets[i % 2].spec));
}

/* Alone; and in two fragments, behind their lengths. Checksums are ignored. */
static void tunnel_seeds(void)
{
	uint8_t buf[3 + 64 + 2 * FB_MAX] = {1, 1}, whole[FB_MAX];
	char name[64];

	for (size_t i = 0; i < sizeof(tunnels) / sizeof(tunnels[0]); i++) {
		uint32_t len = tunnel_packet(buf + 3, i), at = 3;

		buf[1] = 1;
		snprintf(name, sizeof(name), "tunnel_%s", tunnels[i].name);
		seed("decode", name, buf, 3 + len);
		memcpy(whole, buf + 3, len);
		buf[1] = 1 | 8;
		for (unsigned k = 0; k < 2; k++) {
			uint32_t n = k == 0 ? 32 : len - 20 - 32;

			fb_put16(buf + at, 20 + n);
			memcpy(buf + at + 2, whole, 20);
			fb_put16(buf + at + 4, 20 + n);
			fb_put16(buf + at + 8, k == 0 ? 0x2000 : 4);
			memcpy(buf + at + 22, whole + 20 + k * 32, n);
			at += 22 + n;
		}
		snprintf(name, sizeof(name), "fragments_%s", tunnels[i].name);
		seed("decode", name, buf, at);
	}
}

/* Tunnels in one another, as deep as they are followed, the whole in fragments of 64 bytes. */
static void nested_seed(void)
{
	static const size_t order[] = {5, 0, 7, 1};
	uint8_t buf[8192] = {1, 1 | 8}, whole[FB_MAX], inner[FB_MAX];
	uint32_t at = 3, len = fb_ip(whole, &packets[1].spec);

	for (unsigned i = 0; i < 4; i++) {
		memcpy(inner, whole, len);
		len = wrap(whole, order[i], inner, len);
	}
	for (uint32_t off = 0; off < len - 20; off += 64) {
		uint32_t n = len - 20 - off < 64 ? len - 20 - off : 64;

		fb_put16(buf + at, 20 + n);
		memcpy(buf + at + 2, whole, 20);
		fb_put16(buf + at + 4, 20 + n);
		fb_put16(buf + at + 8, (off + n < len - 20 ? 0x2000 : 0) | off / 8);
		memcpy(buf + at + 22, whole + 20 + off, n);
		at += 22 + n;
	}
	seed("decode", "fragments_nested", buf, at);
	buf[1] = 1;
	memcpy(buf + 3, whole, len);
	seed("decode", "tunnels_nested", buf, 3 + len);
}

static void frag_seeds(void)
{
	static const uint8_t in_order[] = {4, 0,  0,  0, 64, 1,	  4, 0, 64,
					   0, 64, 65, 0, 0,  128, 0, 9, 1},
			     backwards[] = {0, 0,  128, 0, 9, 1, 4, 0,	64,
					    0, 64, 65,	4, 0, 0, 0, 64, 1},
			     overlap[] = {20, 0,  0, 0,	 64, 1,	 20, 0, 32,
					  0,  64, 9, 16, 0,  88, 0,  9, 1},
			     teardrop[] = {4, 0, 0, 0, 36, 1, 0, 0, 24, 0, 4, 1};

	seed("frag", "in_order", in_order, sizeof(in_order));
	seed("frag", "backwards", backwards, sizeof(backwards));
	seed("frag", "overlap", overlap, sizeof(overlap));
	seed("frag", "teardrop", teardrop, sizeof(teardrop));
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

/* A conversation with payload, growing in talk_buf. */
static uint8_t talk_buf[2048];
static size_t talk_n;

static void say(unsigned kind, unsigned flags, unsigned seq, unsigned ack, const char *said,
		size_t n)
{
	struct er r = {(uint8_t)kind,
		       (uint8_t)(flags | (n != 0 ? ER_SAID : 0)),
		       (uint8_t)seq,
		       (uint8_t)ack,
		       0,
		       (uint8_t)n,
		       1,
		       0};

	memcpy(talk_buf + talk_n, &r, sizeof(r));
	memcpy(talk_buf + talk_n + sizeof(r), said, n);
	talk_n += sizeof(r) + n;
}

static void said_seeds(void)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
			  ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
			  query[] = "\0\7\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1",
			  reply[] = "\0\7\x81\x80\0\1\0\1\0\0\0\0\3www\7example\3com\0\0\1\0\1"
				    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4";
	enum { GET = sizeof(get) - 1, OK = sizeof(ok) - 1, SPLIT = 20 };

	talk_n = ER_HEAD;
	talk_buf[0] = 63;
	say(0, FB_SYN, 0, 0, "", 0);
	say(ER_BACK, FB_SYN | FB_ACK, 0, 1, "", 0);
	say(0, FB_ACK, 1, 1, get, GET);
	say(ER_BACK, FB_ACK, 1 + SPLIT, 1 + GET, ok + SPLIT, OK - SPLIT);
	say(ER_BACK, FB_ACK, 1, 1 + GET, ok, SPLIT);
	say(0, FB_FIN | FB_ACK, 1 + GET, 1 + OK, "", 0);
	say(ER_BACK, FB_FIN | FB_ACK, 1 + OK, 2 + GET, "", 0);
	say(ER_UDP, 0, 0, 0, query, sizeof(query) - 1);
	say(ER_UDP | ER_BACK, 0, 0, 0, reply, sizeof(reply) - 1);
	talk_buf[1] = 0;
	seed("engine", "said", talk_buf, talk_n);
	talk_buf[1] = ER_LITTLE_MEMORY;
	seed("engine", "said_in_little_memory", talk_buf, talk_n);
	talk_buf[1] = ER_MEMCAP | ER_TSV;
	seed("engine", "said_under_memcap", talk_buf, talk_n);
}

/* Segments as fuzz_tcp_stream.c reads them: flags and side, content, seq, ack, length. */
static void stream_seeds(void)
{
#define S(flags, content, seq, ack, len) \
	flags, content, (seq) >> 8, (seq)&255, (ack) >> 8, (ack)&255, (len) >> 8, (len)&255
	/* The first number is about to wrap. */
	uint8_t buf[] = {0xff,
			 0xff,
			 0xff,
			 0,
			 S(FB_SYN, 2, 0, 0, 0),
			 S(0x80 | FB_SYN | FB_ACK, 2, 0, 1, 0),
			 S(FB_ACK, 2, 1, 1, 100),
			 S(FB_ACK, 4, 201, 1, 100),
			 S(FB_ACK, 6, 151, 1, 100), /* over the beginning of what waits */
			 S(FB_ACK, 8, 401, 1, 50),
			 S(FB_ACK, 8, 401, 1, 50),
			 S(0x80 | FB_ACK, 2, 1, 101, 1400),
			 S(FB_ACK, 10, 90, 1, 120), /* other bytes than before */
			 S(0x80 | FB_ACK, 2, 1401, 500, 10),
			 S(FB_ACK, 12, 600, 1, 2000),
			 S(FB_ACK, 12, 300, 1, 500),
			 S(FB_FIN | FB_ACK, 2, 2600, 1411, 0),
			 S(0x80 | FB_FIN | FB_ACK, 2, 1411, 2601, 0)};
#undef S

	seed("tcp_stream", "overlaps", buf, sizeof(buf));
	/* The same without a handshake, and in little memory. */
	seed("tcp_stream", "partial", buf + 16, sizeof(buf) - 16);
	buf[3] = 9;
	seed("tcp_stream", "little_memory", buf, sizeof(buf));
}

/* Steps as fuzz_file.c reads them: one file in order with a gap, and one in ranges, shared. */
static void file_seeds(void)
{
	static const char in_order[] = "\0\x10\0\0\2"
				       "\1\0\0\x09%PDF-1.4 \3\0\0\x20\1\0\0\5hello"
				       "\x0d\x80\0\0\1\0\0\4more\6\0\0\0",
			  ranges[] = "\1\x08\0\1\1\x48\0\1\1"
				     "\x42\1\0\x40hahahahahahahahahahahahahahahaha"
				     "hahahahahahahahahahahahahahahaha"
				     "\2\0\0\x50<html><body>0123456789012345678901234567890123"
				     "4567890123456789012345678901234567"
				     "\7\0\0\0\x44\0\0\x80\x45\0\0\0\x46\0\0\0";

	seed("file", "in_order", in_order, sizeof(in_order) - 1);
	seed("file", "ranges", ranges, sizeof(ranges) - 1);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_pipeline_corpus FOLDER\n");
		return 2;
	}
	folder = argv[1];
	decode_seeds();
	tunnel_seeds();
	nested_seed();
	frag_seeds();
	engine_seeds();
	said_seeds();
	stream_seeds();
	file_seeds();
	return 0;
}
