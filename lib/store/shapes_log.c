/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shapes_log.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/slots.h"
#include "stream/frame.h"

#include "base/banned.h"

#define ANSWERS 256u

struct trace {
	uint8_t id[16];
	uint64_t hash; /* in the set */
	uint32_t n;    /* its spans */
	bool needed;   /* one of them is */
	bool apart;    /* no shape tells of it */
};

/* What was said of a span without attributes that matter. */
struct answer {
	const struct span_process *process; /* NULL: free */
	const char *name;
	uint64_t chosen;
	uint8_t kind, status;
	bool failed, needed, told;
};

struct span__shapes_log {
	struct span__shapes_judge *judge;
	struct span__shapes_sink *sink; /* of it */
	struct span__trace_set set;
	struct span_buf traces;	  /* struct trace */
	struct span__slots by_id; /* traces */
	uint32_t last;		  /* trace */
	struct span_buf spans;	  /* struct span__asked */
	uint32_t n_spans;
	bool all_apart; /* what was asked is not whole */
	struct span_frame *frame;
	struct span_buf marks; /* a byte a string of it: a key that matters */
	bool any_marks;
	struct answer answers[ANSWERS]; /* of the frame */
	struct span__shapes_tree tree;
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static struct trace *traces(const struct span__shapes_log *l)
{
	return (struct trace *)(void *)l->traces.p;
}

static struct span__asked *spans(const struct span__shapes_log *l)
{
	return (struct span__asked *)(void *)l->spans.p;
}

int span__shapes_log_open(struct span__shapes_log **out,
			  struct span__shapes_judge *judge,
			  struct span_error *err)
{
	struct span__shapes_log *l = calloc(1, sizeof(*l));
	int rc;

	*out = NULL;
	if (!l)
		return out_of_memory(err);
	l->judge = judge;
	l->sink = judge->sink;
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
	span_buf_release(&l->marks);
	span__shapes_tree_release(&l->tree);
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
		struct span__asked asked, struct span_error *err)
{
	t->apart |= l->n_spans == SHAPES_LOG_SPANS;
	if (t->apart || l->all_apart)
		return 0;
	asked.trace = l->last;
	t->n++;
	l->n_spans++;
	span_buf_put(&l->spans, &asked, sizeof(asked));
	return l->spans.failed ? out_of_memory(err) : 0;
}

/* Where the answer is that was given of one that is like S, or would be. */
static struct answer *place_of(struct span__shapes_log *l, const struct span *s)
{
	uint64_t at = (uint64_t)((uintptr_t)s->process ^ (uintptr_t)s->name.p);

	at = at * 0x9e3779b97f4a7c15 + s->kind + 8u * s->status;
	return &l->answers[(at >> 40 ^ at) % ANSWERS];
}

static int ask_span(struct span__shapes_log *l, const struct span *s,
		    struct answer *out, struct span_error *err)
{
	const struct span__shapes_sink *sink = l->sink;
	int rc;

	*out = (struct answer){.process = s->process,
			       .name = s->name.p,
			       .kind = s->kind,
			       .status = s->status,
			       .failed = s->attrs.n};
	rc = sink->span(sink->arg, s, &out->chosen, &out->needed, err);
	out->told = rc > 0;
	return rc;
}

/* Ask S, unless one like it was in this frame. */
static int answer(struct span__shapes_log *l, const struct span *s,
		  struct answer *out, struct span_error *err)
{
	struct answer *a;
	int rc;

	if (l->sink->n_attrs && s->attrs.n)
		return ask_span(l, s, out, err);
	a = place_of(l, s);
	if (a->process == s->process && a->name == s->name.p &&
	    a->kind == s->kind && a->status == s->status &&
	    a->failed == (s->attrs.n > 0)) {
		*out = *a;
		return 0;
	}
	rc = ask_span(l, s, out, err);
	if (rc >= 0)
		*a = *out;
	return rc;
}

static int see_span(struct span__shapes_log *l, const struct span *s,
		    struct span_error *err)
{
	struct trace *t;
	struct answer a;
	int rc;

