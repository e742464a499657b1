/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_analyzer_corpus.c - writes the seeds of the analyzers' fuzzers: one valid conversation each,
 * in the form that fuzz_analyzer.c describes
 *
 *     make_analyzer_corpus tests/fuzz/corpus
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ORIG = 0, RESP = 0x80 };

struct said {
	uint8_t side;
	uint16_t n;
	const char *d;
};

struct seed {
	const char *analyzer, *name;
	struct said said[8];
};

/* A literal that either side says, without its terminator. */
#define SAY(side, text)                      \
	{                                    \
		side, sizeof(text) - 1, text \
	}

#define TLS_RANDOM	"0123456789abcdef0123456789abcdef"
#define TEN		"0123456789"
#define SMB_HEADER	"\xfeSMB\100\0\0\0\0\0\0\0"
#define SMB_HEADER_REST "\1\0\0\0\0\0\0\0" TEN TEN TEN TEN "01"
#define NTP_REST	TEN TEN TEN TEN "0123456"
#define DHCP_FIXED(assigned)                                                                       \
	"\1\1\6\0\0\0\0\1\0\0\0\0\0\0\0\0" assigned "\0\0\0\0\0\0\0\0\2\0\0\0\0\7"                 \
	"\0\0\0\0\0\0\0\0\0\0" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN \
		TEN TEN "01\x63\x82\x53\x63"
#define DNS_QUESTION "\3www\7example\3com\0\0\1\0\1"
#define SIP_REST                                                                     \
	"Via: SIP/2.0/UDP h\r\nFrom: <sip:a@h>\r\nTo: <sip:b@h>\r\nCall-ID: 1@h\r\n" \
	"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
#define SNMP_SYSTEM "\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0"
#define KRB_ERROR   "\x7e\x13\x30\x11\xa0\3\2\1\5\xa1\3\2\1\x1e\xa9\5\x1b\3ABC"

#define SMTP_ENVELOPE "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"
/* Parts in parts, both encodings, a message in a message, names of files. */
#define MIME_PARTS                                                                                 \
	"Received: from x (x [192.0.2.7])\r\n\tby y\r\nFrom: a@x\r\nTo: \"B\" <b@y>, c@z\r\n"      \
	"Content-Type: multipart/mixed; boundary=\"o\"\r\n\r\n--o\r\n"                             \
	"Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\nplain\r\n--i\r\n"       \
	"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"           \
	"<p>=C3=A9=\r\n</p>\r\n--i--\r\n--o\r\nContent-Transfer-Encoding: base64\r\n"              \
	"Content-Disposition: attachment; filename*=UTF-8'en'a%20b.bin\r\n\r\naGVsbG8=\r\n--o\r\n" \
	"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n--o--\r\n"

/* Hello of a client: version, random, no session, one suite, no compression, a server's name. */
#define TLS_HELLO(version) \
	version TLS_RANDOM "\0\0\2\xc0\x2f\1\0\0\x14\0\0\0\x10\0\x0e\0\0\13example.com"
#define TLS_SERVER_HELLO(version) version TLS_RANDOM "\0\xc0\x2f\0\0\0"

