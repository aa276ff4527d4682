/* SPDX-License-Identifier: Apache-2.0 */
/* Small traces and the calls they are. */
#include <span/graph.h>

#include <string.h>

#include "tap.h"

/* One span; ids are single letters, '-' is none. */
struct row {
	char id, parent;
	const char *service;
	int kind;
	bool error, follows;
};

struct want {
	const char *from, *to;
	bool async;
	unsigned calls, errors;
};

struct test {
	const char *name;
	bool self_edges;
	struct row rows[6];
	struct want want[4];
	unsigned roots, orphans;
};

#define SERVER SPAN_KIND_SERVER
#define CLIENT SPAN_KIND_CLIENT

static const struct test tests[] = {
	{"two children of one service, as Jaeger's own test has them",
	 false,
	 {{'1', '3', "x", 0, false, false},
	  {'2', '3', "x", 0, true, false},
	  {'3', '4', "y", 0, false, false}},
	 {{"y", "x", false, 2, 1}},
	 0,
	 1},
	{"a client's span belongs to the caller",
	 false,
	 {{'a', '-', "web", SERVER, false, false},
	  {'b', 'a', "web", CLIENT, true, false},
	  {'c', 'b', "cart", SERVER, false, false}},
	 {{"web", "cart", false, 1, 0}},
	 1,
	 0},
	{"calls inside a service count with self edges",
	 true,
	 {{'a', '-', "web", SERVER, false, false},
	  {'b', 'a', "web", CLIENT, false, false},
	  {'c', 'b', "cart", SERVER, true, false}},
	 {{"web", "cart", false, 1, 1}, {"web", "web", false, 1, 0}},
	 1,
	 0},
	{"a span id that client and server share",
	 false,
	 {{'a', '-', "web", SERVER, false, false},
	  {'b', 'a', "web", CLIENT, false, false},
	  {'b', 'a', "cart", SERVER, false, false},
	  {'c', 'b', "db", CLIENT, false, false}},
	 {{"cart", "db", false, 1, 0}, {"web", "cart", false, 1, 0}},
	 1,
	 0},
	{"producer and consumer, and a span that follows only, are "
	 "asynchronous",
	 false,
	 {{'a', '-', "web", SPAN_KIND_PRODUCER, false, false},
	  {'b', 'a', "mail", SPAN_KIND_CONSUMER, false, false},
	  {'c', 'a', "log", 0, false, false},
	  {'d', 'b', "disk", 0, false, true},
	  {'e', 'b', "disk", 0, true, false}},
	 {{"mail", "disk", false, 1, 1},
	  {"mail", "disk", true, 1, 0},
	  {"web", "log", true, 1, 0},
	  {"web", "mail", true, 1, 0}},
	 1,
	 0},
	{"a span that is its own parent is a root",
	 false,
	 {{'a', 'a', "web", 0, false, false}, {'b', 'a', "db", 0, 0, 0}},
	 {{"web", "db", false, 1, 0}},
	 1,
	 0},
	{"a duplicate counts as often as it is there",
	 false,
	 {{'a', '-', "web", 0, false, false},
	  {'b', 'a', "db", 0, false, false},
	  {'b', 'a', "db", 0, true, false},
	  {'b', 'a', "db", 0, true, false}},
	 {{"web", "db", false, 3, 2}},
	 1,
	 0},
};

static int put_rows(struct span_graph *g, const struct row *rows)
{
	struct span_trace_builder b = {.keep_duplicates = true};
	struct span_trace t;
	int rc = 0;

	for (size_t i = 0; rows[i].id; i++) {
		const struct row *r = &rows[i];
		struct span_process process = {.service = span_str(r->service)};
		struct span_ref follows = {.type = SPAN_REF_FOLLOWS_FROM};
		struct span s = {
			.trace_id = {1},
			.span_id = {(uint8_t)r->id},
			.parent_id = {r->parent == '-' ? 0
						       : (uint8_t)r->parent},
			.start_ns = 1000,
			.duration_ns = 10,
			.process = &process,
			.kind = (uint8_t)r->kind,
			.status = r->error ? SPAN_STATUS_ERROR : 0,
		};

		follows.trace_id[0] = 1;
		follows.span_id[0] = s.parent_id[0];
		if (r->follows) {
			s.refs = &follows;
			s.n_refs = 1;
		}
		rc |= span_trace_builder_put(&b, &s, NULL);
	}
	rc |= span_trace_builder_build(&b, &t, NULL);
	rc |= span_graph_put(g, &t, NULL, NULL);
	span_trace_builder_release(&b);
	return rc;
}

