/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd calls span__web_begin() with the target, span__web_handle()
 * once the head is whole, then with each piece of the body, then for the
 * answer: the job goes to a thread then, and the connection is suspended until
 * it is back. So it is after the head, when credentials are to be looked at.
 *
 * A body that is refused is read to its end all the same and thrown away, up
 * to a limit: whoever is cut off while he sends may never read why.
 */
#include <stdlib.h>
#include <string.h>

#include "net/clock.h"
#include "net/http_target.h"
#include "net/web_state.h"
#include "serve/params.h"

#include "base/banned.h"

#define DISCARD_MAX (64u << 20) /* bytes to throw away */
#define STRANGE_MAX (1u << 20)	/* the same, of who may not ask at all */
#define PARAM_MEMORY 72u	/* bytes of a parameter, besides itself */
#define OTHER_MEMORY 8192u	/* for what else a request has */
#define BODIES 4u /* as large as may be, at once; of one peer half of them */

static struct span__web_conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* libmicrohttpd takes parameters apart too, each to so many bytes of memory. */
static bool is_too_long(const char *target)
{
	size_t len = strlen(target), room = len;

	for (size_t i = 0; i < len; i++)
		room += target[i] == '&' ? PARAM_MEMORY : 0;
	return room > SPAN__WEB_HEAD_MEMORY - OTHER_MEMORY;
}

/* Of an absolute form the host counts, and not the header of that name. */
static void keep_target(struct span__web_job *j, const char *target)
{
	struct span_str host, rest;
	struct span_buf b = {0};

	if (span__http_target(span_str(target), &host, &rest))
		j->authority = strndup(host.p, host.len);
	if (j->authority && (!rest.len || *rest.p != '/'))
		span_buf_putc(&b, '/');
	span_buf_str(&b, rest);
	span_buf_putc(&b, '\0');
	if (b.failed)
		span_buf_release(&b);
	j->target = b.p;
}

void *span__web_begin(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct span__web_conn *c = conn_of(mhd);
	struct span__web_job *j = calloc(1, sizeof(*j));

	if (!j || !c || is_too_long(target)) {
		if (j && c)
			span__web_tell_long(c, mhd);
		free(j);
		return NULL;
	}
	j->web = cls;
	j->conn = c;
	j->start_ns = span__monotonic_ns();
	keep_target(j, target);
	j->r.gone = &j->gone;
	j->peer = c->share;
	pthread_mutex_lock(&j->web->lock);
	j->peer->n_users++;
	pthread_mutex_unlock(&j->web->lock);
	c->job = j;
	/* Unless it was seen to begin, and its time runs. */
	if (c->wait != SPAN__WEB_HEAD)
		span__web_wait(c, SPAN__WEB_HEAD, j->web->opts.head_ns);
	return j;
}

static void drop_body(struct span__web_job *j)
{
	j->web->body_bytes -= j->body.cap;
	j->peer->body_bytes -= j->body.cap;
	span_buf_release(&j->body);
}

static void keep(struct span__web_job *j, const char *p, size_t len)
{
	struct span__web_server *w = j->web;
	size_t before = j->body.cap;

	if (j->body.len + len > w->opts.max_body)
		j->refusal = SPAN__WEB_TOO_LARGE;
	else if (w->body_bytes + len > BODIES * w->opts.max_body ||
		 j->peer->body_bytes + len > BODIES / 2 * w->opts.max_body)
		j->refusal = SPAN__WEB_NO_ROOM;
	else
		span_buf_put(&j->body, p, len);
	w->body_bytes += j->body.cap - before;
	j->peer->body_bytes += j->body.cap - before;
	if (j->body.failed)
		j->refusal = SPAN__WEB_NO_ROOM;
}

/* Bytes of a refused body that are read, and then told about. */
static uint64_t discard_max(const struct span__web_job *j)
{
	return j->refusal == SPAN__WEB_UNKNOWN
		       ? STRANGE_MAX
		       : j->web->opts.max_body + (uint64_t)DISCARD_MAX;
}

static enum MHD_Result take_piece(struct span__web_job *j,
				  struct MHD_Connection *mhd, const char *p,
				  size_t len)
{
	if (j->refusal == SPAN__WEB_GOOD)
		keep(j, p, len);
	if (j->refusal != SPAN__WEB_GOOD)
		drop_body(j);
	j->sent += len;
	if (j->sent > discard_max(j) && !j->told)
		span__web_tell(j, mhd);
	return j->sent <= 2 * discard_max(j) ? MHD_YES : MHD_NO;
}

/* Whose credentials are not known yet is let in later, or not. */
static void look_at_credentials(struct span__web_job *j,
				struct MHD_Connection *mhd)
{
	const char *header = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND,
							 "Authorization");

	if (!j->web->opts.auth || span__web_is_health(j))
		return;
	switch (span__web_auth_known(j->web->opts.auth, header)) {
	case SPAN__AUTH_YES:
		return;
	case SPAN__AUTH_ASK:
		j->authorization = strdup(header);
		j->knock = j->authorization != NULL;
		if (j->knock)
			return;
		break;
	case SPAN__AUTH_NO:
		break;
	}
	j->refusal = SPAN__WEB_UNKNOWN;
}

