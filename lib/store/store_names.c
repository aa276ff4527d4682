/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services and operations: types of segments know them, logs are read, and what
 * is in them is kept, so that the next time only what is new is read.
 */
#include <stdlib.h>

#include "store/calls_log.h"
#include "store/calls_seg.h"
#include "store/store_calls.h"

#include "base/banned.h"

#define KEPT_BYTES (16u << 20) /* of names of logs, all in all */

struct span__kept_names {
	struct span__name_counts counts;
	uint64_t end; /* of what was read */
};

void span__kept_names_close(struct span__kept_names **k)
{
	if (!*k)
		return;
	span__name_counts_release(&(*k)->counts);
	free(*k);
	*k = NULL;
}

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

int span__name_counts_add(struct span__name_counts *c, uint32_t name,
			  uint64_t n, struct span_error *err)
{
	size_t cap = c->cap ? c->cap : 64;
	uint64_t *v;

	while (cap <= name)
		cap *= 2;
	if (cap > c->cap) {
		v = realloc(c->spans, cap * sizeof(*v));
		if (!v)
			return out_of_memory(err);
		for (size_t i = c->cap; i < cap; i++)
			v[i] = 0;
		c->spans = v;
		c->cap = cap;
	}
	c->spans[name] += n;
	return 0;
}

int span__name_counts_log(struct span__name_counts *c,
			  const struct span__calls_log *l,
			  struct span_error *err)
{
	const uint64_t *counts = (const uint64_t *)(const void *)l->counts.p;
	size_t n = l->counts.len / sizeof(*counts);
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++)
		rc = span__name_counts_add(c, i, counts[i], err);
	return rc;
}

static const struct span__call_name *name_at(const struct span__name_counts *c,
					     uint32_t i)
{
	return &c->names.v[i];
}

static int compare_names(const struct span__call_name *a,
			 const struct span__call_name *b)
{
	int order = span_str_compare(a->service, b->service);

	if (!order)
		order = span_str_compare(a->name, b->name);
	return order ? order : a->kind - b->kind;
}

static int compare(const void *a, const void *b, void *counts)
{
	return compare_names(name_at(counts, *(const uint32_t *)a),
			     name_at(counts, *(const uint32_t *)b));
}

int span__name_counts_give(struct span__name_counts *c, span_store_name_fn *fn,
			   void *arg, struct span_error *err)
{
	size_t n = c->names.n < c->cap ? c->names.n : c->cap;
	uint32_t *order = malloc((n + 1) * sizeof(*order));
	int rc = 0;

	if (!order)
		return out_of_memory(err);
	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), compare, c);
	for (size_t i = 0, to; i < n && rc >= 0; i = to) {
		const struct span__call_name *first = name_at(c, order[i]);
		struct span_store_name out = {
			.service = first->service,
			.operation = first->name,
			.kind = first->kind,
		};

		for (to = i; to < n; to++) {
			const struct span__call_name *name =
				name_at(c, order[to]);

			if (compare_names(first, name) != 0)
				break;
			out.spans += c->spans[order[to]];
			if (name->error)
				out.errors += c->spans[order[to]];
		}
		if (out.spans)
			rc = fn(arg, &out, err);
	}
	free(order);
	return rc < 0 ? rc : 0;
}

void span__name_counts_release(struct span__name_counts *c)
{
	span__call_names_release(&c->names);
	free(c->spans);
}

/* Spans of loose types, which have names of their own. */
static int count_loose(struct span__name_counts *c,
		       const struct span__calls_file *file,
		       struct span_error *err)
{
	uint64_t n = span__calls_file_traces(file);
	struct span__call_trace t = {0};
	int rc = 0;

	for (uint64_t i = 0; i < n && !rc; i++) {
		rc = span__calls_file_trace(file, i, &t, err);
		for (size_t k = 0; k < t.n && !rc; k++)
			if (t.calls[k].loose)
				rc = span__name_counts_add(c, t.calls[k].name,
							   1, err);
	}
	span__call_trace_release(&t);
	return rc;
}

static int count_seg(struct span__name_counts *c, struct span__seg *seg,
		     struct span_error *err)
{
	struct span__calls_file file = {0};
	int rc = span__calls_seg_open(&file.seg, seg, &c->names, err);

