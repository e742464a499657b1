/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ftp_session.c - which command a reply belongs to, and what both say about the session
 *
 * Commands wait until they are answered; a reply goes to the one that it fits best. A command is
 * done when the next one comes after its reply, at once when others wait as well, or at the end.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/ftp_priv.h"

static const char *const file_commands[] = {"APPE", "CWD",  "DELE", "MKD",  "RETR", "RMD", "RNFR",
					    "RNTO", "STOR", "STOU", "REST", "SIZE", "MDTM"};

static struct zb_text command_of(const struct ftp_pending *p)
{
	return zb_text(p->text, p->command_n);
}

static struct zb_text arg_of(const struct ftp_pending *p)
{
	return zb_text(p->text + p->command_n, p->arg_n);
}

/* Whether the command is word, as written. */
static bool is_command(const struct ftp_pending *p, const char *word)
{
	return p != NULL && p->command_n == strlen(word) &&
	       memcmp(p->text, word, p->command_n) == 0;
}

static void weird_size(struct ftp *f, enum zb_weird_name name, size_t n)
{
	char addl[24];

	snprintf(addl, sizeof(addl), "%zu", n);
	zb_analyzer_weird(&f->base, name, addl);
}

static void free_text(struct ftp *f, struct ftp_text *t)
{
	zb_mem_put(ftp_mem(f), ZB_MEM_analyzer, t->d, t->n);
	*t = (struct ftp_text){0};
}

/* Keeps t, at most n_max bytes of it; without memory nothing of it. */
static void set_text(struct ftp *f, struct ftp_text *to, struct zb_text t, size_t n_max)
{
	size_t n = t.n < n_max ? t.n : n_max;

	free_text(f, to);
	to->full = (uint32_t)t.n;
	if (n == 0)
		return;
	to->d = zb_mem_get_raw(ftp_mem(f), ZB_MEM_analyzer, n);
	if (to->d == NULL) {
		zb_mem_shed(ftp_mem(f), ZB_MEM_analyzer);
		return;
	}
	memcpy(to->d, t.d, n);
	to->n = (uint32_t)n;
}

static struct zb_text cwd_of(const struct ftp *f)
{
	return zb_text(f->cwd.d, f->cwd.n);
}

/* Pending commands. */

static void add_pending(struct ftp *f, struct zb_text command, struct zb_text arg)
{
	struct ftp_pending *p =
		zb_mem_get_raw(ftp_mem(f), ZB_MEM_analyzer, sizeof(*p) + command.n + arg.n);

	if (p == NULL) {
		zb_mem_shed(ftp_mem(f), ZB_MEM_analyzer);
		return;
	}
	*p = (struct ftp_pending){
		.ts_ns = zb_analyzer_now_ns(&f->base),
		.arg_n = (uint32_t)arg.n,
		.command_n = (uint8_t)command.n,
	};
	memcpy(p->text, command.d, command.n);
	if (arg.n != 0)
		memcpy(p->text + command.n, arg.d, arg.n);
	if (f->last != NULL)
		f->last->next = p;
	else
		f->first = p;
	f->last = p;
	f->pending_nr++;
}

static void remove_pending(struct ftp *f, struct ftp_pending *p)
{
	struct ftp_pending **at = &f->first, *before = NULL;

	while (*at != p) {
		before = *at;
		at = &before->next;
	}
	*at = p->next;
	if (f->last == p)
		f->last = before;
	f->pending_nr--;
	if (f->current == p)
		f->current = NULL;
	zb_mem_put(ftp_mem(f), ZB_MEM_analyzer, p, sizeof(*p) + p->command_n + p->arg_n);
}

static bool is_in(struct zb_text t, struct zb_text what)
{
	return what.n == 0 || memmem(t.d, t.n, what.d, what.n) != NULL;
}

/* The command that a reply fits best; the older one when several do. */
static struct ftp_pending *best_of(const struct ftp *f, uint32_t code, struct zb_text text)
{
	struct ftp_pending *best = NULL;
	int best_score = -1;

	for (struct ftp_pending *p = f->first; p != NULL; p = p->next) {
		int score = 0;

		if (code == 500 || ftp_answers(command_of(p), code))
			score += 100;
		if (is_in(text, command_of(p)))
			score += 20;
		if (is_in(text, arg_of(p)))
			score += 10;
		if (score > best_score) {
			best_score = score;
			best = p;
		}
	}
	return best;
}

/* The session. */

static void begin_session(struct ftp *f)
{
	static const uint8_t init[] = "<init>", here[] = ".";

	if (f->is_session)
		return;
	f->is_session = true;
	set_text(f, &f->cwd, zb_text(here, 1), 1);
	/* For the greeting to be a reply to. */
	add_pending(f, zb_text(init, sizeof(init) - 1), zb_text(init, 0));
}

