/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths share their beginnings: a tree of steps, each found by the step before
 * it and its name, so that a trace takes time linear in its spans however long
 * its paths are. Spans of one service that call each other are one step.
 */
#include "graph/graph_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define NONE UINT32_MAX

struct step {
	uint32_t before, node; /* BEFORE: NONE at the beginning */
	uint32_t depth;
	bool focus; /* it or one before is of the service */
	uint64_t calls, traces, last_trace;
	uint8_t trace_id[16];
};

struct span_paths {
	struct span_graph *names; /* only for its nodes */
	struct span_buf focus;
	bool by_operation;
	struct span_buf steps; /* array */
	struct span__slots table;
	struct span_buf scratch;
	uint64_t n_traces, left_out;
	uint32_t *order; /* of what is returned */
	size_t n_order, next;
	struct span_path_step path[SPAN_PATHS_STEPS];
};

/* What is known of the spans of a trace. */
struct walk {
	uint32_t *step;	 /* NONE: left out */
	uint32_t *entry; /* the span by which its service was called */
	uint8_t *calls;	 /* of an entry: another service was called */
};

static struct step *step(const struct span_paths *p, uint32_t i)
{
	return (struct step *)p->steps.p + i;
}

int span_paths_open(struct span_paths **out, struct span_str focus,
		    bool by_operation, struct span_error *err)
{
	struct span_graph_opts o = {.by_operation = by_operation};
	struct span_paths *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (!p)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	p->by_operation = by_operation;
	span_buf_str(&p->focus, focus);
	rc = span_graph_open(&p->names, &o, err);
	if (!rc && p->focus.failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (rc < 0)
		span_paths_close(&p);
	*out = p;
	return rc;
}

static uint64_t hash(const struct span_paths *p, uint32_t before, uint32_t node)
{
	uint32_t words[2] = {before, node};

	return span__hash(&p->names->key, words, sizeof(words));
}

static uint64_t hash_step(const void *paths, const struct span__slots *t,
			  uint32_t i)
{
	const struct span_paths *p = paths;

	(void)t;
	return hash(p, step(p, i)->before, step(p, i)->node);
}

static int find_step(struct span_paths *p, uint32_t before, uint32_t node,
		     bool focus, uint32_t *out)
{
	struct span__slots *t = &p->table;
	uint64_t at = hash(p, before, node);
	uint32_t mask, slot;
	struct step *new;

	if (span__slots_grow(t, hash_step, p) < 0)
		return SPAN_E_NOMEM;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = slot - 1;
		if (step(p, *out)->before == before &&
		    step(p, *out)->node == node)
			return 0;
	}
	*out = NONE;
	if (t->n == SPAN_PATHS_MAX)
		return 0;
	new = span__append_zeros(&p->steps, sizeof(*new));
	if (!new)
		return SPAN_E_NOMEM;
	new->before = before;
	new->node = node;
	new->focus = focus;
	if (before != NONE) {
		new->depth = step(p, before)->depth + 1;
		new->focus |= step(p, before)->focus;
	}
	*out = t->n++;
	t->slots[at & mask] = *out + 1;
	return 0;
}

static bool is_focus(const struct span_paths *p, const struct span *s)
{
	return span_str_equal(s->process->service,
			      (struct span_str){p->focus.p, p->focus.len});
}

/* Span I calls its service: *OUT is its step, NONE when it was left out. */
static int enter(struct span_paths *p, const struct span *s, uint32_t before,
		 uint32_t *out)
{
	struct span_graph_node name = {.service = s->process->service};
	uint32_t node;
	int rc;

	if (p->by_operation)
		name.operation = s->name;
	rc = span__graph_find_node(p->names, &name, &node);
	*out = NONE;
	return rc < 0 || node == SPAN__NO_NODE
		       ? rc
		       : find_step(p, before, node, is_focus(p, s), out);
}

static int place(struct span_paths *p, const struct span_trace *t,
		 struct walk *w, uint32_t i)
{
	uint32_t parent = t->nodes[i].parent, before = NONE;
	int rc;

	if (parent != SPAN_TRACE_NONE) {
		before = w->step[parent];
		w->step[i] = before;
		w->entry[i] = w->entry[parent];
		if (before == NONE ||
		    step(p, before)->depth == SPAN_PATHS_STEPS - 1 ||
		    span_str_equal(t->spans[i].process->service,
				   t->spans[parent].process->service))
			return 0;
		w->calls[w->entry[parent]] = 1;
	}
	w->entry[i] = i;
	rc = enter(p, &t->spans[i], before, &w->step[i]);
	p->left_out += !rc && w->step[i] == NONE;
	return rc;
}

