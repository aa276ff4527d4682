/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search.h - what the two kinds of search share
 */
#ifndef SPAN_QUERY_SEARCH_H
#define SPAN_QUERY_SEARCH_H

#include "base/hash.h"
#include "query/match.h"

/*
 * Trace ids, each once, with a number that orders them: the largest first,
 * equal ones by id.
 */
struct span__ids {
	struct span__ranked_id {
		uint8_t id[16];
		uint64_t key;
	} * v;
	size_t n, cap;
	uint32_t *places; /* hash table of 1 + index into V; 0: free */
	size_t n_places;  /* a power of two */
	struct span__key secret;
};

/* 0, or SPAN_E_IO when the system has no randomness. */
SPAN_NODISCARD int span__ids_init(struct span__ids *ids,
				  struct span_error *err);
/* Add ID, or raise its number to KEY. 1 when it is new, 0, or NOMEM. */
SPAN_NODISCARD int span__ids_put(struct span__ids *ids, const uint8_t id[16],
				 uint64_t key, struct span_error *err);
/* The entry of ID, or NULL. */
struct span__ranked_id *span__ids_get(const struct span__ids *ids,
				      const uint8_t id[16]);
bool span__ids_has(const struct span__ids *ids, const uint8_t id[16]);
/* Put them in order and keep the first LIMIT (0: all). True: some went. */
bool span__ids_order(struct span__ids *ids, uint64_t limit);
/*
 * The same, but only when there are far more than LIMIT: numbers only rise,
 * so what goes now can come back.
 */
bool span__ids_prune(struct span__ids *ids, uint64_t limit);
void span__ids_clear(struct span__ids *ids);
void span__ids_release(struct span__ids *ids);

/*
 * The trace ids that were typed, while the traces that they could mean are
 * seen.
 */
struct span__resolver {
	const struct span_query *q;
	bool *exact;		  /* for each of q->ids: it is there */
	struct span__ids *others; /* what begins with it */
};

SPAN_NODISCARD int span__resolver_init(struct span__resolver *r,
				       const struct span_query *q,
				       struct span_error *err);
/* True while an id is not decided by the exact traces seen. */
bool span__resolver_open(const struct span__resolver *r);
SPAN_NODISCARD int span__resolver_see(struct span__resolver *r,
				      const uint8_t trace_id[16],
				      struct span_error *err);
/* The same of N traces, whose ids' halves are big-endian numbers. */
SPAN_NODISCARD int span__resolver_see_many(struct span__resolver *r,
					   const uint64_t *high,
					   const uint64_t *low, size_t n,
					   struct span_error *err);
/* What they mean, into OUT; or SPAN_E_AMBIGUOUS. */
SPAN_NODISCARD int span__resolver_finish(const struct span__resolver *r,
					 struct span__ids *out,
					 struct span_error *err);
void span__resolver_release(struct span__resolver *r);

/*
 * Copies of spans, for results that can only be put in order at the end.
 */
struct span__keep {
	struct span_arena arena;
	struct span__kept {
		struct span span;
		uint64_t key, arrival;
	} * v;
	size_t n, cap, next;
	uint64_t arrivals;
};

/*
 * Spans of a query that needs whole traces: a search of traces beside this
 * one, whose matching spans are returned.
 */
struct span__chosen {
	struct span_search *traces;
	struct span_trace trace;
	const uint8_t *matched;
	size_t next; /* of the spans of TRACE */
	int rc;	     /* how it ended */
	struct span_error err;
};

struct span_search {
	const struct span_query *q;
	struct span_search_opts o;
	struct span_store *from_store; /* or from_source */
	struct span_source from_source;
	struct span__chosen chosen;
	struct span__ids seen; /* ids of traces that may come in parts */
	uint64_t cut;
	bool more;
	bool undecided; /* typed ids get their meaning only at the end */
	struct span_buf matched;
	struct span__resolver resolver;
	struct span__keep keep;
	struct span__ids ids; /* found in a store; or seen, for next_id */
	size_t next;	      /* of ids */
	bool given;	      /* of a store: these are all to look at */
	bool ready;	      /* the results are known */
	bool certain;	      /* each of ids is of a trace that matches */
	struct span__store_search *store;   /* or NULL */
	struct span__stream_search *stream; /* or NULL */
};

/* As span_search_store(), for the traces IDS, which the search takes over. */
SPAN_NODISCARD int
span__search_given(struct span_search **out, struct span_store *st,
		   const struct span_query *q, const struct span_search_opts *o,
		   struct span__ids *ids, struct span_error *err);

/* Results come only at the end: --limit, or an order of its own. */
bool span__search_holds(const struct span_search *s);

/* The number that orders a trace that was judged. */
uint64_t span__search_key(const struct span_search *s,
			  const struct span_trace *t, const uint8_t *matched);
/* Judge T with s->matched as working memory. */
SPAN_NODISCARD int span__search_judge(struct span_search *s,
				      const struct span_trace *t,
				      struct span_error *err);

/* Add a span; it goes again when there are LIMIT better ones. */
SPAN_NODISCARD int span__keep_put(struct span_search *s, const struct span *sp,
				  struct span_error *err);
/* The best span left. 1, 0. The first call puts them in order. */
int span__keep_next(struct span_search *s, struct span *out);
/* Forget all whose trace is not in IDS. */
void span__keep_only(struct span__keep *k, const struct span__ids *ids);
void span__keep_release(struct span__keep *k);

/* NULL when memory is out. */
struct span__store_search *span__store_search_open(struct span_store *st);
SPAN_NODISCARD int span__store_next(struct span_search *s,
				    struct span_trace *out,
				    struct span_error *err);
SPAN_NODISCARD int span__store_next_id(struct span_search *s, uint8_t id[16],
				       struct span_error *err);
SPAN_NODISCARD int span__store_next_span(struct span_search *s,
					 struct span *out,
					 struct span_error *err);
/* How many spans match, of a query that was pushed down without ids. */
/* The same of one in parts. */
SPAN_NODISCARD int span__store_count_parts(struct span_search *s, uint64_t *n,
					   struct span_error *err);
SPAN_NODISCARD int span__store_count(struct span_search *s, uint64_t *n,
				     struct span_error *err);

/*
 * How many traces there are, where nothing is selected: 1; 0 when the store
 * does not tell, or the query is another one; or a negative code.
 */
SPAN_NODISCARD int span__store_count_all(struct span_search *s, uint64_t *n,
					 struct span_error *err);

struct span__found {
	uint64_t n_traces, n_spans;
};

/* By the shapes of traces: 1; 0 when they do not tell; or a negative code. */
SPAN_NODISCARD int span__store_count_shapes(struct span_search *s,
					    struct span__found *found,
					    struct span_error *err);
void span__store_close(struct span__store_search **st);

/* NULL when memory is out. */
struct span__stream_search *span__stream_search_open(struct span_source src);
SPAN_NODISCARD int span__stream_next(struct span_search *s,
				     struct span_trace *out,
				     struct span_error *err);
SPAN_NODISCARD int span__stream_next_id(struct span_search *s, uint8_t id[16],
					struct span_error *err);
SPAN_NODISCARD int span__stream_next_span(struct span_search *s,
					  struct span *out,
					  struct span_error *err);
void span__stream_close(struct span__stream_search **st);

#endif
