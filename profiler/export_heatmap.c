/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_heatmap.c - samples as a page with a heat map
 *
 * The page holds the samples as the text of samples.h, gzip'd and in base64, and scripts that read
 * it. What the page does not show is left out before: addresses and modules, so that far fewer
 * stacks are different, and times below 20 ms.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/export.h"
#include "profiler/flame_priv.h"
#include "profiler/heatmap_priv.h"
#include "profiler/row_priv.h"

#define COLUMN_NS   20000000u
#define PAGE_BYTES  150000u /* all but the samples, rather too many */
#define KERNEL_ADDR (1ull << 63)

/* "[libc.so.6+0x12]" without the offset: where there are no names, the module is one. */
static int add_frame(struct zb_samples *to, const struct zb_samples *s, uint32_t frame,
		     uint32_t *out)
{
	const struct zb_samples_frame *f = &s->frame[frame];
	struct zb_samples_frame plain = {
		.addr = zb_samples_is_kernel(f) ? KERNEL_ADDR : 0,
		.module = ZB_SAMPLES_NONE,
		.offset = ZB_SAMPLES_NONE,
	};
	const char *name = s->string[f->name], *plus = strrchr(name, '+');
	char *cut = NULL;
	int ret;

	if (name[0] == '[' && f->offset == ZB_SAMPLES_NONE && plus != NULL) {
		cut = malloc(strlen(name) + 1);
		if (cut == NULL)
			return -ENOMEM;
		memcpy(cut, name, (size_t)(plus - name));
		strcpy(cut + (plus - name), "]");
	}
	ret = zb_samples_string(to, cut != NULL ? cut : name, &plain.name);
	free(cut);
	return ret < 0 ? ret : zb_samples_frame(to, &plain, out);
}

