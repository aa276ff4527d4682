/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame is built in buffers of its own and moves to a block when it is large
 * enough, or when one of its spans is asked for: its bytes, the numbers of its
 * spans, and its tables as they are read, all in one piece. Every span that is
 * kept is known by its number, so that it can be moved.
 */
#include "sample/held.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "stream/frame.h"

#include "base/banned.h"

#define FRAMES 16u /* that a block has, about */
#define SMALLEST_FRAME (8u << 10)
#define SLACK 512u /* heads, and what was set aside for keys */
#define ALIGN 16u
#define FRAME_BITS 9u /* of the size of an entry */
#define SPAN_BITS 4u

struct span__held_block {
	struct span__held_block *older, *newer;
	size_t len, used;
	size_t live, all; /* bytes of spans: that are left, and there were */
	uint32_t frames1; /* the last one plus one */
};

struct held_frame {
	struct span_frame f;
	struct span__held_block *block;
	uint32_t *numbers; /* of its spans */
	uint32_t next1;	   /* in the block */
};

_Static_assert(sizeof(struct held_frame) <= 1u << FRAME_BITS, "see above");
_Static_assert(sizeof(struct span__held_span) == 1u << SPAN_BITS, "see above");

static struct held_frame *frame_at(const struct span__held *h, uint32_t number)
{
	return span__numbered_at(&h->frames, number);
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "no memory for a span");
}

static int begin_frame(struct span__held *h, struct span_error *err)
{
	int64_t number = span__numbered_take(&h->frames);

	if (number < 0)
		return no_memory(err);
	h->building_frame = (uint32_t)number;
	h->numbers.len = 0;
	h->tables = 0;
	return 0;
}

int span__held_init(struct span__held *h, struct span__blocks *blocks,
		    struct span_error *err)
{
	int rc;

	*h = (struct span__held){.blocks = blocks,
				 .frame_bytes = blocks->size / FRAMES};
	if (h->frame_bytes < SMALLEST_FRAME)
		h->frame_bytes = SMALLEST_FRAME;
	span__numbered_init(&h->spans, blocks, SPAN_BITS);
	span__numbered_init(&h->frames, blocks, FRAME_BITS);
	rc = span__building_init(&h->building, err);
	if (rc >= 0)
		rc = span__serial_init(&h->serial, err);
	return rc < 0 ? rc : begin_frame(h, err);
}

/* ---- how much reading takes ---- */

static size_t attrs_bytes(const struct span_attr *v, size_t n);

static size_t value_bytes(const struct span_value *v)
{
	size_t sum;

	if (v->type == SPAN_MAP)
		return attrs_bytes(v->map.v, v->map.n);
	if (v->type != SPAN_ARRAY)
		return 0;
	sum = v->array.n * sizeof(*v) + ALIGN;
	for (size_t i = 0; i < v->array.n; i++)
		sum += value_bytes(&v->array.v[i]);
	return sum;
}

static size_t attrs_bytes(const struct span_attr *v, size_t n)
{
	size_t sum = n * sizeof(*v) + ALIGN;

	for (size_t i = 0; i < n; i++)
		if (v[i].value.type >= SPAN_ARRAY)
			sum += value_bytes(&v[i].value);
	return sum;
}

size_t span__held_lists(const struct span *s)
{
	size_t sum = attrs_bytes(s->attrs.v, s->attrs.n);

	if (s->n_events)
		sum += s->n_events * sizeof(*s->events) + ALIGN;
	for (size_t i = 0; i < s->n_events; i++)
		sum += attrs_bytes(s->events[i].attrs.v, s->events[i].attrs.n);
	if (s->n_refs)
		sum += s->n_refs * sizeof(*s->refs) + ALIGN;
	for (size_t i = 0; i < s->n_refs; i++)
		sum += attrs_bytes(s->refs[i].attrs.v, s->refs[i].attrs.n);
	return sum;
}

/* Of the tables of what is being built. */
static size_t table_bytes(const struct span__held *h)
{
	return SPAN__ARENA_HEAD + 3u * ALIGN + h->tables +
	       h->building.strings.n * sizeof(struct span_str);
}

/* ---- frames ---- */

static bool is_sparse(const struct span__held *h,
		      const struct span__held_block *b)
{
	return b != h->current && b->live <= b->all / 2;
}

static int begin_block(struct span__held *h, size_t room,
		       struct span_error *err)
{
	size_t len = room + sizeof(struct span__held_block) + ALIGN;
	struct span__held_block *b, *full = h->current;

