/* SPDX-License-Identifier: Apache-2.0 */
/* Traces, and those of a log; calls_seg.c has those of a segment. */
#include "store/calls_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "store/calls_log.h"
#include "store/calls_seg.h"

#include "base/banned.h"

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static void *room(struct span_buf *b, size_t n, size_t size)
{
	void *p = NULL;

	b->len = 0;
	if (n <= SIZE_MAX / 4 / size)
		p = span_buf_reserve(b, n * size);
	b->failed = false;
	return p;
}

bool span__call_trace_room(struct span__call_trace *t, size_t n)
{
	t->n = 0;
	t->members = room(&t->buf, n, sizeof(*t->members) + sizeof(*t->calls));
	t->calls = (struct span__call *)(t->members + n);
	return t->members;
}

static void permute(const struct span__call_trace *t,
		    const struct span__item *items,
		    struct span__member *members, struct span__call *calls)
{
	for (size_t i = 0; i < t->n; i++) {
		members[i] = t->members[items[i].i];
		calls[i] = t->calls[items[i].i];
	}
	memcpy(t->members, members, t->n * sizeof(*members));
	memcpy(t->calls, calls, t->n * sizeof(*calls));
}

static bool sort_by_start(struct span__call_trace *t)
{
	struct span__item *items = room(
		&t->table, t->n,
		2 * sizeof(*items) + sizeof(*t->members) + sizeof(*t->calls));
	struct span__member *members;

	if (!items)
		return false;
	for (uint32_t i = 0; i < t->n; i++)
		items[i] = (struct span__item){t->calls[i].start_ns, i};
	span__sort(items, items + t->n, t->n, NULL, NULL);
	members = (struct span__member *)(items + 2 * t->n);
	permute(t, items, members, (struct span__call *)(members + t->n));
	return true;
}

int span__call_trace_sort(struct span__call_trace *t, struct span_error *err)
{
	if (!sort_by_start(t) ||
	    span__parents_find(&t->parents, t->members, t->n) < 0)
		return out_of_memory(err);
	t->parent = t->parents.parent;
	t->flags = t->parents.flags;
	return 0;
}

int span__call_trace_link(struct span__call_trace *t, struct span_error *err)
{
	if (!span__parents_find_few(&t->few, t->members, t->n))
		return span__call_trace_sort(t, err);
	t->parent = t->few.parent;
	t->flags = t->few.flags;
	return 0;
}

void span__call_trace_release(struct span__call_trace *t)
{
	span__parents_release(&t->parents);
	span_buf_release(&t->buf);
	span_buf_release(&t->table);
	*t = (struct span__call_trace){0};
}

static void order_spans(struct span__calls_log *l, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct span__log_trace *t = &l->traces[l->v[i].trace];

		l->order[t->first + t->n++] = i;
	}
}

static int compare_pieces(const void *a, const void *b)
{
	const struct span__log_piece *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static void order_pieces(struct span__calls_log *l)
{
	struct span__log_piece *v =
		(struct span__log_piece *)(void *)l->pieces.p;
	size_t n = l->pieces.len / sizeof(*v);

	qsort(v, n, sizeof(*v), compare_pieces);
	for (size_t i = 0; i < n; i++)
		order_spans(l, v[i].from, v[i].to);
}

/* Where the spans of each trace begin in order[], and that. */
int span__calls_log_finish(struct span__calls_log *l, struct span_error *err)
{
	uint32_t at = 0;

	l->order = malloc((l->n + 1) * sizeof(*l->order));
	if (!l->order)
		return out_of_memory(err);
	for (size_t i = 0; i < l->n_traces; i++) {
		l->traces[i].first = at;
		at += l->traces[i].n;
		l->traces[i].n = 0;
	}
	if (l->pieces.len)
		order_pieces(l);
	else
		order_spans(l, 0, (uint32_t)l->n);
	return 0;
}

static int log_find(const struct span__calls_log *l, const uint8_t id[16],
		    uint64_t *trace)
{
	size_t mask = l->table_size - 1;
	size_t at;

	if (!l->n_traces)
		return 0;
	for (at = span__hash(&l->key, id, 16) & mask; l->table[at];
	     at = (at + 1) & mask) {
		if (memcmp(l->traces[l->table[at] - 1].id, id, 16) != 0)
			continue;
		*trace = l->table[at] - 1;
		return 1;
	}
	return 0;
}

static int log_trace(const struct span__calls_log *l, uint64_t trace,
		     struct span__call_trace *out, struct span_error *err)
{
	const struct span__log_trace *t = &l->traces[trace];

	if (!span__call_trace_room(out, t->n))
		return out_of_memory(err);
	for (uint32_t k = 0; k < t->n; k++) {
		uint32_t i = l->order[t->first + k];
		const struct span__log_call *c = &l->v[i];
		const struct span__call_name *name = &l->names->v[c->name];

		out->members[k] = (struct span__member){
			c->id, c->parent_id, name->service_number, name->kind};
		out->calls[k] = (struct span__call){
			c->start_ns, c->duration_ns, c->name, i, 0, false};
	}
	out->n = t->n;
	return 0;
}

uint64_t span__calls_file_traces(const struct span__calls_file *f)
{
	return f->log ? f->log->n_traces : f->seg->seg->n_traces;
}

int span__calls_file_find(const struct span__calls_file *f,
			  const uint8_t id[16], uint64_t *trace,
			  struct span_error *err)
{
	if (f->log)
		return log_find(f->log, id, trace);
	return span__seg_find(f->seg->seg, id, trace, err);
}

void span__calls_file_trace_id(const struct span__calls_file *f, uint64_t trace,
			       uint8_t id[16])
{
	if (f->log)
		memcpy(id, f->log->traces[trace].id, 16);
	else
		span__seg_trace_id(f->seg->seg, trace, id);
}

void span__calls_file_times(const struct span__calls_file *f, uint64_t trace,
			    uint64_t *start_ns, uint64_t *end_ns)
{
	const struct span__seg *s;
	uint64_t length;

	if (f->log) {
		*start_ns = f->log->traces[trace].start_ns;
		*end_ns = f->log->traces[trace].end_ns;
		return;
	}
	s = f->seg->seg;
	*start_ns = span__ints_get(&s->trace_start, trace);
	length = span__ints_get(&s->trace_end, trace);
	*end_ns = length > UINT64_MAX - *start_ns ? UINT64_MAX
						  : *start_ns + length;
}

int span__calls_file_trace(const struct span__calls_file *f, uint64_t trace,
			   struct span__call_trace *out, struct span_error *err)
{
	if (f->log)
		return log_trace(f->log, trace, out, err);
	return span__calls_seg_trace(f->seg, trace, out, err);
}
