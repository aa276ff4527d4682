/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To look for a trace takes the directory and the ids of traces; only the
 * segment that has it is loaded. What a section says it holds is believed no
 * further than it is there.
 */
#include "store/seg_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/seg_codec.h"
#include "store/seg_spans.h"
#include "store/seg_watch.h"

#include "base/banned.h"

#define OPENED_MAX (8u << 20) /* bytes of columns and plans */

/* A damaged column is empty, and the file marked: the others may do. */
static void open_ints(struct span__seg *s, struct span__ints *c,
		      enum span__seg_section section, uint64_t n)
{
	struct span__area area = span__seg_area(&s->file, section);

	(void)span__ints_open(c, &area, n, NULL);
}

static void open_counted(struct span__seg *s, struct span__ints *c,
			 enum span__seg_section section, uint64_t max)
{
	struct span__area area = span__seg_area(&s->file, section);

	(void)span__counted_open(c, &area, max);
}

static int check_counts(struct span__seg *s, struct span_error *err)
{
	const struct span__seg_header *h = &s->file.header;

	s->n_spans = h->sum.n_spans;
	s->n_traces = h->n_traces;
	s->n_blocks = h->n_blocks;
	if (s->n_spans > SEG_SPANS_MAX || s->n_traces > s->n_spans ||
	    s->n_blocks > s->n_traces || !s->n_blocks != !s->n_spans ||
	    !s->n_traces != !s->n_spans)
		return span_error_set(err, SPAN_E_CORRUPT,
				      "%s: impossible counts", s->file.name);
	return 0;
}

/* Each is on a page of its own, which costs more than all that is done here. */
static void open_directory(struct span__seg *s)
{
	uint64_t n = s->n_traces;

	open_counted(s, &s->buckets, SEG_BUCKETS, SEG_SPANS_MAX);
	open_ints(s, &s->bucket_traces, SEG_BUCKET_TRACES, n);
	open_ints(s, &s->trace_high, SEG_TRACE_HIGH, n);
	open_ints(s, &s->trace_low, SEG_TRACE_LOW, n);
}

void span__seg_load_blocks(struct span__seg *s)
{
	uint64_t n = s->n_traces;

	if (s->has_blocks || !s->n_spans)
		return;
	s->has_blocks = true;
	open_ints(s, &s->trace_start, SEG_TRACE_START, n);
	open_ints(s, &s->trace_end, SEG_TRACE_END, n);
	open_ints(s, &s->block_trace, SEG_BLOCK_TRACE, s->n_blocks);
	open_ints(s, &s->block_span, SEG_BLOCK_SPAN, s->n_blocks);
	open_ints(s, &s->block_min_start, SEG_BLOCK_MIN_START, s->n_blocks);
	open_ints(s, &s->block_max_start, SEG_BLOCK_MAX_START, s->n_blocks);
}

int span__seg_open(struct span__seg **out, const struct span__io *io, int dirfd,
		   const char *name, struct span_error *err)
{
	struct span__seg *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	rc = span__seg_file_open(&s->file, io, dirfd, name, err);
	if (rc < 0) {
		free(s);
		return rc;
	}
	rc = check_counts(s, err);
	if (rc < 0) {
		span__seg_close(&s);
		return rc;
	}
	if (s->n_spans)
		open_directory(s);
	*out = s;
	return 0;
}

void span__seg_unload(struct span__seg *s)
{
	span__strings_close(&s->strings);
	span__chunks_close(&s->heap);
	span__chunks_close(&s->processes);
	span__chunks_close(&s->scopes);
	span__shapes_close(&s->shapes);
	span__tree_close(&s->tree);
	span__codec_release(&s->file.codec);
	free(s->type_readers);
	free(s->process_cache);
	free(s->scope_cache);
	free(s->type_marks);
	s->type_readers = NULL;
	s->process_cache = NULL;
	s->scope_cache = NULL;
	s->type_marks = NULL;
	span_arena_release(&s->arena);
	span_arena_release(&s->opened);
	s->loaded = false;
}

