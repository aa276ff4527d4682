/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer becomes a response. What is not whole goes out as it is made: when
 * nothing more is there to send, the connection is suspended and the job goes
 * to a thread for the next piece.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/clock.h"
#include "net/http_socket.h"
#include "net/web_state.h"

#include "base/banned.h"

#define BLOCK 32768u /* bytes that libmicrohttpd asks for at once */
#define PLAIN "text/plain; charset=utf-8"
#define CHALLENGE "Basic realm=\"span-serve\", charset=\"UTF-8\""
#define KEEP_FOR_EVER "public, max-age=31536000, immutable"

struct canned {
	unsigned status;
	const char *text;
};

static const struct canned *canned(enum span__web_refusal refusal)
{
	static const struct canned all[] = {
		[SPAN__WEB_GOOD] = {500, "500 the answer could not be made\n"},
		[SPAN__WEB_BAD] = {400, "400 bad request\n"},
		[SPAN__WEB_BAD_HOST] =
			{403, "403 this host name is not one of the server's: "
			      "see --allow-host in span-serve(1)\n"},
		[SPAN__WEB_BAD_ORIGIN] =
			{403, "403 this origin may not: see --cors-origin in "
			      "span-serve(1)\n"},
		[SPAN__WEB_TOO_LARGE] = {413, "413 the body is too large\n"},
		[SPAN__WEB_BAD_CODING] = {415,
					  "415 unsupported Content-Encoding\n"},
		[SPAN__WEB_NO_ROOM] = {503, "503 too many requests at once\n"},
		[SPAN__WEB_PREFLIGHT] = {204, ""},
		[SPAN__WEB_REDIRECT] = {301, ""},
		[SPAN__WEB_NO_METHOD] = {405, "405 method not allowed\n"},
		[SPAN__WEB_OPTIONS] = {204, ""},
		[SPAN__WEB_UNKNOWN] = {401, "401 unauthorized\n"},
		[SPAN__WEB_SLOW] = {503, "503 the answer takes too long\n"},
	};

	return &all[refusal];
}

static void add(struct MHD_Response *r, const char *name, const char *value)
{
	MHD_add_response_header(r, name, value);
}

/* Pages of anybody may ask, but not in the name of who has a password. */
static bool is_for_all(const struct span__web_opts *o)
{
	for (size_t i = 0; i < o->n_cors; i++)
		if (!strcmp(o->cors[i], "*"))
			return true;
	return false;
}

static void add_cors(const struct span__web_job *j, struct MHD_Connection *mhd,
		     struct MHD_Response *r)
{
	const char *origin =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Origin");
	const char *headers = MHD_lookup_connection_value(
		mhd, MHD_HEADER_KIND, "Access-Control-Request-Headers");

	if (!j->web->opts.n_cors)
		return;
	add(r, "Vary", "Origin");
	if (!origin || !span__web_allows(&j->web->opts, origin))
		return;
	add(r, "Access-Control-Allow-Origin", origin);
	if (j->web->opts.auth && !is_for_all(&j->web->opts))
		add(r, "Access-Control-Allow-Credentials", "true");
	if (j->refusal != SPAN__WEB_PREFLIGHT)
		return;
	add(r, "Access-Control-Allow-Methods", "GET, HEAD, POST");
	if (headers)
		add(r, "Access-Control-Allow-Headers", headers);
	add(r, "Access-Control-Max-Age", "7200");
}

/* Of all responses. */
static void add_usual(const struct span__web_job *j, struct MHD_Connection *mhd,
		      struct MHD_Response *r)
{
	add(r, "X-Content-Type-Options", "nosniff");
	if (j->web->daemon.stopping)
		add(r, "Connection", "close");
	add_cors(j, mhd, r);
}

static enum MHD_Result queue(struct span__web_job *j,
			     struct MHD_Connection *mhd, unsigned status,
			     struct MHD_Response *r)
{
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	add_usual(j, mhd, r);
	rc = MHD_queue_response(mhd, status, r);
	MHD_destroy_response(r);
	j->status = status;
	j->answered = true;
	return rc;
}

/* "/jaeger/?x=1" for "/jaeger?x=1" */
static void add_location(const struct span__web_job *j, struct MHD_Response *r)
{
	const char *base = j->web->opts.base_path;
	struct span_buf b = {0};

	span_buf_puts(&b, base);
	span_buf_putc(&b, '/');
	span_buf_puts(&b, j->target + strlen(base));
	span_buf_putc(&b, '\0');
	if (!b.failed)
		add(r, "Location", b.p);
	span_buf_release(&b);
}

static enum MHD_Result refuse(struct span__web_job *j,
			      struct MHD_Connection *mhd)
{
	const struct canned *c = canned(j->refusal);
	size_t len = strlen(c->text);
	struct MHD_Response *r = MHD_create_response_from_buffer(
		len, (void *)(uintptr_t)c->text, MHD_RESPMEM_PERSISTENT);

