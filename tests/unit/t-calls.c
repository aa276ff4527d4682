/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls and names of random stores, of logs and segments, against a count
 * that is written here from what <span/store.h> and <span/trace.h> say.
 */
#include <span/store.h>

#include <fcntl.h>
#include <unistd.h>

#include "random-span.h"
#include "store/seg_build.h"
#include "store/seg_edges.h"
#include "store/seg_read.h"
#include "tap.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define BASE (UINT64_C(29000000) * MINUTE)
#define FILES 12u
#define NEVER UINT32_MAX

/* ---- a store ---- */

struct item {
	struct span s;
	uint32_t file;
	bool error;
	double weight;
	uint32_t parent; /* index of an item, or NEVER */
	bool cut;	 /* a circle was cut here */
};

struct store {
	char dir[64];
	struct span_arena arena;
	struct rnd rnd;
	struct item *v;
	size_t n, cap;
	uint32_t n_files;
	bool memory;
	uint8_t uuid[16];
	struct span__seg *segs[FILES];
	size_t n_segs, n_edges; /* n_edges: of them have a list of edges */
	struct span_store *st;
};

static struct span_error err;

static void die(const char *what)
{
	diag("%s: %s", what, err.msg);
	exit(1);
}

static void check(int rc, const char *what)
{
	if (rc < 0)
		die(what);
}

static const struct plan {
	const char *name;
	unsigned spans; /* of a file */
	unsigned files, traces, ids;
	uint64_t length; /* of the time that starts are in */
	unsigned loose;	 /* one in so many spans has a loose type */
	bool absurd, memory;
} plans[] = {
	{"logs and segments", 250, 8, 60, 24, 10 * MINUTE, 0, false, false},
	{"few traces, many circles", 120, 6, 5, 9, 3 * MINUTE, 0, false, false},
	{"spans of loose types", 150, 6, 30, 20, 10 * MINUTE, 4, false, false},
	{"absurd times", 150, 6, 30, 20, 10 * MINUTE, 20, true, false},
	{"one large trace", 250, 5, 1, 2000, MINUTE, 0, false, false},
	{"files far apart", 100, 10, 20, 12, 500 * MINUTE, 0, false, false},
	{"memory", 250, 6, 60, 24, 10 * MINUTE, 0, false, true},
};

static struct span_str word(struct rnd *r, const char *prefix, unsigned n)
{
	char *p = rnd_alloc(r, 16);

	snprintf(p, 16, "%s%u", prefix, (unsigned)rnd_below(r, n));
	return span_str(p);
}

static void set_attrs(struct rnd *r, struct span *s, bool loose)
{
	static const struct span_str error = {"error", 5};
	size_t n = loose ? 150 : rnd_below(r, 3);
	struct span_attr *v = rnd_alloc(r, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i].key = word(r, "key", 5);
		v[i].value =
			(struct span_value){.type = SPAN_INT, .i = (int64_t)i};
	}
	if (!rnd_below(r, 6)) {
		v[n].key = error;
		v[n++].value = (struct span_value){.type = SPAN_BOOL,
						   .b = rnd_below(r, 2)};
	}
	s->attrs.v = v;
	s->attrs.n = n;
}

/* References of which only some say that the span follows its parent. */
static void set_refs(struct rnd *r, struct span *s)
{
	size_t n = rnd_below(r, 3);
	struct span_ref *v = rnd_alloc(r, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct span_ref){.type = (int32_t)rnd_below(r, 2)};
		memcpy(v[i].trace_id, s->trace_id, 16);
		memcpy(v[i].span_id, s->parent_id, 8);
		v[i].trace_id[0] = !rnd_below(r, 8);
		v[i].span_id[1] = !rnd_below(r, 8);
		v[i].flags = !rnd_below(r, 8);
		v[i].attrs.dropped = !rnd_below(r, 8);
		if (!rnd_below(r, 8))
			v[i].trace_state = SPAN_STR("a=b");
	}
	s->refs = v;
	s->n_refs = n;
}

static struct span make_span(struct rnd *r, const struct plan *p, uint32_t file)
{
	struct span_process *process = rnd_alloc(r, sizeof(*process));
	uint64_t near = p->length / p->files;
	struct span s = {.process = process,
			 .name = word(r, "name", 4),
			 .kind = (uint8_t)rnd_below(r, 6),
			 .status = rnd_below(r, 10) ? 0 : 2};

