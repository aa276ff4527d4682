/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's JSON to spans: the API's answer, a trace, a list; what is lenient,
 * what costs a span and what the message; and that what is written is read
 * back.
 */
#include "decode_help.h"
#include "random-span.h"

#include "base/banned.h"

/* The text of the spans of JSON, or of its error. */
static const char *read_json(const char *json)
{
	static struct span_buf text;
	struct span_buf b = {.p = (char *)(uintptr_t)json, .len = strlen(json)};
	const struct span_error *bad;

	decode(decoder, &b, &text);
	bad = span_decoder_bad_span(decoder);
	if (bad) {
		text.len--;
		span_buf_printf(&text, "bad: %s at %zu", bad->msg,
				(size_t)bad->pos);
		span_buf_putc(&text, 0);
	}
	return text.p;
}

static const char trace[] =
	"{\"traceID\":\"ab\",\"spans\":["
	"{\"traceID\":\"ab\",\"spanID\":\"1\",\"flags\":1,"
	"\"operationName\":\"GET /cart\",\"references\":[],"
	"\"startTime\":1700000000000000,\"duration\":12000,\"tags\":["
	"{\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"server\"},"
	"{\"key\":\"http.status_code\",\"type\":\"int64\",\"value\":500},"
	"{\"key\":\"big\",\"type\":\"int64\",\"value\":\"9007199254740993\"},"
	"{\"key\":\"error\",\"type\":\"bool\",\"value\":true},"
	"{\"key\":\"load\",\"type\":\"float64\",\"value\":0.5},"
	"{\"key\":\"blob\",\"type\":\"binary\",\"value\":\"AP8=\"}],"
	"\"logs\":[{\"timestamp\":1700000000001000,\"fields\":[{\"key\":"
	"\"event\",\"type\":\"string\",\"value\":\"retry\"}]}],"
	"\"processID\":\"p1\",\"warnings\":null},"
	"{\"traceID\":\"ab\",\"spanID\":\"2\",\"operationName\":\"SELECT\","
	"\"references\":[{\"refType\":\"CHILD_OF\",\"traceID\":\"ab\","
	"\"spanID\":\"1\"}],\"startTime\":1700000000002000,"
	"\"duration\":3000,\"tags\":[],\"logs\":[],\"processID\":\"p2\","
	"\"warnings\":[\"clock skew\",\"a text, list or nesting was cut\"]}],"
	"\"processes\":{\"p1\":{\"serviceName\":\"cart\",\"tags\":[{\"key\":"
	"\"ip\",\"type\":\"string\",\"value\":\"10.0.0.1\"}]},"
	"\"p2\":{\"serviceName\":\"db\",\"tags\":[]}},\"warnings\":null}";

static const char spans[] =
	"cart(ip=s:10.0.0.1) 00000000000000ab/0000000000000001 \"GET /cart\" "
	"flags=1 1700000000000000000+12000000 server error (span.kind=s:server "
	"http.status_code=i:500 big=i:9007199254740993 error=b:true "
	"load=d:0.5 blob=y:00ff) [1700000000001000000 event=s:retry]\n"
	"db 00000000000000ab/0000000000000002<0000000000000001 \"SELECT\" "
	"flags=0 1700000000002000000+3000000 "
	"(@jaeger@warnings=a:[\"clock skew\"]) "
	"{0 00000000000000ab/0000000000000001} marks=1\n";

static void test_shapes(void)
{
	static const struct {
		const char *name, *before, *after;
	} table[] = {
		{"a trace alone", "", ""},
		{"an answer of the API", "{\"data\":[",
		 "],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}"},
		{"data behind other members",
		 "{\"total\":1,\"errors\":[{\"msg\":\"]}\"}],\"data\":[null,",
		 "]}"},
		{"data that is one trace", "{\"data\":", "}"},
		{"a list of traces", " [ ", "]\n"},
	};
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		b.len = 0;
		span_buf_puts(&b, table[i].before);
		span_buf_puts(&b, trace);
		span_buf_puts(&b, table[i].after);
		span_buf_putc(&b, 0);
		is_str(read_json(b.p), spans, "%s", table[i].name);
	}
	is_int(span_decoder_format(decoder), SPAN_FORMAT_JAEGER_JSON,
	       "the format is found");
	is_str(read_json("{\"data\":null,\"errors\":[{\"code\":404}]}"), "",
	       "an answer without traces");
	span_buf_release(&b);
}

#define ONE "{\"traceID\":\"1\",\"spans\":[{\"spanID\":\"2\","
#define END "}],\"processes\":{\"p\":{\"serviceName\":\"s\"}}}"
#define S "s 0000000000000001/0000000000000002 \"o\" flags=0 0+0"

