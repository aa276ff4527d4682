/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a graph: parts, cycles, hubs, differences, saved ones. */
#include <span/graph.h>

#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define NODES 12u

static uint64_t seed = 7;

static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % n;
}

/* Count N calls of TO by FROM; services are single letters. */
static int put(struct span_graph *g, char from, char to, uint64_t n, bool error,
	       uint64_t ns)
{
	struct span_sketch s = {0};
	struct span_store_calls c = {.parent = SPAN_PARENT_KNOWN,
				     .parent_service = {&from, 1},
				     .service = {&to, 1},
				     .error = error,
				     .calls = n,
				     .sum_ns = n * ns,
				     .weight = 2.5,
				     .sketch = &s};
	int rc = span_sketch_put(&s, ns, n, NULL);

	rc |= span_graph_put_calls(g, &c, NULL);
	span_sketch_release(&s);
	return rc;
}

/* A graph of the edges "ab ac bd", with more calls each. */
static struct span_graph *graph_of(const char *edges)
{
	struct span_graph *g;
	uint64_t n = 1;

	if (span_graph_open(&g, NULL, NULL))
		abort();
	for (; *edges; edges += edges[2] ? 3 : 2, n++)
		if (put(g, edges[0], edges[1], n, false, 1000))
			abort();
	return g;
}

static void text_of(const struct span_graph_view *v, char *out)
{
	for (size_t i = 0; i < v->n_edges; i++) {
		*out++ = *v->nodes[v->edges[i].from].service.p;
		*out++ = *v->nodes[v->edges[i].to].service.p;
		*out++ = i + 1 < v->n_edges ? ' ' : '\0';
	}
	*out = '\0';
}

static void selects(void)
{
	static const struct {
		const char *name, *edges, *focus;
		struct span_graph_filter f;
		const char *want;
		size_t nodes;
	} tests[] = {
		{"nothing is left out", "ab bc", NULL, {0}, "ab bc", 3},
		{"what leads to the focus and away from it",
		 "ab bc cd ax xd",
		 "b",
		 {0},
		 "ab bc cd",
		 4},
		{"up to a depth", "ab bc cd de", "c", {.depth = 1}, "bc cd", 3},
		{"a circle through the focus",
		 "ab bc ca xa cy",
		 "a",
		 {0},
		 "ab bc ca cy xa",
		 5},
		{"edges with enough calls",
		 "ab bc cd",
		 NULL,
		 {.min_calls = 2},
		 "bc cd",
		 3},
		{"the edges with most calls",
		 "ab bc cd de",
		 NULL,
		 {.top = 2},
		 "cd de",
		 3},
		{"no way over an edge that is left out",
		 "ab bc cd",
		 "d",
		 {.min_calls = 2},
		 "bc cd",
		 3},
		{"other kinds only",
		 "ab bc",
		 NULL,
		 {.kinds = 1u << SPAN_GRAPH_ASYNC},
		 "",
		 0},
		{"a focus without edges stays",
		 "ab bc",
		 "a",
		 {.min_calls = 9},
		 "",
		 1},
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct span_graph *g = graph_of(tests[i].edges);
		struct span_str focus = span_str(tests[i].focus);
		struct span_graph_filter f = tests[i].f;
		struct span_graph_view v, part = {0};
		struct span_buf scratch = {0};
		char text[100] = "?";

		f.focus = tests[i].focus ? &focus : NULL;
		if (!span_graph_view(g, &v, NULL) &&
		    !span_graph_select(&v, &f, &scratch, &part, NULL))
			text_of(&part, text);
		ok(!strcmp(text, tests[i].want) &&
			   part.n_nodes == tests[i].nodes,
		   "select: %s", tests[i].name);
		if (strcmp(text, tests[i].want) != 0)
			diag("%s, %zu nodes", text, part.n_nodes);
		span_buf_release(&scratch);
		span_graph_close(&g);
	}
}

static void no_focus(void)
{
	struct span_graph *g = graph_of("ab");
	struct span_str focus = SPAN_STR("x");
	struct span_graph_filter f = {.focus = &focus};
	struct span_graph_view v, part;
	struct span_buf scratch = {0};

	ok(!span_graph_view(g, &v, NULL) &&
		   span_graph_select(&v, &f, &scratch, &part, NULL) ==
			   SPAN_E_NOTFOUND,
	   "select: a focus that is not there is said");
	span_buf_release(&scratch);
	span_graph_close(&g);
}

