/* SPDX-License-Identifier: Apache-2.0 */
#include "jaeger-check.h"

#include "codec/decoder.h"

#include <span/span.h>

#include <stdlib.h>

/* Memory for a message: see <span/codec.h>. */
#define BOUND(len) (48 * (len) + (1u << 20))

/* Above this a written message may be cut where the first one was not. */
#define MAX_AGAIN (16u << 10)

static void check(bool good)
{
	if (!good)
		abort();
}

struct run {
	struct span_decoder *d;
	size_t len;
	int n, format;
	struct span_writer *w;
};

static void check_attrs(const struct span_attrs *a)
{
	check(a->n <= SPAN_MAX_ATTRS);
	for (size_t i = 0; i < a->n; i++) {
		const struct span_value *v = &a->v[i].value;

		check(a->v[i].key.len <= SPAN_MAX_STRING);
		check(v->type <= SPAN_MAP);
		if (v->type == SPAN_STRING || v->type == SPAN_BYTES)
			check(v->str.len <= SPAN_MAX_STRING);
	}
}

static void check_span(const struct span *s)
{
	check(s->name.len && s->name.len <= SPAN_MAX_STRING);
	check(s->process->service.len && s->process->serial);
	check_attrs(&s->process->attrs);
	check_attrs(&s->attrs);
	check(s->n_events <= SPAN_MAX_EVENTS && s->n_refs <= SPAN_MAX_REFS);
	for (size_t i = 0; i < s->n_events; i++)
		check_attrs(&s->events[i].attrs);
}

struct again {
	int format;
	struct span_buf b;
};

static int write_span(void *arg, const struct span *s, struct span_error *err)
{
	struct again *a = arg;

	return span_encode_message(&a->b, a->format, s, 1, err);
}

static void write_again(const struct span *s, int format)
{
	struct again first = {.format = format}, second = {.format = format};
	struct span_decoder *d;

	check(span_decoder_open(&d, NULL, NULL) == 0);
	check(write_span(&first, s, NULL) == 0);
	check(span_decoder_message(d, format, first.b.p, first.b.len,
				   write_span, &second, NULL) == 1);
	check(first.b.len == second.b.len &&
	      !memcmp(first.b.p, second.b.p, first.b.len));
	check(span_decoder_stats(d)->bad_spans == 0);
	span_decoder_close(&d);
	span_buf_release(&first.b);
	span_buf_release(&second.b);
}

static int take(void *arg, const struct span *s, struct span_error *err)
{
	struct run *r = arg;

	check(span_arena_size(&r->d->arena) + span_arena_size(&r->d->keep) <=
	      BOUND(r->len));
	check_span(s);
	check(span_writer_put(r->w, s, err) == 0);
	if (r->len <= MAX_AGAIN && r->format == SPAN_FORMAT_JSONL)
		write_again(s, SPAN_FORMAT_JSONL);
	if (r->len <= MAX_AGAIN) {
		write_again(s, SPAN_FORMAT_JAEGER_JSON);
		write_again(s, SPAN_FORMAT_JAEGER_PROTO);
	}
	r->n++;
	return 0;
}

void check_jaeger(int format, const uint8_t *p, size_t len)
{
	struct run r = {.len = len, .format = format};
	struct span_buf frames = {0};
	struct span_error err = {0};
	int rc;

	check(span_decoder_open(&r.d, NULL, NULL) == 0);
	check(span_writer_open_mem(&r.w, &frames, NULL) == 0);
	rc = span_decoder_message(r.d, format, p, len, take, &r, &err);
	if (rc < 0) {
		check(rc == err.code && err.pos <= len && err.msg[0]);
		check(r.n == 0 && rc != SPAN_E_NOMEM);
		check(span_decoder_stats(r.d)->bad_messages == 1);
	} else {
		check(rc == r.n);
	}
	if (span_decoder_bad_span(r.d))
		check(span_decoder_bad_span(r.d)->pos <= len);
	span_writer_close(&r.w);
	span_decoder_close(&r.d);
	span_buf_release(&frames);
}
