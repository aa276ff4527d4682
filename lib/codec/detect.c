/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which format a message has, by its first bytes. Ports and content types say
 * nothing reliable: real clients send binary Thrift to the compact port.
 *
 * A compact message begins with 0x82, a strict binary one with 0x8001, an
 * old binary one with the length of a name and that name. Without a message
 * head the first field or list head and the first field inside it decide.
 * JSON and protobuf are told by what they hold, see detect_other.c.
 */
#include "codec/detect.h"
#include "codec/csv_field.h"
#include "codec/decoder.h"

#include <strings.h>

#include "base/banned.h"

static uint32_t be32_at(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

/* The name's length, then the name: a word of printable characters. */
static bool is_old_binary(const unsigned char *p, size_t len)
{
	if (len < 5 || !p[3] || be32_at(p) > 255 || be32_at(p) > len - 4)
		return false;
	for (size_t i = 4; i < 4 + (size_t)p[3]; i++) {
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	}
	return true;
}

/* Fields of zipkincore's Span: type by number, in the binary protocol. */
static const uint8_t zipkin_fields[] = {
	[1] = THRIFT_I64,  [3] = THRIFT_STRING, [4] = THRIFT_I64,
	[5] = THRIFT_I64,  [6] = THRIFT_LIST,	[8] = THRIFT_LIST,
	[9] = THRIFT_BOOL, [10] = THRIFT_I64,	[11] = THRIFT_I64,
	[12] = THRIFT_I64,
};

static bool is_zipkin_field(unsigned id, uint8_t type)
{
	return id && id < sizeof(zipkin_fields) && zipkin_fields[id] == type;
}

/*
 * 0x0c begins both a Batch (a struct in field 1, the process, with a string
 * in field 1 or a list in field 2) and a list of structs.
 */
static int detect_binary_struct(const unsigned char *p, size_t len)
{
	static const unsigned char spans_first[] = {15, 0, 2, 12};

	if (len >= 4 && !memcmp(p, spans_first, 4))
		return SPAN_FORMAT_JAEGER_BINARY;
	if (p[0] != THRIFT_STRUCT || len < 5)
		return SPAN_E_CORRUPT;
	if (len >= 6 && p[1] == 0 && p[2] == 1 && p[4] == 0 &&
	    ((p[3] == THRIFT_STRING && p[5] == 1) ||
	     (p[3] == THRIFT_LIST && p[5] == 2)))
		return SPAN_FORMAT_JAEGER_BINARY;
	if (be32_at(p + 1) == 0)
		return len == 5 ? SPAN_FORMAT_ZIPKIN_BINARY : SPAN_E_CORRUPT;
	if (len >= 8 && p[6] == 0 && is_zipkin_field(p[7], p[5]))
		return SPAN_FORMAT_ZIPKIN_BINARY;
	return SPAN_E_CORRUPT;
}

/* The same ambiguity: 0x1c is a struct in field 1, and a list of one. */
static int detect_compact_struct(const unsigned char *p, size_t len)
{
	size_t at = 1;
	uint8_t type;

	if (p[0] == 0x29 ||
	    (p[0] == 0x1c && len > 1 && (p[1] == 0x18 || p[1] == 0x29)))
		return SPAN_FORMAT_JAEGER_COMPACT;
	if ((p[0] & 15) != 12 || p[0] >> 4 == 0)
		return SPAN_E_CORRUPT;
	if (p[0] >> 4 == 15) {
		while (at < len && at < 5 && p[at] >= 0x80)
			at++;
		at++;
	}
	if (at >= len)
		return SPAN_E_CORRUPT;
	type = span__thrift_compact_types[p[at] & 15];
	if (is_zipkin_field(p[at] >> 4, type))
		return SPAN_FORMAT_ZIPKIN_COMPACT;
	return SPAN_E_CORRUPT;
}

static int unknown(const unsigned char *p, size_t len, struct span_error *err)
{
	if (len > 1 && p[0] == 0x1f && p[1] == 0x8b)
		return span_error_at(err, SPAN_E_CORRUPT, 0,
				     "gzip data where a message should be");
	if (len > 3 && !memcmp(p, "\x28\xb5\x2f\xfd", 4))
		return span_error_at(err, SPAN_E_CORRUPT, 0,
				     "zstd data where a message should be");
	return span_error_at(err, SPAN_E_CORRUPT, 0, "no known format");
}

static int detect_thrift(const unsigned char *p, size_t len)
{
	int format;

	if (len > 1 && p[0] == 0x82 && (p[1] & 0x1f) == 1)
		return SPAN_FORMAT_JAEGER_COMPACT;
	if (len > 1 && p[0] == 0x80 && p[1] == 0x01)
		return SPAN_FORMAT_JAEGER_BINARY;
	if (is_old_binary(p, len))
		return SPAN_FORMAT_JAEGER_BINARY;
	format = detect_binary_struct(p, len);
	return format < 0 ? detect_compact_struct(p, len) : format;
}

int span__format_detect(const unsigned char *p, size_t len,
			struct span_error *err)
{
	int format;

	/* What protobuf makes of a request without spans. */
	if (!len)
		return SPAN_FORMAT_OTLP_PROTO;
	if (span__json_detect(p, len))
		return span__json_format(p, len, err);
	/* "li" also begins a list of Zipkin's, in the compact protocol. */
	if (p[0] >= ' ' && p[0] <= '~' && span__csv_detect(p, len))
		return SPAN_FORMAT_CSV;
	format = detect_thrift(p, len);
	if (format < 0)
		format = span__proto_format(p, len);
	if (format < 0 && span__csv_detect(p, len))
		return SPAN_FORMAT_CSV;
	return format < 0 ? unknown(p, len, err) : format;
}

int span_format_detect(const void *p, size_t len)
{
	int format = span__format_detect(p, len, NULL);

	return format < 0 ? SPAN_FORMAT_AUTO : format;
}

static bool is_type(struct span_str type, const char *name)
{
	size_t len = strlen(name);

	return type.len >= len && !strncasecmp(type.p, name, len) &&
	       (type.len == len || type.p[len] == ';' || type.p[len] == ' ');
}

static bool ends_with(struct span_str path, const char *name)
{
	const char *query = path.len ? memchr(path.p, '?', path.len) : NULL;
	size_t len = strlen(name);

	if (query)
		path.len = (size_t)(query - path.p);
	while (path.len > 1 && path.p[path.len - 1] == '/')
		path.len--;
	return path.len >= len && !memcmp(path.p + path.len - len, name, len);
}

/* What the endpoints take, by the names of their types. */
static const struct endpoint {
	const char *path, *type;
	int format;
} endpoints[] = {
	{"/v1/traces", "application/json", SPAN_FORMAT_OTLP_JSON},
	{"/v1/traces", "application/x-protobuf", SPAN_FORMAT_OTLP_PROTO},
	{"/v1/traces", "application/protobuf", SPAN_FORMAT_OTLP_PROTO},
	{"/api/v2/spans", "application/json", SPAN_FORMAT_ZIPKIN_JSON},
	{"/api/v2/spans", "application/x-protobuf", SPAN_FORMAT_ZIPKIN_PROTO},
	{"/api/v1/spans", "application/json", SPAN_FORMAT_ZIPKIN_JSON},
	{"TraceService/Export", "application/grpc", SPAN_FORMAT_OTLP_PROTO},
	{"CollectorService/PostSpans", "application/grpc",
	 SPAN_FORMAT_JAEGER_PROTO},
};

int span_format_of_payload(const struct span_payload *p)
{
	/* An empty datagram is no request of OTLP. */
	if (p->transport == SPAN_TRANSPORT_UDP && !p->data.len)
		return SPAN_FORMAT_JAEGER_COMPACT;
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++) {
		const struct endpoint *e = &endpoints[i];

		if (ends_with(p->path, e->path) &&
		    (is_type(p->content_type, e->type) ||
		     p->transport == SPAN_TRANSPORT_GRPC))
			return e->format;
	}
	return SPAN_FORMAT_AUTO;
}

/*
 * No bare message begins with 0x80 or 0x00 (binary), nor with 0x82 (compact:
 * a list of bools, or a field 8).
 */
bool span__format_enveloped(int format, const unsigned char *p, size_t len)
{
	if (!len || format > SPAN_FORMAT_ZIPKIN_BINARY)
		return false;
	if (format == SPAN_FORMAT_JAEGER_COMPACT ||
	    format == SPAN_FORMAT_ZIPKIN_COMPACT)
		return p[0] == 0x82;
	return p[0] == 0x80 || p[0] == 0x00;
}