	*process = (struct span_process){.service = word(r, "service", 3)};
	s.trace_id[3] = (uint8_t)(rnd_below(r, p->traces) & 3);
	s.trace_id[15] = (uint8_t)rnd_below(r, p->traces);
	s.span_id[7] = (uint8_t)rnd_below(r, p->ids);
	s.span_id[6] = (uint8_t)(rnd_below(r, p->ids) >> 8);
	s.parent_id[7] = (uint8_t)rnd_below(r, p->ids + 2);
	if (!rnd_below(r, 3))
		memcpy(s.parent_id, s.span_id, 8);
	if (!rnd_below(r, 5))
		memset(s.parent_id, 0, 8);
	s.start_ns = BASE + file * near + rnd_below(r, near + MINUTE);
	if (rnd_below(r, 2))
		s.start_ns = s.start_ns / (SECOND / 4) * (SECOND / 4);
	s.duration_ns = rnd_next(r) % SECOND >> rnd_below(r, 30);
	if (p->absurd && !rnd_below(r, 8))
		s.start_ns = rnd_number(r);
	if (p->absurd && !rnd_below(r, 8))
		s.duration_ns = rnd_number(r);
	if (!rnd_below(r, 5))
		s.trace_state = SPAN_STR("x=y,ot=th:8");
	set_attrs(r, &s, p->loose && !rnd_below(r, p->loose));
	set_refs(r, &s);
	return s;
}

/* Text attributes, which span_is_error() looks at, are not made here. */
static void keep(struct store *t, const struct span *s, uint32_t file)
{
	struct item *it;

	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 1024;
		t->v = realloc(t->v, t->cap * sizeof(*t->v));
		if (!t->v)
			abort();
	}
	it = &t->v[t->n++];
	*it = (struct item){.file = file, .parent = NEVER, .weight = 1};
	check(span_copy(&it->s, s, &t->arena), "copy");
	it->error = span_is_error(s);
	if (s->trace_state.len)
		it->weight = 2;
}

static struct span_store *open_store(const struct store *t,
				     enum span_store_mode mode)
{
	struct span_store_opts o = {.mode = mode, .sync = SPAN_SYNC_NONE};
	struct span_store *st;

	check(span_store_open(&st, t->dir, &o, &err), "open");
	return st;
}

static void append(struct span_store *st, const struct span_buf *bytes)
{
	struct span_reader *r;
	struct span_frame *f;
	int rc;

	check(span_reader_open_mem(&r, bytes->p, bytes->len, NULL, &err),
	      "reader");
	while ((rc = span_reader_next_frame(r, &f, &err)) > 0) {
		check(span_frame_validate(f, &err), "validate");
		check(span_store_append_frame(st, f, &err), "append");
	}
	check(rc, "frame");
	span_reader_close(&r);
}

/* Spans of file NUMBER as a stream; some of them twice. */
static void make_file(struct store *t, const struct plan *p, uint32_t number,
		      struct span_buf *out)
{
	struct span_writer *w;

	check(span_writer_open_mem(&w, out, &err), "writer");
	for (unsigned i = 0; i < p->spans; i++) {
		struct span s = make_span(&t->rnd, p, number);
		unsigned times = rnd_below(&t->rnd, 20) ? 1 : 2;

		while (times--) {
			check(span_writer_put(w, &s, &err), "put");
			keep(t, &s, number);
		}
	}
	check(span_writer_flush(w, &err), "flush");
	span_writer_close(&w);
}

/* Tell it the edges to the segments that are there, now and then. */
static void add_edges(struct store *t, int fd, const char *name)
{
	struct span__seg *seg;
	uint64_t size;

	if (rnd_below(&t->rnd, 4))
		check(span__edges_add(&span__io_system, fd, name, t->segs,
				      t->n_segs, &size, &err),
		      "edges");
	check(span__seg_open(&seg, &span__io_system, fd, name, &err), "seg");
	t->n_edges += span__seg_area(&seg->file, SEG_EDGES).len != 0;
	t->segs[t->n_segs++] = seg;
}

/* Seal logs FIRST to LAST, whose spans are V, into one segment. */
static void seal(struct store *t, uint32_t first, uint32_t last)
{
	struct span__seg_header h = {.first_number = first,
				     .created_ns = rnd_next(&t->rnd)};
	int fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct span__seg_builder *b;
	char name[32];
	uint64_t size;

	memcpy(h.id.uuid, t->uuid, 16);
	h.id.number = last;
	check(span__seg_builder_open(&b, SEG_CODEC_NONE, &err), "builder");
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].file + 1 >= first && t->v[i].file + 1 <= last)
			check(span__seg_builder_put(b, &t->v[i].s, &err),
			      "build");
	snprintf(name, sizeof(name), "%08u.seg", last);
	check(span__seg_builder_finish(b, &span__io_system, fd, name, &h, &size,
				       &err),
	      "finish");
	span__seg_builder_close(&b);
	add_edges(t, fd, name);
	close(fd);
}

