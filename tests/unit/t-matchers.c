/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus selectors: what is read, where it is wrong, what they choose. */
#include <span/query.h>

#include "query/matchers.h"
#include "tests/unit/tap.h"

static struct span_error err;

/* "metric|label op value|..." of what was read, or NULL. */
static const char *read_back(const char *text)
{
	static char out[512];
	struct span_arena arena = {0};
	struct span__selector s;
	int rc;

	err = (struct span_error){0};
	rc = span__selector_read(&s, text, &arena, &err);
	if (rc < 0) {
		span_arena_release(&arena);
		return NULL;
	}
	snprintf(out, sizeof(out), "%.*s", (int)s.metric.len,
		 s.metric.len ? s.metric.p : "");
	for (size_t i = 0; i < s.n; i++) {
		const struct span__matcher *m = &s.v[i];
		size_t len = strlen(out);

		snprintf(out + len, sizeof(out) - len, "|%.*s%s%.*s",
			 (int)m->name.len, m->name.p,
			 m->is_regex ? (m->negate ? "!~" : "=~")
				     : (m->negate ? "!=" : "="),
			 (int)m->value.len, m->value.len ? m->value.p : "");
	}
	span_arena_release(&arena);
	return out;
}

static void test_read(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"{a=\"b\"}", "|a=b"},
		{" { a = \"b\" , } ", "|a=b"},
		{"m", "m"},
		{"m{}", "m"},
		{"ns:m{a!=\"b\",c=~\"d\",e!~\"f\"}", "ns:m|a!=b|c=~d|e!~f"},
		{"{a='b',c=`d`}", "|a=b|c=d"},
		{"{a=\"it's\",b='\"',c=`\"'\\n`}", "|a=it's|b=\"|c=\"'\\n"},
		{"{a=\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"}",
		 "|a=\a\b\f\n\r\t\v\\\""},
		{"{a='\\''}", "|a='"},
		{"{a=\"\\101\\x42\\u00e9\\U0001F600\"}",
		 "|a=AB\xc3\xa9\xf0\x9f\x98\x80"},
		{"{a=\"\\u007f\\u07ff\\uffff\"}",
		 "|a=\x7f\xdf\xbf\xef\xbf\xbf"},
		{"{a=\"\xff\"}", "|a=\xff"},
		{"{a=`x\ny`}", "|a=x\ny"},
		{"{\"http.method\"=\"GET\"}", "|http.method=GET"},
		{"{\"my.metric\",a=\"b\"}", "my.metric|a=b"},
		{"{__name__=\"m\",a=\"b\"}", "m|__name__=m|a=b"},
		{"{__name__=~\"m.*\"}", "|__name__=~m.*"},
		{"m{a=\"}\"} 42", "m|a=}"},
		{"m{a=\"b\"}\t4.2e1 1712345678000", "m|a=b"},
		{"m{a=\"b\"} +Inf", "m|a=b"},
		{"m{a=\"b\"} => 42 @[1712345678.123]", "m|a=b"},
		{"m{a=\"b\"} 42 @1712345678.123", "m|a=b"},
		{"m 42", "m"},
		{"m_bucket{le=\"0.5\"} 3 # {trace_id=\"ab\",span_id=\"cd\"} "
		 "0.2",
		 "m_bucket|le=0.5"},
		{"m{a=\"b\"} 3 1.5 # {} 0.2 1712345678.9\n", "m|a=b"},
		{"m{a=\"b\"\n,\n}\n", "m|a=b"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *got = read_back(rows[i].text);

		is_str(got ? got : err.msg, rows[i].want,
		       "selector %zu is read", i);
	}
}

