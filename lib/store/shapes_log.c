/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shapes_log.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/slots.h"
#include "base/sort.h"
#include "stream/frame.h"

#include "base/banned.h"

#define NONE UINT32_MAX

/* A span that was asked. */
struct asked {
	uint64_t id, parent_id;
	uint64_t chosen;
	uint32_t trace;
};

struct trace {
	uint8_t id[16];
	uint64_t hash; /* in the set */
	uint32_t n;    /* its spans */
	bool needed;   /* one of them is */
	bool apart;    /* no shape tells of it */
};

/* A span of the trace at hand. */
struct node {
	uint32_t child, sibling; /* the first one, the next one, or NONE */
	uint32_t parent;
};

struct span__shapes_log {
	struct span__shapes_sink *sink;
	struct span__trace_set set;
	struct span_buf traces;	  /* struct trace */
	struct span__slots by_id; /* traces */
	uint32_t last;		  /* trace */
	struct span_buf spans;	  /* struct asked */
	uint32_t n_spans;
	bool all_apart; /* what was asked is not whole */
	struct span_frame *frame;
	/* of a trace at the end */
	struct span_buf items, nodes, shape;
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static struct trace *traces(const struct span__shapes_log *l)
{
	return (struct trace *)(void *)l->traces.p;
}

static struct asked *spans(const struct span__shapes_log *l)
{
	return (struct asked *)(void *)l->spans.p;
}

int span__shapes_log_open(struct span__shapes_log **out,
			  struct span__shapes_sink *sink,
			  struct span_error *err)
{
	struct span__shapes_log *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l)
		return out_of_memory(err);
	l->sink = sink;
	rc = span__trace_set_init(&l->set, err);
	if (!rc)
		rc = span_frame_open(&l->frame, err);
	if (rc < 0)
		span__shapes_log_close(&l);
	*out = l;
	return rc;
}

void span__shapes_log_close(struct span__shapes_log **lp)
{
	struct span__shapes_log *l = *lp;

	if (!l)
		return;
	span__trace_set_release(&l->set);
	span_frame_close(&l->frame);
	span_buf_release(&l->traces);
	span_buf_release(&l->spans);
	span_buf_release(&l->items);
	span_buf_release(&l->nodes);
	span_buf_release(&l->shape);
	free(l->by_id.slots);
	free(l);
	*lp = NULL;
}

const struct span__trace_set *
span__shapes_log_traces(const struct span__shapes_log *l)
{
	return &l->set;
}

/* ---- Traces ---- */

/* The place of a trace, or the free one where it belongs. */
static uint32_t *find_place(const struct span__shapes_log *l, const uint8_t *id,
			    uint64_t hash)
{
	const uint32_t *slots = l->by_id.slots;
	size_t mask = ((size_t)1 << l->by_id.bits) - 1, at = hash & mask;

	while (slots[at] && memcmp(traces(l)[slots[at] - 1].id, id, 16) != 0)
		at = (at + 1) & mask;
	return &l->by_id.slots[at];
}

static uint64_t hash_trace(const void *arg, const struct span__slots *t,
			   uint32_t i)
{
	(void)t;
	return traces(arg)[i].hash;
}

static bool put_trace(struct span__shapes_log *l, const uint8_t *id,
		      uint64_t hash)
{
	struct trace t = {.hash = hash};

	memcpy(t.id, id, 16);
	span_buf_put(&l->traces, &t, sizeof(t));
	if (l->traces.failed || span__trace_set_put(&l->set, hash) < 0)
		return false;
	*find_place(l, id, hash) = ++l->by_id.n;
	return true;
}

/* L->last becomes the trace ID. */
static bool see_trace(struct span__shapes_log *l, const uint8_t id[16])
{
	uint64_t high, low, hash;

	if (l->by_id.n && !memcmp(traces(l)[l->last].id, id, 16))
		return true;
	if (span__slots_grow(&l->by_id, hash_trace, l) < 0)
		return false;
	memcpy(&high, id, 8);
	memcpy(&low, id + 8, 8);
	hash = span__trace_set_hash(&l->set, be64toh(high), be64toh(low));
	if (!*find_place(l, id, hash) && !put_trace(l, id, hash))
		return false;
	l->last = *find_place(l, id, hash) - 1;
	return true;
}

