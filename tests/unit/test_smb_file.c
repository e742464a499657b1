/* SPDX-License-Identifier: Apache-2.0 */
/* test_smb_file.c - files over SMB: names, sizes, order, ends; what is no file; bounds */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pipeline/analyzers/smb_priv.h"
#include "pipeline/file.h"
#include "smb_say.h"

#define DISK 1
#define PIPE 2

static struct analyzer_bed b;
static struct smb_frame f;

/* files.log; all that is open ends. */
static const char *rows(const char *log)
{
	ab_end(&b);
	zb_file_set_destroy(b.an.files);
	b.an.files = NULL;
	return logs_read(&b.logs, log);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

#define assert_says(text, what) assert_non_null(strstr(text, what))

/* What is written to a file is one file until it is closed, sent by the originator. */
static void smb_written_file_is_logged_when_closed(void **state)
{
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, DISK, "d\\a.txt", 77, 0);
	put_write(&f, 3, 5, 77, 0, "hello ");
	smb_say(&b, &f, ZB_ORIG);
	put_write(&f, 4, 5, 77, 6, "world");
	smb_say(&b, &f, ZB_ORIG);
	put_close(&f, 5, 5, 77);
	smb_say(&b, &f, ZB_ORIG);
	text = rows("files");
	assert_int_equal(count(text, "\n"), 1);
	assert_says(text, "\"source\":\"SMB\"");
	assert_says(text, "\"filename\":\"d\\\\a.txt\"");
	assert_says(text, "\"is_orig\":true");
	assert_says(text, "\"seen_bytes\":11");
	assert_says(text, "\"timedout\":false");
	assert_null(strstr(text, "total_bytes"));
	assert_says(text, "\"md5\":\"5eb63bbbe01eeed093cb22bb8f5acdc3\"");
	ab_close(&b);
}

/*
 * What is read is put in order by what was asked for; with all its bytes the file ends. A later
 * read is another file of that name.
 */
static void smb_read_file_ends_with_its_size(void **state)
{
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, DISK, "a", 77, 10);
	put_read(&f, 3, 5, 77, 0);
	smb_say(&b, &f, ZB_ORIG);
	put_read(&f, 4, 5, 77, 5);
	smb_say(&b, &f, ZB_ORIG);
	put_data(&f, 4, 5, "world", 5);
	smb_say(&b, &f, ZB_RESP);
	put_data(&f, 3, 5, "hello", 5);
	smb_say(&b, &f, ZB_RESP);
	put_read(&f, 5, 5, 77, 0);
	smb_say(&b, &f, ZB_ORIG);
	put_data(&f, 5, 5, "helloworld", 10);
	smb_say(&b, &f, ZB_RESP);
	text = rows("files");
	assert_int_equal(count(text, "\"total_bytes\":10"), 2);
	assert_int_equal(count(text, "\"missing_bytes\":0"), 2);
	assert_int_equal(count(text, "\"is_orig\":false"), 2);
	assert_int_equal(count(text, "\"md5\":\"fc5e038d38a57032085441e7fe7010b0\""), 2);
	ab_close(&b);
}

/* Byte by byte the same comes out; a file is dated by the end of its message. */
static void smb_file_byte_by_byte_is_the_same(void **state)
{
	uint64_t before;
	char ts[32];
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, DISK, "a", 77, 10);
	put_write(&f, 3, 5, 77, 0, "helloworld");
	f.d[3] = (uint8_t)(f.n - 4);
	ab_say(&b, ZB_ORIG, f.d, 8);
	ab_drip(&b, ZB_ORIG, f.d + 8, f.n - 8);
	before = b.an.now_ns;
	text = rows("files");
	snprintf(ts, sizeof(ts), "\"ts\":%llu.%03llu", (unsigned long long)(before / ZB_SEC_NS),
		 (unsigned long long)(before / 1000000 % 1000));
	assert_says(text, ts);
	assert_says(text, "\"duration\":0.0");
	assert_says(text, "\"md5\":\"fc5e038d38a57032085441e7fe7010b0\"");
	ab_close(&b);
}

