/* SPDX-License-Identifier: Apache-2.0 */
/* test_profile.c - profiles in YAML: what they say is what comes, and what is wrong is named */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bench/gen_rand.h"
#include "bench/gen_stream.h"
#include "bench/profile.h"
#include "caught.h"

#define SECOND_NS  1000000000ull
#define SIZES	   1600
#define FLOW_TABLE 4096

/* What came of a profile. */
struct seen {
	uint64_t frames, sessions, bytes, bad_sums, digest, last_ns, most_in_row;
	uint64_t of_size[SIZES];   /* with the frame check sequence */
	uint64_t of_port[65536];   /* by the lower port, SYNs and datagrams from a client */
	uint64_t of_server[65536]; /* the same by the lower half of the address */
	uint8_t clients[65536];	   /* the same by address and port of the source, mixed */
};

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t ones_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of IPv4 in untagged Ethernet, which is most of it. */
static void look_at_ip4(struct seen *s, const struct zb_gen_frame *f)
{
	const uint8_t *ip = f->data + 14, *l4 = ip + 20;
	size_t len = get16(ip + 2) - 20;
	uint32_t sum = ones_sum(0, ip + 12, 8) + ip[9] + (uint32_t)len;
	bool first = ip[9] == 17 || (l4[13] & 0x12) == 2;

	s->bad_sums += ones_sum(0, ip, 20) != 0xffff;
	if (ip[9] != 1)
		s->bad_sums += ones_sum(sum, l4, len) != 0xffff;
	if (ip[9] != 1 && first && ip[12] == 10 && get16(l4) > get16(l4 + 2)) {
		s->of_port[get16(l4 + 2)]++;
		s->of_server[get16(ip + 18)]++;
		s->clients[zb_gen_mix((uint64_t)get16(ip + 12) << 32 | get16(ip + 14) << 16 |
				      get16(l4)) &
			   0xffff] = 1;
	}
}

static void look(struct seen *s, const struct zb_gen_frame *f, uint64_t ts_ns)
{
	assert_true(ts_ns >= s->last_ns);
	s->last_ns = ts_ns;
	s->frames++;
	s->bytes += f->len;
	s->of_size[f->len + 4]++;
	s->digest = zb_gen_mix(s->digest ^ ts_ns) + f->len;
	for (uint32_t i = 0; i < f->len; i++)
		s->digest = (s->digest ^ f->data[i]) * 0x100000001b3ull;
	if (f->data[12] == 8 && f->data[13] == 0)
		look_at_ip4(s, f);
}

static struct seen seen;

static void pull(struct zb_profile *p, const struct zb_gen_conf *limit)
{
	static struct zb_gen_frame f;
	struct zb_gen_stream *stream;
	uint64_t ts_ns;
	int ret;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(zb_profile_open(p, limit, &stream), 0);
	while ((ret = zb_gen_stream_next(stream, &f, &ts_ns)) == 1)
		look(&seen, &f, ts_ns);
	assert_int_equal(ret, 0);
	seen.sessions = stream->sessions;
	zb_gen_stream_free(stream);
	assert_int_equal(seen.bad_sums, 0);
}

static void run_for(const char *yaml, double seconds, uint64_t seed)
{
	struct zb_gen_conf limit = {.duration_ns = (uint64_t)(seconds * 1e9), .seed = seed};
	struct zb_profile *p;

	assert_int_equal(zb_profile_read("t.yaml", yaml, strlen(yaml), &p), 0);
	pull(p, &limit);
}

/* Sizes come by their weights, at the rate, with right checksums, over all the flows. */
static void profile_sizes_come_by_weight(void **state)
{
	static const char yaml[] = "streams:\n"
				   "  - {kind: packets, sizes: {64: 7, 570: 4, 1518: 1}, "
				   "rate: 100kpps, flows: 50}\n";

	(void)state;
	run_for(yaml, 0.6, 1);
	assert_int_equal(seen.frames, 60000);
	assert_int_equal(seen.sessions, 50);
	assert_in_range(seen.of_size[64], 35000 - 605, 35000 + 605);
	assert_in_range(seen.of_size[570], 20000 - 578, 20000 + 578);
	assert_in_range(seen.of_size[1518], 5000 - 339, 5000 + 339);
	assert_int_equal(seen.of_size[64] + seen.of_size[570] + seen.of_size[1518], 60000);
	assert_int_equal(seen.of_port[9], 60000);
}

