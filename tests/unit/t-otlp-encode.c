/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to OTLP. What came as OTLP comes back the same, in both forms; what
 * Jaeger's tags and references say is moved to where OTLP has it.
 */
#include "otlp_help.h"
#include "random-span.h"

#include "base/banned.h"

#define N_SPANS 40

static const int formats[] = {SPAN_FORMAT_OTLP_PROTO, SPAN_FORMAT_OTLP_JSON};

struct kept {
	struct span_arena arena;
	struct span v[N_SPANS];
	size_t n;
};

static int keep(void *arg, const struct span *s, struct span_error *err)
{
	struct kept *k = arg;

	(void)err;
	return span_copy(&k->v[k->n++], s, &k->arena);
}

static void reset(struct kept *k)
{
	span_arena_reset(&k->arena);
	k->n = 0;
}

/* Encode N spans and decode them again. */
static bool around(int format, const struct span *v, size_t n, struct kept *k)
{
	struct span_decoder *d = NULL;
	struct span_error err = {0};
	struct span_buf b = {0};
	int rc = span_encode_message(&b, format, v, n, &err);

	reset(k);
	if (rc >= 0)
		rc = span_decoder_open(&d, NULL, &err);
	if (rc >= 0)
		rc = span_decoder_message(d, format, b.p, b.len, keep, k, &err);
	if (rc >= 0 && format == SPAN_FORMAT_OTLP_JSON &&
	    memchr(b.p, '\n', b.len))
		rc = span_error_set(&err, SPAN_E_CORRUPT, "a newline");
	if (rc < 0)
		diag("%s: %s at %zu", span_format_name(format), err.msg,
		     (size_t)err.pos);
	span_decoder_close(&d);
	span_buf_release(&b);
	return rc == (int)n;
}

/* What JSON cannot hold: texts that are no UTF-8. */
static void make_ascii(struct span_str s)
{
	char *p = (char *)(uintptr_t)s.p;

	for (size_t i = 0; i < s.len; i++)
		p[i] &= 0x7f;
}

static void clean_attrs(const struct span_attr *v, size_t n);

static void clean_value(const struct span_value *v)
{
	if (v->type == SPAN_STRING)
		make_ascii(v->str);
	for (size_t i = 0; v->type == SPAN_ARRAY && i < v->array.n; i++)
		clean_value(&v->array.v[i]);
	if (v->type == SPAN_MAP)
		clean_attrs(v->map.v, v->map.n);
}

static void clean_attrs(const struct span_attr *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		make_ascii(v[i].key);
		clean_value(&v[i].value);
	}
}

static void clean_lists(struct span *s)
{
	for (size_t i = 0; i < s->n_events; i++) {
		make_ascii(s->events[i].name);
		clean_attrs(s->events[i].attrs.v, s->events[i].attrs.n);
	}
	for (size_t i = 0; i < s->n_refs; i++) {
		struct span_ref *r = (struct span_ref *)(uintptr_t)&s->refs[i];

		r->type = SPAN_REF_LINK;
		make_ascii(r->trace_state);
		clean_attrs(r->attrs.v, r->attrs.n);
	}
}

/*
 * A copy of S as a decoder of OTLP would give it: valid ids, names, a scope,
 * times that fit, kind and status derived.
 */
static void make_otlp(struct span *s, const struct span *from, struct rnd *r)
{
	static const struct span_scope none;
	struct span_process *p;

	if (span_copy(s, from, r->arena) < 0)
		abort();
	s->trace_id[0] |= 1;
	s->span_id[0] |= 1;
	s->marks = 0;
	if (s->duration_ns > UINT64_MAX - s->start_ns)
		s->duration_ns = UINT64_MAX - s->start_ns;
	if (!s->name.len)
		s->name = SPAN_STR("n");
	else
		make_ascii(s->name);
	make_ascii(s->status_message);
	make_ascii(s->trace_state);
	clean_attrs(s->attrs.v, s->attrs.n);
	clean_lists(s);
	p = (struct span_process *)(uintptr_t)s->process;
	if (!p->service.len)
		p->service = SPAN_STR("s");
	else
		make_ascii(p->service);
	if (p->attrs.n == SPAN_MAX_ATTRS) /* the service is one, too */
		p->attrs.n--;
	make_ascii(p->schema_url);
	clean_attrs(p->attrs.v, p->attrs.n);
	if (!s->scope)
		s->scope = &none;
	make_ascii(s->scope->name);
	make_ascii(s->scope->version);
	make_ascii(s->scope->schema_url);
	clean_attrs(s->scope->attrs.v, s->scope->attrs.n);
	span_derive(s);
}

