/* SPDX-License-Identifier: Apache-2.0 */
/* test_trace_load.c - where traces come from and go: packed files, pipes, merges, shards, memory */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <zlib.h>
#include "capture/rss.h"
#include "capture/source_replay.h"
#include "capture/trace_priv.h"
#include "trace_series.h"

static void make_gzip(struct tb_buf *out, const uint8_t *p, size_t n)
{
	z_stream z = {0};
	size_t max;

	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	max = deflateBound(&z, n);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = tb_room(out, max);
	z.avail_out = (uInt)max;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->nr -= z.avail_out;
	deflateEnd(&z);
}

/* Packed in one piece or several, a trace must be the same as plain. */
static void load_packed_files_equal_plain_ones(void **state)
{
	struct tb_buf plain = {0};
	struct zb_trace *t;
	uint64_t digest;

	(void)state;
	make_pcap(&plain, (struct series){3000, 700, 5000, 10, 1});
	assert_int_equal(load_bytes(&plain, &t), 0);
	digest = zb_trace_info(t)->digest;
	zb_trace_free(t);
	for (int kind = 0; kind < 4; kind++) {
		void (*pack)(struct tb_buf *, const uint8_t *, size_t) =
			kind & 1 ? make_zstd : make_gzip;
		size_t half = kind & 2 ? plain.nr / 2 + 3 : plain.nr;
		struct tb_buf b = {0};

		if (kind == 3) /* a skippable frame in front */
			tb_bytes(&b, "\x50\x2a\x4d\x18\4\0\0\0abcd", 12);
		pack(&b, plain.p, half);
		if (half < plain.nr)
			pack(&b, plain.p + half, plain.nr - half);
		if (kind == 2) /* padding, as from tapes */
			tb_zeros(&b, 512);
		assert_int_equal(load_bytes(&b, &t), 0);
		assert_string_equal(said.text, "");
		assert_int_equal(zb_trace_info(t)->pkt_nr, 3000);
		assert_true(zb_trace_info(t)->digest == digest);
		assert_int_equal(zb_trace_info(t)->file_bytes, b.nr);
		zb_trace_free(t);
		tb_free(&b);
	}
	tb_free(&plain);
}

/* Packed data that ends early or is damaged must give the packets before, with one warning. */
static void load_broken_packed_files_keep_what_came_before(void **state)
{
	struct tb_buf plain = {0};

	(void)state;
	make_pcap(&plain, (struct series){4, 60, 0, 10, 1});
	for (int zstd = 0; zstd < 2; zstd++) {
		struct tb_buf b = {0};

		(zstd ? make_zstd : make_gzip)(&b, plain.p, plain.nr);
		for (size_t n = 1; n < b.nr; n++) {
			struct tb_buf cut = {.p = b.p, .nr = n};
			struct zb_trace *t;
			int ret = load_bytes(&cut, &t);

			assert_true(one_line(n < 4 ? "not a trace" : zstd ? "zstd" : "gzip"));
			if (ret == 0) {
				assert_true(zb_trace_info(t)->cut);
				assert_true(zb_trace_info(t)->pkt_nr <= 4);
				zb_trace_free(t);
			} else {
				assert_int_equal(ret, -EINVAL);
			}
		}
		for (size_t n = 4; n < b.nr; n++) {
			struct zb_trace *t;

			b.p[n] ^= 0x55;
			if (load_bytes(&b, &t) == 0)
				zb_trace_free(t);
			b.p[n] ^= 0x55;
		}
		tb_free(&b);
	}
	tb_free(&plain);
}

/* Unpacked data longer than the room first made moves the image; the index must follow. */
static void load_packed_file_that_outgrows_its_room_is_indexed_right(void **state)
{
	struct tb_buf plain = {0}, b = {0};
	const struct zb_trace_shard *s;
	struct zb_trace *t;

	(void)state;
	make_pcap(&plain, (struct series){2400, 60000, 0, 10, 7});
	make_zstd(&b, plain.p, plain.nr);
	assert_int_equal(load_bytes(&b, &t), 0);
	s = zb_trace_shard(t, 0);
	assert_int_equal(s->pkt_nr, 2400);
	for (uint32_t i = 0; i < 2400; i++)
		assert_memory_equal(s->pkts[i].data, plain.p + 24 + i * 60016u + 16, 60000);
	assert_true(zb_trace_info(t)->image_bytes < plain.nr + (4u << 20));
	zb_trace_free(t);
	tb_free(&b);
	tb_free(&plain);
}

