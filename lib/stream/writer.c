/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/writer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stream/frame.h"
#include "stream/slice.h"

#include "base/banned.h"

struct span_writer {
	struct span__building b;
	struct span_buf own; /* frames on their way to FD */
	struct span_buf *out;
	struct span__slice slice;
	int fd;		       /* -1: OUT is the caller's */
	uint64_t first_put_ns; /* when the oldest waiting span was put */
	uint64_t spans, bytes;
	struct span_error error; /* the first one, for good */
};

static int open_writer(struct span_writer **out, int fd, struct span_buf *mem,
		       struct span_error *err)
{
	struct span_writer *w = calloc(1, sizeof(*w));
	int rc;

	*out = NULL;
	if (!w)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a writer");
	rc = span__building_init(&w->b, err);
	if (rc < 0) {
		span_writer_close(&w);
		return rc;
	}
	w->fd = fd;
	w->out = mem ? mem : &w->own;
	*out = w;
	return 0;
}

int span_writer_open(struct span_writer **out, int fd, struct span_error *err)
{
	if (fd < 0)
		return span_error_set(err, SPAN_E_INVALID,
				      "no descriptor to write to");
	return open_writer(out, fd, NULL, err);
}

int span_writer_open_mem(struct span_writer **out, struct span_buf *mem,
			 struct span_error *err)
{
	return open_writer(out, -1, mem, err);
}

