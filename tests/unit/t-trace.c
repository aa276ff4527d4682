/* SPDX-License-Identifier: Apache-2.0 */
#include <span/trace.h>

#include <stdlib.h>
#include <time.h>

#include "tap.h"

#include "base/banned.h"

#define MAX_SPANS 12

static void put_id(uint8_t id[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		id[i] = (uint8_t)v;
}

/* A span of a table: ids are numbers, 0 is none. */
struct row {
	const char *name;
	uint64_t id, parent, start;
	int kind;
	const char *service;
	int ref; /* 1 + the type of a reference to the parent, 0: none */
};

static int put(struct span_trace_builder *b, const struct row *r)
{
	struct span_process process = {.service = span_str(r->service)};
	struct span_ref ref = {.type = r->ref - 1};
	struct span s = {
		.trace_id = {1},
		.start_ns = r->start,
		.duration_ns = 10,
		.name = span_str(r->name),
		.process = &process,
		.kind = (uint8_t)r->kind,
		.refs = r->ref ? &ref : NULL,
		.n_refs = r->ref != 0,
	};

	put_id(s.span_id, r->id);
	put_id(s.parent_id, r->parent);
	put_id(ref.span_id, r->parent);
	ref.trace_id[0] = 1;
	return span_trace_builder_put(b, &s, NULL);
}

/*
 * "a(b!(c) d)": the names in order, children in parentheses, marks: ! orphan,
 * @ cut circle, = shared id, ~ follows-from.
 */
static void draw(struct span_buf *b, const struct span_trace *t)
{
	static const char marks[] = "!@=~";
	uint32_t depth = 0;

	for (size_t k = 0; k < t->n; k++) {
		const struct span_trace_node *node = &t->nodes[t->order[k]];

		for (; depth > node->depth; depth--)
			span_buf_putc(b, ')');
		if (k && node->depth > depth)
			span_buf_putc(b, '(');
		else if (k)
			span_buf_putc(b, ' ');
		depth = node->depth;
		span_buf_str(b, t->spans[t->order[k]].name);
		for (int m = 0; m < 4; m++)
			if (node->flags & 1u << m)
				span_buf_putc(b, marks[m]);
	}
	for (; depth > 0; depth--)
		span_buf_putc(b, ')');
}

enum {
	INT = SPAN_KIND_INTERNAL,
	SRV = SPAN_KIND_SERVER,
	CLI = SPAN_KIND_CLIENT
};

static const struct {
	const char *name;
	struct row rows[MAX_SPANS];
	const char *want;
} tables[] = {
	{"one span", {{"a", 1, 0, 5, 0, "s", 0}}, "a"},
	{"children before parents, by start",
	 {{"d", 4, 2, 30, 0, "s", 0},
	  {"c", 3, 1, 40, 0, "s", 0},
	  {"b", 2, 1, 20, 0, "s", 0},
	  {"a", 1, 0, 10, 0, "s", 0}},
	 "a(b(d) c)"},
	{"equal starts keep their arrival",
	 {{"a", 1, 0, 5, 0, "s", 0},
	  {"c", 3, 1, 5, 0, "s", 0},
	  {"b", 2, 1, 5, 0, "s", 0}},
	 "a(c b)"},
	{"a child that starts first is a child",
	 {{"a", 1, 0, 50, 0, "s", 0}, {"b", 2, 1, 1, 0, "s", 0}},
	 "a(b)"},
	{"several roots",
	 {{"a", 1, 0, 10, 0, "s", 0},
	  {"b", 2, 0, 5, 0, "s", 0},
	  {"c", 3, 1, 20, 0, "s", 0}},
	 "b a(c)"},
	{"an orphan is no root while there is one",
	 {{"o", 2, 9, 1, 0, "s", 0},
	  {"c", 3, 2, 2, 0, "s", 0},
	  {"a", 1, 0, 10, 0, "s", 0}},
	 "a o!(c)"},
	{"orphans alone",
	 {{"b", 2, 9, 7, 0, "s", 0}, {"a", 1, 9, 6, 0, "s", 0}},
	 "a! b!"},
	{"its own parent",
	 {{"b", 2, 1, 7, 0, "s", 0}, {"a", 1, 1, 6, 0, "s", 0}},
	 "a(b)"},
	{"a circle of two",
	 {{"b", 2, 1, 7, 0, "s", 0}, {"a", 1, 2, 6, 0, "s", 0}},
	 "a@(b)"},
	{"a circle with a tail and a root beside",
	 {{"a", 1, 3, 5, 0, "s", 0},
	  {"b", 2, 1, 4, 0, "s", 0},
	  {"c", 3, 2, 6, 0, "s", 0},
	  {"d", 4, 3, 1, 0, "s", 0},
	  {"o", 5, 9, 8, 0, "s", 0}},
	 "o! b@(c(d a))"},
	{"two circles",
	 {{"a", 1, 2, 1, 0, "s", 0},
	  {"b", 2, 1, 2, 0, "s", 0},
	  {"c", 3, 4, 4, 0, "s", 0},
	  {"d", 4, 3, 3, 0, "s", 0}},
	 "a@(b) d@(c)"},
	{"follows-from",
	 {{"a", 1, 0, 1, 0, "s", 0},
	  {"b", 2, 1, 2, 0, "s", 2},
	  {"c", 3, 1, 3, 0, "s", 1}},
	 "a(b~ c)"},
	{"the id 0 is nobody's parent and not shared",
	 {{"a", 0, 0, 1, 0, "s", 0}, {"b", 0, 0, 2, 0, "s", 0}},
	 "a b"},
	{"a Zipkin call: server below client, children by service",
	 {{"root", 1, 0, 1, SRV, "front", 0},
	  {"cli", 2, 1, 2, CLI, "front", 0},
	  {"srv", 2, 1, 3, SRV, "back", 0},
	  {"in-back", 3, 2, 4, INT, "back", 0},
	  {"in-front", 4, 2, 5, INT, "front", 0},
	  {"other", 5, 2, 6, SRV, "third", 0}},
	 "root(cli=(srv=(in-back other) in-front))"},
	{"a Zipkin server whose clock is behind",
	 {{"srv", 2, 1, 1, SRV, "back", 0},
	  {"cli", 2, 1, 2, CLI, "front", 0},
	  {"root", 1, 0, 3, SRV, "front", 0}},
	 "root(cli=(srv=))"},
	{"a Zipkin root call",
	 {{"cli", 1, 0, 1, CLI, "front", 0},
	  {"srv", 1, 0, 2, SRV, "back", 0},
	  {"x", 2, 1, 3, CLI, "back", 0}},
	 "cli=(srv=(x))"},
	{"a service that calls itself",
	 {{"cli", 1, 0, 1, CLI, "s", 0},
	  {"srv", 1, 0, 2, SRV, "s", 0},
	  {"x", 2, 1, 3, INT, "s", 0}},
	 "cli=(srv=(x))"},
	{"one client, two servers",
	 {{"cli", 1, 0, 1, CLI, "s", 0},
	  {"s1", 1, 0, 2, SRV, "b", 0},
	  {"s2", 1, 0, 3, SRV, "c", 0},
	  {"x", 2, 1, 4, INT, "c", 0},
	  {"y", 3, 1, 5, INT, "d", 0}},
	 "cli=(s1=(y) s2=(x))"},
	{"the same id without client and server",
	 {{"a", 1, 0, 1, INT, "s", 0},
	  {"b", 1, 0, 2, INT, "s", 0},
	  {"c", 2, 1, 3, INT, "s", 0},
	  {"d", 3, 1, 4, INT, "t", 0}},
	 "a=(c d) b="},
	{"a client that follows its server in a circle",
	 {{"cli", 1, 2, 1, CLI, "a", 0},
	  {"srv", 1, 2, 2, SRV, "b", 0},
	  {"x", 2, 1, 3, INT, "b", 0}},
	 "cli@=(srv=(x))"},
	{"duplicates go, near-duplicates stay",
	 {{"a", 1, 0, 1, 0, "s", 0},
	  {"b", 2, 1, 2, 0, "s", 0},
	  {"a", 1, 0, 1, 0, "s", 0},
	  {"b", 2, 1, 2, 0, "s", 0},
	  {"b", 2, 1, 2, 0, "t", 0},
	  {"b", 2, 1, 2, 0, "s", 0}},
	 "a(b= b=)"},
	{"times at the ends of the range",
	 {{"a", 1, 0, 0, 0, "s", 0},
	  {"b", 2, 1, UINT64_MAX, 0, "s", 0},
	  {"c", 3, 1, UINT64_MAX - 5, 0, "s", 0}},
	 "a(c b)"},
};

static void test_tables(void)
{
	struct span_trace_builder b = {0};
	struct span_buf got = {0};

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		struct span_trace t;

		got.len = 0;
		for (const struct row *r = tables[i].rows; r->name; r++)
			if (put(&b, r) < 0)
				diag("put failed");
		if (span_trace_builder_build(&b, &t, NULL) == 0)
			draw(&got, &t);
		is(got.p, got.len, tables[i].want, tables[i].name);
		span_trace_builder_reset(&b);
	}
	span_buf_release(&got);
	span_trace_builder_release(&b);
}

