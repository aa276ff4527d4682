/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edges between a segment that was just written and those that are there. The
 * section needs the columns of the segment, so the file is read, and gets the
 * section behind the others; where a reader would look up but few spans it is
 * left as it is.
 */
#include "store/seg_edges.h"

#include <stdlib.h>

#include "store/calls_orphans.h"

#include "base/banned.h"

#define ORPHANS 16384u /* that are looked at together */
#define FEW 64u	       /* orphans of either side that a reader may look up */
/*
 * Segments that are looked into, the youngest ones: where times are such that
 * all are near each other it would take longer with each segment.
 */
#define PAIRS_MAX 16u

/* A segment with what is needed to look into it. */
struct side {
	struct span__calls_source source;
	struct span_buf edges; /* struct span__edge: its children */
	uint64_t looked_up;
};

struct adding {
	struct span__call_names names;
	struct span__orphan_search search;
	struct span__orphan *v; /* ORPHANS */
	struct side own;
	struct span_buf section;
	uint64_t looked_up; /* of all */
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static int open_side(struct side *s, struct span__seg *seg,
		     struct span__call_names *names, struct span_error *err)
{
	s->source.seg = seg;
	s->source.min_start_ns = seg->file.header.sum.min_start_ns;
	s->source.max_end_ns = seg->file.header.sum.max_end_ns;
	return span__calls_seg_open(&s->source.file.seg, seg, names, err);
}

static void close_side(struct side *s)
{
	span__calls_seg_close(&s->source.file.seg);
	span_buf_release(&s->edges);
}

/* False when one has a name that its type does not tell. */
static bool keep(struct side *children, const struct span__orphan *o)
{
	const struct span__edge e = {
		.orphan = o->number,
		.start_ns = o->start_ns,
		.duration_ns = o->duration_ns,
		.type = o->type,
		.parent_type = o->parent_type,
	};

	if (o->loose || o->parent_loose)
		return false;
	span_buf_put(&children->edges, &e, sizeof(e));
	return true;
}

/* One direction. 1; 0 when there is a loose type among them; or a code. */
static int look_up(struct adding *a, struct side *children,
		   const struct side *parents, struct span_error *err)
{
	uint64_t at = 0;
	size_t n;
	int rc = 0;

	children->edges.len = 0;
	children->looked_up = 0;
	while ((n = span__orphans_next(children->source.seg, 0, UINT64_MAX, &at,
				       a->v, ORPHANS))) {
		rc = span__orphans_find(&a->search, &children->source.file,
					a->v, n, &parents->source, &a->names,
					err);
		if (rc < 0)
			return rc;
		children->looked_up += n;
		for (size_t i = 0; i < n; i++)
			if (a->v[i].parent >= CALLS_NAME &&
			    !keep(children, &a->v[i]))
				return 0;
	}
	return children->edges.failed ? out_of_memory(err) : 1;
}

static const struct span__edge *edges_of(const struct side *s, size_t *n)
{
	*n = s->edges.len / sizeof(struct span__edge);
	return (const struct span__edge *)(const void *)s->edges.p;
}

static void put_pair(struct adding *a, const struct side *other)
{
	const struct span__edge *own, *others;
	size_t n_own, n_others;

	own = edges_of(&a->own, &n_own);
	others = edges_of(other, &n_others);
	span__edges_put(&a->section, other->source.seg, own, n_own, others,
			n_others);
	a->looked_up += a->own.looked_up + other->looked_up;
}

static bool are_near(const struct side *own, const struct span__seg *seg)
{
	const struct span__log_sum *sum = &seg->file.header.sum;

	return span__calls_near(sum->min_start_ns, sum->max_end_ns,
				&own->source);
}

static int add_pair(struct adding *a, struct span__seg *seg,
		    struct span_error *err)
{
	struct side other = {0};
	int rc;

	if (!are_near(&a->own, seg))
		return 0;
	rc = open_side(&other, seg, &a->names, err);
	if (!rc)
		rc = look_up(a, &a->own, &other, err);
	if (rc > 0)
		rc = look_up(a, &other, &a->own, err);
	if (rc > 0 && !seg->file.bad)
		put_pair(a, &other);
	close_side(&other);
	span__seg_unload(seg);
	return rc == SPAN_E_NOMEM ? rc : 0;
}

/* The first of those that are looked into. */
static size_t first_pair(const struct side *own,
			 struct span__seg *const *others, size_t n)
{
	size_t pairs = 0;

	while (n && (pairs += are_near(own, others[n - 1])) <= PAIRS_MAX)
		n--;
	return n;
}

static int put_section(const struct span__seg_file *f, int dirfd,
		       const struct span_buf *section, uint64_t *size,
		       struct span_error *err)
{
	struct span__seg_writer *w;
	int rc = span__seg_writer_extend(&w, f, dirfd, err);

	if (!rc)
		rc = span__seg_writer_put(w, SEG_EDGES, section->p,
					  section->len, err);
	if (!rc)
		rc = span__seg_writer_finish(w, size, err);
	span__seg_writer_close(&w);
	return rc;
}

static int add_all(struct adding *a, struct span__seg *seg,
		   struct span__seg *const *others, size_t n,
		   struct span_error *err)
{
	int rc = span__call_names_init(&a->names, err);

	a->v = malloc(ORPHANS * sizeof(*a->v));
	if (!rc && !a->v)
		rc = out_of_memory(err);
	if (!rc)
		rc = open_side(&a->own, seg, &a->names, err);
	for (size_t i = rc ? n : first_pair(&a->own, others, n); i < n && !rc;
	     i++)
		rc = add_pair(a, others[i], err);
	if (!rc && a->section.failed)
		rc = out_of_memory(err);
	return rc;
}

int span__edges_add(const struct span__io *io, int dirfd, const char *name,
		    struct span__seg *const *others, size_t n, uint64_t *size,
		    struct span_error *err)
{
	struct adding a = {0};
	struct span__seg *seg;
	int rc;

	if (!n)
		return 0;
	rc = span__seg_open(&seg, io, dirfd, name, err);
	if (rc < 0)
		return rc;
	rc = add_all(&a, seg, others, n, err);
	close_side(&a.own);
	if (!rc && seg->file.bad)
		rc = span_error_set(err, SPAN_E_CORRUPT,
				    "%s: cannot be read back", name);
	if (!rc && a.section.len && a.looked_up > FEW)
		rc = put_section(&seg->file, dirfd, &a.section, size, err);
	span__seg_close(&seg);
	free(a.v);
	span_buf_release(&a.section);
	span__orphan_search_release(&a.search);
	span__call_names_release(&a.names);
	return rc;
}
