/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment is read back before anything that it replaces is removed: all
 * spans are counted, and those of some traces are compared by the sum of their
 * hashes with what went in. To compare all of them takes longer than to write
 * them, so of large segments it is one trace in 32.
 */
#include "store/store_seal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/seg_edges.h"

#include "base/banned.h"

#define CHECK_ALL 65536u /* spans up to which all are compared */
#define CHECK_EVERY 32u
#define TELL 16384u	  /* spans between words of progress */
#define OTHERS (6u << 20) /* bytes of memory of all else */

static void count_hash(struct span__sealing *s, struct span__seal_sum *sum,
		       const struct span *span)
{
	if (span__seal_checks(s, span->trace_id))
		sum->hashes += span_hash(span);
}

static int tell_progress(struct span__sealing *s)
{
	int rc = 0;

	if (s->opts->progress)
		rc = s->opts->progress(s->opts->arg, s->done, s->of);
	return rc < 0 ? rc : 0;
}

/* What is held, and what the program has besides. */
static size_t memory(const struct span__sealing *s)
{
	const struct span__seg *seg = s->files[s->file].seg;

	return span__seg_builder_memory(s->builder) +
	       (s->feed ? span__feed_memory(s->feed) : 0) +
	       span_arena_size(&s->arena) + (seg ? span__seg_memory(seg) : 0) +
	       OTHERS;
}

/* Bounds on memory, and word to whoever waits. */
static int go_on(struct span__sealing *s, uint64_t spans)
{
	uint64_t before = s->done;

	s->done += spans;
	if (memory(s) > s->opts->memory)
		return SEAL_TOO_BIG;
	return before / TELL == s->done / TELL ? 0 : tell_progress(s);
}

/* A frame, or what there is of it. */
static int put_item(struct span__sealing *s, const struct span__feed_item *i,
		    struct span_error *err)
{
	int rc = 0;

	if (i->what == FEED_FRAME)
		rc = span__seg_builder_put_spans(s->builder, i->frame, i->spans,
						 i->n, err);
	for (size_t k = 0; i->what == FEED_SOME && k < i->n && !rc; k++)
		rc = span__seg_builder_put(s->builder, &i->spans[k], err);
	if (i->what == FEED_NONE)
		return 0;
	s->sum.n_spans += i->n;
	s->sum.hashes += i->hashes;
	return rc;
}

/* With one that is not valid all begins anew, with more care. */
static int put_records(struct span__sealing *s, struct span__log_sum *sum,
		       struct span_error *err)
{
	const struct span__feed_item *i;
	int rc = 0;

	while (!rc && (i = span__feed_next(s->feed))->what != FEED_END) {
		if (s->draft && (i->damaged || i->what != FEED_FRAME))
			return 0; /* it ends before what is not as it should */
		s->damaged[s->file] |= i->damaged;
		if (i->what == FEED_ODD)
			return SEAL_CARE;
		if (i->what == FEED_LOST)
			continue;
		rc = put_item(s, i, err);
		if (rc)
			break;
		span__log_sum_add(sum, &i->rec);
		if (s->draft) {
			s->header.log_pos = i->rec.pos;
			s->header.log_crc = i->rec.crc;
		}
		rc = go_on(s, i->rec.n_spans);
	}
	if (rc)
		return rc;
	s->damaged[s->file] |= i->damaged;
	if (i->rc < 0)
		*err = i->err;
	return i->rc;
}

static bool counts(const void *arg, const uint8_t id[16])
{
	return span__seal_checks(arg, id);
}

static int feed(struct span__sealing *s, const struct span__log *log,
		struct span__log_sum *sum, struct span_error *err)
{
	const struct span__feed_opts o = {
		.log = log,
		.careful = s->careful,
		.thread = s->opts->jobs > 1 && s->of > CHECK_ALL,
		.counts = counts,
		.arg = s,
	};
	int rc = span__feed_open(&s->feed, &o, err);

	if (!rc)
		rc = put_records(s, sum, err);
	span__feed_close(&s->feed);
	return rc;
}

