/* SPDX-License-Identifier: Apache-2.0 */
/* make_trace_corpus.c - writes the seeds of fuzz_trace: small files that reach every part of the
 * parsers */
#include <zlib.h>
#include <zstd.h>
#include "tests/unit/packet_build.h"

static const char *folder;

static void seed(const char *name, struct tb_buf *b)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(b->p, 1, b->nr, f) != b->nr || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
	tb_free(b);
}

static const struct tb_ip ips[] = {
	{4, 6, {10, 0, 0, 1}, {192, 0, 2, 1}, 4000, 80, 0, 3},
	{4, 17, {10, 0, 0, 1}, {192, 0, 2, 1}, 4000, 53, 0x2000, 8},
	{6, 17, {0x20, 1, [15] = 1}, {0x20, 1, [15] = 2}, 4000, 53, 0, 3},
	{6, 58, {0xfe, 0x80, [15] = 1}, {0xff, 2, [15] = 2}, 0x8700, 0, 0, 16},
};

/* One pcap per link layer: kind of header, link type of the file. */
static void pcap_seeds(void)
{
	static const struct {
		const char *name;
		enum tb_link how;
		uint32_t type;
	} links[] = {
		{"pcap_raw", TB_RAW, 101}, {"pcap_ethernet", TB_ETHERNET, 1},
		{"pcap_vlan", TB_VLAN, 1}, {"pcap_qinq", TB_QINQ, 1},
		{"pcap_mpls", TB_MPLS, 1}, {"pcap_pppoe", TB_PPPOE, 1},
		{"pcap_sll", TB_SLL, 113}, {"pcap_sll2", TB_SLL2, 276},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct tb_buf b = {.big = i % 2};

		tb_pcap_header(&b, i % 3 ? 0xa1b2c3d4 : 0xa1b23c4d, links[i].type);
		for (uint32_t k = 0; k < sizeof(ips) / sizeof(ips[0]); k++) {
			struct tb_buf p = {0};

			tb_packet(&p, links[i].how, &ips[k]);
			tb_pcap_record(&b, (struct tb_rec){k, k, (uint32_t)p.nr, 1500}, p.p);
			tb_free(&p);
		}
		seed(links[i].name, &b);
	}
}

static void small_link_seeds(void)
{
	static const struct {
		const char *name;
		uint32_t type;
		const char *head;
		uint32_t len;
	} links[] = {
		{"pcap_null", 0, "\2\0\0\0", 4},
		{"pcap_ppp", 9, "\x00\x21", 2},
		{"pcap_ppp_serial", 50, "\xff\x03\x00\x21", 4},
		{"pcap_snap", 1, "aaaaaabbbbbb\0\x40\xaa\xaa\3\0\0\0\x08\0", 22},
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct tb_buf b = {0}, p = {0};

		tb_bytes(&p, links[i].head, links[i].len);
		tb_packet(&p, TB_RAW, &ips[0]);
		tb_pcap_header(&b, 0xa1b2c3d4, links[i].type);
		tb_pcap_record(&b, (struct tb_rec){1, 0, (uint32_t)p.nr, 60}, p.p);
		tb_free(&p);
		seed(links[i].name, &b);
	}
}

/* Routing, fragment and authentication headers in front of UDP. */
static void extension_seed(void)
{
	static const char chain[] =
		"\x33\0\0\1\0\0\0\0\x2c\1\0\0\0\0\0\0\0\0\0\0\x11\0\0\0\0\0\0\7";
	struct tb_buf b = {0}, p = {0};

	tb_packet(&p, TB_RAW, &ips[2]);
	p.p[6] = 43;
	tb_pcap_header(&b, 0xa1b2c3d4, 229);
	tb_u32(&b, 1);
	tb_u32(&b, 0);
	tb_u32(&b, p.nr + sizeof(chain) - 1);
	tb_u32(&b, p.nr + sizeof(chain) - 1);
	tb_bytes(&b, p.p, 40);
	tb_bytes(&b, chain, sizeof(chain) - 1);
	tb_bytes(&b, p.p + 40, p.nr - 40);
	tb_free(&p);
	seed("pcap_extensions", &b);
}

static void pcapng_seeds(void)
{
	for (int big = 0; big < 2; big++) {
		struct tb_buf b = {.big = big}, p = {0}, body = {.big = big};

		tb_packet(&p, TB_ETHERNET, &ips[0]);
		tb_shb(&b);
		tb_idb(&b, 1, 9, 5);
		tb_idb(&b, 101, 0x80 | 20, 0);
		tb_epb(&b, 0, 1000, p.p, (uint32_t)p.nr);
		tb_epb(&b, 1, 1000, p.p + 14, (uint32_t)p.nr - 14);
		tb_block(&b, 4, &body);
		tb_u32(&body, p.nr);
		tb_bytes(&body, p.p, p.nr);
		tb_block(&b, 3, &body);
		body.nr = 0;
		tb_u16(&body, 1);
		tb_u16(&body, 0);
		tb_u32(&body, 0);
		tb_u32(&body, 9);
		tb_u32(&body, p.nr - 14);
		tb_u32(&body, p.nr);
		tb_bytes(&body, p.p + 14, p.nr - 14);
		tb_block(&b, 2, &body);
		tb_shb(&b);
		tb_idb(&b, 113, -1, 0);
		tb_free(&p);
		tb_packet(&p, TB_SLL, &ips[1]);
		tb_epb(&b, 0, 7, p.p, (uint32_t)p.nr);
		tb_free(&p);
		tb_free(&body);
		seed(big ? "pcapng_big" : "pcapng_little", &b);
	}
}

/* The unpackers: the same small pcap by each. */
static void packed_seeds(void)
{
	struct tb_buf b = {0}, p = {0}, out = {0};
	size_t max, n;
	z_stream z = {0};

	tb_packet(&p, TB_ETHERNET, &ips[0]);
	tb_pcap_header(&b, 0xa1b2c3d4, 1);
	tb_pcap_record(&b, (struct tb_rec){1, 0, (uint32_t)p.nr, (uint32_t)p.nr}, p.p);
	max = ZSTD_compressBound(b.nr);
	n = ZSTD_compress(tb_room(&out, max), max, b.p, b.nr, 1);
	out.nr = n;
	seed("pcap_zstd", &out);
	if (ZSTD_isError(n) || deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		exit(1);
	z.next_in = b.p;
	z.avail_in = (uInt)b.nr;
	z.next_out = tb_room(&out, 1024);
	z.avail_out = 1024;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		exit(1);
	out.nr -= z.avail_out;
	deflateEnd(&z);
	seed("pcap_gzip", &out);
	tb_free(&b);
	tb_free(&p);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_trace_corpus FOLDER\n");
		return 2;
	}
	folder = argv[1];
	pcap_seeds();
	small_link_seeds();
	extension_seed();
	pcapng_seeds();
	packed_seeds();
	return 0;
}
