/* SPDX-License-Identifier: Apache-2.0 */
/* profile_read.c - what the file of a profile may say, and whether it fits together */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gen_number.h"
#include "bench/profile.h"
#include "bench/profile_yaml.h"
#include "profiler/diag.h"

#define YEAR_NS	     (365ull * 86400 * 1000000000ull)
#define RTT_NS_MAX   4000000000ull
#define SIZE_MAX_2G  ((1ull << 31) - 65536) /* headers are counted with it */
#define REQUESTS_MAX 1000000u
#define COUNT(a)     (unsigned)(sizeof(a) / sizeof((a)[0]))
#define GENOME_STEPS "abcdefgz" /* of RFC 6985, those that fit a frame of 1518 bytes */

static const uint32_t genome_sizes[] = {64, 128, 256, 512, 1024, 1280, 1518, 1518};

/* One entry of a mix. */
struct kind {
	struct zb_gen_shape *shape;
	uint64_t weight, bandwidth;
};

static int set_kind(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	struct zb_gen_shape *shape = ((struct kind *)into)->shape;
	const char *text = zb_yaml_text(v);

	shape->make = text != NULL ? zb_gen_kind_find(text) : NULL;
	if (shape->make == NULL)
		return zb_yaml_bad(y, v, key->name, "%s: no such kind; there are %s",
				   text != NULL ? text : "not a word", zb_gen_kind_names);
	return 0;
}

static int set_shape_dist(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v,
			  void *into)
{
	return zb_yaml_set_dist(y, key, v, ((struct kind *)into)->shape);
}

static int set_shape_time(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v,
			  void *into)
{
	return zb_yaml_set_time_dist(y, key, v, ((struct kind *)into)->shape);
}

static const struct zb_yaml_key kind_keys[] = {
	{"kind", set_kind, 0, 0, 0, ""},
	{"weight", zb_yaml_set_u64, offsetof(struct kind, weight), 0, ZB_GEN_WEIGHT_MAX,
	 "give a number, such as 10"},
	{"requests", set_shape_dist, offsetof(struct zb_gen_shape, requests), 1, REQUESTS_MAX,
	 "give how many there are, such as 3 or 1-5"},
	{"size", set_shape_dist, offsetof(struct zb_gen_shape, size), 0, SIZE_MAX_2G,
	 "give bytes up to 2 GiB, such as 10k, 1k-64k, tail 1k-1M, or {1k: 9, 1M: 1}"},
	{"rtt", set_shape_time, offsetof(struct zb_gen_shape, rtt_ns), 0, RTT_NS_MAX,
	 "give a time up to 4s, such as 20ms or 2ms-80ms"},
	{"think", set_shape_time, offsetof(struct zb_gen_shape, think_ns), 0, YEAR_NS,
	 "give a time, such as 50ms or 5ms-800ms"},
	{"bandwidth", zb_yaml_set_bits, offsetof(struct kind, bandwidth), 1000, 1000000000000ull,
	 "give bits a second, such as 100Mbps"},
};

static int add_kind(struct zb_yaml *y, yaml_node_t *v, struct zb_profile_sessions *s)
{
	struct kind k = {.shape = &s->shapes[s->kind_nr], .weight = 1};
	uint64_t given;
	int ret;

	s->kind_nr++; /* what it holds is freed with the profile, also when it is bad */
	ret = zb_yaml_map(y, v, "mix", kind_keys, COUNT(kind_keys), &k, &given);
	if (ret < 0)
		return ret;
	if (k.shape->make == NULL)
		return zb_yaml_bad(y, v, "kind", "not given; there are %s", zb_gen_kind_names);
	if (k.bandwidth != 0)
		k.shape->byte_q16 = (8000000000ull << 16) / k.bandwidth;
	s->weights[s->kind_nr - 1] = k.weight;
	return 0;
}

/* The keys of both kinds of streams are read here; what does not go together is told after. */
struct any_stream {
	struct zb_profile_packets packets;
	struct zb_profile_sessions sessions;
	struct zb_profile_stream common;
	bool kind_given;
};

static int set_stream_kind(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v,
			   void *into)
{
	struct any_stream *s = into;
	const char *text = zb_yaml_text(v);

	if (text == NULL || (strcmp(text, "packets") != 0 && strcmp(text, "sessions") != 0))
		return zb_yaml_bad(y, v, key->name, "give packets or sessions");
	s->common.is_sessions = strcmp(text, "sessions") == 0;
	s->kind_given = true;
	return 0;
}

