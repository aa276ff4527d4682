/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_traces.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_directory.h"
#include "store/traces_shared.h"
#include "stream/frame.h"

#include "base/banned.h"

#define UNKNOWN UINT32_MAX

struct traces {
	struct span__directory *store;
	unsigned want;
	span__traces_fn *fn;
	void *arg;
	struct span_frame *frame;
	struct span__trace_set logs; /* TRACES_PARTS */
	struct span__traces_shared shared;
	uint64_t first; /* the number in it of the segment's first trace */
	struct span__seg **segs;
	size_t n_segs;
	/* of the segment at hand, for each shape */
	struct size {
		uint32_t n_spans, n_errors;
	} * sizes;
	struct span__traces out;
	uint64_t columns[6][SEG_GROUP];
	bool in_parts[SEG_GROUP];
	struct span_error *err;
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static int give(struct traces *t)
{
	int rc = t->out.n ? t->fn(t->arg, &t->out, t->err) : 0;

	t->out.n = 0;
	return rc;
}

/* ---- Logs ---- */

static void add(void *arg, const uint8_t id[16])
{
	struct traces *t = arg;
	size_t i = t->out.n++;

	memcpy(&t->out.high[i], id, 8);
	memcpy(&t->out.low[i], id + 8, 8);
	t->out.high[i] = be64toh(t->out.high[i]);
	t->out.low[i] = be64toh(t->out.low[i]);
}

static int add_span(struct traces *t, const struct span *s)
{
	size_t i = t->out.n;
	uint64_t hash;
	int rc = 0;

	add(t, s->trace_id);
	t->out.start_ns[i] = s->start_ns;
	t->out.end_ns[i] = span_end_ns(s);
	t->out.n_spans[i] = 1;
	t->out.n_errors[i] = span_is_error(s);
	t->out.in_parts[i] = true;
	if (t->want & TRACES_PARTS) {
		hash = span__trace_set_hash(&t->logs, t->out.high[i],
					    t->out.low[i]);
		rc = span__trace_set_put(&t->logs, hash);
	}
	if (rc < 0)
		return out_of_memory(t->err);
	return t->out.n == SEG_GROUP ? give(t) : 0;
}

/* A negative code that is not SPAN_E_CORRUPT is that of FN, or memory. */
static int see_frame(void *arg, struct span_str frame, struct span_error *err)
{
	struct traces *t = arg;
	struct span s;
	size_t used;
	int rc = span__frame_parse_sound(t->frame, frame.p, frame.len, &used,
					 err);

	if (rc <= 0 || used != frame.len)
		return rc < 0 ? rc
			      : span_error_set(err, SPAN_E_CORRUPT,
					       "it is not one frame");
	while ((rc = span_frame_next_head(t->frame, NULL, 0, &s, err)) > 0) {
		if (t->want & TRACES_SIZES)
			rc = span_frame_outline(t->frame, &s, err);
		if (rc >= 0)
			rc = add_span(t, &s);
		if (rc < 0)
			break;
	}
	return rc;
}

static int see_log(struct traces *t, struct span__view_file *f)
{
	int rc = span__store_stopped(&t->store->base, t->err);

	if (!rc)
		rc = span__directory_frames(t->store, f, NULL, see_frame, t,
					    t->err);
	if (rc == SPAN_E_NOTFOUND) {
		t->store->found.n_expired++;
		rc = 0;
	}
	return rc < 0 ? rc : give(t);
}

/* ---- Segments ---- */

/* What cannot be read is damaged, or memory is out. */
static int unread(const struct traces *t, const struct span__seg *seg)
{
	return seg->file.bad ? SPAN_E_CORRUPT : out_of_memory(t->err);
}

/* Count the spans and errors of shape I, unless it was done. 0 or a code. */
static int see_size(struct traces *t, struct span__seg *seg, uint64_t i)
{
	struct size *z = &t->sizes[i];
	const struct span__seg_node *v;
	size_t n = 0;

	if (z->n_spans != UNKNOWN)
		return 0;
	if (!span__shapes_read(seg->shapes, i, &v, &n))
		return unread(t, seg);
	*z = (struct size){.n_spans = (uint32_t)n};
	for (size_t k = 0; k < n; k++) {
		const struct span__seg_type_reader *type =
			span__seg_type(seg, v[k].type);

		if (!type)
			return unread(t, seg);
		if (type->bad)
			return SPAN_E_CORRUPT;
		z->n_errors += type->type.error;
	}
	return 0;
}

static int read_sizes(struct traces *t, struct span__seg *seg, uint64_t at,
		      size_t n)
{
	uint64_t shape[SEG_GROUP];
	int rc = 0;

	span__ints_range(&seg->trace_shape, at, n, shape);
	for (size_t i = 0; i < n && !rc; i++) {
		if (shape[i] >= seg->file.header.n_shapes) {
			(void)span__area_bad(&seg->trace_shape.area);
			return SPAN_E_CORRUPT;
		}
		rc = see_size(t, seg, shape[i]);
		t->out.n_spans[i] = t->sizes[shape[i]].n_spans;
		t->out.n_errors[i] = t->sizes[shape[i]].n_errors;
	}
	return rc;
}

static void read_times(struct traces *t, struct span__seg *seg, uint64_t at,
		       size_t n)
{
	uint64_t *start = t->out.start_ns, *end = t->out.end_ns;

	span__ints_range(&seg->trace_start, at, n, start);
	span__ints_range(&seg->trace_end, at, n, end);
	for (size_t i = 0; i < n; i++)
		end[i] = end[i] > UINT64_MAX - start[i] ? UINT64_MAX
							: start[i] + end[i];
}

static int see_group(struct traces *t, struct span__seg *seg, uint64_t at,
		     size_t n)
{
	int rc = 0;

	span__ints_range(&seg->trace_high, at, n, t->out.high);
	span__ints_range(&seg->trace_low, at, n, t->out.low);
	if (t->want & TRACES_TIMES)
		read_times(t, seg, at, n);
	if (t->want & TRACES_SIZES)
		rc = read_sizes(t, seg, at, n);
	for (size_t i = 0; t->want & TRACES_PARTS && i < n; i++)
		t->out.in_parts[i] =
			span__traces_shared_has(&t->shared, t->first + at + i);
	if (rc < 0 || seg->file.bad)
		return rc < 0 ? rc : SPAN_E_CORRUPT;
	t->out.n = n;
	return give(t);
}

static int see_loaded(struct traces *t, struct span__seg *seg)
{
	uint64_t n = seg->file.header.n_shapes;
	int rc = 0;

	if (t->want & TRACES_SIZES) {
		t->sizes = malloc((n + 1) * sizeof(*t->sizes));
		if (!t->sizes)
			return out_of_memory(t->err);
		memset(t->sizes, 0xff, (n + 1) * sizeof(*t->sizes));
	}
	for (uint64_t at = 0; at < seg->n_traces && !rc; at += SEG_GROUP) {
		rc = span__store_stopped(&t->store->base, t->err);
		if (!rc)
			rc = see_group(t, seg, at,
				       seg->n_traces - at < SEG_GROUP
					       ? (size_t)(seg->n_traces - at)
					       : SEG_GROUP);
	}
	free(t->sizes);
	t->sizes = NULL;
	return rc;
}

static int see_segment(struct traces *t, struct span__view_file *f)
{
	int rc = 0;

	if (t->want & TRACES_TIMES)
		span__seg_load_blocks(f->seg);
	if (t->want & TRACES_SIZES)
		rc = span__seg_load(f->seg, t->err);
	if (!rc)
		rc = see_loaded(t, f->seg);
	if (t->want && !f->seg_users)
		span__view_unload(&t->store->view, f);
	return rc;
}

/* ---- All of it ---- */

/* Logs first: what they have a segment may have more of. */
static int see_logs(struct traces *t)
{
	struct span__view *view = &t->store->view;
	int rc = 0;

	for (size_t i = 0; i < view->n && !rc; i++) {
		struct span__view_file *f = &view->v[i];

		if (f->kind == FILE_SEG && !f->seg)
			return SPAN_E_CORRUPT;
		if (f->kind == FILE_SEG)
			t->segs[t->n_segs++] = f->seg;
		else if (f->kind != FILE_BAD)
			rc = see_log(t, f);
	}
	return rc;
}

static int see_all(struct traces *t)
{
	struct span__view *view = &t->store->view;
	int rc = see_logs(t);

	if (!rc && t->want & TRACES_PARTS) {
		rc = span__traces_shared(&t->shared, t->segs, t->n_segs,
					 &t->logs);
		if (rc < 0)
			return rc == SPAN_E_NOMEM ? out_of_memory(t->err)
						  : SPAN_E_CORRUPT;
	}
	for (size_t i = 0; i < view->n && !rc; i++) {
		if (view->v[i].kind != FILE_SEG)
			continue;
		rc = see_segment(t, &view->v[i]);
		t->first += view->v[i].seg->n_traces;
	}
	return rc;
}

static void point(struct traces *t)
{
	t->out = (struct span__traces){
		.high = t->columns[0],
		.low = t->columns[1],
		.start_ns = t->columns[2],
		.end_ns = t->columns[3],
		.n_spans = t->columns[4],
		.n_errors = t->columns[5],
		.in_parts = t->in_parts,
	};
}

int span__directory_traces(struct span_store *st, unsigned want,
			   span__traces_fn *fn, void *arg,
			   struct span_error *err)
{
	struct span__directory *store = (struct span__directory *)st;
	struct traces *t;
	int rc = span__directory_view(store, err);

	if (rc < 0)
		return rc;
	t = calloc(1, sizeof(*t));
	if (!t)
		return out_of_memory(err);
	t->store = store;
	t->want = want;
	t->fn = fn;
	t->arg = arg;
	t->err = err;
	point(t);
	t->segs = calloc(store->view.n + 1, sizeof(*t->segs));
	if (!t->segs)
		rc = out_of_memory(err);
	if (!rc)
		rc = span__trace_set_init(&t->logs, err);
	if (!rc)
		rc = span_frame_open(&t->frame, err);
	if (!rc)
		rc = see_all(t);
	span_frame_close(&t->frame);
	span__trace_set_release(&t->logs);
	span__traces_shared_release(&t->shared);
	free(t->segs);
	free(t);
	return rc == SPAN_E_CORRUPT ? 0 : rc < 0 ? rc : 1;
}
