/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns, type by type. Texts are planned first, since they tell which
 * strings the segment needs; when these have their numbers all is put
 * together.
 */
#include "store/seg_build_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* What the columns of one type are gathered in. */
struct gather {
	struct span__seg_builder *b;
	struct span__build_output *out;
	struct span__texts_scratch scratch;
	struct span_buf column;
	uint32_t *by_type;    /* spans of each type in order */
	uint64_t *as_came;    /* a column as it came */
	uint64_t *values;     /* in order */
	uint32_t *rows;	      /* of the spans in order */
	const uint32_t *list; /* spans of the type */
	uint32_t n;
};

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM,
			      "no memory for a segment's columns");
}

/* List the spans of each type in order; *MAX: the longest list. */
static bool list_by_type(struct gather *g, const struct span__build_order *o,
			 uint32_t *max)
{
	const struct span__build_span *spans = span__build_spans(g->b);
	const struct span__build_type *types = span__build_types(g->b);
	size_t n = span__seg_builder_spans(g->b);
	size_t n_types = span__build_n_types(g->b);
	uint32_t *next = calloc(n_types + 1, sizeof(*next)), at = 0;

	*max = 0;
	g->by_type = malloc((n + 1) * sizeof(*g->by_type));
	if (!next || !g->by_type) {
		free(next);
		return false;
	}
	for (size_t i = 0; i < n_types; i++) {
		uint32_t rows = types[o->types[i]].n_rows;

		next[o->types[i]] = at;
		at += rows;
		if (rows > *max)
			*max = rows;
	}
	for (size_t i = 0; i < n; i++)
		g->by_type[next[spans[o->spans[i]].type]++] = o->spans[i];
	free(next);
	return true;
}

static int put_numbers(struct gather *g, struct span__seg_slot *slot,
		       struct span_error *err)
{
	struct span_buf *to = &g->out->numbers;
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
	struct span_buf *to = &g->out->numbers;
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

static struct span__texts_plan *add_plan(struct span__build_output *out)
{
	if (out->n_plans == out->plans_cap) {
		size_t cap = 64 + out->plans_cap * 2;
		struct span__texts_plan *v =
			realloc(out->plans, cap * sizeof(*v));

		if (!v)
			return NULL;
		out->plans = v;
		out->plans_cap = cap;
	}
	memset(&out->plans[out->n_plans], 0, sizeof(*out->plans));
	return &out->plans[out->n_plans++];
}

static int put_texts(struct gather *g, const struct span__raw *raw,
		     struct span_error *err)
{
	struct span__texts_plan *plan = add_plan(g->out);
	uint32_t *came = (uint32_t *)(void *)g->as_came;
	uint32_t *values = (uint32_t *)(void *)g->values;

	if (!plan)
		return no_memory(err);
	span__raw_get32(raw, g->n, came);
	for (uint32_t i = 0; i < g->n; i++)
		values[i] = came[g->rows[i]];
	return span__texts_plan(plan, &g->scratch, g->b->strings.v,
				g->b->strings.n, values, g->n, g->out->heap,
				err);
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

static int put_type(struct gather *g, struct span__build_type *t,
		    struct span_error *err)
{
	const struct span__build_span *spans = span__build_spans(g->b);
	struct span__seg_type *type = &t->type;
	unsigned own = type->same_process ? 2 : 3;
	int rc;

	g->n = t->n_rows;
	type->n_spans = t->n_rows;
	add_slots(type);
	rc = put_starts(g, type, err);
	for (unsigned i = 1; i < own && rc == 0; i++)
		rc = put_own(g, &type->slots[i], err);
	for (uint32_t i = 0; i < g->n; i++)
		g->rows[i] = spans[g->list[i]].row;
	for (uint32_t i = 0; i < t->n_columns && rc == 0; i++)
		rc = put_column(g, &type->slots[own + i], &t->columns[i], err);
	g->list += g->n;
	return rc;
}

int span__build_columns(struct span__seg_builder *b,
			const struct span__build_order *o,
			struct span__build_output *out, struct span_error *err)
{
	struct gather g = {.b = b, .out = out};
	uint32_t max = 0;
	int rc = 0;

	if (!list_by_type(&g, o, &max))
		rc = no_memory(err);
	g.as_came = malloc(((size_t)max + 1) * sizeof(*g.as_came));
	g.values = malloc(((size_t)max + 1) * sizeof(*g.values));
	g.rows = malloc(((size_t)max + 1) * sizeof(*g.rows));
	if (rc == 0 && (!g.as_came || !g.values || !g.rows))
		rc = no_memory(err);
	if (rc == 0)
		rc = span__chunks_writer_open(&out->heap, b->codec, err);
	g.list = g.by_type;
	for (size_t i = 0; i < span__build_n_types(b) && rc == 0; i++)
		rc = put_type(&g, &span__build_types(b)[o->types[i]], err);
	span__texts_scratch_release(&g.scratch);
	span_buf_release(&g.column);
	span__pool_release(&b->columns);
	free(g.by_type);
	free(g.as_came);
	free(g.values);
	free(g.rows);
	return rc;
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
	size_t n = span__build_n_types(b), plan = 0, from = 0;

	out->types = calloc(n + 1, sizeof(*out->types));
	if (!out->types)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		struct span__seg_type *t =
			&span__build_types(b)[o->types[i]].type;

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
				span_buf_put(section, out->numbers.p + from,
					     s->len);
				from += s->len;
			}
		}
		out->types[i] = *t;
	}
	span_buf_release(&out->numbers);
	return section->failed ? no_memory(err) : 0;
}

void span__build_output_release(struct span__build_output *out)
{
	for (size_t i = 0; i < out->n_plans; i++)
		span__texts_plan_release(&out->plans[i]);
	free(out->plans);
	span_buf_release(&out->numbers);
	span__chunks_writer_close(&out->heap);
	free(out->strings);
	free(out->processes);
	free(out->process_order);
	free(out->types);
	*out = (struct span__build_output){0};
}
