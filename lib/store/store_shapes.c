/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_shapes.h"

#include <stdlib.h>
#include <string.h>

#include "store/shapes_log.h"
#include "store/shapes_part.h"
#include "store/traces_shared.h"

#include "base/banned.h"

#define UNKNOWN UINT32_MAX
#define UNTOLD (UINT32_MAX - 1) /* the shape does not tell */

struct shapes {
	struct span__directory *store;
	struct span__shapes_sink *sink;
	struct span__shapes_log *logs;
	struct span__traces_shared shared;
	struct span__seg **segs;
	size_t n_segs;
	uint64_t first; /* number of the first trace of the segment at hand */
	/* of the segment at hand */
	uint8_t *told;	   /* of types */
	uint64_t *chosen;  /* of types that tell */
	uint32_t *matched; /* of shapes */
	struct span__shapes_parts parts;
	struct span__shapes_judge judge;
	struct span_error *err;
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* ---- A segment ---- */

static bool has_key(const struct shapes *s, const struct span_process *p)
{
	for (size_t k = 0; k < s->sink->n_keys; k++)
		if (span_attr_get(&p->attrs, s->sink->keys[k]))
			return true;
	return false;
}

/* May a process have one of the keys? A negative code: memory. */
static int any_process_has(struct shapes *s, struct span__seg *seg)
{
	struct span_arena arena = {0};
	int rc = 0;

	for (uint64_t i = 0; i < seg->process_ends.n && s->sink->n_keys && !rc;
	     i++) {
		const struct span_process *p;

		span_arena_reset(&arena);
		p = span__seg_process(seg, i, &arena);
		rc = p		     ? has_key(s, p)
		     : seg->file.bad ? 1
				     : out_of_memory(s->err);
	}
	span_arena_release(&arena);
	return rc;
}

static int see_type(struct shapes *s, struct span__seg *seg, uint32_t i)
{
	struct span__seg_type_reader *t = span__seg_type(seg, i);
	struct span_process process = {0};
	struct span what = {.process = &process};
	struct span_attr *attrs;

	if (!t || t->bad)
		return seg->file.bad || t ? 0 : out_of_memory(s->err);
	if (t->type.loose)
		return 0;
	attrs = span_arena_array(&seg->opened, t->type.n_slots, sizeof(*attrs));
	if (!attrs)
		return out_of_memory(s->err);
	process.service = span__strings_get(&seg->strings, t->type.service);
	what.name = span__strings_get(&seg->strings, t->type.name);
	what.kind = t->type.kind;
	what.status = t->type.error ? SPAN_STATUS_ERROR : t->type.status;
	what.attrs.v = attrs;
	for (unsigned k = 0; k < t->type.n_slots; k++) {
		const struct span__seg_slot *slot = &t->type.slots[k];

		if (slot->role != SLOT_TAG)
			continue;
		attrs[what.attrs.n++] = (struct span_attr){
			.key = span__strings_get(&seg->strings, slot->key),
			.value.type = slot->value,
		};
	}
	return s->sink->type(s->sink->arg, &what, &s->chosen[i], s->err);
}

static int see_types(struct shapes *s, struct span__seg *seg, bool tells)
{
	int rc = 0;

	for (uint32_t i = 0; i < seg->types.n && rc >= 0; i++) {
		rc = tells ? see_type(s, seg, i) : 0;
		s->told[i] = rc > 0;
	}
	return rc < 0 ? rc : 0;
}

/* Ask shape I, unless it was. */
static int see_shape(struct shapes *s, uint64_t i)
{
	uint32_t matched;
	int rc;

	if (s->matched[i] != UNKNOWN)
		return 0;
	rc = span__shapes_judge_shape(&s->judge, i, &matched, s->err);
	s->matched[i] = rc == SHAPES_UNTOLD ? UNTOLD : matched;
	if (rc == SHAPES_TOLD)
		span__work_add(&s->store->base.work.shapes, 1);
	return rc < 0 ? rc : 0;
}

static int give_trace(struct shapes *s, struct span__seg *seg, uint64_t trace)
{
	uint8_t id[16];

	span__seg_trace_id(seg, trace, id);
	return s->sink->trace(s->sink->arg, id, s->err);
}

static int see_trace(struct shapes *s, struct span__seg *seg, uint64_t trace,
		     uint64_t shape)
{
	int rc = see_shape(s, shape);

	if (rc < 0)
		return rc;
	if (s->matched[shape] != UNTOLD) {
		s->sink->n_traces += s->matched[shape] > 0;
		s->sink->n_spans += s->matched[shape];
		return 0;
	}
	return give_trace(s, seg, trace);
}

static bool is_needed(const struct shapes *s, const struct span__asked *v,
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].chosen & s->sink->need)
			return true;
	return !s->sink->need;
}

