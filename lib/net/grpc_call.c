/* SPDX-License-Identifier: Apache-2.0 */
#include <span/codec.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/clock.h"
#include "net/grpc_conn.h"
#include "net/inflate.h"

#include "base/banned.h"

#define TEXT_MAX 300u		 /* bytes of a sentence for a client */
#define CALL_MEMORY 1024u	 /* bytes of a call itself, its stream too */
#define INFLATED_KEPT (1u << 20) /* bytes of memory that is used again */

struct method {
	struct span_str service, name;
	unsigned needs; /* enum span__grpc_services; 0: always there */
	int format;	/* enum span_format */
};

#define METHOD(service, name, needs, format)                                   \
	{                                                                      \
		{service, sizeof(service) - 1}, {name, sizeof(name) - 1},      \
			needs, format                                          \
	}

static const struct method methods[] = {
	[SPAN__GRPC_EXPORT] =
		METHOD("opentelemetry.proto.collector.trace.v1.TraceService",
		       "Export", SPAN__GRPC_OTLP, SPAN_FORMAT_OTLP_PROTO),
	[SPAN__GRPC_POST_SPANS] =
		METHOD("jaeger.api_v2.CollectorService", "PostSpans",
		       SPAN__GRPC_JAEGER, SPAN_FORMAT_JAEGER_PROTO),
	[SPAN__GRPC_CHECK] = METHOD("grpc.health.v1.Health", "Check", 0, 0),
};

#define N_METHODS ((int)(sizeof(methods) / sizeof(*methods)))

/* Count the memory that CALL has besides what its message takes. */
static void count_memory(struct span__grpc_call *call, size_t itself)
{
	size_t memory = itself + call->message.data.cap;

	*call->conn->shared->memory += memory - call->memory;
	call->memory = memory;
}

struct span__grpc_call *span__grpc_call_open(struct span__grpc_conn *c,
					     int32_t id)
{
	struct span__grpc_shared *s = c->shared;
	struct span__grpc_call *call = NULL;

	if (*s->memory + CALL_MEMORY <= s->o.memory)
		call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	call->conn = c;
	call->id = id;
	call->deadline_ns = s->now_ns + s->o.request_ns;
	count_memory(call, CALL_MEMORY);
	LIST_INSERT_HEAD(&c->calls, call, link);
	span__grpc_conn_wake(c, call->deadline_ns);
	return call;
}

void span__grpc_call_close(struct span__grpc_call *call)
{
	struct span__grpc_conn *c = call->conn;

	LIST_REMOVE(call, link);
	span__ack_cancel(&call->ack);
	c->cancelled += !call->is_answered;
	c->since_ns = c->shared->now_ns;
	span__grpc_message_release(&call->message);
	count_memory(call, 0);
	span_buf_release(&call->reply);
	free(call);
}

void span__grpc_call_forget(struct span__grpc_call *call)
{
	span__grpc_message_release(&call->message);
	count_memory(call, CALL_MEMORY);
}

/* ---- Headers ---- */

static void keep_text(char *to, size_t size, struct span_str s)
{
	size_t len = s.len < size ? s.len : size - 1;

	memcpy(to, s.p, len);
	to[len] = '\0';
}

static bool is_name(struct span_str s, const char *name)
{
	return span_str_equal(s, span_str(name));
}

static void keep_timeout(struct span__grpc_call *call, struct span_str value)
{
	uint64_t now_ns = call->conn->shared->now_ns, ns;

	call->bad_timeout = !span__grpc_timeout(value, &ns);
	if (call->bad_timeout || now_ns + ns >= call->deadline_ns)
		return;
	call->deadline_ns = now_ns + ns;
	span__grpc_conn_wake(call->conn, call->deadline_ns);
}

