/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_help.h - what the tests of the decoder share
 */
#ifndef DECODE_HELP_H
#define DECODE_HELP_H

#include "codec/decoder.h"

#include "span_dump.h"
#include "tap.h"

static struct span_decoder *decoder;

static inline int to_text(void *arg, const struct span *s,
			  struct span_error *err)
{
	(void)err;
	put_span(arg, s);
	return 0;
}

/* Decode B's message: the text of its spans, terminated. */
static inline char *decode(struct span_decoder *d, const struct span_buf *b,
			   struct span_buf *text)
{
	struct span_error err = {0};
	int rc;

	text->len = 0;
	rc = span_decoder_message(d, SPAN_FORMAT_AUTO, b->p, b->len, to_text,
				  text, &err);
	if (rc < 0)
		span_buf_printf(text, "%d: %s at %zu", rc, err.msg,
				(size_t)err.pos);
	span_buf_putc(text, 0);
	return text->p;
}

static inline struct span_attr attr_int(const char *key, int64_t i)
{
	return (struct span_attr){span_str(key), {.type = SPAN_INT, .i = i}};
}

static inline struct span_attr attr_text(const char *key, struct span_str s)
{
	return (struct span_attr){span_str(key),
				  {.type = SPAN_STRING, .str = s}};
}

/* A span of ours as a message, in both protocols in turn. */
static inline void encode(struct span_buf *b, const struct span *s)
{
	static int format = SPAN_FORMAT_JAEGER_COMPACT;

	b->len = 0;
	if (span_encode_jaeger(b, format, s, 1, 0, NULL) < 0)
		ok(false, "encode");
	format =
		SPAN_FORMAT_JAEGER_COMPACT + SPAN_FORMAT_JAEGER_BINARY - format;
}

struct seen {
	size_t n, n_attrs, n_events, n_refs, n_process, n_fields;
	size_t text_len, bytes_len;
	uint16_t marks;
};

static inline int look(void *arg, const struct span *s, struct span_error *err)
{
	struct seen *seen = arg;

	(void)err;
	seen->n++;
	seen->n_attrs = s->attrs.n;
	seen->n_events = s->n_events;
	seen->n_refs = s->n_refs;
	seen->n_process = s->process->attrs.n;
	seen->n_fields = s->n_events ? s->events[0].attrs.n : 0;
	seen->marks = s->marks;
	for (size_t i = 0; i < s->attrs.n; i++) {
		if (s->attrs.v[i].value.type == SPAN_STRING)
			seen->text_len = s->attrs.v[i].value.str.len;
		if (s->attrs.v[i].value.type == SPAN_BYTES)
			seen->bytes_len = s->attrs.v[i].value.str.len;
	}
	return 0;
}

static inline void see(const struct span *s, struct seen *seen)
{
	struct span_buf b = {0};

	*seen = (struct seen){0};
	encode(&b, s);
	is_int(span_decoder_message(decoder, 0, b.p, b.len, look, seen, NULL),
	       1, "one span of %zu bytes", b.len);
	span_buf_release(&b);
}

#endif
