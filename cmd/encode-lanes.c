/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans are placed as they start, on their parent's lane or the first of some
 * others where they nest in what is open, else on one where nothing is. So
 * there are no more lanes than spans at one time. A lane is a stack of open
 * spans, kept as the innermost one and, for each span, the one around it.
 *
 * Lanes where nothing is are found by a second order, by end: when the
 * outermost span of a lane has ended, its lane is put on a stack. One that was
 * taken again meanwhile is passed over.
 */
#include "encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Lanes that are tried for a span: work stays linear. */
#define TRIED 32u

#define NONE SPAN_TRACE_NONE

struct lane {
	uint32_t group, top; /* the innermost open span, or NONE */
};

int encode_lanes_begin(struct encode_lanes *l, const struct span_trace *t,
		       struct span_error *err)
{
	char *at;

	l->memory.len = 0;
	at = span_buf_reserve(&l->memory, t->n * 4 * sizeof(uint32_t));
	if (!at)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	l->order = (uint32_t *)(void *)at;
	l->lane = l->order + t->n;
	l->group = l->lane + t->n;
	l->around = l->group + t->n;
	memset(l->group, 0, t->n * sizeof(*l->group));
	l->n_lanes = 0;
	return 0;
}

/* By start; of those that start together what ends last, then the parent. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct span_trace *t = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct span *x = &t->spans[i], *y = &t->spans[k];

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (span_end_ns(x) != span_end_ns(y))
		return span_end_ns(x) > span_end_ns(y) ? -1 : 1;
	if (t->nodes[i].depth != t->nodes[k].depth)
		return t->nodes[i].depth < t->nodes[k].depth ? -1 : 1;
	return i < k ? -1 : i > k;
}

struct work {
	const struct span_trace *t;
	struct encode_lanes *l;
	struct span_buf lanes; /* struct lane */
	struct span_buf free;  /* uint32_t: lanes, some of them taken again */
	struct span_buf memory;
	uint32_t *spans;  /* by group, then in order */
	uint32_t *by_end; /* by group, then as they end */
	size_t n_ended;	  /* of by_end */
	size_t first;	  /* lane of the group */
};

static uint32_t group_of(const struct work *w, uint32_t i)
{
	return w->l->group[i];
}

static int compare_group(const void *a, const void *b, void *arg)
{
	const struct work *w = arg;
	uint32_t i = group_of(w, *(const uint32_t *)a);
	uint32_t k = group_of(w, *(const uint32_t *)b);

	if (i != k)
		return i < k ? -1 : 1;
	return compare(a, b, (void *)(uintptr_t)w->t);
}

static int compare_end(const void *a, const void *b, void *arg)
{
	const struct work *w = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint64_t x = span_end_ns(&w->t->spans[i]);
	uint64_t y = span_end_ns(&w->t->spans[k]);

	if (group_of(w, i) != group_of(w, k))
		return group_of(w, i) < group_of(w, k) ? -1 : 1;
	if (x != y)
		return x < y ? -1 : 1;
	return compare(a, b, (void *)(uintptr_t)w->t);
}

/* Put span I on LANE, when it nests there. */
static bool place(struct work *w, uint32_t i, uint32_t lane)
{
	struct lane *l = (struct lane *)(void *)w->lanes.p + lane;
	uint32_t *around = w->l->around;
	const struct span *s = &w->t->spans[i];

	if (l->group != w->l->group[i])
		return false;
	while (l->top != NONE &&
	       span_end_ns(&w->t->spans[l->top]) <= s->start_ns &&
	       !(s->duration_ns == 0 &&
		 w->t->spans[l->top].start_ns == s->start_ns))
		l->top = around[l->top];
	if (l->top != NONE &&
	    span_end_ns(&w->t->spans[l->top]) < span_end_ns(s))
		return false;
	around[i] = l->top;
	l->top = i;
	w->l->lane[i] = lane;
	return true;
}