/* Several messages in one frame are each looked at. */
static void smb_messages_in_one_frame_are_all_seen(void **state)
{
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, DISK, "a", 77, 0);
	put_write(&f, 3, 5, 77, 0, "hello");
	put_write(&f, 4, 5, 77, 5, "world");
	put_close(&f, 5, 5, 77);
	smb_say(&b, &f, ZB_ORIG);
	text = rows("files");
	assert_int_equal(count(text, "\n"), 1);
	assert_says(text, "\"seen_bytes\":10");
	assert_says(text, "\"timedout\":false");
	ab_close(&b);
}

/* Without name and path nobody knows what file it is; with a path alone Zeek takes it for one. */
static void smb_file_never_opened_is_none(void **state)
{
	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	put_write(&f, 3, 5, 77, 0, "hello");
	smb_say(&b, &f, ZB_ORIG);
	put_data(&f, 9, 5, "hello", 5);
	smb_say(&b, &f, ZB_RESP);
	put_close(&f, 5, 5, 77);
	smb_say(&b, &f, ZB_ORIG);
	assert_string_equal(rows("files"), "");
	ab_close(&b);
}

/* An answer that is an error carries no data, and opens nothing. */
static void smb_errors_carry_nothing(void **state)
{
	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	put_create(&f, 2, 5, "a");
	smb_say(&b, &f, ZB_ORIG);
	put_created(&f, 2, 5, 77, 0);
	put32(f.d + 4 + 8, 0xc0000034);
	smb_say(&b, &f, ZB_RESP);
	put_write(&f, 3, 5, 77, 0, "hello");
	smb_say(&b, &f, ZB_ORIG);
	assert_string_equal(rows("files"), "");
	ab_close(&b);
}

/* A request that waits keeps what it asked for until the answer comes. */
static void smb_pending_answer_is_waited_for(void **state)
{
	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, DISK, "a", 77, 0);
	put_read(&f, 3, 5, 77, 0);
	smb_say(&b, &f, ZB_ORIG);
	smb2_put(&f, READ, 3, 0, 9);
	put32(f.d + 4 + 8, 0x103);
	smb_say(&b, &f, ZB_RESP);
	put_data(&f, 3, 0, "hello", 5);
	smb_say(&b, &f, ZB_RESP);
	assert_says(rows("files"), "\"seen_bytes\":5");
	ab_close(&b);
}

static const char rpc[] = "\5\0\0\3\x10\0\0\0\x10\0\0\0\1\0\0";

/* Pipes carry calls, not files: on a share of pipes, and on any by a name that is known. */
static void smb_pipes_are_no_files(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ab_open(&b, IPPROTO_TCP, 445);
		smb_open_file(&b, &f, i == 0 ? PIPE : DISK, i == 0 ? "any" : "winreg", 77, 0);
		put_read(&f, 3, 5, 77, 0);
		smb_say(&b, &f, ZB_ORIG);
		assert_false(ab_has_service(&b, "dce_rpc"));
		put_data(&f, 3, 0, rpc, 16);
		smb_say(&b, &f, ZB_RESP);
		assert_true(ab_has_service(&b, "dce_rpc"));
		put_close(&f, 5, 5, 77);
		smb_say(&b, &f, ZB_ORIG);
		assert_string_equal(rows("files"), "");
		ab_close(&b);
	}
}

/* A share that was of pipes is not, once it is disconnected and its number used again. */
static void smb_disconnected_pipes_are_forgotten(void **state)
{
	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, PIPE, "any", 77, 0);
	smb2_put(&f, TREE_DISCONNECT, 3, 5, 4);
	smb_say(&b, &f, ZB_ORIG);
	put_write(&f, 4, 5, 77, 0, "hello");
	smb_say(&b, &f, ZB_ORIG);
	assert_says(rows("files"), "\"seen_bytes\":5");
	ab_close(&b);
}

/* With another name it is another file: the close ends that one. */
static void smb_renamed_file_is_another(void **state)
{
	uint8_t *body;
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, DISK, "a", 77, 0);
	put_write(&f, 3, 5, 77, 0, "hello");
	smb_say(&b, &f, ZB_ORIG);
	body = smb2_put(&f, SET_INFO, 4, 5, 32 + 20 + 2);
	body[2] = 1;
	body[3] = 10;
	put16(body + 8, 64 + 32);
	put64(body + 16, 77);
	put32(body + 32 + 16, 2);
	put_wide(body + 32 + 20, "b");
	smb_say(&b, &f, ZB_ORIG);
	put_write(&f, 5, 5, 77, 0, "world");
	smb_say(&b, &f, ZB_ORIG);
	put_close(&f, 6, 5, 77);
	smb_say(&b, &f, ZB_ORIG);
	text = rows("files");
	assert_int_equal(count(text, "\"filename\":\"a\""), 1);
	assert_int_equal(count(text, "\"filename\":\"b\""), 1);
	assert_int_equal(count(text, "\"timedout\":false"), 1);
	assert_int_equal(count(text, "\"timedout\":true"), 1);
	ab_close(&b);
}

