/* SPDX-License-Identifier: Apache-2.0 */
#include <span/stream.h>

#include <stdlib.h>
#include <string.h>

#include "stream/frame.h"
#include "stream/input.h"

#include "base/banned.h"

struct span_reader {
	struct span__input in;
	struct span_frame *frame;
	size_t used;		 /* bytes of the frame that was handed out */
	bool in_frame;		 /* span_reader_next() has spans left */
	struct span_error error; /* the first one, for good */
	struct span_error why;	 /* of the last span that was bad */
};

static int open_reader(struct span_reader **out, struct span__input in,
		       const struct span_reader_opts *o, struct span_error *err)
{
	struct span_reader *r = calloc(1, sizeof(*r));
	int rc;

	*out = NULL;
	if (!r)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a reader");
	r->in = in;
	r->in.max = SPAN_FRAME_MAX;
	if (o) {
		r->in.tie = o->tie;
		r->in.idle = o->idle;
		r->in.idle_arg = o->idle_arg;
		r->in.skip_bad = o->skip_bad;
	}
	rc = span_frame_open(&r->frame, err);
	if (rc < 0) {
		span_reader_close(&r);
		return rc;
	}
	*out = r;
	return 0;
}

int span_reader_open(struct span_reader **out, int fd,
		     const struct span_reader_opts *o, struct span_error *err)
{
	return open_reader(out, (struct span__input){.fd = fd}, o, err);
}

int span_reader_open_mem(struct span_reader **out, const void *p, size_t len,
			 const struct span_reader_opts *o,
			 struct span_error *err)
{
	return open_reader(out,
			   (struct span__input){.fd = -1, .p = p, .len = len},
			   o, err);
}

void span_reader_close(struct span_reader **r)
{
	if (!*r)
		return;
	span_frame_close(&(*r)->frame);
	span__input_release(&(*r)->in);
	free(*r);
	*r = NULL;
}

uint64_t span_reader_pos(const struct span_reader *r)
{
	return r->in.pos + r->used;
}

uint64_t span_reader_skipped(const struct span_reader *r, uint64_t *places)
{
	if (places)
		*places = r->in.places;
	return r->in.skipped;
}

static int fail(struct span_reader *r, struct span_error *err)
{
	if (err)
		*err = r->error;
	return r->error.code;
}

/* Name the place of what is wrong with the frame at the window's start. */
static void set_error(struct span_reader *r, int code,
		      const struct span_error *why)
{
	span_error_at(&r->error, code, r->in.pos, "bad frame at byte %llu: %s",
		      (unsigned long long)r->in.pos, why->msg);
}

/*
 * The frame at the window's start: 1, 0 when the input is at its end, or a
 * negative code with R->error set.
 */
static int parse(struct span_reader *r)
{
	struct span_error why = {0};
	int rc;

	if (!r->in.len) {
		rc = span__input_more(&r->in, &r->error);
		if (rc <= 0)
			return rc;
	}
	rc = span_frame_parse(r->frame, r->in.p, r->in.len, &r->used, &why);
	if (rc == SPAN_E_TRUNCATED) {
		rc = span__input_whole(&r->in, &r->error);
		if (rc == SPAN_E_CORRUPT)
			span_error_set(&why, rc, "no msgpack value");
		else if (rc < 0)
			return rc;
		else if (rc == 0)
			span_error_set(&why, rc = SPAN_E_TRUNCATED,
				       "the input ends inside it");
		else
			rc = span_frame_parse(r->frame, r->in.p, r->in.len,
					      &r->used, &why);
	}
	if (rc < 0) {
		r->used = 0;
		set_error(r, rc, &why);
	}
	return rc;
}

static int next_frame(struct span_reader *r)
{
	int rc;

	span__input_take(&r->in, r->used);
	r->used = 0;
	while ((rc = parse(r)) < 0 &&
	       (rc = span__input_skip(&r->in, rc, SPAN__MARK,
				      SPAN__FRAME_ELEMENTS, &r->error)) > 0)
		;
	r->in.skipping = false;
	return rc;
}

int span_reader_next_frame(struct span_reader *r, struct span_frame **frame,
			   struct span_error *err)
{
	int rc;

	if (r->error.code)
		return fail(r, err);
	r->in_frame = false;
	rc = next_frame(r);
	if (rc < 0)
		return fail(r, err);
	*frame = r->frame;
	return rc;
}

/* A span inside a frame whose checksum holds is bad: whoever wrote it erred. */
static int bad_span(struct span_reader *r, const struct span_error *why)
{
	if (r->in.skip_bad && span__is_damage(why->code)) {
		r->in.places++;
		r->in.skipped += r->used;
		return 0;
	}
	set_error(r, why->code, why);
	return why->code;
}

static int next_outline(struct span_frame *f, struct span *out,
			struct span_error *err)
{
	int rc = span_frame_next_head(f, NULL, 0, out, err);

	if (rc > 0 && span_frame_outline(f, out, err) < 0)
		return f->failed;
	return rc;
}

static int next_span(struct span_reader *r, bool outline, struct span *span,
		     struct span_error *err)
{
	int rc;

	if (r->error.code)
		return fail(r, err);
	for (;;) {
		if (r->in_frame) {
			rc = (outline ? next_outline : span_frame_next)(
				r->frame, span, &r->why);
			if (rc > 0)
				return 1;
			r->in_frame = false;
			if (rc < 0 && bad_span(r, &r->why) < 0)
				return fail(r, err);
		}
		rc = next_frame(r);
		if (rc < 0)
			return fail(r, err);
		if (rc == 0)
			return 0;
		r->in_frame = true;
	}
}

int span_reader_next(struct span_reader *r, struct span *span,
		     struct span_error *err)
{
	return next_span(r, false, span, err);
}

int span_reader_next_outline(struct span_reader *r, struct span *span,
			     struct span_error *err)
{
	return next_span(r, true, span, err);
}
