/* SPDX-License-Identifier: Apache-2.0 */
/* top_rows.c - see top_rows.h */
#include "bench/top_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/lcore_stat.h"

#define TAIL_BYTES  ((off_t)4 << 20) /* of what was there before: 25 rows of 64 lcores */
#define LINE_MAX_   (64u * 1024)     /* of a header or a row; a longer line is neither */
#define COLUMNS_MAX 256

struct column {
	const char *name;
	enum zb_top_value value;
};

static const struct column columns[] = {
	{"lcore", ZB_TOP_LCORE},
	{"wall_ts", ZB_TOP_WALL_S},
	{"ts", ZB_TOP_NET_S},
	{"pkts_link", ZB_TOP_LINK},
	{"pkts_proc", ZB_TOP_PROC},
	{"pkts_dropped", ZB_TOP_DROPPED},
	{"bytes_recv", ZB_TOP_BYTES},
	{"busy_cycles", ZB_TOP_BUSY},
	{"idle_cycles", ZB_TOP_IDLE},
	{"queue_pkts", ZB_TOP_QUEUE},
	{"pkt_lag_p99", ZB_TOP_LAG_S},
	{"log_rows", ZB_TOP_ROWS},
	{"active_tcp_conns", ZB_TOP_CONNS},
	{"active_udp_conns", ZB_TOP_CONNS},
	{"active_icmp_conns", ZB_TOP_CONNS},
	{"active_other_conns", ZB_TOP_CONNS},
};
#define COLUMN_NR (sizeof(columns) / sizeof(columns[0]))

struct zb_top_rows {
	int fd;
	off_t at; /* of the byte after those in buf */
	char *buf;
	size_t used;
	bool skip; /* the rest of a line is not wanted: it is too long, or was begun before at */
	/* Tab-separated: what each column is; ZB_TOP_NR: nothing. */
	unsigned column_nr;
	enum zb_top_value column[COLUMNS_MAX];
};

/* Bytes of state: every gauge that is bytes, but not what one of them has in reserve. */
static bool is_state(unsigned gauge)
{
	return gauge >= ZB_G_reassem_tcp_bytes && gauge != ZB_G_conn_reserved_bytes;
}

static enum zb_top_value value_of(const char *name, size_t len)
{
	for (size_t i = 0; i < COLUMN_NR; i++)
		if (strlen(columns[i].name) == len && memcmp(columns[i].name, name, len) == 0)
			return columns[i].value;
	for (unsigned g = 0; g < ZB_G_NR; g++)
		if (is_state(g) && strlen(zb_gauge_name[g]) == len &&
		    memcmp(zb_gauge_name[g], name, len) == 0)
			return ZB_TOP_STATE;
	return ZB_TOP_NR;
}

static void add_json(struct zb_top_row *row, const json_t *o, const char *name,
		     enum zb_top_value value)
{
	row->v[value] += json_number_value(json_object_get(o, name)); /* 0: it is none */
}

static bool read_json(const char *line, size_t len, struct zb_top_row *row)
{
	json_t *o = json_loadb(line, len, 0, NULL);
	bool is_row = json_is_number(json_object_get(o, "lcore")) &&
		      json_is_number(json_object_get(o, "wall_ts"));

	for (size_t i = 0; is_row && i < COLUMN_NR; i++)
		add_json(row, o, columns[i].name, columns[i].value);
	for (unsigned g = 0; is_row && g < ZB_G_NR; g++)
		if (is_state(g))
			add_json(row, o, zb_gauge_name[g], ZB_TOP_STATE);
	json_decref(o);
	return is_row;
}

/* "#fields", a tab, then the names. */
static void read_header(struct zb_top_rows *r, const char *line, size_t len)
{
	const char *at = line, *end = line + len;

	r->column_nr = 0;
	at = memchr(at, '\t', len);
	while (at != NULL && r->column_nr < COLUMNS_MAX) {
		const char *name = at + 1;

		at = memchr(name, '\t', (size_t)(end - name));
		r->column[r->column_nr++] =
			value_of(name, (size_t)((at != NULL ? at : end) - name));
	}
}

static bool read_tsv(const struct zb_top_rows *r, const char *line, size_t len,
		     struct zb_top_row *row)
{
	const char *at = line, *end = line + len;
	unsigned i = 0;

