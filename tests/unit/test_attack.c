/* SPDX-License-Identifier: Apache-2.0 */
/* test_attack.c - every attack: frames that the decoder takes, sums right, the same from a seed;
 * shares of a mix; what is refused */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode_cut.h"

#include "bench/attack_set.h"
#include "bench/gen_sessions.h"
#include "bench/gen_stream.h"

#define FRAMES 3000

static struct zb_attack_gen *open_attack(const char *spec, uint64_t seed)
{
	struct zb_attack_gen *g;
	double share;

	assert_int_equal(zb_attack_open(spec, seed, &share, &g), 0);
	return g;
}

/* Those that are wrong on purpose, and in what. */
static bool may_be(const struct zb_attack *a, enum zb_fate fate)
{
	bool sums = strcmp(a->name, "decoy") == 0 || strcmp(a->name, "weird-flood") == 0;
	bool heads = strcmp(a->name, "bad-headers") == 0;

	switch (fate) {
	case ZB_FATE_conn:
	case ZB_FATE_arp: return true;
	case ZB_FATE_fragment: return a->id[0] == 'C';
	case ZB_FATE_non_ip: return strcmp(a->name, "unknown-ether") == 0;
	case ZB_FATE_tunnel: return strncmp(a->name, "tunnel-", 7) == 0;
	case ZB_FATE_bad_transport_checksum: return sums;
	case ZB_FATE_bad_ip_header:
		return heads || strcmp(a->name, "ping-of-death") == 0 ||
		       strcmp(a->name, "ipv6-chain") == 0;
	case ZB_FATE_truncated_ip:
	case ZB_FATE_bad_ip_checksum: return heads;
	case ZB_FATE_truncated_transport: return sums || strcmp(a->name, "ipv6-chain") == 0;
	default: return false;
	}
}

/* The decoder takes every frame, with right sums, but for those that are wrong on purpose. */
static void attack_frames_are_well_formed(void **state)
{
	const struct zb_attack *a;

	(void)state;
	for (unsigned i = 0; (a = zb_attack_at(i)) != NULL; i++) {
		struct zb_attack_gen *g = open_attack(a->name, 1);
		uint64_t before_ns = 0;

		for (unsigned n = 0; n < FRAMES; n++) {
			struct zb_gen_frame f;
			uint64_t ts_ns;
			int64_t off_ns;
			enum zb_fate fate;

			zb_attack_next(g, &f, &ts_ns, &off_ns);
			assert_in_range(f.len, 60, 1518);
			assert_true(ts_ns >= before_ns);
			before_ns = ts_ns;
			fate = decode(ZB_LINK_ETHERNET, f.data, (struct cut){f.len, f.len, 0}).fate;
			if (!may_be(a, fate))
				fail_msg("%s, frame %u: fate %u", a->name, n, fate);
		}
		zb_attack_close(g);
	}
}

static uint64_t digest(const char *spec, uint64_t seed, unsigned frames)
{
	struct zb_attack_gen *g = open_attack(spec, seed);
	uint64_t sum = 0xcbf29ce484222325ull;

	for (unsigned n = 0; n < frames; n++) {
		struct zb_gen_frame f;
		uint64_t ts_ns;
		int64_t off_ns;

		zb_attack_next(g, &f, &ts_ns, &off_ns);
		sum = (sum ^ ts_ns ^ (uint64_t)off_ns) * 0x100000001b3ull;
		for (uint32_t i = 0; i < f.len; i++)
			sum = (sum ^ f.data[i]) * 0x100000001b3ull;
	}
	zb_attack_close(g);
	return sum;
}

/* The same seed gives the same frames; another seed others, where there is anything to choose. */
static void attack_same_seed_gives_the_same_frames(void **state)
{
	const struct zb_attack *a;
	unsigned same = 0;

	(void)state;
	for (unsigned i = 0; (a = zb_attack_at(i)) != NULL; i++) {
		uint64_t one = digest(a->name, 1, 200);

		assert_true(one == digest(a->name, 1, 200));
		same += one == digest(a->name, 2, 200);
	}
	assert_true(same <= 1); /* a scan goes by addresses in order */
}

/* Each has a name of its own, says what it is, and names parameters whose default is allowed. */
static void attack_table_is_complete(void **state)
{
	const struct zb_attack_absent *n;
	const struct zb_attack *a;

	(void)state;
	for (unsigned i = 0; (a = zb_attack_at(i)) != NULL; i++) {
		assert_ptr_equal(zb_attack_find(a->name), a);
		assert_true(strlen(a->name) <= 20 && strlen(a->sends) <= 80);
		assert_non_null(a->id);
		assert_true(a->exhausts[0] != '\0' && a->guard[0] != '\0' && a->moves[0] != '\0');
		for (unsigned p = 0; p < ZB_ATTACK_PARAMS_MAX && a->params[p].name != NULL; p++)
			assert_in_range(a->params[p].def, a->params[p].min, a->params[p].max);
	}
	for (unsigned i = 0; (n = zb_attack_absent_at(i)) != NULL; i++)
		assert_true(n->what[0] != '\0' && n->why[0] != '\0');
}

