/* SPDX-License-Identifier: Apache-2.0 */
#include "store/log_lists.h"

#include "base/le.h"

#include "base/banned.h"

#define LIST_FRAMES 32u
#define LIST_BYTES (64u << 10)
#define ENTRY 8u /* bytes before the words of a frame */

/* ---- Writing ---- */

void span__log_list_begin(struct span__log_list *list, uint64_t pos)
{
	uint8_t bytes[ENTRY] = {0};

	list->start = list->bytes.len;
	span__put32(bytes, (uint32_t)(pos / LOG_ALIGN));
	span_buf_put(&list->bytes, bytes, sizeof(bytes));
}

void span__log_list_end(struct span__log_list *list, bool good)
{
	size_t n = (list->bytes.len - list->start - ENTRY) / 4;

	if (!good || list->bytes.failed) {
		list->bytes.failed = false;
		list->bytes.len = list->start;
		return;
	}
	span__put32((uint8_t *)list->bytes.p + list->start + 4, (uint32_t)n);
	list->n_frames++;
}

bool span__log_list_due(const struct span__log_list *list)
{
	return list->n_frames >= LIST_FRAMES || list->bytes.len >= LIST_BYTES;
}

void span__log_list_next(struct span__log_list *list)
{
	list->bytes.len = 0;
	list->n_frames = 0;
}

void span__log_list_release(struct span__log_list *list)
{
	span_buf_release(&list->bytes);
}

/* ---- Reading ---- */

/* What is left of a list, and its first frame. */
struct list {
	const uint8_t *p, *end;
	uint64_t pos; /* UINT64_MAX: there is none */
	const uint8_t *words;
	uint32_t n;
};

static void next_of_list(struct list *l)
{
	l->pos = UINT64_MAX;
	if ((size_t)(l->end - l->p) < ENTRY)
		return;
	l->n = span__get32(l->p + 4);
	l->words = l->p + ENTRY;
	if (l->n > (size_t)(l->end - l->words) / 4)
		return;
	l->pos = (uint64_t)span__get32(l->p) * LOG_ALIGN;
	l->p = l->words + 4 * (size_t)l->n;
}

static struct list begin_list(struct span_str bytes)
{
	struct list l = {.p = (const uint8_t *)bytes.p};

	l.end = bytes.len ? l.p + bytes.len : l.p;
	next_of_list(&l);
	return l;
}

/* A frame, of which the list may tell; both go up. */
static void see_frame(const struct span__log_pick *pick, const uint8_t *entry,
		      struct list *l)
{
	struct span__log_entry e;

	span__log_entry_get(&e, entry);
	while (l->pos < e.pos)
		next_of_list(l);
	if (l->pos == e.pos &&
	    !pick->wants(pick->arg, (const char *)l->words, l->n))
		return;
	span_buf_put(pick->out, entry, LOG_INDEX_ENTRY);
}

void span__log_pick_indexed(const struct span__log_pick *pick,
			    struct span_str lists, struct span_str index)
{
	struct list l = begin_list(lists);

	for (size_t at = 0; at + LOG_INDEX_ENTRY <= index.len;
	     at += LOG_INDEX_ENTRY)
		see_frame(pick, (const uint8_t *)index.p + at, &l);
}

static void put_entry(struct span_buf *out, const struct span__log_record *rec)
{
	const struct span__log_entry e = {
		.pos = rec->pos,
		.n_spans = rec->n_spans,
		.min_start_ns = rec->min_start_ns,
		.max_end_ns = rec->max_end_ns,
	};
	uint8_t bytes[LOG_INDEX_ENTRY];

	span__log_entry_put(bytes, &e);
	span_buf_put(out, bytes, sizeof(bytes));
}

/* The list of the FRAMES that came since the last one; a damaged one is none.
 */
static int see_list(const struct span__log_pick *pick, struct span__log_walk *w,
		    const struct span__log_record *rec, struct span_buf *frames,
		    struct span_error *err)
{
	struct span_str bytes = {0};
	const uint8_t *p;
	int rc = span__log_walk_payload(w, rec, &p, err);

	if (rc < 0)
		return rc;
	if (rc > 0)
		bytes = (struct span_str){(const char *)p, rec->len};
	w->bad_len = 0;
	span__log_pick_indexed(pick, bytes,
			       (struct span_str){frames->p, frames->len});
	frames->len = 0;
	return 1;
}

static int see_records(const struct span__log_pick *pick,
		       struct span__log_walk *w, struct span_buf *frames,
		       struct span_error *err)
{
	struct span__log_record rec;
	int rc;

	while ((rc = span__log_walk_next(w, &rec, err)) > 0) {
		if (rec.type == LOG_TYPE_FRAME && w->bad_len)
			return 0;
		if (rec.type == LOG_TYPE_FRAME)
			put_entry(frames, &rec);
		else if (rec.type == pick->type)
			rc = see_list(pick, w, &rec, frames, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	return !(w->log->closed && w->bad_len);
}

static int out_of_memory(struct span_buf *b, struct span_error *err)
{
	b->failed = false;
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

int span__log_pick(const struct span__log_pick *pick, const struct span__log *l,
		   struct span_error *err)
{
	struct span__log_walk w = {0};
	struct span_buf frames = {0};
	int rc;

	span__log_walk_begin(&w, l, false);
	w.bare = w.lists = true;
	rc = see_records(pick, &w, &frames, err);
	if (rc > 0)
		span__log_pick_indexed(pick, (struct span_str){0},
				       (struct span_str){frames.p, frames.len});
	if (frames.failed || pick->out->failed)
		rc = out_of_memory(pick->out, err);
	span_buf_release(&frames);
	span__log_walk_release(&w);
	return rc;
}

/* They go up. */
void span__log_entries_from(struct span_str *index, uint64_t pos)
{
	struct span__log_entry e;

	while (index->len) {
		span__log_entry_get(&e, (const uint8_t *)index->p);
		if (e.pos >= pos)
			return;
		index->p += LOG_INDEX_ENTRY;
		index->len -= LOG_INDEX_ENTRY;
	}
}

int span__log_entries(const struct span__log *l, struct span_buf *buf,
		      struct span_str *index, struct span_error *err)
{
	struct span__log_pick all = {.out = buf};
	int rc;

	if (l->closed) {
		rc = span__log_index(l, buf, index, err);
		if (rc > 0)
			span__log_entries_from(index, l->start);
		return rc;
	}
	buf->len = 0;
	rc = span__log_pick(&all, l, err);
	*index = (struct span_str){buf->p, buf->len};
	return rc;
}
