/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, envelopes, health and counts: what lib/serve has for all handlers. */
#include "serve-test.h"
#include "serve/answers.h"

#include "base/banned.h"

static const struct span *some_span(void)
{
	static const struct span_process process = {.service = {"cart", 4}};
	static struct span s = {.trace_id = {[15] = 1},
				.span_id = {[7] = 1},
				.start_ns = SERVE_TEST_NOW,
				.duration_ns = 1000000,
				.name = {"GET", 3},
				.process = &process};

	return &s;
}

static void test_indent(const char *json, const char *want)
{
	struct span__serve_indent whole = {0}, bytes = {0};
	struct span_buf a = {0}, b = {0};

	span__serve_indent(&whole, &a, span_str(json));
	for (const char *c = json; *c; c++)
		span__serve_indent(&bytes, &b, (struct span_str){c, 1});
	is(a.p, a.len, want, json);
	is(b.p, b.len, want, "byte by byte too");
	span_buf_release(&a);
	span_buf_release(&b);
}

static void test_indents(void)
{
	test_indent("{}", "{}");
	test_indent("[[],{}]", "[\n    [],\n    {}\n]");
	test_indent("{\"a\":[1,2],\"b\":null}",
		    "{\n    \"a\": [\n        1,\n        2\n    ],\n"
		    "    \"b\": null\n}");
	test_indent("[\"{,:[\\\"}\",\"\\\\\"]",
		    "[\n    \"{,:[\\\"}\",\n    \"\\\\\"\n]");
	test_indent("}]", "\n}\n]");
}

static void test_answers(void)
{
	struct span__serve_answer a = {0};
	struct span_error err = {.code = SPAN_E_INVALID, .msg = "why \"not\""};

	span__serve_data(&a);
	span_buf_puts(&a.body, "[1]");
	span__serve_data_end(&a, 7, NULL);
	is(a.body.p, a.body.len,
	   "{\"data\":[1],\"total\":7,\"limit\":0,\"offset\":0,"
	   "\"errors\":null}",
	   "the envelope");
	is_int(span__serve_bad_param(&a, "limit", &err), 0, "a bad parameter");
	is_uint(a.status, 400, "is a bad request");
	is_str(a.type, SPAN__SERVE_PLAIN, "and no JSON");
	is(a.body.p, a.body.len,
	   "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,\"errors\":"
	   "[{\"code\":400,\"msg\":\"unable to parse param 'limit': why "
	   "\\\"not\\\"\"}]}\n",
	   "as Jaeger says it");
	is_int(span__serve_error_v3(&a, 404, "No traces found"), 0, "v3");
	is(a.body.p, a.body.len,
	   "{\"error\":{\"httpCode\":404,\"message\":\"No traces found\"}}",
	   "has its own error");
	is_int(span__serve_failed(&a, SPAN_E_NOMEM, &err), SPAN_E_NOMEM,
	       "out of memory is for the server to say");
	is_int(span__serve_failed(&a, SPAN_E_IO, &err), 0, "a failure");
	is_uint(a.status, 500, "is a server's error");
	is_int(span__serve_failed(&a, SPAN_E_NOTFOUND, &err), 0, "no store");
	is_uint(a.status, 503, "may be there later");
	span_buf_release(&a.body);
}

static void test_routes(struct serve_test *t)
{
	struct serve_reply reply;

	serve_test_is(t, "/api/nothing", 404, "404 page not found\n");
	serve_test_is(t, "/healthz/", 404, "404 page not found\n");
	serve_test_is(t, "/healthzz", 404, "404 page not found\n");
	serve_test_is(t, "/health", 404, "404 page not found\n");
	serve_test_post(t, "/healthz", "text/plain", "", 0, &reply);
	is_uint(reply.status, 405, "POST is not for it");
	serve_reply_release(&reply);
	serve_test_ask(t, "HEAD", (struct span__serve_request){0}, "/healthz",
		       &reply);
	is_uint(reply.status, 200, "HEAD is");
	serve_reply_release(&reply);
}

/* Does the body of TARGET, answered with STATUS, have WANT in it? */
static void has(struct serve_test *t, const char *target, unsigned status,
		const char *want)
{
	struct serve_reply reply;

	serve_test_get(t, target, &reply);
	if (!ok(reply.status == status && strstr(reply.body.p, want), "%s: %s",
		target, want))
		diag("%u: %s", reply.status, reply.body.p);
	serve_reply_release(&reply);
}

static void test_health(struct serve_test *t)
{
	has(t, "/healthz", 200, "{\"status\":\"ok\",\"spans\":0,");
	has(t, "/healthz", 200, "\"newestArrival\":null");
	serve_test_add(t, some_span(), 1);
	has(t, "/healthz", 200, "{\"status\":\"ok\",\"spans\":1,");
	has(t, "/healthz", 200, "\"newestArrival\":\"20");
	has(t, "/healthz?silence=x", 400, "unable to parse param 'silence'");
	has(t, "/healthz?free=1&silence=100000h", 200, "ok");
	has(t, "/healthz?free=9000000000000000000", 503, "too little room");
	has(t, "/healthz?prettyPrint=true", 200, "{\n    \"status\": \"ok\",");
	has(t, "/healthz?prettyPrint=false", 200, "{\"status\"");
}