void span_writer_close(struct span_writer **w)
{
	if (!*w)
		return;
	span__building_release(&(*w)->b);
	span__slice_release(&(*w)->slice);
	span_buf_release(&(*w)->own);
	free(*w);
	*w = NULL;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t span_writer_spans(const struct span_writer *w)
{
	return w->spans;
}

uint64_t span_writer_bytes(const struct span_writer *w)
{
	return w->bytes;
}

uint64_t span_writer_due_ns(const struct span_writer *w)
{
	uint64_t age;

	if (!w->b.n_spans)
		return UINT64_MAX;
	age = now_ns() - w->first_put_ns;
	return age < SPAN_FLUSH_NS ? SPAN_FLUSH_NS - age : 0;
}

/* After a failed write nobody knows what arrived: the writer ends. */
static int fail(struct span_writer *w, struct span_error *err)
{
	if (err)
		*err = w->error;
	return w->error.code;
}

/* Pass on what OUT has grown by since it was LEN bytes long. */
static int deliver(struct span_writer *w, size_t len, struct span_error *err)
{
	if (w->out->failed) {
		span_error_set(&w->error, SPAN_E_NOMEM,
			       "no memory for a frame");
		return fail(w, err);
	}
	w->bytes += w->out->len - len;
	if (w->fd < 0)
		return 0;
	if (span_write_all(w->fd, w->out->p, w->out->len, &w->error) < 0)
		return fail(w, err);
	w->out->len = 0;
	return 0;
}

int span_writer_flush(struct span_writer *w, struct span_error *err)
{
	size_t len = w->out->len;

	if (w->error.code)
		return fail(w, err);
	if (!w->b.n_spans)
		return 0;
	span__building_finish(&w->b, w->out);
	span__building_reset(&w->b);
	return deliver(w, len, err);
}

int span_writer_put(struct span_writer *w, const struct span *s,
		    struct span_error *err)
{
	int rc;

	if (w->error.code)
		return fail(w, err);
	if (!w->b.n_spans)
		w->first_put_ns = now_ns();
	rc = span__building_add(&w->b, s);
	if (rc == SPAN_E_NOMEM) {
		span_error_set(&w->error, rc, "%s", w->b.refused);
		return fail(w, err);
	}
	if (rc < 0)
		return span_error_set(err, rc, "a span is refused: %s",
				      w->b.refused);
	w->spans++;
	if (w->b.n_spans >= SPAN_FRAME_SPANS ||
	    span__building_size(&w->b) >= SPAN_FRAME_SOFT)
		return span_writer_flush(w, err);
	return 0;
}

int span_writer_put_frame(struct span_writer *w, const struct span_frame *f,
			  struct span_error *err)
{
	int rc = span_writer_flush(w, err);
	size_t len = w->out->len;

	if (rc < 0)
		return rc;
	w->spans += f->info.n_spans;
	if (w->fd < 0) {
		span_buf_str(w->out, f->info.bytes);
		return deliver(w, len, err);
	}
	w->bytes += f->info.bytes.len;
	if (span_write_all(w->fd, f->info.bytes.p, f->info.bytes.len,
			   &w->error) < 0)
		return fail(w, err);
	return 0;
}

/* Of N spans of F, without tables and a body. */
static struct span__parts parts_of(const struct span_frame *f, uint32_t n)
{
	return (struct span__parts){
		.n_spans = n,
		.base_ns = f->base_ns,
		.min_start_ns = f->info.min_start_ns,
		.max_end_ns = f->info.max_end_ns,
	};
}

static int put_composed(struct span_writer *w, const struct span__parts *parts,
			struct span_error *err)
{
	size_t len = w->out->len;
	int rc;

	span__frame_compose(w->out, parts);
	rc = deliver(w, len, err);
	if (rc == 0)
		w->spans += parts->n_spans;
	return rc;
}

int span__writer_put_parts(struct span_writer *w, const struct span_frame *f,
			   struct span_str strings, struct span_str owners,
			   struct span_str body, struct span_error *err)
{
	struct span__parts parts = parts_of(f, f->info.n_spans);
	int rc = span_writer_flush(w, err);

	if (rc < 0)
		return rc;
	parts.tables[0] = strings;
	parts.tables[1] = owners;
	parts.body = body;
	return put_composed(w, &parts, err);
}

/*
 * Put the frame together anew from its own tables and the spans that K says.
 * 1; 0 when that cannot be; or a negative code.
 */
static int put_parts(struct span_writer *w, const struct span__kept *k,
		     struct span_error *err)
{
	struct span__parts parts = parts_of(k->frame, k->n);
	int rc = span_writer_flush(w, err);

	if (rc < 0)
		return rc;
	rc = span__slice(&w->slice, k, &parts, err);
	if (rc == SPAN_E_NOMEM)
		w->out->failed = true;
	else if (rc <= 0)
		return rc;
	rc = put_composed(w, &parts, err);
	return rc < 0 ? rc : 1;
}

/* One span, with what k->state says of its trace state. */
static int put_one(struct span_writer *w, const struct span__kept *k,
		   const struct span *s, struct span_error *err)
{
	struct span changed = *s;
	int rc = k->state ? k->state(k->arg, &changed.trace_state, err) : 0;

	if (rc < 0)
		return rc;
	rc = span_writer_put(w, &changed, err);
	/* One as large as can be has no room for another state. */
	if (rc == SPAN_E_LIMIT && k->state)
		rc = span_writer_put(w, s, err);
	return rc;
}

static int put_each(struct span_writer *w, const struct span__kept *k,
		    struct span_error *err)
{
	struct span s;
	int rc = 0;

	span_frame_rewind(k->frame);
	for (uint32_t i = 0; i < k->frame->info.n_spans && rc >= 0; i++)
		if (!span__is_kept(k->keep, i))
			rc = span__frame_skip(k->frame, err);
		else if ((rc = span_frame_next(k->frame, &s, err)) > 0)
			rc = put_one(w, k, &s, err);
	return rc < 0 ? rc : 0;
}

/*
 * Tables that are mostly of other spans are a burden to all who read on. To
 * change spans by encoding them costs five times what patching does, so that
 * the frames around the middle, when half of all is kept, are patched.
 */
static bool keeps_tables(const struct span__kept *k)
{
	return k->n && k->n * (k->state ? 3 : 2) >= k->frame->info.n_spans;
}

static int put_kept(struct span_writer *w, struct span__kept *k,
		    struct span_error *err)
{
	uint32_t n = k->frame->info.n_spans;

	if (w->error.code)
		return fail(w, err);
	for (uint32_t i = 0; i < n; i++)
		k->n += span__is_kept(k->keep, i);
	if (k->n == n && !k->state)
		return span_writer_put_frame(w, k->frame, err);
	if (keeps_tables(k)) {
		int rc = put_parts(w, k, err);

		if (rc)
			return rc < 0 ? rc : 0;
	}
	return k->n ? put_each(w, k, err) : 0;
}

int span_writer_put_slice(struct span_writer *w, struct span_frame *f,
			  const uint8_t *keep, struct span_error *err)
{
	return put_kept(w, &(struct span__kept){.frame = f, .keep = keep}, err);
}

int span_writer_put_slice_states(struct span_writer *w, struct span_frame *f,
				 const uint8_t *keep, span_trace_state_fn state,
				 void *arg, struct span_error *err)
{
	return put_kept(
		w,
		&(struct span__kept){
			.frame = f, .keep = keep, .state = state, .arg = arg},
		err);
}
