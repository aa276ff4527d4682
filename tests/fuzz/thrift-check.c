/* SPDX-License-Identifier: Apache-2.0 */
#include "thrift-check.h"

#include "codec/decoder.h"

#include <span/span.h>

#include <stdlib.h>

/* Memory for a message: see <span/codec.h>. */
#define BOUND(len) (48 * (len) + (1u << 20))

/* Above this an encoded message may be cut where the first one was not. */
#define MAX_AGAIN (32u << 10)

static void check(bool good)
{
	if (!good)
		abort();
}

struct run {
	struct span_decoder *d;
	size_t len;
	int n;
	struct span_writer *w;
	struct span_buf frames;
	struct span_arena arena;
	struct span *spans;
};

static void check_attrs(const struct span_attrs *a)
{
	check(a->n <= SPAN_MAX_ATTRS);
	for (size_t i = 0; i < a->n; i++) {
		const struct span_value *v = &a->v[i].value;

		check(a->v[i].key.len <= SPAN_MAX_STRING);
		check(v->type == SPAN_STRING || v->type == SPAN_BOOL ||
		      v->type == SPAN_INT || v->type == SPAN_DOUBLE ||
		      v->type == SPAN_BYTES);
		if (v->type == SPAN_STRING || v->type == SPAN_BYTES)
			check(v->str.len <= SPAN_MAX_STRING);
	}
}

static void check_span(const struct span *s)
{
	check(s->name.len && s->name.len <= SPAN_MAX_STRING);
	check(s->process->service.len);
	check_attrs(&s->process->attrs);
	check_attrs(&s->attrs);
	check(s->n_events <= SPAN_MAX_EVENTS && s->n_refs <= SPAN_MAX_REFS);
	for (size_t i = 0; i < s->n_events; i++)
		check_attrs(&s->events[i].attrs);
}

static int same_but_marks(void *arg, const struct span *s,
			  struct span_error *err)
{
	struct span other = *s;

	(void)err;
	other.marks = ((const struct span *)arg)->marks;
	check(span_equal(arg, &other));
	return 0;
}

static void encode_again(const struct span *s, int format)
{
	struct span_decoder *d;
	struct span_buf b = {0};

	check(span_decoder_open(&d, NULL, NULL) == 0);
	check(span_encode_jaeger(&b, format, s, 1, 1, NULL) == 0);
	check(span_decoder_message(d, SPAN_FORMAT_AUTO, b.p, b.len,
				   same_but_marks, (void *)(uintptr_t)s,
				   NULL) == 1);
	span_decoder_close(&d);
	span_buf_release(&b);
}

/*
 * Jaeger's spans leave as they came; but a link is none of Jaeger's
 * references, and what Zipkin says comes back as tags.
 */
static bool leaves_as_it_came(const struct run *r, const struct span *s)
{
	int format = span_decoder_format(r->d);

	if (r->len > MAX_AGAIN || (format != SPAN_FORMAT_JAEGER_COMPACT &&
				   format != SPAN_FORMAT_JAEGER_BINARY))
		return false;
	for (size_t i = 0; i < s->n_refs; i++)
		if (s->refs[i].type == SPAN_REF_LINK)
			return false;
	return true;
}

static int take(void *arg, const struct span *s, struct span_error *err)
{
	struct run *r = arg;

	check(span_arena_size(&r->d->arena) + span_arena_size(&r->d->keep) <=
	      BOUND(r->len));
	check_span(s);
	check(span_writer_put(r->w, s, err) == 0);
	if (leaves_as_it_came(r, s)) {
		encode_again(s, SPAN_FORMAT_JAEGER_COMPACT);
		encode_again(s, SPAN_FORMAT_JAEGER_BINARY);
	}
	r->n++;
	return 0;
}

static int keep(void *arg, const struct span *s, struct span_error *err)
{
	struct run *r = arg;

	check(span_copy(&r->spans[r->n++], s, &r->arena) == 0);
	(void)err;
	return 0;
}

/* The frames hold the same spans as a second decoding gives. */
static void compare_frames(struct run *r, int format, const uint8_t *p)
{
	struct span_reader *in;
	struct span s;
	int n = r->n;

	r->spans = calloc((size_t)n + 1, sizeof(*r->spans));
	r->n = 0;
	check(span_decoder_message(r->d, format, p, r->len, keep, r, NULL) ==
	      n);
	check(span_reader_open_mem(&in, r->frames.p, r->frames.len, NULL,
				   NULL) == 0);
	for (int i = 0; i < n; i++) {
		check(span_reader_next(in, &s, NULL) == 1);
		check(span_equal(&s, &r->spans[i]));
	}
	check(span_reader_next(in, &s, NULL) == 0);
	span_reader_close(&in);
	free(r->spans);
}

void check_thrift(int format, const uint8_t *p, size_t len)
{
	struct run r = {.len = len};
	struct span_error err = {0};
	int rc;

	check(span_decoder_open(&r.d, NULL, NULL) == 0);
	check(span_writer_open_mem(&r.w, &r.frames, NULL) == 0);
	rc = span_decoder_message(r.d, format, p, len, take, &r, &err);
	check(span_writer_flush(r.w, NULL) == 0);
	if (rc < 0) {
		check(rc == err.code && err.pos <= len && err.msg[0]);
		check(r.n == 0 && rc != SPAN_E_NOMEM);
		check(span_decoder_stats(r.d)->bad_messages == 1);
	} else {
		check(rc == r.n);
		compare_frames(&r, format, p);
	}
	span_writer_close(&r.w);
	span_decoder_close(&r.d);
	span_buf_release(&r.frames);
	span_arena_release(&r.arena);
}
