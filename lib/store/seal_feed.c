/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seal_feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "stream/frame.h"

#include "base/banned.h"

#define ITEMS 3u /* one is used, one is ready, one is filled */

struct span__feed {
	struct span__feed_opts o;
	struct span__log_walk walk;
	struct span__feed_item items[ITEMS];
	size_t largest; /* bytes of an item, of those that were used */
	bool ended;	/* the last one was returned */
	/* with a thread */
	bool threaded;
	struct span__helper helper;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	size_t filled, taken; /* items so far; the last one taken is in use */
	bool stop;
};

static void end(struct span__feed_item *i, int rc)
{
	i->what = FEED_END;
	i->rc = rc;
}

/* Room for all spans of the frame. */
static bool make_room(struct span__feed_item *i, size_t n)
{
	struct span *v;

	if (n <= i->cap)
		return true;
	v = realloc(i->spans, n * sizeof(*v));
	if (!v)
		return false;
	i->spans = v;
	i->cap = n;
	return true;
}

/* All spans of the frame: 0 or a code. */
static int take_apart(const struct span__feed *f, struct span__feed_item *i)
{
	int rc = 0;

	i->n = 0;
	i->hashes = 0;
	/* one more, so that the end is looked at, too */
	if (!make_room(i, span_frame_info(i->frame)->n_spans + (size_t)1))
		return span_error_set(&i->err, SPAN_E_NOMEM, "out of memory");
	while (i->n < i->cap &&
	       (rc = span_frame_next(i->frame, &i->spans[i->n], &i->err)) > 0) {
		const struct span *s = &i->spans[i->n++];

		if (f->o.counts(f->o.arg, s->trace_id))
			i->hashes += span_hash(s);
	}
	return rc < 0 ? rc : 0;
}

/*
 * What was appended was validated then, and its checksum holds: a frame that
 * is not valid nonetheless is noticed when it is taken apart.
 */
static void fill_frame(const struct span__feed *f, struct span__feed_item *i)
{
	size_t used;
	bool odd;
	int rc = span__frame_parse_sound(i->frame, i->payload.p, i->payload.len,
					 &used, NULL);

	i->damaged |= rc <= 0;
	i->what = FEED_NONE;
	if (rc == SPAN_E_NOMEM)
		end(i, span_error_set(&i->err, rc, "out of memory"));
	if (rc <= 0)
		return;
	odd = f->o.careful && span_frame_validate(i->frame, NULL) < 0;
	span_frame_rewind(i->frame);
	rc = take_apart(f, i);
	i->what = odd ? FEED_SOME : FEED_FRAME;
	i->damaged |= odd;
	if (rc == SPAN_E_NOMEM)
		end(i, rc);
	else if (rc < 0 && !odd)
		i->what = FEED_ODD;
}

static void fill(struct span__feed *f, struct span__feed_item *i)
{
	struct span__log_walk *w = &f->walk;
	const uint8_t *p;
	int rc = span__log_walk_next(w, &i->rec, &i->err);

	i->damaged = w->bad_len > 0;
	if (rc <= 0) {
		end(i, rc);
		return;
	}
	rc = span__log_walk_payload(w, &i->rec, &p, &i->err);
	i->what = FEED_LOST;
	i->damaged |= !rc;
	if (rc < 0)
		end(i, rc);
	if (rc <= 0)
		return;
	i->payload.len = 0;
	span_buf_put(&i->payload, p, i->rec.len);
	if (i->payload.failed)
		end(i, span_error_set(&i->err, SPAN_E_NOMEM, "out of memory"));
	else
		fill_frame(f, i);
}

/* ---- With a thread ---- */

/* Wait for room: the item to be filled, or NULL when nobody wants more. */
static struct span__feed_item *wait_room(struct span__feed *f)
{
	struct span__feed_item *i = NULL;

	pthread_mutex_lock(&f->mutex);
	while (!f->stop && f->filled - (f->taken ? f->taken - 1 : 0) >= ITEMS)
		pthread_cond_wait(&f->changed, &f->mutex);
	if (!f->stop)
		i = &f->items[f->filled % ITEMS];
	pthread_mutex_unlock(&f->mutex);
	return i;
}

static void fill_all(void *arg)
{
	struct span__feed *f = arg;
	struct span__feed_item *i;
	bool more = true;

	while (more && (i = wait_room(f))) {
		fill(f, i);
		more = i->what != FEED_END;
		pthread_mutex_lock(&f->mutex);
		f->filled++;
		pthread_cond_signal(&f->changed);
		pthread_mutex_unlock(&f->mutex);
	}
}

static struct span__feed_item *wait_item(struct span__feed *f)
{
	struct span__feed_item *i;

	pthread_mutex_lock(&f->mutex);
	i = &f->items[f->taken++ % ITEMS];
	pthread_cond_signal(&f->changed);
	while (f->filled < f->taken)
		pthread_cond_wait(&f->changed, &f->mutex);
	pthread_mutex_unlock(&f->mutex);
	return i;
}

static void begin_thread(struct span__feed *f)
{
	if (!f->o.thread || pthread_mutex_init(&f->mutex, NULL))
		return;
	if (pthread_cond_init(&f->changed, NULL)) {
		pthread_mutex_destroy(&f->mutex);
		return;
	}
	f->threaded = span__helper_start(&f->helper, fill_all, f);
	if (f->threaded)
		return;
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->mutex);
}

static void end_thread(struct span__feed *f)
{
	if (!f->threaded)
		return;
	pthread_mutex_lock(&f->mutex);
	f->stop = true;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->mutex);
	span__helper_join(&f->helper);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->mutex);
}

/* ---- The feed ---- */

int span__feed_open(struct span__feed **out, const struct span__feed_opts *o,
		    struct span_error *err)
{
	struct span__feed *f = calloc(1, sizeof(*f));
	int rc = f ? 0 : SPAN_E_NOMEM;

	*out = f;
	for (size_t i = 0; i < ITEMS && !rc; i++) {
		rc = span_frame_open(&f->items[i].frame, err);
		if (!rc)
			f->items[i].frame->keep = true;
	}
	if (rc < 0) {
		span__feed_close(out);
		return span_error_set(err, rc, "out of memory");
	}
	f->o = *o;
	span__log_walk_begin(&f->walk, o->log, true);
	begin_thread(f);
	return 0;
}

struct span__feed_item *span__feed_next(struct span__feed *f)
{
	struct span__feed_item *i = &f->items[0];
	size_t size;

	if (f->ended)
		return &f->items[(f->threaded ? f->taken - 1 : 0) % ITEMS];
	if (f->threaded)
		i = wait_item(f);
	else
		fill(f, i);
	f->ended = i->what == FEED_END;
	size = i->payload.cap + i->cap * sizeof(*i->spans) +
	       span_arena_size(&i->frame->table_arena) +
	       span_arena_size(&i->frame->span_arena);
	if (size > f->largest)
		f->largest = size;
	return i;
}

size_t span__feed_memory(const struct span__feed *f)
{
	return f->largest * (f->threaded ? ITEMS + 1 : 2);
}

void span__feed_close(struct span__feed **feed)
{
	struct span__feed *f = *feed;

	if (!f)
		return;
	end_thread(f);
	for (size_t i = 0; i < ITEMS; i++) {
		span_frame_close(&f->items[i].frame);
		span_buf_release(&f->items[i].payload);
		free(f->items[i].spans);
	}
	span__log_walk_release(&f->walk);
	free(f);
	*feed = NULL;
}