static const struct seed seeds[] = {
	{"dns",
	 "query",
	 {SAY(ORIG, "\0\7\1\0\0\1\0\0\0\0\0\0" DNS_QUESTION),
	  SAY(RESP, "\0\7\x81\x80\0\1\0\1\0\0\0\0" DNS_QUESTION
		    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4")}},
	{"http",
	 "get",
	 {SAY(ORIG, "GET /a?b HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\n\r\n"),
	  SAY(RESP, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")}},
	{"http",
	 "chunked",
	 {SAY(ORIG, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b"),
	  SAY(RESP, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
		    "0\r\n\r\n")}},
	{"http",
	 "range",
	 {SAY(ORIG, "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=5-9\r\n\r\n"),
	  SAY(RESP, "HTTP/1.1 206 Partial Content\r\n"
		    "Content-Range: bytes 5-9/20\r\nContent-Length: 5\r\n\r\n"
		    "world")}},
	{"http",
	 "old",
	 {SAY(ORIG, "GET /\r\nX: y\r\n\r\n"), SAY(RESP, "<p>\n"), SAY(ORIG, "LIST abc\r\n")}},
	{"http",
	 "lines",
	 {SAY(ORIG, "GET / HTTP/1.0\r\nAuthorization: Basic YTpi\r\nVia: a\r\n b\r\n\r\n"),
	  SAY(RESP, "HTTP/1.0 200\r\n\r\na\nb\rc\r\nd")}},
	{"http",
	 "gzip",
	 {SAY(ORIG, "GET / HTTP/1.1\r\n\r\n"),
	  SAY(RESP, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
		    "\x1f\x8b\x08\0\0\0\0\0\2\3\x4b\4\0\x43\xbe\xb7\xe8\1\0\0\0")}},
	{"http",
	 "parts",
	 {SAY(ORIG, "POST / HTTP/1.1\r\nContent-Type: multipart/mixed; boundary=\"X\"\r\n"
		    "Content-Length: 154\r\n\r\n"),
	  SAY(ORIG, "--X\r\nContent-Type: message/rfc822; name=a\r\n\r\nA: b\r\n\r\nc\r\n"
		    "--X\r\nContent-Length: 2\r\n\r\nab\r\n"
		    "--X\r\nContent-Type: multipart/x; boundary=Y\r\n\r\n--Y\r\n\r\nz\r\n"
		    "--Y--\r\n--X--\r\n"),
	  SAY(RESP, "HTTP/1.1 204 No\r\n\r\n")}},
	{"http",
	 "byteranges",
	 {SAY(ORIG, "GET / HTTP/1.1\r\nRange: bytes=0-1,3-4\r\n\r\n"),
	  SAY(RESP, "HTTP/1.1 206 P\r\nContent-Type: multipart/byteranges; boundary=X\r\n\r\n"
		    "--X\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n"
		    "--X\r\nContent-Range: bytes 3-4/9\r\n\r\nde\r\n--X--\r\n")}},
	{"http",
	 "connect",
	 {SAY(ORIG, "CONNECT h:22 HTTP/1.1\r\n\r\n"),
	  SAY(RESP, "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-s\r\n"), SAY(ORIG, "SSH-2.0-c\r\n")}},
	{"http",
	 "websocket",
	 {SAY(ORIG, "GET / HTTP/1.1\r\nSec-WebSocket-Key: k\r\n\r\n"),
	  SAY(RESP, "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Accept: a\r\n\r\n"),
	  SAY(RESP, "\x82\x0bSSH-2.0-s\r\n"), SAY(ORIG, "\x82\x8b\0\0\0\0SSH-2.0-c\r\n"),
	  SAY(ORIG, "\x88\x82\0\0\0\0\3\xe8")}},
	{"websocket",
	 "text",
	 {SAY(ORIG, "\1\x82\1\2\3\4ab\x80\x81\1\2\3\4c"), SAY(RESP, "\x89\2hi"),
	  SAY(RESP, "\x81\x7e\0\2GE"), SAY(RESP, "\x82\x7f\0\0\0\0\0\0\0\1x"),
	  SAY(ORIG, "\x88\x80\0\0\0\0")}},
	{"websocket",
	 "ssh",
	 {SAY(RESP, "\x82\x0bSSH-2.0-s\r\n"), SAY(ORIG, "\x82\x8b\0\0\0\0SSH-2.0-c\r\n")}},
	{"tls",
	 "hellos",
	 {SAY(ORIG, "\x16\3\1\0\x43\1\0\0\x3f" TLS_HELLO("\3\3")),
	  SAY(RESP, "\x16\3\3\0\x2c\2\0\0\x28" TLS_SERVER_HELLO("\3\3"))}},
	{"tls",
	 "version_2",
	 {SAY(ORIG, "\x80\x1f\1\3\0\0\6\0\0\0\x10\0\0\4\1\0\x80"
		    "0123456789abcdef")}},
	{"dtls",
	 "hellos",
	 {SAY(ORIG,
	      "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x4c\1\0\0\x40\0\0\0\0\0\0\0\x40\xfe\xfd" TLS_RANDOM
	      "\0\0\0\2\xc0\x2f\1\0\0\x14\0\0\0\x10\0\x0e\0\0\13example.com"),
	  SAY(RESP,
	      "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x34\2\0\0\x28\0\0\0\0\0\0\0\x28" TLS_SERVER_HELLO(
		      "\xfe\xfd"))}},
	{"ssh",
	 "versions",
	 {SAY(RESP, "SSH-2.0-s\r\n"), SAY(ORIG, "SSH-2.0-c\r\n"), SAY(ORIG, "\0\0\0\x0c\4\x14" TEN),
	  SAY(ORIG, "\0\0\0\x0c\12\25" TEN)}},
	{"ftp",
	 "passive",
	 {SAY(RESP, "220-a\r\n220 b\r\n"),
	  SAY(ORIG, "USER ftp\r\nPASS x\r\nCWD /a/../b\r\nPASV\r\nRETR c\r\nPORT 1,2,3,4,5,6\r\n"),
	  SAY(RESP, "331 ok\r\n230 in\r\n250 ok\r\n227 Passive (192,0,2,1,4,2)\r\n"),
	  SAY(RESP, "150 go (7 bytes)\r\n226 done\r\n257 \"/a b\"\r\n"),
	  SAY(ORIG, "EPSV\r\nEPRT |2|::1|99|\r\nPWD\r\n"), SAY(RESP, "229 e (|||99|)\r\n")}},
	{"ftp",
	 "tls",
	 {SAY(ORIG, "AUTH TLS\r\n"), SAY(RESP, "234 go\r\n"),
	  SAY(ORIG, "\x16\3\1\0\x43\1\0\0\x3f" TLS_HELLO("\3\3"))}},
	{"ftp",
	 "gssapi",
	 {SAY(ORIG, "AUTH GSSAPI\r\n"), SAY(RESP, "334 go\r\n"),
	  SAY(ORIG, "ADAT FgMBAAQBAAAA\r\n\xff\xfa\1\xff\xf0NOOP\r\n"),
	  SAY(RESP, "335 ADAT=FgMBAAQCAAAA\r\n235 done\r\n")}},
	{"ftp_data", "file", {SAY(RESP, "some text\n")}},
	{"imap",
	 "starttls",
	 {SAY(RESP, "* OK ready\r\n"), SAY(ORIG, "a STARTTLS\r\n"), SAY(RESP, "a OK go\r\n"),
	  SAY(ORIG, "\x16\3\1\0\x43\1\0\0\x3f" TLS_HELLO("\3\3"))}},
	{"sip",
	 "options",
	 {SAY(ORIG, "OPTIONS sip:b@h SIP/2.0\r\n" SIP_REST),
	  SAY(RESP, "SIP/2.0 200 OK\r\n" SIP_REST)}},
	{"xmpp",
	 "starttls",
	 {SAY(ORIG, "<?xml version='1.0'?><stream:stream>"),
	  SAY(RESP, "<stream:features><starttls/></stream:features>"), SAY(ORIG, "<starttls/>"),
	  SAY(RESP, "<proceed/>")}},
	{"mysql",
	 "greeting",
	 {SAY(RESP, "\23\0\0\0\n8.0.1\0idid12345678"), SAY(ORIG, "\5\0\0\1\5\xa2\0\0\0")}},
	{"mysql",
	 "tls",
	 {SAY(RESP, "\23\0\0\0\n8.0.1\0idid12345678"),
	  SAY(ORIG, "\40\0\0\1\5\xaa\0\0" TEN TEN "01234567")}},
	{"rdp",
	 "settings",
	 {SAY(ORIG, "\3\0\0\x0b\6\xe0\0\0\0\0\0"), SAY(RESP, "\3\0\0\x0b\6\xd0\0\0\0\0\0"),
	  SAY(ORIG, "\3\0\0\x0f\2\xf0\x80"
		    "Duca\10\1\xc0\0")}},
	{"rdp",
	 "tls",
	 {SAY(ORIG, "\3\0\0\x0b\6\xe0\0\0\0\0\0"),
	  SAY(RESP, "\3\0\0\x13\x0e\xd0\0\0\0\0\0\2\0\10\0\1\0\0\0")}},
	{"syslog", "line", {SAY(ORIG, "<34>Oct 11 22:14:15 h su: failed")}},
	{"dhcp", "discover", {SAY(ORIG, DHCP_FIXED("\0\0\0\0") "\x35\1\1\xff")}},
	{"dhcp",
	 "transaction",
	 {SAY(ORIG, DHCP_FIXED("\0\0\0\0") "\x35\1\3\x0c\2pc\x32\4\x0a\0\0\x08\x3d\7\1\2\0\0\0\0\5"
					   "\x51\6\0\0\0pc.\xff"),
	  SAY(RESP,
	      DHCP_FIXED("\x0a\0\0\x08") "\x35\1\5\x0f\4lan\0\x33\4\0\0\x0e\x10\x38\2ok\xff")}},
	{"ntp", "both", {SAY(ORIG, "\x23" NTP_REST), SAY(RESP, "\x24" NTP_REST)}},
	{"snmp",
	 "get",
	 {SAY(ORIG, "\x30\x26\2\1\0\4\6public\xa0\x19\2\1\1\2\1\0\2\1\0" SNMP_SYSTEM),
	  SAY(RESP, "\x30\x26\2\1\0\4\6public\xa2\x19\2\1\1\2\1\0\2\1\0" SNMP_SYSTEM)}},
	{"smb",
	 "negotiate",
	 {SAY(ORIG, "\0\0\0\x64" SMB_HEADER "\0\0" SMB_HEADER_REST TEN TEN TEN "012345"),
	  SAY(RESP, "\0\0\0\x64" SMB_HEADER "\0\0" SMB_HEADER_REST TEN TEN TEN "012345"),
	  SAY(ORIG, "\0\0\0\x64" SMB_HEADER "\1\0" SMB_HEADER_REST "\31\0\0\1\0\0\0\0\0\0\0\0"
		    "\x58\0\x0c\0\0\0\0\0\0\0\0\0NTLMSSP\0\1\0\0\0")}},
	{"smb",
	 "smb1",
	 {SAY(ORIG, "\0\0\0\x41\xffSMB\x75\0\0\0\0\0\0\0" TEN TEN "\4\xff\0\0\0\0\0\0\0\x0e\0"
		    "\\\\h\\s\0IPC\0???"),
	  SAY(ORIG, "\0\0\0\x5a\xffSMB\x25\0\0\0\0\0\0\0" TEN TEN "\x0e" TEN TEN "00\x10\0\x46\0"
		    "\0\0"
		    "\x1a\0\\PIPE\\\0\5\0\0\3\x10\0\0\0\x10\0\0\0\1\0\0\0")}},
	{"dce_rpc",
	 "fragments",
	 {SAY(ORIG, "\5\0\0\1\x10\0\0\0\x10\0\0\0\1\0\0\0"
		    "\5\0\0\2\x10\0\0\0\x11\0\0\0\1\0\0\0x")}},
	{"dce_rpc",
	 "bind",
	 {SAY(ORIG, "\5\0\x0b\3\x10\0\0\0\x20\0\10\0\1\0\0\0\x0a\2\0\0\0\0\0\0"
		    "NTLMSSP\0")}},
	{"krb", "error", {SAY(RESP, KRB_ERROR)}},
	{"krb_tcp", "error", {SAY(RESP, "\0\0\0\x15" KRB_ERROR)}},
	{"radius",
	 "access",
	 {SAY(ORIG, "\1\7\0\x1a"
		    "0123456789abcdef"
		    "\1\6user"),
	  SAY(RESP, "\2\7\0\x14"
		    "0123456789abcdef")}},
	{"mqtt",
	 "connect",
	 {SAY(ORIG, "\x10\x0d\0\4MQTT\4\2\0\x3c\0\1c"), SAY(RESP, "\x20\2\0\0"),
	  SAY(ORIG, "\x30\5\0\1tab")}},
	{"netbios",
	 "session",
	 {SAY(ORIG, "\x81\0\0\x44\x20" TEN TEN TEN "01\0\x20" TEN TEN TEN "01\0"),
	  SAY(RESP, "\x82\0\0\0"), SAY(ORIG, "\0\0\0\5hello")}},
	{"modbus",
	 "read",
	 {SAY(ORIG, "\0\1\0\0\0\6\1\3\0\0\0\1"), SAY(RESP, "\0\1\0\0\0\5\1\3\2\0\7")}},
	{"dnp3_tcp", "link", {SAY(ORIG, "\5\x64\5\xc0\1\0\0\4\xe9\x21")}},
	{"dnp3_udp", "link", {SAY(ORIG, "\5\x64\5\xc0\1\0\0\4\xe9\x21")}},
	{"rfb",
	 "versions",
	 {SAY(RESP, "RFB 003.008\n"), SAY(ORIG, "RFB 003.008\n"), SAY(RESP, "\1\1"),
	  SAY(ORIG, "\1"), SAY(RESP, "\0\0\0\0")}},
	{"smtp",
	 "data",
	 {SAY(RESP, "220 m\r\n"), SAY(ORIG, "EHLO c\r\n"), SAY(RESP, "250-m\r\n250 PIPELINING\r\n"),
	  SAY(ORIG, SMTP_ENVELOPE "DATA\r\n"), SAY(RESP, "250 OK\r\n250 OK\r\n354 go\r\n"),
	  SAY(ORIG, MIME_PARTS ".\r\nQUIT\r\n")}},
	{"smtp",
	 "chunks",
	 {SAY(RESP, "220 m\r\n"),
	  SAY(ORIG, "EHLO c\r\n" SMTP_ENVELOPE "BDAT 9\r\nA: b\r\n\r\no"
		    "BDAT 14 LAST\r\nne\r\nlf\ntwo\r\n.\n"),
	  SAY(RESP, "250 OK\r\n")}},
	{"smtp",
	 "starttls",
	 {SAY(RESP, "220 m\r\n"), SAY(ORIG, "EHLO c\r\nSTARTTLS\r\n"),
	  SAY(RESP, "250 OK\r\n220 go\r\n"),
	  SAY(ORIG, "\x16\3\1\0\x43\1\0\0\x3f" TLS_HELLO("\3\3"))}},
	{"pop3",
	 "mail",
	 {SAY(RESP, "+OK\r\n"), SAY(ORIG, "USER u\r\nPASS p\r\nLIST\r\nRETR 1\r\nQUIT\r\n"),
	  SAY(RESP, "+OK\r\n+OK\r\n+OK\r\n1 9\r\n.\r\n+OK\r\n" MIME_PARTS ".\r\n+OK\r\n")}},
	{"pop3",
	 "auth",
	 {SAY(RESP, "+OK\r\n"), SAY(ORIG, "CAPA\r\nAUTH PLAIN\r\n"),
	  SAY(RESP, "+OK\r\nSTLS\r\n.\r\n+ \r\n"), SAY(ORIG, "AHUAcA==\r\n"), SAY(RESP, "+OK\r\n"),
	  SAY(ORIG, "TOP 1 1\r\n")}},
	{"pop3",
	 "stls",
	 {SAY(RESP, "+OK\r\n"), SAY(ORIG, "STLS\r\n"), SAY(RESP, "+OK\r\n"),
	  SAY(ORIG, "\x16\3\1\0\x43\1\0\0\x3f" TLS_HELLO("\3\3"))}},
	{"smtp",
	 "auth",
	 {SAY(RESP, "220 m\r\n"), SAY(ORIG, "EHLO c\r\nAUTH LOGIN\r\n"),
	  SAY(RESP, "250 OK\r\n334 VXNl\r\n"), SAY(ORIG, "dXNl\r\n"), SAY(RESP, "235 ok\r\n"),
	  SAY(ORIG, "TURN\r\n")}},
	{"socks",
	 "version_5",
	 {SAY(ORIG, "\5\1\2"), SAY(RESP, "\5\2"), SAY(ORIG, "\1\3bob\5alice"), SAY(RESP, "\1\0"),
	  SAY(ORIG, "\5\1\0\3\7example\0\x50"), SAY(RESP, "\5\0\0\1\12\0\0\1\4\x38"),
	  SAY(ORIG, "GET / HTTP/1.1\r\n\r\n")}},
	{"irc",
	 "offer",
	 {SAY(ORIG, "NICK a\r\nUSER a b c :d\r\n"), SAY(RESP, ":h 001 a :hi\r\n"),
	  SAY(RESP, ":b!c@h PRIVMSG a :\1DCC SEND f 167772161 1026 9\1\r\n"),
	  SAY(ORIG, "JOIN #a\r\nSTARTTLS\r\n"), SAY(RESP, ":h 670 a :go on\r\n")}},
	{"irc_data", "file", {SAY(RESP, "some text"), SAY(ORIG, "\0\0\0\x09")}},
	{"finger", "user", {SAY(ORIG, "/W user@host\r\n"), SAY(RESP, "Login: user\r\n")}},
	{"socks",
	 "version_4",
	 {SAY(ORIG, "\4\1\0\x50\0\0\0\1me\0name\0"), SAY(RESP, "\4\0\x5a\0\0\0\0\0\0")}},
};

static void put(FILE *f, const struct seed *s)
{
	/* Where there are both, DNS over UDP and the others over TCP; not on port 80. */
	fputc(strcmp(s->analyzer, "dns") != 0, f);
	for (unsigned i = 0; i < sizeof(s->said) / sizeof(s->said[0]); i++) {
		const struct said *said = &s->said[i];

		if (said->n == 0)
			break;
		fputc(said->side | said->n >> 8, f);
		fputc(said->n & 255, f);
		fwrite(said->d, 1, said->n, f);
	}
}

static void write_seed(const char *folder, const struct seed *s)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/analyzer_%s", folder, s->analyzer);
	mkdir(path, 0777); /* it may be there */
	snprintf(path, sizeof(path), "%s/analyzer_%s/%s", folder, s->analyzer, s->name);
	f = fopen(path, "wb");
	if (f != NULL)
		put(f, s);
	if (f == NULL || ferror(f) || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

/* A client's Initial of 1200 bytes and an answer: too long to be written above. */
static void write_quic(const char *folder)
{
	static char initial[1200] = "\xc3\0\0\0\1\10server_i\4mine";
	const struct seed quic = {"quic",
				  "initial",
				  {{ORIG, sizeof(initial), initial},
				   SAY(RESP, "\xc3\0\0\0\1\4mine\3its" TEN TEN)}};

	write_seed(folder, &quic);
}

/* A message of SMB 2 in a frame: 4 + 64 + n bytes at d. */
static struct said smb2_say(uint8_t side, char *d, uint8_t command, uint8_t tree, uint8_t n)
{
	memcpy(d + 4, "\xfeSMB\100", 5);
	d[3] = (char)(64 + n);
	d[4 + 12] = (char)command;
	d[4 + 24] = (char)command;
	d[4 + 36] = (char)tree;
	return (struct said){side, (uint16_t)(4 + 64 + n), d};
}

/* A share is connected to, a file is opened on it, written to, closed. */
static void write_smb(const char *folder)
{
	enum { TREE_CONNECT = 3, CREATE = 5, CLOSE = 6, WRITE = 9, BODY = 4 + 64 };
	static char d[6][160];
	struct seed smb = {"smb",
			   "file",
			   {smb2_say(ORIG, d[0], TREE_CONNECT, 0, 12),
			    smb2_say(RESP, d[1], TREE_CONNECT, 5, 16),
			    smb2_say(ORIG, d[2], CREATE, 5, 60),
			    smb2_say(RESP, d[3], CREATE, 5, 88), smb2_say(ORIG, d[4], WRITE, 5, 53),
			    smb2_say(ORIG, d[5], CLOSE, 5, 24)}};

	memcpy(d[0] + BODY + 4, "\x48\0\4\0s\0h\0", 8);
	d[1][BODY + 2] = 1;
	memcpy(d[2] + BODY + 44, "\x78\0\4\0", 4);
	memcpy(d[2] + BODY + 56, "f\0g\0", 4);
	d[3][BODY + 48] = 5;
	d[3][BODY + 64] = 7;
	memcpy(d[4] + BODY + 2, "\x70\0\5\0\0\0", 6);
	d[4][BODY + 16] = 7;
	memcpy(d[4] + BODY + 48, "hello", 5);
	d[5][BODY + 8] = 7;
	write_seed(folder, &smb);
}

/* A handshake of 1232 bytes, its answer, and data. */
static void write_rdpeudp(const char *folder)
{
	static char syn[1232] = "\xff\xff\xff\xff\0\x40\x18\1",
		    answer[1232] = "\0\0\0\1\0\x40\x10\5";
	const struct seed rdpeudp = {"rdpeudp",
				     "handshake",
				     {{ORIG, sizeof(syn), syn},
				      {RESP, sizeof(answer), answer},
				      SAY(ORIG, "\0\0\0\1\0\x40\0\x0c\0\1\2\3" TEN)}};

	write_seed(folder, &rdpeudp);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_analyzer_corpus FOLDER\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		write_seed(argv[1], &seeds[i]);
	write_quic(argv[1]);
	write_smb(argv[1]);
	write_rdpeudp(argv[1]);
	return 0;
}
