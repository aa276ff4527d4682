/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_model.h - what the two readers of OTLP share: who owns the spans
 *
 * A resource and a scope stand before or behind their spans, as the sender
 * likes. Where a reader can look AHEAD, the owners are complete when the first
 * span needs them. Else spans are collected with pointers to owners that are
 * filled in at their end; that is for the passes that hand out nothing.
 *
 * Attributes of a resource, a scope and a span have room for one more, so that
 * the original of a time needs no copy.
 *
 * Sources: opentelemetry-proto v1 (trace, resource, common), and the names
 * that Jaeger gives to services without one.
 */
#ifndef SPAN__OTLP_MODEL_H
#define SPAN__OTLP_MODEL_H

#include "codec/decoder.h"

/* A list of attributes that is being read. */
struct span__otlp_attrs {
	struct span_attr *v;
	size_t n, max;
};

struct span__otlp {
	struct span__message *m;
	bool ahead; /* owners are read before their spans */

	struct span_process resource; /* but for the service; attrs are ATTRS */
	struct span__otlp_attrs attrs;
	struct span_scope scope;
	uint16_t resource_marks, scope_marks;
	struct span_process *process; /* of the spans; NULL: none came yet */
	struct span_scope *spans_scope;
	size_t resource_from, scope_from; /* where their spans begin */

	const char *bad; /* why what is being read cannot be taken; or NULL */
	const unsigned char *bad_at;
};

/* Before and behind each ResourceSpans, and each ScopeSpans in it. */
void span__otlp_resource_begin(struct span__otlp *o);
void span__otlp_resource_end(struct span__otlp *o);
void span__otlp_scope_begin(struct span__otlp *o);
void span__otlp_scope_end(struct span__otlp *o);

/* What is read next is bad, for a static reason; the first one is kept. */
static inline void otlp_bad(struct span__otlp *o, const void *at,
			    const char *what)
{
	if (!o->bad) {
		o->bad = what;
		o->bad_at = at;
	}
}

/*
 * A span was read, from AT on, with the marks m->marks and its attributes in
 * LIST, which has room for one more: complete it and pass it on, or count it
 * as bad.
 */
void span__otlp_span(struct span__otlp *o, struct span *s,
		     struct span__otlp_attrs *list, uint64_t end_ns,
		     const unsigned char *at);

/* A number of an enumeration; 0 when the span stream has no room for it. */
static inline uint8_t otlp_enum(uint64_t number)
{
	return number <= 15 ? (uint8_t)number : 0;
}

void span__otlp_proto_read(struct span__message *m);
void span__otlp_json_read(struct span__message *m);

int span__otlp_proto_write(struct span_buf *b, const struct span *spans,
			   size_t n, struct span_error *err);
int span__otlp_json_write(struct span_buf *b, const struct span *spans,
			  size_t n, struct span_error *err);

#endif