/* A gap loses its message; the side that was in the middle of one loses its next piece, too. */
static void smb_piece_after_a_gap_is_lost(void **state)
{
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	b.conn.end[ZB_ORIG].last_seq = 20000; /* too much to be removed for it */
	smb_open_file(&b, &f, DISK, "a", 77, 0);
	put_write(&f, 3, 5, 77, 0, "hello");
	f.d[3] = (uint8_t)(f.n - 4);
	ab_say(&b, ZB_ORIG, f.d, f.n - 5);
	zb_branch_gap(&b.s->root, ZB_ORIG, 5);
	for (unsigned i = 0; i < 2; i++) {
		f.n = 0;
		put_write(&f, 4 + i, 5, 77, 5, i == 0 ? "is lost" : "world");
		smb_say(&b, &f, ZB_ORIG);
	}
	text = rows("files");
	assert_says(text, "\"seen_bytes\":5");
	assert_says(text, "\"missing_bytes\":5");
	ab_close(&b);
}

/* A thousand requests without an answer: all are forgotten, files and paths with them. */
static void smb_unanswered_requests_are_bounded(void **state)
{
	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, DISK, "a", 77, 0);
	for (unsigned i = 0; i < 5 * SMB_REQUESTS_MAX / 2; i++) {
		put_read(&f, 3 + i, 5, 77, i);
		smb_say(&b, &f, ZB_ORIG);
	}
	assert_true(b.an.mem.bytes[ZB_MEM_smb] < 200 * SMB_REQUESTS_MAX);
	assert_int_equal(b.an.mem.shed[ZB_MEM_smb], 2);
	assert_says(rows("weird"),
		    "\"name\":\"SMB_discarded_messages_state\",\"addl\":\"state=tree "
		    "fid_map=1 tid_map=1 pending_cmds=1000 pipe_map=0\"");
	ab_close(&b);
}

/* Open files, trees and pipes of a connection are bounded: what is oldest goes. */
static void smb_open_files_trees_and_pipes_are_bounded(void **state)
{
	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb_open_file(&b, &f, PIPE, "p", 77, 0);
	for (uint32_t i = 0; i < 3000; i++) {
		put_create(&f, 10 + i, 1000 + i, "some name");
		smb_say(&b, &f, ZB_ORIG);
		put_created(&f, 10 + i, 1000 + i, 100 + i, 0);
		smb_say(&b, &f, ZB_RESP);
	}
	assert_true(b.an.mem.bytes[ZB_MEM_smb] <
		    SMB_FILES_MAX * 256 + SMB_TREES_MAX * sizeof(struct smb_tree) + 20000);
	put_tree_connect(&f, 5000, "\\\\h\\s");
	smb_say(&b, &f, ZB_ORIG);
	put_tree_connected(&f, 5000, 5, PIPE);
	smb_say(&b, &f, ZB_RESP);
	for (uint32_t i = 0; i < 3 * SMB_PIPES_MAX; i++) {
		put_write(&f, 6000 + i, 5, 100 + i, 0, "\5");
		smb_say(&b, &f, ZB_ORIG);
		smb2_put(&f, WRITE, 6000 + i, 5, 17);
		smb_say(&b, &f, ZB_RESP);
	}
	assert_true(b.an.mem.bytes[ZB_MEM_smb] < SMB_FILES_MAX * 256 +
							 SMB_TREES_MAX * sizeof(struct smb_tree) +
							 SMB_PIPES_MAX * 1024 + 20000);
	assert_says(rows("weird"), "\"SMB_discarded_dce_rpc_analyzers\"");
	ab_close(&b);
}