static bool is_edge(const struct span_graph_view *v, size_t i,
		    const struct want *w)
{
	const struct span_graph_edge *e = &v->edges[i];

	return span_str_equal(v->nodes[e->from].service, span_str(w->from)) &&
	       span_str_equal(v->nodes[e->to].service, span_str(w->to)) &&
	       (e->kind == SPAN_GRAPH_ASYNC) == w->async &&
	       e->calls == w->calls && e->errors == w->errors &&
	       e->sum_ns == 10 * e->calls && e->durations.count == e->calls &&
	       e->durations.n == 1 && e->durations.v[0].bucket == 10;
}

static void run(const struct test *test)
{
	struct span_graph_opts o = {.self_edges = test->self_edges};
	struct span_graph *g = NULL;
	struct span_graph_view v = {0};
	bool good = !span_graph_open(&g, &o, NULL) &&
		    !put_rows(g, test->rows) && !span_graph_view(g, &v, NULL);
	size_t n = 0;

	while (n < 4 && test->want[n].from)
		n++;
	good = good && v.n_edges == n && v.traces == 1 &&
	       v.roots == test->roots && v.orphans == test->orphans;
	for (size_t i = 0; good && i < n; i++)
		good = is_edge(&v, i, &test->want[i]);
	ok(good, "%s", test->name);
	for (size_t i = 0; !good && i < v.n_edges; i++)
		diag("%.*s -> %.*s async %d calls %llu errors %llu",
		     (int)v.nodes[v.edges[i].from].service.len,
		     v.nodes[v.edges[i].from].service.p,
		     (int)v.nodes[v.edges[i].to].service.len,
		     v.nodes[v.edges[i].to].service.p,
		     v.edges[i].kind == SPAN_GRAPH_ASYNC,
		     (unsigned long long)v.edges[i].calls,
		     (unsigned long long)v.edges[i].errors);
	if (!good)
		diag("roots %llu orphans %llu", (unsigned long long)v.roots,
		     (unsigned long long)v.orphans);
	span_graph_close(&g);
}

static void empty(void)
{
	struct span_graph *g = NULL;
	struct span_graph_view v = {.n_nodes = 1};

	ok(!span_graph_open(&g, NULL, NULL) && !span_graph_view(g, &v, NULL) &&
		   v.n_nodes == 0 && v.n_edges == 0 && v.spans == 0,
	   "an empty graph has an empty view");
	span_graph_close(&g);
	span_graph_close(&g);
}

/* Spans that are not counted still are parents of others. */
static void counted(void)
{
	struct span_process web = {.service = SPAN_STR("web")};
	struct span_process db = {.service = SPAN_STR("db")};
	struct span_trace_builder b = {0};
	struct span_graph *g = NULL;
	struct span_graph_view v = {0};
	struct span_trace t;
	struct span s[2] = {{.span_id = {1}, .process = &web},
			    {.span_id = {2},
			     .parent_id = {1},
			     .start_ns = 5,
			     .process = &db}};
	bool good = !span_graph_open(&g, NULL, NULL) &&
		    !span_trace_builder_put(&b, &s[0], NULL) &&
		    !span_trace_builder_put(&b, &s[1], NULL) &&
		    !span_trace_builder_build(&b, &t, NULL) &&
		    !span_graph_put(g, &t, (const uint8_t *)"\0\1", NULL) &&
		    !span_graph_put(g, &t, (const uint8_t *)"\1\0", NULL) &&
		    !span_graph_view(g, &v, NULL);

	ok(good && v.spans == 2 && v.roots == 1 && v.n_edges == 1 &&
		   v.edges[0].calls == 1,
	   "a span that is not counted is still a parent");
	span_trace_builder_release(&b);
	span_graph_close(&g);
}

