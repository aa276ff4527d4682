/* SPDX-License-Identifier: Apache-2.0 */
#include "store/calls_seg.h"

#include <stdlib.h>

#include "model/model.h"

#include "base/banned.h"

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

int span__calls_seg_open(struct span__calls_seg **out, struct span__seg *seg,
			 struct span__call_names *names, struct span_error *err)
{
	struct span__calls_seg *s = NULL;
	int rc = span__seg_load(seg, err);

	*out = NULL;
	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return out_of_memory(err);
	s->seg = seg;
	s->names = names;
	s->type_names = malloc((seg->types.n + 1) * sizeof(*s->type_names));
	if (!s->type_names) {
		span__calls_seg_close(&s);
		return out_of_memory(err);
	}
	for (uint64_t i = 0; i < seg->types.n; i++) {
		struct span__seg_type_reader *t = span__seg_type(seg, i);
		bool loose = !t || t->type.loose;

		s->type_names[i] = loose ? CALLS_LOOSE : CALLS_UNKNOWN;
		s->any_loose |= loose;
	}
	*out = s;
	return 0;
}

struct span__seg *span__calls_seg(struct span__calls_seg *s)
{
	return s->seg;
}

bool span__calls_seg_loose(struct span__calls_seg *s, uint64_t i)
{
	return s->type_names[i] == CALLS_LOOSE;
}

bool span__calls_seg_any_loose(const struct span__calls_seg *s)
{
	return s->any_loose;
}

static struct span__call_name by_type(const struct span__seg_type *t)
{
	return (struct span__call_name){
		.kind = t->kind,
		.error = t->error,
		.follows = t->refs == SEG_REFS_PARENT &&
			   t->ref_type == SPAN_REF_FOLLOWS_FROM,
		.weight = t->weight,
	};
}

int span__calls_seg_name(struct span__calls_seg *s, uint64_t i, uint32_t *name,
			 struct span_error *err)
{
	struct span__seg_type_reader *t;
	struct span__call_name n;
	int rc = 0;

	if (s->type_names[i] == CALLS_UNKNOWN) {
		t = span__seg_type(s->seg, i);
		if (!t)
			return out_of_memory(err);
		n = by_type(&t->type);
		n.service =
			span__strings_get(&s->seg->strings, t->type.service);
		n.name = span__strings_get(&s->seg->strings, t->type.name);
		rc = span__call_names_put(s->names, &n, &s->type_names[i], err);
	}
	*name = s->type_names[i];
	return rc;
}

/* A trace that is being read. */
struct reading {
	struct span__calls_seg *s;
	struct span__seg_place place;
	const uint64_t *starts;
	uint64_t *ids;
	uint32_t *path;
	uint64_t explicit; /* where its part of SEG_EXPLICIT_* goes on */
};

static int name_loose(struct reading *r, size_t i, struct span__seg_type *t,
		      uint32_t *name, struct span_error *err)
{
	struct span__call_name n = by_type(t);
	uint64_t read = 0;
	struct span span;
	int rc;

	span_arena_reset(&r->s->arena);
	rc = span__seg_spans(r->s->seg, &r->place, i, i + 1, NULL, SEG_WANT_ALL,
			     &r->s->arena, &span, &read, err);
	if (rc < 0 || !(read & 1))
		return rc;
	n.service = span.process->service;
	n.name = span.name;
	n.follows = span__follows(&span);
	rc = span__call_names_put(r->s->names, &n, name, err);
	return rc < 0 ? rc : 1;
}

/* Its number in *NAME: 1, 0 when it is damaged, SPAN_E_NOMEM. */
static int find_name(struct reading *r, size_t i,
		     struct span__seg_type_reader *t, uint32_t *name,
		     struct span_error *err)
{
	uint32_t type = r->place.nodes[i].type;
	int rc;

	*name = r->s->type_names[type];
	if (*name < CALLS_UNKNOWN)
		return 1;
	if (*name == CALLS_LOOSE)
		return name_loose(r, i, &t->type, name, err);
	rc = span__calls_seg_name(r->s, type, name, err);
	return rc < 0 ? rc : 1;
}

