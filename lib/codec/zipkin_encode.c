/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to Zipkin's version 2: JSON and protobuf.
 *
 * Source: openzipkin zipkin2-api.yaml, zipkin.proto.
 */
#include "base/put.h"
#include "codec/proto_out.h"
#include "codec/zipkin_out.h"

#include <span/text.h>

#include <arpa/inet.h>

#include "text/utf8.h"

#include "base/banned.h"

static const char *const kinds[] = {
	[SPAN_KIND_SERVER] = "SERVER",
	[SPAN_KIND_CLIENT] = "CLIENT",
	[SPAN_KIND_PRODUCER] = "PRODUCER",
	[SPAN_KIND_CONSUMER] = "CONSUMER",
};

/* ,NAME or without the comma behind an opening brace. */
static void put_name(struct span_buf *b, struct span_str name)
{
	if (b->len && b->p[b->len - 1] != '{')
		span__putc(b, ',');
	span__put_str(b, name);
}

/* A name as put_name() takes it. */
#define NAME(text) SPAN_STR("\"" text "\":")

static void put_word(struct span_buf *b, struct span_str name, const char *word)
{
	put_name(b, name);
	span__putc(b, '"');
	span_buf_puts(b, word);
	span__putc(b, '"');
}

static void put_number(struct span_buf *b, struct span_str name, int64_t n)
{
	put_name(b, name);
	span_text_int(b, n);
}

/* inet_ntop(3) takes printf(3) for it, which shows. */
static void put_ipv4(struct span_buf *b, uint32_t ipv4)
{
	put_name(b, NAME("ipv4"));
	span__putc(b, '"');
	for (int shift = 24; shift >= 0; shift -= 8) {
		span_text_uint(b, ipv4 >> shift & 0xff);
		span__putc(b, shift ? '.' : '"');
	}
}

static void put_endpoint(struct span_buf *b, struct span_str name,
			 const struct span__zipkin_address *a)
{
	char text[INET6_ADDRSTRLEN];

	if (!span__zipkin_has_address(a))
		return;
	put_name(b, name);
	span__putc(b, '{');
	if (a->has_service) {
		put_name(b, NAME("serviceName"));
		span_text_json(b, a->service);
	}
	if (a->has_ipv4)
		put_ipv4(b, a->ipv4);
	if (a->has_ipv6)
		put_word(b, NAME("ipv6"),
			 inet_ntop(AF_INET6, a->ipv6, text, sizeof(text)));
	if (a->port)
		put_number(b, NAME("port"), a->port);
	span__putc(b, '}');
}

static void put_annotations(struct span_buf *b, struct span__zipkin_out *o)
{
	const struct span *s = o->span;

	if (!s->n_events)
		return;
	put_name(b, NAME("annotations"));
	for (size_t i = 0; i < s->n_events; i++) {
		int64_t us;
		struct span_str text =
			span__zipkin_out_event(o, &s->events[i], &us);

		span_buf_puts(b, i ? ",{" : "[{");
		put_number(b, NAME("timestamp"), us);
		put_name(b, NAME("value"));
		span_text_json(b, text);
		span__putc(b, '}');
	}
	span__putc(b, ']');
}

/* The next tag to write, or NULL; *AT begins at 0. */
static const struct span_attr *next_tag(const struct span__zipkin_out *o,
					size_t *at)
{
	const struct span_attr *v = (const void *)o->tags.p;
	size_t n = o->tags.len / sizeof(*v);

	while (*at < n && o->repeats.repeated && o->repeats.repeated[*at])
		++*at;
	return *at < n ? &v[(*at)++] : NULL;
}

static void put_tags(struct span_buf *b, struct span__zipkin_out *o)
{
	const struct span_attr *tag;
	bool first = true;
	size_t at = 0;

	while ((tag = next_tag(o, &at))) {
		if (first)
			put_name(b, NAME("tags"));
		span__putc(b, first ? '{' : ',');
		first = false;
		span_text_json(b, tag->key);
		span__putc(b, ':');
		span_text_json(b, span__zipkin_out_text(o, &tag->value));
	}
	if (!first)
		span__putc(b, '}');
}

static void put_json(struct span_buf *b, struct span__zipkin_out *o)
{
	static const uint8_t none[8];
	const struct span *s = o->span;
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span__putc(b, '{');
	put_word(b, NAME("traceId"), span_trace_id_text(s->trace_id, trace));
	if (memcmp(s->parent_id, none, sizeof(none)) != 0)
		put_word(b, NAME("parentId"), span_id_text(s->parent_id, id));
	put_word(b, NAME("id"), span_id_text(s->span_id, id));
	if (o->kind)
		put_word(b, NAME("kind"), kinds[o->kind]);
	if (o->name.len) {
		put_name(b, NAME("name"));
		span_text_json(b, o->name);
	}
	if (o->has_start)
		put_number(b, NAME("timestamp"), o->start_us);
	if (o->has_duration)
		put_number(b, NAME("duration"), o->duration_us);
	put_endpoint(b, NAME("localEndpoint"), &o->local);
	put_endpoint(b, NAME("remoteEndpoint"), &o->remote);
	put_annotations(b, o);
	put_tags(b, o);
	if (o->debug)
		span_buf_puts(b, ",\"debug\":true");
	if (o->shared)
		span_buf_puts(b, ",\"shared\":true");
	span__putc(b, '}');
}