static int set_rate(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	struct zb_gaps_conf *g = &((struct any_stream *)into)->common.gaps;
	const char *text = zb_yaml_text(v);

	if (text == NULL || zb_yaml_rate(text, &g->rate_millionths, &g->bits) < 0 ||
	    g->rate_millionths > 1000000000000000ull || g->bits > key->max ||
	    (g->bits != 0 && g->bits < key->min))
		return zb_yaml_bad(y, v, key->name, "%s: %s", text != NULL ? text : "", key->want);
	return 0;
}

static int set_gaps(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	struct any_stream *s = into;
	const char *text = zb_yaml_text(v);

	if (text == NULL || (strcmp(text, "constant") != 0 && strcmp(text, "poisson") != 0))
		return zb_yaml_bad(y, v, key->name, "give constant or poisson");
	s->common.gaps.poisson = strcmp(text, "poisson") == 0;
	return 0;
}

static int add_size(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *size,
		    yaml_node_t *weight, struct zb_profile_packets *p)
{
	const char *text = zb_yaml_text(size), *w = weight != NULL ? zb_yaml_text(weight) : "1";
	uint64_t v;

	if (text == NULL || zb_gen_amount(text, &v) < 0 || v < key->min || v > key->max)
		return zb_yaml_bad(y, size, key->name, "%s: %s", text != NULL ? text : "",
				   key->want);
	if (p->size_nr == ZB_PROFILE_SIZES_MAX)
		return zb_yaml_bad(y, size, key->name, "more than %u", ZB_PROFILE_SIZES_MAX);
	if (w == NULL || zb_gen_amount(w, &p->weights[p->size_nr]) < 0 ||
	    p->weights[p->size_nr] == 0 || p->weights[p->size_nr] > ZB_GEN_WEIGHT_MAX)
		return zb_yaml_bad(y, size, key->name, "%s: its weight is no number from 1", text);
	p->sizes[p->size_nr++] = (uint32_t)v;
	return 0;
}

static int set_sizes(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	struct zb_profile_packets *p = &((struct any_stream *)into)->packets;

	if (p->size_nr != 0)
		return zb_yaml_bad(y, v, key->name, "not with genome");
	if (v->type != YAML_MAPPING_NODE)
		return add_size(y, key, v, NULL, p);
	for (yaml_node_pair_t *i = v->data.mapping.pairs.start; i < v->data.mapping.pairs.top;
	     i++) {
		int ret = add_size(y, key, yaml_document_get_node(&y->doc, i->key),
				   yaml_document_get_node(&y->doc, i->value), p);

		if (ret < 0)
			return ret;
	}
	return p->size_nr > 0 ? 0 : zb_yaml_bad(y, v, key->name, "%s", key->want);
}

static int set_genome(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	struct zb_profile_packets *p = &((struct any_stream *)into)->packets;
	const char *text = zb_yaml_text(v);

	if (p->size_nr != 0)
		return zb_yaml_bad(y, v, key->name, "not with sizes");
	if (text == NULL || text[0] == '\0' || strlen(text) > ZB_PROFILE_GENOME_MAX ||
	    text[strspn(text, GENOME_STEPS)] != '\0')
		return zb_yaml_bad(y, v, key->name, "%s: %s", text != NULL ? text : "", key->want);
	p->size_nr = COUNT(genome_sizes);
	for (uint32_t i = 0; i < p->size_nr; i++) {
		p->sizes[i] = genome_sizes[i];
		p->weights[i] = 1;
	}
	for (; text[p->genome_nr] != '\0'; p->genome_nr++)
		p->genome[p->genome_nr] =
			(uint8_t)(strchr(GENOME_STEPS, text[p->genome_nr]) - GENOME_STEPS);
	return 0;
}

static int set_mix(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	struct zb_profile_sessions *s = &((struct any_stream *)into)->sessions;
	uint64_t total = 0;

	if (v->type != YAML_SEQUENCE_NODE)
		return zb_yaml_bad(y, v, key->name, "give a list of kinds of sessions");
	for (yaml_node_item_t *i = v->data.sequence.items.start; i < v->data.sequence.items.top;
	     i++) {
		yaml_node_t *item = yaml_document_get_node(&y->doc, *i);
		int ret;

		if (s->kind_nr == ZB_PROFILE_KINDS_MAX)
			return zb_yaml_bad(y, item, key->name, "more than %u",
					   ZB_PROFILE_KINDS_MAX);
		ret = add_kind(y, item, s);
		if (ret < 0)
			return ret;
		total += s->weights[s->kind_nr - 1];
	}
	return total > 0 ? 0 : zb_yaml_bad(y, v, key->name, "nothing in it has a weight");
}

#define COMMON(member)	 offsetof(struct any_stream, common.member)
#define PACKETS(member)	 offsetof(struct any_stream, packets.member)
#define SESSIONS(member) offsetof(struct any_stream, sessions.member)

