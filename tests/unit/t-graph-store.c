/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph that a store's calls give, against that of its traces, put
 * together here from all spans. Traces lie in several files of the store;
 * what is only looked for within one (an id that spans share, a circle) is
 * made in one.
 */
#include "graph-store.h"
#include "make-drafts.h"

/* One that is there: in its own file, or with ANY in any. */
static const struct item *any_of(struct store *t, const struct item *like,
				 bool any)
{
	for (unsigned tries = 0; tries < 200; tries++) {
		const struct item *it = &t->v[rnd_below(&t->rnd, t->n)];

		if (!memcmp(it->s.trace_id, like->s.trace_id, 16) &&
		    (any || it->file == like->file))
			return it;
	}
	return NULL;
}

static void set_parent(struct store *t, struct item *it)
{
	const struct item *parent = t->n ? any_of(t, it, true) : NULL;

	switch (rnd_below(&t->rnd, 12)) {
	case 0:
		return;
	case 1: /* its own */
		memcpy(it->s.parent_id, it->s.span_id, 8);
		return;
	case 2: /* one that never comes */
		set_id(it->s.parent_id, UINT64_MAX - t->last_id);
		return;
	default:
		if (parent)
			memcpy(it->s.parent_id, parent->s.span_id, 8);
	}
}

/* Share an id in the same file, or close a circle in it; or neither. */
static void entangle(struct store *t, struct item *it)
{
	const struct item *other = t->n ? any_of(t, it, false) : NULL;

	if (!other)
		return;
	switch (rnd_below(&t->rnd, 10)) {
	case 0: /* a server takes over the id of its client */
		it->s.kind = SPAN_KIND_SERVER;
		t->v[other - t->v].s.kind = SPAN_KIND_CLIENT;
		memcpy(it->s.span_id, other->s.span_id, 8);
		memcpy(it->s.parent_id, other->s.parent_id, 8);
		return;
	case 1: /* any two */
		memcpy(it->s.span_id, other->s.span_id, 8);
		return;
	case 2:
		memcpy(it->s.parent_id, other->s.span_id, 8);
		memcpy(t->v[other - t->v].s.parent_id, it->s.span_id, 8);
		return;
	default:
		return;
	}
}

static void set_ref(struct rnd *r, struct span *s)
{
	struct span_ref *ref = rnd_alloc(r, sizeof(*ref));

	*ref = (struct span_ref){.type = (int32_t)rnd_below(r, 2)};
	memcpy(ref->trace_id, s->trace_id, 16);
	memcpy(ref->span_id, s->parent_id, 8);
	s->refs = ref;
	s->n_refs = rnd_below(r, 2);
}

static void make_span(struct store *t, uint32_t file)
{
	static const char *const services[] = {"web", "cart", "mail", "db"};
	struct rnd *r = &t->rnd;
	struct span_process *process = rnd_alloc(r, sizeof(*process));
	struct item it = {.file = file, .s = {.process = process}};
	struct span *s = &it.s;

	*process = (struct span_process){
		.service = span_str(services[rnd_below(r, 4)])};
	s->name = span_str(services[rnd_below(r, 4)]);
	s->kind = (uint8_t)rnd_below(r, 6);
	s->status = rnd_below(r, 8) ? 0 : SPAN_STATUS_ERROR;
	s->trace_id[15] = (uint8_t)rnd_below(r, TRACES);
	set_id(s->span_id, ++t->last_id);
	s->start_ns = BASE + file * LENGTH + rnd_below(r, LENGTH);
	s->duration_ns = rnd_next(r) % SECOND >> rnd_below(r, 30);
	set_parent(t, &it);
	entangle(t, &it);
	set_ref(r, s);
	t->v[t->n++] = it;
}

/* References say who the parent is, which entangle() may change later. */
static void fix_refs(struct store *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct span *s = &t->v[i].s;

		if (s->n_refs)
			memcpy(((struct span_ref *)(uintptr_t)s->refs)->span_id,
			       s->parent_id, 8);
	}
}

/* Some come twice. */
static void add_duplicates(struct store *t, size_t from)
{
	size_t n = t->n;

	for (size_t i = from; i < n; i++)
		if (!rnd_below(&t->rnd, 15))
			t->v[t->n++] = t->v[i];
}