/* Components of random graphs are those that reachability tells. */
static void components(void)
{
	bool good = true;

	for (int round = 0; round < 300 && good; round++) {
		bool reach[NODES][NODES] = {0};
		uint32_t of[NODES];
		struct span_graph *g;
		struct span_graph_view v;
		size_t n;

		good = !span_graph_open(&g, NULL, NULL);
		for (uint32_t i = 0; i < NODES; i++)
			good &= !put(g, (char)('a' + i),
				     (char)('a' + (i + 1) % NODES), 0, 0, 1);
		for (uint32_t k = below(25); k-- > 0 && good;)
			good = !put(g, (char)('a' + below(NODES)),
				    (char)('a' + below(NODES)), 1, false, 1);
		good = good && !span_graph_view(g, &v, NULL) &&
		       v.n_nodes == NODES;
		/* The edges with calls only, as another view. */
		if (good) {
			struct span_graph_filter f = {.min_calls = 1};
			struct span_buf scratch = {0};
			struct span_graph_view part;

			good = !span_graph_select(&v, &f, &scratch, &part,
						  NULL) &&
			       !span_graph_components(&part, of, &n, NULL);
			for (size_t i = 0; i < part.n_edges; i++)
				reach[part.edges[i].from][part.edges[i].to] =
					true;
			for (uint32_t k = 0; k < part.n_nodes; k++)
				for (uint32_t i = 0; i < part.n_nodes; i++)
					for (uint32_t j = 0; j < part.n_nodes;
					     j++)
						reach[i][j] |= reach[i][k] &&
							       reach[k][j];
			for (uint32_t i = 0; i < part.n_nodes; i++)
				for (uint32_t j = 0; j < part.n_nodes; j++)
					good &= (of[i] == of[j]) ==
						(i == j ||
						 (reach[i][j] && reach[j][i]));
			span_buf_release(&scratch);
		}
		span_graph_close(&g);
	}
	ok(good, "components are what reaches each other");
}

static void hubs(void)
{
	struct span_graph *g = graph_of("ab bc bd eb");
	struct span_graph_hub h[5];
	struct span_graph_view v;
	bool good = !span_graph_view(g, &v, NULL) && v.n_nodes == 5;

	if (good)
		span_graph_hubs(&v, h);
	ok(good && h[0].node == 1 && h[0].callers == 2 && h[0].called == 2 &&
		   h[0].calls_in == 5 && h[0].calls_out == 5 &&
		   h[1].node == 0 && h[1].callers == 0 && h[1].called == 1,
	   "hubs: who has most neighbours comes first");
	span_graph_close(&g);
}

static void diffs(void)
{
	static const struct {
		const char *name;
		uint64_t calls, errors, ns, calls2, errors2, ns2;
		unsigned want;
	} tests[] = {
		{"alike", 100, 1, 1000, 200, 2, 1400, 0},
		{"added", 0, 0, 0, 5, 0, 10, SPAN_GRAPH_ADDED},
		{"removed", 5, 0, 10, 0, 0, 0, SPAN_GRAPH_REMOVED},
		{"more errors", 100, 1, 10, 100, 3, 10, SPAN_GRAPH_MORE_ERRORS},
		{"as many errors as may be", 100, 1, 10, 100, 2, 10, 0},
		{"fewer errors", 100, 9, 10, 90, 0, 10,
		 SPAN_GRAPH_FEWER_ERRORS},
		{"slower", 9, 0, 1000, 9, 0, 1600, SPAN_GRAPH_SLOWER},
		{"faster, fewer errors", 10, 9, 16000, 10, 1, 9000,
		 SPAN_GRAPH_FASTER | SPAN_GRAPH_FEWER_ERRORS},
		{"more calls", 10, 0, 9, 31, 0, 9, SPAN_GRAPH_MORE_CALLS},
		{"fewer calls", 31, 0, 9, 10, 0, 9, SPAN_GRAPH_FEWER_CALLS},
		{"too few calls to tell", 3, 0, 10, 2, 2, 1000, 0},
	};
	struct span_graph_tolerance t = {0.011, 0.5, 2, 4};

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		struct span_graph *a = graph_of(""), *b = graph_of("");
		struct span_graph_view v, w;
		struct span_buf out = {0};
		unsigned what = 0;
		int rc = 0;

		if (tests[i].calls > tests[i].errors)
			rc |= put(a, 'a', 'b', tests[i].calls - tests[i].errors,
				  false, tests[i].ns);
		if (tests[i].errors)
			rc |= put(a, 'a', 'b', tests[i].errors, true,
				  tests[i].ns);
		if (tests[i].calls2 > tests[i].errors2)
			rc |= put(b, 'a', 'b',
				  tests[i].calls2 - tests[i].errors2, false,
				  tests[i].ns2);
		if (tests[i].errors2)
			rc |= put(b, 'a', 'b', tests[i].errors2, true,
				  tests[i].ns2);
		rc |= span_graph_view(a, &v, NULL);
		rc |= span_graph_view(b, &w, NULL);
		rc |= span_graph_diff(&v, &w, &t, &out, NULL) !=
		      (tests[i].want != 0);
		if (out.len)
			what = ((struct span_graph_change *)out.p)->what;
		ok(!rc && what == tests[i].want, "diff: %s", tests[i].name);
		span_buf_release(&out);
		span_graph_close(&a);
		span_graph_close(&b);
	}
}

