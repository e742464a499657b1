/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_deep_corpus.c - writes seeds that lead far into an analyzer: DNS with every kind of record,
 * whole TLS handshakes, HTTP with coded bodies, sessions of SMB and DCE/RPC
 *
 *     make_deep_corpus tests/fuzz/corpus
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define assert_true(holds)       \
	do {                     \
		if (!(holds))    \
			abort(); \
	} while (0)
#include "tests/unit/dns_build.h"
#include "tests/unit/tls_build.h"

enum { ORIG = 0, RESP = 0x80, GAP = 0x40, CHANGE = 0x60 };
enum { TCP = 1, OTHERS = 32, TSV = 64 }; /* of fuzz_analyzer.c */
enum { PIECE_MAX = 8191 };

static const char *folder;
static uint8_t out[65536];
static size_t out_n;

static void put(const void *d, size_t n)
{
	assert_true(n <= sizeof(out) - out_n);
	if (n != 0)
		memcpy(out + out_n, d, n);
	out_n += n;
}

static void put_byte(unsigned v)
{
	put(&(uint8_t){(uint8_t)v}, 1);
}

static void begin(unsigned flags)
{
	out_n = 0;
	put_byte(flags);
}

static void piece(unsigned kind, size_t n)
{
	put_byte(kind | (unsigned)(n >> 8 & 31));
	put_byte(n & 255);
}

static void say(unsigned side, const void *d, size_t n)
{
	while (n != 0) {
		size_t part = n < PIECE_MAX ? n : PIECE_MAX;

		piece(side, part);
		put(d, part);
		d = (const char *)d + part;
		n -= part;
	}
}

static void text(unsigned side, const char *t)
{
	say(side, t, strlen(t));
}

static void save(const char *target, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0777); /* it may be there */
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(out, 1, out_n, f) != out_n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

/* ---- DNS ---- */

static void db_raw(struct dns_build *m, unsigned type, const void *d, size_t n)
{
	db_record(m, type, 1, 300);
	db_bytes(m, d, n);
	db_record_end(m);
}

static const struct {
	unsigned type;
	const char *d;
	size_t n;
} records[] = {
#define R(type, d)                     \
	{                              \
		type, d, sizeof(d) - 1 \
	}
	R(1, "\1\2\3\4"),
	R(2, "\2ns\xc0\x0c"),
	R(5, "\1c\xc0\x0c"),
	R(6, "\2ns\xc0\x0c\4root\xc0\x0c\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"),
	R(11, "\1\2\3\4\6\0\xff"),
	R(12, "\1p\xc0\x0c"),
	R(13, "\3cpu\2os"),
	R(15, "\0\12\1m\xc0\x0c"),
	R(16, "\5hello\0\5world"),
	R(17, "\1r\xc0\x0c\1t\xc0\x0c"),
	R(28, "0123456789abcdef"),
	R(29, "\0\x12\x16\x13\x80\0\0\1\x80\0\0\2\0\x98\x96\x80"),
	R(32, "\0\0\1\2\3\4"),
	R(33, "\0\1\0\2\0\x50\1s\xc0\x0c"),
	R(35, "\0\1\0\2\1s\7SIP+D2U\4!a!b\0"),
	R(43, "\x12\x34\10\2"
	      "0123456789abcdef0123456789abcdef"),
	R(44, "\1\1"
	      "0123456789abcdef0123"),
	R(46, "\0\1\10\2\0\0\x0e\x10\x60\0\0\0\x50\0\0\0\x12\x34\1z\0"
	      "signaturesignature"),
	R(47, "\1n\xc0\x0c\0\6\x40\1\0\0\0\3"),
	R(48, "\1\1\3\10keykeykeykey"),
	R(50, "\1\0\0\12\4salt\x14"
	      "0123456789abcdef0123\0\6\x40\1\0\0\0\3"),
	R(51, "\1\0\0\12\4salt"),
	R(64, "\0\1\1t\xc0\x0c\0\1\0\3\2h2\0\3\0\2\1\xbb"),
	R(65, "\0\1\0\0\4\0\4\1\2\3\4\0\6\0\x10"
	      "0123456789abcdef"),
	R(99, "\6v=spf1"),
	R(249, "\3alg\0\0\0\0\1\0\0\0\2\0\1\0\0\0\4data\0\0"),
	R(250, "\3alg\0\0\0\0\0\0\1\1\x2c\0\4mac!\x12\x34\0\0\0\0"),
	R(255, "any"),
	R(257, "\0\5issueca.example"),
	R(1234, "unknown"),
#undef R
};
enum { RECORD_NR = sizeof(records) / sizeof(records[0]) };

