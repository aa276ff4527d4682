/* SPDX-License-Identifier: Apache-2.0 */
/* What was written is read back: threads share out the blocks. */
#include "store/store_seal.h"

#include <stdatomic.h>

#include "base/parallel.h"
#include "base/scratch.h"

#include "base/banned.h"

#define PIECE 256u	   /* spans of a trace at a time */
#define READER (16u << 20) /* bytes of a reader besides its tables */

/* The bytes of ids are random, or their last ones count. */
bool span__seal_checks(const struct span__sealing *s, const uint8_t id[16])
{
	return ((unsigned)id[15] ^ id[7]) % s->check_every == 0;
}

static bool has(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* Each span of a trace to FN: SEAL_UNFIT when one of them is damaged. */
int span__seal_each_span(struct span__seg *seg, const struct span__seg_place *p,
			 struct span_arena *arena,
			 int (*fn)(void *arg, const struct span *span,
				   struct span_error *err),
			 void *arg, struct span_error *err)
{
	SPAN__SCRATCH struct span spans[PIECE];
	uint64_t read[PIECE / 64];
	int rc = 0;

	for (size_t from = 0; from < p->n && !rc; from += PIECE) {
		size_t to = p->n - from < PIECE ? p->n : from + PIECE;

		span_arena_reset(arena);
		rc = span__seg_spans(seg, p, from, to, NULL, SEG_WANT_ALL,
				     arena, spans, read, err);
		for (size_t i = 0; i < to - from && !rc; i++)
			rc = has(read, i) ? fn(arg, &spans[i], err)
					  : SEAL_UNFIT;
	}
	return rc;
}

struct check {
	struct span__sealing *s;
	struct span__seg *segs[SEG_THREADS_MAX]; /* each thread's own */
	atomic_ullong next;			 /* block */
	atomic_ullong n_spans, hashes;
	atomic_int rc; /* the first that is not 0 */
};

static int count_one(void *arg, const struct span *span, struct span_error *err)
{
	(void)err;
	((struct span__seal_sum *)arg)->hashes += span_hash(span);
	return 0;
}

static int read_block(const struct span__sealing *s, struct span__seg *seg,
		      struct span__seg_walk *w, uint64_t block,
		      struct span_arena *arena, struct span__seal_sum *sum)
{
	uint64_t from, to = seg->n_traces;
	struct span__seg_place place;
	uint8_t id[16];
	int rc;

	span__seg_load_blocks(seg);
	from = span__ints_get(&seg->block_trace, block);
	if (block + 1 < seg->n_blocks)
		to = span__ints_get(&seg->block_trace, block + 1);
	rc = span__seg_walk_seek(w, seg, from, to, NULL);
	while (!rc && (rc = span__seg_walk_next(w, &place, NULL)) > 0) {
		rc = 0;
		sum->n_spans += place.n;
		span__seg_trace_id(seg, place.trace, id);
		if (span__seal_checks(s, id))
			rc = span__seal_each_span(seg, &place, arena, count_one,
						  sum, NULL);
	}
	return rc;
}

static void check_blocks(void *arg, size_t thread)
{
	struct check *c = arg;
	struct span__seg *seg = c->segs[thread];
	struct span__seal_sum sum = {0};
	struct span__seg_walk w = {0};
	struct span_arena arena = {0};
	uint64_t block;
	int rc = 0;

	while (!rc && !atomic_load(&c->rc) &&
	       (block = atomic_fetch_add(&c->next, 1)) < seg->n_blocks)
		rc = read_block(c->s, seg, &w, block, &arena, &sum);
	span__seg_walk_release(&w);
	span_arena_release(&arena);
	atomic_fetch_add(&c->n_spans, sum.n_spans);
	atomic_fetch_add(&c->hashes, sum.hashes);
	if (!rc && seg->file.bad)
		rc = SEAL_DIFFERS;
	if (rc)
		atomic_store(&c->rc, rc);
}

/* How many readers like FIRST there is memory and work for. */
static uint64_t readers(const struct span__sealing *s,
			const struct span__seg *first)
{
	uint64_t n = s->opts->memory / (span__seg_memory(first) + READER);

	if (n > first->n_blocks)
		n = first->n_blocks;
	return n < s->opts->jobs ? n : s->opts->jobs;
}

int span__seal_check(struct span__sealing *s, const char *name,
		     struct span_error *err)
{
	const struct span__dir *d = &s->store->dir;
	struct check c = {.s = s};
	unsigned n = 1;
	int rc = span__seg_open(&c.segs[0], d->io, d->fd, name, err);

	if (!rc)
		rc = span__seg_load(c.segs[0], err);
	while (!rc && n < readers(s, c.segs[0]))
		rc = span__seg_open(&c.segs[n++], d->io, d->fd, name, err);
	if (!rc) {
		span__parallel(n, n, check_blocks, &c);
		rc = atomic_load(&c.rc);
		if (rc == SPAN_E_NOMEM)
			span_error_set(err, rc, "no memory to read it back");
	}
	if (!rc && (atomic_load(&c.n_spans) != s->sum.n_spans ||
		    atomic_load(&c.hashes) != s->sum.hashes))
		rc = SEAL_DIFFERS;
	while (n)
		span__seg_close(&c.segs[--n]);
	return rc == SPAN_E_CORRUPT || rc > 0 ? SEAL_DIFFERS : rc;
}