static void count_end(struct span_paths *p, const struct span_trace *t,
		      uint32_t i)
{
	struct step *end = step(p, i);

	if (!end->calls)
		memcpy(end->trace_id, t->trace_id, sizeof(end->trace_id));
	end->calls++;
	end->traces += end->last_trace != p->n_traces;
	end->last_trace = p->n_traces;
}

int span_paths_put(struct span_paths *p, const struct span_trace *t,
		   struct span_error *err)
{
	struct walk w;
	size_t i = 0;
	int rc = 0;

	while (i < t->n && !is_focus(p, &t->spans[i]))
		i++;
	if (i == t->n)
		return 0;
	p->n_traces++;
	p->scratch.len = 0;
	w.step = span__append_zeros(&p->scratch,
				    t->n * (2 * sizeof(*w.step) + 1));
	if (!w.step)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	w.entry = w.step + t->n;
	w.calls = (uint8_t *)(w.entry + t->n);
	for (i = 0; i < t->n && !rc; i++)
		rc = place(p, t, &w, t->order[i]);
	if (rc < 0)
		return span_error_set(err, rc, "memory is out");
	for (uint32_t k = 0; k < t->n; k++)
		if (w.entry[k] == k && w.step[k] != NONE && !w.calls[k] &&
		    step(p, w.step[k])->focus)
			count_end(p, t, w.step[k]);
	return 0;
}

static void spell(const struct span_paths *p, uint32_t i,
		  struct span_path_step *out)
{
	for (; i != NONE; i = step(p, i)->before) {
		const struct span_graph_node *n =
			span__graph_node(p->names, step(p, i)->node);

		out[step(p, i)->depth] =
			(struct span_path_step){n->service, n->operation};
	}
}

static int compare_names(const struct span_paths *p, uint32_t a, uint32_t b)
{
	struct span_path_step x[SPAN_PATHS_STEPS], y[SPAN_PATHS_STEPS];
	uint32_t n = step(p, a)->depth, m = step(p, b)->depth;
	int order = 0;

	spell(p, a, x);
	spell(p, b, y);
	for (uint32_t i = 0; i <= n && i <= m && !order; i++) {
		order = span_str_compare(x[i].service, y[i].service);
		if (!order)
			order = span_str_compare(x[i].operation,
						 y[i].operation);
	}
	return order ? order : n < m ? -1 : n > m;
}

static int compare(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	const struct span_paths *p = arg;

	if (step(p, *x)->calls != step(p, *y)->calls)
		return step(p, *x)->calls > step(p, *y)->calls ? -1 : 1;
	return *x == *y ? 0 : compare_names(p, *x, *y);
}

static int arrange(struct span_paths *p)
{
	p->order = calloc(p->table.n + 1, sizeof(*p->order));
	if (!p->order)
		return SPAN_E_NOMEM;
	for (uint32_t i = 0; i < p->table.n; i++)
		if (step(p, i)->calls)
			p->order[p->n_order++] = i;
	qsort_r(p->order, p->n_order, sizeof(*p->order), compare, p);
	return 0;
}

int span_paths_next(struct span_paths *p, struct span_path *out,
		    struct span_error *err)
{
	const struct step *end;

	if (!p->order && arrange(p) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (p->next == p->n_order)
		return 0;
	end = step(p, p->order[p->next]);
	spell(p, p->order[p->next++], p->path);
	*out = (struct span_path){
		.steps = p->path,
		.n = end->depth + 1,
		.calls = end->calls,
		.traces = end->traces,
	};
	memcpy(out->trace_id, end->trace_id, sizeof(out->trace_id));
	return 1;
}

uint64_t span_paths_left_out(const struct span_paths *p)
{
	return p->left_out;
}

void span_paths_close(struct span_paths **pp)
{
	struct span_paths *p = *pp;

	if (!p)
		return;
	span_graph_close(&p->names);
	span_buf_release(&p->focus);
	span_buf_release(&p->steps);
	span_buf_release(&p->scratch);
	free(p->table.slots);
	free(p->order);
	free(p);
	*pp = NULL;
}