/* Passes that would write into a mapped file are refused, others are not. */
static void check_read_only_is_not_rewritten(struct zb_trace *t)
{
	struct zb_replay_conf conf = {.trace = t, .queue_nr = 3, .loops = 2};
	bool mapped = zb_trace_info(t)->memory == ZB_MEM_FILE;
	struct zb_replay *r;
	int ret;

	catch_fd(&said, STDERR_FILENO);
	ret = zb_replay_open(&conf, &r);
	release_fd(&said);
	assert_int_equal(ret, mapped ? -EINVAL : 0);
	if (ret == 0)
		zb_replay_close(r);
	conf.same_flows = true;
	assert_int_equal(zb_replay_open(&conf, &r), 0);
	zb_replay_close(r);
}

/*
 * A large plain file is read by several threads, or mapped; every packet must be as it is in the
 * file, in its shard.
 */
static void large_file(bool read_only)
{
	struct zb_trace_conf conf = {.path_nr = 1, .shard_nr = 3, .read_only = read_only};
	struct tb_buf b = {0};
	const char *path_p;
	struct zb_trace *t;
	char path[64];
	uint64_t nr = 0, memory;

	make_pcap(&b, (struct series){30000, 1313, 0, 10, 7});
	tb_save(&b, path);
	path_p = path;
	conf.paths = &path_p;
	assert_true(b.nr > (32u << 20));
	assert_int_equal(load(conf, &t), 0);
	assert_string_equal(said.text, "");
	for (uint32_t q = 0; q < 3; q++) {
		const struct zb_trace_shard *s = zb_trace_shard(t, q);

		nr += s->pkt_nr;
		assert_int_equal(s->byte_nr, s->pkt_nr * 1313);
		for (uint64_t i = 0; i < s->pkt_nr; i++) {
			const struct zb_trace_pkt *p = &s->pkts[i];

			assert_true(i == 0 || p->ts_ns > p[-1].ts_ns);
			assert_memory_equal(p->data, b.p + 40 + p->ts_ns / 10 * 1329, 1313);
			assert_int_equal(zb_rss_from_half(p->rss),
					 zb_rss_hash(ZB_LINK_ETHERNET, p->data, 1313));
			assert_int_equal(zb_rss_queue(zb_rss_from_half(p->rss), 3), q);
		}
	}
	assert_int_equal(nr, 30000);
	/* The promise: the trace and 64 bytes a packet; pages of 2 MiB are rounded up. */
	memory = zb_trace_info(t)->image_bytes + zb_trace_info(t)->index_bytes;
	assert_true(memory <= b.nr + 30000 * 64 + (8u << 20));
	if (!read_only)
		assert_int_not_equal(zb_trace_info(t)->memory, ZB_MEM_FILE);
	else if (geteuid() == 0 && sysconf(_SC_NPROCESSORS_ONLN) > 1)
		assert_int_equal(zb_trace_info(t)->memory, ZB_MEM_FILE);
	check_read_only_is_not_rewritten(t);
	zb_trace_free(t);
	unlink(path);
	tb_free(&b);
}

static void load_large_plain_file_is_complete_and_sharded(void **state)
{
	(void)state;
	large_file(false);
}

static void load_large_read_only_file_is_mapped(void **state)
{
	(void)state;
	large_file(true);
}

/* A large file cut in its last chunk must end there, by threads as well. */
static void load_large_cut_file_warns_once(void **state)
{
	struct tb_buf b = {0};
	struct zb_trace *t;

	(void)state;
	make_pcap(&b, (struct series){20000, 1313, 0, 10, 7});
	b.nr -= 100;
	assert_int_equal(load_bytes(&b, &t), 0);
	assert_true(
		one_line("packet 20000 at byte 26578695 is cut: the file ends 100 bytes early"));
	assert_int_equal(zb_trace_info(t)->pkt_nr, 19999);
	zb_trace_free(t);
	tb_free(&b);
}

