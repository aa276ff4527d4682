/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Service graph metrics as Tempo names them. Names that differ may have one
 * text when they are not UTF-8: series are sorted by their labels, and those
 * with equal ones added up, as an exposition may have each only once.
 */
#include "graph-out.h"

#include <stdlib.h>

#include "base/banned.h"

struct series {
	struct span_str labels; /* client="a",... */
	uint64_t calls, errors, sum_ns;
	bool client; /* the durations are those of the caller's spans */
	struct span_sketch durations;
};

#define BOUNDS 14u /* each twice the one before */
#define FIRST_BOUND_NS 2000000ull

static void put_label(struct span_buf *b, const char *name, struct span_str s)
{
	struct span_buf text = {0};

	span_text_terminal(&text, s);
	span_buf_printf(b, "%s=\"", name);
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			span_buf_putc(b, '\\');
		span_buf_putc(b, text.p[i]);
	}
	span_buf_putc(b, '"');
	b->failed |= text.failed;
	span_buf_release(&text);
}

static const char *connection_type(const struct span_graph_node *to,
				   const struct span_graph_edge *e)
{
	if (to->kind == SPAN_GRAPH_DATABASE)
		return "database";
	if (to->kind == SPAN_GRAPH_QUEUE || e->kind == SPAN_GRAPH_ASYNC)
		return "messaging_system";
	if (to->kind == SPAN_GRAPH_EXTERNAL)
		return "virtual_node";
	return e->kind == SPAN_GRAPH_LINK ? "link" : "";
}

static void put_labels(struct span_buf *b, const struct span_graph_view *g,
		       const struct span_graph_edge *e,
		       const struct graph_form *form)
{
	const struct span_graph_node *from = &g->nodes[e->from];
	const struct span_graph_node *to = &g->nodes[e->to];

	put_label(b, "client", from->service);
	put_label(b, ",server", to->service);
	if (form->operations) {
		put_label(b, ",client_operation", from->operation);
		put_label(b, ",server_operation", to->operation);
	}
	put_label(b, ",connection_type", span_str(connection_type(to, e)));
	/* A queue is called like a service that gets messages. */
	if (form->peers)
		put_label(b, ",server_type", span_str(graph_node_kind(to)));
}

static int compare(const void *a, const void *b)
{
	const struct series *x = a, *y = b;

	return span_str_compare(x->labels, y->labels);
}

/* Add up those with equal labels, which are neighbours: how many are left. */
static size_t join(struct span_buf *b, struct series *v, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		struct series *s = &v[to ? to - 1 : 0];

		if (!to || !span_str_equal(s->labels, v[i].labels)) {
			v[to++] = v[i];
			continue;
		}
		s->calls += v[i].calls;
		s->errors += v[i].errors;
		s->sum_ns += v[i].sum_ns;
		b->failed |= span_sketch_merge(&s->durations, &v[i].durations,
					       NULL) < 0;
		span_sketch_release(&v[i].durations);
	}
	return to;
}

static void head(struct span_buf *b, const char *name, const char *type,
		 const char *help)
{
	span_buf_printf(b,
			"# HELP traces_service_graph_%s %s\n"
			"# TYPE traces_service_graph_%s %s\n",
			name, help, name, type);
}

static void put_seconds(struct span_buf *b, uint64_t ns)
{
	span_text_double(b, (double)ns / 1e9);
}

/*
 * The greatest value of a bucket of the sketch is the only bound up to which it
 * can count: the one that is next below a number that people like.
 */
static uint64_t bound_of(size_t i, uint32_t *bucket)
{
	*bucket = span_sketch_bucket(FIRST_BOUND_NS << i) - 1;
	return span_sketch_lower(*bucket + 1) - 1;
}

static uint64_t up_to(const struct span_sketch *s, uint32_t bucket)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n && s->v[i].bucket <= bucket; i++)
		n += s->v[i].count;
	return n;
}

