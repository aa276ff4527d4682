/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns, type by type, which threads share out. Texts are planned first,
 * since they tell which strings the segment needs; when these have their
 * numbers all is put together.
 */
#include "store/seg_build_state.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/parallel.h"

#include "base/banned.h"

#define THREAD_SPANS 4096u /* for which one more thread is worth it */

/* What threads share while they plan: each type is one thread's. */
struct planning {
	struct span__seg_builder *b;
	const struct span__build_order *o;
	struct span__build_output *out;
	uint32_t *by_type; /* spans of each type in order */
	uint32_t *first;   /* of each type, in order, in there */
	uint32_t longest;
	size_t base;	    /* bytes of memory beside what is planned */
	atomic_size_t held; /* of plans */
	atomic_size_t next; /* type */
	atomic_int rc;	    /* the first error */
};

/* What the columns of one type are gathered in. */
struct gather {
	struct planning *p;
	struct span__seg_builder *b;
	struct span__build_output *out;
	struct span__texts_scratch scratch;
	struct span_buf column;
	struct span_buf *numbers;      /* of the type */
	struct span__texts_plan *plan; /* the next one */
	uint64_t *as_came;	       /* a column as it came */
	uint64_t *values;	       /* in order */
	uint32_t *rows;		       /* of the spans in order */
	const uint32_t *list;	       /* spans of the type */
	uint32_t n;
};

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM,
			      "no memory for a segment's columns");
}

/* List the spans of each type in order. */
static bool list_by_type(struct planning *p)
{
	const struct span__build_span *spans = span__build_spans(p->b);
	const struct span__build_type *types = span__build_types(p->b);
	size_t n = span__seg_builder_spans(p->b);
	size_t n_types = span__build_n_types(p->b);
	uint32_t *next = calloc(n_types + 1, sizeof(*next)), at = 0;

	p->first = calloc(n_types + 1, sizeof(*p->first));
	p->by_type = malloc((n + 1) * sizeof(*p->by_type));
	if (!next || !p->first || !p->by_type) {
		free(next);
		return false;
	}
	span__huge_hint(p->by_type, (n + 1) * sizeof(*p->by_type));
	for (size_t i = 0; i < n_types; i++) {
		uint32_t rows = types[p->o->types[i]].n_rows;

		p->first[i] = next[p->o->types[i]] = at;
		at += rows;
		if (rows > p->longest)
			p->longest = rows;
	}
	for (size_t i = 0; i < n; i++)
		p->by_type[next[spans[p->o->spans[i]].type]++] = p->o->spans[i];
	free(next);
	return true;
}

/* Where the plans of each type are. */
static bool place_plans(struct planning *p)
{
	const struct span__build_type *types = span__build_types(p->b);
	struct span__build_output *out = p->out;
	size_t n = span__build_n_types(p->b);

	out->n_types = n;
	out->numbers = calloc(n + 1, sizeof(*out->numbers));
	out->first_plan = calloc(n + 1, sizeof(*out->first_plan));
	if (!out->numbers || !out->first_plan)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct span__build_type *t = &types[p->o->types[i]];

		out->first_plan[i] = (uint32_t)out->n_plans;
		for (uint32_t k = 0; k < t->n_columns; k++)
			out->n_plans += span__slot_is_text(&t->type.slots[k]);
	}
	out->plans = calloc(out->n_plans + 1, sizeof(*out->plans));
	return out->plans;
}

static int put_numbers(struct gather *g, struct span__seg_slot *slot,
		       struct span_error *err)
{
	struct span_buf *to = g->numbers;
	size_t before = to->len;

	if (slot->value == SPAN_DOUBLE)
		span__doubles_put(to, g->values, g->n);
	else
		span__ints_put(to, g->values, g->n);
	slot->len = to->len - before;
	return to->failed ? no_memory(err) : 0;
}

/* Starts, counted so that they take less room. */
static int put_starts(struct gather *g, struct span__seg_type *type,
		      struct span_error *err)
{
	const struct span__build_span *spans = span__build_spans(g->b);
	struct span_buf *to = g->numbers;
	struct span__seg_slot *slot = &type->slots[0];
	size_t before = to->len;
	int rc;

	for (uint32_t i = 0; i < g->n; i++)
		g->values[i] = spans[g->list[i]].start;
	rc = put_numbers(g, slot, err);
	for (uint32_t i = 0; i < g->n; i++)
		g->values[i] = spans[g->list[i]].parent;
	g->column.len = 0;
	span__ints_put(&g->column, g->values, g->n);
	if (rc < 0 || g->column.failed)
		return rc < 0 ? rc : no_memory(err);
	type->centred = g->column.len < slot->len;
	if (type->centred) {
		to->len = before;
		span_buf_put(to, g->column.p, g->column.len);
		slot->len = g->column.len;
	}
	return 0;
}

