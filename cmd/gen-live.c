/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live traffic. Traces arrive at random moments; each is drawn whole when it
 * arrives, its spans wait in a heap until they end, then in the batch of
 * their process until that is full or a second old, as Jaeger clients do it.
 * A trace's memory is used again when its last span has gone.
 */
#include "gen.h"

#include <stdlib.h>
#include <time.h>

#include "base/banned.h"

#define BATCH_MIN 10u
#define BATCH_MAX 40u
#define BATCH_AGE_NS 1000000000ull
#define TICK_NS 100000000ull
#define SECOND 1000000000ull

struct pending {
	uint64_t end_ns;
	struct gen_trace *trace;
	uint32_t i;
};

struct batch {
	uint32_t n, full;
	uint64_t since_ns;
	struct pending spans[BATCH_MAX];
};

struct live {
	const struct gen_live_opts *o;
	struct span_writer *w;
	struct gen_counts *counts;
	struct gen_render render;
	struct pending *heap;
	size_t n, cap;
	struct batch *batches; /* one per process */
	size_t n_batched;      /* spans in them */
	uint64_t n_drawn;      /* spans of all traces so far */
	struct gen_trace *free_traces, *traces;
	uint64_t now_ns, tick_ns;
	uint64_t batch_state;
	uint64_t real_start_ns; /* of CLOCK_MONOTONIC, when paced */
	struct span_error *err;
};

/* ---- The heap: what ends first is at its top ---- */

static int push(struct live *l, struct pending p)
{
	size_t i = l->n;

	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 1024;
		struct pending *heap = realloc(l->heap, cap * sizeof(*heap));

		if (!heap)
			return span_error_set(l->err, SPAN_E_NOMEM,
					      "out of memory");
		l->heap = heap;
		l->cap = cap;
	}
	l->n++;
	for (; i && p.end_ns < l->heap[(i - 1) / 2].end_ns; i = (i - 1) / 2)
		l->heap[i] = l->heap[(i - 1) / 2];
	l->heap[i] = p;
	return 0;
}

static struct pending pop(struct live *l)
{
	struct pending top = l->heap[0], last = l->heap[--l->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < l->n) {
		if (child + 1 < l->n &&
		    l->heap[child + 1].end_ns < l->heap[child].end_ns)
			child++;
		if (last.end_ns <= l->heap[child].end_ns)
			break;
		l->heap[i] = l->heap[child];
		i = child;
	}
	l->heap[i] = last;
	return top;
}

/* ---- Batches ---- */

static int send_batch(struct live *l, struct batch *b)
{
	struct span span;
	int rc;

	for (uint32_t i = 0; i < b->n; i++) {
		struct gen_trace *tr = b->spans[i].trace;

		gen_render_span(&l->render, tr, b->spans[i].i, &span);
		if ((rc = span_writer_put(l->w, &span, l->err)) < 0)
			return rc;
		l->counts->spans++;
		l->counts->errors += tr->nodes[b->spans[i].i].failed;
		if (--tr->n_left == 0) {
			tr->next_free = l->free_traces;
			l->free_traces = tr;
		}
	}
	l->n_batched -= b->n;
	b->n = 0;
	return 0;
}

static int put_in_batch(struct live *l, struct pending p)
{
	struct batch *b = &l->batches[p.trace->nodes[p.i].process];

	if (!b->n) {
		b->since_ns = l->now_ns;
		b->full = BATCH_MIN +
			  (uint32_t)gen_below(&l->batch_state,
					      BATCH_MAX - BATCH_MIN + 1);
	}
	b->spans[b->n++] = p;
	l->n_batched++;
	return b->n == b->full ? send_batch(l, b) : 0;
}

/* Send batches that waited long enough, or ALL. */
static int send_old(struct live *l, bool all)
{
	int rc;

	for (size_t i = 0; i < l->o->topology->n_processes; i++) {
		struct batch *b = &l->batches[i];

		if (b->n && (all || l->now_ns - b->since_ns >= BATCH_AGE_NS) &&
		    (rc = send_batch(l, b)) < 0)
			return rc;
	}
	return 0;
}

/* ---- Time ---- */

/* In real time, wait until it is NS; spans go out when they are due. */
static int pace(struct live *l, uint64_t ns)
{
	uint64_t until = l->real_start_ns + (ns - l->o->start_ns), now, wait;
	struct timespec t;
	int rc;

	while (!cmd_stopped && (now = cmd_monotonic_ns()) < until) {
		wait = span_writer_due_ns(l->w);
		if (!wait && (rc = span_writer_flush(l->w, l->err)) < 0)
			return rc;
		if (wait > until - now)
			wait = until - now;
		t.tv_sec = (time_t)(wait / SECOND);
		t.tv_nsec = (long)(wait % SECOND);
		nanosleep(&t, NULL);
	}
	return 0;
}

