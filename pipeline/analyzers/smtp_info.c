/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp_info.c - what smtp.log shows of a mail: envelope, headers, replies, path
 * (Zeek: base/protocols/smtp/{main,entities,files}.zeek)
 *
 * A row is under way from the first command or reply on. It is written when the server has answered
 * the mail, when the next one begins, and at the end; a row without sender, recipient or TLS is
 * none.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/analyzers/mail_addr.h"
#include "pipeline/analyzers/smtp_priv.h"

#define TEXT_MAX   24576 /* bytes kept of one mail: with them a row fits a log buffer */
#define STRING_MAX 4096	 /* bytes of a field (Zeek: Log::default_max_field_string_bytes) */
#define LIST_MAX   100	 /* elements of a field (Zeek: default_max_field_container_elements) */

enum smtp_list { RCPTTO, TO, CC, PATH, FUIDS, LIST_NR };

/* An element of a list, in the text. */
struct piece {
	uint32_t at;
	uint16_t len;
	uint8_t list; /* enum smtp_list */
};

/* A string, in the text; what replaces it takes its room if it fits. */
struct string {
	uint32_t at;
	uint16_t len, room;
	bool is_set;
};

struct smtp_info {
	uint64_t ts_ns;
	char *text;
	struct piece *pieces;
	uint32_t text_len, text_room, depth, entity_nr;
	uint16_t piece_nr, piece_room, list_nr[LIST_NR];
	bool has_list[LIST_NR];
	bool is_active; /* the client has done something that is worth a row */
	bool is_cut;	/* a list did not take everything */
	bool tls;
	struct string string[SMTP_STRING_NR];
};

static struct zb_mem *mem_of(struct smtp *s)
{
	return &zb_analyzer_analysis(&s->base)->mem;
}

/* Room for n more bytes of text; returns where, or UINT32_MAX. */
static uint32_t text_room(struct smtp *s, struct smtp_info *i, size_t n)
{
	uint32_t room = i->text_room == 0 ? 512 : i->text_room, at = i->text_len;
	char *p;

	if (n > TEXT_MAX - i->text_len)
		return UINT32_MAX;
	while (room < i->text_len + n)
		room *= 2;
	if (room != i->text_room) {
		p = zb_mem_resize(mem_of(s), s->base.def->mem, i->text, i->text_room, room);
		if (p == NULL) {
			zb_mem_shed(mem_of(s), s->base.def->mem);
			return UINT32_MAX;
		}
		i->text = p;
		i->text_room = room;
	}
	i->text_len += (uint32_t)n;
	return at;
}

static void set_string(struct smtp *s, enum smtp_string which, struct zb_text t)
{
	struct smtp_info *i = s->info;
	struct string *f;

	if (i == NULL)
		return;
	f = &i->string[which];
	if (t.n > STRING_MAX)
		t.n = STRING_MAX;
	if (t.n > f->room || !f->is_set) {
		uint32_t at = text_room(s, i, t.n);

		if (at == UINT32_MAX)
			return;
		f->at = at;
		f->room = (uint16_t)t.n;
	}
	if (t.n != 0)
		memcpy(i->text + f->at, t.d, t.n);
	f->len = (uint16_t)t.n;
	f->is_set = true;
}

static bool piece_is(const struct smtp_info *i, const struct piece *p, const char *d, size_t n)
{
	return p->len == n && memcmp(i->text + p->at, d, n) == 0;
}

static bool grow_pieces(struct smtp *s, struct smtp_info *i)
{
	uint16_t room = i->piece_room == 0 ? 8 : (uint16_t)(i->piece_room * 2);
	struct piece *p;

	if (i->piece_nr < i->piece_room)
		return true;
	p = zb_mem_resize(mem_of(s), s->base.def->mem, i->pieces, i->piece_room * sizeof(*p),
			  room * sizeof(*p));
	if (p == NULL) {
		zb_mem_shed(mem_of(s), s->base.def->mem);
		return false;
	}
	i->pieces = p;
	i->piece_room = room;
	return true;
}