static void seal(struct store *t)
{
	struct span_seal_opts o = {.all = true, .codec = "none"};
	struct span_sealed sealed;
	struct span_store *st = open_store(t, SPAN_STORE_MAINTAIN);

	check(span_store_seal(st, &o, &sealed, NULL, NULL, &err), "seal");
	check(span_store_close(&st, &err), "close");
}

static void make_store(struct store *t, const char *layout, uint64_t seed)
{
	init_store(t, seed);
	for (uint32_t file = 0; *layout; layout++) {
		size_t from = t->n;

		if (*layout == 's')
			seal(t);
		if (*layout == 'd')
			is_int(make_drafts(t->dir) > 0, true, "a draft");
		if (strchr("sod", *layout))
			continue;
		for (unsigned i = 0; i < SPANS; i++)
			make_span(t, file);
		add_duplicates(t, from);
		fix_refs(t);
		add_log(t, from, layout[1] == 'o');
		file++;
	}
}

static bool same_sketch(const struct span_sketch *a,
			const struct span_sketch *b)
{
	bool same = a->n == b->n && a->count == b->count;

	for (size_t i = 0; same && i < a->n; i++)
		same = a->v[i].bucket == b->v[i].bucket &&
		       a->v[i].count == b->v[i].count;
	return same;
}

static bool same_node(const struct span_graph_node *a,
		      const struct span_graph_node *b)
{
	return span_str_equal(a->service, b->service) && a->spans == b->spans &&
	       a->errors == b->errors && a->roots == b->roots &&
	       a->orphans == b->orphans;
}

static bool same_edge(const struct span_graph_edge *a,
		      const struct span_graph_edge *b)
{
	return a->from == b->from && a->to == b->to && a->kind == b->kind &&
	       a->calls == b->calls && a->errors == b->errors &&
	       a->sum_ns == b->sum_ns &&
	       same_sketch(&a->durations, &b->durations);
}

static bool same_view(const struct span_graph_view *a,
		      const struct span_graph_view *b)
{
	bool same = a->n_nodes == b->n_nodes && a->n_edges == b->n_edges &&
		    a->spans == b->spans && a->roots == b->roots &&
		    a->orphans == b->orphans && !a->left_out && !b->left_out;

	for (size_t i = 0; same && i < a->n_nodes; i++)
		same = same_node(&a->nodes[i], &b->nodes[i]);
	for (size_t i = 0; same && i < a->n_edges; i++)
		same = same_edge(&a->edges[i], &b->edges[i]);
	return same;
}

static void compare(const struct store *t, const char *layout,
		    const struct span_store_calls_range *r)
{
	struct graphs b = both(t, r);

	ok(same_view(&b.got, &b.want),
	   "%s, %" PRIu64 " s to %" PRIu64 " s: the graph of %" PRIu64
	   " spans, %" PRIu64 " orphans",
	   layout, r->since_ns ? (r->since_ns - BASE) / SECOND : 0,
	   r->until_ns ? (r->until_ns - BASE) / SECOND : 0, b.want.spans,
	   b.want.orphans);
	release(&b);
}

int main(void)
{
	static const char *const layouts[] = {
		"1",	"1o",	  "123",      "123o",	  "12s",
		"12s3", "12s34s", "1s2s3s4o", "12s34567", "12s34s56s7o",
		"1d",	"1od",	  "12s3d4o",  "1s23od",	  "12s34d5s6o",
	};
	static const struct span_store_calls_range ranges[] = {
		{0, 0, 0},
		{BASE + 13 * SECOND, 0, 0},
		{0, BASE + 31 * SECOND, 0},
		{BASE + 17 * SECOND, BASE + 55 * SECOND + 1, 0},
		{BASE + 60 * SECOND, BASE + 120 * SECOND, 0},
		{BASE + 5 * SECOND, BASE + 5 * SECOND, 0},
	};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		struct store t;

		make_store(&t, layouts[i], i + 1);
		for (size_t k = 0; k < sizeof(ranges) / sizeof(*ranges); k++)
			compare(&t, layouts[i], &ranges[k]);
		remove_store(&t);
	}
	return done_testing();
}
