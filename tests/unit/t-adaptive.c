/* SPDX-License-Identifier: Apache-2.0 */
/* Shares by load: the rules, what is kept from run to run, and limits. */
#include <math.h>

#include "sample/adaptive.h"
#include <span/strategies.h>

#include "tests/unit/tap.h"

#define SECOND UINT64_C(1000000000)

static struct span_process process = {.service = {"web", 3}};
static struct span_error err;

static void open_rules(struct span__adaptive *a, const char *target,
		       const char *bands)
{
	*a = (struct span__adaptive){
		.initial = 0.001, .min = 1e-5, .interval_ns = 10 * SECOND};
	if (span__adaptive_rules(a, target, bands) ||
	    span__adaptive_init(a, &err))
		abort();
}

/* N traces of operation NAME in the ten seconds from AT on: their share. */
static double load(struct span__adaptive *a, const char *name, unsigned n,
		   uint64_t at)
{
	struct span s = {.name = span_str(name), .process = &process};
	const struct span__adapted *o = NULL;

	for (unsigned i = 0; i < n; i++)
		o = span__adaptive_arrive(
			a, &s, (at + 1) * SECOND + i * (9 * SECOND / n));
	return o ? o->p : -1;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void test_target(void)
{
	struct span__adaptive a;
	double p = 0;

	open_rules(&a, "2/s", NULL);
	ok(near(load(&a, "op", 1000, 0), 0.001), "a thousandth at first");
	/* 100/s: the target is a share of 0.02. */
	for (unsigned i = 1; i < 10; i++) {
		double next = load(&a, "op", 1000, i * 10);

		ok(next <= 2 * fmax(p, 0.001) + 1e-9, "it doubles at most");
		p = next;
	}
	ok(fabs(p - 0.02) <= 0.3 * 0.02, "and is near the target: %g", p);
	ok(near(load(&a, "op", 1200, 100), p), "120/s are within tolerance");
	ok(near(load(&a, "op", 10000, 110), p), "1000/s are known later");
	ok(near(load(&a, "op", 10000, 120), 0.002), "it is met at once: %g",
	   load(&a, "op", 1, 129));
	load(&a, "other", 1, 130);
	ok(near(load(&a, "op", 1, 140), 0.004), "without a trace it doubles");
	ok(near(load(&a, "op", 1, 100000), 1), "and is 1 at most");
	span__adaptive_release(&a);
}

static void test_bands(void)
{
	struct span__adaptive a;

	open_rules(&a, NULL, "<5/s=1,<50/s=0.5,else=0.125");
	ok(load(&a, "op", 49, 0) == 1, "all at first");
	ok(load(&a, "op", 50, 10) == 1, "all below 5/s");
	ok(load(&a, "op", 46, 20) == 0.5, "half from 5/s on");
	ok(load(&a, "op", 44, 30) == 0.5, "and while it is 4.6/s");
	ok(load(&a, "op", 600, 40) == 1, "all again below 4.5/s");
	ok(load(&a, "op", 460, 50) == 0.125, "two bands at once");
	ok(load(&a, "op", 440, 60) == 0.125, "46/s are not yet below");
	ok(load(&a, "op", 1, 70) == 0.5, "44/s are");
	ok(load(&a, "op", 1, 80) == 1, "and nothing is");
	span__adaptive_release(&a);
}

static const char *const bad_rules[] = {
	"",
	"else=2",
	"else",
	"<5/s=1",
	"<5/s=1,",
	"<5=1,else=0",
	"<5/s=1,<5/s=0.5,else=0",
	"<5/s=-1,else=0",
	"<5/s=1,else=0,",
	"<5/s=nan,else=0",
	"5/s=1,else=0",
	"<0/s=1,else=0",
};

#define MANY_BANDS                                                             \
	"<1/s=1,<2/s=1,<3/s=1,<4/s=1,<5/s=1,<6/s=1,<7/s=1,<8/s=1,<9/s=1,"      \
	"<10/s=1,<11/s=1,<12/s=1,<13/s=1,<14/s=1,<15/s=1,<16/s=1,else=0"

static void test_rules(void)
{
	struct span__adaptive a = {0};

	for (size_t i = 0; i < sizeof(bad_rules) / sizeof(*bad_rules); i++)
		ok(span__adaptive_rules(&a, NULL, bad_rules[i]),
		   "'%s' are no bands", bad_rules[i]);
	ok(span__adaptive_rules(&a, NULL, MANY_BANDS), "17 are too many");
	ok(!span__adaptive_rules(&a, NULL, strchr(MANY_BANDS, ',') + 1),
	   "16 are not");
	ok(!span__adaptive_rules(&a, NULL, "else=0.5") && a.n_bands == 1,
	   "one band is enough");
	ok(span__adaptive_rules(&a, "0/s", NULL), "nothing is no target");
	ok(span__adaptive_rules(&a, NULL, NULL), "no rules are none");
}

static void test_clients(void)
{
	struct span_attr tags[] = {
		{SPAN_STR("sampler.type"),
		 {.type = SPAN_STRING, .str = SPAN_STR("probabilistic")}},
		{SPAN_STR("sampler.param"), {.type = SPAN_DOUBLE, .d = 0.25}}};
	struct span s = {.name = SPAN_STR("op"),
			 .process = &process,
			 .attrs = {.v = tags, .n = 2}};
	struct span__adaptive a;

	ok(span__client_weight(&s) == 4, "a client's quarter");
	open_rules(&a, "1/s", NULL);
	ok(span__adaptive_arrive(&a, &s, 1)->count == 4, "counts for four");
	s.trace_state = SPAN_STR("ot=th:8");
	ok(span__adaptive_arrive(&a, &s, 1)->count == 12,
	   "and what else it is");
	tags[1].value.d = 0;
	ok(span__client_weight(&s) == 1, "of nothing there is no weight");
	tags[0].value.str = SPAN_STR("const");
	tags[1].value.d = 0.5;
	ok(span__client_weight(&s) == 1, "nor of another sampler");
	span__adaptive_release(&a);
}

/* A run that is cut in two, with the state between, is like one. */
static void test_state(void)
{
	static const char name[] = "a\n\"\xc3\xa9";
	struct span__adaptive one, two;
	struct span_buf text = {0}, again = {0};
	double p, q;

	open_rules(&one, "2/s", NULL);
	open_rules(&two, "2/s", NULL);
	for (unsigned i = 0; i < 4; i++)
		load(&one, name, 1000, i * 10);
	load(&one, "not\xffutf8", 1, 39);
	span__adaptive_save(&one, &text);
	is_int(span__adaptive_load(&two, "f", text.p, text.len, &err), 0,
	       "what was saved is loaded");
	is_uint(span__adaptive_n(&two), 2, "but what JSON cannot hold");
	span__adaptive_save(&two, &again);
	is_mem(again.p, again.len, text.p, text.len, "it is the same again");
	p = load(&one, name, 1000, 40);
	q = load(&two, name, 1000, 0);
	ok(p > 0.0159 && fabs(p - q) < 0.1 * p, "it goes on: %g, %g", p, q);
	span__adaptive_release(&one);
	span__adaptive_release(&two);
	span_buf_release(&text);
	span_buf_release(&again);
}

#define LIST(x) "{\"carried_ns\":0,\"operations\":[" x "]}"
#define ONE(p, count, band)                                                    \
	LIST("{\"service\":\"a\",\"operation\":\"b\",\"p\":" p                 \
	     ",\"count\":" count ",\"band\":" band ",\"idle\":0}")

static const struct {
	const char *text;
	int rc;
} states[] = {
	{LIST(""), 0},
	{ONE("0.5", "3", "0"), 0},
	{ONE("0.5", "3", "16"), 0}, /* the rules were others */
	{ONE("0", "0", "0"), 0},
	{"", SPAN_E_CORRUPT},
	{"{}", SPAN_E_CORRUPT},
	{"[1]", SPAN_E_CORRUPT},
	{"{\"operations\":[]}", SPAN_E_CORRUPT},
	{LIST("1"), SPAN_E_CORRUPT},
	{LIST("{}"), SPAN_E_CORRUPT},
	{ONE("2", "0", "0"), SPAN_E_CORRUPT},
	{ONE("-1", "0", "0"), SPAN_E_CORRUPT},
	{ONE("0.5", "1e99", "0"), SPAN_E_CORRUPT},
	{ONE("0.5", "3", "17"), SPAN_E_CORRUPT},
	{ONE("\"x\"", "3", "0"), SPAN_E_CORRUPT},
};

static void test_bad_states(void)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		struct span__adaptive a;

		open_rules(&a, NULL, i % 2 ? "<5/s=1,else=0.5" : "else=1");
		is_int(span__adaptive_load(&a, "f", states[i].text,
					   strlen(states[i].text), &err),
		       states[i].rc, "%s", states[i].text);
		ok(load(&a, "b", 1, 0) > 0, "and it can be used");
		span__adaptive_release(&a);
	}
	is_str(err.msg, "f: it is no state of span-sample", "it says why");
}

