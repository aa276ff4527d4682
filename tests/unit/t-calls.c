/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls and names of random stores, of logs and segments, against a count
 * that is written here from what <span/store.h> and <span/trace.h> say.
 */
#include "calls-store.h"

/* ---- what the headers say ---- */

static bool same_trace(const struct item *a, const struct item *b)
{
	return !memcmp(a->s.trace_id, b->s.trace_id, 16);
}

static bool same_service(const struct item *a, const struct item *b)
{
	return span_str_equal(a->s.process->service, b->s.process->service);
}

/* Is item A earlier than B, which is in the same file? */
static bool earlier(const struct store *t, uint32_t a, uint32_t b)
{
	uint64_t x = t->v[a].s.start_ns, y = t->v[b].s.start_ns;

	return x < y || (x == y && a < b);
}

/* The parent that spans of FILE with the id ID make for C. */
static uint32_t choose(const struct store *t, const struct item *c,
		       const uint8_t id[8], uint32_t file)
{
	uint32_t best = NEVER;
	int best_rank = -1;

	for (uint32_t i = 0; i < t->n; i++) {
		const struct item *it = &t->v[i];
		int rank;

		if (it->file != file || !same_trace(it, c) ||
		    memcmp(it->s.span_id, id, 8) != 0)
			continue;
		rank = 2 * same_service(it, c) +
		       (it->s.kind == SPAN_KIND_SERVER);
		if (rank > best_rank ||
		    (rank == best_rank && earlier(t, i, best))) {
			best = i;
			best_rank = rank;
		}
	}
	return best;
}

static uint32_t shared_client(const struct store *t, uint32_t c)
{
	const struct item *server = &t->v[c];
	static const uint8_t zero[8];
	uint32_t best = NEVER;

	if (server->s.kind != SPAN_KIND_SERVER ||
	    !memcmp(server->s.span_id, zero, 8))
		return NEVER;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->v[i].file == server->file && i != c &&
		    same_trace(&t->v[i], server) &&
		    !memcmp(t->v[i].s.span_id, server->s.span_id, 8) &&
		    t->v[i].s.kind == SPAN_KIND_CLIENT &&
		    (best == NEVER || earlier(t, i, best)))
			best = i;
	return best;
}

static void find_parents(struct store *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct item *c = &t->v[i];

		c->parent = shared_client(t, i);
		if (c->parent == NEVER && !span_is_root(&c->s))
			c->parent = choose(t, c, c->s.parent_id, c->file);
	}
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t at = t->v[i].parent, first = i;
		size_t steps = 0;

		while (at != NEVER && at != i && steps++ <= t->n)
			at = t->v[at].parent;
		if (at != i)
			continue;
		for (at = t->v[i].parent; at != i; at = t->v[at].parent)
			if (earlier(t, at, first))
				first = at;
		t->v[first].parent = NEVER;
		t->v[first].cut = true;
	}
}

struct times {
	uint64_t min, max;
};

static struct times times_of(const struct store *t, uint32_t file,
			     const struct item *trace)
{
	struct times r = {UINT64_MAX, 0};

	for (size_t i = 0; i < t->n; i++) {
		const struct item *it = &t->v[i];
		uint64_t end = span_end_ns(&it->s);

		if (it->file != file || (trace && !same_trace(it, trace)))
			continue;
		if (it->s.start_ns < r.min)
			r.min = it->s.start_ns;
		if (end > r.max)
			r.max = end;
	}
	return r;
}

static uint64_t gap(struct times a, struct times b)
{
	if (a.min > b.max)
		return a.min - b.max;
	return b.min > a.max ? b.min - a.max : 0;
}

static void find_others(struct store *t)
{
	struct times files[FILES];

	for (uint32_t f = 0; f < t->n_files; f++)
		files[f] = times_of(t, f, NULL);
	for (uint32_t i = 0; i < t->n; i++) {
		struct item *c = &t->v[i];
		struct times own;

		if (c->parent != NEVER || c->cut || span_is_root(&c->s))
			continue;
		own = times_of(t, c->file, c);
		for (uint32_t k = 2; k < 2 * FILES && c->parent == NEVER; k++) {
			uint32_t f = k % 2 ? c->file - k / 2 : c->file + k / 2;

			if (f < t->n_files && gap(own, files[f]) <= MINUTE)
				c->parent = choose(t, c, c->s.parent_id, f);
		}
	}
}

/* ---- counting ---- */

struct row {
	char key[160];
	uint64_t calls, sum;
	bool over; /* the sum */
	struct span_sketch sketch;
};

struct rows {
	struct row *v;
	size_t n, cap;
};

static struct row *row(struct rows *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->v[i].key, key))
			return &r->v[i];
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 256;
		r->v = realloc(r->v, r->cap * sizeof(*r->v));
		if (!r->v)
			abort();
	}
	r->v[r->n] = (struct row){0};
	snprintf(r->v[r->n].key, sizeof(r->v[r->n].key), "%s", key);
	return &r->v[r->n++];
}