enum stream_key {
	KEY_KIND,
	KEY_RATE,
	KEY_GAPS,
	KEY_FROM,
	KEY_UNTIL,
	KEY_ON,
	KEY_OFF,
	KEY_POPULARITY,
	KEY_SIZES,
	KEY_GENOME,
	KEY_FLOWS,
	KEY_BURST,
	KEY_LINE,
	KEY_MIX,
	KEY_AT_ONCE,
	KEY_SERVERS,
	KEY_NR
};

static const struct zb_yaml_key stream_keys[KEY_NR] = {
	[KEY_KIND] = {"kind", set_stream_kind, 0, 0, 0, ""},
	[KEY_RATE] = {"rate", set_rate, 0, 1000, 1000000000000ull,
		      "give packets or sessions a second, such as 10k, or bits, such as 1Gbps"},
	[KEY_GAPS] = {"gaps", set_gaps, 0, 0, 0, ""},
	[KEY_FROM] = {"from", zb_yaml_set_time, COMMON(gaps.from_ns), 0, YEAR_NS,
		      "give a time, such as 10s"},
	[KEY_UNTIL] = {"until", zb_yaml_set_time, COMMON(gaps.until_ns), 1, YEAR_NS,
		       "give a time, such as 10s"},
	[KEY_ON] = {"on", zb_yaml_set_time, COMMON(gaps.on_ns), 1, YEAR_NS,
		    "give a time, such as 100ms"},
	[KEY_OFF] = {"off", zb_yaml_set_time, COMMON(gaps.off_ns), 1, YEAR_NS,
		     "give a time, such as 900ms"},
	[KEY_POPULARITY] = {"popularity", zb_yaml_set_decimal, COMMON(popularity), 0, 10000000,
			    "give Zipf's exponent, from 0 to 10, such as 1.1"},
	[KEY_SIZES] = {"sizes", set_sizes, 0, ZB_PROFILE_FRAME_MIN, ZB_PROFILE_FRAME_MAX,
		       "give bytes of a frame from 64 to 1518, or a map such as {64: 7, 1518: 1}"},
	[KEY_GENOME] = {"genome", set_genome, 0, 0, 0,
			"give up to 256 letters of abcdefgz, such as aaaaaaadddg"},
	[KEY_FLOWS] = {"flows", zb_yaml_set_u32, PACKETS(flows), 1, ZB_PROFILE_FLOWS_MAX,
		       "give a number from 1 to 1048576"},
	[KEY_BURST] = {"burst", zb_yaml_set_u32, COMMON(gaps.burst), 2, 1000000,
		       "give how many packets come in a row, such as 64"},
	[KEY_LINE] = {"line", zb_yaml_set_bits, COMMON(gaps.line_bits), 1000, 1000000000000ull,
		      "give the line's bits a second, such as 10Gbps"},
	[KEY_MIX] = {"mix", set_mix, 0, 0, 0, ""},
	[KEY_AT_ONCE] = {"at_once", zb_yaml_set_u32, SESSIONS(at_once), 1, ZB_PROFILE_AT_ONCE_MAX,
			 "give a number from 1 to 1048576"},
	[KEY_SERVERS] = {"servers", zb_yaml_set_u32, SESSIONS(servers), 1, 512,
			 "give a number from 1 to 512"},
};

#define BIT(key) (1ull << (key))
#define PACKETS_ONLY \
	(BIT(KEY_SIZES) | BIT(KEY_GENOME) | BIT(KEY_FLOWS) | BIT(KEY_BURST) | BIT(KEY_LINE))
#define SESSIONS_ONLY (BIT(KEY_MIX) | BIT(KEY_AT_ONCE) | BIT(KEY_SERVERS))

static int missing(struct zb_yaml *y, const yaml_node_t *v, enum stream_key key, const char *why)
{
	return zb_yaml_bad(y, v, stream_keys[key].name, "%s", why);
}

static int check_both(struct zb_yaml *y, const yaml_node_t *v, const struct any_stream *s,
		      uint64_t given)
{
	const struct zb_gaps_conf *g = &s->common.gaps;
	uint64_t other = given & (s->common.is_sessions ? PACKETS_ONLY : SESSIONS_ONLY);

	if (!s->kind_given)
		return missing(y, v, KEY_KIND, "not given; there are packets and sessions");
	if (other != 0)
		return missing(y, v, (enum stream_key)__builtin_ctzll(other),
			       s->common.is_sessions ? "not for sessions" : "not for packets");
	if (!(given & BIT(KEY_ON)) != !(given & BIT(KEY_OFF)))
		return missing(y, v, KEY_ON, "on and off are given together");
	if (g->until_ns <= g->from_ns)
		return missing(y, v, KEY_UNTIL, "is not after from");
	return 0;
}