static void test_tags(void)
{
	static const struct {
		const char *json, *want;
	} table[] = {
		{"\"value\":5,\"type\":\"int64\"", "i:5"},
		{"\"type\":\"int64\",\"value\":\"-9223372036854775808\"",
		 "i:-9223372036854775808"},
		{"\"type\":\"int64\",\"value\":\"9223372036854775808\"",
		 "s:9223372036854775808"},
		{"\"type\":\"int64\",\"value\":1.5", "s:1.5"},
		{"\"type\":\"float64\",\"value\":3", "d:3"},
		{"\"type\":\"float64\",\"value\":\"NaN\"", "d:NaN"},
		{"\"type\":\"float64\",\"value\":\"much\"", "s:much"},
		{"\"type\":\"bool\",\"value\":\"true\"", "s:true"},
		{"\"type\":\"binary\",\"value\":\"_w\"", "y:ff"},
		{"\"type\":\"binary\",\"value\":\"!\"", "s:!"},
		{"\"type\":\"string\",\"value\":12", "s:12"},
		{"\"type\":\"string\",\"value\":{\"a\":[1]}", "s:{\"a\":[1]}"},
		{"\"type\":\"string\",\"value\":null", "s:"},
		{"\"value\":true", "b:true"},
		{"\"value\":7", "i:7"},
		{"\"value\":7e0", "d:7"},
		{"\"value\":\"x\\u00e9\\n\"", "s:x\xc3\xa9\n"},
		{"\"type\":\"later\",\"value\":\"x\"", "s:x"},
		{"\"x\":1", "n:"},
	};
	char json[400], want[200];

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		snprintf(json, sizeof(json), "%s%s%s",
			 ONE "\"operationName\":\"o\",\"processID\":\"p\","
			     "\"tags\":[{\"key\":\"k\",",
			 table[i].json, "}]" END);
		snprintf(want, sizeof(want), S " (k=%s)\n", table[i].want);
		is_str(read_json(json), want, "%s", table[i].json);
	}
}