/* Let time pass until NS. */
static int pass(struct live *l, uint64_t ns)
{
	int rc;

	while (l->n_batched && l->tick_ns <= ns) {
		if (l->o->pace && (rc = pace(l, l->tick_ns)) < 0)
			return rc;
		l->now_ns = l->tick_ns;
		l->tick_ns += TICK_NS;
		if ((rc = send_old(l, false)) < 0)
			return rc;
	}
	if (l->o->pace && (rc = pace(l, ns)) < 0)
		return rc;
	l->now_ns = ns;
	if (l->tick_ns <= ns)
		l->tick_ns = ns + TICK_NS;
	return 0;
}

/* Everything that ends until NS. */
static int run_until(struct live *l, uint64_t ns)
{
	int rc;

	while (l->n && l->heap[0].end_ns <= ns) {
		struct pending p = pop(l);

		if ((rc = pass(l, p.end_ns)) < 0 ||
		    (rc = put_in_batch(l, p)) < 0)
			return rc;
	}
	return ns == UINT64_MAX ? 0 : pass(l, ns);
}

/* ---- Traces ---- */

static struct gen_trace *new_trace(struct live *l)
{
	struct gen_trace *tr = l->free_traces;

	if (tr) {
		l->free_traces = tr->next_free;
		return tr;
	}
	tr = calloc(1, sizeof(*tr));
	if (!tr)
		return NULL;
	tr->next = l->traces;
	l->traces = tr;
	return tr;
}

static int start_trace(struct live *l)
{
	const struct gen_live_opts *o = l->o;
	struct gen_trace *tr = new_trace(l);
	int rc;

	if (!tr)
		return span_error_set(l->err, SPAN_E_NOMEM, "out of memory");
	rc = gen_trace_draw(tr, o->topology,
			    gen_mix(o->seed, l->counts->traces),
			    l->now_ns / o->unit, o->unit, l->err);
	for (uint32_t i = 0; rc >= 0 && i < tr->n; i++) {
		const struct gen_node *node = &tr->nodes[i];
		uint64_t end = (node->start + node->duration) * o->unit;

		rc = push(l, (struct pending){end, tr, i});
	}
	l->counts->traces++;
	l->n_drawn += tr->n;
	return rc;
}

static int run(struct live *l)
{
	const struct gen_live_opts *o = l->o;
	uint64_t state = gen_mix(o->seed, UINT64_MAX - 1);
	uint64_t next = o->start_ns;
	int rc;

	while (!cmd_stopped && l->counts->traces < o->max_traces &&
	       l->n_drawn < o->max_spans &&
	       next - o->start_ns < o->duration_ns) {
		if ((rc = run_until(l, next)) < 0)
			return rc;
		if (cmd_stopped)
			break;
		if ((rc = start_trace(l)) < 0)
			return rc;
		next += gen_gap(&state, o->gap_ns);
		if (!o->pace)
			cmd_progress(l->counts->spans, "spans");
	}
	if ((rc = run_until(l, UINT64_MAX)) < 0 || (rc = send_old(l, true)) < 0)
		return rc;
	return span_writer_flush(l->w, l->err);
}

int gen_live(const struct gen_live_opts *o, struct span_writer *w,
	     struct gen_counts *counts, struct span_error *err)
{
	struct live l = {
		.o = o,
		.w = w,
		.counts = counts,
		.render = {.topology = o->topology,
			   .unit = o->unit,
			   .skew_ns = o->skew_ns,
			   .seed = o->seed},
		.now_ns = o->start_ns,
		.tick_ns = o->start_ns + TICK_NS,
		.batch_state = gen_mix(o->seed, UINT64_MAX - 2),
		.real_start_ns = cmd_monotonic_ns(),
		.err = err,
	};
	int rc;

	l.batches = calloc(o->topology->n_processes, sizeof(*l.batches));
	rc = l.batches ? gen_render_init(&l.render, err)
		       : span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (rc >= 0)
		rc = run(&l);
	cmd_progress_end();
	while (l.traces) {
		struct gen_trace *next = l.traces->next;

		free(l.traces->nodes);
		free(l.traces);
		l.traces = next;
	}
	gen_render_release(&l.render);
	free(l.batches);
	free(l.heap);
	return rc;
}
