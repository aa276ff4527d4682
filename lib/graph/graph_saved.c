/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A graph as bytes: one msgpack array with a mark and a checksum, so that saved
 * graphs concatenate. span-graph(1) draws it. The sums of nodes and edges and
 * the buckets of sketches add up, whatever the order in which they are loaded.
 */
#include "graph/graph_tables.h"

#include "base/crc32c.h"
#include "base/dec.h"
#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define MARK "SPG1"
#define N_PARTS 5u
#define N_SUMS 6u
#define NODE_PARTS 7u
#define EDGE_PARTS 9u

enum saved_flag {
	SAVED_OPERATIONS = 1 << 0,
	SAVED_SELF_EDGES = 1 << 1,
	SAVED_PEERS = 1 << 2,
	SAVED_LINKS = 1 << 3,
	SAVED_ALL = (1 << 4) - 1,
};

static unsigned flags_of(const struct span_graph_opts *o)
{
	return (o->by_operation ? SAVED_OPERATIONS : 0u) |
	       (o->self_edges ? SAVED_SELF_EDGES : 0u) |
	       (o->peers ? SAVED_PEERS : 0u) | (o->links ? SAVED_LINKS : 0u);
}

/* ---- Save ---- */

static void put_uint(struct span_buf *b, uint64_t n)
{
	struct pack x = {span_buf_reserve(b, PACK_MAX)};

	if (!x.p)
		return;
	pack_uint64(&x, n);
	b->len = (size_t)(x.p - b->p);
}

static void put_double(struct span_buf *b, double n)
{
	struct pack x = {span_buf_reserve(b, PACK_MAX)};

	if (!x.p)
		return;
	pack_double(&x, n);
	b->len = (size_t)(x.p - b->p);
}

static void put_array(struct span_buf *b, size_t n)
{
	struct pack x = {span_buf_reserve(b, PACK_MAX)};

	if (!x.p)
		return;
	pack_array(&x, n);
	b->len = (size_t)(x.p - b->p);
}

static void put_str(struct span_buf *b, struct span_str s)
{
	struct pack x = {span_buf_reserve(b, PACK_MAX + s.len)};

	if (!x.p)
		return;
	pack_str(&x, s.len);
	pack_raw(&x, s.p, s.len);
	b->len = (size_t)(x.p - b->p);
}

static void put_bin(struct span_buf *b, const struct span_buf *body)
{
	struct pack x = {span_buf_reserve(b, PACK_MAX + body->len)};

	if (!x.p)
		return;
	pack_bin(&x, body->len);
	pack_raw(&x, body->p, body->len);
	b->len = (size_t)(x.p - b->p);
}

static void put_node(struct span_buf *b, const struct span_graph_node *n)
{
	put_array(b, NODE_PARTS);
	put_str(b, n->service);
	put_str(b, n->operation);
	put_uint(b, n->kind);
	put_uint(b, n->spans);
	put_uint(b, n->errors);
	put_uint(b, n->roots);
	put_uint(b, n->orphans);
}

static void put_edge(struct span_buf *b, const struct span_graph_edge *e)
{
	put_array(b, EDGE_PARTS);
	put_uint(b, e->from);
	put_uint(b, e->to);
	put_uint(b, e->kind);
	put_uint(b, e->calls);
	put_uint(b, e->errors);
	put_uint(b, e->sum_ns);
	put_double(b, e->weight);
	put_double(b, e->error_weight);
	put_array(b, 2 * e->durations.n);
	for (size_t i = 0; i < e->durations.n; i++) {
		put_uint(b, e->durations.v[i].bucket);
		put_uint(b, e->durations.v[i].count);
	}
}

static bool fits(const struct span_buf *body)
{
	return body->len <= SPAN_GRAPH_SAVED_MAX;
}

/* What does not fit is cut, and then above the limit. */
static void put_body(struct span_buf *b, const struct span_graph *g)
{
	put_uint(b, g->sums.traces);
	put_uint(b, g->sums.spans);
	put_uint(b, g->sums.roots);
	put_uint(b, g->sums.orphans);
	put_uint(b, g->sums.left_out);
	put_uint(b, g->sums.lost_links);
	put_array(b, g->by_name.n);
	for (uint32_t i = 0; i < g->by_name.n && fits(b); i++)
		put_node(b, span__graph_node(g, i));
	put_array(b, g->by_pair.n);
	for (uint32_t i = 0; i < g->by_pair.n && fits(b); i++)
		put_edge(b, span__graph_edge(g, i));
}

