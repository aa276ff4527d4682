/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/adjust.h"

#include <string.h>

#include "base/sort.h"
#include "codec/jaeger_extra.h"

#include "base/banned.h"

/* The attribute with the warnings of S, or NULL. */
static const struct span_attr *find_warnings(const struct span *s)
{
	for (size_t i = 0; i < s->attrs.n; i++)
		if (span__extra_is_warnings(&s->attrs.v[i]))
			return &s->attrs.v[i];
	return NULL;
}

/* The attributes of S with room for one more, or for FOUND to be changed. */
static struct span_attr *copy_attrs(struct span_arena *a, const struct span *s)
{
	struct span_attr *v = span_arena_array(a, s->attrs.n + 1, sizeof(*v));

	if (v && s->attrs.n)
		memcpy(v, s->attrs.v, s->attrs.n * sizeof(*v));
	return v;
}

int span__warn(struct span_arena *a, struct span *s,
	       const struct span_str *texts, size_t n)
{
	const struct span_attr *found = find_warnings(s);
	size_t before = found ? found->value.array.n : 0;
	size_t at = found ? (size_t)(found - s->attrs.v) : s->attrs.n;
	struct span_value *list =
		span_arena_array(a, before + n, sizeof(*list));
	struct span_attr *attrs = copy_attrs(a, s);

	if (!list || !attrs)
		return SPAN_E_NOMEM;
	if (before)
		memcpy(list, found->value.array.v, before * sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[before + i] = (struct span_value){.type = SPAN_STRING,
						       .str = texts[i]};
	attrs[at] = (struct span_attr){
		.key = SPAN_STR(SPAN_WARNINGS),
		.value = {.type = SPAN_ARRAY, .array = {list, before + n}}};
	s->attrs.v = attrs;
	s->attrs.n += !found;
	return 0;
}

int span__warn_text(struct span_arena *a, struct span *s,
		    const struct span_buf *text)
{
	struct span_str copy;

	if (text->failed ||
	    !span_arena_str(a, (struct span_str){text->p, text->len}, &copy))
		return SPAN_E_NOMEM;
	return span__warn(a, s, &copy, 1);
}

int span_adjust_warn(struct span_trace_builder *b, size_t i,
		     const struct span_buf *text, struct span_error *err)
{
	size_t n;
	struct span *spans = span__adjusted(b, &n);

	return span__adjust_end(span__warn_text(&b->arena, &spans[i], text),
				err);
}

struct span__item *span__by_process(struct span_trace_builder *b)
{
	size_t n;
	const struct span *spans = span__adjusted(b, &n);
	struct span__item *v = span_arena_array(&b->arena, 2 * n, sizeof(*v));

	if (!v)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		v[i] = (struct span__item){(uintptr_t)spans[i].process, i};
	span__sort(v, v + n, n, NULL, NULL);
	return v;
}

int span__adjust_end(int rc, struct span_error *err)
{
	return rc < 0 ? span_error_set(err, rc, "out of memory") : rc;
}

/* A reader of the tags alone knows all that the fields said. */
static int fields_to_tags(struct span_arena *a, struct span *s)
{
	struct span__extra x;
	struct span_attr *v;

	span__extra_find(s, &x);
	v = span_arena_array(a, x.n + s->attrs.n, sizeof(*v));
	if (!v)
		return SPAN_E_NOMEM;
	memcpy(v, x.v, x.n_before * sizeof(*v));
	if (s->attrs.n)
		memcpy(v + x.n_before, s->attrs.v, s->attrs.n * sizeof(*v));
	memcpy(v + x.n_before + s->attrs.n, x.v + x.n_before,
	       (x.n - x.n_before) * sizeof(*v));
	s->attrs.v = v;
	s->attrs.n += x.n;
	s->flags = span__extra_flags(s);
	s->kind = SPAN_KIND_UNSPECIFIED;
	s->status = SPAN_STATUS_UNSET;
	s->status_message = s->trace_state = SPAN_STR("");
	s->scope = NULL;
	return 0;
}

int span_adjust_fields(struct span_trace_builder *b, struct span_trace *t,
		       struct span_error *err)
{
	size_t n;
	struct span *spans = span__adjusted(b, &n);
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = fields_to_tags(&b->arena, &spans[i]);
	return rc < 0 ? span__adjust_end(rc, err)
		      : span_trace_builder_build(b, t, err);
}

typedef int adjuster(struct span_trace_builder *b, struct span_trace *t,
		     struct span_error *err);

static int run(adjuster *const *v, struct span_trace_builder *b,
	       struct span_trace *t, struct span_error *err)
{
	int rc = 0;

	while (*v && !rc)
		rc = (*v++)(b, t, err);
	return rc;
}

int span_adjust_all(struct span_trace_builder *b,
		    enum span_adjust_family family, uint64_t max_skew_ns,
		    struct span_trace *t, struct span_error *err)
{
	static adjuster *const before[][3] = {
		[SPAN_ADJUST_JAEGER] = {span_adjust_ids, NULL},
		[SPAN_ADJUST_OTLP] = {span_adjust_ids, span_adjust_order_otlp,
				      NULL},
	};
	static adjuster *const after[][6] = {
		[SPAN_ADJUST_JAEGER] = {span_adjust_fields,
					span_adjust_addresses,
					span_adjust_library, span_adjust_order,
					span_adjust_refs, NULL},
		[SPAN_ADJUST_OTLP] = {span_adjust_addresses,
				      span_adjust_library, span_adjust_links,
				      NULL},
	};
	int rc = run(before[family], b, t, err);

	if (!rc)
		rc = span_adjust_clocks(b, family, max_skew_ns, t, err);
	return rc ? rc : run(after[family], b, t, err);
}
