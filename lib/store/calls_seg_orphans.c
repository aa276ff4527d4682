/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The orphans of a segment. Where it, or the other one, has a list of those
 * whose parents are in the other one, that is all there is to it; else each
 * orphan is looked up.
 */
#include "store/calls_count.h"

#include <stdlib.h>

#include "store/calls_seg.h"
#include "store/seg_edges.h"

#include "base/banned.h"

#define ORPHANS 16384u /* that are looked at together */

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

bool span__orphan_at(const struct span__seg *seg, uint64_t at,
		     struct span__orphan *out)
{
	uint64_t node = span__ints_get(&seg->explicit_node, at);

	*out = (struct span__orphan){
		.number = at,
		.trace = span__ints_get(&seg->explicit_trace, at),
		.parent_id = span__ints_get(&seg->explicit_id, at),
		.place = (uint32_t)node,
		.parent = CALLS_ABSENT,
	};
	return out->trace < seg->n_traces && node <= UINT32_MAX;
}

size_t span__orphans_next(struct span__seg *seg, uint64_t since_ns,
			  uint64_t last_ns, uint64_t *at,
			  struct span__orphan *v, size_t n)
{
	size_t found = 0;

	for (; *at < seg->explicit_trace.n && found < n; ++*at) {
		struct span__calls_seg s = {.seg = seg};
		const struct span__calls_file file = {.seg = &s};
		uint64_t start, end;

		if (!span__orphan_at(seg, *at, &v[found]))
			continue;
		span__calls_file_times(&file, v[found].trace, &start, &end);
		found += start <= last_ns && end >= since_ns;
	}
	return found;
}

/* A segment that may have parents, and what is known of them. */
struct other {
	size_t number; /* of the file */
	bool is_known;
	struct span__edges edges;
};

struct finding {
	struct span__calls_counter *c;
	struct span__seg *seg;
	struct other *others; /* nearest first */
	size_t n_others;
	bool all_known;
	struct span__orphan *v;
	size_t n;
};