static void add_sum(struct row *r, uint64_t sum)
{
	r->over |= __builtin_add_overflow(r->sum, sum, &r->sum);
	if (r->over)
		r->sum = UINT64_MAX;
}

static void make_key(char key[160], const struct span_store_calls *c)
{
	snprintf(key, 160, "%d %.*s %.*s %d > %.*s %.*s %d%s%s %g @%" PRIu64,
		 c->parent, (int)c->parent_service.len, c->parent_service.p,
		 (int)c->parent_name.len, c->parent_name.p, c->parent_kind,
		 (int)c->service.len, c->service.p, (int)c->name.len, c->name.p,
		 c->kind, c->follows ? " follows" : "",
		 c->error ? " error" : "", c->weight, c->start_ns);
}

static int take_calls(void *arg, const struct span_store_calls *c,
		      struct span_error *e)
{
	char key[160];
	struct row *r;

	make_key(key, c);
	r = row(arg, key);
	r->calls += c->calls;
	add_sum(r, c->sum_ns);
	if (!c->calls || c->calls != c->sketch->count)
		abort();
	return span_sketch_merge(&r->sketch, c->sketch, e);
}

static bool follows(const struct span *s)
{
	const struct span_ref *r = s->refs;

	return s->n_refs == 1 && r->type == SPAN_REF_FOLLOWS_FROM &&
	       !memcmp(r->trace_id, s->trace_id, 16) &&
	       !memcmp(r->span_id, s->parent_id, 8) && !r->flags &&
	       !r->attrs.dropped && !r->trace_state.len;
}

static void count_item(struct rows *rows, const struct store *t,
		       const struct item *it,
		       const struct span_store_calls_range *r)
{
	struct span_store_calls c = {
		.service = it->s.process->service,
		.name = it->s.name,
		.kind = it->s.kind,
		.error = it->error,
		.follows = follows(&it->s),
		.weight = it->weight,
		.start_ns = r->since_ns,
	};
	char key[160];
	struct row *to;

	if (it->parent != NEVER) {
		const struct span *p = &t->v[it->parent].s;

		c.parent = SPAN_PARENT_KNOWN;
		c.parent_service = p->process->service;
		c.parent_name = p->name;
		c.parent_kind = p->kind;
	} else if (!it->cut && !span_is_root(&it->s)) {
		c.parent = SPAN_PARENT_ABSENT;
	}
	if (r->width_ns)
		c.start_ns += (it->s.start_ns - r->since_ns) / r->width_ns *
			      r->width_ns;
	make_key(key, &c);
	to = row(rows, key);
	to->calls++;
	add_sum(to, it->s.duration_ns);
	check(span_sketch_put(&to->sketch, it->s.duration_ns, 1, &err), "put");
}

static void count_items(struct rows *rows, const struct store *t,
			const struct span_store_calls_range *r)
{
	for (size_t i = 0; i < t->n; i++) {
		uint64_t start = t->v[i].s.start_ns;

		if (start >= r->since_ns &&
		    (!r->until_ns || start < r->until_ns))
			count_item(rows, t, &t->v[i], r);
	}
}

static bool same_sketch(const struct span_sketch *a,
			const struct span_sketch *b)
{
	if (a->n != b->n || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].bucket != b->v[i].bucket ||
		    a->v[i].count != b->v[i].count)
			return false;
	return true;
}

static size_t compare_rows(struct rows *got, struct rows *want)
{
	size_t bad = got->n != want->n;

	for (size_t i = 0; i < want->n; i++) {
		struct row *w = &want->v[i], *g = row(got, w->key);

		if (g->calls == w->calls && g->sum == w->sum &&
		    same_sketch(&g->sketch, &w->sketch))
			continue;
		if (bad++ < 5)
			diag("%s: got %" PRIu64 " calls of %" PRIu64
			     ", want %" PRIu64 " of %" PRIu64,
			     w->key, g->calls, g->sum, w->calls, w->sum);
	}
	for (size_t i = 0; i < got->n; i++) {
		const char *key = got->v[i].key;

		if (row(want, key)->calls == 0 && bad++ < 5)
			diag("%s: not wanted", key);
	}
	return bad;
}

static void release(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		span_sketch_release(&r->v[i].sketch);
	free(r->v);
}

static void test_calls(const struct plan *p, const struct store *t,
		       const struct span_store_calls_range *r, const char *what)
{
	struct rows got = {0}, want = {0};

	if (span_store_calls(t->st, r, take_calls, &got, &err) < 0)
		diag("%s", err.msg);
	count_items(&want, t, r);
	ok(!compare_rows(&got, &want), "%s: calls %s are those of a count: %zu",
	   p->name, what, want.n);
	release(&got);
	release(&want);
}

