/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/clock_skew.h"

#include <span/text.h>

#include <string.h>

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

/* The text of an attribute, or of the first item of an array. */
static struct span_str text_of(const struct span_process *p, const char *key)
{
	const struct span_value *v = span_attr_get(&p->attrs, span_str(key));

	if (v && v->type == SPAN_ARRAY && v->array.n)
		v = v->array.v;
	if (v && (v->type == SPAN_STRING || v->type == SPAN_BYTES))
		return v->str;
	/* An IPv4 address as a number: only whether it is the same matters. */
	if (v && v->type == SPAN_INT)
		return (struct span_str){(const char *)&v->i, sizeof(v->i)};
	return SPAN_STR("");
}

static struct span_str host_of(const struct span_process *p)
{
	static const char *const keys[] = {"host.id", "host.ip", "ip",
					   "host.name", "hostname"};
	struct span_str host = SPAN_STR("");

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && !host.len; i++)
		host = text_of(p, keys[i]);
	return host;
}

/* A name says more to people than an id. */
void span__host_put(struct span_buf *b, const struct span_process *p)
{
	static const char *const keys[] = {"host.name", "hostname", "host.ip",
					   "ip", "host.id"};
	size_t from = b->len;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct span_value *v =
			span_attr_get(&p->attrs, span_str(keys[i]));

		if (v)
			span_text_value(b, v);
		if (b->len > from)
			return;
	}
}

/* A less B, or the nearest that fits. */
static int64_t difference(uint64_t a, uint64_t b)
{
	if (a >= b)
		return a - b > INT64_MAX ? INT64_MAX : (int64_t)(a - b);
	return b - a > INT64_MAX ? -INT64_MAX : -(int64_t)(b - a);
}

static uint64_t moved(uint64_t t, int64_t by)
{
	uint64_t n = by < 0 ? (uint64_t)-by : (uint64_t)by;

	if (by < 0)
		return t > n ? t - n : 0;
	return t < UINT64_MAX - n ? t + n : UINT64_MAX;
}

/* How far CHILD is from where a parent that starts at START would see it. */
static int64_t distance(const struct span *parent, uint64_t start,
			const struct span *child)
{
	uint64_t spare = parent->duration_ns - child->duration_ns;
	uint64_t end = moved(start, difference(parent->duration_ns, 0));

	if (child->duration_ns > parent->duration_ns)
		return start > child->start_ns
			       ? difference(start, child->start_ns)
			       : 0;
	if (child->start_ns >= start && span_end_ns(child) <= end)
		return 0;
	return difference(moved(start, difference(spare / 2, 0)),
			  child->start_ns);
}

/*
 * The skew of a span below a parent. Where a host is not known nothing can be
 * told of its clock: a span of its parent's service is taken to be where that
 * is, others are left alone.
 */
static struct span__skew skew_of(const struct span *s,
				 const struct span *parent,
				 const struct span__skew *of)
{
	struct span__skew skew = {.host = host_of(s->process)};

	if (!skew.host.len &&
	    span_str_equal(s->process->service, parent->process->service))
		skew.host = of->host;
	if (span_str_equal(skew.host, of->host))
		skew.delta_ns = skew.host.len ? of->delta_ns : 0;
	else if (skew.host.len && of->host.len)
		skew.delta_ns = distance(
			parent, moved(parent->start_ns, of->moved_ns), s);
	return skew;
}

/* Parents come before their children. */
void span__skews_find(const struct span_trace *t, uint64_t max_ns,
		      struct span__skew *skews)
{
	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = t->order[k], parent = t->nodes[i].parent;
		struct span__skew *s = &skews[i];
		uint64_t amount;

		*s = (struct span__skew){.host = host_of(t->spans[i].process)};
		if (parent == NONE)
			continue;
		*s = skew_of(&t->spans[i], &t->spans[parent], &skews[parent]);
		amount = s->delta_ns < 0 ? (uint64_t)-s->delta_ns
					 : (uint64_t)s->delta_ns;
		s->moved_ns = amount <= max_ns ? s->delta_ns : 0;
	}
}

static int add_attr(struct span_arena *a, struct span *s, struct span_str key,
		    int64_t value)
{
	struct span_attr *v = span_arena_array(a, s->attrs.n + 1, sizeof(*v));

	if (!v)
		return SPAN_E_NOMEM;
	if (s->attrs.n)
		memcpy(v, s->attrs.v, s->attrs.n * sizeof(*v));
	v[s->attrs.n++] = (struct span_attr){
		.key = key, .value = {.type = SPAN_INT, .i = value}};
	s->attrs.v = v;
	return 0;
}

static int move(struct span_arena *a, struct span *s,
		const struct span__skew *skew)
{
	struct span_event *events;

	if (!skew->moved_ns)
		return add_attr(a, s, SPAN__KEY_REFUSED, skew->delta_ns);
	s->start_ns = moved(s->start_ns, skew->moved_ns);
	events = span_arena_array(a, s->n_events, sizeof(*events));
	if (!events)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < s->n_events; i++) {
		events[i] = s->events[i];
		events[i].time_ns = moved(events[i].time_ns, skew->moved_ns);
	}
	s->events = events;
	return add_attr(a, s, SPAN__KEY_MOVED, skew->moved_ns);
}

int span_trace_builder_adjust(struct span_trace_builder *b, uint64_t max_ns,
			      struct span_trace *t, struct span_error *err)
{
	struct span *spans = (struct span *)(void *)b->spans.p;
	struct span__skew *skews =
		span_arena_array(&b->arena, t->n, sizeof(*skews));
	int n = 0, rc = skews ? 0 : SPAN_E_NOMEM;

	if (skews)
		span__skews_find(t, max_ns, skews);
	for (size_t i = 0; i < t->n && !rc; i++) {
		if (!skews[i].delta_ns)
			continue;
		rc = move(&b->arena, &spans[i], &skews[i]);
		n++;
	}
	if (rc < 0)
		return span_error_set(err, rc, "out of memory");
	if (n)
		rc = span_trace_builder_build(b, t, err);
	return rc < 0 ? rc : n;
}