static int list_others(struct finding *f, struct span_error *err)
{
	const struct span__calls_counter *c = f->c;

	f->others = calloc(c->files->n + 1, sizeof(*f->others));
	if (!f->others)
		return out_of_memory(err);
	f->all_known = true;
	for (size_t k = 0; k < 2 * c->files->n; k++) {
		struct other *o = &f->others[f->n_others];
		struct span__seg *seg;

		o->number = span__calls_nearest(c, k);
		if (!span__calls_near_file(c, o->number))
			continue;
		seg = c->files->bounds[o->number].seg;
		o->is_known =
			seg &&
			(span__edges_open(&o->edges, f->seg, seg, EDGES_OWN) ||
			 span__edges_open(&o->edges, seg, f->seg, EDGES_OTHER));
		f->all_known = f->all_known && o->is_known;
		f->n_others++;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of all lists the orphans, each once: room for them in v[]. */
static int unite_lists(struct finding *f, struct span_error *err)
{
	uint64_t *numbers;
	size_t n = 0;

	for (size_t i = 0; i < f->n_others; i++)
		n += f->others[i].edges.n;
	numbers = malloc((n + 1) * sizeof(*numbers));
	f->v = malloc((n + 1) * sizeof(*f->v));
	if (!numbers || !f->v) {
		free(numbers);
		return out_of_memory(err);
	}
	n = 0;
	for (size_t i = 0; i < f->n_others; i++) {
		const struct span__edges *e = &f->others[i].edges;

		span__ints_range(&e->columns[EDGE_ORPHAN], 0, e->n,
				 numbers + n);
		n += e->n;
	}
	qsort(numbers, n, sizeof(*numbers), compare);
	for (size_t i = 0; i < n; i++)
		if ((!i || numbers[i] != numbers[i - 1]) &&
		    numbers[i] < f->seg->explicit_trace.n &&
		    span__orphan_at(f->seg, numbers[i], &f->v[f->n]))
			f->n++;
	free(numbers);
	return 0;
}

static int take_edge(struct finding *f, const struct span__edge *e,
		     struct span__calls_seg *parents, struct span__orphan *o,
		     struct span_error *err)
{
	int rc = span__calls_seg_name(f->c->file.seg, e->type, &o->name, err);

	if (!rc)
		rc = span__calls_seg_name(parents, e->parent_type, &o->parent,
					  err);
	o->parent += CALLS_NAME;
	o->start_ns = e->start_ns;
	o->duration_ns = e->duration_ns;
	o->type = e->type;
	o->checked = true;
	return rc;
}

/* Both ascend by the orphans' numbers. */
static int take_list(struct finding *f, const struct other *other,
		     struct span_error *err)
{
	const struct span__edges *e = &other->edges;
	struct span__calls_file file;
	uint64_t i = 0;
	int rc;

	if (!e->n || !f->n)
		return 0;
	rc = span__calls_load(f->c, other->number, &file, err);
	if (rc <= 0)
		return rc;
	if (f->v[0].number)
		i = span__ints_upper(&e->columns[EDGE_ORPHAN],
				     f->v[0].number - 1);
	rc = 0;
	for (size_t k = 0; k < f->n && i < e->n && !rc; i++) {
		struct span__edge edge;

		if (!span__edges_get(e, i, f->seg, span__calls_seg(file.seg),
				     &edge))
			return 0;
		while (k < f->n && f->v[k].number < edge.orphan)
			k++;
		if (k < f->n && f->v[k].number == edge.orphan &&
		    f->v[k].parent == CALLS_ABSENT &&
		    !span__calls_seg_loose(f->c->file.seg, edge.type) &&
		    !span__calls_seg_loose(file.seg, edge.parent_type))
			rc = take_edge(f, &edge, file.seg, &f->v[k], err);
	}
	return rc;
}

static int resolve(struct finding *f, struct span_buf *found,
		   struct span_error *err)
{
	const struct span__calls_sink *sink = &f->c->sink;
	int rc = 0;

	for (size_t i = 0; i < f->n_others && !rc; i++) {
		const struct other *o = &f->others[i];

		rc = o->is_known ? take_list(f, o, err)
				 : span__calls_resolve(f->c, o->number, f->v,
						       f->n, err);
	}
	for (size_t i = 0; i < f->n && !rc; i++)
		if (f->v[i].parent >= CALLS_NAME &&
		    span__calls_in(sink, f->v[i].start_ns))
			span_buf_put(found, &f->v[i], sizeof(f->v[i]));
	return !rc && found->failed ? out_of_memory(err) : rc;
}

static int look_up_all(struct finding *f, struct span_buf *found,
		       struct span_error *err)
{
	const struct span__calls_sink *sink = &f->c->sink;
	uint64_t at = 0;
	int rc = 0;

	f->v = malloc(ORPHANS * sizeof(*f->v));
	if (!f->v)
		return out_of_memory(err);
	do {
		f->n = span__orphans_next(f->seg, sink->since_ns, sink->last_ns,
					  &at, f->v, ORPHANS);
		rc = resolve(f, found, err);
	} while (!rc && f->n);
	return rc;
}

int span__calls_orphans(struct span__calls_counter *c, struct span_buf *found,
			struct span_error *err)
{
	struct finding f = {.c = c, .seg = span__calls_seg(c->file.seg)};
	int rc;

	if (!f.seg->explicit_trace.n)
		return 0;
	rc = list_others(&f, err);
	if (!rc && f.n_others && f.all_known) {
		rc = unite_lists(&f, err);
		if (!rc)
			rc = resolve(&f, found, err);
	} else if (!rc && f.n_others) {
		rc = look_up_all(&f, found, err);
	}
	free(f.others);
	free(f.v);
	return rc;
}