/* One service more than fit, each called by the first. */
static void many(void)
{
	struct span_graph *g = NULL;
	struct span_graph_view v = {0};
	char name[16];
	struct row rows[3] = {{'a', '-', "first", 0, false, false},
			      {'b', 'a', name, 0, false, false}};
	bool good = !span_graph_open(&g, NULL, NULL);

	for (unsigned i = 0; good && i < SPAN_GRAPH_NODES; i++) {
		snprintf(name, sizeof(name), "s%05u", i);
		good = !put_rows(g, rows);
	}
	good = good && !span_graph_view(g, &v, NULL);
	ok(good && v.n_nodes == SPAN_GRAPH_NODES &&
		   v.n_edges == SPAN_GRAPH_NODES - 1 && v.left_out == 1 &&
		   span_str_equal(v.nodes[1].service, SPAN_STR("s00000")),
	   "services beyond the limit are counted as left out");
	span_graph_close(&g);
}

/* Groups of a store's calls, in parts; names are not kept. */
static void calls_of_store(void)
{
	struct span_sketch one = {0}, two = {0};
	struct span_store_calls calls[] = {
		{.service = SPAN_STR("web"), .calls = 3, .sketch = &two},
		{.parent = SPAN_PARENT_ABSENT,
		 .service = SPAN_STR("db"),
		 .calls = 5,
		 .sketch = &two},
		{.parent = SPAN_PARENT_KNOWN,
		 .parent_service = SPAN_STR("web"),
		 .service = SPAN_STR("db"),
		 .calls = 1,
		 .sum_ns = 7,
		 .sketch = &one},
		{.parent = SPAN_PARENT_KNOWN,
		 .parent_service = SPAN_STR("web"),
		 .service = SPAN_STR("db"),
		 .error = true,
		 .calls = 2,
		 .sum_ns = UINT64_MAX,
		 .sketch = &two},
		{.parent = SPAN_PARENT_KNOWN,
		 .parent_service = SPAN_STR("web"),
		 .service = SPAN_STR("db"),
		 .follows = true,
		 .calls = 1,
		 .sum_ns = 7,
		 .sketch = &one},
	};
	struct span_graph *g = NULL;
	struct span_graph_view v = {0};
	bool good = !span_graph_open(&g, NULL, NULL) &&
		    !span_sketch_put(&one, 7, 1, NULL) &&
		    !span_sketch_put(&two, 9, 2, NULL);

	for (size_t i = 0; good && i < sizeof(calls) / sizeof(*calls); i++)
		good = !span_graph_put_calls(g, &calls[i], NULL);
	good = good && !span_graph_view(g, &v, NULL) && v.n_edges == 2;
	ok(good && v.spans == 12 && v.roots == 3 && v.orphans == 5 &&
		   v.traces == 0 && v.nodes[0].spans == 9 &&
		   v.nodes[0].errors == 2,
	   "groups of a store are counted to services");
	ok(good && v.edges[0].calls == 3 && v.edges[0].errors == 2 &&
		   v.edges[0].sum_ns == UINT64_MAX &&
		   v.edges[0].durations.count == 3 &&
		   span_sketch_quantile(&v.edges[0].durations, 0.3) == 7 &&
		   span_sketch_quantile(&v.edges[0].durations, 0.5) == 9,
	   "parts of a call add up, and the sum stops at its end");
	ok(good && v.edges[1].kind == SPAN_GRAPH_ASYNC && v.edges[1].calls == 1,
	   "a group that follows is asynchronous");
	span_graph_close(&g);
	span_sketch_release(&one);
	span_sketch_release(&two);
}

/* A trace of one span, with a tag, and a reference to trace REF. */
struct lone {
	uint8_t trace, ref;
	const char *service, *key, *value, *state;
	uint8_t kind;
	bool error;
};