static int check_stream(struct zb_yaml *y, const yaml_node_t *v, const struct any_stream *s,
			uint64_t given)
{
	const struct zb_gaps_conf *g = &s->common.gaps;
	int ret = check_both(y, v, s, given);

	if (ret < 0)
		return ret;
	if (s->common.is_sessions) {
		if (!(given & BIT(KEY_MIX)))
			return missing(y, v, KEY_MIX, "not given; list kinds of sessions");
		if (!(given & BIT(KEY_RATE)) == !(given & BIT(KEY_AT_ONCE)))
			return missing(y, v, KEY_RATE, "give either rate or at_once");
		if (g->bits != 0)
			return missing(y, v, KEY_RATE, "give sessions a second, not bits");
		return 0;
	}
	if (!(given & (BIT(KEY_SIZES) | BIT(KEY_GENOME))))
		return missing(y, v, KEY_SIZES, "give sizes or genome");
	if (!(given & BIT(KEY_RATE)))
		return missing(y, v, KEY_RATE, "not given");
	if (!(given & BIT(KEY_BURST)) != !(given & BIT(KEY_LINE)))
		return missing(y, v, KEY_BURST, "burst and line are given together");
	if (g->line_bits != 0 && g->bits >= g->line_bits)
		return missing(y, v, KEY_LINE, "is not above rate");
	return 0;
}

static int add_stream(struct zb_yaml *y, yaml_node_t *v, struct zb_profile *p)
{
	struct any_stream *s = calloc(1, sizeof(*s));
	struct zb_profile_stream *to = &p->streams[p->stream_nr];
	uint64_t given;
	int ret;

	if (s == NULL) {
		zb_err("%s: %s", y->name, strerror(ENOMEM));
		return -ENOMEM;
	}
	s->common.gaps.until_ns = UINT64_MAX / 4;
	s->packets.flows = 1;
	s->sessions.servers = 512;
	ret = zb_yaml_map(y, v, "streams", stream_keys, KEY_NR, s, &given);
	if (ret == 0)
		ret = check_stream(y, v, s, given);
	/* A mix holds memory: it goes where the profile finds it, unless it must go now. */
	*to = s->common;
	to->is_sessions = s->common.is_sessions || s->sessions.kind_nr > 0;
	if (to->is_sessions)
		to->sessions = s->sessions;
	else
		to->packets = s->packets;
	p->stream_nr++;
	free(s);
	return ret;
}

static int set_streams(struct zb_yaml *y, const struct zb_yaml_key *key, yaml_node_t *v, void *into)
{
	struct zb_profile *p = into;

	if (v->type != YAML_SEQUENCE_NODE)
		return zb_yaml_bad(y, v, key->name, "give a list of streams");
	for (yaml_node_item_t *i = v->data.sequence.items.start; i < v->data.sequence.items.top;
	     i++) {
		yaml_node_t *item = yaml_document_get_node(&y->doc, *i);
		int ret;

		if (p->stream_nr == ZB_PROFILE_STREAMS_MAX)
			return zb_yaml_bad(y, item, key->name, "more than %u",
					   ZB_PROFILE_STREAMS_MAX);
		ret = add_stream(y, item, p);
		if (ret < 0)
			return ret;
	}
	return p->stream_nr > 0 ? 0 : zb_yaml_bad(y, v, key->name, "there is none");
}

static const struct zb_yaml_key profile_keys[] = {
	{"duration", zb_yaml_set_time, offsetof(struct zb_profile, duration_ns), 1, YEAR_NS,
	 "give a time, such as 60s"},
	{"streams", set_streams, 0, 0, 0, ""},
};

int zb_profile_read(const char *name, const char *text, size_t len, struct zb_profile **out)
{
	struct zb_profile *p = calloc(1, sizeof(*p));
	struct zb_yaml y;
	uint64_t given;
	int ret;

	if (p == NULL) {
		zb_err("%s: %s", name, strerror(ENOMEM));
		return -ENOMEM;
	}
	p->duration_ns = ZB_PROFILE_DURATION_NS;
	ret = zb_yaml_open(&y, name, text, len);
	if (ret < 0)
		goto free_p;
	ret = zb_yaml_map(&y, zb_yaml_root(&y), "profile", profile_keys, COUNT(profile_keys), p,
			  &given);
	if (ret == 0 && p->stream_nr == 0)
		ret = zb_yaml_bad(&y, NULL, "streams", "not given");
	zb_yaml_close(&y);
	if (ret < 0)
		goto free_p;
	*out = p;
	return 0;

free_p:
	zb_profile_free(p);
	return ret;
}