/* Appends to a list; a set takes nothing twice. */
static void add(struct smtp *s, enum smtp_list list, const char *d, size_t n)
{
	struct smtp_info *i = s->info;
	uint32_t at;

	if (i == NULL)
		return;
	i->has_list[list] = true;
	for (unsigned k = 0; k < i->piece_nr && list != PATH; k++)
		if (i->pieces[k].list == list && piece_is(i, &i->pieces[k], d, n))
			return;
	if (n > STRING_MAX)
		n = STRING_MAX;
	if (i->list_nr[list] == LIST_MAX) {
		i->is_cut = true;
		return;
	}
	at = grow_pieces(s, i) ? text_room(s, i, n) : UINT32_MAX;
	if (at == UINT32_MAX)
		return;
	if (n != 0)
		memcpy(i->text + at, d, n);
	i->pieces[i->piece_nr++] = (struct piece){at, (uint16_t)n, (uint8_t)list};
	i->list_nr[list]++;
}

static void info_free(struct smtp *s)
{
	struct smtp_info *i = s->info;

	s->info = NULL;
	if (i == NULL)
		return;
	zb_mem_put(mem_of(s), s->base.def->mem, i->text, i->text_room);
	zb_mem_put(mem_of(s), s->base.def->mem, i->pieces, i->piece_room * sizeof(*i->pieces));
	zb_mem_put(mem_of(s), s->base.def->mem, i, sizeof(*i));
}

/* The path ends with the hosts of this connection. */
static void add_hosts(struct smtp *s)
{
	const struct zb_conn *c = zb_analyzer_conn(&s->base);
	char text[INET6_ADDRSTRLEN];

	for (unsigned side = ZB_RESP + 1; side-- != ZB_ORIG;) {
		inet_ntop(c->key.ip_version == 4 ? AF_INET : AF_INET6, zb_conn_addr(c, side), text,
			  sizeof(text));
		add(s, PATH, text, strlen(text));
	}
}

static void info_new(struct smtp *s)
{
	info_free(s);
	if (zb_analyzer_analysis(&s->base)->port[ZB_LOG_SMTP] == NULL)
		return;
	s->info = zb_mem_get(mem_of(s), s->base.def->mem, sizeof(*s->info));
	if (s->info == NULL) {
		zb_mem_shed(mem_of(s), s->base.def->mem);
		return;
	}
	s->info->ts_ns = zb_analyzer_now_ns(&s->base);
	s->info->depth = s->mail_nr + 1;
	add_hosts(s);
}

static void put_string(struct zb_row *r, const struct smtp_info *i, enum smtp_string which)
{
	const struct string *f = &i->string[which];

	if (f->is_set)
		zb_row_string(r, i->text + f->at, f->len);
	else
		zb_row_unset(r);
}

/* The string is what inet_ntop() wrote. */
static void put_addr(struct zb_row *r, const struct smtp_info *i, enum smtp_string which)
{
	const struct string *f = &i->string[which];
	char text[INET6_ADDRSTRLEN] = "";
	uint8_t addr[16];

	if (f->is_set)
		memcpy(text, i->text + f->at, f->len);
	if (inet_pton(AF_INET, text, addr) == 1)
		zb_row_addr4(r, addr);
	else if (inet_pton(AF_INET6, text, addr) == 1)
		zb_row_addr6(r, addr);
	else
		zb_row_unset(r);
}

static void put_list(struct zb_row *r, const struct smtp_info *i, enum smtp_list list)
{
	const char *d[LIST_MAX];
	size_t len[LIST_MAX], n = 0;

	for (unsigned k = 0; k < i->piece_nr && n < LIST_MAX; k++) {
		if (i->pieces[k].list != list)
			continue;
		d[n] = i->text + i->pieces[k].at;
		len[n++] = i->pieces[k].len;
	}
	if (i->has_list[list] || list == FUIDS)
		zb_row_strings(r, d, len, n);
	else
		zb_row_unset(r);
}

static void write_row(struct smtp *s)
{
	const struct smtp_info *i = s->info;
	struct zb_row r;

	if (!zb_analyzer_row(&s->base, ZB_LOG_SMTP, i->ts_ns,
			     i->text_len + s->helo_bytes + 8u * i->piece_nr + 64, &r))
		return;
	zb_row_count(&r, i->depth);
	if (s->helo != NULL)
		zb_row_string(&r, s->helo, s->helo_bytes);
	else
		zb_row_unset(&r);
	put_string(&r, i, SMTP_MAILFROM);
	put_list(&r, i, RCPTTO);
	put_string(&r, i, SMTP_DATE);
	put_string(&r, i, SMTP_FROM);
	put_list(&r, i, TO);
	put_list(&r, i, CC);
	put_string(&r, i, SMTP_REPLY_TO);
	put_string(&r, i, SMTP_MSG_ID);
	put_string(&r, i, SMTP_IN_REPLY_TO);
	put_string(&r, i, SMTP_SUBJECT);
	put_addr(&r, i, SMTP_ORIGINATING_IP);
	put_string(&r, i, SMTP_FIRST_RECEIVED);
	put_string(&r, i, SMTP_SECOND_RECEIVED);
	put_string(&r, i, SMTP_LAST_REPLY);
	put_list(&r, i, PATH);
	put_string(&r, i, SMTP_USER_AGENT);
	zb_row_bool(&r, i->tls);
	put_list(&r, i, FUIDS);
	zb_analyzer_row_end(&s->base, ZB_LOG_SMTP, &r);
	if (i->is_cut)
		zb_weird_net_addl(zb_analyzer_analysis(&s->base)->weird,
				  ZB_WEIRD_log_container_field_truncated, "SMTP::LOG");
}

