/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/adjust.h - a trace as Jaeger's query service would show it
 *
 * Each function is one of the adjusters that Jaeger applies to a trace it is
 * asked for, unless it is asked for the raw one. They change the spans that a
 * builder has, *T being what was built last from it, and build *T anew. What
 * they have to say about a span goes into its warnings: the texts of the
 * attribute SPAN_WARNINGS, which Jaeger's formats keep apart from the tags.
 *
 * All return 0, or SPAN_E_NOMEM, after which *T is gone. Time is O(n log n),
 * memory O(n) in what the trace has.
 *
 * Source: the adjusters of Jaeger 1 and 2.
 */
#ifndef SPAN_ADJUST_H
#define SPAN_ADJUST_H

#include <span/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_WARNINGS "@jaeger@warnings"

/* Whose adjusters: they differ in their order, in a few of them, and in words.
 */
enum span_adjust_family {
	SPAN_ADJUST_JAEGER = 0, /* Jaeger 1, and all of its JSON */
	SPAN_ADJUST_OTLP,	/* Jaeger 2, before it answers with OTLP */
};

/*
 * Give each server span that shares its id with its client (Zipkin's way) an id
 * of its own, the lowest that is free, below the client. Its children, as
 * span/trace.h finds them, name the new id. (Jaeger's go to the server all of
 * them, also what the client did beside the call.)
 */
SPAN_API SPAN_NODISCARD int span_adjust_ids(struct span_trace_builder *b,
					    struct span_trace *t,
					    struct span_error *err);

/*
 * span_trace_builder_adjust(), with Jaeger's warnings in place of attributes,
 * which tell of clocks that are off also when MAX_NS is 0 and nothing moves; of
 * missing parents; and of ids that another span has, too.
 */
SPAN_API SPAN_NODISCARD int span_adjust_clocks(struct span_trace_builder *b,
					       enum span_adjust_family family,
					       uint64_t max_ns,
					       struct span_trace *t,
					       struct span_error *err);

/*
 * What Jaeger has no fields for becomes tags: kind, status, trace state, scope.
 * The fields are empty then.
 */
SPAN_API SPAN_NODISCARD int span_adjust_fields(struct span_trace_builder *b,
					       struct span_trace *t,
					       struct span_error *err);

/* The tags "ip" and "peer.ipv4" of spans and processes from numbers to texts.
 */
SPAN_API SPAN_NODISCARD int span_adjust_addresses(struct span_trace_builder *b,
						  struct span_trace *t,
						  struct span_error *err);

/*
 * The tags telemetry.sdk.{language,name,version} and
 * telemetry.distro.{name,version} of a span go to its process, unless that has
 * another value: then they stay, with a warning.
 */
SPAN_API SPAN_NODISCARD int span_adjust_library(struct span_trace_builder *b,
						struct span_trace *t,
						struct span_error *err);

/*
 * Tags of spans and processes by key, type and value; the fields of events too,
 * a text "event" before them.
 */
SPAN_API SPAN_NODISCARD int span_adjust_order(struct span_trace_builder *b,
					      struct span_trace *t,
					      struct span_error *err);
/*
 * The same for OTLP: attributes of spans, processes, events, links and scopes
 * by key; events by their names, whenever they were.
 */
SPAN_API SPAN_NODISCARD int span_adjust_order_otlp(struct span_trace_builder *b,
						   struct span_trace *t,
						   struct span_error *err);

/*
 * References without a trace id are left out, with a warning, and the parent's
 * is made the first: the first CHILD_OF in the same trace, else the first
 * FOLLOWS_FROM.
 */
SPAN_API SPAN_NODISCARD int span_adjust_refs(struct span_trace_builder *b,
					     struct span_trace *t,
					     struct span_error *err);
/* The same for OTLP: links that have neither id are left out, with a warning.
 */
SPAN_API SPAN_NODISCARD int span_adjust_links(struct span_trace_builder *b,
					      struct span_trace *t,
					      struct span_error *err);

/*
 * Add TEXT, of any length, to the warnings of span I of those that B has. T may
 * be used on; the text is copied.
 */
SPAN_API SPAN_NODISCARD int span_adjust_warn(struct span_trace_builder *b,
					     size_t i,
					     const struct span_buf *text,
					     struct span_error *err);

/*
 * All that FAMILY has, in its order; what is equal afterwards is there once.
 * OTLP has fields for what span_adjust_fields() is about.
 */
SPAN_API SPAN_NODISCARD int span_adjust_all(struct span_trace_builder *b,
					    enum span_adjust_family family,
					    uint64_t max_skew_ns,
					    struct span_trace *t,
					    struct span_error *err);

#ifdef __cplusplus
}
#endif
#endif
