/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/query.h - choose spans and traces
 *
 * A query holds for a span when all of its conditions hold for that same
 * span, and for a trace when it holds for one of its spans. A search returns
 * the whole traces, their ids, or the matching spans alone.
 */
#ifndef SPAN_QUERY_H
#define SPAN_QUERY_H

#include <span/store.h>
#include <span/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

enum span_sort {
	SPAN_SORT_DEFAULT = 0, /* as they come; with a limit the newest */
	SPAN_SORT_NEWEST,      /* by the latest start of a matching span */
	SPAN_SORT_START,       /* oldest first */
	SPAN_SORT_DURATION,    /* longest first */
	SPAN_SORT_SPANS,       /* most spans first */
	SPAN_SORT_ERRORS,      /* most errors first */
};

/*
 * The selection options as they were typed; zero means not given. A NAME is
 * an exact text, a glob ('HTTP *', when it has one of * ? [) or ~REGEX
 * (PCRE2, found anywhere in the name). Several names of one list, and several
 * trace ids, are alternatives; all else combines with AND. span-query(1) has
 * the details.
 */
struct span_select {
	const char *const *services;
	size_t n_services;
	const char *const *operations;
	size_t n_operations;
	/*
	 * k=v, k!=v, k~re, k!~re, or a logfmt list of them; all must hold.
	 * The values of k are those of the span's tags, of its process, scope,
	 * events and links, and derived ones (error, span.kind, status); a
	 * typed value equals its text. k!=v and k!~re hold when no value
	 * fits, also when there is none.
	 */
	const char *const *tags;
	size_t n_tags;
	/* Lists like TAGS: a span fits when none of the lists holds for it. */
	const char *const *not_tags;
	size_t n_not_tags;
	const char *const *has_tags; /* keys that must have a value */
	size_t n_has_tags;
	const char *const *kinds; /* "server", ...: alternatives */
	size_t n_kinds;
	const char *const *statuses; /* "unset", "ok", "error" */
	size_t n_statuses;
	/*
	 * 1 to 32 hex digits: the exact id, else a unique prefix; or what has
	 * one, such as a header or a link, see span-query(1)
	 */
	const char *const *trace_ids;
	size_t n_trace_ids;
	/*
	 * Prometheus selectors: alternatives. A span fits when it would be
	 * counted in such a series; span-query(1) tells what labels mean.
	 */
	const char *const *matchers;
	size_t n_matchers;
	uint64_t min_duration_ns, max_duration_ns; /* both inclusive */
	uint64_t since_ns, until_ns;		   /* start in [since, until) */
	bool error;				   /* span_is_error() */
	bool root;				   /* span_is_root() */
	bool orphans; /* its parent is not in the trace */
	/*
	 * TraceQL, as traceql(7) describes it; NULL: not given. It chooses
	 * spans of a trace, and all of the above must hold for one of these.
	 * When it can be told from a span alone that is the same as any other
	 * condition on the span.
	 */
	const char *expression;
	bool metrics; /* it may end with a metrics function */
};

/* A metrics function: what is wanted of the spans that are chosen. */
#define SPAN_METRICS_FIELDS 16u
#define SPAN_METRICS_QUANTILES 16u
enum span_metric {
	SPAN_METRIC_RATE,
	SPAN_METRIC_COUNT,
	/* Of durations: */
	SPAN_METRIC_QUANTILE,
	SPAN_METRIC_HISTOGRAM,
	SPAN_METRIC_AVG,
	SPAN_METRIC_MIN,
	SPAN_METRIC_MAX,
	SPAN_METRIC_SUM,
};
struct span_metrics {
	enum span_metric what;
	struct span_str by[SPAN_METRICS_FIELDS]; /* as they were typed */
	size_t n_by;
	double quantiles[SPAN_METRICS_QUANTILES]; /* 0 to 1 */
	size_t n_quantiles;
};

struct span_query;

/*
 * 0; SPAN_E_INVALID when an option or the expression cannot be read, with the
 * column (a byte, from 0) in err->pos; SPAN_E_NOMEM. SEL is copied. A query
 * belongs to one thread.
 */
SPAN_API SPAN_NODISCARD int span_query_compile(struct span_query **out,
					       const struct span_select *sel,
					       struct span_error *err);

