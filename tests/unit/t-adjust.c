/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Jaeger's query service does to a trace, one adjuster after the other.
 * Traces are written in Jaeger's JSON with ' for ", and drawn as
 * ID<REFERENCES start+duration(events) [tags] {process tags} !warnings
 */
#include <span/adjust.h>
#include <span/codec.h>
#include <span/text.h>

#include <stdlib.h>

#include "random-span.h"
#include "tap.h"

#include "base/banned.h"

typedef int adjust_fn(struct span_trace_builder *b, struct span_trace *t,
		      struct span_error *err);

static int clocks_off(struct span_trace_builder *b, struct span_trace *t,
		      struct span_error *err)
{
	return span_adjust_clocks(b, SPAN_ADJUST_JAEGER, 0, t, err);
}

static int clocks_10ms(struct span_trace_builder *b, struct span_trace *t,
		       struct span_error *err)
{
	return span_adjust_clocks(b, SPAN_ADJUST_JAEGER, 10000000, t, err);
}

static int clocks_on(struct span_trace_builder *b, struct span_trace *t,
		     struct span_error *err)
{
	return span_adjust_clocks(b, SPAN_ADJUST_JAEGER,
				  UINT64_C(36000000000000000), t, err);
}

static int otlp_clocks(struct span_trace_builder *b, struct span_trace *t,
		       struct span_error *err)
{
	return span_adjust_clocks(b, SPAN_ADJUST_OTLP, 0, t, err);
}

static int all_jaeger(struct span_trace_builder *b, struct span_trace *t,
		      struct span_error *err)
{
	return span_adjust_all(b, SPAN_ADJUST_JAEGER, 0, t, err);
}

static int all_otlp(struct span_trace_builder *b, struct span_trace *t,
		    struct span_error *err)
{
	return span_adjust_all(b, SPAN_ADJUST_OTLP, 0, t, err);
}

/* A span of process P with the members MORE. */
#define SPAN(id, p, start, duration, more)                                     \
	"{'traceID':'ab','spanID':'" id                                        \
	"','operationName':'o','startTime':" start ",'duration':" duration     \
	",'processID':'" p "'" more "}"
#define REFS(list) ",'references':[" list "]"
#define REF(type, trace, id)                                                   \
	"{'refType':'" type "','traceID':'" trace "','spanID':'" id "'}"
#define CHILD(id) REFS(REF("CHILD_OF", "ab", id))
#define TAGS(list) ",'tags':[" list "]"
#define TAG(key, type, value)                                                  \
	"{'key':'" key "','type':'" type "','value':" value "}"
#define TEXT(key, value) TAG(key, "string", "'" value "'")
#define KIND(kind) TAGS(TEXT("span.kind", kind))
#define LOG(time, fields)                                                      \
	",'logs':[{'timestamp':" time ",'fields':[" fields "]}]"
#define LOGS(t1, fields1, t2, fields2)                                         \
	",'logs':[{'timestamp':" t1 ",'fields':[" fields1                      \
	"]},{'timestamp':" t2 ",'fields':[" fields2 "]}]"
#define PROCESS(p, service, tags)                                              \
	"'" p "':{'serviceName':'" service "','tags':[" tags "]}"
#define TRACE(spans, processes)                                                \
	"{'data':[{'traceID':'ab','spans':[" spans "],'processes':{" processes \
	"}}]}"
#define HOSTS                                                                  \
	PROCESS("p1", "a", TEXT("host.name", "a"))                             \
	"," PROCESS("p2", "b", TEXT("host.name", "b"))
#define PLAIN PROCESS("p1", "s", "")

