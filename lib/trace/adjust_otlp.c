/* SPDX-License-Identifier: Apache-2.0 */
/* What Jaeger 2 does in another way than Jaeger 1. */
#include "trace/adjust.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

#include "base/banned.h"

/* Those of one name stay in the order of their times. */
static int compare_events(const void *a, const void *b)
{
	const struct span_event *x = a, *y = b;
	int order = span_str_compare(span_event_name(x), span_event_name(y));

	return order ? order
		     : (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

static void sort_span(struct span *s)
{
	span__sort_attrs(&s->attrs);
	for (size_t i = 0; i < s->n_events; i++)
		span__sort_attrs(&s->events[i].attrs);
	for (size_t i = 0; i < s->n_refs; i++)
		span__sort_attrs(&s->refs[i].attrs);
	if (s->scope)
		span__sort_attrs(&s->scope->attrs);
	if (s->n_events > 1)
		qsort((struct span_event *)(uintptr_t)s->events, s->n_events,
		      sizeof(*s->events), compare_events);
}

int span_adjust_order_otlp(struct span_trace_builder *b, struct span_trace *t,
			   struct span_error *err)
{
	int rc = span__sort_spans(b, sort_span);

	return rc < 0 ? span__adjust_end(rc, err)
		      : span_trace_builder_build(b, t, err);
}

static bool is_empty(const struct span_ref *r)
{
	static const uint8_t none[16];

	return !memcmp(r->trace_id, none, 16) && !memcmp(r->span_id, none, 8);
}

static int remove_links(struct span_arena *a, struct span *s)
{
	static const struct span_str text = {"Invalid span link removed", 25};
	struct span_ref *refs = (struct span_ref *)(uintptr_t)s->refs;
	size_t to = 0, n = s->n_refs;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		if (is_empty(&refs[i]))
			rc = span__warn(a, s, &text, 1);
		else
			refs[to++] = refs[i];
	}
	s->n_refs = to;
	return rc;
}

int span_adjust_links(struct span_trace_builder *b, struct span_trace *t,
		      struct span_error *err)
{
	size_t n;
	struct span *spans = span__adjusted(b, &n);
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = remove_links(&b->arena, &spans[i]);
	return rc < 0 ? span__adjust_end(rc, err)
		      : span_trace_builder_build(b, t, err);
}
