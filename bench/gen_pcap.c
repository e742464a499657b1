/* SPDX-License-Identifier: Apache-2.0 */
/* gen_pcap.c - the pcap writer: a big buffer in front of write(2) */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/gen_pcap.h"
#include "bench/gen_stream.h"
#include "profiler/diag.h"

#define BUF_BYTES     (4u << 20)
#define FILE_HEADER   24u
#define RECORD_HEADER 16u
#define SNAPLEN_BYTES 65535u
#define SNAPLEN_LONG  262144u
#define MAGIC_US      0xa1b2c3d4u
#define MAGIC_NS      0xa1b23c4du
#define VERSION_2_4   (2u | 4u << 16)
#define NS_PER_S      1000000000ull

/* What a link is called in a file: the first of the link types that are read as it. */
static const uint32_t link_types[ZB_LINK_NR] = {
	[ZB_LINK_ETHERNET] = 1, [ZB_LINK_RAW_IP] = 101,	  [ZB_LINK_SLL] = 113,
	[ZB_LINK_SLL2] = 276,	[ZB_LINK_NULL] = 0,	  [ZB_LINK_PPP] = 9,
	[ZB_LINK_FDDI] = 10,	[ZB_LINK_C_HDLC] = 104,	  [ZB_LINK_NFLOG] = 239,
	[ZB_LINK_WIFI] = 105,	[ZB_LINK_RADIOTAP] = 127,
};

struct zb_gen_pcap {
	int fd;
	uint32_t snaplen;
	bool ns;
	bool regular; /* may be removed when it could not be completed */
	char *path;
	size_t used;
	uint8_t *buf;
};

static void put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static int flush(struct zb_gen_pcap *w)
{
	size_t done = 0;

	while (done < w->used) {
		ssize_t n = write(w->fd, w->buf + done, w->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int err = n < 0 ? errno : EIO;

			zb_err("%s: %s", w->path, strerror(err));
			return -err;
		}
		done += (size_t)n;
	}
	w->used = 0;
	return 0;
}

static void put_file_header(struct zb_gen_pcap *w, enum zb_link link)
{
	uint8_t *p = w->buf;

	memset(p, 0, FILE_HEADER);
	put_le32(p, w->ns ? MAGIC_NS : MAGIC_US);
	put_le32(p + 4, VERSION_2_4);
	put_le32(p + 16, w->snaplen);
	put_le32(p + 20, link_types[link]);
	w->used = FILE_HEADER;
}

static int open_file(const char *path, bool ns, enum zb_link link, uint32_t snaplen,
		     struct zb_gen_pcap **out)
{
	struct zb_gen_pcap *w = calloc(1, sizeof(*w));
	struct stat st;
	int ret = -ENOMEM;

	if (w == NULL)
		goto say;
	w->ns = ns;
	w->snaplen = snaplen;
	w->path = strdup(path);
	w->buf = malloc(BUF_BYTES);
	if (w->path == NULL || w->buf == NULL)
		goto free_w;
	w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (w->fd < 0) {
		ret = -errno;
		goto free_w;
	}
	w->regular = fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode);
	put_file_header(w, link);
	*out = w;
	return 0;

free_w:
	free(w->buf);
	free(w->path);
	free(w);
say:
	zb_err("%s: %s", path, strerror(-ret));
	return ret;
}

int zb_gen_pcap_open(const char *path, bool ns, struct zb_gen_pcap **out)
{
	return open_file(path, ns, ZB_LINK_ETHERNET, SNAPLEN_BYTES, out);
}

int zb_gen_pcap_open_link(const char *path, bool ns, enum zb_link link, struct zb_gen_pcap **out)
{
	return open_file(path, ns, link, SNAPLEN_LONG, out);
}

static int put_record(struct zb_gen_pcap *w, uint64_t ts_ns, const uint8_t *data, uint32_t len,
		      uint32_t wire_len)
{
	uint64_t rest = ts_ns % NS_PER_S;
	uint8_t *p;

	if (len > w->snaplen || ts_ns / NS_PER_S > UINT32_MAX)
		return -EINVAL;
	if (w->used + RECORD_HEADER + len > BUF_BYTES) {
		int ret = flush(w);

		if (ret < 0)
			return ret;
	}
	p = w->buf + w->used;
	put_le32(p, (uint32_t)(ts_ns / NS_PER_S));
	put_le32(p + 4, (uint32_t)(w->ns ? rest : rest / 1000));
	put_le32(p + 8, len);
	put_le32(p + 12, wire_len);
	memcpy(p + RECORD_HEADER, data, len);
	w->used += RECORD_HEADER + len;
	return 0;
}

int zb_gen_pcap_put(struct zb_gen_pcap *w, uint64_t ts_ns, const uint8_t *data, uint32_t len)
{
	return put_record(w, ts_ns, data, len, len);
}

int zb_gen_pcap_put_frame(struct zb_gen_pcap *w, uint64_t ts_ns, const struct zb_gen_frame *f)
{
	return put_record(w, ts_ns, zb_gen_frame_bytes(f), f->len, f->len + f->cut_len);
}

int zb_gen_pcap_sink(void *w, uint64_t ts_ns, const struct zb_gen_frame *f)
{
	return zb_gen_pcap_put_frame(w, ts_ns, f);
}

int zb_gen_pcap_close(struct zb_gen_pcap *w, bool keep)
{
	int ret = keep ? flush(w) : 0;

	if (close(w->fd) < 0 && keep && ret == 0) {
		ret = -errno;
		zb_err("%s: %s", w->path, strerror(-ret));
	}
	if ((!keep || ret < 0) && w->regular)
		unlink(w->path); /* best effort: the error that led here has been said */
	free(w->buf);
	free(w->path);
	free(w);
	return ret;
}
