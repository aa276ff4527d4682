/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans that no client should send and that all of spantools must bear: every
 * field of the model with its extremes, and traces that are no trees. Each
 * trace takes the next of a list of shapes, so that a few dozen of them have
 * seen everything.
 */
#include "gen-hostile.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MANY 1000u

static void put_events(struct gen_hostile *h, struct span *s, size_t n)
{
	struct span_event *e = gen_hostile_alloc(h, n, sizeof(*e));

	for (size_t i = 0; e && i < n; i++) {
		e[i].time_ns = one_in(h, 5) ? gen_hostile_time(h)
					    : s->start_ns + below(h, 5000000);
		e[i].name = one_in(h, 2) ? gen_hostile_text(h) : SPAN_STR("");
		e[i].attrs = gen_hostile_attrs(h, below(h, 4));
	}
	s->events = e;
	s->n_events = e ? n : 0;
}

static void put_refs(struct gen_hostile *h, struct span *s, size_t n)
{
	static const int32_t types[] = {
		SPAN_REF_LINK, SPAN_REF_CHILD_OF, SPAN_REF_FOLLOWS_FROM, 2,
		INT32_MAX,     INT32_MIN};
	struct span_ref *r = gen_hostile_alloc(h, n, sizeof(*r));

	for (size_t i = 0; r && i < n; i++) {
		memcpy(r[i].trace_id, s->trace_id, sizeof(r[i].trace_id));
		memcpy(r[i].span_id, s->parent_id, sizeof(r[i].span_id));
		if (one_in(h, 3))
			r[i].trace_id[15] ^= 1;
		if (one_in(h, 6))
			memset(r[i].trace_id, 0, sizeof(r[i].trace_id));
		r[i].type = types[below(h, sizeof(types) / sizeof(types[0]))];
		r[i].flags = (uint32_t)gen_rand(&h->state);
		r[i].trace_state = gen_hostile_text(h);
		r[i].attrs = gen_hostile_attrs(h, below(h, 3));
	}
	s->refs = r;
	s->n_refs = r ? n : 0;
}

