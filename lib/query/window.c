/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open traces by id and by age.
 *
 * What ends early for want of memory leaves its hash in a table of fixed size,
 * the newest in its place, to notice when more of it comes.
 */
#include "query/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#include "base/banned.h"

#define ARENA_BYTES 512u   /* that a trace has at first */
#define PAST_PLACES 65536u /* 1 MiB */
#define FIRST_PLACES 256u

struct span__past {
	uint64_t hash;
	uint64_t until : 62; /* remembered while now_ns is not above */
	uint64_t candidate : 1;
	uint64_t counted : 1;
};

int span__window_init(struct span__window *w, uint64_t window_ns,
		      struct span_error *err)
{
	*w = (struct span__window){0};
	span__stream_time_init(&w->time, window_ns);
	w->places = calloc(FIRST_PLACES, sizeof(*w->places));
	if (!w->places)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	w->n_places = FIRST_PLACES;
	return span__key_init(&w->secret, err);
}

void span__window_idle(struct span__window *w, uint64_t ns)
{
	span__stream_time_idle(&w->time, ns);
}

static uint64_t hash(const struct span__window *w, const uint8_t id[16])
{
	return span__hash(&w->secret, id, 16);
}

static struct span__open_trace **bucket(const struct span__window *w,
					uint64_t h)
{
	return &w->places[h & (w->n_places - 1)];
}

/* Double the table; where memory is out the chains only get longer. */
static void grow(struct span__window *w)
{
	struct span__open_trace **places;

	if (w->n < w->n_places)
		return;
	places = calloc(w->n_places * 2, sizeof(*places));
	if (!places)
		return;
	free(w->places);
	w->places = places;
	w->n_places *= 2;
	for (struct span__open_trace *t = w->oldest; t; t = t->newer) {
		struct span__open_trace **b = bucket(w, hash(w, t->id));

		t->chain = *b;
		*b = t;
	}
}

static void append(struct span__window *w, struct span__open_trace *t)
{
	t->older = w->newest;
	t->newer = NULL;
	if (w->newest)
		w->newest->newer = t;
	else
		w->oldest = t;
	w->newest = t;
}

static void unlink_age(struct span__window *w, struct span__open_trace *t)
{
	if (t->older)
		t->older->newer = t->newer;
	else
		w->oldest = t->newer;
	if (t->newer)
		t->newer->older = t->older;
	else
		w->newest = t->older;
}

/* Is T the rest of a trace that ended early? */
static void recall(struct span__window *w, struct span__open_trace *t,
		   uint64_t h)
{
	struct span__past *past = w->past ? &w->past[h % PAST_PLACES] : NULL;

	if (!past || past->hash != h || past->until < w->time.now_ns)
		return;
	t->counted = past->counted;
	if (past->candidate) {
		t->goes_on = true;
		w->cut += !t->counted;
		t->counted = true;
	} else {
		t->late = true;
	}
	past->until = 0;
}

struct span__open_trace *span__window_get(struct span__window *w,
					  const uint8_t id[16])
{
	struct span__open_trace *t = w->newest;
	uint64_t h;

	if (t && !memcmp(t->id, id, 16))
		return t;
	h = hash(w, id);
	t = *bucket(w, h);
	while (t && memcmp(t->id, id, 16) != 0)
		t = t->chain;
	if (t) {
		unlink_age(w, t);
		append(w, t);
		return t;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	grow(w);
	memcpy(t->id, id, 16);
	t->chain = *bucket(w, h);
	*bucket(w, h) = t;
	append(w, t);
	w->n++;
	recall(w, t, h);
	return t;
}

static size_t bytes_of(const struct span__open_trace *t)
{
	return sizeof(*t) + span_arena_size(&t->builder.arena) +
	       t->builder.spans.cap + t->builder.scratch.cap + t->items.cap;
}

int span__window_add(struct span__window *w, struct span__open_trace *t,
		     const struct span *s, struct span_error *err)
{
	int rc;

	span__arena_begin(&t->builder.arena, ARENA_BYTES);
	rc = span_trace_builder_put(&t->builder, s, err);
	w->bytes -= t->bytes;
	t->bytes = bytes_of(t);
	w->bytes += t->bytes;
	return rc;
}

int span__window_put(struct span__window *w, const struct span *s,
		     bool candidate, size_t max, struct span_error *err)
{
	uint64_t came = span__stream_time_tick(&w->time, span_end_ns(s));
	struct span__open_trace *t = span__window_get(w, s->trace_id);
	int rc;

	if (!t)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	t->candidate |= candidate;
	t->last = came;
	rc = span__window_add(w, t, s, err);
	if (t->bytes > max)
		w->big = t;
	return rc;
}

int span__window_put_item(struct span__window *w, const uint8_t id[16],
			  uint64_t end_ns, bool candidate, const void *item,
			  size_t size, size_t max, struct span_error *err)
{
	uint64_t came = span__stream_time_tick(&w->time, end_ns);
	struct span__open_trace *t = span__window_get(w, id);

	if (t)
		span_buf_put(&t->items, item, size);
	if (!t || t->items.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	t->candidate |= candidate;
	t->last = came;
	w->bytes -= t->bytes;
	t->bytes = sizeof(*t) + t->items.cap;
	w->bytes += t->bytes;
	if (t->bytes > max)
		w->big = t;
	return 0;
}

static void remember(struct span__window *w, const struct span__open_trace *t)
{
	uint64_t h = hash(w, t->id);

	if (!w->past)
		w->past = calloc(PAST_PLACES, sizeof(*w->past));
	if (!w->past)
		return;
	w->past[h % PAST_PLACES] = (struct span__past){
		.hash = h,
		.until = (w->time.now_ns + w->time.window_ns) &
			 (UINT64_MAX >> 2),
		.candidate = t->candidate || t->goes_on,
		.counted = t->counted};
}

void span__window_take(struct span__window *w, struct span__open_trace *t)
{
	struct span__open_trace **at = bucket(w, hash(w, t->id));

	while (*at != t)
		at = &(*at)->chain;
	*at = t->chain;
	unlink_age(w, t);
	w->n--;
	w->bytes -= t->bytes;
	if (w->big == t)
		w->big = NULL;
	if (t->late && t->candidate && !t->counted) {
		w->cut++;
		t->counted = true;
	}
}

struct span__open_trace *span__window_pop(struct span__window *w, size_t memory,
					  bool end)
{
	struct span__open_trace *t = w->oldest;
	bool complete;

	if (!t)
		return NULL;
	complete = end || span__stream_time_over(&w->time, t->last);
	if (!complete && w->big)
		t = w->big;
	else if (!complete && w->bytes <= memory)
		return NULL;
	span__window_take(w, t);
	if (!complete)
		remember(w, t);
	return t;
}

void span__open_trace_free(struct span__open_trace *t)
{
	if (!t)
		return;
	span_trace_builder_release(&t->builder);
	span_buf_release(&t->items);
	free(t);
}

void span__window_release(struct span__window *w)
{
	struct span__open_trace *t = w->oldest;

	while (t) {
		struct span__open_trace *newer = t->newer;

		span__open_trace_free(t);
		t = newer;
	}
	free(w->places);
	free(w->past);
	*w = (struct span__window){0};
}