/* Without memory there are no files, and nothing else goes wrong. */
static void smb_without_memory_goes_on(void **state)
{
	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	b.an.mem.limit[ZB_MEM_smb] = b.an.mem.bytes[ZB_MEM_smb];
	smb_open_file(&b, &f, DISK, "a", 77, 0);
	put_write(&f, 3, 5, 77, 0, "hello");
	smb_say(&b, &f, ZB_ORIG);
	put_close(&f, 5, 5, 77);
	smb_say(&b, &f, ZB_ORIG);
	assert_true(b.an.mem.shed[ZB_MEM_smb] > 0);
	assert_true(ab_has_service(&b, "smb"));
	assert_string_equal(rows("files"), "");
	ab_close(&b);
}

/* SMB 1: a file is opened and read; what it is about stays until another message says otherwise. */
static void smb1_read_file_is_seen(void **state)
{
	uint8_t ask[48] = {0xff}, opened[68] = {0xff}, read[20] = {0xff}, data[24] = {0xff};
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb1_say(&b, ZB_ORIG, 0xa2, ask, sizeof(ask), "x.txt", 6);
	put16(opened + 5, 77);
	put64(opened + 27, 130000000000000000u);
	put64(opened + 55, 5);
	smb1_say(&b, ZB_RESP, 0xa2, opened, sizeof(opened), "", 0);
	put16(read + 4, 77);
	smb1_say(&b, ZB_ORIG, 0x2e, read, sizeof(read), "", 0);
	put16(data + 10, 5);
	put16(data + 12, 32 + 1 + sizeof(data) + 2 + 1);
	smb1_say(&b, ZB_RESP, 0x2e, data, sizeof(data), "\0hello", 6);
	text = rows("files");
	assert_says(text, "\"filename\":\"x.txt\"");
	assert_says(text, "\"total_bytes\":5");
	assert_says(text, "\"timedout\":false");
	assert_says(text, "\"md5\":\"5d41402abc4b2a76b9719d911017c592\"");
	ab_close(&b);
}

/* SMB 1: opened and written to in one message; closed in another. */
static void smb1_written_file_is_seen(void **state)
{
	uint8_t ask[48] = {0xff}, opened[68] = {0xff}, write[28] = {0xff}, shut[6] = {0};
	const char *text;

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb1_say(&b, ZB_ORIG, 0xa2, ask, sizeof(ask), "y", 2);
	put16(opened + 5, 77);
	smb1_say(&b, ZB_RESP, 0xa2, opened, sizeof(opened), "", 0);
	put16(write + 4, 77);
	put16(write + 20, 5);
	put16(write + 22, 32 + 1 + sizeof(write) + 2);
	smb1_say(&b, ZB_ORIG, 0x2f, write, sizeof(write), "hello", 5);
	put16(shut, 77);
	smb1_say(&b, ZB_ORIG, 0x04, shut, sizeof(shut), "", 0);
	text = rows("files");
	assert_says(text, "\"filename\":\"y\"");
	assert_says(text, "\"is_orig\":true");
	assert_says(text, "\"timedout\":false");
	ab_close(&b);
}

/* SMB 1: a share of service IPC is of pipes. */
static void smb1_pipes_are_no_files(void **state)
{
	uint8_t words[6] = {0xff}, write[28] = {0xff};

	(void)state;
	ab_open(&b, IPPROTO_TCP, 445);
	smb1_say(&b, ZB_RESP, 0x75, words, sizeof(words), "IPC", 4);
	put16(write + 20, 16);
	put16(write + 22, 32 + 1 + sizeof(write) + 2);
	smb1_say(&b, ZB_ORIG, 0x2f, write, sizeof(write), rpc, 16);
	assert_true(ab_has_service(&b, "dce_rpc"));
	assert_string_equal(rows("files"), "");
	ab_close(&b);
}

/* SMB 1: a chain that leads backwards, or far, ends. */
static void smb1_chains_are_bounded(void **state)
{
	uint8_t bytes[3000];

	(void)state;
	for (unsigned start = 0; start < 3; start++) {
		memset(bytes, 0x2e, sizeof(bytes));
		ab_open(&b, IPPROTO_TCP, 445);
		for (unsigned i = 0; i + 40 < sizeof(bytes); i += 40) {
			bytes[i] = 10;
			put16(bytes + i + 3, start == 1 ? 32 : 32 + 23 + i + 40);
		}
		smb1_say(&b, ZB_ORIG, 0x2e, "\x2e\0\x37\0aaaaaaaaaaaaaaaa", 20, bytes,
			 start == 2 ? 50 : sizeof(bytes));
		ab_end(&b);
		ab_close(&b);
	}
}

