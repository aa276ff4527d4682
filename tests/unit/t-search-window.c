/* SPDX-License-Identifier: Apache-2.0 */
/* Searches of a stream: when a trace ends, for want of time or of memory. */
#include "search-model.h"

/*
 * A source of N_TRACES traces side by side: the first spans of all of them,
 * then the second ones, and so on; GAP is between two spans.
 */
struct weave {
	size_t n_traces, n_each, next, fail_at;
	uint64_t gap_ns;
	uint64_t strange_ns; /* start of each hundredth span, 0: none */
	const char *last;    /* the name of the last span of each */
};

static int next_of_weave(void *self, struct span *out, struct span_error *e)
{
	static const struct span_process process = {.service = {"shop", 4}};
	struct weave *w = self;
	size_t round = w->next / w->n_traces, i = w->next % w->n_traces;

	if (w->fail_at && w->next == w->fail_at)
		return span_error_set(e, SPAN_E_TRUNCATED, "cut here");
	if (round == w->n_each)
		return 0;
	*out = (struct span){.process = &process, .name = SPAN_STR("work")};
	out->start_ns = BASE + w->next * w->gap_ns;
	if (w->strange_ns && w->next % 100 == 50)
		out->start_ns = w->strange_ns;
	out->trace_id[15] = (uint8_t)i;
	out->trace_id[14] = (uint8_t)(i >> 8);
	out->span_id[7] = (uint8_t)(round + 1);
	if (round + 1 == w->n_each && w->last)
		out->name = span_str(w->last);
	w->next++;
	return 1;
}

struct answer {
	size_t n, n_spans;
	uint64_t cut;
	int rc;
};

static struct answer ask_weave(struct weave w, struct span_search_opts o,
			       const char *operation)
{
	struct question q = {.operation = operation};
	struct span_query *query = compile(&q);
	struct span_source src = {next_of_weave, &w};
	struct answer a = {0};
	struct span_search *s;
	struct span_trace t;

	err = (struct span_error){0};
	if (span_search_source(&s, src, query, &o, &err) < 0)
		abort();
	while ((a.rc = span_search_next(s, &t, NULL, &err)) > 0) {
		a.n++;
		a.n_spans += t.n;
	}
	a.cut = span_search_cut(s);
	span_search_close(&s);
	span_query_close(&query);
	return a;
}

static void test_window(void)
{
	struct span_search_opts o = {.window_ns = 1000};
	struct weave w = {.n_traces = 10, .n_each = 3, .gap_ns = 99};
	struct answer a = ask_weave(w, o, NULL);

	is_uint(a.n, 10, "spans of a trace come within the window");
	is_uint(a.n_spans, 30, "so all traces are whole");
	w.gap_ns = 120;
	a = ask_weave(w, o, NULL);
	is_uint(a.n, 30, "after the window it is another result");
	is_uint(a.cut, 0, "which is no want of memory");
	a = ask_weave(w, (struct span_search_opts){.window_ns = UINT64_MAX},
		      NULL);
	is_uint(a.n, 10, "the longest window has all");
	w.gap_ns = 10;
	w.n_each = 200;
	w.strange_ns = 1;
	a = ask_weave(w, o, NULL);
	is_uint(a.n, 10, "single spans of long ago end no trace");
	w.strange_ns = UINT64_MAX / 2;
	a = ask_weave(w, o, NULL);
	is_uint(a.n, 10, "nor do those of the far future");
	w = (struct weave){.n_traces = 1000, .n_each = 1, .gap_ns = 1000000};
	a = ask_weave(w, o, NULL);
	is_uint(a.n, 1000, "spans that are all far apart are all found");
}

static void test_memory(void)
{
	struct span_search_opts o = {.window_ns = 1u << 30, .memory = 64 << 10};
	struct weave w = {.n_traces = 100, .n_each = 2, .gap_ns = 1};
	struct answer a = ask_weave(w, o, NULL);

	is_uint(a.n_spans, 200, "short of memory no span is lost");
	/* Two of them may have the same place in the memory of the past. */
	ok(a.n == 200 && a.cut > 90 && a.cut <= 100,
	   "%zu results, %llu traces cut", a.n, (unsigned long long)a.cut);
	w.last = "bad";
	a = ask_weave(w, o, "bad");
	is_uint(a.n, 100, "the part that matches is found");
	ok(a.cut > 80, "%llu of them are not whole", (unsigned long long)a.cut);
	a = ask_weave(w, o, "none");
	is_uint(a.cut, 0, "what does not match is not counted");
	w = (struct weave){.n_traces = 1, .n_each = 250, .gap_ns = 1};
	o.memory = 256 << 10;
	a = ask_weave(w, o, NULL);
	is_uint(a.n_spans, 250, "a large trace comes in parts");
	ok(a.n > 1 && a.cut == 1, "%zu parts of %llu trace", a.n,
	   (unsigned long long)a.cut);
	w = (struct weave){.n_traces = 100, .n_each = 2, .gap_ns = 1};
	o = (struct span_search_opts){.memory = 64 << 10,
				      .sort = SPAN_SORT_START};
	a = ask_weave(w, o, NULL);
	is_int(a.rc, SPAN_E_LIMIT, "too much to put in order: %s", err.msg);
	o.limit = 3;
	a = ask_weave(w, o, NULL);
	ok(a.rc == 0 && a.n == 3, "but not with a limit");
}

static void test_end(void)
{
	struct weave w = {
		.n_traces = 10, .n_each = 2, .gap_ns = 1, .fail_at = 15};
	struct answer a = ask_weave(w, (struct span_search_opts){0}, NULL);

	is_uint(a.n_spans, 15, "what came before an error is found");
	is_int(a.rc, SPAN_E_TRUNCATED, "then there is the error: %s", err.msg);
	a = ask_weave(w, (struct span_search_opts){.limit = 2}, NULL);
	ok(a.n == 2 && a.rc == SPAN_E_TRUNCATED, "also in order");
	w.last = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
	a = ask_weave(w, (struct span_search_opts){0}, "~(a+)+$");
	is_int(a.rc, SPAN_E_LIMIT, "a regex that takes too long: %s", err.msg);
}

int main(void)
{
	test_window();
	test_memory();
	test_end();
	return done_testing();
}
