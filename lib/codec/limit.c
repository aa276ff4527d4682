/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a span, and a process, below SPAN_MAX_BYTES: tags that fit, then
 * references, then events. Sizes are rounded up, so that no encoding of ours
 * is longer.
 */
#include "codec/decoder.h"

#include "base/banned.h"

/* More than the numbers, heads and references of each take encoded. */
#define SPAN_COST 256u
#define ATTR_COST 24u
#define EVENT_COST 32u
#define REF_COST 64u

static size_t attr_size(const struct span_attr *a)
{
	size_t size = ATTR_COST + a->key.len;

	if (a->value.type == SPAN_STRING || a->value.type == SPAN_BYTES)
		size += a->value.str.len;
	return size;
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
	size_t fit = *left / REF_COST;

	if (s->n_refs > fit) {
		s->n_refs = fit;
		return false;
	}
	*left -= s->n_refs * REF_COST;
	return true;
}

static bool limit_events(struct span *s, size_t *left)
{
	for (size_t i = 0; i < s->n_events; i++) {
		struct span_attrs fields = s->events[i].attrs;

		if (*left < EVENT_COST) {
			s->n_events = i;
			return false;
		}
		*left -= EVENT_COST;
		if (!limit_attrs(&fields, left)) {
			s->n_events = i;
			return false;
		}
	}
	return true;
}

bool span__limit_process(struct span_process *p)
{
	size_t left = SPAN_MAX_BYTES - SPAN_COST - p->service.len;

	return limit_attrs(&p->attrs, &left);
}

bool span__limit_span(struct span *s)
{
	size_t left = SPAN_MAX_BYTES - SPAN_COST - s->name.len -
		      s->status_message.len;
	bool all = limit_attrs(&s->attrs, &left);

	all = limit_refs(s, &left) && all;
	return limit_events(s, &left) && all;
}