/* A genome is the sequence of sizes itself. */
static void profile_genome_is_the_sequence(void **state)
{
	(void)state;
	run_for("streams: [{kind: packets, genome: aaabfgz, rate: 7k}]", 1, 1);
	assert_int_equal(seen.frames, 7000);
	assert_int_equal(seen.of_size[64], 3000);
	assert_int_equal(seen.of_size[128], 1000);
	assert_int_equal(seen.of_size[1280], 1000);
	assert_int_equal(seen.of_size[1518], 2000);
}

/* Kinds of sessions come by their weights, servers by Zipf's law. */
static void profile_mix_comes_by_weight(void **state)
{
	static const char yaml[] =
		"streams:\n"
		"  - kind: sessions\n"
		"    rate: 2000\n"
		"    gaps: poisson\n"
		"    servers: 50\n"
		"    popularity: 1\n"
		"    mix:\n"
		"      - {kind: tls, weight: 2, requests: 1, size: 100, rtt: 1ms}\n"
		"      - {kind: http, weight: 1, requests: 1-2, size: {1: 3, 2k-4k: 1}}\n"
		"      - {kind: ntp, weight: 1}\n";
	uint64_t v4 = 0;

	(void)state;
	run_for(yaml, 5, 2);
	assert_in_range(seen.sessions, 10000 - 500, 10000 + 500);
	/* 3 in 14 are on the VLAN or speak IPv6 and are not looked at: about 64 % are. */
	v4 = seen.of_port[443] + seen.of_port[80] + seen.of_port[123];
	assert_in_range(v4, 6000, 7000);
	assert_in_range(seen.of_port[443] * 100 / v4, 47, 53);
	assert_in_range(seen.of_port[80] * 100 / v4, 22, 28);
	/* sites 1 and 10: the first ten times as often */
	assert_in_range(seen.of_server[1] * 10 / seen.of_server[10], 70, 140);
}

/* The same file and seed are the same bytes, here and everywhere. */
static void profile_same_seed_gives_the_same_bytes(void **state)
{
	static const char yaml[] =
		"streams:\n"
		"  - {kind: packets, sizes: {64: 1, 65: 1}, rate: 10Mbps, gaps: poisson, flows: "
		"9,\n"
		"     popularity: 1.2, burst: 8, line: 1Gbps, on: 10ms, off: 5ms}\n"
		"  - kind: sessions\n"
		"    at_once: 7\n"
		"    popularity: 0.8\n"
		"    mix:\n"
		"      - {kind: file, size: tail 10k-100k, bandwidth: 50Mbps, rtt: 1ms-5ms}\n"
		"      - {kind: http, think: 1ms}\n";
	const uint64_t golden = 0x76d989b7ff130825ull;
	uint64_t first;

	(void)state;
	run_for(yaml, 1, 7);
	first = seen.digest;
	run_for(yaml, 1, 7);
	assert_true(seen.digest == first);
	run_for(yaml, 1, 8);
	assert_true(seen.digest != first);
	if (first != golden)
		fail_msg("digest is 0x%llx", (unsigned long long)first);
}

/* A connection of the briefest kind is eight packets, a SYN each of a client that no other one has.
 */
static void profile_connect_is_eight_packets(void **state)
{
	static const char yaml[] = "streams:\n"
				   "  - kind: sessions\n"
				   "    rate: 3k\n"
				   "    mix: [{kind: connect, rtt: 5ms}]\n";
	uint32_t clients = 0;

	(void)state;
	run_for(yaml, 1, 3);
	assert_int_equal(seen.sessions, 3000);
	assert_int_equal(seen.frames, 8 * 3000);
	assert_int_equal(seen.of_port[80], 3000);
	for (size_t i = 0; i < sizeof(seen.clients) / sizeof(seen.clients[0]); i++)
		clients += seen.clients[i] != 0;
	/* Of 3000 in 65536 places, 68 share one as a rule. */
	assert_in_range(clients, 3000 - 110, 3000);
}