static uint64_t far_future(void)
{
	return UINT64_C(18000000000000000000);
}

static void test_silence(struct serve_test *t)
{
	t->s.now = far_future;
	has(t, "/healthz?silence=1h", 503, "no span has arrived for too long");
	has(t, "/healthz", 200, "ok");
	t->s.now = serve_test_now;
}

static void own_metrics(void *arg, struct span_buf *out)
{
	(void)arg;
	span_buf_puts(out, "requests 1\n");
}

static void test_metrics(struct serve_test *t)
{
	t->s.metrics = own_metrics;
	has(t, "/metrics", 200, "\nspan_store_up 1\n");
	has(t, "/metrics", 200, "\nspan_store_spans 1\n");
	has(t, "/metrics", 200, "# TYPE span_store_bytes gauge\n");
	has(t, "/metrics", 200, "\nrequests 1\n");
}

static void test_no_store(struct serve_test *t)
{
	struct span__serve_pool *old = t->s.store;

	t->s.store = serve_test_pool(t, "serve-test-nothing");
	has(t, "/healthz", 503, "serve-test-nothing");
	has(t, "/metrics", 200, "\nspan_store_up 0\n");
	span__serve_pool_close(&t->s.store);
	t->s.store = old;
}

/* A store that is in use is not given to another one. */
static void test_pool(struct serve_test *t)
{
	struct span_store *a = NULL, *b = NULL, *again = NULL;
	struct span_error err = {0};

	ok(!span__serve_take(t->s.store, &a, &err) &&
		   !span__serve_take(t->s.store, &b, &err) && a != b,
	   "two at once are two");
	span__serve_give_back(t->s.store, a);
	span__serve_give_back(t->s.store, b);
	ok(!span__serve_take(t->s.store, &again, &err) && again == a,
	   "one stays open");
	span__serve_give_back(t->s.store, again);
}

/* A store that is made anew under its name is another one. */
static void test_made_anew(struct serve_test *t)
{
	struct span_store *old = NULL, *new = NULL;
	struct span_error err = {0};
	char away[80];

	snprintf(away, sizeof(away), "%s.old", t->dir);
	has(t, "/healthz", 200, "\"spans\":1,");
	ok(!span__serve_take(t->s.store, &old, &err), "it is used");
	ok(!rename(t->dir, away), "it is moved away");
	has(t, "/healthz", 503, t->dir);
	serve_test_put(t->dir, NULL, 0);
	has(t, "/healthz", 200, "\"spans\":0,");
	ok(!span__serve_take(t->s.store, &new, &err), "so is the new one");
	span__serve_give_back(t->s.store, old);
	span__serve_give_back(t->s.store, new);
	has(t, "/healthz", 200, "\"spans\":0,");
	serve_test_remove(away);
}

static int next_of(struct span_store *st, struct span_error *err)
{
	struct span_cursor *c = NULL;
	struct span s;
	int rc = span_store_scan(st, NULL, &c, err);

	if (!rc)
		rc = span_cursor_next(c, &s, err);
	span_cursor_close(&c);
	return rc;
}

static int see_name(void *arg, const struct span_store_name *n,
		    struct span_error *err)
{
	(void)arg;
	(void)n;
	(void)err;
	return 0;
}

/* What is taken for a request ends with it, and is as good as ever then. */
static void test_watch(struct serve_test *t)
{
	struct span_error err = {0};
	struct span_store *st = NULL;
	bool gone = false;

	span__serve_pool_watch(&gone);
	ok(!span__serve_take(t->s.store, &st, &err), "taken");
	span__serve_pool_watch(NULL);
	is_int(next_of(st, &err), 1, "it is read");
	gone = true;
	is_int(next_of(st, &err), SPAN_E_PIPE, "nobody wants it");
	is_int(span_store_names(st, see_name, NULL, &err), SPAN_E_PIPE,
	       "nor names");
	span__serve_give_back(t->s.store, st);
	ok(!span__serve_take(t->s.store, &st, &err), "taken again");
	is_int(next_of(st, &err), 1, "it is read again");
	span__serve_give_back(t->s.store, st);
}

int main(void)
{
	struct serve_test t;

	test_indents();
	test_answers();
	serve_test_open(&t);
	test_routes(&t);
	test_health(&t);
	test_silence(&t);
	test_metrics(&t);
	test_no_store(&t);
	test_pool(&t);
	test_watch(&t);
	test_made_anew(&t);
	is_uint(t.damage, 0, "no store was damaged");
	serve_test_close(&t);
	return done_testing();
}