static void test_counts(void)
{
	static const struct row rows[] = {
		{"a", 1, 0, 10, SRV, "s", 0}, {"b", 2, 1, 5, 0, "t", 0},
		{"o", 3, 9, 90, 0, "s", 0},   {"b", 2, 1, 5, 0, "t", 0},
		{"e", 4, 1, 20, 0, "", 0},
	};
	struct span_process process = {0};
	struct span error = {.trace_id = {1},
			     .span_id = {9},
			     .start_ns = UINT64_MAX - 3,
			     .duration_ns = 10,
			     .process = &process,
			     .status = SPAN_STATUS_ERROR};
	struct span_trace_builder b = {0};
	struct span_trace t;

	ok(span_trace_builder_build(&b, &t, NULL) == SPAN_E_INVALID,
	   "no spans are no trace");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(put(&b, &rows[i]) == 0, "put");
	ok(span_trace_builder_build(&b, &t, NULL) == 0, "build");
	ok(t.n == 4 && t.n_duplicates == 1, "a duplicate is left out");
	ok(t.start_ns == 5 && t.end_ns == 100, "from 5 to 100");
	ok(t.n_roots == 2 && t.n_orphans == 1, "an orphan is a root too");
	ok(t.n_services == 3, "three services");
	ok(span_str_equal(t.spans[t.root].name, SPAN_STR("a")),
	   "the root is a");
	ok(span_trace_builder_put(&b, &error, NULL) == 0, "put more");
	ok(span_trace_builder_build(&b, &t, NULL) == 0, "build again");
	ok(t.n == 5 && t.n_duplicates == 1, "the duplicate stays counted");
	ok(t.end_ns == UINT64_MAX && t.n_errors == 1, "a late error");
	span_trace_builder_reset(&b);
	b.keep_duplicates = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(put(&b, &rows[i]) == 0, "put");
	ok(span_trace_builder_build(&b, &t, NULL) == 0 && t.n == 5 &&
		   t.n_duplicates == 0,
	   "a duplicate stays when it is asked for");
	error.trace_id[15] = 1;
	ok(span_trace_builder_put(&b, &error, NULL) == SPAN_E_INVALID,
	   "a span of another trace is refused");
	span_trace_builder_release(&b);
}

