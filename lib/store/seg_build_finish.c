/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything into the file, section by section. A section is in memory as a
 * whole, and what it was made of is given back as early as can be, so that
 * the most memory is held while columns are planned.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "store/seg_build_state.h"
#include "store/seg_counted.h"
#include "store/seg_read.h"

#include "base/banned.h"

struct finish {
	struct span__seg_builder *b;
	const struct span__io *io;
	struct span__seg_header *h;
	struct span__seg_writer *w;
	struct span__build_order o;
	struct span__build_output out;
	struct span_buf section, aggregates;
	struct span_buf scratch; /* of numbers, 64 bits each */
	uint64_t *v;		 /* them, as many as were asked for */
	struct span_error *err;
	int rc; /* the first error; nothing is done after it */
};

static void fail(struct finish *f, int code)
{
	if (f->rc == 0)
		f->rc = code;
}

static void no_memory(struct finish *f)
{
	if (f->rc == 0)
		f->rc = span_error_set(f->err, SPAN_E_NOMEM,
				       "no memory to write a segment");
}

/* Room for N numbers at f->v; false after an error. */
static bool numbers(struct finish *f, size_t n)
{
	if (f->rc < 0)
		return false;
	f->scratch.len = 0;
	f->v = (void *)span_buf_reserve(&f->scratch, (n + 1) * sizeof(*f->v));
	if (!f->v)
		no_memory(f);
	return f->v;
}

/* Write what is in f->section. */
static void put_section(struct finish *f, enum span__seg_section type)
{
	if (f->section.failed)
		no_memory(f);
	if (f->rc == 0 && f->section.len)
		fail(f, span__seg_writer_put(f->w, type, f->section.p,
					     f->section.len, f->err));
	f->section.len = 0;
}

/* Write the N numbers at f->v. */
static void put_numbers(struct finish *f, enum span__seg_section type, size_t n)
{
	if (f->rc == 0 && n)
		span__ints_put(&f->section, f->v, n);
	put_section(f, type);
}

/* The same for a section that tells how many they are. */
static void put_counted(struct finish *f, enum span__seg_section type, size_t n)
{
	if (f->rc == 0 && n)
		span__counted_put(&f->section, f->v, n);
	put_section(f, type);
}

/* The texts of a table, SKIP bytes of each left out, in ORDER (or as is). */
static void put_packed(struct finish *f, const struct span__intern *t,
		       const uint32_t *order, size_t skip,
		       enum span__seg_section type, enum span__seg_section ends)
{
	struct span__chunks_writer *c = NULL;

	if (!numbers(f, t->n))
		return;
	fail(f, span__chunks_writer_open(&c, f->b->codec, f->err));
	for (size_t i = 0; i < t->n && f->rc == 0; i++) {
		struct span_str s = t->v[order ? order[i] : i];

		(void)span__chunks_writer_put(c, s.p + skip, s.len - skip);
		f->v[i] = span__chunks_writer_len(c);
	}
	if (f->rc == 0 && t->n)
		fail(f, span__chunks_writer_finish(c, &f->section, f->err));
	span__chunks_writer_close(&c);
	put_section(f, type);
	put_counted(f, ends, t->n);
}

static void put_processes(struct finish *f)
{
	const struct span__seg_builder *b = f->b;
	size_t n = b->processes.n;

	put_packed(f, &b->processes, f->out.process_order, sizeof(uint32_t),
		   SEG_PROCESSES, SEG_PROCESS_ENDS);
	if (!numbers(f, n))
		return;
	for (size_t i = 0; i < n; i++)
		f->v[i] = f->out.strings[b->services[f->out.process_order[i]]];
	put_numbers(f, SEG_PROCESS_SERVICES, n);
	put_packed(f, &b->scopes, NULL, 0, SEG_SCOPES, SEG_SCOPE_ENDS);
}

static const struct span__build_trace *trace_at(const struct finish *f,
						size_t i)
{
	return &span__build_traces(f->b)[f->o.traces[i]];
}