static bool is_guest(const struct ftp *f)
{
	struct zb_text user = zb_text(f->user, f->user_n);

	return zb_text_is(user, "ANONYMOUS") || zb_text_is(user, "FTP") ||
	       zb_text_is(user, "FTPUSER") || zb_text_is(user, "GUEST");
}

static bool takes_file(const struct ftp_pending *p)
{
	for (size_t i = 0; i < sizeof(file_commands) / sizeof(file_commands[0]); i++)
		if (is_command(p, file_commands[i]))
			return true;
	return false;
}

/* "ftp://host/path" of a file; the room is freed by the caller. NULL: memory is out. */
static uint8_t *make_url(struct ftp *f, struct zb_text name, struct zb_text *out, size_t *room)
{
	const struct zb_conn *c = zb_analyzer_conn(&f->base);
	bool is_4 = c->key.ip_version == 4;
	char host[INET6_ADDRSTRLEN];
	uint8_t *url;
	int head;
	size_t n;

	inet_ntop(is_4 ? AF_INET : AF_INET6, zb_conn_addr(c, ZB_RESP), host, sizeof(host));
	*room = 16 + sizeof(host) + ftp_path_room(f->cwd.n, name.n);
	url = zb_mem_get_raw(ftp_mem(f), ZB_MEM_analyzer, *room);
	if (url == NULL) {
		zb_mem_shed(ftp_mem(f), ZB_MEM_analyzer);
		return NULL;
	}
	head = snprintf((char *)url, *room, is_4 ? "ftp://%s/" : "ftp://[%s]/", host);
	n = ftp_path(cwd_of(f), name, url + head);
	/* The path brings its own slash? */
	if (n != 0 && url[head] == '/') {
		memmove(url + head, url + head + 1, n - 1);
		n--;
	}
	*out = zb_text(url, (size_t)head + n);
	return url;
}

/* A command is done: its row, if it is one of those that have one. */
static void finish(struct ftp *f, const struct ftp_pending *p)
{
	struct zb_text arg = arg_of(p);
	uint8_t *url = NULL;
	size_t room = 0;

	if (takes_file(p))
		url = make_url(f, arg, &arg, &room);
	if (arg.n > FTP_TEXT_MAX) {
		weird_size(f, ZB_WEIRD_FTP_arg_too_long, arg.n);
		arg.n = FTP_TEXT_MAX;
	}
	if (f->has_reply && f->reply.full > FTP_TEXT_MAX) {
		weird_size(f, ZB_WEIRD_FTP_reply_msg_too_long, f->reply.full);
		f->reply.full = FTP_TEXT_MAX;
	}
	if (f->has_password && !is_guest(f))
		f->hidden = true;
	ftp_log(f, p, arg);
	zb_mem_put(ftp_mem(f), ZB_MEM_analyzer, url, room);
	f->has_size = false;
	f->channel.is_set = false;
	if (f->note != NULL) {
		ftp_note_mime(f->note, zb_analyzer_now_ns(&f->base));
		f->note->mime = NULL;
		f->note->fuid_n = 0;
	}
}

static void done(struct ftp *f, struct ftp_pending *p)
{
	finish(f, p);
	remove_pending(f, p);
}

/* A data connection will come. */
static void expect(struct ftp *f, bool passive, const struct ftp_address *to)
{
	const struct zb_conn *c = zb_analyzer_conn(&f->base);
	unsigned from = passive ? ZB_ORIG : ZB_RESP;

	if (f->note == NULL)
		f->note = (struct ftp_note *)zb_expect_note_get(zb_analyzer_analysis(&f->base),
								sizeof(*f->note));
	f->channel = (struct ftp_channel){
		.is_set = true, .passive = passive, .orig_version = c->key.ip_version, .resp = *to};
	memcpy(f->channel.orig, zb_conn_addr(c, from), 16);
	/* Between addresses of two kinds there are no connections. */
	if (to->ip_version != c->key.ip_version)
		return;
	zb_expect(&f->base,
		  &(struct zb_expect_conf){.orig = zb_conn_addr(c, from),
					   .resp = to->addr,
					   .ip_version = to->ip_version,
					   .analyzer = ZB_A_ftp_data,
					   .port = to->port,
					   .note = f->note != NULL ? &f->note->base : NULL});
}

/* EPRT without an address: Zeek takes the unspecified one. */
static void complete(struct ftp_address *a)
{
	if (a->ip_version == 0)
		a->ip_version = 6;
}

