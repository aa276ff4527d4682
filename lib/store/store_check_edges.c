/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of children and parents in two segments, against what is found
 * when each orphan is looked up once more, some thousands at a time.
 */
#include "store/store_check_calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/calls_orphans.h"
#include "store/seg_edges.h"

#include "base/banned.h"

#define ORPHANS 16384u /* that are looked at together */

struct checking {
	struct span__call_names names;
	struct span__orphan_search search;
	struct span__orphan *v; /* ORPHANS */
	span__complain_fn *fn;
	void *arg;
};

static struct span__calls_source source(struct span__seg *seg,
					struct span__calls_seg *file)
{
	const struct span__log_sum *sum = &seg->file.header.sum;

	return (struct span__calls_source){
		.file.seg = file,
		.seg = seg,
		.min_start_ns = sum->min_start_ns,
		.max_end_ns = sum->max_end_ns,
	};
}

static int wrong(const struct checking *c, const struct span__calls_source *in,
		 const struct span__calls_source *of, const char *what,
		 uint64_t number)
{
	char text[200];

	if (in->seg->file.bad || of->seg->file.bad)
		return 0;
	snprintf(text, sizeof(text),
		 "edges of children in segment %" PRIu64
		 " and parents in segment %" PRIu64 ": %s orphan %" PRIu64,
		 in->seg->file.header.id.number, of->seg->file.header.id.number,
		 what, number);
	return c->fn(c->arg, text);
}

static bool same(const struct span__edge *e, const struct span__orphan *o)
{
	return e->orphan == o->number && e->start_ns == o->start_ns &&
	       e->duration_ns == o->duration_ns && e->type == o->type &&
	       e->parent_type == o->parent_type && !o->loose &&
	       !o->parent_loose;
}

/* One direction. 1 when all is right, 0 when it was told, or a code. */
static int check_list(struct checking *c, const struct span__edges *list,
		      const struct span__calls_source *children,
		      const struct span__calls_source *parents,
		      struct span_error *err)
{
	struct span__edge e = {0};
	uint64_t at = 0, next = 0;
	size_t n;
	int rc;

	while ((n = span__orphans_next(children->seg, 0, UINT64_MAX, &at, c->v,
				       ORPHANS))) {
		rc = span__orphans_find(&c->search, &children->file, c->v, n,
					parents, &c->names, err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < n; i++) {
			const struct span__orphan *o = &c->v[i];

			if (o->parent < CALLS_NAME)
				continue;
			if (next == list->n ||
			    !span__edges_get(list, next, children->seg,
					     parents->seg, &e) ||
			    !same(&e, o))
				return wrong(c, children, parents,
					     "they are wrong for", o->number);
			next++;
		}
	}
	if (next == list->n)
		return 1;
	if (!span__edges_get(list, next, children->seg, parents->seg, &e))
		e.orphan = 0;
	return wrong(c, children, parents, "no parent is there of", e.orphan);
}

/* Both, when SEG has the pair. 0 or a code. */
static int check_both(struct checking *c, struct span__calls_source *own,
		      struct span__calls_source *other, struct span_error *err)
{
	struct span__edges list;
	int rc = 1;

	if (span__edges_open(&list, own->seg, other->seg, EDGES_OWN))
		rc = check_list(c, &list, own, other, err);
	if (rc > 0 &&
	    span__edges_open(&list, own->seg, other->seg, EDGES_OTHER))
		rc = check_list(c, &list, other, own, err);
	return rc < 0 ? rc : 0;
}

/* A pair whose lists, or whose other segment, cannot be read is left out. */
static int check_pair(struct checking *c, struct span__calls_seg *file,
		      struct span__seg *seg, struct span__seg *other,
		      struct span_error *err)
{
	struct span__calls_seg *other_file = NULL;
	struct span__calls_source a = source(seg, file), b;
	struct span__edges list;
	int rc;

	if (!span__edges_open(&list, seg, other, EDGES_OWN))
		return 0;
	rc = span__calls_seg_open(&other_file, other, &c->names, err);
	if (!rc) {
		b = source(other, other_file);
		rc = check_both(c, &a, &b, err);
	}
	span__calls_seg_close(&other_file);
	span__seg_unload(other);
	other->file.bad = false; /* who checks that one tells */
	return rc == SPAN_E_CORRUPT ? 0 : rc;
}

int span__edges_check(struct span__seg *seg, struct span__seg *const *others,
		      size_t n, span__complain_fn *fn, void *arg,
		      struct span_error *err)
{
	struct span__area section = span__seg_area(&seg->file, SEG_EDGES);
	struct checking c = {.fn = fn, .arg = arg};
	struct span__calls_seg *file = NULL;
	int rc;

	if (!section.len)
		return 0;
	rc = span__call_names_init(&c.names, err);
	c.v = malloc(ORPHANS * sizeof(*c.v));
	if (!rc && !c.v)
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	if (!rc)
		rc = span__calls_seg_open(&file, seg, &c.names, err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = check_pair(&c, file, seg, others[i], err);
	if (!rc && seg->file.bad)
		rc = fn(arg, "its edges to other segments make no sense");
	seg->file.bad = false;
	span__calls_seg_close(&file);
	free(c.v);
	span__orphan_search_release(&c.search);
	span__call_names_release(&c.names);
	return rc == SPAN_E_CORRUPT ? 0 : rc;
}
