/* SPDX-License-Identifier: Apache-2.0 */
/* attack_binary.c - kind E, protocols of lengths and tags: SSH, ASN.1, SMB, DCE/RPC, MQTT, ... */
#include <string.h>

#include "bench/attack_priv.h"

#define P_PIECES(n)                                          \
	{                                                    \
		"pieces", n, 1, 100000000, "of a connection" \
	}
#define SMB_BYTES 64u

/* Key exchange with name lists of algorithms of which none occurs twice. */
static int ssh_algorithms(struct zb_attack_gen *g, uint64_t nr)
{
	size_t packet, list;

	if (nr < 2)
		return zb_at_say_text(g, (unsigned)nr, "SSH-2.0-x\r\n");
	if (nr >= 4)
		return 0;
	zb_at_msg(g);
	zb_at_add_be(g, 0, 4);
	packet = g->msg_len;
	zb_at_add_be(g, 4, 1);	/* padding */
	zb_at_add_be(g, 20, 1); /* KEXINIT */
	zb_at_add_fill(g, 'k', 16);
	for (unsigned i = 0; i < 10; i++) {
		zb_at_add_be(g, 0, 4);
		list = g->msg_len;
		for (unsigned j = 0; i < 8 && g->msg_len - list + 8 < g->param[0]; j++)
			zb_at_add_text(g, "%s%c%u%04u", j == 0 ? "" : ",", nr == 2 ? 'c' : 's', i,
				       j);
		zb_at_patch_be(g, list - 4, g->msg_len - list, 4);
	}
	zb_at_add_fill(g, 0, 1 + 4 + 4);
	zb_at_patch_be(g, packet - 4, g->msg_len - packet, 4);
	return zb_at_say(g, nr == 2 ? 0 : 1);
}

/* Initial packets of QUIC with ids and content that mean nothing. */
static void quic_initial(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 443);

	zb_at_msg(g);
	zb_at_add(g, "\xc3\0\0\0\1\x08", 6);
	zb_at_add_be(g, zb_at_dice(g, n), 8);
	zb_at_add(g, "\0\0\x44\x9e", 4); /* no source id, no token, 1,182 bytes */
	while (g->msg_len < 1200)
		zb_at_add_be(g, zb_at_dice(g, n ^ (uint64_t)g->msg_len << 40), 8);
	zb_at_udp(g, &f, g->msg, 1200);
}

/* Sequences in sequences, each a long form of length, as deep as a datagram holds. */
static void add_nested(struct zb_attack_gen *g, unsigned tag, uint64_t depth)
{
	for (uint64_t i = 0; i < depth; i++) {
		zb_at_add_be(g, i == 0 ? tag : 0x30, 1);
		zb_at_add_be(g, 0x82, 1);
		zb_at_add_be(g, 4 * (depth - 1 - i), 2);
	}
}

static void snmp_nest(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 161);
	uint64_t depth = g->param[0];

	zb_at_msg(g);
	zb_at_add_be(g, 0x3082, 2);
	zb_at_add_be(g, 13 + 4 * depth, 2);
	zb_at_add(g, "\2\1\1\4\6public", 11);
	add_nested(g, 0xa0, depth);
	zb_at_add_be(g, 0x0500, 2);
	zb_at_udp(g, &f, g->msg, g->msg_len);
}

static void krb_nest(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n, 88);

	zb_at_msg(g);
	add_nested(g, 0x6a, g->param[0]);
	zb_at_udp(g, &f, g->msg, g->msg_len);
}

/* A message of SMB 2, with the id that a reply would have to carry. */
static void add_smb(struct zb_attack_gen *g, unsigned command, bool response, uint64_t id,
		    unsigned body)
{
	size_t at;

	zb_at_msg(g);
	zb_at_add_be(g, SMB_BYTES + body, 4);
	at = g->msg_len;
	zb_at_add(g, "\xfeSMB\x40\0\0\0", 8);
	zb_at_add_fill(g, 0, SMB_BYTES - 8);
	g->msg[at + 12] = (uint8_t)command;
	g->msg[at + 14] = 1; /* credits */
	g->msg[at + 16] = response;
	for (unsigned i = 0; i < 8; i++)
		g->msg[at + 24 + i] = (uint8_t)(id >> (8 * i));
	zb_at_add_fill(g, 0, body);
}

/* Tree connects that are never answered. */
static int smb_requests(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	add_smb(g, 3, false, nr, 9);
	return zb_at_say(g, 0);
}

/* One connection that never ends: echo and its reply, again and again. */
static int smb_endless(struct zb_attack_gen *g, uint64_t nr)
{
	add_smb(g, 13, nr % 2 == 1, nr / 2, 4);
	return zb_at_say(g, nr % 2);
}

