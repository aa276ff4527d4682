/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls are kept as they come, three numbers each, and put in order of their
 * edges and minutes at the end, when it is clear how long buckets may be:
 * counting earlier would take more memory than that wherever a minute has but
 * one call of an edge, which is the usual thing for a store that runs for
 * weeks.
 */
#include "store/seg_agg.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/scratch.h"
#include "base/sort.h"
#include "store/seg_agg_sum.h"
#include "store/seg_varint.h"

#include "base/banned.h"

#define CALLS_MAX (UINT32_C(1) << 31)
#define WORDS (SPAN_SKETCH_BUCKETS / 64)

struct edge {
	uint32_t type, parent;
	uint32_t n;
};

struct span__agg_writer {
	uint32_t *edge; /* three arrays, one item a call */
	uint64_t *start, *duration;
	size_t n, cap;
	struct edge *edges;
	size_t n_edges, cap_edges;
	uint32_t *table; /* number of an edge + 1; 0: free */
	size_t table_size;
};

int span__agg_writer_open(struct span__agg_writer **out, struct span_error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static bool resize(void *array, size_t n, size_t size)
{
	void **v = array;
	void *p = realloc(*v, n * size);

	if (!p)
		return false;
	if (n * size >= HUGE_GROWN)
		span__huge_hint(p, n * size);
	*v = p;
	return true;
}

static bool grow_calls(struct span__agg_writer *w)
{
	size_t cap = w->cap ? w->cap + w->cap / 2 : 256;

	if (w->n < w->cap)
		return true;
	if (!resize(&w->edge, cap, sizeof(*w->edge)) ||
	    !resize(&w->start, cap, sizeof(*w->start)) ||
	    !resize(&w->duration, cap, sizeof(*w->duration)))
		return false;
	w->cap = cap;
	return true;
}

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 31) * 0x9e3779b97f4a7c15;
	v = (v ^ v >> 29) * 0xbf58476d1ce4e5b9;
	return v ^ v >> 32;
}

static uint32_t *slot(const struct span__agg_writer *w, uint32_t parent,
		      uint32_t type)
{
	size_t at = mix((uint64_t)type << 32 | parent) & (w->table_size - 1);

	for (;; at = (at + 1) & (w->table_size - 1)) {
		const struct edge *e;

		if (!w->table[at])
			return &w->table[at];
		e = &w->edges[w->table[at] - 1];
		if (e->type == type && e->parent == parent)
			return &w->table[at];
	}
}

static bool grow_edges(struct span__agg_writer *w)
{
	size_t cap = w->cap_edges ? w->cap_edges * 2 : 64;
	uint32_t *table;

	if (w->n_edges < w->cap_edges)
		return true;
	table = calloc(2 * cap, sizeof(*table));
	if (!table || !resize(&w->edges, cap, sizeof(*w->edges))) {
		free(table);
		return false;
	}
	free(w->table);
	w->table = table;
	w->table_size = 2 * cap;
	w->cap_edges = cap;
	for (uint32_t i = 0; i < w->n_edges; i++)
		*slot(w, w->edges[i].parent, w->edges[i].type) = i + 1;
	return true;
}

int span__agg_writer_put(struct span__agg_writer *w, uint64_t parent,
			 uint32_t type, uint64_t start_ns, uint64_t duration_ns,
			 struct span_error *err)
{
	uint32_t *at;

	if (w->n >= CALLS_MAX || parent > UINT32_MAX)
		return span_error_set(err, SPAN_E_LIMIT,
				      "too many spans for one segment");
	if (!grow_calls(w) || !grow_edges(w))
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	at = slot(w, (uint32_t)parent, type);
	if (!*at) {
		w->edges[w->n_edges] = (struct edge){type, (uint32_t)parent, 0};
		*at = (uint32_t)++w->n_edges;
	}
	w->edges[*at - 1].n++;
	w->edge[w->n] = *at - 1;
	w->start[w->n] = start_ns;
	w->duration[w->n++] = duration_ns;
	return 0;
}

size_t span__agg_writer_memory(const struct span__agg_writer *w)
{
	size_t largest = 0;

	for (size_t i = 0; i < w->n_edges; i++)
		if (w->edges[i].n > largest)
			largest = w->edges[i].n;
	if (largest < w->n_edges)
		largest = w->n_edges;
	return w->cap * 20 + w->n * sizeof(uint32_t) +
	       w->cap_edges * (sizeof(struct edge) + 8) +
	       w->n_edges * sizeof(size_t) +
	       2 * largest * sizeof(struct span__item);
}