static void test_strategies(void)
{
	struct span__adaptive a;
	struct span_strategies *s = NULL;
	struct span_buf out = {0}, warnings = {0};
	const struct span_strategy *one;

	open_rules(&a, NULL, "<5/s=0.75,else=0.5");
	is_int(span__adaptive_strategies(&a, &out, &err), 0, "of nothing");
	is_int(span_strategies_parse(&s, "f", out.p, out.len, &warnings, &err),
	       0, "without an operation they are strategies");
	span_strategies_close(&s);
	load(&a, "b", 100, 0);
	load(&a, "a", 1, 8);
	load(&a, "", 1, 9);
	load(&a, "b", 1, 10);
	out.len = 0;
	is_int(span__adaptive_strategies(&a, &out, &err), 0, "with some");
	is_int(span_strategies_parse(&s, "f", out.p, out.len, &warnings, &err),
	       0, "they are, too");
	one = span_strategies_find(s, SPAN_STR("web"));
	is_uint(one->n_operations, 2, "those that have a name are there");
	ok(span_strategy_p(one, SPAN_STR("b")) == 0.5, "the share of one");
	ok(span_strategy_p(one, SPAN_STR("a")) == 0.75, "and the other");
	ok(span_strategy_p(one, SPAN_STR("new")) == 0.75 &&
		   s->usual.param == 0.75,
	   "and that of those to come");
	is_uint(warnings.len, 0, "nothing is odd");
	span_strategies_close(&s);
	span_buf_release(&out);
	span_buf_release(&warnings);
	span__adaptive_release(&a);
}

/* Names without end: memory is bounded, and room is made. */
static void test_many(void)
{
	static char big[600];
	struct span__adaptive a;
	char name[16];

	open_rules(&a, "1/s", NULL);
	memset(big, 'x', sizeof(big) - 1);
	load(&a, big, 1, 0);
	is_uint(span__adaptive_n(&a), 1, "a name that is too long has no room");
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		load(&a, name, 1, 1);
	}
	is_uint(span__adaptive_n(&a), 16385, "nor have those above the limit");
	for (unsigned i = 0; i < 70; i++)
		load(&a, "7", 1, 10 + i * 10);
	is_uint(span__adaptive_n(&a), 2, "those that are idle are forgotten");
	load(&a, "new", 1, 800);
	is_uint(span__adaptive_n(&a), 3, "and there is room again");
	span__adaptive_release(&a);
}

int main(void)
{
	test_target();
	test_bands();
	test_rules();
	test_clients();
	test_state();
	test_bad_states();
	test_strategies();
	test_many();
	return done_testing();
}