static void put_traces(struct finish *f)
{
	size_t n = f->h->n_traces;

	if (!numbers(f, n))
		return;
	for (size_t i = 0; i < n; i++)
		f->v[i] = span__id_get(trace_at(f, i)->id);
	put_numbers(f, SEG_TRACE_HIGH, n);
	for (size_t i = 0; i < n; i++)
		f->v[i] = span__id_get(trace_at(f, i)->id + 8);
	put_numbers(f, SEG_TRACE_LOW, n);
	for (size_t i = 0; i < n; i++)
		f->v[i] = trace_at(f, i)->min_start;
	put_numbers(f, SEG_TRACE_START, n);
	for (size_t i = 0; i < n; i++)
		f->v[i] = trace_at(f, i)->max_end - trace_at(f, i)->min_start;
	put_numbers(f, SEG_TRACE_END, n);
	for (size_t i = 0; i < n; i++)
		f->v[i] = f->o.shapes[i];
	put_numbers(f, SEG_TRACE_SHAPE, n);
}

static void put_span_ids(struct finish *f)
{
	size_t n = f->h->sum.n_spans;

	if (!numbers(f, n))
		return;
	for (size_t i = 0; i < n; i++)
		f->v[i] = span__build_spans(f->b)[f->o.spans[i]].id;
	put_numbers(f, SEG_SPAN_IDS, n);
}

/* Number K of each row of COLUMNS numbers to f->v; how many there are. */
static size_t take_column(struct finish *f, const struct span_buf *rows,
			  size_t columns, size_t k)
{
	const uint64_t *p = (const uint64_t *)(const void *)rows->p;
	size_t n = rows->len / sizeof(*p) / columns;

	if (!numbers(f, n))
		return 0;
	for (size_t i = 0; i < n; i++)
		f->v[i] = p[i * columns + k];
	return n;
}

static void put_ranks(struct finish *f)
{
	const uint32_t *ranks = (const uint32_t *)(const void *)f->o.ranks.p;
	size_t n_types = f->h->n_types, n_blocks = f->h->n_blocks;

	if (!numbers(f, n_types * n_blocks))
		return;
	for (size_t t = 0; t < n_types; t++)
		for (size_t i = 0; i < n_blocks; i++)
			f->v[t * n_blocks + i] = ranks[i * n_types + t];
	fail(f, span__ranks_put_section(&f->section, f->v, n_types, n_blocks,
					f->err));
	put_section(f, SEG_RANKS);
}

static size_t bucket(const struct finish *f, size_t trace, unsigned bits)
{
	return span__seg_bucket(trace_at(f, trace)->id, f->h->hash_seed, bits);
}

/* The trace directory: traces by the highest bits of a hash of their ids. */
static void put_directory(struct finish *f)
{
	size_t n = f->h->n_traces, n_buckets, at = 0;
	unsigned bits = 0;
	uint64_t *next;

	while (n >> bits > 2)
		bits++;
	n_buckets = (size_t)1 << bits;
	next = calloc(n_buckets + 1, sizeof(*next));
	if (!next)
		no_memory(f);
	if (f->rc == 0 && numbers(f, n > n_buckets ? n : n_buckets)) {
		for (size_t i = 0; i < n; i++)
			next[bucket(f, i, bits) + 1]++;
		for (size_t i = 0; i < n_buckets; i++)
			f->v[i] = next[i + 1] = at += next[i + 1];
		put_counted(f, SEG_BUCKETS, n_buckets);
		for (size_t i = 0; i < n; i++)
			f->v[next[bucket(f, i, bits)]++] = i;
		put_numbers(f, SEG_BUCKET_TRACES, n);
	}
	free(next);
}

static void put_types(struct finish *f)
{
	if (f->rc == 0)
		fail(f, span__build_put_columns(f->b, &f->o, &f->out,
						&f->section, f->err));
	put_section(f, SEG_COLUMNS);
	span_buf_release(&f->section);
	if (f->rc == 0)
		fail(f, span__chunks_writer_write(f->out.heap, f->w, SEG_HEAP,
						  f->err));
	if (f->rc == 0)
		fail(f, span__types_put_section(&f->section, f->out.types,
						f->h->n_types, f->err));
	put_section(f, SEG_TYPES);
}

