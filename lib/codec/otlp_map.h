/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_map.h - a span as OTLP says it
 *
 * A span that came as OTLP leaves as it came. One of Jaeger or Zipkin has no
 * scope; what it says in tags, and OTLP in fields, is moved there, by the
 * rules of OpenTelemetry's translator:
 *
 *   tags span.kind, otel.status_code, error, otel.status_description, those
 *   that the field was found in, are not written; nor are w3c.tracestate,
 *   otel.scope.name and otel.scope.version (or otel.library.name and
 *   otel.library.version), which become trace state and scope
 *
 *   without a status http.status_code tells one: an error from 400 on, of a
 *   server from 500 on; http.status_message is the message of an error that
 *   has none
 *
 *   a log's field "event" is its event's name
 *
 *   references but a CHILD_OF to the parent are links with the attribute
 *   opentracing.ref_type, "child_of" or "follows_from"
 *
 *   process tags hostname and jaeger.version are host.name, and
 *   opencensus.exporterversion with "Jaeger-" before it, unless there is such
 *   a tag; of the flags, "sampled" is left
 *
 * Source: opentelemetry-collector-contrib, pkg/translator/jaeger.
 */
#ifndef SPAN__OTLP_MAP_H
#define SPAN__OTLP_MAP_H

#include <span/model.h>

struct span__otlp_view {
	const struct span *s;
	bool translated; /* the span did not come as OTLP */
	uint8_t kind, status;
	struct span_str message, trace_state;
	struct span_str scope_name, scope_version;
	uint32_t flags;
	uint64_t end_ns;
	size_t n_attrs; /* of the span: one behind them is END_NS */
};

void span__otlp_view(struct span__otlp_view *v, const struct span *s);

/*
 * Spans stand in groups, of one resource and one scope. A format writes how
 * each begins and ends, and a span in between; ARG is its own, V the group's
 * first span.
 */
struct span__otlp_form {
	void (*open_resource)(void *arg, const struct span__otlp_view *v);
	void (*close_resource)(void *arg, const struct span__otlp_view *v);
	void (*open_scope)(void *arg, const struct span__otlp_view *v);
	void (*close_scope)(void *arg, const struct span__otlp_view *v);
	void (*span)(void *arg, const struct span__otlp_view *v);
};

/* Write the N spans, until B has failed. */
void span__otlp_write(const struct span__otlp_form *form, void *arg,
		      const struct span_buf *b, const struct span *spans,
		      size_t n);

/* Is the span's attribute A, one of the first n_attrs, written? */
bool span__otlp_has_attr(const struct span__otlp_view *v,
			 const struct span_attr *a);

/* The attribute of the process as it is written; TEXT is its memory. */
struct span_attr span__otlp_process_attr(const struct span__otlp_view *v,
					 const struct span_attr *a,
					 struct span_buf *text);

/* The event's name, and the attribute that it is, not written; or NULL. */
struct span_str span__otlp_event_name(const struct span__otlp_view *v,
				      const struct span_event *e,
				      const struct span_attr **name);

/*
 * Is the reference written as a link? TYPE becomes the text of an attribute
 * opentracing.ref_type to add, empty for none.
 */
bool span__otlp_is_link(const struct span__otlp_view *v,
			const struct span_ref *ref, struct span_str *type);

#endif