/* The rules of the header once more, as simple as can be. */
static uint32_t expect_parent(const struct span_trace *t, uint32_t i)
{
	const struct span *s = &t->spans[i], *c;
	uint32_t best = SPAN_TRACE_NONE;
	int best_rank = -1;

	for (uint32_t j = 0; s->kind == SRV && j < t->n; j++) {
		c = &t->spans[j];
		if (c->kind == CLI && !memcmp(c->span_id, s->span_id, 8) &&
		    t->nodes[i].flags & SPAN_TRACE_SHARED)
			return j;
	}
	if (span_is_root(s))
		return SPAN_TRACE_NONE;
	for (uint32_t j = 0; j < t->n; j++) {
		int rank;

		c = &t->spans[j];
		if (memcmp(c->span_id, s->parent_id, 8) != 0)
			continue;
		rank = 2 * span_str_equal(c->process->service,
					  s->process->service) +
		       (c->kind == SRV);
		if (rank > best_rank) {
			best = j;
			best_rank = rank;
		}
	}
	return best;
}

static bool check_tree(const struct span_trace *t)
{
	uint32_t seen[64] = {0};

	for (uint32_t k = 0; k < t->n; k++) {
		uint32_t i = t->order[k];
		const struct span_trace_node *node = &t->nodes[i];
		uint32_t up = node->parent, at;

		if (i >= t->n || seen[i]++)
			return false;
		if (k && t->spans[k].start_ns < t->spans[k - 1].start_ns)
			return false;
		if (!(node->flags & SPAN_TRACE_CYCLE) &&
		    up != expect_parent(t, i))
			return false;
		if (up == SPAN_TRACE_NONE) {
			if (node->depth)
				return false;
			continue;
		}
		if (!seen[up] || node->depth != t->nodes[up].depth + 1)
			return false;
		for (at = t->nodes[up].first_child; at != i;
		     at = t->nodes[at].next_sibling)
			if (at >= t->n || at > i)
				return false;
	}
	return true;
}

