/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounds through the store. A key in the ids is the number of spans of the
 * trace, with a mark when the trace is left to the next round; at least one
 * trace is returned in each.
 */
#include "query/fetch.h"
#include "store/store_ops.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define LATER (UINT64_C(1) << 63) /* in a key: for the next round */

int span__walk_init(struct span__walk *w, struct span_store *st,
		    struct span__ids *ids, size_t memory,
		    struct span_error *err)
{
	*w = (struct span__walk){.st = st, .ids = ids, .memory = memory};
	for (size_t i = 0; i < ids->n; i++)
		ids->v[i].key = LATER;
	return span__window_init(&w->window, 0, err);
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/*
 * A cursor over the spans of what was left to this round; NULL: nothing. HEADS:
 * to count them.
 */
static int open_cursor(struct span__walk *w, bool heads, struct span_error *err)
{
	const uint8_t(*ids)[16];
	size_t n = 0;

	free(w->round);
	w->round = calloc(w->ids->n + 1, sizeof(*w->round));
	if (!w->round)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < w->ids->n; i++) {
		struct span__ranked_id *id = &w->ids->v[i];

		if (id->key & LATER)
			memcpy(w->round[n++], id->id, 16);
		id->key &= ~LATER;
	}
	if (!n)
		return 0;
	qsort(w->round, n, sizeof(*w->round), compare_ids);
	ids = (const uint8_t(*)[16])w->round;
	return heads ? span__store_find_heads(w->st, ids, n, false, &w->cursor,
					      err)
		     : span_store_find(w->st, ids, n, &w->cursor, err);
}

static int count(struct span__walk *w, struct span_error *err)
{
	struct span s;
	int rc = open_cursor(w, true, err);

	while (rc >= 0 && w->cursor &&
	       (rc = span_cursor_next(w->cursor, &s, err)) > 0) {
		struct span__ranked_id *id = span__ids_get(w->ids, s.trace_id);

		if (id)
			id->key++;
	}
	span_cursor_close(&w->cursor);
	for (size_t i = 0; i < w->ids->n; i++)
		if (w->ids->v[i].key)
			w->ids->v[i].key |= LATER;
	w->counted = true;
	return rc;
}

/* Leave traces to another round until the rest has room. */
static void make_room(struct span__walk *w, const struct span__open_trace *keep)
{
	while (w->window.bytes > w->memory && w->window.oldest != keep) {
		struct span__open_trace *t = w->window.oldest;

		span__ids_get(w->ids, t->id)->key |= LATER;
		span__window_take(&w->window, t);
		span__open_trace_free(t);
	}
}

/* Add a span. 1 with *OUT when it completes its trace, 0, or negative. */
static int put(struct span__walk *w, const struct span *s,
	       struct span__open_trace **out, struct span_error *err)
{
	struct span__ranked_id *id = span__ids_get(w->ids, s->trace_id);
	struct span__open_trace *t;
	int rc = 0;

	if (!id || id->key & LATER)
		return 0;
	t = span__window_get(&w->window, s->trace_id);
	if (!t)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (!t->bytes)
		t->left = id->key;
	if (!t->full)
		rc = span__window_add(&w->window, t, s, err);
	if (rc < 0)
		return rc;
	make_room(w, t);
	t->full |= w->window.bytes > w->memory;
	if (--t->left)
		return 0;
	span__window_take(&w->window, t);
	*out = t;
	return 1;
}

int span__walk_next(struct span__walk *w, struct span__open_trace **out,
		    struct span_error *err)
{
	struct span s;
	int rc = w->counted ? 0 : count(w, err);

	while (!rc) {
		if (!w->cursor && w->window.oldest) {
			/* The file with its last span went meanwhile. */
			*out = w->window.oldest;
			span__window_take(&w->window, *out);
			return 1;
		}
		if (!w->cursor)
			rc = open_cursor(w, false, err);
		if (rc < 0 || !w->cursor)
			return rc;
		rc = span_cursor_next(w->cursor, &s, err);
		if (rc > 0)
			rc = put(w, &s, out, err);
		else
			span_cursor_close(&w->cursor);
	}
	return rc;
}

void span__walk_release(struct span__walk *w)
{
	span_cursor_close(&w->cursor);
	span__window_release(&w->window);
	free(w->round);
	*w = (struct span__walk){0};
}
