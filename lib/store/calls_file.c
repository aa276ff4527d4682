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

/* Each array twice: as it is filled, and sorted. */
bool span__call_trace_room(struct span__call_trace *t, size_t n,
			   struct span__member **members,
			   struct span__call **calls)
{
	size_t each = 2 * (sizeof(**members) + sizeof(**calls) +
			   sizeof(struct span__item));

	t->buf.len = 0;
	if (n > SIZE_MAX / 2 / each || !span_buf_reserve(&t->buf, n * each)) {
		t->buf.failed = false;
		return false;
	}
	*members = (struct span__member *)t->buf.p;
	*calls = (struct span__call *)(*members + 2 * n);
	t->members = *members;
	t->calls = *calls;
	t->n = n;
	return true;
}

bool span__call_trace_sort(struct span__call_trace *t, size_t n)
{
	size_t room = t->n;
	struct span__member *members = (struct span__member *)t->buf.p;
	struct span__call *calls = (struct span__call *)(members + 2 * room);
	struct span__item *items = (struct span__item *)(calls + 2 * room);
	bool sorted = true;

	t->n = n;
	for (uint32_t i = 0; i < n; i++) {
		items[i] = (struct span__item){calls[i].start_ns, i};
		sorted = sorted && (!i || items[i - 1].key <= items[i].key);
	}
	if (sorted)
		return true;
	span__sort(items, items + room, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		members[room + i] = members[items[i].i];
		calls[room + i] = calls[items[i].i];
	}
	t->members = members + room;
	t->calls = calls + room;
	return true;
}

int span__call_trace_link(struct span__call_trace *t, struct span_error *err)
{
	int rc = span__parents_find(&t->parents, t->members, t->n);

	return rc < 0 ? out_of_memory(err) : 0;
}

void span__call_trace_release(struct span__call_trace *t)
{
	span__parents_release(&t->parents);
	span_buf_release(&t->buf);
	*t = (struct span__call_trace){0};
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
	for (uint32_t i = 0; i < l->n; i++) {
		struct span__log_trace *t = &l->traces[l->v[i].trace];

		l->order[t->first + t->n++] = i;
	}
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
		const struct span__log_trace *t = &l->traces[l->table[at] - 1];

		if (memcmp(l->v[l->order[t->first]].trace_id, id, 16) != 0)
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
	struct span__member *members;
	struct span__call *calls;

	if (!span__call_trace_room(out, t->n, &members, &calls))
		return out_of_memory(err);
	for (uint32_t k = 0; k < t->n; k++) {
		uint32_t i = l->order[t->first + k];
		const struct span__log_call *c = &l->v[i];
		const struct span__call_name *name = &l->names->v[c->name];

		members[k] = (struct span__member){
			c->id, c->parent_id, name->service_number, name->kind};
		calls[k] = (struct span__call){c->start_ns, c->duration_ns,
					       c->name, i, false};
	}
	if (!span__call_trace_sort(out, t->n))
		return out_of_memory(err);
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
	const struct span__calls_log *l = f->log;

	if (l)
		memcpy(id, l->v[l->order[l->traces[trace].first]].trace_id, 16);
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