void span__grpc_call_header(struct span__grpc_call *call, struct span_str name,
			    struct span_str value)
{
	call->header_len += name.len + value.len + 32;
	if (call->header_len > SPAN__GRPC_HEADERS)
		return;
	if (is_name(name, ":path"))
		keep_text(call->path, sizeof(call->path), value);
	else if (is_name(name, ":method"))
		call->is_post = is_name(value, "POST");
	else if (is_name(name, "content-type"))
		keep_text(call->type, sizeof(call->type), value);
	else if (is_name(name, "grpc-encoding"))
		call->coding = span__coding_of(value);
	else if (is_name(name, "grpc-timeout"))
		keep_timeout(call, value);
}

/* application/grpc and application/grpc+proto, with parameters or without. */
static bool is_grpc(const char *type)
{
	static const char want[] = "application/grpc", proto[] = "+proto";

	if (strncasecmp(type, want, sizeof(want) - 1))
		return false;
	type += sizeof(want) - 1;
	if (!strncasecmp(type, proto, sizeof(proto) - 1))
		type += sizeof(proto) - 1;
	return !*type || *type == ';' || *type == ' ';
}

/* The service of a path "/SERVICE/METHOD", and the method after it. */
static struct span_str split_path(const char *path, const char **method)
{
	const char *end = *path == '/' ? strrchr(path, '/') : NULL;

	if (!end || end == path)
		return (struct span_str){0};
	*method = end + 1;
	return (struct span_str){path + 1, (size_t)(end - path - 1)};
}

static void refuse_path(struct span__grpc_call *call, struct span_str service,
			const char *name)
{
	char text[TEXT_MAX];

	if (name)
		snprintf(text, sizeof(text),
			 "unknown method %s for service %.*s", name,
			 (int)service.len, service.p);
	else if (service.len)
		snprintf(text, sizeof(text), "unknown service %.*s",
			 (int)service.len, service.p);
	else
		snprintf(text, sizeof(text), "malformed method name: \"%s\"",
			 call->path);
	span__grpc_refuse(call, SPAN__GRPC_UNIMPLEMENTED, text);
}

static void find_method(struct span__grpc_call *call)
{
	const char *name = "";
	struct span_str service = split_path(call->path, &name);
	bool known = false;

	for (int i = 1; i < N_METHODS; i++) {
		const struct method *m = &methods[i];

		if (!span_str_equal(service, m->service) ||
		    (m->needs & ~call->conn->shared->o.services))
			continue;
		known = true;
		if (is_name(m->name, name))
			call->method = (enum span__grpc_method)i;
	}
	if (!call->method)
		refuse_path(call, service, known ? name : NULL);
}

static void refuse_coding(struct span__grpc_call *call)
{
	char text[TEXT_MAX];

	snprintf(text, sizeof(text),
		 "grpc-encoding is not supported; these are: identity, %s",
		 span__codings());
	span__grpc_refuse(call, SPAN__GRPC_UNIMPLEMENTED, text);
}

void span__grpc_call_begin(struct span__grpc_call *call)
{
	char text[TEXT_MAX];

	if (call->header_len > SPAN__GRPC_HEADERS) {
		snprintf(text, sizeof(text),
			 "received metadata size exceeds the limit of %u bytes",
			 SPAN__GRPC_HEADERS);
		span__grpc_refuse(call, SPAN__GRPC_RESOURCE_EXHAUSTED, text);
	} else if (!call->is_post) {
		span__grpc_refuse_http(call, "405", SPAN__GRPC_INTERNAL,
				       "the HTTP method is not POST");
	} else if (!is_grpc(call->type)) {
		snprintf(text, sizeof(text),
			 "invalid gRPC request content-type \"%s\"",
			 call->type);
		span__grpc_refuse_http(call, "415", SPAN__GRPC_INVALID_ARGUMENT,
				       text);
	} else if (call->bad_timeout) {
		span__grpc_refuse(call, SPAN__GRPC_INTERNAL,
				  "malformed grpc-timeout");
	} else {
		find_method(call);
		if (!call->is_answered && call->coding < 0)
			refuse_coding(call);
	}
}

/* ---- The message ---- */