	if (!r)
		return MHD_NO;
	j->sent = len;
	if (j->refusal == SPAN__WEB_TOO_LARGE)
		span__web_count(j->web, &j->web->counts.too_large);
	if (len)
		add(r, "Content-Type", PLAIN);
	add(r, "Cache-Control", "no-store");
	if (c->status == 503)
		add(r, "Retry-After", "1");
	if (c->status == 401)
		add(r, "WWW-Authenticate", CHALLENGE);
	if (j->refusal == SPAN__WEB_NO_METHOD)
		add(r, "Allow",
		    strcmp(j->allow, "GET") != 0 ? j->allow : "GET, HEAD");
	if (j->refusal == SPAN__WEB_OPTIONS)
		add(r, "Allow", "GET, HEAD, POST");
	if (j->refusal == SPAN__WEB_REDIRECT)
		add_location(j, r);
	/* What follows on the connection may be another one's. */
	if (j->refusal == SPAN__WEB_BAD)
		add(r, "Connection", "close");
	return queue(j, mhd, c->status, r);
}

void span__web_tell(struct span__web_job *j, struct MHD_Connection *mhd)
{
	const struct canned *c = canned(j->refusal);
	char head[256];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 %u %s\r\n%sContent-Length: 0\r\n"
		 "Connection: close\r\n\r\n",
		 c->status, MHD_get_reason_phrase_for(c->status),
		 c->status == 401 ? "WWW-Authenticate: " CHALLENGE "\r\n" : "");
	span__http_socket_tell(j->conn->fd, mhd, head);
	if (j->refusal == SPAN__WEB_TOO_LARGE)
		span__web_count(j->web, &j->web->counts.too_large);
	j->status = c->status;
	j->told = j->answered = true;
}

/* MHD_ContentReaderCallback: the rest of an answer. */
static ssize_t read_rest(void *cls, uint64_t at, char *out, size_t max)
{
	struct span__web_job *j = cls;
	size_t n;

	(void)at;
	j->web->daemon.moved = true;
	if (j->gone || j->busy)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = j->out.len - j->out_sent;
	if (n) {
		if (n > max)
			n = max;
		memcpy(out, j->out.p + j->out_sent, n);
		j->out_sent += n;
		j->sent += n;
		span__web_wait(j->conn, SPAN__WEB_SEND, j->web->opts.answer_ns);
		return (ssize_t)n;
	}
	if (j->end)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (j->rc < 0 || !span__web_work(j))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	span__web_wait(j->conn, SPAN__WEB_WORK, j->web->opts.request_ns);
	j->suspended = j->mhd;
	MHD_suspend_connection(j->mhd);
	return 0;
}

/*
 * A head whose length nobody knows. libmicrohttpd ends it with the last of no
 * chunks, which is the begin of the next answer for who reads it, unless it
 * hangs up.
 */
static struct MHD_Response *make_unmade(struct span__web_job *j)
{
	struct MHD_Response *r = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK, read_rest, j, NULL);

	if (r)
		MHD_set_response_options(r, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
					 MHD_RO_END);
	return r;
}

static struct MHD_Response *make(struct span__web_job *j,
				 struct MHD_Connection *mhd)
{
	bool is_head = !strcmp(j->method, "HEAD") || j->a.status == 304;

	j->mhd = mhd;
	if (j->unmade)
		return make_unmade(j);
	/* Each block that is taken gives him time for the next one. */
	if (!j->end || (j->out.len > BLOCK && !is_head))
		return MHD_create_response_from_callback(
			j->end ? j->out.len : MHD_SIZE_UNKNOWN, BLOCK,
			read_rest, j, NULL);
	/* The job outlives its response. */
	j->sent = is_head ? 0 : j->out.len;
	return MHD_create_response_from_buffer(
		j->out.len, j->out.p ? j->out.p : (void *)(uintptr_t) "",
		MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result span__web_respond(struct span__web_job *j,
				  struct MHD_Connection *mhd)
{
	unsigned status = j->a.status ? j->a.status : 200;
	struct MHD_Response *r;

	j->sent = 0;
	if (j->refusal != SPAN__WEB_GOOD || j->rc < 0)
		return refuse(j, mhd);
	r = make(j, mhd);
	if (!r)
		return MHD_NO;
	if (j->a.type)
		add(r, "Content-Type", j->a.type);
	if (j->gzip)
		add(r, "Content-Encoding", "gzip");
	add(r, "Vary", "Accept-Encoding");
	add(r, "Cache-Control",
	    *j->etag	     ? "no-cache"
	    : j->a.immutable ? KEEP_FOR_EVER
			     : "no-store");
	if (*j->etag)
		add(r, "ETag", j->etag);
	if (status == 503)
		add(r, "Retry-After", "1");
	for (size_t i = 0; i < j->a.n_headers; i++)
		add(r, j->a.headers[i].name, j->a.headers[i].value);
	return queue(j, mhd, status, r);
}
