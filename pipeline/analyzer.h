/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyzer.h - what an analyzer of an application protocol is: the contract its author needs
 *
 * An analyzer is one file in analyzers/, one line in analyzers/list.h and one test. The file
 * defines `const struct zb_analyzer_def zb_analyzer_<name>`; its state begins with a struct
 * zb_analyzer. The engine attaches an analyzer to a connection because of the responder's port, or
 * because the first bytes look like it (match), or because another analyzer asks (STARTTLS). From
 * then on data() gets every byte of each side, in order and once (TCP), or every datagram (UDP).
 *
 *     begin   data | gap | flip ...   fin(orig), fin(resp)   end
 *
 * An analyzer confirms when it is sure: its name then stands in conn.log's service. It violates
 * when the bytes cannot be its protocol: it is then removed, as Zeek does, and its name with it.
 *
 * Threading: one lcore. Nothing here is called by another thread.
 * Ownership: data is valid during the call only. State is allocated and freed by the engine
 * (state_bytes, zeroed); what it points to is the analyzer's, taken with zb_mem_get(), given back
 * in end().
 */
#ifndef ZB_PIPELINE_ANALYZER_H
#define ZB_PIPELINE_ANALYZER_H

#include "pipeline/analysis.h"
#include "pipeline/analyzers/list.h"

#define ZB_ENUM_A(name) ZB_A_##name,
enum zb_analyzer_id { ZB_ANALYZER_LIST(ZB_ENUM_A) ZB_A_NR, ZB_A_NONE = ZB_A_NR };
static_assert(ZB_A_NR <= 64, "sets of analyzers are 64 bits wide");

enum zb_match {
	ZB_MATCH_NO,   /* whatever follows */
	ZB_MATCH_MORE, /* not yet to be told: ask again with more bytes */
	ZB_MATCH_YES
};

/*
 * Looks at the n >= 1 first bytes that a side has sent (TCP: of its stream, all so far; UDP: of a
 * datagram). Must answer NO to a single byte only if nothing that begins with it can match.
 */
typedef enum zb_match zb_match_fn(const uint8_t *d, size_t n);

enum { ZB_OVER_TCP = 1, ZB_OVER_UDP = 2 };

enum zb_analyzer_flag {
	ZB_ANALYZER_CONFIRMED = 1 << 0,
	ZB_ANALYZER_REMOVED = 1 << 1, /* gets nothing any more; freed as soon as it may be */
};

struct zb_analyzer {
	const struct zb_analyzer_def *def;
	struct zb_branch *branch; /* what it hangs on */
	struct zb_analyzer *next; /* on the same branch */
	uint8_t id;		  /* enum zb_analyzer_id */
	uint8_t flags;		  /* enum zb_analyzer_flag */
};

struct zb_analyzer_def {
	const char *name;     /* in conn.log's service */
	uint32_t state_bytes; /* of its state, which begins with a struct zb_analyzer */
	uint8_t mem;	      /* enum zb_mem_kind that the state counts as */
	/* Responder ports on which it is tried from the first byte; 0 ends them. NULL: none. */
	const uint16_t *tcp_ports, *udp_ports;
	/* By content: what originator and responder send first; NULL: not by that side. */
	uint8_t match_over; /* ZB_OVER_* */
	bool match_both;    /* both sides must match; else one is enough */
	/*
	 * With match_both: that side's match is dear, so it is asked only once the other side has
	 * matched, then of all that was kept. Not both.
	 */
	bool match_late[2];
	bool announces; /* may tell of other connections; see expect.h */
	zb_match_fn *match[2];
	/* Any of these may be NULL. side is ZB_ORIG or ZB_RESP. */
	void (*begin)(struct zb_analyzer *a);
	void (*data)(struct zb_analyzer *a, unsigned side, const uint8_t *d, size_t n);
	void (*gap)(struct zb_analyzer *a, unsigned side, uint64_t n); /* n bytes never seen */
	void (*fin)(struct zb_analyzer *a, unsigned side); /* side will send nothing more */
	void (*flip)(struct zb_analyzer *a);		   /* originator and responder swapped */
	void (*end)(struct zb_analyzer *a); /* connection over, or removed: log what is open */
};

#define ZB_DECLARE_A(name) extern const struct zb_analyzer_def zb_analyzer_##name;
ZB_ANALYZER_LIST(ZB_DECLARE_A)

/* Where an analyzer is. */
struct zb_analysis *zb_analyzer_analysis(const struct zb_analyzer *a);
struct zb_conn *zb_analyzer_conn(const struct zb_analyzer *a);

/* Time of the packet being analysed. */
uint64_t zb_analyzer_now_ns(const struct zb_analyzer *a);

/* The connection's beginning was not seen (TCP): Zeek's partial connection. */
bool zb_analyzer_is_partial(const struct zb_analyzer *a);

/*
 * The protocol is certain. Only the first call counts: service, known_services, and content
 * detection ends.
 */
void zb_analyzer_confirm(struct zb_analyzer *a);

/*
 * The bytes are not this protocol. Removes the analyzer and its service, unless more than 10 KiB
 * have gone by (Zeek: DPD::ignore_violations_after); returns whether it is removed now.
 */
bool zb_analyzer_violate(struct zb_analyzer *a);

/* Nothing more to learn: no more data, please; the service stays. */
void zb_analyzer_done(struct zb_analyzer *a);

/* Adds a word to conn.log's service that is no analyzer of its own (must be a literal). */
void zb_analyzer_add_service(struct zb_analyzer *a, const char *name);

void zb_analyzer_weird(struct zb_analyzer *a, enum zb_weird_name name, const char *addl);

/* Swaps originator and responder of the connection; all its analyzers' flip() are called. */
void zb_analyzer_flip_conn(struct zb_analyzer *a);

/*
 * Attaches another analyzer beside a: it gets what follows on both sides (STARTTLS). NULL: it is
 * there already, or memory is out.
 */
struct zb_analyzer *zb_analyzer_attach(struct zb_analyzer *a, enum zb_analyzer_id id);

/* Hands n bytes of a side to one analyzer: the rest of a chunk, to one just attached. */
void zb_analyzer_feed(struct zb_analyzer *to, unsigned side, const uint8_t *d, size_t n);

/*
 * A stream inside a stream (CONNECT, SOCKS, decrypted or decapsulated data): content detection
 * begins anew on what is fed. Freed by zb_branch_close(), which the owner calls in end() at the
 * latest. NULL: memory is out, or the nesting is too deep.
 */
struct zb_branch *zb_branch_open(struct zb_analyzer *a, bool is_tcp);
void zb_branch_data(struct zb_branch *b, unsigned side, const uint8_t *d, size_t n);
void zb_branch_gap(struct zb_branch *b, unsigned side, uint64_t n);
void zb_branch_fin(struct zb_branch *b, unsigned side);
void zb_branch_flip(struct zb_branch *b);
struct zb_analyzer *zb_branch_attach(struct zb_branch *b, enum zb_analyzer_id id);
void zb_branch_close(struct zb_branch *b);

/*
 * A row for a log stream, begun with ts, uid and the four id fields; string_bytes as zb_log_row().
 * False: the stream is off, or the row is lost (counted). Then write the other fields and call
 * zb_analyzer_row_end().
 */
bool zb_analyzer_row(struct zb_analyzer *a, enum zb_log_stream stream, uint64_t ts_ns,
		     size_t string_bytes, struct zb_row *r);
void zb_analyzer_row_end(struct zb_analyzer *a, enum zb_log_stream stream, struct zb_row *r);

#endif
