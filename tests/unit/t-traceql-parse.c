/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which expressions TraceQL has, and what is said of the others: the column
 * and what was expected there.
 */
#include <span/query.h>

#include <time.h>

#include "tests/unit/tap.h"

static struct span_error err;

static int compile(const char *text)
{
	struct span_select sel = {.expression = text};
	struct span_query *q;
	int rc;

	err = (struct span_error){0};
	rc = span_query_compile(&q, &sel, &err);
	if (rc < 0 && q)
		abort();
	span_query_close(&q);
	return rc;
}

/* ---- What is one ---- */

static const char *const valid[] = {
	/* braces */
	"{}",
	"{ }",
	" {\t}\n",
	"{ true }",
	"{ false }",
	"{ !false }",
	"{ true && !false || true }",
	"({})",
	"(({ }))",
	"{(true)}",
	/* attributes */
	"{ .user }",
	"{ !.user }",
	"{ .user = 1 }",
	"{ span.user != \"a\" }",
	"{ resource.host.name = `web-1` }",
	"{ event.message =~ \".*x.*\" }",
	"{ link.kind = nil }",
	"{ instrumentation.lang = \"c\" }",
	"{ parent.user = \"ann\" }",
	"{ parent.span.user = 2 }",
	"{ parent.resource.service.name != \"shop\" }",
	"{ parent.event.a = 1 }",
	"{ .span.kind = \"x\" }",
	"{ span.\"with blank\" = 1 }",
	"{ .a.\"b c\".d = 1 }",
	"{ .\"quo\\\"te\" = 1 }",
	"{ .\"back\\\\slash\" = 1 }",
	"{ .a-b/c:d = 1 }",
	"{ .a*2 = 1 }",

	"{ .\xc3\xa4 = 1 }",
	"{ span.true = true }",
	"{ .nil = nil }",
	"{ .by = 1 }",
	"{ .count = 1 }",
	"{ .a\n=\n1 }",
	"{.a=1}",
	"{.a>1}",
	"{.a<.b}",
	"{.a=~\"b\"}",
	"{.a!=-1}",
	"{ .a >= -1.5 }",
	/* fields */
	"{ name = \"x\" }",
	"{ span:name = \"x\" }",
	"{ operation =~ \"x\" }",
	"{ service = \"x\" }",
	"{ status = error }",
	"{ status != ok }",
	"{ span:status = unset }",
	"{ statusMessage = \"\" }",
	"{ span:statusMessage !~ \".*slow.*\" }",
	"{ duration > 1s }",
	"{ span:duration <= 100ms }",
	"{ duration > 1000000 }",
	"{ kind = server }",
	"{ kind = client }",
	"{ kind = internal }",
	"{ kind = producer }",
	"{ span:kind != consumer }",
	"{ kind = unspecified }",
	"{ parent = nil }",
	"{ parent != nil }",
	"{ nil = parent }",
	"{ traceDuration > 2m }",
	"{ trace:duration > 2h }",
	"{ rootName = \"x\" }",
	"{ trace:rootName = \"x\" }",
	"{ rootServiceName = \"x\" }",
	"{ trace:rootService =~ \"x|y\" }",
	"{ trace:id = \"4bf92f\" }",
	"{ span:id = \"00f0\" }",
	"{ span:parentID = nil }",
	"{ span:childCount > 10 }",
	"{ childCount = 0 }",
	"{ event:name = \"exception\" }",
	"{ event:timeSinceStart > -5ms }",
	"{ link:traceID != nil }",
	"{ link:spanID = \"a\" }",
	"{ instrumentation:name = \"grpc\" }",
	"{ instrumentation:version =~ \"1[.].*\" }",
	"{ nestedSetLeft > 3 }",
	"{ nestedSetRight < 30 }",
	"{ nestedSetParent < 0 }",
	/* literals */
	"{ .a = 9223372036854775807 }",
	"{ .a = -9223372036854775807 }",
	"{ .a = maxInt }",
	"{ .a > minInt }",
	"{ .a = 1.25 }",
	"{ .a = .5 }",
	"{ .a = 1e9 }",
	"{ .a < 2.5E-3 }",
	"{ .a = 1h30m }",
	"{ .a = 1.5h }",
	"{ .a = 7d }",
	"{ .a = 2w }",
	"{ .a = 1y }",
	"{ .a = 10us }",
	"{ .a = 10\xc2\xb5s }",
	"{ .a = 10ns }",
	"{ .a = -3s }",
	"{ .a = 1d2h3m4s5ms6us7ns }",
	"{ .a = \"\" }",
	"{ .a = `` }",
	"{ .a = \"\\\"\\\\\\n\\t\\x41\\101\\u00e4\\U0001f600\" }",
	"{ .a = `\\d+ \"x\"` }",
	"{ .a = \"{ | } && (\" }",
	"{ .a = true }",
	"{ true = .a }",
	"{ 1 = .a }",
	"{ \"x\" = name }",
	"{ error = status }",
	"{ .a = ok }",
	"{ .a = server }",
	/* comparisons and arithmetic */
	"{ 1 = 2 }",
	"{ 1 <= 1.1 }",
	"{ 1 < 1h }",
	"{ \"a\" < \"b\" }",
	"{ \"a\" =~ \"b\" }",
	"{ .a = .b }",
	"{ name = .peer }",
	"{ .a + 1 = 2 }",
	"{ .a - 1 = 2 }",
	"{ .a * 2 > .b / 3 }",
	"{ .a % 2 = 1 }",
	"{ 2 ^ .a = 8 }",
	"{ -.a = 2 }",
	"{ - - .a = 2 }",
	"{ -.a + -.b > -1 }",
	"{ duration > 2 * 500ms }",
	"{ duration * 2 > trace:duration }",
	"{ duration > 0.8 * trace:duration }",
	"{ (.a + 1) * 2 = 4 }",
	"{ 2 ^ 3 ^ 2 = 512 }",
	"{ .a = 1 / 0 }",
	"{ .a >= \"200\" }",
	"{ (.a = 1) = true }",
	"{ (.a = 1) != .b }",
	"{ 1 < 2 = true }",
	"{ .a || .b && !.c }",
	"{ !(.a = 1 && (.b = 2 || .c)) }",
	"{ .a = nil && .b != nil }",
	"{ nil != .a }",
	/* sets */
	"{} && {}",
	"{} || {}",
	"{} > {}",
	"{} >> {}",
	"{} < {}",
	"{} << {}",
	"{} ~ {}",
	"{} !> {}",
	"{} !>> {}",
	"{} !< {}",
	"{} !<< {}",
	"{} !~ {}",
	"{} &> {}",
	"{} &>> {}",
	"{} &< {}",
	"{} &<< {}",
	"{} &~ {}",
	"{.a}>{.b}",
	"{.a}!~{.b}",
	"{} > {} > {} || {} && {}",
	"({} || {}) >> ({} && {})",
	"({} | count() > 1) >> {}",
	"({} | count() > 1 | {}) && ({} | by(name) | count() > 2)",
	/* pipelines */
	"{} | count() > 1",
	"count() > 1",
	"{} | count() = 1 | { .a }",
	"avg(duration) > 1s",
	"max(duration) >= 1h",
	"min(.a) < 1",
	"{} | sum(span.bytes) > 1000000",
	"{} | max(1 + .a) = 1",
	"{} | max((1 + .a) * 2) = 1",
	"{} | 2 < count()",
	"{} | count() + 1 > 3 * 2",
	"{} | max(duration) - min(duration) > 1s",
	"{} | (max(duration) - min(duration)) / 2 > avg(duration)",
	"(max(.a) - 1) * 2 > 3",
	"((count())) > 1",
	"{} | count() > -1",
	"min(.a) < max(duration)",
	"{} | avg(duration) ^ 2 % 3 = 1",
	"(count() > 1) && ({})",
	"(count() > 1 | {}) || ({})",
	"{} | by(.a)",
	"by(name) | count() > 2",
	"by(1 + .a) | coalesce()",
	"{} | by(status = error) | count() > 1",
	"{} | by(.a) | by(.b)",
	"{} | select(.a)",
	"select(.a, span.b, duration, span:id)",
	"{} | select(nestedSetLeft, nestedSetRight) | count() > 1",
	"{} | coalesce()",
	"{} | { .a } | { .b } | {}",
	"{} && {} | count() > 1",
	"max(duration) > 3s | { status = error }",
	/* without braces */
	"true",
	".a",
	"duration > 1s",
	"name = \"{\"",
	"service = \"x\" && .a",
	"(.a = 1) || (.b = 2)",
	"!.a",
	"-1 = .a",
	".by = 1",
	"parent = nil",
	"name = \"count() {\"",
};