	if (len < h->blocks->size)
		len = h->blocks->size;
	b = span__blocks_get(h->blocks, len);
	if (!b)
		return no_memory(err);
	b->len = len;
	b->used = sizeof(*b);
	b->older = h->first;
	if (b->older)
		b->older->newer = b;
	h->first = h->current = b;
	if (full)
		h->n_sparse += is_sparse(h, full);
	return 0;
}

static void free_block(struct span__held *h, struct span__held_block *b)
{
	uint32_t next1 = b->frames1;

	while (next1) {
		uint32_t number = next1 - 1;
		struct held_frame *frame = frame_at(h, number);

		next1 = frame->next1;
		span_arena_release(&frame->f.table_arena);
		span__numbered_give(&h->frames, number);
	}
	if (b->newer)
		b->newer->older = b->older;
	else
		h->first = b->older;
	if (b->older)
		b->older->newer = b->newer;
	if (h->current == b)
		h->current = NULL;
	span__blocks_free(h->blocks, b, b->len);
}

/* The next LEN bytes of the current block, aligned. */
static char *place(struct span__held_block *b, size_t len)
{
	char *p;

	b->used = (b->used + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	p = (char *)b + b->used;
	b->used += len;
	return p;
}

/* Read the tables of a frame whose BYTES are in its block. */
static int read_tables(struct span__held *h, struct held_frame *frame,
		       struct span_str bytes, struct span_error *err)
{
	struct span__held_block *b = frame->block;
	size_t len = table_bytes(h), used;
	char *tables = place(b, len);
	int rc;

	frame->f = (struct span_frame){.serial = h->serial, .keep = true};
	span__arena_lend(&frame->f.table_arena, tables, len);
	rc = span__frame_parse_sound(&frame->f, bytes.p, bytes.len, &used, err);
	h->serial = frame->f.serial;
	assert(span_arena_size(&frame->f.table_arena) <= len);
	return rc < 0 ? rc : 0;
}

/* What was built becomes a frame in a block. */
static int finish_frame(struct span__held *h, struct span_error *err)
{
	struct held_frame *frame = frame_at(h, h->building_frame);
	size_t bytes = span__building_size(&h->building) + SLACK;
	size_t room = bytes + h->numbers.len + table_bytes(h) + 3u * ALIGN;
	struct span__held_block *b = h->current;
	struct span_buf out = {.cap = bytes};
	int rc = 0;

	if (!b || room > b->len - b->used)
		rc = begin_block(h, room, err);
	if (rc < 0)
		return rc;
	b = frame->block = h->current;
	frame->numbers = (uint32_t *)(void *)place(b, h->numbers.len);
	memcpy(frame->numbers, h->numbers.p, h->numbers.len);
	out.p = place(b, 0);
	span__building_finish(&h->building, &out);
	if (out.failed)
		return no_memory(err);
	b->used += out.len;
	rc = read_tables(h, frame, (struct span_str){out.p, out.len}, err);
	if (rc < 0)
		return rc;
	b->live += frame->f.body.len;
	b->all += frame->f.body.len;
	frame->next1 = b->frames1;
	b->frames1 = h->building_frame + 1;
	span__building_reset(&h->building);
	return begin_frame(h, err);
}

/* ---- spans ---- */

/* Add S, which is the span NUMBER, to the frame that is built. */
static int add_here(struct span__held *h, const struct span *s, uint32_t number,
		    struct span_error *err)
{
	struct span__building *b = &h->building;
	struct span__held_span *to = span__held_at(h, number);
	uint32_t n_processes = b->processes.n, n_scopes = b->scopes.n;
	size_t at = b->body.len;
	int rc = span__building_add(b, s);

	/* Of one that is refused they stay in the frame. */
	if (b->processes.n != n_processes)
		h->tables +=
			sizeof(*s->process) +
			attrs_bytes(s->process->attrs.v, s->process->attrs.n);
	if (b->scopes.n != n_scopes)
		h->tables += sizeof(*s->scope) +
			     attrs_bytes(s->scope->attrs.v, s->scope->attrs.n);
	if (rc < 0)
		return span_error_set(err, rc, "a span is refused: %s",
				      b->refused);
	to->frame = h->building_frame;
	to->at = (uint32_t)at;
	to->len = (uint32_t)(b->body.len - at);
	span_buf_put(&h->numbers, &number, sizeof(number));
	if (h->numbers.failed)
		return no_memory(err);
	if (span__building_size(b) + h->numbers.len + table_bytes(h) <
		    h->frame_bytes &&
	    b->n_spans < SPAN_FRAME_MAX_SPANS)
		return 0;
	return finish_frame(h, err);
}

/* In a frame of its own references are shorter. */
static int add(struct span__held *h, const struct span *s, uint32_t number,
	       struct span_error *err)
{
	int rc = add_here(h, s, number, err);

	if (rc != SPAN_E_LIMIT || !h->building.n_spans)
		return rc;
	rc = finish_frame(h, err);
	return rc < 0 ? rc : add_here(h, s, number, err);
}

int span__held_put(struct span__held *h, const struct span *s, uint32_t *number,
		   struct span_error *err)
{
	int64_t taken = span__numbered_take(&h->spans);
	int rc;

	if (taken < 0)
		return no_memory(err);
	*number = (uint32_t)taken;
	rc = add(h, s, *number, err);
	if (rc < 0)
		span__numbered_give(&h->spans, *number);
	return rc;
}

int span__held_get(struct span__held *h, uint32_t number, struct span_arena *a,
		   struct span *out, struct span_error *err)
{
	const struct span__held_span *s = span__held_at(h, number);
	struct span_frame *f;
	int rc = 0;

	if (s->frame == h->building_frame)
		rc = finish_frame(h, err);
	if (rc < 0)
		return rc;
	f = &frame_at(h, s->frame)->f;
	f->next = dec_init(f->body.p + s->at, f->body.len - s->at);
	f->spans_left = 1;
	f->span_arena = *a;
	rc = span_frame_next(f, out, err);
	*a = f->span_arena;
	f->span_arena = (struct span_arena){0};
	return rc < 0 ? rc : 0;
}

void span__held_expect(const struct span__held *h, uint32_t number)
{
	const struct span__held_span *s = span__held_at(h, number);
	const char *at;

	if (s->frame == h->building_frame)
		return;
	at = frame_at(h, s->frame)->f.body.p + s->at;
	__builtin_prefetch(at);
	__builtin_prefetch(at + 64);
}

void span__held_drop(struct span__held *h, uint32_t number)
{
	struct span__held_span *s = span__held_at(h, number);
	struct span__held_block *b = frame_at(h, s->frame)->block;
	bool sparse = is_sparse(h, b);

	assert(s->frame != h->building_frame);
	b->live -= s->len;
	if (!b->live) {
		h->n_sparse -= sparse;
		free_block(h, b);
	} else {
		h->n_sparse += !sparse && is_sparse(h, b);
	}
	s->frame = SPAN__HELD_NONE;
	span__numbered_give(&h->spans, number);
}

/* The block that is emptiest for its size, but for one; or NULL. */
static struct span__held_block *sparsest(const struct span__held *h,
					 const struct span__held_block *but)
{
	uint32_t n_others = h->n_sparse - (but && is_sparse(h, but));
	struct span__held_block *best = NULL;

	for (struct span__held_block *b = h->first; b && n_others; b = b->older)
		if (b != but && is_sparse(h, b) &&
		    (!best || (double)b->live / (double)b->all <
				      (double)best->live / (double)best->all))
			best = b;
	return best;
}

/* Where a span is, or NULL while its frame is built. */
static const struct span__held_block *block_of(const struct span__held *h,
					       uint32_t number)
{
	uint32_t frame = span__held_at(h, number)->frame;

	return frame == h->building_frame ? NULL : frame_at(h, frame)->block;
}

/* A number that was given out again counts where its span is now. */
static int move_frame(struct span__held *h, uint32_t frame_number,
		      struct span_error *err)
{
	const struct held_frame *frame = frame_at(h, frame_number);
	int rc = 0;

	for (uint32_t i = 0; i < frame->f.info.n_spans && rc >= 0; i++) {
		uint32_t number = frame->numbers[i];
		struct span s;

		if (span__held_at(h, number)->frame != frame_number)
			continue;
		span_arena_reset(&h->arena);
		rc = span__held_get(h, number, &h->arena, &s, err);
		if (rc >= 0)
			rc = add(h, &s, number, err);
	}
	return rc;
}

int span__held_compact(struct span__held *h, uint32_t spared,
		       struct span_error *err)
{
	struct span__held_block *b = sparsest(h, block_of(h, spared));
	int rc = 0;

	if (!b)
		return 0;
	for (uint32_t next1 = b->frames1; next1 && rc >= 0;) {
		rc = move_frame(h, next1 - 1, err);
		next1 = frame_at(h, next1 - 1)->next1;
	}
	if (rc < 0)
		return rc;
	h->n_sparse--;
	free_block(h, b);
	return 1;
}

void span__held_release(struct span__held *h)
{
	while (h->first)
		free_block(h, h->first);
	span__numbered_release(&h->spans);
	span__numbered_release(&h->frames);
	span__building_release(&h->building);
	span_buf_release(&h->numbers);
	span_arena_release(&h->arena);
}