static void test_wrong(void)
{
	static const struct {
		const char *text;
		unsigned pos;
		const char *what;
	} rows[] = {
		{"", 0, "'{' or the name of a metric was expected"},
		{"\"a\"", 0, "'{' or the name of a metric was expected"},
		{"m{", 1, "the brace is not closed"},
		{"{a=\"b\"", 0, "the brace is not closed"},
		{"{,}", 1, "the name of a label was expected"},
		{"{a=\"b\",,}", 7, "the name of a label was expected"},
		{"{1a=\"b\"}", 1, "the name of a label was expected"},
		{"{\"\"=\"b\"}", 1, "the name of a label was expected"},
		{"{a}", 2, NULL},
		{"{a.b=\"c\"}", 2, NULL},
		{"{a~\"b\"}", 2, "a regular expression is =~"},
		{"{a!\"b\"}", 2, NULL},
		{"{a=b}", 3, "a value in quotes was expected"},
		{"{a==\"b\"}", 3, "a value in quotes was expected"},
		{"{a=\"b}", 3, "the quote is not closed"},
		{"{a=\"b\nc\"}", 5, NULL},
		{"{a=\"\\'\"}", 4, NULL},
		{"{a=\"\\d+\"}", 4,
		 "an escape that there is not; \\\\ is a backslash"},
		{"{a=\"b\\", 5, NULL},
		{"{a=\"\\400\"}", 4, "no character is that"},
		{"{a=\"\\18\"}", 4, "no character is that"},
		{"{a=\"\\x4\"}", 4, "no character is that"},
		{"{a=\"\\ud800\"}", 4, "no character is that"},
		{"{a=\"\\U00110000\"}", 4, "no character is that"},
		{"{a=\"b\" c=\"d\"}", 7, "',' or '}' was expected"},
		{"m{\"n\"}", 2, "the metric has a name already"},
		{"m{__name__=\"n\"}", 2, "the metric has a name already"},
		{"rate(m{a=\"b\"}[5m])", 0,
		 "only the selector inside of a function is understood"},
		{"m{a=\"b\"}[5m]", 8, "the selector was expected to end here"},
		{"m{a=\"b\"} > 2", 9, "the selector was expected to end here"},
		{"m{a=\"b\"} offset 5m", 9, NULL},
		{"m{a=\"b\"} 1 x", 11, "a time was expected"},
		{"m{a=\"b\"} 1 @[2", 14, NULL},
		{"m{a=\"b\"} 1 2 3", 13, NULL},
		{"m 1 # x", 6, "the labels of an exemplar were expected"},
		{"m 1 # {} x", 9, "a number was expected"},
		{"m 1 # {a=\"}", 9, "the quote is not closed"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char want[160] = "";

		ok(!read_back(rows[i].text) && err.code == SPAN_E_INVALID,
		   "selector %zu is refused", i);
		is_uint(err.pos, rows[i].pos, "where it is wrong");
		snprintf(want, sizeof(want), "matchers, column %u: %s",
			 rows[i].pos + 1, rows[i].what ? rows[i].what : "");
		ok(!strncmp(err.msg, want, strlen(want)), "%s", err.msg);
	}
}

/* 1, 0, or a negative code with what is wrong in ERR. */
static int holds(const char *text, const struct span *s)
{
	struct span_select sel = {.matchers = &text, .n_matchers = 1};
	struct span_query *q;
	int rc;

	err = (struct span_error){0};
	rc = span_query_compile(&q, &sel, &err);
	if (!rc)
		rc = span_query_match(q, s, &err);
	span_query_close(&q);
	return rc;
}

static void test_meaning(void)
{
	static const struct {
		const char *text;
		unsigned pos;
	} rows[] = {
		{"{}", 0},
		{"{job=\"x\"}", 1},
		{"up{ instance=\"x\"}", 4},
		{"{le=\"0.5\"}", 1},
		{"m_bucket{le=\"0.5\"}", 9},
		{"m_seconds_bucket{le=\"x\"}", 20},
		{"m_seconds_bucket{le=\"-1\"}", 20},
		{"m_seconds_bucket{le=\"NaN\"}", 20},
		{"m_seconds_bucket{le!=\"1\"}", 17},
		{"m_seconds_bucket{le=~\"1\"}", 17},
		{"{a=~\"b(\"}", 7},
		{"{a=~\"\\\\b(\"}", 4},
	};
	struct span_process process = {0};
	struct span s = {.process = &process};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		is_int(holds(rows[i].text, &s), SPAN_E_INVALID, "refused: %s",
		       rows[i].text);
		is_uint(err.pos, rows[i].pos, "%s", err.msg);
	}
	is_int(holds("{__name__=\"m\"}", &s), 1, "a metric alone is all spans");
	is_int(holds("m", &s), 1, "in either form");
}

static struct span_value text(const char *s)
{
	return (struct span_value){SPAN_STRING, {.str = span_str(s)}};
}