static int put_lone(struct span_graph *g, const struct lone *l)
{
	struct span_process process = {.service = span_str(l->service)};
	struct span_attr tag = {span_str(l->key), {.type = SPAN_STRING}};
	struct span_ref ref = {.trace_id = {l->ref},
			       .span_id = {l->ref},
			       .type = SPAN_REF_LINK};
	struct span s = {
		.trace_id = {l->trace},
		.span_id = {l->trace},
		.duration_ns = 10,
		.name = SPAN_STR("op"),
		.process = &process,
		.kind = l->kind,
		.status = l->error ? SPAN_STATUS_ERROR : 0,
		.trace_state = span_str(l->state),
		.attrs = {&tag, l->key ? 1 : 0, 0},
		.refs = &ref,
		.n_refs = l->ref != 0,
	};
	struct span_trace_builder b = {0};
	struct span_trace t;
	int rc;

	tag.value.str = span_str(l->value);
	rc = span_trace_builder_put(&b, &s, NULL);
	rc |= span_trace_builder_build(&b, &t, NULL);
	rc |= span_graph_put(g, &t, NULL, NULL);
	span_trace_builder_release(&b);
	return rc;
}

static bool is_node(const struct span_graph_view *v, size_t i,
		    const char *service, int kind)
{
	return i < v->n_nodes && v->nodes[i].kind == kind &&
	       span_str_equal(v->nodes[i].service, span_str(service));
}

static void peers(void)
{
	static const struct lone spans[] = {
		{1, 0, "web", "db.system", "mysql", NULL, CLIENT, true},
		{2, 0, "web", "messaging.system", "kafka", NULL,
		 SPAN_KIND_PRODUCER, false},
		{3, 0, "web", "peer.service", "bank", NULL, CLIENT, false},
		{4, 0, "web", "peer.service", "web", NULL, CLIENT, false},
		{5, 0, "web", "peer.service", "no", NULL, SERVER, false},
		{6, 0, "web", "db.system", "", NULL, CLIENT, false},
	};
	struct span_graph_opts o = {.peers = true};
	struct span_graph *g = NULL;
	struct span_graph_view v = {0};
	bool good = !span_graph_open(&g, &o, NULL);

	for (size_t i = 0; good && i < sizeof(spans) / sizeof(*spans); i++)
		good = !put_lone(g, &spans[i]);
	good = good && !span_graph_view(g, &v, NULL) && v.n_nodes == 5 &&
	       v.n_edges == 4;
	ok(good && is_node(&v, 0, "bank", SPAN_GRAPH_EXTERNAL) &&
		   is_node(&v, 1, "kafka", SPAN_GRAPH_QUEUE) &&
		   is_node(&v, 2, "mysql", SPAN_GRAPH_DATABASE) &&
		   is_node(&v, 3, "web", SPAN_GRAPH_SERVICE) &&
		   is_node(&v, 4, "web", SPAN_GRAPH_EXTERNAL),
	   "what clients and producers name is a node");
	ok(good && v.edges[1].kind == SPAN_GRAPH_ASYNC &&
		   v.edges[2].errors == 1 && v.edges[2].to == 2 &&
		   v.spans == 6 && v.nodes[2].spans == 0,
	   "what they call has no spans, but calls and errors");
	span_graph_close(&g);
}

static void links(void)
{
	static const struct lone spans[] = {
		{1, 2, "early", NULL, NULL, NULL, 0, false},
		{2, 0, "cause", NULL, NULL, NULL, 0, false},
		{3, 2, "late", NULL, NULL, NULL, 0, true},
		{4, 9, "lost", NULL, NULL, NULL, 0, false},
	};
	struct span_graph_opts o = {.links = true};
	struct span_graph *g = NULL;
	struct span_graph_view v = {0};
	bool good = !span_graph_open(&g, &o, NULL);

	for (size_t i = 0; good && i < sizeof(spans) / sizeof(*spans); i++)
		good = !put_lone(g, &spans[i]);
	good = good && !span_graph_view(g, &v, NULL) && v.n_edges == 2;
	ok(good && v.edges[0].from == 0 && v.edges[0].to == 1 &&
		   v.edges[1].to == 2 && v.edges[1].errors == 1 &&
		   v.edges[0].kind == SPAN_GRAPH_LINK && v.lost_links == 1,
	   "a link is an edge, whichever span comes first");
	good = good && !span_graph_view(g, &v, NULL);
	ok(good && v.edges[0].calls == 1 && v.lost_links == 1,
	   "a second view counts no link again");
	span_graph_close(&g);
}

