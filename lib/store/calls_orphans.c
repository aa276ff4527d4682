/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First the traces that both files have, in the order of the one, then the
 * spans, in the order of the other: columns are read forward only.
 */
#include "store/calls_orphans.h"

#include <string.h>

#include "base/sort.h"

#include "base/banned.h"

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* Where OF's trace is in OTHER: as span__calls_file_find(). */
static int find_trace(const struct span__calls_file *of, uint64_t trace,
		      const struct span__calls_source *other, uint64_t *found,
		      struct span_error *err)
{
	uint64_t start, end;
	uint8_t id[16];
	int rc;

	span__calls_file_times(of, trace, &start, &end);
	if (!span__calls_near(start, end, other))
		return 0;
	span__calls_file_trace_id(of, trace, id);
	rc = span__calls_file_find(&other->file, id, found, err);
	return rc == SPAN_E_CORRUPT ? 0 : rc;
}

/* Is it one, as the rules about parents are? I: its place in T, or none. */
static void check_one(const struct span__call_trace *t, uint32_t i,
		      struct span__orphan *o)
{
	if (i == SPAN_TRACE_NONE || !(t->flags[i] & SPAN_TRACE_ORPHAN)) {
		o->parent = CALLS_NONE;
		return;
	}
	o->start_ns = t->calls[i].start_ns;
	o->duration_ns = t->calls[i].duration_ns;
	o->name = t->calls[i].name;
	o->type = t->calls[i].type;
	o->loose = t->calls[i].loose;
	o->checked = true;
}

/* The index of the span at each place of T, up to *N: NULL, no memory. */
static const uint32_t *by_place(struct span_buf *buf,
				const struct span__call_trace *t, uint32_t *n)
{
	uint32_t *at;

	*n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->calls[i].place >= *n)
			*n = t->calls[i].place + 1;
	buf->len = 0;
	at = (uint32_t *)(void *)span_buf_reserve(buf, (*n + (size_t)1) *
							       sizeof(*at));
	buf->failed = false;
	if (!at)
		return NULL;
	memset(at, 0xff, *n * sizeof(*at));
	for (uint32_t i = 0; i < t->n; i++)
		at[t->calls[i].place] = i;
	return at;
}

/* Check the orphans V, which are of one trace. */
static int check(struct span__orphan_search *s,
		 const struct span__calls_file *of, struct span__orphan *v,
		 size_t n, struct span_error *err)
{
	const uint32_t *at = NULL;
	uint32_t n_places;
	int rc = span__calls_file_trace(of, v->trace, &s->own, err);

	if (!rc)
		rc = span__call_trace_link(&s->own, err);
	if (rc < 0)
		return rc;
	at = by_place(&s->places, &s->own, &n_places);
	if (!at)
		return out_of_memory(err);
	for (size_t i = 0; i < n; i++)
		if (!v[i].checked)
			check_one(&s->own,
				  v[i].place < n_places ? at[v[i].place]
							: SPAN_TRACE_NONE,
				  &v[i]);
	return 0;
}

static bool add_hits(struct span__orphan_search *s,
		     const struct span__orphan *v, size_t from, size_t to,
		     uint64_t trace)
{
	for (size_t i = from; i < to; i++) {
		struct span__item hit = {trace, (uint32_t)i};

		if (v[i].parent == CALLS_ABSENT)
			span_buf_put(&s->hits, &hit, sizeof(hit));
	}
	return !s->hits.failed;
}

static int find_hits(struct span__orphan_search *s,
		     const struct span__calls_file *of, struct span__orphan *v,
		     size_t n, const struct span__calls_source *other,
		     struct span_error *err)
{
	s->hits.len = 0;
	for (size_t from = 0, to; from < n; from = to) {
		bool left = false, checked = true;
		uint64_t trace;
		int rc;

		for (to = from; to < n && v[to].trace == v[from].trace; to++) {
			left |= v[to].parent == CALLS_ABSENT;
			checked = checked && v[to].checked;
		}
		if (!left)
			continue;
		rc = find_trace(of, v[from].trace, other, &trace, err);
		if (rc > 0 && !checked) {
			rc = check(s, of, v + from, to - from, err);
			rc = rc ? rc : 1;
		}
		if (rc < 0)
			return rc;
		if (rc > 0 && !add_hits(s, v, from, to, trace)) {
			s->hits.failed = false;
			return out_of_memory(err);
		}
	}
	return 0;
}

static void adopt(const struct span__call_trace *t, struct span__orphan *o,
		  const struct span__call_names *names)
{
	uint32_t service = names->v[o->name].service_number;
	uint32_t i = span__parents_adopt(&t->parents, o->parent_id, service);

	if (i == SPAN_TRACE_NONE)
		return;
	o->parent = CALLS_NAME + t->calls[i].name;
	o->parent_type = t->calls[i].type;
	o->parent_loose = t->calls[i].loose;
}

int span__orphans_find(struct span__orphan_search *s,
		       const struct span__calls_file *of,
		       struct span__orphan *v, size_t n,
		       const struct span__calls_source *other,
		       const struct span__call_names *names,
		       struct span_error *err)
{
	int rc = find_hits(s, of, v, n, other, err);
	struct span__item *hits;
	size_t n_hits;

	if (rc < 0 || !s->hits.len)
		return rc;
	n_hits = s->hits.len / sizeof(*hits);
	if (!span_buf_reserve(&s->hits, s->hits.len)) {
		s->hits.failed = false;
		return out_of_memory(err);
	}
	hits = (struct span__item *)(void *)s->hits.p;
	span__sort(hits, hits + n_hits, n_hits, NULL, NULL);
	for (size_t i = 0; i < n_hits && !rc; i++) {
		if (!i || hits[i].key != hits[i - 1].key)
			rc = span__calls_file_trace(&other->file, hits[i].key,
						    &s->other, err);
		if (!rc && (!i || hits[i].key != hits[i - 1].key))
			rc = span__call_trace_sort(&s->other, err);
		if (!rc)
			adopt(&s->other, &v[hits[i].i], names);
	}
	return rc;
}

void span__orphan_search_release(struct span__orphan_search *s)
{
	span_buf_release(&s->hits);
	span_buf_release(&s->places);
	span__call_trace_release(&s->own);
	span__call_trace_release(&s->other);
}