static void compare(const struct span *v, size_t n, const struct kept *k,
		    const char *name)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += i >= k->n || !span_equal(&v[i], &k->v[i]);
	if (ok(!bad, "%s", name))
		return;
	for (size_t i = 0; i < n; i++) {
		struct span_buf b = {0};

		if (i < k->n && span_equal(&v[i], &k->v[i]))
			continue;
		span_encode_jsonl(&b, &v[i]);
		if (i < k->n)
			span_encode_jsonl(&b, &k->v[i]);
		diag("%.*s", (int)(b.len < 4000 ? b.len : 4000), b.p);
		span_buf_release(&b);
		return;
	}
}

static void test_random(void)
{
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : 1;
	struct span_arena arena = {0};
	struct rnd r = {seed, &arena};
	struct kept first = {0}, again = {0};
	bool whole = true;

	diag("seed %" PRIu64, seed);
	for (int round = 0; round < 30; round++) {
		struct span v[N_SPANS], as_is[N_SPANS];
		const struct span_process *p = NULL;

		span_arena_reset(&arena);
		for (size_t i = 0; i < N_SPANS; i++) {
			if (!p || !rnd_below(&r, 3))
				p = rnd_process(&r);
			as_is[i] = rnd_span(&r, p);
			as_is[i].trace_id[0] |= 1;
			as_is[i].span_id[0] |= 1;
			make_otlp(&v[i], &as_is[i], &r);
			if (i && !rnd_below(&r, 3)) {
				v[i].scope = v[i - 1].scope;
				v[i].process = v[i - 1].process;
			}
		}
		for (int f = 0; f < 2; f++) {
			whole = around(formats[f], v, N_SPANS, &first) && whole;
			compare(v, N_SPANS, &first,
				span_format_name(formats[f]));
			/* Of any span the second time around is the first. */
			whole = around(formats[f], as_is, N_SPANS, &first) &&
				whole;
			for (size_t i = 0; i < first.n; i++)
				first.v[i].marks = 0;
			whole = around(formats[f], first.v, first.n, &again) &&
				whole;
			compare(first.v, first.n, &again,
				"the second time is the first");
		}
	}
	ok(whole, "every message was written and read");
	span_arena_release(&arena);
	span_arena_release(&first.arena);
	span_arena_release(&again.arena);
}

static struct span_attr text(const char *key, const char *value)
{
	return (struct span_attr){
		span_str(key), {.type = SPAN_STRING, .str = span_str(value)}};
}

static struct span_attr number(const char *key, int64_t i)
{
	return (struct span_attr){span_str(key), {.type = SPAN_INT, .i = i}};
}

static struct span_attr boolean(const char *key, bool b)
{
	return (struct span_attr){span_str(key), {.type = SPAN_BOOL, .b = b}};
}

/* A span of Jaeger's, as JSON of OTLP. */
static void jaeger_is(const struct span *s, const char *want, const char *name)
{
	struct span derived = *s;
	struct span_buf b = {0};
	const char *at;

	span_derive(&derived);
	if (span_encode_message(&b, SPAN_FORMAT_OTLP_JSON, &derived, 1, NULL) <
	    0)
		abort();
	span_buf_putc(&b, '\0');
	at = strstr(b.p, want);
	if (!ok(at != NULL, "%s", name))
		diag("want %s\n# got  %s", want, b.p);
	span_buf_release(&b);
}

