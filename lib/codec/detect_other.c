/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of JSON have names of their own for the same things: resourceSpans,
 * traceID, traceId, trace_id.
 *
 * Messages of protobuf all begin with field 1, of a length. What is inside it
 * tells them apart: ids have 8 or 16 bytes, and where Zipkin's and Jaeger's
 * spans have the same numbers, the wire types differ.
 */
#include "codec/detect.h"
#include "codec/json_scan.h"
#include "codec/proto.h"

#include "base/banned.h"

static size_t space(const unsigned char *p, size_t len)
{
	size_t at = len > 2 && !memcmp(p, "\xef\xbb\xbf", 3) ? 3 : 0;

	while (at < len && (p[at] == ' ' || p[at] == '\t' || p[at] == '\n' ||
			    p[at] == '\r'))
		at++;
	return at;
}

bool span__json_detect(const unsigned char *p, size_t len)
{
	size_t at = space(p, len);

	return at < len && (p[at] == '{' || p[at] == '[');
}

static int format_of_key(struct span_str key)
{
	static const struct {
		const char *name;
		int format;
	} keys[] = {
		{"resourceSpans", SPAN_FORMAT_OTLP_JSON},
		{"resource_spans", SPAN_FORMAT_OTLP_JSON},
		{"scopeSpans", SPAN_FORMAT_OTLP_JSON},
		{"scope_spans", SPAN_FORMAT_OTLP_JSON},
		{"data", SPAN_FORMAT_JAEGER_JSON},
		{"spans", SPAN_FORMAT_JAEGER_JSON},
		{"processes", SPAN_FORMAT_JAEGER_JSON},
		{"traceID", SPAN_FORMAT_JAEGER_JSON},
		{"spanID", SPAN_FORMAT_JAEGER_JSON},
		{"traceId", SPAN_FORMAT_ZIPKIN_JSON},
		{"id", SPAN_FORMAT_ZIPKIN_JSON},
		{"trace_id", SPAN_FORMAT_JSONL},
		{"span_id", SPAN_FORMAT_JSONL},
		{"localEndpoint", SPAN_FORMAT_ZIPKIN_JSON},
		{"annotations", SPAN_FORMAT_ZIPKIN_JSON},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (span_str_equal(key, span_str(keys[i].name)))
			return keys[i].format;
	return SPAN_FORMAT_AUTO;
}

/* By the object's members; one without any is a request without spans. */
static int format_of_object(struct span__json *j)
{
	struct span_str key;
	bool any = false;
	int format;

	if (!span__json_object(j))
		return SPAN_FORMAT_AUTO;
	while (span__json_member(j, &key)) {
		format = format_of_key(key);
		if (format)
			return format;
		any = true;
		if (!span__json_pass(j))
			return SPAN_FORMAT_AUTO;
	}
	return any || j->in->failed ? SPAN_FORMAT_AUTO : SPAN_FORMAT_OTLP_JSON;
}

/* An empty list is Zipkin's: whose reporters may send one. */
static int format_of_array(struct span__json *j)
{
	if (!span__json_array(j))
		return SPAN_FORMAT_AUTO;
	while (span__json_item(j))
		if (!span__json_null(j))
			return span__json_peek(j) == JSON_OBJECT
				       ? format_of_object(j)
				       : SPAN_FORMAT_AUTO;
	return j->in->failed ? SPAN_FORMAT_AUTO : SPAN_FORMAT_ZIPKIN_JSON;
}

int span__json_format(const unsigned char *p, size_t len,
		      struct span_error *err)
{
	struct span__cursor in;
	struct span__json j;
	int format;

	cursor_init(&in, p, len);
	in.p += space(p, len);
	span__json_init(&j, &in, NULL);
	format = span__json_peek(&j) == JSON_ARRAY ? format_of_array(&j)
						   : format_of_object(&j);
	if (format)
		return format;
	return span_error_at(err, SPAN_E_CORRUPT, 0,
			     "JSON, but none of a known format");
}

/*
 * The next field. The last one may be cut short: what is there of it counts.
 */
static bool peek(struct span__cursor *in, struct span__proto_field *f)
{
	const unsigned char *p = in->p, *end = in->end;

	if (p == end)
		return false;
	if (span__proto_next(in, f))
		return true;
	if (in->code != SPAN_E_TRUNCATED || (*p & 7) != PROTO_LEN || *p >= 0x80)
		return false;
	f->id = *p >> 3;
	f->wire = PROTO_LEN;
	for (p++; p < end && *p >= 0x80;)
		p++;
	p += p < end;
	f->bytes = (struct span_str){(const char *)p, (size_t)(end - p)};
	return true;
}

static struct span__cursor into(struct span_str bytes)
{
	struct span__cursor in;

	cursor_init(&in, bytes.p, bytes.len);
	return in;
}

static bool is_id(size_t len)
{
	return len == 8 || len == 16;
}

/* A span of Jaeger's begins with both ids; no Resource has a text second. */
static bool is_jaeger_span(struct span_str bytes)
{
	struct span__cursor in = into(bytes);
	struct span__proto_field f;

	return peek(&in, &f) && PROTO(f.id, f.wire) == PROTO(1, PROTO_LEN) &&
	       is_id(f.bytes.len) && peek(&in, &f) &&
	       PROTO(f.id, f.wire) == PROTO(2, PROTO_LEN) && f.bytes.len == 8;
}

/* Fields that Zipkin's and Jaeger's spans number alike. */
static int span_by_types(struct span_str bytes)
{
	struct span__cursor in = into(bytes);
	struct span__proto_field f;
	bool third = false;

	while (peek(&in, &f)) {
		switch (PROTO(f.id, f.wire)) {
		case PROTO(3, PROTO_LEN):
			third = f.bytes.len == 8;
			break;
		case PROTO(4, PROTO_VARINT):
		case PROTO(5, PROTO_LEN):
		case PROTO(6, PROTO_I64):
		case PROTO(7, PROTO_VARINT):
			return SPAN_FORMAT_ZIPKIN_PROTO;
		case PROTO(4, PROTO_LEN):
		case PROTO(5, PROTO_VARINT):
		case PROTO(6, PROTO_LEN):
		case PROTO(7, PROTO_LEN):
			return SPAN_FORMAT_JAEGER_PROTO;
		default:
			break;
		}
	}
	return third ? SPAN_FORMAT_ZIPKIN_PROTO : SPAN_FORMAT_JAEGER_PROTO;
}

/*
 * What field 1 holds: a span, a batch, or ResourceSpans. AUTO: nothing that
 * says it.
 */
static int format_of_field(struct span_str bytes)
{
	struct span__cursor in = into(bytes);
	struct span__proto_field f;
	bool id = false;

	while (peek(&in, &f)) {
		if (f.id > 13 && f.id < 1000)
			return SPAN_E_CORRUPT;
		if (f.id == 1 && f.wire == PROTO_LEN && is_id(f.bytes.len))
			id = true;
		else if (id && (f.id > 3 || f.bytes.len == 8))
			return span_by_types(bytes);
		if (f.id > 3 && f.id < 1000)
			return SPAN_E_CORRUPT;
		if (f.wire != PROTO_LEN)
			return SPAN_E_CORRUPT;
		if (f.id == 1 && is_jaeger_span(f.bytes))
			return SPAN_FORMAT_JAEGER_PROTO;
		if (f.id == 2 && f.bytes.len)
			return SPAN_FORMAT_OTLP_PROTO;
	}
	return in.failed && in.code != SPAN_E_TRUNCATED ? SPAN_E_CORRUPT
							: SPAN_FORMAT_AUTO;
}

int span__proto_format(const unsigned char *p, size_t len)
{
	struct span__cursor in;
	struct span__proto_field f;

	cursor_init(&in, p, len);
	while (peek(&in, &f)) {
		int format;

		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			return SPAN_E_CORRUPT;
		format = format_of_field(f.bytes);
		if (format)
			return format;
	}
	return in.failed ? SPAN_E_CORRUPT : SPAN_FORMAT_OTLP_PROTO;
}