static void put_id(uint8_t *id, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		id[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* The next span of the trace, a child of a random one before it. */
static struct span *add_span(struct gen_hostile *h, const uint8_t trace_id[16])
{
	struct span *s = &h->spans[h->n];
	size_t scope = below(h, N_SCOPES + 2);

	*s = (struct span){0};
	memcpy(s->trace_id, trace_id, sizeof(s->trace_id));
	put_id(s->span_id, gen_rand(&h->state));
	if (h->n)
		memcpy(s->parent_id, h->spans[below(h, h->n)].span_id, 8);
	s->start_ns = h->now_ns + below(h, 900000000);
	s->duration_ns = below(h, 1ull << below(h, 34));
	s->name = gen_hostile_text(h);
	s->process = &h->processes[below(h, N_PROCESSES)];
	s->scope = scope < N_SCOPES ? &h->scopes[scope] : NULL;
	s->kind = (uint8_t)below(h, 8);
	s->status = (uint8_t)below(h, 4);
	s->marks = (uint16_t)(one_in(h, 4) ? below(h, 8) : 0);
	s->flags = one_in(h, 3) ? (uint32_t)gen_rand(&h->state) : 1;
	s->status_message = one_in(h, 3) ? gen_hostile_text(h) : SPAN_STR("");
	s->trace_state = one_in(h, 5) ? gen_hostile_text(h) : SPAN_STR("");
	s->attrs = gen_hostile_attrs(h, below(h, 9));
	put_events(h, s, one_in(h, 3) ? below(h, 4) : 0);
	put_refs(h, s, one_in(h, 4) ? 1 + below(h, 3) : 0);
	s->dropped_events = one_in(h, 9) ? UINT32_MAX : 0;
	s->dropped_refs = one_in(h, 9) ? (uint32_t)below(h, 99) : 0;
	h->n++;
	return s;
}

/* ---- Shapes: each changes a trace of N spans ---- */

static void plain(struct gen_hostile *h)
{
	(void)h;
}

static void circle(struct gen_hostile *h)
{
	for (size_t i = 0; i < h->n; i++)
		memcpy(h->spans[i].parent_id, h->spans[(i + 1) % h->n].span_id,
		       8);
}

static void own_parents(struct gen_hostile *h)
{
	for (size_t i = 0; i < h->n; i += 2)
		memcpy(h->spans[i].parent_id, h->spans[i].span_id, 8);
}

static void orphans(struct gen_hostile *h)
{
	for (size_t i = 0; i < h->n; i++)
		if (!i || one_in(h, 3))
			put_id(h->spans[i].parent_id, gen_rand(&h->state));
}

/* A client and its server with one id, as Zipkin has them. */
static void shared_ids(struct gen_hostile *h)
{
	for (size_t i = 1; i + 1 < h->n; i += 2) {
		h->spans[i].kind = SPAN_KIND_CLIENT;
		h->spans[i + 1].kind = SPAN_KIND_SERVER;
		memcpy(h->spans[i + 1].span_id, h->spans[i].span_id, 8);
		memcpy(h->spans[i + 1].parent_id, h->spans[i].parent_id, 8);
	}
}

static void same_id(struct gen_hostile *h)
{
	for (size_t i = 0; i < h->n; i++)
		memcpy(h->spans[i].span_id, h->spans[0].span_id, 8);
}

static void duplicates(struct gen_hostile *h)
{
	size_t n = h->n / 2;

	for (size_t i = 0; i < n; i++)
		h->spans[n + i] = h->spans[i];
}

static void zero_ids(struct gen_hostile *h)
{
	for (size_t i = 0; i < h->n; i++) {
		if (one_in(h, 2))
			memset(h->spans[i].span_id, 0, 8);
		memset(h->spans[i].trace_id, 0, one_in(h, 2) ? 16 : 8);
	}
}

static void extreme_times(struct gen_hostile *h)
{
	for (size_t i = 0; i < h->n; i++) {
		h->spans[i].start_ns = gen_hostile_time(h);
		h->spans[i].duration_ns = gen_hostile_time(h);
	}
}

static void before_parents(struct gen_hostile *h)
{
	for (size_t i = 1; i < h->n; i++)
		h->spans[i].start_ns =
			h->spans[0].start_ns - below(h, 1u << 30);
}

static void many_attrs(struct gen_hostile *h)
{
	h->spans[0].attrs = gen_hostile_attrs(h, SPAN_MAX_ATTRS);
	put_events(h, &h->spans[h->n - 1], MANY);
}

static void many_refs(struct gen_hostile *h)
{
	put_refs(h, &h->spans[0], MANY);
}

static void deep_values(struct gen_hostile *h)
{
	for (size_t i = 0; i < h->n; i++) {
		struct span_attr *a = gen_hostile_alloc(h, 1, sizeof(*a));

		if (!a)
			return;
		a->key = SPAN_STR("deep");
		gen_hostile_nested(h, &a->value,
				   i ? SPAN_MAX_DEPTH / 2 : SPAN_MAX_DEPTH);
		h->spans[i].attrs = (struct span_attrs){a, 1, 0};
	}
}

static void long_texts(struct gen_hostile *h)
{
	struct span_attr *a = gen_hostile_alloc(h, 3, sizeof(*a));

	if (!a)
		return;
	for (size_t i = 0; i < 3; i++) {
		a[i].key = gen_hostile_bytes(h, SPAN_MAX_STRING - i, true);
		a[i].value.type = i ? SPAN_STRING : SPAN_BYTES;
		a[i].value.str = gen_hostile_bytes(h, SPAN_MAX_STRING, i);
	}
	h->spans[0].attrs = (struct span_attrs){a, 3, 0};
	h->spans[h->n - 1].name = gen_hostile_bytes(h, SPAN_MAX_STRING, true);
}

static void (*const shapes[])(struct gen_hostile *) = {
	plain,	    circle,	own_parents, orphans,	    shared_ids,
	same_id,    duplicates, zero_ids,    extreme_times, before_parents,
	many_attrs, many_refs,	deep_values, long_texts,
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* Processes and scopes stay for the whole run: they are in FIXED. */
static void make_processes(struct gen_hostile *h)
{
	for (size_t i = 0; i < N_PROCESSES; i++) {
		h->processes[i].service =
			i == 1 ? SPAN_STR("front") : gen_hostile_text(h);
		h->processes[i].attrs = gen_hostile_attrs(h, below(h, 7));
		h->processes[i].schema_url =
			one_in(h, 3) ? gen_hostile_text(h) : SPAN_STR("");
	}
	for (size_t i = 0; i < N_SCOPES; i++) {
		h->scopes[i].name = gen_hostile_text(h);
		h->scopes[i].version = gen_hostile_text(h);
		h->scopes[i].attrs = gen_hostile_attrs(h, below(h, 3));
		h->scopes[i].schema_url =
			one_in(h, 2) ? gen_hostile_text(h) : SPAN_STR("");
	}
	h->fixed = h->arena;
	h->arena = (struct span_arena){0};
}

static int put_trace(struct gen_hostile *h, uint64_t number,
		     struct span_writer *w, struct gen_counts *counts,
		     struct span_error *err)
{
	size_t n = 2 + below(h, MAX_SPANS - 1);
	uint8_t id[16];
	int rc;

	put_id(id, one_in(h, 3) ? 0 : gen_rand(&h->state));
	put_id(id + 8, gen_rand(&h->state));
	h->n = 0;
	while (h->n < n)
		add_span(h, id);
	shapes[number % N_SHAPES](h);
	if (h->failed)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (; h->n; counts->spans++) {
		size_t i = below(h, h->n);

		counts->errors += span_is_error(&h->spans[i]);
		if ((rc = span_writer_put(w, &h->spans[i], err)) < 0)
			return rc;
		h->spans[i] = h->spans[--h->n];
	}
	return 0;
}

int gen_hostile(const struct gen_live_opts *o, struct span_writer *w,
		struct gen_counts *counts, struct span_error *err)
{
	struct gen_hostile *h = calloc(1, sizeof(*h));
	int rc = 0;

	if (!h)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	h->o = o;
	h->state = gen_mix(o->seed, 0);
	h->now_ns = o->start_ns;
	make_processes(h);
	while (rc >= 0 && !cmd_stopped && counts->traces < o->max_traces &&
	       counts->spans < o->max_spans &&
	       h->now_ns - o->start_ns < o->duration_ns) {
		rc = put_trace(h, counts->traces, w, counts, err);
		h->now_ns += gen_gap(&h->state, o->gap_ns);
		counts->traces++;
		span_arena_reset(&h->arena);
	}
	if (rc >= 0)
		rc = span_writer_flush(w, err);
	span_arena_release(&h->arena);
	span_arena_release(&h->fixed);
	free(h);
	return rc;
}