/* The edges in order, and their calls in order of minutes. */
struct sorted {
	const struct span__agg_writer *w;
	uint32_t *edges;
	uint32_t *calls; /* of edges[0], then of edges[1]... */
	struct span__item *items, *tmp;
	uint64_t scale;
};

static void sort_edges(struct sorted *s)
{
	const struct span__agg_writer *w = s->w;

	for (uint32_t i = 0; i < w->n_edges; i++) {
		uint64_t key =
			(uint64_t)w->edges[i].type << 32 | w->edges[i].parent;

		s->items[i] = (struct span__item){key, i};
	}
	span__sort(s->items, s->tmp, w->n_edges, NULL, NULL);
	for (size_t i = 0; i < w->n_edges; i++)
		s->edges[i] = s->items[i].i;
}

/* By edge, keeping the order of the calls of one. */
static bool group_calls(struct sorted *s)
{
	const struct span__agg_writer *w = s->w;
	uint32_t *next = malloc((w->n_edges + 1) * sizeof(*next));
	uint32_t at = 0;

	if (!next)
		return false;
	for (size_t i = 0; i < w->n_edges; i++) {
		next[s->edges[i]] = at;
		at += w->edges[s->edges[i]].n;
	}
	for (uint32_t i = 0; i < w->n; i++)
		s->calls[next[w->edge[i]]++] = i;
	free(next);
	return true;
}

static void sort_calls(struct sorted *s)
{
	const struct span__agg_writer *w = s->w;
	uint32_t *calls = s->calls;

	for (size_t e = 0; e < w->n_edges; e++) {
		size_t n = w->edges[s->edges[e]].n;

		for (size_t i = 0; i < n; i++)
			s->items[i] = (struct span__item){
				w->start[calls[i]] / SEG_AGG_UNIT, calls[i]};
		span__sort(s->items, s->tmp, n, NULL, NULL);
		for (size_t i = 0; i < n; i++)
			calls[i] = s->items[i].i;
		calls += n;
	}
}

/* 1000 where all durations are whole microseconds. */
static uint64_t find_scale(const struct span__agg_writer *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->duration[i] % 1000)
			return 1;
	return 1000;
}

static bool sort_all(struct sorted *s)
{
	const struct span__agg_writer *w = s->w;
	size_t most = w->n_edges + 1;

	for (size_t i = 0; i < w->n_edges; i++)
		if (w->edges[i].n > most)
			most = w->edges[i].n;
	s->edges = malloc((w->n_edges + 1) * sizeof(*s->edges));
	s->calls = malloc((w->n + 1) * sizeof(*s->calls));
	s->items = malloc(most * sizeof(*s->items));
	s->tmp = malloc(most * sizeof(*s->tmp));
	if (!s->edges || !s->calls || !s->items || !s->tmp)
		return false;
	span__huge_hint(s->calls, (w->n + 1) * sizeof(*s->calls));
	sort_edges(s);
	if (!group_calls(s))
		return false;
	sort_calls(s);
	s->scale = find_scale(w);
	return true;
}

static void release(struct sorted *s)
{
	free(s->edges);
	free(s->calls);
	free(s->items);
	free(s->tmp);
}

static void put_sum(struct span_buf *out, span__sum v)
{
	for (; v >= 0x80; v >>= 7)
		span_buf_putc(out, (char)((uint8_t)v | 0x80));
	span_buf_putc(out, (char)v);
}

/* The sketch and sum of N calls. */
static void put_calls(const struct sorted *s, const uint32_t *calls, size_t n,
		      struct span_buf *out)
{
	SPAN__SCRATCH uint32_t counts[SPAN_SKETCH_BUCKETS];
	uint64_t used[WORDS] = {0};
	span__sum sum = 0, least = 0;
	uint64_t n_used = 0;
	uint32_t last = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t duration = s->w->duration[calls[i]];
		uint32_t b = span_sketch_bucket(duration);