/* What is under way becomes a row, if it is worth one, and the next begins. */
static void flush(struct smtp *s)
{
	if (s->info == NULL || !s->info->is_active)
		return;
	write_row(s);
	info_new(s);
}

static void set_helo(struct smtp *s, struct zb_text arg)
{
	size_t n = arg.n < STRING_MAX ? arg.n : STRING_MAX;

	if (zb_analyzer_analysis(&s->base)->port[ZB_LOG_SMTP] == NULL)
		return;
	zb_mem_put(mem_of(s), s->base.def->mem, s->helo, s->helo_bytes + 1u);
	s->helo_bytes = 0;
	s->helo = zb_mem_get_raw(mem_of(s), s->base.def->mem, n + 1);
	if (s->helo == NULL) {
		zb_mem_shed(mem_of(s), s->base.def->mem);
		return;
	}
	memcpy(s->helo, arg.d, n);
	s->helo_bytes = (uint16_t)n;
}

/* Without the parameter that says where the mail was sent at first. */
static size_t without_orcpt(char *d, size_t n)
{
	static const char word[] = "ORCPT=rfc822";
	char *at;

	while ((at = memmem(d, n, word, sizeof(word) - 1)) != NULL) {
		size_t before = (size_t)(at - d), skip = sizeof(word) - 1;

		skip += before + skip < n && at[skip] == ';';
		memmove(at, at + skip, n - before - skip);
		n -= skip;
	}
	return n;
}

static void recipients(struct smtp *s, struct zb_text arg)
{
	struct zb_text found;
	char bare[1024];

	if (s->info == NULL)
		return;
	s->info->has_list[RCPTTO] = s->info->is_active = true;
	while (zb_mail_command_addr(&arg, &found)) {
		size_t n = zb_mail_bare_addr(found, bare, sizeof(bare));

		add(s, RCPTTO, bare, without_orcpt(bare, n));
	}
}

static void sender(struct smtp *s, struct zb_text arg)
{
	struct zb_text found;
	char bare[1024];

	flush(s);
	if (s->info == NULL)
		return;
	s->info->is_active = true;
	if (!zb_mail_command_addr(&arg, &found))
		return;
	set_string(s, SMTP_MAILFROM,
		   zb_text((const uint8_t *)bare, zb_mail_bare_addr(found, bare, sizeof(bare))));
}

void smtp_info_command(struct smtp *s, enum smtp_command c, struct zb_text arg)
{
	if (s->info == NULL)
		info_new(s);
	if (c == SMTP_EHLO || c == SMTP_HELO)
		set_helo(s, arg);
	else if (c == SMTP_RCPT && zb_text_begins(arg, "TO:"))
		recipients(s, arg);
	else if (c == SMTP_MAIL && zb_text_begins(arg, "FROM:"))
		sender(s, arg);
	else if (c == SMTP_BDAT && arg.n >= 5 && memcmp(arg.d + arg.n - 5, " LAST", 5) == 0)
		s->last_chunk_seen = true;
}

void smtp_info_reply(struct smtp *s, unsigned code, struct zb_text message, bool goes_on)
{
	char text[STRING_MAX];
	size_t n = message.n < sizeof(text) - 4 ? message.n : sizeof(text) - 4;

	if (s->info == NULL)
		info_new(s);
	snprintf(text, 5, "%03u ", code % 1000);
	if (n != 0)
		memcpy(text + 4, message.d, n);
	set_string(s, SMTP_LAST_REPLY, zb_text((const uint8_t *)text, n + 4));
	if (s->replied != SMTP_END_OF_DATA &&
	    (goes_on || s->replied != SMTP_BDAT || !s->last_chunk_seen))
		return;
	s->mail_nr++;
	s->last_chunk_seen = false;
	flush(s);
	info_new(s);
}