/*
 * Append to OUT the TraceQL of a structured filter as Jaeger's api_v3 takes it,
 * in JSON: {"op":"eq","args":[...]}; span-serve(1) says how it is understood.
 * 0; SPAN_E_INVALID when it makes no sense; SPAN_E_FORMAT when TraceQL has
 * nothing for it; SPAN_E_NOMEM. OUT is as it was then. That the expression
 * compiles is not said: a pattern in it may be wrong.
 */
SPAN_API SPAN_NODISCARD int span_filter_traceql(struct span_buf *out,
						struct span_str json,
						struct span_error *err);

/* The metrics function that ends its expression, or NULL; Q's own. */
SPAN_API const struct span_metrics *
span_query_metrics(const struct span_query *q);

/*
 * True when the query depends on more of the trace than the span: what
 * span_query_match() says is then a first test, 1 when the span could be
 * chosen, and only a search of traces tells whether it is.
 */
SPAN_API bool span_query_needs_trace(const struct span_query *q);

/*
 * 1 when it holds for the span, 0, or SPAN_E_LIMIT when a regex takes too many
 * steps, or SPAN_E_NOMEM. A trace id that was typed as a prefix holds for each
 * trace that begins with it: what it means only a search can tell. So it is
 * for orphans, for which each span that names a parent may do.
 */
SPAN_API SPAN_NODISCARD int span_query_match(const struct span_query *q,
					     const struct span *s,
					     struct span_error *err);

/*
 * What can be said of a span whose attributes are not decoded yet, as
 * span_frame_next_head() gives it: 0, it does not match; 1, it does; 2, ask
 * span_query_match() of the whole span; or a negative code.
 */
SPAN_API SPAN_NODISCARD int span_query_match_head(const struct span_query *q,
						  const struct span *s,
						  struct span_error *err);
/*
 * Append lines that tell people how a store looks for what Q wants: conditions
 * that are asked of indexes and columns, and what is left to be judged. What
 * the query names is escaped for a terminal. Memory that is out: OUT->failed.
 */
SPAN_API void span_query_explain(const struct span_query *q,
				 struct span_buf *out);
SPAN_API void span_query_close(struct span_query **q);

/*
 * A search: results one after another, from a store or from a source. Use it
 * in one way: by trace, by id or by span.
 *
 * Without a limit and an order, traces come in the order in which their last
 * span arrived, from a source when they are complete; when they do not all
 * fit into memory, from a store some come later. Otherwise they are in the
 * order of SORT, ties by id, and what a source gives is kept to the end.
 *
 * A trace of a source is complete at the end, or when the time of the stream,
 * which is the latest end of a span so far, has moved on by the window since
 * a span of the trace came. Memory may end it before: that is counted, and
 * when more of it comes, this is a result of its own if an earlier part was.
 */
struct span_search;