static int add_stacks(struct zb_samples *to, const struct zb_samples *s, uint32_t *number)
{
	for (uint32_t i = 0; i < s->stack_nr; i++) {
		const struct zb_samples_stack *k = &s->stack[i];
		uint32_t frames[ZB_SAMPLES_DEPTH_MAX];
		int ret = 0;

		for (uint32_t d = 0; ret == 0 && d < k->depth; d++)
			ret = add_frame(to, s, s->stack_frame[k->at + d], &frames[d]);
		if (ret == 0)
			ret = zb_samples_stack(to, frames, k->depth, &number[i]);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int fill_plain(struct zb_samples *to, const struct zb_samples *s, uint32_t *number)
{
	uint32_t lane;
	int ret = add_stacks(to, s, number);

	for (uint32_t i = 0; ret == 0 && i < s->lane_nr; i++)
		ret = zb_samples_lane(to, &s->lane[i], &lane);
	for (uint32_t i = 0; ret == 0 && i < s->value_nr; i++)
		ret = zb_samples_value(to, &s->value[i]);
	to->times.column_ns = s->times.column_ns;
	for (uint32_t i = 0; ret == 0 && i < s->times.nr; i++) {
		struct zb_sample_at a = s->times.at[i];

		a.stack = number[a.stack];
		ret = zb_sample_times_add(&to->times, zb_samples_time(s, &s->times.at[i]), a);
	}
	to->start_unix_ns = s->start_unix_ns;
	to->duration_ns = s->duration_ns;
	to->period_ns = s->period_ns;
	to->slot_ns = s->slot_ns;
	zb_sample_times_widen(&to->times, COLUMN_NS);
	return ret;
}

/* The same samples by name alone, in columns of 20 ms at least. */
static int make_plain(const struct zb_samples *s, struct zb_samples **out)
{
	uint32_t *number = calloc((size_t)s->stack_nr + 1, sizeof(*number));
	struct zb_samples *to = NULL;
	int ret = number != NULL ? zb_samples_create(&to) : -ENOMEM;

	if (ret == 0)
		ret = fill_plain(to, s, number);
	free(number);
	if (ret < 0)
		zb_samples_destroy(to);
	else
		*out = to;
	return ret;
}

/* The file of the samples in memory; *size is its length. */
static int write_memory(const struct zb_samples *s, int *fd, size_t *size)
{
	struct stat st;
	int copy, ret;

	*fd = memfd_create("zbench-samples", MFD_CLOEXEC);
	if (*fd < 0)
		return -errno;
	copy = dup(*fd);
	ret = copy < 0 ? -errno : zb_samples_write_fd(s, copy);
	if (ret == 0 && fstat(*fd, &st) < 0)
		ret = -errno;
	if (ret < 0)
		close(*fd);
	else
		*size = (size_t)st.st_size;
	return ret;
}

/* Columns are widened until the page is small enough, or a single one is left. */
static int pack(struct zb_samples *plain, int *fd, size_t *size)
{
	int ret = write_memory(plain, fd, size);

	while (ret == 0 && *size / 3 * 4 > ZB_HEATMAP_BYTES_MAX - PAGE_BYTES &&
	       plain->times.nr > 0 && plain->times.at[plain->times.nr - 1].column > 0) {
		close(*fd);
		zb_sample_times_widen(&plain->times, plain->times.column_ns * 2);
		ret = write_memory(plain, fd, size);
	}
	return ret;
}

static int put_base64(int fd, size_t size, FILE *out)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *data = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;

	if (data == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < size; i += 3) {
		uint32_t v = (uint32_t)data[i] << 16;

		v |= i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0;
		v |= i + 2 < size ? data[i + 2] : 0;
		fputc(digit[v >> 18], out);
		fputc(digit[v >> 12 & 63], out);
		fputc(i + 1 < size ? digit[v >> 6 & 63] : '=', out);
		fputc(i + 2 < size ? digit[v & 63] : '=', out);
	}
	if (data != NULL)
		munmap(data, size);
	return 0;
}

/* A string of a script: nothing in it may look like the end of the script. */
static int put_script_string(const char *text, FILE *out)
{
	size_t len = strlen(text);
	char *escaped = malloc(5 * len + 1), *end;

	if (escaped == NULL)
		return -ENOMEM;
	end = zb_row_escape_json(escaped, text, len);
	fputc('"', out);
	for (const char *p = escaped; p < end; p++) {
		if (*p == '<')
			fputs("\\u003c", out);
		else
			fputc(*p, out);
	}
	fputc('"', out);
	free(escaped);
	return 0;
}

struct page {
	const struct zb_heatmap_conf *conf;
	int fd;
	size_t size;
	FILE *out;
};

/* What stands in the place of @WORD@. */
static int put_word(const struct page *p, const char *word, size_t len)
{
	const struct zb_heatmap_conf *c = p->conf;
	const struct {
		const char *word, *text, *plain;
	} words[] = {
		{"TITLE", c->title, NULL},
		{"SUBTITLE", c->subtitle, NULL},
		{"FLAME_STYLE", NULL, zb_flame_style},
		{"FLAME_SCRIPT", NULL, zb_flame_script},
		{"SCRIPT_SAMPLES", NULL, zb_heatmap_samples_js},
		{"SCRIPT_FLAME", NULL, zb_heatmap_flame_js},
		{"SCRIPT_MAP", NULL, zb_heatmap_map_js},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) != len || memcmp(words[i].word, word, len) != 0)
			continue;
		if (words[i].plain != NULL)
			fputs(words[i].plain, p->out);
		else
			zb_flame_put_text(p->out, words[i].text, strlen(words[i].text));
		return 0;
	}
	if (len == strlen("SAMPLES") && memcmp(word, "SAMPLES", len) == 0)
		return put_base64(p->fd, p->size, p->out);
	if (len == strlen("SOURCE") && memcmp(word, "SOURCE", len) == 0)
		return put_script_string(c->source, p->out);
	zb_flame_put_families(p->out); /* FAMILIES */
	return 0;
}

static int put_page(const struct page *p)
{
	const char *at = zb_heatmap_html, *word;
	int ret = 0;

	while (ret == 0 && (word = strchr(at, '@')) != NULL) {
		const char *end = strchr(word + 1, '@');

		fwrite(at, 1, (size_t)(word - at), p->out);
		ret = put_word(p, word + 1, (size_t)(end - word - 1));
		at = end + 1;
	}
	fputs(at, p->out);
	return ret;
}

int zb_export_heatmap(const struct zb_samples *s, const struct zb_heatmap_conf *conf, FILE *out)
{
	struct page p = {.conf = conf, .out = out};
	struct zb_samples *plain;
	int ret = make_plain(s, &plain);

	if (ret < 0)
		return ret;
	ret = pack(plain, &p.fd, &p.size);
	zb_samples_destroy(plain);
	if (ret < 0)
		return ret;
	errno = 0;
	ret = put_page(&p);
	close(p.fd);
	if (ret == 0 && (fflush(out) != 0 || ferror(out)))
		ret = errno != 0 ? -errno : -EIO;
	return ret;
}
