/* SPDX-License-Identifier: Apache-2.0 */
#include <span/log.h>
#include <span/text.h>

#include "tests/unit/tap.h"

#define T "4bf92f3577b34da6a3ce929d0e0e4736"
#define S "00f067aa0ba902b7"

static const uint8_t trace_id[16] = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3,
				     0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d,
				     0x0e, 0x0e, 0x47, 0x36};

static void count(void *arg, const uint8_t id[16], struct span_str value)
{
	(void)id;
	(void)value;
	++*(size_t *)arg;
}

static const struct {
	const char *line;
	size_t n; /* ids, each as often as it is seen */
} ids[] = {
	{"", 0},
	{"trace_id=c0ffee", 1},
	{"trace_id=0", 0},
	{"TraceID: c0ffee.", 1},
	{"xtrace_id=c0ffee", 0},
	{"trace_id=" T, 2}, /* by its name, and by its digits */
	{T, 1},
	{T "0", 0},
	{"x" T, 0},
	{"00-" T "-" S "-01", 1},
	{S, 0},
	{"{\\\"traceId\\\":\\\"c0ffee\\\"}", 1},
	{"see https://h/trace/c0ffee?x", 1},
	{"trace_id=c0ffee trace_id=beef", 2},
	{"trace_id=", 0},
	{"trace_id", 0},
	{"trace_id=nonsense", 0},
};

static void test_ids(void)
{
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		size_t n = 0;

		span_log_ids(span_str(ids[i].line), count, &n);
		is_uint(n, ids[i].n, "ids in '%s'", ids[i].line);
	}
}

static const struct {
	const char *line, *time, *span, *fields;
} lines[] = {
	{"2026-01-01T00:00:00.100Z INFO traceId=" T " spanId=" S " x",
	 "2026-01-01T00:00:00.100000000Z", S,
	 "message=2026-01-01T00:00:00.100Z INFO traceId=" T " spanId=" S " x"},
	{"[2026-01-01 00:00:01,5] " T, "2026-01-01T00:00:01.500000000Z", "",
	 "message=[2026-01-01 00:00:01,5] " T},
	{"00-" T "-" S "-01 at", "", S, "message=00-" T "-" S "-01 at"},
	{"uber-trace-id: " T ":" S ":0:1", "", S,
	 "message=uber-trace-id: " T ":" S ":0:1"},
	{"ts=1767225600.25 level=info msg=\"a \\\"b\\\"\" trace_id=" T,
	 "2026-01-01T00:00:00.250000000Z", "", "level=info message=a \"b\""},
	{"{\"time\":1767225600123,\"msg\":\"x\\ny\",\"n\":1,\"o\":{\"a\":[1]},"
	 "\"z\":null,\"trace_id\":\"" T "\",\"span_id\":\"1\"}",
	 "2026-01-01T00:00:00.123000000Z", "0000000000000001",
	 "message=x\ny n=1 o={\"a\":[1]}"},
	{"{\"timestamp\":\"2026-01-01T01:00:00+01:00\",\"labels\":{\"trace_"
	 "id\":"
	 "\"" T "\"},\"line\":\"span=x duration=5us\"}",
	 "2026-01-01T00:00:00.000000000Z", "", "span=x duration=5us"},
	{"{\"labels\":{},\"line\":\"{\\\"a\\\":\\\"b\\\"}\"}", "", "", "a=b"},
	{"{\"labels\":{},\"line\":\"plain " T "\"}", "", "",
	 "message=plain " T},
	{"{\"broken\": " T, "", "", "message={\"broken\": " T},
	{"a=b c " T, "", "", "message=a=b c " T},
	{"time=99:99 ts=1 t=12345678901234567890 " T, "", "",
	 "message=time=99:99 ts=1 t=12345678901234567890 " T},
	{"t=1767225600123456789 x=y", "2026-01-01T00:00:00.123456789Z", "",
	 "x=y"},
	{"", "", "", "message="},
};

