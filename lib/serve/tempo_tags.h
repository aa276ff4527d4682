/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/tempo_tags.h - which tags and values there are
 *
 * What people choose from while they write a query. Names of services and
 * operations are those of all spans; the rest comes from recent ones that match
 * the times and the query, if that can be read: it may be one that is being
 * written.
 */
#ifndef SERVE_TEMPO_TAGS_H
#define SERVE_TEMPO_TAGS_H

#include "serve/seen_tags.h"
#include "serve/tempo.h"

/* Where attributes are, in the order in which they are listed. */
enum span__tempo_scope {
	SEEN_RESOURCE,
	SEEN_SPAN,
	SEEN_EVENT,
	SEEN_LINK,
	SEEN_SCOPE,
	SEEN_INTRINSIC,
	SEEN_SCOPES
};

extern const char *const span__tempo_scopes[SEEN_SCOPES];

/* What a request is about, and what was found; groups are scopes or types. */
struct span__tempo_seen {
	struct span__select select;
	struct span__seen seen;
	struct span_buf text;
	unsigned wanted; /* bits 1 << enum span__tempo_scope */
	struct span_str key;
	span__seen_fn *field; /* of a span that is no attribute, or NULL */
};

/*
 * Read times, limit and query of R into T. 0; SPAN_E_INVALID with 400 answered;
 * SPAN_E_NOMEM. T is to be released in any case.
 */
SPAN_NODISCARD int span__tempo_tags_read(const struct span__serve_request *r,
					 struct span__tempo_seen *t,
					 struct span__serve_answer *a);
/* Call FN with T and the newest spans. What span__seen_spans() returns. */
SPAN_NODISCARD int span__tempo_tags_look(const struct span__serve *serve,
					 struct span__tempo_seen *t,
					 span__seen_fn *fn,
					 struct span_error *err);
void span__tempo_tags_release(struct span__tempo_seen *t);

#endif