enum { INSIDE, OUTSIDE, BOTH };

/* What the segment has of a trace that others have spans of, too. */
static int keep_part(struct shapes *s, struct span__seg *seg, uint64_t trace,
		     int where)
{
	const struct span__asked *v = NULL;
	bool needed = where != OUTSIDE;
	uint8_t id[16];
	size_t n = 0;
	int rc = 0;

	if (where == INSIDE)
		rc = span__shapes_part(&s->parts, trace, s->told, s->chosen, &v,
				       &n);
	if (rc < 0)
		return out_of_memory(s->err);
	if (rc > 0)
		needed = is_needed(s, v, n);
	span__seg_trace_id(seg, trace, id);
	return span__shapes_log_part(s->logs, id, rc > 0 ? v : NULL, n, needed,
				     s->err);
}

/* Where spans that start from FIRST to LAST are, by the times of the sink. */
static int place(const struct shapes *s, uint64_t first, uint64_t last)
{
	const struct span__shapes_sink *sink = s->sink;
	uint64_t until = sink->until_ns ? sink->until_ns : UINT64_MAX;

	if (last < sink->since_ns || first >= until)
		return OUTSIDE;
	return first >= sink->since_ns && (last < until || !sink->until_ns)
		       ? INSIDE
		       : BOTH;
}

/* The same of a trace: none of its spans starts after its end. */
static int place_trace(const struct shapes *s, struct span__seg *seg,
		       uint64_t trace)
{
	uint64_t start, length;

	if (!s->sink->since_ns && !s->sink->until_ns)
		return INSIDE;
	start = span__ints_get(&seg->trace_start, trace);
	length = span__ints_get(&seg->trace_end, trace);
	return place(s, start,
		     length > UINT64_MAX - start ? UINT64_MAX : start + length);
}

static int see_traces(struct shapes *s, struct span__seg *seg, uint64_t at,
		      size_t n)
{
	uint64_t shape[SEG_GROUP];
	int rc = 0;

	span__ints_range(&seg->trace_shape, at, n, shape);
	for (size_t i = 0; i < n && rc >= 0; i++) {
		uint64_t trace = at + i;
		int where = place_trace(s, seg, trace);

		if (shape[i] >= seg->file.header.n_shapes)
			return span__area_bad(&seg->trace_shape.area);
		if (span__traces_shared_has(&s->shared, s->first + trace))
			rc = keep_part(s, seg, trace, where);
		else if (where == BOTH)
			rc = give_trace(s, seg, trace);
		else if (where == INSIDE)
			rc = see_trace(s, seg, trace, shape[i]);
	}
	return rc;
}

static int see_loaded(struct shapes *s, struct span__seg *seg)
{
	uint64_t n_shapes = seg->file.header.n_shapes;
	bool distinct = seg->file.header.flags & SEG_FLAG_DISTINCT_IDS;
	int rc = any_process_has(s, seg);

	s->parts = (struct span__shapes_parts){.seg = seg,
					       .nodes = s->parts.nodes};
	s->told = calloc(seg->types.n + 1, sizeof(*s->told));
	s->chosen = calloc(seg->types.n + 1, sizeof(*s->chosen));
	s->matched = malloc((n_shapes + 1) * sizeof(*s->matched));
	if (!s->told || !s->chosen || !s->matched)
		rc = out_of_memory(s->err);
	if (rc >= 0) {
		memset(s->matched, 0xff, (n_shapes + 1) * sizeof(*s->matched));
		rc = see_types(s, seg, distinct && !rc);
	}
	if (!rc)
		rc = span__shapes_judge_segment(&s->judge, seg, s->told,
						s->chosen, s->err);
	for (uint64_t at = 0; at < seg->n_traces && rc >= 0; at += SEG_GROUP) {
		rc = span__store_stopped(&s->store->base, s->err);
		if (!rc)
			rc = see_traces(s, seg, at,
					seg->n_traces - at < SEG_GROUP
						? (size_t)(seg->n_traces - at)
						: SEG_GROUP);
	}
	free(s->told);
	free(s->chosen);
	free(s->matched);
	s->told = NULL;
	s->chosen = NULL;
	s->matched = NULL;
	return rc;
}