	for (uint64_t i = 0; !rc && i < seg->types.n; i++) {
		uint32_t name;

		if (span__calls_seg_loose(file.seg, i))
			continue;
		rc = span__calls_seg_name(file.seg, i, &name, err);
		if (!rc)
			rc = span__name_counts_add(
				c, name, span__seg_type(seg, i)->type.n_spans,
				err);
	}
	if (!rc && span__calls_seg_any_loose(file.seg))
		rc = count_loose(c, &file, err);
	span__calls_seg_close(&file.seg);
	return rc == SPAN_E_CORRUPT ? 0 : rc;
}

static int put_frame(void *log, struct span_str frame, struct span_error *err)
{
	return span__calls_log_put(log, frame, err);
}

/* What is behind that which is known of F. As span__directory_frames(). */
static int read_on(struct span__directory *s, struct span__view_file *f,
		   struct span__kept_names *k, struct span_error *err)
{
	struct span__calls_log *l;
	int rc = span__calls_log_open(&l, &k->counts.names, true, err);

	if (!rc)
		rc = span__directory_frames(s, f, &k->end, put_frame, l, err);
	if (!rc)
		rc = span__name_counts_log(&k->counts, l, err);
	if (rc == SPAN_E_NOTFOUND)
		s->found.n_expired++;
	span__calls_log_close(&l);
	return rc;
}

static int add_all(struct span__name_counts *to,
		   const struct span__name_counts *from, struct span_error *err)
{
	uint32_t name;
	int rc = 0;

	for (uint32_t i = 0; i < from->names.n && i < from->cap && !rc; i++) {
		rc = span__call_names_put(&to->names, &from->names.v[i], &name,
					  err);
		if (!rc)
			rc = span__name_counts_add(to, name, from->spans[i],
						   err);
	}
	return rc;
}

/* f->names as they may be used; 0 or a negative code. */
static int open_kept(struct span__view_file *f, struct span_error *err)
{
	int rc;

	if (f->names && (!f->is_open || f->log.end < f->names->end))
		span__kept_names_close(&f->names);
	if (f->names)
		return 0;
	f->names = calloc(1, sizeof(*f->names));
	if (!f->names)
		return out_of_memory(err);
	rc = span__call_names_init(&f->names->counts.names, err);
	if (rc < 0)
		span__kept_names_close(&f->names);
	return rc;
}

static size_t memory_of(const struct span__name_counts *c)
{
	return span__call_names_memory(&c->names) + c->cap * sizeof(*c->spans);
}

/* HELD is the memory of what is kept. */
static int count_log(struct span__name_counts *c, struct span__directory *s,
		     struct span__view_file *f, size_t *held,
		     struct span_error *err)
{
	int rc = open_kept(f, err);

	if (!rc)
		rc = read_on(s, f, f->names, err);
	if (!rc)
		rc = add_all(c, &f->names->counts, err);
	if (!rc)
		*held += memory_of(&f->names->counts);
	if (rc < 0 || *held > KEPT_BYTES)
		span__kept_names_close(&f->names);
	return rc == SPAN_E_NOTFOUND ? 0 : rc;
}

int span__directory_names(struct span_store *st, span_store_name_fn *fn,
			  void *arg, struct span_error *err)
{
	struct span__directory *s = (struct span__directory *)st;
	struct span__name_counts c = {0};
	size_t held = 0;
	int rc = span__directory_view(s, err);

	if (!rc)
		rc = span__call_names_init(&c.names, err);
	for (size_t i = 0; !rc && i < s->view.n; i++) {
		struct span__view_file *f = &s->view.v[i];

		if (f->kind == FILE_BAD)
			continue;
		rc = span__store_stopped(st, err);
		if (!rc && f->kind != FILE_SEG)
			rc = count_log(&c, s, f, &held, err);
		else if (!rc && f->seg)
			rc = count_seg(&c, f->seg, err);
		span__calls_tell(s, f);
		span__calls_unload(f);
	}
	if (!rc)
		rc = span__name_counts_give(&c, fn, arg, err);
	span__name_counts_release(&c);
	return rc;
}