static void all_records(struct dns_build *m)
{
	db_begin(m, 7, 0x8580, (const unsigned[4]){1, RECORD_NR, 0, 1});
	db_question(m, "www.example.com", 255);
	for (unsigned i = 0; i < RECORD_NR; i++)
		db_raw(m, records[i].type, records[i].d, records[i].n);
	db_8(m, 0);
	db_16(m, 41);
	db_16(m, 4096);
	db_32(m, 0x8000);
	db_16(m, 16);
	db_bytes(m, "\0\10\0\7\0\1\x18\0\1\2\3\0\12\0\1x", 16);
}

static void dns_seeds(void)
{
	static struct dns_build q, r, both;

	db_query(&q, 7, "www.example.com", 255);
	all_records(&r);
	begin(0);
	say(ORIG, q.d, q.n);
	say(RESP, r.d, r.n);
	save("analyzer_dns", "all_records");
	/* One record each, so that each can be changed by itself. */
	for (unsigned i = 0; i < RECORD_NR; i++) {
		char name[32];

		db_query(&q, i, "a.example", records[i].type);
		db_reply(&r, i, "a.example", records[i].type, 1);
		db_raw(&r, records[i].type, records[i].d, records[i].n);
		begin(0);
		say(ORIG, q.d, q.n);
		say(RESP, r.d, r.n);
		snprintf(name, sizeof(name), "record_%u", records[i].type);
		save("analyzer_dns", name);
	}
	both.n = 0;
	all_records(&r);
	db_16(&both, (unsigned)r.n);
	db_bytes(&both, r.d, r.n);
	db_16(&both, (unsigned)q.n);
	db_bytes(&both, q.d, q.n);
	begin(TCP);
	piece(ORIG, q.n + 2);
	put_byte(0);
	put_byte((unsigned)q.n);
	put(q.d, q.n);
	say(RESP, both.d, both.n);
	piece(GAP, 30);
	say(RESP, both.d, both.n);
	save("analyzer_dns", "over_tcp");
	db_begin(&q, 9, 0x2800, (const unsigned[4]){1, 1, 1, 0});
	db_question(&q, "zone.example", 6);
	db_raw(&q, 255, "", 0);
	db_raw(&q, 1, "\1\2\3\4", 4);
	begin(0);
	say(ORIG, q.d, q.n);
	save("analyzer_dns", "update");
}

/* ---- HTTP ---- */

