/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What expressions choose of one trace that is drawn here:
 *
 *	1 shop     GET /checkout  server    0 .. 1000 ms, ok, user "ann"
 *	  2 shop     charge       client  100 ..  600 ms, an error
 *	    3 payment  POST /pay  server  110 ..  590 ms, an error, user 500
 *	      4 payment  SELECT   client  120 ..  200 ms, user "500"
 *	      5 payment  SELECT   client  210 ..  300 ms, an event
 *	      6 payment  UPDATE   client  310 ..  400 ms, a link
 *	  7 shop     render      internal 700 ..  900 ms, user twice
 *	8 mail     send          consumer 800 .. 1500 ms, its parent is missing
 *	  9 mail     smtp        client   900 .. 1400 ms
 */
#include <span/query.h>

#include "query/match.h"
#include "tests/unit/tap.h"

#define MS 1000000u
#define BASE 1795341600000000000u
#define LIST(a)                                                                \
	{                                                                      \
		a, sizeof(a) / sizeof(*(a)), 0                                 \
	}
#define TEXT(k, t)                                                             \
	{                                                                      \
		{k, sizeof(k) - 1},                                            \
		{                                                              \
			SPAN_STRING,                                           \
			{                                                      \
				.str = { t, sizeof(t) - 1 }                    \
			}                                                      \
		}                                                              \
	}
#define INT(k, n)                                                              \
	{                                                                      \
		{k, sizeof(k) - 1},                                            \
		{                                                              \
			SPAN_INT,                                              \
			{                                                      \
				.i = n                                         \
			}                                                      \
		}                                                              \
	}
#define DOUBLE(k, n)                                                           \
	{                                                                      \
		{k, sizeof(k) - 1},                                            \
		{                                                              \
			SPAN_DOUBLE,                                           \
			{                                                      \
				.d = n                                         \
			}                                                      \
		}                                                              \
	}
#define BOOL(k, n)                                                             \
	{                                                                      \
		{k, sizeof(k) - 1},                                            \
		{                                                              \
			SPAN_BOOL,                                             \
			{                                                      \
				.b = n                                         \
			}                                                      \
		}                                                              \
	}

static const struct span_attr shop_attrs[] = {TEXT("host", "web-1"),
					      TEXT("user", "of the process")};
static const struct span_attr pay_attrs[] = {TEXT("host", "pay-1")};
static const struct span_process shop = {.service = {"shop", 4},
					 .attrs = LIST(shop_attrs)};
static const struct span_process pay = {.service = {"payment", 7},
					.attrs = LIST(pay_attrs)};
static const struct span_process mail = {.service = {"mail", 4}};

static const struct span_value list_items[] = {
	{SPAN_INT, {.i = 1}}, {SPAN_STRING, {.str = {"x", 1}}}};
static const struct span_attr a1[] = {
	TEXT("user", "ann"),
	INT("n", 1),
	BOOL("cached", true),
	{{"list", 4}, {SPAN_ARRAY, {.array = {list_items, 2}}}}};
static const struct span_attr a2[] = {TEXT("error", "true"), INT("n", 2),
				      TEXT("cached", "true")};
static const struct span_attr a3[] = {
	INT("user", 500),
	DOUBLE("n", 2.5),
	BOOL("cached", false),
	{{"raw", 3}, {SPAN_BYTES, {.str = {"\x05\xff", 2}}}}};
static const struct span_attr a4[] = {TEXT("user", "500"),
				      TEXT("n", "2.5"),
				      TEXT("db.system", "pg"),
				      {{"null", 4}, {SPAN_NULL, {.i = 0}}}};
static const struct span_attr a5[] = {TEXT("user", "0500"), TEXT("n", "2.50"),
				      TEXT("db.system", "pg")};
static const struct span_attr a6[] = {DOUBLE("user", 500), INT("n", -4),
				      TEXT("db.system", "pg"),
				      TEXT("sql", "UPDATE t\nSET x = 1")};