/* UTF-16 with and without pairs of surrogates, up to a zero, as much as there is room for. */
static void smb_names_become_utf8(void **state)
{
	static const uint8_t wide[] = {'a',  0,	   0xe9, 0,    0xac, 0x20, 0x3d,
				       0xd8, 0x00, 0xde, 0x00, 0xd8, 0,	   0};
	char text[32];

	(void)state;
	assert_int_equal(smb_utf8(wide, sizeof(wide), text, sizeof(text)), 13);
	assert_memory_equal(text, "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\x80", 13);
	assert_int_equal(smb_utf8(wide, sizeof(wide), text, 5), 3);
	assert_int_equal(smb_utf8(wide, 5, text, sizeof(text)), 3);
	assert_int_equal(smb_utf8(wide, 0, text, sizeof(text)), 0);
}

/* A table gives back what was put in, in any order, and knows the oldest. */
static void smb_table_holds_what_was_put_in(void **state)
{
	static struct smb_node node[1000];
	struct smb_table t = {.nr = 0};

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		smb_insert(&t, &node[i], i * i);
	for (uint64_t i = 0; i < 1000; i += 3)
		smb_remove(&t, &node[i]);
	for (uint64_t i = 0; i < 1000; i++)
		assert_ptr_equal(smb_find(&t, i * i), i % 3 == 0 ? NULL : &node[i]);
	assert_ptr_equal(t.oldest, &node[1]);
	assert_ptr_equal(t.newest, &node[998]);
	assert_int_equal(t.nr, 666);
	while (t.oldest != NULL)
		smb_remove(&t, t.oldest);
	assert_null(t.newest);
	assert_int_equal(t.nr, 0);
}

static unsigned longest_chain(const struct smb_table *t)
{
	unsigned longest = 0;

	for (unsigned i = 0; i < SMB_BUCKETS; i++) {
		unsigned n = 0;

		for (const struct smb_node *at = t->bucket[i]; at != NULL; at = at->next)
			n++;
		longest = n > longest ? n : longest;
	}
	return longest;
}

/* Numbers that share a bucket with one secret do not with another. */
static void smb_table_buckets_depend_on_the_secret(void **state)
{
	static struct smb_node node[1000], again[1000];
	struct smb_table t = {.secret = 1}, other = {.secret = 2};
	unsigned n = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		smb_insert(&t, &node[i], i << 60 | i);
	for (const struct smb_node *at = t.bucket[0]; at != NULL; at = at->next)
		smb_insert(&other, &again[n++], at->key);
	assert_true(n > 20);
	assert_true(longest_chain(&t) < 200);
	assert_true(longest_chain(&other) < n / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smb_written_file_is_logged_when_closed),
		cmocka_unit_test(smb_read_file_ends_with_its_size),
		cmocka_unit_test(smb_file_byte_by_byte_is_the_same),
		cmocka_unit_test(smb_messages_in_one_frame_are_all_seen),
		cmocka_unit_test(smb_file_never_opened_is_none),
		cmocka_unit_test(smb_errors_carry_nothing),
		cmocka_unit_test(smb_pending_answer_is_waited_for),
		cmocka_unit_test(smb_pipes_are_no_files),
		cmocka_unit_test(smb_disconnected_pipes_are_forgotten),
		cmocka_unit_test(smb_renamed_file_is_another),
		cmocka_unit_test(smb_piece_after_a_gap_is_lost),
		cmocka_unit_test(smb_unanswered_requests_are_bounded),
		cmocka_unit_test(smb_open_files_trees_and_pipes_are_bounded),
		cmocka_unit_test(smb_without_memory_goes_on),
		cmocka_unit_test(smb1_read_file_is_seen),
		cmocka_unit_test(smb1_written_file_is_seen),
		cmocka_unit_test(smb1_pipes_are_no_files),
		cmocka_unit_test(smb1_chains_are_bounded),
		cmocka_unit_test(smb_names_become_utf8),
		cmocka_unit_test(smb_table_holds_what_was_put_in),
		cmocka_unit_test(smb_table_buckets_depend_on_the_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