static size_t pack(const char *plain, int window_bits, uint8_t *d, size_t room)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)plain,
		      .avail_in = (uInt)strlen(plain),
		      .next_out = d,
		      .avail_out = (uInt)room};

	assert_true(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	assert_true(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static void packed_seed(const char *coding, int window_bits, const char *name)
{
	char head[256];
	uint8_t body[512];
	size_t n = pack("<html><body>hello hello hello hello</body></html>", window_bits, body,
			sizeof(body));

	begin(TCP);
	text(ORIG, "GET /x HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "%zx\r\n",
		 coding, n);
	text(RESP, head);
	say(RESP, body, n);
	text(RESP, "\r\n0\r\nTrailer: x\r\n\r\n");
	save("analyzer_http", name);
}

static void http_seeds(void)
{
	packed_seed("gzip", 31, "gzip");
	packed_seed("deflate", 15, "deflate");
	packed_seed("deflate", -15, "deflate_raw");
	begin(TCP);
	text(ORIG, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: h\r\n"
		   "Authorization: Basic dTpw\r\nReferer: r\r\nOrigin: o\r\nVia: v\r\n\r\n"
		   "PUT /3 HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "3;x=y\r\nabc\r\n0\r\n\r\n");
	text(RESP, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/html; "
		   "charset=x\r\n\r\nok"
		   "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"
		   "HTTP/1.1 100 Continue\r\n\r\n"
		   "HTTP/1.1 201 Created\r\nContent-Disposition: attachment; "
		   "filename=\"f\"\r\n\r\nto the end");
	piece(RESP | CHANGE, 1);
	save("analyzer_http", "pipeline");
	begin(TCP | OTHERS);
	text(ORIG, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n");
	text(RESP, "HTTP/1.1 200 Connection established\r\n\r\n");
	text(ORIG, "GET /inner HTTP/1.0\r\n\r\n");
	text(RESP, "HTTP/1.0 404 No\r\n\r\nnothing");
	save("analyzer_http", "connect");
	begin(TCP | TSV);
	text(ORIG, "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; "
		   "boundary=xx\r\nContent-Length: 133\r\n\r\n"
		   "--xx\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b.txt\"\r\n"
		   "Content-Type: text/plain\r\n\r\nhello\r\n--xx\r\n\r\nmore\r\n--xx--\r\n");
	text(RESP, "HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; "
		   "boundary=yy\r\n\r\n--yy\r\nContent-Range: bytes 0-3/20\r\n\r\nabcd\r\n"
		   "--yy\r\nContent-Range: bytes 10-13/20\r\n\r\nefgh\r\n--yy--\r\n");
	save("analyzer_http", "multipart");
	begin(TCP);
	text(ORIG, "GET /odd HTTP/1.1\nHost: h\n folded\nContent-Length: 5, 5\nX\n\n");
	text(RESP, "HTTP/1.1 200\r\nContent-Length: 4000\r\n\r\n%PDF-1.4 ");
	piece(RESP | GAP, 2000);
	text(RESP, "after the gap");
	text(ORIG, "GET  /v09\r\n\r\n");
	save("analyzer_http", "odd");
	begin(TCP | OTHERS);
	text(ORIG, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		   "Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n");
	text(RESP, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
		   "Upgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n");
	say(ORIG, "\x81\x85maskHELLO\x88\x82mask\3\3", 19);
	say(RESP, "\x81\5hello\x89\0\x88\2\3\xe8", 13);
	save("analyzer_http", "websocket");
}

/* ---- TLS ---- */

static struct hello client = {.version = 0x0303,
			      .sid_len = 32,
			      .ciphers = {0x1301, 0xc02f, 0x009c, 0x000a, 0x0a0a},
			      .cipher_nr = 5},
		    server = {.version = 0x0303, .sid_len = 32, .ciphers = {0xc02f}};

static void client_extensions(struct bytes *x)
{
	x->n = 0;
	put_server_name(x, "www.example.com");
	put_protocol(x, "h2");
	put_extension(x, 5, "\1\0\0\0\0", 5);
	put_extension(x, 10, "\0\4\0\x1d\0\x17", 6);
	put_extension(x, 11, "\1\0", 2);
	put_extension(x, 13, "\0\4\4\3\10\4", 6);
	put_extension(x, 35, "ticket", 6);
	put_extension(x, 43, "\4\3\4\3\3", 5);
	put_extension(x, 45, "\1\1", 2);
	put_extension(x, 51, "\0\x06\0\x1d\0\2kk", 8);
	put_extension(x, 41, "\0\x0a\0\4tick\0\0\0\1\0\5\4bind", 17);
	put_extension(x, 0x0a0a, "", 0);
}

static void certificates(struct bytes *m)
{
	static struct bytes one, list;

	one.n = list.n = 0;
	put_certificate(&one, "www.example.com",
			(const char *const[3]){"www.example.com", "*.example.org", NULL});
	put_sized(&list, 3, one.d, one.n);
	one.n = 0;
	put_certificate(&one, "Authority", NULL);
	put_sized(&list, 3, one.d, one.n);
	m->n = 0;
	put_sized(m, 3, list.d, list.n);
}

static void tls_hellos(struct bytes *c, struct bytes *s)
{
	static struct bytes m;

	client_extensions(&client.extensions);
	m.n = 0;
	put_client_hello(&m, &client);
	c->n = 0;
	put_handshake(c, 1, &m);
	m.n = 0;
	put_server_hello(&m, &server);
	s->n = 0;
	put_handshake(s, 2, &m);
}

static void tls_seeds(void)
{
	static struct bytes c, s, m;

	server.extensions.n = 0;
	put_extension(&server.extensions, 16, "\0\3\2h2", 5);
	put_extension(&server.extensions, 23, "", 0);
	tls_hellos(&c, &s);
	certificates(&m);
	put_handshake(&s, 11, &m);
	m.n = 0;
	put_data(&m, "\1\0\0\7ocspocs", 11);
	put_handshake(&s, 22, &m);
	m.n = 0;
	put_data(&m, "\3\0\x1d\4abcd\4\1\0\4sign", 15);
	put_handshake(&s, 12, &m);
	m.n = 0;
	put_data(&m, "\1\1\0\2\4\1\0\0", 8);
	put_handshake(&s, 13, &m);
	m.n = 0;
	put_handshake(&s, 14, &m);
	begin(TCP);
	say(ORIG, c.d, c.n);
	say(RESP, s.d, s.n);
	c.n = 0;
	certificates(&m);
	put_handshake(&c, 11, &m);
	m.n = 0;
	put_data(&m, "\4abcd", 5);
	put_handshake(&c, 16, &m);
	put_simple(&c, 20, "\1", 1);
	put_simple(&c, 22, "0123456789abcdef0123456789abcdef01234567", 40);
	say(ORIG, c.d, c.n);
	s.n = 0;
	m.n = 0;
	put_data(&m, "\0\0\x0e\x10\0\4tick", 10);
	put_handshake(&s, 4, &m);
	put_simple(&s, 20, "\1", 1);
	put_simple(&s, 22, "0123456789abcdef0123456789abcdef01234567", 40);
	put_simple(&s, 23, "application data", 16);
	put_simple(&s, 21, "\1\0", 2);
	say(RESP, s.d, s.n);
	save("analyzer_tls", "full_1_2");
	/* 1.3, after a request to try again. */
	server.random = (const uint8_t *)"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65"
					 "\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2"
					 "\xc8\xa8\x33\x9c";
	server.ciphers[0] = 0x1301;
	server.extensions.n = 0;
	put_extension(&server.extensions, 43, "\3\4", 2);
	put_extension(&server.extensions, 51, "\0\x1d", 2);
	tls_hellos(&c, &s);
	begin(TCP);
	say(ORIG, c.d, c.n);
	say(RESP, s.d, s.n);
	say(ORIG, c.d, c.n);
	server.random = NULL;
	tls_hellos(&c, &s);
	put_simple(&s, 20, "\1", 1);
	put_simple(&s, 23, "encrypted extensions and so on", 30);
	say(RESP, s.d, s.n);
	c.n = 0;
	put_simple(&c, 20, "\1", 1);
	put_simple(&c, 23, "finished", 8);
	put_simple(&c, 24, "\1\0\3abc", 6);
	say(ORIG, c.d, c.n);
	save("analyzer_tls", "retried_1_3");
	/* A message in many records, and an end in the middle. */
	client_extensions(&client.extensions);
	m.n = c.n = 0;
	put_client_hello(&m, &client);
	put_message(&c, 1, &m);
	s.n = 0;
	for (size_t at = 0; at < c.n; at += 20)
		put_simple(&s, 22, c.d + at, c.n - at < 20 ? c.n - at : 20);
	begin(TCP);
	say(ORIG, s.d, s.n);
	piece(ORIG | GAP, 40);
	piece(ORIG | CHANGE, 0);
	say(ORIG, s.d, s.n - 7);
	save("analyzer_tls", "in_pieces");
}

/* A DTLS record of one fragment of a message. */
static void dtls_record(struct bytes *b, unsigned seq, uint8_t type, const struct bytes *m,
			size_t from, size_t n)
{
	put_int(b, 1, 22);
	put_int(b, 2, 0xfefd);
	put_int(b, 8, seq);
	put_int(b, 2, n + 12);
	put_int(b, 1, type);
	put_int(b, 3, m->n);
	put_int(b, 2, seq);
	put_int(b, 3, from);
	put_int(b, 3, n);
	put_data(b, m->d + from, n);
}

static void dtls_seeds(void)
{
	static struct bytes b, m;

	client.version = server.version = 0xfefd;
	server.extensions.n = 0;
	begin(0);
	for (unsigned i = 0; i < 2; i++) {
		client.has_cookie = i == 1;
		client_extensions(&client.extensions);
		m.n = b.n = 0;
		put_client_hello(&m, &client);
		if (i == 0 && m.n > 38) /* an empty cookie stands behind the session */
			put_int(&m, 1, 0);
		dtls_record(&b, i, 1, &m, 0, m.n);
		say(ORIG, b.d, b.n);
		m.n = b.n = 0;
		put_data(&m, "\xfe\xff\6cookie", 9);
		if (i == 0) {
			dtls_record(&b, 0, 3, &m, 0, m.n);
			say(RESP, b.d, b.n);
		}
	}
	m.n = b.n = 0;
	put_server_hello(&m, &server);
	dtls_record(&b, 1, 2, &m, 0, m.n);
	say(RESP, b.d, b.n);
	certificates(&m);
	/* Fragments backwards, with one twice. */
	for (size_t at = m.n / 100 * 100;; at -= 100) {
		b.n = 0;
		dtls_record(&b, 2, 11, &m, at, m.n - at < 100 ? m.n - at : 100);
		say(RESP, b.d, b.n);
		if (at == 0)
			break;
	}
	say(RESP, b.d, b.n);
	save("analyzer_dtls", "cookie_and_fragments");
}

/* ---- SMB and DCE/RPC ---- */

/* A message of SMB 2 behind its NetBIOS length. */
static void smb2(unsigned side, unsigned command, const void *body, size_t n)
{
	struct bytes b = {.n = 0};

	put_int(&b, 4, 64 + n);
	put_data(&b, "\xfeSMB\x40\0\1\0\0\0\0\0", 12);
	put_int(&b, 1, command);
	put_int(&b, 1, 0);
	put_data(&b, "\1\0", 2);
	put_int(&b, 4, side == RESP ? 0x01000000 : 0);
	put_fill(&b, 0, 4);
	put_int(&b, 1, command);
	put_fill(&b, 0, 7 + 4);
	put_data(&b, "\1\0\0\0\1\0\0\0\0\0\0\0", 12);
	put_fill(&b, 0, 16);
	put_data(&b, body, n);
	say(side, b.d, b.n);
}

#define RPC_HEAD(type, length, call) "\5\0" type "\3\x10\0\0\0" length "\0\0\0" call "\0\0\0"
#define RPC_BIND                                                                             \
	RPC_HEAD("\x0b", "\x48\0", "\1")                                                     \
	"\xb8\x10\xb8\x10\0\0\0\0\1\0\0\0\0\0\1\0"                                           \
	"\xc8\x4f\x32\x4b\x70\x16\xd3\x01\x12\x78\x5a\x47\xbf\x6e\xe1\x88\3\0\0\0\4\x5d\x88" \
	"\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0\x2b\x10\x48\x60\2\0\0\0"
#define RPC_BIND_ACK                                                                         \
	RPC_HEAD("\x0c", "\x44\0", "\1")                                                     \
	"\xb8\x10\xb8\x10\1\0\0\0\x0d\0\\PIPE\\srvsvc\0\0\1\0\0\0\0\0\0\0\4\x5d\x88\x8a\xeb" \
	"\x1c\xc9\x11\x9f\xe8\x08\0\x2b\x10\x48\x60\2\0\0\0"
#define RPC_REQUEST  RPC_HEAD("\0", "\x1c\0", "\2") "\4\0\0\0\0\0\x0f\0stub"
#define RPC_RESPONSE RPC_HEAD("\2", "\x1c\0", "\2") "\4\0\0\0\0\0\0\0stub"

static void smb_seeds(void)
{
	static const char negotiate[] = "\x24\0\2\0\1\0\0\0\0\0\0\0"
					"0123456789abcdef\0\0\0\0\0\0\0\0\2\2\x11\3",
			  setup[] =
				  "\x19\0\0\1\0\0\0\0\0\0\0\0\x58\0\x0c\0\0\0\0\0\0\0\0\0NTLMSSP\0"
				  "\1\0\0\0",
			  tree[] = "\x09\0\0\0\x48\0\x12\0\\\0\\\0h\0\\\0i\0p\0c\0$\0",
			  create[] =
				  "\x39\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x89\0\x12\0"
				  "\0\0\0\0\7\0\0\0\1\0\0\0\0\0\0\0\x78\0\x0a\0\0\0\0\0\0\0\0\0"
				  "f\0.\0t\0x\0t\0",
			  created[] = "\x59\0\0\0\1\0\0\0"
				      "timetimetimetimetimetimetimetime\0\0\0\0\0\0\0\0\5\0\0\0\0"
				      "\0\0\0\x20\0\0\0\0\0\0\0fileidfileidfile\0\0\0\0\0\0\0\0",
			  write[] = "\x31\0\x70\0\5\0\0\0\0\0\0\0\0\0\0\0fileidfileidfile\0\0\0\0\0"
				    "\0\0\0\0\0\0\0\0\0\0\0hello",
			  read[] =
				  "\x31\0\0\0\5\0\0\0\0\0\0\0\0\0\0\0fileidfileidfile\0\0\0\0\0\0\0"
				  "\0\0\0\0\0\0\0\0\0\0",
			  data[] = "\x11\0\x50\0\5\0\0\0\0\0\0\0\0\0\0\0hello",
			  close[] = "\x18\0\0\0\0\0\0\0fileidfileidfile";
	static const struct {
		uint8_t side, command;
		const char *body;
		size_t n;
	} talk[] = {
#define M(side, command, body) {side, command, body, sizeof(body) - 1}
		M(ORIG, 0, negotiate), M(RESP, 0, setup),
		M(ORIG, 1, setup),     M(RESP, 1, setup),
		M(ORIG, 3, tree),      M(RESP, 3, "\x10\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		M(ORIG, 5, create),    M(RESP, 5, created),
		M(ORIG, 9, write),     M(RESP, 9, data),
		M(ORIG, 8, read),      M(RESP, 8, data),
		M(ORIG, 6, close),     M(RESP, 6, close),
		M(ORIG, 0x80, "x"),
#undef M
	};

	begin(TCP);
	for (size_t i = 0; i < sizeof(talk) / sizeof(talk[0]); i++)
		smb2(talk[i].side, talk[i].command, talk[i].body, talk[i].n);
	save("analyzer_smb", "session");
	begin(TCP);
	say(ORIG,
	    "\0\0\0\x2f\xffSMB\x72\0\0\0\0\x18\1\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0c"
	    "\0\2NT LM 0.12",
	    51);
	say(RESP,
	    "\0\0\0\x45\xffSMB\x72\0\0\0\0\x98\1\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x11\0"
	    "\0\3\1\0\1\0\0\x10\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
	    73);
	save("analyzer_smb", "version_1");
	begin(TCP);
	say(ORIG, RPC_BIND, sizeof(RPC_BIND) - 1);
	say(RESP, RPC_BIND_ACK, sizeof(RPC_BIND_ACK) - 1);
	say(ORIG, RPC_REQUEST RPC_REQUEST, 2 * (sizeof(RPC_REQUEST) - 1));
	say(RESP, RPC_RESPONSE, sizeof(RPC_RESPONSE) - 1);
	piece(RESP | GAP, 28);
	say(RESP, RPC_RESPONSE, sizeof(RPC_RESPONSE) - 1);
	save("analyzer_dce_rpc", "calls");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_deep_corpus FOLDER\n");
		return 2;
	}
	folder = argv[1];
	dns_seeds();
	http_seeds();
	tls_seeds();
	dtls_seeds();
	smb_seeds();
	return 0;
}
