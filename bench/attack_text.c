/* SPDX-License-Identifier: Apache-2.0 */
/* attack_text.c - kind E9 and its like: protocols of lines */
#include "bench/attack_priv.h"

#define P_PIECES(n)                                          \
	{                                                    \
		"pieces", n, 1, 100000000, "of a connection" \
	}

/* A greeting of the server (or nothing), then the same line again and again. */
static int lines(struct zb_attack_gen *g, uint64_t nr, const char *greeting, const char *line)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0 && greeting != NULL)
		return zb_at_say_text(g, 1, greeting);
	return zb_at_say_text(g, 0, line);
}

/* As lines(), with a line that has no end. */
static int endless(struct zb_attack_gen *g, uint64_t nr, const char *greeting, const char *begin)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0)
		return zb_at_say_text(g, 1, greeting);
	if (nr == 1)
		return zb_at_say_text(g, 0, begin);
	zb_at_msg(g);
	zb_at_add_fill(g, 'l', 1400);
	return zb_at_say(g, 0);
}

static int smtp_endless(struct zb_attack_gen *g, uint64_t nr)
{
	return endless(g, nr, "220 mail ESMTP\r\n", "MAIL FROM:<");
}

static int ftp_endless(struct zb_attack_gen *g, uint64_t nr)
{
	return endless(g, nr, "220 ftp ready\r\n", "RETR ");
}

static int smtp_lines(struct zb_attack_gen *g, uint64_t nr)
{
	return lines(g, nr, "220 mail ESMTP\r\n",
		     nr == 1   ? "EHLO a.example\r\n"
		     : nr == 2 ? "MAIL FROM:<a@a.example>\r\n"
			       : "RCPT TO:<a@b.example>\r\n");
}

static int ftp_lines(struct zb_attack_gen *g, uint64_t nr)
{
	return lines(g, nr, "220 ftp ready\r\n", "RETR file\r\n");
}

static int pop3_lines(struct zb_attack_gen *g, uint64_t nr)
{
	return lines(g, nr, "+OK pop3 ready\r\n", nr == 1 ? "AUTH PLAIN\r\n" : "STAT\r\n");
}

static int irc_lines(struct zb_attack_gen *g, uint64_t nr)
{
	return lines(g, nr, NULL,
		     nr == 0 ? "NICK a\r\nUSER a b c :d\r\n" : "PRIVMSG #c :x\r\nUNKNOWN\r\n\r\n");
}

static int finger_lines(struct zb_attack_gen *g, uint64_t nr)
{
	return lines(g, nr, NULL, "user@host\r\n");
}

/* The server never comes to its identification. */
static int ssh_lines(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	return zb_at_say_text(g, 1, "not an identification\r\n");
}

/* Announces data connections that never come. */
static int ftp_port(struct zb_attack_gen *g, uint64_t nr)
{
	if (nr >= g->param[0])
		return 0;
	if (nr == 0)
		return zb_at_say_text(g, 1, "220 ftp ready\r\n");
	zb_at_msg(g);
	zb_at_add_text(g, "PORT 10,%u,%u,%u,%u,%u\r\n", (unsigned)(128 + (nr >> 14) % 100),
		       (unsigned)(nr >> 6 & 255), (unsigned)(g->talk.conn & 255),
		       (unsigned)(100 + nr % 64), (unsigned)(g->talk.conn >> 8 & 255));
	return zb_at_say(g, 0);
}

/* Requests in datagrams full of Via lines. */
static void sip_via(struct zb_attack_gen *g, uint64_t n)
{
	struct zb_at_flow f = zb_at_spoofed(g, n / 64, 5060);

	zb_at_msg(g);
	zb_at_add_text(g, "INVITE sip:%u@v.example SIP/2.0\r\n", (unsigned)(n % 1000000));
	while (g->msg_len < 1350)
		zb_at_add_text(g, "Via: SIP/2.0/UDP p%u;branch=z\r\n", g->msg_len);
	zb_at_add(g, "\r\n", 2);
	zb_at_udp(g, &f, g->msg, g->msg_len);
}

#define LINES(number, function) \
	.port = number, .frame = zb_at_talk, .say = function, .ack_every = 64

const struct zb_attack zb_attack_text[] = {
	{.name = "smtp-endless-line",
	 .id = "E9",
	 .sends = "a command of SMTP without end",
	 .exhausts = "buffer of a line",
	 .guard = "256 KiB of a line; --limit analyzer",
	 .moves = "analyzer_bytes",
	 .params = {P_PIECES(300)},
	 LINES(25, smtp_endless)},
	{.name = "smtp-commands",
	 .id = "E9",
	 .sends = "recipients without waiting for a reply",
	 .exhausts = "commands that wait, what is kept of a mail",
	 .guard = "1,000 commands wait; 100 elements and 24 KiB of a mail",
	 .moves = "stage_stream_cycles",
	 .params = {P_PIECES(2000)},
	 LINES(25, smtp_lines)},
	{.name = "ftp-endless-line",
	 .id = "E9",
	 .sends = "a command of FTP without end",
	 .exhausts = "buffer of a line",
	 .guard = "16 KiB of a line",
	 .moves = "analyzer_bytes",
	 .params = {P_PIECES(100)},
	 LINES(21, ftp_endless)},
	{.name = "ftp-commands",
	 .id = "E9",
	 .sends = "commands of FTP without waiting for a reply",
	 .exhausts = "commands that wait",
	 .guard = "20 commands wait",
	 .moves = "analyzer_bytes stage_stream_cycles",
	 .params = {P_PIECES(1000)},
	 LINES(21, ftp_lines)},
	{.name = "ftp-port",
	 .id = "E15",
	 .sends = "data connections that are announced and never come",
	 .exhausts = "memory of connections expected",
	 .guard = "--limit expect forgets the oldest; five minutes",
	 .moves = "expect_bytes",
	 .params = {P_PIECES(1000)},
	 LINES(21, ftp_port)},
	{.name = "pop3-commands",
	 .id = "E9",
	 .sends = "commands of POP3 without waiting for a reply",
	 .exhausts = "commands that wait",
	 .guard = "10 commands wait",
	 .moves = "stage_stream_cycles",
	 .params = {P_PIECES(1000)},
	 LINES(110, pop3_lines)},
	{.name = "irc-lines",
	 .id = "E9",
	 .sends = "messages, unknown commands and empty lines of IRC",
	 .exhausts = "cycles per line",
	 .guard = "512 bytes of a message; 20 invalid ones",
	 .moves = "stage_stream_cycles",
	 .params = {P_PIECES(1000)},
	 LINES(6667, irc_lines)},
	{.name = "finger-lines",
	 .id = "E9",
	 .sends = "requests of finger, one after the other",
	 .exhausts = "cycles per line",
	 .guard = "the second one is a weird, and the end of it",
	 .moves = "analyzer_bytes",
	 .params = {P_PIECES(10)},
	 LINES(79, finger_lines)},
	{.name = "ssh-lines",
	 .id = "E9",
	 .sends = "a server of SSH that never comes to its identification",
	 .exhausts = "buffer in front of it, cycles per line",
	 .guard = "8 KiB, then it is no SSH",
	 .moves = "reassem_unknown_bytes",
	 .params = {P_PIECES(1000)},
	 LINES(22, ssh_lines)},
	{.name = "sip-via",
	 .id = "E17",
	 .sends = "requests of SIP full of Via lines",
	 .exhausts = "lists of a request",
	 .guard = "no list is kept; 64 KiB of a line",
	 .moves = "stage_stream_cycles",
	 .frame = sip_via},
};
ZB_ATTACK_COUNT(text)
