/* SPDX-License-Identifier: Apache-2.0 */
/* attack_file.c - kind F: files, over HTTP */
#include "bench/attack_priv.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define P_FILES(n)                                          \
	{                                                   \
		"files", n, 1, 100000000, "of a connection" \
	}

static int get(struct zb_attack_gen *g, uint64_t nr)
{
	zb_at_msg(g);
	zb_at_add_text(g, "GET /%u HTTP/1.1\r\nHost: h.example\r\n\r\n", (unsigned)nr);
	return zb_at_say(g, 0);
}

static int tiny_files(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 2 * g->param[0])
		return 0;
	if (nr % 2 == 0)
		return get(g, nr / 2);
	return zb_at_say_text(g, 1, OK "Content-Length: 1\r\n\r\nx");
}

/* Every second range of a file, from behind, and never the rest. */
static int ranges(struct zb_attack_gen *g, uint64_t nr)
{
	uint64_t pieces = g->param[0], bytes = g->param[1], at;

	if (nr >= 2 * pieces)
		return 0;
	at = 2 * bytes * (pieces - nr / 2);
	zb_at_msg(g);
	if (nr % 2 == 0) {
		zb_at_add_text(
			g,
			"GET /holey HTTP/1.1\r\nHost: h.example\r\nRange: bytes=%llu-%llu\r\n\r\n",
			(unsigned long long)at, (unsigned long long)(at + bytes - 1));
		return zb_at_say(g, 0);
	}
	zb_at_add_text(g,
		       "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %llu-%llu/%llu\r\n"
		       "Content-Length: %llu\r\n\r\n",
		       (unsigned long long)at, (unsigned long long)(at + bytes - 1),
		       (unsigned long long)(2 * bytes * (pieces + 1)), (unsigned long long)bytes);
	zb_at_add_fill(g, 'r', bytes);
	return zb_at_say(g, 1);
}

static int huge_file(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr == 0)
		return get(g, 0);
	if (nr == 1)
		return zb_at_say_text(g, 1, OK "Content-Length: 1000000000000\r\n\r\n");
	zb_at_msg(g);
	for (unsigned i = 0; i < 181; i++)
		zb_at_add_be(g, zb_at_dice(g, nr + i), 8);
	return zb_at_say(g, 1);
}

/* Bodies of white space and half-begun marks, as deep as a signature looks. */
static int mime_sniff(struct zb_attack_gen *g, uint64_t nr)
{
	static const char *const begins[] = {"<!", "%PD",      "PK\3", "<?xm",
					     "#!", "\xff\xd8", "GIF8", "{\\rt"};

	if (nr >= 2 * g->param[0])
		return 0;
	if (nr % 2 == 0)
		return get(g, nr / 2);
	zb_at_msg(g);
	zb_at_add_text(g, OK "Content-Length: 1300\r\n\r\n%s", begins[nr / 2 % 8]);
	while (g->msg_len < 38 + 1300 + 3)
		zb_at_add(g, " <", 2);
	g->msg_len = 41 + 1300; /* the head is 41 bytes */
	return zb_at_say(g, 1);
}

/* A terabyte is announced, a few bytes come, and the next request. */
static int giant_length(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= 2)
		return 0;
	if (nr == 0)
		return get(g, g->talk.conn);
	return zb_at_say_text(g, 1,
			      OK "Content-Type: multipart/mixed; boundary=b\r\n"
				 "Content-Length: 1099511627776\r\n\r\n--b\r\nContent-Length: "
				 "1099511627776\r\n\r\nPK\3\4");
}

#define HTTP .port = 80, .frame = zb_at_talk, .ack_every = 16

const struct zb_attack zb_attack_file[] = {
	{.name = "http-tiny-files",
	 .id = "F1",
	 .sends = "bodies of one byte, one after the other",
	 .exhausts = "making and hashing of files, log rows",
	 .guard = "65,536 files at a time; --limit file; --hashes",
	 .moves = "files rows:files",
	 .params = {P_FILES(1000)},
	 HTTP,
	 .say = tiny_files},
	{.name = "http-ranges",
	 .id = "F2",
	 .sends = "every second range of a file, the last one first",
	 .exhausts = "memory of file reassembly",
	 .guard = "512 pieces of a file; --limit file_data",
	 .moves = "reassem_file_bytes",
	 .params = {{"pieces", 400, 1, 1000000, "of a file"}, {"bytes", 1000, 1, 1100, "of one"}},
	 HTTP,
	 .say = ranges},
	{.name = "http-huge-file",
	 .id = "F3",
	 .sends = "one file of a terabyte",
	 .exhausts = "cycles per byte: every file has three digests",
	 .guard = "--hashes",
	 .moves = "stage_stream_cycles",
	 HTTP,
	 .say = huge_file},
	{.name = "http-mime-sniff",
	 .id = "F4",
	 .sends = "bodies that begin as several types do and never decide",
	 .exhausts = "cycles of telling the type of a file",
	 .guard = "a file's first bytes only, once",
	 .moves = "files rows:files",
	 .params = {P_FILES(1000)},
	 HTTP,
	 .say = mime_sniff},
	{.name = "http-giant-length",
	 .id = "F5",
	 .sends = "bodies and parts that announce a terabyte and stop",
	 .exhausts = "memory, if it is taken by what was announced",
	 .guard = "nothing is taken by an announced length; --limit file",
	 .moves = "file_bytes active_files",
	 HTTP,
	 .say = giant_length},
};
ZB_ATTACK_COUNT(file)