/* A file that became shorter after it was opened must end where it does now. */
static void load_file_that_shrinks_ends_where_it_does(void **state)
{
	struct zb_region image = {.numa_id = -1};
	struct tb_buf b = {0};
	struct zb_input in;
	struct zb_feed f = {.in = &in, .image = &image};
	char path[64];
	size_t len = 17u << 20 | 123;

	(void)state;
	make_pcap(&b, (struct series){20000, 1313, 0, 10, 7});
	tb_save(&b, path);
	assert_int_equal(zb_input_open(path, &in), 0);
	assert_int_equal(truncate(path, (off_t)len), 0);
	assert_int_equal(zb_region_map(&image, in.size, false), 0);
	assert_int_equal(zb_feed_open_threads(&f), 0);
	assert_int_equal(zb_feed_need(&f, len), 1);
	assert_int_equal(zb_feed_need(&f, len + 1), 0);
	assert_int_equal(f.avail, len);
	assert_true(f.eof);
	assert_memory_equal(image.base, b.p, len);
	f.close(&f);
	zb_input_close(&in);
	zb_region_unmap(&image);
	unlink(path);
	tb_free(&b);
}

/* count_max must stop exactly there. */
static void load_count_max_is_exact(void **state)
{
	struct zb_trace_conf conf = {.path_nr = 1, .shard_nr = 2, .count_max = 17};
	struct tb_buf b = {0};
	const char *path_p;
	struct zb_trace *t;
	char path[64];

	(void)state;
	make_pcap(&b, (struct series){100, 60, 0, 10, 7});
	tb_save(&b, path);
	path_p = path;
	conf.paths = &path_p;
	assert_int_equal(load(conf, &t), 0);
	assert_int_equal(zb_trace_info(t)->pkt_nr, 17);
	assert_int_equal(zb_trace_info(t)->last_ns, 160);
	assert_int_equal(zb_trace_shard(t, 0)->pkt_nr + zb_trace_shard(t, 1)->pkt_nr, 17);
	zb_trace_free(t);
	unlink(path);
	tb_free(&b);
}

/* Merged files a, b, c: of equal times the earlier file's first, order inside a file kept. */
static void check_merge(struct zb_trace *t, const uint16_t (*want)[2], uint32_t nr)
{
	const struct zb_trace_shard *s = zb_trace_shard(t, 0);

	assert_int_equal(s->pkt_nr, nr);
	for (uint32_t i = 0; i < nr; i++) {
		const uint8_t *p = s->pkts[i].data;

		assert_int_equal(p[42] << 8 | p[43], want[i][0]);
		assert_int_equal(p[44] << 8 | p[45], want[i][1]);
	}
}

static void load_several_files_are_merged_by_time(void **state)
{
	/* file, packet; times are a: 10 20 30, b: 10 15 20 25, c: 5 30 */
	static const uint16_t want[][2] = {{3, 0}, {1, 0}, {2, 0}, {2, 1}, {1, 1},
					   {2, 2}, {2, 3}, {1, 2}, {3, 1}};
	static const struct series series[] = {{3, 60, 10, 10, 1},
					       {4, 60, 10, 5, 2},
					       {2, 60, 5, 25, 3}};
	char path[3][64];
	const char *paths[3];
	struct zb_trace_conf conf = {.paths = paths, .path_nr = 3, .shard_nr = 1};
	struct zb_trace *t;
	uint64_t nr = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct tb_buf plain = {0}, b = {0};

		make_pcap(&plain, series[i]);
		if (i == 1)
			make_gzip(&b, plain.p, plain.nr);
		tb_save(i == 1 ? &b : &plain, path[i]);
		paths[i] = path[i];
		tb_free(&plain);
		tb_free(&b);
	}
	assert_int_equal(load(conf, &t), 0);
	check_merge(t, want, 9);
	assert_int_equal(zb_trace_info(t)->file_nr, 3);
	assert_int_equal(zb_trace_info(t)->backwards, 0);
	zb_trace_free(t);
	conf.count_max = 4;
	assert_int_equal(load(conf, &t), 0);
	check_merge(t, want, 4);
	assert_int_equal(zb_trace_info(t)->last_ns, 15);
	zb_trace_free(t);
	conf.count_max = 0;
	conf.shard_nr = 5;
	assert_int_equal(load(conf, &t), 0);
	for (uint32_t q = 0; q < 5; q++) {
		const struct zb_trace_shard *s = zb_trace_shard(t, q);

		nr += s->pkt_nr;
		for (uint64_t i = 1; i < s->pkt_nr; i++)
			assert_true(s->pkts[i].ts_ns >= s->pkts[i - 1].ts_ns);
	}
	assert_int_equal(nr, 9);
	zb_trace_free(t);
	for (int i = 0; i < 3; i++)
		unlink(path[i]);
}