static void test_ranges(const struct plan *p, struct store *t)
{
	const struct {
		const char *name;
		struct span_store_calls_range r;
	} tests[] = {
		{"in all", {0, 0, 0}},
		{"by the minute", {0, 0, MINUTE}},
		{"by the hour", {0, 0, 60 * MINUTE}},
		{"since a minute", {BASE + 2 * MINUTE, 0, MINUTE}},
		{"until one", {0, BASE + 5 * MINUTE, MINUTE}},
		{"since a second",
		 {BASE + 2 * MINUTE + 17 * SECOND, BASE + 7 * MINUTE + SECOND,
		  0}},
		{"in odd minutes",
		 {BASE + MINUTE + 17 * SECOND, BASE + 7 * MINUTE + SECOND,
		  2 * MINUTE}},
		{"of a minute", {BASE + 2 * MINUTE, BASE + 3 * MINUTE, 0}},
		{"of a moment", {BASE + 2 * MINUTE, BASE + 2 * MINUTE + 1, 0}},
		{"of no time", {BASE + MINUTE, BASE + MINUTE, 0}},
		{"before time", {BASE + MINUTE, BASE, MINUTE}},
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		test_calls(p, t, &tests[i].r, tests[i].name);
}

/* ---- names ---- */

struct name_list {
	struct rows rows;
	struct span_store_name last;
	char service[80], operation[80];
	bool sorted;
	size_t n;
};

static void name_key(char key[160], struct span_str service,
		     struct span_str name, int kind)
{
	snprintf(key, 160, "%.*s %.*s %d", (int)service.len, service.p,
		 (int)name.len, name.p, kind);
}

static int take_name(void *arg, const struct span_store_name *n,
		     struct span_error *e)
{
	struct name_list *l = arg;
	char key[160];
	struct row *r;
	int order;

	(void)e;
	name_key(key, n->service, n->operation, n->kind);
	order = l->n++ ? span_str_compare(l->last.service, n->service) : -1;
	if (!order)
		order = span_str_compare(l->last.operation, n->operation);
	if (!order)
		order = l->last.kind - n->kind;
	l->sorted = l->sorted && order < 0;
	snprintf(l->service, sizeof(l->service), "%.*s", (int)n->service.len,
		 n->service.p);
	snprintf(l->operation, sizeof(l->operation), "%.*s",
		 (int)n->operation.len, n->operation.p);
	l->last.service = span_str(l->service);
	l->last.operation = span_str(l->operation);
	l->last.kind = n->kind;
	r = row(&l->rows, key);
	r->calls = n->spans;
	r->sum = n->errors;
	return 0;
}

static void test_names(const struct plan *p, const struct store *t)
{
	struct name_list got = {.sorted = true};
	struct rows want = {0};

	if (span_store_names(t->st, take_name, &got, &err) < 0)
		diag("%s", err.msg);
	for (size_t i = 0; i < t->n; i++) {
		const struct item *it = &t->v[i];
		char key[160];
		struct row *r;

		name_key(key, it->s.process->service, it->s.name, it->s.kind);
		r = row(&want, key);
		r->calls++;
		r->sum += it->error;
	}
	ok(got.sorted && got.n == got.rows.n, "%s: each name once, in order",
	   p->name);
	ok(!compare_rows(&got.rows, &want), "%s: names are those of a count",
	   p->name);
	release(&got.rows);
	release(&want);
}

static int stop(void *arg, const struct span_store_calls *c,
		struct span_error *e)
{
	(void)c;
	++*(int *)arg;
	return span_error_set(e, SPAN_E_PIPE, "enough");
}

static int stop_name(void *arg, const struct span_store_name *n,
		     struct span_error *e)
{
	(void)n;
	++*(int *)arg;
	return span_error_set(e, SPAN_E_PIPE, "enough");
}

static void test_stop(const struct store *t)
{
	const struct span_store_calls_range r = {0, 0, SECOND};
	int n = 0;

	is_int(span_store_calls(t->st, NULL, stop, &n, &err), SPAN_E_PIPE,
	       "what the function returns ends it");
	is_int(span_store_names(t->st, stop_name, &n, &err), SPAN_E_PIPE,
	       "that for names, too");
	is_int(n, 2, "at once");
	is_int(span_store_calls(t->st, &r, stop, &n, &err), SPAN_E_INVALID,
	       "buckets are minutes");
}

/* ---- verify, which counts them once more ---- */

static int complaint(void *arg, const struct span_store_file *f,
		     const char *text, struct span_error *e)
{
	unsigned *n = arg;

	(void)e;
	if (text && f->sealed) {
		diag("%s: %s", f->name, text);
		++*n;
	}
	return 0;
}

static void test_verify(const struct plan *p, const struct store *t)
{
	unsigned n = 0;

	check(span_store_verify(t->st, complaint, &n, &err), "verify");
	is_uint(n, 0, "%s: segments are sound", p->name);
}

int main(void)
{
	size_t n_edges = 0;

	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++) {
		for (uint64_t seed = 0; seed < 2; seed++) {
			struct store t;

			make_store(&t, &plans[i], seed * 100 + i);
			find_parents(&t);
			find_others(&t);
			test_ranges(&plans[i], &t);
			test_names(&plans[i], &t);
			test_verify(&plans[i], &t);
			if (!i && !seed)
				test_stop(&t);
			n_edges += t.n_edges;
			remove_store(&t);
		}
	}
	ok(n_edges > 10, "there were edges between segments: %zu", n_edges);
	return done_testing();
}
