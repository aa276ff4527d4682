/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_routes.h"

#include <string.h>

#include <span/codec.h>

#include "base/banned.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct span__http_route routes[] = {
	{SPAN__HTTP_JAEGER, "/api/traces", SPAN__HTTP_POST_JAEGER, true, false},
	{SPAN__HTTP_JAEGER, "/api/sampling", SPAN__HTTP_GET_SAMPLING, false,
	 false},
	{SPAN__HTTP_JAEGER, "/api/baggageRestrictions", SPAN__HTTP_GET_BAGGAGE,
	 false, false},
	{SPAN__HTTP_ZIPKIN, "/api/v1/spans", SPAN__HTTP_POST_ZIPKIN_V1, true,
	 true},
	{SPAN__HTTP_ZIPKIN, "/api/v2/spans", SPAN__HTTP_POST_ZIPKIN_V2, true,
	 true},
	{SPAN__HTTP_OTLP, "/v1/traces", SPAN__HTTP_POST_OTLP, true, true},
	{SPAN__HTTP_SAMPLING, "/", SPAN__HTTP_GET_SAMPLING_NUMERIC, false,
	 false},
	{SPAN__HTTP_SAMPLING, "/sampling", SPAN__HTTP_GET_SAMPLING, false,
	 false},
	{SPAN__HTTP_SAMPLING, "/api/sampling", SPAN__HTTP_GET_SAMPLING, false,
	 false},
	{SPAN__HTTP_SAMPLING, "/baggageRestrictions", SPAN__HTTP_GET_BAGGAGE,
	 false, false},
	{SPAN__HTTP_ADMIN, "/", SPAN__HTTP_GET_HEALTH, false, false},
	{SPAN__HTTP_ADMIN, "/metrics", SPAN__HTTP_GET_METRICS, false, false},
};

/* A body without a type is the one that a server of its kind takes first. */
static const struct {
	enum span__http_action action;
	const char *type;
	int format;
} types[] = {
	{SPAN__HTTP_POST_JAEGER, "application/x-thrift",
	 SPAN_FORMAT_JAEGER_BINARY},
	{SPAN__HTTP_POST_JAEGER, "application/vnd.apache.thrift.binary",
	 SPAN_FORMAT_JAEGER_BINARY},
	{SPAN__HTTP_POST_JAEGER, "application/vnd.apache.thrift.compact",
	 SPAN_FORMAT_JAEGER_COMPACT},
	{SPAN__HTTP_POST_ZIPKIN_V1, "", SPAN_FORMAT_ZIPKIN_JSON},
	{SPAN__HTTP_POST_ZIPKIN_V1, "application/json",
	 SPAN_FORMAT_ZIPKIN_JSON},
	{SPAN__HTTP_POST_ZIPKIN_V1, "text/plain", SPAN_FORMAT_ZIPKIN_JSON},
	{SPAN__HTTP_POST_ZIPKIN_V1, "application/x-thrift",
	 SPAN_FORMAT_ZIPKIN_BINARY},
	{SPAN__HTTP_POST_ZIPKIN_V2, "", SPAN_FORMAT_ZIPKIN_JSON},
	{SPAN__HTTP_POST_ZIPKIN_V2, "application/json",
	 SPAN_FORMAT_ZIPKIN_JSON},
	{SPAN__HTTP_POST_ZIPKIN_V2, "text/plain", SPAN_FORMAT_ZIPKIN_JSON},
	{SPAN__HTTP_POST_ZIPKIN_V2, "application/x-protobuf",
	 SPAN_FORMAT_ZIPKIN_PROTO},
	{SPAN__HTTP_POST_OTLP, "application/x-protobuf",
	 SPAN_FORMAT_OTLP_PROTO},
	{SPAN__HTTP_POST_OTLP, "application/json", SPAN_FORMAT_OTLP_JSON},
};

const struct span__http_route *span__http_route(enum span__http_kind kind,
						const char *path)
{
	for (size_t i = 0; i < COUNT(routes); i++)
		if (routes[i].kind == kind && !strcmp(routes[i].path, path))
			return &routes[i];
	return NULL;
}

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_token(const char *p)
{
	while (is_token(*p))
		p++;
	return p;
}

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* A value of a parameter: a token, or quoted. NULL when it is neither. */
static const char *skip_value(const char *p)
{
	const char *start = p;

	if (*p != '"') {
		p = skip_token(p);
		return p == start ? NULL : p;
	}
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : NULL;
}

/* "; charset=utf-8; ..." to the end, with RFC 9110's optional blanks. */
static bool are_parameters(const char *p)
{
	while (*(p = skip_space(p)) == ';') {
		const char *name = p = skip_space(p + 1);

		if (!*p || *p == ';')
			continue;
		p = skip_token(p);
		if (p == name || *p != '=' || !(p = skip_value(p + 1)))
			return false;
	}
	return !*p;
}

const char *span__media_type(const char *text, char type[SPAN__MEDIA_TYPE])
{
	const char *start, *slash, *end;
	size_t len;

	*type = '\0';
	start = skip_space(text ? text : "");
	if (!*start)
		return "mime: no media type";
	slash = skip_token(start);
	if (slash == start)
		return "mime: no media type";
	if (*slash != '/')
		return "mime: expected slash after first token";
	end = skip_token(slash + 1);
	if (end == slash + 1)
		return "mime: expected token after slash";
	if (!are_parameters(end))
		return *skip_space(end) == ';'
			       ? "mime: invalid media parameter"
			       : "mime: unexpected content after media subtype";
	len = (size_t)(end - start);
	if (len >= SPAN__MEDIA_TYPE)
		len = SPAN__MEDIA_TYPE - 1;
	for (size_t i = 0; i < len; i++) {
		bool upper = start[i] >= 'A' && start[i] <= 'Z';

		type[i] = (char)(start[i] + (upper ? 'a' - 'A' : 0));
	}
	type[len] = '\0';
	return NULL;
}

int span__http_format(enum span__http_action action, const char *type)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].action == action && !strcmp(types[i].type, type))
			return types[i].format;
	return -1;
}
