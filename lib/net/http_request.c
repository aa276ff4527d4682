/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd calls span__http_handle() once with the head of a request,
 * then with each piece of its body, then once more for the answer; and again
 * when the answer has to wait for the payload to be written, after that.
 *
 * A request that is refused by its head is read to the end all the same, and
 * its body thrown away: whoever gets an answer while it still sends may never
 * read it, and the connection would be lost. Only who has said how long the
 * body is going to be, or waits for leave to send it, is told at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <span/codec.h>
#include <span/payload.h>

#include "net/clock.h"
#include "net/http_answer.h"
#include "net/http_conn.h"
#include "net/inflate.h"

#include "base/banned.h"

#define DISCARD_MAX (64u << 20)	 /* bytes to throw away before it is told */
#define INFLATED_KEPT (1u << 20) /* bytes of memory that is used again */
#define BODY_RATE 8192u		 /* bytes a second */
#define BODY_PERIODS 8u		 /* of opts.body_ns: longer takes no body */
#define SECOND_NS 1000000000u
#define NO_END_NS (UINT64_MAX / 2)

/* Why a request is refused before its body is looked at. */
enum refusal {
	GOOD,
	NOT_FOUND,
	NOT_ALLOWED,
	PREFLIGHT, /* the answer allows what the browser is going to do */
	AMBIGUOUS, /* it has two lengths */
	BAD_TYPE,
	BAD_CODING,
	TOO_LARGE,
	NO_ROOM,
};

struct request {
	struct span__http_conn *conn;
	const struct span__http_route *route;
	enum refusal refusal;
	const char *bad_type; /* what is wrong with the Content-Type */
	char type[SPAN__MEDIA_TYPE];
	int format, coding;
	bool is_told;		     /* that it is too large, while it sends */
	uint64_t start_ns, received; /* bytes of the body */
	struct span_buf body;
	struct span__verdict verdict; /* of the body */
	struct span__ack ack;
	bool is_judged;
};

static const char *header(struct MHD_Connection *mhd, const char *name)
{
	return MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name);
}

static void drop_body(struct request *r)
{
	*r->conn->server->body_bytes -= r->body.cap;
	span_buf_release(&r->body);
}

/* ---- The head ---- */

static enum MHD_Result count_lengths(void *cls, enum MHD_ValueKind kind,
				     const char *key, const char *value)
{
	unsigned *n = cls;

	(void)kind;
	(void)value;
	*n += !strcasecmp(key, "Content-Length") ||
	      !strcasecmp(key, "Transfer-Encoding");
	return MHD_YES;
}

/* Two lengths are two requests to whoever believes the other one. */
static bool is_ambiguous(struct MHD_Connection *mhd)
{
	unsigned n = 0;

	MHD_get_connection_values(mhd, MHD_HEADER_KIND, count_lengths, &n);
	return n > 1;
}

static enum refusal check_method(const struct request *r,
				 struct MHD_Connection *mhd, const char *method)
{
	if (r->route->is_post && !strcmp(method, "POST"))
		return GOOD;
	if (!r->route->is_post &&
	    (!strcmp(method, "GET") || !strcmp(method, "HEAD")))
		return GOOD;
	if (r->route->cors && r->conn->server->opts.n_cors &&
	    !strcmp(method, "OPTIONS") &&
	    header(mhd, "Access-Control-Request-Method"))
		return PREFLIGHT;
	return NOT_ALLOWED;
}

static uint64_t declared_length(struct MHD_Connection *mhd)
{
	const char *text = header(mhd, "Content-Length");

	return text ? strtoull(text, NULL, 10) : 0;
}

static enum refusal check_body(struct request *r, struct MHD_Connection *mhd)
{
	const char *type = header(mhd, "Content-Type");
	const char *coding = header(mhd, "Content-Encoding");

