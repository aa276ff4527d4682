/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sampling_answer.h"

#include "tests/unit/tap.h"

static struct span_buf out, warnings;

static struct span_strategies *parse(const char *text, struct span_error *err)
{
	struct span_strategies *s = NULL;
	int rc;

	warnings.len = 0;
	rc = span_strategies_parse(&s, "f", text, strlen(text), &warnings, err);
	ok(!s == (rc < 0) && (rc >= 0 || (err && err->code == rc)),
	   "strategies or an error");
	return s;
}

#define P(rate)                                                                \
	"{\"strategyType\":\"PROBABILISTIC\","                                 \
	"\"probabilisticSampling\":{\"samplingRate\":" rate "}"
#define R(n)                                                                   \
	"{\"strategyType\":\"RATE_LIMITING\","                                 \
	"\"rateLimitingSampling\":{\"maxTracesPerSecond\":" n "}"
#define OPS(rate, list)                                                        \
	",\"operationSampling\":{\"defaultSamplingProbability\":" rate         \
	",\"defaultLowerBoundTracesPerSecond\":0,"                             \
	"\"perOperationStrategies\":[" list                                    \
	"],\"defaultUpperBoundTracesPerSecond\":0}"
#define OP(name, rate)                                                         \
	"{\"operation\":\"" name "\","                                         \
	"\"probabilisticSampling\":{\"samplingRate\":" rate "}}"