		sum += duration;
		if (!(used[b / 64] >> b % 64 & 1)) {
			used[b / 64] |= UINT64_C(1) << b % 64;
			counts[b] = 0;
			n_used++;
		}
		counts[b]++;
	}
	span__varint_put(out, n_used);
	for (uint32_t word = 0; word < WORDS; word++) {
		for (uint64_t left = used[word]; left; left &= left - 1) {
			uint32_t b =
				word * 64 + (uint32_t)__builtin_ctzll(left);
			bool many = counts[b] > 1;

			span__varint_put(out, (uint64_t)(b - last) << 1 | many);
			if (many)
				span__varint_put(out, counts[b] - 2);
			least += (span__sum)span_sketch_lower(b) * counts[b];
			last = b;
		}
	}
	put_sum(out, sum / s->scale - least / s->scale);
}

/* The calls from I on, of N, that are in the bucket of the first. */
static size_t run_end(const struct sorted *s, const uint32_t *calls, size_t i,
		      size_t n, uint64_t width)
{
	uint64_t bucket = s->w->start[calls[i]] / width;

	while (++i < n && s->w->start[calls[i]] / width == bucket)
		;
	return i;
}

/* One edge, with its buckets; a WIDTH of 0 is one bucket, which is not told. */
static void put_edge(const struct sorted *s, const uint32_t *calls, size_t n,
		     uint64_t width, struct span_buf *out)
{
	uint64_t n_runs = 0, last = 0;

	if (!width) {
		put_calls(s, calls, n, out);
		return;
	}
	for (size_t i = 0; i < n; i = run_end(s, calls, i, n, width))
		n_runs++;
	span__varint_put(out, n_runs);
	for (size_t i = 0, end; i < n; i = end) {
		uint64_t bucket = s->w->start[calls[i]] / width;

		end = run_end(s, calls, i, n, width);
		span__varint_put(out, bucket - last);
		last = bucket;
		put_calls(s, calls + i, end - i, out);
	}
}

/* False when it takes more than LIMIT bytes. */
static bool put_level(const struct sorted *s, uint64_t width, uint64_t limit,
		      struct span_buf *out)
{
	const struct span__agg_writer *w = s->w;
	const uint32_t *calls = s->calls;
	uint32_t type = 0, parent = 0;

	span__varint_put(out, s->scale);
	for (size_t i = 0; i < w->n_edges; i++) {
		const struct edge *e = &w->edges[s->edges[i]];

		if (!i || e->type != type) {
			span__varint_put(out, (uint64_t)(e->type - type) << 1);
			parent = 0;
		} else {
			span__varint_put(out, 1);
		}
		span__varint_put(out, e->parent - parent);
		type = e->type;
		parent = e->parent;
		put_edge(s, calls, e->n, width, out);
		calls += e->n;
		if (out->len > limit)
			return false;
	}
	return true;
}

static void put_levels(const struct sorted *s, uint64_t n_spans,
		       struct span_buf *out)
{
	static const uint64_t minutes[] = {1, 5, 15, 60, 360, 1440};
	uint64_t limit = (uint64_t)(SEG_AGG_BUDGET * (double)n_spans);
	struct span_buf level = {0};

	put_level(s, 0, UINT64_MAX, &level);
	span__varint_put(out, level.len);
	span_buf_put(out, level.p, level.len);
	for (size_t i = 0; i < sizeof(minutes) / sizeof(*minutes); i++) {
		level.len = 0;
		if (!put_level(s, minutes[i] * SEG_AGG_UNIT, limit, &level))
			continue;
		span__varint_put(out, minutes[i]);
		span_buf_put(out, level.p, level.len);
		break;
	}
	out->failed |= level.failed;
	span_buf_release(&level);
}

int span__agg_writer_finish(struct span__agg_writer *w, uint64_t n_spans,
			    struct span_buf *out, struct span_error *err)
{
	struct sorted s = {.w = w};
	bool good = true;

	if (!w->n)
		return 0;
	good = sort_all(&s);
	if (good)
		put_levels(&s, n_spans, out);
	release(&s);
	if (good && !out->failed)
		return 0;
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

void span__agg_writer_close(struct span__agg_writer **w)
{
	struct span__agg_writer *old = *w;

	if (!old)
		return;
	free(old->edge);
	free(old->start);
	free(old->duration);
	free(old->edges);
	free(old->table);
	free(old);
	*w = NULL;
}