	if (!see_trace(l, s->trace_id))
		return out_of_memory(err);
	t = &traces(l)[l->last];
	rc = answer(l, s, &a, err);
	if (rc < 0)
		return rc;
	t->needed |= a.needed;
	t->apart |= !a.told || !is_inside(l->sink, s);
	return keep(l, t,
		    (struct span__asked){.id = number_of(s->span_id),
					 .parent_id = number_of(s->parent_id),
					 .chosen = a.chosen},
		    err);
}

static bool matters(const struct span__shapes_sink *sink, struct span_str key)
{
	for (size_t i = 0; i < sink->n_attrs; i++)
		if (span__str_equal(key, sink->attrs[i]))
			return true;
	return span__str_equal(key, SPAN_STR("error"));
}

/* Mark the keys that matter among the strings of the frame. False: memory. */
static bool begin_frame(struct span__shapes_log *l)
{
	const struct span_frame_info *info = &l->frame->info;
	char *marks;

	memset(l->answers, 0, sizeof(l->answers));
	l->marks.len = 0;
	l->any_marks = false;
	marks = span_buf_reserve(&l->marks, info->n_strings);
	for (size_t i = 0; marks && i < info->n_strings; i++) {
		marks[i] = matters(l->sink, info->strings[i]);
		l->any_marks |= marks[i];
	}
	return marks || !info->n_strings;
}

/* The next span, with the attributes that matter: 1, 0 or a code. */
static int next_span(struct span__shapes_log *l, struct span *s,
		     struct span_error *err)
{
	struct span_frame *f = l->frame;
	int rc = span_frame_next_head(f, NULL, 0, s, err);

	if (rc <= 0)
		return rc;
	if (!l->sink->n_attrs) {
		rc = span_frame_outline(f, s, err);
	} else if (f->n_elements > 10 && l->any_marks) {
		span_arena_reset(&f->span_arena);
		span__frame_attrs_of(f, &f->span, (uint8_t *)l->marks.p,
				     &f->span_arena, &s->attrs);
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

	if (rc >= 0 && !begin_frame(l))
		rc = out_of_memory(err);
	while (rc >= 0 && (rc = next_span(l, &s, err)) > 0)
		rc = see_span(l, &s, err);
	/* Who reads the traces themselves may get a part of it. */
	l->all_apart |= rc < 0;
	return rc;
}

int span__shapes_log_part(struct span__shapes_log *l, const uint8_t id[16],
			  const struct span__asked *v, size_t n, bool needed,
			  struct span_error *err)
{
	struct trace *t;
	int rc = 0;

	if (!see_trace(l, id))
		return out_of_memory(err);
	t = &traces(l)[l->last];
	t->needed |= needed;
	t->apart |= !v;
	for (size_t i = 0; v && i < n && !rc; i++)
		rc = keep(l, t, v[i], err);
	return rc;
}

/* ---- The end ---- */

/* Ask a trace of N spans: 1; 0 when a shape does not tell; or a code. */
static int ask_trace(struct span__shapes_log *l,
		     const struct span__asked *const *span, size_t n,
		     struct span_error *err)
{
	struct span__shapes_sink *sink = l->sink;
	const struct span__shape_node *shape;
	uint32_t matched;
	int rc = span__shapes_tree(&l->tree, span, n, &shape);

	if (rc < 0)
		return out_of_memory(err);
	if (!rc)
		return 0;
	rc = span__shapes_judge_nodes(l->judge, shape, n, &matched, err);
	if (rc < 0)
		return rc;
	sink->n_traces += matched > 0;
	sink->n_spans += matched;
	return 1;
}

/* All spans by trace; NULL: memory. */
static const struct span__asked **sort_spans(const struct span__shapes_log *l)
{
	const struct span__asked **v = calloc(l->n_spans + 1, sizeof(*v));
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

static int finish_trace(struct span__shapes_log *l, const struct trace *t,
			const struct span__asked *const *span,
			struct span_error *err)
{
	int rc = 0;

	if (!t->needed)
		return 0;
	if (!l->all_apart && !t->apart)
		rc = ask_trace(l, span, t->n, err);
	return rc ? rc : l->sink->trace(l->sink->arg, t->id, err);
}

int span__shapes_log_finish(struct span__shapes_log *l, struct span_error *err)
{
	const struct span__asked **v = NULL;
	size_t at = 0;
	int rc = 0;

	if (l->all_apart)
		l->n_spans = 0;
	else
		v = sort_spans(l);
	if (!v && !l->all_apart)
		return out_of_memory(err);
	for (uint32_t i = 0; i < l->by_id.n && rc >= 0; i++) {
		rc = finish_trace(l, &traces(l)[i], v ? v + at : NULL, err);
		at += traces(l)[i].n;
	}
	free(v);
	return rc < 0 ? rc : 0;
}
