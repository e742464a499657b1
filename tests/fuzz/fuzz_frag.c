/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_frag.c - any fragments of a few datagrams, held against a plain model: of each byte the
 * first copy counts
 *
 * A fragment is six bytes: datagram and flags, offset in two, length in two, what it is filled
 * with.
 *
 *     fuzz_frag -max_len=1024 tests/fuzz/corpus/frag
 */
#include <stdlib.h>

#include "pipeline/frag.h"
#include "tests/fuzz/row_catch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FF_SIZE = 6,
	FF_IDS = 4,
	FF_MORE = 4,
	FF_DONT = 8,
	FF_V6 = 16,
	FF_LATER = 32,
	FF_ROUND = 64
};
enum { SPACE = 65536 + 8192 };

static struct model {
	uint8_t there[SPACE], byte[SPACE];
	bool used;
} model[FF_IDS * 2];
static struct zb_weird w;
static struct zb_mem mem;

static void forget(struct model *m)
{
	if (m->used)
		memset(m->there, 0, sizeof(m->there));
	m->used = false;
}

static void check_whole(struct model *m, const struct zb_fragment *x, const uint8_t *whole,
			uint32_t len)
{
	must(len > x->head_len && len <= 65535);
	must(memcmp(whole + x->head_len, m->byte, len - x->head_len) == 0);
	must(memchr(m->there, 0, len - x->head_len) == NULL);
	if (x->addr_len == 4)
		must((uint32_t)(whole[2] << 8 | whole[3]) == len);
	else
		must((uint32_t)(whole[4] << 8 | whole[5]) == len - 40);
	forget(m);
}

static void add(struct zb_frag *f, const uint8_t *r)
{
	static const uint8_t addr[32] = {1}, head4[20] = {0x45}, head6[40] = {0x60};
	bool v6 = r[0] & FF_V6;
	struct model *m = &model[r[0] % FF_IDS + (v6 ? FF_IDS : 0)];
	uint32_t len = (uint32_t)(r[3] << 8 | r[4]) % 8192, whole_len = 0;
	uint8_t *block;
	const uint8_t *whole;
	struct zb_fragment x = {
		.now_ns = 1700000000000000000ull,
		.src = addr,
		.dst = addr + 16,
		.head = v6 ? head6 : head4,
		.id = r[0] % FF_IDS,
		.offset = (uint32_t)(r[1] << 8 | r[2]) & 0xfff8,
		.len = r[0] & FF_ROUND ? len / 8 * 8 : len,
		.head_len = v6 ? 40 : 20,
		.next_at = v6 ? 6 : 0,
		.addr_len = v6 ? 16 : 4,
		.proto = 17,
		.more = r[0] & FF_MORE,
		.dont = r[0] & FF_DONT,
	};

	x.ip_len = x.head_len + x.len;
	block = malloc(x.len);
	must(block != NULL);
	for (uint32_t i = 0; i < x.len; i++)
		block[i] = (uint8_t)(r[5] + i);
	x.data = block;
	for (uint32_t i = 0; x.offset + x.len <= 65535 && i < x.len; i++) {
		if (!m->there[x.offset + i])
			m->byte[x.offset + i] = block[i];
		m->there[x.offset + i] = 1;
		m->used = true;
	}
	whole = zb_frag_add(f, &x, &whole_len);
	free(block);
	if (whole != NULL)
		check_whole(m, &x, whole, whole_len);
	zb_frag_release(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zb_frag *f;

	zb_mem_init(&mem, NULL);
	must(zb_frag_create(&mem, &w, 5, &f) == 0);
	for (; size >= FF_SIZE; data += FF_SIZE, size -= FF_SIZE) {
		/* A datagram too long to be one is dropped, which the model does not follow. */
		uint32_t count = zb_frag_count(f);

		add(f, data);
		if (zb_frag_count(f) < count)
			forget(&model[data[0] % FF_IDS + (data[0] & FF_V6 ? FF_IDS : 0)]);
	}
	zb_frag_destroy(f);
	must(mem.total == 0);
	for (unsigned i = 0; i < FF_IDS * 2; i++)
		forget(&model[i]);
	return 0;
}