/* clang-format off */
static const struct {
	const char *name;
	adjust_fn *fn;
	const char *trace;
	const char *want;
} cases[] = {
	{"a server gets an id of its own, and its children follow",
	 span_adjust_ids,
	 TRACE(SPAN("a", "p1", "0", "90", "") ","
	       SPAN("2", "p1", "1", "80", CHILD("a") KIND("client")) ","
	       SPAN("2", "p2", "2", "70", CHILD("a") KIND("server")) ","
	       SPAN("3", "p2", "3", "9", CHILD("2")) ","
	       SPAN("4", "p1", "4", "9", CHILD("2")),
	       PROCESS("p1", "web", "") "," PROCESS("p2", "cart", "")),
	 "a 0+90\n"
	 "2<a 1+80 [span.kind=client]\n"
	 "1<2 2+70 [span.kind=server]\n"
	 "3<1 3+9\n"
	 "4<2 4+9\n"},
	{"the lowest free ids are given, in order of start",
	 span_adjust_ids,
	 TRACE(SPAN("1", "p1", "1", "80", KIND("client")) ","
	       SPAN("1", "p1", "2", "70", KIND("server")) ","
	       SPAN("2", "p1", "3", "60", KIND("client")) ","
	       SPAN("2", "p1", "4", "50", KIND("server")) ","
	       SPAN("4", "p1", "5", "1", ""), PLAIN),
	 "1 1+80 [span.kind=client]\n"
	 "3<1 2+70 [span.kind=server]\n"
	 "2 3+60 [span.kind=client]\n"
	 "5<2 4+50 [span.kind=server]\n"
	 "4 5+1\n"},
	{"one id of two servers stays as it is",
	 span_adjust_ids,
	 TRACE(SPAN("2", "p1", "1", "80", KIND("server")) ","
	       SPAN("2", "p1", "2", "70", KIND("server")), PLAIN),
	 "2 1+80 [span.kind=server]\n"
	 "2 2+70 [span.kind=server]\n"},
	{"a clock that is off is told of where nothing may move",
	 clocks_off,
	 TRACE(SPAN("1", "p1", "10000", "100000", "") ","
	       SPAN("2", "p2", "0", "50000", CHILD("1")), HOSTS),
	 "2<1 0+50000 {host.name=b} !clock skew adjustment disabled; "
	 "not applying calculated delta of 35ms\n"
	 "1 10000+100000 {host.name=a}\n"},
	{"a clock that is off by too much",
	 clocks_10ms,
	 TRACE(SPAN("1", "p1", "10000", "100000", "") ","
	       SPAN("2", "p2", "80000", "50000", CHILD("1")), HOSTS),
	 "1 10000+100000 {host.name=a}\n"
	 "2<1 80000+50000 {host.name=b} !max clock skew adjustment delta of "
	 "10ms exceeded; not applying calculated delta of -45ms\n"},
	{"a clock is put right, its logs too",
	 clocks_on,
	 TRACE(SPAN("1", "p1", "10000", "100000", "") ","
	       SPAN("2", "p2", "0", "50000", CHILD("1") LOG("5000", "")),
	       HOSTS),
	 "1 10000+100000 {host.name=a}\n"
	 "2<1 35000+50000(40000) {host.name=b} "
	 "!This span's timestamps were adjusted by 35ms\n"},
	{"microseconds",
	 clocks_off,
	 TRACE(SPAN("1", "p1", "1000000", "100000", "") ","
	       SPAN("2", "p2", "999990", "200000", CHILD("1")), HOSTS),
	 "2<1 999990+200000 {host.name=b} !clock skew adjustment disabled; "
	 "not applying calculated delta of 10\xc2\xb5s\n"
	 "1 1000000+100000 {host.name=a}\n"},
	{"hours, minutes and parts of seconds",
	 clocks_off,
	 TRACE(SPAN("1", "p1", "4000000000", "100000", "") ","
	       SPAN("2", "p2", "1500000", "200000", CHILD("1")), HOSTS),
	 "2<1 1500000+200000 {host.name=b} !clock skew adjustment disabled; "
	 "not applying calculated delta of 1h6m38.5s\n"
	 "1 4000000000+100000 {host.name=a}\n"},
	{"a parent that is not there, an id that is there twice",
	 clocks_off,
	 TRACE(SPAN("2", "p1", "1", "1", CHILD("77")) ","
	       SPAN("2", "p1", "2", "1", ""), PLAIN),
	 "2<77 1+1 !invalid parent span IDs=0000000000000077; "
	 "skipping clock skew adjustment\n"
	 "2 2+1 !duplicate span IDs; skipping clock skew adjustment\n"},
	{"addresses that are numbers",
	 span_adjust_addresses,
	 TRACE(SPAN("1", "p1", "1", "1",
		    TAGS(TAG("peer.ipv4", "int64", "-1062731775") ","
			 TAG("ip", "float64", "16909060.0") ","
			 TEXT("ip", "::1") ","
			 TAG("ipx", "int64", "5"))),
	       PROCESS("p1", "s", TAG("ip", "int64", "2130706433"))),
	 "1 1+1 [peer.ipv4=192.168.0.1 ip=1.2.3.4 ip=::1 ipx=5] "
	 "{ip=127.0.0.1}\n"},
	{"tags of the library go to the process, but not over another value",
	 span_adjust_library,
	 TRACE(SPAN("1", "p1", "1", "1",
		    TAGS(TEXT("telemetry.sdk.name", "otel") ","
			 TEXT("k", "v"))) ","
	       SPAN("2", "p1", "2", "1",
		    TAGS(TEXT("telemetry.sdk.name", "otel") ","
			 TEXT("telemetry.sdk.version", "2"))) ","
	       SPAN("3", "p2", "3", "1",
		    TAGS(TEXT("telemetry.distro.name", "d"))),
	       PROCESS("p1", "s", TEXT("telemetry.sdk.version", "1")) ","
	       PROCESS("p2", "s", "")),
	 "1 1+1 [k=v] {telemetry.sdk.version=1 telemetry.sdk.name=otel}\n"
	 "2 2+1 [telemetry.sdk.version=2] {telemetry.sdk.version=1 "
	 "telemetry.sdk.name=otel} !conflicting values between Span and "
	 "Resource for attribute telemetry.sdk.version\n"
	 "3 3+1 {telemetry.distro.name=d}\n"},
	{"tags by key, type and value; event before other fields",
	 span_adjust_order,
	 TRACE(SPAN("1", "p1", "1", "1",
		    TAGS(TEXT("b", "1") ","
			 TAG("a", "int64", "10") ","
			 TAG("a", "int64", "9") ","
			 TAG("a", "bool", "true") ","
			 TEXT("a", "z"))
		    LOG("5",
			TEXT("z", "1") ","
			TAG("event", "int64", "1") ","
			TEXT("event", "e") ","
			TEXT("a", "2"))),
	       PROCESS("p1", "s", TEXT("y", "1") "," TEXT("x", "2"))),
	 "1 1+1(5 event=e a=2 event=1 z=1) [a=z a=true a=9 a=10 b=1] "
	 "{x=2 y=1}\n"},
	{"references without a trace go, the parent comes first",
	 span_adjust_refs,
	 TRACE(SPAN("1", "p1", "1", "1",
		    REFS(REF("FOLLOWS_FROM", "0", "7") ","
			 REF("FOLLOWS_FROM", "ab", "3") ","
			 REF("CHILD_OF", "cd", "4") ","
			 REF("CHILD_OF", "ab", "5"))), PLAIN),
	 "1<5,cd:4,~3 1+1 !Invalid span reference removed "
	 "{TraceID:0000000000000000 SpanID:0000000000000007 "
	 "RefType:FOLLOWS_FROM}\n"},
	{"the first that it follows from is the parent where there is no other",
	 span_adjust_refs,
	 TRACE(SPAN("1", "p1", "1", "1",
		    REFS(REF("CHILD_OF", "cd", "4") ","
			 REF("FOLLOWS_FROM", "ab", "5"))), PLAIN),
	 "1<~5,cd:4 1+1\n"},
	{"what is the same but for the order of its tags is there once",
	 span_adjust_order,
	 TRACE(SPAN("1", "p1", "1", "1",
		    TAGS(TEXT("a", "1") "," TEXT("b", "2"))) ","
	       SPAN("1", "p1", "1", "1",
		    TAGS(TEXT("b", "2") "," TEXT("a", "1"))), PLAIN),
	 "1 1+1 [a=1 b=2]\n"},
	{"OTLP: a missing parent has another text",
	 otlp_clocks, TRACE(SPAN("2", "p1", "1", "1", CHILD("77")), PLAIN),
	 "2<77 1+1 !parent span ID=0000000000000077 is not in the trace; "
	 "skipping clock skew adjustment\n"},
	{"OTLP: events by name, then time, attributes by key",
	 span_adjust_order_otlp,
	 TRACE(SPAN("1", "p1", "1", "1",
		    TAGS(TEXT("b", "1") "," TEXT("a", "2"))
		    LOGS("5", TEXT("event", "b") "," TEXT("a", "1"),
			 "7", TEXT("event", "a"))),
	       PROCESS("p1", "s", TEXT("y", "1") "," TEXT("x", "2"))),
	 "1 1+1(7 event=a)(5 a=1 event=b) [a=2 b=1] {x=2 y=1}\n"},
	{"OTLP: links that lead nowhere go, the others stay as they are",
	 span_adjust_links,
	 TRACE(SPAN("1", "p1", "1", "1",
		    REFS(REF("FOLLOWS_FROM", "0", "0") ","
			 REF("FOLLOWS_FROM", "cd", "3") ","
			 REF("CHILD_OF", "ab", "5"))), PLAIN),
	 "1<cd:~3,5 1+1 !Invalid span link removed\n"},
	{"Jaeger 1: all of it, events in the order of their times",
	 all_jaeger,
	 TRACE(SPAN("1", "p1", "1", "1",
		    CHILD("77")
		    LOGS("5", TEXT("event", "b"), "7", TEXT("event", "a"))),
	       PLAIN),
	 "1<77 1+1(5 event=b)(7 event=a) "
	 "!invalid parent span IDs=0000000000000077; "
	 "skipping clock skew adjustment\n"},
	{"OTLP: all of it", all_otlp,
	 TRACE(SPAN("1", "p1", "1", "1",
		    CHILD("77")
		    LOGS("5", TEXT("event", "b"), "7", TEXT("event", "a"))),
	       PLAIN),
	 "1<77 1+1(7 event=a)(5 event=b) "
	 "!parent span ID=0000000000000077 is not in the trace; "
	 "skipping clock skew adjustment\n"},
};
/* clang-format on */

