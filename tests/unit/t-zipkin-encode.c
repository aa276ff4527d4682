/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to Zipkin's formats and back: what Zipkin holds comes back the same,
 * and what it does not is what span-encode(1) says.
 */
#include <span/span.h>

#include "codec/decoder.h"

#include "random-span.h"
#include "span_dump.h"
#include "tap.h"

#include "base/banned.h"

static const int formats[] = {
	SPAN_FORMAT_ZIPKIN_JSON,
	SPAN_FORMAT_ZIPKIN_PROTO,
	SPAN_FORMAT_ZIPKIN_COMPACT,
	SPAN_FORMAT_ZIPKIN_BINARY,
};

static struct span_decoder *decoder;

struct copy {
	struct span_arena arena;
	struct span span;
	int n;
};

static int take(void *arg, const struct span *s, struct span_error *err)
{
	struct copy *c = arg;

	(void)err;
	c->n++;
	return span_copy(&c->span, s, &c->arena);
}

/* S through FORMAT; false when it does not come back as one span. */
static bool there_and_back(int format, const struct span *s, struct copy *c)
{
	struct span_error err = {0};
	struct span_buf b = {0};
	int rc;

	span_arena_reset(&c->arena);
	c->n = 0;
	rc = span_encode_message(&b, format, s, 1, &err);
	if (!rc)
		rc = span_decoder_message(decoder, format, b.p, b.len, take, c,
					  &err);
	span_buf_release(&b);
	if (rc != 1)
		printf("# %d: %s at %" PRIu64 "\n", rc, err.msg, err.pos);
	return rc == 1 && c->n == 1;
}

static void show(const char *what, const struct span *s)
{
	struct span_buf b = {0};

	put_span(&b, s);
	if (b.len > 3000)
		b.len = 3000;
	printf("# %s: %.*s\n", what, (int)b.len, b.p);
	span_buf_release(&b);
}

static bool same_but_cut(const struct span *a, const struct span *b)
{
	struct span x = *a, y = *b;

	x.marks &= (uint16_t)~SPAN_MARK_CUT;
	y.marks &= (uint16_t)~SPAN_MARK_CUT;
	return span_equal(&x, &y);
}

/* What every form of Zipkin holds of any span. */
static const char *lost(const struct span *x, const struct span *y)
{
	uint64_t start = x->start_ns / 1000 * 1000;

	if (memcmp(x->trace_id, y->trace_id, 16) != 0 ||
	    memcmp(x->span_id, y->span_id, 8) != 0 ||
	    memcmp(x->parent_id, y->parent_id, 8) != 0)
		return "an id";
	if (x->kind > SPAN_KIND_INTERNAL && y->kind != x->kind &&
	    !span_attr_get(&x->attrs, SPAN_STR("span.kind")))
		return "the kind";
	if (x->status == SPAN_STATUS_ERROR && y->status != x->status &&
	    !span_attr_get(&x->attrs, SPAN_STR("otel.status_code")))
		return "the status";
	if (!(x->marks & SPAN_MARK_CLAMPED) && x->start_ns >= 1000 &&
	    y->start_ns != start)
		return "the start";
	if (y->n_events < x->n_events && !(y->marks & SPAN_MARK_CUT))
		return "an event";
	return NULL;
}

