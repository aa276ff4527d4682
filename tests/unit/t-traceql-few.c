/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of few spans an expression chooses as many by bits as it does by arrays: of
 * random trees, of which each span is chosen at random.
 */
#include "query/traceql.h"

#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

#define TREES 2000u

static struct span_arena arena;
static struct rnd rnd = {5, &arena};
static struct span_error err;

static void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

static const char *const expressions[] = {
	"{}",
	"{ name = \"a\" } > { name = \"b\" }",
	"{ name = \"a\" } < { name = \"b\" }",
	"{ name = \"a\" } >> { name = \"b\" }",
	"{ name = \"a\" } << { name = \"b\" }",
	"{ name = \"a\" } ~ { name = \"b\" }",
	"{ name = \"a\" } ~ { name = \"a\" }",
	"{ name = \"a\" } !> { name = \"b\" }",
	"{ name = \"a\" } !< { name = \"b\" }",
	"{ name = \"a\" } !>> { name = \"b\" }",
	"{ name = \"a\" } !<< { name = \"b\" }",
	"{ name = \"a\" } !~ { name = \"b\" }",
	"{ name = \"a\" } &> { name = \"b\" }",
	"{ name = \"a\" } &< { name = \"b\" }",
	"{ name = \"a\" } &>> { name = \"b\" }",
	"{ name = \"a\" } &<< { name = \"b\" }",
	"{ name = \"a\" } &~ { name = \"b\" }",
	"{ name = \"a\" } && { name = \"b\" } && { name = \"c\" }",
	"({ name = \"a\" } > { name = \"b\" }) || { name = \"c\" }",
	"{ name = \"a\" } | count() > 3",
	"{ name = \"a\" } | 2 * count() + 1 < 8",
	"{ name = \"a\" } | count() > 63",
	"{} | by(span:parentID) | count() > 2",
	"{} | by(span:parentID) | { name = \"a\" } && { name = \"b\" }",
	"{} | by(span:parentID) | ({ name = \"a\" } ~ { name = \"b\" }) | "
	"count() = 2",
	"{} | by(span:parentID) | count() > 2 | coalesce() | "
	"({ name = \"a\" } >> { name = \"b\" })",
	"({} | by(span:parentID) | count() = 1) >> { name = \"b\" }",
	"{ name = \"a\" } | by(span:parentID) | by(span:parentID) | count() = "
	"2",
};

struct tree {
	struct span__shape_node nodes[SPAN__SHAPE_FEW];
	struct span__shape_few few;
};

/* In preorder: the next one is at most a child of the one before. */
static void grow(struct tree *t)
{
	uint64_t rare = 1 + rnd_below(&rnd, 6);
	uint8_t path[SPAN__SHAPE_FEW + 1];

	*t = (struct tree){0};
	t->few.n = 1 + (uint32_t)rnd_below(&rnd, SPAN__SHAPE_FEW);
	for (uint32_t i = 0; i < t->few.n; i++) {
		uint64_t room = i ? t->nodes[i - 1].depth + 2 : 1, chosen = 0;
		uint64_t depth = room - 1;

		if (rnd_below(&rnd, 2))
			depth = rnd_below(&rnd, room);
		for (unsigned k = 0; k < SPAN__SHAPE_BITS; k++)
			chosen |= (uint64_t)!rnd_below(&rnd, rare) << k;
		t->nodes[i] = (struct span__shape_node){chosen, depth};
		t->few.chosen[i] = (uint8_t)chosen;
		t->few.parent[i] = depth ? path[depth - 1] : SPAN__SHAPE_FEW;
		path[depth] = (uint8_t)i;
	}
}

/* How many of TREES differ; *SOME: of how many some but not all are chosen. */
static unsigned differ(struct span__tql_shapes *s, unsigned *some)
{
	uint64_t all = span__traceql_shapes_all(s);
	unsigned bad = 0;

	*some = 0;
	for (unsigned i = 0; i < TREES; i++) {
		uint64_t chosen = 0;
		uint32_t want, got;
		struct tree t;

		grow(&t);
		must(span__traceql_shapes_judge(s, t.nodes, t.few.n, &want,
						&err) == 0);
		got = span__traceql_shapes_few(s, &t.few);
		for (uint32_t k = 0; k < t.few.n; k++)
			chosen |= t.few.chosen[k];
		bad += got != want || (want && (chosen & all) != all);
		*some += want && want < t.few.n;
	}
	return bad;
}

static void test(const char *text)
{
	struct span__tql_shapes *s;
	struct span__traceql *q;
	struct span_arena own = {0};
	struct tql_hints hints;
	unsigned some, bad;

	must(span__traceql_compile(&q, span_str(text), &own, &err) == 0);
	must(span__traceql_need(q, &hints, &own, &err) == 0);
	must(span__traceql_shapes_open(&s, q, &err) == 1);
	must(span__traceql_shapes_has_few(s));
	bad = differ(s, &some);
	is_uint(bad, 0, "%s: %u of %u", text, some, TREES);
	span__traceql_shapes_close(&s);
	span__traceql_close(&q);
	span_arena_release(&own);
}

/* More filters than there are bits. */
static void test_many(void)
{
	static const char text[] =
		"{} || {} || {} || {} || {} || {} || {} || {} || {}";
	struct span__tql_shapes *s;
	struct span__traceql *q;
	struct span_arena own = {0};

	must(span__traceql_compile(&q, span_str(text), &own, &err) == 0);
	must(span__traceql_shapes_open(&s, q, &err) == 1);
	ok(!span__traceql_shapes_has_few(s), "nine filters are too many");
	span__traceql_shapes_close(&s);
	span__traceql_close(&q);
	span_arena_release(&own);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(expressions) / sizeof(*expressions); i++)
		test(expressions[i]);
	test_many();
	span_arena_release(&arena);
	return done_testing();
}