static uint8_t set_name(struct ftp *f, uint8_t *to, struct zb_text t, enum zb_weird_name too_long)
{
	if (t.n > FTP_NAME_MAX) {
		weird_size(f, too_long, t.n);
		t.n = FTP_NAME_MAX;
	}
	if (t.n != 0)
		memcpy(to, t.d, t.n);
	return (uint8_t)t.n;
}

void ftp_request(struct ftp *f, struct zb_text command, struct zb_text arg)
{
	struct ftp_address to;

	if (f->current != NULL && f->has_reply)
		done(f, f->current);
	begin_session(f);
	if (f->pending_nr < FTP_PENDING_MAX)
		add_pending(f, command, arg);
	else
		weird_size(f, ZB_WEIRD_FTP_too_many_pending_commands, f->pending_nr);
	if (zb_text_is(command, "USER")) {
		f->user_n = set_name(f, f->user, arg, ZB_WEIRD_FTP_user_too_long);
		f->has_user = true;
	} else if (zb_text_is(command, "PASS")) {
		f->password_n = set_name(f, f->password, arg, ZB_WEIRD_FTP_password_too_long);
		f->has_password = true;
		f->hidden = false;
	} else if (zb_text_is(command, "PORT")) {
		if (ftp_port(arg, &to))
			expect(f, false, &to);
	} else if (zb_text_is(command, "EPRT")) {
		if (ftp_eprt(arg, &to)) {
			complete(&to);
			expect(f, false, &to);
		}
	} else if (zb_text_is(command, "AUTH")) {
		f->gss_said = memmem(arg.d, arg.n, "GSSAPI", 6) != NULL;
	}
}

/* A code, a blank and ten letters: a new reply where the old one has not ended. */
static bool looks_like_reply(struct zb_text t)
{
	if (t.n < 14 || zb_text_code(t) < 100 || t.d[3] != ' ')
		return false;
	for (unsigned i = 4; i < 14; i++)
		if (t.d[i] < ' ' || t.d[i] >= 0x7f)
			return false;
	return true;
}

static void passive_reply(struct ftp *f, uint32_t code, struct zb_text text)
{
	const struct zb_conn *c = zb_analyzer_conn(&f->base);
	struct ftp_address to;

	if (!(code == 227 ? ftp_pasv(text, &to) : ftp_epsv(text, &to)))
		return;
	if (to.ip_version == 0) {
		memcpy(to.addr, zb_conn_addr(c, ZB_RESP), 16);
		to.ip_version = c->key.ip_version;
	}
	expect(f, true, &to);
}

static void change_directory(struct ftp *f, struct ftp_pending *p, uint32_t code,
			     struct zb_text text)
{
	static const uint8_t above[] = "/..";
	bool cwd = is_command(p, "CWD") && code == 250;
	bool cdup = is_command(p, "CDUP") && (code == 200 || code == 250);
	bool pwd = (is_command(p, "PWD") || is_command(p, "XPWD")) && code == 257;
	struct zb_text name = cwd ? arg_of(p) : zb_text(above, 3);
	uint8_t path[2 * FTP_TEXT_MAX + 2];

	if (p == NULL || p->cwd_consumed || !(cwd || cdup || pwd))
		return;
	p->cwd_consumed = true;
	if (pwd) {
		set_text(f, &f->cwd, ftp_path_in(text), FTP_TEXT_MAX);
		return;
	}
	if (name.n > FTP_TEXT_MAX)
		return;
	set_text(f, &f->cwd, zb_text(path, ftp_path(cwd_of(f), name, path)), FTP_TEXT_MAX);
}

void ftp_reply(struct ftp *f, uint32_t code, struct zb_text text, bool goes_on)
{
	struct ftp_pending *p;

	begin_session(f);
	if (goes_on && code == 0 && f->has_reply && !looks_like_reply(text))
		return;
	p = f->current = best_of(f, code, text);
	f->reply_code = code;
	f->has_reply = true;
	set_text(f, &f->reply, text, FTP_TEXT_MAX);
	if (goes_on)
		return;
	if ((code == 150 && is_command(p, "RETR")) || (code == 213 && is_command(p, "SIZE"))) {
		f->size = ftp_number_in(text);
		f->has_size = true;
	} else if ((code == 227 || code == 229) &&
		   (is_command(p, "PASV") || is_command(p, "EPSV"))) {
		passive_reply(f, code, text);
	}
	change_directory(f, p, code, text);
	if (f->pending_nr > 1 && p != NULL)
		done(f, p);
}

void ftp_session_end(struct ftp *f)
{
	while (f->first != NULL)
		done(f, f->first);
	free_text(f, &f->reply);
	free_text(f, &f->cwd);
	if (f->note != NULL)
		zb_expect_note_put(zb_analyzer_analysis(&f->base), &f->note->base);
	f->note = NULL;
}