static bool is_ours(const struct span__sealing *s, const struct span__log *log)
{
	return !log->header_ok ||
	       (log->id.number == s->files[s->file].number &&
		!memcmp(log->id.uuid, s->store->dir.uuid, 16));
}

static int put_log(struct span__sealing *s, const struct span__view_file *f,
		   struct span__log_sum *sum, struct span_error *err)
{
	struct span__seg_header *h = &s->header;
	struct span__log log;
	int rc = span__view_whole_log(f, &s->store->dir, &log, err);

	if (rc < 0)
		return rc;
	s->damaged[s->file] = !log.header_ok || !log.closed;
	h->stamp_ns = h->stamp_boot_ns = 0;
	memset(h->boot_id, 0, sizeof(h->boot_id));
	if (log.header_ok) {
		h->stamp_ns = log.header.created_ns;
		h->stamp_boot_ns = log.header.created_boot_ns;
		memcpy(h->boot_id, log.header.boot_id, sizeof(h->boot_id));
	}
	rc = is_ours(s, &log) ? feed(s, &log, sum, err) : SEAL_UNFIT;
	span__view_done(f, &log);
	return rc;
}

static int put_one(void *arg, const struct span *span, struct span_error *err)
{
	struct span__sealing *s = arg;
	int rc = span__seg_builder_put(s->builder, span, err);

	s->sum.n_spans++;
	count_hash(s, &s->sum, span);
	return rc < 0 ? rc : go_on(s, 1);
}

static int put_segment(struct span__sealing *s, const struct span__view_file *f,
		       struct span__log_sum *sum, struct span_error *err)
{
	const struct span__seg_header *from = &f->seg->file.header;
	struct span__seg_header *h = &s->header;
	struct span__seg_walk w = {0};
	struct span__seg_place place;
	int rc;

	h->stamp_ns = from->stamp_ns;
	h->stamp_boot_ns = from->stamp_boot_ns;
	memcpy(h->boot_id, from->boot_id, sizeof(h->boot_id));
	*sum = from->sum;
	f->seg->file.bad = false;
	rc = span__seg_walk_seek(&w, f->seg, 0, from->n_traces, err);
	while (!rc && (rc = span__seg_walk_next(&w, &place, err)) > 0)
		rc = span__seal_each_span(f->seg, &place, &s->arena, put_one, s,
					  err);
	span__seg_walk_release(&w);
	span__seg_unload(f->seg);
	if (rc >= 0 && f->seg->file.bad)
		rc = SEAL_UNFIT;
	return rc == SPAN_E_CORRUPT ? SEAL_UNFIT : rc;
}

static int put_file(struct span__sealing *s, struct span_error *err)
{
	const struct span__view_file *f = &s->files[s->file];
	struct span__seg_header *h = &s->header;
	struct span__log_sum sum = {0};
	uint64_t frames;
	int rc;

	if (f->kind == FILE_SEG)
		rc = put_segment(s, f, &sum, err);
	else
		rc = put_log(s, f, &sum, err);
	if (rc)
		return rc;
	if (sum.n_frames && h->sum.n_frames &&
	    sum.first_seq > h->sum.last_seq + 1)
		h->missing_frames += sum.first_seq - h->sum.last_seq - 1;
	frames = sum.n_frames ? sum.last_seq - sum.first_seq + 1 : 0;
	if (f->kind == FILE_SEG)
		h->missing_frames += f->seg->file.header.missing_frames;
	else if (frames > sum.n_frames)
		h->missing_frames += frames - sum.n_frames;
	span__log_sum_merge(&h->sum, &sum);
	return 0;
}