static void draw_id(struct span_buf *b, const uint8_t *id, size_t len)
{
	size_t from = b->len;

	span_text_hex(b, (struct span_str){(const char *)id, len});
	while (b->len > from + 1 && b->p[from] == '0') {
		memmove(b->p + from, b->p + from + 1, b->len - from - 1);
		b->len--;
	}
}

static void draw_refs(struct span_buf *b, const struct span *s)
{
	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		span_buf_puts(b, i ? "," : "<");
		if (memcmp(r->trace_id, s->trace_id, 16) != 0) {
			draw_id(b, r->trace_id, 16);
			span_buf_puts(b, ":");
		}
		span_buf_puts(b, r->type == SPAN_REF_FOLLOWS_FROM ? "~" : "");
		draw_id(b, r->span_id, 8);
	}
	if (!s->n_refs && memcmp(s->parent_id, "\0\0\0\0\0\0\0", 8) != 0) {
		span_buf_puts(b, "<");
		draw_id(b, s->parent_id, 8);
	}
}

/* Returns whether there were some besides warnings. */
static bool draw_attrs(struct span_buf *b, const struct span_attrs *a,
		       const char *open, const char *shut)
{
	const char *before = open;

	for (size_t i = 0; i < a->n; i++) {
		if (span_str_equal(a->v[i].key, SPAN_STR(SPAN_WARNINGS)))
			continue;
		span_buf_puts(b, before);
		span_buf_str(b, a->v[i].key);
		span_buf_puts(b, "=");
		span_text_value(b, &a->v[i].value);
		before = " ";
	}
	if (before != open)
		span_buf_puts(b, shut);
	return before != open;
}

