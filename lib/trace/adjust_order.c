/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/adjust.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "codec/jaeger_extra.h"

#include "base/banned.h"

/* Jaeger's numbers of types; what it has no type for is a string there. */
static int rank(const struct span_value *v)
{
	switch (v->type) {
	case SPAN_BOOL:
		return 1;
	case SPAN_INT:
		return 2;
	case SPAN_DOUBLE:
		return 3;
	case SPAN_BYTES:
		return 4;
	default:
		return 0;
	}
}

static int compare_values(const struct span_value *a,
			  const struct span_value *b)
{
	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	if (a->type != b->type)
		return (int)a->type - (int)b->type;
	switch (a->type) {
	case SPAN_STRING:
	case SPAN_BYTES:
		return span_str_compare(a->str, b->str);
	case SPAN_BOOL:
		return a->b - b->b;
	case SPAN_INT:
		return (a->i > b->i) - (a->i < b->i);
	case SPAN_DOUBLE:
		return (a->d > b->d) - (a->d < b->d);
	default:
		return 0;
	}
}

static int compare_attrs(const void *a, const void *b)
{
	const struct span_attr *x = a, *y = b;
	int order = span_str_compare(x->key, y->key);

	return order ? order : compare_values(&x->value, &y->value);
}

static void sort_attrs(struct span_attr *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), compare_attrs);
}

void span__sort_attrs(const struct span_attrs *attrs)
{
	sort_attrs((struct span_attr *)(uintptr_t)attrs->v, attrs->n);
}

int span__sort_spans(struct span_trace_builder *b, void (*sort)(struct span *s))
{
	struct span__item *v = span__by_process(b);
	size_t n;
	struct span *spans = span__adjusted(b, &n);

	if (!v)
		return SPAN_E_NOMEM;
	for (size_t k = 0; k < n; k++) {
		struct span *s = &spans[v[k].i];
		struct span_process *p;

		sort(s);
		if (k && v[k].key == v[k - 1].key)
			continue;
		p = (struct span_process *)(uintptr_t)s->process;
		p->serial = 0;
		span__sort_attrs(&p->attrs);
	}
	return 0;
}

/* The first text "event" comes first. */
static void sort_fields(struct span_attr *v, size_t n)
{
	size_t from = 0;

	for (size_t i = 0; i < n && !from; i++) {
		struct span_attr event = v[i];

		if (event.value.type != SPAN_STRING ||
		    !span_str_equal(event.key, SPAN_STR("event")))
			continue;
		v[i] = v[0];
		v[0] = event;
		from = 1;
	}
	sort_attrs(v + from, n - from);
}

static void sort_span(struct span *s)
{
	span__sort_attrs(&s->attrs);
	for (size_t i = 0; i < s->n_events; i++)
		sort_fields((struct span_attr *)(uintptr_t)s->events[i].attrs.v,
			    s->events[i].attrs.n);
}

int span_adjust_order(struct span_trace_builder *b, struct span_trace *t,
		      struct span_error *err)
{
	int rc = span__sort_spans(b, sort_span);

	return rc < 0 ? span__adjust_end(rc, err)
		      : span_trace_builder_build(b, t, err);
}

static bool has_trace(const struct span_ref *r)
{
	static const uint8_t none[16];

	return memcmp(r->trace_id, none, sizeof(none)) != 0;
}

static void put_ref(struct span_buf *b, const struct span_ref *r)
{
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_printf(b,
			"Invalid span reference removed {TraceID:%s SpanID:%s "
			"RefType:%s}",
			span_trace_id_text(r->trace_id, trace),
			span_id_text(r->span_id, id),
			span__extra_ref_type(r) == SPAN_REF_CHILD_OF
				? "CHILD_OF"
				: "FOLLOWS_FROM");
}

/* The references without a trace, as warnings. */
static int warn_of_refs(struct span_arena *a, struct span *s, size_t n)
{
	struct span_str *texts = span_arena_array(a, n, sizeof(*texts));
	struct span_buf text = {0};
	size_t to = 0;
	bool good = texts;

	for (size_t i = 0; i < s->n_refs && good; i++) {
		if (has_trace(&s->refs[i]))
			continue;
		text.len = 0;
		put_ref(&text, &s->refs[i]);
		good = !text.failed &&
		       span_arena_str(a, (struct span_str){text.p, text.len},
				      &texts[to++]);
	}
	span_buf_release(&text);
	return good ? span__warn(a, s, texts, n) : SPAN_E_NOMEM;
}

static int remove_refs(struct span_arena *a, struct span *s)
{
	struct span_ref *refs = (struct span_ref *)(uintptr_t)s->refs;
	size_t bad = 0, to = 0;
	int rc;

	for (size_t i = 0; i < s->n_refs; i++)
		bad += !has_trace(&refs[i]);
	if (!bad)
		return 0;
	rc = warn_of_refs(a, s, bad);
	for (size_t i = 0; i < s->n_refs; i++)
		if (has_trace(&refs[i]))
			refs[to++] = refs[i];
	s->n_refs = to;
	return rc;
}

/* The first reference of TYPE into the same trace; N_REFS: none. */
static size_t find_ref(const struct span *s, int32_t type)
{
	size_t i = 0;

	while (i < s->n_refs &&
	       (memcmp(s->refs[i].trace_id, s->trace_id, 16) != 0 ||
		span__extra_ref_type(&s->refs[i]) != type))
		i++;
	return i;
}

/* Where none names the parent, formats write one to it before the others. */
static void put_parent_first(struct span *s)
{
	struct span_ref *refs = (struct span_ref *)(uintptr_t)s->refs;
	struct span_ref first;
	const struct span_ref *link;
	size_t i = find_ref(s, SPAN_REF_CHILD_OF);

	if (span__extra_parent(s, &link))
		return;
	if (i == s->n_refs)
		i = find_ref(s, SPAN_REF_FOLLOWS_FROM);
	if (i == s->n_refs || !i)
		return;
	first = refs[0];
	refs[0] = refs[i];
	refs[i] = first;
}

int span_adjust_refs(struct span_trace_builder *b, struct span_trace *t,
		     struct span_error *err)
{
	size_t n;
	struct span *spans = span__adjusted(b, &n);
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		rc = remove_refs(&b->arena, &spans[i]);
		put_parent_first(&spans[i]);
	}
	return rc < 0 ? span__adjust_end(rc, err)
		      : span_trace_builder_build(b, t, err);
}