/* So many at once: one that ends is followed by another, until the end. */
static void profile_at_once_replaces_what_ends(void **state)
{
	static const char yaml[] = "streams:\n"
				   "  - kind: sessions\n"
				   "    at_once: 10\n"
				   "    mix: [{kind: http, requests: 1, size: 10, rtt: 100ms}]\n";

	(void)state;
	run_for(yaml, 20, 1);
	/* Each takes 0.31 to 0.35 seconds, few that repeat a segment longer. */
	assert_in_range(seen.sessions, 10 * 19 * 2.8, 10 * 20 * 3.3);
}

/* A bandwidth is kept: 10 Mbit/s take a second for 1.25 million bytes. */
static void profile_bandwidth_is_kept(void **state)
{
	static const char yaml[] =
		"streams:\n"
		"  - kind: sessions\n"
		"    at_once: 1\n"
		"    mix: [{kind: file, size: 1.25M, rtt: 1ms, bandwidth: 10Mbps}]\n";
	struct zb_gen_conf limit = {.duration_ns = SECOND_NS, .sessions = 1};
	struct zb_profile *p;

	(void)state;
	assert_int_equal(zb_profile_read("t.yaml", yaml, strlen(yaml), &p), 0);
	pull(p, &limit);
	assert_int_equal(seen.sessions, 1);
	assert_true(seen.last_ns - ZB_GEN_EPOCH_NS > SECOND_NS &&
		    seen.last_ns - ZB_GEN_EPOCH_NS < SECOND_NS * 102 / 100);
}

/* Asked for so many packets or sessions, so many come. */
static void profile_limits_are_exact(void **state)
{
	static const char yaml[] = "streams:\n"
				   "  - {kind: packets, sizes: 64, rate: 1k}\n"
				   "  - {kind: sessions, rate: 100, mix: [{kind: dns}]}\n"
				   "  - {kind: sessions, rate: 10, from: 1s, until: 2s, "
				   "mix: [{kind: ntp}]}\n";
	struct zb_gen_conf limit = {.duration_ns = 100 * SECOND_NS, .packets = 12345};
	struct zb_profile *p;

	(void)state;
	assert_int_equal(zb_profile_read("t.yaml", yaml, strlen(yaml), &p), 0);
	pull(p, &limit);
	assert_int_equal(seen.frames, 12345);
	limit.packets = 0;
	limit.sessions = 200;
	limit.duration_ns = 5 * SECOND_NS;
	assert_int_equal(zb_profile_read("t.yaml", yaml, strlen(yaml), &p), 0);
	pull(p, &limit);
	assert_int_equal(seen.sessions, 200 + 1); /* and the one flow of the datagrams */
}

/* The profiles that are compiled in are read, and give something. */
static void profile_compiled_in_ones_are_good(void **state)
{
	struct zb_profile *p;
	unsigned nr = 0;

	(void)state;
	for (; zb_profile_name(nr) != NULL; nr++) {
		struct zb_gen_conf limit = {.duration_ns = SECOND_NS, .packets = 5000};

		assert_int_equal(zb_profile_load(zb_profile_name(nr), &p), 0);
		pull(p, &limit);
		assert_true(seen.frames > 1000);
	}
	assert_in_range(nr, 4, 100);
	assert_int_equal(zb_profile_load("nosuch", &p), -ENOENT);
}