	r->bad_type = span__media_type(type, r->type);
	r->format = span__http_format(r->route->action, r->type);
	if (r->format < 0 || (type && r->bad_type))
		return BAD_TYPE;
	r->coding = span__coding_of(span_str(coding));
	if (r->coding < 0)
		return BAD_CODING;
	if (declared_length(mhd) > r->conn->server->opts.max_body)
		return TOO_LARGE;
	return GOOD;
}

static enum refusal check_head(struct request *r, struct MHD_Connection *mhd,
			       const char *url, const char *method)
{
	enum refusal refusal;

	if (is_ambiguous(mhd))
		return AMBIGUOUS;
	r->route = span__http_route(r->conn->kind, url);
	if (!r->route)
		return NOT_FOUND;
	refusal = check_method(r, mhd, method);
	if (refusal == GOOD && r->route->is_post)
		refusal = check_body(r, mhd);
	return refusal;
}

/* ---- The body ---- */

static void keep(struct request *r, const char *p, size_t len)
{
	struct span__http_server *h = r->conn->server;
	size_t before = r->body.cap;

	if (r->body.len + len > h->opts.max_body) {
		r->refusal = TOO_LARGE;
		return;
	}
	if (*h->body_bytes + len > h->opts.memory) {
		r->refusal = NO_ROOM;
		return;
	}
	span_buf_put(&r->body, p, len);
	*h->body_bytes += r->body.cap - before;
	if (r->body.failed)
		r->refusal = NO_ROOM;
}

/* Returns false when it is time to hang up. */
static bool take_piece(struct request *r, struct MHD_Connection *mhd,
		       const char *p, size_t len)
{
	struct span__http_conn *c = r->conn;
	const struct span__http_opts *o = &c->server->opts;
	uint64_t allowed;

	r->received += len;
	if (r->refusal == GOOD)
		keep(r, p, len);
	if (r->refusal != GOOD)
		drop_body(r);
	if (r->received > o->max_body + (uint64_t)DISCARD_MAX && !r->is_told) {
		r->is_told = true;
		span__http_tell_large(c, mhd);
	}
	if (r->received > o->max_body + 2ull * DISCARD_MAX)
		return false;
	allowed = o->body_ns + r->received / BODY_RATE * SECOND_NS;
	if (allowed > BODY_PERIODS * o->body_ns)
		allowed = BODY_PERIODS * o->body_ns;
	c->deadline_ns = r->start_ns + allowed;
	return true;
}

/* ---- The answer ---- */

static struct span_str at_most(const char *text, size_t max)
{
	struct span_str s = span_str(text);

	if (s.len > max)
		s.len = max;
	return s;
}

/* The payload was written, or is not going to be. */
static void say(struct span__ack *ack, enum span__answer answer)
{
	struct request *r = ack->arg;
	struct MHD_Connection *mhd = r->conn->suspended;

	r->verdict.answer = answer;
	r->conn->suspended = NULL;
	span__http_resume(mhd);
}

/* Let the receiver judge the body. 0 or what take returned. */
static int submit(struct request *r, struct MHD_Connection *mhd,
		  struct span_str data)
{
	const struct span__http_conn *c = r->conn;
	struct span__http_server *h = c->server;
	const struct span_payload p = {
		.time_ns = span__epoch_ns(),
		.peer = span_str(c->peer),
		.port = c->port,
		.transport = SPAN_TRANSPORT_HTTP,
		.content_type =
			at_most(header(mhd, "Content-Type"), SPAN_PAYLOAD_TEXT),
		.path = span_str(r->route->path),
		.data = data,
	};

	r->ack = (struct span__ack){.say = say, .arg = r};
	h->failed = h->opts.take(h->opts.arg, &p, r->format, &r->ack,
				 &r->verdict, &h->err);
	return h->failed;
}

/* 0; or a negative code when the connection is to be closed. */
static int answer_post(struct request *r, struct MHD_Connection *mhd,
		       struct span__http_answer *a)
{
	struct span__http_server *h = r->conn->server;
	struct span_str data = {r->body.p, r->body.len};
	struct span__verdict *v = &r->verdict;
	struct span_error why = {0};
	int rc = 0;