int span_graph_save(struct span_graph *g, struct span_buf *out,
		    struct span_error *err)
{
	struct span_buf body = {0};
	int rc = span__graph_settle_links(g);

	if (rc < 0)
		return span_error_set(err, rc, "memory is out");
	put_body(&body, g);
	if (!fits(&body)) {
		rc = span_error_set(err, SPAN_E_LIMIT,
				    "the graph is too large to be saved");
	} else {
		put_array(out, N_PARTS);
		put_str(out, SPAN_STR(MARK));
		put_uint(out, 0);
		put_uint(out, flags_of(&g->o));
		put_bin(out, &body);
		put_uint(out, span__crc32c(0, body.p, body.len));
	}
	if (body.failed || out->failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	span_buf_release(&body);
	return rc;
}

/* ---- Load ---- */

static void add_sums(struct span_graph_view *to, struct dec *d)
{
	uint64_t *const sums[N_SUMS] = {&to->traces,   &to->spans,
					&to->roots,    &to->orphans,
					&to->left_out, &to->lost_links};

	for (size_t i = 0; i < N_SUMS; i++)
		*sums[i] = span__plus(*sums[i], dec_uint(d));
}

static void expect(struct dec *d, size_t parts)
{
	if (dec_array(d) != parts && !d->err)
		dec_fail(d, SPAN_E_CORRUPT, "a list of another length");
}

static int load_node(struct span_graph *g, struct dec *d, uint32_t *number)
{
	struct span_graph_node n = {0}, *to;
	int rc;

	expect(d, NODE_PARTS);
	n.service = dec_str(d, SPAN_MAX_STRING);
	n.operation = dec_str(d, SPAN_MAX_STRING);
	n.kind = (uint8_t)dec_uint_max(d, SPAN_GRAPH_EXTERNAL, "no such kind");
	n.spans = dec_uint(d);
	n.errors = dec_uint_max(d, n.spans, "more errors than spans");
	n.roots = dec_uint(d);
	n.orphans = dec_uint(d);
	if (d->err)
		return d->err;
	rc = span__graph_find_node(g, &n, number);
	if (rc < 0 || *number == SPAN__NO_NODE) {
		g->sums.left_out = span__plus(g->sums.left_out, n.spans);
		return rc;
	}
	to = span__graph_node(g, *number);
	to->spans = span__plus(to->spans, n.spans);
	to->errors = span__plus(to->errors, n.errors);
	to->roots = span__plus(to->roots, n.roots);
	to->orphans = span__plus(to->orphans, n.orphans);
	return 0;
}

static double load_weight(struct dec *d, double max)
{
	double w = dec_double(d);

	if (d->err || (w >= 0 && w <= max))
		return w;
	dec_fail(d, SPAN_E_CORRUPT, "no such weight");
	return 0;
}

/* The buckets of a sketch, which have to ascend, into S. */
static int load_sketch(struct dec *d, struct span_sketch *s)
{
	size_t n = dec_array(d);
	uint64_t least = 0;

	span_sketch_reset(s);
	if (n % 2)
		dec_fail(d, SPAN_E_CORRUPT, "a bucket without its count");
	for (; n && !d->err; n -= 2) {
		uint64_t bucket = dec_uint_max(d, SPAN_SKETCH_BUCKETS - 1,
					       "no such bucket");
		uint64_t count = dec_uint(d);

		if (bucket < least)
			dec_fail(d, SPAN_E_CORRUPT, "buckets out of order");
		least = bucket + 1;
		if (!d->err &&
		    span_sketch_put(s, span_sketch_lower((uint32_t)bucket),
				    count, NULL) < 0)
			return SPAN_E_NOMEM;
	}
	return d->err;
}

static int load_edge(struct span_graph *g, struct dec *d,
		     const uint32_t *numbers, size_t n_nodes,
		     struct span_sketch *s)
{
	struct span_graph_edge e = {0}, *to = NULL;
	size_t before;
	int rc;