static void put_fields(struct span_buf *b, const struct span_attrs *a)
{
	b->len = 0;
	for (size_t i = 0; i < a->n; i++) {
		if (i)
			span_buf_putc(b, ' ');
		span_buf_str(b, a->v[i].key);
		span_buf_putc(b, '=');
		span_buf_str(b, a->v[i].value.str);
	}
	span_buf_putc(b, '\0');
}

static void test_lines(void)
{
	struct span_arena arena = {0};
	struct span_buf fields = {0}, time = {0};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char id[SPAN_ID_TEXT] = "";
		struct span_log log;

		is_int(span_log_read(&log, span_str(lines[i].line), trace_id,
				     &arena, NULL),
		       0, "'%s' is read", lines[i].line);
		time.len = 0;
		if (log.event.time_ns)
			span_text_time(&time, log.event.time_ns, 9);
		span_buf_putc(&time, '\0');
		is_str(time.p, lines[i].time, "its time");
		if (log.has_span)
			span_id_text(log.span_id, id);
		is_str(id, lines[i].span, "its span");
		put_fields(&fields, &log.event.attrs);
		is_str(fields.p, lines[i].fields, "its fields");
		span_arena_reset(&arena);
	}
	span_arena_release(&arena);
	span_buf_release(&fields);
	span_buf_release(&time);
}

/* ---- Answers ---- */

static int put_entry(void *arg, const struct span_log_entry *e,
		     struct span_error *err)
{
	struct span_buf *b = arg;

	(void)err;
	span_text_uint(b, e->time_ns);
	for (size_t i = 0; i < e->n_labels; i++) {
		span_buf_putc(b, ' ');
		span_buf_str(b, e->labels[i].key);
		span_buf_putc(b, '=');
		span_buf_str(b, e->labels[i].value.str);
	}
	span_buf_putc(b, ' ');
	span_buf_str(b, e->line);
	span_buf_putc(b, ';');
	return span_str_equal(e->line, SPAN_STR("stop")) ? SPAN_E_LIMIT : 0;
}

static const struct {
	const char *text;
	int rc;
	const char *entries;
} answers[] = {
	{"{\"status\":\"success\",\"data\":{\"resultType\":\"streams\","
	 "\"result\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"x\"],"
	 "[\"2\",\"y\\n\",{}]]},{\"values\":[[\"3\",\"z\"]],\"stream\":{\"c\":"
	 "\"d\"},\"n\":1}],\"stats\":{}}}",
	 0, "1 a=b x;2 a=b y\n;3 c=d z;"},
	{"{\"data\":{\"result\":[]}}", 0, ""},
	{"{\"data\":{\"result\":[{\"stream\":{},\"values\":[[\"1\",\"stop\"],"
	 "[\"2\",\"x\"]]}]}}",
	 SPAN_E_LIMIT, "1 stop;"},
	{"", SPAN_E_CORRUPT, ""},
	{"[]", SPAN_E_CORRUPT, ""},
	{"{\"data\":{\"result\":[{\"stream\":{\"a\":5}}]}}", SPAN_E_CORRUPT,
	 ""},
	{"{\"data\":{\"result\":[{\"values\":[[\"1\",2]]}]}}", SPAN_E_CORRUPT,
	 ""},
	{"{\"data\":{\"result\":[{\"values\":[[\"1\",\"x\"]]}", SPAN_E_CORRUPT,
	 "1 x;"},
};

static void test_answers(void)
{
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct span_error err = {0};

		b.len = 0;
		is_int(span_log_loki(span_str(answers[i].text), put_entry, &b,
				     &err),
		       answers[i].rc, "answer '%s'", answers[i].text);
		span_buf_putc(&b, '\0');
		is_str(b.p, answers[i].entries, "its entries");
	}
	span_buf_release(&b);
}

static void test_trace_id(void)
{
	uint8_t id[16];

	is_int(span_log_trace_id("00-" T "-" S "-01", id, NULL), 0,
	       "a traceparent");
	ok(!memcmp(id, trace_id, 16), "is the id in it");
	is_int(span_log_trace_id("x", id, NULL), SPAN_E_INVALID, "no id");
}

int main(void)
{
	test_ids();
	test_lines();
	test_answers();
	test_trace_id();
	return done_testing();
}
