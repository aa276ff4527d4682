/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to Zipkin's version 1 in Thrift: a list, as HTTP collectors take it.
 * Tags keep their types. Every annotation names who sent it, as Zipkin finds
 * services so.
 */
#include "codec/thrift_out.h"
#include "codec/zipkin.h"
#include "codec/zipkin_out.h"

#include "base/id.h"

#include "base/banned.h"

struct out {
	struct span__thrift_out t;
	struct span__zipkin_out z;
};

static void put_string(struct out *o, int *last, int id, struct span_str s)
{
	span__thrift_put_field(&o->t, last, id, THRIFT_STRING);
	span__thrift_put_string(&o->t, s);
}

static void put_i64(struct out *o, int *last, int id, int64_t v)
{
	span__thrift_put_field(&o->t, last, id, THRIFT_I64);
	span__thrift_put_i64(&o->t, v);
}

static void put_host(struct out *o, int *last, int id,
		     const struct span__zipkin_address *a)
{
	int inner = 0;

	if (!span__zipkin_has_address(a))
		return;
	span__thrift_put_field(&o->t, last, id, THRIFT_STRUCT);
	if (a->has_ipv4) {
		span__thrift_put_field(&o->t, &inner, 1, THRIFT_I32);
		span__thrift_put_i32(&o->t, (int32_t)a->ipv4);
	}
	if (a->port) {
		span__thrift_put_field(&o->t, &inner, 2, THRIFT_I16);
		span__thrift_put_i16(&o->t, (int16_t)a->port);
	}
	put_string(o, &inner, 3, a->service);
	if (a->has_ipv6)
		put_string(o, &inner, 4,
			   (struct span_str){(const char *)a->ipv6,
					     sizeof(a->ipv6)});
	span__thrift_put_stop(&o->t);
}

static void put_annotation(struct out *o, int64_t us, struct span_str value)
{
	int last = 0;

	put_i64(o, &last, 1, us);
	put_string(o, &last, 2, value);
	put_host(o, &last, 3, &o->z.local);
	span__thrift_put_stop(&o->t);
}

/* The annotations at a span's start and end. */
static const struct sides {
	const char *start, *end, *address;
} sides[] = {
	[SPAN_KIND_UNSPECIFIED] = {NULL, NULL, "sa"},
	[SPAN_KIND_CLIENT] = {"cs", "cr", "sa"},
	[SPAN_KIND_SERVER] = {"sr", "ss", "ca"},
	[SPAN_KIND_PRODUCER] = {NULL, "ms", "ma"},
	[SPAN_KIND_CONSUMER] = {NULL, "mr", "ma"},
};

/*
 * One that stands at the start alone comes last all the same: from the first
 * to the last one a reader takes the duration of a span that has none.
 */
static void put_annotations(struct out *o, int *last)
{
	const struct sides *side = &sides[o->z.kind];
	const struct span *s = o->z.span;
	size_t n = s->n_events + !!side->start + !!side->end;
	uint64_t end = (uint64_t)o->z.start_us;

	span__thrift_put_field(&o->t, last, 6, THRIFT_LIST);
	span__thrift_put_list(&o->t, THRIFT_STRUCT, n);
	if (side->start) {
		put_annotation(o, o->z.start_us, span_str(side->start));
		end += (uint64_t)o->z.duration_us;
	}
	for (size_t i = 0; i < s->n_events; i++) {
		int64_t us;
		struct span_str text =
			span__zipkin_out_event(&o->z, &s->events[i], &us);

		put_annotation(o, us, text);
	}
	if (side->end)
		put_annotation(o, (int64_t)end, span_str(side->end));
}

static void put_value(struct out *o, int *last, int type, const void *p,
		      size_t len)
{
	put_string(o, last, 2, (struct span_str){p, len});
	span__thrift_put_field(&o->t, last, 3, THRIFT_I32);
	span__thrift_put_i32(&o->t, type);
}

static void put_typed(struct out *o, int *last, const struct span_value *v)
{
	struct span_str text;
	uint64_t number;
	char truth;

	switch (v->type) {
	case SPAN_BOOL:
		truth = (char)v->b;
		put_value(o, last, ZIPKIN_BOOL, &truth, 1);
		return;
	case SPAN_INT:
		number = htobe64((uint64_t)v->i);
		put_value(o, last, ZIPKIN_I64, &number, sizeof(number));
		return;
	case SPAN_DOUBLE:
		memcpy(&number, &v->d, sizeof(number));
		number = htobe64(number);
		put_value(o, last, ZIPKIN_DOUBLE, &number, sizeof(number));
		return;
	case SPAN_BYTES:
		put_value(o, last, ZIPKIN_BYTES, v->str.p, v->str.len);
		return;
	default:
		text = span__zipkin_out_text(&o->z, v);
		put_value(o, last, ZIPKIN_STRING, text.p, text.len);
	}
}