/* ---- Frames ---- */

static uint64_t number_of(const uint8_t id[8])
{
	uint64_t v;

	memcpy(&v, id, sizeof(v));
	return be64toh(v);
}

/* All of its spans start in the times of the sink, as shapes do not tell. */
static bool is_inside(const struct span__shapes_sink *sink,
		      const struct span *s)
{
	return s->start_ns >= sink->since_ns &&
	       (!sink->until_ns || s->start_ns < sink->until_ns);
}

/* Keep what was said of a span of the trace T. */
static int keep(struct span__shapes_log *l, struct trace *t,
		const struct span *s, uint64_t chosen, struct span_error *err)
{
	const struct asked asked = {
		.id = number_of(s->span_id),
		.parent_id = number_of(s->parent_id),
		.chosen = chosen,
		.trace = l->last,
	};

	l->all_apart |= l->n_spans == SHAPES_LOG_SPANS;
	if (l->all_apart)
		return 0;
	t->n++;
	l->n_spans++;
	span_buf_put(&l->spans, &asked, sizeof(asked));
	return l->spans.failed ? out_of_memory(err) : 0;
}

static int see_span(struct span__shapes_log *l, const struct span *s,
		    struct span_error *err)
{
	struct trace *t;
	uint64_t chosen = 0;
	bool needed = false;
	int rc;

	if (!see_trace(l, s->trace_id))
		return out_of_memory(err);
	t = &traces(l)[l->last];
	rc = l->sink->span(l->sink->arg, s, &chosen, &needed, err);
	if (rc < 0)
		return rc;
	t->needed |= needed;
	t->apart |= !rc || !is_inside(l->sink, s);
	return t->apart ? 0 : keep(l, t, s, chosen, err);
}

/* The next span, with its attributes where these matter: 1, 0 or a code. */
static int next_span(struct span__shapes_log *l, struct span *s,
		     struct span_error *err)
{
	struct span_frame *f = l->frame;
	int rc = span_frame_next_head(f, NULL, 0, s, err);

	if (rc <= 0)
		return rc;
	if (!l->sink->attrs)
		rc = span_frame_outline(f, s, err);
	else if (f->n_elements > 10) {
		span_arena_reset(&f->span_arena);
		span__frame_attrs(f, &f->span, &f->span_arena, &s->attrs);
		rc = f->span.err ? span__frame_fail(f, &f->span, err) : 0;
	}
	return rc < 0 ? rc : 1;
}

int span__shapes_log_frame(void *log, struct span_str frame,
			   struct span_error *err)
{
	struct span__shapes_log *l = log;
	struct span s;
	size_t used;
	int rc = span__frame_parse_sound(l->frame, frame.p, frame.len, &used,
					 err);

	while (rc >= 0 && (rc = next_span(l, &s, err)) > 0)
		rc = see_span(l, &s, err);
	/* Who reads the traces themselves may get a part of it. */
	l->all_apart |= rc < 0;
	return rc;
}

/* ---- Trees ---- */

/* The item of the span with ID; NULL: there is none. */
static const struct span__item *find_id(const struct span__item *v, size_t n,
					uint64_t id)
{
	size_t from = 0;

	while (n) {
		size_t half = n / 2;

		if (v[from + half].key < id) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return &v[from];
}

/*
 * Everybody's parent into NODES, by the items V of the N spans. False when two
 * have one id, or a parent is not there.
 */
static bool find_parents(const struct asked *const *span, size_t n,
			 struct span__item *v, struct node *nodes)
{
	for (uint32_t i = 0; i < n; i++) {
		v[i] = (struct span__item){span[i]->id, i};
		nodes[i] = (struct node){NONE, NONE, NONE};
	}
	span__sort(v, v + n, n, NULL, NULL);
	for (size_t i = 1; i < n; i++)
		if (v[i].key == v[i - 1].key)
			return false;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t id = span[i]->parent_id;
		const struct span__item *found;

		if (!id)
			continue;
		found = find_id(v, n, id);
		if (found == v + n || found->key != id || found->i == i)
			return false;
		nodes[i].parent = found->i;
	}
	return true;
}