struct span_search_opts {
	uint64_t limit; /* results at most, the first by SORT; 0: all */
	enum span_sort sort;
	uint64_t window_ns;   /* 0: 10 s */
	uint64_t memory;      /* bytes for spans of traces, 0: 64 MiB */
	bool keep_duplicates; /* in the traces; see span/trace.h */
	/*
	 * The caller of span_search_next() does without MATCHED, and needs of
	 * the spans no more than span_range.head_only and head_errors name.
	 */
	bool heads;
	/*
	 * Of a source: called with each span before it is kept, to leave out
	 * what neither the caller nor the query needs of it. NULL: keep all.
	 */
	void (*trim)(struct span *s);
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
 * source, after the results of what came before it; SPAN_E_AMBIGUOUS when a
 * trace id prefix is not unique (the message lists candidates); SPAN_E_LIMIT
 * also when the results that must be kept to put them in order are above the
 * memory; SPAN_E_NOMEM. *OUT is valid until the next call; MATCHED (may be
 * NULL) then has one byte for each of its spans, 1 when the query holds for
 * it.
 */
SPAN_API SPAN_NODISCARD int span_search_next(struct span_search *s,
					     struct span_trace *out,
					     const uint8_t **matched,
					     struct span_error *err);

/*
 * The id of the next matching trace, each once, without putting traces
 * together where SORT does not need it. Without limit and order an id comes
 * when the first span of it matches; of an expression with "||" a store looks
 * for one side after the other.
 */
SPAN_API SPAN_NODISCARD int span_search_next_id(struct span_search *s,
						uint8_t id[16],
						struct span_error *err);

/*
 * The next matching span alone, duplicates kept: in order of arrival, or with
 * a limit or a SORT by its start or duration, ties by ids, then by arrival.
 * When span_query_needs_trace() they come trace by trace, in the order in
 * which traces do, and duplicates are left out.
 * SPAN_E_INVALID with SPAN_SORT_SPANS and SPAN_SORT_ERRORS. *OUT is valid
 * until the next call.
 */
SPAN_API SPAN_NODISCARD int span_search_next_span(struct span_search *s,
						  struct span *out,
						  struct span_error *err);

/*
 * How many spans span_search_next_span() would return: 0, or its negative
 * codes. The spans are not decoded where that can be avoided.
 */
SPAN_API SPAN_NODISCARD int
span_search_count(struct span_search *s, uint64_t *n, struct span_error *err);
/* The same of traces, and span_search_next_id(). */
SPAN_API SPAN_NODISCARD int span_search_count_traces(struct span_search *s,
						     uint64_t *n,
						     struct span_error *err);

/* Matching traces that came in several parts, or only in part, for want of
 * memory. */
SPAN_API uint64_t span_search_cut(const struct span_search *s);
/* True when the limit left results out; final after the last one. */
SPAN_API bool span_search_more(const struct span_search *s);
SPAN_API void span_search_close(struct span_search **s);

/*
 * The new matching traces of a store, each once: for who comes again and again
 * with what he remembers, or stays. A trace is told when none of its spans has
 * arrived for the window. The last million that were told are remembered; one
 * that was told before these is told again if more of it matches.
 */
struct span_news;
typedef int span_news_span_fn(void *arg, const struct span *s,
			      struct span_error *err);

/*
 * ST, which must keep times of arrival (span_store_since()), and Q are borrowed
 * until close; of O window and memory count. All that the store has is new, but
 * after load what came since save, and after begin what came since then, and
 * traces that were not complete at NOW_NS.
 */
SPAN_API SPAN_NODISCARD int span_news_open(struct span_news **out,
					   struct span_store *st,
					   const struct span_query *q,
					   const struct span_search_opts *o,
					   struct span_error *err);
/*
 * 0; SPAN_E_INVALID when it was saved with another store; SPAN_E_CORRUPT with
 * the offset in err->pos; SPAN_E_FORMAT, SPAN_E_NOMEM. Close it after an error.
 */
SPAN_API SPAN_NODISCARD int span_news_load(struct span_news *n, const void *p,
					   size_t len, struct span_error *err);
SPAN_API SPAN_NODISCARD int
span_news_begin(struct span_news *n, uint64_t now_ns, struct span_error *err);
/* Append it to OUT. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_news_save(struct span_news *n,
					   struct span_buf *out,
					   struct span_error *err);

/*
 * See what has arrived at NOW_NS, since the Unix epoch; before another look
 * span_store_refresh() is due. Then next returns what is complete: the contract
 * of span_search_next(). It must be asked to its end, after which the store may
 * be refreshed.
 */
SPAN_API SPAN_NODISCARD int span_news_look(struct span_news *n, uint64_t now_ns,
					   struct span_error *err);
SPAN_API SPAN_NODISCARD int span_news_next(struct span_news *n,
					   struct span_trace *out,
					   const uint8_t **matched,
					   struct span_error *err);
/* Instead of both: FN for each matching span that arrived. */
SPAN_API SPAN_NODISCARD int span_news_spans(struct span_news *n,
					    span_news_span_fn *fn, void *arg,
					    struct span_error *err);

/*
 * Frames that load says were not seen yet, and that have expired; and the time
 * of arrival of the last one that was seen. 0 or a negative code.
 */
SPAN_API SPAN_NODISCARD int span_news_missed(const struct span_news *n,
					     uint64_t *frames,
					     uint64_t *arrival_ns,
					     struct span_error *err);

/* When the next trace is complete if nothing comes; UINT64_MAX: none waits. */
SPAN_API uint64_t span_news_due_ns(const struct span_news *n);
/* Matching traces that are not complete; traces cut as span_search_cut(). */
SPAN_API uint64_t span_news_waiting(const struct span_news *n);
SPAN_API uint64_t span_news_cut(const struct span_news *n);
SPAN_API void span_news_close(struct span_news **n);

#ifdef __cplusplus
}
#endif
#endif