/* The parent's id that is stored apart for node I, which goes up. */
static uint64_t explicit_id(struct reading *r, size_t i)
{
	struct span__seg *seg = r->s->seg;
	uint64_t trace = r->place.trace;

	if (r->explicit == UINT64_MAX)
		r->explicit = trace ? span__ints_upper(&seg->explicit_trace,
						       trace - 1)
				    : 0;
	for (; r->explicit < seg->explicit_trace.n; r->explicit ++) {
		uint64_t node;

		if (span__ints_get(&seg->explicit_trace, r->explicit) != trace)
			break;
		node = span__ints_get(&seg->explicit_node, r->explicit);
		if (node == i)
			return span__ints_get(&seg->explicit_id, r->explicit);
		if (node > i)
			break;
	}
	return 0;
}

static uint64_t parent_id(struct reading *r, size_t i)
{
	uint32_t link = r->place.nodes[i].link, depth = 0;
	uint64_t id = 0;

	if (link == SEG_LINK_EXPLICIT) {
		id = explicit_id(r, i);
	} else if (link > SEG_LINK_EXPLICIT) {
		depth = link - 1;
		id = r->ids[r->path[depth - 1]];
	}
	r->path[depth] = (uint32_t)i;
	return id;
}

/* Fill in what is known of node I: 1, 0 when it is damaged, or a code. */
static int read_call(struct reading *r, size_t i, struct span__member *m,
		     struct span__call *c, struct span_error *err)
{
	struct span__seg *seg = r->s->seg;
	struct span__seg_type_reader *t =
		span__seg_type(seg, r->place.nodes[i].type);
	uint64_t parent = parent_id(r, i);
	struct span__seg_column *duration;
	const struct span__call_name *name;
	int rc;

	if (!t || t->type.n_slots <= SLOT_DURATION ||
	    t->type.slots[SLOT_DURATION].role != SLOT_DURATION)
		return 0;
	duration = span__seg_column(seg, t, SLOT_DURATION);
	if (!duration || !duration->ints)
		return 0;
	rc = find_name(r, i, t, &c->name, err);
	if (rc <= 0)
		return rc;
	c->start_ns = r->starts[i];
	c->duration_ns = span__ints_get(duration->ints, r->place.ranks[i]);
	c->place = (uint32_t)i;
	c->type = r->place.nodes[i].type;
	c->loose = t->type.loose;
	name = &r->s->names->v[c->name];
	*m = (struct span__member){r->ids[i], parent, name->service_number,
				   name->kind};
	return 1;
}

static void *room(struct span_buf *b, size_t n, size_t size)
{
	void *p;

	b->len = 0;
	p = span_buf_reserve(b, n * size);
	b->failed = false;
	return p;
}

static int read_trace(struct reading *r, struct span__call_trace *out,
		      struct span_error *err)
{
	size_t n = r->place.n;

	r->ids = room(&r->s->ids, n, sizeof(*r->ids));
	r->path = room(&r->s->path, n + 1, sizeof(*r->path));
	if (!r->ids || !r->path || !span__call_trace_room(out, n))
		return out_of_memory(err);
	r->starts = span__seg_starts(r->s->seg, &r->place);
	span__ints_range(&r->s->seg->span_ids, r->place.first_span, n, r->ids);
	for (size_t i = 0; i < n && r->starts; i++) {
		int rc = read_call(r, i, &out->members[out->n],
				   &out->calls[out->n], err);

		if (rc < 0)
			return rc;
		out->n += (size_t)rc;
	}
	return 0;
}

int span__calls_seg_trace(struct span__calls_seg *s, uint64_t trace,
			  struct span__call_trace *out, struct span_error *err)
{
	struct reading r = {.s = s, .explicit = UINT64_MAX};
	int rc = span__seg_walk_seek(&s->walk, s->seg, trace, UINT64_MAX, err);

	out->n = 0;
	if (!rc)
		rc = span__seg_walk_next(&s->walk, &r.place, err);
	if (rc <= 0 || r.place.trace != trace)
		return rc < 0 ? rc : 0;
	return read_trace(&r, out, err);
}

void span__calls_seg_close(struct span__calls_seg **s)
{
	struct span__calls_seg *old = *s;

	if (!old)
		return;
	span__seg_walk_release(&old->walk);
	span_buf_release(&old->ids);
	span_buf_release(&old->path);
	span_arena_release(&old->arena);
	free(old->type_names);
	free(old);
	*s = NULL;
}
