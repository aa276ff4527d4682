/* SPDX-License-Identifier: Apache-2.0 */
#include "otlp-check.h"

#include "codec/decoder.h"

#include <span/span.h>

#include <math.h>
#include <stdlib.h>

/* Memory for a message: see <span/codec.h>. */
#define BOUND(len) (48 * (len) + (1u << 20))

/* A message behind so much that says nothing is read in two passes. */
#define PADDING (SPAN__COLLECT_MAX + 6)

/* Above this an encoded message may be cut where the first one was not. */
#define MAX_AGAIN (16u << 10)

static void check(bool good)
{
	if (!good)
		abort();
}

struct run {
	struct span_decoder *d;
	size_t len;
	struct span_arena arena;
	struct span_buf spans; /* struct span */
	size_t n;
	bool odd_nan; /* JSON has one NaN, whatever its bits are */
};

static struct span *span_at(const struct run *r, size_t i)
{
	return r->n ? (struct span *)(void *)r->spans.p + i : NULL;
}

static void check_value(struct run *r, const struct span_value *v,
			unsigned depth);

static void check_pairs(struct run *r, const struct span_attr *v, size_t n,
			unsigned depth)
{
	for (size_t i = 0; i < n; i++) {
		check(v[i].key.len <= SPAN_MAX_STRING);
		check_value(r, &v[i].value, depth);
	}
}

static void check_value(struct run *r, const struct span_value *v,
			unsigned depth)
{
	check(depth <= SPAN_MAX_DEPTH);
	if (v->type == SPAN_STRING || v->type == SPAN_BYTES)
		check(v->str.len <= SPAN_MAX_STRING);
	if (v->type == SPAN_DOUBLE && isnan(v->d))
		r->odd_nan |= memcmp(&v->d, &(double){NAN}, sizeof(v->d)) != 0;
	if (v->type == SPAN_ARRAY)
		for (size_t i = 0; i < v->array.n; i++)
			check_value(r, &v->array.v[i], depth + 1);
	if (v->type == SPAN_MAP)
		check_pairs(r, v->map.v, v->map.n, depth + 1);
}

static void check_attrs(struct run *r, const struct span_attrs *a)
{
	check(a->n <= SPAN_MAX_ATTRS);
	check_pairs(r, a->v, a->n, 0);
}

static void check_span(struct run *r, const struct span *s)
{
	static const uint8_t none[16];

	check(memcmp(s->trace_id, none, 16) && memcmp(s->span_id, none, 8));
	check(s->name.len && s->name.len <= SPAN_MAX_STRING);
	check(s->process->service.len && s->scope);
	check_attrs(r, &s->process->attrs);
	check_attrs(r, &s->scope->attrs);
	check_attrs(r, &s->attrs);
	check(s->n_events <= SPAN_MAX_EVENTS && s->n_refs <= SPAN_MAX_REFS);
	for (size_t i = 0; i < s->n_events; i++)
		check_attrs(r, &s->events[i].attrs);
	for (size_t i = 0; i < s->n_refs; i++) {
		check(s->refs[i].type == SPAN_REF_LINK);
		check_attrs(r, &s->refs[i].attrs);
	}
}

static int keep(void *arg, const struct span *s, struct span_error *err)
{
	struct run *r = arg;
	struct span copy;

	(void)err;
	check(span_arena_size(&r->d->arena) + span_arena_size(&r->d->keep) <=
	      BOUND(r->len));
	check_span(r, s);
	check(span_copy(&copy, s, &r->arena) == 0);
	span_buf_put(&r->spans, &copy, sizeof(copy));
	r->n++;
	return 0;
}

static int decode(struct run *r, int format, const void *p, size_t len)
{
	struct span_error err = {0};
	int rc;

	*r = (struct run){.len = len};
	check(span_decoder_open(&r->d, NULL, NULL) == 0);
	rc = span_decoder_message(r->d, format, p, len, keep, r, &err);
	if (rc < 0) {
		check(rc == err.code && err.pos <= len && err.msg[0]);
		check(r->n == 0 && rc != SPAN_E_NOMEM);
		check(span_decoder_stats(r->d)->bad_messages == 1);
	} else {
		check((size_t)rc == r->n);
	}
	return rc;
}