size_t span__seg_memory(const struct span__seg *s)
{
	return span_arena_size(&s->arena) + span_arena_size(&s->opened) +
	       span__strings_held(&s->strings) +
	       span__codec_memory(&s->file.codec) +
	       span__shapes_held(s->shapes) + span__chunks_held(s->heap) +
	       span__chunks_held(s->processes) + span__chunks_held(s->scopes);
}

void span__seg_close(struct span__seg **s)
{
	if (!*s)
		return;
	span__seg_unload(*s);
	span__seg_file_close(&(*s)->file);
	free(*s);
	*s = NULL;
}

static int open_chunks(struct span__seg *s, struct span__chunks **c,
		       enum span__seg_section section, struct span_error *err)
{
	struct span__area area = span__seg_area(&s->file, section);

	return span__chunks_open(c, &area, err);
}

static int load_tables(struct span__seg *s, struct span_error *err)
{
	const struct span__seg_header *h = &s->file.header;
	struct span__area strings = span__seg_area(&s->file, SEG_STRINGS);
	struct span__area types = span__seg_area(&s->file, SEG_TYPES);
	struct span__area shapes = span__seg_area(&s->file, SEG_SHAPES);
	struct span__area ranks = span__seg_area(&s->file, SEG_RANKS);
	struct span__area shorts = span__seg_area(&s->file, SEG_SHORT_STRINGS);
	int rc = span__strings_open(&s->strings, &strings, &shorts, err);

	if (rc == 0 && !span__types_open(&s->types, &types, h->n_types))
		rc = span_error_set(err, SPAN_E_CORRUPT, "%s: no types",
				    s->file.name);
	if (rc == 0 &&
	    !span__ranks_open(&s->ranks, &ranks, h->n_types, s->n_blocks))
		rc = span_error_set(err, SPAN_E_CORRUPT, "%s: no ranks",
				    s->file.name);
	if (rc == 0)
		rc = span__shapes_open(&s->shapes, &shapes, h->n_shapes,
				       h->n_types, err);
	return rc;
}

/* Processes, scopes and the heap: without one of them much can be read. */
static int load_chunks(struct span__seg *s, struct span_error *err)
{
	int rc = open_chunks(s, &s->heap, SEG_HEAP, err);

	if (rc == 0 || rc == SPAN_E_CORRUPT)
		rc = open_chunks(s, &s->processes, SEG_PROCESSES, err);
	if (rc == 0 || rc == SPAN_E_CORRUPT)
		rc = open_chunks(s, &s->scopes, SEG_SCOPES, err);
	return rc == SPAN_E_CORRUPT ? 0 : rc;
}

static void load_columns(struct span__seg *s)
{
	open_counted(s, &s->process_ends, SEG_PROCESS_ENDS, s->n_spans);
	open_ints(s, &s->process_services, SEG_PROCESS_SERVICES,
		  s->process_ends.n);
	open_counted(s, &s->scope_ends, SEG_SCOPE_ENDS, s->n_spans);
	open_ints(s, &s->trace_shape, SEG_TRACE_SHAPE, s->n_traces);
	open_ints(s, &s->span_ids, SEG_SPAN_IDS, s->n_spans);
	open_counted(s, &s->explicit_trace, SEG_EXPLICIT_TRACE, s->n_spans);
	open_counted(s, &s->explicit_node, SEG_EXPLICIT_NODE, s->n_spans);
	open_counted(s, &s->explicit_id, SEG_EXPLICIT_ID, s->n_spans);
	s->columns = span__seg_area(&s->file, SEG_COLUMNS);
}

static uint64_t kept(const struct span__ints *c)
{
	return c->n <= SEG_KEPT_MAX ? c->n : 0;
}

static int load_caches(struct span__seg *s, struct span_error *err)
{
	int rc = span__serial_init(&s->serial, err);

	if (rc < 0)
		return rc;
	/* one more, since nothing is allocated for none */
	s->type_readers = calloc(s->types.n + 1, sizeof(*s->type_readers));
	s->type_marks = calloc(s->types.n + 1, sizeof(*s->type_marks));
	s->process_cache =
		calloc(kept(&s->process_ends) + 1, sizeof(*s->process_cache));
	s->scope_cache =
		calloc(kept(&s->scope_ends) + 1, sizeof(*s->scope_cache));
	rc = span__tree_open(&s->tree, err);
	if (rc < 0 || !s->type_readers || !s->type_marks || !s->process_cache ||
	    !s->scope_cache)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}