	if (r->coding != SPAN__CODING_IDENTITY) {
		h->inflated.len = 0;
		h->inflated.failed = false;
		rc = span__inflate(r->coding, data.p, data.len,
				   h->opts.max_body, &h->inflated, &why);
		data = (struct span_str){h->inflated.p, h->inflated.len};
	}
	if (rc == SPAN_E_LIMIT) {
		h->counts.too_large++;
		span__http_too_large(a, r->route->action, r->type,
				     h->opts.max_body);
		return 0;
	}
	if (rc == SPAN_E_NOMEM) {
		v->answer = SPAN__ANSWER_FULL;
	} else if (rc < 0) {
		v->answer = SPAN__ANSWER_BAD;
		snprintf(v->why, sizeof(v->why), "%s", why.msg);
	} else if (submit(r, mhd, data) < 0) {
		return h->failed;
	}
	r->is_judged = true;
	if (v->answer != SPAN__ANSWER_LATER)
		span__http_verdict(a, r->route->action, r->type, v);
	return 0;
}

/* The same; the memory of a large body is not kept for the next one. */
static int answer_body(struct request *r, struct MHD_Connection *mhd,
		       struct span__http_answer *a)
{
	struct span_buf *inflated = &r->conn->server->inflated;
	int rc;

	if (r->is_judged) {
		span__http_verdict(a, r->route->action, r->type, &r->verdict);
		return 0;
	}
	rc = answer_post(r, mhd, a);
	if (inflated->cap > INFLATED_KEPT)
		span_buf_release(inflated);
	return rc;
}

static int answer_good(struct request *r, struct MHD_Connection *mhd,
		       struct span__http_answer *a)
{
	const struct span__http_server *h = r->conn->server;

	switch (r->route->action) {
	case SPAN__HTTP_GET_HEALTH:
		span__http_health(h, a);
		return 0;
	case SPAN__HTTP_GET_METRICS:
		span__http_metrics(h, a);
		return 0;
	case SPAN__HTTP_GET_SAMPLING:
	case SPAN__HTTP_GET_SAMPLING_NUMERIC:
	case SPAN__HTTP_GET_BAGGAGE:
		span__http_sampling(h, mhd, r->route->action, a);
		return 0;
	default:
		return answer_body(r, mhd, a);
	}
}

static int make_answer(struct request *r, struct MHD_Connection *mhd,
		       struct span__http_answer *a)
{
	struct span__http_server *h = r->conn->server;
	const struct span__verdict full = {.answer = SPAN__ANSWER_FULL};

	switch (r->refusal) {
	case GOOD:
		return answer_good(r, mhd, a);
	case NOT_FOUND:
		span__http_not_found(a);
		break;
	case NOT_ALLOWED:
		span__http_not_allowed(a, r->route);
		break;
	case PREFLIGHT:
		a->status = 204;
		break;
	case AMBIGUOUS:
		span__http_text(a, 400, "400 more than one length");
		break;
	case BAD_TYPE:
		span__http_bad_type(a, r->route->action, r->type, r->bad_type);
		break;
	case BAD_CODING:
		span__http_bad_coding(a, header(mhd, "Content-Encoding"));
		break;
	case TOO_LARGE:
		h->counts.too_large++;
		span__http_too_large(a, r->route->action, r->type,
				     h->opts.max_body);
		break;
	case NO_ROOM:
		span__http_verdict(a, r->route->action, r->type, &full);
		break;
	}
	return 0;
}

static void add_headers(const struct request *r, struct MHD_Connection *mhd,
			const struct span__http_answer *a,
			struct MHD_Response *response)
{
	const struct span__http_server *h = r->conn->server;