/* Of what starts outside, that others are not told all of these traces. */
static int see_outside(struct shapes *s, struct span__seg *seg)
{
	uint64_t end = s->shared.n ? seg->n_traces : 0;
	int rc = 0;

	for (uint64_t i = 0; i < end && rc >= 0; i++)
		if (span__traces_shared_has(&s->shared, s->first + i))
			rc = keep_part(s, seg, i, OUTSIDE);
	return rc < 0 ? rc : !seg->file.bad;
}

/* 1, 0 when it is damaged, or a negative code. */
static int see_segment(struct shapes *s, struct span__view_file *f)
{
	int rc;

	if (place(s, f->sum.min_start_ns, f->seg->file.header.max_start_ns) ==
	    OUTSIDE)
		return see_outside(s, f->seg);
	span__seg_load_blocks(f->seg);
	rc = span__seg_load(f->seg, s->err);
	if (!rc)
		rc = see_loaded(s, f->seg);
	if (!f->seg_users)
		span__view_unload(&s->store->view, f);
	if (rc == SPAN_E_CORRUPT || f->seg->file.bad)
		return 0;
	return rc < 0 ? rc : 1;
}

/* ---- All of it ---- */

static int see_log(struct shapes *s, struct span__view_file *f)
{
	int rc = span__store_stopped(&s->store->base, s->err);

	if (rc < 0)
		return rc;
	rc = span__directory_frames(s->store, f, NULL, span__shapes_log_frame,
				    s->logs, s->err);

	return rc == SPAN_E_NOTFOUND ? 0 : rc;
}

/* 1, 0 when a file cannot be read, or a negative code. */
static int find_shared(struct shapes *s)
{
	struct span__view *view = &s->store->view;
	int rc = 0;

	for (size_t i = 0; i < view->n && !rc; i++) {
		struct span__view_file *f = &view->v[i];

		if (f->kind == FILE_SEG && !f->seg)
			return 0;
		if (f->kind == FILE_SEG)
			s->segs[s->n_segs++] = f->seg;
		else if (f->kind != FILE_BAD)
			rc = see_log(s, f);
	}
	if (rc < 0)
		return rc;
	rc = span__traces_shared(&s->shared, s->segs, s->n_segs,
				 span__shapes_log_traces(s->logs));
	if (rc < 0)
		return rc == SPAN_E_LIMIT ? 0 : out_of_memory(s->err);
	for (size_t i = 0; i < s->n_segs; i++)
		if (s->segs[i]->file.bad)
			return 0;
	return 1;
}

/* The same. */
static int see_all(struct shapes *s)
{
	struct span__view *view = &s->store->view;
	int rc = find_shared(s), failed = 0;

	for (size_t i = 0; i < view->n && rc > 0; i++) {
		if (view->v[i].kind != FILE_SEG)
			continue;
		rc = see_segment(s, &view->v[i]);
		s->first += view->v[i].seg->n_traces;
	}
	if (rc > 0)
		failed = span__shapes_log_finish(s->logs, s->err);
	return failed < 0 ? failed : rc;
}

int span__directory_shapes(struct span_store *st,
			   struct span__shapes_sink *sink,
			   struct span_error *err)
{
	struct span__directory *store = (struct span__directory *)st;
	struct shapes s = {
		.store = store, .sink = sink, .judge.sink = sink, .err = err};
	int rc = span__directory_view(store, err);

	if (!rc)
		rc = span__shapes_log_open(&s.logs, &s.judge, err);
	if (rc < 0)
		return rc;
	s.segs = calloc(store->view.n + 1, sizeof(struct span__seg *));
	rc = s.segs ? see_all(&s) : out_of_memory(err);
	span__shapes_log_close(&s.logs);
	span__shapes_parts_release(&s.parts);
	span__traces_shared_release(&s.shared);
	span__shapes_judge_release(&s.judge);
	free(s.segs);
	return rc;
}