static const struct span_attr a7[] = {TEXT("user", "bob"), TEXT("user", "ann"),
				      TEXT("level", "server")};
static const struct span_attr exception[] = {TEXT("message", "timeout"),
					     INT("try", 3)};
static const struct span_attr retry[] = {TEXT("event", "retry")};
static const struct span_event e5[] = {
	{BASE + 250 * MS, {"exception", 9}, LIST(exception)},
	{BASE + 200 * MS, {NULL, 0}, LIST(retry)},
};
static const struct span_attr linked[] = {TEXT("why", "batch")};
static const struct span_ref r6[] = {
	{.span_id = {0, 0, 0, 0, 0, 0, 0, 3},
	 .trace_id = {[15] = 1},
	 .type = SPAN_REF_CHILD_OF},
	{.span_id = {0, 0, 0, 0, 0, 0, 0, 0xab},
	 .trace_id = {[15] = 7},
	 .type = SPAN_REF_LINK,
	 .attrs = LIST(linked)},
};
static const struct span_attr scope_attrs[] = {TEXT("lang", "c")};
static const struct span_scope scope = {
	.name = {"pg", 2}, .version = {"1.2", 3}, .attrs = LIST(scope_attrs)};

#define SPAN(id, up, proc, op, k, from, to)                                    \
	.trace_id = {[15] = 1}, .span_id = {[7] = id},                         \
	.parent_id = {[7] = up}, .process = &(proc),                           \
	.name = {op, sizeof(op) - 1}, .kind = SPAN_KIND_##k,                   \
	.start_ns = BASE + (from)*MS, .duration_ns = ((to) - (from)) * MS

static const struct span spans[] = {
	{SPAN(1, 0, shop, "GET /checkout", SERVER, 0u, 1000u),
	 .attrs = LIST(a1), .status = SPAN_STATUS_OK},
	{SPAN(2, 1, shop, "charge", CLIENT, 100u, 600u), .attrs = LIST(a2)},
	{SPAN(3, 2, pay, "POST /pay", SERVER, 110u, 590u), .attrs = LIST(a3),
	 .status = SPAN_STATUS_ERROR, .status_message = {"card refused", 12}},
	{SPAN(4, 3, pay, "SELECT", CLIENT, 120u, 200u), .attrs = LIST(a4),
	 .scope = &scope},
	{SPAN(5, 3, pay, "SELECT", CLIENT, 210u, 300u), .attrs = LIST(a5),
	 .events = e5, .n_events = 2},
	{SPAN(6, 3, pay, "UPDATE", CLIENT, 310u, 400u), .attrs = LIST(a6),
	 .refs = r6, .n_refs = 2},
	{SPAN(7, 1, shop, "render", INTERNAL, 700u, 900u), .attrs = LIST(a7)},
	{SPAN(8, 0xee, mail, "send", CONSUMER, 800u, 1500u)},
	{SPAN(9, 8, mail, "smtp", CLIENT, 900u, 1400u)},
};
#define N (sizeof(spans) / sizeof(*spans))