/* Fragments of a call that never has its last one. */
static int dce_fragments(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	zb_at_msg(g);
	zb_at_add(g, "\5\0\0", 3);
	zb_at_add_be(g, nr == 0 ? 1 : 0, 1);
	zb_at_add(g, "\x10\0\0\0\x28\0\0\0\1\0\0\0", 12); /* 40 bytes, call 1 */
	zb_at_add(g, "\x09\0\0\0\0\0\1\0", 8);
	zb_at_add_fill(g, 'z', 16);
	return zb_at_say(g, 0);
}

/* Messages that want an acknowledgement and get none. */
static int mqtt_publish(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	zb_at_msg(g);
	if (nr == 0) {
		zb_at_add(g, "\x10\x0d\0\4MQTT\4\2\0\x3c\0\1a", 15);
		return zb_at_say(g, 0);
	}
	if (nr == 1) {
		zb_at_add(g, "\x20\2\0\0", 4);
		return zb_at_say(g, 1);
	}
	zb_at_add(g, nr % 2 == 0 ? "\x32\x08\0\3a/b" : "\x82\x08\0", nr % 2 == 0 ? 7 : 3);
	zb_at_add_be(g, 1 + nr % 65535, 2);
	if (nr % 2 == 0)
		zb_at_add(g, "x", 1);
	else
		zb_at_add(g, "\0\3a/b", 5);
	if (nr % 2 == 1)
		g->msg[1] = (uint8_t)(g->msg_len - 2);
	return zb_at_say(g, 0);
}

static int modbus_requests(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	zb_at_msg(g);
	zb_at_add_be(g, nr, 2);
	zb_at_add(g, "\0\0\0\6\1\1\0\0\0\1", 10); /* read a coil */
	return zb_at_say(g, 0);
}

/* A greeting of MySQL in single bytes. */
static int mysql_bytes(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	zb_at_msg(g);
	if (nr == 0)
		zb_at_add(g, "\xff\x0f\0\0\n", 5);
	else
		zb_at_add(g, "8", 1);
	return zb_at_say(g, 1);
}

static const uint16_t tcp_ports[] = {
	21,   22,   25,	  53,	80,   88,   110,  135,	139,   143, 443, 445,  502,
	1080, 1883, 3306, 3389, 5060, 5222, 5900, 6667, 20000, 79,  587, 8080, 2811,
};
static const uint16_t udp_ports[] = {
	53,   67,   88,	  123,	137,  161,  443,  514,	1812, 2123,
	2152, 3389, 3544, 4789, 5060, 5072, 5353, 5355, 6081, 20000,
};

/* Random bytes to every port that an analyzer waits on, in UDP. */
static void confusion_udp(struct zb_attack_gen *g, uint64_t n)
{
	unsigned nr = sizeof(udp_ports) / sizeof(udp_ports[0]);
	struct zb_at_flow f = zb_at_spoofed(g, n, udp_ports[n % nr]);

	zb_at_msg(g);
	for (unsigned i = 0; i < 16; i++)
		zb_at_add_be(g, zb_at_dice(g, n * 16 + i), 8);
	zb_at_udp(g, &f, g->msg, g->msg_len);
}

/* The same in TCP, from both sides; half of them begin as another protocol does. */
static int confusion_tcp(struct zb_attack_gen *g, uint64_t nr)
{
	static const char *const begins[] = {
		"GET / HTTP/1.1\r\n",
		"SSH-2.0-",
		"\x16\3\1\2\0\1\0\1\xfc\3\3",
		"220 mail ESMTP\r\n",
		"\0\0\0\x40\xfeSMB",
		"EHLO a\r\n",
		"RFB 003.008\n",
		"\5\1\0",
	};
	unsigned ports = sizeof(tcp_ports) / sizeof(tcp_ports[0]);
	uint64_t dice = zb_at_dice(g, g->talk.conn * 4 + nr);

	if (nr >= 4) { /* the next connection is to the next port */
		g->talk.flow.dport = tcp_ports[g->talk.conn % ports];
		return 0;
	}
	zb_at_msg(g);
	if (nr < 2 && dice % 2 == 0) {
		const char *begin = begins[dice / 2 % 8];

		zb_at_add(g, begin, dice / 2 % 8 == 4 ? 8 : strlen(begin));
	}
	for (unsigned i = 0; i < 8; i++)
		zb_at_add_be(g, zb_gen_mix(dice + i), 8);
	return zb_at_say(g, nr % 2);
}