static void refuse_message(struct span__grpc_call *call,
			   const struct span_error *err)
{
	switch (err->code) {
	case SPAN_E_LIMIT:
		call->conn->shared->counts.too_large++;
		span__grpc_refuse(call, SPAN__GRPC_RESOURCE_EXHAUSTED,
				  err->msg);
		break;
	case SPAN_E_INVALID: /* statuscodes.md: cardinality */
		span__grpc_refuse(call, SPAN__GRPC_UNIMPLEMENTED, err->msg);
		break;
	case SPAN_E_NOMEM:
		span__grpc_refuse_for_now(call, SPAN__GRPC_RESOURCE_EXHAUSTED,
					  err->msg);
		break;
	default:
		span__grpc_refuse(call, SPAN__GRPC_INTERNAL, err->msg);
		break;
	}
}

void span__grpc_call_data(struct span__grpc_call *call, const void *p,
			  size_t len)
{
	struct span__grpc_shared *s = call->conn->shared;
	struct span_error err = {0};

	if (call->is_answered)
		return;
	if (span__grpc_message_put(&call->message, p, len, s->o.max_message,
				   &err) < 0) {
		refuse_message(call, &err);
		return;
	}
	count_memory(call, CALL_MEMORY);
	if (*s->memory > s->o.memory)
		span__grpc_refuse_for_now(call, SPAN__GRPC_RESOURCE_EXHAUSTED,
					  "too many messages at once");
}

/* The message as it was before the client compressed it. */
static bool plain_message(struct span__grpc_call *call, struct span_str *data)
{
	struct span__grpc_shared *s = call->conn->shared;
	const struct span_buf *in = &call->message.data;
	struct span_error err = {0};

	*data = (struct span_str){in->p, in->len};
	if (!span__grpc_message_is_compressed(&call->message))
		return true;
	if (call->coding == SPAN__CODING_IDENTITY) {
		span__grpc_refuse(call, SPAN__GRPC_INTERNAL,
				  "compressed message without grpc-encoding");
		return false;
	}
	s->inflated.len = 0;
	if (span__inflate(call->coding, in->p, in->len, s->o.max_message,
			  &s->inflated, &err) < 0) {
		s->inflated.failed = false;
		refuse_message(call, &err);
		return false;
	}
	*data = (struct span_str){s->inflated.p, s->inflated.len};
	return true;
}

static void reply_taken(struct span__grpc_call *call, uint64_t n_bad)
{
	struct span_buf b = {0};
	char text[TEXT_MAX];

	snprintf(text, sizeof(text), "%llu span%s cannot be decoded",
		 (unsigned long long)n_bad, n_bad == 1 ? "" : "s");
	if (call->method == SPAN__GRPC_EXPORT)
		span__otlp_put_response(&b, n_bad, text);
	span__grpc_put_message(&call->reply, b.p, b.len);
	call->reply.failed |= b.failed;
	span_buf_release(&b);
	span__grpc_answer(call);
}

static void answer_spans(struct span__grpc_call *call, enum span__answer answer,
			 const char *why)
{
	switch (answer) {
	case SPAN__ANSWER_TAKEN:
	case SPAN__ANSWER_REJECTED:
		reply_taken(call, call->n_bad);
		break;
	case SPAN__ANSWER_LATER:
		span__grpc_call_forget(call);
		break;
	case SPAN__ANSWER_BAD:
		span__grpc_refuse(call, SPAN__GRPC_INVALID_ARGUMENT, why);
		break;
	case SPAN__ANSWER_FULL:
		span__grpc_refuse_for_now(call, SPAN__GRPC_RESOURCE_EXHAUSTED,
					  "the reader of spans is slow");
		break;
	case SPAN__ANSWER_LATE:
		span__grpc_refuse_for_now(call, SPAN__GRPC_UNAVAILABLE,
					  SPAN__GRPC_LATE);
		break;
	case SPAN__ANSWER_STOPPING:
		span__grpc_refuse(call, SPAN__GRPC_UNAVAILABLE,
				  "the server is stopping");
		break;
	}
}