static void put_rest(struct finish *f)
{
	const struct span_buf *blocks = &f->o.blocks;
	const struct span_buf *explicit = &f->o.explicit;

	for (unsigned i = 0; i < 3; i++)
		put_counted(f, SEG_EXPLICIT_TRACE + i,
			    take_column(f, explicit, 3, i));
	for (unsigned i = 0; i < 4; i++)
		put_numbers(f, SEG_BLOCK_TRACE + i,
			    take_column(f, blocks, 4, i));
	put_ranks(f);
	put_directory(f);
	span_buf_put(&f->section, f->aggregates.p, f->aggregates.len);
	put_section(f, SEG_AGGREGATES);
}

static void describe(struct finish *f)
{
	struct span__seg_header *h = f->h;

	h->sum.n_spans = span__seg_builder_spans(f->b);
	h->sum.min_start_ns = f->o.min_start;
	h->sum.max_end_ns = f->o.max_end;
	h->max_start_ns = f->o.max_start;
	h->n_traces = span__build_n_traces(f->b);
	h->n_types = span__build_n_types(f->b);
	h->n_blocks = f->o.blocks.len / sizeof(struct span__build_block);
	h->n_shapes = span__shapes_writer_count(f->o.writer);
	h->created_ns = f->io->clock(f->io->self, CLOCK_REALTIME);
	if (f->b->mixed_weights)
		h->flags |= SEG_FLAG_MIXED_WEIGHTS;
	if (!f->o.tree.any_twice)
		h->flags |= SEG_FLAG_DISTINCT_IDS;
	if (f->io->random(f->io->self, &h->hash_seed, sizeof(h->hash_seed)) < 0)
		fail(f, span_error_set(f->err, SPAN_E_IO,
				       "the system has no randomness"));
}

/* Sort, sum up calls, and plan the columns, after which the values can go. */
static void prepare(struct finish *f)
{
	f->h->build_bytes = span__build_memory(f->b, 1);
	span__build_seal(f->b);
	fail(f, span__build_order(f->b, &f->o, f->err));
	if (f->rc == 0)
		describe(f);
	if (f->rc == 0)
		fail(f, span__agg_writer_finish(f->o.calls, f->h->sum.n_spans,
						&f->aggregates, f->err));
	span__agg_writer_close(&f->o.calls);
	if (f->rc == 0)
		fail(f, span__build_processes(f->b, &f->out, f->err));
	if (f->rc == 0)
		fail(f, span__build_columns(f->b, &f->o, &f->out, f->err));
}

static void write_all(struct finish *f, uint64_t *size)
{
	struct span_buf shorts = {0};

	if (f->rc == 0)
		fail(f, span__build_strings(f->b, &f->out, &f->section, &shorts,
					    f->err));
	put_section(f, SEG_STRINGS);
	span_buf_put(&f->section, shorts.p, shorts.len);
	f->section.failed |= shorts.failed;
	span_buf_release(&shorts);
	put_section(f, SEG_SHORT_STRINGS);
	put_processes(f);
	put_types(f);
	if (f->rc == 0)
		fail(f,
		     span__shapes_writer_finish(f->o.writer, f->h->sum.n_spans,
						&f->section, f->err));
	put_section(f, SEG_SHAPES);
	put_traces(f);
	put_span_ids(f);
	put_rest(f);
	if (f->rc == 0)
		fail(f, span__seg_writer_finish(f->w, size, f->err));
}

int span__seg_builder_finish(struct span__seg_builder *b,
			     const struct span__io *io, int dirfd,
			     const char *name, struct span__seg_header *h,
			     uint64_t *size, struct span_error *err)
{
	struct finish f = {.b = b, .io = io, .h = h, .err = err};

	if (b->failed)
		no_memory(&f);
	b->failed = true;
	if (f.rc == 0)
		prepare(&f);
	if (f.rc == 0)
		fail(&f, span__seg_writer_open(&f.w, io, dirfd, name, h, err));
	write_all(&f, size);
	span__seg_writer_close(&f.w);
	span__build_order_release(&f.o);
	span__build_output_release(&f.out);
	span_buf_release(&f.section);
	span_buf_release(&f.aggregates);
	span_buf_release(&f.scratch);
	return f.rc;
}