static void draw_span(struct span_buf *b, const struct span *s)
{
	const struct span_value *w =
		span_attr_get(&s->attrs, SPAN_STR(SPAN_WARNINGS));

	draw_id(b, s->span_id, 8);
	draw_refs(b, s);
	span_buf_printf(b, " %" PRIu64 "+%" PRIu64, s->start_ns / 1000,
			s->duration_ns / 1000);
	for (size_t i = 0; i < s->n_events; i++) {
		span_buf_printf(b, "(%" PRIu64, s->events[i].time_ns / 1000);
		draw_attrs(b, &s->events[i].attrs, " ", "");
		span_buf_puts(b, ")");
	}
	draw_attrs(b, &s->attrs, " [", "]");
	draw_attrs(b, &s->process->attrs, " {", "}");
	for (size_t i = 0; w && i < w->array.n; i++) {
		span_buf_puts(b, " !");
		span_buf_str(b, w->array.v[i].str);
	}
	span_buf_puts(b, "\n");
}

static int put(void *arg, const struct span *s, struct span_error *err)
{
	return span_trace_builder_put(arg, s, err);
}

static void read_trace(struct span_trace_builder *b, const char *text)
{
	struct span_decoder *d;
	struct span_error err = {0};
	char *json = strdup(text);
	int64_t n;

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (span_decoder_open(&d, NULL, &err) < 0)
		abort();
	n = span_decoder_message(d, SPAN_FORMAT_JAEGER_JSON, json, strlen(json),
				 put, b, &err);
	if (n <= 0) {
		diag("%s at %" PRIu64 " of %s", err.msg, err.pos, json);
		abort();
	}
	span_decoder_close(&d);
	free(json);
}