	if (a->type)
		MHD_add_response_header(response, "Content-Type", a->type);
	if (a->status >= 400)
		MHD_add_response_header(response, "X-Content-Type-Options",
					"nosniff");
	if (a->allow)
		MHD_add_response_header(response, "Allow", a->allow);
	if (a->retry)
		MHD_add_response_header(response, "Retry-After", "1");
	if (a->codings)
		MHD_add_response_header(response, "Accept-Encoding",
					span__codings());
	if (h->daemon.stopping || r->refusal == AMBIGUOUS)
		MHD_add_response_header(response, "Connection", "close");
	if (r->route && r->route->cors && h->opts.n_cors)
		span__http_cors(h, mhd, response, r->refusal == PREFLIGHT);
}

/* Its payload is in the queue, which is all that it takes from now on. */
static enum MHD_Result suspend(struct request *r, struct MHD_Connection *mhd)
{
	drop_body(r);
	span__http_wait(r->conn, SPAN__HTTP_WRITE, NO_END_NS);
	r->conn->suspended = mhd;
	MHD_suspend_connection(mhd);
	return MHD_YES;
}

static enum MHD_Result answer(struct request *r, struct MHD_Connection *mhd)
{
	struct span__http_server *h = r->conn->server;
	struct span__http_answer a = {0};
	struct MHD_Response *response = NULL;
	enum MHD_Result rc = MHD_NO;
	int made = make_answer(r, mhd, &a);

	if (r->verdict.answer == SPAN__ANSWER_LATER)
		return suspend(r, mhd);
	if (made >= 0 && !a.body.failed)
		response = MHD_create_response_from_buffer(
			a.body.len, a.body.p, MHD_RESPMEM_MUST_COPY);
	if (response) {
		add_headers(r, mhd, &a, response);
		rc = MHD_queue_response(mhd, a.status, response);
		MHD_destroy_response(response);
		h->counts.requests++;
		h->counts.refused += a.status >= 400;
		span__http_wait(r->conn, SPAN__HTTP_ANSWER, h->opts.answer_ns);
	}
	drop_body(r);
	span_buf_release(&a.body);
	return rc;
}

/* ---- What libmicrohttpd calls ---- */

/* Who waits for leave to send, or has too much, is told before it does. */
static bool is_told_at_once(const struct request *r, struct MHD_Connection *mhd)
{
	return r->refusal != GOOD &&
	       (header(mhd, "Expect") ||
		declared_length(mhd) >
			r->conn->server->opts.max_body + (uint64_t)DISCARD_MAX);
}

static enum MHD_Result begin(struct MHD_Connection *mhd, const char *url,
			     const char *method, void **request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct request *r;

	if (!info || !info->socket_context)
		return MHD_NO;
	r = calloc(1, sizeof(*r));
	if (!r)
		return MHD_NO;
	*request = r;
	r->conn = info->socket_context;
	r->refusal = check_head(r, mhd, url, method);
	r->start_ns = span__monotonic_ns();
	span__http_wait(r->conn, SPAN__HTTP_BODY,
			r->conn->server->opts.body_ns);
	return is_told_at_once(r, mhd) ? answer(r, mhd) : MHD_YES;
}

enum MHD_Result span__http_handle(void *cls, struct MHD_Connection *mhd,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *len, void **request)
{
	struct request *r = *request;

	((struct span__http_server *)cls)->daemon.moved = true;
	(void)version;
	if (!r)
		return begin(mhd, url, method, request);
	if (*len) {
		bool go_on = take_piece(r, mhd, data, *len);

		*len = 0;
		return go_on ? MHD_YES : MHD_NO;
	}
	return r->is_told ? MHD_NO : answer(r, mhd);
}

void span__http_completed(void *cls, struct MHD_Connection *mhd, void **request,
			  enum MHD_RequestTerminationCode why)
{
	struct request *r = *request;

	((struct span__http_server *)cls)->daemon.moved = true;
	(void)why;
	*request = NULL;
	if (!r)
		return;
	span__http_resumed(mhd);
	span__ack_cancel(&r->ack);
	drop_body(r);
	span__http_rest(r->conn);
	free(r);
}