static void test_lenient(void)
{
	static const struct {
		const char *name, *json, *want;
	} table[] = {
		{"nulls where lists are",
		 ONE
		 "\"operationName\":\"o\",\"processID\":\"p\",\"tags\":null,"
		 "\"logs\":null,\"references\":null" END,
		 S "\n"},
		{"parentSpanID, upper case ids",
		 ONE "\"operationName\":\"o\",\"processID\":\"p\","
		     "\"parentSpanID\":\"A\",\"traceID\":"
		     "\"ABCDEF0123456789abcdef0123456789\"" END,
		 "s abcdef0123456789abcdef0123456789/0000000000000002"
		 "<000000000000000a \"o\" flags=0 0+0\n"},
		{"a span alone, with its process",
		 "{\"traceID\":\"1\",\"spanID\":\"2\",\"operationName\":\"o\","
		 "\"process\":{\"tags\":[],\"serviceName\":\"s\"}}",
		 S "\n"},
		{"a list of such spans",
		 "[{\"spanID\":\"2\",\"traceID\":\"1\",\"operationName\":\"o\","
		 "\"process\":{\"serviceName\":\"s\"}}]",
		 S "\n"},
		{"the later of two processes",
		 ONE "\"operationName\":\"o\",\"processID\":\"p\"}],"
		     "\"processes\":{\"p\":{\"serviceName\":\"x\"},\"q\":{},"
		     "\"p\":{\"serviceName\":\"s\"},\"o\":null}}",
		 S "\n"},
		{"processes before the spans, an escape in their name",
		 "{\"processes\":{\"p\":{\"serviceName\":\"s\"}},"
		 "\"spans\":[{\"traceID\":\"1\",\"spanID\":\"2\","
		 "\"operationName\":\"o\",\"processID\":\"\\u0070\"}]}",
		 S "\n"},
		{"a process that is not there",
		 ONE "\"operationName\":\"o\",\"processID\":\"x\"" END,
		 "empty-service-name 0000000000000001/0000000000000002 \"o\" "
		 "flags=0 0+0 marks=4\n"},
		{"no name, a negative duration",
		 ONE "\"processID\":\"p\",\"duration\":-1" END,
		 "s 0000000000000001/0000000000000002 \"empty-span-name\" "
		 "flags=0 0+0 (spantools.original_duration_us=i:-1) marks=6\n"},
		{"zero ids, as Thrift may have them",
		 "{\"spans\":[{\"traceID\":\"0\",\"spanID\":\"00\","
		 "\"operationName\":\"o\",\"process\":{\"serviceName\":\"s\"}}]"
		 "}",
		 "s 0000000000000000/0000000000000000 \"o\" flags=0 0+0\n"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		is_str(read_json(table[i].json), table[i].want, "%s",
		       table[i].name);
}

#define GOOD                                                                   \
	"{\"traceID\":\"1\",\"spanID\":\"2\",\"operationName\":\"o\","         \
	"\"process\":{\"serviceName\":\"s\"}}"

/* What costs a span, and where it is said to be. */
static void test_bad_spans(void)
{
	static const struct {
		const char *span, *want;
	} table[] = {
		{"{}", "a span has no valid traceID at 1"},
		{"{\"traceID\":\"1\"}", "neither a span nor a trace at 1"},
		{"{\"spanID\":\"1\"}", "a span has no valid traceID at 1"},
		{"{\"traceID\":\"x\",\"spanID\":\"1\"}",
		 "a span has no valid traceID at 1"},
		{"{\"traceID\":\"1\",\"spanID\":\"00000000000000001\"}",
		 "a span has no valid spanID at 1"},
		{"{\"traceID\":\"1\",\"spanID\":\"1\",\"parentSpanID\":\"-\"}",
		 "the parentSpanID is no id at 1"},
		{"{\"traceID\":\"1\",\"spanID\":\"1\",\"startTime\":\"now\"}",
		 "a time is no number of microseconds at 41"},
		{"{\"traceID\":\"1\",\"spanID\":\"1\",\"flags\":-1}",
		 "the flags are no number of 32 bits at 37"},
		{"{\"traceID\":\"1\",\"spanID\":\"1\",\"logs\":[{\"timestamp\":"
		 "{}}]}",
		 "a log has no valid time at 50"},
		{"{\"traceID\":\"1\",\"spanID\":\"1\",\"references\":[{}]}",
		 "a reference has no valid ids at 43"},
	};
	char json[400], want[200];

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint64_t before = span_decoder_stats(decoder)->bad_spans;

		snprintf(json, sizeof(json), "[%s%s%s", table[i].span, ",",
			 GOOD "]");
		snprintf(want, sizeof(want), S "\nbad: %s", table[i].want);
		/* A list of objects without a name is nobody's. */
		if (!i)
			snprintf(json, sizeof(json), "{\"spans\":[%s,%s]}",
				 table[i].span, GOOD);
		if (!i)
			snprintf(want, sizeof(want), S "\nbad: %s",
				 "a span has no valid traceID at 10");
		is_str(read_json(json), want, "costs a span: %s",
		       table[i].span);
		is_uint(span_decoder_stats(decoder)->bad_spans, before + 1,
			"and is counted");
	}
}

static void test_bad_messages(void)
{
	static const struct {
		const char *json, *want;
	} table[] = {
		{"{\"data\":[{\"spans\":[" GOOD "]}",
		 "-3: the JSON text is cut short at 99"},
		{"{\"spans\":[" GOOD "}]",
		 "-4: the JSON text is damaged at 88"},
		{"{\"spans\":[" GOOD ",]}", "-4: a value should be here at 89"},
		{"{\"spans\":[" GOOD "]}x",
		 "-4: something follows the value at 90"},
		{"{\"data\":[1]}", "-4: an object should be here at 9"},
		{"{\"data\":7}", "-4: an array should be here at 8"},
		{"{\"spanID\":1,\"x\":{\"y\" 1}}",
		 "-4: a colon should be here at 21"},
		{"[{\"traceID\":\"\\q\"}]",
		 "-4: an escape that JSON does not have at 13"},
		{"{\"none\":1}", "-4: JSON, but none of a known format at 0"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		is_str(read_json(table[i].json), table[i].want, "%s",
		       table[i].json);
	is_int(span_decoder_message(decoder, SPAN_FORMAT_JAEGER_JSON,
				    "{\"x\":1}", 7, NULL, NULL, NULL),
	       SPAN_E_CORRUPT, "an object that is none of Jaeger's");
}

static int collect(void *arg, const struct span *s, struct span_error *err)
{
	struct span_buf *b = arg;

	(void)err;
	if (!b->failed && span_equal(s, s))
		span_encode_jaeger_json(b, s, 1);
	span_buf_putc(b, '\n');
	return 0;
}

/* What N spans become when their JSON is read and each is written alone. */
static void again(struct span_buf *out, const struct span_buf *in, size_t n)
{
	struct span_error err = {0};

	out->len = 0;
	if (span_decoder_message(decoder, SPAN_FORMAT_JAEGER_JSON, in->p,
				 in->len, collect, out, &err) != (int)n)
		ok(false, "read back: %s at %zu", err.msg, (size_t)err.pos);
}

/*
 * Names that are filled in and text that is no UTF-8 settle when they are
 * read first; after that nothing changes any more.
 */
static void test_round_trip(void)
{
	struct span_arena arena = {0};
	struct rnd r = {.state = 5, .arena = &arena};
	struct span_buf first = {0}, second = {0}, lines = {0},
			again_lines = {0};
	size_t wrong = 0;

	for (int i = 0; i < 400; i++) {
		struct span v[3];

		for (int k = 0; k < 3; k++)
			v[k] = rnd_span(&r, rnd_process(&r));
		first.len = 0;
		if (span_encode_message(&first, SPAN_FORMAT_JAEGER_JSON, v, 3,
					NULL) < 0)
			break;
		again(&lines, &first, 3);
		second.len = 0;
		span_buf_putc(&second, '[');
		for (size_t at = 0; at < lines.len; at++)
			span_buf_putc(&second,
				      lines.p[at] == '\n' ? ',' : lines.p[at]);
		second.p[second.len - 1] = ']';
		again(&again_lines, &second, 3);
		wrong += lines.len != again_lines.len ||
			 memcmp(lines.p, again_lines.p, lines.len) != 0;
		span_arena_reset(&arena);
	}
	is_uint(wrong, 0, "400 times three random spans");
	span_arena_release(&arena);
	span_buf_release(&first);
	span_buf_release(&second);
	span_buf_release(&lines);
	span_buf_release(&again_lines);
}

/* Spans of several traces gather to traces, in the order they came. */
static void test_grouping(void)
{
	struct span_process p[] = {{.service = SPAN_STR("a")},
				   {.service = SPAN_STR("b")}};
	struct span v[4];
	struct span_buf b = {0}, text = {0};

	for (size_t i = 0; i < 4; i++) {
		v[i] = (struct span){.process = &p[i / 2],
				     .name = SPAN_STR("o")};
		v[i].trace_id[15] = i == 1 ? 1 : 2;
		v[i].span_id[7] = (uint8_t)i;
	}
	is_int(span_encode_message(&b, SPAN_FORMAT_JAEGER_JSON, v, 4, NULL), 0,
	       "four spans of two traces");
	is_str(decode(decoder, &b, &text),
	       "a 0000000000000002/0000000000000000 \"o\" flags=0 0+0\n"
	       "b 0000000000000002/0000000000000002 \"o\" flags=0 0+0\n"
	       "b 0000000000000002/0000000000000003 \"o\" flags=0 0+0\n"
	       "a 0000000000000001/0000000000000001 \"o\" flags=0 0+0\n",
	       "come trace by trace");
	span_buf_release(&b);
	span_buf_release(&text);
}

static size_t most;

static int see_memory(void *arg, const struct span *s, struct span_error *err)
{
	size_t size = span_arena_size(&decoder->arena) +
		      span_arena_size(&decoder->keep);

	(void)arg;
	(void)s;
	(void)err;
	if (size > most)
		most = size;
	return 0;
}

/* A long answer is read within the memory of a span and its processes. */
static void test_memory(void)
{
	static const char *const parts[] = {"{\"key\":\"\"},",
					    "{\"fields\":[{\"key\":1}]},"};
	struct span_buf b = {0};

	span_decoder_close(&decoder);
	if (span_decoder_open(&decoder, NULL, NULL) < 0)
		return;
	span_buf_puts(&b, "{\"data\":[");
	while (b.len < 4 << 20) {
		span_buf_puts(&b, trace);
		span_buf_putc(&b, ',');
	}
	b.len--;
	span_buf_puts(&b, "]}");
	most = 0;
	ok(span_decoder_message(decoder, 0, b.p, b.len, see_memory, NULL,
				NULL) > 5000,
	   "an answer of 4 MiB");
	ok(most < 64 << 10, "in %zu KiB", most >> 10);
	for (int i = 0; i < 2; i++) {
		b.len = 0;
		span_buf_puts(&b, "[{\"traceID\":\"1\",\"spanID\":\"1\",");
		span_buf_puts(&b, i ? "\"logs\":[" : "\"tags\":[");
		for (int k = 0; k < 1024; k++)
			span_buf_puts(&b, parts[i]);
		b.len--;
		span_buf_puts(&b, "]}]");
		most = 0;
		is_int(span_decoder_message(decoder, 0, b.p, b.len, see_memory,
					    NULL, NULL),
		       1, "1,024 of the smallest");
		ok(most <= 48 * b.len + (64 << 10), "in %zu KiB for %zu",
		   most >> 10, b.len >> 10);
	}
	span_buf_release(&b);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_shapes();
	test_tags();
	test_lenient();
	test_bad_spans();
	test_bad_messages();
	test_round_trip();
	test_grouping();
	test_memory();
	span_decoder_close(&decoder);
	return done_testing();
}