static const struct {
	const char *text, *want; /* ids of the spans */
} cases[] = {
	{"{}", "123456789"},
	{"{ false }", ""},
	{"{ 1 + 1 = 2 }", "123456789"},
	/* scopes */
	{"{ span.user = \"ann\" }", "17"},
	{"{ .user = \"ann\" }", "17"},
	{"{ .user = \"of the process\" }", "2"},
	{"{ resource.user != nil }", "127"},
	{"{ .host = \"web-1\" }", "127"},
	{"{ span.host != nil }", ""},
	{"{ resource.host =~ \"pay.*\" }", "3456"},
	{"{ event.message = \"timeout\" }", "5"},
	{"{ .message != nil }", ""},
	{"{ link.why = \"batch\" }", "6"},
	{"{ instrumentation.lang = \"c\" }", "4"},
	{"{ parent.user = \"ann\" }", "27"},
	{"{ parent.user = 500 }", "456"},
	{"{ parent.resource.service.name = \"shop\" }", "237"},
	{"{ resource.service.name = \"mail\" }", "89"},
	{"{ service != \"payment\" }", "12789"},
	{"{ .service.name = \"mail\" }", "89"},
	/* fields */
	{"{ name = \"SELECT\" }", "45"},
	{"{ operation =~ \"[A-Z]+\" }", "456"},
	{"{ status = error }", "23"},
	{"{ status = ok }", "1"},
	{"{ status = unset }", "456789"},
	{"{ status != ok }", "23456789"},
	{"{ statusMessage =~ \"card.*\" }", "3"},
	{"{ statusMessage = \"\" }", "12456789"},
	{"{ kind = server }", "13"},
	{"{ kind = internal || kind = consumer }", "78"},
	{"{ duration > 500ms }", "18"},
	{"{ duration >= 500ms }", "1289"},
	{"{ duration = 80ms }", "4"},
	{"{ 90ms = duration }", "56"},
	{"{ duration < 0.1s }", "456"},
	{"{ span:id = \"0000000000000003\" }", "3"},
	{"{ span:id = \"3\" }", "3"},
	{"{ span:parentID = \"EE\" }", "8"},
	{"{ span:parentID = nil }", "1"},
	{"{ parent = nil }", "18"},
	{"{ parent = nil && span:parentID != nil }", "8"},
	{"{ span:childCount = 3 }", "3"},
	{"{ childCount = 0 }", "45679"},
	{"{ trace:id = \"1\" }", "123456789"},
	{"{ trace:id = \"2\" }", ""},
	{"{ trace:duration = 1.5s }", "123456789"},
	{"{ rootName = \"GET /checkout\" && rootServiceName = \"shop\" }",
	 "123456789"},
	{"{ duration * 2 > trace:duration }", "1"},
	{"{ event:name = \"exception\" }", "5"},
	{"{ event:name = \"retry\" }", "5"},
	{"{ event:name != \"retry\" }", ""},
	{"{ event:name != \"other\" }", "5"},
	{"{ event:name = nil }", "12346789"},
	{"{ event:timeSinceStart < 0s }", "5"},
	{"{ event:timeSinceStart > 39ms }", "5"},
	{"{ link:traceID = \"7\" }", "6"},
	{"{ link:spanID = \"AB\" }", "6"},
	{"{ link:spanID = \"3\" }", ""},
	{"{ instrumentation:name = \"pg\" && instrumentation:version = \"1.2\" "
	 "}",
	 "4"},
	{"{ instrumentation:name != \"x\" }", "4"},
	{"{ nestedSetParent = -1 }", "1"},
	{"{ nestedSetParent = 0 }", "8"},
	{"{ nestedSetLeft = 1 && nestedSetRight = 14 }", "1"},
	{"{ nestedSetParent = 3 }", "456"},
	/* types */
	{"{ .user = 500 }", "346"},
	{"{ .user = \"500\" }", "346"},
	{"{ .user = 500.0 }", "346"},
	{"{ .user = \"0500\" }", "5"},
	{"{ .user > 499 }", "346"},
	{"{ .user != 500 }", "1257"},
	{"{ span.user != 500 }", "157"},
	{"{ .user < \"b\" }", "1457"},
	{"{ .n = 2.5 }", "34"},
	{"{ .n = \"2.5\" }", "34"},
	{"{ .n >= 2 }", "234"},
	{"{ .n < 0 }", "6"},
	{"{ .cached = true }", "12"},
	{"{ .cached = \"true\" }", "12"},
	{"{ .cached }", "12"},
	{"{ !.cached }", "3456789"},
	{"{ .cached = false }", "3"},
	{"{ .cached != true }", "3"},
	{"{ .level = server }", "7"},
	{"{ .level != client }", "7"},
	{"{ .raw = \"05ff\" }", "3"},
	{"{ .list = `[1,\"x\"]` }", "1"},
	{"{ .list = 1 }", ""},
	{"{ .null = nil }", "123456789"},
	{"{ .null != nil }", ""},
	{"{ .null != 1 }", ""},
	{"{ .user = \"bob\" && .user = \"ann\" }", "7"},
	{"{ .user != \"bob\" }", "123456"},
	{"{ .missing = 1 || .missing != 1 }", ""},
	{"{ !(.missing = 1) }", "123456789"},
	{"{ .user = .user }", "1234567"},
	{"{ .user = parent.user }", "467"},
	{"{ .missing = .missing }", ""},
	{"{ duration > .n }", "12346"},
	/* regular expressions */
	{"{ name =~ \"SEL\" }", ""},
	{"{ name =~ \"SEL.*\" }", "45"},
	{"{ name =~ \".*ELEC.*\" }", "45"},
	{"{ name =~ \".*a.*|UPD.*\" }", "236"},
	{"{ name =~ \"(?i)select\" }", "45"},
	{"{ .user =~ \"5..\" }", "346"},
	{"{ .user !~ \"5..\" }", "1257"},
	{"{ .cached =~ \"t.*\" }", "12"},
	{"{ .sql =~ \"UPDATE.*1\" }", "6"},
	{"{ .sql =~ \".*t.SET.*\" }", "6"},
	{"{ .sql =~ \"UPDATE t\" }", ""},
	{"{ name =~ \"\" }", ""},
	{"{ name =~ \".*\" }", "123456789"},
	/* operators */
	{"{ .n + 1 = 3.5 }", "34"},
	{"{ .n * .n = 4 }", "2"},
	{"{ -.n = 4 }", "6"},
	{"{ .n % 2 = 0 }", "26"},
	{"{ .n ^ 2 = 4 }", "2"},
	{"{ .n / 0 > 1000 }", "1234"},
	{"{ .host + 1 = 2 || .host + 1 != 2 }", ""},
	{"{ 2 + 3 * 4 ^ 2 = 50 }", "123456789"},
	{"{ -2 ^ 2 = -4 }", "123456789"},
	{"{ 2 ^ 3 ^ 2 = 512 }", "123456789"},
	{"{ 7 - 2 - 1 = 4 && 1 / 2 = 0.5 && 7 % 4 = 3 }", "123456789"},
	{"{ maxInt + 1 > maxInt }", "123456789"},
	{"{ 9007199254740993 = 9007199254740992.0 }", ""},
	{"{ true || true && false }", ""},
	{"{ true || (true && false) }", "123456789"},
	{"{ !.cached && !(status = error) }", "456789"},
	{"{ (.n = 2) = true }", "2"},
	{"{ (.n = 2) = .cached }", "23"},
	/* sets */
	{"{ service = \"mail\" } && { .n = 2 }", "289"},
	{"{ service = \"mail\" } && { .n = 99 }", ""},
	{"{ service = \"mail\" } || { .n = 99 }", "89"},
	{"{ .n = 1 } && { .n = 2 } && { name = \"smtp\" }", "129"},
	{"{ .n = 1 } && { .n = 2 } && { name = \"x\" }", ""},
	{"{ .n = 1 } || { .n = 2 } && { name = \"x\" }", ""},
	{"{ .n = 1 } || ({ .n = 2 } && { name = \"x\" })", "1"},
	{"{ service = \"shop\" } > { kind = server }", "3"},
	{"{ service = \"shop\" } >> { kind = client }", "2456"},
	{"{ kind = client } < {}", "138"},
	{"{ name = \"UPDATE\" } << {}", "123"},
	{"{ name = \"SELECT\" } ~ {}", "456"},
	{"{ name = \"UPDATE\" } ~ {}", "45"},
	{"{ name = \"render\" } ~ {}", "2"},
	{"{ name = \"send\" } ~ {}", ""},
	{"{ service = \"shop\" } !> {}", "145689"},
	{"{ service = \"shop\" } !>> {}", "189"},
	{"{} !< {}", "45679"},
	{"{ status = error } !< { status = error }", "3"},
	{"{ name = \"UPDATE\" } !<< {}", "456789"},
	{"{ name = \"UPDATE\" } !~ {}", "1236789"},
	{"{ .n = 99 } !> {}", "123456789"},
	{"{ name = \"charge\" } &> {}", "23"},
	{"{ name = \"charge\" } &>> { name = \"SELECT\" }", "245"},
	{"{ name = \"SELECT\" } &< {}", "345"},
	{"{ name = \"SELECT\" } &<< { service = \"shop\" }", "1245"},
	{"{ name = \"UPDATE\" } &~ { name = \"SELECT\" }", "456"},
	{"{ name = \"x\" } &> {}", ""},
	{"{ kind = server } > {} > { kind = server }", "3"},
	{"{ kind = server } > ({} > { kind = server })", ""},
	{"({ .n = 1 } || { .n = 2 }) > {}", "237"},
	/* pipelines */
	{"{ service = \"payment\" } | { kind = client }", "456"},
	{"{ kind = client } | count() = 5", "24569"},
	{"{ kind = client } | count() > 5", ""},
	{"count() = 9", "123456789"},
	{"{ false } | count() = 0", ""},
	{"{ kind = client } | count() > 3 | { .n = 2 }", "2"},
	{"{ name = \"SELECT\" } | avg(duration) = 85ms", "45"},
	{"{ name = \"SELECT\" } | sum(duration) = 170ms", "45"},
	{"{ name = \"SELECT\" } | min(duration) = 80ms", "45"},
	{"{ name = \"SELECT\" } | max(duration) = 90ms", "45"},
	{"{ service = \"payment\" } | sum(.n) = 1", "3456"},
	{"{ service = \"payment\" } | max(.n) - min(.n) = 6.5", "3456"},
	{"{ service = \"mail\" } | sum(.n) < 1", ""},
	{"{ service = \"mail\" } | sum(.n) >= 0", ""},
	{"{} | 2 * count() - 1 = 17", "123456789"},
	{"{} | max(duration) > 2 * avg(duration)", "123456789"},
	{"{} | max(span:childCount) = 3", "123456789"},
	{"{} | by(service) | count() = 2", "89"},
	{"{} | by(service) | count() > 2 | { kind = client }", "2456"},
	{"{} | by(.user) | count() = 3", "346"},
	{"{ .db.system != nil } | by(span:parentID) | count() > 2", "456"},
	{"{ .db.system != nil } | by(span:parentID) | count() > 3", ""},
	{"{} | by(.missing) | count() = 9", "123456789"},
	{"{} | by(service) | by(kind) | count() = 3", "456"},
	{"{} | by(service) | coalesce() | count() = 9", "123456789"},
	{"{} | by(service) | count() < 4 | coalesce() | count() = 5", "12789"},
	{"{} | by(service) | {} > {}", "245679"},
	{"{} | by(service) | {} > {} | count() = 3", "456"},
	{"{} | by(service) | { kind = client } && { kind = server }", "123456"},
	{"{} | by(service) | ({ kind = client } | count() = 1) | count() = 1",
	 "29"},
	{"{} | by(status = error) | count() = 2", "23"},
	{"({} | by(service) | count() = 2) > {}", "9"},
	{"{ kind = client } | select(.n, duration) | count() = 5", "24569"},
	/* without braces */
	{"status = error", "23"},
	{"max(duration) > 1m", ""},
};

