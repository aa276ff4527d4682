/* SPDX-License-Identifier: Apache-2.0 */
#include "store/calls_ahead.h"

#include <stdlib.h>

#include "store/log_lists.h"

#include "base/banned.h"

#define LEAST_BYTES (1u << 20) /* of a log that is worth a thread */
#define PIECE 16u	       /* frames that are read at a time */

static bool read_frame(struct span__calls_log *l, struct span__log_walk *w,
		       const struct span__log_entry *e)
{
	struct span__log_record rec;
	const uint8_t *p;

	return span__log_walk_at(w, e->pos, &rec, NULL) > 0 &&
	       span__log_walk_payload(w, &rec, &p, NULL) > 0 &&
	       span__calls_log_put(l,
				   (struct span_str){(const char *)p, rec.len},
				   NULL) == 0;
}

static size_t n_frames(const struct span__calls_ahead *a)
{
	return a->frames.len / LOG_INDEX_ENTRY;
}

/* Frames FROM and some behind it. */
static bool read_piece(struct span__calls_part *p, struct span__log_walk *w,
		       size_t from)
{
	const struct span__calls_ahead *a = p->of;
	size_t before = p->log->n, to = from + PIECE;

	if (to > n_frames(a))
		to = n_frames(a);
	for (size_t i = from; i < to; i++) {
		struct span__log_entry e;

		span__log_entry_get(&e, (const uint8_t *)a->frames.p +
						i * LOG_INDEX_ENTRY);
		if (!read_frame(p->log, w, &e))
			return false;
	}
	return span__calls_log_piece(p->log, from, before, NULL) == 0;
}

/* What the other does not read, until nothing is left. */
static void read_pieces(void *arg)
{
	struct span__calls_part *p = arg;
	struct span__calls_ahead *a = p->of;
	struct span__log_walk w = {0};
	size_t from;

	span__log_walk_begin(&w, &a->log, true);
	while ((from = atomic_fetch_add(&a->next, PIECE)) < n_frames(a)) {
		if (!read_piece(p, &w, from)) {
			atomic_store(&a->failed, true);
			atomic_store(&a->next, n_frames(a));
		}
	}
	span__log_walk_release(&w);
}

static void release(struct span__calls_ahead *a)
{
	for (int i = 0; i < 2; i++) {
		span__calls_log_close(&a->parts[i].log);
		span__call_names_release(&a->parts[i].names);
	}
	span_buf_release(&a->buf);
	span__view_done(a->file, &a->log);
}

static bool open_parts(struct span__calls_ahead *a)
{
	for (int i = 0; i < 2; i++) {
		struct span__calls_part *p = &a->parts[i];

		p->of = a;
		if (span__call_names_init(&p->names, NULL) < 0 ||
		    span__calls_log_open(&p->log, &p->names, false, NULL) < 0)
			return false;
	}
	return span__calls_log_reserve(a->parts[0].log, a->file->sum.n_spans,
				       NULL) == 0 &&
	       span__log_entries(&a->log, &a->buf, &a->frames, NULL) > 0;
}

void span__calls_ahead_start(struct span__calls_ahead *a,
			     const struct span__directory *s, size_t number)
{
	const struct span__view_file *f = &s->view.v[number];

	if (a->running || s->base.io != &span__io_system || !f->has_sum ||
	    f->size < LEAST_BYTES || f->sum.n_spans > f->size ||
	    span__processors(2) < 2)
		return;
	*a = (struct span__calls_ahead){
		.number = number, .store = s, .file = f};
	if (span__view_log(f, &s->dir, &a->log, NULL) < 0)
		return;
	a->running = (a->log.closed || f->kind == FILE_OPEN) && open_parts(a) &&
		     span__helper_start(&a->helper, read_pieces, &a->parts[0]);
	if (!a->running)
		release(a);
}

/* The names of a part become numbers into NAMES. */
static int rename_all(struct span__calls_part *p,
		      struct span__call_names *names, struct span_error *err)
{
	struct span__calls_log *l = p->log;
	uint32_t *number = calloc(p->names.n + 1, sizeof(*number));
	int rc = 0;

	if (!number)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	for (size_t i = 0; i < p->names.n && !rc; i++)
		rc = span__call_names_put(names, &p->names.v[i], &number[i],
					  err);
	for (size_t i = 0; i < l->n && !rc; i++)
		l->v[i].name = number[l->v[i].name];
	l->names = names;
	free(number);
	return rc;
}

static int join_parts(struct span__calls_ahead *a,
		      struct span__call_names *names, struct span_error *err)
{
	struct span__calls_log *l = a->parts[0].log;
	int rc = rename_all(&a->parts[0], names, err);

	if (!rc)
		rc = rename_all(&a->parts[1], names, err);
	if (!rc)
		rc = span__calls_log_join(l, a->parts[1].log, err);
	return rc ? rc : span__calls_log_finish(l, err);
}

/* Where the last frame ends. */
static uint64_t end_of(const struct span__calls_ahead *a)
{
	struct span__log_entry e;
	struct span__log_record rec;
	uint8_t bytes[LOG_RECORD];

	if (!n_frames(a))
		return a->log.start;
	span__log_entry_get(&e, (const uint8_t *)a->frames.p + a->frames.len -
					LOG_INDEX_ENTRY);
	if (span__log_read(&a->log, bytes, sizeof(bytes), e.pos, NULL) < 0 ||
	    !span__log_record_get(&rec, &a->log.id, bytes, e.pos))
		return a->log.end;
	return e.pos + span__log_record_size(rec.len);
}

int span__calls_ahead_take(struct span__calls_ahead *a,
			   struct span__view_file *f, size_t number,
			   struct span__call_names *names,
			   struct span__calls_log **out, struct span_error *err)
{
	int rc = 0;

	if (!a->running || a->number != number)
		return 0;
	read_pieces(&a->parts[1]);
	span__helper_join(&a->helper);
	a->running = false;
	if (!a->failed)
		rc = join_parts(a, names, err);
	if (!a->failed && !rc) {
		*out = a->parts[0].log;
		a->parts[0].log = NULL;
		f->told = true;
		if (f->kind == FILE_OPEN)
			f->log.end = end_of(a);
		rc = 1;
	}
	release(a);
	return rc;
}

void span__calls_ahead_stop(struct span__calls_ahead *a)
{
	if (!a->running)
		return;
	atomic_store(&a->next, n_frames(a));
	span__helper_join(&a->helper);
	a->running = false;
	release(a);
}