static bool same_sketch(const struct span_sketch *a,
			const struct span_sketch *b)
{
	bool good = a->n == b->n && a->count == b->count;

	for (size_t i = 0; good && i < a->n; i++)
		good = a->v[i].bucket == b->v[i].bucket &&
		       a->v[i].count == b->v[i].count;
	return good;
}

static bool same(struct span_graph *a, struct span_graph *b)
{
	struct span_graph_view v, w;
	bool good = !span_graph_view(a, &v, NULL) &&
		    !span_graph_view(b, &w, NULL) && v.n_nodes == w.n_nodes &&
		    v.n_edges == w.n_edges && v.spans == w.spans;

	for (size_t i = 0; good && i < v.n_edges; i++) {
		const struct span_graph_edge *e = &v.edges[i], *f = &w.edges[i];

		good = e->from == f->from && e->to == f->to &&
		       e->calls == f->calls && e->errors == f->errors &&
		       e->sum_ns == f->sum_ns && e->weight == f->weight &&
		       e->error_weight == f->error_weight &&
		       same_sketch(&e->durations, &f->durations);
	}
	return good;
}

/* Parts that are saved and loaded add up to the whole. */
static void saved(void)
{
	struct span_graph *whole = graph_of(""), *sum = graph_of("");
	struct span_buf b = {0};
	size_t at = 0, used;
	int rc = 0;

	for (int part = 0; part < 3; part++) {
		struct span_graph *g = graph_of("");

		for (int i = 0; i < 50; i++) {
			char from = (char)('a' + below(9));
			char to = (char)('a' + below(9));
			uint64_t n = 1 + below(9), ns = below(1 << 20);
			bool error = below(2);

			rc |= put(g, from, to, n, error, ns);
			rc |= put(whole, from, to, n, error, ns);
		}
		rc |= span_graph_save(g, &b, NULL);
		span_graph_close(&g);
	}
	while (!rc && at < b.len) {
		rc = span_graph_load(sum, b.p + at, b.len - at, &used, NULL);
		at += used;
	}
	ok(!rc && same(whole, sum), "saved parts add up to the whole");
	rc = 0;
	for (size_t i = 0; i < b.len && !rc; i++) {
		struct span_graph *g = graph_of("");
		struct span_error err = {0};

		/* Cut within the first of them. */
		if (span_graph_load(g, b.p, i, &used, &err) == 0)
			i = b.len;
		else
			rc = err.code != SPAN_E_TRUNCATED || !err.msg[0];
		span_graph_close(&g);
	}
	ok(!rc, "a saved graph that is cut is truncated");
	b.p[b.len / 6] ^= 1;
	ok(span_graph_load(sum, b.p, b.len, &used, NULL) == SPAN_E_CORRUPT,
	   "a saved graph with another bit is refused");
	span_buf_release(&b);
	span_graph_close(&whole);
	span_graph_close(&sum);
}