int span__seg_load(struct span__seg *s, struct span_error *err)
{
	int rc;

	if (s->loaded || !s->n_spans)
		return 0;
	span__seg_load_blocks(s);
	rc = load_tables(s, err);
	if (rc == 0)
		rc = load_chunks(s, err);
	if (rc == 0) {
		load_columns(s);
		rc = load_caches(s, err);
	}
	if (rc < 0)
		span__seg_unload(s);
	s->loaded = rc == 0;
	return rc;
}

/* A type that is damaged is not read again. */
static bool read_type(struct span__seg *s, uint64_t i,
		      struct span__seg_type_reader *t)
{
	struct span__watch w = span__watch(&s->file);
	bool good = span__types_get(&s->types, i, &s->arena, &t->type);

	t->bad = span__watch_end(&w);
	if (t->bad)
		return true;
	t->columns = span_arena_array(&s->arena, t->type.n_slots,
				      sizeof(*t->columns));
	if (!good || !t->columns)
		return false;
	for (unsigned k = 0; k < t->type.n_slots; k++)
		t->columns[k] = (struct span__seg_column){0};
	return true;
}

struct span__seg_type_reader *span__seg_type(struct span__seg *s, uint64_t i)
{
	struct span__seg_type_reader *t;

	if (i >= s->types.n)
		return NULL;
	t = s->type_readers[i];
	if (!t) {
		t = span_arena_alloc(&s->arena, sizeof(*t));
		if (!t)
			return NULL;
		*t = (struct span__seg_type_reader){0};
		if (!read_type(s, i, t))
			return NULL;
		s->type_readers[i] = t;
	}
	if (!t->bad)
		return t;
	(void)span__area_bad(&s->types.area);
	return NULL;
}

/* Which of them are bad is kept in mind. */
static void forget_columns(struct span__seg_type_reader *t)
{
	t->plan = NULL;
	for (unsigned k = 0; k < t->type.n_slots; k++) {
		t->columns[k].ints = NULL;
		t->columns[k].texts = NULL;
	}
}

void span__seg_tidy(struct span__seg *s)
{
	if (!s->loaded || span_arena_size(&s->opened) < OPENED_MAX)
		return;
	for (uint64_t i = 0; i < s->types.n; i++)
		if (s->type_readers[i] && !s->type_readers[i]->bad)
			forget_columns(s->type_readers[i]);
	span_arena_release(&s->opened);
}

static bool open_slot(struct span__seg *s, struct span__seg_type_reader *t,
		      unsigned k)
{
	const struct span__seg_slot *slot = &t->type.slots[k];
	struct span__area area =
		span__area_sub(&s->columns, slot->pos, slot->len);
	struct span__seg_column *c = &t->columns[k];
	struct span__texts texts;
	struct span__ints *ints;

	if (span__slot_is_text(slot)) {
		c->bad = !span__texts_open(&texts, &area, t->type.n_spans,
					   &s->strings, s->heap, NULL);
		c->texts = span__texts_keep(&texts, &s->opened);
		if (!c->texts)
			return false;
	} else {
		ints = span_arena_alloc(&s->opened, sizeof(*ints));
		if (!ints)
			return false;
		c->bad = !span__ints_open(ints, &area, t->type.n_spans, NULL);
		c->ints = ints;
	}
	return !c->bad;
}

struct span__seg_column *span__seg_column(struct span__seg *s,
					  struct span__seg_type_reader *t,
					  unsigned k)
{
	struct span__seg_column *c;

	if (k >= t->type.n_slots || !t->type.slots[k].len)
		return NULL;
	c = &t->columns[k];
	if (c->bad) {
		/* the mark may have been cleared since */
		struct span__area area =
			span__area_sub(&s->columns, t->type.slots[k].pos, 0);

		(void)span__area_bad(&area);
		return NULL;
	}
	if (!c->ints && !c->texts && !open_slot(s, t, k))
		return NULL;
	return c;
}