/* ---- What is none ---- */

static const struct {
	const char *text;
	size_t column; /* from 1 */
	const char *what;
} invalid[] = {
	{"", 1, "the expression is empty"},
	{" \n ", 1, "the expression is empty"},
	{"{", 2, "a field or a value was expected, not the end"},
	{"}", 1, "a field or a value was expected, not '}'"},
	{"{ true", 7, "an operator or '}' was expected, not the end"},
	{"{ (true }", 9, "an operator or ')' was expected, not '}'"},
	{"{ true ) }", 8, "an operator or '}' was expected, not ')'"},
	{"[ true ]", 1, "'[' means nothing here"},
	{"({ true }", 10, "an operator, '|' or ')' was expected, not the end"},
	{"{} {}", 4, "an operator, '|' or the end was expected, not '{'"},
	{"{} }", 4, "an operator, '|' or the end was expected"},
	{"true true", 6, "an operator or the end was expected, not 'true'"},
	/* fields */
	{"{ . }", 4, "the name of an attribute was expected"},
	{"{ span. }", 8, "the name of an attribute was expected"},
	{"{ parent. }", 10, "the name of an attribute was expected"},
	{"{ user = 1 }", 3,
	 "'user' is no field: an attribute is written .user"},
	{"{ http.status = 1 }", 3, "'http' is no field"},
	{"user = ann", 1, "'user' is no field"},
	{"name = payment", 8, "'payment' is no field"},
	{"{ span:user = 1 }", 3, "there is no 'span:user'"},
	{"{ trace:status = error }", 3, "there is no 'trace:status'"},
	{"{ trace:rootServiceName = \"a\" }", 3, "there is no 'trace:root"},
	{"{ event:foo = 1 }", 3, "there is no 'event:foo'"},
	{"{ span: = 1 }", 3, "there is no 'span:'"},
	{"{ trace.a = 1 }", 3, "'trace' is no field"},
	{"{ .\"a = 1 }", 4, "the quote is not closed"},
	{"{ .\"a\\n\" = 1 }", 6, "only \\\" and \\\\ are escapes"},
	{"{ < }", 3, "a field or a value was expected, not '<'"},
	{"{ .a < }", 8, "a field or a value was expected, not '}'"},
	{"{ .a == 1 }", 7, "a field or a value was expected, not '='"},
	{"{ .a = 1 .b }", 10, "an operator or '}' was expected, not '.b'"},
	{"{ .a > > 1 }", 8, "a field or a value was expected, not '>'"},
	{"{ .a >> 1 }", 6, "an operator or '}' was expected, not '>>'"},
	{"{ .a !> 1 }", 6, "an operator or '}' was expected, not '!>'"},
	{"{ { } }", 3, "a field or a value was expected, not '{'"},
	{"{ .a | .b }", 6, "an operator or '}' was expected, not '|'"},
	{"{ .a & .b }", 6, "'&' means nothing here"},
	{"{ .a = 'x' }", 8, "texts are in double quotes"},
	{"{ .a = $x }", 8, "'$' means nothing here"},
	{"{ .a = \x01 }", 8, "means nothing here"},
	/* literals */
	{"{ .a = \"x }", 8, "the quote is not closed"},
	{"{ .a = `x }", 8, "the quote is not closed"},
	{"{ .a = \"x\\", 10, "an unknown escape"},
	{"{ .a = \"\\d+\" }", 9, "an unknown escape: write a backslash as"},
	{"{ .a = \"\\x4\" }", 9, "an unknown escape"},
	{"{ .a = \"\\u12\" }", 9, "an unknown escape"},
	{"{ .a = \"\\ud800\" }", 9, "an unknown escape"},
	{"{ .a = \"\\U00110000\" }", 9, "an unknown escape"},
	{"{ .a = \"\\400\" }", 9, "an unknown escape"},
	{"{ .a = 9223372036854775808 }", 8, "too large for 64 bits"},
	{"{ .a = 1e999 }", 8, "the number is too large"},
	{"{ .50percent = 1 }", 3, "this is no number and no duration"},
	{"{ .a = 12x }", 8, "this is no number and no duration"},
	{"{ .a = 1h30 }", 10, "this is no number and no duration"},
	{"{ .a = 1.2.3 }", 8, "this is no number and no duration"},
	{"{ .a = 0x10 }", 8, "this is no number and no duration"},
	{"{ .a = 1_000 }", 8, "this is no number and no duration"},
	{"{ .a = 300y }", 8, "the duration is too long"},
	{"{ .a = 1e30s }", 8, "the duration is too long"},
	/* types */
	{"{ status }", 3, "a condition was expected here, not a status"},
	{"{ kind }", 3, "a condition was expected here, not a kind"},
	{"{ ok }", 3, "a condition was expected here, not a status"},
	{"{ 1.1 }", 3, "a condition was expected here, not a number"},
	{"{ 1h }", 3, "a condition was expected here, not a duration"},
	{"{ \"foo\" }", 3, "a condition was expected here, not a text"},
	{"{ nil }", 3, "a condition was expected here, not nil"},
	{"{ 1 + 1 }", 3, "a condition was expected here, not a number"},
	{"{ -.a }", 3, "a condition was expected here, not a number"},
	{"{ .a + 1 }", 6, "a condition was expected here, not a number"},
	{"{ parent }", 3, "a condition was expected here, not the parent"},
	{"{ duration }", 3, "a condition was expected here, not a duration"},
	{"{ 1 + \"foo\" = 1 }", 7, "a number was expected here, not a text"},
	{"{ 1 - true = 1 }", 7, "a number was expected here"},
	{"{ 1 / ok = 1 }", 7, "a number was expected here, not a status"},
	{"{ 1 ^ name = 1 }", 7, "a number was expected here, not a text"},
	{"{ 1 % parent = 1 }", 7, "a number was expected here"},
	{"{ 1 = \"foo\" }", 5, "a number is not comparable with a text"},
	{"{ 1 != true }", 5, "a number is not comparable with true or false"},
	{"{ 1 > ok }", 5, "a number is not comparable with a status"},
	{"{ name = 1 }", 8, "a text is not comparable with a number"},
	{"{ duration > \"x\" }", 12,
	 "a duration is not comparable with a text"},
	{"{ status = server }", 10, "a status is not comparable with a kind"},
	{"{ status = \"error\" }", 10,
	 "a status is not comparable with a text"},
	{"{ rootServiceName = 1 }", 19, "a text is not comparable"},
	{"{ nestedSetLeft = \"x\" }", 17, "a number is not comparable"},
	{"{ status > ok }", 10, "a status is only compared by = and !="},
	{"{ .a > ok }", 6, "a status is only compared by = and !="},
	{"{ kind < consumer }", 8, "a kind is only compared by = and !="},
	{"{ .a <= true }", 6, "true or false is only compared by = and !="},
	{"{ .a > nil }", 6, "nil is only compared by = and !="},
	{"{ 1 = nil }", 3, "a field was expected to compare with nil"},
	{"{ nil = nil }", 3, "a field was expected to compare with nil"},
	{"{ .a + 1 = nil }", 6, "a field was expected to compare with nil"},
	{"{ parent = 1 }", 10, "the parent is only compared with nil"},
	{"{ 1 >= parent }", 5, "the parent is only compared with nil"},
	{"{ 1 =~ \"2\" }", 3, "a text was expected here, not a number"},
	{"{ .a =~ 2 }", 9, "a regular expression in quotes was expected"},
	{"{ .a =~ .b }", 9, "a regular expression in quotes was expected"},
	{"{ status =~ \"x\" }", 3, "a text was expected here, not a status"},
	{"{ .a =~ \"[\" }", 9, "regular expression, column 2: missing"},
	{"{ .a !~ \"(x\" }", 9, "regular expression, column 3: missing"},
	{"{ 1 && .a }", 3, "a condition was expected here, not a number"},
	{"{ .a || 1.1 }", 9, "a condition was expected here, not a number"},
	{"{ -true }", 4, "a number was expected here, not true or false"},
	{"{ -name = \"x\" }", 4, "a number was expected here, not a text"},
	{"{ -parent = nil }", 4, "a number was expected here"},
	{"{ !name = \"x\" }", 4, "a condition was expected here, not a text"},
	{"{ !1 = 1 }", 4, "a condition was expected here, not a number"},
	{"{ !parent = nil }", 4, "a condition was expected here"},
	/* sets */
	{"{} + {}", 4, "an operator, '|' or the end was expected, not '+'"},
	{"{} = {}", 4, "an operator, '|' or the end was expected, not '='"},
	{"{} >= {}", 4, "an operator, '|' or the end was expected, not '>='"},
	{"{} =~ {}", 4, "an operator, '|' or the end was expected"},
	{"{} >", 5, "'{' was expected, not the end"},
	{"{} > > {}", 6, "'{' was expected, not '>'"},
	{"{} && count() > 1", 7, "'{' was expected, not 'count'"},
	{"!{}", 1, "'{' was expected, not '!'"},
	{"{} && .a", 7, "'{' was expected, not '.a'"},
	/* pipelines */
	{"{} |", 5, "'{' was expected, not the end"},
	{"| {}", 1, "'{' was expected, not '|'"},
	{"{} | count()", 13, "a comparison was expected, not the end"},
	{"count() + 1", 12, "a comparison was expected, not the end"},
	{"{} | count = 1", 12, "'(' was expected, not '='"},
	{"{} | count(.a) > 1", 12, "')' was expected, not '.a'"},
	{"{} | max() = 1", 10, "a field or a value was expected, not ')'"},
	{"{} | max(.a = 1", 13, "a number was expected here, not true or"},
	{"{} | max(name) > 1", 10, "a number was expected here, not a text"},
	{"max(status) = 1", 5, "a number was expected here, not a status"},
	{"sum(3) = 2", 5, "a field of the span was expected here"},
	{"min(1h + 2h) > 1", 5, "a field of the span was expected here"},
	{"count() > \"x\"", 11, "a number or an aggregate was expected"},
	{"count() > ok", 11, "a number or an aggregate was expected"},
	{"count() =~ \"x\"", 9, "a comparison was expected, not '=~'"},
	{"count() > 3 && {}", 13, "an operator, '|' or the end was expected"},
	{"{} | 3 = 2", 6, "an aggregate such as count() was expected"},
	{"{} | 3", 7, "a comparison was expected, not the end"},
	{"{} | (3) = 2", 6, "an aggregate such as count() was expected"},
	{"{} | by()", 9, "a field or a value was expected, not ')'"},
	{"{} | by(1)", 9, "a field of the span to group by was expected"},
	{"{} | by(parent)", 9, "a field of the span to group by was expected"},
	{"{} | by(.a, .b)", 11, "')' was expected, not ','"},
	{"{} | by .a", 9, "'(' was expected, not '.a'"},
	{"select()", 8, "a field was expected, not ')'"},
	{"select(.a", 10, "')' was expected, not the end"},
	{"select(1)", 8, "a field was expected, not '1'"},
	{"select(.a + 1)", 11, "')' was expected, not '+'"},
	{"coalesce() | {}", 1, "coalesce() cannot be first"},
	{"{} | coalesce(1)", 15, "')' was expected, not '1'"},
	{"{} | nope() = 1", 6, "'{' or a function such as count() was"},
	{"{} | true", 6, "a number or an aggregate was expected, not 'true'"},
	{"({} | count()) > 1", 14, "a comparison was expected, not ')'"},
	{"({ .a }) + (count()) = 1", 10, "an operator, '|' or the end"},
	/* what Tempo has, and a search has not */
	{"{} | rate()", 6, "rate() is a metrics function"},
	{"{ .a } | count_over_time() by (name)", 10, "see span-stats(1)"},
	{"{} | quantile_over_time(duration, .9)", 6, "is a metrics function"},
	{"{} | histogram_over_time(duration)", 6, "is a metrics function"},
	{"{} | max_over_time(duration)", 6, "max_over_time() is a metrics"},
	{"{} | compare({ status = error })", 6, "compare() is a metrics"},
	{"{} | topk(10)", 6, "topk() is a metrics function"},
	{"{} with (most_recent=true)", 4, "hints such as with("},
	{"{} | count() > 1 with(sample=0.1)", 18, "are not supported"},
};

