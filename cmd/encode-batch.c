/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of messages. Spans are kept until there are enough of them for one;
 * in a file the messages become one: those of protobuf by standing end to end,
 * lists of JSON by what is between their brackets. Thrift, which knows
 * neither, goes out as a payload stream.
 */
#include "encode.h"

#include <string.h>

#include "base/banned.h"

#define BATCH_SPANS 512u
#define BATCH_BYTES ((size_t)4 << 20)

/* How messages follow each other. */
enum joint { END_TO_END, LINES, LIST, PAYLOADS };

static struct {
	int format;
	enum joint joint;
	struct span_arena arena;
	struct span_buf spans; /* struct span */
	struct span_buf message;
} batch;

/* A list of JSON: what is between its first and its last bracket. */
static int put_items(struct encode_out *o, struct span_error *err)
{
	struct span_str m = {batch.message.p, batch.message.len};
	const char *first = memchr(m.p, '[', m.len);
	const char *last = memrchr(m.p, ']', m.len);

	if (!first || !last)
		return span_error_set(err, SPAN_E_INVALID,
				      "a message without a list");
	if (o->first)
		span_buf_put(&o->b, m.p, (size_t)(first - m.p) + 1);
	else if (last > first + 1)
		span_buf_puts(&o->b, ",\n");
	o->first = false;
	span_buf_put(&o->b, first + 1, (size_t)(last - first) - 1);
	return 0;
}

static int put_payload(struct encode_out *o, const struct span *last,
		       struct span_error *err)
{
	struct span_payload p = {
		.time_ns = span_end_ns(last),
		.transport = SPAN_TRANSPORT_FILE,
		.data = {batch.message.p, batch.message.len},
	};

	return span_payload_encode(&o->b, &p, err);
}

static int put_message(struct encode_out *o, const struct span *spans, size_t n,
		       struct span_error *err)
{
	int rc;

	batch.message.len = 0;
	rc = batch.joint == PAYLOADS
		     ? span_encode_jaeger(&batch.message, batch.format, spans,
					  n, 0, err)
		     : span_encode_message(&batch.message, batch.format, spans,
					   n, err);
	if (rc < 0)
		return rc;
	switch (batch.joint) {
	case PAYLOADS:
		return put_payload(o, &spans[n - 1], err);
	case LIST:
		return put_items(o, err);
	default:
		span_buf_put(&o->b, batch.message.p, batch.message.len);
		if (batch.joint == LINES)
			span_buf_putc(&o->b, '\n');
		return 0;
	}
}

/* A batch of Thrift has one process. */
static size_t run_of(const struct span *spans, size_t n)
{
	size_t i = 1;

	while (batch.joint == PAYLOADS && i < n &&
	       spans[i].process == spans[0].process)
		i++;
	return batch.joint == PAYLOADS ? i : n;
}

static int flush(struct encode_out *o, struct span_error *err)
{
	const struct span *v = (const struct span *)(void *)batch.spans.p;
	size_t n = batch.spans.len / sizeof(*v), run;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i += run) {
		run = run_of(v + i, n - i);
		rc = put_message(o, v + i, run, err);
	}
	batch.spans.len = 0;
	span_arena_reset(&batch.arena);
	return rc;
}

int encode_message_begin(struct encode_out *o, int format,
			 struct span_error *err)
{
	bool json = format == SPAN_FORMAT_ZIPKIN_JSON ||
		    format == SPAN_FORMAT_OTLP_JSON;

	(void)err;
	batch.format = format;
	batch.joint = json				     ? LIST
		      : format == SPAN_FORMAT_JAEGER_COMPACT ? PAYLOADS
							     : END_TO_END;
	o->first = true;
	return 0;
}

void encode_message_lines(void)
{
	batch.joint = LINES;
}

/* Keep a copy; of a process that was the last one's too, one. */
static int keep(const struct span *s, struct span_error *err)
{
	static const struct span_process none;
	struct span *last = NULL, copy;
	struct span one = *s;

	if (batch.spans.len)
		last = (struct span *)(void *)(batch.spans.p +
					       batch.spans.len) -
		       1;
	if (last && s->process->serial &&
	    last->process->serial == s->process->serial)
		one.process = &none;
	if (span_copy(&copy, &one, &batch.arena) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (one.process == &none)
		copy.process = last->process;
	span_buf_put(&batch.spans, &copy, sizeof(copy));
	return batch.spans.failed
		       ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
		       : 0;
}

int encode_message_span(struct encode_out *o, const struct span *s,
			struct span_error *err)
{
	int rc = keep(s, err);

	if (rc < 0)
		return rc;
	if (batch.spans.len / sizeof(*s) >= BATCH_SPANS ||
	    span_arena_size(&batch.arena) > BATCH_BYTES)
		return flush(o, err);
	return 0;
}

int encode_message_end(struct encode_out *o, struct span_error *err)
{
	int rc = flush(o, err);

	if (rc < 0 || batch.joint != LIST)
		return rc;
	/* Nothing at all is an empty list. */
	if (o->first && (rc = put_message(o, NULL, 0, err)) < 0)
		return rc;
	span_buf_puts(&o->b,
		      batch.format == SPAN_FORMAT_OTLP_JSON ? "]}\n" : "]\n");
	return 0;
}

void encode_message_release(void)
{
	span_arena_release(&batch.arena);
	span_buf_release(&batch.spans);
	span_buf_release(&batch.message);
}