/* The largest and smallest parameters fit the frames and buffers as well. */
static void attack_parameters_at_their_bounds_fit(void **state)
{
	const struct zb_attack *a;
	char spec[96];

	(void)state;
	for (unsigned i = 0; (a = zb_attack_at(i)) != NULL; i++) {
		for (unsigned p = 0; p < ZB_ATTACK_PARAMS_MAX && a->params[p].name != NULL; p++) {
			snprintf(spec, sizeof(spec), "%s,%s=%llu", a->name, a->params[p].name,
				 (unsigned long long)a->params[p].min);
			digest(spec, 1, 500);
			snprintf(spec, sizeof(spec), "%s,%s=%llu", a->name, a->params[p].name,
				 (unsigned long long)a->params[p].max);
			digest(spec, 1, 500);
		}
	}
}

/* Of each hundred frames of a mix, as many are an attack's as was asked for, and time goes on. */
static void attack_mix_has_the_shares_asked_for(void **state)
{
	static const char *const specs[] = {"arp-storm=25%", "ipv6-chain=5%"};
	const struct zb_gen_conf clean = {
		.profile = 0, /* flood: IPv4, UDP */
		.packets = 7000,
		.duration_ns = 1000000000,
		.seed = 1,
	};
	struct zb_gen_stream *s;
	struct zb_attack_set set;
	unsigned arp = 0, ip6 = 0, all = 0;
	uint64_t ts_ns, before_ns = 0;
	struct zb_gen_frame f;

	(void)state;
	assert_int_equal(zb_attack_set_open(specs, 2, 1, &set), 0);
	assert_int_equal(zb_gen_sessions_open(&clean, &s), 0);
	assert_int_equal(zb_attack_set_stream(&set, s, 0, 0, &s), 0);
	assert_int_equal(set.nr, 0);
	while (zb_gen_stream_next(s, &f, &ts_ns) == 1) {
		assert_true(ts_ns >= before_ns);
		before_ns = ts_ns;
		arp += f.data[12] == 0x08 && f.data[13] == 0x06;
		ip6 += f.data[12] == 0x86;
		if (++all % 1000 == 0) {
			assert_in_range(arp, all / 4 - 2, all / 4 + 2);
			assert_in_range(ip6, all / 20 - 2, all / 20 + 2);
		}
	}
	zb_gen_stream_free(s);
	assert_int_equal(all, 10000);
	assert_int_equal(arp, 2500);
	assert_int_equal(ip6, 500);
}

/* An attack alone ends after so many frames, or when its time is over. */
static void attack_alone_ends_as_asked(void **state)
{
	static const char *const spec[] = {"syn-flood,pps=1000"};

	(void)state;
	for (unsigned timed = 0; timed < 2; timed++) {
		struct zb_gen_stream *s;
		struct zb_attack_set set;
		struct zb_gen_frame f;
		unsigned n = 0;
		uint64_t ts_ns;

		assert_int_equal(zb_attack_set_open(spec, 1, 1, &set), 0);
		assert_int_equal(zb_attack_set_stream(&set, NULL, timed ? 0 : 77, 500000000, &s),
				 0);
		while (zb_gen_stream_next(s, &f, &ts_ns) == 1)
			n++;
		zb_gen_stream_free(s);
		assert_int_equal(n, timed ? 500 : 77);
	}
}

/* What makes no sense is refused, and nothing stays open. */
static void attack_bad_specs_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"nothing",
		"hole,pieces",
		"hole,pieces=x",
		"hole,pieces=0",
		"hole,bytes=2k",
		"hole,none=1",
		"hole=0%",
		"hole=100%",
		"hole=10",
		"hole=%",
		"hole=nan%",
		"hole,pps=0",
	};
	static const char *const too_much[] = {"hole=60%", "overlap=40%"};
	static const char *const one_without[] = {"hole=60%", "overlap"};
	struct zb_attack_set set;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(zb_attack_set_open(&bad[i], 1, 1, &set), -EINVAL);
	assert_int_equal(zb_attack_set_open(too_much, 2, 1, &set), -EINVAL);
	assert_int_equal(zb_attack_set_open(one_without, 2, 1, &set), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attack_frames_are_well_formed),
		cmocka_unit_test(attack_same_seed_gives_the_same_frames),
		cmocka_unit_test(attack_table_is_complete),
		cmocka_unit_test(attack_parameters_at_their_bounds_fit),
		cmocka_unit_test(attack_mix_has_the_shares_asked_for),
		cmocka_unit_test(attack_alone_ends_as_asked),
		cmocka_unit_test(attack_bad_specs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