/* What is wrong with a file is one line that names file, line and key. */
static void profile_error_names_file_line_and_key(void **state)
{
	static const struct {
		const char *yaml, *said;
	} bad[] = {
		{"", "t.yaml: line 1: profile: give keys"},
		{"a: [", "t.yaml: line 2: no YAML: "},
		{"{\n\n}\n", "t.yaml: line 1: streams: not given"},
		{"streams: 3", "t.yaml: line 1: streams: give a list"},
		{"streams: []", "t.yaml: line 1: streams: there is none"},
		{"\nduration: soon\n", "t.yaml: line 2: duration: soon: give a time"},
		{"duration: 1\nduration: 1\n", "t.yaml: line 2: duration: is there twice"},
		{"streams:\n - rat: 5\n", "t.yaml: line 2: rat: no such key; there are kind, rate"},
		{"streams:\n - rate: 5\n", "t.yaml: line 2: kind: not given"},
		{"streams:\n - kind: packet\n", "t.yaml: line 2: kind: give packets or sessions"},
		{"streams:\n - kind: packets\n   rate: 0\n", "t.yaml: line 3: rate: 0: give"},
		{"streams:\n - kind: packets\n   rate: 5 q\n", "t.yaml: line 3: rate: 5 q: give"},
		{"streams:\n - {kind: packets, rate: 5}\n", "line 2: sizes: give sizes or genome"},
		{"streams:\n - {kind: packets, sizes: 64}\n", "line 2: rate: not given"},
		{"streams:\n - sizes: 63\n", "line 2: sizes: 63: give bytes of a frame"},
		{"streams:\n - sizes: {64: 0}\n", "line 2: sizes: 64: its weight"},
		{"streams:\n - sizes: {}\n", "line 2: sizes: give bytes"},
		{"streams:\n - genome: abx\n", "line 2: genome: abx: give"},
		{"streams:\n - genome: a\n   sizes: 64\n", "line 3: sizes: not with genome"},
		{"streams:\n - {kind: packets, sizes: 64, rate: 5, mix: [{kind: dns}]}\n",
		 "line 2: mix: not for packets"},
		{"streams:\n - {kind: packets, sizes: 64, rate: 5, on: 1}\n", "line 2: on: on and"},
		{"streams:\n - {kind: packets, sizes: 64, rate: 5, burst: 4}\n", "line 2: burst: "},
		{"streams:\n - {kind: packets, sizes: 64, rate: 5, from: 2, until: 1}\n",
		 "line 2: until: is not after from"},
		{"streams:\n - {kind: sessions, rate: 5}\n", "line 2: mix: not given"},
		{"streams:\n - {kind: sessions, mix: [{kind: dns}]}\n",
		 "line 2: rate: give either"},
		{"streams:\n - {kind: sessions, rate: 5, at_once: 2, mix: [{kind: dns}]}\n",
		 "line 2: rate: give either"},
		{"streams:\n - kind: sessions\n   rate: 5\n   mix:\n    - kind: dnss\n",
		 "t.yaml: line 5: kind: dnss: no such kind; there are arp"},
		{"streams:\n - mix:\n    - weight: 3\n", "line 3: kind: not given"},
		{"streams:\n - mix: [{kind: dns, weight: 0}]\n", "line 2: mix: nothing"},
		{"streams:\n - mix: [{kind: http, size: 5-4}]\n", "line 2: size: 5-4: give bytes"},
		{"streams:\n - mix: [{kind: http, size: {1: 2, 3: x}}]\n", "size: a weight is no"},
		{"streams:\n - mix: [{kind: http, size: {1: 2, 3-4: 1}}, {kind: http, rtt: 9s}]\n",
		 "line 2: rtt: 9s: give a time"},
		{"streams:\n - popularity: -1\n", "line 2: popularity: -1: give Zipf's"},
	};
	struct zb_profile *p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct caught c;
		int ret;

		catch_fd(&c, 2);
		ret = zb_profile_read("t.yaml", bad[i].yaml, strlen(bad[i].yaml), &p);
		release_fd(&c);
		assert_int_equal(ret, -EINVAL);
		if (strstr(c.text, bad[i].said) == NULL)
			fail_msg("%s\nsays %s", bad[i].yaml, c.text);
		assert_ptr_equal(strchr(c.text, '\n'), c.text + strlen(c.text) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_sizes_come_by_weight),
		cmocka_unit_test(profile_genome_is_the_sequence),
		cmocka_unit_test(profile_mix_comes_by_weight),
		cmocka_unit_test(profile_same_seed_gives_the_same_bytes),
		cmocka_unit_test(profile_connect_is_eight_packets),
		cmocka_unit_test(profile_at_once_replaces_what_ends),
		cmocka_unit_test(profile_bandwidth_is_kept),
		cmocka_unit_test(profile_limits_are_exact),
		cmocka_unit_test(profile_compiled_in_ones_are_good),
		cmocka_unit_test(profile_error_names_file_line_and_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
