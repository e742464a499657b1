/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_packets.c - datagrams of given sizes, over a number of flows, as fast as they can be made
 *
 * A template for each size has everything but addresses, source port, identification and checksums;
 * of what it has, the sums are known. So a frame costs a copy and a few additions.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/gen_pick.h"
#include "bench/gen_rand.h"
#include "bench/profile_priv.h"

#define FCS_BYTES     4u
#define IP_OFF	      14u
#define UDP_OFF	      34u
#define PAYLOAD_OFF   42u
#define SERVER_PORT   9	     /* discard */
#define FIRST_PORT    49152u /* nobody takes it for a service */
#define SERVERS	      512u
#define PER_OCTET     250u
#define TEMPLATE_ROOM 1520u

struct template
{
	uint32_t len;
	uint32_t ip_sum, udp_sum; /* of what does not change */
	uint8_t data[TEMPLATE_ROOM];
};

struct packets {
	struct zb_gen_stream stream;
	struct zb_gaps gaps;
	struct zb_gen_rand rand;
	const struct zb_profile_packets *conf;
	struct zb_gen_pick size_pick, flow_pick;
	bool by_popularity;
	uint32_t flow, genome_at;
	uint16_t ip_id;
	uint64_t *seen; /* a bit for each flow */
	struct template templates[ZB_PROFILE_SIZES_MAX];
};

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t sum_of(const uint8_t *p, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	return len % 2 ? sum + ((uint32_t)p[len - 1] << 8) : sum;
}

static uint32_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void make_template(struct template *t, uint32_t size, struct zb_gen_rand *r)
{
	static const uint8_t head[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};
	uint8_t *ip = t->data + IP_OFF, *udp = t->data + UDP_OFF;

	t->len = size - FCS_BYTES;
	memcpy(t->data, head, sizeof(head));
	put16(ip + 2, t->len - IP_OFF);
	ip[6] = 0x40; /* do not fragment */
	ip[8] = 61;
	ip[9] = 17;
	put16(udp + 2, SERVER_PORT);
	put16(udp + 4, t->len - UDP_OFF);
	for (uint32_t i = PAYLOAD_OFF; i < t->len; i++)
		t->data[i] = (uint8_t)zb_gen_rand_u64(r);
	t->ip_sum = sum_of(ip, 20);
	t->udp_sum = sum_of(udp, t->len - UDP_OFF) + 17 + t->len - UDP_OFF;
}

/* A bijection of 20 bits and more: flows do not come in the order of their addresses. */
static uint32_t scatter(uint32_t x)
{
	x *= 0x7feb352du;
	x ^= x >> 15;
	return x * 0x846ca68bu;
}

static void put_frame(struct packets *p, const struct template *t, uint32_t flow,
		      struct zb_gen_frame *f)
{
	uint8_t *ip = f->data + IP_OFF, *udp = f->data + UDP_OFF;
	uint32_t n = scatter(flow), server = n % SERVERS, addresses, sum;

	memcpy(f->data, t->data, t->len);
	f->len = t->len;
	put16(ip + 4, p->ip_id);
	ip[12] = 10;
	ip[13] = (uint8_t)(n >> 16);
	put16(ip + 14, n & 0xffff);
	ip[16] = 198;
	ip[17] = 18;
	ip[18] = (uint8_t)(server / PER_OCTET);
	ip[19] = (uint8_t)(server % PER_OCTET + 1);
	put16(udp, FIRST_PORT + (n >> 24));
	addresses = get16(ip + 12) + get16(ip + 14) + get16(ip + 16) + get16(ip + 18);
	put16(ip + 10, fold(t->ip_sum + addresses + p->ip_id++));
	sum = fold(t->udp_sum + addresses + get16(udp));
	put16(udp + 6, sum != 0 ? sum : 0xffff);
}

static uint32_t choose_flow(struct packets *p)
{
	if (p->by_popularity)
		return zb_gen_pick_draw(&p->flow_pick, &p->rand);
	if (++p->flow >= p->conf->flows)
		p->flow = 0;
	return p->flow;
}

static unsigned choose_size(struct packets *p)
{
	const struct zb_profile_packets *c = p->conf;

	if (c->genome_nr != 0) {
		unsigned i = c->genome[p->genome_at];

		p->genome_at = p->genome_at + 1 < c->genome_nr ? p->genome_at + 1 : 0;
		return i;
	}
	return c->size_nr > 1 ? zb_gen_pick_draw(&p->size_pick, &p->rand) : 0;
}

static int next(struct zb_gen_stream *self, struct zb_gen_frame *f, uint64_t *ts_ns)
{
	struct packets *p = (struct packets *)self;
	uint64_t bit;
	uint32_t flow;

	if (!zb_gaps_due(&p->gaps, ts_ns))
		return 0;
	flow = choose_flow(p);
	put_frame(p, &p->templates[choose_size(p)], flow, f);
	bit = 1ull << flow % 64;
	self->sessions += (p->seen[flow / 64] & bit) == 0;
	p->seen[flow / 64] |= bit;
	zb_gaps_pass(&p->gaps, f->len);
	return 1;
}

static void release(struct zb_gen_stream *self)
{
	struct packets *p = (struct packets *)self;

	zb_gen_pick_fini(&p->size_pick);
	zb_gen_pick_fini(&p->flow_pick);
	free(p->seen);
	free(p);
}

int zb_profile_open_packets(const struct zb_profile_stream *s, const struct zb_gaps_conf *gaps,
			    struct zb_gen_stream **out)
{
	struct packets *p = calloc(1, sizeof(*p));
	int ret = 0;

	if (p == NULL)
		return -ENOMEM;
	p->stream = (struct zb_gen_stream){.next = next, .free = release};
	p->conf = &s->packets;
	p->rand = zb_gen_rand_seed(gaps->seed, UINT64_MAX - 17);
	p->flow = UINT32_MAX;
	p->by_popularity = s->popularity != 0;
	zb_gaps_init(&p->gaps, gaps);
	for (unsigned i = 0; i < p->conf->size_nr; i++)
		make_template(&p->templates[i], p->conf->sizes[i], &p->rand);
	p->seen = calloc(p->conf->flows / 64 + 1, sizeof(p->seen[0]));
	if (p->seen == NULL)
		ret = -ENOMEM;
	if (ret == 0)
		ret = zb_gen_pick_init(&p->size_pick, p->conf->weights, p->conf->size_nr);
	if (ret == 0 && p->by_popularity)
		ret = zb_gen_pick_init_zipf(&p->flow_pick, p->conf->flows, s->popularity);
	if (ret < 0) {
		release(&p->stream);
		return ret;
	}
	*out = &p->stream;
	return 0;
}
