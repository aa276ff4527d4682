/* SPDX-License-Identifier: Apache-2.0 */
/* What the graph of a store differs in from that of its traces, and only that.
 */
#include "graph-store.h"

/*
 * What span-graph(1) names as differences: two spans in one log, or in two,
 * and what they are called by. A service is a letter.
 */
struct apart {
	const char *name;
	struct {
		unsigned file, id, parent, kind, start_s;
		const char *service;
	} v[4];
	/* from, to, and how many orphans, of the store and of the trace */
	const char *of_store, *of_trace;
};

static const struct apart aparts[] = {
	{"a parent is looked for in what is a minute away",
	 {{0, 1, 0, 0, 0, "a"}, {1, 2, 1, 0, 60, "b"}},
	 "a>b 0",
	 "a>b 0"},
	{"a parent is not looked for in what is more than a minute away",
	 {{0, 1, 0, 0, 0, "a"}, {1, 2, 1, 0, 62, "b"}},
	 "1",
	 "a>b 0"},
	{"a circle in one file is cut",
	 {{0, 1, 2, 0, 0, "a"}, {0, 2, 1, 0, 1, "b"}},
	 "a>b 0",
	 "a>b 0"},
	{"a circle through two files is not cut",
	 {{0, 1, 2, 0, 0, "a"}, {1, 2, 1, 0, 1, "b"}},
	 "a>b b>a 0",
	 "a>b 0"},
	{"a server is called by a client with its id in its file",
	 {{0, 1, 0, 0, 0, "a"},
	  {0, 2, 1, SPAN_KIND_CLIENT, 1, "b"},
	  {0, 2, 1, SPAN_KIND_SERVER, 2, "c"}},
	 "a>b b>c 0",
	 "a>b b>c 0"},
	{"else by the parent that it names, in the same file if it is there",
	 {{1, 1, 0, 0, 0, "a"},
	  {0, 2, 1, SPAN_KIND_CLIENT, 1, "b"},
	  {1, 2, 1, SPAN_KIND_SERVER, 2, "c"}},
	 "a>b a>c 0",
	 "a>b b>c 0"},
};

static void print_graph(const struct span_graph_view *v, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_edges && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%c>%c ",
				      *v->nodes[v->edges[i].from].service.p,
				      *v->nodes[v->edges[i].to].service.p);
	if (n < size)
		snprintf(out + n, size - n, "%" PRIu64, v->orphans);
}

static void run_apart(const struct apart *a)
{
	static const struct span_store_calls_range all;
	struct span_process processes[4];
	char got[64], want[64];
	struct graphs b;
	struct store t;

	init_store(&t, 1);
	for (unsigned file = 0; file < 2; file++) {
		size_t from = t.n;

		for (size_t i = 0; i < 4 && a->v[i].id; i++) {
			struct item it = {.file = file};

			if (a->v[i].file != file)
				continue;
			processes[i] = (struct span_process){
				.service = span_str(a->v[i].service)};
			it.s.process = &processes[i];
			it.s.kind = (uint8_t)a->v[i].kind;
			it.s.start_ns = BASE + a->v[i].start_s * SECOND;
			it.s.duration_ns = SECOND / 2;
			set_id(it.s.span_id, a->v[i].id);
			set_id(it.s.parent_id, a->v[i].parent);
			t.v[t.n++] = it;
		}
		if (t.n > from)
			add_log(&t, from, false);
	}
	b = both(&t, &all);
	print_graph(&b.got, got, sizeof(got));
	print_graph(&b.want, want, sizeof(want));
	ok(!strcmp(got, a->of_store) && !strcmp(want, a->of_trace),
	   "%s: %s, %s", a->name, got, want);
	release(&b);
	remove_store(&t);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(aparts) / sizeof(*aparts); i++)
		run_apart(&aparts[i]);
	return done_testing();
}