	expect(d, EDGE_PARTS);
	e.from = (uint32_t)dec_uint_max(d, n_nodes - 1, "no such node");
	e.to = (uint32_t)dec_uint_max(d, n_nodes - 1, "no such node");
	e.kind = (uint8_t)dec_uint_max(d, SPAN_GRAPH_LINK, "no such kind");
	e.calls = dec_uint(d);
	e.errors = dec_uint_max(d, e.calls, "more errors than calls");
	e.sum_ns = dec_uint(d);
	e.weight = load_weight(d, 1e300);
	e.error_weight = load_weight(d, e.weight);
	rc = load_sketch(d, s);
	if (rc < 0)
		return rc;
	e.from = numbers[e.from];
	e.to = numbers[e.to];
	if (e.from != SPAN__NO_NODE && e.to != SPAN__NO_NODE)
		rc = span__graph_find_edge(g, e.from, e.to, e.kind, &to);
	if (rc < 0 || !to) {
		g->sums.left_out = span__plus(g->sums.left_out, e.calls);
		return rc;
	}
	to->calls = span__plus(to->calls, e.calls);
	to->errors = span__plus(to->errors, e.errors);
	to->sum_ns = span__plus(to->sum_ns, e.sum_ns);
	to->weight += e.weight;
	to->error_weight += e.error_weight;
	before = to->durations.n;
	rc = span_sketch_merge(&to->durations, s, NULL);
	g->n_buckets += to->durations.n - before;
	return rc;
}

static int load_body(struct span_graph *g, struct dec *d)
{
	struct span_sketch s = {0};
	uint32_t *numbers;
	size_t n, n_edges;
	int rc = 0;

	add_sums(&g->sums, d);
	n = dec_array(d);
	numbers = calloc(n + 1, sizeof(*numbers));
	if (!numbers)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < n && !rc; i++)
		rc = load_node(g, d, &numbers[i]);
	n_edges = rc ? 0 : dec_array(d);
	if (n_edges && !n)
		dec_fail(d, SPAN_E_CORRUPT, "calls without nodes");
	for (size_t i = 0; i < n_edges && !rc && !d->err; i++)
		rc = load_edge(g, d, numbers, n, &s);
	if (!rc && !d->err && dec_left(d))
		dec_fail(d, SPAN_E_CORRUPT, "more than a graph");
	span_sketch_release(&s);
	free(numbers);
	return rc ? rc : d->err;
}

static int take_options(struct span_graph *g, unsigned flags,
			struct span_error *err)
{
	if (flags == flags_of(&g->o))
		return 0;
	if (g->by_name.n || g->sums.traces)
		return span_error_set(err, SPAN_E_INVALID,
				      "graphs that were counted with different "
				      "options");
	g->o.by_operation = flags & SAVED_OPERATIONS;
	g->o.self_edges = flags & SAVED_SELF_EDGES;
	g->o.peers = flags & SAVED_PEERS;
	g->o.links = flags & SAVED_LINKS;
	return 0;
}

/* What is wrong at D, which reads what begins at P. */
static int fail(const struct dec *d, const void *p, int rc,
		struct span_error *err)
{
	if (rc == SPAN_E_NOMEM)
		return span_error_set(err, rc, "memory is out");
	return span_error_at(err, rc,
			     (uint64_t)((const char *)d->p - (const char *)p),
			     "bad graph: %s", d->what);
}

int span_graph_load(struct span_graph *g, const void *p, size_t len,
		    size_t *used, struct span_error *err)
{
	struct dec d = dec_init(p, len), in;
	struct span_str body, mark;
	unsigned flags;
	uint64_t crc;
	int rc;

	*used = 0;
	expect(&d, N_PARTS);
	mark = dec_str(&d, sizeof(MARK) - 1);
	if (!d.err && !span_str_equal(mark, SPAN_STR(MARK)))
		dec_fail(&d, SPAN_E_CORRUPT, "no saved graph");
	(void)dec_uint(&d); /* minor version: adds only what may be ignored */
	flags = (unsigned)dec_uint_max(&d, SAVED_ALL, "of a later version");
	body = dec_bin(&d, SPAN_GRAPH_SAVED_MAX);
	crc = dec_uint(&d);
	if (!d.err && crc != span__crc32c(0, body.p, body.len))
		dec_fail(&d, SPAN_E_CORRUPT, "its checksum is another one");
	if (d.err)
		return fail(&d, p, d.err, err);
	rc = take_options(g, flags, err);
	if (rc < 0)
		return rc;
	in = dec_init(body.p, body.len);
	rc = load_body(g, &in);
	if (rc < 0)
		return fail(&in, p, rc, err);
	*used = len - dec_left(&d);
	return 0;
}