static int prepare(struct span__sealing *s, struct span_error *err)
{
	const struct span__view_file *last = &s->files[s->n_files - 1];
	const struct span__io *io = s->store->base.io;
	int rc = 0;

	s->header = (struct span__seg_header){
		.id.number = last->number,
		.first_number = s->files[0].first_number,
		.created_ns = s->created_ns,
	};
	if (!s->created_ns)
		s->header.created_ns = io->clock(io->self, CLOCK_REALTIME);
	memcpy(s->header.id.uuid, s->store->dir.uuid, 16);
	s->sum = (struct span__seal_sum){0};
	s->of = s->done = 0;
	for (size_t i = 0; i < s->n_files; i++)
		s->of += s->files[i].sum.n_spans;
	s->check_every = s->of > CHECK_ALL ? CHECK_EVERY : 1;
	s->damaged = calloc(s->n_files, sizeof(*s->damaged));
	if (!s->damaged)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	rc = span__seg_builder_open(&s->builder, s->codec, err);
	if (!rc)
		span__seg_builder_bound(
			s->builder,
			s->opts->memory > OTHERS ? s->opts->memory - OTHERS : 1,
			s->opts->jobs);
	return rc;
}

static bool is_part(const struct span__sealing *s, const struct span__seg *seg)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (s->files[i].seg == seg)
			return true;
	return false;
}

/* Parents and children in the segments that stay. */
static int add_edges(struct span__sealing *s, const char *name,
		     struct span_error *err)
{
	const struct span__view *view = &s->store->view;
	const struct span__dir *d = &s->store->dir;
	struct span__seg **others = calloc(view->n + 1, sizeof(*others));
	size_t n = 0;
	int rc;

	if (!others)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < view->n; i++)
		if (view->v[i].seg && !span__is_draft(&view->v[i]) &&
		    !is_part(s, view->v[i].seg))
			others[n++] = view->v[i].seg;
	rc = span__edges_add(d->io, d->fd, name, others, n, &s->size, err);
	free(others);
	return rc;
}

/*
 * Whether the next file is too much, going by the memory that the spans so far
 * take. Then the segment ends before it, rather than that all is done again
 * with less: unless there is no log in it yet.
 */
static int look_ahead(struct span__sealing *s)
{
	const struct span__view_file *f = &s->files[s->file];
	double used = (double)memory(s), next;

	if (s->file + 1 == s->n_files || !s->done)
		return 0;
	next = used * (double)f[1].sum.n_spans / (double)s->done;
	if (used + next <= (double)s->opts->memory)
		return 0;
	if (f->kind == FILE_SEG)
		return SEAL_TOO_BIG;
	s->n_files = s->file + 1;
	return 0;
}

static int finish(struct span__sealing *s, const char *name,
		  struct span_error *err)
{
	const struct span__dir *d = &s->store->dir;
	int rc;

	s->header.id.number = s->files[s->n_files - 1].number;
	span_arena_release(&s->arena);
	rc = span__seg_builder_finish(s->builder, d->io, d->fd, name,
				      &s->header, &s->size, err);
	span__seg_builder_close(&s->builder);
	s->file = rc == SPAN_E_LIMIT ? s->n_files - 1 : 0;
	return rc == SPAN_E_LIMIT ? SEAL_TOO_BIG : rc;
}

static int build(struct span__sealing *s, const char *name,
		 struct span_error *err)
{
	int rc = prepare(s, err);

	for (s->file = 0; s->file < s->n_files && !rc; s->file++) {
		rc = tell_progress(s);
		if (!rc)
			rc = put_file(s, err);
		if (!rc)
			rc = look_ahead(s);
		if (rc)
			return rc;
	}
	s->file = 0;
	if (!rc && !s->sum.n_spans)
		return SEAL_UNFIT;
	if (!rc)
		rc = finish(s, name, err);
	if (!rc)
		rc = add_edges(s, name, err);
	return rc ? rc : span__seal_check(s, name, err);
}

int span__seal_build(struct span__sealing *s, const char *name,
		     struct span_error *err)
{
	int rc;

	s->careful = false;
	rc = build(s, name, err);
	if (rc == SEAL_CARE) {
		span__seal_release(s);
		s->careful = true;
		rc = build(s, name, err);
	}
	return rc;
}

void span__seal_release(struct span__sealing *s)
{
	span__seg_builder_close(&s->builder);
	span_arena_release(&s->arena);
	free(s->damaged);
	s->damaged = NULL;
}