/* A cut span is the earliest of a circle. */
static bool check_cut(const struct span_trace *t, uint32_t i)
{
	uint32_t j = expect_parent(t, i);

	for (size_t k = 0; k <= t->n && j != SPAN_TRACE_NONE; k++) {
		if (j <= i)
			return j == i;
		j = expect_parent(t, j);
	}
	return false;
}

static void test_random(void)
{
	static const char *const services[] = {"a", "b", "c"};
	struct span_trace_builder b = {0};
	bool good = true;
	size_t cut = 0;

	srand(1);
	for (int round = 0; round < 3000 && good; round++) {
		uint64_t ids = 1 + (uint64_t)rand() % 40;
		int n = 1 + rand() % 40;
		struct span_trace t;

		for (int i = 0; i < n; i++) {
			struct row r = {"x",
					(uint64_t)rand() % ids,
					(uint64_t)rand() % ids,
					(uint64_t)rand() % 30,
					rand() % 4,
					services[rand() % 3],
					0};

			good &= put(&b, &r) == 0;
		}
		good &= span_trace_builder_build(&b, &t, NULL) == 0;
		good &= t.n + t.n_duplicates == (size_t)n && check_tree(&t);
		for (uint32_t i = 0; good && i < t.n; i++)
			if (t.nodes[i].flags & SPAN_TRACE_CYCLE) {
				good &= check_cut(&t, i);
				cut++;
			}
		if (!good)
			diag("round %d fails", round);
		span_trace_builder_reset(&b);
	}
	ok(good, "random traces are trees by the rules");
	ok(cut > 100, "%zu circles were among them", cut);
	span_trace_builder_release(&b);
}

struct big {
	const char *name;
	uint32_t n;
	uint64_t id_mask; /* ids are 1 + (i & mask) */
	int shape;	  /* 0 chain, 1 star, 2 circle, 3 all the same id */
	bool shuffled;
	uint32_t depth; /* of the deepest */
};

