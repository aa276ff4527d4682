/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/select.h - a search put together from what a request asks for
 *
 * Lists as struct span_select has them. Texts are copied, and those of clients
 * who know no globs and no patterns are quoted, so that they mean themselves.
 */
#ifndef SERVE_SELECT_H
#define SERVE_SELECT_H

#include <span/query.h>

#include "serve/serve.h"

enum span__select_list {
	SELECT_SERVICES,
	SELECT_OPERATIONS,
	SELECT_TAGS,
	SELECT_NOT_TAGS,
	SELECT_HAS_TAGS,
	SELECT_KINDS,
	SELECT_STATUSES,
	SELECT_TRACE_IDS,
	SELECT_MATCHERS,
	SELECT_LISTS /* how many there are */
};

/* A zeroed struct selects everything. */
struct span__select {
	struct span_select sel; /* all but its lists may be set */
	struct span_arena arena;
	struct span_buf lists[SELECT_LISTS]; /* of const char * */
	bool failed;			     /* memory is out */
	bool zero; /* a text has a zero byte, which no option can have */
};

/* TEXT as it would be typed. */
void span__select_add(struct span__select *s, enum span__select_list list,
		      struct span_str text);
/* A service or operation that is called exactly that. */
void span__select_name(struct span__select *s, enum span__select_list list,
		       struct span_str name);
/* One of which TEXT is a part, in upper or lower case. */
void span__select_name_like(struct span__select *s, enum span__select_list list,
			    struct span_str text);
/* A tag that has exactly that value. */
void span__select_tag(struct span__select *s, struct span_str key,
		      struct span_str value);
/*
 * The same as Jaeger has it, to which some keys are special: resource.KEY is a
 * tag of the process, span.status and span.kind are written in any case.
 */
void span__select_jaeger_tag(struct span__select *s, struct span_str key,
			     struct span_str value);
/* The same, of which VALUE is a part, in upper or lower case. */
void span__select_tag_like(struct span__select *s, struct span_str key,
			   struct span_str value);
void span__select_expression(struct span__select *s, struct span_str text);
/* The trace ID, or one of several that are added. */
void span__select_trace(struct span__select *s, const uint8_t id[16]);

/* What span_query_compile() returns. */
SPAN_NODISCARD int span__select_compile(struct span__select *s,
					struct span_query **out,
					struct span_error *err);
void span__select_release(struct span__select *s);

/*
 * A search that runs for a request, with a store of its own. Zeroed before it
 * is opened, and after it is closed; closing a zeroed one does nothing.
 */
struct span__found {
	struct span__serve_pool *pool;
	struct span_store *store;
	struct span_query *query;
	struct span_search *search;
};

/*
 * Look for S in POOL. 0; SPAN_E_INVALID when it makes no sense, and other
 * codes, of which span__found_fault() says whose fault they are. F must be
 * closed.
 */
SPAN_NODISCARD int span__found_open(struct span__found *f,
				    struct span__serve_pool *pool,
				    struct span__select *s,
				    const struct span_search_opts *o,
				    struct span_error *err);
void span__found_close(struct span__found *f);

/*
 * Where trace ID is: in *POOL of the store, or that of the archive when only
 * that one has it. 0 or a negative code.
 */
SPAN_NODISCARD int span__found_where(const struct span__serve *serve,
				     const uint8_t id[16],
				     struct span__serve_pool **pool,
				     struct span_error *err);

/*
 * The status: 400 for what only the request can change, 501 for what cannot be
 * done, 503 when there is no store, else 500.
 */
unsigned span__found_fault(int rc);

#endif
