/* SPDX-License-Identifier: Apache-2.0 */
/* finder.h - a search for findings at work; for lib/trace only */
#ifndef SPAN_TRACE_FINDER_H
#define SPAN_TRACE_FINDER_H

#include <span/findings.h>

#include "base/hash.h"
#include "base/sort.h"

struct span__finder {
	const struct span_trace *t;
	struct span_findings *f;
	struct span_findings_opts o;
	struct span__key key;
	uint64_t path_ns; /* length of the critical path */
	/* Room for an item, a mark and a number for each span. */
	struct span__item *items, *tmp;
	uint64_t *numbers;
	uint32_t *depths;
	struct span_buf text; /* to make texts in */
};

/* A new finding about span I, zeroed but for what I tells; NULL: no memory. */
struct span_finding *span__found(struct span__finder *w,
				 enum span_finding_kind kind, uint32_t i);
/* Name one more span as evidence; counts it. */
void span__found_span(struct span_finding *f, uint32_t i);
/* TEXT copied; what is in W->text when it is NULL. */
bool span__found_text(struct span__finder *w, struct span_finding *f,
		      const struct span_str *text);
/* NS of ALL, NAN when it is no part of it. */
double span__found_share(uint64_t ns, uint64_t all);
/* Is NS worth telling, for a gap or as saved? */
bool span__is_much(const struct span__finder *w, uint64_t ns);

/* What the kinds of findings take: false when memory is out. */
bool span__find_on_path(struct span__finder *w,
			const struct span_trace_section *v, size_t n);
bool span__find_calls(struct span__finder *w);
bool span__find_errors(struct span__finder *w);
bool span__find_skew(struct span__finder *w);

/* BELOW, a byte a span, is 1 where one fails below it that could be why. */
void span__mark_failing_below(const struct span_trace *t, uint8_t *below);
/* Why S failed, as its sender says it; empty: it does not. */
struct span_str span__failure_message(const struct span *s);
/*
 * The same, as a template if need be, with the response when that is one of a
 * failure: "HTTP 503: message", or "gRPC 14" without a message.
 */
void span__failure_put(struct span_buf *b, const struct span *s, bool template);

#endif