/* Order in the file is kept where times go backwards, and that is counted. */
static void load_times_backwards_are_kept_and_counted(void **state)
{
	static const uint32_t times[] = {50, 40, 60, 60, 10};
	struct tb_buf b = {0};
	struct zb_trace *t;

	(void)state;
	tb_pcap_header(&b, 0xa1b23c4d, 1);
	for (int i = 0; i < 5; i++)
		tb_pcap_record(&b, (struct tb_rec){0, times[i], 4, 4}, "abcd");
	assert_int_equal(load_bytes(&b, &t), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(zb_trace_shard(t, 0)->pkts[i].ts_ns, times[i]);
	assert_int_equal(zb_trace_info(t)->backwards, 2);
	assert_int_equal(zb_trace_info(t)->first_ns, 10);
	assert_int_equal(zb_trace_info(t)->last_ns, 60);
	zb_trace_free(t);
	tb_free(&b);
}

/* A pipe has no length and cannot be read twice, and must work all the same. */
static void load_pipe_is_read(void **state)
{
	struct tb_buf b = {0};
	struct zb_trace *t;
	char path[32];
	int fds[2];

	(void)state;
	make_pcap(&b, (struct series){100, 60, 0, 10, 7});
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], b.p, b.nr), b.nr);
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	assert_int_equal(load_path(path, &t), 0);
	assert_int_equal(zb_trace_info(t)->pkt_nr, 100);
	assert_int_equal(zb_trace_info(t)->file_bytes, b.nr);
	zb_trace_free(t);
	close(fds[0]);
	tb_free(&b);
}

/* What cannot be opened must be said in one line, before anything else is loaded. */
static void load_unreadable_paths_are_said(void **state)
{
	struct zb_trace *t;

	(void)state;
	assert_int_equal(load_path("/nonexistent/x.pcap", &t), -ENOENT);
	assert_true(one_line("zbench: /nonexistent/x.pcap: No such file or directory"));
	assert_int_equal(load_path("/tmp", &t), -EINVAL);
	assert_true(one_line("zbench: /tmp: is a directory; give capture files"));
}

static void load_forbidden_file_is_said(void **state)
{
	struct tb_buf b = {0};
	struct zb_trace *t;
	char path[64];

	(void)state;
	if (geteuid() == 0) {
		print_message("root may read every file: permission check not tested\n");
		skip();
	}
	make_pcap(&b, (struct series){1, 60, 0, 10, 7});
	tb_save(&b, path);
	chmod(path, 0);
	assert_int_equal(load_path(path, &t), -EACCES);
	assert_true(one_line("Permission denied"));
	unlink(path);
	tb_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load_packed_files_equal_plain_ones),
		cmocka_unit_test(load_broken_packed_files_keep_what_came_before),
		cmocka_unit_test(load_packed_file_that_outgrows_its_room_is_indexed_right),
		cmocka_unit_test(load_large_plain_file_is_complete_and_sharded),
		cmocka_unit_test(load_large_read_only_file_is_mapped),
		cmocka_unit_test(load_large_cut_file_warns_once),
		cmocka_unit_test(load_file_that_shrinks_ends_where_it_does),
		cmocka_unit_test(load_count_max_is_exact),
		cmocka_unit_test(load_several_files_are_merged_by_time),
		cmocka_unit_test(load_times_backwards_are_kept_and_counted),
		cmocka_unit_test(load_pipe_is_read),
		cmocka_unit_test(load_unreadable_paths_are_said),
		cmocka_unit_test(load_forbidden_file_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