/* What service "s" is told. */
static const struct {
	const char *what, *text, *answer, *warning;
} good[] = {
	{"nothing", "{}", P("0.001") "}", ""},
	{"null", "{\"default_strategy\":null,\"service_strategies\":null}",
	 P("0.001") "}", ""},
	{"default",
	 "{\"default_strategy\":{\"type\":\"probabilistic\",\"param\":1}}",
	 P("1") "}", ""},
	{"default by rate",
	 "{\"default_strategy\":{\"type\":\"ratelimiting\",\"param\":100}}",
	 R("100") "}", ""},
	{"unknown type",
	 "{\"default_strategy\":{\"type\":\"adaptive\",\"param\":1}}",
	 P("0.001") "}",
	 "f: default_strategy: unknown type, neither 'probabilistic' nor "
	 "'ratelimiting': the default is taken\n"},
	{"own",
	 "{\"service_strategies\":[{\"service\":\"r\",\"type\":"
	 "\"probabilistic\",\"param\":0.5},{\"service\":\"s\",\"type\":"
	 "\"ratelimiting\",\"param\":2}]}",
	 R("2") "}", ""},
	{"own operations",
	 "{\"service_strategies\":[{\"service\":\"s\",\"type\":"
	 "\"probabilistic\",\"param\":0.5,\"operation_strategies\":["
	 "{\"operation\":\"a\",\"type\":\"probabilistic\",\"param\":0.25},"
	 "{\"operation\":\"b\",\"type\":\"probabilistic\",\"param\":1}]}]}",
	 P("0.5") OPS("0.5", OP("a", "0.25") "," OP("b", "1")) "}", ""},
	{"no type, but operations: the default's",
	 "{\"default_strategy\":{\"type\":\"probabilistic\",\"param\":0.1},"
	 "\"service_strategies\":[{\"service\":\"s\",\"operation_strategies\":["
	 "{\"operation\":\"a\",\"type\":\"probabilistic\",\"param\":0.25}]}]}",
	 P("0.1") OPS("0.1", OP("a", "0.25")) "}", ""},
	{"the default's operations, too",
	 "{\"default_strategy\":{\"type\":\"probabilistic\",\"param\":0.1,"
	 "\"operation_strategies\":["
	 "{\"operation\":\"a\",\"type\":\"probabilistic\",\"param\":0},"
	 "{\"operation\":\"h\",\"type\":\"probabilistic\",\"param\":0}]},"
	 "\"service_strategies\":[{\"service\":\"s\",\"type\":"
	 "\"probabilistic\",\"param\":0.2,\"operation_strategies\":["
	 "{\"operation\":\"a\",\"type\":\"probabilistic\",\"param\":0.25}]}]}",
	 P("0.2") OPS("0.2", OP("a", "0.25") "," OP("h", "0")) "}", ""},
	{"only the default's operations",
	 "{\"default_strategy\":{\"type\":\"probabilistic\",\"param\":0.1,"
	 "\"operation_strategies\":["
	 "{\"operation\":\"h\",\"type\":\"probabilistic\",\"param\":0}]},"
	 "\"service_strategies\":[{\"service\":\"s\",\"type\":"
	 "\"probabilistic\",\"param\":0.2}]}",
	 P("0.2") OPS("0.2", OP("h", "0")) "}", ""},
	{"and for who is limited, with its probability",
	 "{\"default_strategy\":{\"type\":\"probabilistic\",\"param\":0.1,"
	 "\"operation_strategies\":["
	 "{\"operation\":\"h\",\"type\":\"probabilistic\",\"param\":0}]},"
	 "\"service_strategies\":[{\"service\":\"s\",\"type\":"
	 "\"ratelimiting\",\"param\":7}]}",
	 R("7") OPS("0.1", OP("h", "0")) "}", ""},
	{"what is left out hides nothing of the default",
	 "{\"default_strategy\":{\"type\":\"probabilistic\",\"param\":0.1,"
	 "\"operation_strategies\":["
	 "{\"operation\":\"h\",\"type\":\"probabilistic\",\"param\":0}]},"
	 "\"service_strategies\":[{\"service\":\"s\",\"type\":"
	 "\"ratelimiting\",\"param\":7,\"operation_strategies\":["
	 "{\"operation\":\"h\",\"type\":\"ratelimiting\",\"param\":1}]}]}",
	 R("7") OPS("0.001", OP("h", "0")) "}",
	 "f: service_strategies[0].operation_strategies[0]: operations cannot "
	 "be 'ratelimiting': it is left out\n"},
	{"a limited operation is left out",
	 "{\"service_strategies\":[{\"service\":\"s\",\"type\":"
	 "\"probabilistic\",\"param\":0.5,\"operation_strategies\":["
	 "{\"operation\":\"a\",\"type\":\"ratelimiting\",\"param\":1}]}]}",
	 P("0.5") OPS("0.5", "") "}",
	 "f: service_strategies[0].operation_strategies[0]: operations cannot "
	 "be 'ratelimiting': it is left out\n"},
	{"a name to be escaped",
	 "{\"service_strategies\":[{\"service\":\"s\",\"type\":"
	 "\"probabilistic\",\"param\":0.5,\"operation_strategies\":["
	 "{\"operation\":\"a\\\"\\\\\\n\",\"type\":\"probabilistic\","
	 "\"param\":1e-3}]}]}",
	 P("0.5") OPS("0.5", OP("a\\\"\\\\\\n", "0.001")) "}", ""},
};

static void test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct span_error err = {0};
		struct span_strategies *s = parse(good[i].text, &err);

		if (!s) {
			diag("%s", err.msg);
			continue;
		}
		out.len = 0;
		span__sampling_answer(s, SPAN_STR("s"), false, &out);
		is(out.p, out.len, good[i].answer, good[i].what);
		is_mem(warnings.p, warnings.len, good[i].warning,
		       strlen(good[i].warning), "%s: warnings", good[i].what);
		span_strategies_close(&s);
	}
}