/* Who waits for leave to send, or has too much, is told before he does. */
static enum MHD_Result begin_body(struct span__web_job *j,
				  struct MHD_Connection *mhd)
{
	const char *length = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND,
							 "Content-Length");

	if (j->gone && j->refusal != SPAN__WEB_SLOW)
		return MHD_NO;
	span__web_wait(j->conn, SPAN__WEB_BODY, j->web->opts.body_ns);
	if (j->refusal == SPAN__WEB_GOOD)
		return MHD_YES;
	/* Nobody knows where the body of a bad one ends. */
	if (j->refusal == SPAN__WEB_BAD ||
	    MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Expect"))
		return span__web_respond(j, mhd);
	if (length && strtoull(length, NULL, 10) > discard_max(j))
		span__web_tell(j, mhd);
	return MHD_YES;
}

/* A thread has J now, or too many wait for one: false. */
static bool hand_over(struct span__web_job *j, struct MHD_Connection *mhd)
{
	if (!span__web_work(j)) {
		span__web_count(j->web, &j->web->counts.queue_full);
		j->refusal = SPAN__WEB_NO_ROOM;
		return false;
	}
	span__web_wait(j->conn, SPAN__WEB_WORK, j->web->opts.request_ns);
	j->suspended = mhd;
	MHD_suspend_connection(mhd);
	return true;
}

/* Nothing is read of a body before it is known whose it is. */
static enum MHD_Result begin(struct span__web_job *j,
			     struct MHD_Connection *mhd, const char *method,
			     const char *version)
{
	j->headed = true;
	j->sent = 0;
	j->refusal = span__web_check(j, mhd, method, version);
	if (j->refusal == SPAN__WEB_GOOD)
		look_at_credentials(j, mhd);
	j->at_door = j->knock && hand_over(j, mhd);
	return j->at_door ? MHD_YES : begin_body(j, mhd);
}

/* Nothing is to be made for it. */
static bool is_settled(const struct span__web_job *j)
{
	return j->refusal != SPAN__WEB_GOOD || j->made;
}

static enum MHD_Result answer(struct span__web_job *j,
			      struct MHD_Connection *mhd)
{
	if (j->told || (j->gone && j->refusal != SPAN__WEB_SLOW))
		return MHD_NO;
	if (!is_settled(j)) {
		j->r.body = j->body.p;
		j->r.body_len = j->body.len;
		if (hand_over(j, mhd))
			return MHD_YES;
	}
	span__web_wait(j->conn, SPAN__WEB_SEND, j->web->opts.answer_ns);
	return span__web_respond(j, mhd);
}

enum MHD_Result span__web_handle(void *cls, struct MHD_Connection *mhd,
				 const char *url, const char *method,
				 const char *version, const char *data,
				 size_t *len, void **request)
{
	struct span__web_job *j = *request;
	size_t n = *len;

	((struct span__web_server *)cls)->daemon.moved = true;
	(void)url;
	if (!j || !j->target)
		return MHD_NO;
	if (!j->headed)
		return begin(j, mhd, method, version);
	if (j->at_door) {
		j->at_door = false;
		return begin_body(j, mhd);
	}
	*len = 0;
	return n ? take_piece(j, mhd, data, n) : answer(j, mhd);
}

void span__web_resume(struct span__web_job *j)
{
	struct MHD_Connection *mhd = j->suspended;

	j->suspended = NULL;
	if (mhd)
		span__http_resume(mhd);
}

void span__web_back(struct span__web_job *j)
{
	const struct span__web_opts *o = &j->web->opts;

	j->busy = false;
	if (!j->conn) {
		span__web_job_free(j);
		return;
	}
	/* It has been given up. */
	if (j->gone)
		return;
	if (j->knock) {
		j->knock = false;
		if (!j->known)
			j->refusal = SPAN__WEB_UNKNOWN;
		span__web_resume(j);
		return;
	}
	span__web_wait(j->conn, SPAN__WEB_SEND, o->answer_ns);
	j->slow_ns = j->conn->since_ns +
		     (1 + j->out.len / SPAN__WEB_PIECE) * o->yield_ns;
	span__web_resume(j);
}

static void tell_log(const struct span__web_job *j)
{
	const struct span__web_opts *o = &j->web->opts;
	const struct span__web_line line = {
		.peer = j->conn->peer,
		.method = span_str(j->method),
		.target = span_str(j->target),
		.status = j->answered ? j->status : 0,
		.bytes = j->sent,
		.duration_ns = span__monotonic_ns() - j->start_ns,
		.error = j->busy ? "" : j->err.msg,
		.sys = j->busy ? 0 : j->err.sys,
	};

	if (o->log)
		o->log(o->arg, &line);
}

void span__web_completed(void *cls, struct MHD_Connection *mhd, void **request,
			 enum MHD_RequestTerminationCode why)
{
	struct span__web_job *j = *request;
	struct span__web_conn *c;

	((struct span__web_server *)cls)->daemon.moved = true;
	(void)why;
	*request = NULL;
	if (!j)
		return;
	span__http_resumed(mhd);
	c = j->conn;
	if (!j->answered || j->told)
		j->sent = 0;
	if (j->headed) {
		tell_log(j);
		span__web_count_request(j);
	}
	c->job = NULL;
	c->is_first = false;
	span__web_wait(c, SPAN__WEB_IDLE, j->web->opts.idle_ns);
	j->conn = NULL;
	j->suspended = NULL;
	__atomic_store_n(&j->gone, true, __ATOMIC_RELAXED);
	if (!j->busy)
		span__web_job_free(j);
}
