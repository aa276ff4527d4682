/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans are placed as they start, on the first of some lanes where they nest
 * in what is open, or where nothing is. A lane is a stack of open spans, kept
 * as the innermost one and, for each span, the one around it.
 */
#include "encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Lanes that are tried for a span: work stays linear. */
#define TRIED 32u

#define NONE UINT32_MAX

struct lane {
	uint32_t group, top; /* the innermost open span, or NONE */
};

int encode_lanes_begin(struct encode_lanes *l, const struct span_trace *t,
		       struct span_error *err)
{
	char *at;

	l->memory.len = 0;
	at = span_buf_reserve(&l->memory, t->n * 3 * sizeof(uint32_t));
	if (!at)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	l->order = (uint32_t *)(void *)at;
	l->lane = l->order + t->n;
	l->group = l->lane + t->n;
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
	struct span_buf lanes;	/* struct lane */
	struct span_buf around; /* uint32_t: the span around each */
};

/* Put span I on LANE, when it nests there. */
static bool place(struct work *w, uint32_t i, uint32_t lane)
{
	struct lane *l = (struct lane *)(void *)w->lanes.p + lane;
	uint32_t *around = (uint32_t *)(void *)w->around.p;
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

static int put(struct work *w, uint32_t i, struct span_error *err)
{
	uint32_t parent = w->t->nodes[i].parent;
	size_t n = w->l->n_lanes, from = n > TRIED ? n - TRIED : 0;

	if (parent != SPAN_TRACE_NONE && w->l->lane[parent] != NONE &&
	    place(w, i, w->l->lane[parent]))
		return 0;
	for (size_t k = from; k < n; k++)
		if (place(w, i, (uint32_t)k))
			return 0;
	return new_lane(w, i, err);
}

int encode_lanes_build(struct encode_lanes *l, const struct span_trace *t,
		       struct span_error *err)
{
	struct work w = {.t = t, .l = l};
	int rc = 0;

	if (!span_buf_reserve(&w.around, t->n * sizeof(uint32_t)))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (uint32_t i = 0; i < t->n; i++) {
		l->order[i] = i;
		l->lane[i] = NONE;
	}
	qsort_r(l->order, t->n, sizeof(*l->order), compare,
		(void *)(uintptr_t)t);
	for (size_t i = 0; i < t->n && rc == 0; i++)
		rc = put(&w, l->order[i], err);
	span_buf_release(&w.lanes);
	span_buf_release(&w.around);
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