static void test_jaeger(void)
{
	struct span_attr tags[] = {
		text("otel.scope.name", "lib"),
		text("otel.scope.version", "2"),
		text("http.method", "GET"),
		text("span.kind", "server"),
		text("otel.status_code", "ERROR"),
		boolean("error", true),
		text("otel.status_description", "boom"),
		text("w3c.tracestate", "a=b"),
	};
	struct span_attr host[] = {
		text("hostname", "h"),
		text("jaeger.version", "Go-2.30"),
		text("ip", "10.0.0.1"),
	};
	struct span_attr fields[] = {number("n", 1), text("event", "retry")};
	struct span_event event = {.time_ns = 7000,
				   .attrs = {.v = fields, .n = 2}};
	struct span_ref refs[] = {
		{.span_id = {7}, .type = SPAN_REF_CHILD_OF, .trace_id = {1}},
		{.span_id = {8}, .type = SPAN_REF_FOLLOWS_FROM},
		{.span_id = {9}, .type = SPAN_REF_CHILD_OF},
	};
	struct span_process p = {.service = SPAN_STR("shop"),
				 .attrs = {.v = host, .n = 3}};
	struct span s = {.trace_id = {1},
			 .span_id = {2},
			 .name = SPAN_STR("GET /"),
			 .process = &p,
			 .start_ns = 1000,
			 .duration_ns = 5000,
			 .flags = 3,
			 .attrs = {.v = tags, .n = 8},
			 .events = &event,
			 .n_events = 1,
			 .refs = refs,
			 .n_refs = 3};

	jaeger_is(
		&s,
		"{\"resourceSpans\":[{\"resource\":{\"attributes\":["
		"{\"key\":\"service.name\",\"value\":{\"stringValue\":"
		"\"shop\"}},{\"key\":\"host.name\",\"value\":{\"stringValue\":"
		"\"h\"}},{\"key\":\"opencensus.exporterversion\",\"value\":"
		"{\"stringValue\":\"Jaeger-Go-2.30\"}},{\"key\":\"ip\","
		"\"value\":{\"stringValue\":\"10.0.0.1\"}}]},\"scopeSpans\":["
		"{\"scope\":{\"name\":\"lib\",\"version\":\"2\"},\"spans\":["
		"{\"traceId\":\"01000000000000000000000000000000\",\"spanId\":"
		"\"0200000000000000\",\"traceState\":\"a=b\","
		"\"parentSpanId\":\"0700000000000000\",\"flags\":1,\"name\":"
		"\"GET /\",\"kind\":2,\"startTimeUnixNano\":\"1000\","
		"\"endTimeUnixNano\":\"6000\",\"attributes\":[{\"key\":"
		"\"http.method\",\"value\":{\"stringValue\":\"GET\"}}],"
		"\"events\":[{\"timeUnixNano\":\"7000\",\"name\":\"retry\","
		"\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":\"1\"}"
		"}]}],\"links\":[{\"traceId\":"
		"\"00000000000000000000000000000000\",\"spanId\":"
		"\"0800000000000000\",\"attributes\":[{\"key\":"
		"\"opentracing.ref_type\",\"value\":{\"stringValue\":"
		"\"follows_from\"}}]},{\"traceId\":"
		"\"00000000000000000000000000000000\",\"spanId\":"
		"\"0900000000000000\",\"attributes\":[{\"key\":"
		"\"opentracing.ref_type\",\"value\":{\"stringValue\":"
		"\"child_of\"}}]}],\"status\":{\"message\":\"boom\",\"code\":2}"
		"}]}]}]}",
		"a span of Jaeger's says in fields what it said in tags");
	refs[0].type = SPAN_REF_FOLLOWS_FROM;
	s.n_refs = 1;
	jaeger_is(&s, "\"parentSpanId\":\"0700000000000000\"",
		  "a parent that is followed is a parent");
	jaeger_is(&s, "\"stringValue\":\"follows_from\"", "and a link");
}

/* A span of Jaeger's with these tags: a piece of its JSON. */
static void tags_are(const struct span_attr *v, size_t n, const char *want,
		     const char *name)
{
	static const struct span_process p = {.service = {"s", 1}};
	struct span s = {.trace_id = {1},
			 .span_id = {2},
			 .process = &p,
			 .attrs = {.v = v, .n = n}};

	jaeger_is(&s, want, name);
}

static void test_status(void)
{
	struct span_attr v[4] = {boolean("error", true),
				 text("http.status_message", "Gone")};

	tags_are(v, 1, "\"attributes\":[],\"status\":{\"code\":2}",
		 "a true error is the status, and no tag");
	tags_are(v, 2, "\"status\":{\"message\":\"Gone\",\"code\":2}",
		 "its message may be HTTP's");
	tags_are(v, 2, "\"attributes\":[{\"key\":\"http.status_message\"",
		 "which stays a tag");
	v[0].value.b = false;
	tags_are(v, 2, "{\"boolValue\":false}", "error=false is a tag");
	tags_are(v, 2, "\"status\":{}", "and no status");
	v[0] = number("http.status_code", 404);
	tags_are(v, 2, "\"status\":{\"message\":\"Gone\",\"code\":2}",
		 "404 is an error");
	v[2] = text("span.kind", "server");
	tags_are(v, 3, "\"status\":{}", "of a server it is none");
	v[0] = text("http.status_code", "500");
	tags_are(v, 3, "\"status\":{\"message\":\"Gone\",\"code\":2}",
		 "500 is, as a text too");
	v[3] = text("otel.status_code", "OK");
	tags_are(v, 4, "\"status\":{\"code\":1}", "unless it is said to be OK");
	v[3] = text("otel.status_code", "UNSET");
	tags_are(v, 4, "\"status\":{}", "or unset");
	v[0] = number("http.status_code", 5000);
	tags_are(v, 1, "\"status\":{}", "5000 is no status");
	v[0] = text("otel.library.name", "old");
	v[1] = text("otel.library.version", "1");
	tags_are(v, 2, "\"scope\":{\"name\":\"old\",\"version\":\"1\"}",
		 "the scope's former names are read");
	v[0] = text("otel.status_code", "FINE");
	tags_are(v, 1, "\"stringValue\":\"FINE\"",
		 "what says nothing known stays a tag");
}

