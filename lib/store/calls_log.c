/* SPDX-License-Identifier: Apache-2.0 */
#include "store/calls_log.h"

#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "stream/frame.h"

#include "base/banned.h"

#define SPANS_MAX (UINT32_MAX - 1)

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

int span__calls_log_open(struct span__calls_log **out,
			 struct span__call_names *names, struct span_error *err)
{
	struct span__calls_log *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l)
		return out_of_memory(err);
	l->names = names;
	l->errors.error = true;
	l->scan.range = &l->errors;
	span__filter_init(&l->filter, &l->scan);
	l->judge.filter = &l->filter;
	rc = span__key_init(&l->key, err);
	if (!rc)
		rc = span_frame_open(&l->frame, err);
	if (rc < 0)
		span__calls_log_close(&l);
	*out = l;
	return rc;
}

/* May a trace state in the frame tell how many spans one stands for? */
static bool find_state(const struct span_frame_info *info)
{
	for (size_t i = 0; i < info->n_strings; i++) {
		struct span_str s = info->strings[i];

		if (s.len >= 6 && memmem(s.p, s.len, "ot=", 3))
			return true;
	}
	return false;
}

static int find_name(struct span__calls_log *l, const struct span *s,
		     bool error, uint32_t *number, struct span_error *err)
{
	uint32_t bits = s->kind * 2u + error;
	uintptr_t at = (uintptr_t)s->name.p / 4 + (uintptr_t)s->process / 32 +
		       bits * 7u;
	struct span__call_name name;
	int rc;

	at = (at ^ at >> 8) % CALLS_LOG_RECENT;
	if (l->recent[at].process == s->process &&
	    l->recent[at].name == s->name.p && l->recent[at].bits == bits &&
	    !l->has_state) {
		*number = l->recent[at].number;
		return 0;
	}
	name = (struct span__call_name){
		.service = s->process->service,
		.name = s->name,
		.kind = s->kind,
		.error = error,
		.weight = l->has_state ? span__weight(s->trace_state) : 1,
	};
	rc = span__call_names_put(l->names, &name, number, err);
	if (rc < 0)
		return rc;
	l->recent[at].process = s->process;
	l->recent[at].name = s->name.p;
	l->recent[at].bits = bits;
	l->recent[at].number = *number;
	return 0;
}

uint32_t *span__calls_log_slot(const struct span__calls_log *l,
			       const uint8_t id[16])
{
	size_t mask = l->table_size - 1;
	size_t at = span__hash(&l->key, id, 16) & mask;

	while (l->table[at] &&
	       memcmp(l->v[l->traces[l->table[at] - 1].first].trace_id, id,
		      16) != 0)
		at = (at + 1) & mask;
	return &l->table[at];
}

static bool grow_traces(struct span__calls_log *l)
{
	size_t cap = l->cap_traces ? l->cap_traces * 2 : 1024;
	struct span__log_trace *traces;
	uint32_t *table;

	if (l->n_traces < l->cap_traces)
		return true;
	table = calloc(2 * cap, sizeof(*table));
	traces = table ? realloc(l->traces, cap * sizeof(*traces)) : NULL;
	if (!traces) {
		free(table);
		return false;
	}
	free(l->table);
	l->traces = traces;
	l->cap_traces = cap;
	l->table = table;
	l->table_size = 2 * cap;
	for (uint32_t i = 0; i < l->n_traces; i++)
		*span__calls_log_slot(l, l->v[traces[i].first].trace_id) =
			i + 1;
	return true;
}

static bool grow_spans(struct span__calls_log *l)
{
	size_t cap = l->cap ? l->cap + l->cap / 2 : 4096;
	void *v;

	if (l->n < l->cap)
		return true;
	v = realloc(l->v, cap * sizeof(*l->v));
	if (!v)
		return false;
	l->v = v;
	l->cap = cap;
	return true;
}

/* Count the span that was filled in at the end of v[] to its trace. */
static void join_trace(struct span__calls_log *l, const struct span *s)
{
	struct span__log_call *c = &l->v[l->n];
	struct span__log_trace *t;
	uint64_t end = span_end_ns(s);
	uint32_t *slot;

	if (l->n && !memcmp(l->v[l->n - 1].trace_id, c->trace_id, 16)) {
		c->trace = l->v[l->n - 1].trace;
	} else {
		slot = span__calls_log_slot(l, c->trace_id);
		if (!*slot) {
			l->traces[l->n_traces] = (struct span__log_trace){
				.first = (uint32_t)l->n,
				.start_ns = UINT64_MAX,
			};
			*slot = (uint32_t)++l->n_traces;
		}
		c->trace = *slot - 1;
	}
	t = &l->traces[c->trace];
	t->n++;
	if (s->start_ns < t->start_ns)
		t->start_ns = s->start_ns;
	if (end > t->end_ns)
		t->end_ns = end;
	l->n++;
}

static int put_span(struct span__calls_log *l, const struct span *s, bool error,
		    struct span_error *err)
{
	struct span__log_call *c;
	int rc;

	if (l->n >= SPANS_MAX)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many spans in one log");
	if (!grow_spans(l) || !grow_traces(l))
		return out_of_memory(err);
	c = &l->v[l->n];
	*c = (struct span__log_call){
		.id = span__id(s->span_id),
		.parent_id = span__id(s->parent_id),
		.start_ns = s->start_ns,
		.duration_ns = s->duration_ns,
	};
	memcpy(c->trace_id, s->trace_id, 16);
	rc = find_name(l, s, error, &c->name, err);
	if (!rc)
		join_trace(l, s);
	return rc;
}

/* The first N spans of the frame, which were judged. */
static int put_spans(struct span__calls_log *l, uint32_t n,
		     struct span_error *err)
{
	struct span s;
	int rc = 1;

	for (uint32_t i = 0; i < n && rc > 0; i++) {
		rc = span_frame_next_head(l->frame, NULL, 0, &s, err);
		if (rc > 0 && l->has_state &&
		    span_frame_complete(l->frame, &s, err) < 0)
			rc = SPAN_E_CORRUPT;
		if (rc <= 0)
			return rc;
		rc = put_span(l, &s, span__judge_bit(&l->judge, i), err);
		rc = rc ? rc : 1;
	}
	return rc < 0 ? rc : 0;
}

int span__calls_log_put(struct span__calls_log *l, struct span_str frame,
			struct span_error *err)
{
	uint32_t n;
	size_t used;
	int rc, bad;

	rc = span__frame_parse_sound(l->frame, frame.p, frame.len, &used, err);
	if (rc > 0 && used != frame.len)
		return span_error_set(err, SPAN_E_CORRUPT,
				      "bytes behind the frame");
	if (rc <= 0)
		return rc;
	memset(l->recent, 0, sizeof(l->recent));
	l->has_state = find_state(span_frame_info(l->frame));
	bad = span__judge_frame(&l->judge, l->frame, &n, err);
	if (bad == SPAN_E_NOMEM)
		return bad;
	rc = put_spans(l, span_frame_info(l->frame)->n_spans, err);
	return rc < 0 ? rc : bad;
}

size_t span__calls_log_memory(const struct span__calls_log *l)
{
	return l->cap * (sizeof(*l->v) + sizeof(*l->order)) +
	       l->cap_traces * (sizeof(*l->traces) + 8);
}

void span__calls_log_close(struct span__calls_log **l)
{
	struct span__calls_log *old = *l;

	if (!old)
		return;
	span__judge_release(&old->judge);
	span_frame_close(&old->frame);
	free(old->v);
	free(old->traces);
	free(old->table);
	free(old->order);
	free(old);
	*l = NULL;
}