static void test_case(size_t i)
{
	struct span_trace_builder b = {.keep_duplicates = false};
	struct span_trace t;
	struct span_buf got = {0};
	struct span_error err = {0};

	read_trace(&b, cases[i].trace);
	if (span_trace_builder_build(&b, &t, &err) < 0 ||
	    cases[i].fn(&b, &t, &err) < 0)
		abort();
	for (size_t k = 0; k < t.n; k++)
		draw_span(&got, &t.spans[k]);
	span_buf_putc(&got, 0);
	is_str(got.p, cases[i].want, "%s", cases[i].name);
	span_buf_release(&got);
	span_trace_builder_release(&b);
}

/* What fields say becomes tags, once, and the same JSON says it. */
static void test_fields(void)
{
	struct span_trace_builder b = {.keep_duplicates = false};
	struct span_scope scope = {.name = SPAN_STR("lib"),
				   .version = SPAN_STR("2")};
	struct span_process p = {.service = SPAN_STR("s")};
	struct span s = {.trace_id = {1},
			 .span_id = {1},
			 .process = &p,
			 .scope = &scope,
			 .kind = SPAN_KIND_SERVER,
			 .status = SPAN_STATUS_ERROR,
			 .status_message = SPAN_STR("no"),
			 .trace_state = SPAN_STR("a=b"),
			 .flags = 0x101};
	struct span_buf before = {0}, after = {0};
	struct span_trace t;

	if (span_trace_builder_put(&b, &s, NULL) < 0 ||
	    span_trace_builder_build(&b, &t, NULL) < 0)
		abort();
	span_encode_jaeger_json(&before, t.spans, t.n);
	is_int(span_adjust_fields(&b, &t, NULL), 0, "fields become tags");
	span_encode_jaeger_json(&after, t.spans, t.n);
	is_mem(after.p, after.len, before.p, before.len,
	       "and are written as they were before");
	is_uint(t.spans->attrs.n, 7, "all of them are tags");
	ok(!t.spans->scope && !t.spans->kind && !t.spans->status,
	   "and the fields are empty");
	span_buf_release(&before);
	span_buf_release(&after);
	span_trace_builder_release(&b);
}

/* Whatever spans are: ids are unique where they can be, and nothing is lost. */
static void test_random(void)
{
	size_t lost = 0, bad = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct span_arena arena = {0};
		struct rnd r = {seed, &arena};
		struct span_trace_builder b = {.keep_duplicates = false};
		struct span_trace t;
		struct span_buf json = {0};
		const struct span_process *processes[3];
		size_t n;

		for (size_t i = 0; i < 3; i++)
			processes[i] = rnd_process(&r);
		for (int i = 0; i < 40; i++) {
			struct span s = rnd_span(&r, processes[i % 3]);

			memset(s.trace_id, 1, 16);
			memset(s.span_id, 0, 7);
			s.span_id[7] = (uint8_t)(1 + rnd_below(&r, 9));
			if (span_trace_builder_put(&b, &s, NULL) < 0)
				abort();
		}
		if (span_trace_builder_build(&b, &t, NULL) < 0)
			abort();
		n = t.n;
		bad += span_adjust_all(&b, seed & 1, seed * 1000000, &t, NULL) <
		       0;
		lost += t.n > n || t.n + 5 < n;
		span_encode_jaeger_json(&json, t.spans, t.n);
		bad += json.failed;
		span_buf_release(&json);
		span_trace_builder_release(&b);
		span_arena_release(&arena);
	}
	is_uint(bad, 0, "random spans can be adjusted");
	is_uint(lost, 0, "and none of them is lost");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		test_case(i);
	test_fields();
	test_random();
	return done_testing();
}