static void test_valid(void)
{
	size_t bad = 0, n = sizeof(valid) / sizeof(*valid);

	for (size_t i = 0; i < n; i++) {
		if (!compile(valid[i]))
			continue;
		diag("%s: %s", valid[i], err.msg);
		bad++;
	}
	is_uint(bad, 0, "%zu expressions are accepted", n);
}

static void test_invalid(void)
{
	size_t bad = 0, n = sizeof(invalid) / sizeof(*invalid);

	for (size_t i = 0; i < n; i++) {
		char begin[40];
		int rc = compile(invalid[i].text);

		snprintf(begin, sizeof(begin),
			 "expression, column %zu: ", invalid[i].column);
		if (rc == SPAN_E_INVALID && err.pos == invalid[i].column - 1 &&
		    !strncmp(err.msg, begin, strlen(begin)) &&
		    strstr(err.msg, invalid[i].what))
			continue;
		diag("%s: want column %zu, %s", invalid[i].text,
		     invalid[i].column, invalid[i].what);
		diag("got %d: %s", rc, err.msg);
		bad++;
	}
	is_uint(bad, 0, "%zu expressions are refused where they go wrong", n);
}

/* ---- Too much of it ---- */

/* HEAD, N times BODY, TAIL */
static char *repeat(const char *head, const char *body, size_t n,
		    const char *tail)
{
	struct span_buf b = {0};

	span_buf_puts(&b, head);
	for (size_t i = 0; i < n; i++)
		span_buf_puts(&b, body);
	span_buf_puts(&b, tail);
	span_buf_putc(&b, 0);
	if (b.failed)
		abort();
	return b.p;
}