static void test_otlp_stays(void)
{
	static const struct span_scope scope = {.name = {"n", 1}};
	static const struct span_process p = {.service = {"s", 1}};
	struct span_attr v[] = {number("http.status_code", 500),
				text("span.kind", "server"),
				text("w3c.tracestate", "a=b"),
				text("otel.scope.name", "other")};
	struct span s = {.trace_id = {1},
			 .span_id = {2},
			 .flags = 0x103,
			 .process = &p,
			 .scope = &scope,
			 .attrs = {.v = v, .n = 4}};

	jaeger_is(&s, "\"flags\":259", "flags of OTLP are all kept");
	jaeger_is(&s, "{\"key\":\"span.kind\"", "and its attributes");
	jaeger_is(&s, "{\"key\":\"w3c.tracestate\"", "each of them");
	jaeger_is(&s, "{\"key\":\"otel.scope.name\"", "whatever it says");
	jaeger_is(&s, "\"status\":{}", "HTTP's status makes none");
}

static void test_clamped(void)
{
	static const char json[] =
		"{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":"
		"\"service.name\",\"value\":{\"stringValue\":\"s\"}}]},"
		"\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
		"\"01000000000000000000000000000000\",\"spanId\":"
		"\"0200000000000000\",\"name\":\"n\",\"startTimeUnixNano\":"
		"\"9\",\"endTimeUnixNano\":\"5\",\"attributes\":[],"
		"\"status\":{}}]}]}]}";
	struct span_decoder *d = NULL;
	struct span_buf b = {0};
	struct kept k = {0};

	if (span_decoder_open(&d, NULL, NULL) < 0 ||
	    span_decoder_message(d, SPAN_FORMAT_OTLP_JSON, json, strlen(json),
				 keep, &k, NULL) != 1 ||
	    span_encode_message(&b, SPAN_FORMAT_OTLP_JSON, k.v, 1, NULL) < 0)
		abort();
	is(b.p, b.len, json, "an end before the start leaves as it came");
	b.len = 0;
	if (span_encode_message(&b, SPAN_FORMAT_OTLP_JSON, NULL, 0, NULL) < 0)
		abort();
	is(b.p, b.len, "{\"resourceSpans\":[]}", "no spans are a message too");
	b.len = 0;
	if (span_encode_message(&b, SPAN_FORMAT_OTLP_PROTO, NULL, 0, NULL) < 0)
		abort();
	is_uint(b.len, 0, "in protobuf an empty one");
	span_decoder_close(&d);
	span_buf_release(&b);
	span_arena_release(&k.arena);
}

/* Consecutive spans of one owner share it. */
static void test_groups(void)
{
	static const struct span_scope c1 = {.name = {"a", 1}},
				       c2 = {.name = {"b", 1}};
	struct span_process p1 = {.service = SPAN_STR("s")}, p2 = p1,
			    p3 = {.service = SPAN_STR("t")};
	struct span v[6];
	struct span_buf b = {0};
	size_t n = 0, scopes = 0;

	for (size_t i = 0; i < 6; i++)
		v[i] = (struct span){.trace_id = {1},
				     .span_id = {1},
				     .process = &p1,
				     .scope = &c1};
	v[1].process = &p2; /* equal */
	v[2].scope = &c2;
	v[3].process = &p3;
	v[3].scope = v[4].scope = &c2;
	v[4].process = &p3;
	v[5].process = &p3;
	v[5].scope = NULL; /* of Jaeger: read by other rules */
	if (span_encode_message(&b, SPAN_FORMAT_OTLP_JSON, v, 6, NULL) < 0)
		abort();
	span_buf_putc(&b, '\0');
	for (const char *at = b.p; (at = strstr(at, "\"resource\":")); at++)
		n++;
	for (const char *at = b.p; (at = strstr(at, "\"scope\":")); at++)
		scopes++;
	ok(n == 3 && scopes == 4, "6 spans are in 3 resources and 4 scopes");
	span_buf_release(&b);
}

int main(void)
{
	test_random();
	test_jaeger();
	test_status();
	test_otlp_stays();
	test_clamped();
	test_groups();
	return done_testing();
}