static void test_span(void)
{
	const struct span_attr attrs[] = {
		{SPAN_STR("http.method"), text("GET")},
		{SPAN_STR("http.status-code"), {SPAN_INT, {.i = 200}}},
		{SPAN_STR("db_name"), text("a")},
		{SPAN_STR("db_name"), text("second")},
		{SPAN_STR("db.name"), text("b")},
		{SPAN_STR("both"), text("span")},
		{SPAN_STR("none"), text("")},
		{SPAN_STR("2xx"), text("y")},
		{SPAN_STR("caf\xc3\xa9"), text("z")},
		{SPAN_STR("esc"), text("a\x1b[m\\\"")},
		{SPAN_STR("lines"), text("a\nb")},
		{SPAN_STR("error"), text("timeout")},
		{SPAN_STR("job"), text("j")},
	};
	const struct span_attr of_process[] = {
		{SPAN_STR("host.name"), text("h1")},
		{SPAN_STR("both"), text("process")},
	};
	struct span_process process = {
		.service = SPAN_STR("pay"),
		.attrs = {of_process, 2, 0},
	};
	struct span s = {
		.process = &process,
		.name = SPAN_STR("GET /"),
		.kind = SPAN_KIND_SERVER,
		.status = SPAN_STATUS_ERROR,
		.status_message = SPAN_STR("no answer"),
		.duration_ns = 2000000,
		.trace_id = {1},
		.span_id = {2},
		.attrs = {attrs, sizeof(attrs) / sizeof(*attrs), 0},
	};
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{"{service_name=\"pay\"}", 1},
		{"{service=\"pay\"}", 1},
		{"{\"service.name\"=\"pay\"}", 1},
		{"{service_name=\"pa\"}", 0},
		{"{service_name=~\"pa\"}", 0},
		{"{service_name=~\"pa.\"}", 1},
		{"{service_name=~\".*a.*\"}", 1},
		{"{service_name!~\"pa.\"}", 0},
		{"{service_name!=\"pay\"}", 0},
		{"{service_name!=\"\"}", 1},
		{"{service_name=\"pay\",service=\"x\"}", 0},
		{"{service_name=\"pay\",service=\"\"}", 1},
		{"{span_name=\"GET /\"}", 1},
		{"{operation=~\"GET.*|POST.*\"}", 1},
		{"{span_kind=\"SPAN_KIND_SERVER\"}", 1},
		{"{span_kind=\"server\"}", 1},
		{"{span_kind=\"Server\"}", 1},
		{"{span_kind=\"client\"}", 0},
		{"{span_kind=\"\"}", 0},
		{"{span_kind=~\"SPAN_KIND_(SERVER|CONSUMER)\"}", 1},
		{"{span_kind!~\"SPAN_KIND_(SERVER|CONSUMER)\"}", 0},
		{"{span_kind!=\"SPAN_KIND_CLIENT\"}", 1},
		{"{status_code=\"STATUS_CODE_ERROR\"}", 1},
		{"{status_code=\"ERROR\"}", 1},
		{"{status_code=\"STATUS_CODE_UNSET\"}", 0},
		{"{status_message=\"no answer\"}", 1},
		{"{error=\"true\"}", 1},
		{"{error=\"false\"}", 0},
		{"{error=\"timeout\"}", 1},
		{"{error=\"\"}", 0},
		{"{trace_id=\"01000000000000000000000000000000\"}", 1},
		{"{span_id=\"0200000000000000\"}", 1},
		{"{span_id=\"0200000000000001\"}", 0},
		{"{http_method=\"GET\"}", 1},
		{"{http_method=\"get\"}", 0},
		{"{\"http.method\"=\"GET\"}", 1},
		{"{\"http-method\"=\"GET\"}", 0},
		{"{httpxmethod=\"GET\"}", 0},
		{"{http_method_=\"GET\"}", 0},
		{"{http_status_code=\"200\"}", 1},
		{"{http_status_code=~\"2..\"}", 1},
		{"{http_status_code!~\"2..\"}", 0},
		{"{db_name=\"a\"}", 1},
		{"{db_name=\"b\"}", 1},
		{"{db_name=\"second\"}", 0},
		{"{host_name=\"h1\"}", 1},
		{"{both=\"span\"}", 1},
		{"{both=\"process\"}", 0},
		{"{none=\"\"}", 1},
		{"{none!=\"\"}", 0},
		{"{absent=\"\"}", 1},
		{"{absent!=\"\"}", 0},
		{"{absent!=\"x\"}", 1},
		{"{absent=~\".*\"}", 1},
		{"{absent=~\".+\"}", 0},
		{"{absent!~\".+\"}", 1},
		{"{http_method=\"\"}", 0},
		{"{_2xx=\"y\"}", 1},
		{"{key_2xx=\"y\"}", 1},
		{"{caf_=\"z\"}", 1},
		{"{caf__=\"z\"}", 0},
		{"{esc=\"a\\x1b[m\\\\\\\"\"}", 1},
		{"{esc=\"a\\\\x1b[m\\\\\\\"\"}", 1},
		{"{esc=`a\\x1b[m\\\"`}", 1},
		{"{esc=~\"a.{4}.*\"}", 1},
		{"{lines=\"a\\nb\"}", 1},
		{"{lines=\"a\\\\nb\"}", 1},
		{"{lines=~\"a.b\"}", 1},
		{"{job=\"node\",both=\"span\"}", 1},
		{"{exported_job=\"j\"}", 1},
		{"{exported_job=\"k\"}", 0},
		{"{exported_service=\"pay\",service=\"node\"}", 1},
		{"{exported_service=\"x\",service=\"pay\"}", 0},
		{"m_seconds_bucket{le=\"0.002\"}", 1},
		{"m_seconds_bucket{le=\"0.001999999\"}", 0},
		{"m_milliseconds_bucket{le=\"2.0\"}", 1},
		{"m_milliseconds_bucket{le=\"1\"}", 0},
		{"traces_spanmetrics_latency_bucket{le=\"0.002\"}", 1},
		{"traces_spanmetrics_latency_bucket{le=\"0.001\"}", 0},
		{"latency_bucket{le=\"2\"}", 1},
		{"latency_bucket{le=\"1\"}", 0},
		{"m_seconds_bucket{le=\"0\"}", 0},
		{"m_seconds_bucket{le=\"+Inf\"}", 1},
		{"m_bucket{le=\"+Inf\"}", 1},
		{"m_seconds_count{le=\"\",both=\"span\"}", 1},
		{"{service_name=\"pay\",span_name=\"GET /\",le=\"+Inf\"}", 1},
		{"{service_name=\"pay\",span_name=\"x\"}", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int got = holds(rows[i].text, &s);

		is_int(got, rows[i].want, "%s %s", rows[i].text,
		       rows[i].want ? "holds" : "does not hold");
		if (got < 0)
			printf("# %s\n", err.msg);
	}
	s.kind = SPAN_KIND_UNSPECIFIED;
	is_int(holds("{span_kind=\"SPAN_KIND_UNSPECIFIED\"}", &s), 1,
	       "no kind");
	is_int(holds("{span_kind=\"\"}", &s), 1, "is none");
}