static const struct {
	const char *name, *head, *body, *tail;
	size_t n;
	const char *want; /* the message has this; NULL: it is accepted */
} large[] = {
	{"a long text", "{ .a = \"", "x", "\" }", 60000, NULL},
	{"too long a text", "{ .a = \"", "x", "\" }", 100000, "above 65536"},
	{"a long name", "{ .", "x", " = 1 }", 60000, NULL},
	{"many conditions", "{ .a", " && .b = 1", " }", 6500, NULL},
	{"many alternatives", "{ .a", " || .b = 1", " }", 6500, NULL},
	{"many sets", "{}", " && {}", "", 10000, NULL},
	{"many stages", "{}", " | {}", "", 13000, NULL},
	{"many names", "{ .a", " || .b", " }", 10000, NULL},
	{"nested parentheses", "{ ", "(", "true", 60000, "nested too deeply"},
	{"nested sets", "", "(", "{}", 60000, "nested too deeply"},
	{"nested scalars", "", "(", "count()) > 1", 60000, "nested too"},
	{"nested negations", "{ ", "!", ".a }", 60000, "nested too deeply"},
	{"nested signs", "{ ", "-", ".a = 1 }", 60000, "nested too deeply"},
	{"powers", "{ .a ", "^ 2 ", "= 1 }", 15000, "nested too deeply"},
	{"sums", "{ .a ", "+ 2 ", "= 1 }", 15000, "nested too deeply"},
	{"sums of constants", "{ .a = 1", "+ 2 ", " }", 15000, NULL},
	{"sums of sets", "count() ", "+ 2 ", "> 1", 15000, "nested too"},
	{"operators in turn", "{ .a", " && .b || .c", " }", 5000, "nested"},
	{"generations", "{}", " > {}", "", 13000, "nested too deeply"},
	{"sets in turn", "{}", " && {} || {}", "", 5000, "nested too deeply"},
	{"regular expressions", "{ .a", " || .a =~ \"x\"", " }", 4000,
	 "more than 256 regular expressions"},
	{"a long one", "{ .a =~ \"", "x", "\" }", 5000, "above 4096 bytes"},
	{"aggregates", "{}", " | count() > 1", "", 4000,
	 "more than 64 aggregates"},
	{"digits", "{ .a = ", "1", " }", 60000, "the number is too long"},
	{"decimals", "{ .a = 1.", "1", " }", 60000, "the number is too long"},
	{"units", "{ .a = ", "1s", " }", 30000, NULL},
	{"quotes", "{ .a = ", "\"\"", " }", 30000, "an operator or '}'"},
};

static void test_large(void)
{
	clock_t start = clock();

	for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) {
		char *text = repeat(large[i].head, large[i].body, large[i].n,
				    large[i].tail);
		int rc = compile(text);

		ok(large[i].want ? rc == SPAN_E_INVALID &&
					   strstr(err.msg, large[i].want)
				 : !rc,
		   "%s: %s", large[i].name, rc ? err.msg : "fine");
		free(text);
	}
	/* Far below a second; the rest is for slow machines and sanitizers. */
	ok(clock() - start < 20 * CLOCKS_PER_SEC, "in little time");
}

int main(void)
{
	test_valid();
	test_invalid();
	test_large();
	return done_testing();
}