static void put_binary(struct out *o, struct span_str key,
		       const struct span_value *v,
		       const struct span__zipkin_address *host)
{
	int last = 0;

	put_string(o, &last, 1, key);
	put_typed(o, &last, v);
	if (host)
		put_host(o, &last, 4, host);
	span__thrift_put_stop(&o->t);
}

/* A tag that is called as an address is none, and has no host. */
static bool is_address(struct span_str key)
{
	return span_str_equal(key, SPAN_STR("sa")) ||
	       span_str_equal(key, SPAN_STR("ca")) ||
	       span_str_equal(key, SPAN_STR("ma"));
}

static void put_binaries(struct out *o, int *last)
{
	static const struct span_value yes = {.type = SPAN_BOOL, .b = true},
				       nothing = {.type = SPAN_STRING,
						  .str = {"", 0}};
	const struct span_attr *tags = (const void *)o->z.tags.p;
	size_t n = o->z.tags.len / sizeof(*tags);
	bool remote = span__zipkin_has_address(&o->z.remote);
	bool only_local = !n && !remote && !o->z.shared &&
			  !o->z.span->n_events && !o->z.kind &&
			  span__zipkin_has_address(&o->z.local);

	span__thrift_put_field(&o->t, last, 8, THRIFT_LIST);
	span__thrift_put_list(&o->t, THRIFT_STRUCT,
			      n + remote + o->z.shared + only_local);
	for (size_t i = 0; i < n; i++)
		put_binary(o, tags[i].key, &tags[i].value,
			   is_address(tags[i].key) ? NULL : &o->z.local);
	if (o->z.shared)
		put_binary(o, SPAN__KEY_SHARED, &yes, &o->z.local);
	if (remote)
		put_binary(o, span_str(sides[o->z.kind].address), &yes,
			   &o->z.remote);
	if (only_local)
		put_binary(o, SPAN_STR("lc"), &nothing, &o->z.local);
}

static int64_t id_at(const uint8_t *p)
{
	return (int64_t)span__id_get(p);
}

static void put_span(struct out *o)
{
	const struct span *s = o->z.span;
	int last = 0;

	put_i64(o, &last, 1, id_at(s->trace_id + 8));
	put_string(o, &last, 3, o->z.name);
	put_i64(o, &last, 4, id_at(s->span_id));
	if (id_at(s->parent_id))
		put_i64(o, &last, 5, id_at(s->parent_id));
	put_annotations(o, &last);
	put_binaries(o, &last);
	if (o->z.debug)
		span__thrift_put_bool(&o->t, &last, 9, true);
	if (o->z.has_start)
		put_i64(o, &last, 10, o->z.start_us);
	if (o->z.has_duration)
		put_i64(o, &last, 11, o->z.duration_us);
	if (id_at(s->trace_id))
		put_i64(o, &last, 12, id_at(s->trace_id));
	span__thrift_put_stop(&o->t);
}

static int encode(struct span_buf *b, bool compact, const struct span *spans,
		  size_t n, struct span_error *err)
{
	struct out o = {.t = {.b = b, .compact = compact}};
	bool failed;

	if (n > INT32_MAX)
		return span_error_set(err, SPAN_E_INVALID,
				      "more spans than a list can hold");
	span__thrift_put_list(&o.t, THRIFT_STRUCT, n);
	for (size_t i = 0; i < n; i++) {
		span__zipkin_out(&o.z, &spans[i]);
		put_span(&o);
	}
	failed = b->failed || o.z.failed;
	span__zipkin_out_release(&o.z);
	return failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory") : 0;
}

int span__zipkin_encode_compact(struct span_buf *b, const struct span *spans,
				size_t n, struct span_error *err)
{
	return encode(b, true, spans, n, err);
}

int span__zipkin_encode_binary(struct span_buf *b, const struct span *spans,
			       size_t n, struct span_error *err)
{
	return encode(b, false, spans, n, err);
}