static void test_several(void)
{
	static const char *const texts[] = {"{service=\"a\"}",
					    "{service=\"b\"}"};
	struct span_process process = {.service = SPAN_STR("b")};
	struct span s = {.process = &process};
	struct span_select sel = {.matchers = texts, .n_matchers = 2};
	struct span_query *q;

	ok(!span_query_compile(&q, &sel, NULL) &&
		   span_query_match(q, &s, NULL) == 1,
	   "several are alternatives");
	process.service = SPAN_STR("c");
	is_int(span_query_match(q, &s, NULL), 0, "one of them has to hold");
	span_query_close(&q);
}

static void test_limits(void)
{
	size_t len = 140000;
	char *long_one = malloc(len + 1);
	struct span_buf b = {0};

	memset(long_one, ' ', len);
	long_one[len] = 0;
	ok(!read_back(long_one) && err.pos == 131072, "a text has its limit");
	free(long_one);
	span_buf_putc(&b, '{');
	for (int i = 0; i < 257; i++)
		span_buf_puts(&b, "a=\"b\",");
	span_buf_putc(&b, 0);
	ok(!read_back(b.p) && err.pos == 1 + 256 * 6, "so have labels: %s",
	   err.msg);
	span_buf_release(&b);
}

int main(void)
{
	test_read();
	test_wrong();
	test_meaning();
	test_span();
	test_several();
	test_limits();
	return done_testing();
}
