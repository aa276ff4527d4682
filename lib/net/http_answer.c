/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <span/text.h>

#include "net/grpc_message.h"
#include "net/inflate.h"

#include "base/banned.h"

#define TEXT_MAX 600u
#define PLAIN "text/plain; charset=utf-8"
#define JSON "application/json"
#define PROTO "application/x-protobuf"

/* google.rpc.Code */
enum { RPC_INVALID_ARGUMENT = 3, RPC_UNAVAILABLE = 14 };

static void put_text(struct span__http_answer *a, unsigned status,
		     const char *type, const char *text)
{
	a->status = status;
	a->type = type;
	a->body.len = 0;
	span_buf_puts(&a->body, text);
}

void span__http_text(struct span__http_answer *a, unsigned status,
		     const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_text(a, status, PLAIN, text);
	span_buf_putc(&a->body, '\n');
}

void span__http_not_found(struct span__http_answer *a)
{
	span__http_text(a, 404, "404 page not found");
}

void span__http_not_allowed(struct span__http_answer *a,
			    const struct span__http_route *route)
{
	if (route->action == SPAN__HTTP_POST_OTLP)
		put_text(a, 405, "text/plain",
			 "405 method not allowed, supported: [POST]");
	else
		span__http_text(a, 405, "405 method not allowed");
	a->allow = route->is_post ? "POST" : "GET, HEAD";
}

static bool is_json(const char *type)
{
	return !strcmp(type, JSON);
}

/* google.rpc.Status: 1 code, 2 message. */
static void put_status(struct span__http_answer *a, unsigned status,
		       const char *type, unsigned code, const char *text)
{
	put_text(a, status, is_json(type) ? JSON : PROTO, "");
	if (is_json(type)) {
		span_buf_printf(&a->body, "{\"code\":%u,\"message\":", code);
		span_text_json(&a->body, span_str(text));
		span_buf_putc(&a->body, '}');
		return;
	}
	span__rpc_put_status(&a->body, code, text);
}

/*
 * ExportTraceServiceResponse: 1 partial_success { 1 rejected_spans,
 * 2 error_message }, which is left out when all was taken.
 */
static void put_export(struct span__http_answer *a, const char *type,
		       uint64_t n_bad)
{
	static const char why[] = "spans that cannot be decoded";

	put_text(a, 200, is_json(type) ? JSON : PROTO, "");
	if (is_json(type)) {
		span_buf_puts(&a->body, "{\"partialSuccess\":{");
		if (n_bad)
			span_buf_printf(&a->body,
					"\"rejectedSpans\":\"%llu\","
					"\"errorMessage\":\"%s\"",
					(unsigned long long)n_bad, why);
		span_buf_puts(&a->body, "}}");
		return;
	}
	span__otlp_put_response(&a->body, n_bad, why);
}

static void otlp_verdict(struct span__http_answer *a, const char *type,
			 const struct span__verdict *v)
{
	switch (v->answer) {
	case SPAN__ANSWER_TAKEN:
	case SPAN__ANSWER_REJECTED:
		put_export(a, type, v->n_bad);
		break;
	case SPAN__ANSWER_BAD:
		put_status(a, 400, type, RPC_INVALID_ARGUMENT, v->why);
		break;
	case SPAN__ANSWER_LATER:
	case SPAN__ANSWER_LATE:
	case SPAN__ANSWER_FULL:
	case SPAN__ANSWER_STOPPING:
		put_status(a, 503, type, RPC_UNAVAILABLE, v->why);
		a->retry = true;
		break;
	}
}

/*
 * Jaeger answers a full queue with 500, which clients do not repeat; 503 with
 * Retry-After makes them come again.
 */
static void batch_verdict(struct span__http_answer *a, const char *batch,
			  const struct span__verdict *v)
{
	switch (v->answer) {
	case SPAN__ANSWER_TAKEN:
		put_text(a, 202, NULL, "");
		break;
	case SPAN__ANSWER_REJECTED:
	case SPAN__ANSWER_BAD:
		span__http_text(a, 400, "Unable to process request body: %s",
				v->why);
		break;
	case SPAN__ANSWER_LATER:
	case SPAN__ANSWER_LATE:
	case SPAN__ANSWER_FULL:
	case SPAN__ANSWER_STOPPING:
		span__http_text(a, 503, "Cannot submit %s batch: %s", batch,
				v->why);
		a->retry = true;
		break;
	}
}

void span__http_verdict(struct span__http_answer *a,
			enum span__http_action action, const char *type,
			const struct span__verdict *v)
{
	struct span__verdict said = *v;

	if (v->answer == SPAN__ANSWER_FULL)
		snprintf(said.why, sizeof(said.why), "the queue is full");
	if (v->answer == SPAN__ANSWER_LATE)
		snprintf(said.why, sizeof(said.why),
			 "not written in time, but maybe later");
	if (v->answer == SPAN__ANSWER_STOPPING)
		snprintf(said.why, sizeof(said.why), "the server is stopping");
	if (action == SPAN__HTTP_POST_OTLP)
		otlp_verdict(a, type, &said);
	else
		batch_verdict(a,
			      action == SPAN__HTTP_POST_JAEGER ? "Jaeger"
							       : "Zipkin",
			      &said);
}

/* The media type goes back to whoever sent it, but not as HTML. */
static void jaeger_bad_type(struct span__http_answer *a, const char *type)
{
	struct span_buf b = {0};

	span_text_html(&b, span_str(type));
	span_buf_putc(&b, '\0');
	span__http_text(a, 400, "Unsupported content type: %s",
			b.failed ? "" : b.p);
	span_buf_release(&b);
}

void span__http_bad_type(struct span__http_answer *a,
			 enum span__http_action action, const char *type,
			 const char *why)
{
	if (action == SPAN__HTTP_POST_OTLP)
		put_text(a, 415, "text/plain",
			 "415 unsupported media type, supported: "
			 "[application/json, application/x-protobuf]");
	else if (action == SPAN__HTTP_POST_JAEGER && why)
		span__http_text(a, 400, "Cannot parse content type: %s", why);
	else if (action == SPAN__HTTP_POST_JAEGER)
		jaeger_bad_type(a, type);
	else if (why)
		span__http_text(a, 400, "Cannot parse Content-Type: %s", why);
	else
		span__http_text(a, 400, "Unsupported Content-Type");
}

void span__http_bad_coding(struct span__http_answer *a, const char *coding)
{
	struct span_buf b = {0};

	span_text_html(&b, span_str(coding));
	span_buf_putc(&b, '\0');
	span__http_text(a, 415, "Unsupported Content-Encoding: %.200s",
			b.failed ? "" : b.p);
	a->codings = true;
	span_buf_release(&b);
}

void span__http_too_large(struct span__http_answer *a,
			  enum span__http_action action, const char *type,
			  size_t max)
{
	char why[80];

	snprintf(why, sizeof(why), "request body larger than %zu bytes", max);
	if (action == SPAN__HTTP_POST_OTLP)
		put_status(a, 413, type, RPC_INVALID_ARGUMENT, why);
	else
		span__http_text(a, 413, "Unable to process request body: %s",
				why);
}