static void options(void)
{
	struct span_graph_opts o = {.by_operation = true, .links = true};
	struct span_graph *a, *empty = graph_of(""), *full = graph_of("ab");
	struct span_buf b = {0};
	size_t used;

	if (span_graph_open(&a, &o, NULL) || span_graph_save(a, &b, NULL))
		abort();
	ok(!span_graph_load(empty, b.p, b.len, &used, NULL) && used == b.len &&
		   span_graph_options(empty)->by_operation &&
		   span_graph_options(empty)->links &&
		   !span_graph_options(empty)->peers,
	   "an empty graph takes the options of what is loaded");
	ok(span_graph_load(full, b.p, b.len, &used, NULL) == SPAN_E_INVALID,
	   "graphs of different options do not add up");
	span_buf_release(&b);
	span_graph_close(&a);
	span_graph_close(&empty);
	span_graph_close(&full);
}

/* A trace of spans "ab": the letter is the service, parents by index. */
static int put_trace(struct span_paths *p, const char *services,
		     const char *parents, uint8_t id)
{
	struct span_process process[16];
	struct span_trace_builder b = {0};
	struct span_trace t;
	int rc = 0;

	for (size_t i = 0; services[i]; i++) {
		struct span s = {
			.trace_id = {id},
			.span_id = {(uint8_t)('a' + i)},
			.start_ns = i,
			.name = SPAN_STR("op"),
			.process = &process[i],
		};

		process[i] =
			(struct span_process){.service = {&services[i], 1}};
		if (parents[i] != '-')
			s.parent_id[0] = (uint8_t)('a' + (parents[i] - '0'));
		rc |= span_trace_builder_put(&b, &s, NULL);
	}
	rc |= span_trace_builder_build(&b, &t, NULL);
	rc |= span_paths_put(p, &t, NULL);
	span_trace_builder_release(&b);
	return rc;
}

static void paths(void)
{
	static const struct {
		const char *text;
		uint64_t calls, traces;
		uint8_t id;
	} want[] = {{"w>x", 3, 2, 1}, {"w>x>y", 2, 1, 1}, {"x", 1, 1, 3}};
	struct span_paths *p = NULL;
	struct span_path path;
	bool good = !span_paths_open(&p, SPAN_STR("x"), false, NULL);
	size_t n = 0;

	/* w calls x, which calls itself, and then y twice; and z. */
	good = good && !put_trace(p, "wxxyyz", "-01220", 1) &&
	       !put_trace(p, "wxx", "-00", 2) && !put_trace(p, "x", "-", 3) &&
	       !put_trace(p, "wxw", "-0-", 1) && !put_trace(p, "wz", "-0", 4);
	for (; good && span_paths_next(p, &path, NULL) > 0; n++) {
		char text[16] = "";

		for (size_t i = 0; i < path.n; i++) {
			if (i)
				text[2 * i - 1] = '>';
			text[2 * i] = *path.steps[i].service.p;
		}
		good = n < 3 && !strcmp(text, want[n].text) &&
		       path.calls == want[n].calls &&
		       path.traces == want[n].traces &&
		       path.trace_id[0] == (n == 0 ? 2 : want[n].id);
		if (!good)
			diag("%s %llu %llu %u", text,
			     (unsigned long long)path.calls,
			     (unsigned long long)path.traces, path.trace_id[0]);
	}
	ok(good && n == 3, "paths: those through a service, with their counts");
	span_paths_close(&p);
}

/* A chain that is longer than a path may be. */
static void long_path(void)
{
	struct span_process process[2] = {{.service = SPAN_STR("x")},
					  {.service = SPAN_STR("y")}};
	struct span_trace_builder b = {0};
	struct span_paths *p = NULL;
	struct span_path path = {0};
	struct span_trace t;
	int rc = span_paths_open(&p, SPAN_STR("x"), true, NULL);

	for (uint32_t i = 1; i <= 1000; i++) {
		struct span s = {.start_ns = i, .process = &process[i % 2]};
		uint32_t parent = i - 1;

		memcpy(s.span_id, &i, sizeof(i));
		memcpy(s.parent_id, &parent, sizeof(parent));
		rc |= span_trace_builder_put(&b, &s, NULL);
	}
	rc |= span_trace_builder_build(&b, &t, NULL);
	rc |= span_paths_put(p, &t, NULL);
	ok(!rc && span_paths_next(p, &path, NULL) == 1 &&
		   path.n == SPAN_PATHS_STEPS && path.calls == 1 &&
		   span_paths_next(p, &path, NULL) == 0,
	   "paths: one that is too long ends at the limit");
	span_trace_builder_release(&b);
	span_paths_close(&p);
}

int main(void)
{
	selects();
	no_focus();
	components();
	hubs();
	diffs();
	saved();
	options();
	paths();
	long_path();
	return done_testing();
}
