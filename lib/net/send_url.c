/* SPDX-License-Identifier: Apache-2.0 */
#include "net/send_url.h"

#include <span/codec.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/address.h"

#include "base/banned.h"

#define PORT_BINARY 6832
#define PROTOBUF "application/x-protobuf"
#define JSON "application/json"

static const struct scheme {
	const char *name, *tls_name; /* NULL: no TLS */
	enum span__send_protocol protocol;
	uint16_t port;
	const char *path;	 /* NULL: none can be given */
	int format, json_format; /* SPAN_FORMAT_AUTO: there is no JSON */
	const char *content_type;
} schemes[] = {
	{"otlp+http", "otlp+https", SPAN__SEND_OTLP_HTTP, 4318, "/v1/traces",
	 SPAN_FORMAT_OTLP_PROTO, SPAN_FORMAT_OTLP_JSON, PROTOBUF},
	{"otlp+grpc", "otlp+grpcs", SPAN__SEND_OTLP_GRPC, 4317, NULL,
	 SPAN_FORMAT_OTLP_PROTO, SPAN_FORMAT_AUTO, "application/grpc"},
	{"zipkin+http", "zipkin+https", SPAN__SEND_ZIPKIN_HTTP, 9411,
	 "/api/v2/spans", SPAN_FORMAT_ZIPKIN_JSON, SPAN_FORMAT_ZIPKIN_JSON,
	 JSON},
	{"jaeger+http", "jaeger+https", SPAN__SEND_JAEGER_HTTP, 14268,
	 "/api/traces", SPAN_FORMAT_JAEGER_BINARY, SPAN_FORMAT_AUTO,
	 "application/x-thrift"},
	{"jaeger+grpc", "jaeger+grpcs", SPAN__SEND_JAEGER_GRPC, 14250, NULL,
	 SPAN_FORMAT_JAEGER_PROTO, SPAN_FORMAT_AUTO, "application/grpc"},
	{"jaeger+udp", NULL, SPAN__SEND_JAEGER_UDP, 6831, NULL,
	 SPAN_FORMAT_JAEGER_COMPACT, SPAN_FORMAT_AUTO, NULL},
};
#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

static const char *const methods[] = {
	[SPAN__SEND_OTLP_GRPC] =
		"/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	[SPAN__SEND_JAEGER_GRPC] = "/jaeger.api_v2.CollectorService/PostSpans",
};

static int wrong(struct span_error *err, const char *text, const char *why)
{
	return span_error_set(err, SPAN_E_INVALID, "'%s': %s", text, why);
}

static bool is_name(struct span_str s, const char *name)
{
	return name && s.len == strlen(name) && !strncasecmp(s.p, name, s.len);
}

static int find_scheme(const char *text, const struct scheme **out, bool *tls,
		       struct span_error *err)
{
	const char *end = strstr(text, "://");
	struct span_str name = {text, end ? (size_t)(end - text) : 0};

	if (!end)
		return wrong(err, text,
			     "no URL; they look like otlp+http://HOST:4318");
	for (size_t i = 0; i < N_SCHEMES; i++) {
		*out = &schemes[i];
		*tls = is_name(name, schemes[i].tls_name);
		if (*tls || is_name(name, schemes[i].name))
			return 0;
	}
	if (is_name(name, "http") || is_name(name, "https"))
		return wrong(err, text,
			     "in which protocol? otlp+http, zipkin+http or "
			     "jaeger+http");
	return wrong(err, text,
		     "no such protocol; there are otlp+http, otlp+https, "
		     "otlp+grpc, otlp+grpcs, zipkin+http, zipkin+https, "
		     "jaeger+http, jaeger+https, jaeger+grpc, jaeger+grpcs and "
		     "jaeger+udp");
}