static int new_lane(struct work *w, uint32_t i, struct span_error *err)
{
	struct lane l = {w->l->group[i], NONE};

	span_buf_put(&w->lanes, &l, sizeof(l));
	if (w->lanes.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	(void)place(w, i, (uint32_t)w->l->n_lanes++);
	return 0;
}

/* Lanes whose outermost span has ended before NS are free. */
static void find_free(struct work *w, uint64_t ns)
{
	for (; w->n_ended < w->t->n; w->n_ended++) {
		uint32_t i = w->by_end[w->n_ended];

		if (w->l->lane[i] == NONE || span_end_ns(&w->t->spans[i]) > ns)
			return;
		if (w->l->around[i] == NONE)
			span_buf_put(&w->free, &w->l->lane[i],
				     sizeof(w->l->lane[i]));
	}
}

static bool place_free(struct work *w, uint32_t i)
{
	const uint32_t *lanes = (const uint32_t *)(const void *)w->free.p;
	size_t n = w->free.len / sizeof(*lanes);

	while (n && !place(w, i, lanes[n - 1]))
		n--;
	w->free.len = (n ? n - 1 : 0) * sizeof(*lanes);
	return n > 0;
}

static int put(struct work *w, uint32_t i, struct span_error *err)
{
	uint32_t parent = w->t->nodes[i].parent;
	size_t n = w->l->n_lanes, from = w->first;

	find_free(w, w->t->spans[i].start_ns);
	if (parent != SPAN_TRACE_NONE && w->l->lane[parent] != NONE &&
	    place(w, i, w->l->lane[parent]))
		return 0;
	if (n - from > TRIED)
		from = n - TRIED;
	for (size_t k = from; k < n; k++)
		if (place(w, i, (uint32_t)k))
			return 0;
	return place_free(w, i) ? 0 : new_lane(w, i, err);
}

static void begin_group(struct work *w, size_t k)
{
	w->n_ended = k;
	w->free.len = 0;
	w->first = w->l->n_lanes;
}

/* Lanes get their numbers as their first spans start. */
static int number_lanes(struct work *w, struct span_error *err)
{
	struct encode_lanes *l = w->l;
	uint32_t *number, next = 0;

	w->free.len = 0;
	number = (uint32_t *)(void *)span_buf_reserve(
		&w->free, l->n_lanes * sizeof(*number));
	if (!number)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < l->n_lanes; i++)
		number[i] = NONE;
	for (size_t k = 0; k < w->t->n; k++) {
		uint32_t *lane = &l->lane[l->order[k]];

		if (number[*lane] == NONE)
			number[*lane] = next++;
		*lane = number[*lane];
	}
	return 0;
}

static bool sort_spans(struct work *w)
{
	size_t n = w->t->n, len = n * sizeof(*w->spans);
	struct encode_lanes *l = w->l;

	w->spans = (uint32_t *)(void *)span_buf_reserve(&w->memory, 2 * len);
	if (!w->spans)
		return false;
	w->by_end = w->spans + n;
	for (uint32_t i = 0; i < n; i++) {
		l->order[i] = w->spans[i] = w->by_end[i] = i;
		l->lane[i] = NONE;
	}
	qsort_r(l->order, n, sizeof(*l->order), compare,
		(void *)(uintptr_t)w->t);
	qsort_r(w->spans, n, sizeof(*w->spans), compare_group, w);
	qsort_r(w->by_end, n, sizeof(*w->by_end), compare_end, w);
	return true;
}

int encode_lanes_build(struct encode_lanes *l, const struct span_trace *t,
		       struct span_error *err)
{
	struct work w = {.t = t, .l = l};
	int rc = 0;

	if (!sort_spans(&w))
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t k = 0; k < t->n && rc == 0; k++) {
		if (!k ||
		    group_of(&w, w.spans[k - 1]) != group_of(&w, w.spans[k]))
			begin_group(&w, k);
		rc = put(&w, w.spans[k], err);
	}
	if (rc == 0)
		rc = number_lanes(&w, err);
	span_buf_release(&w.lanes);
	span_buf_release(&w.free);
	span_buf_release(&w.memory);
	return rc;
}

void encode_lanes_release(struct encode_lanes *l)
{
	span_buf_release(&l->memory);
	*l = (struct encode_lanes){0};
}

void encode_frame_name(struct span_buf *b, const struct span *s)
{
	span_buf_str(b, s->process->service);
	span_buf_putc(b, ':');
	span_buf_str(b, s->name);
}