/* The slots that are in the spans themselves. */
static int put_own(struct gather *g, struct span__seg_slot *slot,
		   struct span_error *err)
{
	const struct span__build_span *spans = span__build_spans(g->b);

	for (uint32_t i = 0; i < g->n; i++) {
		const struct span__build_span *s = &spans[g->list[i]];

		g->values[i] = slot->role == SLOT_DURATION
				       ? s->duration
				       : g->out->processes[s->process];
	}
	return put_numbers(g, slot, err);
}

static int put_texts(struct gather *g, const struct span__raw *raw,
		     struct span_error *err)
{
	struct span__texts_plan *plan = g->plan++;
	uint32_t *came = (uint32_t *)(void *)g->as_came;
	uint32_t *values = (uint32_t *)(void *)g->values;

	span__raw_get32(raw, g->n, came);
	for (uint32_t i = 0; i < g->n; i++)
		values[i] = came[g->rows[i]];
	return span__texts_plan(plan, &g->scratch, g->b->strings.v,
				g->b->strings.n, values, g->n, err);
}

static int put_column(struct gather *g, struct span__seg_slot *slot,
		      const struct span__raw *raw, struct span_error *err)
{
	if (slot->value == SPAN_NULL &&
	    (slot->role == SLOT_TAG || slot->role == SLOT_EVENT_TAG))
		return 0;
	if (span__slot_is_text(slot))
		return put_texts(g, raw, err);
	span__raw_get64(raw, g->n, g->as_came);
	for (uint32_t i = 0; i < g->n; i++)
		g->values[i] = g->as_came[g->rows[i]];
	return put_numbers(g, slot, err);
}

/* The slots that every type has come before those that it was made with. */
static void add_slots(struct span__seg_type *t)
{
	static const uint8_t roles[] = {SLOT_PROCESS, SLOT_DURATION,
					SLOT_START};

	for (unsigned i = t->same_process; i < 3; i++) {
		*--t->slots = (struct span__seg_slot){.role = roles[i],
						      .key = SEG_NO_STRING};
		t->n_slots++;
	}
}

static int put_type(struct gather *g, size_t at, struct span_error *err)
{
	struct span__build_type *t =
		&span__build_types(g->b)[g->p->o->types[at]];
	const struct span__build_span *spans = span__build_spans(g->b);
	struct span__seg_type *type = &t->type;
	unsigned own = type->same_process ? 2 : 3;
	int rc;

	g->n = t->n_rows;
	g->list = g->p->by_type + g->p->first[at];
	g->numbers = &g->out->numbers[at];
	g->plan = &g->out->plans[g->out->first_plan[at]];
	type->n_spans = t->n_rows;
	add_slots(type);
	rc = put_starts(g, type, err);
	for (unsigned i = 1; i < own && rc == 0; i++)
		rc = put_own(g, &type->slots[i], err);
	for (uint32_t i = 0; i < g->n; i++)
		g->rows[i] = spans[g->list[i]].row;
	for (uint32_t i = 0; i < t->n_columns && rc == 0; i++)
		rc = put_column(g, &type->slots[own + i], &t->columns[i], err);
	return rc;
}

/*
 * Account for the plans of a type. Whether it is too much in the end does not
 * depend on the number of threads.
 */
static int tell_memory(struct gather *g, size_t at)
{
	const struct span__texts_plan *plan =
		&g->out->plans[g->out->first_plan[at]];
	size_t more = g->numbers->cap;

	for (; plan < g->plan; plan++)
		more += span__texts_plan_memory(plan);
	more += atomic_fetch_add(&g->p->held, more);
	return g->b->limit && g->p->base + more > g->b->limit ? SPAN_E_LIMIT
							      : 0;
}

/* A thread: it takes one type after another. */
static void plan_types(void *arg, size_t thread)
{
	struct planning *p = arg;
	struct gather g = {.p = p, .b = p->b, .out = p->out};
	size_t longest = (size_t)p->longest + 1, n = p->out->n_types, at;
	int rc = 0;

	(void)thread;
	g.as_came = malloc(longest * sizeof(*g.as_came));
	g.values = malloc(longest * sizeof(*g.values));
	g.rows = malloc(longest * sizeof(*g.rows));
	if (!g.as_came || !g.values || !g.rows)
		rc = SPAN_E_NOMEM;
	while (!rc && !atomic_load(&p->rc) &&
	       (at = atomic_fetch_add(&p->next, 1)) < n) {
		rc = put_type(&g, at, NULL);
		if (!rc)
			rc = tell_memory(&g, at);
	}
	if (rc)
		atomic_store(&p->rc, rc);
	span__texts_scratch_release(&g.scratch);
	span_buf_release(&g.column);
	free(g.as_came);
	free(g.values);
	free(g.rows);
}