/* As lists of children. Returns the first root. */
static uint32_t link_children(struct node *v, size_t n)
{
	uint32_t root = NONE;

	for (uint32_t i = (uint32_t)n; i-- > 0;) {
		uint32_t *list =
			v[i].parent == NONE ? &root : &v[v[i].parent].child;

		v[i].sibling = *list;
		*list = i;
	}
	return root;
}

/* In preorder into SHAPE: how many were reached, all but those in circles. */
static size_t walk(const struct asked *const *span, const struct node *v,
		   uint32_t root, struct span__shape_node *shape)
{
	uint32_t i = root, depth = 0;
	size_t n = 0;

	while (i != NONE) {
		shape[n++] = (struct span__shape_node){span[i]->chosen, depth};
		if (v[i].child != NONE) {
			i = v[i].child;
			depth++;
			continue;
		}
		while (v[i].sibling == NONE && v[i].parent != NONE) {
			i = v[i].parent;
			depth--;
		}
		i = v[i].sibling;
	}
	return n;
}

/* Ask a trace of N spans: 1; 0 when a shape does not tell; or a code. */
static int ask_trace(struct span__shapes_log *l,
		     const struct asked *const *span, size_t n,
		     struct span_error *err)
{
	struct span__shapes_sink *sink = l->sink;
	struct span__shape_node *shape;
	struct span__item *items;
	struct node *nodes;
	uint32_t matched;
	int rc;

	l->items.len = l->nodes.len = l->shape.len = 0;
	items = (void *)span_buf_reserve(&l->items, 2 * n * sizeof(*items));
	nodes = (void *)span_buf_reserve(&l->nodes, n * sizeof(*nodes));
	shape = (void *)span_buf_reserve(&l->shape, n * sizeof(*shape));
	if (!items || !nodes || !shape)
		return out_of_memory(err);
	if (!find_parents(span, n, items, nodes) ||
	    walk(span, nodes, link_children(nodes, n), shape) != n)
		return 0;
	rc = sink->shape(sink->arg, shape, n, &matched, err);
	if (rc < 0)
		return rc;
	sink->n_traces += matched > 0;
	sink->n_spans += matched;
	return 1;
}

/* ---- The end ---- */

/* All spans by trace; NULL: memory. */
static const struct asked **sort_spans(const struct span__shapes_log *l)
{
	const struct asked **v = calloc(l->n_spans + 1, sizeof(*v));
	uint32_t *next = calloc((size_t)l->by_id.n + 1, sizeof(*next));

	for (uint32_t i = 1; v && next && i < l->by_id.n; i++)
		next[i] = next[i - 1] + traces(l)[i - 1].n;
	for (uint32_t i = 0; v && next && i < l->n_spans; i++)
		v[next[spans(l)[i].trace]++] = &spans(l)[i];
	if (!next) {
		free(v);
		v = NULL;
	}
	free(next);
	return v;
}

/* Who is told of a trace that is in segments is told by these. */
static int finish_trace(struct span__shapes_log *l, const struct trace *t,
			const struct asked *const *span,
			const struct span__trace_set *shared,
			struct span_error *err)
{
	int rc = 0;

	if (!t->needed)
		return 0;
	if (!l->all_apart && !t->apart && !span__trace_set_has(shared, t->hash))
		rc = ask_trace(l, span, t->n, err);
	return rc ? rc : l->sink->trace(l->sink->arg, t->id, err);
}

int span__shapes_log_finish(struct span__shapes_log *l,
			    const struct span__trace_set *shared,
			    struct span_error *err)
{
	const struct asked **v = NULL;
	size_t at = 0;
	int rc = 0;

	if (l->all_apart)
		l->n_spans = 0;
	else
		v = sort_spans(l);
	if (!v && !l->all_apart)
		return out_of_memory(err);
	for (uint32_t i = 0; i < l->by_id.n && rc >= 0; i++) {
		rc = finish_trace(l, &traces(l)[i], v ? v + at : NULL, shared,
				  err);
		at += traces(l)[i].n;
	}
	free(v);
	return rc < 0 ? rc : 0;
}