/* What a URL is written with; others would mean something to HTTP. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"<>\\^`{|}", *text))
			return false;
	return true;
}

static int copy_host(struct span__send_url *u, struct span_str host,
		     const char *text, struct span_error *err)
{
	if (!host.len)
		return wrong(err, text, "there is no host");
	if (host.len >= sizeof(u->host))
		return wrong(err, text, "the host is too long");
	memcpy(u->host, host.p, host.len);
	u->host[host.len] = '\0';
	return 0;
}

/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. */
static int read_authority(struct span__send_url *u, struct span_str a,
			  const char *text, struct span_error *err)
{
	const char *end = a.p + a.len, *colon = NULL;
	struct span_str host = a;
	int rc;

	if (memchr(a.p, '@', a.len))
		return wrong(err, text,
			     "who you are is not for a URL, where others see "
			     "it: --user-file or --token-file");
	if (a.len && *a.p == '[') {
		const char *bracket = memchr(a.p, ']', a.len);

		if (!bracket || (bracket + 1 < end && bracket[1] != ':'))
			return wrong(err, text, "the brackets are not closed");
		host = (struct span_str){a.p + 1, (size_t)(bracket - a.p) - 1};
		colon = bracket + 1 < end ? bracket + 1 : NULL;
	} else if ((colon = memchr(a.p, ':', a.len))) {
		host.len = (size_t)(colon - a.p);
		if (memchr(colon + 1, ':', (size_t)(end - colon) - 1))
			return wrong(err, text,
				     "an IPv6 address goes in brackets");
	}
	rc = copy_host(u, host, text, err);
	if (rc < 0 || !colon)
		return rc;
	colon++;
	if (span__port_parse((struct span_str){colon, (size_t)(end - colon)},
			     &u->port, NULL) < 0 ||
	    !u->port)
		return wrong(err, text, "there is no such port");
	return 0;
}

/* jaeger+udp: the port says which protocol, unless the query does. */
static int read_udp(struct span__send_url *u, const char *rest,
		    const char *text, struct span_error *err)
{
	if (u->port == PORT_BINARY)
		u->format = SPAN_FORMAT_JAEGER_BINARY;
	rest += *rest == '/';
	if (!*rest)
		return 0;
	if (!strcmp(rest, "?protocol=compact"))
		u->format = SPAN_FORMAT_JAEGER_COMPACT;
	else if (!strcmp(rest, "?protocol=binary"))
		u->format = SPAN_FORMAT_JAEGER_BINARY;
	else
		return wrong(err, text,
			     "after the port comes ?protocol=compact or "
			     "?protocol=binary, if anything");
	return 0;
}

static int make_http(struct span__send_url *u, const struct scheme *s,
		     const char *rest, const char *text, struct span_error *err)
{
	bool ipv6 = strchr(u->host, ':') != NULL, no_path;
	int len;

	/* A path that is none, with a query that the peer may want. */
	rest += rest[0] == '/' && (!rest[1] || rest[1] == '?');
	no_path = *rest != '/';
	if (!s->path && *rest)
		return wrong(err, text, "gRPC has no path here");
	len = snprintf(u->http, sizeof(u->http), "http%s://%s%s%s:%u%s%s",
		       u->tls ? "s" : "", ipv6 ? "[" : "", u->host,
		       ipv6 ? "]" : "", u->port,
		       s->path ? (no_path ? s->path : "")
			       : methods[u->protocol],
		       rest);
	if (len < 0 || (size_t)len >= sizeof(u->http))
		return wrong(err, text, "the URL is too long");
	return 0;
}

static int read_url(struct span__send_url *u, const struct scheme *s, bool tls,
		    bool json, const char *text, struct span_error *err)
{
	const char *at, *rest;
	int rc;

	if (!is_printable(text) || strchr(text, '#'))
		return wrong(err, text, "a character has no place in a URL");
	if (json && !s->json_format)
		return wrong(err, text, "this protocol has no JSON");
	*u = (struct span__send_url){
		.protocol = s->protocol,
		.grpc = !s->path && s->content_type,
		.tls = tls,
		.format = json ? s->json_format : s->format,
		.content_type = json ? JSON : s->content_type,
		.port = s->port,
	};
	at = strstr(text, "://") + 3;
	rest = at + strcspn(at, "/?");
	rc = read_authority(u, (struct span_str){at, (size_t)(rest - at)}, text,
			    err);
	if (rc < 0)
		return rc;
	return s->content_type ? make_http(u, s, rest, text, err)
			       : read_udp(u, rest, text, err);
}

int span__send_url_parse(struct span__send_url *u, const char *text, bool json,
			 struct span_error *err)
{
	const struct scheme *s;
	bool tls;
	int rc = find_scheme(text, &s, &tls, err);

	return rc < 0 ? rc : read_url(u, s, tls, json, text, err);
}

int span__loki_url_parse(struct span__send_url *u, const char *text,
			 const char *path, struct span_error *err)
{
	bool tls = !strncasecmp(text, "https://", 8);
	const struct scheme s = {.protocol = SPAN__SEND_LOKI,
				 .port = tls ? 443 : 80,
				 .path = path,
				 .json_format = SPAN_FORMAT_AUTO,
				 .content_type = JSON};

	if (!tls && strncasecmp(text, "http://", 7) != 0)
		return wrong(err, text,
			     "no URL; they look like http://HOST:3100");
	return read_url(u, &s, tls, false, text, err);
}
