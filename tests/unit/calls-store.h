/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls-store.h - random stores of logs and segments, for counting calls
 */
#ifndef CALLS_STORE_H
#define CALLS_STORE_H

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

static inline void die(const char *what)
{
	diag("%s: %s", what, err.msg);
	exit(1);
}

static inline void check(int rc, const char *what)
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

static inline struct span_str word(struct rnd *r, const char *prefix,
				   unsigned n)
{
	char *p = rnd_alloc(r, 16);

	snprintf(p, 16, "%s%u", prefix, (unsigned)rnd_below(r, n));
	return span_str(p);
}

static inline void set_attrs(struct rnd *r, struct span *s, bool loose)
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
static inline void set_refs(struct rnd *r, struct span *s)
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

static inline struct span make_span(struct rnd *r, const struct plan *p,
				    uint32_t file)
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
static inline void keep(struct store *t, const struct span *s, uint32_t file)
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

static inline struct span_store *open_store(const struct store *t,
					    enum span_store_mode mode)
{
	struct span_store_opts o = {.mode = mode, .sync = SPAN_SYNC_NONE};
	struct span_store *st;

	check(span_store_open(&st, t->dir, &o, &err), "open");
	return st;
}

static inline void append(struct span_store *st, const struct span_buf *bytes)
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
static inline void make_file(struct store *t, const struct plan *p,
			     uint32_t number, struct span_buf *out)
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
static inline void add_edges(struct store *t, int fd, const char *name)
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
static inline void seal(struct store *t, uint32_t first, uint32_t last)
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
static inline void reread(struct store *t, uint32_t first, uint32_t last,
			  uint32_t to, struct item *out, size_t *n)
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
static inline void seal_some(struct store *t, const struct plan *p)
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

static inline void make_store(struct store *t, const struct plan *p,
			      uint64_t seed)
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

static inline void remove_store(struct store *t)
{
	char command[100];

	check(span_store_close(&t->st, &err), "close");
	snprintf(command, sizeof(command), "rm -rf %s", t->dir);
	if (!t->memory && system(command))
		abort();
	span_arena_release(&t->arena);
	free(t->v);
}

#endif