void span_encode_zipkin_json(struct span_buf *b, const struct span *s)
{
	struct span__zipkin_out o = {.utf8 = true};

	span__zipkin_out(&o, s);
	put_json(b, &o);
	b->failed |= o.failed;
	span__zipkin_out_release(&o);
}

static int finish(struct span_buf *b, struct span__zipkin_out *o,
		  struct span_error *err)
{
	bool failed = b->failed || o->failed;

	span__zipkin_out_release(o);
	return failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory") : 0;
}

int span__zipkin_encode_json(struct span_buf *b, const struct span *spans,
			     size_t n, struct span_error *err)
{
	struct span__zipkin_out o = {.utf8 = true};

	span__putc(b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			span__putc(b, ',');
		span__zipkin_out(&o, &spans[i]);
		put_json(b, &o);
	}
	span__putc(b, ']');
	return finish(b, &o, err);
}

static void put_endpoint_field(struct span_buf *b, unsigned id,
			       const struct span__zipkin_address *a)
{
	const uint32_t ipv4 = htobe32(a->ipv4);
	size_t mark;

	if (!span__zipkin_has_address(a))
		return;
	mark = span__proto_open(b, id);
	span__proto_opt_text(b, 1, a->service);
	if (a->has_ipv4)
		span__proto_put_bytes(
			b, 2,
			(struct span_str){(const char *)&ipv4, sizeof(ipv4)});
	if (a->has_ipv6)
		span__proto_put_bytes(b, 3,
				      (struct span_str){(const char *)a->ipv6,
							sizeof(a->ipv6)});
	span__proto_opt_varint(b, 4, a->port);
	span__proto_close(b, mark);
}

static void put_annotation_fields(struct span_buf *b,
				  struct span__zipkin_out *o)
{
	const struct span *s = o->span;

	for (size_t i = 0; i < s->n_events; i++) {
		int64_t us;
		struct span_str text =
			span__zipkin_out_event(o, &s->events[i], &us);
		size_t mark = span__proto_open(b, 10);

		span__proto_put_fixed64(b, 1, (uint64_t)us);
		span__proto_opt_text(b, 2, text);
		span__proto_close(b, mark);
	}
}

static void put_tag_fields(struct span_buf *b, struct span__zipkin_out *o)
{
	const struct span_attr *tag;
	size_t at = 0;

	while ((tag = next_tag(o, &at))) {
		size_t mark = span__proto_open(b, 11);

		span__proto_opt_text(b, 1, tag->key);
		span__proto_opt_text(b, 2,
				     span__zipkin_out_text(o, &tag->value));
		span__proto_close(b, mark);
	}
}

static struct span_str id_of(const uint8_t *id, size_t len)
{
	return (struct span_str){(const char *)id, len};
}

static void put_fields(struct span_buf *b, struct span__zipkin_out *o)
{
	static const unsigned numbers[] = {
		[SPAN_KIND_CLIENT] = 1,
		[SPAN_KIND_SERVER] = 2,
		[SPAN_KIND_PRODUCER] = 3,
		[SPAN_KIND_CONSUMER] = 4,
	};
	static const uint8_t none[8];
	const struct span *s = o->span;
	size_t high = memcmp(s->trace_id, none, 8) ? 0 : 8;

	span__proto_put_bytes(b, 1, id_of(s->trace_id + high, 16 - high));
	if (memcmp(s->parent_id, none, sizeof(none)) != 0)
		span__proto_put_bytes(b, 2, id_of(s->parent_id, 8));
	span__proto_put_bytes(b, 3, id_of(s->span_id, 8));
	span__proto_opt_varint(b, 4, numbers[o->kind]);
	span__proto_opt_text(b, 5, o->name);
	if (o->has_start)
		span__proto_put_fixed64(b, 6, (uint64_t)o->start_us);
	if (o->has_duration)
		span__proto_put_varint(b, 7, (uint64_t)o->duration_us);
	put_endpoint_field(b, 8, &o->local);
	put_endpoint_field(b, 9, &o->remote);
	put_annotation_fields(b, o);
	put_tag_fields(b, o);
	span__proto_opt_varint(b, 12, o->debug);
	span__proto_opt_varint(b, 13, o->shared);
}

int span__zipkin_encode_proto(struct span_buf *b, const struct span *spans,
			      size_t n, struct span_error *err)
{
	struct span__zipkin_out o = {.utf8 = true};

	for (size_t i = 0; i < n; i++) {
		size_t mark = span__proto_open(b, 1);

		span__zipkin_out(&o, &spans[i]);
		put_fields(b, &o);
		span__proto_close(b, mark);
	}
	return finish(b, &o, err);
}