static const struct big bigs[] = {
	{"a chain of a million", 1000000, UINT64_MAX, 0, false, 999999},
	{"a shuffled chain", 200000, UINT64_MAX, 0, true, 199999},
	{"a star", 200000, UINT64_MAX, 1, true, 1},
	{"a circle", 200000, UINT64_MAX, 2, true, 199999},
	{"one id for all", 200000, 0, 3, true, 0},
	{"few ids", 200000, 7, 1, true, 1},
};

static void test_big(const struct big *big)
{
	struct span_trace_builder b = {0};
	clock_t start = clock();
	uint32_t deepest = 0;
	struct span_trace t = {0};
	int rc = 0;

	for (uint32_t i = 0; i < big->n && rc == 0; i++) {
		/* An odd factor shuffles all numbers below a power of two. */
		uint32_t k = big->shuffled ? i * 2654435761u % 262144 : i;
		struct row r = {"x", 1 + (i & big->id_mask), 0, k, 0, "s", 0};

		if (big->shape == 1 && i)
			r.parent = 1;
		else if (big->shape == 0 || big->shape == 2)
			r.parent = i;
		if (big->shape == 2 && !i)
			r.parent = big->n;
		rc = put(&b, &r);
	}
	ok(rc == 0 && span_trace_builder_build(&b, &t, NULL) == 0, "%s",
	   big->name);
	for (uint32_t i = 0; i < t.n; i++)
		if (t.nodes[i].depth > deepest)
			deepest = t.nodes[i].depth;
	ok(t.n + t.n_duplicates == big->n && deepest == big->depth,
	   "its deepest span is at %u", deepest);
	ok(clock() - start < 10 * CLOCKS_PER_SEC, "within ten seconds");
	diag("%s: %.2f s", big->name,
	     (double)(clock() - start) / CLOCKS_PER_SEC);
	span_trace_builder_release(&b);
}

/*
 * N hosts of one service take turns: each is kept once, whatever number they
 * are, and none is taken for another one.
 */
static void test_processes(unsigned n, unsigned spans)
{
	struct span_trace_builder b = {0};
	const struct span_process *first[500] = {0};
	struct span_trace t;
	unsigned other = 0, wrong = 0;
	char host[32];

	for (unsigned i = 0; i < spans; i++) {
		struct span_attr attr = {.key = SPAN_STR("host.name"),
					 .value = {.type = SPAN_STRING}};
		struct span_process process = {.service = SPAN_STR("s"),
					       .attrs = {.v = &attr, .n = 1}};
		struct span s = {.trace_id = {1},
				 .span_id = {1, (uint8_t)(i >> 8), (uint8_t)i},
				 .start_ns = i,
				 .process = &process};

		snprintf(host, sizeof(host), "host-%u-of-a-service", i % n);
		attr.value.str = span_str(host);
		if (span_trace_builder_put(&b, &s, NULL) < 0)
			wrong++;
	}
	wrong += span_trace_builder_build(&b, &t, NULL) != 0 || t.n != spans;
	for (unsigned i = 0; i < spans && !wrong; i++) {
		const struct span_process *p = t.spans[i].process;

		snprintf(host, sizeof(host), "host-%u-of-a-service", i % n);
		wrong += !span_str_equal(p->attrs.v[0].value.str,
					 span_str(host));
		other += first[i % n] && first[i % n] != p;
		first[i % n] = p;
	}
	ok(!wrong, "spans of %u hosts have their own", n);
	ok(!other, "each of %u processes is kept once", n);
	span_trace_builder_release(&b);
}

int main(void)
{
	test_tables();
	test_counts();
	test_processes(1, 10);
	test_processes(8, 50);
	test_processes(30, 300);
	test_processes(500, 5000);
	test_random();
	for (size_t i = 0; i < sizeof(bigs) / sizeof(*bigs); i++)
		test_big(&bigs[i]);
	return done_testing();
}