/* The payload was written, or is not going to be. */
static void say(struct span__ack *ack, enum span__answer answer)
{
	struct span__grpc_call *call = ack->arg;

	answer_spans(call, answer, NULL);
	span__grpc_conn_told(call->conn);
}

static void judge_spans(struct span__grpc_call *call, struct span_str data)
{
	struct span__grpc_conn *c = call->conn;
	const struct span_payload p = {
		.time_ns = span__epoch_ns(),
		.peer = {c->peer, c->peer_len},
		.port = c->shared->port,
		.transport = SPAN_TRANSPORT_GRPC,
		.content_type = span_str(call->type),
		.path = span_str(call->path),
		.data = data,
	};
	struct span__verdict v = {0};
	int rc;

	call->ack = (struct span__ack){.say = say, .arg = call};
	rc = c->shared->take(c->shared->arg, &p, methods[call->method].format,
			     &call->ack, &v, &c->shared->failed);
	if (rc < 0) {
		c->shared->failed.code = rc;
		v.answer = SPAN__ANSWER_STOPPING;
	}
	call->n_bad = v.n_bad;
	answer_spans(call, v.answer, v.why);
}

/* Is there such a service? None stands for the server as a whole. */
static bool is_served(const struct span__grpc_shared *s, struct span_str name)
{
	for (int i = 1; i < N_METHODS; i++)
		if (!(methods[i].needs & ~s->o.services) &&
		    span_str_equal(name, methods[i].service))
			return true;
	return !name.len;
}

static void judge_health(struct span__grpc_call *call, struct span_str data)
{
	const struct span__grpc_shared *s = call->conn->shared;
	struct span_str service;
	struct span_buf b = {0};

	if (!span__grpc_health_service(data.p, data.len, &service)) {
		span__grpc_refuse(call, SPAN__GRPC_INVALID_ARGUMENT,
				  "not a HealthCheckRequest");
		return;
	}
	if (!is_served(s, service)) {
		span__grpc_refuse(call, SPAN__GRPC_NOT_FOUND,
				  "unknown service");
		return;
	}
	span__grpc_put_health(&b, !s->stopping);
	span__grpc_put_message(&call->reply, b.p, b.len);
	call->reply.failed |= b.failed;
	span_buf_release(&b);
	span__grpc_answer(call);
}

static void judge(struct span__grpc_call *call, struct span_str data)
{
	if (call->method == SPAN__GRPC_CHECK)
		judge_health(call, data);
	else
		judge_spans(call, data);
}

void span__grpc_call_end(struct span__grpc_call *call)
{
	struct span_buf *inflated = &call->conn->shared->inflated;
	struct span_str data;

	call->is_whole = true;
	if (call->is_answered)
		return;
	if (!call->message.n_prefix) {
		span__grpc_refuse(call, SPAN__GRPC_UNIMPLEMENTED,
				  "no request message");
	} else if (!span__grpc_message_is_whole(&call->message)) {
		span__grpc_refuse(call, SPAN__GRPC_INTERNAL,
				  "the request ends inside its message");
	} else if (call->deadline_ns <= call->conn->shared->now_ns) {
		/* The client has given up, and may have sent it elsewhere. */
		span__grpc_call_expire(call);
	} else if (plain_message(call, &data)) {
		judge(call, data);
	}
	if (inflated->cap > INFLATED_KEPT)
		span_buf_release(inflated);
}

void span__grpc_call_expire(struct span__grpc_call *call)
{
	call->conn->shared->counts.timeouts += !call->is_late;
	call->is_late = true;
	if (!call->is_answered) {
		span__grpc_refuse(call, SPAN__GRPC_DEADLINE_EXCEEDED,
				  call->ack.all
					  ? SPAN__GRPC_LATE
					  : "the request did not come in time");
		return;
	}
	call->deadline_ns = UINT64_MAX;
	(void)nghttp2_submit_rst_stream(call->conn->session, 0, call->id,
					NGHTTP2_CANCEL);
}