/* What there is beside the plans. */
static size_t planning_memory(const struct planning *p)
{
	size_t n = span__seg_builder_spans(p->b);

	return span__build_held(p->b) + span__build_room(p->b) + n * 12 +
	       span__build_n_traces(p->b) * 8 +
	       p->out->n_plans * sizeof(*p->out->plans) +
	       p->out->n_types * sizeof(*p->out->numbers);
}

/* As many threads as there is memory and work for. */
static unsigned threads(const struct span__seg_builder *b)
{
	uint64_t most = 1 + span__seg_builder_spans(b) / THREAD_SPANS;
	unsigned n = b->threads < most ? b->threads : (unsigned)most;

	while (n > 1 && b->limit && span__build_memory(b, n) > b->limit)
		n--;
	return n;
}

/* Put the texts into the heap, in order of types. */
static int fill_heap(struct planning *p, struct span_error *err)
{
	struct span__seg_builder *b = p->b;
	struct span__build_output *out = p->out;
	int rc = span__chunks_writer_open(&out->heap, b->codec, err);

	if (rc < 0)
		return rc;
	span__chunks_writer_threads(out->heap, b->threads);
	for (size_t i = 0; i < out->n_plans; i++) {
		span__texts_put_heap(&out->plans[i], b->strings.v, out->heap);
		if (b->limit &&
		    p->base + atomic_load(&p->held) +
				    span__chunks_writer_memory(out->heap) >
			    b->limit)
			return SPAN_E_LIMIT;
	}
	return 0;
}

static int failed(int rc, struct span_error *err)
{
	if (rc == SPAN_E_LIMIT)
		return span_error_set(err, rc,
				      "a segment takes too much memory");
	return rc < 0 ? no_memory(err) : 0;
}

int span__build_columns(struct span__seg_builder *b,
			const struct span__build_order *o,
			struct span__build_output *out, struct span_error *err)
{
	struct planning p = {.b = b, .o = o, .out = out};
	unsigned n = threads(b);
	int rc = 0;

	if (!list_by_type(&p) || !place_plans(&p))
		rc = SPAN_E_NOMEM;
	p.base = planning_memory(&p);
	if (!rc)
		span__parallel(n, n, plan_types, &p);
	if (!rc)
		rc = atomic_load(&p.rc);
	span__pool_release(&b->columns);
	p.base = planning_memory(&p);
	if (!rc)
		rc = fill_heap(&p, err);
	free(p.by_type);
	free(p.first);
	return failed(rc, err);
}

static uint32_t final(const struct span__build_output *out, uint32_t string)
{
	return string == SEG_NO_STRING ? string : out->strings[string];
}

/* The strings of a type by the numbers they have in the segment. */
static void number_strings(struct span__seg_type *t,
			   const struct span__build_output *out)
{
	t->service = final(out, t->service);
	t->name = final(out, t->name);
	for (unsigned i = 0; i < t->n_events; i++)
		t->events[i].name = final(out, t->events[i].name);
	for (unsigned i = 0; i < t->n_slots; i++)
		t->slots[i].key = final(out, t->slots[i].key);
}

int span__build_put_columns(struct span__seg_builder *b,
			    const struct span__build_order *o,
			    struct span__build_output *out,
			    struct span_buf *section, struct span_error *err)
{
	size_t n = span__build_n_types(b), plan = 0;

	out->types = calloc(n + 1, sizeof(*out->types));
	if (!out->types)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		struct span__seg_type *t =
			&span__build_types(b)[o->types[i]].type;
		size_t from = 0;

		number_strings(t, out);
		for (unsigned k = 0; k < t->n_slots; k++) {
			struct span__seg_slot *s = &t->slots[k];

			s->pos = section->len;
			if (span__slot_is_text(s)) {
				span__texts_put(section, &out->plans[plan],
						out->strings);
				span__texts_plan_release(&out->plans[plan++]);
				s->len = section->len - s->pos;
			} else {
				span_buf_put(section, out->numbers[i].p + from,
					     s->len);
				from += s->len;
			}
		}
		span_buf_release(&out->numbers[i]);
		out->types[i] = *t;
	}
	return section->failed ? no_memory(err) : 0;
}

void span__build_output_release(struct span__build_output *out)
{
	for (size_t i = 0; out->plans && i < out->n_plans; i++)
		span__texts_plan_release(&out->plans[i]);
	for (size_t i = 0; out->numbers && i < out->n_types; i++)
		span_buf_release(&out->numbers[i]);
	free(out->plans);
	free(out->numbers);
	free(out->first_plan);
	span__chunks_writer_close(&out->heap);
	free(out->strings);
	free(out->processes);
	free(out->process_order);
	free(out->types);
	*out = (struct span__build_output){0};
}