	for (; at != NULL && i < r->column_nr; i++) {
		const char *tab = memchr(at, '\t', (size_t)(end - at));
		size_t n = (size_t)((tab != NULL ? tab : end) - at);
		char text[40];

		if (r->column[i] != ZB_TOP_NR && n < sizeof(text)) {
			memcpy(text, at, n);
			text[n] = '\0';
			row->v[r->column[i]] += strtod(text, NULL); /* "-" is 0 */
		}
		at = tab != NULL ? tab + 1 : NULL;
	}
	return i > 0 && i == r->column_nr && at == NULL;
}

static bool read_line(struct zb_top_rows *r, const char *line, size_t len, struct zb_top_row *row)
{
	memset(row, 0, sizeof(*row));
	if (len == 0)
		return false;
	if (*line == '{')
		return read_json(line, len, row);
	if (*line != '#')
		return read_tsv(r, line, len, row);
	if (len > 7 && memcmp(line, "#fields", 7) == 0)
		read_header(r, line, len);
	return false;
}

/* The header of a file whose beginning is passed over. */
static void read_first_lines(struct zb_top_rows *r)
{
	struct zb_top_row row;
	ssize_t n = pread(r->fd, r->buf, LINE_MAX_, 0);
	const char *at = r->buf, *end = r->buf + (n > 0 ? n : 0), *nl;

	while (at < end && *at == '#' && (nl = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		read_line(r, at, (size_t)(nl - at), &row);
		at = nl + 1;
	}
}

int zb_top_rows_open(const char *path, struct zb_top_rows **out)
{
	struct zb_top_rows *r = calloc(1, sizeof(*r));
	struct stat st;
	int ret;

	if (r == NULL)
		return -ENOMEM;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = -errno;
	if (r->fd < 0)
		goto free_rows;
	ret = -ENOMEM;
	r->buf = malloc(LINE_MAX_);
	if (r->buf == NULL)
		goto close_file;
	ret = fstat(r->fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	if (ret < 0)
		goto close_file;
	*out = r;
	return 0;

close_file:
	close(r->fd);
free_rows:
	free(r->buf);
	free(r);
	return ret;
}

/* Takes the whole lines out of buf; what is left is the beginning of one. */
static void take_lines(struct zb_top_rows *r, void (*take)(void *arg, const struct zb_top_row *row),
		       void *arg)
{
	char *at = r->buf, *end = r->buf + r->used, *nl;
	struct zb_top_row row;

	while ((nl = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (!r->skip && read_line(r, at, (size_t)(nl - at), &row))
			take(arg, &row);
		r->skip = false;
		at = nl + 1;
	}
	r->used = (size_t)(end - at);
	if (r->used == LINE_MAX_) {
		r->skip = true;
		r->used = 0;
	}
	memmove(r->buf, at, r->used);
}

/* Where what there is now ends; a run may write faster than this reads. -errno */
static off_t catch_up(struct zb_top_rows *r)
{
	struct stat st;

	if (fstat(r->fd, &st) < 0)
		return -errno;
	if (st.st_size - r->at > TAIL_BYTES) {
		if (r->at == 0)
			read_first_lines(r);
		r->at = st.st_size - TAIL_BYTES;
		r->used = 0;
		r->skip = true;
	}
	return st.st_size;
}

int zb_top_rows_read(struct zb_top_rows *r, void (*take)(void *arg, const struct zb_top_row *row),
		     void *arg)
{
	off_t end = catch_up(r);

	while (r->at < end) {
		size_t room = LINE_MAX_ - r->used, left = (size_t)(end - r->at);
		ssize_t n = pread(r->fd, r->buf + r->used, room < left ? room : left, r->at);

		if (n < 0)
			return errno == EINTR ? 0 : -errno;
		if (n == 0)
			break; /* somebody has made it shorter */
		r->at += n;
		r->used += (size_t)n;
		take_lines(r, take, arg);
	}
	return end < 0 ? (int)end : 0;
}

void zb_top_rows_close(struct zb_top_rows *r)
{
	if (r == NULL)
		return;
	close(r->fd);
	free(r->buf);
	free(r);
}