static void test_random(int format)
{
	struct span_arena arena = {0};
	struct rnd r = {.state = 17 + (uint64_t)format, .arena = &arena};
	struct copy first = {0}, second = {0};
	unsigned n = 3000, bad = 0;

	for (unsigned i = 0; i < n && bad < 3; i++) {
		struct span x;
		const char *what;

		span_arena_reset(&arena);
		x = rnd_span(&r, rnd_process(&r));
		rnd_valid_names(&x);
		x.trace_id[15] |= 1;
		x.span_id[7] |= 1;
		if (span_attr_get(&x.attrs, SPAN_STR("span.kind")))
			x.kind = SPAN_KIND_UNSPECIFIED;
		span_derive(&x);
		if (!there_and_back(format, &x, &first) ||
		    !there_and_back(format, &first.span, &second)) {
			bad++;
			show("came from", &x);
			continue;
		}
		what = lost(&x, &first.span);
		if (what || !same_but_cut(&first.span, &second.span)) {
			bad++;
			printf("# span %u: %s\n", i,
			       what ? what : "not the same again");
			show("sent", &x);
			show("first", &first.span);
			show("second", &second.span);
		}
	}
	ok(!bad, "%u random spans by %s: what comes back comes back again", n,
	   span_format_name(format));
	span_arena_release(&arena);
	span_arena_release(&first.arena);
	span_arena_release(&second.arena);
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

static struct span small_span(const struct span_process *p)
{
	return (struct span){
		.trace_id = {[15] = 1},
		.span_id = {[7] = 2},
		.process = p,
		.name = SPAN_STR("get"),
		.start_ns = 1700000000000001999,
		.duration_ns = 5000,
	};
}

static void is_json(const struct span *s, const char *want, const char *what)
{
	struct span_buf b = {0};

	span_encode_zipkin_json(&b, s);
	is_mem(b.p, b.len, want, strlen(want), "%s", what);
	span_buf_release(&b);
}

static void test_endpoints(void)
{
	const struct span_attr process[] = {text("ip", "10.0.0.1"),
					    number("port", 8080),
					    text("hostname", "web-1")};
	const struct span_attr peer[] = {
		text("peer.service", "db"), number("peer.ipv4", 167772162),
		text("peer.ipv6", "2001:DB8::1"), text("peer.port", "3306"),
		text("peer.port", "x")};
	const struct span_attr guess[] = {text("server.address", "db.local"),
					  number("server.port", 5432)};
	const struct span_attr sock[] = {text("net.sock.peer.addr", "::1"),
					 number("net.sock.peer.port", 99)};
	struct span_process p = {.service = SPAN_STR("web"),
				 .attrs = {.v = process, .n = 3}};
	struct span_process plain = {.service = SPAN_STR("web")};
	struct span s = small_span(&p);

	s.attrs = (struct span_attrs){.v = peer, .n = 5};
	s.kind = SPAN_KIND_CLIENT;
	s.parent_id[0] = 0xab;
	is_json(&s,
		"{\"traceId\":\"0000000000000001\","
		"\"parentId\":\"ab00000000000000\","
		"\"id\":\"0000000000000002\",\"kind\":\"CLIENT\","
		"\"name\":\"get\",\"timestamp\":1700000000000001,"
		"\"duration\":5,\"localEndpoint\":{\"serviceName\":\"web\","
		"\"ipv4\":\"10.0.0.1\",\"port\":8080},"
		"\"remoteEndpoint\":{\"serviceName\":\"db\","
		"\"ipv4\":\"10.0.0.2\",\"ipv6\":\"2001:db8::1\","
		"\"port\":3306},\"tags\":{\"peer.port\":\"x\","
		"\"jaeger.hostname\":\"web-1\"}}",
		"endpoints are made of the tags of process and peer");
	s = small_span(&plain);
	s.attrs = (struct span_attrs){.v = guess, .n = 2};
	is_json(&s,
		"{\"traceId\":\"0000000000000001\","
		"\"id\":\"0000000000000002\",\"name\":\"get\","
		"\"timestamp\":1700000000000001,\"duration\":5,"
		"\"localEndpoint\":{\"serviceName\":\"web\"},"
		"\"tags\":{\"server.address\":\"db.local\","
		"\"server.port\":\"5432\"}}",
		"the other side is not guessed for any span");
	s.kind = SPAN_KIND_PRODUCER;
	is_json(&s,
		"{\"traceId\":\"0000000000000001\","
		"\"id\":\"0000000000000002\",\"kind\":\"PRODUCER\","
		"\"name\":\"get\","
		"\"timestamp\":1700000000000001,\"duration\":5,"
		"\"localEndpoint\":{\"serviceName\":\"web\"},"
		"\"remoteEndpoint\":{\"serviceName\":\"db.local\","
		"\"port\":5432},"
		"\"tags\":{\"server.address\":\"db.local\","
		"\"server.port\":\"5432\"}}",
		"but for one that calls, and the tags stay");
	s.attrs = (struct span_attrs){.v = sock, .n = 2};
	s.kind = SPAN_KIND_CLIENT;
	is_json(&s,
		"{\"traceId\":\"0000000000000001\","
		"\"id\":\"0000000000000002\",\"kind\":\"CLIENT\","
		"\"name\":\"get\","
		"\"timestamp\":1700000000000001,\"duration\":5,"
		"\"localEndpoint\":{\"serviceName\":\"web\"},"
		"\"remoteEndpoint\":{\"ipv6\":\"::1\",\"port\":99},"
		"\"tags\":{\"net.sock.peer.addr\":\"::1\","
		"\"net.sock.peer.port\":\"99\"}}",
		"an address will do");
}

/* The tags of S in JSON. */
static void is_tags(const struct span *s, const char *want, const char *what)
{
	struct span_buf b = {0};
	const char *tags;

	span_encode_zipkin_json(&b, s);
	span_buf_putc(&b, 0);
	tags = strstr(b.p, "\"tags\":");
	is_str(tags ? tags + 7 : "none}", want, "%s", what);
	span_buf_release(&b);
}

static void test_tags(void)
{
	const struct span_attr twice[] = {text("a", "1"),
					  number("a", 2),
					  {SPAN_STR("b"), {.type = SPAN_NULL}}};
	const struct span_attr in_process[] = {text("a", "3"), text("c", "4")};
	const struct span_attr no[] = {
		{SPAN_STR("error"), {.type = SPAN_BOOL, .b = false}}};
	const struct span_attr boom[] = {text("error", "boom")};
	const struct span_attr kind[] = {text("span.kind", "SERVER")};
	struct span_process p = {.service = SPAN_STR("web")};
	struct span_process tagged = {.service = SPAN_STR("web"),
				      .attrs = {.v = in_process, .n = 2}};
	struct span_scope scope = {.name = SPAN_STR("lib"),
				   .version = SPAN_STR("1.2")};
	struct span_ref refs[] = {
		{.trace_id = {[15] = 1}, .span_id = {[7] = 9}},
		{.trace_id = {[15] = 7},
		 .span_id = {[7] = 8},
		 .type = SPAN_REF_LINK,
		 .trace_state = SPAN_STR("k=v"),
		 .attrs = {.v = twice, .n = 1, .dropped = 3}},
		{.trace_id = {[15] = 7}, .span_id = {[7] = 8}, .type = 1},
	};
	struct span s = small_span(&p);

	is_tags(&s, "none}", "no tags, no member");
	s.kind = SPAN_KIND_INTERNAL;
	is_tags(&s, "{\"span.kind\":\"internal\"}}", "an internal span");
	s.attrs = (struct span_attrs){.v = kind, .n = 1};
	s.kind = SPAN_KIND_SERVER;
	is_tags(&s, "none}", "a tag that the kind says is not written");
	s.kind = SPAN_KIND_UNSPECIFIED;
	s.process = &tagged;
	s.attrs = (struct span_attrs){.v = twice, .n = 3};
	is_tags(&s, "{\"a\":\"1\",\"b\":\"\",\"c\":\"4\"}}",
		"of a key that comes twice the first is written");
	s.process = &p;
	s.attrs = (struct span_attrs){0};
	s.status = SPAN_STATUS_OK;
	is_tags(&s, "{\"otel.status_code\":\"OK\"}}", "status ok");
	s.status = SPAN_STATUS_ERROR;
	is_tags(&s, "{\"otel.status_code\":\"ERROR\",\"error\":\"true\"}}",
		"status error");
	s.status_message = SPAN_STR("no such cart");
	is_tags(&s,
		"{\"otel.status_code\":\"ERROR\",\"error\":\"no such cart\"}}",
		"with a message");
	s.status_message = SPAN_STR("false");
	is_tags(&s,
		"{\"otel.status_code\":\"ERROR\",\"error\":\"true\","
		"\"otel.status_description\":\"false\"}}",
		"with one that would say that there is none");
	s.attrs = (struct span_attrs){.v = no, .n = 1};
	s.status_message = (struct span_str){0};
	is_tags(&s, "{\"error\":\"false\",\"otel.status_code\":\"ERROR\"}}",
		"beside a tag that denies it");
	s.attrs = (struct span_attrs){.v = boom, .n = 1};
	s.status_message = SPAN_STR("boom");
	is_tags(&s, "{\"error\":\"boom\"}}", "or says it already");
	s = small_span(&p);
	s.scope = &scope;
	s.trace_state = SPAN_STR("x=y");
	s.refs = refs;
	s.n_refs = 3;
	s.parent_id[7] = 9;
	is_tags(&s,
		"{\"otel.scope.name\":\"lib\",\"otel.scope.version\":\"1.2\","
		"\"otlp.link.0\":\"00000000000000000000000000000007|"
		"0000000000000008|k=v|{\\\"a\\\":\\\"1\\\"}|3\","
		"\"otlp.link.1\":\"00000000000000000000000000000007|"
		"0000000000000008||"
		"{\\\"opentracing.ref_type\\\":\\\"follows_from\\\"}|0\","
		"\"w3c.tracestate\":\"x=y\"}}",
		"scope, links and trace state");
}

/* The text of the annotation that an event makes. */
static void is_event(const struct span_event *e, const char *want)
{
	struct span_process p = {.service = SPAN_STR("web")};
	struct span s = small_span(&p);
	struct span_buf b = {0};
	const char *value;

	s.events = e;
	s.n_events = 1;
	span_encode_zipkin_json(&b, &s);
	span_buf_putc(&b, 0);
	value = strstr(b.p, "\"annotations\":");
	is_str(value ? value + 14 : "none", want, "an event");
	span_buf_release(&b);
}

static void test_events(void)
{
	const struct span_attr one[] = {text("event", "retry"), number("n", 2)};
	const struct span_attr core[] = {text("event", "cs")};

	is_event(&(struct span_event){.time_ns = 5000, .name = SPAN_STR("go")},
		 "[{\"timestamp\":5,\"value\":\"go\"}]}");
	is_event(&(struct span_event){.attrs = {.v = one, .n = 1}},
		 "[{\"timestamp\":0,\"value\":\"retry\"}]}");
	is_event(&(struct span_event){.attrs = {.v = one, .n = 2}},
		 "[{\"timestamp\":0,\"value\":\"{\\\"event\\\":\\\"retry\\\","
		 "\\\"n\\\":\\\"2\\\"}\"}]}");
	is_event(&(struct span_event){.name = SPAN_STR("go"),
				      .attrs = {.v = one + 1, .n = 1}},
		 "[{\"timestamp\":0,\"value\":\"{\\\"event\\\":\\\"go\\\","
		 "\\\"n\\\":\\\"2\\\"}\"}]}");
	is_event(&(struct span_event){.attrs = {.v = core, .n = 1}},
		 "[{\"timestamp\":0,\"value\":\"{\\\"event\\\":\\\"cs\\\"}\"}"
		 "]}");
	is_event(&(struct span_event){.name = SPAN_STR(" {")},
		 "[{\"timestamp\":0,\"value\":\" {\"}]}");
	is_event(&(struct span_event){.name = SPAN_STR("{\"a\":\"\"}")},
		 "[{\"timestamp\":0,\"value\":\"{\\\"event\\\":"
		 "\\\"{\\\\\\\"a\\\\\\\":\\\\\\\"\\\\\\\"}\\\"}\"}]}");
	is_event(&(struct span_event){.time_ns = 0},
		 "[{\"timestamp\":0,\"value\":\"{\\\"event\\\":\\\"\\\"}\"}]"
		 "}");
}

static void test_messages(void)
{
	struct span_process p = {.service = SPAN_STR("a")},
			    q = {.service = SPAN_STR("b")}, same = p;
	struct span spans[] = {small_span(&p), small_span(&same),
			       small_span(&q)};
	struct span_error err = {0};
	struct span_buf b = {0};
	struct copy c = {0};

	for (size_t i = 0; i < 4; i++) {
		b.len = 0;
		c.n = 0;
		ok(!span_encode_message(&b, formats[i], spans, 3, NULL) &&
			   span_decoder_message(decoder, formats[i], b.p, b.len,
						take, &c, NULL) == 3,
		   "%s holds spans of several processes",
		   span_format_name(formats[i]));
		b.len = 0;
		ok(!span_encode_message(&b, formats[i], spans, 0, NULL) &&
			   span_decoder_message(decoder, formats[i], b.p, b.len,
						take, &c, NULL) == 0,
		   "and none");
	}
	for (int format = SPAN_FORMAT_JAEGER_COMPACT;
	     format <= SPAN_FORMAT_JAEGER_BINARY; format++) {
		b.len = 0;
		ok(!span_encode_message(&b, format, spans, 2, NULL) &&
			   span_decoder_message(decoder, format, b.p, b.len,
						take, &c, NULL) == 2,
		   "%s holds spans of equal processes",
		   span_format_name(format));
		b.len = 5;
		is_int(span_encode_message(&b, format, spans, 3, &err),
		       SPAN_E_INVALID, "not of two");
		is_uint(b.len, 5, "nothing is left behind");
		is_int(span_encode_message(&b, format, spans, 0, &err),
		       SPAN_E_INVALID, "nor of none");
	}
	b.len = 0;
	ok(!span_encode_message(&b, SPAN_FORMAT_ZIPKIN_JSON, spans, 2, NULL) &&
		   b.p[0] == '[' && b.p[b.len - 1] == ']',
	   "a message of JSON is a list");
	span_buf_release(&b);
	span_arena_release(&c.arena);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_endpoints();
	test_tags();
	test_events();
	test_messages();
	for (size_t i = 0; i < 4; i++)
		test_random(formats[i]);
	span_decoder_close(&decoder);
	return done_testing();
}
