/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/query.h - choose spans and traces
 *
 * A query holds for a span when all of its conditions hold for that same
 * span, and for a trace when it holds for one of its spans. A result is the
 * whole trace, or with spans_only the spans themselves.
 */
#ifndef SPAN_QUERY_H
#define SPAN_QUERY_H

#include <span/store.h>
#include <span/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

enum span_sort {
	SPAN_SORT_NEWEST = 0, /* by the latest start of a matching span */
	SPAN_SORT_START,      /* oldest first */
	SPAN_SORT_DURATION,   /* longest first */
	SPAN_SORT_SPANS,      /* most spans first */
	SPAN_SORT_ERRORS,     /* most errors first */
};

/*
 * The selection options as they were typed; zero means not given. A NAME is
 * an exact text, a glob ('HTTP *', when it has one of * ? [) or ~REGEX
 * (PCRE2). Several of one list are alternatives; all else combines with AND.
 */
struct span_select {
	const char *const *services;
	size_t n_services;
	const char *const *operations;
	size_t n_operations;
	/*
	 * k=v, k!=v, k~re, or a logfmt list of them; all must hold. Matches
	 * span tags, process tags, event fields and derived values (error,
	 * span.kind); a typed value equals its text.
	 */
	const char *const *tags;
	size_t n_tags;
	/* 1 to 32 hex digits: the exact id, else a unique prefix */
	const char *const *trace_ids;
	size_t n_trace_ids;
	uint64_t min_duration_ns, max_duration_ns;
	uint64_t since_ns, until_ns;
	bool error;
};

struct span_query;

/*
 * 0; SPAN_E_INVALID when an option cannot be read, with the column in
 * err->pos; SPAN_E_NOMEM. SEL is copied.
 */
SPAN_API SPAN_NODISCARD int span_query_compile(struct span_query **out,
					       const struct span_select *sel,
					       struct span_error *err);

/* 1 when it holds for the span, 0, or SPAN_E_LIMIT: a regex hit its limit. */
SPAN_API SPAN_NODISCARD int span_query_match(const struct span_query *q,
					     const struct span *s,
					     struct span_error *err);
SPAN_API void span_query_close(struct span_query **q);

/*
 * A search: results one after another, from a store or from a source.
 */
struct span_search;

struct span_search_opts {
	uint64_t limit; /* results at most; 0: all */
	enum span_sort sort;
	/* For sources only: a trace is complete after this much time without
	 * a span of it (0: 10 s), within this much memory (0: 64 MiB). */
	uint64_t window_ns;
	uint64_t memory;
};

/* Q is borrowed until close. */
SPAN_API SPAN_NODISCARD int span_search_store(struct span_search **out,
					      struct span_store *st,
					      const struct span_query *q,
					      const struct span_search_opts *o,
					      struct span_error *err);
SPAN_API SPAN_NODISCARD int span_search_source(struct span_search **out,
					       struct span_source src,
					       const struct span_query *q,
					       const struct span_search_opts *o,
					       struct span_error *err);

/*
 * The next whole trace. 1, 0 at the end, or a negative code: that of the
 * source, SPAN_E_AMBIGUOUS when a trace id prefix is not unique (the message
 * lists candidates), SPAN_E_LIMIT, SPAN_E_NOMEM. *OUT is valid until the next
 * call; MATCHED (may be NULL) then has one byte for each of its spans, 1 when
 * the query holds for it.
 */
SPAN_API SPAN_NODISCARD int span_search_next(struct span_search *s,
					     struct span_trace *out,
					     const uint8_t **matched,
					     struct span_error *err);

/*
 * The next matching span alone, in order of arrival, duplicates kept; a
 * search is used either by trace or by span. *OUT is valid until the next
 * call.
 */
SPAN_API SPAN_NODISCARD int span_search_next_span(struct span_search *s,
						  struct span *out,
						  struct span_error *err);

/* Traces that ended before they were complete, for want of memory. */
SPAN_API uint64_t span_search_cut(const struct span_search *s);
SPAN_API void span_search_close(struct span_search **s);

#ifdef __cplusplus
}
#endif
#endif