#define TALK(number, function) .port = number, .frame = zb_at_talk, .say = function, .ack_every = 64

const struct zb_attack zb_attack_binary[] = {
	{.name = "ssh-algorithms",
	 .id = "E7",
	 .sends = "key exchanges with lists of thousands of different algorithms",
	 .exhausts = "cycles, if each of the one is looked for among those of the other",
	 .guard = "16 KiB of a message; 16,384 comparisons a list",
	 .moves = "analyzer_bytes stage_stream_cycles",
	 .params = {{"list", 1900, 8, 4000, "bytes of each of eight lists"}},
	 TALK(22, ssh_algorithms)},
	{.name = "quic-initial",
	 .id = "E12",
	 .sends = "Initial packets of QUIC of which nothing means anything",
	 .exhausts = "keys and decryption for every packet",
	 .guard = "nothing is decrypted: only the form is read",
	 .moves = "active_udp_conns stream_bytes",
	 .frame = quic_initial},
	{.name = "snmp-nest",
	 .id = "E13",
	 .sends = "SNMP with sequences in sequences",
	 .exhausts = "the stack, if ASN.1 is read recursively",
	 .guard = "each level is read once, without recursion",
	 .moves = "active_udp_conns udp_conns",
	 .params = {{"depth", 300, 1, 340, "sequences"}},
	 .frame = snmp_nest},
	{.name = "krb-nest",
	 .id = "E13",
	 .sends = "Kerberos with sequences in sequences",
	 .exhausts = "the stack, if ASN.1 is read recursively",
	 .guard = "each level is read once, without recursion",
	 .moves = "active_udp_conns udp_conns",
	 .params = {{"depth", 300, 1, 340, "sequences"}},
	 .frame = krb_nest},
	{.name = "smb-requests",
	 .id = "E14",
	 .sends = "requests of SMB 2 that are never answered",
	 .exhausts = "memory of requests that wait",
	 .guard = "1,000 requests of a connection; --limit smb",
	 .moves = "smb_bytes",
	 .params = {P_PIECES(2000)},
	 TALK(445, smb_requests)},
	{.name = "smb-endless",
	 .id = "I4",
	 .sends = "one connection of SMB 2 with requests and replies without end",
	 .exhausts = "memory of the connection, if anything stays of each",
	 .guard = "a reply takes its request away",
	 .moves = "smb_bytes stage_stream_cycles",
	 TALK(445, smb_endless)},
	{.name = "dce-fragments",
	 .id = "E14",
	 .sends = "fragments of a call of DCE/RPC without a last one",
	 .exhausts = "memory of the call",
	 .guard = "20 calls, 30,000 bytes of one",
	 .moves = "analyzer_bytes stage_stream_cycles",
	 .params = {P_PIECES(1000)},
	 TALK(135, dce_fragments)},
	{.name = "mqtt-publish",
	 .id = "E15",
	 .sends = "messages and subscriptions of MQTT that nobody acknowledges",
	 .exhausts = "memory of transactions that wait",
	 .guard = "nothing is kept of a message",
	 .moves = "stage_stream_cycles",
	 .params = {P_PIECES(1000)},
	 TALK(1883, mqtt_publish)},
	{.name = "modbus-requests",
	 .id = "E15",
	 .sends = "requests of Modbus that nobody answers",
	 .exhausts = "memory of transactions that wait",
	 .guard = "nothing is kept of a message",
	 .moves = "stage_stream_cycles",
	 .params = {P_PIECES(1000)},
	 TALK(502, modbus_requests)},
	{.name = "mysql-bytes",
	 .id = "E15",
	 .sends = "a greeting of MySQL in single bytes",
	 .exhausts = "cycles per byte, if a message is read again from its beginning",
	 .guard = "4 KiB of a greeting",
	 .moves = "reassem_unknown_bytes stage_stream_cycles",
	 .params = {P_PIECES(4000)},
	 TALK(3306, mysql_bytes)},
	{.name = "confusion-tcp",
	 .id = "E19",
	 .sends = "random bytes and wrong beginnings to every port of an analyzer",
	 .exhausts = "analyzers that begin, are wrong and go",
	 .guard = "1 KiB of detection; a violation ends an analyzer",
	 .moves = "tcp_conns weirds stream_bytes",
	 TALK(80, confusion_tcp)},
	{.name = "confusion-udp",
	 .id = "E19",
	 .sends = "random bytes to every UDP port of an analyzer",
	 .exhausts = "analyzers that begin, are wrong and go",
	 .guard = "a violation ends an analyzer",
	 .moves = "udp_conns weirds",
	 .frame = confusion_udp},
};
ZB_ATTACK_COUNT(binary)
