/* SPDX-License-Identifier: Apache-2.0 */
#include <span/diff.h>
#include <span/findings.h>
#include <span/text.h>

#include <stdlib.h>
#include <string.h>

#include "base/slots.h"
#include "trace/diff_state.h"

#include "base/banned.h"

#define PATH_SLOTS (2 * SPAN_DIFF_PATHS)
#define VALUE_SLOTS (2 * SPAN_DIFF_VALUES)

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

int span_diff_open(struct span_diff **out, const struct span_diff_opts *o,
		   struct span_error *err)
{
	static const struct span_diff_opts defaults = SPAN_DIFF_DEFAULTS;
	struct span_diff *d = calloc(1, sizeof(*d));
	int rc;

	*out = NULL;
	if (!d)
		return no_memory(err);
	d->o = o ? *o : defaults;
	d->first_root = d->last_root = NONE;
	/* Large, and untouched but for what is used. */
	d->paths = calloc(SPAN_DIFF_PATHS, sizeof(*d->paths));
	d->path_slots = calloc(PATH_SLOTS, sizeof(*d->path_slots));
	d->value_slots = calloc(VALUE_SLOTS, sizeof(*d->value_slots));
	rc = d->paths && d->path_slots && d->value_slots
		     ? span__key_init(&d->secret, err)
		     : no_memory(err);
	if (rc < 0)
		span_diff_close(&d);
	*out = d;
	return rc;
}

static void hang(struct span_diff *d, uint32_t number, uint32_t parent)
{
	uint32_t *first = parent == NONE ? &d->first_root
					 : &d->paths[parent]->first_child;
	uint32_t *last =
		parent == NONE ? &d->last_root : &d->paths[parent]->last_child;

	if (*first == NONE)
		*first = number;
	else
		d->paths[*last]->next_sibling = number;
	*last = number;
}

static struct diff_path *add_path(struct span_diff *d, uint32_t parent,
				  struct span_str service, struct span_str name)
{
	struct diff_path *p = span_arena_alloc(&d->arena, sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct diff_path){.parent = parent,
				.first_child = NONE,
				.last_child = NONE,
				.next_sibling = NONE,
				.next_seen = NONE};
	if (parent != NONE)
		p->depth = d->paths[parent]->depth + 1;
	if (!span_arena_str(&d->arena, service, &p->service) ||
	    !span_arena_str(&d->arena, name, &p->name))
		return NULL;
	hang(d, d->n_paths, parent);
	d->paths[d->n_paths++] = p;
	return p;
}

/* *OUT is NONE when there is no room for one more. */
static int find_path(struct span_diff *d, uint32_t parent,
		     const struct span *of, uint32_t *out)
{
	struct span_str name = of->name, service = of->process->service;
	uint64_t h[3] = {parent, span__hash_str(&d->secret, service), 0};
	const struct diff_path *p;
	size_t at;

	if (!d->o.exact_names) {
		d->text.len = 0;
		span_template_put(&d->text, name);
		if (d->text.failed)
			return SPAN_E_NOMEM;
		name = (struct span_str){d->text.p, d->text.len};
	}
	h[2] = span__hash_str(&d->secret, name);
	h[0] = span__hash(&d->secret, h, sizeof(h));
	for (at = h[0] % PATH_SLOTS; d->path_slots[at];
	     at = (at + 1) % PATH_SLOTS) {
		*out = d->path_slots[at] - 1;
		p = d->paths[*out];
		if (p->hash == h[0] && p->parent == parent &&
		    span_str_equal(p->name, name) &&
		    span_str_equal(p->service, service))
			return 0;
	}
	*out = NONE;
	if (d->n_paths == SPAN_DIFF_PATHS)
		return 0;
	if (!add_path(d, parent, service, name))
		return SPAN_E_NOMEM;
	*out = d->n_paths - 1;
	d->paths[*out]->hash = h[0];
	d->path_slots[at] = d->n_paths;
	return 0;
}

static int count_value(struct span_diff *d, int side, struct diff_path *p,
		       struct span_str key, struct span_str value)
{
	uint64_t h[3] = {p->hash, span__hash_str(&d->secret, key),
			 span__hash_str(&d->secret, value)};
	uint64_t hash = span__hash(&d->secret, h, sizeof(h));
	size_t at = hash % VALUE_SLOTS;
	struct diff_value *v;