static void addresses(struct smtp *s, enum smtp_list list, struct zb_text v)
{
	struct zb_mail_header h = {.text = v};
	struct zb_text found;

	s->info->has_list[list] = true;
	while (zb_mail_header_addr(&h, &found))
		add(s, list, (const char *)found.d, found.n);
}

/* The host that a server says it has got the mail from: the second one, if there are two. */
static void received(struct smtp *s, struct zb_text v)
{
	struct smtp_info *i = s->info;
	struct string first = i->string[SMTP_FIRST_RECEIVED];
	char host[2][INET6_ADDRSTRLEN];
	const struct piece *last = NULL;
	unsigned nr = 0;
	size_t at = 0;

	i->string[SMTP_FIRST_RECEIVED] = i->string[SMTP_SECOND_RECEIVED];
	i->string[SMTP_FIRST_RECEIVED].is_set &= first.is_set;
	i->string[SMTP_SECOND_RECEIVED] = first;
	set_string(s, SMTP_FIRST_RECEIVED, v);
	while (nr < 2 && zb_mail_host(v, &at, true, host[nr]))
		nr++;
	if (nr == 0)
		return;
	for (unsigned k = 0; k < i->piece_nr; k++)
		if (i->pieces[k].list == PATH)
			last = &i->pieces[k];
	if (last == NULL || !piece_is(i, last, host[nr - 1], strlen(host[nr - 1])))
		add(s, PATH, host[nr - 1], strlen(host[nr - 1]));
}

static void originating_ip(struct smtp *s, struct zb_text v)
{
	char host[INET6_ADDRSTRLEN];
	size_t at = 0;

	if (zb_mail_host(v, &at, false, host))
		set_string(s, SMTP_ORIGINATING_IP, zb_text((const uint8_t *)host, strlen(host)));
}

void smtp_info_header(struct zb_analyzer *a, unsigned side, struct zb_text name, struct zb_text v)
{
	static const struct {
		const char *name;
		enum smtp_string string;
	} simple[] = {
		{"MESSAGE-ID", SMTP_MSG_ID},	   {"IN-REPLY-TO", SMTP_IN_REPLY_TO},
		{"SUBJECT", SMTP_SUBJECT},	   {"FROM", SMTP_FROM},
		{"REPLY-TO", SMTP_REPLY_TO},	   {"DATE", SMTP_DATE},
		{"X-MAILER", SMTP_USER_AGENT},	   {"USER-AGENT", SMTP_USER_AGENT},
		{"X-USER-AGENT", SMTP_USER_AGENT},
	};
	struct smtp *s = (struct smtp *)a;

	(void)side;
	if (s->info == NULL || s->info->entity_nr > 1)
		return;
	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
		if (!zb_text_is(name, simple[i].name))
			continue;
		set_string(s, simple[i].string, v);
		return;
	}
	if (zb_text_is(name, "RECEIVED"))
		received(s, v);
	else if (zb_text_is(name, "TO"))
		addresses(s, TO, v);
	else if (zb_text_is(name, "CC"))
		addresses(s, CC, v);
	else if (zb_text_is(name, "X-ORIGINATING-IP"))
		originating_ip(s, v);
}

void smtp_info_entity(struct zb_analyzer *a, unsigned side)
{
	struct smtp *s = (struct smtp *)a;

	(void)side;
	if (s->info != NULL)
		s->info->entity_nr++;
}

void smtp_info_file(struct zb_analyzer *a, unsigned side, struct zb_file *f, struct zb_text name)
{
	struct smtp *s = (struct smtp *)a;
	char fuid[ZB_FUID_MAX];

	(void)side;
	(void)name;
	if (s->info != NULL && !s->info->tls)
		add(s, FUIDS, fuid, zb_file_fuid(f, fuid));
}

void smtp_info_tls(struct smtp *s)
{
	if (s->info != NULL)
		s->info->tls = s->info->is_active = true;
}

void smtp_info_end(struct smtp *s)
{
	if (s->info != NULL && s->info->is_active)
		write_row(s);
	info_free(s);
	if (s->helo != NULL)
		zb_mem_put(mem_of(s), s->base.def->mem, s->helo, s->helo_bytes + 1u);
	s->helo = NULL;
}