static struct span_error err;
static struct span_trace_builder builder;

/* The ids of the spans that are chosen; or what is wrong. */
static const char *choose(const struct span_select *sel,
			  const struct span_trace *t)
{
	static char ids[200];
	struct span_query *q;
	uint8_t matched[N];
	size_t n = 0;
	int rc = span_query_compile(&q, sel, &err);

	if (rc < 0)
		return err.msg;
	rc = span__query_judge(q, t, matched, &err);
	for (size_t i = 1; i <= N && rc > 0; i++)
		for (size_t k = 0; k < N; k++)
			if (matched[k] && t->spans[k].span_id[7] == i)
				ids[n++] = (char)('0' + i);
	ids[n] = 0;
	/* What is chosen could be chosen. */
	for (size_t i = 0; i < N && rc > 0; i++)
		if (matched[i] && span_query_match(q, &t->spans[i], &err) != 1)
			rc = SPAN_E_CORRUPT;
	/* And all else is not, where that can be told. */
	for (size_t i = 0; i < N && rc >= 0 && !span_query_needs_trace(q); i++)
		if ((rc == 0 || !matched[i]) &&
		    span_query_match(q, &t->spans[i], &err) != 0)
			rc = SPAN_E_CORRUPT;
	span_query_close(&q);
	return rc == SPAN_E_CORRUPT ? "the spans say otherwise"
	       : rc < 0		    ? err.msg
				    : ids;
}