/* Put the items in the order of the segment. */
static void reread(struct store *t, uint32_t first, uint32_t last, uint32_t to,
		   struct item *out, size_t *n)
{
	int fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct span__seg_walk w = {0};
	struct span__seg_place p;
	struct span__seg *seg;
	char name[32];
	int rc;

	(void)first;
	snprintf(name, sizeof(name), "%08u.seg", last);
	check(span__seg_open(&seg, &span__io_system, fd, name, &err), "seg");
	check(span__seg_walk_seek(&w, seg, 0, UINT64_MAX, &err), "seek");
	while ((rc = span__seg_walk_next(&w, &p, &err)) > 0) {
		struct span *spans = calloc(p.n, sizeof(*spans));
		uint64_t *read = calloc(p.n / 64 + 1, sizeof(*read));

		check(span__seg_spans(seg, &p, 0, p.n, NULL, SEG_WANT_ALL,
				      &t->arena, spans, read, &err),
		      "spans");
		for (size_t i = 0; i < p.n; i++) {
			struct item *it = &out[(*n)++];

			*it = (struct item){
				.file = to, .parent = NEVER, .weight = 1};
			check(span_copy(&it->s, &spans[i], &t->arena), "copy");
			it->error = span_is_error(&spans[i]);
			if (spans[i].trace_state.len)
				it->weight = 2;
		}
		free(spans);
		free(read);
	}
	check(rc, "walk");
	span__seg_walk_release(&w);
	span__seg_close(&seg);
	close(fd);
}

/* Seal some runs of logs. Items are in order of the final files then. */
static void seal_some(struct store *t, const struct plan *p)
{
	struct item *out = calloc(t->n + 1, sizeof(*out));
	size_t n = 0;
	uint32_t to = 0;

	for (uint32_t i = 0; i < p->files; to++) {
		uint32_t end = i + 1 + (uint32_t)rnd_below(&t->rnd, 3);

		if (end > p->files)
			end = p->files;
		if (rnd_below(&t->rnd, 3)) {
			seal(t, i + 1, end);
			reread(t, i + 1, end, to, out, &n);
		} else {
			end = i + 1;
			for (size_t k = 0; k < t->n; k++)
				if (t->v[k].file == i) {
					out[n] = t->v[k];
					out[n++].file = to;
				}
		}
		i = end;
	}
	is_uint(n, t->n, "%s: %u files hold all spans", p->name, to);
	diag("%zu of %zu segments have edges", t->n_edges, t->n_segs);
	while (t->n_segs)
		span__seg_close(&t->segs[--t->n_segs]);
	free(t->v);
	t->v = out;
	t->n_files = to;
}

static void make_store(struct store *t, const struct plan *p, uint64_t seed)
{
	struct span_store_stat stat;

	*t = (struct store){.rnd = {seed, &t->arena}, .memory = p->memory};
	snprintf(t->dir, sizeof(t->dir), "t-calls.%d", (int)getpid());
	if (p->memory)
		snprintf(t->dir, sizeof(t->dir), "memory:64M");
	for (uint32_t i = 0; i < p->files; i++) {
		struct span_buf bytes = {0};

		make_file(t, p, i, &bytes);
		if (!p->memory || !t->st)
			t->st = open_store(t, SPAN_STORE_APPEND);
		append(t->st, &bytes);
		if (!p->memory)
			check(span_store_close(&t->st, &err), "close");
		span_buf_release(&bytes);
	}
	t->n_files = 1;
	for (size_t i = 0; i < t->n && p->memory; i++)
		t->v[i].file = 0;
	if (p->memory)
		return;
	t->st = open_store(t, SPAN_STORE_READ);
	check(span_store_stat(t->st, &stat, &err), "stat");
	memcpy(t->uuid, stat.uuid, 16);
	check(span_store_close(&t->st, &err), "close");
	seal_some(t, p);
	t->st = open_store(t, SPAN_STORE_READ);
}

static void remove_store(struct store *t)
{
	char command[100];

	check(span_store_close(&t->st, &err), "close");
	snprintf(command, sizeof(command), "rm -rf %s", t->dir);
	if (!t->memory && system(command))
		abort();
	span_arena_release(&t->arena);
	free(t->v);
}

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
