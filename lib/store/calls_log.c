/* SPDX-License-Identifier: Apache-2.0 */
#include "store/calls_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "model/model.h"
#include "stream/frame.h"

#include "base/banned.h"

#define SPANS_MAX (UINT32_MAX - 1)

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

int span__calls_log_open(struct span__calls_log **out,
			 struct span__call_names *names, bool names_only,
			 struct span_error *err)
{
	struct span__calls_log *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l)
		return out_of_memory(err);
	l->names = names;
	l->names_only = names_only;
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
		const char *p = info->strings[i].p;
		const char *end = p + info->strings[i].len;

		if (info->strings[i].len < 6)
			continue;
		for (p += 2; p < end && (p = memchr(p, '=', end - p)); p++)
			if (p[-1] == 't' && p[-2] == 'o')
				return true;
	}
	return false;
}

static bool is_own_trace(const struct span__raw *r, struct dec *d)
{
	uint8_t id[16];

	if (dec_peek(d) == 0xc0) {
		d->p++;
		return true;
	}
	span__frame_trace_id(d, id);
	return !memcmp(id, r->trace_id, 16);
}

/* Is the reference to the parent of R, and nothing else in it? */
static bool follows_parent(const struct span__raw *r, struct dec *d)
{
	size_t n = dec_array(d);

	if (n < 3 || dec_int(d) != SPAN_REF_FOLLOWS_FROM || !is_own_trace(r, d))
		return false;
	if (dec_uint(d) != r->parent_id || (n > 3 && dec_array(d)))
		return false;
	for (size_t i = 4; i < n && i < 7; i++)
		if (dec_uint(d))
			return false;
	return !d->err;
}

/* As span__follows() of the span. */
static bool follows_only(const struct span__raw *r)
{
	struct dec d = r->d;

	if (r->n_elements < 13)
		return false;
	span__dec_skip(&d); /* attributes */
	span__dec_skip(&d); /* events */
	return dec_array(&d) == 1 && follows_parent(r, &d);
}

/* By address: the tables of a frame have each name and process once. */
static int find_name(struct span__calls_log *l, const struct span__raw *r,
		     double weight, uint32_t *number, struct span_error *err)
{
	const struct span_frame_info *info = span_frame_info(l->frame);
	bool error = span__judge_error(&l->judge, r);
	bool follows = follows_only(r);
	uint64_t key = (r->process << 27 | r->name) << 6 |
		       (uint64_t)r->kind << 2 | follows << 1 | error;
	struct span__call_name name;
	size_t at = key * 0x9e3779b97f4a7c15u >> 32 & (CALLS_LOG_RECENT - 1);
	int rc;

	if (l->recent[at].key == key + 1 && !l->has_state) {
		*number = l->recent[at].number;
		return 0;
	}
	name = (struct span__call_name){
		.service = info->processes[r->process].service,
		.name = info->strings[r->name],
		.kind = r->kind,
		.error = error,
		.follows = follows,
		.weight = weight,
	};
	rc = span__call_names_put(l->names, &name, number, err);
	if (rc < 0)
		return rc;
	l->recent[at].key = key + 1;
	l->recent[at].number = *number;
	return 0;
}

