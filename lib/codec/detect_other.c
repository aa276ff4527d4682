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

size_t span__json_space(const unsigned char *p, size_t len)
{
	size_t at = len > 2 && !memcmp(p, "\xef\xbb\xbf", 3) ? 3 : 0;

	while (at < len && (p[at] == ' ' || p[at] == '\t' || p[at] == '\n' ||
			    p[at] == '\r' || p[at] == 0x1e))
		at++;
	return at;
}

/*
 * A message of protobuf may begin with a line's end and a bracket: field 1 of
 * 123 bytes. Other control characters follow soon then.
 */
static bool has_control(const unsigned char *p, size_t len)
{
	if (len > SPAN__JSON_ENOUGH)
		len = SPAN__JSON_ENOUGH;
	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 && p[i] != '\t' && p[i] != '\n' &&
		    p[i] != '\r' && p[i] != 0x1e)
			return true;
	return false;
}

bool span__json_detect(const unsigned char *p, size_t len)
{
	size_t at = span__json_space(p, len);

	return at < len && (p[at] == '{' || p[at] == '[') &&
	       (*p != '\n' || !has_control(p, len));
}

/* What a member's name says: a SURE one decides, others when there is none. */
static const struct name {
	const char *name;
	int format;
	bool sure;
} names[] = {
	{"resourceSpans", SPAN_FORMAT_OTLP_JSON, true},
	{"resource_spans", SPAN_FORMAT_OTLP_JSON, true},
	{"scopeSpans", SPAN_FORMAT_OTLP_JSON, true},
	{"scope_spans", SPAN_FORMAT_OTLP_JSON, true},
	{"instrumentationLibrarySpans", SPAN_FORMAT_OTLP_JSON, true},
	{"instrumentation_library_spans", SPAN_FORMAT_OTLP_JSON, true},
	{"data", SPAN_FORMAT_JAEGER_JSON, true},
	{"spans", SPAN_FORMAT_JAEGER_JSON, true},
	{"processes", SPAN_FORMAT_JAEGER_JSON, true},
	{"traceID", SPAN_FORMAT_JAEGER_JSON, true},
	{"spanID", SPAN_FORMAT_JAEGER_JSON, true},
	{"traceId", SPAN_FORMAT_ZIPKIN_JSON, true},
	{"trace_id", SPAN_FORMAT_JSONL, true},
	{"span_id", SPAN_FORMAT_JSONL, true},
	{"resource", SPAN_FORMAT_OTLP_JSON, false},
	{"schemaUrl", SPAN_FORMAT_OTLP_JSON, false},
	{"operationName", SPAN_FORMAT_JAEGER_JSON, false},
	{"processID", SPAN_FORMAT_JAEGER_JSON, false},
	{"parent_id", SPAN_FORMAT_JSONL, false},
	{"start_ns", SPAN_FORMAT_JSONL, false},
	{"duration_ns", SPAN_FORMAT_JSONL, false},
	{"id", SPAN_FORMAT_ZIPKIN_JSON, false},
	{"localEndpoint", SPAN_FORMAT_ZIPKIN_JSON, false},
	{"annotations", SPAN_FORMAT_ZIPKIN_JSON, false},
	{"binaryAnnotations", SPAN_FORMAT_ZIPKIN_JSON, false},
};

#define N_NAMES (sizeof(names) / sizeof(*names))

static const struct name *find_name(struct span_str key,
				    const struct name *likely)
{
	for (const struct name *n = names; n < names + N_NAMES; n++)
		if (span_str_equal(key, span_str(n->name)))
			return !likely || n->sure || n < likely ? n : likely;
	return likely;
}

static int format_of_value(struct span__json *j, bool *any);

static int format_of_result(struct span__json *j)
{
	bool any = false;
	int format = format_of_value(j, &any);

	return format || any || j->in->failed ? format : SPAN_FORMAT_OTLP_JSON;
}

/*
 * By the object's members, and by those of a result, which OTLP's query API
 * has. ANY: there was one.
 */
static int format_of_object(struct span__json *j, bool *any)
{
	const struct name *found = NULL;
	struct span_str key;
	int format;

	if (!span__json_object(j))
		return SPAN_FORMAT_AUTO;
	while (span__json_member(j, &key)) {
		*any = true;
		found = find_name(key, found);
		if (found && found->sure)
			break;
		if (span_str_equal(key, SPAN_STR("result")) &&
		    span__json_peek(j) == JSON_OBJECT) {
			format = format_of_result(j);
			if (format)
				return format;
		} else if (!span__json_pass(j)) {
			break;
		}
	}
	return found ? found->format : SPAN_FORMAT_AUTO;
}

/* The first item that says something; null and {} do not. */
static int format_of_array(struct span__json *j, bool *any)
{
	int format = SPAN_FORMAT_AUTO;

	if (!span__json_array(j))
		return format;
	while (!format && !*any && span__json_item(j))
		if (!span__json_null(j))
			format = format_of_value(j, any);
	return format;
}

static int format_of_value(struct span__json *j, bool *any)
{
	switch (span__json_peek(j)) {
	case JSON_OBJECT:
		return format_of_object(j, any);
	case JSON_ARRAY:
		return format_of_array(j, any);
	default:
		*any = true;
		(void)span__json_pass(j);
		return SPAN_FORMAT_AUTO;
	}
}

/*
 * An object without members is a request without spans; an empty list is
 * Zipkin's, whose reporters may send one.
 */
static int format_of_nothing(bool array)
{
	return array ? SPAN_FORMAT_ZIPKIN_JSON : SPAN_FORMAT_OTLP_JSON;
}

int span__json_format(const unsigned char *p, size_t len,
		      struct span_error *err)
{
	struct span__cursor in;
	struct span__json j;
	bool any = false, array;
	int format;

	cursor_init(&in, p, len);
	in.p += span__json_space(p, len);
	span__json_init(&j, &in, NULL);
	array = span__json_peek(&j) == JSON_ARRAY;
	format = format_of_value(&j, &any);
	if (!format && !any && !in.failed)
		format = format_of_nothing(array);
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