static void test_cases(const struct span_trace *t)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span_select sel = {.expression = cases[i].text};

		is_str(choose(&sel, t), cases[i].want, "%s", cases[i].text);
	}
}

/* The options are asked of the spans that are chosen. */
static void test_options(const struct span_trace *t)
{
	const char *payment = "payment", *shop_or_mail[] = {"shop", "mail"};
	const char *tag = "n=2";
	struct span_select sel = {.services = &payment, .n_services = 1};

	sel.expression = "{ kind = client }";
	is_str(choose(&sel, t), "456", "a service, and a condition");
	sel.expression = "{ kind = client } | count() = 5";
	is_str(choose(&sel, t), "456", "which does not change a count");
	sel.expression = "{ service = \"shop\" } >> { kind = client }";
	is_str(choose(&sel, t), "456", "or what is above");
	sel.services = shop_or_mail;
	sel.n_services = 2;
	is_str(choose(&sel, t), "2", "one of two services");
	sel.expression = "{ service = \"mail\" || service = \"payment\" }";
	is_str(choose(&sel, t), "89", "and of two others");
	sel = (struct span_select){.tags = &tag, .n_tags = 1};
	sel.expression = "{ status = error }";
	is_str(choose(&sel, t), "2", "a tag");
	sel = (struct span_select){.since_ns = BASE + 300 * MS,
				   .until_ns = BASE + 900 * MS};
	sel.expression = "{ kind = server } >> {}";
	is_str(choose(&sel, t), "67", "a time");
	sel = (struct span_select){.min_duration_ns = 200 * MS, .error = true};
	sel.expression = "{ duration < 490ms } || { duration > 1s }";
	is_str(choose(&sel, t), "3", "a duration and an error");
}

/* A pattern that would take years ends, and says so. */
static void test_limit(const struct span_trace *t)
{
	static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
	struct span_attr a = TEXT("x", text);
	struct span s = {.process = &shop, .attrs = {&a, 1, 0}};
	struct span_select sel = {.expression = "{ .x =~ `(a+)+` }"};
	struct span_query *q;

	(void)t;
	if (span_query_compile(&q, &sel, &err) < 0)
		abort();
	is_int(span_query_match(q, &s, &err), SPAN_E_LIMIT,
	       "a regular expression that takes too long");
	is_str(err.msg, "regular expression '(a+)+' takes too many steps",
	       "is named");
	span_query_close(&q);
}

int main(void)
{
	struct span_trace t;

	for (size_t i = 0; i < N; i++)
		if (span_trace_builder_put(&builder, &spans[i], &err) < 0)
			abort();
	if (span_trace_builder_build(&builder, &t, &err) < 0)
		abort();
	test_cases(&t);
	test_options(&t);
	test_limit(&t);
	span_trace_builder_release(&builder);
	return done_testing();
}