static const struct {
	const char *text, *message;
} bad[] = {
	{"", "f: no JSON at line 1, column 1"},
	{"{} x", "f: no JSON at line 1, column 3"},
	{"{\n \"a\": }", "f: no JSON at line 2, column 7"},
	{"[]", "f: it is not an object"},
	{"{\"default_strategy\":1}",
	 "f: line 1: default_strategy is not an object"},
	{"{\n\"service_strategies\":[{\"service\":\"{\"},\n"
	 "{\"service\":\"b\",\n\"type\":\"probabilistic\"}],\n"
	 "\"default_strategy\":{}}",
	 "f: line 3: service_strategies[1]: 'param' is not a number"},
	{"{\"default_strategy\":{\"type\":1}}",
	 "f: line 1: default_strategy: 'type' is not a string"},
	{"{\"default_strategy\":{\"type\":\"probabilistic\"}}",
	 "f: line 1: default_strategy: 'param' is not a number"},
	{"{\"default_strategy\":{\"type\":\"probabilistic\",\"param\":1.5}}",
	 "f: line 1: default_strategy: a probability is 0 to 1"},
	{"{\"default_strategy\":{\"type\":\"ratelimiting\",\"param\":1.5}}",
	 "f: line 1: default_strategy: the limit is a whole number of traces a "
	 "second"},
	{"{\"default_strategy\":{\"type\":\"ratelimiting\",\"param\":1e99}}",
	 "f: line 1: default_strategy: the limit is a whole number of traces a "
	 "second"},
	{"{\"default_strategy\":{\"operation_strategies\":1}}",
	 "f: line 1: default_strategy.operation_strategies is not a list"},
	{"{\"default_strategy\":{\"operation_strategies\":[{}]}}",
	 "f: line 1: default_strategy.operation_strategies[0]: there is no "
	 "'operation'"},
	{"{\"service_strategies\":{}}",
	 "f: line 1: service_strategies is not a list"},
	{"{\"service_strategies\":[1]}",
	 "f: line 1: service_strategies[0]: there is no 'service'"},
	{"{\"service_strategies\":[{\"service\":\"a\"},{\"service\":\"\"}]}",
	 "f: line 1: service_strategies[1]: there is no 'service'"},
	{"{\"service_strategies\":[{\"service\":\"a\"},{\"service\":\"a\"}]}",
	 "f: line 1: service_strategies names a service twice: 'a'"},
	{"{\"baggage_restrictions\":[{\"baggageKey\":\"a\"}]}",
	 "f: line 1: baggage_restrictions[0] has not 'baggageKey' and "
	 "'maxValueLength'"},
};

static void test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span_error err = {0};
		struct span_strategies *s = parse(bad[i].text, &err);

		ok(!s, "%s is bad", bad[i].text);
		is_str(err.msg, bad[i].message, "and it says why");
		span_strategies_close(&s);
	}
}

static void test_dialects(void)
{
	struct span_strategies *s;

	out.len = 0;
	span__sampling_answer(NULL, SPAN_STR("x"), true, &out);
	is(out.p, out.len,
	   "{\"strategyType\":0,"
	   "\"probabilisticSampling\":{\"samplingRate\":0.001}}",
	   "without a file, as a number");
	ok(!span__baggage_answer(NULL, &out), "and without baggage");
	s = parse("{\"service_strategies\":[{\"service\":\"b\",\"type\":"
		  "\"ratelimiting\",\"param\":3}],\"baggage_restrictions\":"
		  "[{\"baggageKey\":\"k\",\"maxValueLength\":10}]}",
		  NULL);
	out.len = 0;
	span__sampling_answer(s, SPAN_STR("b"), true, &out);
	is(out.p, out.len,
	   "{\"strategyType\":1,"
	   "\"rateLimitingSampling\":{\"maxTracesPerSecond\":3}}",
	   "a limit as a number");
	out.len = 0;
	ok(span__baggage_answer(s, &out), "with baggage");
	is(out.p, out.len, "[{\"baggageKey\":\"k\",\"maxValueLength\":10}]",
	   "as the file has it");
	is_uint(s->n, 1, "one service is named");
	span_strategies_close(&s);
}

/* Deeper than anybody needs; cJSON has a limit of its own. */
static void test_deep(void)
{
	struct span_error err = {0};
	struct span_buf b = {0};
	struct span_strategies *s;

	for (int i = 0; i < 100000; i++)
		span_buf_putc(&b, '[');
	span_buf_putc(&b, '\0');
	s = parse(b.p, &err);
	ok(!s && err.code == SPAN_E_CORRUPT, "nesting without an end is bad");
	span_buf_release(&b);
}

int main(void)
{
	test_good();
	test_bad();
	test_dialects();
	test_deep();
	span_buf_release(&out);
	span_buf_release(&warnings);
	return done_testing();
}