static void put_histogram(struct span_buf *b, const char *name,
			  const struct series *s)
{
	int len = (int)s->labels.len;

	for (size_t i = 0; i < BOUNDS; i++) {
		uint32_t bucket;
		uint64_t bound = bound_of(i, &bucket);

		span_buf_printf(b, "traces_service_graph_%s_bucket{%.*s,le=\"",
				name, len, s->labels.p);
		put_seconds(b, bound);
		span_buf_printf(
			b, "\"} %llu\n",
			(unsigned long long)up_to(&s->durations, bucket));
	}
	span_buf_printf(
		b,
		"traces_service_graph_%s_bucket{%.*s,le=\"+Inf\"} %llu\n"
		"traces_service_graph_%s_sum{%.*s} ",
		name, len, s->labels.p, (unsigned long long)s->durations.count,
		name, len, s->labels.p);
	put_seconds(b, s->sum_ns);
	span_buf_printf(b, "\ntraces_service_graph_%s_count{%.*s} %llu\n", name,
			len, s->labels.p,
			(unsigned long long)s->durations.count);
}

static void put_histograms(struct span_buf *b, const struct series *v, size_t n,
			   bool client, const struct graph_form *form)
{
	const char *name =
		client ? "request_client_seconds" : "request_server_seconds";
	size_t found = 0;

	for (size_t i = 0; i < n && graph_drain(b, form); i++) {
		if (v[i].client != client)
			continue;
		if (!found++)
			head(b, name, "histogram",
			     client ? "Duration of calls, as the caller saw it."
				    : "Duration of calls, as the called "
				      "service saw it.");
		put_histogram(b, name, &v[i]);
	}
}

static void put_count(struct span_buf *b, const char *name,
		      const struct series *s, uint64_t n)
{
	span_buf_printf(b, "traces_service_graph_%s{%.*s} %llu\n", name,
			(int)s->labels.len, s->labels.p, (unsigned long long)n);
}

static void put_all(struct span_buf *b, const struct series *v, size_t n,
		    const struct graph_form *form)
{
	if (!n)
		return;
	head(b, "request_total", "counter", "Calls between two nodes.");
	for (size_t i = 0; i < n && graph_drain(b, form); i++)
		put_count(b, "request_total", &v[i], v[i].calls);
	head(b, "request_failed_total", "counter", "Calls that failed.");
	for (size_t i = 0; i < n && graph_drain(b, form); i++)
		put_count(b, "request_failed_total", &v[i], v[i].errors);
	put_histograms(b, v, n, false, form);
	put_histograms(b, v, n, true, form);
	head(b, "connection_info", "gauge", "Who calls whom, always 1.");
	for (size_t i = 0; i < n && graph_drain(b, form); i++)
		put_count(b, "connection_info", &v[i], 1);
}

void graph_out_prometheus(struct span_buf *b, const struct span_graph_view *g,
			  const struct graph_form *form)
{
	struct series *v = calloc(g->n_edges + 1, sizeof(*v));
	struct span_buf labels = {0};
	size_t n = g->n_edges, at = 0;

	for (size_t i = 0; v && i < n; i++) {
		put_labels(&labels, g, &g->edges[i], form);
		v[i].labels.len = labels.len - at;
		at = labels.len;
	}
	if (!v || labels.failed) {
		b->failed = true;
		n = 0;
	}
	at = 0;
	for (size_t i = 0; i < n; i++) {
		const struct span_graph_edge *e = &g->edges[i];

		v[i].labels.p = labels.p + at;
		at += v[i].labels.len;
		v[i].calls = e->calls;
		v[i].errors = e->errors;
		v[i].sum_ns = e->sum_ns;
		v[i].client = g->nodes[e->to].kind != SPAN_GRAPH_SERVICE;
		b->failed |= span_sketch_merge(&v[i].durations, &e->durations,
					       NULL) < 0;
	}
	if (n)
		qsort(v, n, sizeof(*v), compare);
	n = join(b, v, n);
	put_all(b, v, n, form);
	for (size_t i = 0; i < n; i++)
		span_sketch_release(&v[i].durations);
	free(v);
	span_buf_release(&labels);
}