	while ((v = d->value_slots[at]) &&
	       (v->hash != hash || !span_str_equal(v->key, key) ||
		!span_str_equal(v->value, value)))
		at = (at + 1) % VALUE_SLOTS;
	if (!v && d->n_values == SPAN_DIFF_VALUES) {
		d->values_left_out++;
		return 0;
	}
	if (!v) {
		v = span_arena_alloc(&d->arena, sizeof(*v));
		if (!v)
			return SPAN_E_NOMEM;
		*v = (struct diff_value){.hash = hash, .next = p->values};
		if (!span_arena_str(&d->arena, key, &v->key) ||
		    !span_arena_str(&d->arena, value, &v->value))
			return SPAN_E_NOMEM;
		p->values = d->value_slots[at] = v;
		d->n_values++;
	}
	/* A tag of the span and one of its process may say the same. */
	if (v->last == d->n_counted)
		return 0;
	v->traces[side] += v->last <= d->trace_began;
	v->spans[side]++;
	v->last = d->n_counted;
	return 0;
}

static int count_attrs(struct span_diff *d, int side, struct diff_path *p,
		       const struct span_attrs *a)
{
	int rc = 0;

	for (size_t i = 0; i < a->n && !rc; i++) {
		struct span_str text;

		d->text.len = 0;
		span_text_value(&d->text, &a->v[i].value);
		if (d->text.failed)
			return SPAN_E_NOMEM;
		text = (struct span_str){d->text.p, d->text.len};
		text.len = span_text_cut(text, SPAN_DIFF_VALUE_MAX);
		if (a->v[i].key.len <= SPAN_DIFF_VALUE_MAX)
			rc = count_value(d, side, p, a->v[i].key, text);
	}
	return rc;
}

static int count_span(struct span_diff *d, int side, struct diff_path *p,
		      const struct span *of)
{
	int rc = 0;

	d->n_counted++;
	p->spans_seen++;
	p->errors_seen += span_is_error(of);
	p->ns_seen = span__plus(p->ns_seen, of->duration_ns);
	if (!d->o.no_attrs)
		rc = count_attrs(d, side, p, &of->attrs);
	if (!rc && !d->o.no_attrs)
		rc = count_attrs(d, side, p, &of->process->attrs);
	return rc;
}

/* What the trace had of each of its paths. */
static int end_trace(struct span_diff *d, int side, uint32_t first)
{
	int rc = 0;

	for (uint32_t i = first; i != NONE && !rc; i = d->paths[i]->next_seen) {
		struct diff_path *p = d->paths[i];
		struct diff_side *s = &p->side[side];

		s->traces++;
		s->spans += p->spans_seen;
		s->errors += p->errors_seen;
		s->failing += p->errors_seen != 0;
		s->total_ns = span__plus(s->total_ns, p->ns_seen);
		rc = span_sketch_put(&s->counts, p->spans_seen, 1, NULL);
		if (!rc)
			rc = span_sketch_put(&s->durations,
					     p->ns_seen / p->spans_seen, 1,
					     NULL);
	}
	return rc;
}

static int put_spans(struct span_diff *d, int side, const struct span_trace *t,
		     uint32_t *path_of)
{
	uint64_t number = d->traces[0] + d->traces[1];
	uint32_t first = NONE;
	int rc = 0;

	d->trace_began = d->n_counted;
	for (size_t k = 0; k < t->n && !rc; k++) {
		uint32_t i = t->order[k], parent = t->nodes[i].parent;
		uint32_t above = parent == NONE ? NONE : path_of[parent];
		struct diff_path *p;

		path_of[i] = NONE;
		if (parent == NONE || above != NONE)
			rc = find_path(d, above, &t->spans[i], &path_of[i]);
		if (rc || path_of[i] == NONE) {
			d->spans_left_out++;
			continue;
		}
		p = d->paths[path_of[i]];
		if (p->seen != number) {
			p->seen = number;
			p->spans_seen = p->errors_seen = p->ns_seen = 0;
			p->next_seen = first;
			first = path_of[i];
		}
		rc = count_span(d, side, p, &t->spans[i]);
	}
	return rc ? rc : end_trace(d, side, first);
}

int span_diff_put(struct span_diff *d, int side, const struct span_trace *t,
		  struct span_error *err)
{
	uint32_t *path_of;

	d->traces[side]++;
	d->spans[side] += t->n;
	d->of_span.len = 0;
	path_of = (uint32_t *)(void *)span_buf_reserve(&d->of_span,
						       t->n * sizeof(*path_of));
	if (!path_of || put_spans(d, side, t, path_of) < 0)
		return no_memory(err);
	return 0;
}

void span_diff_close(struct span_diff **dp)
{
	struct span_diff *d = *dp;

	*dp = NULL;
	if (!d)
		return;
	for (uint32_t i = 0; i < d->n_paths; i++) {
		for (int side = 0; side < 2; side++) {
			struct diff_side *s = &d->paths[i]->side[side];

			span_sketch_release(&s->durations);
			span_sketch_release(&s->counts);
		}
	}
	span_arena_release(&d->arena);
	span_buf_release(&d->of_span);
	span_buf_release(&d->text);
	span_buf_release(&d->attrs);
	free(d->paths);
	free(d->path_slots);
	free(d->value_slots);
	free(d->nodes);
	free(d);
}