/* More spans than are remembered: links to the newest still are found. */
static void many_links(void)
{
	struct span_process process = {.service = SPAN_STR("a")}, other = {0};
	struct span_graph_opts o = {.links = true};
	struct span_ref ref = {.type = SPAN_REF_LINK, .trace_id = {1}};
	struct span s = {.trace_id = {1}, .process = &process};
	struct span_trace_node node = {.parent = SPAN_TRACE_NONE};
	struct span_trace t = {.spans = &s, .nodes = &node, .n = 1};
	struct span_graph *g = NULL;
	struct span_graph_view v = {0};
	bool good = !span_graph_open(&g, &o, NULL);
	uint32_t id = 1;

	for (; good && id < 3 << 20; id++) {
		memcpy(s.span_id, &id, sizeof(id));
		good = !span_graph_put(g, &t, NULL, NULL);
	}
	id -= 1000;
	memcpy(ref.span_id, &id, sizeof(id));
	other.service = SPAN_STR("b");
	s.process = &other;
	s.trace_id[0] = 2;
	s.refs = &ref;
	s.n_refs = 1;
	good = good && !span_graph_put(g, &t, NULL, NULL) &&
	       !span_graph_view(g, &v, NULL);
	ok(good && v.n_edges == 1 && v.lost_links == 0,
	   "of more spans than are remembered the newest are");
	span_graph_close(&g);
}

static void weights(void)
{
	/* Half of the traces, a quarter of them, all. */
	struct lone spans[] = {
		{1, 0, "web", "peer.service", "x", "ot=th:8", CLIENT, false},
		{2, 0, "web", "peer.service", "x", "ot=th:c", CLIENT, true},
		{3, 0, "web", "peer.service", "x", NULL, CLIENT, false},
	};
	struct span_graph_opts o = {.peers = true};

	for (int weighted = 0; weighted < 2; weighted++) {
		struct span_graph *g = NULL;
		struct span_graph_view v = {0};
		bool good;

		o.weighted = weighted;
		good = !span_graph_open(&g, &o, NULL);
		for (size_t i = 0; good && i < 3; i++)
			good = !put_lone(g, &spans[i]);
		good = good && !span_graph_view(g, &v, NULL) && v.n_edges == 1;
		ok(good && v.edges[0].calls == (weighted ? 7 : 3) &&
			   v.edges[0].errors == (weighted ? 4 : 1) &&
			   v.edges[0].durations.count == 3,
		   weighted ? "weighted calls are those before sampling"
			    : "calls are those that are there");
		span_graph_close(&g);
	}
}

static void operations(void)
{
	struct span_process web = {.service = SPAN_STR("web")};
	struct span_trace_builder b = {0};
	struct span_graph_opts o = {.by_operation = true};
	struct span_graph *g = NULL;
	struct span_graph_view v = {0};
	struct span_trace t;
	struct span s[3] = {
		{.span_id = {1}, .process = &web, .name = SPAN_STR("b")},
		{.span_id = {2}, .process = &web, .name = SPAN_STR("a")},
		{.span_id = {3}, .process = &web, .name = SPAN_STR("a")}};
	bool good = !span_graph_open(&g, &o, NULL);

	s[1].parent_id[0] = 1;
	s[2].parent_id[0] = 2;
	for (size_t i = 0; good && i < 3; i++)
		good = !span_trace_builder_put(&b, &s[i], NULL);
	good = good && !span_trace_builder_build(&b, &t, NULL) &&
	       !span_graph_put(g, &t, NULL, NULL) &&
	       !span_graph_view(g, &v, NULL);
	ok(good && v.n_nodes == 2 && v.n_edges == 1 && v.edges[0].from == 1 &&
		   span_str_equal(v.nodes[1].operation, SPAN_STR("b")),
	   "operations of one service call each other");
	span_trace_builder_release(&b);
	span_graph_close(&g);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		run(&tests[i]);
	empty();
	counted();
	calls_of_store();
	many();
	peers();
	links();
	many_links();
	weights();
	operations();
	return done_testing();
}
