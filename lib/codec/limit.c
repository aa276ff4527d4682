/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a span, a process and a scope below SPAN_MAX_BYTES: tags that fit,
 * then references, then events. Sizes are rounded up, so that no encoding of
 * ours is longer.
 */
#include "codec/decoder.h"

#include "base/banned.h"

/* More than the numbers, heads and references of each take encoded. */
#define SPAN_COST 256u
#define ATTR_COST 24u
#define VALUE_COST 10u
#define EVENT_COST 32u
#define REF_COST 64u

/* Recursion ends at SPAN_MAX_DEPTH, as the values of all readers do. */
static size_t value_size(const struct span_value *v)
{
	size_t size = VALUE_COST;

	switch (v->type) {
	case SPAN_STRING:
	case SPAN_BYTES:
		return size + v->str.len;
	case SPAN_ARRAY:
		for (size_t i = 0; i < v->array.n; i++)
			size += value_size(&v->array.v[i]);
		return size;
	case SPAN_MAP:
		for (size_t i = 0; i < v->map.n; i++)
			size += ATTR_COST - VALUE_COST + v->map.v[i].key.len +
				value_size(&v->map.v[i].value);
		return size;
	default:
		return size;
	}
}

static size_t attr_size(const struct span_attr *a)
{
	return ATTR_COST - VALUE_COST + a->key.len + value_size(&a->value);
}

/* Take what fits from LEFT; false when something did not. */
static bool limit_attrs(struct span_attrs *attrs, size_t *left)
{
	for (size_t i = 0; i < attrs->n; i++) {
		size_t size = attr_size(&attrs->v[i]);

		if (size > *left) {
			attrs->n = i;
			return false;
		}
		*left -= size;
	}
	return true;
}

static bool limit_refs(struct span *s, size_t *left)
{
	for (size_t i = 0; i < s->n_refs; i++) {
		size_t cost = REF_COST + s->refs[i].trace_state.len;
		struct span_attrs attrs = s->refs[i].attrs;

		if (*left < cost) {
			s->n_refs = i;
			return false;
		}
		*left -= cost;
		if (!limit_attrs(&attrs, left)) {
			s->n_refs = i;
			return false;
		}
	}
	return true;
}

static bool limit_events(struct span *s, size_t *left)
{
	for (size_t i = 0; i < s->n_events; i++) {
		size_t cost = EVENT_COST + s->events[i].name.len;
		struct span_attrs fields = s->events[i].attrs;

		if (*left < cost) {
			s->n_events = i;
			return false;
		}
		*left -= cost;
		if (!limit_attrs(&fields, left)) {
			s->n_events = i;
			return false;
		}
	}
	return true;
}

bool span__limit_process(struct span_process *p)
{
	size_t left =
		SPAN_MAX_BYTES - SPAN_COST - p->service.len - p->schema_url.len;

	return limit_attrs(&p->attrs, &left);
}

bool span__limit_scope(struct span_scope *s)
{
	size_t left = SPAN_MAX_BYTES - SPAN_COST - s->name.len -
		      s->version.len - s->schema_url.len;

	return limit_attrs(&s->attrs, &left);
}

bool span__limit_span(struct span *s)
{
	size_t left = SPAN_MAX_BYTES - SPAN_COST - s->name.len -
		      s->status_message.len - s->trace_state.len;
	bool all = limit_attrs(&s->attrs, &left);

	all = limit_refs(s, &left) && all;
	return limit_events(s, &left) && all;
}