uint32_t *span__calls_log_slot(const struct span__calls_log *l,
			       const uint8_t id[16])
{
	size_t mask = l->table_size - 1;
	size_t at = span__hash(&l->key, id, 16) & mask;

	while (l->table[at] &&
	       memcmp(l->traces[l->table[at] - 1].id, id, 16) != 0)
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
		*span__calls_log_slot(l, traces[i].id) = i + 1;
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

/* The number of the trace ID, for which there is room; often the last one. */
static uint32_t find_trace(struct span__calls_log *l, const uint8_t id[16])
{
	struct span__log_trace *t;
	uint32_t *slot;

	if (l->last_trace < l->n_traces &&
	    !memcmp(l->traces[l->last_trace].id, id, 16))
		return l->last_trace;
	slot = span__calls_log_slot(l, id);
	if (!*slot) {
		t = &l->traces[l->n_traces];
		*t = (struct span__log_trace){.start_ns = UINT64_MAX};
		memcpy(t->id, id, 16);
		*slot = (uint32_t)++l->n_traces;
	}
	return l->last_trace = *slot - 1;
}

/* Count the span that was filled in at the end of v[] to its trace. */
static void join_trace(struct span__calls_log *l, const uint8_t id[16])
{
	struct span__log_call *c = &l->v[l->n];
	struct span__log_trace *t;
	uint64_t end;

	c->trace = find_trace(l, id);
	t = &l->traces[c->trace];
	t->n++;
	if (__builtin_add_overflow(c->start_ns, c->duration_ns, &end))
		end = UINT64_MAX;
	if (c->start_ns < t->start_ns)
		t->start_ns = c->start_ns;
	if (end > t->end_ns)
		t->end_ns = end;
	l->n++;
}

static int count_name(struct span__calls_log *l, const struct span__raw *r,
		      double weight, struct span_error *err)
{
	const size_t size = sizeof(uint64_t);
	uint32_t name;
	int rc = find_name(l, r, weight, &name, err);

	while (!rc && l->counts.len <= name * size) {
		uint64_t none = 0;

		span_buf_put(&l->counts, &none, size);
		if (l->counts.failed)
			rc = out_of_memory(err);
	}
	if (!rc)
		((uint64_t *)(void *)l->counts.p)[name]++;
	return rc;
}

static int put_span(struct span__calls_log *l, const struct span__raw *r,
		    double weight, struct span_error *err)
{
	struct span__log_call *c;
	int rc;

	if (l->names_only)
		return count_name(l, r, weight, err);
	if (l->n >= SPANS_MAX)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many spans in one log");
	if (!grow_spans(l) || !grow_traces(l))
		return out_of_memory(err);
	c = &l->v[l->n];
	c->id = r->id;
	c->parent_id = r->parent_id;
	c->start_ns = r->start_ns;
	c->duration_ns = r->duration_ns;
	rc = find_name(l, r, weight, &c->name, err);
	if (!rc)
		join_trace(l, r->trace_id);
	return rc;
}

/* How many spans the next span stands for, which is decoded for that. */
static int next_weight(struct span__calls_log *l, double *weight,
		       struct span_error *err)
{
	struct dec next = l->frame->next;
	uint32_t left = l->frame->spans_left;
	struct span s;
	int rc = span_frame_next(l->frame, &s, err);

	*weight = rc > 0 ? span__weight(s.trace_state) : 1;
	l->frame->next = next;
	l->frame->spans_left = left;
	return rc;
}

static int put_spans(struct span__calls_log *l, struct span_error *err)
{
	double weight = 1;
	int rc = span__judge_begin(&l->judge, l->frame, err);

	while (!rc) {
		struct span__raw r;

		if (l->has_state && l->frame->spans_left)
			rc = next_weight(l, &weight, err);
		if (rc >= 0)
			rc = span__judge_next(&l->judge, &r, err);
		if (rc <= 0)
			return rc;
		rc = put_span(l, &r, weight, err);
	}
	return rc;
}

int span__calls_log_put(struct span__calls_log *l, struct span_str frame,
			struct span_error *err)
{
	size_t used;
	int rc;

	rc = span__frame_parse_sound(l->frame, frame.p, frame.len, &used, err);
	if (rc > 0 && used != frame.len)
		return span_error_set(err, SPAN_E_CORRUPT,
				      "bytes behind the frame");
	if (rc <= 0)
		return rc;
	memset(l->recent, 0, sizeof(l->recent));
	l->has_state = find_state(span_frame_info(l->frame));
	return put_spans(l, err);
}

int span__calls_log_reserve(struct span__calls_log *l, uint64_t n,
			    struct span_error *err)
{
	void *v;

	if (n <= l->cap || n > SPANS_MAX || l->names_only)
		return 0;
	v = realloc(l->v, n * sizeof(*l->v));
	if (!v)
		return out_of_memory(err);
	span__huge_hint(v, n * sizeof(*l->v));
	l->v = v;
	l->cap = n;
	return 0;
}

int span__calls_log_piece(struct span__calls_log *l, size_t number, size_t from,
			  struct span_error *err)
{
	const struct span__log_piece piece = {number, (uint32_t)from,
					      (uint32_t)l->n};

	span_buf_put(&l->pieces, &piece, sizeof(piece));
	return l->pieces.failed ? out_of_memory(err) : 0;
}

/* The numbers that the traces of OTHER have in L, with their spans counted. */
static int join_traces(struct span__calls_log *l,
		       const struct span__calls_log *other, uint32_t *numbers,
		       struct span_error *err)
{
	for (size_t i = 0; i < other->n_traces; i++) {
		const struct span__log_trace *from = &other->traces[i];
		struct span__log_trace *t;

		if (!grow_traces(l))
			return out_of_memory(err);
		numbers[i] = find_trace(l, from->id);
		t = &l->traces[numbers[i]];
		t->n += from->n;
		if (from->start_ns < t->start_ns)
			t->start_ns = from->start_ns;
		if (from->end_ns > t->end_ns)
			t->end_ns = from->end_ns;
	}
	return 0;
}

static int join_pieces(struct span__calls_log *l,
		       const struct span__calls_log *other,
		       struct span_error *err)
{
	const struct span__log_piece *v =
		(const struct span__log_piece *)(const void *)other->pieces.p;
	size_t n = other->pieces.len / sizeof(*v);

	for (size_t i = 0; i < n; i++) {
		const struct span__log_piece piece = {
			v[i].number, v[i].from + (uint32_t)l->n,
			v[i].to + (uint32_t)l->n};

		span_buf_put(&l->pieces, &piece, sizeof(piece));
	}
	return l->pieces.failed ? out_of_memory(err) : 0;
}

int span__calls_log_join(struct span__calls_log *l,
			 const struct span__calls_log *other,
			 struct span_error *err)
{
	uint32_t *numbers;
	int rc;

	if (l->n + other->n > SPANS_MAX)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many spans in one log");
	numbers = calloc(other->n_traces + 1, sizeof(*numbers));
	if (!numbers)
		return out_of_memory(err);
	rc = span__calls_log_reserve(l, l->n + other->n, err);
	if (!rc)
		rc = join_traces(l, other, numbers, err);
	if (!rc)
		rc = join_pieces(l, other, err);
	for (size_t i = 0; i < other->n && !rc; i++) {
		l->v[l->n] = other->v[i];
		l->v[l->n++].trace = numbers[other->v[i].trace];
	}
	free(numbers);
	return rc;
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
	span_buf_release(&old->counts);
	span_buf_release(&old->pieces);
	free(old);
	*l = NULL;
}