static void release(struct run *r)
{
	span_decoder_close(&r->d);
	span_arena_release(&r->arena);
	span_buf_release(&r->spans);
}

static bool are_same(const struct run *a, const struct run *b)
{
	size_t i = 0;

	while (a->n == b->n && i < a->n &&
	       span_equal(span_at(a, i), span_at(b, i)))
		i++;
	return a->n == b->n && i == a->n;
}

static void check_same(const struct run *a, const struct run *b)
{
	check(are_same(a, b));
}

static void check_frames(const struct run *r)
{
	struct span_buf frames = {0};
	struct span_reader *in;
	struct span_writer *w;
	struct span s;

	check(span_writer_open_mem(&w, &frames, NULL) == 0);
	for (size_t i = 0; i < r->n; i++)
		check(span_writer_put(w, span_at(r, i), NULL) == 0);
	check(span_writer_flush(w, NULL) == 0);
	span_writer_close(&w);
	check(span_reader_open_mem(&in, frames.p, frames.len, NULL, NULL) == 0);
	for (size_t i = 0; i < r->n; i++) {
		check(span_reader_next(in, &s, NULL) == 1);
		check(span_equal(&s, span_at(r, i)));
	}
	check(span_reader_next(in, &s, NULL) == 0);
	span_reader_close(&in);
	span_buf_release(&frames);
}

/*
 * A text that is no UTF-8 changes the first time, so that the second time
 * counts. Whether nothing changed.
 */
static bool check_again(const struct run *r, int format)
{
	struct run once, twice;
	bool same;
	struct span_buf b = {0};
	const struct span *spans = span_at(r, 0);

	check(span_encode_message(&b, format, spans, r->n, NULL) == 0);
	check(decode(&once, format, b.p, b.len) == (int)r->n);
	for (size_t i = 0; i < r->n; i++) {
		uint16_t marks = span_at(r, i)->marks & SPAN_MARK_CLAMPED;

		check(span_at(&once, i)->marks == marks);
		span_at(&once, i)->marks = span_at(r, i)->marks;
	}
	same = are_same(r, &once);
	b.len = 0;
	check(span_encode_message(&b, format, span_at(&once, 0), once.n,
				  NULL) == 0);
	check(decode(&twice, format, b.p, b.len) == (int)once.n);
	for (size_t i = 0; i < r->n; i++)
		span_at(&twice, i)->marks = span_at(r, i)->marks;
	check_same(&once, &twice);
	release(&once);
	release(&twice);
	span_buf_release(&b);
	return same;
}

/*
 * Spaces, or an unknown field, and the message; spaces take so long that few
 * messages are read behind them.
 */
static void check_passes(const struct run *r, int rc, int format,
			 const uint8_t *p, size_t len)
{
	static char padded[PADDING + (128u << 10)];
	struct run two;

	if (len > sizeof(padded) - PADDING ||
	    (format == SPAN_FORMAT_OTLP_JSON && len % 32))
		return;
	if (format == SPAN_FORMAT_OTLP_JSON) {
		memset(padded, ' ', PADDING);
	} else {
		memcpy(padded, "\x7a\x82\x80\x40", 4);
		memset(padded + 4, 0, PADDING - 4);
	}
	if (len)
		memcpy(padded + PADDING, p, len);
	check(decode(&two, format, padded, PADDING + len) == rc);
	check_same(r, &two);
	release(&two);
}

void check_otlp(int format, const uint8_t *p, size_t len)
{
	struct run r;
	int rc = decode(&r, format, p, len);

	check_passes(&r, rc, format, p, len);
	check_frames(&r);
	if (rc >= 0 && len <= MAX_AGAIN) {
		bool as_json = check_again(&r, SPAN_FORMAT_OTLP_JSON);

		check(check_again(&r, SPAN_FORMAT_OTLP_PROTO) == as_json ||
		      r.odd_nan);
	}
	release(&r);
}
